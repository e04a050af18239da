# SPDX-License-Identifier: LGPL-2.1-or-later
"""A unit of somebody else that has the name which a container's scope would have, or had."""

import os
import signal

import pytest

from engine.containers import FOREVER, NO_NETWORK
from engine.setting import BUSYBOX
from harness import process, systemd
from harness.wait import until


@pytest.fixture(params=[("podman", "libpod"), ("docker", "docker")], ids=["podman", "docker"])
def engine(request, runtime):
    """An engine, and how its scopes' names begin."""
    return request.getfixturevalue(request.param[0]), request.param[1]


@pytest.fixture
def created(engine):
    """A container that was not started yet, and the name of its scope."""
    engine, prefix = engine
    engine("create", "--name", "named", *engine.run_options, *NO_NETWORK, BUSYBOX, *FOREVER)
    return engine, f"{prefix}-{engine.inspect('named')['Id']}.scope"


def test_a_start(created, is_control):
    """Fails, names the unit, and leaves it alone; so does what the engine does afterwards."""
    engine, unit = created
    with systemd.ForeignScope(unit) as bystander:
        result = engine.call("start", "named")
        assert is_control or (result.status != 0 and unit in result.stderr), str(result)
        engine.call("rm", "--force", "named")
        assert is_control or bystander.poll() is None
    engine.call("rm", "--force", "named")


def test_a_container_that_has_ended(runtime, podman, is_control):
    """Nobody has cleaned up after it, as its monitor was killed: what Podman does then is not done to the other."""
    one = podman.start()
    state, unit = one.state, f"libpod-{one.inspect()['Id']}.scope"
    for pid in [state["ConmonPid"], state["Pid"]]:
        os.kill(pid, signal.SIGKILL)
        until(lambda pid=pid: not process.is_alive(pid), f"the end of {pid}")
    until(lambda: not systemd.is_loaded(unit), f"the end of {unit}")
    with systemd.ForeignScope(unit) as bystander:
        podman.call("stop", "--time", "1", one.name)
        podman.call("rm", "--force", one.name)
        assert is_control or bystander.poll() is None


def test_a_task(ctr, is_control):
    """One that has ended is removed by containerd later."""
    one = ctr.start()
    one("kill", "--signal", "SIGKILL")
    one.wait_for_end()
    until(lambda: not systemd.is_loaded(one.unit), f"the end of {one.unit}")
    with systemd.ForeignScope(one.unit) as bystander:
        one.remove()
        assert is_control or bystander.poll() is None
