# SPDX-License-Identifier: LGPL-2.1-or-later
"""The reasons for which a test may be skipped, found out where it runs.

A test names one. In the virtual machine none holds.
"""

import errno
import functools
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

from . import i386

CAP_SYS_RESOURCE = 24


def _needs(condition, reason):
    return pytest.mark.skipif(not condition, reason=reason)


@functools.cache
def _controllers():
    return Path("/sys/fs/cgroup/cgroup.controllers").read_text(encoding="ascii").split()


def needs_controller(name):
    return _needs(name in _controllers(), f"cgroup v2 without the {name} controller")


def _has_capability(number):
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    bits = next(line.split()[1] for line in lines if line.startswith("CapEff"))
    return bool(int(bits, 16) >> number & 1)


needs_cap_sys_resource = _needs(_has_capability(CAP_SYS_RESOURCE), "no CAP_SYS_RESOURCE")


@functools.cache
def _device_filters_work():
    """Whether systemd can keep a unit from a device; some kernels lack the BPF for it."""
    probe = ["systemd-run", "--quiet", "--collect", "--wait", "--property=DevicePolicy=closed",
             "--property=DeviceAllow=/dev/zero r", "sh", "-c", "! head -c 1 /dev/fuse 2>&1 | "
             "grep -q 'Operation not permitted'"]
    if not os.path.exists("/dev/fuse"):
        probe[-1] = "! head -c 1 /dev/kmsg 2>&1 | grep -q 'Operation not permitted'"
    return subprocess.run(probe, check=False).returncode != 0


needs_devices_bpf = _needs(_device_filters_work(), "systemd cannot filter devices here")
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


needs_i386 = _needs(_runs_i386(), "a kernel that runs no i386 programs")
needs_valgrind = _needs(shutil.which("valgrind"), "no valgrind")
needs_ocirt_sd = _needs("OCIRT_RUNTIME" not in os.environ, "not a feature of other runtimes")
