# SPDX-License-Identifier: LGPL-2.1-or-later
"""systemd as its users see it: systemctl and systemd-run."""

import subprocess

from . import user
from .wait import until

INFINITY = "infinity"


def systemctl(*arguments, check=True):
    """Run systemctl and return what it prints."""
    done = subprocess.run(["systemctl", *user.OPTIONS, *arguments], capture_output=True, text=True, check=False)
    if check and done.returncode:
        raise AssertionError(f"systemctl {' '.join(arguments)}: {done.stderr}")
    return done.stdout


def show(unit, *names):
    """Properties of a unit, as a dict of texts."""
    lines = systemctl("show", unit, *(f"--property={name}" for name in names)).splitlines()
    found = {}
    for line in lines:
        name, _, value = line.partition("=")
        found[name] = f"{found[name]} {value}" if name in found else value
    return found


def is_loaded(unit):
    return show(unit, "ActiveState")["ActiveState"] not in ("inactive", "failed")


def stop(unit):
    systemctl("stop", unit)


def journal(*arguments):
    """What journalctl prints."""
    return subprocess.run(["journalctl", "--quiet", *arguments], check=True, capture_output=True, text=True).stdout


class TransientUnit:
    """A unit of somebody else, for the length of a with block."""

    def __init__(self, name, command, *properties):
        self.name, self.command, self.properties = name, command, properties

    def __enter__(self):
        options = [f"--property={text}" for text in self.properties]
        subprocess.run(["systemd-run", *user.OPTIONS, "--quiet", "--collect",
                        f"--unit={self.name}", *options, *self.command], check=True)
        until(lambda: is_loaded(self.name), f"{self.name} runs")
        return self

    def __exit__(self, *_):
        systemctl("stop", self.name, check=False)
        systemctl("reset-failed", self.name, check=False)

    @property
    def invocation(self):
        return show(self.name, "InvocationID", "ActiveState", "ControlGroup")


class ForeignScope:
    """A scope that the program did not make, for the length of a with block: its process."""

    def __init__(self, name):
        self.name = name

    def __enter__(self):
        self.child = subprocess.Popen(["systemd-run", *user.OPTIONS, "--quiet", "--scope", "--collect",
                                       f"--unit={self.name}", "sleep", "1000"])
        until(lambda: is_loaded(self.name), f"{self.name} runs")
        return self.child

    def __exit__(self, *_):
        self.child.kill()
        self.child.wait()
        until(lambda: not is_loaded(self.name), f"{self.name} is gone")
