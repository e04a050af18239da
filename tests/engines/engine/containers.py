# SPDX-License-Identifier: LGPL-2.1-or-later
"""What Podman and Docker have in common: their command line."""

import itertools
import json
import re

from harness import process
from harness.command import Program
from harness.wait import until

from .setting import BUSYBOX

NO_NETWORK = ["--network", "none"]
FOREVER = ["sh", "-c", "trap 'exit 0' TERM; while :; do sleep 1000 & wait $!; done"]
# For an exec: it is killed, and the container lives on until the engine has seen that.
EAT = ["sh", "-c", "x=$(head -c 100000000 /dev/zero | tr '\\0' x)"]
NO_PROGRAM = "neither magic number nor #!\n"  # which only the start finds out

_numbers = itertools.count()


def without_network(options):
    """The option for it, unless the options have another."""
    return [] if any(str(option).startswith("--network") for option in options) else NO_NETWORK


def scope_of(pid):
    """The cgroup of the scope that a process is in. The control has a cgroup of its own below its scopes."""
    return re.match(r".*\.scope", process.cgroup(pid))[0]


class Engine(Program):
    """An engine's command line, with one of the runtimes."""

    timeout = 300
    run_options = ()

    def run(self, *words, **options):
        """Run something in the foreground: the Result."""
        return self.call("run", "--rm", *self.run_options, *without_network(words), *words, **options)

    def seen(self, *words):
        """What it prints; it must succeed, and say nothing else."""
        result = self.run(*words)
        assert result.status == 0 and not result.stderr, str(result)
        return result.stdout.strip()

    def facts(self, *options, script, image=BUSYBOX):
        """What a script tells, in lines of name=value, about a container with these options."""
        lines = self.seen(*options, image, "sh", "-c", script).splitlines()
        return dict(line.split("=", 1) for line in lines)

    def start(self, *options, command=FOREVER, image=BUSYBOX):
        """Run something in the background: the Container."""
        name = f"test-{next(_numbers)}"
        self("run", "--detach", "--name", name, *self.run_options, *without_network(options), *options,
             image, *command)
        return Container(self, name)

    def inspect(self, name, kind="container"):
        found = json.loads(self(kind, "inspect", name))
        return found[0] if isinstance(found, list) else found


class Container:
    """A container that runs in the background."""

    def __init__(self, engine, name):
        self.engine, self.name = engine, name

    def __call__(self, verb, *options):
        """ENGINE VERB OPTIONS NAME."""
        return self.engine(verb, *options, self.name)

    def exec(self, *command, options=()):
        return self.engine.call("exec", *options, self.name, *command)

    def output_of(self, *command, options=()):
        result = self.exec(*command, options=options)
        assert result.status == 0 and not result.stderr, str(result)
        return result.stdout.strip()

    def inspect(self):
        return self.engine.inspect(self.name)

    @property
    def state(self):
        return self.inspect()["State"]

    def wait_until(self, condition, what):
        """Until the container, as inspected, is as the condition says: what that said."""
        return until(lambda: condition(self.inspect()), f"{self.name}: {what}")

    def ended(self):
        self.engine("wait", self.name)
        return self

    def remove(self):
        """At once, whatever it does."""
        self.engine("rm", "--force", *self.engine.at_once, self.name)
