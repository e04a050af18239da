# SPDX-License-Identifier: LGPL-2.1-or-later
"""Signals that who calls us ignores or has blocked."""

import os
import signal
import subprocess

import pytest

from harness import process
from harness.config import Config
from harness.needs import needs_ocirt_sd
from harness.wait import until

pytestmark = needs_ocirt_sd
EVERY = sorted(signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP})

# As a program that has no interest in its children, and one that is careless.
IGNORED = "import os, signal, sys; [signal.signal(n, signal.SIG_IGN) for n in {}]; os.execvp(sys.argv[1], sys.argv[1:])"
BLOCKED = "import os, signal, sys; signal.pthread_sigmask(signal.SIG_BLOCK, {}); os.execvp(sys.argv[1], sys.argv[1:])"
CALLERS = {
    "SIGCHLD ignored": IGNORED.format([int(signal.SIGCHLD)]),
    "SIGCHLD blocked": BLOCKED.format([int(signal.SIGCHLD)]),
    "all ignored": IGNORED.format([int(number) for number in EVERY]),
    "all blocked": BLOCKED.format([int(number) for number in EVERY]),
}


@pytest.fixture(params=CALLERS.values(), ids=CALLERS)
def caller(request):
    """A prefix."""
    return ["python3", "-c", request.param]


def sets(text):
    """What /proc/PID/status says is blocked and ignored."""
    return [line.split()[1] for line in text.splitlines() if line.startswith(("SigBlk", "SigIgn"))]


SHOW = "cat /proc/self/status"
NONE = ["0" * 16] * 2


def test_run_returns_the_status(container, caller):
    one = container(Config().script(f"{SHOW}; exit 7"))
    result = one.runtime.call("run", "--bundle", one.bundle.path, one.id, prefix=caller)
    assert result.status == 7 and sets(result.stdout) == NONE, str(result)
    assert not (one.runtime.root / one.id).exists()


def test_hooks_run(container, caller, bundles):
    """Each of them in the state that a program expects."""
    seen = bundles.scratch("seen")
    config = Config().sleeping()
    for kind in ["createRuntime", "poststart", "poststop"]:
        config.hook(kind, "/bin/sh", "-c", f"{SHOW} >{seen}/{kind}")
    one = container(config)
    one.create(prefix=caller)
    one.runtime.call("start", one.id, prefix=caller)
    assert one.status == "running"
    assert one.runtime.call("delete", "--force", one.id, prefix=caller).status == 0
    for kind in ["createRuntime", "poststart", "poststop"]:
        assert sets((seen / kind).read_text(encoding="ascii")) == NONE, kind


def test_exec_and_ps(container, caller):
    one = container().run_detached()
    result = one.runtime.call("exec", one.id, "/bin/sh", "-c", f"{SHOW}; exit 7", prefix=caller)
    assert result.status == 7 and sets(result.stdout) == NONE, str(result)
    assert str(one.pid) in one.runtime.call("ps", one.id, prefix=caller).stdout


def test_nohup(container):
    """What the caller ignores is not for the container either."""
    config = Config().script("trap 'echo HUP' HUP; trap 'echo TERM; exit 3' TERM; echo there; while :; do sleep 1 & wait; done")
    one = container(config)
    with one.log.open("wb") as log:
        run = subprocess.Popen(["nohup", *one.runtime.command("run", "--bundle", one.bundle.path, one.id)],
                               stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    one.wait_for_output("there")
    os.kill(run.pid, signal.SIGHUP)
    os.kill(run.pid, signal.SIGTERM)
    assert run.wait(60) == 3 and "HUP" not in one.output
    until(lambda: not process.is_alive(run.pid), "it has ended")
