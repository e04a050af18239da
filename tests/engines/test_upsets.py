# SPDX-License-Identifier: LGPL-2.1-or-later
"""What goes away in the middle: monitors, daemons, the bus, systemd itself.

Every container runs on or has stopped, and can be removed.
"""

import os
import signal

import pytest

from engine import docker as docker_engine
from engine.containers import scope_of
from engine.podman import Podman, connect_others
from engine.setting import BUSYBOX, USER
from harness import process, systemd
from harness.needs import needs_controller
from harness.wait import until


def kill(pid):
    os.kill(pid, signal.SIGKILL)
    until(lambda: not process.is_alive(pid), f"the end of {pid}")


# --- Podman

@pytest.mark.parametrize("user", [None, USER])
def test_conmon_is_killed(request, podman, runtime, user):
    """The container does not notice; podman can stop and remove it."""
    if user:
        request.getfixturevalue("podman_as_user")
    podman = Podman(runtime, user)
    one = podman.start()
    state = one.state
    kill(state["ConmonPid"])
    assert process.is_alive(state["Pid"]) and scope_of(state["Pid"]) == state["CgroupPath"]
    podman.call("stop", "--time", "10", one.name)
    assert not process.is_alive(state["Pid"])
    one.remove()


@needs_controller("pids")
def test_systemd_and_the_bus_start_over(podman):
    """A container from before goes on, in the same scope; all verbs work, and new ones can be made."""
    one = podman.start("--pids-limit", "100")
    before = one.state
    systemd.systemctl("daemon-reexec")
    systemd.systemctl("restart", "dbus.service")
    connect_others()
    assert one.state == before and scope_of(before["Pid"]) == before["CgroupPath"]
    assert one.output_of("echo", "here") == "here"
    one("pause")
    one("unpause")
    podman("update", "--pids-limit", "50", one.name)
    assert podman.seen(BUSYBOX, "echo", "another") == "another"
    one("stop")
    assert one.state["ExitCode"] == 0
    one.remove()


# --- containerd

def test_the_shim_is_killed(ctr):
    """containerd cleans up by itself: the container is gone, and can be removed."""
    one = ctr.start()
    pid = one.pid
    kill(process.parent(pid))
    until(lambda: not process.is_alive(pid), f"the end of {pid}")
    until(lambda: one.task()[1] in ("", "STOPPED", "UNKNOWN"), "containerd knows")
    one.remove()


def test_containerd_is_restarted(ctr):
    """The container runs on, and containerd finds it again; as it does when it was killed."""
    one = ctr.start()
    pid = one.pid
    systemd.systemctl("restart", "containerd.service")
    assert one.task() == (pid, "RUNNING")
    kill(int(systemd.show("containerd.service", "MainPID")["MainPID"]))
    until(lambda: ctr.call("version").status == 0, "containerd is back")
    systemd.systemctl("try-restart", "docker.service")  # for a while it would not try to connect
    assert one.task() == (pid, "RUNNING")
    assert one.exec("echo", "here").stdout == "here\n"
    one("kill", "--signal", "SIGTERM")
    assert one.wait_for_end().remove() == 0


# --- Docker

def test_dockerd_is_restarted(docker):
    """It stops its containers, and removes what one has asked to be removed."""
    one, other = docker.start(), docker.start("--restart", "always")
    pid = one.state["Pid"]
    systemd.systemctl("restart", "docker.service")
    assert not process.is_alive(pid) and one.state["Status"] == "exited"
    assert other.state["Status"] == "running"
    one("start")
    assert one.output_of("echo", "here") == "here"
    one.remove()
    other.remove()


def test_the_shim_of_docker_is_killed(docker):
    """Docker notices, the container ends with it, and can be started again."""
    one = docker.start()
    pid = one.state["Pid"]
    kill(process.parent(pid))
    until(lambda: not process.is_alive(pid), f"the end of {pid}")
    one.wait_until(lambda found: found["State"]["Status"] == "exited", "ended")
    one("start")
    assert one.output_of("echo", "here") == "here"
    one.remove()


def test_dockerd_is_killed(docker, runtime):
    """With live-restore, containers do not notice; here as the default runtime."""
    docker_engine.configure(**{"live-restore": True, "default-runtime": runtime})
    docker.run_options = []
    one = docker.start()
    pid = one.state["Pid"]
    kill(int(systemd.show("docker.service", "MainPID")["MainPID"]))
    until(lambda: docker.call("ps").status == 0, "dockerd is back")
    assert one.state["Pid"] == pid and one.state["Status"] == "running"
    assert one.output_of("echo", "here") == "here"
    one("stop")
    assert one.state["ExitCode"] == 0
    one.remove()
    docker_engine.configure()
