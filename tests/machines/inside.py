# SPDX-License-Identifier: LGPL-2.1-or-later
"""The tests in machines: of the program, and of the engines that call it.

One machine uses little more than one processor, and the virtual one, which is
emulated, all of that. So there are as many as there are processors, and each takes
the next test that no other has; unless options choose some tests, which one
machine then runs.

They run twice: as root, and as an ordinary user, who has a systemd of his own. In
the virtual machine the latter is for tests marked "user" alone, which are those
that the namespace machine, without controllers, is no match for; and so the engines'
tests are for those marked "kernel".
"""

import contextlib
import os
import shlex
import shutil
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

from . import build, report
from .process import child
from .say import Failure, say

# For what hangs, on whatever machine: the seconds that one test may take, and all of them.
LIMIT, DEADLINE = 30 * 60, 6 * 60 * 60
NO_TESTS = 5
ROOT, USER = "root", "user"


@dataclass(frozen=True)
class Part:
    """Tests in a directory, the packages they need, the machines that run them in turn, as whom, and with which marks;
    in the virtual machine, if no options choose, with those of that user in `virtual`. All that in so many boots, one
    after the other, the results being those of the last, or of the first that failed."""
    tests: str
    packages: str
    machines: tuple
    who: tuple
    marks: str = ""
    virtual: dict = field(default_factory=dict)
    boots: int = 1


PARTS = {"namespace": Part("tests/integration", "base", ("namespace",), (ROOT, USER)),
         "vm": Part("tests/integration", "base", ("vm",), (ROOT, USER), virtual={USER: "user"}),
         "boot": Part("tests/boot", "base", ("vm",), (ROOT,), boots=2),
         "engines": Part("tests/engines", "engines", ("namespace", "vm"), (ROOT,), "not control",
                        {ROOT: "kernel and not control"}),
         "control": Part("tests/engines", "engines", ("vm",), (ROOT,), "control")}


# What is the same with any kernel and any controllers: words, files of our own, what callers, systemd and an end in the
# middle do to us. The machine of namespaces is a match for that, and an emulated one would take half an hour for it.
ANYWHERE = ("boot", "bus", "check", "cli", "engine_contract", "errors", "faults", "foreground", "hooks", "hostile",
            "hostile_files", "inherited_signals", "kill", "leaks", "lifecycle", "list", "log", "logs", "mixed", "musts",
            "not_ours", "notify", "properties", "readme", "reloads", "remove", "restart", "same_name", "scheduling",
            "sessions", "sockets", "stdio", "template", "template_gifts", "terminal", "trust", "upsets", "utf8",
            "warnings")


def pytest(junit, tests, options):
    if not any(tests in option for option in options):
        options = [tests, *options]
    return ["/usr/bin/python3", "-B", "-m", "pytest", "-ra", "-p", "no:cacheprovider",
            f"--timeout={LIMIT}", f"--junitxml={junit}", *options]


def tally(junit, status):
    return report.read(junit, 0 if status == NO_TESTS else status)


def _command(part, who, number, kind, options, environment, alone):
    """One of the two passes: what ordinary users write goes to a directory of theirs."""
    whole = kind == "vm" and not options
    marks = part.virtual.get(who, part.marks) if whole else part.marks
    if who == ROOT and whole:
        options = [f"--ignore-glob=*/integration/test_{name}.py" for name in ANYWHERE]
    if marks:
        options = [*options, "-m", marks]
    if not alone:
        options = [*options, f"--claims=/share/{who}/claims"]
    command = ["env", "--chdir=/", *environment, *pytest(f"/share/{who}/{number}.xml", part.tests, options)]
    return ["/usr/lib/machine/as-user", *command] if who == USER else command


def _in_turn(commands):
    """A command that runs them all; its status is the first that is bad."""
    steps = [f"{shlex.join(command)}; s=$?; [ $s = 0 ] || [ $s = {NO_TESTS} ] || [ $bad != 0 ] || bad=$s"
             for command in commands]
    return ["sh", "-c", "; ".join(["bad=0", *steps, "exit $bad"])]


def run(part, kind, options, results):
    """Results is a directory of the caller's, for what the machines write."""
    release, options = _release(options)
    environment, options = _old(options, results)
    count = len(os.sched_getaffinity(0)) if not options and part.boots == 1 else 1
    who = (ROOT,) if options else part.who
    if "--user" in options:
        options.remove("--user")
        who = (USER,)
    for name in who:
        (results / name / "claims").mkdir(parents=True)
        for path in [results / name, results / name / "claims"]:
            path.chmod(0o777)
    end = time.monotonic() + DEADLINE
    with contextlib.ExitStack() as stack:
        started = [stack.enter_context(_machine(
            f"{kind} {number}: " if count > 1 else "", kind, *release, "--set", part.packages,
            "--share", str(results), "--boots", str(part.boots), "--",
            *_in_turn([_command(part, name, number, kind, options, environment, count == 1) for name in who])))
            for number in range(1, count + 1)]
        return report.total(_tally([results / name / f"{number}.xml" for name in who],
                                   _wait(kind, process, end), f"{kind} {number}")
                            for number, process in enumerate(started, 1))


def _tally(files, status, machine):
    """Of one machine, which is to blame if none of its tests is."""
    found = report.total(report.read(file, 0) for file in files)
    return found + report.one(machine, status) if status and not found.failures else found


def _release(options):
    """The machine's own option, and the rest, which are pytest's."""
    if options and options[0] == "--debian":
        return options[:2], options[2:]
    return [], options


def _old(options, results):
    """What the tests are told of an earlier build, which then is in /share, and the options that are left."""
    if "--old" not in options:
        return [], options
    at = options.index("--old")
    if at + 1 == len(options):
        raise Failure("--old BINARY-DIR")
    (results / "old").mkdir(mode=0o755)
    for program in build.programs(Path(options[at + 1]).resolve()):
        shutil.copy(program, results / "old")
    return ["OCIRT_OLD=/share/old/ocirt-sd"], options[:at] + options[at + 2:]


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
