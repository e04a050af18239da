# SPDX-License-Identifier: LGPL-2.1-or-later
"""The reasons for which a test may be skipped, found out where it runs.

A test names one. In the virtual machine none holds for root.
"""

import errno
import functools
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

from . import i386, user

CAP_SYS_RESOURCE = 24


def _needs(condition, reason):
    return pytest.mark.skipif(not condition, reason=reason)


@functools.cache
def _controllers():
    top = Path("/sys/fs/cgroup")
    if user.ORDINARY:  # those that are delegated to his systemd
        top /= f"user.slice/user-{user.UID}.slice/user@{user.UID}.service"
    return (top / "cgroup.controllers").read_text(encoding="ascii").split()


def has_controller(name):
    return name in _controllers()


def needs_controller(name):
    return _needs(has_controller(name), f"cgroup v2 without the {name} controller")


@functools.cache
def has_cap_sys_resource():
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    bits = next(line.split()[1] for line in lines if line.startswith("CapEff"))
    return bool(int(bits, 16) >> CAP_SYS_RESOURCE & 1)


def needs_root(reason):
    """Not for an ordinary user, and why."""
    return _needs(not user.ORDINARY, f"root alone: {reason}")


needs_ordinary_user = _needs(user.ORDINARY, "for ordinary users")
needs_delegation = _needs(not user.ORDINARY or all(map(has_controller, ["cpu", "memory", "pids"])),
                          "no controllers for a user's systemd")

# What waits to be started hides from its own user, too, but not from root.
needs_insight = needs_root("looks into a process that waits to be started")
needs_mounts = needs_root("mounts on the host")
needs_nodes = needs_root("makes device nodes")
needs_network_devices = needs_root("moves network devices")
needs_cgroup_gifts = needs_root("gives a cgroup to somebody else")
needs_mapping = needs_root("maps the owners of a mount")
needs_privileged_namespaces = needs_root("joins namespaces that are in no user namespace of his")

needs_cap_sys_resource = _needs(has_cap_sys_resource(), "no CAP_SYS_RESOURCE")


@functools.cache
def _device_filters_work():
    """Whether systemd can keep a unit from a device; some kernels lack the BPF for it."""
    probe = ["systemd-run", "--quiet", "--collect", "--wait", "--property=DevicePolicy=closed",
             "--property=DeviceAllow=/dev/zero r", "sh", "-c", "! head -c 1 /dev/fuse 2>&1 | "
             "grep -q 'Operation not permitted'"]
    if not os.path.exists("/dev/fuse"):
        probe[-1] = "! head -c 1 /dev/kmsg 2>&1 | grep -q 'Operation not permitted'"
    return subprocess.run(probe, check=False).returncode != 0


needs_devices_bpf = _needs(not user.ORDINARY and _device_filters_work(),
                           "systemd cannot filter devices here")


@functools.cache
def _chrt_works(*options):
    """Whether this kernel lets root have a real-time policy in the cgroup that we are in."""
    return subprocess.run(["chrt", *options, "true"], check=False, capture_output=True).returncode == 0


needs_real_time = _needs(_chrt_works("--rr", "1"), "no real-time policies in this cgroup")
needs_deadlines = _needs(_chrt_works("--deadline", "--sched-runtime", "1000000", "--sched-deadline", "50000000",
                                     "--sched-period", "50000000", "0"), "no SCHED_DEADLINE here")
needs_two_cpus = _needs(len(os.sched_getaffinity(0)) > 1, "a single CPU")
needs_apparmor = _needs(os.path.exists("/sys/kernel/security/apparmor/profiles"), "no AppArmor")
needs_numa = _needs(os.path.exists("/proc/self/numa_maps"), "a kernel without NUMA")
needs_writable_sysctl = _needs(os.access("/proc/sys/kernel/shm_rmid_forced", os.W_OK),
                               "/proc/sys is read-only")


def _runs_i386():
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "program"
        i386.write(path, "/nosuch/directory")
        try:
            return subprocess.run([path], check=False).returncode == errno.ENOENT
        except OSError:
            return False


@functools.cache
def _systemd():
    version = subprocess.run(["systemctl", "--version"], check=True, capture_output=True, text=True).stdout
    return int(version.split()[1])


def _linux():
    return tuple(map(int, os.uname().release.split(".")[:2]))


def _valgrind():
    """Its version, as numbers; (0,) of none."""
    if not shutil.which("valgrind"):
        return (0,)
    version = subprocess.run(["valgrind", "--version"], check=True, capture_output=True, text=True).stdout
    return tuple(map(int, version.strip().removeprefix("valgrind-").split(".")))


needs_delegate_subgroup = _needs(_systemd() >= 254, "before systemd 254 there is no DelegateSubgroup=")
needs_kept_affinity = _needs(_linux() >= (6, 2), "before Linux 6.2 a move to another cgroup ends an affinity")
SHOWS_PID_NAMESPACES = _linux() >= (6, 17)
TMPFS_IS_MAPPED = _linux() >= (6, 3)
HAS_LOOP_DEVICES = os.path.exists("/dev/loop-control")
needs_mapped_tmpfs = _needs(TMPFS_IS_MAPPED, "a tmpfs cannot be mapped before Linux 6.3")
needs_mapped_mounts = _needs(TMPFS_IS_MAPPED or HAS_LOOP_DEVICES, "no file system here that can be mapped")
needs_loop_devices = _needs(HAS_LOOP_DEVICES, "no loop devices")
needs_i386 = _needs(_runs_i386(), "a kernel that runs no i386 programs")
needs_valgrind = _needs(_valgrind() >= (3, 24), "no valgrind that knows pidfd_open()")
# Which shows its threads.
needs_own_kernel = _needs(os.path.exists("/proc/2/comm") and Path("/proc/2/comm").read_text() == "kthreadd\n",
                          "a kernel of its own: others use this one")
needs_ocirt_sd = _needs("OCIRT_RUNTIME" not in os.environ, "not a feature of other runtimes")
needs_apparmor = _needs(os.path.exists("/sys/kernel/security/apparmor"), "a kernel without AppArmor")
