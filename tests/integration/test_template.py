# SPDX-License-Identifier: LGPL-2.1-or-later
"""ocirt-sd@.service: a bundle as a service, of the system's manager or of the user's."""

import json
import re
import shutil
import signal
import stat
import subprocess
from pathlib import Path

import pytest

from harness import process, systemd, user
from harness.bundle import Bundle
from harness.config import Config
from harness.needs import needs_ocirt_sd, needs_root
from harness.runtime import Container, Runtime, new_id
from harness.wait import until

pytestmark = needs_ocirt_sd

ROOT = (user.RUNTIME_DIRECTORY if user.ORDINARY else Path("/run")) / "ocirt-sd"
BUNDLES = Path("/var/lib/ocirt-sd")
SPEAKING = "echo up; trap 'echo asked; exit 0' TERM; while :; do sleep 1000 & wait $!; done"


def executed_by_nobody(program):
    try:
        return subprocess.run([program], user=65534, group=65534, extra_groups=[], check=False).returncode == 0
    except PermissionError:
        return False


class Service:
    """An instance of the template, whose bundle is where the template says."""

    def __init__(self):
        self.name = new_id()
        self.unit = f"ocirt-sd@{self.name}.service"
        self.runtime = Runtime(ROOT)
        command = systemd.show(self.unit, "ExecStart")["ExecStart"]
        self.one = Container(self.runtime, Bundle(Path(re.search(r"--bundle (\S+)", command)[1])), self.name)

    def fill(self, bundles, config):
        """Its bundle, with a busybox of its own: it may be on another file system."""
        path = self.one.bundle.path
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        made = bundles.make(config)
        shutil.copytree(made.path, path, symlinks=True)
        shutil.rmtree(made.path)
        return self

    def start(self):
        """What `systemctl start` says: whether it has succeeded."""
        command = ["systemctl", *user.OPTIONS, "start", self.unit]
        return subprocess.run(command, capture_output=True, check=False).returncode == 0

    def running(self):
        """The container, once it runs: `systemctl start` does not wait for that."""
        until(self.exists, f"a container of {self.unit}")
        return self.one.wait_until("running")

    def stop(self):
        systemd.systemctl("stop", self.unit)

    def ended(self):
        """Its state and result, once it has ended."""
        until(lambda: systemd.show(self.unit, "ActiveState")["ActiveState"] in ("inactive", "failed"),
              f"the end of {self.unit}")
        shown = systemd.show(self.unit, "ActiveState", "Result")
        return shown["ActiveState"], shown["Result"]

    def exists(self):
        return self.name in [one["id"] for one in self.runtime.list()]

    def said(self):
        """What the journal has of it and of its container."""
        subprocess.run(["journalctl", "--sync"], check=True)
        scope = f"ocirt-sd-{self.name}.scope"
        return subprocess.run(["journalctl", "--output=cat", "-u", self.unit, "-u", scope], check=True,
                              capture_output=True, text=True).stdout


@pytest.fixture
def service(bundles, nothing_left):
    """Makes a service of a configuration."""
    made = []

    def make(config):
        made.append(Service().fill(bundles, config))
        return made[-1]

    yield make
    for one in made:
        systemd.systemctl("stop", one.unit, check=False)
        systemd.systemctl("reset-failed", one.unit, check=False)
        one.runtime("delete", "--force", one.name)
        shutil.rmtree(one.one.bundle.path)


def test_life(service):
    one = service(Config().script(SPEAKING))
    assert one.start()
    assert one.running().state()["bundle"] == str(one.one.bundle.path)
    one.stop()
    assert one.ended() == ("inactive", "success") and not one.exists()


@needs_root("reads the journal")
def test_journal(service):
    """What the container prints is its scope's, under the name of the container."""
    one = service(Config().script(SPEAKING))
    assert one.start()
    until(lambda: "up\n" in one.said(), "what it printed")
    one.stop()
    entries = subprocess.run(["journalctl", "--output=json", "-t", one.name], check=True, capture_output=True,
                             text=True).stdout.splitlines()
    seen = {(entry["MESSAGE"], entry["_SYSTEMD_UNIT"]) for entry in map(json.loads, entries)}
    assert seen == {(word, f"ocirt-sd-{one.name}.scope") for word in ["up", "asked"]}


@pytest.mark.parametrize(("status", "expected"), [(0, ("inactive", "success")), (7, ("failed", "exit-code"))])
def test_an_end(service, status, expected):
    """Of its own accord: nothing is left, and nothing is complained about."""
    one = service(Config().script(f"exit {status}"))
    assert one.start()
    assert one.ended() == expected and not one.exists()
    if not user.ORDINARY:  # who may not read the journal
        assert "ocirt-sd:" not in one.said()


def test_no_bundle():
    """Is an error of `systemctl start`."""
    one = Service()
    assert not one.start()
    assert one.ended()[0] == "inactive"


def test_a_container_of_somebody_else(service, container):
    """It has the name that the service's would have: it is not the service's to end."""
    one = service(Config().script(SPEAKING))
    other = container(Config().sleeping(), one.name)
    other.runtime = one.runtime
    other.run_detached()
    one.start()
    assert one.ended() == ("failed", "exit-code")
    systemd.systemctl("restart", one.unit, check=False)
    one.ended()
    assert other.status == "running" and other.state()["bundle"] == str(other.bundle.path)
    other.delete("--force")


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV])
def test_a_run_that_is_killed(service, number):
    """The container that it watched over goes with it."""
    one = service(Config().sleeping())
    assert one.start()
    pid = one.running().state()["pid"]
    systemd.systemctl("kill", f"--signal={number}", "--kill-whom=main", one.unit)
    assert one.ended()[0] == "failed"
    assert not one.exists() and not process.is_alive(pid)


def test_a_program_that_does_not_hear(service):
    """Is killed after ten seconds, and the service has failed."""
    one = service(Config().script("trap '' TERM; while :; do sleep 1000; done"))
    assert one.start()
    one.running()
    one.stop()
    assert one.ended() == ("failed", "exit-code") and not one.exists()


def test_its_own_signal(service):
    """A program that ends by another signal than SIGTERM: the image says which."""
    script = "trap '' TERM; trap 'exit 0' QUIT; while :; do sleep 1000 & wait $!; done"
    one = service(Config().script(script).annotation("org.opencontainers.image.stopSignal", "SIGQUIT"))
    assert one.start()
    one.running()
    one.stop()
    assert one.ended() == ("inactive", "success")


@needs_root("a directory of the system's")
def test_directory():
    """Where the bundles are is made when the computer boots, and root's alone."""
    found = BUNDLES.stat()
    assert stat.S_IMODE(found.st_mode) == 0o700 and found.st_uid == 0


@needs_root("has the power over other users")
def test_a_set_user_id_program(service):
    """root of a container may make one, and anybody on the host would be root by it who can reach it, as in a directory of
    earlier versions: an upgrade closes that."""
    one = service(Config().script("cp /bin/busybox /var/true; chmod 4755 /var/true"))
    assert one.start() and one.ended() == ("inactive", "success")
    program = one.one.bundle.inside("var/true")
    assert program.stat().st_mode & stat.S_ISUID and program.stat().st_uid == 0
    BUNDLES.chmod(0o711)
    assert executed_by_nobody(program)
    subprocess.run(["systemd-tmpfiles", "--create", "ocirt-sd.conf"], check=True)
    assert not executed_by_nobody(program)


@needs_root("maps ids")
def test_mapped(service):
    """Its root file system is that of its root, who is nobody special here and could not reach it."""
    one = service(Config().script(SPEAKING).mapped_users())
    one.one.bundle.give_to(100000)
    assert one.start()
    assert one.running().output_of("id", "-u") == "0\n"
