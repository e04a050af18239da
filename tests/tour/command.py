# SPDX-License-Identifier: LGPL-2.1-or-later
"""The command line of tests/demo."""

import argparse
import contextlib
import os
import sys
import textwrap

from machines import build, bundles, cache, cli, host, linux, payload
from machines.process import to_its_end
from machines.say import Failure, main, part

DESCRIPTION = """Install what is missing, build, and show the main job: containers as systemd
scopes. It happens on this computer if systemd and cgroup v2 run it, and in a
machine of namespaces if not."""

BEFORE = """ocirt-sd is built now, and shows what it does with two containers, {where}. The first
time takes some minutes, for the compiler and for downloads; later ones do not. What stays on this computer:"""
STAYS = """
  packages of apt        {packages}
  {cache:<22} file systems of Debian, some hundred megabytes
  {tree:<22} the program; nothing of it is installed
"""
WHERE = {
    "host": "under the systemd of this computer",
    "namespace": "in a machine of its own: namespaces, in which a systemd boots",
    "vm": "in a virtual machine, which has a kernel of its own and is slow",
}
AFTER = """
To look for yourself:

  tests/machine namespace                  a shell in such a machine: README has a tour for it
  tests/machine namespace --set engines    with Podman, containerd, Docker and buildah
"""
LIMITS = """\
  tests/demo --machine vm                  this, where limits are enforced
"""


def _parse(arguments):
    parser = argparse.ArgumentParser(prog="tests/demo", description=DESCRIPTION)
    parser.add_argument("--machine", choices=["host", *cli.KINDS], help="show it there")
    return parser.parse_args(arguments)


def demo(arguments):
    options = _parse(arguments)
    cli.require_root()
    where = options.machine or ("host" if host.has_systemd() else "namespace")
    if where == "host" and not host.has_systemd():
        raise Failure("this computer lacks systemd as its first process, or cgroup v2 at "
                      "/sys/fs/cgroup")
    if where == "namespace":
        cli.KINDS[where].own_scope(sys.orig_argv)
    _say_what_happens(where)
    linux.private_mounts()
    status = _here() if where == "host" else _in_machine(where)
    if status == 0:
        print(AFTER + (LIMITS if where == "namespace" else ""), end="", flush=True)
    return status


def _say_what_happens(where):
    missing = " ".join(host.missing(*host.BUILD, *host.IMAGES, *(host.VIRTUAL if where == "vm" else [])))
    packages = textwrap.fill(missing or "none: what is needed is there", 78, initial_indent=" " * 25,
                             subsequent_indent=" " * 25).lstrip()
    tree = build.SOURCE / ("build-host" if where == "host" else "build-machine")
    print(f"\n{textwrap.fill(BEFORE.format(where=WHERE[where]), 78)}")
    print(STAYS.format(packages=packages, cache=str(cache.root()), tree=os.path.relpath(tree)), flush=True)


def _here():
    with part("1 of 3: the program"):
        tree = build.for_host()
    with payload.scratch("bundles") as directory:
        _make_bundles(directory, "2 of 3", "3 of 3")
        environment = os.environ | {"PATH": f"{tree}/bin:{os.environ['PATH']}"}
        return to_its_end([sys.executable, "-B", "-m", "tour.steps", directory], env=environment, stdin=None, stdout=None)


def _in_machine(kind):
    with part("1 of 5: the program"):
        tree = build.for_machine(bundles.RELEASE)
    with payload.scratch("bundles") as directory, contextlib.ExitStack() as machine:
        _make_bundles(directory, "2 of 5", "3 of 5")
        with part("4 of 5: debian for the machine"):
            cli.KINDS[kind].prepare(bundles.RELEASE)
        with part("5 of 5: the machine boots"):
            channel = machine.enter_context(cli.KINDS[kind].machine(bundles.RELEASE, tree, directory))
        tour = ["/usr/bin/python3", "-B", "-m", "tour.steps", "/share"]
        return channel.run(tour, env={"PYTHONPATH": "/tests"})


def _make_bundles(directory, *numbers):
    for number, kind in zip(numbers, ["busybox", "debian"]):
        with part(f"{number}: {kind} for a container"):
            bundles.make(directory / kind, kind)


if __name__ == "__main__":
    main("tests/demo", demo)
