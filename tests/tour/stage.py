# SPDX-License-Identifier: LGPL-2.1-or-later
"""Headings, commands as they are typed, their output, checks of it."""

import itertools
import os
import re
import subprocess
import sys
import tempfile
import textwrap
import time

DEADLINE = 300  # for what hangs
STRONG, DIM, PLAIN = ("\033[1m", "\033[2m", "\033[0m") if sys.stdout.isatty() else ("",) * 3

_numbers = itertools.count(1)


class Unexpected(Exception):
    """A command did not show what it should."""


def heading(title, why=""):
    print(f"\n{STRONG}{next(_numbers)}. {title}{PLAIN}")
    if why:
        print(textwrap.fill(" ".join(why.split()), 78))
    print(flush=True)


def typed(command, *expected, status=0, absent=()):
    """Run a command as if typed, show its output, and check both.

    What is expected and what is to be absent are regular expressions.
    """
    print(f"{STRONG}# {command}{PLAIN}", flush=True)
    code, output = quiet(command)
    print(textwrap.indent(output, "  "), end="", flush=True)
    if code != status:
        raise Unexpected(f"it ended with status {code} instead of {status}: {command}")
    for pattern in expected:
        if not re.search(pattern, output, re.M):
            raise Unexpected(f"its output should match '{pattern}': {command}")
    for pattern in absent:
        if re.search(pattern, output, re.M):
            raise Unexpected(f"its output should not match '{pattern}': {command}")
    return output


def quiet(command):
    """Run a command; a container it leaves behind may keep its output open."""
    environment = os.environ | {"LC_ALL": "C.UTF-8", "SYSTEMD_PAGER": "", "SYSTEMD_COLORS": "0",
                                "COLUMNS": "78"}
    with tempfile.TemporaryFile() as file:
        code = subprocess.run(["sh", "-c", command], stdin=subprocess.DEVNULL, stdout=file,
                              stderr=file, env=environment, timeout=DEADLINE,
                              check=False).returncode
        file.seek(0)
        return code, file.read().decode(errors="replace")


def wait_until(command, pattern):
    """Wait until the output of a command that is not shown matches."""
    end = time.monotonic() + DEADLINE
    while not re.search(pattern, quiet(command)[1], re.M):
        if time.monotonic() > end:
            raise Unexpected(f"for {DEADLINE} s, its output does not match '{pattern}': {command}")
        time.sleep(0.01)
