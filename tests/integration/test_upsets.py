# SPDX-License-Identifier: LGPL-2.1-or-later
"""Others act on the container, or on us half-way: state tells the truth, delete --force ends."""

import fcntl
import os
import re
import select
import signal
import subprocess
import threading

import pytest

from harness import process, systemd
from harness.config import Config
from harness.needs import needs_ocirt_sd
from harness.wait import DEADLINE, until


@pytest.fixture
def running(container):
    return container().run_detached()


# --- signals

def test_an_init_that_dies_before_it_hears_start(container):
    """Then start has not succeeded."""
    one = container().create()
    os.kill(one.pid, signal.SIGSTOP)
    start = one.runtime.start_process("start", one.id, stderr=subprocess.PIPE, text=True)
    until(lambda: process.waits(start.pid), "it waits for the answer")
    os.kill(one.pid, signal.SIGKILL)
    message = start.communicate(timeout=DEADLINE)[1]
    assert start.returncode > 0 and "ended" in message


# --- systemctl

def test_systemctl_stop(running):
    pid = running.pid
    systemd.stop(running.unit)
    assert running.status == "stopped"
    assert not process.is_alive(pid)
    running.delete()


def test_systemctl_kill(running):
    systemd.systemctl("kill", "--signal=KILL", running.unit)
    running.wait_until("stopped")
    running.delete()


def test_systemctl_freeze_and_thaw(running):
    systemd.systemctl("freeze", running.unit)
    assert running.status == "paused"
    systemd.systemctl("thaw", running.unit)
    assert running.status == "running"


@needs_ocirt_sd
def test_systemctl_sees_a_pause(running):
    """Either side may undo what the other did."""
    running.runtime("pause", running.id)
    assert running.properties("FreezerState")["FreezerState"] == "frozen"
    systemd.systemctl("thaw", running.unit)
    assert running.status == "running"
    systemd.systemctl("freeze", running.unit)
    running.runtime("resume", running.id)
    assert running.properties("FreezerState")["FreezerState"] == "running"


def test_systemctl_stop_of_a_paused_container(running):
    """From version 255 or so on systemd refuses it."""
    running.runtime("pause", running.id)
    systemd.systemctl("stop", running.unit, check=False)
    assert running.status == ("stopped" if not process.is_alive(running.pid) else "paused")


def test_kill_9_of_init(running):
    os.kill(running.pid, signal.SIGKILL)
    running.wait_until("stopped")
    assert running.runtime.list()[0]["status"] == "stopped"


# --- a stop in the middle of another verb

def tell(one, words, results):
    results.append(one.runtime.call(*words))


@needs_ocirt_sd
@pytest.mark.parametrize("words", [["exec", "ID", "/bin/true"], ["pause", "ID"], ["ps", "--format=json", "ID"],
                                   ["update", "--pids-limit=10", "ID"], ["events", "--stats", "ID"]],
                         ids=lambda words: words[0])
@pytest.mark.parametrize("end", [["kill", "KILL"], ["systemctl", "stop"]], ids=" ".join)
def test_a_stop_that_overtakes_a_verb(container, words, end):
    """Whatever it was in the middle of, that the container does not run any more is what it says."""
    one = container()
    words = [one.id if word == "ID" else word for word in words]
    results = []
    for number in range(12):
        one.run_detached()
        unit = one.unit
        until(lambda: process.catches(one.pid, signal.SIGTERM), "a stop does not take its whole time")
        threads = [threading.Thread(target=tell, args=[one, words, results]) for _ in range(4)]
        for thread in threads[:number % 4 + 1]:
            thread.start()
        if end[0] == "systemctl":
            systemd.systemctl("stop", unit, check=False)
        else:
            one.kill("KILL")
        for thread in threads[number % 4 + 1:]:
            thread.start()
        for thread in threads:
            thread.join()
        one.delete("--force")
    messages = {result.stderr for result in results if result.stderr}
    assert messages and all(re.search("container not running|it is paused|not available|not delegated", text) for text in messages), messages


@needs_ocirt_sd
def test_who_holds_the_lock_may_wait_for_the_container(running):
    """A verb that closes a file of it (FUSE) cannot be killed before the container is: here it is us."""
    directory = os.open(running.runtime.root / running.id, os.O_RDONLY)
    fcntl.flock(directory, fcntl.LOCK_EX)
    init = os.pidfd_open(running.pid)

    def hold():
        select.select([init], [], [], DEADLINE)
        os.close(directory)
    threading.Thread(target=hold, daemon=True).start()
    running.delete("--force")
    assert not process.is_alive(running.pid)


# --- what others did to the record, or what a crash left of it

def test_a_record_from_before_a_reboot(running, runtime):
    """Its pid may be somebody else's today."""
    record = runtime.root / running.id / "record"
    kept = record.read_text(encoding="utf-8")
    boot = open("/proc/sys/kernel/random/boot_id", encoding="ascii").read().strip()
    assert boot in kept
    record.write_text(kept.replace(boot, "00000000-0000-0000-0000-000000000000"))
    assert running.status == "stopped"
    running.runtime.fails("kill", running.id, "KILL")
    assert process.is_alive(running.pid)
    record.write_text(kept)


@needs_ocirt_sd
@pytest.mark.parametrize("content", [None, b"", b"version=1\n", b"version=1\n" + b"\0\xff" * 500,
                                     b"version=99\nend=\n"])
def test_a_broken_record_can_be_deleted(runtime, running, content):
    """What cannot be read of a container does not hide the others, and goes by force."""
    directory = runtime.root / "broken"
    directory.mkdir(mode=0o700)
    if content is not None:
        (directory / "record").write_bytes(content)
    assert running.id in runtime("list")
    assert running.id in [row["id"] for row in runtime.list()]
    runtime("delete", "--force", "broken")
    assert not directory.exists()


# --- kill -9 of the runtime itself, at every stage of a create

def traced(call, number):
    """strace that kills the program at the n-th call of a kind."""
    return ["strace", "-qq", "-o", "/dev/null", "-e", f"trace={call}",
            "-e", f"inject={call}:signal=KILL:when={number}"]


@needs_ocirt_sd
@pytest.mark.parametrize("call, number", [("mkdirat", 1), ("renameat", 1), ("renameat", 2),
                                          ("renameat", 3), ("sendmsg", 1), ("sendmsg", 2),
                                          ("sendmsg", 3), ("recvmsg", 2), ("recvmsg", 4),
                                          ("recvmsg", 6), ("poll", 1), ("poll", 3), ("poll", 5),
                                          ("getxattr", 1)])
def test_half_a_create_can_be_undone(container, call, number):
    """Killed at that call, the leavings are listed truly and deleted by force."""
    one = container()
    command = one.runtime.command("create", "--bundle", str(one.bundle.path), one.id)
    with one.log.open("wb") as log:
        subprocess.run([*traced(call, number), *command], check=False, timeout=DEADLINE, stdout=log,
                       stderr=log, stdin=subprocess.DEVNULL)
    states = {row["id"]: row["status"] for row in one.runtime.list()}
    assert states.get(one.id) in (None, "creating", "created", "stopped")
    one.delete("--force")
    one.delete("--force")
    until(lambda: not one.runtime.list(), "it is gone")
    one.create()
    assert one.status == "created"
