# SPDX-License-Identifier: LGPL-2.1-or-later
"""The command line of tests/bench."""

import argparse
import json
import shutil
import subprocess
import sys
from pathlib import Path

from machines import build, bundles, cache, cli, debian, host, linux, payload
from machines.say import Failure, main, say, step

from benchmark import table

DESCRIPTION = """Run this runtime, crun and runc in turn in one machine, and print the median
milliseconds that each operation takes, and what each runtime needs besides, as
a Markdown table. With --against it is this build and another one of the same
program, and a column has the ratios this/other."""
HERE = Path(__file__).parent
PROFILE = "usr/share/containers/seccomp.json"


def _parse(arguments):
    parser = argparse.ArgumentParser(prog="tests/bench", description=DESCRIPTION)
    parser.add_argument("--against", type=Path, metavar="BINARY-DIR",
                        help="in the place of crun and runc another ocirt-sd, with its ocirt-sd-init: "
                             "BUILD/src (of meson setup --buildtype=release), or bin below a prefix")
    parser.add_argument("--json", action="store_true", help="print JSON instead")
    parser.add_argument("--machine", choices=cli.KINDS, default="namespace",
                        help="where (default: %(default)s)")
    parser.add_argument("--debian", choices=debian.CODENAMES, default="13", metavar="RELEASE",
                        help="12, 13 (the default) or sid: whose crun and runc")
    parser.add_argument("--rounds", type=int, default=31, metavar="N",
                        help="how often each is measured (default: %(default)s)")
    parser.add_argument("--containers", type=int, default=200, metavar="N",
                        help="how many at a time for list and throughput (default: %(default)s)")
    return parser.parse_args(arguments)


def bench(arguments):
    options = _parse(arguments)
    other = build.programs(options.against.resolve()) if options.against else []
    cli.require_root()
    kind = cli.KINDS[options.machine]
    if options.machine == "namespace":
        kind.own_scope(sys.orig_argv)
    linux.private_mounts()
    tree = build.for_machine(options.debian)
    with payload.scratch("bundles") as directory:
        _fill(directory, options.debian, other)
        with kind.machine(options.debian, tree, directory) as channel, step("measuring"):
            measure = ["/usr/bin/python3", "-B", "-m", "benchmark.measure", "/share",
                       str(options.rounds), str(options.containers)]
            status = channel.run(measure, env={"PYTHONPATH": "/tests"})
        if status:
            raise Failure("the measurements failed")
        results = json.loads((directory / "results.json").read_text())
    results["machine"]["kind"] = options.machine
    print(json.dumps(results, indent=2) if options.json else table.markdown(results))
    return 0


def _fill(directory, release, other):
    """What the measurements need, for a machine's /share."""
    shutil.copytree(bundles.rootfs("busybox"), directory / "rootfs", symlinks=True)
    shutil.copy(_profile(release) / PROFILE, directory)
    for program in other:
        (directory / "other").mkdir(exist_ok=True)
        shutil.copy(program, directory / "other")
    (directory / "architecture").write_text(debian.architecture())
    host.need("gcc", "libc6-dev")
    flags = ["-O2", "-D_GNU_SOURCE"]
    _compile(*flags, "-static", "-o", directory / "timer", HERE / "timer.c")
    _compile(*flags, "-shared", "-fPIC", "-o", directory / "shim.so", HERE / "shim.c")


def _compile(*arguments):
    done = subprocess.run(["gcc", *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        raise Failure(f"gcc failed:\n{done.stderr}")


def _profile(release):
    """A directory with the seccomp profile that Debian's engines use."""
    def make(path):
        say("fetching an engine's seccomp profile")
        package = debian.Apt(release, path / "apt").download("golang-github-containers-common")
        subprocess.run(["dpkg-deb", "--extract", package, path], check=True)
        shutil.rmtree(path / "apt")

    return cache.entry(f"profile-{release}", [release, cache.source("debian.py")], make)


if __name__ == "__main__":
    main("tests/bench", bench)
