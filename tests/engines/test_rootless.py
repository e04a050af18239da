# SPDX-License-Identifier: LGPL-2.1-or-later
"""Podman and buildah for somebody who is not root, under that user's systemd."""

import json
import subprocess
from pathlib import Path

import pytest

from engine import setting
from engine.buildah import Buildah
from engine.containers import EAT, FOREVER, NO_NETWORK, scope_of
from engine.podman import Podman, as_user
from engine.setting import BUSYBOX, UID, USER
from harness import process
from harness.needs import needs_controller, needs_writable_sysctl
from harness.terminal import InFrontOf

MANAGER = f"/user.slice/user-{UID}.slice/user@{UID}.service"


@pytest.fixture
def podman(runtime, podman_as_user, nothing_left):
    podman = Podman(runtime, USER)
    yield podman
    podman.clean()


def systemctl(*words):
    """What the user's systemd says."""
    done = subprocess.run([*as_user(), "systemctl", "--user", *words], capture_output=True, text=True, check=True)
    return done.stdout


def show(unit, *names):
    lines = systemctl("show", unit, *(f"--property={name}" for name in names)).splitlines()
    return dict(line.split("=", 1) for line in lines)


def test_run(podman):
    """How it ends, and who it is: root inside, the user outside."""
    result = podman.run(BUSYBOX, "sh", "-c", "echo out; echo err >&2; exit 7")
    assert (result.status, result.stdout, result.stderr) == (7, "out\n", "err\n")
    assert podman.run(BUSYBOX, "nothing").status == 127
    assert podman.run(BUSYBOX, "/etc/passwd").status == 126
    seen = podman.facts(script="echo uid=$(id -u); echo map=$(head -1 /proc/self/uid_map)")
    assert seen["uid"] == "0" and seen["map"].split() == ["0", str(UID), "1"]


@pytest.mark.kernel
def test_life(podman, is_control):
    """One container, from run to rm; its scope is the user's."""
    one = podman.start("--stop-timeout", "60")
    found = one.inspect()
    pid, unit = found["State"]["Pid"], f"libpod-{found['Id']}.scope"
    assert scope_of(pid) == f"{MANAGER}/user.slice/{unit}"
    assert process.status(pid)["Uid"].split()[0] == str(UID)
    assert show(unit, "ActiveState", "Slice") == {"ActiveState": "active", "Slice": "user.slice"}
    assert one.exec("sh", "-c", "exit 5").status == 5
    assert one.output_of("sh", "-c", "id -u; cat /proc/self/cgroup | tail -1",
                         options=["--user", "1000"]) == "1000\n0::/"
    assert "sleep" in podman("top", one.name, "args")
    one("pause")
    assert one.state["Status"] == "paused"
    assert is_control or show(unit, "FreezerState") == {"FreezerState": "frozen"}
    one("unpause")
    one("restart")
    assert one.state["Pid"] != pid
    one("stop")
    assert one.state["ExitCode"] == 0
    one("start")
    one("kill")
    assert podman("wait", one.name) == "137\n"
    one.remove()


def test_terminal(podman):
    command = podman.command("run", "--rm", "-it", *NO_NETWORK, BUSYBOX, "sh")
    with InFrontOf(command, rows=31, columns=97) as front:
        front.master.read_until(b"# ")
        front.master.type(b"stty size; tty; exit 8\n")
        front.master.read_until(b"31 97\r\n/dev/pts/0\r\n")
        front.master.read_to_end()
        assert front.status() == 8


@needs_writable_sysctl  # podman sets one of the network's, and there they are behind a mount
def test_user_namespaces(podman):
    """The user as itself (keep-id), and ids of its own (auto)."""
    script = "echo uid=$(id -u); echo map=$(cat /proc/self/uid_map)"
    seen = podman.facts("--userns=keep-id", script=script)
    assert seen["uid"] == str(UID) and f"{UID} 0 1" in " ".join(seen["map"].split())
    seen = podman.facts("--userns=auto:size=100", script=script)
    inside, outside, count = map(int, seen["map"].split())
    assert (seen["uid"], inside, count) == ("0", 0, 100) and outside > 0


@pytest.mark.kernel
def test_restrictions(podman):
    seen = podman.facts("--read-only", "--cap-drop", "all", "--tmpfs", "/scratch", "--ulimit", "nofile=100:200",
                        "--security-opt", "no-new-privileges", "--init", script="""
        echo caps=$(grep CapEff /proc/self/status)
        echo root=$(touch /new 2>&1)
        echo scratch=$(touch /scratch/new && echo made)
        echo files=$(ulimit -Hn)
        echo init=$(cat /proc/1/comm)""")
    assert seen["caps"].split()[1] == "0" * 16 and "Read-only" in seen["root"]
    assert (seen["scratch"], seen["files"], seen["init"]) == ("made", "200", "podman-init")


@pytest.mark.kernel
def test_pod_and_network(podman):
    """Containers of a pod share its network, which pasta makes."""
    podman("pod", "create", "--name", "pod", "--network", "pasta")
    podman("run", "--detach", "--pod", "pod", "--name", "one", BUSYBOX, *FOREVER)
    seen = podman("run", "--rm", "--pod", "pod", BUSYBOX, "ip", "-4", "addr")
    assert seen == podman("exec", "one", "ip", "-4", "addr")
    pid = podman.inspect("one")["State"]["Pid"]
    assert f"user.slice/user-libpod_pod_{podman.inspect('pod', 'pod')['Id']}.slice/libpod-" in process.cgroup(pid)
    podman("pod", "rm", "--force", "--time", "0", "pod")


@needs_controller("memory")
def test_limits_and_update(podman):
    one = podman.start("--memory", "64m", "--pids-limit", "60")
    cgroup = scope_of(one.state["Pid"])
    assert process.cgroup_file(cgroup, "memory.max") == str(64 << 20)
    podman("update", "--memory", "80m", "--pids-limit", "70", one.name)
    assert process.cgroup_file(cgroup, "memory.max") == str(80 << 20)
    assert process.cgroup_file(cgroup, "pids.max") == "70"
    stats = json.loads(podman("stats", "--no-stream", "--format", "json", one.name))[0]
    assert stats["mem_usage"].endswith("/ 83.89MB") and stats["pids"] == "2"
    one.remove()


@needs_controller("memory")
def test_out_of_memory(podman):
    one = podman.start("--pid", "host", "--memory", "16m", "--memory-swap", "16m")
    assert one.exec(*EAT).status == 137
    one("kill", "--signal", "TERM")
    assert podman("wait", one.name) == "0\n"
    assert one.state["OOMKilled"] is True
    one.remove()


QUADLET = f"""
[Container]
Image={BUSYBOX}
ContainerName=quadlet
Network=none
GlobalArgs=--runtime={{runtime}}
Exec=sh -c "trap 'exit 0' TERM; while :; do sleep 1000 & wait $$!; done"
"""


@pytest.mark.kernel
def test_quadlet(podman, runtime):
    """A user's .container unit: the container is in the service's cgroup."""
    path = Path(f"/home/{USER}/.config/containers/systemd/quadlet.container")
    setting.write(path, QUADLET.format(runtime=runtime))
    systemctl("daemon-reload")
    systemctl("start", "quadlet.service")
    pid = podman.inspect("quadlet")["State"]["Pid"]
    assert "/quadlet.service/libpod-payload-" in process.cgroup(pid)
    systemctl("stop", "quadlet.service")
    assert not process.is_alive(pid)
    path.unlink()
    systemctl("daemon-reload")


CONTAINERFILE = f"""
FROM {BUSYBOX}
RUN id -u >/made; mkdir /own; chown 1000 /own
USER 1000
RUN id -u >/own/made
"""


def test_buildah(runtime, podman):
    """run, and build with a step of each user."""
    buildah = Buildah(runtime, USER)
    work = buildah.work_on(BUSYBOX)
    result = buildah.run(work, "sh", "-c", "id -u; exit 5")
    assert (result.status, result.stdout) == (5, "0\n")
    buildah("rm", work)
    context = Path(f"/home/{USER}/context")
    setting.write(context / "Containerfile", CONTAINERFILE)
    buildah.build(context, "localhost/built")
    assert podman.run("localhost/built", "cat", "/made", "/own/made").stdout == "0\n1000\n"
    buildah("rmi", "localhost/built")
