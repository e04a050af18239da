# SPDX-License-Identifier: LGPL-2.1-or-later
"""What a kubelet says to containerd: CRI over gRPC, without crictl, which Debian does not have.

Messages are dicts by field names; MESSAGES says what is on the wire, of what the tests use.
"""

import grpc

SERVICE = "/runtime.v1.RuntimeService/"
TIMEOUT = 300

MESSAGES = {
    "RunPodSandboxRequest": {"config": (1, "PodSandboxConfig"), "runtime_handler": 2},
    "RunPodSandboxResponse": {"pod_sandbox_id": 1},
    "PodSandboxConfig": {"metadata": (1, "PodSandboxMetadata"), "hostname": 2, "log_directory": 3,
                         "linux": (8, "LinuxPodSandboxConfig")},
    "PodSandboxMetadata": {"name": 1, "uid": 2, "namespace": 3},
    "LinuxPodSandboxConfig": {"cgroup_parent": 1, "security_context": (2, "LinuxSandboxSecurityContext")},
    "LinuxSandboxSecurityContext": {"namespace_options": (1, "NamespaceOption")},
    "NamespaceOption": {"network": 1, "pid": 2, "ipc": 3},
    "CreateContainerRequest": {"pod_sandbox_id": 1, "config": (2, "ContainerConfig"),
                               "sandbox_config": (3, "PodSandboxConfig")},
    "CreateContainerResponse": {"container_id": 1},
    "ContainerConfig": {"metadata": (1, "ContainerMetadata"), "image": (2, "ImageSpec"), "command": 3,
                        "log_path": 11, "linux": (15, "LinuxContainerConfig")},
    "ContainerMetadata": {"name": 1},
    "ImageSpec": {"image": 1},
    "LinuxContainerConfig": {"resources": (1, "LinuxContainerResources"),
                             "security_context": (2, "LinuxContainerSecurityContext")},
    "LinuxContainerResources": {"cpu_period": 1, "cpu_quota": 2, "cpu_shares": 3, "memory_limit_in_bytes": 4},
    "LinuxContainerSecurityContext": {"namespace_options": (3, "NamespaceOption"), "readonly_rootfs": 7},
    "ExecSyncRequest": {"container_id": 1, "cmd": 2, "timeout": 3},
    "ExecSyncResponse": {"stdout": 1, "stderr": 2, "exit_code": 3},
    "UpdateContainerResourcesRequest": {"container_id": 1, "linux": (2, "LinuxContainerResources")},
    "StopContainerRequest": {"container_id": 1, "timeout": 2},
    "ContainerStatusResponse": {"status": (1, "ContainerStatus")},
    "ContainerStatus": {"id": 1, "state": 3, "exit_code": 7, "reason": 10},
}
# A request that only names its object.
BY_CONTAINER, BY_SANDBOX = {"container_id": 1}, {"pod_sandbox_id": 1}


def _varint(number):
    number &= (1 << 64) - 1
    out = bytearray()
    while number > 0x7f:
        out.append(number & 0x7f | 0x80)
        number >>= 7
    return bytes([*out, number])


def _encode(fields, message):
    out = b""
    for name, value in fields.items():
        number, kind = message[name] if isinstance(message[name], tuple) else (message[name], None)
        for one in value if isinstance(value, list) else [value]:
            if isinstance(one, int):
                out += _varint(number << 3) + _varint(one)
            else:
                data = _encode(one, MESSAGES[kind]) if kind else str(one).encode()
                out += _varint(number << 3 | 2) + _varint(len(data)) + data
    return out


def _read_varint(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        value |= (byte & 0x7f) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at


def _decode(data, message):
    """The fields that the message names; the rest is skipped."""
    names = {(where[0] if isinstance(where, tuple) else where): (name, where) for name, where in message.items()}
    found, at = {}, 0
    while at < len(data):
        tag, at = _read_varint(data, at)
        value, at = _read_varint(data, at)
        if tag & 7 == 2:
            value, at = data[at:at + value], at + value
        name, where = names.get(tag >> 3, (None, None))
        if name:
            found[name] = _decode(value, MESSAGES[where[1]]) if isinstance(where, tuple) else \
                value.decode() if isinstance(value, bytes) else value
    return found


class Kubelet:
    """Calls of the runtime service."""

    def __init__(self, socket):
        self.channel = grpc.insecure_channel(f"unix://{socket}")

    def __call__(self, verb, **fields):
        by_name = BY_CONTAINER if "container_id" in fields else BY_SANDBOX
        request = MESSAGES.get(f"{verb}Request", by_name)
        call = self.channel.unary_unary(SERVICE + verb)
        reply = call(_encode(fields, request), timeout=TIMEOUT, wait_for_ready=True)
        return _decode(reply, MESSAGES.get(f"{verb}Response", {}))

    def close(self):
        self.channel.close()
