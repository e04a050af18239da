# SPDX-License-Identifier: LGPL-2.1-or-later
"""A tour of what this project does, on real input, that checks itself.

  command  the command line of tests/demo: makes what is shown and where
  stage    headings, commands as they are typed, their output, checks of it
  steps    the tour, run where systemd is
"""
