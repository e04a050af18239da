# SPDX-License-Identifier: LGPL-2.1-or-later
"""Fixtures of the integration tests, which run where systemd is the first process.

They are root's, or those of an ordinary user with a systemd of his own: harness/user.py.
"""

import shutil
import tempfile
from pathlib import Path

import pytest

from harness import locks, process
from harness.bundle import Bundles
from harness.claims import pytest_addoption, pytest_runtestloop  # noqa: F401
from harness.config import Config
from harness.leftovers import Watch
from harness.runtime import Container, Runtime
from harness.service import Service


def pytest_configure(config):
    """tests/style/check-properties reads what stands there."""
    config.addinivalue_line("markers", "user: also as an ordinary user in the virtual machine")
    config.addinivalue_line("markers", "proves(path, ...): the properties of config.json whose effect a test observes")


@pytest.fixture(scope="session")
def top():
    """A directory for everything; others may pass through it."""
    process.become_subreaper()
    path = Path(tempfile.mkdtemp(prefix="ocirt-sd-tests-"))
    path.chmod(0o711)
    yield path
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture(scope="session")
def runtime(top):
    """The program under test."""
    return Runtime(top / "state")


@pytest.fixture(scope="session")
def bundles(top):
    path = top / "bundles"
    path.mkdir()
    return Bundles(path)


@pytest.fixture(scope="session")
def watch(runtime):
    """Whoever makes something for several tests lets it start over."""
    return Watch(runtime.root)


@pytest.fixture(autouse=True)
def nothing_left(watch):
    """After every test the machine is as it was before."""
    yield
    left = watch.found()
    if left:
        watch.sweep()
    assert not left, "\n".join(left)


@pytest.fixture
def container(runtime, bundles, nothing_left):
    """Makes containers of configurations; those that still exist are deleted in the end."""
    made = []

    def make(config=None, name=None):
        one = Container(runtime, bundles.make(config or Config().sleeping()), name)
        made.append(one)
        return one

    yield make
    for one in made:
        if (runtime.root / one.id).exists():
            runtime("delete", "--force", one.id)
        shutil.rmtree(one.bundle.path, ignore_errors=True)


@pytest.fixture
def supervised(container):
    """Makes containers with --supervise, of a script or of a configuration, by run or by create."""
    def make(script="sleep 1000", *options, verb="run", config=None):
        one = container(config or Config("sh", "-c", script))
        one.runtime(verb, "--supervise", "--bundle", one.bundle.path, *options, one.id)
        one.service = f"ocirt-sd-{one.id}.service"
        return one

    return make


@pytest.fixture
def service(bundles, nothing_left):
    """Makes a service of a configuration."""
    made = []

    def make(config, unit=None):
        made.append(Service(unit).fill(bundles, config))
        return made[-1]

    yield make
    for one in made:
        one.remove()


@pytest.fixture
def keeper(container):
    """Makes containers that can keep a lock of the kernel, and keep none in the end."""
    yield lambda config: locks.arm(container(locks.keeper(config)))
    locks.let_go()


@pytest.fixture
def command(container):
    """Runs a script, by run or by exec: the words for that."""
    def make(verb, script):
        one = container(Config().script(script) if verb == "run" else None)
        if verb == "run":
            return one.runtime.command("run", "--bundle", one.bundle.path, one.id)
        one.run_detached()
        return one.runtime.command("exec", one.id, "sh", "-c", script)
    return make


@pytest.fixture
def run(container):
    """Runs a configuration, or a script, in the foreground: the Result."""
    def run_one(config, *options, **more):
        if isinstance(config, str):
            config = Config().script(config)
        one = container(config)
        return one.runtime.call("run", "--bundle", one.bundle.path, *options, one.id, **more)
    return run_one


@pytest.fixture
def seen(run):
    """What a configuration or script prints; it must succeed."""
    def output(config, *options, **more):
        result = run(config, *options, **more)
        assert result.status == 0 and not result.stderr, str(result)
        return result.stdout.strip()
    return output
