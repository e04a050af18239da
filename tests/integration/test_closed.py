# SPDX-License-Identifier: LGPL-2.1-or-later
"""A rootfs below a directory that root alone may go through: root of a user namespace is in it all the same."""

import os
import stat
import subprocess

import pytest

from harness.config import MAPPED_ROOT, Config
from harness.needs import needs_mapped_tmpfs, needs_root

pytestmark = needs_root("has the power over other users")

ZERO = {"path": "/dev/mine", "type": "c", "major": 1, "minor": 5}


def shut(one, config, owner=0):
    """Move its rootfs below such a directory, and give it to root of the user namespace."""
    closed = one.bundle.path / "closed"
    one.bundle.give_to(MAPPED_ROOT)
    closed.mkdir()
    one.bundle.rootfs.rename(closed / "rootfs")
    one.bundle.rootfs = closed / "rootfs"
    os.chown(closed, owner, owner)
    closed.chmod(0o700)
    one.bundle.write(config.set("root.path", "closed/rootfs").text())
    return one


@pytest.fixture
def closed(container):
    return lambda config: shut(container(config), config)


def test_its_life(closed):
    one = closed(Config().sleeping().mapped_users()).create()
    assert one.start().output_of("ls", "-d", "/proc/self", "/bin/sh") == "/bin/sh\n/proc/self\n"
    assert one.output_of("sh", "-c", "id -u; echo x >/written; ls -n /written").split()[:4] == ["0", "-rw-r--r--", "1", "0"]
    one.kill("KILL")
    one.wait_for_end().delete()


@pytest.mark.parametrize("propagation", ["private", "slave", "shared", "unbindable",
                                         "rprivate", "rslave", "rshared", "runbindable"])
def test_propagation(closed, propagation):
    """linux.rootfsPropagation: where it is shared there is no way up to what it is mounted on."""
    one = closed(Config("head", "-n", "1", "/proc/self/mountinfo").mapped_users().set("linux.rootfsPropagation", propagation))
    root = one.runtime("run", "--bundle", one.bundle.path, one.id).split()
    assert root[4] == "/" and root[3].endswith("/closed/rootfs")
    assert any(field.startswith("shared:") for field in root) == propagation.endswith("shared")


@pytest.mark.parametrize("config, options", [
    (Config().set("root.readonly", True), []), (Config().namespace("time"), []), (Config(), ["--no-pivot"]),
    (Config().set("linux.devices", [ZERO]), []), (Config().mount("/run", "overlay", "o", "lowerdir=/usr:/etc"), []),
    pytest.param(Config().mount("/new", "tmpfs", "tmpfs", "idmap"), [], marks=needs_mapped_tmpfs),
], ids=["read-only", "fork", "no-pivot", "device", "overlay", "mapped-mount"])
def test_what_is_made_on_the_way(closed, config, options):
    one = closed(config.args("echo", "here").mapped_users())
    assert one.runtime("run", *options, "--bundle", one.bundle.path, one.id) == "here\n"


@pytest.mark.parametrize("earlier", [False, True])
def test_a_source_beside_it(closed, container, earlier):
    """mounts[].source: also one on what the list has mounted before."""
    config = Config("cat", "/mnt/file").mapped_users()
    if earlier:
        config.mount("/tmp", "tmpfs", "tmpfs", "mode=755")
    one = closed(config)
    source = one.bundle.rootfs / "tmp/within" if earlier else one.bundle.path / "closed/volume"
    if earlier:
        config.bind("/usr", "/tmp/within").args("ls", "-d", "/mnt/bin")
    else:
        source.mkdir()
        (source / "file").write_text("here\n")
    one.bundle.write(config.bind(source, "/mnt").text())
    assert one.runtime("run", "--bundle", one.bundle.path, one.id) == ("/mnt/bin\n" if earlier else "here\n")


def test_hooks(closed, bundles):
    """hooks.createContainer: where no path leads to the rootfs, it is the working directory, with what is mounted in it."""
    log = bundles.scratch("log") / "log"
    log.touch()
    log.chmod(0o666)
    config = Config("true").mapped_users().set("linux.devices", [ZERO])
    one = closed(config)
    one.bundle.inside("marker").touch()
    script = f"(ls -d marker proc/self/fd; ls {one.bundle.rootfs} || echo closed) >{log} 2>/dev/null"
    one.bundle.write(config.hook("createContainer", "/bin/sh", "-c", script, env=["PATH=/usr/bin:/bin"]).text())
    one.runtime("run", "--bundle", one.bundle.path, one.id)
    assert log.read_text() == "marker\nproc/self/fd\nclosed\n"


@pytest.fixture
def users(container):
    """A container whose user namespace others join."""
    one = container(Config().sleeping().mapped_users())
    one.bundle.give_to(MAPPED_ROOT)
    return one.run_detached()


def test_a_joined_user_namespace(closed, users):
    """linux.namespaces[].path"""
    one = closed(Config("cat", "/proc/self/uid_map").namespace("user", f"/proc/{users.pid}/ns/user"))
    assert one.runtime("run", "--bundle", one.bundle.path, one.id).split() == ["0", str(MAPPED_ROOT), "65536"]


def test_no_mount_namespace(closed, users):
    """linux.namespaces without mount: the root is the rootfs as it lies there, with its device nodes."""
    config = Config().script("id -u; ls -d /bin/sh").namespace("user", f"/proc/{users.pid}/ns/user")
    config.set("mounts", []).set("linux.maskedPaths", []).set("linux.readonlyPaths", []).remove("root.readonly")
    one = closed(config.without_namespace("mount", "cgroup", "network"))
    for name, major, minor in [("null", 1, 3), ("zero", 1, 5), ("full", 1, 7), ("random", 1, 8), ("urandom", 1, 9), ("tty", 5, 0)]:
        os.mknod(one.bundle.inside("dev") / name, stat.S_IFCHR | 0o666, os.makedev(major, minor))
    assert one.runtime("run", "--bundle", one.bundle.path, one.id) == "0\n/bin/sh\n"


def test_a_caller_who_may_not(container):
    """Who has not all power of root may depend on that of the user namespace, which has it over what is its own."""
    config = Config("echo", "here").mapped_users()
    one = shut(container(config), config, MAPPED_ROOT)
    drop = ["capsh", "--drop=cap_dac_override,cap_dac_read_search", "--", "-c", 'exec "$@"', "sh"]
    assert subprocess.run([*drop, "ls", one.bundle.rootfs], check=False, capture_output=True).returncode
    assert one.runtime("run", "--bundle", one.bundle.path, one.id, prefix=drop) == "here\n"
