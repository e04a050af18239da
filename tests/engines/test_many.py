# SPDX-License-Identifier: LGPL-2.1-or-later
"""Many containers: one after the other, and at once. None fails, and nothing is left of any."""

import itertools
import subprocess
from concurrent.futures import ThreadPoolExecutor, wait

import pytest

from engine.podman import as_user, connect_others

IS_EMULATED = subprocess.run(["systemd-detect-virt"], capture_output=True, text=True, check=False).stdout == "qemu\n"

# A hundred where a container takes a tenth of a second; where it takes seconds, that it works at all is enough, as
# nothing else is different there. The control has to show only that the test is right.
ROUNDS = {"ocirt-sd": 3 if IS_EMULATED else 100, "crun": 1}
AT_ONCE = {"ocirt-sd": 6 if IS_EMULATED else 20, "crun": 2}


def test_one_by_one(runs, runtime):
    assert [fault for number in range(ROUNDS[runtime]) if (fault := runs(number))] == []


def test_at_once(runs, runtime):
    with ThreadPoolExecutor(AT_ONCE[runtime]) as pool:
        assert [fault for fault in pool.map(runs, range(AT_ONCE[runtime])) if fault] == []


STARTED_OVER = [["daemon-reexec"], ["daemon-reload"], ["reset-failed", "dbus.service"],  # its starts are counted
                ["restart", "dbus.service"]]


@pytest.mark.parametrize("runtime", ["ocirt-sd"], indirect=True)  # the control's containers fail
def test_while_systemd_starts_over(runs, kind, runtime):
    """Or the bus, again and again: the containers do not notice."""
    pause = 3 if IS_EMULATED else 0.2
    systemctl = [*as_user(), "systemctl", "--user"] if kind == "user" else ["systemctl"]
    with ThreadPoolExecutor(4) as pool:
        begun = [pool.submit(runs, number) for number in range(6 if IS_EMULATED else 12)]
        for what in itertools.cycle(STARTED_OVER):
            subprocess.run([*systemctl, *what], check=True)
            if not any(wait(begun, timeout=pause).not_done):
                break
    connect_others()
    assert [run.result() for run in begun if run.result()] == []
