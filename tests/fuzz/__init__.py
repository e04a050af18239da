# SPDX-License-Identifier: LGPL-2.1-or-later
"""Fuzzers of what reads bytes that somebody else wrote.

  fuzz-NAME.c   what is read, and what has to hold for whatever is read
  check*.c      what has to hold for plans
  replay.c      gives a fuzzer the files of its corpus: what meson test does
  corpus        what libFuzzer found to lead everywhere that it got to
  regressions   what was found wrong, and is right now
  command       the command line of tests/fuzz/run
  seeds(.c)     what libFuzzer begins with besides
"""
