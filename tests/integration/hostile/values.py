# SPDX-License-Identifier: LGPL-2.1-or-later
"""Properties with values of the wrong type, sign, range or form.

(path, value); the error has to name the path, as people write it: a.b[0].c.
"""

U32_AND_ONE, U64_AND_ONE, HUGE = 1 << 32, 1 << 64, 10 ** 40

NAMESPACE = "linux.namespaces"
RULE = {"allow": True, "type": "c", "major": 1, "minor": 3, "access": "r"}
DEVICE = {"path": "/dev/x", "type": "c", "major": 1, "minor": 3}
RLIMIT = {"type": "RLIMIT_CORE", "soft": 0, "hard": 0}
MAPPING = {"containerID": 0, "hostID": 100000, "size": 1}
MOUNT = {"destination": "/mnt", "type": "tmpfs", "source": "tmpfs"}
HOOK = {"path": "/bin/true"}
SECCOMP = {"defaultAction": "SCMP_ACT_ALLOW"}

VALUES = [
    ("ociVersion", 1), ("ociVersion", ""), ("ociVersion", "2.0.0"), ("ociVersion", "one"),
    ("root", "rootfs"), ("root.path", 7), ("root.path", ""), ("root.path", None),
    ("root.readonly", "true"), ("root.readonly", 1),
    ("hostname", 5), ("hostname", "x" * 65),
    ("process", []), ("process.terminal", "no"), ("process.cwd", "relative"), ("process.cwd", ""),
    ("process.cwd", 7),
    ("process.args", "sh"), ("process.args", []), ("process.args", [1]), ("process.args", [None]),
    ("process.args", ["a\0b"]),
    ("process.env", {"A": "b"}), ("process.env", ["NOEQUALS"]), ("process.env", ["=value"]),
    ("process.env", [7]),
    ("process.user", 0), ("process.user.uid", "0"), ("process.user.uid", -1),
    ("process.user.uid", U32_AND_ONE), ("process.user.uid", U32_AND_ONE - 1),
    ("process.user.uid", HUGE), ("process.user.uid", 1.5), ("process.user.uid", True),
    ("process.user.gid", "0"), ("process.user.gid", -1), ("process.user.gid", U32_AND_ONE),
    ("process.user.additionalGids", 5), ("process.user.additionalGids", [-1]),
    ("process.user.additionalGids", [U32_AND_ONE]), ("process.user.umask", 0o10000),
    ("process.user.umask", -1), ("process.user.umask", "022"),
    ("process.capabilities", ["CAP_KILL"]), ("process.capabilities.bounding", "CAP_KILL"),
    ("process.capabilities.effective", [5]),
    ("process.noNewPrivileges", "yes"), ("process.oomScoreAdj", 1001),
    ("process.oomScoreAdj", -1001), ("process.oomScoreAdj", "0"), ("process.oomScoreAdj", 0.5),
    ("process.rlimits", {}), ("process.rlimits", [RLIMIT | {"type": "RLIMIT_NOSUCH"}]),
    ("process.rlimits", [RLIMIT | {"soft": 1}]), ("process.rlimits", [RLIMIT | {"hard": -1}]),
    ("process.rlimits", [RLIMIT | {"hard": U64_AND_ONE}]), ("process.rlimits", [RLIMIT, RLIMIT]),
    ("process.scheduler", {"policy": "SCHED_NOSUCH"}),
    ("process.scheduler", {"policy": "SCHED_OTHER", "nice": 20}),
    ("process.ioPriority", {"class": "IOPRIO_CLASS_BE", "priority": 8}),
    ("process.apparmorProfile", 7),
    ("mounts", {}), ("mounts", [7]), ("mounts", [{}]), ("mounts", [MOUNT | {"destination": 7}]),
    ("mounts", [MOUNT | {"options": "ro"}]), ("mounts", [MOUNT | {"options": [7]}]),
    ("mounts", [MOUNT | {"type": 7}]), ("mounts", [MOUNT | {"source": ["a"]}]),
    ("hooks", []), ("hooks.prestart", {}), ("hooks.prestart", [{}]),
    ("hooks.prestart", [HOOK | {"path": "relative"}]), ("hooks.poststop", [HOOK | {"timeout": 0}]),
    ("hooks.poststop", [HOOK | {"timeout": -1}]), ("hooks.poststop", [HOOK | {"timeout": "1"}]),
    ("hooks.poststop", [HOOK | {"timeout": U64_AND_ONE}]), ("hooks.poststop", [HOOK | {"env": "A"}]),
    ("annotations", []), ("annotations", {"k": 7}), ("annotations", {"k": None}),
    ("linux", []), ("linux.namespaces", {}), ("linux.namespaces", [{}]),
    ("linux.namespaces", [{"type": "nosuch"}]), ("linux.namespaces", [{"type": 7}]),
    ("linux.namespaces", [{"type": "mount"}, {"type": "mount"}]),
    ("linux.namespaces", [{"type": "mount"}, {"type": "ipc", "path": "relative"}]),
    ("linux.uidMappings", [MAPPING]), ("linux.uidMappings", [MAPPING | {"size": 0}]),
    ("linux.uidMappings", [MAPPING | {"hostID": -1}]),
    ("linux.uidMappings", [MAPPING | {"hostID": U32_AND_ONE}]),
    ("linux.uidMappings", [MAPPING | {"size": "1"}]),
    ("linux.devices", {}), ("linux.devices", [DEVICE | {"type": "x"}]),
    ("linux.devices", [DEVICE | {"path": 7}]), ("linux.devices", [DEVICE | {"path": "relative"}]),
    ("linux.devices", [DEVICE | {"major": "1"}]), ("linux.devices", [DEVICE | {"major": -1}]),
    ("linux.devices", [DEVICE | {"fileMode": -1}]), ("linux.devices", [DEVICE | {"uid": -1}]),
    ("linux.devices", [DEVICE | {"major": 1 << 40}]),
    ("linux.cgroupsPath", 7), ("linux.resources", []),
    ("linux.resources.devices", [RULE | {"allow": "yes"}]),
    ("linux.resources.devices", [RULE | {"access": "x"}]),
    ("linux.resources.devices", [RULE | {"type": "x"}]),
    ("linux.resources.devices", [RULE | {"major": 1 << 40}]),
    ("linux.resources.memory", 7), ("linux.resources.memory.limit", "64M"),
    ("linux.resources.memory.limit", -2), ("linux.resources.memory.limit", U64_AND_ONE),
    ("linux.resources.memory.limit", 1.5), ("linux.resources.memory.swap", 1 << 20),
    ("linux.resources.memory.swappiness", 101),
    ("linux.resources.cpu.shares", -1), ("linux.resources.cpu.shares", U64_AND_ONE),
    ("linux.resources.cpu.quota", "50%"), ("linux.resources.cpu.period", 1),
    ("linux.resources.cpu.cpus", "a-b"), ("linux.resources.cpu.cpus", "3-1"),
    ("linux.resources.cpu.mems", "0-"), ("linux.resources.cpu.cpus", 0),
    ("linux.resources.pids.limit", "max"), ("linux.resources.pids.limit", HUGE),
    ("linux.resources.blockIO.weight", 1001), ("linux.resources.blockIO.weight", 9),
    ("linux.resources.unified", {"memory.max": 7}), ("linux.resources.unified", {"../x": "1"}),
    ("linux.resources.unified", {"cgroup.procs": "1"}), ("linux.resources.unified", {"": "1"}),
    ("linux.resources.hugepageLimits", [{"pageSize": "../x", "limit": 1}]),
    ("linux.seccomp", []), ("linux.seccomp", {}), ("linux.seccomp", {"defaultAction": "NOSUCH"}),
    ("linux.seccomp", SECCOMP | {"architectures": ["NOSUCH"]}),
    ("linux.seccomp", SECCOMP | {"flags": ["NOSUCH"]}),
    ("linux.seccomp", SECCOMP | {"syscalls": [{"names": [], "action": "SCMP_ACT_ERRNO"}]}),
    ("linux.seccomp", SECCOMP | {"syscalls": [{"names": ["kill"], "action": "NOSUCH"}]}),
    ("linux.seccomp", SECCOMP | {"syscalls": [{"names": ["kill"], "action": "SCMP_ACT_ERRNO",
                                               "args": [{"index": 6, "value": 0,
                                                         "op": "SCMP_CMP_EQ"}]}]}),
    ("linux.seccomp", SECCOMP | {"syscalls": [{"names": ["kill"], "action": "SCMP_ACT_ERRNO",
                                               "args": [{"index": 0, "value": 0, "op": "=="}]}]}),
    ("linux.rootfsPropagation", "nosuch"), ("linux.maskedPaths", "/x"), ("linux.maskedPaths", [7]),
    ("linux.readonlyPaths", {}), ("linux.personality", {"domain": "NOSUCH"}),
    ("linux.timeOffsets", {"boottime": {"secs": 1}}),
]
