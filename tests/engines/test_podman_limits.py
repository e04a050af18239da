# SPDX-License-Identifier: LGPL-2.1-or-later
"""Podman as root: limits, as the unit, the kernel and podman have them."""

import json
import subprocess

from engine.containers import EAT, scope_of
from harness import process, systemd
from harness.needs import needs_controller

pytestmark = [needs_controller("memory"), needs_controller("pids"), needs_controller("cpu")]
MIB = 1 << 20


def limits(cgroup):
    return {name: process.cgroup_file(cgroup, name) for name in ["memory.max", "memory.low", "pids.max", "cpu.max"]}


def test_limits_and_update(podman):
    """systemctl, the cgroup and podman agree: at first, after an update, and after a reload."""
    one = podman.start("--memory", "64m", "--memory-swap", "96m", "--memory-reservation", "32m",
                       "--cpus", "0.5", "--pids-limit", "60")
    found = one.inspect()
    cgroup, unit = found["State"]["CgroupPath"], f"libpod-{found['Id']}.scope"
    assert limits(scope_of(found["State"]["Pid"])) == {
        "memory.max": str(64 * MIB), "memory.low": str(32 * MIB), "pids.max": "60", "cpu.max": "50000 100000"}
    assert systemd.show(unit, "MemoryMax", "TasksMax", "CPUQuotaPerSecUSec") == {
        "MemoryMax": str(64 * MIB), "TasksMax": "60", "CPUQuotaPerSecUSec": "500ms"}
    stats = json.loads(podman("stats", "--no-stream", "--format", "json", one.name))[0]
    assert stats["mem_usage"].endswith("/ 67.11MB") and stats["pids"] == "2"

    podman("update", "--memory", "80m", "--cpus", "0.25", "--pids-limit", "70", one.name)
    updated = {"memory.max": str(80 * MIB), "memory.low": str(32 * MIB), "pids.max": "70",
               "cpu.max": "25000 100000"}
    assert limits(scope_of(found["State"]["Pid"])) == updated
    systemd.systemctl("daemon-reload")
    assert limits(scope_of(found["State"]["Pid"])) == updated
    config = one.inspect()["HostConfig"]
    assert (config["Memory"], config["PidsLimit"]) == (80 * MIB, 70)
    for listing in [["systemctl", "status", unit], ["systemd-cgls", "--unit", unit]]:
        assert str(found["State"]["Pid"]) in subprocess.run(listing, capture_output=True, text=True, check=True).stdout
    assert cgroup == systemd.show(unit, "ControlGroup")["ControlGroup"]
    one.remove()


def test_out_of_memory(podman):
    """Podman says so: conmon has watched the right cgroup. But it stops when it is told that the limit was reached, before
    something is killed for that, and looks once more when the container has ended (containers/conmon#426): one of its
    processes stays, or systemd might have removed the cgroup, with any runtime."""
    one = podman.start("--pid", "host", "--memory", "16m", "--memory-swap", "16m")
    assert one.exec(*EAT).status == 137
    one("kill", "--signal", "TERM")
    assert podman("wait", one.name) == "0\n"
    state = one.state
    assert (state["OOMKilled"], state["Status"]) == (True, "exited")
    one("rm")
