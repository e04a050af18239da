# SPDX-License-Identifier: LGPL-2.1-or-later
"""File handles: who has CAP_DAC_READ_SEARCH opens every file of a file system of which he has any descriptor.

programs/by-handle.c does it.
"""

import shutil
import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path

from .config import CAPABILITIES
from .needs import needs_root
from .runtime import PROGRAMS
from .user import ORDINARY, RUNTIME_DIRECTORY

SECRET = "the host's"
needs_file_handles = needs_root("in a user namespace CAP_DAC_READ_SEARCH opens no handle")


@contextmanager
def host_directory():
    """On a file system that has them: in the machines' own that may be an overlay, which has none."""
    with tempfile.TemporaryDirectory(dir=RUNTIME_DIRECTORY if ORDINARY else "/run", prefix="ocirt-sd-tests-") as path:
        yield Path(path)


def secret(directory):
    """Makes a file of the host: its handle."""
    path = directory / "secret"
    path.write_text(SECRET)
    return subprocess.run([PROGRAMS / "by-handle", "of", path], check=True, capture_output=True, text=True).stdout.strip()


def attacker(config, *others):
    """With the power to open them, and other capabilities."""
    names = [*CAPABILITIES, "CAP_DAC_READ_SEARCH", *others]
    return config.capabilities(bounding=names, effective=names, permitted=names)


def arm(one):
    shutil.copy(PROGRAMS / "by-handle", one.bundle.rootfs)
    return one
