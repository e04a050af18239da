# SPDX-License-Identifier: LGPL-2.1-or-later
"""A bundle of ocirt-sd@.service that is enabled, from boot to boot: of a user's systemd, which ends and begins as a whole."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from harness import systemd
from harness.needs import needs_ocirt_sd, needs_root
from harness.runtime import new_id
from harness.wait import until

pytestmark = [needs_ocirt_sd, needs_root("ends the systemd of a user")]

USER, UID, HOME = "tester", 1000, Path("/home/tester")
MANAGER = f"user@{UID}.service"
SCRIPT = "trap 'echo asked >>/log; sleep 0.2; echo ended >>/log; exit 0' TERM; echo begun >>/log; " \
         "while :; do sleep 1000 & wait $!; done"


def as_user(*command):
    prefix = ["runuser", "-u", USER, "--", "env", f"HOME={HOME}", f"XDG_RUNTIME_DIR=/run/user/{UID}"]
    return subprocess.run([*prefix, *map(str, command)], check=True, capture_output=True, text=True).stdout


class Enabled:
    """A bundle of the user's, whose service is enabled."""

    def __init__(self):
        self.name = new_id()
        self.unit = f"ocirt-sd@{self.name}.service"
        command = as_user("systemctl", "--user", "show", "--property=ExecStart", self.unit)
        self.bundle = Path(re.search(r"--bundle (\S+)", command)[1])
        self.log = self.bundle / "rootfs/log"
        self.drop_ins = HOME / f".config/systemd/user/{self.unit}.d"
        self.make()

    def make(self):
        as_user("mkdir", "-p", self.bundle / "rootfs/bin", self.drop_ins)
        as_user("ocirt-sd", "spec", "--rootless", "--bundle", self.bundle)
        config = json.loads((self.bundle / "config.json").read_text(encoding="utf-8"))
        config["process"] |= {"terminal": False, "args": ["sh", "-c", SCRIPT]}
        config["root"]["readonly"] = False
        (self.bundle / "config.json").write_text(json.dumps(config), encoding="utf-8")
        (self.drop_ins / "limit.conf").write_text("[Service]\nTasksMax=77\nRestart=on-failure\n", encoding="ascii")
        for name in ["busybox", "sh", "sleep"]:
            shutil.copy(shutil.which("busybox"), self.bundle / "rootfs/bin" / name)
        as_user("systemctl", "--user", "enable", self.unit)

    def said(self):
        return self.log.read_text(encoding="ascii").split() if self.log.exists() else []

    def until_said(self, *words):
        until(lambda: self.said() == list(words), f"the log of {self.name} is {' '.join(words)}")

    def show(self, name):
        return as_user("systemctl", "--user", "show", "--value", f"--property={name}", self.unit).strip()

    def remove(self):
        as_user("systemctl", "--user", "disable", "--now", self.unit)
        shutil.rmtree(self.bundle)
        shutil.rmtree(self.drop_ins)


@pytest.fixture
def enabled(nothing_left):
    subprocess.run(["loginctl", "enable-linger", USER], check=True)
    until(lambda: systemd.show(MANAGER, "ActiveState")["ActiveState"] == "active", "the user's systemd")
    os.makedirs(HOME, exist_ok=True)
    os.chown(HOME, UID, UID)
    one = Enabled()
    yield one
    systemd.systemctl("start", MANAGER)
    one.remove()
    subprocess.run(["loginctl", "disable-linger", USER], check=True)
    systemd.systemctl("stop", MANAGER, f"user-{UID}.slice")


def test_from_boot_to_boot(enabled):
    """It is begun, is asked to end and has its time for it; a drop-in of it stays what it is."""
    systemd.systemctl("restart", MANAGER)
    enabled.until_said("begun")
    as_user("systemctl", "--user", "daemon-reload")
    assert (enabled.show("ActiveState"), enabled.show("TasksMax")) == ("active", "77")
    as_user("ocirt-sd", "kill", enabled.name, "KILL")
    enabled.until_said("begun", "begun")
    systemd.systemctl("restart", MANAGER)
    enabled.until_said("begun", "begun", "asked", "ended", "begun")
    systemd.systemctl("stop", MANAGER)
    assert enabled.said() == ["begun", "begun", "asked", "ended", "begun", "asked", "ended"]
