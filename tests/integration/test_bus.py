# SPDX-License-Identifier: LGPL-2.1-or-later
"""The way to systemd breaks, or nobody answers at its end."""

import json
import os
import signal
import subprocess
import time

import pytest

from harness import process, systemd, user
from harness.config import Config
from harness.leftovers import Watch
from harness.needs import needs_devices_bpf, needs_ocirt_sd, needs_ordinary_user
from harness.relay import Relay
from harness.wait import DEADLINE, until

pytestmark = needs_ocirt_sd

DEVICES = json.dumps({"devices": [{"allow": False, "access": "rwm"}]})


@pytest.fixture
def relay(bundles):
    with Relay(bundles.scratch("run")) as one:
        yield one


# --- it breaks

@pytest.mark.parametrize("method, state, words", [
    ("StartTransientUnit", None, ["create", "--bundle", "{bundle}", "{id}"]),
    ("StartTransientUnit", None, ["run", "--detach", "--bundle", "{bundle}", "{id}"]),
    ("Freeze", "running", ["pause", "{id}"]),
    ("Thaw", "paused", ["resume", "{id}"]),
    pytest.param("SetProperties", "running", ["update", "--resources", "-", "{id}"], marks=needs_devices_bpf)])
def test_a_call_that_is_lost_is_made_again(container, relay, method, state, words):
    one = container()
    if state:
        one.run_detached()
    if state == "paused":
        one.runtime("pause", one.id)
    relay.break_at(method)
    words = [word.format(id=one.id, bundle=one.bundle.path) for word in words]
    one.runtime(*words, input=DEVICES.encode(), **relay.options)
    assert relay.seen == 1
    expected = {"create": "created", "pause": "paused"}.get(words[0], "running")
    assert one.status == expected
    one.runtime("delete", "--force", one.id)


def test_a_call_whose_error_nobody_asks_for(container, relay):
    """A failed unit of that name is reset; here it is one that runs, which stays."""
    one = container(Config().sleeping().set("linux.cgroupsPath", "system.slice:test:taken"))
    with systemd.TransientUnit("test-holder.service", ["systemd-run", *user.OPTIONS, "--scope", "--unit=test-taken.scope",
                                                       "sleep", "1000"]):
        until(lambda: systemd.is_loaded("test-taken.scope"), "it runs")
        relay.break_at("ResetFailedUnit")
        message = one.runtime.fails("create", "--bundle", one.bundle.path, one.id, **relay.options)
        assert relay.seen == 1 and "test-taken.scope" in message and "already" in message
        assert systemd.is_loaded("test-taken.scope")
        systemd.stop("test-taken.scope")


def test_a_request_that_arrives_after_a_delete(container, relay):
    """create is killed while systemd is busy, and its process has not been collected when systemd gets to it."""
    one = container()
    unit = f"ocirt-sd-{one.id}.scope"
    begun = []

    def overtake():
        creating.kill()
        creating.wait()
        begun.append(one.runtime.start_process("delete", "--force", one.id))
        until(lambda: begun[0].poll() is not None or process.waits(begun[0].pid), "it has nothing left to do, or waits")

    relay.act_at("StartTransientUnit", overtake)
    creating = one.runtime.start_process("create", "--bundle", one.bundle.path, one.id, **relay.options)
    until(lambda: begun and begun[0].poll() is not None, "it is deleted")
    assert begun[0].returncode == 0 and one.runtime.list() == []
    one.create()
    assert one.status == "created" and systemd.is_loaded(unit)


# --- nobody answers

AT_WORK_SECONDS = 30  # for one that does something meanwhile


def hurried(one, *words, **options):
    """It fails, and does not wait for that long: the message."""
    begin = time.monotonic()
    message = one.runtime.fails(*words, **options)
    assert time.monotonic() - begin < AT_WORK_SECONDS
    return message


WHO = "the user's systemd" if user.ORDINARY else "systemd"


@pytest.mark.parametrize("verb", ["create", "run"])
def test_create_while_systemd_hangs(container, relay, verb):
    """It says who hangs, and leaves nothing."""
    one = container()
    watch = Watch(one.runtime.root)
    relay.hang_at("StartTransientUnit")
    message = hurried(one, verb, "--bundle", one.bundle.path, one.id, **relay.options)
    assert message.endswith(f".scope: {WHO} does not answer")
    assert watch.found() == []


def test_pause_while_systemd_hangs(container, relay):
    one = container().run_detached()
    relay.hang_at("Freeze")
    assert f"{WHO} does not answer" in hurried(one, "pause", one.id, **relay.options)


@needs_ordinary_user
def test_a_systemd_that_is_at_work(container, relay):
    """Of it more is expected than of one that does nothing; here the relay is taken for it."""
    one = container()
    relay.work_at("StartTransientUnit", AT_WORK_SECONDS / 3)
    one.create(**relay.options)
    assert one.status == "created"


def test_delete_while_systemd_hangs(container, relay):
    """The processes die at once. What only systemd can take away goes when it is back."""
    one = container().run_detached()
    relay.hang_at("AUTH")
    deleting = one.runtime.start_process("delete", "--force", one.id, stderr=subprocess.PIPE, text=True,
                                         env=relay.options["env"])
    until(lambda: not process.is_alive(one.pid), "it has died")
    deleting.communicate(timeout=DEADLINE)
    one.runtime("delete", "--force", one.id)
    assert one.runtime.list() == []


@needs_ordinary_user
def test_a_systemd_that_is_stopped(container):
    one, other = container().run_detached(), container()
    words = ["systemctl", "show", "--property=MainPID", "--value", f"user@{user.UID}.service"]
    pid = int(subprocess.run(words, check=True, capture_output=True, text=True).stdout)
    os.kill(pid, signal.SIGSTOP)
    try:
        message = hurried(other, "create", "--bundle", other.bundle.path, other.id)
        assert "the user's systemd does not answer" in message
        message = hurried(one, "delete", "--force", one.id)
        assert "the processes" in message and "have ended" in message and "the user's systemd does not answer" in message
        assert not process.is_alive(one.pid)
    finally:
        os.kill(pid, signal.SIGCONT)
    one.runtime("delete", "--force", one.id)
