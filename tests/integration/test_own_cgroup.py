# SPDX-License-Identifier: LGPL-2.1-or-later
"""A cgroup in the caller's own instead of a scope, as Podman asks for with --cgroups=split."""

import json
import subprocess

import pytest

from harness import go, locks, process, systemd, user
from harness.command import Program
from harness.config import Config
from harness.needs import (needs_controller, needs_delegate_subgroup, needs_devices_bpf, needs_ocirt_sd, needs_root)
from harness.systemd import TransientUnit
from harness.wait import until

# A user's containers have no filter of devices anyway.
pytestmark = [needs_ocirt_sd] if user.ORDINARY else [needs_ocirt_sd, needs_devices_bpf]

SERVICE = "test-own.service"
MANAGER = f"/user.slice/user-{user.UID}.slice/user@{user.UID}.service"
TOP = f"{MANAGER}/app.slice/{SERVICE}" if user.ORDINARY else f"/system.slice/{SERVICE}"
PAYLOAD, BELOW = f"{TOP}/payload", f"{TOP}/containers/payload"
MOVE = f'echo $$ >{process.CGROUPS}{TOP}/runtime/cgroup.procs; exec "$@"'
# 0 is who writes it; systemd would take "$$" for an escape.
CALLER = (f"cd {process.CGROUPS}{TOP}; mkdir containers containers/payload.d runtime; echo 0 >runtime/cgroup.procs; "
          "sleep 1000")


from_outside = needs_root("moves into a unit from outside of it")


@pytest.fixture
def service(runtime):
    """A delegated service, in which the runtime is called from a cgroup of its own, as Podman does it."""
    words = list(runtime.globals)
    with TransientUnit(SERVICE, ["sh", "-c", CALLER], "Delegate=yes") as unit:
        until(lambda: (process.CGROUPS / f"{TOP[1:]}/runtime").exists() and process.members(f"{TOP}/runtime"),
              "the caller has a cgroup of its own")
        runtime.globals[:] = ["sh", "-c", MOVE, "sh", *(word for word in words if word != "--systemd-cgroup")]
        yield unit
        runtime.globals[:] = words


def config(path=PAYLOAD):
    return Config().sleeping().set("linux.cgroupsPath", path)


@from_outside
@pytest.mark.parametrize("path", [PAYLOAD, BELOW, f"{TOP}/containers/payload.d/more"])
def test_its_life(service, container, path):
    """All verbs that have to do with the cgroup, and a unit that has the container within."""
    one = container(config(path)).run_detached()
    assert one.cgroup == path
    assert str(one.pid) in systemd.systemctl("status", SERVICE)
    assert one.output_of("cat", "/proc/self/cgroup").endswith("0::/\n")
    one.runtime("pause", one.id)
    assert one.status == "paused"
    one.runtime("resume", one.id)
    assert one.status == "running"
    assert json.loads(one.runtime("ps", "--format", "json", one.id)) == process.members(path)
    one.kill("KILL", "--all")
    one.wait_for_end().delete()
    assert not (process.CGROUPS / path[1:]).exists() and (process.CGROUPS / path[1:]).parent.exists()


@from_outside
def test_it_ends_with_the_service(service, container):
    one = container(config()).run_detached()
    systemd.stop(SERVICE)
    one.wait_for_end().wait_until("stopped")
    one.delete()


@from_outside
@needs_controller("memory")
@pytest.mark.parametrize("path", [PAYLOAD, BELOW])
def test_limits(service, container, path):
    """What would be properties of a scope is written by us, at first and when it changes."""
    limited = config(path).resource("memory", limit=64 << 20, swap=96 << 20).resource("pids", limit=50)
    limited.resource("cpu", quota=50000, period=100000, shares=1024, cpus="0")
    limited.set("linux.resources.unified", {"memory.high": "60000000", "io.weight": "default 50"})
    one = container(limited).run_detached()

    def seen(*names):
        return [process.cgroup_file(path, name) for name in names]

    assert seen("memory.max", "memory.swap.max", "memory.high", "pids.max", "cpu.max", "cpu.weight",
                "cpuset.cpus") == [str(64 << 20), str(32 << 20), "59998208", "50", "50000 100000", "100", "0"]
    one.runtime("update", "--pids-limit", "60", "--cpu-quota", "25000", one.id)
    assert seen("pids.max", "cpu.max", "memory.max") == ["60", "25000 100000", str(64 << 20)]


@from_outside
def test_devices(service, container):
    """No more than the list has: opening fails although the node is there."""
    rules = [{"allow": False, "access": "rwm"}, {"allow": True, "type": "c", "major": 10, "minor": 229, "access": "r"}]
    listed = config().set("linux.resources.devices", rules).set("linux.devices", [
        {"type": "c", "path": "/dev/listed", "major": 10, "minor": 229, "fileMode": 0o666},
        {"type": "c", "path": "/dev/other", "major": 1, "minor": 11, "fileMode": 0o666}])
    one = container(listed).run_detached()
    assert one.exec("sh", "-c", "exec 3</dev/listed 4<>/dev/null 5</dev/zero").status == 0
    assert "Operation not permitted" in one.exec("sh", "-c", "exec 3</dev/other").stderr
    assert "Operation not permitted" in one.exec("sh", "-c", "exec 3>/dev/listed").stderr
    rules = [{"allow": True, "type": "c", "access": "rwm"}, {"allow": False, "type": "c", "major": 10, "access": "rw"}]
    one.runtime("update", "-r", "-", one.id, input=go.marshal({"devices": rules}).encode())
    assert "Operation not permitted" in one.exec("sh", "-c", "exec 3</dev/listed").stderr
    one.runtime("update", "-r", "-", one.id, input=go.marshal({"devices": [{"allow": True, "access": "rwm"}]}).encode())
    assert one.exec("sh", "-c", "exec 3<>/dev/listed").status == 0


@from_outside
def test_cgroups_that_begin_with_a_dot(service, container):
    """Nothing is left of them, or the name could not be used again."""
    script = "cd /sys/fs/cgroup && busybox mkdir -p .x/.y && echo $$ > .x/.y/cgroup.procs; echo there; sleep 1000"
    hiding = config().script(script).without_mount("/sys/fs/cgroup")
    one = container(hiding.mount("/sys/fs/cgroup", "cgroup", "cgroup", "nosuid", "noexec", "nodev", "rw"))
    one.run_detached().wait_for_output("there")
    assert one.cgroup == f"{PAYLOAD}/.x/.y"
    one.delete("--force")
    assert not (process.CGROUPS / PAYLOAD[1:]).exists()
    one.run_detached()


@locks.needs_power
def test_state_of_who_keeps_its_directory(service, keeper):
    """systemd has not looked up what we look for."""
    one = keeper(Config(*locks.OWN_CGROUP).set("linux.cgroupsPath", PAYLOAD)).run_detached().wait_for_output("held")
    assert locks.call(one, "state", one.id) == locks.call(one, "list") == 0


@locks.needs_power
def test_a_pause_that_fails_is_taken_back(service, keeper):
    """One process waits in the kernel, where nothing freezes it. What is frozen by half is thawed by resume, too."""
    script = "{ /hold-lock write 1; echo held >&2; } | sleep 1000 & wait"
    one = keeper(Config().script(script).set("linux.cgroupsPath", PAYLOAD)).run_detached().wait_for_output("held")
    assert "a process of it cannot be frozen" in one.runtime.fails("pause", one.id)
    assert process.cgroup_file(PAYLOAD, "cgroup.freeze") == "0"
    (process.CGROUPS / PAYLOAD[1:] / "cgroup.freeze").write_text("1")
    one.runtime("resume", one.id)
    assert process.cgroup_file(PAYLOAD, "cgroup.freeze") == "0"


@from_outside
def test_a_cgroup_of_the_same_name(service, container):
    """Made by somebody else since the container ended."""
    one = container(config()).run_detached()
    one.kill("KILL")
    one.wait_for_end()
    path = process.CGROUPS / PAYLOAD[1:]
    path.rmdir()
    path.mkdir()
    other = subprocess.Popen(["sleep", "1000"])
    try:
        (path / "cgroup.procs").write_text(str(other.pid), encoding="ascii")
        one.kill("KILL", "--all")
        one.delete()
        assert other.poll() is None and process.members(PAYLOAD) == [other.pid]
    finally:
        other.kill()
        other.wait()
        path.rmdir()


@from_outside
def test_a_cgroup_that_is_there(service, container):
    """It is somebody else's: left alone, by create and by what undoes it."""
    one = container(config(f"{TOP}/runtime"))
    before = process.members(f"{TOP}/runtime")
    assert "file exists" in one.runtime.fails("create", "--bundle", one.bundle.path, one.id)
    assert process.members(f"{TOP}/runtime") == before


@from_outside
def test_killed_when_it_was_made(service, container):
    """Before its number could be written down. delete removes it, if nobody is in it."""
    one, path = container(config()), process.CGROUPS / PAYLOAD[1:]
    create = one.runtime.command("create", "--bundle", one.bundle.path, one.id)
    killed = ["strace", "-qq", "-o", "/dev/null", "-e", "trace=renameat", "-e", "inject=renameat:signal=KILL:when=3", *create]
    subprocess.run(killed, check=False, stdin=subprocess.DEVNULL)
    assert path.exists()
    one.delete("--force")
    assert not path.exists()
    subprocess.run(killed, check=False, stdin=subprocess.DEVNULL)
    other = subprocess.Popen(["sleep", "1000"])
    try:
        (path / "cgroup.procs").write_text(str(other.pid), encoding="ascii")
        one.delete("--force")
        assert process.members(PAYLOAD) == [other.pid]
    finally:
        other.kill()
        other.wait()
        path.rmdir()
    one.run_detached()


CANNOT_BE = [
    (f"{TOP}/a/b", "no such file or directory"),
    (f"{TOP}/cgroup.x", SERVICE),
    (f"{TOP}/containers/../x", SERVICE),
    ("/system.slice/systemd-journald.service/x", "is in systemd-journald.service"),
    ("/init.scope/x", "is in init.scope"),
    ("/a.slice/b.slice/x", "a-b.slice"),
    ("/x/a.slice/y", "a.slice"),
]


@from_outside
def test_what_cannot_be_is_refused(service, container):
    """It is not put elsewhere, where the limits of the unit or slice do not hold."""
    for path, word in CANNOT_BE:
        one = container(config(path))
        message = one.runtime.fails("create", "--bundle", one.bundle.path, one.id)
        assert message.startswith("ocirt-sd: linux.cgroupsPath: ") and word in message, message


@from_outside
def test_another_path(service, container):
    """Is the name of a scope, as ever."""
    one = container(config("/system.slice/payload")).run_detached()
    assert one.unit == "payload.scope"


@from_outside
def test_with_systemd_cgroup(service, container):
    """An explicit --systemd-cgroup means a scope."""
    one = container(config())
    one.runtime.globals.append("--systemd-cgroup")
    one.run_detached()
    assert one.unit == f"{SERVICE}-payload.scope"


def called_within(container, path, before, *properties):
    """The Result of a run as the service's own process, after a script there. It prints which cgroup it is in."""
    one = container(Config("cat", "/proc/self/cgroup").without_namespace("cgroup").set("linux.cgroupsPath", path))
    options = ["--quiet", "--wait", "--pipe", "--collect", f"--unit={SERVICE}", *(f"--property={p}" for p in properties)]
    command = [word for word in one.runtime.command("run", "--bundle", one.bundle.path, one.id) if word != "--systemd-cgroup"]
    shell = ["sh", "-c", f'cd {process.CGROUPS}{TOP}; {before}; exec "$@"', "sh"]
    return Program("systemd-run", *user.OPTIONS, *options, *shell, *command).call()


WITHIN = [
    pytest.param([], ":", PAYLOAD, marks=needs_root("a user's systemd does not say what it has delegated")),
    ([], "mkdir containers", BELOW),
    ([], "mkdir -p containers/payload.d", f"{TOP}/containers/payload.d/more"),
    ([], "mkdir runtime; echo 0 >runtime/cgroup.procs", PAYLOAD),
    ([], "mkdir runtime containers; echo 0 >runtime/cgroup.procs", BELOW),
    pytest.param(["DelegateSubgroup=runtime"], "mkdir containers", BELOW, marks=needs_delegate_subgroup),
    pytest.param(["DelegateSubgroup=runtime"], ":", PAYLOAD, marks=needs_delegate_subgroup),
]


@pytest.mark.user
@pytest.mark.parametrize("properties, before, path", WITHIN)
def test_called_by_the_unit_itself(container, properties, before, path):
    """Wherever in its unit the caller is, and whatever cgroups it has made there."""
    result = called_within(container, path, before, "Delegate=yes", *properties)
    assert result.stdout.splitlines()[-1:] == [f"0::{path}"], str(result)


@pytest.mark.user
def test_a_unit_that_is_not_delegated(container):
    result = called_within(container, PAYLOAD, ":")
    assert result.status == 1 and "Delegate=yes" in result.stderr, str(result)
