# SPDX-License-Identifier: LGPL-2.1-or-later
"""Resources associated with a container but not created by it MUST NOT be deleted."""

import os
import subprocess

from harness import process
from harness.config import Config
from harness.needs import needs_mounts, needs_privileged_namespaces
from harness.systemd import TransientUnit


def delete_after_use(one):
    one.run_detached()
    one.delete("--force")


@needs_privileged_namespaces
def test_joined_namespaces_are_left(container):
    """Namespaces not created by this container MUST NOT be deleted."""
    holder = subprocess.Popen(["unshare", "--net", "--ipc", "--uts", "sleep", "1000"])
    try:
        while process.comm(holder.pid) != "sleep":
            pass
        inside = {kind: process.namespace(holder.pid, kind) for kind in ["net", "ipc", "uts"]}
        config = Config().sleeping().remove("hostname")
        for kind, file in [("network", "net"), ("ipc", "ipc"), ("uts", "uts")]:
            config.namespace(kind, f"/proc/{holder.pid}/ns/{file}")
        one = container(config).run_detached()
        assert {kind: process.namespace(one.pid, kind) for kind in inside} == inside
        one.delete("--force")
        assert {kind: process.namespace(holder.pid, kind) for kind in inside} == inside
        assert process.is_alive(holder.pid)
    finally:
        holder.kill()
        holder.wait()


@needs_mounts
def test_a_namespace_kept_by_a_mount_is_left(container, bundles):
    """As "ip netns add" does it."""
    path = bundles.scratch("ns") / "net"
    path.touch()
    subprocess.run(["unshare", f"--net={path}", "true"], check=True)
    try:
        number = os.stat(path).st_ino
        delete_after_use(container(Config().sleeping().namespace("network", path)))
        assert os.stat(path).st_ino == number
    finally:
        subprocess.run(["umount", path], check=True)


def test_the_sources_of_mounts_are_left(container, bundles):
    source = bundles.scratch("volume")
    (source / "data").write_text("kept")
    delete_after_use(container(Config().sleeping().bind(source, "/mnt")))
    assert os.listdir(source) == ["data"] and (source / "data").read_text() == "kept"


def test_the_bundle_is_left(container):
    one = container()
    names = sorted(os.listdir(one.bundle.path))
    delete_after_use(one)
    assert sorted(os.listdir(one.bundle.path)) == sorted([*names, "output", "pid"])
    assert one.bundle.inside("bin/busybox").exists()


def test_other_units_are_left(container):
    """A unit beside the scope, in its slice, runs on; so does another container."""
    config = Config().sleeping().set("linux.cgroupsPath", "system.slice:test:neighbour")
    with TransientUnit("test-bystander.service", ["sleep", "1000"]) as bystander:
        before = bystander.invocation
        other = container().run_detached()
        delete_after_use(container(config))
        assert bystander.invocation == before
        assert other.status == "running"
