# SPDX-License-Identifier: LGPL-2.1-or-later
"""The compilers of the Debian releases that the program is for: machines.compilers RELEASE COMPILER."""

from . import build, host, linux
from .say import main, say

RELEASES = ["12", "13"]
COMBINATIONS = [(release, compiler) for release in RELEASES for compiler in host.COMPILERS]


def compile_with(arguments):
    linux.private_mounts()
    release, compiler = arguments
    build.strictly(release, compiler)
    say(f"{compiler} of Debian {release}: no warning")
    return 0


if __name__ == "__main__":
    main("compilers", compile_with)
