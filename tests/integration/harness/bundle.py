# SPDX-License-Identifier: LGPL-2.1-or-later
"""Bundles: a directory with a root file system of one busybox, and config.json."""

import functools
import itertools
import os
import shutil
from pathlib import Path

from . import user

APPLETS = ["cat", "echo", "env", "false", "head", "hostname", "id", "ls", "mknod", "sh", "sleep",
           "stat", "touch", "true"]
DIRECTORIES = ["bin", "dev", "etc", "mnt", "proc", "root", "sys", "tmp", "usr/local/bin", "var"]
PASSWD = "root:x:0:0:root:/root:/bin/sh\nsomebody:x:1000:1000::/home/somebody:/bin/sh\n"


@functools.cache
def _busybox():
    """Debian's busybox-static is in /usr/bin or, before Debian 13, in /bin."""
    return Path(shutil.which("busybox")).resolve()


class Bundles:
    """A directory for bundles, which anybody may walk through but not list."""

    def __init__(self, top):
        self.top = Path(top)
        self.top.chmod(0o711)
        self.numbers = itertools.count()
        shutil.copy(_busybox(), self.top / "busybox")

    def make(self, config):
        bundle = Bundle(self.top / f"bundle-{next(self.numbers)}")
        bundle.fill(self.top / "busybox")
        bundle.write(config.text())
        return bundle

    def scratch(self, name):
        """A new directory outside of any rootfs."""
        path = self.top / f"{name}-{next(self.numbers)}"
        path.mkdir(mode=0o755)
        return path


class Bundle:
    """One bundle."""

    def __init__(self, path):
        self.path, self.rootfs = path, path / "rootfs"

    def fill(self, busybox):
        for name in DIRECTORIES:
            (self.rootfs / name).mkdir(parents=True)
        os.link(busybox, self.rootfs / "bin/busybox")
        for name in APPLETS:
            (self.rootfs / "bin" / name).symlink_to("busybox")
        (self.rootfs / "etc/passwd").write_text(PASSWD, encoding="ascii")
        (self.rootfs / "tmp").chmod(0o1777)

    def write(self, text):
        """Text, or bytes, as config.json."""
        data = text if isinstance(text, bytes) else text.encode("utf-8", "surrogateescape")
        (self.path / "config.json").write_bytes(data)

    def inside(self, path):
        """Where a path of the container is on the host."""
        return self.rootfs / path.lstrip("/")

    def give_to(self, uid):
        """Make the whole rootfs somebody's, as engines do for user namespaces."""
        shared = self.rootfs / "bin/busybox"
        own = shared.with_suffix(".own")
        shutil.copy(shared, own)
        own.rename(shared)
        number = user.seen_as(uid)
        user.as_root_of_all("chown", "--recursive", "--no-dereference", f"{number}:{number}",
                            self.rootfs)
