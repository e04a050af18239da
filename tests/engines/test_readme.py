# SPDX-License-Identifier: LGPL-2.1-or-later
"""README's commands for each engine do what they say."""

import re
import subprocess

import pytest

from engine.setting import BUSYBOX
from harness import readme
from harness.needs import has_cap_sys_resource

ENGINES = [("Podman", BUSYBOX), ("containerd", f"{BUSYBOX}:latest"), ("Docker", BUSYBOX), ("buildah", BUSYBOX)]


def typed(commands, **options):
    """In a shell, to the first that fails: what they print."""
    done = subprocess.run(["sh", "-e", "-x", "-c", commands], capture_output=True, text=True, timeout=300,
                          check=False, **options)
    assert done.returncode == 0, str(done)
    return done.stdout


@pytest.fixture(scope="module")
def images(podman_as_root, containerd, dockerd, watch, tmp_path_factory):
    """As README makes them."""
    typed(readme.commands("Under an engine", deep=False), cwd=tmp_path_factory.mktemp("images"))
    watch.start_over()


def commands(title, image):
    """As they stand there, with an image instead of IMAGE."""
    if title == "buildah" and not has_cap_sys_resource():
        first = re.search(r"`(buildah from .+?)`", readme.section(title))[1]
        found = re.sub("^buildah from .*", first, readme.commands(title), flags=re.M)
    else:
        found = readme.commands(title)
    return re.sub(r"\bIMAGE\b", image, found)


@pytest.mark.kernel
@pytest.mark.parametrize(("title", "image"), ENGINES)
def test_commands(images, title, image):
    printed = typed(commands(title, image))
    if title == "buildah":
        subprocess.run(["buildah", "rm", "--all"], stdout=subprocess.DEVNULL, check=True)
    if title not in ("containerd", "Docker"):  # of what ends at once, containerd may lose what it said
        assert printed.endswith("ok\n"), printed
