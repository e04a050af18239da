# SPDX-License-Identifier: LGPL-2.1-or-later
"""The command line of tests/machine."""

import argparse
import os
import sys
from pathlib import Path

from . import build, debian, images, linux, namespace, virtual
from .say import Failure, main, say, step

KINDS = {"namespace": namespace, "vm": virtual}
DESCRIPTION = """Boot a machine with this project installed and run a command in it as
root, or a shell. Nothing that happens in it outlives it, but for what is
written to /share. This project's tests are in /tests."""


def _parse(arguments):
    parser = argparse.ArgumentParser(
        prog="tests/machine", description=DESCRIPTION,
        usage="tests/machine namespace|vm [--debian 12|13|sid] [--set SET] [--share DIR] "
              "[--boots N] [-- COMMAND…]")
    parser.add_argument("kind", choices=KINDS, metavar="namespace|vm")
    parser.add_argument("--debian", choices=debian.CODENAMES, default="13", metavar="RELEASE",
                        help="12, 13 (the default) or sid")
    parser.add_argument("--set", choices=images.HOOKS_OF, default="base",
                        help="what is in it: base (the default), or engines, too")
    parser.add_argument("--share", type=Path, metavar="DIR",
                        help="a directory that is /share in the machine")
    parser.add_argument("--boots", type=int, default=1, metavar="N",
                        help="boot a vm so many times, and run the command in each as $BOOT, until it fails")
    parser.add_argument("--prepare", action="store_true",
                        help="only make what such machines are made of")
    end = arguments.index("--") if "--" in arguments else len(arguments)
    options = parser.parse_args(arguments[:end])
    options.command = arguments[end + 1:]
    return options


def require_root():
    if os.geteuid():
        raise Failure("this needs root")


def machine(arguments):
    options = _parse(arguments)
    require_root()
    if options.share and not options.share.is_dir():
        raise Failure(f"{options.share} is not a directory")
    if options.kind == "namespace" and options.boots > 1:
        raise Failure("a machine of namespaces does not boot again")
    if options.kind == "namespace" and not options.prepare:
        namespace.own_scope(sys.orig_argv)
    linux.private_mounts()
    if options.prepare:
        for packages in images.HOOKS_OF:
            KINDS[options.kind].prepare(options.debian, packages)
        return 0
    share = options.share and options.share.resolve()
    installed = build.for_machine(options.debian)
    kind = KINDS[options.kind]
    if not options.command:
        say("a machine of its own, without network and manual pages; what is done in it ends with this shell"
            + (", but for /share" if share else ""))
    again = {"reboots": True} if options.boots > 1 else {}
    with kind.machine(options.debian, installed, share, options.set, **again) as channel:
        command = options.command or ["/bin/bash", "-l"]
        return _run(channel, command, "/share" if share else "/root", options.boots)


def _run(channel, command, cwd, boots):
    """In one boot after the other, until it fails."""
    status = channel.run(command, cwd, {"BOOT": "1"})
    for boot in range(2, boots + 1):
        if status:
            break
        with step("rebooting"):
            channel.reboot()
        status = channel.run(command, cwd, {"BOOT": str(boot)})
    return status


if __name__ == "__main__":
    main("tests/machine", machine)
