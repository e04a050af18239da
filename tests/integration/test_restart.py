# SPDX-License-Identifier: LGPL-2.1-or-later
"""restart, and start of one that has stopped: of supervised containers, as systemctl does it."""

import signal
import subprocess

import pytest

from harness import process, systemd
from harness.config import Config
from harness.needs import needs_ocirt_sd
from harness.wait import DEADLINE, until

pytestmark = needs_ocirt_sd

# A first process of a pid namespace ignores what it has no handler for.
ENDS_ON_TERM = "trap 'exit 0' TERM; while :; do sleep 0.01; done"
STOP_SIGNAL = "org.opencontainers.image.stopSignal"


@pytest.fixture
def supervised(supervised):
    return lambda script=ENDS_ON_TERM, *options, **more: supervised(script, *options, **more)


def invocation(one):
    return systemd.show(one.service, "InvocationID")["InvocationID"]


def load_state(one):
    return systemd.show(one.service, "LoadState")["LoadState"]


@pytest.fixture
def bystander(supervised):
    """Another container, which is to be the same before and after."""
    one = supervised()
    before = one.state()
    yield one
    assert one.state() == before


def stop_cleanly(one):
    """systemd forgets a service that has not failed."""
    until(lambda: process.catches(one.state()["pid"], signal.SIGTERM), "the trap is set")
    one.runtime("stop", one.id)
    until(lambda: load_state(one) == "not-found", "it is forgotten")


def test_restart(supervised, bystander):
    one = supervised()
    before, first = one.state(), invocation(one)
    one.runtime("restart", one.id)
    after = one.state()
    assert after["status"] == "running" and after["pid"] != before["pid"] and after["created"] == before["created"]
    assert invocation(one) not in (first, "") and not process.is_alive(before["pid"])
    assert one.output_of("echo", "in", "it") == "in it\n"


def test_restart_stops_it_first_by_its_own_signal(supervised, bundles):
    volume = bundles.scratch("restart")
    volume.chmod(0o777)
    script = "trap 'sleep 0.2; echo ended >> /mnt/log; exit' USR1; echo began >> /mnt/log; while :; do sleep 0.01; done"
    config = Config("sh", "-c", script).bind(volume, "/mnt", "rbind", "rw").set("annotations", {STOP_SIGNAL: "SIGUSR1"})
    one = supervised(config=config)
    until(lambda: process.catches(one.state()["pid"], signal.SIGUSR1), "the trap is set")
    one.runtime("restart", one.id)
    until(lambda: (volume / "log").read_text(encoding="ascii") == "began\nended\nbegan\n", "it was stopped, and started")


def test_restart_takes_no_longer_than_it_is_given(supervised):
    one = supervised("trap '' TERM; while :; do sleep 0.01; done", "--stop-timeout", "infinity")
    until(lambda: process.ignores(one.state()["pid"], signal.SIGTERM), "the trap is set")
    first = one.state()["pid"]
    one.runtime("restart", "--time", "0", one.id)
    assert one.status == "running" and one.state()["pid"] != first


@pytest.mark.parametrize("verb", ["start", "restart"])
@pytest.mark.parametrize("how", ["forgotten", "failed"])
def test_one_that_has_stopped(supervised, bystander, verb, how):
    one = supervised()
    created = one.state()["created"]
    if how == "forgotten":
        stop_cleanly(one)
    else:
        one.kill("KILL")
        until(lambda: systemd.show(one.service, "ActiveState")["ActiveState"] == "failed", "it failed")
    assert one.status == "stopped"
    one.runtime(verb, one.id)
    assert one.status == "running" and one.state()["created"] == created
    assert systemd.show(one.service, "MainPID")["MainPID"] == str(one.state()["pid"])
    stop_cleanly(one)
    assert one.runtime("wait", one.id) == "0\n"


def test_what_is_written_is_one_log(supervised):
    one = supervised(f"echo hi; {ENDS_ON_TERM}")
    stop_cleanly(one)
    one.start()
    until(lambda: one.runtime("logs", one.id) == "hi\nhi\n", "both lines")


def test_start_of_one_that_runs(supervised):
    one = supervised()
    before = one.state()
    assert f"cannot start container {one.id}: it is running, not created" in one.runtime.fails("start", one.id)
    assert one.state() == before


def test_one_that_waited_to_be_started(supervised):
    one, other = supervised(verb="create"), supervised(verb="create")
    one.runtime("restart", one.id)
    assert one.status == "running"
    other.runtime("stop", other.id)
    other.start()
    assert other.status == "running"


def test_one_that_is_paused(supervised):
    one = supervised()
    one.runtime("pause", one.id)
    one.runtime("restart", one.id)
    assert one.status == "running"


def test_one_that_was_killed_while_it_was_paused(supervised):
    """Of a cgroup in which a process is ending the kernel does not say that it is frozen, and yet who is born there is."""
    for _ in range(20):
        one = supervised()
        one.runtime("pause", one.id)
        one.kill("KILL")
        until(lambda one=one: systemd.show(one.service, "ActiveState")["ActiveState"] == "failed", "it failed")
        one.start()
        assert one.status == "running"
        one.delete("--force")


def test_what_systemctl_has_set_stays(supervised):
    one = supervised()
    systemd.systemctl("set-property", "--runtime", one.service, "TasksMax=77")
    one.runtime("restart", one.id)
    assert systemd.show(one.service, "TasksMax")["TasksMax"] == "77"


@pytest.mark.parametrize("verb, how", [("restart", "running"), ("start", "forgotten"), ("start", "failed")])
def test_one_that_cannot_be_started_any_more(supervised, verb, how):
    one = supervised()
    if how == "forgotten":
        stop_cleanly(one)
    elif how == "failed":
        one.kill("KILL")
        until(lambda: systemd.show(one.service, "ActiveState")["ActiveState"] == "failed", "it failed")
    program = one.bundle.inside("bin/sh")
    program.rename(program.with_suffix(".away"))
    message = one.runtime.fails(verb, one.id)
    assert 'exec: "sh": executable file not found in $PATH' in message, message
    assert one.status == "stopped"
    assert message in one.runtime.fails("start", one.id)
    program.with_suffix(".away").rename(program)
    one.start()
    assert one.status == "running"


def test_too_often(supervised):
    one = supervised()
    for _ in range(20):
        result = one.runtime.call("restart", one.id)
        if result.status:
            break
    assert "start-limit-hit" in result.stderr and f"reset-failed {one.service}" in result.stderr, str(result)
    systemd.systemctl("reset-failed", one.service)
    one.start()
    assert one.status == "running"


def test_somebody_else_has_its_name_meanwhile(supervised):
    one = supervised()
    stop_cleanly(one)
    with systemd.TransientUnit(one.service, ["sleep", "1000"]) as other:
        before = other.invocation
        for verb in ("start", "restart"):
            assert f"stop {one.service}" in one.runtime.fails(verb, one.id)
        assert other.invocation == before
    one.start()
    assert one.status == "running"


def test_by_many_at_once(supervised):
    one = supervised()
    stop_cleanly(one)
    callers = [one.runtime.start_process("start", one.id, stderr=subprocess.PIPE, text=True) for _ in range(4)]
    ends = [(caller.wait(DEADLINE), caller.communicate()[1]) for caller in callers]
    assert all(status == 0 or "it is running, not created" in words for status, words in ends), ends
    assert any(status == 0 for status, words in ends) and one.status == "running"


def test_across_a_reexecution(supervised):
    one = supervised()
    caller = one.runtime.start_process("restart", one.id)
    systemd.systemctl("daemon-reexec")
    assert caller.wait(DEADLINE) == 0 and one.status == "running"


def test_several(supervised, container):
    one, other, scope = supervised(), supervised(), container().run_detached()
    stop_cleanly(other)
    result = one.runtime.call("restart", one.id, scope.id, other.id)
    assert result.status == 1 and result.stderr.count("\n") == 1 and scope.id in result.stderr, str(result)
    assert {one.status, other.status, scope.status} == {"running"}


def test_of_a_scope_it_is_said_what_to_do(container):
    one = container().run_detached()
    pid = one.state()["pid"]
    message = one.runtime.fails("restart", one.id)
    assert "not supervised" in message and f"--bundle {one.bundle.path}" in message and "--supervise" in message
    assert one.state()["pid"] == pid
    one.runtime("stop", "--time", "0", one.id)
    message = one.runtime.fails("start", one.id)
    assert f"cannot start container {one.id}: it is stopped, not created" in message and str(one.bundle.path) in message
    assert "not supervised" in one.runtime.fails("restart", one.id)
    assert "container does not exist" in one.runtime.fails("restart", "nosuch")
