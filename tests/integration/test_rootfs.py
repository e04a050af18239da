# SPDX-License-Identifier: LGPL-2.1-or-later
"""The root of the container: what it is, what is hidden and what cannot be written."""

import contextlib
import os
import subprocess
from pathlib import Path

import pytest

from harness import process
from harness.config import MAPPED_ROOT, Config
from harness.needs import needs_mounts


def mount_table(text):
    """{mount point: (options, optional fields, type, source)} of a mountinfo."""
    table = {}
    for line in text.splitlines():
        left, right = line.split(" - ")
        fields = left.split()
        kind, source, _ = (right.split() + [""])[:3]
        table[fields[4]] = (set(fields[5].split(",")), fields[6:], kind, source)
    return table


@pytest.mark.proves("root.path")
def test_the_root_is_the_rootfs(container):
    one = container(Config().script("ls /; echo here > /marker"))
    listed = one.runtime("run", "--bundle", one.bundle.path, one.id).split()
    assert sorted(listed) == sorted(set(os.listdir(one.bundle.rootfs)) - {"marker"})
    assert one.bundle.inside("marker").read_text() == "here\n"


def test_an_absolute_path_of_the_rootfs(container, bundles):
    one = container(Config("ls", "/"))
    elsewhere = bundles.scratch("rootfs") / "moved"
    one.bundle.rootfs.rename(elsewhere)
    one.bundle.write(Config("ls", "/").set("root.path", str(elsewhere)).text())
    assert "bin" in one.runtime("run", "--bundle", one.bundle.path, one.id)


def test_nothing_of_the_host_is_mounted(seen, top):
    """After pivot_root the old root is gone, with all that was below it."""
    table = mount_table(seen("cat /proc/self/mountinfo"))
    allowed = {"/", "/proc", "/dev", "/sys"}
    assert all(point in allowed or point.startswith(("/proc/", "/dev/", "/sys/"))
               for point in table)
    assert seen(f"ls {top} 2>/dev/null || echo nothing") == "nothing"


@pytest.mark.proves("root.readonly")
def test_a_read_only_root(run):
    """root.readonly: the root, and not what is mounted in it."""
    result = run(Config().script("touch /x || touch /dev/shm/y && echo written elsewhere")
                 .set("root.readonly", True))
    assert result.stdout == "written elsewhere\n" and "Read-only file system" in result.stderr


@pytest.mark.proves("linux.maskedPaths")
def test_masked_paths(seen, container):
    """linux.maskedPaths: files read as empty, directories are empty, and neither can be written."""
    config = Config().script("cat /etc/secret; ls /hidden; (echo x > /hidden/x) 2>/dev/null || "
                             "echo refused; stat -c %t:%T /etc/secret; ls -d /visible")
    config.set("linux.maskedPaths", ["/etc/secret", "/hidden", "/not/there"])
    one = container(config)
    for name in ["hidden", "visible"]:
        one.bundle.inside(name).mkdir()
        (one.bundle.inside(name) / "secret").write_text("secret")
    one.bundle.inside("etc/secret").write_text("secret")
    output = one.runtime("run", "--bundle", one.bundle.path, one.id)
    assert output.split() == ["refused", "1:3", "/visible"]


@pytest.mark.proves("linux.readonlyPaths")
def test_readonly_paths(container):
    """linux.readonlyPaths: directories and files, of the rootfs and of /proc."""
    script = "touch /etc/x; echo 1 > /proc/sys/kernel/domainname; echo x > /tmp/ok; cat /tmp/ok; echo x > /var/file"
    paths = ["/etc", "/proc/sys", "/not/there", "/var/file"]
    one = container(Config().script(script).set("linux.readonlyPaths", paths))
    one.bundle.inside("var/file").touch()
    result = one.runtime.call("run", "--bundle", one.bundle.path, one.id)
    assert result.stdout == "x\n"
    assert result.stderr.count("Read-only file system") == 3
    assert not one.bundle.inside("etc/x").exists()


def test_masked_files_of_proc(seen):
    assert seen("cat /proc/keys | wc -c; ls /sys/firmware | wc -l").split() == ["0", "0"]


def test_directories_that_are_renamed_meanwhile(container):
    """Whoever else writes to the rootfs gets no mount past what is masked, read-only or mounted once more."""
    config = Config("cat", "/proc.moved/mounts").mount("/data", "tmpfs", "tmpfs", "ro")
    config.mount("/mnt", "tmpfs", "tmpfs").mount("/mnt", "none", "none", "remount", "bind", "noatime")
    one = container(config.set("linux.readonlyPaths", ["/proc/sys", "/proc/bus"]))
    one.bundle.inside("data").mkdir()
    script = f"cd {one.bundle.rootfs} && for i in proc mnt data; do mv $i $i.moved && mkdir $i; done"
    one.bundle.write(config.hook("createRuntime", "/bin/sh", "-c", script, env=["PATH=/usr/bin:/bin"]).text())
    lines = one.runtime("run", "--bundle", one.bundle.path, one.id).splitlines()
    mounts = {line.split()[1]: line.split()[3].split(",") for line in lines}
    assert all("ro" in mounts.get(f"/{place}", []) for place in ["proc.moved/sys", "proc.moved/bus", "data.moved"])
    assert "noatime" in mounts["/mnt.moved"] and "/proc.moved/keys" in mounts


PROPAGATION = {"private": [], "slave": ["master"], "shared": ["shared"], "unbindable": ["unbindable"]}


@contextlib.contextmanager
def shared(path):
    """The directory as a mount of the host that is shared."""
    subprocess.run(["mount", "--bind", path, path], check=True)
    subprocess.run(["mount", "--make-shared", path], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "-R", path], check=True)


@pytest.mark.proves("linux.rootfsPropagation")
@needs_mounts
@pytest.mark.parametrize("value", [*PROPAGATION, *(f"r{value}" for value in PROPAGATION), None])
@pytest.mark.parametrize("caps", [["CAP_SYS_ADMIN"], []], ids=["admin", "locked"])
def test_propagation_of_the_root(container, value, caps):
    """linux.rootfsPropagation: of the root; with r of the mounts below it too, those that the host's rootfs has among
    them; what the host mounts later."""
    config = Config().sleeping().capabilities(bounding=caps, effective=caps, permitted=caps)
    one = container(config.set("linux.rootfsPropagation", value or "").mount("/mnt", "tmpfs", "mine"))
    plain = (value or "slave").removeprefix("r")
    with shared(one.bundle.rootfs):
        subprocess.run(["mount", "-t", "tmpfs", "below", one.bundle.inside("tmp")], check=True)
        one.bundle.inside("tmp/later").mkdir()
        one.run_detached()
        table = mount_table(one.output_of("cat", "/proc/self/mountinfo"))
        kinds = {point: {field.partition(":")[0] for field in table[point][1]} for point in ["/", "/mnt"]}
        assert kinds["/"] == set(PROPAGATION[plain])
        assert kinds["/mnt"] == ({"shared"} if value == "rshared" else {"unbindable"} if value == "runbindable" else set())
        for place in ["var", "tmp/later"]:
            subprocess.run(["mount", "-t", "tmpfs", "later", one.bundle.inside(place)], check=True)
        table = mount_table(one.output_of("cat", "/proc/self/mountinfo"))
        assert ("/var" in table) == (plain == "slave")
        assert ("/tmp/later" in table) == (value not in ("rprivate", "runbindable"))
        if caps:  # of what has something locked below it there is no bind
            assert (one.exec("sh", "-c", "mount --bind / /root").status == 0) == (plain != "unbindable")
        assert "/rootfs/root " not in Path("/proc/self/mountinfo").read_text(), "it shows on the host"
        one.delete("--force")


def test_mounts_of_the_container_stay_inside(container):
    """Whatever the propagation: what it mounts is not the host's."""
    caps = ["CAP_SYS_ADMIN"]
    config = Config().script("mount -t tmpfs mine /mnt; echo mounted; sleep 1000")
    config.capabilities(bounding=caps, effective=caps, permitted=caps)
    one = container(config.set("linux.rootfsPropagation", "shared"))
    one.run_detached().wait_for_output("mounted")
    assert " mine " not in Path("/proc/self/mountinfo").read_text()
    assert " mine " in Path(f"/proc/{one.pid}/mountinfo").read_text()


@needs_mounts
@pytest.mark.parametrize("mapped", [False, True])
def test_mounts_in_a_shared_volume_are_the_hosts(container, bundles, mapped):
    """linux.rootfsPropagation shared: so are the bind mounts, also of a user namespace."""
    volume, caps = bundles.scratch("volume"), ["CAP_SYS_ADMIN"]
    config = Config().script("mount -t tmpfs mine /mnt; echo mounted; sleep 1000").bind(volume, "/mnt", "rbind")
    config.capabilities(bounding=caps, effective=caps, permitted=caps).set("linux.rootfsPropagation", "shared")
    one = container(config.mapped_users() if mapped else config)
    if mapped:
        one.bundle.give_to(MAPPED_ROOT)
    with shared(volume):
        one.run_detached().wait_for_output("mounted")
        table = mount_table(Path("/proc/self/mountinfo").read_text())
        assert table[str(volume)][3] == "mine"
        one.delete("--force")
        assert str(volume) in Path("/proc/self/mountinfo").read_text()
        subprocess.run(["umount", volume], check=True)


def test_without_pivot_root(seen):
    """For an initramfs, where there is no pivoting. No procfs of the host stays around."""
    table = mount_table(seen("cat /proc/self/mountinfo", "--no-pivot"))
    assert [point for point, row in table.items() if row[2] == "proc" and
            not point.startswith("/proc")] == []


def writable_memory(pid):
    """All that the process could have something in that it has read."""
    found = b""
    with open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
        for line in Path(f"/proc/{pid}/maps").read_text().splitlines():
            span, access = line.split()[:2]
            if access.startswith("rw"):
                first, end = (int(part, 16) for part in span.split("-"))
                memory.seek(first)
                found += memory.read(end - first)
    return found


@needs_mounts
def test_mounts_of_the_host_are_forgotten(container, bundles):
    """What --no-pivot has read about them is not in the memory of the process that waits for start."""
    place = bundles.scratch("mounted-here")
    table = bundles.scratch("fstab") / "many"
    table.write_text("".join(f"tmpfs {place}/{name} tmpfs\n" for name in ["", *range(200)]))
    subprocess.run(["mount", "--all", "--fstab", table, "-o", "X-mount.mkdir"], check=True)
    try:
        assert Path("/proc/self/mountinfo").read_text().count(f"/{place.name}") == 201
        one = container(Config().sleeping()).create("--no-pivot")
        assert writable_memory(one.pid).count(place.name.encode()) == 0
    finally:
        subprocess.run(["umount", "-R", place], check=True)


def test_the_default_masks_of_an_engine_hold_in_exec(container):
    one = container().run_detached()
    assert one.output_of("cat", "/proc/keys") == ""
    assert one.exec("sh", "-c", "echo 1 > /proc/sys/kernel/panic").status != 0
    assert process.is_alive(one.pid)
