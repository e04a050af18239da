# SPDX-License-Identifier: LGPL-2.1-or-later
"""config.json's mounts."""

import os
import subprocess
from pathlib import Path

import pytest

from harness.config import Config
from test_rootfs import mount_table


@pytest.fixture
def volume(bundles):
    """A directory of the host with a file, a directory and a mount below it."""
    path = bundles.scratch("volume")
    (path / "file").write_text("content\n")
    (path / "sub").mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "below", path / "sub"], check=True)
    (path / "sub/deep").write_text("deep\n")
    yield path
    subprocess.run(["umount", path / "sub"], check=True)


def mounted(seen, config, point="/mnt"):
    """What mountinfo inside says of a mount point."""
    return mount_table(seen(config.args("cat", "/proc/self/mountinfo")))[point]


# --- tmpfs

@pytest.mark.proves("mounts[].type", "mounts[].options")
def test_a_tmpfs_and_its_options(seen):
    config = Config().script("stat -c %a:%u:%g /mnt; df -k /mnt | tail -n 1; mount | grep ' /mnt '")
    config.mount("/mnt", "tmpfs", "tmpfs", "size=128k", "mode=1710", "uid=3", "gid=4", "nosuid",
                 "nodev", "noexec", "noatime")
    mode, usage, line = seen(config).splitlines()
    assert mode == "1710:3:4"
    assert usage.split()[1] == "128"
    flags = line.split("(")[1].rstrip(")").split(",")
    assert {"nosuid", "nodev", "noexec", "noatime"} <= set(flags)


def test_tmpcopyup(container):
    """What was there is in the tmpfs; what is written there does not go through."""
    one = container(Config().script("cat /data/file; stat -c %a /data/sub; echo new > /data/new")
                    .mount("/data", "tmpfs", "tmpfs", "tmpcopyup"))
    one.bundle.inside("data/sub").mkdir(parents=True, mode=0o750)
    one.bundle.inside("data/file").write_text("old\n")
    assert one.runtime("run", "--bundle", one.bundle.path, one.id) == "old\n750\n"
    assert sorted(os.listdir(one.bundle.inside("data"))) == ["file", "sub"]


def test_mounts_happen_in_the_order_of_the_list(seen):
    config = Config().script("ls /mnt /mnt/inner")
    config.mount("/mnt/inner", "tmpfs", "covered").mount("/mnt", "tmpfs", "first")
    config.mount("/mnt/inner", "tmpfs", "second")
    assert seen(config) == "/mnt:\ninner\n\n/mnt/inner:"


# --- binds

@pytest.mark.proves("mounts[].source", "mounts[].destination")
def test_a_bind_takes_one_mount_and_rbind_all(seen, volume):
    script = "cat /mnt/file; ls /mnt/sub"
    assert seen(Config().script(script).bind(volume, "/mnt", "bind")) == "content"
    assert seen(Config().script(script).bind(volume, "/mnt", "rbind")) == "content\ndeep"


def test_a_read_only_bind_leaves_the_source_writable(run, volume):
    script = "touch /mnt/x; touch /mnt/sub/x && echo below"
    result = run(Config().script(script).bind(volume, "/mnt", "rbind", "ro"))
    assert "Read-only file system" in result.stderr and result.stdout == "below\n"
    (volume / "x").touch()


def test_a_recursively_read_only_bind(run, volume):
    """rro of runtime-spec 1.1."""
    result = run(Config().script("touch /mnt/x; touch /mnt/sub/x; true")
                 .bind(volume, "/mnt", "rbind", "rro"))
    assert result.stderr.count("Read-only file system") == 2


def test_flags_of_a_bind(seen, volume):
    config = Config().bind(volume, "/mnt", "rbind", "nosuid", "nodev", "noexec", "relatime")
    assert {"nosuid", "nodev", "noexec", "relatime"} <= mounted(seen, config)[0]


def test_a_bind_of_a_file(seen, volume):
    """Onto a file that is made, with the directories above it."""
    config = Config().script("cat /new/dir/file").bind(volume / "file", "/new/dir/file", "bind")
    assert seen(config) == "content"


def test_a_relative_source_is_in_the_bundle(container):
    one = container(Config("cat", "/mnt/x").bind("data", "/mnt", "bind"))
    (one.bundle.path / "data").mkdir()
    (one.bundle.path / "data/x").write_text("bundled\n")
    assert one.runtime("run", "--bundle", one.bundle.path, one.id) == "bundled\n"


def test_a_source_may_be_a_symlink(seen, volume):
    """Sources are the caller's: they are followed as always."""
    link = volume / "link"
    link.symlink_to(volume / "file")
    assert seen(Config("cat", "/f").bind(link, "/f", "bind")) == "content"
    link.unlink()


@pytest.mark.parametrize("option, fields", [("rprivate", []), ("rslave", ["master"]),
                                            ("rshared", ["shared"]), ("unbindable",
                                                                     ["unbindable"])])
def test_propagation_of_a_mount(seen, volume, option, fields):
    found = mounted(seen, Config().bind(volume, "/mnt", "rbind", option))[1]
    kinds = [field.partition(":")[0] for field in found]
    if option == "rshared":  # and a slave of the host's, where that is shared
        assert "shared" in kinds
    elif option != "rslave":  # a slave of what nobody shares is private
        assert kinds == fields


def test_an_rslave_bind_sees_what_the_host_mounts(container, bundles):
    path = bundles.scratch("shared")
    subprocess.run(["mount", "--bind", path, path], check=True)
    subprocess.run(["mount", "--make-shared", path], check=True)
    try:
        (path / "later").mkdir()
        config = Config().sleeping().bind(path, "/mnt", "rbind", "rslave")
        one = container(config).run_detached()
        subprocess.run(["mount", "-t", "tmpfs", "later", path / "later"], check=True)
        (path / "later/x").touch()
        assert one.output_of("ls", "/mnt/later") == "x\n"
        subprocess.run(["umount", path / "later"], check=True)
        one.delete("--force")
    finally:
        subprocess.run(["umount", path], check=True)


# --- the kernel's file systems

def test_proc_is_the_namespaces(seen):
    assert seen("ls -d /proc/[0-9]* | head -n 1") == "/proc/1"


def test_sys_is_read_only(run):
    assert "Read-only file system" in run("mkdir /sys/fs/cgroup/x; touch /sys/x; true").stderr


def test_cgroup_shows_the_own_cgroup_only(container):
    one = container(Config().script("ls /sys/fs/cgroup; cat /sys/fs/cgroup/cgroup.procs; "
                                    "sleep 1000")).run_detached().wait_for_output("1\n")
    words = one.output.split()
    assert "cgroup.procs" in words and "system.slice" not in words


def test_a_writable_cgroup(seen):
    """Delegated: the container may divide what it has, and not change what it got."""
    config = Config().script("mkdir /sys/fs/cgroup/sub && rmdir /sys/fs/cgroup/sub && echo made")
    config.without_mount("/sys/fs/cgroup").mount("/sys/fs/cgroup", "cgroup", "cgroup", "rw")
    assert seen(config) == "made"


def test_a_remount(seen):
    config = Config().mount("/mnt", "tmpfs", "tmpfs").mount("/mnt", "none", "none", "remount", "ro")
    assert "ro" in mounted(seen, config)[0]


def test_labels_and_options_that_no_kernel_knows(runtime, container):
    one = container(Config().mount("/mnt", "tmpfs", "tmpfs", "nosuchoption=1"))
    message = runtime.fails("create", "--bundle", one.bundle.path, one.id)
    assert "/mnt" in message or "mounts[7]" in message


def test_idmapped_binds_are_refused(runtime, container, volume):
    """Not supported, and said so: files would belong to the wrong users."""
    mapping = [{"containerID": 0, "hostID": 5000, "size": 1000}]
    config = Config("true").bind(volume, "/mnt", "bind", "idmap")
    entry = config.get("mounts")[-1]
    entry["uidMappings"] = entry["gidMappings"] = mapping
    one = container(config)
    assert "mounts[7]" in runtime.fails("create", "--bundle", one.bundle.path, one.id)


def test_host_mounts_are_the_same_afterwards(seen, volume):
    before = Path("/proc/self/mountinfo").read_text()
    seen(Config("true").bind(volume, "/mnt", "rbind", "ro", "nosuid"))
    assert Path("/proc/self/mountinfo").read_text() == before
