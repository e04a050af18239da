# SPDX-License-Identifier: LGPL-2.1-or-later
"""README's tour, typed into a terminal from top to bottom."""

import contextlib
import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

from harness import readme
from harness.needs import needs_ocirt_sd, needs_root
from harness.terminal import InFrontOf
from harness.wait import until

pytestmark = [needs_ocirt_sd, needs_root("README's tour is root's")]

TOUR = readme.session("A tour with systemctl")
PROMPT = "\N{BLACK RIGHT-POINTING TRIANGLE} "
SHELL = ["env", "--unset=PROMPT_COMMAND", f"PS1={PROMPT}", "TERM=dumb", "LANG=C.UTF-8", "bash", "--norc", "--noediting"]
LOOKS = re.compile(r"systemctl (status|show)|journalctl|ocirt-sd (list|state|logs)")
LEFT = ["/var/lib/ocirt-sd/web", *(f"/etc/systemd/system/{name}.d" for name in ["ocirt-sd-.scope", "ocirt-sd@web.service"])]


class Shell:
    """A person at a terminal, who sees everything that comes between two prompts."""

    def __init__(self, front):
        self.master = front.master
        self.master.read_until(PROMPT.encode())
        self.type("stty -echo")

    def type(self, command):
        """What is printed then."""
        self.master.seen = b""
        self.master.type(f"{command}\n".encode())
        seen = self.master.read_until(PROMPT.encode()).decode()
        return seen.replace("\r\n", "\n").removesuffix(PROMPT)


@pytest.fixture
def home(nothing_left):
    """Where the tour begins; what it leaves is removed."""
    path = Path(tempfile.mkdtemp())
    yield path
    subprocess.run(["systemctl", "stop", "ocirt-sd@web"], check=False)
    subprocess.run(["ocirt-sd", "delete", "--force", "web"], check=False)
    for left in [path, *LEFT]:
        shutil.rmtree(left, ignore_errors=True)
    subprocess.run(["systemctl", "daemon-reload"], check=True)


def _shown(shell, step, home):
    """What it prints has the shape that README shows."""
    seen = []

    def is_like():
        seen.append(shell.type(step.command).replace(str(home), "/root"))
        return step.is_like(seen[-1])

    # A person would look again: what happens meanwhile shows a moment later.
    if not is_like() and LOOKS.match(step.command):
        with contextlib.suppress(AssertionError):
            until(is_like, step.command)
    assert step.is_like(seen[-1]), f"{step.command}\n{seen[-1]}"
    assert shell.type("echo $?") == "0\n", step.command


def _happened(shell, step, before):
    """What `ocirt-sd state` says is what a row of the table has."""
    assert shell.type(step.command) == ""
    if step.effect.startswith("the same as before"):
        assert shell.type("ocirt-sd state web") == before
    else:
        for words in re.findall(r"`(.+?)`", step.effect):
            assert words in shell.type("ocirt-sd state web"), step.command


def test_tour(home):
    with InFrontOf(["env", f"--chdir={home}", *SHELL], rows=50, columns=200) as front:
        shell = Shell(front)
        for step in TOUR:
            if step.effect:
                _happened(shell, step, shell.type("ocirt-sd state web"))
            else:
                _shown(shell, step, home)
        assert len(TOUR) > 20 and not os.path.exists(home / "web")
