# SPDX-License-Identifier: LGPL-2.1-or-later
"""README's commands for each engine do what they say."""

import subprocess

import pytest

from engine import containerd
from engine.setting import BUSYBOX
from harness import readme
from harness.needs import needs_cap_sys_resource

ENGINES = [("Podman", "podman_as_root", BUSYBOX), ("containerd", "containerd", containerd.IMAGE),
           ("Docker", "dockerd", BUSYBOX),
           pytest.param("buildah", "podman_as_root", BUSYBOX, marks=needs_cap_sys_resource)]


@pytest.mark.parametrize(("title", "fixture", "image"), ENGINES)
def test_commands(request, title, fixture, image):
    """As they stand there, with an image instead of IMAGE."""
    request.getfixturevalue(fixture)
    commands = readme.commands(title, IMAGE=image)
    done = subprocess.run(["sh", "-e", "-x", "-c", commands], capture_output=True, text=True,
                          timeout=300, check=False)
    if title == "buildah":
        subprocess.run(["buildah", "rm", "--all"], stdout=subprocess.DEVNULL, check=True)
    assert done.returncode == 0, str(done)
    if title not in ("containerd", "Docker"):  # of what ends at once, containerd may lose what it said
        assert done.stdout.endswith("ok\n"), str(done)
