# SPDX-License-Identifier: LGPL-2.1-or-later
"""Services whose main process is a container's: instances of ocirt-sd@.service, and others like it."""

import re
import shutil
import signal
import subprocess
from pathlib import Path

from . import process, systemd, user
from .bundle import Bundle
from .needs import needs_devices_bpf, needs_ocirt_sd
from .runtime import Container, Runtime, new_id
from .wait import until

# A user's containers have no filter of devices.
MARKS = [needs_ocirt_sd] if user.ORDINARY else [needs_ocirt_sd, needs_devices_bpf]

ROOT = (user.RUNTIME_DIRECTORY if user.ORDINARY else Path("/run")) / "ocirt-sd"
DROP_INS = user.RUNTIME_DIRECTORY / "systemd/user" if user.ORDINARY else Path("/run/systemd/system")
SPEAKING = "echo up; trap 'echo asked; exit 0' TERM; while :; do sleep 1000 & wait $!; done"


class Service:
    """An instance of the template, whose bundle is where the template says."""

    def __init__(self, unit=None):
        self.name = new_id()
        self.unit = unit or f"ocirt-sd@{self.name}.service"
        self.runtime = Runtime(ROOT)
        self.one = Container(self.runtime, Bundle(self._bundle()), self.name)

    def _bundle(self):
        command = systemd.show(f"ocirt-sd@{self.name}.service", "ExecStart")["ExecStart"]
        return Path(re.search(r"--bundle (\S+)", command)[1])

    def fill(self, bundles, config):
        """Its bundle, with a busybox of its own: it may be on another file system."""
        path = self.one.bundle.path
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        made = bundles.make(config)
        shutil.copytree(made.path, path, symlinks=True)
        shutil.rmtree(made.path)
        return self

    def change(self, config):
        (self.one.bundle.path / "config.json").write_text(config.text(), encoding="utf-8")

    def drop_in(self, *lines, unit=None):
        """What an administrator says about it."""
        directory = DROP_INS / f"{self.unit}.d"
        directory.mkdir(parents=True, exist_ok=True)
        text = "\n".join(["[Unit]", *(unit or []), "[Service]", *lines, ""])
        (directory / "test.conf").write_text(text, encoding="utf-8")
        systemd.systemctl("daemon-reload")
        return self

    def start(self):
        """What `systemctl start` says: whether it has succeeded."""
        command = ["systemctl", *user.OPTIONS, "start", self.unit]
        return subprocess.run(command, capture_output=True, check=False).returncode == 0

    def started(self):
        assert self.start()
        return self

    def until_deaf(self):
        until(lambda: process.ignores(self.pid, signal.SIGTERM), "it does not hear SIGTERM")
        return self

    @property
    def pid(self):
        return self.one.state()["pid"]

    def stop(self):
        systemd.systemctl("stop", self.unit)
        self.wait_for_end()

    def wait_for_end(self):
        """What follows its end has been done."""
        end = f"ocirt-sd-end@{self.name}.service"

        def is_done():
            shown = systemd.show(end, "ActiveState", "Job")
            return shown["ActiveState"] in ("inactive", "failed") and not shown.get("Job")

        until(is_done, f"the end of {end}")

    def show(self, *names):
        return systemd.show(self.unit, *names)

    @property
    def cgroup(self):
        return process.CGROUPS / self.show("ControlGroup")["ControlGroup"].lstrip("/")

    def ended(self):
        """Its state and result, once it has ended."""
        until(lambda: self.show("ActiveState")["ActiveState"] in ("inactive", "failed"), f"the end of {self.unit}")
        self.wait_for_end()
        shown = self.show("ActiveState", "Result")
        return shown["ActiveState"], shown["Result"]

    def exists(self):
        return self.name in [one["id"] for one in self.runtime.list()]

    def waited(self):
        return self.runtime("wait", self.name).strip()

    def said(self):
        """What the journal has of it."""
        subprocess.run(["journalctl", "--sync"], check=True)
        return subprocess.run(["journalctl", "--output=cat", "-u", self.unit], check=True, capture_output=True,
                              text=True).stdout

    def status(self):
        """What people see; it comes from the journal, too."""
        subprocess.run(["journalctl", "--sync"], check=True)
        return systemd.systemctl("status", self.unit, check=False)

    def remove(self):
        self.runtime("delete", "--force", self.name)
        systemd.systemctl("stop", self.unit, check=False)
        systemd.systemctl("reset-failed", self.unit, check=False)
        shutil.rmtree(self.one.bundle.path, ignore_errors=True)
        shutil.rmtree(DROP_INS / f"{self.unit}.d", ignore_errors=True)
        (DROP_INS / self.unit).unlink(missing_ok=True)
        systemd.systemctl("daemon-reload")
