# SPDX-License-Identifier: LGPL-2.1-or-later
"""Podman as root: options of `podman run`, by what the container sees."""

import json
import os

import pytest

from engine.containers import scope_of
from engine.setting import mounted
from harness import process
from harness.needs import needs_apparmor

NOT_MKDIR = {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [
    {"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO", "errnoRet": 99}]}
RESTRICTED = """
field() { sed -n "s/^$1:[[:space:]]*//p" /proc/self/status; }
echo capabilities=$(field CapEff) $(field CapBnd)
echo privileges=$(field NoNewPrivs)
echo seccomp=$(field Seccomp) $(mkdir /scratch/new 2>&1)
echo root=$(touch /new 2>&1)
echo scratch=$(grep " /scratch " /proc/mounts)
echo files=$(ulimit -Sn) $(ulimit -Hn)
echo sysctl=$(cat /proc/sys/net/ipv4/ip_forward)
echo init=$(cat /proc/1/comm)
echo device=$(stat -c %t:%T:%a /dev/device)
echo read=$(head -c 1 /dev/device | wc -c)
"""


@pytest.mark.kernel
def test_restrictions(podman, tmp_path):
    """Everything that makes a container less, or another, than the default."""
    (tmp_path / "seccomp.json").write_text(json.dumps(NOT_MKDIR), encoding="ascii")
    seen = podman.facts(
        "--read-only", "--cap-drop", "all", "--cap-add", "net_raw", "--tmpfs", "/scratch:size=1m",
        "--security-opt", "no-new-privileges", "--security-opt", f"seccomp={tmp_path}/seccomp.json",
        "--ulimit", "nofile=100:200", "--sysctl", "net.ipv4.ip_forward=1", "--init",
        "--device", "/dev/zero:/dev/device:r", script=RESTRICTED)
    assert seen["capabilities"] == "0000000000002000 0000000000002000"
    assert seen["privileges"] == "1"
    assert seen["seccomp"].startswith("2 ") and "/scratch/new" in seen["seccomp"]
    assert "Read-only file system" in seen["root"]
    assert "size=1024k" in seen["scratch"]
    assert seen["files"] == "100 200" and seen["sysctl"] == "1"
    assert seen["init"] == "podman-init"
    assert seen["device"].startswith("1:5:") and seen["read"] == "1"


@needs_apparmor
def test_apparmor(podman):
    """The default profile, and none."""
    script = "echo profile=$(cat /proc/self/attr/current)"
    assert podman.facts(script=script)["profile"].startswith("containers-default-")
    assert podman.facts("--security-opt", "apparmor=unconfined", script=script) == {"profile": "unconfined"}


VOLUMES = """
echo ro=$(touch /ro/new 2>&1)
echo private=$(touch /private/made && echo made)
"""


def test_volumes(podman, tmp_path):
    for name in ["ro", "private"]:
        (tmp_path / name).mkdir()
    seen = podman.facts("--volume", f"{tmp_path}/ro:/ro:ro", "--volume", f"{tmp_path}/private:/private:Z",
                        script=VOLUMES)
    assert "Read-only file system" in seen["ro"]
    assert seen["private"] == "made" and (tmp_path / "private/made").exists()


def test_propagation(podman, tmp_path):
    """What is mounted on the host later comes into the container, if that was asked for."""
    with mounted(tmp_path):
        one = podman.start("--volume", f"{tmp_path}:/slave:rslave", "--volume", f"{tmp_path}:/private")
        with mounted(tmp_path / "later"):
            (tmp_path / "later/file").touch()
            assert one.output_of("find", "/slave", "/private", "-name", "file") == "/slave/later/file"
        one.remove()


@pytest.mark.kernel
def test_user_namespace(podman):
    """One of its own, and a root file system that belongs to its root."""
    seen = podman.facts("--userns=auto:size=1000", script="""
        echo map=$(cat /proc/self/uid_map)
        echo root=$(stat -c %u:%g /bin/busybox)""")
    inside, outside, count = map(int, seen["map"].split())
    assert (inside, count) == (0, 1000) and outside >= 1000000
    assert seen["root"] == "0:0"


@pytest.mark.kernel
def test_mapped_volume(podman, tmp_path):
    """A volume whose owners are mapped into the user namespace."""
    with mounted(tmp_path):
        (tmp_path / "file").touch()
        os.chown(tmp_path / "file", 7, 8)
        seen = podman.facts("--userns=auto:size=1000", "--volume", f"{tmp_path}:/mapped:idmap",
                            script="echo owner=$(stat -c %u:%g /mapped/file)")
    assert seen == {"owner": "7:8"}


NAMESPACES = ["cgroup", "ipc", "mnt", "net", "pid", "uts"]
OWN = "\n".join(f"echo {kind}=$(readlink /proc/self/ns/{kind})" for kind in NAMESPACES)


def test_namespaces_of_the_host(podman):
    options = ["--network=host", "--pid=host", "--ipc=host", "--uts=host", "--cgroupns=host"]
    seen = podman.facts(*options, script=OWN)
    here = {kind: process.namespace("self", kind) for kind in NAMESPACES}
    assert {kind for kind in NAMESPACES if seen[kind] != here[kind]} == {"mnt"}
    seen = podman.facts(script=OWN)
    assert not any(seen[kind] == here[kind] for kind in NAMESPACES)


# --- where the container's processes are

CGROUP = ["cat", "/proc/self/cgroup"]


@pytest.mark.kernel
def test_no_cgroup(podman):
    """--cgroups=disabled: it stays where conmon is."""
    one = podman.start("--cgroups=disabled")
    state = one.state
    assert process.cgroup(state["Pid"]) == process.cgroup(state["ConmonPid"]) == process.cgroup("self")
    assert one.exec(*CGROUP).status == 0
    one.remove()


def test_cgroup_parent(podman):
    """A slice that is made for it."""
    one = podman.start("--cgroup-parent", "tests-engines.slice")
    found = one.inspect()
    assert scope_of(found["State"]["Pid"]) == \
        f"/tests.slice/tests-engines.slice/libpod-{found['Id']}.scope"
    one.remove()


@pytest.mark.kernel
def test_privileged(podman):
    script = "\n".join(["echo caps=$(grep CapEff /proc/self/status)", "echo full=$(test -c /dev/full && echo there)",
                        "echo sys=$(grep -c ' /sys sysfs rw' /proc/mounts)"])
    seen = podman.facts("--privileged", script=script)
    assert seen["caps"].split()[1] == process.status("self")["CapEff"]
    assert seen["full"] == "there" and seen["sys"] == "1"
