# SPDX-License-Identifier: LGPL-2.1-or-later
"""Test results, summed."""

import xml.etree.ElementTree as xml
from dataclasses import dataclass


@dataclass
class Tally:
    """How many tests ended how."""
    passed: int = 0
    failed: int = 0
    skipped: int = 0

    def __add__(self, other):
        return Tally(self.passed + other.passed, self.failed + other.failed,
                     self.skipped + other.skipped)

    def __str__(self):
        return f"{self.passed} passed, {self.failed} failed, {self.skipped} skipped"

    def ran(self):
        return self.passed + self.failed + self.skipped > 0


def total(tallies):
    return sum(tallies, Tally())


def read(path, status):
    """The tally of a JUnit file, whose writer ended with the exit status.

    A runner that fails without a failed test is a failure of its own.
    """
    tally = Tally()
    for case in xml.parse(path).iter("testcase") if path.exists() else ():
        kinds = {child.tag for child in case}
        if kinds & {"failure", "error"}:
            tally.failed += 1
        elif "skipped" in kinds:
            tally.skipped += 1
        else:
            tally.passed += 1
    if status and not tally.failed:
        tally.failed = 1
    return tally
