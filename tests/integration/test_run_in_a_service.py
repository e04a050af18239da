# SPDX-License-Identifier: LGPL-2.1-or-later
"""`run` in the foreground as the command of somebody's service: with that the container ends, in its scope beside it."""

import shlex
import signal
import subprocess

import pytest

from harness import process, systemd, user
from harness.config import Config
from harness.needs import needs_ocirt_sd
from harness.runtime import new_id
from harness.wait import until

pytestmark = needs_ocirt_sd

DEAF = "trap '' TERM; echo deaf; while :; do sleep 1000; done"
SPEAKING = "trap 'exit 0' TERM; echo up; while :; do sleep 1000 & wait $!; done"


class InService:
    """A container that a service of one command runs."""

    def __init__(self, one, *properties, words=("run",), shell=None):
        self.one, self.name = one, f"{new_id()}.service"
        command = one.runtime.command(*words, "--bundle", one.bundle.path, "--pid-file", one.pid_file, one.id)
        if shell:
            command = ["/bin/sh", "-c", shell.format(shlex.join(map(str, command)))]
        options = [f"--property={text}" for text in properties]
        subprocess.run(["systemd-run", *user.OPTIONS, "--quiet", "--no-block", f"--unit={self.name}", *options, *command],
                       check=True)

    def until_it_runs(self):
        until(lambda: self.status in ("created", "running"), f"{self.one.id} runs")
        return self

    @property
    def status(self):
        return {each["id"]: each["status"] for each in self.one.runtime.list()}.get(self.one.id)

    @property
    def state(self):
        return systemd.show(self.name, "ActiveState")["ActiveState"]

    def bound(self):
        return systemd.show(self.one.unit, "BindsTo")["BindsTo"]

    def remove(self):
        systemd.systemctl("stop", self.name, check=False)
        systemd.systemctl("reset-failed", self.name, check=False)


@pytest.fixture
def in_service(container, nothing_left):
    made = []

    def make(config, *properties, **more):
        made.append(InService(container(config), *properties, **more))
        return made[-1].until_it_runs()

    yield make
    for each in made:
        each.remove()
        each.one.runtime.call("delete", "--force", each.one.id)


def test_what_does_not_hear(in_service):
    """The service stops in its own time, and then the container; one of another service stays."""
    one, other = (in_service(Config().script(DEAF), "TimeoutStopSec=1") for _ in range(2))
    pid = one.one.state()["pid"]
    until(lambda: process.ignores(pid, signal.SIGTERM), "it is deaf")
    assert one.bound() == one.name
    systemd.systemctl("stop", one.name)
    until(lambda: not process.is_alive(pid), "the end of the container")  # in the scope's time, after that of the service
    assert one.one.status == "stopped"
    assert other.one.status == "running" and other.state == "active"


def test_its_own_end(in_service):
    """Is the service's, with what it has ended with."""
    one = in_service(Config().script("trap 'exit 7' USR1; while :; do sleep 1000 & wait $!; done"))
    one.one.kill("USR1")
    until(lambda: one.state == "failed", "the end of the service")
    assert systemd.show(one.name, "ExecMainStatus")["ExecMainStatus"] == "7"


def test_who_waits_is_killed(in_service):
    """Nobody would hear of the container's end."""
    one = in_service(Config().script(DEAF))
    pid = one.one.state()["pid"]
    systemd.systemctl("kill", "--signal=KILL", "--kill-whom=main", one.name)
    until(lambda: not process.is_alive(pid), "the end of the container")


def test_once_more(in_service):
    """`restart` waits until the scope is gone: it has the name of the next."""
    one = in_service(Config().script(SPEAKING))
    for _ in range(3):
        pid = one.one.state()["pid"]
        systemd.systemctl("restart", one.name)
        one.until_it_runs()
        assert one.one.state()["pid"] != pid


@pytest.mark.parametrize("kind", ["oneshot", "exec"])
def test_kinds_of_services(in_service, kind):
    """Also one that is not started until its command has ended."""
    one = in_service(Config().script(SPEAKING), f"Type={kind}")
    assert one.bound() == one.name and one.state == ("activating" if kind == "oneshot" else "active")
    systemd.systemctl("stop", one.name)
    assert one.status is None


@pytest.mark.parametrize("words, shell, stays", [
    (("run", "--detach"), "{}; exec sleep 1000", True),
    (("create",), "{}; exec sleep 1000", True),
    (("run",), "{}; true", False),
])
def test_who_calls_otherwise(in_service, words, shell, stays):
    """An engine or a script may go, and come again: its containers are not bound to it."""
    one = in_service(Config().script(SPEAKING), words=words, shell=shell)
    assert one.bound() == ""
    systemd.systemctl("stop", one.name)
    assert not stays or one.one.status in ("created", "running")
