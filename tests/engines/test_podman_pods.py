# SPDX-License-Identifier: LGPL-2.1-or-later
"""Podman as root: containers that share namespaces, and networks."""

import pytest

from engine.containers import FOREVER, NO_NETWORK, scope_of
from engine.setting import BUSYBOX
from harness import process
from harness.needs import needs_controller

SHARED, OWN = ["ipc", "net", "uts"], ["mnt", "pid", "cgroup"]

KUBE = """
apiVersion: v1
kind: Pod
metadata:
  name: kube
spec:
  hostname: from-yaml
  shareProcessNamespace: true
  containers:
  - name: first
    image: localhost/busybox
    command: [sh, -c, "trap 'exit 0' TERM; while :; do sleep 1000 & wait $!; done"]
    env: [{name: WORD, value: hello}]
    resources: {limits: {memory: 64Mi}}
  - name: second
    image: localhost/busybox
    command: [sh, -c, "trap 'exit 0' TERM; while :; do sleep 1000 & wait $!; done"]
    securityContext: {runAsUser: 1234, readOnlyRootFilesystem: true}
"""


def namespaces(pid, kinds):
    return [process.namespace(pid, kind) for kind in kinds]


@pytest.mark.kernel
def test_pod(podman):
    """Its containers are in its slice, and share what a pod shares."""
    podman("pod", "create", "--name", "pod", *NO_NETWORK)
    for name in ["one", "two"]:
        podman("run", "--detach", "--pod", "pod", "--name", name, BUSYBOX, *FOREVER)
    pod = podman.inspect("pod", "pod")
    found = [podman.inspect(name) for name in ["one", "two"]]
    pids = [each["State"]["Pid"] for each in found]
    assert namespaces(pids[0], SHARED) == namespaces(pids[1], SHARED)
    assert not set(namespaces(pids[0], OWN)) & set(namespaces(pids[1], OWN))
    for each, pid in zip(found, pids):
        assert scope_of(pid) == \
            f"/machine.slice/machine-libpod_pod_{pod['Id']}.slice/libpod-{each['Id']}.scope"
    podman("pod", "stop", "--time", "60", "pod")
    assert [podman.inspect(name)["State"]["ExitCode"] for name in ["one", "two"]] == [0, 0]
    podman("pod", "rm", "--force", "pod")


@needs_controller("memory")
def test_kube_play(podman, tmp_path):
    (tmp_path / "kube.yaml").write_text(KUBE, encoding="ascii")
    podman("kube", "play", "--network", "none", tmp_path / "kube.yaml")
    first, second = podman.inspect("kube-first"), podman.inspect("kube-second")
    pids = [each["State"]["Pid"] for each in [first, second]]
    assert namespaces(pids[0], ["pid", "ipc", "net"]) == namespaces(pids[1], ["pid", "ipc", "net"])
    assert podman("exec", "kube-first", "sh", "-c", "hostname; echo $WORD") == "from-yaml\nhello\n"
    assert process.status(pids[1])["Uid"].split()[0] == "1234"
    podman("kube", "down", "--force", tmp_path / "kube.yaml")


@pytest.mark.kernel
def test_networks(podman):
    """A bridge, and the network of another container."""
    podman("run", "--detach", "--name", "server", "--network", "bridge", BUSYBOX, *FOREVER)
    found = podman.inspect("server")
    address = found["NetworkSettings"]["Networks"]["podman"]["IPAddress"]
    seen = podman("run", "--rm", "--network", "container:server", BUSYBOX, "ip", "-4", "addr", "show", "eth0")
    assert address and f"inet {address}/" in seen
    podman("rm", "--force", "--time", "0", "server")
