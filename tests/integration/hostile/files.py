# SPDX-License-Identifier: LGPL-2.1-or-later
"""Root file systems that point out of themselves.

An attack gets a configuration, the rootfs and a directory of the host, the victim,
with "secret" and "ptmx" in it. It arranges things; the container is then run.
"""

import os
import shutil
from pathlib import Path

ATTACKS = []


def attack(function):
    ATTACKS.append(function)
    return function


def family(**variants):
    """The same attack in several forms: a test each."""
    def register(function):
        for name, argument in variants.items():
            def one(config, rootfs, victim, argument=argument):
                return function(config, rootfs, victim, argument)
            one.__name__ = f"{function.__name__}_{name}"
            ATTACKS.append(one)
        return function
    return register


def replace(path, target):
    """Make the path a symlink, whatever it was."""
    if path.is_symlink() or path.is_file():
        path.unlink()
    elif path.is_dir():
        shutil.rmtree(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.symlink_to(target)


def absolute(path, victim):
    return victim


def relative(path, victim):
    return os.path.relpath(victim, path.parent)


def dangling(path, victim):
    return victim / "new"


def upwards(path, victim):
    return Path("/".join([".."] * 40) + str(victim))


WAYS = {"absolute": absolute, "relative": relative, "dangling": dangling, "upwards": upwards}


# --- /dev, with nothing mounted on it

@family(**WAYS)
def dev(config, rootfs, victim, way):
    config.without_mounts_below("/dev")
    replace(rootfs / "dev", way(rootfs / "dev", victim))


@family(pts="pts", shm="shm", mqueue="mqueue", fd="fd", null="null", ptmx="ptmx", tty="tty",
        core="core", stdin="stdin", console="console", zero="zero")
def in_dev(config, rootfs, victim, name):
    config.without_mounts_below("/dev")
    replace(rootfs / "dev" / name, victim / ("ptmx" if name == "ptmx" else "new"))


@family(pts="/dev/pts", shm="/dev/shm", mqueue="/dev/mqueue")
def mount_in_dev(config, rootfs, victim, point):
    """The mounts are there, /dev itself is the rootfs's."""
    config.without_mount("/dev")
    replace(rootfs / point.lstrip("/"), victim)


@attack
def dev_below_a_mount(config, rootfs, victim):
    replace(rootfs / "dev", victim)


@family(file="file", fifo="fifo", other="other", symlink="symlink")
def null_that_is_none(config, rootfs, victim, what):
    """CVE-2025-31133: what masks a path must be the null device; CVE-2026-88265 for stdio."""
    config.without_mounts_below("/dev").user(7, 7)
    config.set("linux.maskedPaths", ["/masked"])
    (rootfs / "masked").write_text("masked")
    null = rootfs / "dev/null"
    if what == "file":
        null.write_text("x")
    elif what == "fifo":
        os.mkfifo(null)
    elif what == "other":
        os.mknod(null, 0o666 | 0o20000, os.makedev(1, 5))
    else:
        replace(null, victim / "secret")


@family(**WAYS)
def console(config, rootfs, victim, way):
    """CVE-2026-88264: made where it points to."""
    config.without_mounts_below("/dev").terminal()
    replace(rootfs / "dev/console", way(rootfs / "dev/console", victim / "secret"))


@family(**WAYS)
def parent_of_a_device(config, rootfs, victim, way):
    config.without_mounts_below("/dev")
    replace(rootfs / "dev/sub", way(rootfs / "dev/sub", victim))
    config.set("linux.devices", [{"path": "/dev/sub/x", "type": "c", "major": 10, "minor": 229}])


@attack
def a_device_that_is_a_symlink(config, rootfs, victim):
    config.without_mounts_below("/dev")
    replace(rootfs / "dev/x", victim / "new")
    config.set("linux.devices", [{"path": "/dev/x", "type": "c", "major": 10, "minor": 229,
                                  "fileMode": 0o666, "uid": 7, "gid": 7}])


# --- /proc and /sys

@family(**WAYS)
def proc(config, rootfs, victim, way):
    """CVE-2019-19921."""
    replace(rootfs / "proc", way(rootfs / "proc", victim))


@family(**WAYS)
def sys(config, rootfs, victim, way):
    replace(rootfs / "sys", way(rootfs / "sys", victim))


@family(root="/", loop="proc", file=None)
def proc_that_is_no_directory(config, rootfs, victim, target):
    replace(rootfs / "proc", target or "x")
    if target is None:
        (rootfs / "proc").unlink()
        (rootfs / "proc").write_text("x")


# --- mounts of the configuration

@family(**WAYS)
def parent_of_a_mount(config, rootfs, victim, way):
    """CVE-2015-1335, CVE-2024-45310."""
    replace(rootfs / "a", way(rootfs / "a", victim))
    config.mount("/a/new/dir", "tmpfs", "tmpfs")


@family(**WAYS)
def target_of_a_mount(config, rootfs, victim, way):
    replace(rootfs / "a", way(rootfs / "a", victim))
    config.mount("/a", "tmpfs", "tmpfs")


@family(**WAYS)
def target_of_a_file(config, rootfs, victim, way):
    """CVE-2019-18837."""
    replace(rootfs / "a/f", way(rootfs / "a/f", victim / "secret"))
    config.bind("/etc/hostname", "/a/f", "bind")


@family(dots="/../../../../../..", inside="/mnt/../../../../../..", dot="/./mnt/./..")
def destination_upwards(config, rootfs, victim, path):
    config.mount(f"{path}{victim}", "tmpfs", "tmpfs")


@attack
def magic_link_as_a_target(config, rootfs, victim):
    replace(rootfs / "a", "/proc/1/root" + str(victim))
    config.mount("/a", "tmpfs", "tmpfs")


@family(directory="", file="/secret")
def tmpcopyup(config, rootfs, victim, below):
    replace(rootfs / "a", str(victim) + below)
    config.mount("/a", "tmpfs", "tmpfs", "tmpcopyup")


@attack
def tmpcopyup_of_symlinks(config, rootfs, victim):
    (rootfs / "a").mkdir()
    replace(rootfs / "a/link", victim / "secret")
    os.mkfifo(rootfs / "a/fifo")
    config.mount("/a", "tmpfs", "tmpfs", "tmpcopyup")


@family(masked="linux.maskedPaths", readonly="linux.readonlyPaths")
def paths_that_are_symlinks(config, rootfs, victim, prop):
    replace(rootfs / "a", victim)
    replace(rootfs / "b", victim / "secret")
    config.set(prop, ["/a", "/a/secret", "/b", "/b/none", "/../.." + str(victim)])


# --- mounts that hide what we need to see

@family(proc="/proc", self="/proc/self", attr="/proc/self/attr", sys="/proc/sys",
        thread="/proc/thread-self", trigger="/proc/sysrq-trigger")
def tmpfs_over_proc(config, rootfs, victim, point):
    """CVE-2019-16884, CVE-2025-52881: must fail."""
    config.mount(point, "tmpfs", "tmpfs")
    return "must fail"


@attack
def tmpfs_over_proc_by_a_symlink(config, rootfs, victim):
    replace(rootfs / "p2", "/proc")
    config.mount("/p2/self/attr", "tmpfs", "tmpfs")
    return "must fail"


@attack
def bind_over_proc(config, rootfs, victim):
    config.bind(victim, "/proc", "bind")
    return "must fail"


# --- what else is looked at

@family(**WAYS)
def cwd(config, rootfs, victim, way):
    """CVE-2026-55686."""
    replace(rootfs / "x", way(rootfs / "x", victim))
    config.set("process.cwd", "/x/new")


@family(fifo="fifo", symlink="symlink", directory="directory", huge="huge", binary="binary")
def passwd(config, rootfs, victim, what):
    """Where HOME comes from."""
    path = rootfs / "etc/passwd"
    path.unlink()
    if what == "fifo":
        os.mkfifo(path)
    elif what == "symlink":
        path.symlink_to(victim / "secret")
    elif what == "directory":
        path.mkdir()
    elif what == "huge":
        path.write_bytes(b"x:" * (4 << 20))
    else:
        path.write_bytes(bytes(range(256)) * 100)


@family(name="name", parent="parent")
def rootfs_that_is_a_symlink(config, rootfs, victim, what):
    """The caller's own path: it is followed, and is a directory like any other then."""
    moved = rootfs.with_name("moved")
    rootfs.rename(moved)
    if what == "name":
        rootfs.symlink_to("moved")
    else:
        (rootfs.parent / "link").symlink_to(".")
        config.set("root.path", "link/moved")
