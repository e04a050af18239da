# SPDX-License-Identifier: LGPL-2.1-or-later
"""Annotations that engines set, with crun's names. Those of systemd are in test_scope.py."""

import os
import subprocess
from pathlib import Path

import pytest

from harness import process, user
from harness.config import MAPPED_ROOT, Config
from harness.needs import needs_cgroup_gifts, needs_controller, needs_ocirt_sd
from harness.terminal import ConsoleSocket

pytestmark = needs_ocirt_sd

HOST_HOOKS = ["prestart", "createRuntime", "createContainer", "poststart", "poststop"]


@pytest.fixture
def receiver(top):
    with ConsoleSocket(str(top / "receiver.sock")) as listener:
        yield listener


def test_what_hooks_write(container, bundles):
    """To the end of files on the host. A hook of the container's own gets none of these."""
    directory = bundles.scratch("hooks")
    out, err = directory / "out", directory / "err"
    out.write_text("before\n")
    config = Config().sleeping().annotation("run.oci.hooks.stdout", str(out))
    config.annotation("run.oci.hooks.stderr", str(err))
    for kind in [*HOST_HOOKS, "startContainer"]:
        config.hook(kind, "/bin/sh", "-c", f"echo {kind}; echo error of {kind} >&2")
    container(config).run_detached().delete("--force")
    assert out.read_text().split() == ["before", *HOST_HOOKS]
    assert err.read_text().splitlines() == [f"error of {kind}" for kind in HOST_HOOKS]
    assert err.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("key", ["hooks.stdout", "hooks.stderr", "pidfd_receiver"])
def test_paths_are_absolute(runtime, container, key):
    config = Config().annotation(f"run.oci.{key}", "some/where").hook("createContainer", "/bin/true")
    one = container(config)
    message = runtime.fails("create", "--bundle", one.bundle.path, one.id)
    assert f"run.oci.{key}" in message and "absolute" in message


def test_files_that_cannot_be_opened(runtime, container):
    config = Config().annotation("run.oci.hooks.stdout", "/nosuch/dir/file").hook("prestart", "/bin/true")
    one = container(config)
    message = runtime.fails("create", "--bundle", one.bundle.path, one.id)
    assert "run.oci.hooks.stdout" in message and "/nosuch/dir/file" in message


def pid_of(pidfd):
    fields = dict(line.split(":\t") for line in Path(f"/proc/self/fdinfo/{pidfd}").read_text().splitlines())
    os.close(pidfd)
    return int(fields["Pid"])


def test_a_pidfd_for_somebody_else(container, receiver):
    """By annotation, and by the option of create and exec."""
    named = container(Config().sleeping().annotation("run.oci.pidfd_receiver", receiver.path)).create()
    content, fds, rest = receiver.receive()
    assert content and [pid_of(fd) for fd in fds] == [named.pid] and rest == b""
    asked = container().create("--pidfd-socket", receiver.path)
    assert [pid_of(fd) for fd in receiver.receive()[1]] == [asked.pid]
    asked.start()
    pid_file = asked.bundle.path / "exec-pid"
    asked.exec("sleep", "1000", options=["--detach", "--pidfd-socket", receiver.path, "--pid-file", pid_file])
    assert [pid_of(fd) for fd in receiver.receive()[1]] == [int(pid_file.read_text())]


def test_a_pidfd_that_nobody_takes(runtime, container, top):
    """Said before anything is made."""
    one = container(Config().annotation("run.oci.pidfd_receiver", str(top / "nosuch.sock")))
    assert "nosuch.sock" in runtime.fails("create", "--bundle", one.bundle.path, one.id)


@pytest.mark.parametrize("value, kept", [("1", True), ("0", False), (None, False)])
def test_groups_of_the_caller(container, value, kept):
    """With the annotation they are the container's, in place of those of config.json. A user has his own, which is root's."""
    config = Config("cat", "/proc/self/status").user(0, 0, 77)
    if value:
        config.annotation("run.oci.keep_original_groups", value)
    one = container(config)
    done = subprocess.run(one.runtime.command("run", "--bundle", one.bundle.path, one.id), check=True,
                          extra_groups=None if user.ORDINARY else [4242], stdin=subprocess.DEVNULL,
                          capture_output=True, text=True)
    groups = next(line.split()[1:] for line in done.stdout.splitlines() if line.startswith("Groups:"))
    assert groups == (["0" if user.ORDINARY else "4242"] if kept else ["77"])


def delegated(mapped):
    config = Config().sleeping().annotation("run.oci.systemd.subgroup", "outer")
    config.annotation("run.oci.delegate-cgroup", "inner")
    config.without_mount("/sys/fs/cgroup").mount("/sys/fs/cgroup", "cgroup", "cgroup", "rw")
    return config.mapped_users() if mapped else config


def test_a_cgroup_that_cannot_be(runtime, container):
    """The reason is the kernel's own."""
    one = container(Config().sleeping().annotation("run.oci.systemd.subgroup", "cpu.stat"))
    message = runtime.fails("create", "--bundle", one.bundle.path, one.id)
    assert message.endswith("cgroup cpu.stat below its own: not a directory")


@pytest.mark.parametrize("mapped", [False, pytest.param(True, marks=needs_cgroup_gifts)], ids=["root", "mapped"])
def test_a_cgroup_that_the_container_manages(container, mapped):
    """Below the root of its cgroup namespace, which keeps the limits; it may divide it further."""
    one = container(delegated(mapped))
    if mapped:
        one.bundle.give_to(MAPPED_ROOT)
    one.run_detached()
    assert one.cgroup.endswith(".scope/outer/inner")
    script = "cd /sys/fs/cgroup/inner; mkdir sub; echo $$ > sub/cgroup.procs; cat /proc/self/cgroup; " \
             "echo $$ > cgroup.procs; rmdir sub"
    result = one.exec("sh", "-c", script)
    assert result.status == 0 and result.stdout.endswith("0::/inner/sub\n"), str(result)
    assert one.status == "running"


@needs_controller("memory")
def test_limits_around_a_delegated_cgroup(container):
    """Those of the scope: out of the container's sight, and in force. The controllers are handed down."""
    one = container(delegated(False).resource("memory", limit=64 << 20)).run_detached()
    assert "memory" in process.cgroup_file(one.cgroup, "cgroup.controllers").split()
    assert process.cgroup_file(one.cgroup, "memory.max") == "max"
    assert one.properties("MemoryMax") == {"MemoryMax": str(64 << 20)}
