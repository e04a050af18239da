# SPDX-License-Identifier: LGPL-2.1-or-later
"""Containers as version 0.1.0 has left them.

It has made them, if there is a build of it: tests/run namespace --old, or $OCIRT_OLD. Or the program under test has,
and the record of 0.1.0, with what is this container's in it, is put in the place of its own.
"""

import copy
import os
import socket
from pathlib import Path

from .process import CGROUPS
from .runtime import BINARY

PROGRAM = os.environ.get("OCIRT_OLD")
RECORDS = Path(__file__).parents[2] / "data/0.1.0"


def leave(one, status, record="plain", *options, **more):
    """The container with a status, and what its state directory has in it."""
    ours = one.runtime
    if PROGRAM:
        one.runtime = copy.copy(ours)
        one.runtime.globals = [PROGRAM if word == BINARY else word for word in ours.globals]
    one.create(*options, **more)
    if status != "created":
        one.start()
    if status == "paused":
        one.runtime("pause", one.id)
    if status == "stopped":
        one.kill("KILL")
        one.wait_for_end()
    one.runtime = ours
    (_compare if PROGRAM else _replace)(ours.root / one.id / "record", (RECORDS / record).read_text(encoding="utf-8"))
    return one


def leave_notifying(one, status):
    """One that has something to notify by: a directory, in which `start` and `run` have listened."""
    leave(one, status, prefix=["env", "NOTIFY_SOCKET=/nosuch"] if PROGRAM else [])
    directory = one.runtime.root / one.id / "notify"
    if not PROGRAM:
        directory.mkdir(mode=0o755)
        _listen_once(directory, "notify.sock")
    assert directory.is_dir()
    return one


def _listen_once(directory, name):
    here = os.open(directory, os.O_PATH)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(f"/proc/self/fd/{here}/{name}")
    os.close(here)


def _fields(text):
    return dict(line.split("=", 1) for line in text.splitlines())


def _compare(path, template):
    """Is it what 0.1.0 writes?"""
    text = path.read_text(encoding="utf-8")
    assert template.format(**_fields(text)) == text


def _replace(path, template):
    text = template.format(**_fields(path.read_text(encoding="utf-8")))
    path.write_text(text, encoding="utf-8")
    written = _fields(text)
    if "unit" not in written:  # a cgroup of its own was marked
        name = "user" if written["user_manager"] == "1" else "trusted"
        os.setxattr(CGROUPS / written["cgroup"][1:], f"{name}.invocation_id", written["invocation_id"].encode())
