# SPDX-License-Identifier: LGPL-2.1-or-later
"""Test results, summed, and what has failed: it is said once more at the end, as the output before that may be long."""

import xml.etree.ElementTree as xml
from dataclasses import dataclass

LINES = 30


@dataclass(frozen=True)
class Tally:
    """How many tests ended how; of those that failed, name and reason."""
    passed: int = 0
    skipped: int = 0
    failures: tuple = ()

    def __add__(self, other):
        return Tally(self.passed + other.passed, self.skipped + other.skipped, self.failures + other.failures)

    def __str__(self):
        return f"{self.passed} passed, {len(self.failures)} failed, {self.skipped} skipped"

    def ran(self):
        return self.passed + len(self.failures) + self.skipped > 0


PASSED, SKIPPED = Tally(passed=1), Tally(skipped=1)


def failed(what, reason=""):
    """The tally of one that did, for the last lines of the reason."""
    return Tally(failures=("\n".join([what, *("  " + line for line in reason.splitlines()[-LINES:])]),))


def one(what, status):
    return failed(what, f"ended with {status}") if status else PASSED


def total(tallies):
    return sum(tallies, Tally())


def _of_case(case):
    bad = [child for child in case if child.tag in ("failure", "error")]
    if bad:
        name = "::".join(filter(None, [case.get("classname"), case.get("name")]))
        return failed(name, "\n".join(child.text or child.get("message") or "" for child in bad))
    return SKIPPED if case.find("skipped") is not None else PASSED


def read(path, status, what=""):
    """The tally of a JUnit file, whose writer ended with the exit status.

    A runner that fails without a failed test is a failure of its own.
    """
    tally = total(_of_case(case) for case in (xml.parse(path).iter("testcase") if path.exists() else ()))
    return tally + one(what or path.name, status) if status and not tally.failures else tally
