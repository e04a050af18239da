# SPDX-License-Identifier: LGPL-2.1-or-later
"""Nothing may be left of a container: the machine before and after every test.

The invariants of the project: no unit, no cgroup, no mount, no process, no state
of ours, and none of the host's things changed that a hostile container goes for.
"""

import contextlib
import os
import shutil
import signal
from dataclasses import dataclass
from pathlib import Path

from . import bus, process
from .systemd import systemctl
from .wait import until

OURS = ("ocirt-sd", "crun", "runc")
ENGINES = ("conmon", "containerd-shim", "pasta", "netavark", "aardvark")


def _cgroups():
    return frozenset(path for path, _, _ in os.walk(process.CGROUPS))


def _children():
    """Our children that run; those that ended are collected on the way."""
    while True:
        try:
            if os.waitpid(-1, os.WNOHANG)[0] == 0:
                break
        except ChildProcessError:
            break
    text = Path(f"/proc/self/task/{os.getpid()}/children").read_text(encoding="ascii")
    return frozenset(text.split())


_others = set()  # processes that were looked at and are not ours


def _named_after_us():
    found, pids = set(), set(process.every_pid())
    _others.intersection_update(pids)
    for pid in pids - _others:
        try:
            name = process.comm(pid)
        except OSError:
            continue
        if name.startswith(OURS + ENGINES):
            found.add(f"{pid} ({name})")
        else:
            _others.add(pid)
    return frozenset(found)


def _canaries():
    null = os.stat("/dev/null")
    core = Path("/proc/sys/kernel/core_pattern").read_text(encoding="utf-8")
    return (null.st_rdev, null.st_mode, null.st_uid, null.st_gid, core, os.uname().nodename,
            os.listdir("/dev/pts"))


@dataclass(frozen=True)
class Snapshot:
    """What is compared."""
    units: frozenset
    cgroups: frozenset
    mounts: frozenset
    children: frozenset
    processes: frozenset
    states: frozenset
    canaries: tuple

    @classmethod
    def take(cls, roots):
        # A slice that systemd made for a scope stays, as slices do; and a user's bus, once used.
        return cls(
            units=frozenset(bus.units("*.scope")),
            cgroups=frozenset(path for path in _cgroups() if not path.endswith((".slice", "/dbus.service"))),
            mounts=frozenset(Path("/proc/self/mountinfo").read_text().splitlines()),
            children=_children(),
            processes=_named_after_us(),
            states=frozenset(str(path) for root in roots for path in root.glob("[!.]*")),
            canaries=_canaries())

    def differences(self, later):
        """Texts that name what is there later and was not, and the other way round."""
        for name in ["units", "cgroups", "mounts", "children", "processes", "states"]:
            before, after = getattr(self, name), getattr(later, name)
            yield from (f"{name}: {what} is new" for what in sorted(after - before))
            if name not in ("units", "cgroups"):  # the machine's own come and go
                yield from (f"{name}: {what} is gone" for what in sorted(before - after))
        if self.canaries != later.canaries:
            yield f"canaries: {self.canaries} became {later.canaries}"


class Watch:
    """Compares the machine with how it was after the test before."""

    def __init__(self, *roots):
        self.roots = roots
        self.start_over()

    def start_over(self):
        """What is there now is meant to be."""
        self.before = Snapshot.take(self.roots)

    def found(self):
        """What is left; systemd, the kernel and what has been killed get the time to finish."""
        left = []

        def clean():
            now = Snapshot.take(self.roots)
            left[:] = self.before.differences(now)
            self.before = self.before if left else now
            return not left

        with contextlib.suppress(AssertionError):
            until(clean, "nothing is left")
        return left

    def sweep(self):
        """After a failure: so that the next test does not fail for it."""
        now = Snapshot.take(self.roots)
        for pid in now.children - self.before.children:
            os.kill(int(pid), signal.SIGKILL)
        for name in now.processes - self.before.processes:
            os.kill(int(name.split()[0]), signal.SIGKILL)
        for unit in now.units - self.before.units:
            systemctl("kill", "--signal=KILL", unit, check=False)
            systemctl("stop", unit, check=False)
            systemctl("reset-failed", unit, check=False)
        for name in now.states - self.before.states:
            shutil.rmtree(name, ignore_errors=True)
        self.start_over()
