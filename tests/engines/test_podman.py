# SPDX-License-Identifier: LGPL-2.1-or-later
"""Podman as root: the life of a container."""

import subprocess
from pathlib import Path

import pytest

from engine.containers import FOREVER, NO_NETWORK, NO_PROGRAM, scope_of
from engine.setting import BUSYBOX
from harness import process, systemd
from harness.terminal import InFrontOf


def test_run(podman):
    """Both streams, and how the program ended or why it could not begin."""
    result = podman.run(BUSYBOX, "sh", "-c", "echo out; echo err >&2; exit 7")
    assert (result.status, result.stdout, result.stderr) == (7, "out\n", "err\n")
    assert podman.run("--init", BUSYBOX, "sh", "-c", "kill -9 $$").status == 137
    assert podman.run(BUSYBOX, "/nothing").status == 127
    assert podman.run(BUSYBOX, "nothing").status == 127
    assert podman.run(BUSYBOX, "/etc/passwd").status == 126
    assert podman.run("--entrypoint", "/etc", BUSYBOX).status == 126
    assert podman.run("--no-such-option", BUSYBOX).status == 125


@pytest.mark.kernel
def test_life(podman, is_control):
    """One container, from run to rm, and what every command says of it."""
    one = podman.start("--stop-timeout", "60")
    found = one.inspect()
    pid, unit = found["State"]["Pid"], f"libpod-{found['Id']}.scope"
    assert found["State"]["Status"] == "running" and process.is_alive(pid)
    assert found["State"]["CgroupPath"] == f"/machine.slice/{unit}"
    assert scope_of(pid) == found["State"]["CgroupPath"]
    assert process.parent(pid) == found["State"]["ConmonPid"]
    shown = systemd.show(unit, "ActiveState", "Slice", "ControlGroup")
    assert shown == {"ActiveState": "active", "Slice": "machine.slice",
                     "ControlGroup": f"/machine.slice/{unit}"}
    assert str(pid) in systemd.systemctl("status", unit)

    assert one.exec("sh", "-c", "echo out; echo err >&2; exit 5").status == 5
    assert one.exec("nothing").status == 127 and one.exec("/etc/passwd").status == 126
    assert one.output_of("sh", "-c", "id -u; id -g; pwd; echo $A", options=[
        "--user", "1000:1000", "--workdir", "/tmp", "--env", "A=b"]) == "1000\n1000\n/tmp\nb"
    podman("exec", "--detach", one.name, "sleep", "4321")
    assert "sleep 4321" in podman("top", one.name, "args")

    one("pause")
    assert podman("ps", "--format", "{{.Names}} {{.State}}", "--all") == f"{one.name} paused\n"
    assert is_control or systemd.show(unit, "FreezerState") == {"FreezerState": "frozen"}
    one("unpause")

    one("restart")
    again = one.state
    assert again["Pid"] != pid and again["Status"] == "running"
    one("stop")
    assert (one.state["Status"], one.state["ExitCode"]) == ("exited", 0)
    one("start")
    one("kill")
    assert podman("wait", one.name) == "137\n"
    one("start")
    one.remove()
    assert podman("ps", "--all", "--quiet") == ""
    events = podman("events", "--stream=false", "--filter", f"container={found['Id']}",
                    "--format", "{{.Status}}").split()
    assert events[:3] == ["create", "init", "start"] and events[-1] == "remove"
    assert {"exec", "exec_died", "pause", "unpause", "restart", "kill", "died"} <= set(events)


def test_created(podman, is_control, tmp_path):
    """Removed before it was started; and one whose start fails, because its program is none."""
    podman("create", "--name", "created", *NO_NETWORK, BUSYBOX, *FOREVER)
    podman("init", "created")
    state = podman.inspect("created")["State"]
    assert state["Status"] == "initialized" and process.is_alive(state["Pid"])
    podman("rm", "created")
    assert not process.is_alive(state["Pid"])

    (tmp_path / "none").write_text(NO_PROGRAM, encoding="ascii")
    (tmp_path / "none").chmod(0o755)
    result = podman.run("--volume", f"{tmp_path}/none:/none", BUSYBOX, "/none")
    assert result.status != 0 and "exec format error" in result.stderr.lower()


def test_descriptors(podman):
    """Who is not root may reopen its output; one that is passed on has its number, and those below are none."""
    assert podman.seen("--user", "1000", BUSYBOX, "sh", "-c", "echo reopened >/dev/stdout") == "reopened"
    command = podman.command("run", "--rm", *NO_NETWORK, "--preserve-fd", "5", BUSYBOX, "sh", "-c",
                             "cat <&5; ls /proc/self/fd")
    done = subprocess.run(["sh", "-c", 'exec 5</etc/hostname; "$@"', "sh", *command],
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, check=True)
    assert done.stdout.split() == [Path("/etc/hostname").read_text(encoding="ascii").strip(), "0", "1", "2", "3", "5"]


@pytest.mark.kernel
def test_terminal(podman):
    """run -it and exec -it: a terminal of the right size, in raw mode, whose end is the program's."""
    command = podman.command("run", "--rm", "-it", *NO_NETWORK, "--name", "tty", BUSYBOX, "sh")
    with InFrontOf(command, rows=31, columns=97) as front:
        front.master.read_until(b"# ")
        front.master.type(b"stty size; tty\n")
        front.master.read_until(b"31 97\r\n/dev/pts/0\r\n")
        with InFrontOf(podman.command("exec", "-it", "tty", "sh"), rows=11, columns=77) as second:
            second.master.read_until(b"# ")
            second.master.type(b"stty size; tty; exit 9\n")
            second.master.read_until(b"11 77\r\n/dev/pts/1\r\n")
            assert second.status() == 9
        front.master.resize(20, 50)
        front.master.type(b"until [ \"$(stty size)\" = '20 50' ]; do :; done; exit 8\n")
        front.master.read_to_end()
        assert front.status() == 8


def test_logs(podman):
    for driver in ["k8s-file", "journald"]:
        one = podman.start("--log-driver", driver, command=["echo", f"to {driver}"]).ended()
        assert one("logs") == f"to {driver}\n"
        one("rm")


def test_copy_and_health(podman, tmp_path):
    """cp in both directions, and a check that depends on what it brought."""
    one = podman.start("--health-cmd", "test -e /tmp/healthy", "--health-interval", "disable")
    assert podman.call("healthcheck", "run", one.name).status == 1
    (tmp_path / "healthy").write_text("yes\n", encoding="ascii")
    podman("cp", tmp_path / "healthy", f"{one.name}:/tmp")
    assert podman.call("healthcheck", "run", one.name).status == 0
    podman("cp", f"{one.name}:/tmp/healthy", tmp_path / "back")
    assert (tmp_path / "back").read_text(encoding="ascii") == "yes\n"
    one.remove()


def test_health_timer(podman):
    """A timer of systemd's runs the check."""
    one = podman.start("--health-cmd", "true", "--health-interval", "1s")
    one.wait_until(lambda found: found["State"]["Health"]["Status"] == "healthy", "healthy")
    one.remove()


def test_restart_policy(podman):
    one = podman.start("--restart", "on-failure:2", command=["sh", "-c", "exit 3"])
    found = one.wait_until(lambda found: found["State"]["Status"] == "exited" and
                           found["RestartCount"] == 2 and found, "restarted twice")
    assert found["State"]["ExitCode"] == 3
    one("rm")
