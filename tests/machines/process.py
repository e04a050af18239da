# SPDX-License-Identifier: LGPL-2.1-or-later
"""Commands as children, that end before us."""

import contextlib
import subprocess
import sys

from . import linux


@contextlib.contextmanager
def child(module, *arguments, **options):
    """One of our commands, that ends with this block."""
    process = subprocess.Popen([sys.executable, "-B", "-m", f"machines.{module}", *arguments],
                               **{"stdin": subprocess.DEVNULL, "stdout": sys.stderr} | options,
                               preexec_fn=linux.die_with_parent)
    try:
        yield process
    finally:
        process.terminate()
        process.wait()


def to_its_end(command, **options):
    """Run it and return its status. Where we are ended it may end in its own way, with what it has started."""
    process = subprocess.Popen(command, **{"stdin": subprocess.DEVNULL, "stdout": sys.stderr} | options,
                               preexec_fn=linux.end_with_parent)
    try:
        return process.wait()
    finally:
        process.terminate()
        process.wait()
