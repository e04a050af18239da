# SPDX-License-Identifier: LGPL-2.1-or-later
"""What /proc and the cgroup file system say about processes."""

import contextlib
import ctypes
import os
import struct
from pathlib import Path

CGROUPS = Path("/sys/fs/cgroup")
PR_SET_CHILD_SUBREAPER = 36
STATUS_NAMES = {"CapBnd": "bounding", "CapEff": "effective", "CapInh": "inheritable",
                "CapPrm": "permitted", "CapAmb": "ambient"}


def become_subreaper():
    """As conmon and containerd's shim are: orphans below become children of ours."""
    if ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0):
        raise OSError("prctl")


def status(pid):
    """The fields of /proc/PID/status."""
    lines = Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines()
    return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}


def capability_sets(status_text):
    """{set: bits} from the text of a /proc/PID/status."""
    fields = dict(line.split(":", 1) for line in status_text.splitlines() if ":" in line)
    return {STATUS_NAMES[name]: int(fields[name], 16) for name in STATUS_NAMES}


def _has_signal(pid, field, number):
    return bool(int(status(pid)[field], 16) & 1 << number - 1)


def catches(pid, number):
    return _has_signal(pid, "SigCgt", number)


def ignores(pid, number):
    return _has_signal(pid, "SigIgn", number)


def parent(pid):
    return int(status(pid)["PPid"])


def children(pid):
    text = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii")
    return [int(child) for child in text.split()]


def is_alive(pid):
    """Whether it runs; a zombie does not."""
    try:
        return status(pid)["State"][0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False


def has_ended(pid):
    """Whether none of its threads runs, though somebody may keep them."""
    stats = [Path(task, "status").read_text(encoding="utf-8") for task in Path(f"/proc/{pid}/task").iterdir()]
    return all("State:\tZ" in text for text in stats)


def is_zombie_of(pid, parent_pid):
    try:
        fields = status(pid)
    except (FileNotFoundError, ProcessLookupError):
        return False
    return fields["State"][0] == "Z" and int(fields["PPid"]) == parent_pid


def cpu_seconds(pid):
    """What it has used itself."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(") ")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def is_stopped(pid):
    """Whether a signal has stopped it, or a tracer."""
    try:
        return status(pid)["State"][0] in "Tt"
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
    found = {}
    for name in os.listdir(directory):
        with contextlib.suppress(FileNotFoundError):  # it was closed meanwhile
            found[int(name)] = os.readlink(f"{directory}/{name}")
    return found


# --- scheduling

_SCHED_GETATTR = {"x86_64": 315, "aarch64": 275}
_ATTRIBUTES = struct.Struct("=IIQiIQQQII")
_ATTRIBUTE_NAMES = ["size", "policy", "flags", "nice", "priority", "runtime", "deadline", "period",
                    "clamp_min", "clamp_max"]


def scheduling(pid):
    """What sched_getattr(2) says."""
    buffer = ctypes.create_string_buffer(_ATTRIBUTES.size)
    number = _SCHED_GETATTR[os.uname().machine]
    if ctypes.CDLL(None).syscall(number, pid, buffer, len(buffer), 0):
        raise OSError("sched_getattr")
    return dict(zip(_ATTRIBUTE_NAMES, _ATTRIBUTES.unpack(buffer.raw)))


def io_priority(pid):
    """(class, priority), as ioprio_get(2) says."""
    number = {"x86_64": 252, "aarch64": 31}[os.uname().machine]
    value = ctypes.CDLL(None).syscall(number, 1, pid)
    return value >> 13, value & 7
