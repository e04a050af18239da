# SPDX-License-Identifier: LGPL-2.1-or-later
"""The few system calls Python lacks."""

import ctypes
import os
import signal

CLONE_NEWNS = 0x00020000
CLONE_NEWCGROUP = 0x02000000
CLONE_NEWUTS = 0x04000000
CLONE_NEWIPC = 0x08000000
CLONE_NEWPID = 0x20000000
CLONE_NEWNET = 0x40000000

MS_RDONLY = 1
MS_NOSUID = 2
MS_NODEV = 4
MS_NOEXEC = 8
MS_REMOUNT = 32
MS_BIND = 4096
MS_REC = 16384
MS_SHARED = 1 << 20
MS_PRIVATE = 1 << 18
MNT_DETACH = 2

PR_SET_PDEATHSIG = 1
SYS_PIVOT_ROOT = {"x86_64": 155, "aarch64": 41}

_libc = ctypes.CDLL(None, use_errno=True)


def _check(result, what):
    if result < 0:
        error = ctypes.get_errno()
        raise OSError(error, f"{what}: {os.strerror(error)}")


def _bytes(text):
    return None if text is None else os.fsencode(text)


def unshare(flags):
    _check(_libc.unshare(flags), "unshare")


def setns(fd, kind):
    _check(_libc.setns(fd, kind), "setns")


def mount(source, target, kind=None, flags=0, options=None):
    result = _libc.mount(_bytes(source), _bytes(target), _bytes(kind),
                         ctypes.c_ulong(flags), _bytes(options))
    _check(result, f"mount {kind or source} on {target}")


def umount(target, flags=MNT_DETACH):
    _check(_libc.umount2(_bytes(target), flags), f"umount {target}")


def bind(source, target, readonly=False):
    mount(source, target, flags=MS_BIND | MS_REC)
    if readonly:
        mount(None, target, flags=MS_BIND | MS_REMOUNT | MS_RDONLY)


def private_mounts():
    """Give this process mounts of its own: they are gone when it is."""
    unshare(CLONE_NEWNS)
    mount(None, "/", flags=MS_REC | MS_PRIVATE)


def pivot(root):
    """Make root the root file system, and detach the old one."""
    os.chdir(root)
    number = SYS_PIVOT_ROOT[os.uname().machine]
    _check(_libc.syscall(number, b".", b"."), "pivot_root")
    umount(".")
    os.chdir("/")


def die_with_parent():
    _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def end_with_parent():
    """Like that, but with the chance to clean up."""
    _libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def fork_into(flags):
    """Fork a child that is the first process of a new pid namespace."""
    home = os.open("/proc/self/ns/pid", os.O_RDONLY | os.O_CLOEXEC)
    unshare(CLONE_NEWPID)
    pid = os.fork()
    if pid == 0:
        die_with_parent()
        unshare(flags)
    else:
        setns(home, CLONE_NEWPID)
    os.close(home)
    return pid
