# SPDX-License-Identifier: LGPL-2.1-or-later
"""inspect and status: all that is known of a container, for programs and for people."""

import json
import os
import signal
from datetime import datetime, timezone

import pytest

from harness import process, systemd, user
from harness.config import Config
from harness.needs import needs_controller, needs_ocirt_sd
from harness.wait import until

pytestmark = needs_ocirt_sd

ENDS_ON_TERM = "trap 'exit 5' TERM; echo ready; while :; do sleep 0.01; done"
FILES = {"mount": "mnt", "network": "net"}


@pytest.fixture
def supervised(supervised):
    return lambda script=ENDS_ON_TERM, *options, **more: supervised(script, *options, **more)


def inspect(one):
    return json.loads(one.runtime("inspect", one.id))


def field(one, name):
    return one.runtime("inspect", "--format", name, one.id).removesuffix("\n")


def until_ready(one):
    until(lambda: process.catches(one.state()["pid"], signal.SIGTERM), "the trap is set")
    return one


def moment(text):
    return datetime.fromisoformat(text[:19]).replace(tzinfo=timezone.utc).timestamp()


def test_one_that_runs(supervised):
    one, bystander = until_ready(supervised()), supervised()
    found = inspect(one)
    assert found["state"] == one.state() and found["supervised"] is True
    assert found["state"]["pid"] in found["pids"] and bystander.state()["pid"] not in found["pids"]
    assert found["exit"] is None and found["failure"] is None and found["restarts"] == 0
    shown = systemd.show(one.service, "ControlGroup", "InvocationID", "Slice")
    assert found["unit"] == {"name": one.service, "slice": shown["Slice"], "manager": "user" if user.ORDINARY else "system",
                             "invocation": shown["InvocationID"], "active": "active", "sub": "running",
                             "result": "success"}
    assert found["cgroup"] == shown["ControlGroup"]
    pid = found["state"]["pid"]
    kinds = ["cgroup", "ipc", "mount", "network", "pid", "uts", "user", "time"]
    assert found["namespaces"] == {kind: os.stat(f"/proc/{pid}/ns/{FILES.get(kind, kind)}").st_ino for kind in kinds}
    config = json.loads((one.bundle.path / "config.json").read_text(encoding="utf-8"))
    assert found["mounts"] == config["mounts"]
    assert found["times"]["ended"] is None
    assert moment(found["times"]["created"]) <= moment(found["times"]["started"]) <= datetime.now().timestamp()


def test_limits_are_those_of_systemd(supervised):
    one = supervised()
    systemd.systemctl("set-property", "--runtime", one.service, "MemoryMax=100M", "TasksMax=50", "CPUQuota=150%",
                      "CPUWeight=77", "AllowedCPUs=0")
    found = inspect(one)["limits"]
    assert {name: found[name] for name in ("MemoryMax", "TasksMax", "CPUQuotaPerSecUSec", "CPUWeight", "AllowedCPUs")} == {
        "MemoryMax": 100 << 20, "TasksMax": 50, "CPUQuotaPerSecUSec": 1500000, "CPUWeight": 77, "AllowedCPUs": "0"}
    assert found["MemoryHigh"] == "infinity" and found["IOWeight"] is None
    known = "EffectiveMemoryMax" in systemd.show(one.service, "EffectiveMemoryMax")
    assert (found["EffectiveMemoryMax"] is not None) == known
    text = one.runtime("status", one.id)
    assert "MemoryMax 100M" in text and "TasksMax 50" in text and "CPUQuotaPerSecUSec 150%" in text


def test_how_it_ended(supervised):
    one = supervised("exit 3")
    assert one.runtime("wait", one.id) == "3\n"
    found = inspect(one)
    assert found["exit"] == {"code": 3, "signal": None, "core": False, "status": 3, "reason": "exit-code",
                             "result": "exit-code", "requested": None}
    assert found["state"]["status"] == "stopped" and found["pids"] == [] and found["namespaces"] == {}
    assert moment(found["times"]["started"]) <= moment(found["times"]["ended"])
    assert "with status 3, exit-code" in one.runtime("status", one.id)


@pytest.mark.parametrize("name, core", [("KILL", False), ("SEGV", True)])
def test_it_ended_by_a_signal(supervised, name, core):
    one = supervised(config=Config("sleep", "1000").without_namespace("pid"))
    os.kill(one.state()["pid"], signal.Signals[f"SIG{name}"])
    one.runtime("wait", one.id)
    end = inspect(one)["exit"]
    assert (end["code"], end["signal"], end["requested"]) == (None, name, None)
    assert end["reason"] == end["result"] == ("core-dump" if end["core"] else "signal")
    assert core or not end["core"]
    assert f"by signal {name}, {end['reason']}" in one.runtime("status", one.id)


@pytest.mark.parametrize("how", ["systemctl", "ocirt-sd"])
def test_it_was_stopped(supervised, how):
    """By whom ever: systemd knows that it was asked for."""
    one, other = until_ready(supervised()), until_ready(supervised())
    if how == "systemctl":
        systemd.systemctl("stop", one.service)
    else:
        one.runtime("stop", one.id)
    assert {name: inspect(one)["exit"][name] for name in ("code", "reason", "result", "requested")} == {
        "code": 5, "reason": "stopped", "result": "exit-code", "requested": "stop"}
    other.kill("TERM")
    other.runtime("wait", other.id)
    assert field(other, "exit.reason") == "exit-code" and field(other, "exit.requested") == "null"


def test_it_was_killed_because_its_end_took_too_long(supervised):
    one = supervised("trap '' TERM; while :; do sleep 0.01; done", "--stop-timeout", "3s")  # for our part, too
    until(lambda: process.ignores(one.state()["pid"], signal.SIGTERM), "the trap is set")
    systemd.systemctl("stop", one.service)
    end = inspect(one)["exit"]
    assert (end["signal"], end["reason"], end["requested"]) == ("KILL", "timeout", "stop")


@needs_controller("memory")
def test_it_was_killed_for_want_of_memory(supervised):
    config = Config("sh", "-c", "x=a; while :; do x=$x$x; done").resource("memory", limit=16 << 20)
    one = supervised(config=config)
    one.runtime("wait", one.id)
    assert field(one, "exit.reason") == "oom-kill"


def test_it_was_started_again(supervised):
    one = supervised("sleep 0.05; exit 1", "--restart", "on-failure")
    until(lambda: inspect(one)["restarts"] >= 2, "it was started again")
    assert "by systemd" in one.runtime("status", one.id)


def test_why_it_does_not_start(supervised):
    one = until_ready(supervised())
    one.runtime("stop", one.id)
    one.bundle.inside("bin/sh").unlink()
    message = one.runtime.fails("start", one.id).removeprefix("ocirt-sd: ")
    assert field(one, "failure") == message and f"Failure: {message}" in one.runtime("status", one.id)


def test_of_a_scope(container):
    one = container().create()
    found = inspect(one)
    assert found["state"]["status"] == "created" and found["supervised"] is False and found["restarts"] is None
    assert found["times"]["started"] is None and found["unit"]["name"] == one.unit and found["limits"]["TasksMax"]
    assert found["pids"] == [one.pid]
    one.start()
    found = inspect(one)
    assert found["times"]["started"] and found["namespaces"]["pid"]
    one.kill("KILL")
    one.wait_for_end()
    found = inspect(one)
    assert found["exit"] is None and found["limits"] is None and found["unit"]["active"] is None
    assert "nobody has seen how" in one.runtime("status", one.id)


def test_what_run_has_seen(container):
    one = container(Config().script("exit 7"))
    assert one.runtime.call("run", "--keep", "--bundle", one.bundle.path, one.id).status == 7
    assert field(one, "exit.code") == "7" and field(one, "times.ended") > field(one, "times.started")


def test_format(container):
    one = container(Config().sleeping().set("annotations", {"org.example.a": "b c"})).run_detached()
    assert field(one, "state.status") == "running" and field(one, "state.pid") == str(one.pid)
    assert field(one, "state.annotations.org.example.a") == "b c"
    assert field(one, "exit.code") == "null" and field(one, "supervised") == "false"
    assert field(one, "pids.0") == str(one.pid) and json.loads(field(one, "namespaces"))["pid"]
    for wrong in ("stat", "state.statu", "pids.9", "{{.State.Status}}", ""):
        assert "--format: inspect has no field" in one.runtime.fails("inspect", "--format", wrong, one.id)


def test_several(container):
    one, other = container().run_detached(), container().create()
    found = json.loads(one.runtime("inspect", one.id, other.id))
    assert [each["state"]["id"] for each in found] == [one.id, other.id]
    assert one.runtime("inspect", "--format", "state.status", one.id, other.id) == "running\ncreated\n"
    result = one.runtime.call("inspect", "nosuch", other.id)
    assert result.status == 1 and "container does not exist: nosuch" in result.stderr
    assert [each["state"]["id"] for each in json.loads(result.stdout)] == [other.id]


def test_one_whose_record_is_damaged(container):
    one = container().run_detached()
    one.runtime("stop", "--time", "0", one.id)
    (one.runtime.root / one.id / "record").write_text("version=2\nnonsense", encoding="ascii")
    assert inspect(one)["state"]["status"] == "stopped"
    assert one.id in one.runtime("status", one.id)


def test_status(supervised):
    one = until_ready(supervised())
    until(lambda: "ready" in one.runtime("logs", one.id), "what it wrote")
    lines = one.runtime("status", one.id).splitlines()
    pid, local = one.state()["pid"], datetime.now().astimezone().strftime("%a %Y-%m-%d")
    assert lines[0] == f"{one.id} - {one.bundle.path}"
    assert lines[1].startswith(f"     State: running since {local}") and lines[1].endswith(" ago")
    assert any(line.startswith(f"   Process: {pid} (") for line in lines)
    assert f"      Unit: {one.service}, active (running)" in lines
    assert lines[-1].endswith(" ready") and lines[-2] == ""
    assert "\x1b" not in "".join(lines)
    assert "container does not exist" in one.runtime.fails("status", "nosuch")


def test_status_has_the_last_lines_alone(supervised):
    one = supervised("for i in 1 2 3 4 5 6 7 8 9 10 11 12; do echo line $i; done")
    one.runtime("wait", one.id)
    text = one.runtime("status", one.id)
    assert [line.rpartition(" ")[2] for line in text.splitlines()[-10:]] == [str(i) for i in range(3, 13)]
    assert "line 2\n" not in text and "with status 0, success" in text
