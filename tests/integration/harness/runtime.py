# SPDX-License-Identifier: LGPL-2.1-or-later
"""The program under test, and containers made with it."""

import itertools
import json
import os
import re
import subprocess
from pathlib import Path

from . import process, systemd
from .command import Program
from .wait import DEADLINE, until

BINARY = os.environ.get("OCIRT_RUNTIME", "ocirt-sd")
PROGRAMS = Path(os.environ.get("OCIRT_PROGRAMS", "/tests/programs"))
# A prefix: without what Linux 6.17 knows about a procfs.
OLDER_KERNEL = [str(PROGRAMS / "older-kernel")]
# What fails() passes over.
OF_OUR_FILES = re.compile("standard (input|output|error)[a-z, ]*: a file, by which .*; give it a pipe$")
_numbers = itertools.count()


def with_descriptors(numbers, path="/"):
    """A prefix: with these numbers (of one digit) open on the path, as careless callers do it."""
    opening = " ".join(f"{number}<{path}" for number in numbers)
    return ["sh", "-c", f'exec {opening}; exec "$@"', "sh"]


def without_user_namespaces(error):
    """A prefix: where to make one is answered by this errno."""
    return [str(PROGRAMS / "no-user-namespaces"), str(error)]


def new_id():
    return f"test-{os.getpid()}-{next(_numbers)}"


class Runtime(Program):
    """Calls of the program, with a root directory of its own."""

    def __init__(self, root):
        self.root = Path(root)
        self.root.mkdir(mode=0o700, exist_ok=True)
        super().__init__(BINARY, "--root", self.root, "--systemd-cgroup")

    def fails(self, *args, **options):
        """Run it; it must fail, with one clear message, which is returned."""
        result = self.call(*args, **options)
        assert result.status > 0, str(result)
        # That it has files of ours as its output is a warning where it joins a pid namespace, and /tmp has file handles.
        message = "\n".join(line for line in result.stderr.splitlines() if not OF_OUR_FILES.search(line)).strip()
        assert message and "\n" not in message and result.stdout == "", str(result)
        return message

    def list(self):
        return json.loads(self("list", "--format", "json")) or []


class Container:
    """A bundle that is, was or will be a container."""

    def __init__(self, runtime, bundle, name=None):
        self.runtime, self.bundle = runtime, bundle
        self.id = name or new_id()
        self.log = bundle.path / "output"
        self.pid_file = bundle.path / "pid"

    # --- the verbs

    def create(self, *options, **more):
        self._begin("create", *options, **more)
        return self

    def run_detached(self, *options, **more):
        self._begin("run", "--detach", *options, **more)
        return self

    def _begin(self, verb, *options, prefix=(), **more):
        """What the container prints goes to a file: its output is the runtime's. prefix: as for Runtime.call."""
        command = [*prefix, *self.runtime.command(verb, "--bundle", self.bundle.path, "--pid-file",
                                                  self.pid_file, *options, self.id)]
        with self.log.open("wb") as log:
            done = subprocess.run(command, check=False, stdout=log, stderr=log, timeout=DEADLINE,
                                  **({"stdin": subprocess.DEVNULL} | more))
        assert done.returncode == 0, f"{verb}: {done.returncode}: {self.output}"

    def start(self):
        self.runtime("start", self.id)
        return self

    def kill(self, *args):
        self.runtime("kill", *args[1:], self.id, *args[:1])

    def delete(self, *options):
        self.runtime("delete", *options, self.id)

    def exec(self, *command, options=()):
        """Run a command in it in the foreground: the Result."""
        return self.runtime.call("exec", *options, self.id, *command)

    def output_of(self, *command, options=()):
        result = self.exec(*command, options=options)
        assert result.status == 0, str(result)
        return result.stdout

    # --- what can be seen of it

    @property
    def output(self):
        return self.log.read_text(encoding="utf-8", errors="replace")

    @property
    def pid(self):
        return int(self.pid_file.read_text(encoding="ascii"))

    def state(self):
        return json.loads(self.runtime("state", self.id))

    @property
    def status(self):
        return self.state()["status"]

    @property
    def cgroup(self):
        return process.cgroup(self.pid)

    @property
    def unit(self):
        return next(part for part in self.cgroup.split("/") if part.endswith(".scope"))

    def properties(self, *names):
        return systemd.show(self.unit, *names)

    def wait_until(self, *statuses):
        until(lambda: self.status in statuses, f"{self.id} is {' or '.join(statuses)}")
        return self

    def wait_for_end(self):
        """Until its first process has ended. It stays a zombie, as under an engine."""
        until(lambda: not process.is_alive(self.pid), f"the end of {self.id}")
        return self

    def wait_for_output(self, text):
        until(lambda: text in self.output, f"{text!r} from {self.id}")
        return self
