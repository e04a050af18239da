# SPDX-License-Identifier: LGPL-2.1-or-later
"""containerd by ctr: tasks in scopes."""

import pytest

from engine.containerd import events
from engine.containers import EAT, NO_PROGRAM, scope_of
from harness import process, systemd
from harness.needs import needs_controller
from harness.terminal import InFrontOf
from harness.wait import until


def test_run(ctr):
    result = ctr.run("sh", "-c", "echo out; echo err >&2; exit 7")
    assert (result.status, result.stdout, result.stderr.splitlines()[0]) == (7, "out\n", "err")
    for program in ["nothing", "/nothing", "/etc/passwd"]:
        result = ctr.run(program)
        assert result.status == 1 and "OCI runtime create failed: " in result.stderr


def test_a_start_that_fails(ctr, tmp_path):
    """Because the program is none: what ctr leaves is removed like any other."""
    (tmp_path / "none").write_text(NO_PROGRAM, encoding="ascii")
    (tmp_path / "none").chmod(0o755)
    mount = ["--mount", f"type=bind,src={tmp_path}/none,dst=/none,options=rbind:ro"]
    assert ctr.run("/none", options=mount).status != 0
    ctr.clean()
    assert ctr("task", "list").splitlines()[1:] == [] == ctr("container", "list", "--quiet").split()


@pytest.mark.kernel
def test_life(ctr, is_control):
    one = ctr.start()
    pid, status = one.task()
    assert status == "RUNNING" and process.is_alive(pid)
    assert "containerd-shim" in process.comm(process.parent(pid))
    assert scope_of(pid) == f"/system.slice/{one.unit}"
    assert systemd.show(one.unit, "ActiveState", "Slice") == {"ActiveState": "active", "Slice": "system.slice"}

    result = one.exec("sh", "-c", "id -u; id -g; echo err >&2; exit 5", options=["--user", "1000:1000"])
    assert (result.status, result.stdout) == (5, "1000\n1000\n") and "err" in result.stderr
    assert "executable file" in one.exec("nothing").stderr
    assert str(pid) in one("ps")

    one("pause")
    assert one.task()[1] == "PAUSED"
    assert is_control or systemd.show(one.unit, "FreezerState") == {"FreezerState": "frozen"}
    one("resume")
    assert one.task()[1] == "RUNNING"
    one("kill", "--signal", "SIGTERM")
    assert one.wait_for_end().remove() == 0


@pytest.mark.kernel
def test_terminal(ctr):
    """A task and a process of its own in it, each with a terminal."""
    one = ctr.start()
    with InFrontOf(ctr.command("task", "exec", "--tty", "--exec-id", "tty", one.name, "sh")) as front:
        front.master.read_until(b"# ")
        front.master.type(b"tty; exit 9\n")
        front.master.read_until(b"/dev/pts/0\r")
        front.master.read_to_end()
        assert front.status() == 9
    one.remove()


def test_events_of_the_end(ctr):
    """Killed, and with what status."""
    with events(ctr, "/tasks/exit") as published:
        one = ctr.start()
        one("kill", "--signal", "SIGKILL")
        one.wait_for_end()
        (line,) = until(published, "the event of the end")
        assert f'"container_id":"{one.name}"' in line and '"exit_status":137' in line
        one.remove()


@needs_controller("memory")
def test_limits_and_metrics(ctr):
    """Options of ctr's, and what it reads from the cgroup."""
    one = ctr.start("--memory-limit", "67108864", "--cpus", "0.5")
    cgroup = scope_of(one.pid)
    assert process.cgroup_file(cgroup, "memory.max") == "67108864"
    assert process.cgroup_file(cgroup, "cpu.max") == "50000 100000"
    metrics = dict(line.split(None, 1) for line in one("metrics").splitlines() if " " in line.strip())
    assert metrics["memory.usage_limit"].strip() == "67108864" and int(metrics["pids.current"]) >= 1
    one.remove()


@needs_controller("memory")
def test_out_of_memory(ctr):
    with events(ctr, "/tasks/oom") as published:
        one = ctr.start("--memory-limit", "16777216")
        assert one.exec(*EAT).status == 137
        assert f'"container_id":"{one.name}"' in until(published, "the event of the OOM killer")[0]
        one.remove()
