# SPDX-License-Identifier: LGPL-2.1-or-later
"""containerd as a kubelet uses it: a pod sandbox, and containers in it."""

import pytest

from engine import cri
from engine.containerd import IMAGE, SOCKET
from engine.containers import FOREVER, scope_of
from harness import process, systemd
from harness.needs import needs_cap_sys_resource, needs_controller

pytestmark = needs_cap_sys_resource  # a sandbox has a negative oom_score_adj
EXITED = 2  # CONTAINER_EXITED
OWN_PID = {"namespace_options": {"pid": 1}}  # what a kubelet asks for, unless the processes are shared
POD_ID = "11111111-2222-3333-4444-555555555555"
SLICE = f"kubepods-besteffort-pod{POD_ID.replace('-', '_')}.slice"
SANDBOX = {"metadata": {"name": "pod", "uid": POD_ID, "namespace": "default"}, "hostname": "in-a-pod",
           "linux": {"cgroup_parent": f"/kubepods.slice/kubepods-besteffort.slice/{SLICE}", "security_context": OWN_PID}}


@pytest.fixture
def kubelet(containerd, nothing_left):
    kubelet = cri.Kubelet(SOCKET)
    yield kubelet
    kubelet.close()


@pytest.fixture
def sandbox(kubelet, runtime):
    identity = kubelet("RunPodSandbox", config=SANDBOX, runtime_handler=runtime)["pod_sandbox_id"]
    yield identity
    kubelet("StopPodSandbox", pod_sandbox_id=identity)
    kubelet("RemovePodSandbox", pod_sandbox_id=identity)


@pytest.fixture
def start(kubelet, sandbox):
    """Starts a container: its id."""
    def make(name, **linux):
        config = {"metadata": {"name": name}, "image": {"image": IMAGE}, "command": FOREVER,
                  "linux": linux | {"security_context": OWN_PID}}
        identity = kubelet("CreateContainer", pod_sandbox_id=sandbox, config=config,
                           sandbox_config=SANDBOX)["container_id"]
        kubelet("StartContainer", container_id=identity)
        return identity
    return make


def unit(identity):
    return f"cri-containerd-{identity}.scope"


def main_process(identity):
    cgroup = systemd.show(unit(identity), "ControlGroup")["ControlGroup"]
    return min(process.members(cgroup) or process.members(f"{cgroup}/container"))


def test_pod(kubelet, sandbox, start):
    """Two containers that share what a pod shares, in its slice."""
    containers = [start("one"), start("two")]
    pids = [main_process(identity) for identity in [sandbox, *containers]]
    for kind in ["net", "ipc", "uts"]:
        assert len({process.namespace(pid, kind) for pid in pids}) == 1
    assert len({process.namespace(pid, "pid") for pid in pids}) == 3
    for identity in [sandbox, *containers]:
        assert systemd.show(unit(identity), "Slice")["Slice"] == SLICE
    reply = kubelet("ExecSync", container_id=containers[0], cmd=["sh", "-c", "hostname; exit 3"], timeout=300)
    assert (reply["stdout"], reply["exit_code"]) == ("in-a-pod\n", 3)
    kubelet("StopContainer", container_id=containers[0], timeout=300)
    status = kubelet("ContainerStatus", container_id=containers[0])["status"]
    assert (status["state"], status.get("exit_code", 0)) == (EXITED, 0)
    for identity in containers:
        kubelet("RemoveContainer", container_id=identity)


@needs_controller("memory")
def test_resources(kubelet, start):
    """Limits at first, and changed by the kubelet later."""
    identity = start("limited", resources={"memory_limit_in_bytes": 64 << 20, "cpu_quota": 50000, "cpu_period": 100000})
    cgroup = scope_of(main_process(identity))
    assert process.cgroup_file(cgroup, "memory.max") == str(64 << 20)
    kubelet("UpdateContainerResources", container_id=identity,
            linux={"memory_limit_in_bytes": 80 << 20, "cpu_quota": 25000, "cpu_period": 100000})
    assert process.cgroup_file(cgroup, "memory.max") == str(80 << 20)
    assert process.cgroup_file(cgroup, "cpu.max") == "25000 100000"
    assert systemd.show(unit(identity), "MemoryMax")["MemoryMax"] == str(80 << 20)
    kubelet("StopContainer", container_id=identity, timeout=0)
    kubelet("RemoveContainer", container_id=identity)
