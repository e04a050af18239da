# SPDX-License-Identifier: LGPL-2.1-or-later
"""Containers that version 0.1.0 has left (harness/old.py), under every verb."""

import contextlib
import errno
import json
import os
import signal
import socket
import struct
import threading
from pathlib import Path

import pytest

from harness import process, systemd, user
from harness.config import Config
from harness.holder import Holder
from harness.needs import needs_devices_bpf, needs_ocirt_sd, needs_privileged_namespaces, needs_root
from harness.old import leave, leave_notifying
from harness.terminal import ConsoleSocket
from harness.wait import DEADLINE, until
from test_own_cgroup import PAYLOAD, service  # noqa: F401

pytestmark = needs_ocirt_sd

STATUSES = ["created", "running", "paused", "stopped"]
# Without a pid namespace of their own the processes outlive the first.
SEVERAL = "sleep 1000 & sleep 1000 & trap 'exit 0' TERM; while :; do sleep 1000 & wait $!; done"


def is_gone(one):
    return not (one.runtime.root / one.id).exists()


def members(cgroup):
    try:
        return process.members(cgroup)
    except FileNotFoundError:
        return []


# --- in every status

@pytest.mark.parametrize("status", STATUSES)
def test_it_is_seen(container, status):
    one = leave(container(), status)
    state = one.state()
    assert state["status"] == status and state["pid"] == (0 if status == "stopped" else one.pid)
    assert state["bundle"] == str(one.bundle.path) and state["rootfs"] == str(one.bundle.rootfs)
    assert next(row for row in one.runtime.list() if row["id"] == one.id)["status"] == status
    if status != "stopped":
        assert one.pid in json.loads(one.runtime("ps", "--format", "json", one.id))
        assert json.loads(one.runtime("events", "--stats", one.id))["type"] == "stats"


@pytest.mark.parametrize("status", STATUSES)
def test_it_is_deleted(container, status):
    """By force at any time, and else when it is stopped."""
    one = leave(container(), status)
    pid, unit = one.pid, f"ocirt-sd-{one.id}.scope"
    if status != "stopped":
        assert "not stopped" in one.runtime.fails("delete", one.id)
    one.delete(*([] if status == "stopped" else ["--force"]))
    assert is_gone(one) and not process.is_alive(pid)
    until(lambda: not systemd.is_loaded(unit), "its scope is gone")


@pytest.mark.parametrize("status", STATUSES)
def test_it_is_stopped(container, status):
    one = leave(container(), status)
    if status == "created":
        assert "never started" in one.runtime.fails("stop", one.id)
        one.kill("KILL")
    else:
        one.runtime("stop", one.id)
    assert one.wait_for_end().status == "stopped"
    one.delete()


@pytest.mark.parametrize("status", STATUSES)
def test_a_command_in_it(container, status):
    one = leave(container(), status)
    refused = {"paused": "it is paused", "stopped": "container not running"}
    if user.ORDINARY:
        refused["created"] = "it has to be started"
    if status in refused:
        assert refused[status] in one.runtime.fails("exec", one.id, "true")
    else:
        assert one.output_of("echo", "there") == "there\n"


# --- what it does next

def test_it_is_started(container):
    """start returns when the program has been executed."""
    one = leave(container(), "created").start()
    assert one.status == "running" and process.comm(one.pid) == "sh"


START, ERROR = 16, 9  # what 0.1.0 calls them
HEAD = struct.Struct("=Ii")


@contextlib.contextmanager
def waiting(one, answer):
    """In the place of a process of 0.1.0's that waits to be started: it hears one word and answers."""
    def serve():
        with listener.accept()[0] as connection:
            heard.append(connection.recv(8192))
            connection.sendall(answer)

    heard, gate = [], one.runtime.root / one.id / "gate"
    gate.unlink()
    here = os.open(gate.parent, os.O_PATH)
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listener:
        listener.bind(f"/proc/self/fd/{here}/gate")
        os.close(here)
        listener.listen()
        listener.settimeout(DEADLINE)
        thread = threading.Thread(target=serve)
        thread.start()
        yield heard
        thread.join()


def test_the_word_at_the_gate(container):
    one = leave(container(), "created")
    with waiting(one, b"") as heard:
        one.start()
    assert HEAD.unpack_from(heard[0])[0] == START


def test_an_error_at_the_gate(container):
    one = leave(container(), "created")
    with waiting(one, HEAD.pack(ERROR, errno.ENOENT) + b"what 0.1.0 says"):
        assert one.runtime.fails("start", one.id).endswith("what 0.1.0 says")


def test_hooks_and_a_stop_signal(container, bundles):
    """They are in config.json alone."""
    log = bundles.scratch("hooks") / "log"
    config = Config().script("trap 'touch /mnt/signalled; exit' USR1; echo up; while :; do sleep 1000 & wait $!; done")
    config.annotation("org.opencontainers.image.stopSignal", "SIGUSR1").annotation("a=", "b\\c\n=")
    for kind in ["poststart", "poststop"]:
        config.hook(kind, "/bin/sh", "-c", f"cat >>{log}; echo >>{log}")
    one = leave(container(config), "created", "hooks").start().wait_for_output("up")
    pid = one.pid
    one.runtime("stop", one.id)
    assert one.bundle.inside("mnt/signalled").exists()
    one.delete()
    started, stopped = map(json.loads, log.read_text(encoding="utf-8").splitlines())
    assert (started["status"], started["pid"], stopped["status"]) == ("running", pid, "stopped")
    assert started["annotations"] == stopped["annotations"] == config.get("annotations")


def test_it_is_paused_and_resumed(container):
    one = leave(container(), "running")
    one.runtime("pause", one.id)
    assert one.status == "paused"
    one.runtime("resume", one.id)
    assert one.status == "running"


def test_it_is_resumed(container):
    one = leave(container(), "paused")
    one.runtime("resume", one.id)
    assert one.status == "running" and one.output_of("echo", "there") == "there\n"


@needs_devices_bpf
def test_it_is_updated(container):
    rule = {"allow": True, "type": "c", "major": 10, "minor": 229, "access": "rw"}
    one = leave(container(), "running")
    one.runtime("update", "--resources=-", one.id, input=json.dumps({"devices": [rule]}).encode())
    assert "10:229 rw" in one.properties("DeviceAllow")["DeviceAllow"]


def test_systemd_stops_it(container):
    one = leave(container(), "running")
    systemd.stop(one.unit)
    assert one.wait_for_end().status == "stopped"
    one.delete()


def test_its_terminal(container, top):
    with ConsoleSocket(str(top / "upgrade.sock")) as console:
        one = leave(container(Config("sh").terminal()), "running", "plain", "--console-socket", console.path)
        with console.terminal() as master:
            master.type(b"echo $((6 * 7))-\n")
            master.read_until(b"42-")
            assert one.output_of("echo", "there") == "there\n"
            one.delete("--force")


@pytest.mark.parametrize("status", ["created", "stopped"])
def test_where_it_was_to_notify(container, status):
    one = leave_notifying(container(), status)
    one.delete("--force")
    assert is_gone(one)


@needs_privileged_namespaces
@pytest.mark.parametrize("status", STATUSES)
def test_its_mounts_in_a_joined_namespace(container, status):
    with Holder("--mount") as holder:
        table = Path(f"/proc/{holder.pid}/mountinfo")
        before = table.read_text()
        one = leave(container(Config().sleeping().namespace("mount", holder.path("mount"))), status)
        assert str(one.bundle.rootfs) in table.read_text()
        one.delete("--force")
        assert table.read_text() == before


# --- processes that outlive the first, as in a pid namespace of others

def several(container, record="plain", **more):
    """Four that run."""
    config = Config().script(SEVERAL).without_namespace("pid")
    for path, value in more.items():
        config.set(f"linux.{path}", value)
    one = leave(container(config), "running", record)
    until(lambda: len(members(one.cgroup)) == 4, "all run")
    return one


def call(one, verb, *options_and_signal):
    options = [word for word in options_and_signal if word.startswith("-")]
    one.runtime(verb, *options, one.id, *options_and_signal[len(options):])


@pytest.mark.parametrize("words", [["stop"], ["delete", "--force"], ["kill", "--all", "KILL"]])
def test_all_of_its_processes_end(container, words):
    """Also those that are left when stop has waited for the first."""
    one = several(container)
    cgroup, unit = one.cgroup, one.unit
    call(one, *words)
    until(lambda: not members(cgroup), "all end")
    until(lambda: not systemd.is_loaded(unit), "its scope is gone")


def test_nobody_can_tell_whose_they_are(container):
    """Which cgroup its is stands nowhere: of what may be somebody else's by now delete says where it is."""
    one = several(container)
    cgroup, unit = one.cgroup, one.unit
    os.kill(one.pid, signal.SIGKILL)
    one.wait_for_end()
    result = one.runtime.call("delete", one.id)
    assert result.status == 0 and is_gone(one) and unit in result.stderr, str(result)
    assert len(members(cgroup)) == 3
    systemd.stop(unit)


# --- in a cgroup of the caller's unit, which 0.1.0 has marked

from_outside = needs_root("moves into a unit from outside of it")


@from_outside
@pytest.mark.parametrize("status", STATUSES)
def test_in_a_cgroup_of_its_own(service, container, status):  # noqa: F811
    one = leave(container(Config().sleeping().set("linux.cgroupsPath", PAYLOAD)), status, "own-cgroup")
    assert one.status == status
    if status == "paused":
        one.runtime("resume", one.id)
    if status in ("running", "paused"):
        assert one.output_of("cat", "/proc/self/cgroup").endswith("0::/\n")
    one.delete("--force")
    assert is_gone(one) and not (process.CGROUPS / PAYLOAD[1:]).exists()


@from_outside
@pytest.mark.parametrize("words", [["stop"], ["delete"], ["kill", "--all", "KILL"]])
def test_what_outlives_the_first_in_a_cgroup_of_its_own(service, container, words):  # noqa: F811
    one = several(container, "own-cgroup", cgroupsPath=PAYLOAD)
    os.kill(one.pid, signal.SIGKILL)
    one.wait_for_end()
    call(one, *words)
    until(lambda: not members(PAYLOAD), "all end")
