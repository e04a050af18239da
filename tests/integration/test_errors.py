# SPDX-License-Identifier: LGPL-2.1-or-later
"""What errors say to people: which file, which option, what is missing."""

import shutil
import subprocess

import pytest

from harness.config import Config
from harness.needs import needs_mounts, needs_ocirt_sd, needs_root
from harness.runtime import BINARY
from harness.wait import DEADLINE

pytestmark = needs_ocirt_sd


def error(runtime, *words, **more):
    """The sentence."""
    return runtime.fails(*words, **more).removeprefix("ocirt-sd: ")


# --- the file

def test_an_error_in_a_document_names_the_file(runtime, container):
    """With the path that it was given by."""
    one = container()
    path = one.bundle.path
    (path / "config.json").write_text("")
    problem = "not valid JSON: unexpected end (line 1, column 1)"
    assert error(runtime, "run", one.id, cwd=path) == f"config.json: {problem}"
    assert error(runtime, "create", "--bundle", path, one.id) == f"{path}/config.json: {problem}"
    assert error(runtime, "create", f"--bundle={path}/", one.id) == f"{path}/config.json: {problem}"
    (path / "other.json").write_text("[]")
    problem = "expected an object, got an array"
    assert error(runtime, "run", "-f", "other.json", one.id, cwd=path) == f"other.json: {problem}"


def test_an_error_in_what_changes_a_container_names_the_file(runtime, container, tmp_path):
    one = container().run_detached()
    process, resources = tmp_path / "process.json", tmp_path / "resources.json"
    process.write_text('{"cwd": "/", "args": "true"}')
    assert error(runtime, "exec", "--process", process, one.id) \
        == f"{process}: process.args: expected an array, got a string"
    resources.write_text('{"memory": {"limit": "64M"}}')
    problem = "linux.resources.memory.limit: expected an integer, got a string"
    assert error(runtime, "update", "-r", resources, one.id) == f"{resources}: {problem}"
    assert error(runtime, "update", "-r", "-", one.id, input=resources.read_bytes()) == f"standard input: {problem}"


def test_a_word_that_is_no_bundle(runtime, tmp_path):
    """As `run IMAGE` of others: which directory was looked into, why, and that there are no images."""
    said = error(runtime, "run", "busybox", cwd=tmp_path)
    assert said.startswith(f"cannot read config.json in the bundle {tmp_path}: no such file or directory (")
    assert "--bundle" in said and "images" in said
    assert error(runtime, "run", "--bundle", tmp_path, "x") \
        == f"cannot read config.json in the bundle {tmp_path}: no such file or directory"


# --- the option

def test_an_error_in_an_option_names_the_option(runtime, container):
    one = container().run_detached()
    assert error(runtime, "exec", "--cwd", "/nope", one.id, "true") \
        == '--cwd: chdir to "/nope": no such file or directory'
    assert error(runtime, "exec", "--apparmor", "x" * 5000, one.id, "true").startswith("--apparmor: ")
    assert error(runtime, "update", "--cpuset-cpus", "4000", one.id).startswith("--cpuset-cpus: ")


def test_an_error_in_config_json_does_not(container, runtime):
    one = container(Config("true").set("process.cwd", "/bin/busybox"))
    assert error(runtime, "run", "--bundle", one.bundle.path, one.id) \
        == 'process.cwd: chdir to "/bin/busybox": not a directory'


# --- what is missing in the container

def test_who_ends_while_systemd_moves_it(runtime, container):
    """The error is what the helper said, and not where systemd has left it, each time."""
    one = container(Config("true").bind("/nosuch", "/mnt", "bind"))
    messages = {runtime.fails("create", "--bundle", one.bundle.path, one.id) for _ in range(100)}
    assert messages == {"ocirt-sd: mounts[7]: open mount source /nosuch: no such file or directory"}


def test_a_missing_interpreter_is_named(runtime, container):
    one = container(Config("/bin/script"))
    script = one.bundle.inside("bin/script")
    script.write_text("#! /bin/bash -e\n")
    script.chmod(0o755)
    assert error(runtime, "run", "--bundle", one.bundle.path, one.id) \
        == 'exec: "/bin/script": its interpreter /bin/bash is missing in the container: no such file or directory'


def test_a_missing_loader_is_named(runtime, container):
    one = container(Config("dynamic"))
    shutil.copy("/bin/ls", one.bundle.inside("bin/dynamic"))
    found = error(runtime, "run", "--bundle", one.bundle.path, one.id)
    assert found.startswith('exec: "/bin/dynamic": its interpreter /lib')
    assert "/ld-" in found and found.endswith(" is missing in the container: no such file or directory")


@pytest.mark.parametrize("content", [b"#!", b"#!\n", b"#!/bin/sh\0/nope\n", b"\x7fELF", b"\x7fELF\2" + 100 * b"\xff",
                                     b"\x7fELF\1" + 100 * b"\xff"], ids=repr)
def test_a_file_that_is_no_program(runtime, container, content):
    """Whatever it is, there is one sentence about it, or it runs."""
    one = container(Config("/bin/broken"))
    broken = one.bundle.inside("bin/broken")
    broken.write_bytes(content)
    broken.chmod(0o755)
    result = runtime.call("run", "--bundle", one.bundle.path, one.id)
    assert result.stderr.count("\n") <= 1 and (result.status == 0 or 'exec: "/bin/broken"' in result.stderr)


# --- what is missing on the host

@needs_mounts
def test_a_host_without_cgroup_v2(runtime, container):
    """Before anything is made, systemd's unit above all."""
    one = container(Config("true"))
    hidden = ["unshare", "--mount", "sh", "-c", 'mount -t tmpfs none /sys/fs/cgroup; exec "$@"', "sh"]
    found = error(runtime, "run", "--bundle", one.bundle.path, one.id, prefix=hidden)
    assert found.startswith("cgroup v2 is needed: /sys/fs/cgroup is a tmpfs")


@needs_root("becomes a user without a session")
def test_a_user_without_a_session():
    """Every verb that looks for containers says what is missing; the others do not mind."""
    def call(*words):
        become = ["setpriv", "--reuid=54321", "--regid=54321", "--clear-groups", "env", "-u", "XDG_RUNTIME_DIR"]
        return subprocess.run([*become, BINARY, *words], capture_output=True, text=True, check=False, timeout=DEADLINE,
                              cwd="/")

    for words in [["list"], ["run", "x"], ["state", "x"], ["delete", "--force", "x"]]:
        found = call(*words)
        assert found.returncode == 1 and found.stderr.count("\n") == 1
        for part in ["XDG_RUNTIME_DIR is not set", "/run/user/54321", "not logged in", "loginctl enable-linger"]:
            assert part in found.stderr
    assert call("features").returncode == 0
    assert call("--root", "/nowhere", "list").returncode == 0


def test_what_a_process_said_that_ended_at_once(container):
    """Also while the one that it was forked from has not ended yet."""
    one = container(Config("true").own_ids().namespace("time").bind("/nosuch", "/mnt"))
    slowly = ["strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace=write,waitid", "-e", "inject=write:delay_exit=500000",
              "-e", "inject=waitid:delay_exit=200000"]
    said = one.runtime.call("run", "--bundle", one.bundle.path, one.id, prefix=slowly).stderr
    assert said == "ocirt-sd: mounts[7]: open mount source /nosuch: no such file or directory\n"
