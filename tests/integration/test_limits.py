# SPDX-License-Identifier: LGPL-2.1-or-later
"""Limits of config.json hold: memory, tasks, cpu, devices."""

import os
import signal
import time

import pytest

from harness import process, systemd
from harness.config import Config
from harness.needs import needs_controller, needs_devices_bpf
from harness.wait import until

MIB = 1 << 20


@needs_controller("memory")
def test_a_memory_hog_is_killed_at_its_limit(container):
    """By the OOM killer, of its own cgroup, near the limit; others live on."""
    bystander = container().run_detached()
    config = Config().script("echo up; head -c 200m /dev/zero | tail -c 200m | wc -c; echo over")
    one = container(config.resource("memory", limit=48 * MIB, swap=48 * MIB)).run_detached()
    path = one.wait_for_output("up").cgroup
    until(lambda: not process.is_alive(one.pid) or "oom_kill 0" not in
          process.cgroup_file(path, "memory.events"), "an OOM kill")
    assert "209715200" not in one.wait_for_end().output
    assert bystander.status == "running"


@pytest.mark.proves("linux.resources.memory.limit",
                    "linux.resources.memory.swap",
                    "linux.resources.memory.reservation")
@needs_controller("memory")
def test_memory_limits_in_the_cgroup(container):
    config = Config().sleeping().resource("memory", limit=64 * MIB, swap=96 * MIB,
                                          reservation=16 * MIB)
    one = container(config).run_detached()
    assert process.cgroup_file(one.cgroup, "memory.max") == str(64 * MIB)
    assert process.cgroup_file(one.cgroup, "memory.swap.max") == str(32 * MIB)
    assert process.cgroup_file(one.cgroup, "memory.low") == str(16 * MIB)


@pytest.mark.proves("linux.resources.pids.limit")
@needs_controller("pids")
def test_a_fork_bomb_stops_at_its_limit(container):
    """And is then ended as any other container."""
    config = Config().script("echo up; b() { b | b & wait; }; b 2>/dev/null")
    one = container(config.resource("pids", limit=40)).run_detached().wait_for_output("up")
    until(lambda: process.cgroup_file(one.cgroup, "pids.events").split()[1] != "0", "it is full")
    assert int(process.cgroup_file(one.cgroup, "pids.current")) <= 40
    assert process.cgroup_file(one.cgroup, "pids.max") == "40"
    one.delete("--force")


@pytest.mark.proves("linux.resources.cpu.quota", "linux.resources.cpu.period")
@needs_controller("cpu")
def test_a_cpu_quota_holds_within_a_tenth(container):
    """A busy loop with 30 % of a CPU, measured by the kernel over real time."""
    config = Config().script("while :; do :; done")
    one = container(config.resource("cpu", quota=30000, period=100000)).run_detached()

    def usage():
        lines = process.cgroup_file(one.cgroup, "cpu.stat").splitlines()
        return int(dict(line.split() for line in lines)["usage_usec"]) / 1e6

    until(lambda: usage() > 0.3, "it uses what it may")
    began, used = time.monotonic(), usage()
    until(lambda: time.monotonic() - began > 5, "five seconds")
    share = (usage() - used) / (time.monotonic() - began)
    assert 0.27 <= share <= 0.33, share


@pytest.mark.proves("linux.resources.cpu.shares")
@needs_controller("cpu")
def test_cpu_weights_in_the_cgroup(container):
    one = container(Config().sleeping().resource("cpu", shares=1024)).run_detached()
    assert process.cgroup_file(one.cgroup, "cpu.weight") == "100"


@pytest.mark.proves("linux.resources.cpu.cpus")
@needs_controller("cpuset")
def test_cpus(container):
    config = Config().script("grep Cpus_allowed_list /proc/self/status; sleep 1000")
    one = container(config.resource("cpu", cpus="0")).run_detached()
    one.wait_for_output("Cpus_allowed_list:\t0\n")


@pytest.mark.proves("linux.resources.blockIO.throttleWriteBpsDevice")
@needs_controller("io")
def test_io_limits(container, top):
    """Bytes a second of the disk below."""
    disk = os.stat(top).st_dev
    limit = {"major": os.major(disk), "minor": os.minor(disk), "rate": 5 * MIB}
    config = Config().sleeping().resource("blockIO", throttleWriteBpsDevice=[limit])
    one = container(config).run_detached()
    assert f"{os.major(disk)}:{os.minor(disk)}" in process.cgroup_file(one.cgroup, "io.max")
    assert f"wbps={5 * MIB}" in process.cgroup_file(one.cgroup, "io.max")


@needs_controller("memory")
def test_limits_after_a_reload_and_a_reexec(container):
    config = Config().sleeping().resource("memory", limit=64 * MIB, swap=96 * MIB)
    config.resource("pids", limit=50).resource("cpu", shares=512, quota=50000, period=100000)
    one = container(config).run_detached()
    names = ["memory.max", "memory.swap.max", "pids.max", "cpu.weight", "cpu.max"]
    before = [process.cgroup_file(one.cgroup, name) for name in names]
    for words in [["daemon-reload"], ["daemon-reexec"]]:
        systemd.systemctl(*words)
        assert [process.cgroup_file(one.cgroup, name) for name in names] == before


@pytest.mark.proves("linux.resources.unified")
@needs_controller("pids")
def test_unified_keys(container):
    """Those that are properties, as such; the others are written to the cgroup."""
    config = Config().sleeping().set("linux.resources.unified",
                                     {"pids.max": "33", "memory.oom.group": "1"})
    one = container(config).run_detached()
    assert one.properties("TasksMax")["TasksMax"] == "33"
    assert process.cgroup_file(one.cgroup, "memory.oom.group") == "1"


@needs_devices_bpf
def test_devices_during_fifty_reloads(container):
    """A denied device stays denied and an allowed one allowed, tried without a pause."""
    script = "mknod /dev/denied c 10 229; echo up; exec 2>/dev/null; while :; do " \
             "true < /dev/denied && echo denied was opened; " \
             "true < /dev/zero || echo allowed was refused; done"
    one = container(Config().script(script).resource("cpu", shares=2))
    one.run_detached().wait_for_output("up")
    for _ in range(50):
        systemd.systemctl("daemon-reload")
    systemd.systemctl("daemon-reexec")
    assert process.is_alive(one.pid)
    one.kill("KILL")
    assert one.output == "up\n"


def test_the_exit_of_what_was_killed_is_known(container):
    one = container().run_detached()
    one.kill("KILL")
    assert os.waitstatus_to_exitcode(os.waitpid(one.pid, 0)[1]) == -signal.SIGKILL


def test_no_limit(container):
    """-1 is none at all, whatever systemd's default is."""
    one = container(Config().sleeping().resource("pids", limit=-1)).run_detached()
    assert one.properties("TasksMax")["TasksMax"] == "infinity"
