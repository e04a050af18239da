# SPDX-License-Identifier: LGPL-2.1-or-later
"""The computer as the engines find it. The machine made it so: machines/guest/usr/lib/machine/engines."""

import contextlib
import subprocess
from pathlib import Path

INSTALLED = Path("/usr/local/bin/ocirt-sd")  # where README has it
ARCHIVES = Path("/usr/share/containers")
BUSYBOX, SYSTEMD = "localhost/busybox", "localhost/systemd"
USER, UID = "tester", 1000
RUNTIME_DIR = Path(f"/run/user/{UID}")

# Where the runtimes keep what they know, for each caller.
STATES = [Path(top, name) for top in ["/run", RUNTIME_DIR, "/run/containerd/runc", "/run/docker/runtime-runc"]
          for name in ["ocirt-sd", "crun", "default", "k8s.io", "moby"]]


@contextlib.contextmanager
def mounted(path):
    """A tmpfs for the length of a with block; what is mounted below goes on into other namespaces."""
    Path(path).mkdir(parents=True, exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=0755", "tmpfs", path], check=True)
    subprocess.run(["mount", "--make-shared", path], check=True)
    try:
        yield path
    finally:
        subprocess.run(["umount", "--recursive", path], check=True)


def write(path, text):
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Path(path).write_text(text, encoding="utf-8")
