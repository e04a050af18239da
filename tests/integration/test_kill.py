# SPDX-License-Identifier: LGPL-2.1-or-later
"""What a signal reaches: the first process, all processes, those that hide."""

import json
import os
import shutil
import signal
import subprocess
from pathlib import Path

import pytest

from harness import locks, process, systemd
from harness.config import CAPABILITIES, Config
from harness.needs import needs_ocirt_sd, needs_root
from harness.wait import DEADLINE, until

PROGRAMS = Path(os.environ.get("OCIRT_PROGRAMS", "/tests/programs"))
SHARED = "sleep 1000 & sleep 1000 & echo there; wait"
LEAVES = "sleep 1000 & echo there"


def shared(script):
    """In the pid namespace of the caller."""
    return Config().script(script).without_namespace("pid")


def group(one):
    """Its cgroup, while there is a first process to ask."""
    return one.wait_for_output("there").cgroup


def runs_in(path):
    try:
        return process.members(path)
    except OSError:  # it is gone, or about to be
        return []


def test_kill_without_a_pid_namespace_ends_all(container):
    """The end of the first process is that of no other there."""
    one = container(shared(SHARED)).run_detached()
    path = group(one)
    assert len(process.members(path)) == 3
    one.kill("KILL")
    until(lambda: not runs_in(path), "all have ended")


def test_other_signals_are_for_the_first_process(container):
    one = container(shared(f"trap 'echo heard' USR1; {SHARED}; while :; do wait; done")).run_detached()
    path = group(one)
    one.kill("USR1")
    one.wait_for_output("heard")
    assert len(process.members(path)) == 3


def test_kill_when_the_first_process_has_ended(container):
    """Which is what "stopped" means; what is left of it can be ended all the same, once."""
    one = container(shared(LEAVES)).create()
    path = one.cgroup
    one.start().wait_for_end()
    assert one.status == "stopped" and len(process.members(path)) == 1
    assert "container not running" in one.runtime.fails("kill", one.id, "TERM")
    one.kill("KILL")
    until(lambda: not runs_in(path), "all have ended")
    assert "container not running" in one.runtime.fails("kill", one.id, "KILL")
    one.delete()


@pytest.fixture(params=[[], ["child"]], ids=["itself", "child"])
def leaderless(request, container):
    """Its first process, or a child of it, has but another thread than its first left: Linux 6.18 passes over such a one at
    cgroup.kill."""
    config = Config("/leaderless", *request.param)
    one = container(config.without_namespace("pid") if request.param else config)
    shutil.copy(PROGRAMS / "leaderless", one.bundle.rootfs)
    one.run_detached().wait_for_output("there")
    return one


def test_kill_when_the_first_thread_has_ended(leaderless):
    path = leaderless.cgroup
    leaderless.kill("KILL")
    until(lambda: not runs_in(path), "all have ended")


def test_delete_when_the_first_thread_has_ended(leaderless):
    path = leaderless.cgroup
    leaderless.delete("--force")
    assert not runs_in(path)


def test_a_process_whose_threads_change_is_alive(container):
    """Each thread that is looked at may have ended, and have made one that is not."""
    one = container(Config("/hopping"))
    shutil.copy(PROGRAMS / "hopping", one.bundle.rootfs)
    path = one.run_detached().wait_for_output("there").cgroup
    assert {one.status for _ in range(500)} == {"running"}
    one.kill("KILL")
    until(lambda: not runs_in(path), "its end")


@pytest.fixture
def holder(container):
    """A process that traces the second thread of another one, and never collects that."""
    one = container(strong(Config("/hold-thread", "hold")))
    shutil.copy(PROGRAMS / "hold-thread", one.bundle.rootfs)
    return one.run_detached()


def strong(config):
    names = [*CAPABILITIES, "CAP_SYS_PTRACE"]
    return config.capabilities(bounding=names, effective=names, permitted=names)


def is_held(pid, parent):
    try:
        return process.parent(pid) == parent and process.comm(pid) == "held"
    except OSError:  # it has ended since
        return False


@needs_root("in a user namespace of its own the one cannot trace the other")
def test_a_thread_that_is_kept_is_dead(holder, container):
    """By a process of another container, which is in its pid namespace."""
    one = container(Config("/hold-thread", "threads").namespace("pid", f"/proc/{holder.pid}/ns/pid"))
    shutil.copy(PROGRAMS / "hold-thread", one.bundle.rootfs)
    one.run_detached()
    holder.wait_for_output("holds")
    one.kill("KILL")
    until(lambda: one.status == "stopped", "its end")
    one.delete()
    assert holder.status == "running"


@needs_root("in a user namespace of its own the one cannot trace the other")
def test_a_signal_ends_the_wait_for_a_thread_that_is_kept(holder):
    command = holder.runtime.command("exec", holder.id, "/hold-thread", "threads")
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as waiting:
        try:
            holder.wait_for_output("holds")
            pid, = (pid for pid in process.every_pid() if is_held(pid, waiting.pid))
            os.kill(pid, signal.SIGKILL)
            until(lambda: process.has_ended(pid), "its end")
            waiting.terminate()
            _, error = waiting.communicate(timeout=DEADLINE)
        finally:
            waiting.kill()
    assert waiting.returncode > 0 and b"keeps how" in error


@pytest.fixture
def keeping(keeper):
    """Makes a container that keeps the directory of its cgroup: who looks up a name in there waits."""
    return lambda config: keeper(config).run_detached().wait_for_output("held")


@locks.needs_power
@pytest.mark.parametrize("words", [["kill", "ID", "KILL"], ["delete", "--force", "ID"]], ids=["kill", "delete"])
def test_who_keeps_the_directory_of_its_cgroup_is_ended(keeping, words):
    one = keeping(Config(*locks.OWN_CGROUP))
    path = one.cgroup
    assert locks.call(one, *(word.replace("ID", one.id) for word in words)) == 0
    until(lambda: not runs_in(path), "all have ended")


@locks.needs_power
@needs_ocirt_sd
def test_who_keeps_the_directory_of_its_cgroup_is_stopped(keeping):
    one = keeping(Config(*locks.OWN_CGROUP))
    assert locks.call(one, "stop", "--time", "0", one.id) == 0


@locks.needs_power
@needs_ocirt_sd
@pytest.mark.parametrize("words", [["kill", "ID", "KILL"], ["delete", "--force", "ID"]], ids=["kill", "delete"])
def test_another_than_the_first_process_that_keeps_it(keeping, words):
    """What it takes to end it was looked up before it came."""
    one = keeping(Config().script(f"{' '.join(locks.OWN_CGROUP)} & wait").without_namespace("pid"))
    path = one.cgroup
    assert locks.call(one, *(word.replace("ID", one.id) for word in words)) == 0
    until(lambda: not runs_in(path), "all have ended")


@locks.needs_power
@needs_ocirt_sd
def test_systemd_goes_on_when_it_pauses_who_keeps_the_directory_of_his_cgroup(keeping):
    one = keeping(Config(*locks.OWN_CGROUP))
    locks.call(one, "pause", one.id)
    assert process.is_alive(one.pid) and systemd.show(one.unit, "ActiveState") == {"ActiveState": "active"}


CGROUP_RW = ["nosuid", "noexec", "nodev", "rw"]


@pytest.fixture
def hiding(container):
    """A container with processes in cgroups with names of any kind, one of them deeper than we may open files."""
    deep = "i=0; while [ $i -lt 400 ]; do busybox mkdir d && cd d; i=$((i+1)); done"
    script = f"""cd /sys/fs/cgroup
busybox mkdir -p .x/.y ..z '...' 'a b'
for place in .x .x/.y ..z '...' 'a b'; do sleep 1000 & echo $! > "$place/cgroup.procs"; done
cd .x/.y; {deep}; sleep 1000 & echo $! > cgroup.procs; echo there; wait"""
    config = Config().script(script).without_mount("/sys/fs/cgroup")
    one = container(config.mount("/sys/fs/cgroup", "cgroup", "cgroup", *CGROUP_RW)).run_detached()
    one.wait_for_output("there")
    return one


@needs_ocirt_sd
def test_ps_and_kill_all_see_every_cgroup(hiding):
    limits = ["prlimit", "--nofile=64"]
    call = hiding.runtime.call("ps", "--format", "json", hiding.id, prefix=limits)
    pids = json.loads(call.stdout)
    assert len(pids) == 7 and hiding.pid in pids
    assert hiding.runtime.call("kill", "--all", hiding.id, "TERM", prefix=limits).status == 0
    until(lambda: not any(process.is_alive(pid) for pid in pids if pid != hiding.pid), "all but the first heard it")
