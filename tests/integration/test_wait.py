# SPDX-License-Identifier: LGPL-2.1-or-later
"""wait: for the end and for other states, of containers that have a scope. (Others: test_supervised.py.)"""

import os
import signal
import subprocess

import pytest

from harness import process
from harness.config import Config
from harness.needs import needs_ocirt_sd
from harness.wait import DEADLINE, until

pytestmark = needs_ocirt_sd


@pytest.fixture
def waiting(runtime):
    """Begins to wait, and returns what comes of that when it is called."""
    def begin(*words):
        wait = runtime.start_process("wait", *words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        until(lambda: process.comm(wait.pid) == "ocirt-sd" and "anon_inode:inotify" in process.descriptors(wait.pid).values(),
              "it watches")

        def end():
            output, error = wait.communicate(timeout=DEADLINE)
            return wait.returncode, output.strip() + error.strip()
        return end
    return begin


def keep(one):
    return one.runtime.call("run", "--keep", "--bundle", one.bundle.path, one.id).status


def killed_by(name):
    """Without a pid namespace of its own it can be killed by itself."""
    config = Config().script(f"kill -{name} $$; exit 1").without_namespace("pid")
    return config.without_mount("/proc").bind("/proc", "/proc", "rbind", "ro")


@pytest.mark.parametrize("config, status", [
    (lambda: Config().script("exit 0"), 0), (lambda: Config().script("exit 3"), 3),
    (lambda: killed_by("USR1"), 128 + signal.SIGUSR1),
])
def test_of_what_run_kept_the_status_is_known_later(container, config, status):
    one = container(config())
    assert keep(one) == status
    assert one.runtime("wait", one.id) == f"{status}\n"
    assert one.runtime.call("wait", "--exit-status", one.id).status == status


def test_while_run_waits_too(container, waiting):
    one = container(Config().script("trap 'exit 7' TERM; while :; do sleep 0.01; done"))
    with one.runtime.start_process("run", "--keep", "--bundle", one.bundle.path, one.id) as run:
        until(lambda: (one.runtime.root / one.id).exists(), "it is there")
        until(lambda: one.status == "running" and process.catches(one.state()["pid"], signal.SIGTERM), "the trap is set")
        end = waiting(one.id)
        one.kill("TERM")
        assert end() == (0, "7")
        assert run.wait(DEADLINE) == 7


def test_what_nobody_has_seen_is_said_to_be_unknown(container):
    one = container(Config("true")).run_detached().wait_for_end()
    assert "is known to who was its parent alone" in one.runtime.fails("wait", one.id)


def test_states_that_come(container, waiting):
    one = container()
    ends = [waiting(f"--condition={state}", one.id) for state in ("created", "running")]
    one.create()
    assert ends[0]() == (0, "")
    ends.append(waiting("--condition=removed", one.id))
    one.start()
    assert ends[1]() == (0, "")
    one.runtime("stop", "--time", "0", one.id)
    one.delete()
    assert ends[2]() == (0, "")


def test_states_that_do_not_come(container, waiting):
    one = container()
    assert "container does not exist" in one.runtime.fails("wait", one.id)
    one.runtime("wait", "--condition=removed", one.id)
    end = waiting("--condition=created", one.id)
    one.run_detached()
    assert "timed out" in one.runtime.fails("wait", "--timeout", "1ms", one.id)
    os.kill(one.pid, signal.SIGKILL)
    status, words = end()
    assert status == 1 and "has stopped" in words


@pytest.mark.parametrize("options, words", [(["--condition", "gone"], "--condition: expected created, running"),
                                            (["--timeout", "soon"], "--timeout: expected seconds")])
def test_words_that_nobody_knows(runtime, options, words):
    assert words in runtime.fails("wait", *options, "nosuch")
