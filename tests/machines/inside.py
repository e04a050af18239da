# SPDX-License-Identifier: LGPL-2.1-or-later
"""The tests in machines: of the program, and of the engines that call it.

The virtual machine is slow, as it is emulated, and one uses little more than
one processor. So there are as many of it as there are processors, and each takes
the next test that no other has; unless options choose some tests, which one
machine then runs.
"""

import contextlib
import os
import subprocess
import sys
import threading
import time
from dataclasses import dataclass

from . import report
from .process import child
from .say import say

LIMITS = {"namespace": 120, "vm": 600}  # seconds that one test may take
DEADLINE = 40 * 60                      # and all of them
NO_TESTS = 5


@dataclass(frozen=True)
class Part:
    """Tests in a directory, the packages they need, and the machines that run them in turn."""
    tests: str
    packages: str
    machines: tuple


PARTS = {"namespace": Part("tests/integration", "base", ("namespace",)),
         "vm": Part("tests/integration", "base", ("vm",)),
         "engines": Part("tests/engines", "engines", ("namespace", "vm"))}


def pytest(junit, tests, kind, options):
    if not any(tests in option for option in options):
        options = [tests, *options]
    return ["/usr/bin/python3", "-B", "-m", "pytest", "-ra", "-p", "no:cacheprovider",
            f"--timeout={LIMITS[kind]}", f"--junitxml={junit}", *options]


def tally(junit, status):
    return report.read(junit, 0 if status == NO_TESTS else status)


def run(part, kind, options, results):
    """Results is a directory of the caller's, for what the machines write."""
    release, options = _release(options)
    count = len(os.sched_getaffinity(0)) if kind == "vm" and not options else 1
    options = [*options, *(["--claims=/share/claims"] if count > 1 else [])]
    (results / "claims").mkdir()
    end = time.monotonic() + DEADLINE
    with contextlib.ExitStack() as stack:
        started = [stack.enter_context(_machine(
            f"{kind} {number}: " if count > 1 else "", kind, *release, "--set", part.packages,
            "--share", str(results), "--", "env", "--chdir=/",
            *pytest(f"/share/{number}.xml", part.tests, kind, options)))
            for number in range(1, count + 1)]
        return report.total(tally(results / f"{number}.xml", _wait(kind, process, end))
                            for number, process in enumerate(started, 1))


def _release(options):
    """The machine's own option, and the rest, which are pytest's."""
    if options and options[0] == "--debian":
        return options[:2], options[2:]
    return [], options


def _wait(kind, process, end):
    try:
        return process.wait(max(0, end - time.monotonic()))
    except subprocess.TimeoutExpired:
        say(f"{kind}: not done after {DEADLINE // 60} minutes")
        return 1


@contextlib.contextmanager
def _machine(label, *arguments):
    """Each line of a machine that has others beside it begins with its label."""
    if not label:
        with child("cli", *arguments) as process:
            yield process
        return
    with child("cli", *arguments, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
               errors="replace") as process:
        reader = threading.Thread(target=_relay, args=[label, process.stdout])
        reader.start()
        yield process
    reader.join()


def _relay(label, lines):
    for line in lines:
        print(f"{label}{line}", end="", file=sys.stderr, flush=True)
