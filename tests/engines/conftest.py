# SPDX-License-Identifier: LGPL-2.1-or-later
"""Fixtures of the engines' tests: each case runs with this runtime, and with crun as the control."""

import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "integration"))

from engine import containerd as _containerd, docker as _docker, setting  # noqa: E402
from engine.containerd import Containerd                                          # noqa: E402
from engine.docker import Docker                                                  # noqa: E402
from engine.podman import CONFIGURATION, Podman                                   # noqa: E402
from harness import readme                                                       # noqa: E402
from harness.claims import pytest_addoption, pytest_runtestloop                   # noqa: E402, F401
from harness.leftovers import Watch                                               # noqa: E402
from harness.needs import needs_cap_sys_resource                                  # noqa: E402
from harness.wait import until                                                    # noqa: E402

CONTROL = pytest.param("crun", marks=[needs_cap_sys_resource, pytest.mark.control])


def pytest_configure(config):
    config.addinivalue_line("markers", "control: of the runtime beside ours")
    config.addinivalue_line("markers", "kernel: may come out otherwise with another kernel and all its controllers")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    """So may all that is skipped where the kernel, or what one may do with it, is less."""
    for item in items:
        if item.get_closest_marker("skipif"):
            item.add_marker("kernel")


@pytest.fixture(scope="session")
def machine():
    """The machine, with ranges of ids for user namespaces."""
    setting.write("/etc/subuid", f"{setting.USER}:100000:65536\ncontainers:1000000:1000000\n")
    setting.write("/etc/subgid", f"{setting.USER}:100000:65536\ncontainers:1000000:1000000\n")


@pytest.fixture(scope="session")
def watch(machine):
    """Whoever makes something for several tests lets it start over."""
    return Watch(*setting.STATES)


@pytest.fixture(scope="session", params=["ocirt-sd", CONTROL])
def runtime(request):
    return request.param


@pytest.fixture
def is_control(runtime):
    """The control does some things in another way, or not at all."""
    return runtime == "crun"


@pytest.fixture(autouse=True)
def nothing_left(request, watch):
    """After every test the machine is as it was before; the control may have left something."""
    yield
    left = watch.found()
    if left:
        watch.sweep()
    if "runtime" not in request.fixturenames or request.getfixturevalue("runtime") != "crun":
        assert not left, "\n".join(left)


@pytest.fixture(scope="session")
def podman_as_root(machine, watch):
    """Podman's configuration and images, once."""
    setting.write(f"/etc/{CONFIGURATION}", readme.file("Podman", f"/etc/{CONFIGURATION}"))
    Podman("crun").prepare()
    watch.start_over()


@pytest.fixture(scope="session")
def podman_as_user(podman_as_root, watch):
    """Somebody who has logged in."""
    subprocess.run(["loginctl", "enable-linger", setting.USER], check=True)
    until((setting.RUNTIME_DIR / "bus").exists, "the user's systemd")
    Podman("crun", setting.USER).prepare()
    watch.start_over()


@pytest.fixture
def podman(runtime, podman_as_root, nothing_left):
    podman = Podman(runtime)
    yield podman
    podman.clean()


@pytest.fixture(scope="session")
def containerd(machine, watch):
    """containerd runs, with the runtimes as handlers and with an image."""
    _containerd.configure()
    watch.start_over()


@pytest.fixture
def ctr(runtime, containerd, nothing_left):
    ctr = Containerd(runtime)
    yield ctr
    ctr.clean()


@pytest.fixture(scope="session")
def dockerd(machine, watch):
    """dockerd runs, with the runtimes and with an image."""
    _docker.configure()
    Docker("crun").prepare()
    watch.start_over()


@pytest.fixture
def docker(runtime, dockerd, nothing_left):
    docker = Docker(runtime)
    yield docker
    docker.clean()


@pytest.fixture(params=["user", "root", "containerd"])
def kind(request):
    """Of callers that have many containers."""
    return request.param


@pytest.fixture
def runs(request, kind, runtime, nothing_left):
    """Runs a container that ends with a number: None, or what it came to instead."""
    request.getfixturevalue({"root": "podman_as_root", "user": "podman_as_user"}.get(kind, kind))
    if kind == "containerd":
        engine, words = Containerd(runtime), []
    else:
        engine = Podman(runtime, setting.USER if kind == "user" else None)
        words = ["--log-driver", "none", setting.BUSYBOX]

    def run(number):
        # Not what it says: of a container that ends at once, containerd may lose that, whatever the runtime.
        result = engine.run(*words, "sh", "-c", f"exit {number}")
        return None if result.status == number and not result.stderr else str(result)

    yield run
    engine.clean()
