# SPDX-License-Identifier: LGPL-2.1-or-later
"""What this computer has, and packages that it needs."""

import os
import subprocess
from pathlib import Path

from .say import Failure, step

BUILD = ["gcc", "libc6-dev", "meson", "ninja-build", "pkg-config",
         "libsystemd-dev", "libseccomp-dev", "libcap-dev", "libjson-c-dev"]
IMAGES = ["mmdebstrap", "debian-archive-keyring", "kmod", "cpio",
          "util-linux"]
COMPILERS = ["gcc", "clang"]
ANALYSIS = ["clang-tidy", "clang-format", "cppcheck", "git"]
HELPER = ["busybox-static"]
VIRTUAL = ["qemu-system-x86", "e2fsprogs"]
TESTS = ["python3-pytest", "python3-pytest-timeout", "python3-jsonschema"]


def has_systemd():
    """Whether systemd runs this computer, with cgroup v2."""
    return Path("/proc/1/comm").read_text() == "systemd\n" \
        and Path("/run/systemd/system").exists() \
        and Path("/sys/fs/cgroup/cgroup.controllers").exists()


def _installed(package):
    query = ["dpkg-query", "-W", "-f=${Status}", package]
    status = subprocess.run(query, capture_output=True, text=True, check=False).stdout
    return status.endswith(" installed")


def _apt_get(*arguments):
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    apt = ["apt-get", "-qq", "-o", "DPkg::Lock::Timeout=300", "-o", "Dpkg::Use-Pty=0"]
    done = subprocess.run([*apt, *arguments], env=environment, stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, check=False)
    if done.returncode:
        raise Failure(f"apt-get {arguments[0]} failed:\n{done.stdout}{done.stderr}")


def missing(*packages):
    return [package for package in packages if not _installed(package)]


def need(*packages):
    """Install what is missing of the packages."""
    wanted = missing(*packages)
    if not wanted:
        return
    install = ["install", "-y", "--no-install-recommends", *wanted]
    with step(f"installing {' '.join(wanted)}"):
        try:
            _apt_get(*install)
        except Failure:
            _apt_get("update")
            _apt_get(*install)
