# SPDX-License-Identifier: LGPL-2.1-or-later
"""The way to systemd breaks, or nobody answers at its end."""

import json

import pytest

from harness import systemd, user
from harness.config import Config
from harness.needs import needs_devices_bpf, needs_ocirt_sd
from harness.relay import Relay
from harness.wait import until

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
    ("FreezeUnit", "running", ["pause", "{id}"]),
    ("ThawUnit", "paused", ["resume", "{id}"]),
    pytest.param("SetUnitProperties", "running", ["update", "--resources", "-", "{id}"], marks=needs_devices_bpf)])
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

