# SPDX-License-Identifier: LGPL-2.1-or-later
"""Who runs the tests: root, or an ordinary user with a systemd of his own.

Of the latter the configurations have a user namespace. Root in it is the user,
the others are the user's subordinate ids; newuidmap and newgidmap map them.
"""

import os
import subprocess
from pathlib import Path

UID, GID = os.geteuid(), os.getegid()
ORDINARY = UID != 0
RUNTIME_DIRECTORY = Path(os.environ.get("XDG_RUNTIME_DIR") or f"/run/user/{UID}")

# The ranges of the user in /etc/subuid and /etc/subgid.
MAPPED_ROOT = 100000
MAPPED_SIZE = 65536

# What begins a command line of systemctl or systemd-run.
OPTIONS = ["--user"] if ORDINARY else []


def mappings(own):
    """Root is the user, and from 1 on come the others."""
    return [{"containerID": 0, "hostID": own, "size": 1},
            {"containerID": 1, "hostID": MAPPED_ROOT, "size": MAPPED_SIZE}]


def as_root_of_all(*command):
    """Run it where the user is root and the user's subordinate ids begin with 1."""
    prefix = ["unshare", "--user", "--map-root-user", "--map-auto"] if ORDINARY else []
    subprocess.run([*prefix, *map(str, command)], check=True)


def into(pid, *namespaces):
    """A prefix: with the privileges of root over a container's namespaces."""
    own = ["--user"] if ORDINARY else []
    return ["nsenter", f"--target={pid}", *own, *(f"--{name}" for name in namespaces)]


def seen_as(uid):
    """What one of the user's subordinate ids is there."""
    return uid - MAPPED_ROOT + 1 if ORDINARY else uid
