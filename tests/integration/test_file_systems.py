# SPDX-License-Identifier: LGPL-2.1-or-later
"""config.json's mounts that are file systems of their own: tmpfs, the kernel's, on devices, overlays."""

import os
import subprocess
import tempfile
from pathlib import Path

import pytest

from harness import user
from harness.config import MAPPED_ROOT, Config
from harness.needs import needs_loop_devices, needs_root
from test_rootfs import mount_table

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


@pytest.mark.parametrize("kind", ["cgroup", "cgroup2"])
def test_a_writable_cgroup(seen, kind):
    """mounts[].type cgroup: delegated, the container may divide what it has, and not change what it got."""
    config = Config().script("mkdir /sys/fs/cgroup/sub && rmdir /sys/fs/cgroup/sub && echo made")
    config.without_mount("/sys/fs/cgroup").mount("/sys/fs/cgroup", kind, "cgroup", "rw")
    assert seen(config) == "made"


@needs_root("shows the host's cgroups")
def test_the_cgroups_of_the_host(seen):
    """mounts[].type cgroup without a cgroup namespace, that can be written to: the host's tree, with the host's options."""
    script = "cd /sys/fs/cgroup; ls -d system.slice init.scope; grep 0:: /proc/self/cgroup; " \
             "cd .$(grep 0:: /proc/self/cgroup | cut -d: -f3) && mkdir sub && rmdir sub && echo made; " \
             "grep ' /sys/fs/cgroup ' /proc/self/mountinfo"
    config = Config().script(script).without_namespace("cgroup").without_mount("/sys/fs/cgroup")
    before = mount_table(Path("/proc/self/mountinfo").read_text())["/sys/fs/cgroup"]
    config.mount("/sys/fs/cgroup", "cgroup", "cgroup", "nosuid", "nodev", "noexec", "rw")
    lines = seen(config).splitlines()
    assert lines[:2] == ["init.scope", "system.slice"] and ".scope" in lines[2]
    assert lines[3] == "made"
    assert {"nosuid", "nodev", "noexec", "rw"} <= set(lines[4].split()[5].split(","))
    assert mount_table(Path("/proc/self/mountinfo").read_text())["/sys/fs/cgroup"] == before


@needs_root("shows the host's cgroups")
def test_cgroups_that_can_be_read_are_its_own(seen):
    """A directory is enough to make a child in that cgroup (clone3(2)), whatever the mount is."""
    script = "cd /sys/fs/cgroup; ls -d cgroup.procs; ls -d system.slice init.scope 2>&-; mkdir sub 2>&-; cat cgroup.procs"
    config = Config().script(script).without_namespace("cgroup").without_namespace("pid").without_mount("/sys/fs/cgroup")
    config.mount("/sys/fs/cgroup", "cgroup", "cgroup", "nosuid", "nodev", "noexec", "ro")
    before = mount_table(Path("/proc/self/mountinfo").read_text())["/sys/fs/cgroup"]
    first, *pids = seen(config).splitlines()
    assert first == "cgroup.procs" and pids and all(pid.isdigit() for pid in pids)
    assert mount_table(Path("/proc/self/mountinfo").read_text())["/sys/fs/cgroup"] == before


def test_cgroups_in_a_user_namespace(container):
    """mounts[].type cgroup in a user namespace, of the host's: its own directory alone, and never writable."""
    config = Config().script("ls -d /sys/fs/cgroup/system.slice; ls /sys/fs/cgroup/cgroup.procs; mkdir /sys/fs/cgroup/x")
    config.without_namespace("cgroup").without_mount("/sys/fs/cgroup").mapped_users()
    one = container(config.mount("/sys/fs/cgroup", "cgroup", "cgroup", "rw"))
    one.bundle.give_to(MAPPED_ROOT)
    result = one.runtime.call("run", "--bundle", one.bundle.path, one.id)
    assert result.stdout == "/sys/fs/cgroup/cgroup.procs\n"
    assert "Read-only file system" in result.stderr and "system.slice: No such file" in result.stderr


def test_message_queues_and_terminals_are_the_containers(seen):
    """mounts[].type mqueue, devpts: newinstance, ptmxmode."""
    assert not os.path.exists("/dev/mqueue/of-the-container")
    script = "touch /dev/mqueue/of-the-container; ls /dev/mqueue; stat -c %a /dev/pts/ptmx; ls -l /dev/ptmx; " \
             "exec 3<>/dev/ptmx; ls /dev/pts"
    lines = seen(script).splitlines()
    assert lines[0] == "of-the-container" and lines[1] == "666" and lines[2].endswith("/dev/ptmx -> pts/ptmx")
    assert lines[3:] == ["0", "ptmx"]
    assert not os.path.exists("/dev/mqueue/of-the-container")


def test_sysfs_without_a_network_namespace(container):
    """mounts[].type sysfs in a user namespace that has not its own network: the host's, with the options asked for."""
    script = "grep ' / /sys ' /proc/self/mountinfo; touch /sys/x; ls -d /sys/class/net/lo; ls /sys/firmware"
    config = Config().script(script).without_namespace("network").without_mount("/sys/fs/cgroup").mapped_users()
    one = container(config)
    one.bundle.give_to(MAPPED_ROOT)
    result = one.runtime.call("run", "--bundle", one.bundle.path, one.id)
    fields = result.stdout.splitlines()[0].split()
    assert {"ro", "nosuid", "nodev", "noexec"} <= set(fields[5].split(",")) and "sysfs" in fields
    assert result.stdout.splitlines()[1:] == ["/sys/class/net/lo"] and "Read-only file system" in result.stderr


# --- what is mounted on /proc: the rule of ocirt-sd(1)

MAY_BE_COVERED = ["cpuinfo", "diskstats", "meminfo", "stat", "swaps", "uptime", "loadavg", "pressure/cpu",
                  "pressure/io", "pressure/memory", "sys/kernel/ns_last_pid"]
MUST_NOT = ["self", "1", "self/attr", "sys", "sys/kernel/core_pattern", "sysrq-trigger", "net/dev", "kcore",
            "../proc/keys", "cpuinfo/x", "pressure", "thread-self/attr/exec"]


def test_files_of_proc_that_may_be_covered(seen, bundles):
    """mounts[].destination below /proc: what lxcfs emulates."""
    path = bundles.scratch("lxcfs")
    names = [name for name in MAY_BE_COVERED if os.path.exists(f"/proc/{name}")]
    assert len(names) >= 8
    config = Config().script(f"cd /proc; cat {' '.join(names)}")
    for number, name in enumerate(names):
        (path / str(number)).write_text(f"{name}\n")
        config.bind(path / str(number), f"/proc/{name}", "bind", "ro")
    assert seen(config).split() == names


def test_the_rest_of_proc_must_not_be_covered(runtime, bundles):
    """mounts[].destination below /proc, and mounts[].type on it: refused, by its path."""
    bundle = bundles.make(Config("true"))
    source = bundles.scratch("source")
    (source / "file").touch()
    configs = [Config().bind(source / "file", f"/proc/{name}", "bind") for name in MUST_NOT]
    configs += [Config().mount(f"/proc/{name}", "tmpfs", "tmpfs") for name in MUST_NOT[:3]]
    configs += [Config().mount("/proc", "tmpfs", "tmpfs"), Config().bind(source, "/proc", "bind"),
                Config().bind("/proc/self", "/proc", "bind")]
    for config in configs:
        bundle.write(config.text())
        message = runtime.fails("create", "--bundle", bundle.path, "covered")
        assert "mounts[7]" in message and "/proc" in message, message


def test_another_procfs_may_be_bound_on_proc(seen):
    """mounts[].destination /proc: of the host, whole."""
    config = Config().without_mount("/proc").bind("/proc", "/proc", "rbind").set("linux.maskedPaths", [])
    config.set("linux.readonlyPaths", [])
    assert "systemd" in seen(config.args("cat", "/proc/1/comm"))


# --- file systems on devices

@pytest.fixture
def device(bundles):
    """A block device with an ext4 that has a file."""
    path = bundles.scratch("image")
    (path / "tree").mkdir()
    (path / "tree/file").write_text("on a disk\n")
    subprocess.run(["mke2fs", "-q", "-t", "ext4", "-d", path / "tree", path / "image", "8M"], check=True)
    name = subprocess.run(["losetup", "--find", "--show", path / "image"], check=True, capture_output=True,
                          text=True).stdout.strip()
    yield name
    subprocess.run(["losetup", "--detach", name], check=True)


@pytest.mark.proves("mounts[].source", "mounts[].type")
@needs_root("attaches a loop device")
@needs_loop_devices
def test_a_file_system_on_a_device(seen, device):
    """mounts[].source a device; mounts[].options of its file system; read-only is the file system too."""
    config = Config().script("cat /mnt/file; touch /mnt/x; grep ' /mnt ' /proc/self/mountinfo")
    config.mount("/mnt", "ext4", device, "commit=7", "noatime", "nosymfollow", "lazytime", "silent", "iversion")
    word, line = seen(config).splitlines()
    left, right = line.split(" - ")
    assert word == "on a disk" and {"noatime", "nosymfollow"} <= set(left.split()[5].split(","))
    assert right.split()[:2] == ["ext4", device] and {"commit=7", "lazytime"} <= set(right.split()[2].split(","))
    readonly = Config().script("grep ' /mnt ' /proc/self/mountinfo").mount("/mnt", "ext4", device, "ro")
    left, right = seen(readonly).split(" - ")
    assert "ro" in left.split()[5].split(",") and "ro" in right.split()[2].split(",")


@needs_root("attaches a loop device")
@needs_loop_devices
def test_a_mapped_file_system_on_a_device(container, device):
    """mounts[].options idmap of a new file system: one that a user namespace could not even mount."""
    config = Config().script("stat -c %u:%g /mnt/file; echo new > /mnt/new; stat -c %u:%g /mnt/new; umount /mnt")
    one = container(config.mount("/mnt", "ext4", device, "idmap", "nosuid").mapped_users())
    one.bundle.give_to(MAPPED_ROOT)
    result = one.runtime.call("run", "--bundle", one.bundle.path, one.id)
    assert result.stdout == "0:0\n0:0\n", str(result)


# --- overlays

@pytest.fixture
def layers():
    """A directory on a tmpfs, which can be the upper layer of an overlay."""
    with tempfile.TemporaryDirectory(dir=user.RUNTIME_DIRECTORY if user.ORDINARY else "/run") as path:
        Path(path).chmod(0o755)
        yield Path(path)


def overlay(path, names):
    """The options of an overlay of directories that have a file of their own name each."""
    for name in names:
        (path / name).mkdir()
        (path / name / f"in-{name[:4]}").write_text(f"{name}\n")
    options = ["lowerdir=" + ":".join(str(path / name).replace(",", "\\,") for name in names)]
    for name in ["upper", "work"]:
        (path / name).mkdir()
    return options + [f"upperdir={path}/upper", f"workdir={path}/work"]


@pytest.mark.proves("mounts[].type")
def test_an_overlay(seen, layers):
    """mounts[].type overlay: layers, one with a comma, and what is written goes to the upper one."""
    config = Config().script("cat /mnt/in-aaaa /mnt/in-b,bb; echo new > /mnt/new; stat -f -c %t /mnt")
    config.mount("/mnt", "overlay", "overlay", *overlay(layers, ["aaaa", "b,bbb"]))
    assert seen(config).split() == ["aaaa", "b,bbb", "794c7630"]
    assert (layers / "upper/new").read_text() == "new\n"


def test_an_overlay_whose_options_are_longer_than_a_page(seen, layers):
    """mounts[].options: a hundred layers."""
    names = [f"{i:04}-{'x' * 60}" for i in range(100)]
    options = overlay(layers, names)
    assert len(",".join(options)) > 8192
    config = Config().script("cat /mnt/in-0000 /mnt/in-0099; ls /mnt | wc -l; echo new > /mnt/new")
    assert seen(config.mount("/mnt", "overlay", "overlay", *options)).split() == [names[0], names[99], "100"]
    assert (layers / "upper/new").exists()
