# SPDX-License-Identifier: LGPL-2.1-or-later
"""What /proc and the cgroup file system say about processes."""

import ctypes
import os
from pathlib import Path

CGROUPS = Path("/sys/fs/cgroup")
PR_SET_CHILD_SUBREAPER = 36


def become_subreaper():
    """As conmon and containerd's shim are: orphans below become children of ours."""
    if ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0):
        raise OSError("prctl")


def status(pid):
    """The fields of /proc/PID/status."""
    lines = Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines()
    return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}


def parent(pid):
    return int(status(pid)["PPid"])


def is_alive(pid):
    """Whether it runs; a zombie does not."""
    try:
        return status(pid)["State"][0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False


def waits(pid):
    """Whether it sleeps in a system call that a signal would end."""
    return status(pid)["State"][0] == "S"


def comm(pid):
    return Path(f"/proc/{pid}/comm").read_text(encoding="utf-8").strip()


def cgroup(pid):
    """The path of its cgroup, from the top of the hierarchy on."""
    text = Path(f"/proc/{pid}/cgroup").read_text(encoding="utf-8")
    return next(line[3:] for line in text.splitlines() if line.startswith("0::"))


def cgroup_file(path, name):
    return (CGROUPS / path.lstrip("/") / name).read_text(encoding="utf-8").strip()


def members(path):
    """The pids in a cgroup."""
    return [int(pid) for pid in cgroup_file(path, "cgroup.procs").split()]


def namespace(pid, kind):
    return os.readlink(f"/proc/{pid}/ns/{kind}")


def every_pid():
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]


def descriptors(pid):
    """{number: what it leads to} of its open files."""
    directory = f"/proc/{pid}/fd"
    return {int(name): os.readlink(f"{directory}/{name}") for name in os.listdir(directory)}
