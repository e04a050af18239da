# SPDX-License-Identifier: LGPL-2.1-or-later
"""The command line of tests/run."""

import contextlib
import json
import os
import shutil
import subprocess
import sys
import time

from . import build, compilers, host, linux, report
from .cli import require_root
from .say import Failure, main, say

USAGE = """usage: tests/run [SUITE|compilers|namespace|vm|host] [option…]

Install what the tests need, build, and run them: all of them, or one part.

  SUITE       a suite of meson test, with address and undefined sanitizers:
              unit, golden (config.json files and the plans made of them),
              helper (what sets up a container, by itself), fuzz (inputs that
              fuzzers found; for more see tests/fuzz/run), style (and what
              clang-tidy and cppcheck say)
  compilers   gcc and clang of Debian 12 and 13, without a warning
  namespace   the program, in a machine of namespaces
  vm          the program, in a virtual machine
  host        the program, on this computer: systemd and cgroup v2 are needed

Options are pytest's; with a suite they are those of meson test."""

MACHINES = {"namespace": 120, "vm": 600}  # seconds that one test may take
DEADLINE = 40 * 60                        # and all of them
NO_TESTS = 5
RESULTS = build.SOURCE / "build-results"


def _suites():
    """The names of the suites, in the order in which they are described."""
    names = subprocess.run(["meson", "introspect", "--tests", build.sanitized()], check=True,
                           capture_output=True, text=True).stdout
    suites = [suite.rpartition(":")[2] for test in json.loads(names) for suite in test["suite"]]
    return list(dict.fromkeys(suites))


def _meson(suite, options):
    if suite == "style":
        host.need(*host.ANALYSIS)
    directory = build.sanitized()
    junit = directory / "meson-logs/testlog.junit.xml"
    junit.unlink(missing_ok=True)
    environment = os.environ | {
        "ASAN_OPTIONS": "detect_leaks=1:strict_string_checks=1",
        "UBSAN_OPTIONS": "halt_on_error=1:print_stacktrace=1"}
    done = subprocess.run(["meson", "test", "-C", directory, "--no-rebuild", "--suite", suite,
                           "--print-errorlogs", *options], stdin=subprocess.DEVNULL,
                          stdout=sys.stderr, env=environment, check=False)
    return report.read(junit, done.returncode)


def _pytest(junit, limit, options):
    if not any("tests/integration" in option for option in options):
        options = ["tests/integration", *options]
    return ["/usr/bin/python3", "-B", "-m", "pytest", "-ra", "-p", "no:cacheprovider",
            f"--timeout={limit}", f"--junitxml={junit}", *options]


def _results(part):
    directory = RESULTS / part
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    return directory


def _in_machine(kind, options):
    results = _results(kind)
    arguments = [kind, "--share", str(results), "--", "env", "--chdir=/",
                 *_pytest("/share/junit.xml", MACHINES[kind], options)]
    with _child("cli", *arguments) as process:
        try:
            status = process.wait(DEADLINE)
        except subprocess.TimeoutExpired:
            say(f"{kind}: not done after {DEADLINE // 60} minutes")
            status = 1
    return report.read(results / "junit.xml", 0 if status == NO_TESTS else status)


@contextlib.contextmanager
def _child(module, *arguments):
    """One of our commands, that ends with this block."""
    process = subprocess.Popen([sys.executable, "-B", "-m", f"machines.{module}", *arguments],
                               stdin=subprocess.DEVNULL, stdout=sys.stderr,
                               preexec_fn=linux.die_with_parent)
    try:
        yield process
    finally:
        process.terminate()
        process.wait()


def _compilers():
    tally = report.Tally()
    for combination in compilers.COMBINATIONS:
        with _child("compilers", *combination) as process:
            tally += report.Tally(failed=1) if process.wait() else report.Tally(passed=1)
    return tally


def _on_host(options):
    if not host.has_systemd():
        raise Failure("this computer lacks systemd as its first process, or cgroup v2 at "
                      "/sys/fs/cgroup: see tests/run namespace")
    host.need(*host.TESTS)
    tree = build.for_host()
    results = _results("host")
    environment = os.environ | {"PATH": f"{tree}/bin:{os.environ['PATH']}"}
    done = subprocess.run(_pytest(results / "junit.xml", MACHINES["namespace"], options),
                          stdin=subprocess.DEVNULL, stdout=sys.stderr, cwd=build.SOURCE,
                          env=environment, check=False)
    status = 0 if done.returncode == NO_TESTS else done.returncode
    return report.read(results / "junit.xml", status)


def _part(name, options):
    began = time.monotonic()
    if name in MACHINES:
        tally = _in_machine(name, options)
    elif name == "compilers":
        tally = _compilers()
    elif name == "host":
        tally = _on_host(options)
    else:
        tally = _meson(name, options)
    say(f"{name}: {tally} in {time.monotonic() - began:.0f} s")
    return tally


def _everything(options):
    """All parts; the machines are made while the program is compiled and tested."""
    host.need(*host.BUILD, *host.COMPILERS, *host.ANALYSIS, *host.IMAGES, *host.VIRTUAL)
    with _child("cli", "vm", "--prepare") as preparation:
        tally = report.total(_part(suite, []) for suite in _suites())
        tally += _part("compilers", []) + _part("namespace", options)
        if preparation.wait():
            raise Failure("the virtual machine cannot be made")
    return tally + _part("vm", options)


def run(arguments):
    if arguments and arguments[0] in ("-h", "--help"):
        print(USAGE)
        return 0
    require_root()
    began = time.monotonic()
    if not arguments or arguments[0].startswith("-"):
        tally = _everything(arguments)
    elif arguments[0] in ("compilers", "host", *MACHINES) or arguments[0] in _suites():
        tally = _part(arguments[0], arguments[1:])
    else:
        raise Failure(f"there is no part {arguments[0]}: see tests/run --help")
    say(f"all: {time.monotonic() - began:.0f} s")
    print(tally)
    return 0 if tally.ran() and not tally.failed else 1


if __name__ == "__main__":
    main("tests/run", run)
