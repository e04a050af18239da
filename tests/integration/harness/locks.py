# SPDX-License-Identifier: LGPL-2.1-or-later
"""Locks of the kernel that a container keeps.

programs/hold-lock.c does it. Who waits for such a lock can be killed by nobody.
"""

import contextlib
import os
import shutil
import signal
import subprocess

from . import process
from .config import CAPABILITIES
from .needs import needs_root
from .runtime import PROGRAMS

needs_power = needs_root("memory that never comes takes power over the host")
PATIENCE = 20  # for what would wait for ever
OWN_CGROUP = ["/hold-lock", "directory", "/sys/fs/cgroup"]


def keeper(config):
    """With the power to keep one."""
    names = [*CAPABILITIES, "CAP_SYS_PTRACE"]
    return config.capabilities(bounding=names, effective=names, permitted=names)


def arm(one):
    shutil.copy(PROGRAMS / "hold-lock", one.bundle.rootfs)
    return one


def _keepers():
    for pid in process.every_pid():
        with contextlib.suppress(OSError):
            if process.comm(pid) == "hold-lock":
                yield pid


def are_kept():
    """Or are about to be."""
    return any(_keepers())


def let_go():
    """Whoever keeps one is killed."""
    for pid in _keepers():
        with contextlib.suppress(OSError):
            os.kill(pid, signal.SIGKILL)


def end_of(child):
    """The status with which a Popen ends while the locks are kept; None: it waits."""
    try:
        return child.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        let_go()
        child.kill()
        child.wait()
        return None


def call(one, *words):
    """The status of a call of the runtime."""
    return end_of(one.runtime.start_process(*words, stdin=subprocess.DEVNULL))
