# SPDX-License-Identifier: LGPL-2.1-or-later
"""Kernel parameters, labels and shares of caches: what is set, and what is refused where it cannot be."""

import itertools
import os
import subprocess
from pathlib import Path

import pytest

from harness.config import MAPPED_ROOT, Config
from harness.needs import needs_apparmor, needs_root

_numbers = itertools.count()


# --- sysctl

@pytest.mark.proves("linux.sysctl")
def test_sysctls(container):
    """linux.sysctl: of each namespace of its own, in both spellings; the host keeps its values."""
    values = {"net.ipv4.ip_forward": "1", "net/ipv4/ip_local_port_range": "2000\t3000",
              "kernel.shm_rmid_forced": "1", "kernel.msgmax": "4321", "fs.mqueue.msg_max": "7",
              "kernel.domainname": "example.org", "user.max_ipc_namespaces": "77"}
    paths = ["/proc/sys/" + name.replace(".", "/") for name in values]
    before = [open(path, encoding="ascii").read() for path in paths]
    one = container(Config("cat", *paths).mapped_users().set("linux.sysctl", values))
    one.bundle.give_to(MAPPED_ROOT)
    found = one.runtime("run", "--bundle", one.bundle.path, one.id).splitlines()
    assert found == list(values.values())
    assert [open(path, encoding="ascii").read() for path in paths] == before


@pytest.mark.parametrize("kind, key", [("network", "net.ipv4.ip_forward"), ("ipc", "kernel.msgmax"),
                                       ("uts", "kernel.domainname")])
def test_sysctls_of_the_hosts_namespace(runtime, container, kind, key):
    """linux.sysctl: a path may lead to the namespace of the host."""
    name = {"network": "net"}.get(kind, kind)
    config = Config("true").namespace(kind, f"/proc/self/ns/{name}").set("linux.sysctl", {key: "1"})
    one = container(config.remove("hostname"))
    message = runtime.fails("run", "--bundle", one.bundle.path, one.id)
    assert message.endswith(f"the host's own {kind} namespace, in which linux.sysctl would change it")
    assert "linux.namespaces[" in message


@pytest.mark.parametrize("key", ["hostname", "domainname"])
def test_names_of_the_host(runtime, container, key):
    """hostname, domainname: a path may lead to the namespace of the host."""
    before = [Path(f"/proc/sys/kernel/{name}").read_text() for name in ["hostname", "domainname"]]
    config = Config("true").namespace("uts", "/proc/self/ns/uts").remove("hostname").set(key, "changed")
    one = container(config)
    message = runtime.fails("run", "--bundle", one.bundle.path, one.id)
    assert [Path(f"/proc/sys/kernel/{name}").read_text() for name in ["hostname", "domainname"]] == before
    assert message.endswith(f"the host's own uts namespace, in which {key} would change it")


def test_a_sysctl_that_the_kernel_does_not_know(runtime, container):
    """linux.sysctl: the name in the error."""
    one = container(Config("true").set("linux.sysctl", {"net.ipv4.nosuch": "1"}))
    message = runtime.fails("run", "--bundle", one.bundle.path, one.id)
    assert "linux.sysctl: " in message and "net/ipv4/nosuch" in message


# --- labels

@pytest.fixture
def profile(top):
    """An AppArmor profile that keeps /etc/passwd from who has it; its name."""
    name = f"ocirt-sd-test-{next(_numbers)}"
    path = top / name
    path.write_text(f"profile {name} flags=(attach_disconnected,mediate_deleted) {{\n"
                    "  capability, network, file, umount, signal, ptrace, mount,\n"
                    "  deny /etc/passwd r,\n}\n")
    subprocess.run(["apparmor_parser", "--replace", "--skip-cache", path], check=True)
    yield name
    subprocess.run(["apparmor_parser", "--remove", path], check=True)
    path.unlink()


@needs_root("loads a profile")
@needs_apparmor
@pytest.mark.proves("process.apparmorProfile")
def test_apparmor(container, profile):
    """process.apparmorProfile: of init, of exec, and of exec with another one."""
    script = "cat /proc/self/attr/apparmor/current; cat /etc/passwd >/dev/null 2>&1 && echo read"
    one = container(Config().sleeping().set("process.apparmorProfile", profile)).run_detached()
    with open(f"/proc/{one.pid}/attr/apparmor/current", encoding="ascii") as current:
        assert current.read() == f"{profile} (enforce)\n"
    for options, lines in [([], [f"{profile} (enforce)"]), (["--apparmor", "unconfined"], ["unconfined", "read"])]:
        assert one.exec("sh", "-c", script, options=options).stdout.splitlines() == lines


@needs_apparmor
def test_a_profile_that_is_not_loaded(runtime, container):
    """process.apparmorProfile: nothing runs without it."""
    one = container(Config("true").set("process.apparmorProfile", "nosuch"))
    assert "process.apparmorProfile: " in runtime.fails("run", "--bundle", one.bundle.path, one.id)


@pytest.mark.skipif(os.path.exists("/sys/fs/selinux/enforce"), reason="SELinux is enabled")
@pytest.mark.proves("process.selinuxLabel", "linux.mountLabel")
def test_labels_without_selinux(runtime, container, tmp_path):
    """process.selinuxLabel: what is to be confined is not run without. linux.mountLabel: a warning, as it would keep
    nobody from anything. "" is none."""
    label, log = "system_u:object_r:container_file_t:s0", tmp_path / "log"
    for config in [Config("true").set("process.selinuxLabel", "").set("linux.mountLabel", ""),
                   Config("true").set("linux.mountLabel", label)]:
        assert not log.exists() or not log.read_text()
        one = container(config)
        runtime("--log", log, "run", "--bundle", one.bundle.path, one.id)
    assert "linux.mountLabel: has no effect" in log.read_text()
    one = container(Config("true").set("process.selinuxLabel", label))
    message = runtime.fails("run", "--bundle", one.bundle.path, one.id)
    assert message.endswith("process.selinuxLabel: SELinux is not enabled on this host")


# --- resctrl, which no machine for tests has: tests/unit/test-resctrl.c has the rest

@pytest.mark.skipif(os.path.isdir("/sys/fs/resctrl/info"), reason="resctrl is mounted")
@pytest.mark.proves("linux.intelRdt")
@pytest.mark.parametrize("value", [{}, {"closID": "/"}, {"l3CacheSchema": "L3:0=f"}, {"enableMonitoring": True}])
def test_shares_of_caches_without_resctrl(runtime, container, value):
    """linux.intelRdt: "if no mounted resctrl pseudo-filesystem is available, the runtime MUST
    generate an error"."""
    one = container(Config("true").set("linux.intelRdt", value))
    message = runtime.fails("create", "--bundle", one.bundle.path, one.id)
    assert message.endswith("linux.intelRdt: no resctrl file system is mounted on this host")


def test_update_of_shares_of_caches(container):
    """What is no line of schemata is refused as such, and a container without a group has no share."""
    one = container().run_detached()
    for option, value, message in [
            ("--l3-cache-schema", "L3:0=f\nMB:0=1", "--l3-cache-schema: must be a single line"),
            ("--mem-bw-schema", "L3:0=f", "--mem-bw-schema: "),
            ("--l3-cache-schema", "L3:0=f", "created without linux.intelRdt")]:
        assert message in one.runtime.fails("update", option, value, one.id)
