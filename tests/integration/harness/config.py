# SPDX-License-Identifier: LGPL-2.1-or-later
"""config.json, from one that works everywhere and in words that change it."""

import copy

from . import go, user
from .user import MAPPED_ROOT, MAPPED_SIZE

CAPABILITIES = ["CAP_AUDIT_WRITE", "CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FOWNER", "CAP_FSETID",
                "CAP_KILL", "CAP_MKNOD", "CAP_NET_BIND_SERVICE", "CAP_NET_RAW", "CAP_SETFCAP",
                "CAP_SETGID", "CAP_SETPCAP", "CAP_SETUID", "CAP_SYS_CHROOT"]
CAPABILITY_SETS = ["bounding", "effective", "inheritable", "permitted", "ambient"]
NAMESPACES = ["pid", "ipc", "uts", "mount", "network", "cgroup"]


def _mount(destination, kind, source, *options):
    return {"destination": destination, "type": kind, "source": source, "options": list(options)}


BASE = {
    "ociVersion": "1.2.0",
    "process": {
        "terminal": False,
        "user": {"uid": 0, "gid": 0},
        "args": ["sh"],
        "env": ["PATH=/usr/local/bin:/bin", "TERM=xterm"],
        "cwd": "/",
        "capabilities": {name: CAPABILITIES for name in ["bounding", "effective", "permitted"]},
        "noNewPrivileges": True,
    },
    "root": {"path": "rootfs", "readonly": False},
    "hostname": "inside",
    "mounts": [
        _mount("/proc", "proc", "proc"),
        _mount("/dev", "tmpfs", "tmpfs", "nosuid", "strictatime", "mode=755", "size=65536k"),
        _mount("/dev/pts", "devpts", "devpts", "nosuid", "noexec", "newinstance",
               "ptmxmode=0666", "mode=0620", "gid=5"),
        _mount("/dev/shm", "tmpfs", "shm", "nosuid", "noexec", "nodev", "mode=1777",
               "size=65536k"),
        _mount("/dev/mqueue", "mqueue", "mqueue", "nosuid", "noexec", "nodev"),
        _mount("/sys", "sysfs", "sysfs", "nosuid", "noexec", "nodev", "ro"),
        _mount("/sys/fs/cgroup", "cgroup", "cgroup", "nosuid", "noexec", "nodev", "relatime",
               "ro"),
    ],
    "linux": {
        "namespaces": [{"type": kind} for kind in NAMESPACES],
        "maskedPaths": ["/proc/acpi", "/proc/kcore", "/proc/keys", "/proc/timer_list",
                        "/sys/firmware"],
        "readonlyPaths": ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys",
                          "/proc/sysrq-trigger"],
    },
}


class Config:
    """A config.json that is being written. Every method returns the Config."""

    def __init__(self, *command):
        self.data = copy.deepcopy(BASE)
        if user.ORDINARY:
            self.namespace("user").set("linux.uidMappings", user.mappings(user.UID)) \
                .set("linux.gidMappings", user.mappings(user.GID))
        if command:
            self.args(*command)

    def text(self):
        return go.marshal(self.data)

    # --- anything, by its path: set("process.user.uid", 7)

    def _parent(self, path):
        *steps, last = path.split(".")
        node = self.data
        for step in steps:
            node = node[int(step)] if isinstance(node, list) else node.setdefault(step, {})
        return node, int(last) if isinstance(node, list) else last

    def get(self, path):
        node, last = self._parent(path)
        return node[last]

    def set(self, path, value):
        node, last = self._parent(path)
        node[last] = value
        return self

    def remove(self, path):
        node, last = self._parent(path)
        if isinstance(node, list):
            del node[last]
        else:
            node.pop(last, None)
        return self

    def append(self, path, *values):
        node, last = self._parent(path)
        node[last] = [*node.get(last, []), *values]
        return self

    # --- the process

    def args(self, *args):
        return self.set("process.args", list(args))

    def script(self, text):
        return self.args("sh", "-c", text)

    def sleeping(self):
        """A process that stays until it is told to go."""
        return self.script("trap 'exit 0' TERM; while :; do sleep 1000 & wait $!; done")

    def env(self, *assignments):
        return self.append("process.env", *assignments)

    def user(self, uid, gid, *groups):
        user = {"uid": uid, "gid": gid}
        return self.set("process.user", user | ({"additionalGids": list(groups)} if groups else {}))

    def capabilities(self, **sets):
        return self.set("process.capabilities", sets)

    def terminal(self):
        return self.set("process.terminal", True)

    # --- the file system

    def mount(self, destination, kind, source, *options):
        return self.append("mounts", _mount(destination, kind, source, *options))

    def bind(self, source, destination, *options):
        return self.mount(destination, "bind", str(source), *(options or ("rbind",)))

    def without_mount(self, *destinations):
        kept = [m for m in self.data["mounts"] if m["destination"] not in destinations]
        return self.set("mounts", kept)

    def without_mounts_below(self, top):
        kept = [m for m in self.data["mounts"]
                if m["destination"] != top and not m["destination"].startswith(f"{top}/")]
        return self.set("mounts", kept)

    # --- namespaces

    def namespace(self, kind, path=None):
        """A new one, or the one at path."""
        entry = {"type": kind} | ({"path": str(path)} if path else {})
        return self.without_namespace(kind).append("linux.namespaces", entry)

    def without_namespace(self, *kinds):
        kept = [n for n in self.data["linux"]["namespaces"] if n["type"] not in kinds]
        return self.set("linux.namespaces", kept)

    def mapped_users(self, first=MAPPED_ROOT, size=MAPPED_SIZE):
        """A user namespace in which root is the host's user `first`."""
        mapping = [{"containerID": 0, "hostID": first, "size": size}]
        return self.namespace("user").set("linux.uidMappings", mapping) \
                   .set("linux.gidMappings", mapping)

    def own_ids(self):
        """The user namespace of an ordinary user has his ids alone: newuidmap has no power under strace."""
        if user.ORDINARY:
            self.set("linux.uidMappings", user.mappings(user.UID)[:1]).set("linux.gidMappings", user.mappings(user.GID)[:1])
        return self

    # --- the rest

    def resource(self, name, **values):
        return self.set(f"linux.resources.{name}", values)

    def annotation(self, key, value):
        annotations = self.data.setdefault("annotations", {})
        annotations[key] = value
        return self

    def hook(self, kind, *args, **more):
        return self.append(f"hooks.{kind}", {"path": args[0], "args": list(args)} | more)

    def seccomp(self, **profile):
        return self.set("linux.seccomp", profile)
