# SPDX-License-Identifier: LGPL-2.1-or-later
"""events: what a container uses, and its OOM kills, as runc prints them."""

import json
import subprocess
from pathlib import Path

import pytest

from harness import process, user
from harness.config import Config
from harness.needs import needs_controller, needs_ocirt_sd
from harness.wait import DEADLINE, until

pytestmark = needs_ocirt_sd

NUMBERS = {"limit", "usage", "max", "failcnt"}


@pytest.fixture
def follow():
    """Begins to follow a container; its events are read line by line."""
    begun = []

    def start(one, *options):
        process_ = one.runtime.start_process("events", *options, one.id, stdout=subprocess.PIPE, text=True)
        begun.append(process_)
        until(lambda: "poll" in Path(f"/proc/{process_.pid}/wchan").read_text(encoding="ascii"), "it waits")
        return process_
    yield start
    for process_ in begun:
        process_.kill()
        process_.wait()
        process_.stdout.close()


def stats(one):
    line, = one.runtime("events", "--stats", one.id).splitlines()
    event = json.loads(line)
    assert (event["type"], event["id"]) == ("stats", one.id)
    assert list(event) == ["type", "id", "data"]
    return event["data"]


def test_the_shape(container):
    """Members as of runc: those that engines and cAdvisor read, with the types that they expect."""
    found = stats(container().run_detached())
    assert list(found) == ["cpu", "cpuset", "memory", "pids", "blkio", "hugetlb", "intel_rdt", "network_interfaces"]
    assert {"kernel", "user"} <= set(found["cpu"]["usage"]) <= {"kernel", "user", "total"}
    assert set(found["cpu"]["throttling"]) <= {"periods", "throttledPeriods", "throttledTime"}
    for name in ["usage", "swap", "kernel", "kernelTCP"]:
        assert {"limit", "failcnt"} <= set(found["memory"][name]) <= NUMBERS, name
    for part in ["cpu", "memory", "blkio"]:
        for kind in found[part].get("psi", {}).values():
            assert list(kind) == ["avg10", "avg60", "avg300", "total"], part
    assert found["cpuset"]["sched_relax_domain_level"] == 0
    assert all(isinstance(value, int) for value in found["memory"]["raw"].values())
    assert found["intel_rdt"] == {} and isinstance(found["hugetlb"], dict)


@needs_controller("memory")
def test_the_numbers(container):
    """They are the kernel's: times in ns, swap with memory, no limit of tasks as none."""
    config = Config().sleeping().resource("memory", limit=64 << 20, swap=96 << 20)
    one = container(config.resource("pids", limit=-1)).run_detached()
    before = dict(line.split() for line in process.cgroup_file(one.cgroup, "cpu.stat").splitlines())
    found = stats(one)
    assert found["cpu"]["usage"]["total"] >= int(before["usage_usec"]) * 1000
    assert found["memory"]["usage"]["limit"] == 64 << 20
    assert found["memory"]["swap"]["limit"] == 96 << 20
    assert found["memory"]["usage"]["usage"] == found["memory"]["swap"]["usage"] > 0
    assert found["memory"]["raw"]["anon"] > 0
    assert found["pids"] == {"current": len(process.members(one.cgroup))}


@needs_controller("cpuset")
def test_the_cpus(container):
    one = container(Config().sleeping().resource("cpu", cpus="1")).run_detached()
    assert stats(one)["cpuset"]["cpus"] == [1]


def test_interfaces_of_its_own_network(container):
    one = container().run_detached()
    assert stats(one)["network_interfaces"] is None
    subprocess.run([*user.into(one.pid, "net"), "ip", "link", "add", "dummy7", "type", "bridge"], check=True)
    interface, = stats(one)["network_interfaces"]
    assert interface == {"Name": "dummy7", "RxBytes": 0, "RxPackets": 0, "RxErrors": 0, "RxDropped": 0,
                         "TxBytes": 0, "TxPackets": 0, "TxErrors": 0, "TxDropped": 0}


def test_a_stream_until_the_end(container, follow):
    """One line an interval, and none besides; it ends with the last process, also if that was paused and is deleted."""
    for ending in ["kill", "delete"]:
        one = container().run_detached()
        following = follow(one, "--interval", "200ms")
        assert json.loads(following.stdout.readline())["type"] == "stats"
        assert json.loads(following.stdout.readline())["id"] == one.id
        if ending == "kill":
            one.kill("KILL")
        else:
            one.runtime("pause", one.id)
            one.delete("--force")
        assert following.wait(timeout=DEADLINE) == 0
        assert all(json.loads(line)["type"] == "stats" for line in following.stdout)


def test_a_cgroup_with_the_name_of_a_file(container, follow):
    """Made by who may make cgroups in it, where the controller is not: it is not watched, nor read."""
    one = container().run_detached()
    directory = process.CGROUPS / one.cgroup.lstrip("/")
    named = directory / "memory.events"
    if not named.exists():
        named.mkdir()
    following = follow(one, "--interval", "1 hour")
    files = [path for path in [directory / "cgroup.events", named] if path.is_file()]
    assert watched(following.pid) == {path.stat().st_ino for path in [*files, directory.parent]}
    one.delete("--force")
    assert following.wait(timeout=DEADLINE) == 0


def watched(pid):
    """The inodes that a process watches."""
    texts = [path.read_text(encoding="ascii") for path in Path(f"/proc/{pid}/fdinfo").iterdir()]
    return {int(word.removeprefix("ino:"), 16) for text in texts for line in text.splitlines() if line.startswith("inotify ")
            for word in line.split() if word.startswith("ino:")}


def test_who_does_not_want_to_hear_more(container, follow):
    """Nobody is kept from the container meanwhile, and who closes the pipe ends it."""
    one = container().run_detached()
    following = follow(one, "--interval", "100ms")
    following.stdout.close()
    assert following.wait(timeout=DEADLINE) != 0
    assert one.status == "running"


@needs_controller("memory")
def test_oom_kills(container, follow):
    """One event for each, at once, whatever the interval; the container lives on."""
    config = Config().sleeping().resource("memory", limit=32 << 20, swap=32 << 20)
    one = container(config).run_detached()
    following = follow(one, "--interval", "1 hour")
    for _ in range(2):
        assert one.exec("sh", "-c", "x=a; while :; do x=$x$x; done").status == 137
        assert json.loads(following.stdout.readline()) == {"type": "oom", "id": one.id}
    one.kill("KILL")
    assert following.wait(timeout=DEADLINE) == 0
    assert following.stdout.read() == ""


@pytest.mark.parametrize("interval", ["0", "0s", "-1s", "1x", "", "s", "1e9h", "0x1s", "nan", "infinity"])
def test_bad_intervals(container, interval):
    one = container()
    assert "--interval" in one.runtime.fails("events", f"--interval={interval}", one.id)


def test_of_a_container_that_does_not_run(container, runtime):
    one = container(Config("true")).run_detached().wait_for_end()
    one.wait_until("stopped")
    assert "container not running" in runtime.fails("events", "--stats", one.id)
    assert "container not running" in runtime.fails("events", one.id)
    assert "does not exist" in runtime.fails("events", "nobody")
