# SPDX-License-Identifier: LGPL-2.1-or-later
"""Namespaces: new ones, the host's, joined ones, users' mappings."""

import os
import socket
import subprocess

import pytest

from harness import process
from harness.config import MAPPED_ROOT, Config
from harness.wait import until

FILES = {"pid": "pid", "ipc": "ipc", "uts": "uts", "mount": "mnt", "network": "net",
         "cgroup": "cgroup", "user": "user", "time": "time"}
HOLD = ["sleep", "1000"]


class Holder:
    """A process in namespaces of its own."""

    def __init__(self, *options):
        self.child = subprocess.Popen(["unshare", *options, *HOLD])
        until(lambda: process.comm(self.child.pid) == "sleep", "unshare")
        self.pid = self.child.pid

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.child.kill()
        self.child.wait()

    def path(self, kind):
        return f"/proc/{self.pid}/ns/{FILES[kind]}"


@pytest.mark.proves("linux.namespaces[].type")
def test_every_namespace_is_new(container):
    one = container(Config().sleeping().namespace("time")).run_detached()
    for kind, file in FILES.items():
        same = process.namespace(one.pid, file) == process.namespace("self", file)
        assert same == (kind == "user"), kind


@pytest.mark.parametrize("kind", ["ipc", "uts", "network", "cgroup", "pid"])
def test_what_is_not_asked_for_is_the_hosts(container, kind):
    config = Config().sleeping().without_namespace(kind)
    if kind == "uts":
        config.remove("hostname")
    if kind == "network":
        config.without_mounts_below("/sys").bind("/sys", "/sys", "rbind", "ro")
    one = container(config).run_detached()
    assert process.namespace(one.pid, FILES[kind]) == process.namespace("self", FILES[kind])


@pytest.mark.proves("hostname", "domainname")
def test_host_and_domain_name(seen):
    config = Config().script("hostname; cat /proc/sys/kernel/domainname")
    before = os.uname().nodename
    assert seen(config.set("hostname", "h1").set("domainname", "d1.example")) == "h1\nd1.example"
    assert os.uname().nodename == before


@pytest.mark.proves("linux.namespaces[].path")
def test_joined_namespaces(container):
    with Holder("--net", "--ipc", "--uts") as holder:
        config = Config().sleeping().remove("hostname")
        for kind in ["network", "ipc", "uts"]:
            config.namespace(kind, holder.path(kind))
        one = container(config).run_detached()
        for kind in ["net", "ipc", "uts"]:
            assert process.namespace(one.pid, kind) == process.namespace(holder.pid, kind)


def test_a_joined_pid_namespace(container):
    """As in a pod: the other's processes are seen, and the pid is the host's."""
    first = container().run_detached()
    second = container(Config().sleeping().namespace("pid", f"/proc/{first.pid}/ns/pid"))
    second.run_detached()
    assert process.namespace(second.pid, "pid") == process.namespace(first.pid, "pid")
    assert process.parent(second.pid) == os.getpid()
    assert "sh" in second.output_of("cat", "/proc/1/comm")
    assert second.status == "running"


def test_a_namespace_of_another_type_is_refused(runtime, container):
    one = container(Config().sleeping().namespace("ipc", "/proc/self/ns/uts"))
    assert "ipc" in runtime.fails("create", "--bundle", one.bundle.path, one.id)


def test_a_namespace_that_is_not_there(runtime, container):
    one = container(Config().sleeping().namespace("network", "/run/nosuch"))
    assert "/run/nosuch" in runtime.fails("create", "--bundle", one.bundle.path, one.id)


def test_the_loopback_is_up(seen):
    assert "UP" in seen("ip link show lo")


def test_abstract_sockets_of_the_host_are_far(container):
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("\0host-only")
        listener.listen()
        one = container(Config("cat", "/proc/net/unix"))
        assert "host-only" not in one.runtime("run", "--bundle", one.bundle.path, one.id)


@pytest.mark.proves("linux.timeOffsets.boottime.secs")
def test_time_offsets(seen):
    config = Config("cat", "/proc/uptime").namespace("time")
    config.set("linux.timeOffsets", {"boottime": {"secs": 1000000, "nanosecs": 0}})
    assert float(seen(config).split()[0]) > 1000000


# --- user namespaces

def mapped(container, config):
    one = container(config.mapped_users())
    one.bundle.give_to(MAPPED_ROOT)
    return one


@pytest.mark.proves("linux.uidMappings", "linux.gidMappings")
def test_mappings_of_users(container):
    one = mapped(container, Config().sleeping()).run_detached()
    for name in ["uid_map", "gid_map"]:
        rows = open(f"/proc/{one.pid}/{name}", encoding="ascii").read().split()
        assert rows == ["0", str(MAPPED_ROOT), "65536"]
    assert process.status(one.pid)["Uid"].split() == [str(MAPPED_ROOT)] * 4


def test_owners_of_files_in_a_user_namespace(container):
    """Root inside owns what it makes, and its mounts; on the host it is the mapped user's."""
    paths = ["/tmp/f", "/proc/self/", "/dev/pts", "/dev", "/dev/shm"]
    script = f"id -u; touch /tmp/f; stat -c %u:%n {' '.join(paths)}"
    one = mapped(container, Config().script(script))
    lines = one.runtime("run", "--bundle", one.bundle.path, one.id).splitlines()
    assert lines == ["0", *(f"0:{path}" for path in paths)]
    assert one.bundle.inside("tmp/f").stat().st_uid == MAPPED_ROOT


def test_capabilities_of_a_user_namespace_end_there(container):
    """Root inside may not what root outside may."""
    full = ["CAP_SYS_ADMIN", "CAP_DAC_OVERRIDE", "CAP_CHOWN"]
    config = Config().script("chown 12345:0 /victim || echo denied")
    config.capabilities(bounding=full, effective=full, permitted=full)
    one = mapped(container, config)
    one.bundle.inside("victim").touch()
    result = one.runtime.call("run", "--bundle", one.bundle.path, one.id)
    assert result.stdout == "denied\n"
    assert one.bundle.inside("victim").stat().st_uid == 0


def test_exec_in_a_user_namespace(container):
    one = mapped(container, Config().sleeping()).run_detached()
    script = "id -u; cat /proc/self/uid_map"
    assert one.output_of("sh", "-c", script).split() == ["0", "0", str(MAPPED_ROOT), "65536"]
    assert one.output_of("id", "-u", options=["--user", "1000:1000"]) == "1000\n"


def test_a_bundle_that_only_root_may_look_into(container):
    """A mapped root walks through directories that it may not list."""
    one = mapped(container, Config("echo", "here"))
    one.bundle.path.chmod(0o711)
    assert one.runtime("run", "--bundle", one.bundle.path, one.id) == "here\n"


def test_a_joined_user_namespace(container):
    first = mapped(container, Config().sleeping()).run_detached()
    config = Config().script("id -u; cat /proc/self/uid_map")
    for kind in ["user", "network", "ipc"]:
        config.namespace(kind, f"/proc/{first.pid}/ns/{FILES[kind]}")
    second = container(config)
    second.bundle.give_to(MAPPED_ROOT)
    words = second.runtime("run", "--bundle", second.bundle.path, second.id).split()
    assert words == ["0", "0", str(MAPPED_ROOT), "65536"]
