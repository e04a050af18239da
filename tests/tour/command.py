# SPDX-License-Identifier: LGPL-2.1-or-later
"""The command line of tests/demo."""

import argparse
import os
import subprocess
import sys

from machines import build, bundles, cli, host, linux, payload
from machines.say import Failure, main, say

DESCRIPTION = """Install what is missing, build, and show the main job: containers as systemd
scopes. It happens on this computer if systemd and cgroup v2 run it, and in a
machine of namespaces if not. Nothing is left behind."""


def _parse(arguments):
    parser = argparse.ArgumentParser(prog="tests/demo", description=DESCRIPTION)
    parser.add_argument("--machine", choices=["host", *cli.KINDS], help="show it there")
    return parser.parse_args(arguments)


def demo(arguments):
    options = _parse(arguments)
    cli.require_root()
    where = options.machine or ("host" if host.has_systemd() else "namespace")
    if where == "namespace":
        cli.KINDS[where].own_scope(sys.orig_argv)
    linux.private_mounts()
    return _here() if where == "host" else _in_machine(where)


def _here():
    tree = build.for_host()
    if not host.has_systemd():
        raise Failure("this computer lacks systemd as its first process, or cgroup v2 at "
                      "/sys/fs/cgroup")
    with payload.scratch("bundles") as directory:
        _make_bundles(directory)
        environment = os.environ | {"PATH": f"{tree}/bin:{os.environ['PATH']}"}
        return _wait_for(subprocess.Popen(
            [sys.executable, "-B", "-m", "tour.steps", directory], env=environment,
            preexec_fn=linux.end_with_parent))


def _wait_for(process):
    """Wait for the tour, which ends orderly before this process does."""
    try:
        return process.wait()
    finally:
        process.terminate()
        process.wait()


def _in_machine(kind):
    tree = build.for_machine(bundles.RELEASE)
    with payload.scratch("bundles") as directory:
        _make_bundles(directory)
        if kind == "namespace":
            say("no systemd here: booting one, in namespaces of its own")
        with cli.KINDS[kind].machine(bundles.RELEASE, tree, directory) as channel:
            tour = ["/usr/bin/python3", "-B", "-m", "tour.steps", "/share"]
            return channel.run(tour, env={"PYTHONPATH": "/tests"})


def _make_bundles(directory):
    for kind in bundles.KINDS:
        bundles.make(directory / kind, kind)


if __name__ == "__main__":
    main("tests/demo", demo)
