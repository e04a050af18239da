# SPDX-License-Identifier: LGPL-2.1-or-later
"""Limits of config.json hold: memory, tasks, cpu. That they are there at all is in test_resources.py."""

import os
import signal

import pytest

from harness import process
from harness.config import Config
from harness.needs import needs_controller
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
    """A busy loop with 30 % of a CPU: 30 ms in each period of 100 ms in which it was stopped, and in none much more."""
    config = Config().script("while :; do :; done")
    one = container(config.resource("cpu", quota=30000, period=100000)).run_detached()

    def stat():
        lines = process.cgroup_file(one.cgroup, "cpu.stat").splitlines()
        found = {name: int(value) for name, value in (line.split() for line in lines)}
        return found["nr_throttled"], found["nr_periods"], found["usage_usec"]

    before = until(lambda: stat()[0] > 3 and stat(), "it uses what it may")
    after = until(lambda: stat()[0] > before[0] + 30 and stat(), "it was stopped thirty times")
    throttled, periods, used = (late - early for early, late in zip(before, after))
    assert 0.9 * throttled * 30000 <= used <= 1.1 * (periods + 1) * 30000


@pytest.mark.proves("linux.resources.cpu.cpus")
@needs_controller("cpuset")
def test_cpus(container):
    config = Config().script("grep Cpus_allowed_list /proc/self/status; sleep 1000")
    one = container(config.resource("cpu", cpus="0")).run_detached()
    one.wait_for_output("Cpus_allowed_list:\t0\n")


def test_the_exit_of_what_was_killed_is_known(container):
    one = container().run_detached()
    one.kill("KILL")
    assert os.waitstatus_to_exitcode(os.waitpid(one.pid, 0)[1]) == -signal.SIGKILL


def test_no_limit(container):
    """-1 is none at all, whatever systemd's default is."""
    one = container(Config().sleeping().resource("pids", limit=-1)).run_detached()
    assert one.properties("TasksMax")["TasksMax"] == "infinity"


@needs_controller("memory")
def test_the_end_of_one_that_is_killed_by_the_limit(container):
    """It is stopped, and who waits for it hears the signal."""
    config = Config().script("x=a; while :; do x=$x$x; done")
    config.resource("memory", limit=32 << 20, swap=32 << 20)
    one = container(config).run_detached().wait_for_end()
    assert one.status == "stopped"
    assert os.waitstatus_to_exitcode(os.waitpid(one.pid, 0)[1]) == -signal.SIGKILL
