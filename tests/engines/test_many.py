# SPDX-License-Identifier: LGPL-2.1-or-later
"""Many containers: one after the other, and at once. None fails, and nothing is left of any."""

import subprocess
from concurrent.futures import ThreadPoolExecutor

import pytest

from engine.containerd import Containerd
from engine.podman import Podman
from engine.setting import BUSYBOX, USER

AT_ONCE = 20


def is_emulated():
    return subprocess.run(["systemd-detect-virt"], capture_output=True, text=True, check=False).stdout == "qemu\n"


# A hundred where a container takes a tenth of a second; where it takes seconds, that it works at all is enough, as
# nothing else is different there. The control has to show only that the test is right.
ROUNDS = {"ocirt-sd": 5 if is_emulated() else 100, "crun": 2}


@pytest.fixture(params=["root", "user", "containerd"])
def run(request, runtime, nothing_left):
    """Runs a container of one of the engines that says a word: the Result."""
    kind = request.param
    request.getfixturevalue({"root": "podman_as_root", "user": "podman_as_user"}.get(kind, kind))
    if kind == "containerd":
        ctr = Containerd(runtime)
        yield lambda word: ctr.run("echo", word)
        ctr.clean()
    else:
        podman = Podman(runtime, USER if kind == "user" else None)
        yield lambda word: podman.run("--log-driver", "none", BUSYBOX, "echo", word)
        podman.clean()


def failures(results):
    return [str(result) for word, result in results if (result.status, result.stdout) != (0, f"{word}\n")]


def test_one_by_one(run, runtime):
    assert failures((str(number), run(str(number))) for number in range(ROUNDS[runtime])) == []


def test_at_once(run, runtime):
    words = [str(number) for number in range(AT_ONCE if runtime == "ocirt-sd" else ROUNDS[runtime])]
    with ThreadPoolExecutor(len(words)) as pool:
        assert failures(list(zip(words, pool.map(run, words)))) == []
