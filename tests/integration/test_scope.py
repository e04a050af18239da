# SPDX-License-Identifier: LGPL-2.1-or-later
"""The container as a systemd unit: its name, its place, its properties."""

import itertools
import os
import shutil
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path

import pytest

from harness import process, systemd, user
from harness.config import Config
from harness.needs import has_controller, needs_controller, needs_ocirt_sd, needs_root
from harness.wait import until


@pytest.fixture
def running(container):
    return container().run_detached()


# --- name and slice

DEFAULT_SLICE = "user.slice" if user.ORDINARY else "system.slice"
FORMS = [("system.slice:libpod:{id}", "libpod-{id}.scope", "system.slice"),
         ("machine.slice:libpod:{id}", "libpod-{id}.scope", "machine.slice"),
         (":crio:{id}", "crio-{id}.scope", DEFAULT_SLICE),
         ("", "ocirt-sd-{id}.scope", DEFAULT_SLICE),
         (None, "ocirt-sd-{id}.scope", DEFAULT_SLICE),
         ("/default/{id}", "default-{id}.scope", DEFAULT_SLICE),
         ("/machine.slice/{id}", "{id}.scope", "machine.slice"),
         ("user.slice", "ocirt-sd-{id}.scope", "user.slice"),
         ("test-a-b.slice:p:{id}", "p-{id}.scope", "test-a-b.slice")]


@pytest.mark.proves("linux.cgroupsPath")
@pytest.mark.parametrize("path, unit, parent", FORMS)
def test_the_name_from_cgroups_path(container, path, unit, parent):
    """slice:prefix:name, and what else engines write there."""
    one = container()
    config = Config().sleeping()
    if path is not None:
        config.set("linux.cgroupsPath", path.format(id=one.id))
    one.bundle.write(config.text())
    one.create()
    assert one.unit == unit.format(id=one.id)
    assert one.properties("Slice", "ActiveState") == {"Slice": parent, "ActiveState": "active"}
    one.delete("--force")
    if parent.startswith("test-"):
        systemd.stop("test.slice")


def test_an_id_that_no_unit_can_have(container):
    """What a unit's name may not contain is escaped as systemd does."""
    one = container(name=f"a+b_{os.getpid()}.x").create()
    assert one.unit == f"ocirt-sd-a\\x2bb_{os.getpid()}.x.scope"
    assert one.state().get("systemdUnit", one.unit) == one.unit


def test_the_longest_id(container):
    one = container(name="n" * 200).create()
    assert len(one.unit) <= 255 and systemd.is_loaded(one.unit)


# --- drop-ins for all containers whose scope's name begins alike

UNITS = Path.home() / ".config/systemd/user" if user.ORDINARY else Path("/etc/systemd/system")


@pytest.fixture(params=["ocirt-sd-", "libpod-"])
def rules(request):
    """The prefix of the names that a drop-in with a limit is for."""
    path = UNITS / f"{request.param}.scope.d"
    path.mkdir(parents=True)
    (path / "all.conf").write_text("[Scope]\nTasksMax=50\n", encoding="ascii")
    systemd.systemctl("daemon-reload")
    yield request.param
    shutil.rmtree(path)
    systemd.systemctl("daemon-reload")


@pytest.mark.parametrize("own", [None, pytest.param(100, marks=needs_controller("pids"))])
def test_a_drop_in_for_all(container, rules, own):
    """It goes before what config.json says."""
    one = container()
    config = Config().sleeping()
    if rules != "ocirt-sd-":
        config.set("linux.cgroupsPath", f"{DEFAULT_SLICE}:{rules.removesuffix('-')}:{one.id}")
    if own:
        config.resource("pids", limit=own)
    one.bundle.write(config.text())
    one.run_detached()
    assert one.unit.startswith(rules)
    assert one.properties("TasksMax") == {"TasksMax": "50"}
    if has_controller("pids"):
        assert process.cgroup_file(one.cgroup, "pids.max") == "50"


def test_a_drop_in_moves_no_container(container, rules):
    """Its slice is recorded before there is a scope; what says another one is an error, and nothing is left."""
    (UNITS / f"{rules}.scope.d" / "all.conf").write_text("[Scope]\nSlice=ocirtsdtests.slice\n", encoding="ascii")
    systemd.systemctl("daemon-reload")
    one = container()
    one.bundle.write(Config().sleeping().set("linux.cgroupsPath", f"{DEFAULT_SLICE}:{rules.removesuffix('-')}:{one.id}")
                     .text())
    message = one.runtime.fails("create", "--bundle", one.bundle.path, one.id)
    assert f"in {DEFAULT_SLICE}, but" in message and "/ocirtsdtests.slice/" in message
    assert not (one.runtime.root / one.id).exists()


# --- properties

def test_the_scope_is_a_containers(running):
    found = running.properties("Description", "Delegate", "CollectMode", "KillMode", "Transient",
                               "TimeoutStopUSec", "SubState")
    assert running.id in found["Description"]
    assert found["Delegate"] == "yes"
    assert found["CollectMode"] == "inactive-or-failed"
    assert found["Transient"] == "yes"
    assert found["TimeoutStopUSec"] == "10s"
    assert found["SubState"] == "running"


def test_the_process_is_in_the_cgroup_when_create_returns(container):
    """And nobody else's is."""
    one = container().create()
    assert one.properties("ControlGroup")["ControlGroup"] == one.cgroup
    assert process.members(one.cgroup) == [one.pid]
    assert str(one.pid) in systemd.systemctl("status", one.unit)


RESOURCES = [
    ("memory", {"limit": 64 << 20}, "MemoryMax", "67108864"),
    ("memory", {"reservation": 32 << 20}, "MemoryLow", "33554432"),
    ("memory", {"limit": 64 << 20, "swap": 96 << 20}, "MemorySwapMax", "33554432"),
    ("cpu", {"shares": 1024}, "CPUWeight", "100"),
    ("cpu", {"quota": 50000, "period": 100000}, "CPUQuotaPerSecUSec", "500ms"),
    ("cpu", {"quota": 5000, "period": 10000}, "CPUQuotaPeriodUSec", "10ms"),
    ("cpu", {"cpus": "0"}, "AllowedCPUs", "0"),
    ("cpu", {"mems": "0"}, "AllowedMemoryNodes", "0"),
    ("pids", {"limit": 77}, "TasksMax", "77"),
    ("pids", {"limit": -1}, "TasksMax", "infinity"),
    ("blockIO", {"weight": 500}, "IOWeight", None),
]


@pytest.mark.proves("linux.resources.cpu.mems", "linux.resources.blockIO.weight")
@pytest.mark.parametrize("kind, values, name, value", RESOURCES)
def test_limits_are_properties_of_the_unit(container, kind, values, name, value):
    """systemd is the only writer of what it can express."""
    controllers = {"blockIO": "io", "cpu": "cpuset" if "mems" in values or "cpus" in values
                   else "cpu"}
    one = container(Config().sleeping().resource(kind, **values))
    result = one.runtime.call("create", "--bundle", one.bundle.path, "--pid-file", one.pid_file,
                              one.id)
    if result.status:
        controller = controllers.get(kind, kind)
        assert not has_controller(controller), str(result)
        return
    found = one.properties(name)[name]
    assert found == value if value else found.isdigit()


DEVICES = [{"allow": False, "access": "rwm"},
           {"allow": True, "type": "c", "major": 10, "minor": 229, "access": "rw"}]


@needs_root("a user's systemd filters no devices")
def test_device_rules_are_properties_of_the_unit(container):
    one = container(Config().sleeping().set("linux.resources.devices", DEVICES)).create()
    found = one.properties("DevicePolicy", "DeviceAllow")
    assert found["DevicePolicy"] == "strict"
    assert "/dev/fuse rw" in found["DeviceAllow"] or "/dev/char/10:229 rw" in found["DeviceAllow"]


# --- annotations

ANNOTATIONS = {
    "org.systemd.property.TimeoutStopUSec": "uint64 123000000",
    "org.systemd.property.KillSignal": "15",
    "org.systemd.property.Description": "'a container of mine'",
    "org.systemd.property.After": "['basic.target']",
    "org.systemd.property.DefaultDependencies": "true",
    "org.systemd.property.RuntimeMaxSec": "uint64 3600",
    "org.systemd.property.Documentation": "https://example.org/mine man:cat(1)",
    "org.systemd.property.CollectMode": "inactive",
}


def test_annotations_become_properties(container):
    """As Podman and CRI-O write them."""
    config = Config().sleeping()
    for key, value in ANNOTATIONS.items():
        config.annotation(key, value)
    found = container(config).create().properties("TimeoutStopUSec", "KillSignal", "Description",
                                                  "After", "DefaultDependencies", "RuntimeMaxUSec", "Documentation",
                                                  "CollectMode")
    assert found["RuntimeMaxUSec"] == "1h"
    assert found["Documentation"].replace('"', "") == "https://example.org/mine man:cat(1)"
    assert found["CollectMode"] == "inactive"
    assert found["TimeoutStopUSec"] == "2min 3s"
    assert found["KillSignal"] == "15"
    assert found["Description"] == "a container of mine"
    assert "basic.target" in found["After"].split()
    assert found["DefaultDependencies"] == "yes"


def test_annotations_of_others_are_ignored(container):
    config = Config().sleeping().annotation("io.podman.annotations.init", "FALSE")
    container(config.annotation("run.oci.unknown", "[{(")).create()


@needs_ocirt_sd
def test_a_subgroup_by_annotation(container):
    """The scope keeps the limits; the container is below."""
    config = Config().sleeping().annotation("run.oci.systemd.subgroup", "container")
    one = container(config).run_detached()
    assert one.cgroup.endswith(".scope/container")
    one.runtime("pause", one.id)
    assert one.status == "paused"
    one.runtime("resume", one.id)
    one.output_of("true")


# --- names that are taken

def test_a_unit_of_that_name_is_an_error_and_survives(container):
    """UnitExists is never ignored: the container would run in somebody else's scope."""
    with systemd.ForeignScope("victim-x.scope") as victim:
        before = systemd.show("victim-x.scope", "InvocationID", "ActiveState")
        config = Config().sleeping().set("linux.cgroupsPath", "system.slice:victim:x")
        one = container(config)
        message = one.runtime.fails("create", "--bundle", one.bundle.path, one.id)
        assert "victim-x.scope" in message
        one.runtime("delete", "--force", one.id)
        assert systemd.show("victim-x.scope", "InvocationID", "ActiveState") == before
        assert victim.poll() is None


def test_a_failed_unit_of_that_name_is_in_nobodys_way(container):
    """A scope that failed and was not collected: reset, and tried again."""
    one = container().create()
    unit = one.unit
    one.delete("--force")
    subprocess.run(["systemd-run", *user.OPTIONS, "--quiet", "--scope", f"--unit={unit}",
                    "--property=RuntimeMaxSec=10ms", "sleep", "1000"], check=False)
    if systemd.show(unit, "ActiveState")["ActiveState"] == "failed":
        one.create()
        assert systemd.is_loaded(unit)
    systemd.systemctl("reset-failed", unit, check=False)


# --- what the manager goes through

# Measured, not set.
VOLATILE = ("CPUUsageNSec", "MemoryAvailable", "MemoryCurrent", "MemoryPeak", "MemorySwap",
            "MemoryZSwapCurrent", "EffectiveMemory", "IPIngress", "IPEgress", "IORead", "IOWrite",
            "TasksCurrent")


def settled(properties):
    """Those that do not change by themselves; lists in no order."""
    return {name: sorted(value.split()) for name, value in properties.items()
            if not name.startswith(VOLATILE) and "Timestamp" not in name}


@pytest.mark.parametrize("words", [["daemon-reload"], ["daemon-reexec"],
                                   ["restart", "dbus.service"]])
def test_nothing_changes_when_the_manager_does(container, words):
    """Limits, freezer, membership stay; so do the verbs."""
    config = Config().sleeping().set("linux.resources.devices", DEVICES)
    one = container(config).run_detached()
    other = container().run_detached()
    other.runtime("pause", other.id)
    before = one.properties()
    systemd.systemctl(*words)
    until(lambda: systemd.systemctl("is-active", "dbus.service", check=False), "the bus is back")
    after = one.properties()
    assert settled(after) == settled(before)
    assert other.status == "paused"
    other.runtime("resume", other.id)
    assert one.output_of("echo", "here") == "here\n"
    third = container().run_detached()
    assert [c.status for c in (one, other, third)] == ["running"] * 3


STARTED_OVER = [["daemon-reexec"], ["reset-failed", "dbus.service"], ["restart", "dbus.service"]]  # starts are counted


@needs_ocirt_sd
def test_nobody_notices_that_the_manager_starts_over(container):
    """Scopes that are being made and stopped meanwhile: asked for again."""
    with ThreadPoolExecutor(4) as pool:
        lives = [pool.submit(lambda one: one.run_detached().delete("--force"), container()) for _ in range(8)]
        for words in itertools.cycle(STARTED_OVER):
            began = time.monotonic()
            systemd.systemctl(*words)
            if not wait(lives, timeout=time.monotonic() - began).not_done:  # half of the time it is there
                break
    assert [life.result() for life in lives] == [None] * 8


@needs_controller("pids")
def test_limits_of_the_cgroup_survive_a_reload(container):
    one = container(Config().sleeping().resource("pids", limit=55)).run_detached()
    systemd.systemctl("daemon-reload")
    assert process.cgroup_file(one.cgroup, "pids.max") == "55"


# --- no scope at all

@needs_ocirt_sd
def test_without_a_scope(container):
    """--cgroup-manager disabled, as Podman passes it: the caller's cgroup."""
    one = container()
    one.runtime.globals[3:] = ["--cgroup-manager", "disabled"]
    try:
        one.run_detached()
        assert one.cgroup == process.cgroup("self")
        assert one.output_of("echo", "here") == "here\n"
        assert one.status == "running"
        one.kill("KILL")
        one.wait_for_end().wait_until("stopped")
        one.delete()
    finally:
        one.runtime.globals[3:] = ["--systemd-cgroup"]
