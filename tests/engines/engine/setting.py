# SPDX-License-Identifier: LGPL-2.1-or-later
"""The computer as the engines find it: what is installed, and where they keep things."""

import contextlib
import shutil
import subprocess
from pathlib import Path

INSTALLED = Path("/usr/local/bin/ocirt-sd")  # where README has it
ARCHIVES = Path("/usr/share/containers")
BUSYBOX, SYSTEMD = "localhost/busybox", "localhost/systemd"
STORES = ["/var/lib/containers", "/var/lib/containerd", "/var/lib/docker"]
USER, UID = "tester", 1000
RUNTIME_DIR = Path(f"/run/user/{UID}")

# Where the runtimes keep what they know, for each caller.
STATES = [Path(top, name) for top in ["/run", RUNTIME_DIR, "/run/containerd/runc", "/run/docker/runtime-runc"]
          for name in ["ocirt-sd", "crun", "default", "k8s.io", "moby"]]


def install():
    """The program where README says, stores that can hold an overlay, and a way to the world that leads nowhere."""
    if not INSTALLED.exists():
        INSTALLED.symlink_to(shutil.which("ocirt-sd"))
    if _run("stat", "--file-system", "--format=%T", "/").strip() == "overlayfs":
        for path in STORES:
            mount(path)
        mount(f"/home/{USER}")
        shutil.chown(f"/home/{USER}", USER, USER)
    Path("/dev/net/tun").chmod(0o666)  # as udev has it
    mount("/run/netns", "--bind", "/run/netns")  # an engine would do so for its first network
    _run("ip", "link", "add", "uplink", "type", "veth", "peer", "downlink")
    _run("ip", "address", "add", "192.0.2.2/24", "dev", "uplink")
    for name in ["uplink", "downlink"]:
        _run("ip", "link", "set", name, "up")
    _run("ip", "route", "add", "default", "via", "192.0.2.1")


def mount(path, *words):
    """A tmpfs, or with words what they say; what is mounted below goes on into other namespaces."""
    Path(path).mkdir(parents=True, exist_ok=True)
    _run("mount", *(words or ["-t", "tmpfs", "-o", "mode=0755", "tmpfs"]), path)
    _run("mount", "--make-shared", path)


@contextlib.contextmanager
def mounted(path):
    """A tmpfs for the length of a with block."""
    mount(path)
    try:
        yield path
    finally:
        _run("umount", "--recursive", path)


def _run(*command):
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


def write(path, text):
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Path(path).write_text(text, encoding="utf-8")
