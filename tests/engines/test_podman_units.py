# SPDX-License-Identifier: LGPL-2.1-or-later
"""Podman and systemd's units: quadlet, notifications, and a systemd inside of a container."""

from pathlib import Path

import pytest

from engine import setting
from engine.containers import NO_NETWORK
from engine.setting import BUSYBOX
from harness import process, systemd
from harness.needs import needs_controller

QUADLET = """
[Container]
Image={image}
ContainerName=quadlet
Network=none
GlobalArgs=--runtime={runtime}
Exec=sh -c "trap 'exit 0' TERM; while :; do sleep 1000 & wait $$!; done"
PodmanArgs={options}
[Service]
Restart=no
"""


@pytest.fixture
def quadlet(podman, runtime):
    """Makes a service of a container; it is gone afterwards."""
    path = Path("/etc/containers/systemd/quadlet.container")

    def make(*options):
        setting.write(path, QUADLET.format(image=BUSYBOX, runtime=runtime, options=" ".join(options)))
        systemd.systemctl("daemon-reload")
        systemd.systemctl("start", "quadlet.service")
        return podman.inspect("quadlet")

    yield make
    systemd.systemctl("stop", "quadlet.service")
    path.unlink()
    systemd.systemctl("daemon-reload")


@needs_controller("pids")
def test_quadlet(quadlet):
    """The container is in the service's own cgroup (--cgroups=split), and stops with it."""
    found = quadlet("--memory=64m")
    shown = systemd.show("quadlet.service", "ActiveState", "MainPID", "ControlGroup")
    assert shown["ActiveState"] == "active" and int(shown["MainPID"]) == found["State"]["ConmonPid"]
    pid = found["State"]["Pid"]
    cgroup = process.cgroup(pid)
    assert cgroup.startswith(f"{shown['ControlGroup']}/libpod-payload-{found['Id']}")
    assert process.cgroup_file(cgroup, "memory.max") == str(64 << 20)
    assert process.cgroup_file(cgroup, "pids.max") == "2048"
    assert str(pid) in systemd.systemctl("status", "quadlet.service")
    systemd.systemctl("stop", "quadlet.service")
    assert not process.is_alive(pid)
    assert systemd.show("quadlet.service", "ActiveState", "Result") == {"ActiveState": "inactive", "Result": "success"}


def test_a_drop_in_for_all(podman):
    """What libpod-.scope.d says, the scope of each container has."""
    path = Path("/etc/systemd/system/libpod-.scope.d/all.conf")
    setting.write(path, "[Scope]\nTasksMax=50\n")
    systemd.systemctl("daemon-reload")
    try:
        one = podman.start()
        assert systemd.show(f"libpod-{one.inspect()['Id']}.scope", "TasksMax") == {"TasksMax": "50"}
        one.remove()
    finally:
        path.unlink()
        path.parent.rmdir()
        systemd.systemctl("daemon-reload")


def test_boot(podman, runtime):
    """A systemd boots in it, and says so: `systemd-run` waits for its READY=1."""
    image = podman.with_systemd()
    command = podman.command("run", "--detach", "--name", "booted", *NO_NETWORK, "--systemd=always",
                             "--sdnotify=container", image)
    with systemd.TransientUnit("booted.service", command, "Type=notify", "NotifyAccess=all", "TimeoutStartSec=300"):
        state = podman.inspect("booted")["State"]
        assert process.comm(state["Pid"]) == "systemd"
        exec_ = ["exec", "booted", "systemctl"]
        assert podman(*exec_, "is-system-running", "--wait").strip() == "running"
        assert podman(*exec_, "show", "--property=MainPID", "dbus.service") != "MainPID=0\n"
        podman("exec", "booted", "systemd-run", "--wait", "--property=MemoryMax=100M", "true")
        podman("stop", "--time", "100", "booted")
        assert podman.inspect("booted")["State"]["ExitCode"] in (0, 130)
    podman("rm", "booted")
