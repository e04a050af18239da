# SPDX-License-Identifier: LGPL-2.1-or-later
"""What another user may have written is not believed: records, hooks, filters."""

import os
import shutil
import struct

import pytest

from harness import process
from harness.config import Config
from harness.needs import needs_ocirt_sd, needs_root
from harness.runtime import Container, Runtime

pytestmark = [needs_ocirt_sd, needs_root("gives directories to others")]
OTHER = 1000

VERBS = [["state"], ["start"], ["kill", "KILL"], ["kill", "--all", "KILL"], ["stop"], ["delete"], ["delete", "--force"],
         ["pause"], ["resume"], ["exec", "/bin/true"], ["ps"], ["events", "--stats"], ["update", "--pids-limit=10"]]


def words(verb, one):
    options = [word for word in verb[1:] if word.startswith("-")]
    return [verb[0], *options, one.id, *[word for word in verb[1:] if word not in options]]


@pytest.fixture
def above(top):
    """A directory of root's, for a root directory in it."""
    path = top / "above"
    path.mkdir(mode=0o755)
    yield path
    shutil.rmtree(path)


@pytest.fixture
def one(container, above):
    """A container that runs, and whose end would run a hook."""
    bundle = container(Config().sleeping().hook("poststop", "/usr/bin/touch", str(above / "hook"))).bundle
    made = Container(Runtime(above / "state"), bundle)
    made.run_detached()
    yield made
    for path in [above, above / "state", above / "state" / made.id]:
        os.chown(path, 0, 0)
        path.chmod(0o755)
    made.delete("--force")


def refused(one, reason, above):
    """By every verb, and nothing has happened."""
    for verb in VERBS:
        message = one.runtime.fails(*words(verb, one))
        assert "cannot trust" in message and reason in message, message
    for verb in ["create", "run"]:
        assert reason in one.runtime.fails(verb, "--bundle", one.bundle.path, "new")
    assert process.is_alive(one.pid) and not (above / "hook").exists()


def test_a_root_directory_of_another_user(one, above):
    os.chown(above / "state", OTHER, OTHER)
    refused(one, f"{above}/state belongs to uid {OTHER}", above)
    assert f"{above}/state belongs to uid {OTHER}" in one.runtime.fails("list")


@pytest.mark.parametrize("mode", [0o770, 0o702, 0o777, 0o2775])
def test_a_root_directory_that_others_may_write_to(one, above, mode):
    (above / "state").chmod(mode)
    refused(one, f"others may write to {above}/state (mode {mode:04o})", above)


@pytest.mark.parametrize("mode", [0o700, 0o711, 0o755, 0o750, 0o1777])
def test_a_root_directory_that_is_good(one, above, mode):
    """In the last, as in /tmp, everybody may make something, but nobody may change what is ours."""
    (above / "state").chmod(mode)
    assert one.status == "running"
    one.runtime("run", "--detach", "--bundle", one.bundle.path, "new", stdin=None)
    one.runtime("delete", "--force", "new")


@pytest.mark.parametrize("change, reason", [
    (lambda path: os.chown(path, OTHER, OTHER), f"belongs to uid {OTHER}"),
    (lambda path: path.chmod(0o777), "others may write to"),
    (lambda path: path.chmod(0o1777), "others may write to")])
def test_a_container_of_another_user(one, above, change, reason):
    """As somebody could make one in a directory like /tmp."""
    change(above / "state" / one.id)
    for verb in VERBS:
        message = one.runtime.fails(*words(verb, one))
        assert "cannot trust the state of container" in message and reason in message
    assert process.is_alive(one.pid) and not (above / "hook").exists()
    assert one.runtime.list() == []


def test_who_may_exchange_the_root_directory(one, above):
    """Who owns the directory that it is in."""
    os.chown(above, OTHER, OTHER)
    refused(one, f"{above} belongs to uid {OTHER}", above)
    os.chown(above, 0, 0)
    above.chmod(0o777)
    refused(one, f"others may write to {above}", above)
    above.chmod(0o1777)
    assert one.status == "running"


def test_a_symlink_to_the_root_directory(one, above, top):
    """Where it leads to is what counts, and nobody else may make it lead elsewhere."""
    link = top / "link"
    link.symlink_to(above / "state")
    try:
        assert Runtime(link).call("state", one.id).status == 0
        os.chown(above / "state", OTHER, OTHER)
        assert "belongs to uid" in Runtime(link).fails("state", one.id)
        os.chown(above / "state", 0, 0)
        os.chown(link, OTHER, OTHER, follow_symlinks=False)
        assert f"the symlink link on the way belongs to user {OTHER}" in Runtime(link).fails("state", one.id)
    finally:
        link.unlink()


def test_nothing_is_made_where_others_may_write(container, above):
    os.chown(above, OTHER, OTHER)
    bundle = container().bundle
    message = Runtime.fails(_at(above / "new" / "state"), "create", "--bundle", bundle.path, "new")
    assert f"{above} belongs to uid {OTHER}" in message and os.listdir(above) == []


def _at(root):
    """A Runtime with a root directory that is not there."""
    found = Runtime(root.parent.parent)
    found.globals[found.globals.index("--root") + 1] = str(root)
    return found


def test_the_filters_of_another_user(container, above):
    """A cached one that allows everything is not taken for the profile's."""
    profile = {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO"}]}
    config = Config().script("busybox mkdir /tmp/new && echo made").set("linux.seccomp", profile)
    runtime, bundle = Runtime(above / "state"), container(config).bundle
    assert "made" not in runtime.call("run", "--bundle", bundle.path, "first").stdout
    cache = above / "state" / ".seccomp"
    [entry] = cache.iterdir()
    content = entry.read_bytes()
    key = 8 + struct.unpack("=Q", content[:8])[0]
    entry.write_bytes(content[:key] + b"\0" + struct.pack("=HBBI", 6, 0, 0, 0x7fff0000))
    assert "made" in runtime.call("run", "--bundle", bundle.path, "second").stdout
    os.chown(cache, OTHER, OTHER)
    assert "made" not in runtime.call("run", "--bundle", bundle.path, "third").stdout
