# SPDX-License-Identifier: LGPL-2.1-or-later
"""What systemd goes through, and what update and others ask of it meanwhile, changes what was asked for and nothing else."""

import itertools
import json
import subprocess

from harness import process, systemd
from harness.config import Config
from harness.needs import needs_devices_bpf, needs_ocirt_sd
from harness.wait import DEADLINE

MIB = 1 << 20

# One list of devices is for systemd alone, the other for a filter of ours, too; both allow zero and deny 10:229.
SET = [{"allow": False, "access": "rwm"}]
FILTER = [{"allow": True, "access": "rwm"}, {"allow": False, "type": "c", "major": 10, "access": "rw"}]
TRYING = "mknod /dev/denied c 10 229; echo up; exec 2>/dev/null; while :; do " \
         "true < /dev/denied && echo denied was opened; true < /dev/zero || echo allowed was refused; done"

# What an update asks for, and what of the cgroup's files it changes.
UPDATES = [
    ({"memory": {"limit": 72 * MIB, "swap": 96 * MIB}},
     {"memory.max": str(72 * MIB), "memory.swap.max": str(24 * MIB)}),
    ({"cpu": {"quota": 30000}}, {"cpu.max": "30000 100000"}),
    ({"pids": {"limit": 60}}, {"pids.max": "60"}),
    ({"hugepageLimits": [{"pageSize": "2MB", "limit": 6 * MIB}]}, {"hugetlb.2MB.max": str(6 * MIB)}),
    ({"memory": {"limit": 64 * MIB}}, {"memory.max": str(64 * MIB)}),
    ({"cpu": {"quota": 50000, "burst": 10000}}, {"cpu.max": "50000 100000", "cpu.max.burst": "10000"}),
    ({"cpu": {"shares": 1024}}, {"cpu.weight": "100"}),
    ({"hugepageLimits": [{"pageSize": "2MB", "limit": 4 * MIB}]}, {"hugetlb.2MB.max": str(4 * MIB)}),
    ({"cpu": {"shares": 512, "burst": 20000}}, {"cpu.weight": "59", "cpu.max.burst": "20000"}),
    ({"pids": {"limit": 50}}, {"pids.max": "50"}),
]
RESOURCES = {
    "memory": {"limit": 64 * MIB, "swap": 96 * MIB, "reservation": 16 * MIB},
    "cpu": {"quota": 50000, "period": 100000, "burst": 20000, "shares": 512, "cpus": "0"},
    "pids": {"limit": 50}, "hugepageLimits": [{"pageSize": "2MB", "limit": 4 * MIB}],
    "unified": {"memory.high": str(60 * MIB), "memory.oom.group": "1"},
}
FILES = ["memory.max", "memory.swap.max", "memory.low", "memory.high", "memory.oom.group", "cpu.max", "cpu.max.burst",
         "cpu.weight", "cpuset.cpus", "pids.max", "hugetlb.2MB.max", "hugetlb.2MB.rsvd.max"]


class Watched:
    """A container, and what is expected of its cgroup."""

    def __init__(self, one):
        self.one = one
        self.expected = self.found()

    def found(self):
        files = [*FILES, "cgroup.freeze"]
        present = {name: process.cgroup_file(self.one.cgroup, name) for name in files if
                   (process.CGROUPS / self.one.cgroup.lstrip("/") / name).exists()}
        return present

    def begin_update(self, resources, changes=()):
        """In the background; it has an effect on what there are controllers for, and may only be asked that."""
        self.expected |= {name: value for name, value in dict(changes).items() if name in self.expected}
        text = json.dumps(resources if not changes or set(dict(changes)) <= set(self.expected) else {})
        command = self.one.runtime.command("update", "--resources", "-", self.one.id)
        update = subprocess.Popen(command, stdin=subprocess.PIPE, text=True)
        update.stdin.write(text)
        update.stdin.close()
        return update

    def check(self):
        found = self.found()
        if "hugetlb.2MB.max" in found:
            self.expected["hugetlb.2MB.rsvd.max"] = self.expected["hugetlb.2MB.max"]
        assert found == self.expected


def trying(container, rules):
    """Opens what it may and may not, without a pause, but lets others go first."""
    config = Config().script(TRYING).set("linux.resources.devices", rules)
    config.set("process.scheduler", {"policy": "SCHED_IDLE"})
    return container(config).run_detached().wait_for_output("up")


def limited(container):
    """Paused, with as many limits as there are controllers for."""
    config = Config().sleeping()
    if (process.CGROUPS / "cgroup.controllers").read_text(encoding="ascii").split():
        config.set("linux.resources", json.loads(json.dumps(RESOURCES)))
    one = container(config).run_detached()
    one.runtime("pause", one.id)
    return one


@needs_devices_bpf
@needs_ocirt_sd
def test_nothing_else_changes(container):
    """20 × daemon-reload, daemon-reexec and set-property, each with an update meanwhile."""
    watched, updates = Watched(limited(container)), itertools.cycle(UPDATES)
    devices = [trying(container, SET), trying(container, FILTER)]
    lists = itertools.cycle([FILTER, SET, SET, FILTER])

    def round_of(*words, number):
        begun = [watched.begin_update(*next(updates)),
                 Watched(devices[number % 2]).begin_update({"devices": next(lists)})]
        systemd.systemctl(*words)
        assert [update.wait(timeout=DEADLINE) for update in begun] == [0] * len(begun)
        watched.check()

    for number in range(20):
        round_of("daemon-reload", number=number)
    for number in range(20):
        round_of("daemon-reexec", number=number)
    watched.one.runtime("resume", watched.one.id)  # systemd lets properties of a frozen unit wait
    watched.expected["cgroup.freeze"] = "0"
    for number in range(20):
        if "memory.high" in watched.expected:
            watched.expected["memory.high"] = str((40 + number) * MIB)
        round_of("set-property", "--runtime", watched.one.unit, f"MemoryHigh={40 + number}M", number=number)
    assert watched.one.status == "running"
    for one in devices:
        assert process.is_alive(one.pid)
        one.kill("KILL")
        assert one.output == "up\n"
