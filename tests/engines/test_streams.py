# SPDX-License-Identifier: LGPL-2.1-or-later
"""Images like nginx's, whose log files are symlinks to /dev/stdout and /dev/stderr."""

import pytest

from engine import docker as docker_engine
from engine.docker import Docker
from engine.podman import Podman
from engine.setting import BUSYBOX, USER

MAPPED = ["--uidmap", "0:100000:65536", "--gidmap", "0:100000:65536"]
LOGS = "ln -s /dev/stdout /tmp/access.log; ln -s /dev/stderr /tmp/error.log; " \
       "echo GET >>/tmp/access.log; echo warn >>/tmp/error.log"
WHO = [pytest.param([], id="root"), pytest.param(["--user", "1000:1000"], id="somebody")]


def check(result):
    assert (result.status, result.stdout, result.stderr) == (0, "GET\n", "warn\n"), str(result)


@pytest.mark.parametrize("who", WHO)
@pytest.mark.parametrize("namespace", [[], ["--userns=auto:size=2000"], MAPPED], ids=["none", "auto", "mapped"])
def test_podman(podman, namespace, who):
    """Root made the pipes, which are the container's to open, by path; so it is in exec."""
    options = [*namespace, *who, "--tmpfs", "/tmp:mode=1777"]
    check(podman.run(*options, BUSYBOX, "sh", "-c", LOGS))
    one = podman.start(*options)
    check(one.exec("sh", "-c", LOGS, options=who))
    one.remove()


@pytest.mark.parametrize("who", WHO)
def test_a_user(runtime, podman_as_user, nothing_left, who):
    podman = Podman(runtime, USER)
    check(podman.run(*who, "--tmpfs", "/tmp:mode=1777", BUSYBOX, "sh", "-c", LOGS))


@pytest.mark.parametrize("who", WHO)
def test_docker(docker, who):
    options = [*who, "--tmpfs", "/tmp:mode=1777"]
    check(docker.run(*options, BUSYBOX, "sh", "-c", LOGS))
    one = docker.start(*options)
    check(one.exec("sh", "-c", LOGS, options=who))
    one.remove()


@pytest.fixture
def remapped(runtime, dockerd, nothing_left):
    """Docker whose containers all have a user namespace, and a store of their own."""
    docker_engine.configure(**{"userns-remap": USER})
    docker = Docker(runtime)
    docker.prepare()
    yield docker
    docker.clean()
    docker_engine.configure()


@pytest.mark.parametrize("who", WHO)
def test_docker_remapped(remapped, who):
    options = [*who, "--tmpfs", "/tmp:mode=1777"]
    assert remapped.seen(BUSYBOX, "cat", "/proc/self/uid_map").split() == ["0", "100000", "65536"]
    check(remapped.run(*options, BUSYBOX, "sh", "-c", LOGS))
    one = remapped.start(*options)
    check(one.exec("sh", "-c", LOGS, options=who))
    one.remove()
