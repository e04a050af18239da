# SPDX-License-Identifier: LGPL-2.1-or-later
"""Docker Engine, by its command line."""

import json

import pytest

from engine.containers import EAT, NO_NETWORK, NO_PROGRAM, scope_of
from engine.setting import BUSYBOX
from harness import process, systemd
from harness.needs import needs_controller
from harness.terminal import InFrontOf
from harness.wait import until

MIB = 1 << 20


def test_run(docker, is_control):
    """Both streams, and how the program ended or why it could not begin."""
    result = docker.run(BUSYBOX, "sh", "-c", "echo out; echo err >&2; exit 7")
    assert (result.status, result.stdout, result.stderr) == (7, "out\n", "err\n")
    assert docker.run("--init", BUSYBOX, "sh", "-c", "kill -9 $$").status == 137
    statuses = [docker.run("--entrypoint", program, BUSYBOX).status
                for program in ["nothing", "/nothing", "/etc/passwd", "/etc"]]
    # docker looks for words in lower case, which the control does not have.
    assert set(statuses) <= {125, 126, 127} if is_control else statuses == [127, 127, 126, 126]


def test_a_start_that_fails(docker, tmp_path):
    """Because the program is none: created, and removed again."""
    (tmp_path / "none").write_text(NO_PROGRAM, encoding="ascii")
    (tmp_path / "none").chmod(0o755)
    assert docker.run("--volume", f"{tmp_path}/none:/none", BUSYBOX, "/none").status != 0
    assert docker("ps", "--all", "--quiet") == ""


@pytest.mark.kernel
def test_life(docker, is_control):
    """One container, from run to rm, and what every command says of it."""
    one = docker.start("--stop-timeout", "60")
    found = one.inspect()
    pid, unit = found["State"]["Pid"], f"docker-{found['Id']}.scope"
    assert found["State"]["Status"] == "running"
    assert scope_of(pid) == f"/system.slice/{unit}"
    assert "containerd-shim" in process.comm(process.parent(pid))
    assert systemd.show(unit, "ActiveState", "Slice") == {"ActiveState": "active", "Slice": "system.slice"}

    assert one.exec("sh", "-c", "exit 5").status == 5
    assert one.exec("nothing").status == one.exec("/etc/passwd").status == 126
    assert one.output_of("sh", "-c", "id -u; id -g; pwd; echo $A", options=[
        "--user", "1000:1000", "--workdir", "/tmp", "--env", "A=b"]) == "1000\n1000\n/tmp\nb"
    docker("exec", "--detach", one.name, "sleep", "4321")
    assert "sleep 4321" in docker("top", one.name)

    one("pause")
    assert docker("ps", "--format", "{{.Names}} {{.State}}") == f"{one.name} paused\n"
    assert is_control or systemd.show(unit, "FreezerState") == {"FreezerState": "frozen"}
    one("unpause")
    one("restart")
    again = one.state
    assert again["Pid"] != pid and again["Status"] == "running"
    one("stop")
    assert (one.state["Status"], one.state["ExitCode"]) == ("exited", 0)
    one("start")
    one("kill")
    assert docker("wait", one.name) == "137\n"
    one("start")
    one.remove()
    assert docker("ps", "--all", "--quiet") == ""


def test_terminal(docker):
    """run -it and exec -it: a terminal of the right size, in raw mode, whose end is the program's."""
    command = docker.command("run", "--rm", "-it", *docker.run_options, *NO_NETWORK, "--name", "tty", BUSYBOX, "sh")
    with InFrontOf(command, rows=31, columns=97) as front:
        front.master.read_until(b"# ")
        front.master.type(b"until [ \"$(stty size)\" = '31 97' ]; do :; done; tty\n")
        front.master.read_until(b"/dev/pts/0\r\n")
        with InFrontOf(docker.command("exec", "-it", "tty", "sh")) as second:
            second.master.read_until(b"# ")
            second.master.type(b"tty; exit 9\n")
            second.master.read_until(b"/dev/pts/1\r\n")
            assert second.status() == 9
        front.master.type(b"exit 8\n")
        front.master.read_to_end()
        assert front.status() == 8


def test_restart_policy(docker):
    one = docker.start("--restart", "on-failure:2", command=["sh", "-c", "exit 3"])
    found = one.wait_until(lambda found: found["State"]["Status"] == "exited" and
                           found["RestartCount"] == 2 and found, "restarted twice")
    assert found["State"]["ExitCode"] == 3
    one.remove()


@pytest.mark.kernel
def test_network(docker):
    """On the bridge, by the hook that Docker gives to the runtime."""
    one = docker.start("--network", "bridge")
    address = one.inspect()["NetworkSettings"]["Networks"]["bridge"]["IPAddress"]
    assert address and f"inet {address}/" in one.output_of("ip", "-4", "addr", "show", "eth0")
    one.remove()


RESTRICTED = """
field() { sed -n "s/^$1:[[:space:]]*//p" /proc/self/status; }
echo capabilities=$(field CapEff) $(field CapBnd)
echo privileges=$(field NoNewPrivs) $(field Seccomp)
echo root=$(touch /new 2>&1)
echo scratch=$(grep " /scratch " /proc/mounts)
echo files=$(ulimit -Sn) $(ulimit -Hn)
echo sysctl=$(cat /proc/sys/net/ipv4/ip_forward)
echo init=$(cat /proc/1/comm)
echo device=$(stat -c %t:%T /dev/device)
"""


def test_restrictions(docker):
    seen = docker.facts(
        "--read-only", "--cap-drop", "all", "--cap-add", "net_raw", "--tmpfs", "/scratch:size=1m",
        "--security-opt", "no-new-privileges", "--ulimit", "nofile=100:200", "--init",
        "--sysctl", "net.ipv4.ip_forward=1", "--device", "/dev/zero:/dev/device:r", script=RESTRICTED)
    assert seen["capabilities"] == "0000000000002000 0000000000002000"
    assert seen["privileges"] == "1 2"
    assert "Read-only file system" in seen["root"] and "size=1024k" in seen["scratch"]
    assert seen["files"] == "100 200" and seen["sysctl"] == "1"
    assert seen["init"] == "docker-init" and seen["device"] == "1:5"


@needs_controller("memory")
def test_limits_and_update(docker, is_control):
    """systemctl, the cgroup and docker agree, at first and after an update."""
    one = docker.start("--memory", "64m", "--memory-swap", "96m", "--cpus", "0.5", "--pids-limit", "60")
    found = one.inspect()
    cgroup, unit = scope_of(found["State"]["Pid"]), f"docker-{found['Id']}.scope"
    assert systemd.show(unit, "MemoryMax", "TasksMax", "CPUQuotaPerSecUSec") == {
        "MemoryMax": str(64 * MIB), "TasksMax": "60", "CPUQuotaPerSecUSec": "500ms"}
    stats = json.loads(docker("stats", "--no-stream", "--format", "json", one.name))
    assert stats["MemUsage"].endswith("/ 64MiB") and stats["PIDs"] == "2"
    one("update", "--memory", "80m", "--memory-swap", "96m", "--cpus", "0.25", "--pids-limit", "70")
    read = {name: process.cgroup_file(cgroup, name) for name in ["memory.max", "cpu.max", "pids.max"]}
    assert read == {"memory.max": str(80 * MIB), "cpu.max": "25000 100000", "pids.max": "70"}
    # The control takes what is memory and swap for swap alone.
    assert is_control or process.cgroup_file(cgroup, "memory.swap.max") == str(16 * MIB)
    one.remove()


@needs_controller("memory")
def test_out_of_memory(docker):
    one = docker.start("--memory", "16m", "--memory-swap", "16m")
    assert one.exec(*EAT).status == 137
    until(lambda: one.state["OOMKilled"] is True, "Docker has heard of it")
    one.remove()


@needs_controller("memory")
def test_info(docker):
    """It knows the runtime, and has nothing to complain about."""
    info = json.loads(docker("info", "--format", "json"))
    assert not info["Warnings"] and info["CgroupDriver"] == "systemd"
    assert "ocirt-sd" in info["Runtimes"]
