# SPDX-License-Identifier: LGPL-2.1-or-later
"""Namespaces that exist: a process that holds them."""

import subprocess

from . import process
from .wait import until

FILES = {"pid": "pid", "ipc": "ipc", "uts": "uts", "mount": "mnt", "network": "net",
         "cgroup": "cgroup", "user": "user", "time": "time"}
HOLD = ["sleep", "1000"]


class Holder:
    """A process in namespaces of its own."""

    def __init__(self, *options):
        self.child = subprocess.Popen(["unshare", *options, *HOLD])
        until(lambda: process.comm(self.child.pid) == "sleep", "unshare")
        self.pid = self.child.pid

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.child.kill()
        self.child.wait()

    def path(self, kind):
        return f"/proc/{self.pid}/ns/{FILES[kind]}"
