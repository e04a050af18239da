# SPDX-License-Identifier: LGPL-2.1-or-later
"""This runtime beside crun and runc, or beside another build of it, in one machine, in turn.

  command   the command line of tests/bench: makes what is measured and where
  timer.c   executes commands and says what each took
  shim.c    preloaded into all runtimes where a machine lacks CAP_SYS_RESOURCE
  seccomp   an engine's profile, as it hands it to a runtime
  script    what the timer is to do
  measure   the measurements, run in the machine
  table     the results, for people
"""
