# SPDX-License-Identifier: LGPL-2.1-or-later
"""--pids-limit -1 and 0, which both say: as many processes as there may be."""

import pytest

from engine.containers import scope_of
from engine.docker import Docker
from engine.podman import Podman
from engine.setting import USER
from harness import process
from harness.needs import has_controller

FORKS = ["sh", "-c", "for i in 1 2 3 4 5 6 7 8; do sleep 1000 & done; echo forked; wait"]


@pytest.fixture(params=["podman", "docker", "user"])
def engine(request, runtime):
    if request.param != "user":
        return request.getfixturevalue(request.param)
    request.getfixturevalue("podman_as_user")
    return Podman(runtime, USER)


@pytest.mark.kernel
@pytest.mark.parametrize("limit", ["-1", "0"])
def test_no_limit(engine, limit):
    one = engine.start("--pids-limit", limit, command=FORKS)
    one.wait_until(lambda found: "forked" in one("logs"), "has forked")
    if has_controller("pids") and not isinstance(engine, Docker):  # which says nothing: systemd's default is in force
        assert process.cgroup_file(scope_of(one.state["Pid"]), "pids.max") == "max"
    one.remove()
