# SPDX-License-Identifier: LGPL-2.1-or-later
"""update: limits change as asked, on the unit and in the cgroup, and nothing else does.

Where there are no controllers there is little to change. What systemd does
meanwhile is in test_reloads.py, and lists of devices are in test_devices.py.
"""

import json

import pytest

from harness import go, process, systemd
from harness.config import Config
from harness.needs import needs_controller, needs_delegation, needs_ocirt_sd, needs_root

MIB = 1 << 20
LIMITS = {"memory": {"limit": 64 * MIB, "reservation": 32 * MIB},
          "cpu": {"shares": 2048, "quota": 50000, "period": 100000},
          "pids": {"limit": 50}}
PROPERTIES = ["MemoryMax", "MemoryLow", "MemorySwapMax", "CPUWeight", "CPUQuotaPerSecUSec", "CPUQuotaPeriodUSec",
              "AllowedCPUs", "AllowedMemoryNodes", "TasksMax", "IOWeight"]
FILES = ["memory.max", "memory.low", "memory.swap.max", "cpu.weight", "cpu.idle", "cpu.max", "cpu.max.burst",
         "cpuset.cpus", "cpuset.mems", "pids.max", "io.weight"]

pytestmark = [needs_ocirt_sd, needs_delegation]


@pytest.fixture
def limited(container):
    return container(Config().sleeping().set("linux.resources", json.loads(json.dumps(LIMITS)))).run_detached()


def state(one):
    files = {name: process.cgroup_file(one.cgroup, name) for name in FILES}
    if files["cpu.idle"] == "1":
        del files["cpu.weight"]  # 0, and 1 from Linux 6.12 on
    return one.properties(*PROPERTIES) | files


def update(one, *arguments, **resources):
    if resources:
        arguments = ["--resources", "-"]
    one.runtime("update", *arguments, one.id, input=go.marshal(resources).encode())


def fails(one, *arguments, **resources):
    if resources:
        arguments = ["--resources", "-"]
    return one.runtime.fails("update", *arguments, one.id, input=go.marshal(resources).encode())


def in_turn(one, steps, change):
    """Each step changes what is said there and nothing else."""
    expected = state(one)
    for step, changes in steps:
        change(step)
        found = state(one)
        expected |= changes
        assert {name: found[name] for name in found if found[name] != expected[name]} == {}, step


FLAGS = [
    (["--memory", "0.125GiB"], {"MemoryMax": str(128 * MIB), "memory.max": str(128 * MIB)}),
    (["--memory-swap", str(160 * MIB)], {"MemorySwapMax": str(32 * MIB), "memory.swap.max": str(32 * MIB)}),
    (["--memory", "144mb"], {"MemoryMax": str(144 * MIB), "memory.max": str(144 * MIB)}),
    (["--memory-swap=-1"], {"MemorySwapMax": "infinity", "memory.swap.max": "max"}),
    (["--memory-reservation", str(16 * MIB)], {"MemoryLow": str(16 * MIB), "memory.low": str(16 * MIB)}),
    (["--memory=-1"], {"MemoryMax": "infinity", "memory.max": "max"}),
    (["--kernel-memory=-1", "--kernel-memory-tcp", "0"], {}),
    (["--pids-limit=20"], {"TasksMax": "20", "pids.max": "20"}),
    (["--pids-limit=0"], {"TasksMax": "infinity", "pids.max": "max"}),  # ociVersion is 1.2.0
    (["--pids-limit=-1"], {"TasksMax": "infinity", "pids.max": "max"}),
    (["--cpu-share", "512"], {"CPUWeight": "59", "cpu.weight": "59"}),
    (["--cpu-quota", "25000"], {"CPUQuotaPerSecUSec": "250ms", "cpu.max": "25000 100000"}),
    (["--cpu-period", "50000"], {"CPUQuotaPerSecUSec": "500ms", "CPUQuotaPeriodUSec": "50ms", "cpu.max": "25000 50000"}),
    (["--cpu-burst", "10000"], {"cpu.max.burst": "10000"}),
    (["--cpu-quota", "5000", "--cpu-burst", "5000"], {"CPUQuotaPerSecUSec": "100ms", "cpu.max": "5000 50000",
                                                      "cpu.max.burst": "5000"}),
    (["--cpu-quota", "40000", "--cpu-burst", "40000"], {"CPUQuotaPerSecUSec": "800ms", "cpu.max": "40000 50000",
                                                        "cpu.max.burst": "40000"}),
    (["--cpu-quota=-1"], {"CPUQuotaPerSecUSec": "infinity", "cpu.max": "max 100000"}),
    # which is what systemd writes without a quota, whatever the period is that the next one will have
    (["--cpu-quota", "20000", "--cpu-burst", "0"], {"CPUQuotaPerSecUSec": "400ms", "cpu.max": "20000 50000",
                                                    "cpu.max.burst": "0"}),
    (["--cpu-idle", "1"], {"CPUWeight": "idle", "cpu.idle": "1"}),
    (["--cpu-share", "1024"], {"CPUWeight": "100", "cpu.idle": "0", "cpu.weight": "100"}),
    (["--cpu-idle", "1"], {"CPUWeight": "idle", "cpu.idle": "1"}),
    (["--cpu-idle", "0"], {"CPUWeight": "100", "cpu.idle": "0", "cpu.weight": "100"}),
    (["--cpu-rt-period", "0", "--cpu-rt-runtime", "0"], {}),
    (["--cpuset-cpus", "0-1"], {"AllowedCPUs": "0-1", "cpuset.cpus": "0-1"}),
    (["--cpuset-cpus", "1", "--cpuset-mems", "0"], {"AllowedCPUs": "1", "cpuset.cpus": "1",
                                                    "AllowedMemoryNodes": "0", "cpuset.mems": "0"}),
    (["--blkio-weight", "500"], {"IOWeight": "4500", "io.weight": "default 4500"}),
]


@pytest.mark.proves("linux.resources.cpu.idle")
@needs_controller("memory")
@needs_controller("cpuset")
def test_flags_of_one_limit_each(limited):
    """What belongs together is computed with what is in force: swap with memory, quota with period."""
    in_turn(limited, FLAGS, lambda flags: update(limited, *flags))


PERIODS = [
    (["--cpu-quota=-1"], "max"),
    (["--cpu-quota", "500000"], "500000 1000000"),
    (["--cpu-period", "200000"], "500000 200000"),
    (["--cpu-quota=-1"], "max"),
    (["--cpu-period", "50000"], "max"),
    (["--cpu-share", "512"], "max"),
    (["--cpu-quota", "20000"], "20000 50000"),
]


@needs_controller("cpu")
def test_a_quota_has_the_period_that_was_asked_for(container):
    """However long ago: it survives that there is no quota, and a reload of systemd."""
    one = container(Config().sleeping().resource("cpu", quota=500000, period=1000000)).run_detached()
    for flags, expected in PERIODS:
        update(one, *flags)
        systemd.systemctl("daemon-reload")
        quota, _, period = process.cgroup_file(one.cgroup, "cpu.max").partition(" ")
        assert (quota if expected == "max" else f"{quota} {period}") == expected, flags


RESOURCES = [
    # as containerd and CRI-O call it, with empty objects and zeros for what is not meant
    ({"memory": {"limit": 96 * MIB, "swap": 96 * MIB}, "pids": {"limit": 30}, "cpu": {"shares": 0, "quota": 0}},
     {"MemoryMax": str(96 * MIB), "memory.max": str(96 * MIB), "MemorySwapMax": "0", "memory.swap.max": "0",
      "TasksMax": "30", "pids.max": "30"}),
    ({"memory": {"limit": 128 * MIB}}, {"MemoryMax": str(128 * MIB), "memory.max": str(128 * MIB)}),
    ({"unified": {"memory.swap.max": str(8 * MIB), "cpu.max": "30000"}},
     {"MemorySwapMax": str(8 * MIB), "memory.swap.max": str(8 * MIB), "CPUQuotaPerSecUSec": "300ms",
      "cpu.max": "30000 100000"}),
    ({"unified": {"cpu.idle": "1"}}, {"CPUWeight": "idle", "cpu.idle": "1"}),
    ({"cpu": {"idle": 0, "shares": 256}}, {"CPUWeight": "35", "cpu.idle": "0", "cpu.weight": "35"}),
    ({"blockIO": {}}, {}),
]


@needs_controller("memory")
@needs_controller("cpuset")
def test_resources_from_standard_input(limited):
    """As engines call it."""
    in_turn(limited, RESOURCES, lambda resources: update(limited, **resources))


@needs_controller("memory")
@needs_controller("cpuset")
def test_of_a_paused_container(limited):
    """systemd lets limits of frozen units wait, and says nothing: we do not."""
    limited.runtime("pause", limited.id)
    in_turn(limited, RESOURCES, lambda resources: update(limited, **resources))
    assert "resume it first" in fails(limited, devices=[{"allow": True, "access": "rwm"}])
    assert limited.status == "paused"
    before = state(limited)
    limited.runtime("resume", limited.id)
    assert state(limited) == before


def test_resources_from_a_file(container, bundles):
    """As Podman calls it; and nothing to change is no error."""
    one = container().run_detached()
    path = bundles.scratch("update") / "resources.json"
    path.write_text(go.marshal({"pids": {"limit": -1}}), encoding="utf-8")
    update(one, f"--resources={path}")
    assert one.properties("TasksMax") == {"TasksMax": "infinity"}
    one.runtime("update", "--resources", "-", one.id, input=b"{}")


BAD_FLAGS = [
    (["--memory", "much"], "--memory"), (["--pids-limit", "1.5"], "--pids-limit"),
    (["--cpu-period", "10"], "--cpu-period: "), (["--cpuset-cpus", "a"], "--cpuset-cpus: "),
    (["--cpuset-cpus", "4000"], "--cpuset-cpus: "), (["--blkio-weight", "5"], "--blkio-weight: "),
    (["--cpu-rt-runtime", "5000"], "--cpu-rt-runtime: "), (["--kernel-memory", "1m"], "--kernel-memory: "),
    (["--memory-swap", "-2"], "--memory-swap: "), (["--cpu-idle", "2"], "--cpu-idle: "),
    (["--l3-cache-schema", "L3:0=f"], "without linux.intelRdt"),
    (["--cpu-idle", "1", "--cpu-share", "512"], "--cpu-share: "),
]


def test_flags_that_cannot_be(container):
    one = container().run_detached()
    before = one.properties(*PROPERTIES)
    for flags, word in BAD_FLAGS:
        message = fails(one, *flags)
        assert word in message and "linux.resources" not in message
    assert one.properties(*PROPERTIES) == before


CANNOT_BE = [
    # against what is in force: 64 MiB, no limit of swap, 50000 of 100000 µs, a burst of 20000
    ({"memory": {"limit": 4096, "checkBeforeUpdate": True}}, "linux.resources.memory.limit"),
    ({"memory": {"swap": 32 * MIB}}, "linux.resources.memory.swap"),
    ({"memory": {"kernel": 32 * MIB}}, "linux.resources.memory.kernel"),
    ({"cpu": {"burst": 60000}}, "linux.resources.cpu.burst"),
    ({"cpu": {"quota": 10000}}, "linux.resources.cpu.quota"),
    ({"unified": {"cpu.max": "10000 100000"}}, 'linux.resources.unified["cpu.max"]'),
    ({"unified": {"memory.oom.group": "1"}}, 'linux.resources.unified["memory.oom.group"]'),
    # half-way: after these the last one fails, and they are taken back
    ({"pids": {"limit": 5}, "cpu": {"burst": 10000}, "hugepageLimits": [{"pageSize": "2MB", "limit": 0}],
      "unified": {"misc.max": "nosuch 1"}}, 'linux.resources.unified["misc.max"]'),
    ({"pids": {"limit": 5}, "unified": {"cgroup.max.depth": "3", "memory.nosuch": "1"}}, "memory.nosuch"),
    # which the kernel takes, to say in the file that it cannot be
    ({"unified": {"cpuset.cpus.partition": "root"}}, "cpuset.cpus.partition"),
]


@pytest.mark.proves("linux.resources.memory.checkBeforeUpdate")
@needs_controller("memory")
@needs_controller("cpuset")
def test_what_cannot_be_changes_nothing(limited):
    update(limited, hugepageLimits=[{"pageSize": "2MB", "limit": 4 * MIB}], cpu={"burst": 20000})
    files = ["hugetlb.2MB.max", "hugetlb.2MB.rsvd.max", "cgroup.max.depth", "cpuset.cpus.partition"]
    before = state(limited), [process.cgroup_file(limited.cgroup, name) for name in files]
    for resources, path in CANNOT_BE:
        assert path in fails(limited, **resources), resources
        assert (state(limited), [process.cgroup_file(limited.cgroup, name) for name in files]) == before, resources


@needs_controller("memory")
@needs_controller("cpuset")
def test_systemd_refuses(limited):
    """All that was written to files before that is taken back, too."""
    before = process.cgroup_file(limited.cgroup, "cpu.max.burst")
    tracer = ["strace", "-qq", "-o", "/dev/null", "-e", "inject=connect:error=EACCES"]
    result = limited.runtime.call("update", "--cpu-burst", "7000", "--pids-limit", "7", limited.id, prefix=tracer)
    assert result.status == 1 and "systemd" in result.stderr
    assert process.cgroup_file(limited.cgroup, "cpu.max.burst") == before
    assert process.cgroup_file(limited.cgroup, "pids.max") == "50"


def test_update_of_a_stopped_container(container):
    one = container(Config().sleeping()).run_detached()
    one.kill()
    one.wait_until("stopped")
    assert "not running" in one.runtime.fails("update", "--pids-limit", "5", one.id)


NO_FILES = ["memory.max", "memory.swap.max", "pids.max", "cpu.weight", "misc.max"]


def naming(container, *, path=""):
    """A container that has given those names to cgroups below its own, as far as they were free."""
    script = f"cd /sys/fs/cgroup; for name in {' '.join(NO_FILES)}; do busybox mkdir $name; done; echo made; sleep 1000"
    config = Config().script(script).without_mount("/sys/fs/cgroup").set("linux.cgroupsPath", path)
    one = container(config.mount("/sys/fs/cgroup", "cgroup", "cgroup", "nosuid", "noexec", "nodev", "rw"))
    return one.run_detached().wait_for_output("made")


@pytest.mark.parametrize(("resources", "file"), [
    ({"memory": {"limit": 64 * MIB}}, "memory.max"),
    ({"pids": {"limit": 5}}, "pids.max"),
    ({"cpu": {"shares": 2048}}, "cpu.weight"),
    ({"unified": {"misc.max": "nosuch 1"}}, "misc.max"),
])
def test_a_cgroup_below_that_is_called_as_a_file(container, resources, file):
    """Where the container's own has not got the controller, it is no limit that is in force."""
    one = naming(container)
    result = one.runtime.call("update", "--resources", "-", one.id, input=go.marshal(resources).encode())
    there = (process.CGROUPS / one.cgroup.lstrip("/") / file).is_file()
    assert there or (result.status == 1 and "cgroup controller" in result.stderr), str(result)


@needs_root("enables controllers that systemd does not know")
@needs_controller("misc")
def test_what_another_container_keeps_from_being_enabled(container):
    """In a slice in which nobody has asked for it yet."""
    naming(container, path="ocirt-tests-fresh.slice::naming")
    one = container(Config().sleeping().set("linux.cgroupsPath", "ocirt-tests-fresh.slice::other")).run_detached()
    message = fails(one, unified={"misc.max": "nosuch 1"})
    assert "has taken the name of one of its files (misc.*)" in message
