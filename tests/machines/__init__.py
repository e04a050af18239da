# SPDX-License-Identifier: LGPL-2.1-or-later
"""The machines the integration tests run in, and the commands that use them.

  say        progress on stderr, and orderly ends
  linux      the few system calls Python lacks
  host       packages this computer needs
  debian     where Debian packages come from, and root file systems of them
  cache      things that take long to make, kept by what they are made of
  images     what the machines are made of
  build      this project, compiled and installed into a directory
  channel    commands into a machine, their output and exit status out of it
  namespace  a machine of namespaces: boots in a second
  virtual    a machine in QEMU: everything that a kernel has
  report     test results, summed

Each file in guest/ is copied to the same place in a machine.
"""
