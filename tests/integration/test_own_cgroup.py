# SPDX-License-Identifier: LGPL-2.1-or-later
"""A cgroup in the caller's own instead of a scope, as Podman asks for with --cgroups=split."""

import json
import subprocess

import pytest

from harness import go, process, systemd
from harness.config import Config
from harness.needs import needs_controller, needs_devices_bpf, needs_ocirt_sd
from harness.systemd import TransientUnit
from harness.wait import until

pytestmark = [needs_ocirt_sd, needs_devices_bpf]

SERVICE = "test-own.service"
TOP = f"/system.slice/{SERVICE}"
PAYLOAD = f"{TOP}/payload"
MOVE = f'echo $$ >{process.CGROUPS}{TOP}/runtime/cgroup.procs; exec "$@"'
# 0 is who writes it; systemd would take "$$" for an escape.
CALLER = f"mkdir {process.CGROUPS}{TOP}/runtime; echo 0 >{process.CGROUPS}{TOP}/runtime/cgroup.procs; sleep 1000"


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


def test_its_life(service, container):
    """All verbs that have to do with the cgroup, and a unit that has the container within."""
    one = container(config()).run_detached()
    assert one.cgroup == PAYLOAD
    assert str(one.pid) in systemd.systemctl("status", SERVICE)
    assert one.output_of("cat", "/proc/self/cgroup").endswith("0::/\n")
    one.runtime("pause", one.id)
    assert one.status == "paused"
    one.runtime("resume", one.id)
    assert one.status == "running"
    assert json.loads(one.runtime("ps", "--format", "json", one.id)) == process.members(PAYLOAD)
    one.kill("KILL", "--all")
    one.wait_for_end().delete()
    assert not (process.CGROUPS / PAYLOAD[1:]).exists()


def test_it_ends_with_the_service(service, container):
    one = container(config()).run_detached()
    systemd.stop(SERVICE)
    one.wait_for_end().wait_until("stopped")
    one.delete()


@needs_controller("memory")
def test_limits(service, container):
    """What would be properties of a scope is written by us, at first and when it changes."""
    limited = config().resource("memory", limit=64 << 20, swap=96 << 20).resource("pids", limit=50)
    limited.resource("cpu", quota=50000, period=100000, shares=1024, cpus="0")
    limited.set("linux.resources.unified", {"memory.high": "60000000", "io.weight": "default 50"})
    one = container(limited).run_detached()

    def seen(*names):
        return [process.cgroup_file(PAYLOAD, name) for name in names]

    assert seen("memory.max", "memory.swap.max", "memory.high", "pids.max", "cpu.max", "cpu.weight",
                "cpuset.cpus") == [str(64 << 20), str(32 << 20), "59998208", "50", "50000 100000", "100", "0"]
    one.runtime("update", "--pids-limit", "60", "--cpu-quota", "25000", one.id)
    assert seen("pids.max", "cpu.max", "memory.max") == ["60", "25000 100000", str(64 << 20)]


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


def test_a_cgroup_that_is_there(service, container):
    """It is somebody else's: left alone, by create and by what undoes it."""
    one = container(config(f"{TOP}/runtime"))
    before = process.members(f"{TOP}/runtime")
    assert "file exists" in one.runtime.fails("create", "--bundle", one.bundle.path, one.id)
    assert process.members(f"{TOP}/runtime") == before


@pytest.mark.parametrize("path", [f"{TOP}/a/b", f"{TOP}/cgroup.x", "/system.slice/payload"])
def test_other_paths(service, container, path):
    """What is not right below a delegated unit of the caller's is the name of a scope, as ever."""
    one = container(config(path)).run_detached()
    assert one.unit.endswith(".scope")


def test_with_systemd_cgroup(service, container):
    """An explicit --systemd-cgroup means a scope."""
    one = container(config())
    one.runtime.globals.append("--systemd-cgroup")
    one.run_detached()
    assert one.unit == f"{SERVICE}-payload.scope"
