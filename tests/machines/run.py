# SPDX-License-Identifier: LGPL-2.1-or-later
"""The command line of tests/run."""

import json
import os
import shutil
import subprocess
import time

from . import build, cache, compilers, host, inside, report
from .cli import require_root
from .process import child, to_its_end
from .say import Failure, main, say

USAGE = """usage: tests/run [SUITE|compilers|demo|namespace|vm|boot|engines|control|host] [option…]

Install what the tests need, build, and run them: all but control and host, or one part.

  SUITE       a suite of meson test, with address and undefined sanitizers:
              unit, golden (config.json files and the plans made of them),
              helper (what sets up a container, by itself), fuzz (inputs that
              fuzzers found; for more see tests/fuzz/run), style (and what
              clang-tidy and cppcheck say)
  compilers   gcc and clang of Debian 12 and 13, without a warning
  demo        tests/demo, which checks itself
  namespace   the program, in a machine of namespaces
  vm          the program, in a virtual machine; without options not the tests of
              what is the same with any kernel, which namespace has
              (both: of Debian 13, or with --debian 12|sid behind it; as root
              and as an ordinary user, with options as root, with --user as
              the latter; with --old BINARY-DIR test_upgrade.py has its
              containers made by that build of version 0.1.0)
  boot        a container of an enabled service, in the shutdown of a virtual machine
              and in its next boot
  engines     the program under Podman, containerd, Docker and buildah, in both
              (--machine namespace or --machine vm as first option: in one);
              without options only those in the virtual one that may come out
              otherwise there
  control     the same cases with crun, in the virtual machine: what passes
              there and fails with the program is a fault of the program
  host        the program, on this computer: systemd and cgroup v2 are needed

Options are pytest's; with a suite they are those of meson test."""

RESULTS = build.SOURCE / "build-results"


def _suites():
    """The names of the suites, in the order in which they are described."""
    names = subprocess.run(["meson", "introspect", "--tests", build.sanitized()], check=True,
                           capture_output=True, text=True).stdout
    suites = [suite.rpartition(":")[2] for test in json.loads(names) for suite in test["suite"]]
    return list(dict.fromkeys(suites))


def _meson(suite, options):
    host.need(*{"style": host.ANALYSIS, "helper": host.HELPER}.get(suite, []))
    directory = build.sanitized()
    junit = directory / "meson-logs/testlog.junit.xml"
    junit.unlink(missing_ok=True)
    environment = os.environ | {
        "ASAN_OPTIONS": "detect_leaks=1:strict_string_checks=1",
        "UBSAN_OPTIONS": "halt_on_error=1:print_stacktrace=1"}
    status = to_its_end(["meson", "test", "-C", directory, "--no-rebuild", "--suite", suite, "--print-errorlogs", *options],
                        env=environment)
    return report.read(junit, status, suite)


def _results(part):
    """An empty directory; another run has to wait until this one has ended."""
    directory = RESULTS / part
    directory.parent.mkdir(parents=True, exist_ok=True)
    cache.lock(directory)
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    return directory


def _compilers():
    tally = report.Tally()
    for combination in compilers.COMBINATIONS:
        with child("compilers", *combination) as process:
            tally += report.one(" of Debian ".join(reversed(combination)), process.wait())
    return tally


def _demo():
    status = to_its_end([build.SOURCE / "tests/demo", "--machine", "namespace"])
    return report.one("demo", status)


def _on_host(options):
    if not host.has_systemd():
        raise Failure("this computer lacks systemd as its first process, or cgroup v2 at "
                      "/sys/fs/cgroup: see tests/run namespace")
    host.need(*host.TESTS)
    tree = build.for_host()
    results = _results("host")
    environment = os.environ | {"PATH": f"{tree}/bin:{os.environ['PATH']}",
                                "OCIRT_PROGRAMS": f"{tree}/tests/programs"}
    command = inside.pytest(results / "junit.xml", "tests/integration", options)
    status = to_its_end(command, cwd=build.SOURCE, env=environment)
    return inside.tally(results / "junit.xml", status)


def _in_machines(name, options):
    """In each kind of machine that the part is for, or in the one that is chosen."""
    part = inside.PARTS[name]
    kinds = part.machines
    if options[:1] == ["--machine"]:
        kinds, options = options[1:2], options[2:]
        if not kinds or kinds[0] not in part.machines:
            raise Failure(f"--machine {' or '.join(part.machines)}")
    return report.total(inside.run(part, kind, options, _results(f"{name}/{kind}"))
                        for kind in kinds)


def _part(name, options):
    began = time.monotonic()
    if name in inside.PARTS:
        tally = _in_machines(name, options)
    elif name == "compilers":
        tally = _compilers()
    elif name == "demo":
        tally = _demo()
    elif name == "host":
        tally = _on_host(options)
    else:
        tally = _meson(name, options)
    say(f"{' '.join([name, *options])}: {tally} in {time.monotonic() - began:.0f} s")
    return tally


def _everything(options):
    """All parts; the machines are made while the program is compiled and tested."""
    host.need(*host.BUILD, *host.COMPILERS, *host.ANALYSIS, *host.HELPER, *host.IMAGES, *host.VIRTUAL)
    with child("cli", "vm", "--prepare") as base, child("cli", "vm", "--prepare", "--set", "engines") as engines:
        tally = report.total(_part(suite, []) for suite in _suites())
        tally += _part("compilers", []) + _part("demo", []) + _part("namespace", options)
        if base.wait() or engines.wait():
            raise Failure("the virtual machines cannot be made")
    return tally + _part("vm", options) + _part("boot", options) + _part("engines", options)


def run(arguments):
    if arguments and arguments[0] in ("-h", "--help"):
        print(USAGE)
        return 0
    require_root()
    began = time.monotonic()
    if not arguments or arguments[0].startswith("-"):
        tally = _everything(arguments)
    elif arguments[0] in ("compilers", "demo", "host", *inside.PARTS) or arguments[0] in _suites():
        tally = _part(arguments[0], arguments[1:])
    else:
        raise Failure(f"there is no part {arguments[0]}: see tests/run --help")
    say(f"all: {time.monotonic() - began:.0f} s")
    print(*("FAILED " + failure for failure in tally.failures), tally, sep="\n")
    return 0 if tally.ran() and not tally.failures else 1


if __name__ == "__main__":
    main("tests/run", run)
