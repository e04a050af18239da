# SPDX-License-Identifier: LGPL-2.1-or-later
"""exists, and remove: stop and delete in one, for people."""

import signal

import pytest

from harness import process
from harness.config import Config
from harness.needs import needs_ocirt_sd
from harness.wait import until

pytestmark = needs_ocirt_sd


def exists(one, name=None):
    result = one.runtime.call("exists", name or one.id)
    assert result.stdout == result.stderr == "", str(result)
    return {0: True, 1: False}[result.status]


@pytest.fixture
def stubborn(container, bundles):
    """Containers that end in their own time, on TERM, and write that down in a volume."""

    def make(*options):
        volume = bundles.scratch("remove")
        volume.chmod(0o777)
        script = "trap 'sleep 0.3; echo ended >> /mnt/log; exit 5' TERM; while :; do sleep 0.01; done"
        one = container(Config("sh", "-c", script).bind(volume, "/mnt", "rbind", "rw"))
        one.volume = volume
        one.run_detached(*options)
        until(lambda: process.catches(one.state()["pid"], signal.SIGTERM), "the trap is set")
        return one

    return make


def test_exists(container):
    one, bystander = container(), container(name=f"{container().id}-2")
    assert not exists(one)
    bystander.run_detached()
    assert not exists(one) and exists(bystander)
    one.create()
    assert exists(one)
    one.runtime("kill", one.id, "KILL")
    one.wait_for_end()
    assert exists(one)
    one.delete()
    assert not exists(one)


@pytest.mark.parametrize("words", [["a/b"], []], ids=str)
def test_exists_has_another_status_for_mistakes(runtime, words):
    result = runtime.call("exists", *words)
    assert result.status == 2 and result.stderr.count("\n") == 1 and result.stdout == ""


def test_exists_does_not_take_what_cannot_be_looked_at_for_nothing(runtime, tmp_path):
    root = tmp_path / "root"
    root.mkdir(mode=0o777)
    root.chmod(0o777)
    result = runtime.call("--root", root, "exists", "web")
    assert result.status == 2 and "others" in result.stderr, str(result)


def test_remove_is_for_what_is_stopped(container):
    one, bystander = container().run_detached(), container().run_detached()
    assert "remove --force" in one.runtime.fails("remove", one.id)
    assert one.status == "running"
    one.runtime("stop", "--time", "0", one.id)
    one.runtime("remove", one.id)
    assert not exists(one) and bystander.status == "running"
    assert "container does not exist" in one.runtime.fails("remove", one.id)
    one.runtime("remove", "--force", one.id)
    assert (one.bundle.path / "config.json").exists() and one.bundle.inside("bin").exists()


@pytest.mark.parametrize("options", [[], ["--supervise", "--restart", "always"]], ids=["scope", "service"])
def test_remove_gives_it_time_to_end(stubborn, options):
    one, bystander = stubborn(*options), stubborn()
    one.runtime("remove", "--force", one.id)
    assert not exists(one) and bystander.status == "running"
    assert (one.volume / "log").read_text(encoding="ascii") == "ended\n"
    assert not (bystander.volume / "log").exists()


def test_remove_without_time(stubborn):
    one = stubborn()
    one.runtime("remove", "--force", "--time", "0", one.id)
    assert not exists(one) and not (one.volume / "log").exists()


def test_remove_of_one_that_waits_to_be_started(container):
    one = container().create()
    assert "remove --force" in one.runtime.fails("remove", one.id)
    one.runtime("remove", "--force", one.id)
    assert not exists(one)


def test_remove_of_one_whose_record_is_damaged(container):
    one = container().run_detached()
    one.runtime("stop", "--time", "0", one.id)
    (one.runtime.root / one.id / "record").write_text("version=2\nnonsense", encoding="ascii")
    assert "damaged" in one.runtime.fails("remove", one.id)
    one.runtime("remove", "--force", one.id)
    assert not exists(one)


def test_remove_of_several(container):
    some = [container().run_detached(), container().create(), container()]
    result = some[0].runtime.call("remove", "--force", *(one.id for one in some))
    assert result.status == 0 and result.stderr == "", str(result)
    assert not any(map(exists, some))
