# SPDX-License-Identifier: LGPL-2.1-or-later
"""config.json's mounts."""

import os
import subprocess
import tempfile
from pathlib import Path

import pytest

from harness import user
from harness.config import MAPPED_ROOT, Config
from harness.needs import needs_loop_devices, needs_mounts, needs_root
from test_rootfs import mount_table


@pytest.fixture
def volume(bundles):
    """A directory of the host with a file, a directory and, if we may, a mount below it."""
    path = bundles.scratch("volume")
    (path / "file").write_text("content\n")
    (path / "sub").mkdir()
    if not user.ORDINARY:
        subprocess.run(["mount", "-t", "tmpfs", "below", path / "sub"], check=True)
    (path / "sub/deep").write_text("deep\n")
    yield path
    if not user.ORDINARY:
        subprocess.run(["umount", path / "sub"], check=True)


def mounted(seen, config, point="/mnt"):
    """What mountinfo inside says of a mount point."""
    return mount_table(seen(config.args("cat", "/proc/self/mountinfo")))[point]


# --- every option of the specification's table, and crun's

FLAGS = {"ro": "rw", "nosuid": "suid", "nodev": "dev", "noexec": "exec", "nodiratime": "diratime",
         "nosymfollow": "symfollow"}
ATIMES = {"noatime": "noatime", "atime": "relatime", "relatime": "relatime", "norelatime": "noatime",
          "strictatime": None, "nostrictatime": "noatime"}  # of what was noatime


@pytest.fixture
def flagged(bundles):
    """Two file systems with one more below each: one with every flag, and one with none."""
    top = bundles.scratch("flagged")
    made = []
    for name, flags in {"loose": "rw", "strict": f"noatime,{','.join(FLAGS)}"}.items():
        for path in [top / name, top / name / "sub"]:
            path.mkdir()
            subprocess.run(["mount", "-t", "tmpfs", name, path], check=True)
            made.append(path)
        for path in made[-2:]:
            subprocess.run(["mount", "-o", f"remount,bind,{flags}", path], check=True)
    yield top
    for path in reversed(made):
        subprocess.run(["umount", path], check=True)


def shown(flags):
    """Of the options in mountinfo those that are about the mount; strictatime shows as none."""
    return flags & {"ro", "rw", "nosuid", "nodev", "noexec", "nodiratime", "nosymfollow", "noatime", "relatime"}


@pytest.mark.proves("mounts[].options")
@needs_mounts
def test_flags_of_mounts(seen, flagged):
    """mounts[].options: ro, nosuid, nodev, noexec, nodiratime, nosymfollow and what undoes them; the same with r."""
    config = Config("cat", "/proc/self/mountinfo")
    for flag, opposite in FLAGS.items():
        config.bind(flagged / "loose", f"/set/{flag}", "rbind", flag)
        config.bind(flagged / "loose", f"/rset/{flag}", "rbind", f"r{flag}")
        config.bind(flagged / "strict", f"/clear/{flag}", "rbind", opposite)
        config.bind(flagged / "strict", f"/rclear/{flag}", "rbind", f"r{opposite}")
    table = mount_table(seen(config))
    strict, loose = {"noatime", *FLAGS}, {"rw", "relatime"}
    for flag in FLAGS:
        with_it = loose - {"rw"} | {flag} if flag == "ro" else loose | {flag}
        without = strict - {flag} | ({"rw"} if flag == "ro" else set())
        for kind, top, below in [("set", with_it, loose), ("rset", with_it, with_it),
                                 ("clear", without, strict), ("rclear", without, without)]:
            assert shown(table[f"/{kind}/{flag}"][0]) == top, f"{kind} {flag}"
            assert shown(table[f"/{kind}/{flag}/sub"][0]) == below, f"{kind} {flag}"


@pytest.mark.proves("mounts[].options")
@needs_mounts
def test_access_times_of_mounts(seen, flagged):
    """mounts[].options: noatime, atime, relatime, norelatime, strictatime, nostrictatime; the same with r."""
    config = Config("cat", "/proc/self/mountinfo")
    for option in ATIMES:
        config.bind(flagged / "strict", f"/{option}", "rbind", option)
        config.bind(flagged / "strict", f"/r{option}", "rbind", f"r{option}")
    config.bind(flagged / "strict", "/unsaid", "rbind", "rw")
    table = mount_table(seen(config))
    for option, expected in ATIMES.items():
        found = {place: table[place][0] & {"noatime", "relatime"}
                 for place in [f"/{option}", f"/{option}/sub", f"/r{option}", f"/r{option}/sub"]}
        wanted = {expected} - {None}
        if option.startswith("no") and option != "noatime":  # not that one: the kernel's own choice
            wanted = {"relatime"}
        assert found == {f"/{option}": wanted, f"/{option}/sub": {"noatime"}, f"/r{option}": wanted,
                         f"/r{option}/sub": wanted}
    assert "noatime" in table["/unsaid"][0]


@pytest.mark.proves("mounts[].options")
def test_flags_of_file_systems(seen, container):
    """mounts[].options: sync, dirsync, lazytime; async, nolazytime; silent, loud, iversion, mand, defaults …"""
    config = Config().script("cat /proc/self/mountinfo")
    cases = {"sync": ["sync"], "dirsync": ["dirsync"], "lazytime": ["lazytime"], "async": ["sync", "async"],
             "nolazytime": ["lazytime", "nolazytime"], "silent": ["silent", "size=64k", "nosuid", "nodiratime"],
             "loud": ["silent", "loud"], "iversion": ["iversion", "mode=751"], "noiversion": ["noiversion"],
             "mand": ["mand"], "nomand": ["nomand"], "defaults": ["defaults", "auto", "_netdev", "x-a=b"]}
    for name, options in cases.items():
        config.mount(f"/{name}", "tmpfs", "tmpfs", *options)
    supers = {}
    for line in seen(config).splitlines():
        left, right = line.split(" - ")
        supers[left.split()[4]] = (set(right.split()[2].split(",")), set(left.split()[5].split(",")))
    for name in ["sync", "dirsync", "lazytime"]:
        assert name in supers[f"/{name}"][0]
    for name in ["async", "nolazytime", "defaults", "mand", "loud"]:
        assert not supers[f"/{name}"][0] & {"sync", "lazytime"}
    assert "size=64k" in supers["/silent"][0] and {"nosuid", "nodiratime"} <= supers["/silent"][1]
    assert "mode=751" in supers["/iversion"][0]


def test_a_silent_tmpfs_has_the_mode_of_what_it_covers(container):
    """mounts[].options silent: another way into the kernel, and the same mount comes out."""
    one = container(Config().script("stat -c %a /data; cat /data/file").mount("/data", "tmpfs", "tmpfs", "silent",
                                                                              "tmpcopyup"))
    one.bundle.inside("data").mkdir(mode=0o751)
    one.bundle.inside("data/file").write_text("copied\n")
    assert one.runtime("run", "--bundle", one.bundle.path, one.id) == "751\ncopied\n"


def test_options_that_a_mount_does_not_take(runtime, bundles):
    """mounts[].options: refused by their place; an unknown word might be a flag that was meant otherwise."""
    bundle = bundles.make(Config("true"))
    for options, words in [(["ro", "size=1", "noexce"], ["mounts[7].options[3]", "noexce"]),
                           (["lazytime"], ["mounts[7].options[1]", "lazytime"]),
                           (["rsync"], ["mounts[7].options[1]", "rsync"]),
                           (["tmpcopyup"], ["mounts[7].options[1]", "tmpfs"])]:
        bundle.write(Config("true").bind("/tmp", "/mnt", "bind", *options).text())
        message = runtime.fails("create", "--bundle", bundle.path, "refused")
        assert all(word in message for word in words), message


# --- symlinks

@pytest.mark.proves("mounts[].options")
def test_symlinks_of_binds(container, bundles):
    """mounts[].options src-nofollow, dest-nofollow, copy-symlink: the link itself."""
    source = bundles.scratch("source")
    (source / "file").write_text("source\n")
    (source / "link").symlink_to("/etc/hello")
    config = Config().script("cat /bound /covered/there /plain; readlink /copied; readlink /again; ls -l /covered/link; "
                             "cat /covered/link")
    config.bind(source / "link", "/bound", "bind", "src-nofollow")
    config.bind(source / "file", "/covered/link", "bind", "dest-nofollow")
    config.bind(source / "link", "/copied", "bind", "copy-symlink")
    config.bind(source / "link", "/again", "bind", "copy-symlink")
    config.bind(source / "file", "/plain", "bind", "copy-symlink", "ro")
    one = container(config)
    one.bundle.inside("etc/hello").write_text("inside\n")
    one.bundle.inside("again").symlink_to("/etc/hello")
    one.bundle.inside("covered").mkdir()
    one.bundle.inside("covered/there").write_text("there\n")
    one.bundle.inside("covered/link").symlink_to("there")
    lines = one.runtime("run", "--bundle", one.bundle.path, one.id).splitlines()
    assert lines[:5] == ["inside", "there", "source", "/etc/hello", "/etc/hello"]
    assert lines[5].startswith("-") and lines[6] == "source"


def test_symlinks_of_binds_in_a_user_namespace(container, bundles):
    source = bundles.scratch("source")
    (source / "link").symlink_to("/etc/passwd")
    config = Config().script("readlink /new/copied; head -n 1 /bound").mapped_users()
    config.bind(source / "link", "/new/copied", "bind", "copy-symlink")
    config.bind(source / "link", "/bound", "bind", "src-nofollow")
    one = container(config)
    one.bundle.give_to(MAPPED_ROOT)
    assert one.runtime("run", "--bundle", one.bundle.path, one.id) == "/etc/passwd\nroot:x:0:0:root:/root:/bin/sh\n"


def test_a_symlink_that_is_another(runtime, container, bundles):
    """Neither overwritten nor followed."""
    source = bundles.scratch("source")
    (source / "link").symlink_to("/etc/hello")
    (source / "victim").touch()
    for content in ["/elsewhere", None]:
        one = container(Config("true").bind(source / "link", "/copied", "bind", "copy-symlink"))
        if content:
            one.bundle.inside("copied").symlink_to(content)
        else:
            one.bundle.inside("copied").write_text("a file\n")
        message = runtime.fails("create", "--bundle", one.bundle.path, one.id)
        assert "mounts[7]: " in message and "/copied" in message


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
@needs_mounts
def test_a_bind_takes_one_mount_and_rbind_all(seen, volume):
    script = "cat /mnt/file; ls /mnt/sub"
    assert seen(Config().script(script).bind(volume, "/mnt", "bind")) == "content"
    assert seen(Config().script(script).bind(volume, "/mnt", "rbind")) == "content\ndeep"


@needs_mounts
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


def test_options_of_file_systems_go_past_a_bind(seen, volume):
    """mount(2): "the data argument is ignored". The volume keeps its mode, the tmpfs below it its size."""
    (volume / "sub").chmod(0o750)
    config = Config().script("stat -c %a /mnt /mnt/sub; head -c 8192 /bin/busybox > /mnt/sub/8k && echo written")
    config.bind(volume, "/mnt", "rbind", "mode=700", "size=4k")
    assert seen(config) == "755\n750\nwritten"


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


@needs_mounts
def test_one_propagation_after_another(seen, bundles):
    """mounts[].options rslave, shared: all below are slaves, and the mount itself is shared again."""
    path = bundles.scratch("peers")
    subprocess.run(["mount", "-t", "tmpfs", "top", path], check=True)
    (path / "sub").mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "below", path / "sub"], check=True)
    subprocess.run(["mount", "--make-rshared", path], check=True)
    try:
        config = Config("cat", "/proc/self/mountinfo").bind(path, "/mnt", "rbind", "rslave", "shared")
        config.bind(path, "/cut", "rbind", "rprivate", "shared")
        table = mount_table(seen(config))
        kinds = {point: {field.partition(":")[0] for field in row[1]} for point, row in table.items()}
        assert kinds["/mnt"] == {"shared", "master"} and kinds["/mnt/sub"] == {"master"}
        assert kinds["/cut"] == {"shared"} and kinds["/cut/sub"] == set()
    finally:
        subprocess.run(["umount", "-R", path], check=True)


@needs_mounts
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


@pytest.mark.parametrize("kind", ["cgroup", "cgroup2"])
def test_a_writable_cgroup(seen, kind):
    """mounts[].type cgroup: delegated, the container may divide what it has, and not change what it got."""
    config = Config().script("mkdir /sys/fs/cgroup/sub && rmdir /sys/fs/cgroup/sub && echo made")
    config.without_mount("/sys/fs/cgroup").mount("/sys/fs/cgroup", kind, "cgroup", "rw")
    assert seen(config) == "made"


@needs_root("shows the host's cgroups")
@pytest.mark.parametrize("option", ["rw", "ro"])
def test_the_cgroups_of_the_host(seen, option):
    """mounts[].type cgroup without a cgroup namespace: the host's tree, with the host's options."""
    script = "cd /sys/fs/cgroup; ls -d system.slice init.scope; grep 0:: /proc/self/cgroup; " \
             "cd .$(grep 0:: /proc/self/cgroup | cut -d: -f3) && (mkdir sub 2>/dev/null && rmdir sub && echo made || echo refused); " \
             "grep ' /sys/fs/cgroup ' /proc/self/mountinfo"
    config = Config().script(script).without_namespace("cgroup").without_mount("/sys/fs/cgroup")
    before = mount_table(Path("/proc/self/mountinfo").read_text())["/sys/fs/cgroup"]
    config.mount("/sys/fs/cgroup", "cgroup", "cgroup", "nosuid", "nodev", "noexec", option)
    lines = seen(config).splitlines()
    assert lines[:2] == ["init.scope", "system.slice"] and ".scope" in lines[2]
    assert lines[3] == ("made" if option == "rw" else "refused")
    assert {"nosuid", "nodev", "noexec", option} <= set(lines[4].split()[5].split(","))
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


def test_a_remount(seen, volume):
    """mounts[].options remount: flags and propagation of a mount, with all below it or without."""
    config = Config().mount("/mnt", "tmpfs", "tmpfs").mount("/mnt", "none", "none", "remount", "ro", "noatime")
    config.bind(volume, "/bound", "rbind").mount("/bound/sub", "tmpfs", "tmpfs").bind("/nowhere", "/bound", "rbind", "remount", "rro", "rnosuid",
                                                "unbindable")
    table = mount_table(seen(config.args("cat", "/proc/self/mountinfo")))
    assert {"ro", "noatime"} <= table["/mnt"][0]
    assert {"ro", "nosuid"} <= table["/bound"][0] and {"ro", "nosuid"} <= table["/bound/sub"][0]
    assert table["/bound"][1] == ["unbindable"] and "unbindable" not in table["/bound/sub"][1]


def test_options_that_no_kernel_knows(runtime, container):
    """mounts[].options: what is not in the table is the file system's; it says what it does not know, and where."""
    one = container(Config().mount("/mnt", "tmpfs", "tmpfs", "nosuchoption=1"))
    message = runtime.fails("create", "--bundle", one.bundle.path, one.id)
    assert "mounts[7]: " in message and "/mnt" in message and "nosuchoption" in message


def test_a_file_system_that_no_kernel_knows(runtime, container):
    """mounts[].type"""
    one = container(Config().mount("/mnt", "nosuchfs", "none"))
    assert "mounts[7]: " in runtime.fails("create", "--bundle", one.bundle.path, one.id)


def test_a_source_that_is_not_there(runtime, container):
    """mounts[].source"""
    one = container(Config().bind("/nosuch", "/mnt", "bind"))
    message = runtime.fails("create", "--bundle", one.bundle.path, one.id)
    assert "mounts[7]: " in message and "/nosuch: no such file or directory" in message


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


def test_host_mounts_are_the_same_afterwards(seen, volume):
    before = Path("/proc/self/mountinfo").read_text()
    seen(Config("true").bind(volume, "/mnt", "rbind", "ro", "nosuid"))
    assert Path("/proc/self/mountinfo").read_text() == before
