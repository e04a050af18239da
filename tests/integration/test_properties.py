# SPDX-License-Identifier: LGPL-2.1-or-later
"""Properties of config.json without an effect: those that are ignored, and those that are refused."""

import pytest

from harness.config import Config

IGNORED = {
    "process.commandLine": "cmd.exe /c exit 3",
    "process.user.username": "ContainerUser",
    "linux.resources.memory": {"kernel": -1, "kernelTCP": 0, "useHierarchy": True},
    "windows": {"layerFolders": ["C:\\nowhere"]},
    "solaris": {"milestone": "svc:/no/such:service"},
    "zos": {"namespaces": [{"type": "mount"}]},
    "freebsd": {"jail": {"host": "inherit"}},
}

DEVICE = {"major": 8, "minor": 0}
REFUSED = [
    ("vm", {"kernel": {"path": "/boot/vmlinuz"}}),
    ("linux.resources.memory.kernel", 1 << 20),
    ("linux.resources.memory.kernelTCP", 1 << 20),
    ("linux.resources.memory.useHierarchy", False),
    ("linux.resources.memory.swappiness", 7),
    ("linux.resources.memory.disableOOMKiller", True),
    ("linux.resources.cpu.realtimeRuntime", 950000),
    ("linux.resources.cpu.realtimePeriod", 1000000),
    ("linux.resources.blockIO.leafWeight", 100),
    ("linux.resources.blockIO.weightDevice", [DEVICE | {"leafWeight": 100}]),
    ("linux.resources.network.classID", 1),
    ("linux.resources.network.priorities", [{"name": "lo", "priority": 1}]),
    ("linux.personality", {"domain": "LINUX", "flags": ["ADDR_NO_RANDOMIZE"]}),
]


@pytest.mark.proves("process.commandLine", "process.user.username",
                    "windows", "solaris", "zos", "freebsd")
def test_what_is_ignored(run):
    """All of it at once, and the container is as it is without; so are names that nobody knows. Each is told."""
    config = Config().script("id -u; echo $0").set("process.nosuchproperty", {"a": [1]})
    for path, value in IGNORED.items():
        config.set(path, value)
    result = run(config)
    assert result.status == 0 and result.stdout == "0\nsh\n"
    told = {line.split(": ")[2] for line in result.stderr.splitlines()}
    assert told == IGNORED.keys() - {"linux.resources.memory"} | {"process.nosuchproperty"}


@pytest.mark.proves("vm", "linux.resources.memory.kernel", "linux.resources.memory.kernelTCP",
                    "linux.resources.memory.useHierarchy", "linux.resources.memory.swappiness",
                    "linux.resources.memory.disableOOMKiller",
                    "linux.resources.cpu.realtimeRuntime", "linux.resources.cpu.realtimePeriod",
                    "linux.resources.blockIO.leafWeight",
                    "linux.resources.blockIO.weightDevice[].leafWeight",
                    "linux.resources.network", "linux.personality.flags")
def test_what_is_refused(runtime, container):
    """With its path in the message, and before anything is made."""
    one = container()
    for path, value in REFUSED:
        one.bundle.write(Config().sleeping().set(path, value).text())
        message = runtime.fails("create", "--bundle", one.bundle.path, one.id)
        wanted = path.removesuffix(".classID").removesuffix(".priorities")
        assert wanted in message, message
