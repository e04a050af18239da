# SPDX-License-Identifier: LGPL-2.1-or-later
"""update: limits change as asked, on the unit, and nothing else does."""

import json
from pathlib import Path

import pytest

from harness.config import Config
from harness.needs import needs_controller, needs_ocirt_sd

LIMITS = {"memory": {"limit": 64 << 20, "reservation": 32 << 20},
          "cpu": {"shares": 2048, "quota": 50000, "period": 100000},
          "pids": {"limit": 50}}
PROPERTIES = ["MemoryMax", "MemoryLow", "CPUWeight", "CPUQuotaPerSecUSec", "CPUQuotaPeriodUSec", "TasksMax"]

pytestmark = needs_ocirt_sd


@pytest.fixture
def limited(container):
    return container(Config().sleeping().set("linux.resources", dict(LIMITS))).run_detached()


def cgroup_file(one, name):
    return Path(f"/sys/fs/cgroup{one.cgroup}", name).read_text(encoding="ascii")


def changed(one, *arguments, **more):
    """What update changes of the unit's properties: those alone that are different after it."""
    before = one.properties(*PROPERTIES)
    one.runtime("update", *arguments, one.id, **more)
    after = one.properties(*PROPERTIES)
    return {name: after[name] for name in PROPERTIES if after[name] != before[name]}


@pytest.mark.parametrize("flags, expected", [
    (["--memory", "128m"], {"MemoryMax": str(128 << 20)}),
    (["--memory=-1"], {"MemoryMax": "infinity"}),
    (["--memory-reservation", str(16 << 20)], {"MemoryLow": str(16 << 20)}),
    (["--pids-limit=20"], {"TasksMax": "20"}),
    (["--pids-limit=-1"], {"TasksMax": "infinity"}),
    (["--cpu-share", "1024"], {"CPUWeight": "100"}),
    (["--cpu-idle", "1"], {"CPUWeight": "idle"}),
    (["--cpu-quota", "20000", "--cpu-period", "100000"], {"CPUQuotaPerSecUSec": "200ms"}),
    (["--cpu-quota=-1", "--cpu-period", "100000"], {"CPUQuotaPerSecUSec": "infinity"}),
])
def test_a_flag_changes_one_limit(limited, flags, expected):
    found = changed(limited, *flags)
    found.pop("CPUQuotaPeriodUSec", None)  # "infinity" when it is systemd's default
    assert found == expected


def test_resources_from_standard_input(limited):
    """As containerd and CRI-O call it."""
    document = json.dumps({"memory": {"limit": 96 << 20}, "pids": {"limit": 30}, "cpu": {}})
    assert changed(limited, "--resources", "-", input=document.encode()) == {
        "MemoryMax": str(96 << 20), "TasksMax": "30"}


def test_resources_from_a_file(limited, bundles):
    """As Podman calls it."""
    path = bundles.scratch("update") / "resources.json"
    path.write_text(json.dumps({"memory": {"limit": 80 << 20}}), encoding="utf-8")
    assert changed(limited, f"--resources={path}") == {"MemoryMax": str(80 << 20)}


def test_nothing_to_change(limited):
    assert changed(limited, "--resources", "-", input=b"{}") == {}


@needs_controller("cpu")
def test_half_of_a_bandwidth_keeps_the_other_half(limited):
    """The quota is a share of the period that is in force."""
    limited.runtime("update", "--cpu-quota", "25000", limited.id)
    assert cgroup_file(limited, "cpu.max").split() == ["25000", "100000"]
    limited.runtime("update", "--cpu-period", "50000", limited.id)
    assert cgroup_file(limited, "cpu.max").split() == ["25000", "50000"]


@needs_controller("memory")
def test_swap_is_memory_and_swap_together(limited):
    """Given alone, it goes with the limit in force."""
    limited.runtime("update", "--memory-swap", str(96 << 20), limited.id)
    assert limited.properties("MemorySwapMax") == {"MemorySwapMax": str(32 << 20)}
    assert cgroup_file(limited, "memory.max").strip() == str(64 << 20)


@pytest.mark.proves("linux.resources.memory.checkBeforeUpdate")
@needs_controller("memory")
def test_a_limit_below_what_is_used(limited):
    document = json.dumps({"memory": {"limit": 4096, "checkBeforeUpdate": True}})
    message = limited.runtime.fails("update", "-r", "-", limited.id, input=document.encode())
    assert "memory.limit" in message
    assert limited.properties("MemoryMax") == {"MemoryMax": str(64 << 20)}


@pytest.mark.parametrize("flags, word", [
    (["--memory", "much"], "--memory"), (["--pids-limit", "1.5"], "--pids-limit"),
    (["--cpu-period", "10"], "cpu.period"), (["--cpuset-cpus", "a"], "cpu.cpus"),
    (["--l3-cache-schema", "L3:0=f"], "without linux.intelRdt")])
def test_what_cannot_be_changes_nothing(limited, flags, word):
    before = limited.properties(*PROPERTIES)
    assert word in limited.runtime.fails("update", *flags, limited.id)
    assert limited.properties(*PROPERTIES) == before


def test_update_of_a_stopped_container(container):
    one = container(Config().sleeping()).run_detached()
    one.kill()
    one.wait_until("stopped")
    assert "not running" in one.runtime.fails("update", "--pids-limit", "5", one.id)
