# SPDX-License-Identifier: LGPL-2.1-or-later
"""An attacker in a container: programs/watcher.c, and what it has got hold of."""

import os
import shutil

from . import user
from .config import CAPABILITIES, Config
from .runtime import PROGRAMS, Container

_NAMES = ("CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE NET_BIND_SERVICE "
          "NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO SYS_CHROOT SYS_PTRACE SYS_PACCT SYS_ADMIN "
          "SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL SETFCAP MAC_OVERRIDE "
          "MAC_ADMIN SYSLOG WAKE_ALARM BLOCK_SUSPEND AUDIT_READ PERFMON BPF CHECKPOINT_RESTORE").split()
EVERY = [f"CAP_{name}" for name in _NAMES]


def mask(names):
    return sum(1 << EVERY.index(name) for name in names)


def findings(output):
    """What the watcher has got that it must not have."""
    assert output.endswith("\nend\n"), output
    return [line[4:] for line in output.splitlines() if line.startswith("got ")]


def _host_namespaces():
    """Those that no container of the tests is in: ",4026531833,…,"."""
    return "".join(f",{os.stat(f'/proc/self/ns/{name}').st_ino}," for name in ["cgroup", "ipc", "mnt", "net", "uts"])


def command(secret, how=None, allowed=CAPABILITIES):
    return ["/watcher", str(secret), f"{mask(allowed):x}", _host_namespaces(), *([how] if how else [])]


def attacker(config):
    """With every capability that there is."""
    return config.capabilities(bounding=EVERY, effective=EVERY, permitted=EVERY).set("process.noNewPrivileges", False)


class Watcher(Container):
    """A container in which nothing but the watcher runs."""

    def __init__(self, runtime, bundles, how=None):
        self.secret = bundles.top / "secret"
        self.secret.write_text("the host's")
        self.secret.chmod(0o644)  # for an ordinary user's container to read, too
        config = attacker(Config(*command(self.secret, how)))
        super().__init__(runtime, bundles.make(config))
        shutil.copy(PROGRAMS / "watcher", self.bundle.rootfs / "watcher")

    def watch(self):
        self.run_detached()
        return self.wait_for_output("watching")

    def has_looked(self):
        """At a process of the runtime's, in each way that it has. In a user namespace it cannot trace them."""
        return "first helper" in self.output and ("first traced" in self.output or user.ORDINARY)

    def findings(self):
        """Ends it first."""
        self.kill("TERM")
        self.wait_for_output("\nend\n")
        return findings(self.output)
