# SPDX-License-Identifier: LGPL-2.1-or-later
"""Our own commands as children."""

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
