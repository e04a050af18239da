# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the timer is to do."""

import subprocess
from pathlib import Path

PEERS = {
    "ocirt-sd": ["ocirt-sd"],
    "crun": ["crun", "--systemd-cgroup"],
    "runc": ["runc", "--systemd-cgroup"],
}
OTHER = Path("/opt/other")
BUILDS = {  # the other has a root of its own: it may write records that this one does not read
    "this": ["ocirt-sd"],
    "other": [f"{OTHER}/ocirt-sd", "--root=/run/ocirt-sd-other"],
}
RUNTIMES = {}  # PEERS or BUILDS
OPERATIONS = ["run", "create", "state", "start", "exec", "kill", "delete"]
PIDS = Path("/run/bench")


def command(runtime, operation, name, bundles):
    """The command line of an operation; the bundles hold 'true' and 'sleep'."""
    arguments = {
        "run": ["run", "--bundle", f"{bundles}/true", name],
        "create": ["create", "--pid-file", f"{PIDS}/{name}", "--bundle", f"{bundles}/sleep", name],
        "state": ["state", name],
        "start": ["start", name],
        "exec": ["exec", name, "/bin/true"],
        "kill": ["kill", name, "KILL"],
        "delete": ["delete", name],
        "detach": ["run", "--detach", "--pid-file", f"{PIDS}/{name}",
                   "--bundle", f"{bundles}/sleep", name],
        "delete --force": ["delete", "--force", name],
        "list": ["list"],
    }
    return [*RUNTIMES[runtime], *arguments[operation]]


class Failed(Exception):
    """The timer ended at a command that failed."""


class Timer:
    """A running timer."""

    def __init__(self, program, environment, messages):
        self._messages = messages
        with open(messages, "ab") as file:
            self._process = subprocess.Popen([program], stdin=subprocess.PIPE, env=environment,
                                             stdout=subprocess.PIPE, stderr=file, text=True)

    def execute(self, lines):
        """Yield the fields of each line that the timer answers."""
        text = "".join("\t".join(map(str, line)) + "\n" for line in [*lines, ["mark", "end"]])
        try:
            self._process.stdin.write(text)
            self._process.stdin.flush()
        except BrokenPipeError:
            pass
        for line in self._process.stdout:
            fields = line.rstrip("\n").split("\t")
            if fields[0] == "end":
                return
            yield fields
        raise Failed(self._messages.read_text()[-2000:])

    def close(self):
        self._process.stdin.close()
        self._process.wait()


def rounds(bundles, number, block, pause):
    """Each operation of each runtime, on as many containers as a block has.

    The runtimes take turns, and another one is the first in each round.
    """
    order = list(RUNTIMES)
    for _ in range(number):
        for operation in OPERATIONS:
            for runtime in order:
                yield from _block(bundles, runtime, operation, block, pause)
        order = [*order[1:], order[0]]


def _block(bundles, runtime, operation, size, pause):
    yield ["pause", pause or 50]
    for number in range(size):
        name = f"bench-{runtime}-{number}"
        if operation == "delete":
            yield ["gone", PIDS / name]
        if pause and number:
            yield ["pause", pause]
        yield ["time", f"{operation}|{runtime}", *command(runtime, operation, name, bundles)]


def many(bundles, runtime, number, jobs):
    """A number of containers, as many at a time as there are jobs; they stay."""
    yield ["pause", 500]
    yield ["mark", "began"]
    for name in names(runtime, number):
        yield ["start", jobs, *command(runtime, "detach", name, bundles)]
    yield ["finish"]
    yield ["mark", "ended"]


def listed(bundles, runtime, times):
    for _ in range(times):
        yield ["pause", 50]
        yield ["time", "list", *command(runtime, "list", "", bundles)]


def removed(bundles, runtime, number):
    yield ["pause", 500]
    for name in names(runtime, number):
        yield ["time", "delete", *command(runtime, "delete --force", name, bundles)]


def names(runtime, number):
    return [f"bench-{runtime}-{i}" for i in range(number)]
