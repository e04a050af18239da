# SPDX-License-Identifier: LGPL-2.1-or-later
"""Things that take long to make, kept by what they are made of.

An entry is a directory whose name ends in a hash of its ingredients. It is
made under another name and renamed when complete, so that an entry that
exists is whole. Whoever uses one holds a shared lock on it until its process
ends; whoever makes one holds the lock alone, and removes the predecessors that
nobody has used for a week.
"""

import contextlib
import fcntl
import hashlib
import json
import os
import shutil
import time
from pathlib import Path

from .say import say

WEEK = 7 * 24 * 3600


def root():
    home = os.environ.get("XDG_CACHE_HOME")
    if not home:
        home = "/var/cache" if os.geteuid() == 0 else os.path.expanduser("~/.cache")
    path = Path(home, "ocirt-sd")
    path.mkdir(mode=0o755, parents=True, exist_ok=True)
    return path


def source(name):
    """The text of a module of this package: what it makes depends on it."""
    return Path(__file__).with_name(name).read_text(encoding="utf-8")


def fingerprint(*ingredients):
    text = json.dumps(ingredients, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def lock(path, mode=fcntl.LOCK_EX):
    """Lock path.lock, and return the descriptor that holds the lock."""
    fd = os.open(f"{path}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        fcntl.flock(fd, mode | fcntl.LOCK_NB)
    except BlockingIOError:
        if mode & fcntl.LOCK_NB:
            os.close(fd)
            raise
        say(f"waiting for {path.name}, which is being made or in use")
        fcntl.flock(fd, mode)
    return fd


def entry(name, ingredients, make):
    """Return the directory of name's entry; make(directory) fills a new one."""
    path = root() / f"{name}-{fingerprint(*ingredients)}"
    fd = lock(path, fcntl.LOCK_SH)
    os.utime(fd)
    if path.exists():
        return path
    os.close(fd)
    fd = lock(path)
    if not path.exists():
        _make(path, make)
        _remove_predecessors(name, path)
    fcntl.flock(fd, fcntl.LOCK_SH)
    return path


def _make(path, make):
    partial = path.with_name(f"{path.name}.partial")
    if partial.exists():
        shutil.rmtree(partial)
    partial.mkdir(mode=0o755)
    try:
        make(partial)
        partial.rename(path)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise


def _remove_predecessors(name, path):
    for other in path.parent.glob(f"{name}-" + "[0-9a-f]" * 16):
        used = os.stat(f"{other}.lock").st_mtime
        if other != path and used < time.time() - WEEK:
            with contextlib.suppress(BlockingIOError):
                fd = lock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(other)
                os.close(fd)
