# SPDX-License-Identifier: LGPL-2.1-or-later
"""systemctl and ocirt-sd by turns, at random, on scopes and services: after each step all who are asked say the same."""

import random
import signal

import pytest

from harness import process, systemd, user
from harness.config import Config
from harness.needs import needs_ocirt_sd
from harness.wait import until

pytestmark = needs_ocirt_sd

# What each of them does to a container, and in which status it may be done.
STEPS = {}
STOPPED_BY_ITSELF, KILLED = "5", "137"
SCRIPT = "trap 'exit 5' TERM; echo begun; sleep 1000000 & wait"


def step(*before):
    """A step of the table, by its name; what it returns is the status that follows."""
    def enter(function):
        STEPS[function.__name__] = before, function
        return function
    return enter


class Mixed:
    """A container, and what is expected of it."""

    def __init__(self, one, supervised):
        self.one, self.supervised = one, supervised
        self.unit = f"ocirt-sd-{one.id}.{'service' if supervised else 'scope'}"
        self.pid = self.tasks = self.end = None
        self.starts = 0
        self.status = self.run()

    def ours(self, verb, *options):
        self.one.runtime(verb, *options, self.one.id)

    def systemctl(self, *words):
        systemd.systemctl(*words, self.unit)

    def run(self):
        if self.supervised:
            self.ours("run", "--supervise", "--property", "StartLimitIntervalSec=0",  # a quick machine starts it too often
                      "--bundle", self.one.bundle.path)
        else:
            self.one.run_detached()
        self.starts = 0
        return self.started()

    def started(self):
        self.starts += 1
        self.tasks = self.end = None
        until(lambda: process.catches(self.one.state()["pid"], signal.SIGTERM), "the trap is set")
        self.pid = self.one.state()["pid"]
        return "running"

    def ended(self, *ends):
        self.end = ends
        return "stopped"

    # --- what all of them say

    def is_seen(self):
        """systemctl, state, list and the kernel agree."""
        state = self.one.state()
        shown = systemd.show(self.unit, "ActiveState", "FreezerState", "MainPID", "ControlGroup", "TasksMax")
        listed = {found["id"]: found["status"] for found in self.one.runtime.list()}
        alive = self.status != "stopped"
        return (state["status"] == listed[self.one.id] == self.status
                and (shown["ActiveState"] == "active") == alive == process.is_alive(self.pid)
                and (not alive or self.is_seen_alive(state, shown)))

    def is_seen_alive(self, state, shown):
        frozen = {"running": "running", "paused": "frozen"}[self.status]
        return (state["pid"] == self.pid and process.cgroup(self.pid) == shown["ControlGroup"]
                and (not self.supervised or shown["MainPID"] == str(self.pid))
                and process.cgroup_file(shown["ControlGroup"], "cgroup.freeze") == "01"[self.status == "paused"]
                and shown["FreezerState"] == frozen and (not self.tasks or shown["TasksMax"] == self.tasks))

    def check(self):
        until(self.is_seen, f"{self.unit} is {self.status}")
        if self.supervised and self.end:
            assert self.one.runtime("wait", self.one.id).strip() in self.end

    def check_journal(self):
        """Since it was made."""
        if self.supervised and self.status != "paused":
            until(lambda: self.one.runtime("logs", "--output", "cat", self.one.id).split() == ["begun"] * self.starts,
                  f"{self.starts} starts in the journal of {self.unit}")


# --- the steps: by ocirt-sd

@step("running")
def ours_exec(mixed):
    assert mixed.one.output_of("echo", "inside") == "inside\n"
    return "running"


@step("running")
def ours_pause(mixed):
    mixed.ours("pause")
    return "paused"


@step("paused")
def ours_resume(mixed):
    mixed.ours("resume")
    return "running"


@step("running", "paused", "stopped")
def ours_stop(mixed):
    mixed.ours("stop")
    if mixed.status == "stopped":
        return "stopped"
    return mixed.ended(STOPPED_BY_ITSELF, *[KILLED] * (mixed.status == "paused"))


@step("running", "paused")
def ours_kill(mixed):
    mixed.one.kill("KILL")
    return mixed.ended(KILLED)


@step("running", "paused", "stopped")
def ours_delete(mixed):
    mixed.ours("delete", *["--force"] * (mixed.status != "stopped"))
    return mixed.run()


@step("running", "paused", "stopped")
def ours_restart(mixed):
    """Of a scope it is refused."""
    if not mixed.supervised:
        mixed.one.runtime.fails("restart", mixed.one.id)
        return mixed.status
    mixed.ours("restart")
    return mixed.started()


@step("stopped")
def ours_start(mixed):
    if not mixed.supervised:
        mixed.one.runtime.fails("start", mixed.one.id)
        return mixed.status
    mixed.ours("start")
    return mixed.started()


# --- by systemctl

@step("running")
def systemctl_freeze(mixed):
    mixed.systemctl("freeze")
    return "paused"


@step("paused")
def systemctl_thaw(mixed):
    mixed.systemctl("thaw")
    return "running"


@step("running")
def systemctl_stop(mixed):
    mixed.systemctl("stop")
    return mixed.ended(STOPPED_BY_ITSELF)


@step("running", "paused")
def systemctl_kill(mixed):
    mixed.systemctl("kill", "--signal=KILL")
    return mixed.ended(KILLED)


@step("running")
def systemctl_restart(mixed):
    if mixed.supervised:
        mixed.systemctl("restart")
        mixed.started()
    return "running"


@step("stopped")
def systemctl_start(mixed):
    """If there is still a unit of that name: systemd forgets those that have succeeded."""
    if mixed.supervised and systemd.show(mixed.unit, "LoadState")["LoadState"] == "loaded":
        mixed.systemctl("start")
        if systemd.show(mixed.unit, "FreezerState")["FreezerState"] == "frozen":  # systemd 252, of those that ended so
            mixed.systemctl("thaw")
        return mixed.started()
    return "stopped"


@step("running", "paused")
def systemctl_set_property(mixed):
    mixed.tasks = str(random.randrange(100, 10000))
    systemd.systemctl("set-property", "--runtime", mixed.unit, f"TasksMax={mixed.tasks}")
    return mixed.status


@step("running", "paused", "stopped")
def systemctl_daemon_reload(mixed):
    systemd.systemctl("daemon-reload")
    return mixed.status


@step("running", "paused", "stopped")
def systemctl_daemon_reexec(mixed):
    systemd.systemctl("daemon-reexec")
    return mixed.status


@pytest.mark.parametrize("seed", range(5))
def test_a_hundred_steps(container, seed):
    """On ten containers."""
    random.seed(seed)
    all_of_them = [Mixed(container(Config().script(SCRIPT)), supervised=i % 2) for i in range(10)]
    done = []
    for _ in range(100):
        mixed = random.choice(all_of_them)
        name = random.choice([name for name, (before, _) in STEPS.items() if mixed.status in before])
        done.append(f"{name} {mixed.unit}, {mixed.status}")
        try:
            mixed.status = STEPS[name][1](mixed)
            mixed.check()
        except Exception as error:
            said = systemd.journal("--unit", mixed.unit, "--lines", "20") if user.UID == 0 else ""  # whose user may read it
            raise AssertionError("\n".join([*done[-20:], said])) from error
    for mixed in all_of_them:
        mixed.check()
        mixed.check_journal()
