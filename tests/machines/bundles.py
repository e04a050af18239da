# SPDX-License-Identifier: LGPL-2.1-or-later
"""Root file systems of containers: Debian, and one busybox."""

import shutil
import subprocess

from . import cache, debian, host, linux
from .say import step

RELEASE = "13"


def _debian(path):
    debian.bootstrap(RELEASE, path, [], variant="minbase")


def _systemd(path):
    """Debian that boots as a container does: without udev, getty and the like."""
    debian.bootstrap(RELEASE, path, ["systemd", "systemd-sysv", "dbus"], variant="apt")


def _busybox(path):
    unpacked = path / "unpacked"
    unpacked.mkdir()
    debian.bootstrap(RELEASE, unpacked, ["busybox-static"], variant="extract")
    for name in ["bin", "dev", "etc", "proc", "root", "sys", "tmp"]:
        (path / name).mkdir()
    shutil.copy2(unpacked / "usr/bin/busybox", path / "bin")
    shutil.rmtree(unpacked)
    subprocess.run(["chroot", path, "/bin/busybox", "--install", "-s", "/bin"], check=True)
    (path / "etc/passwd").write_text("root:x:0:0:root:/root:/bin/sh\n")


KINDS = {"debian": _debian, "systemd": _systemd, "busybox": _busybox}


def rootfs(kind):
    """The directory of a root file system; it is not to be changed."""
    def make(path):
        host.need(*host.IMAGES)
        with step(f"making a {kind} root file system with mmdebstrap"):
            KINDS[kind](path)

    ingredients = [RELEASE, *map(cache.source, ["debian.py", "bundles.py"])]
    return cache.entry(f"rootfs-{kind}", ingredients, make)


def make(directory, kind):
    """Make a bundle without its config.json, for as long as this process lives."""
    (directory / "rootfs").mkdir(parents=True)
    linux.bind(rootfs(kind), directory / "rootfs", readonly=True)
