# SPDX-License-Identifier: LGPL-2.1-or-later
"""Commands, and what they came to."""

import subprocess
import tempfile
from dataclasses import dataclass

from .wait import DEADLINE


@dataclass
class Result:
    """What a call came to."""
    args: list
    status: int
    stdout: str
    stderr: str

    def __str__(self):
        return f"{' '.join(self.args)}: {self.status}\n{self.stdout}{self.stderr}"


class Program:
    """Calls of a program, which begin with the same words."""

    timeout = DEADLINE

    def __init__(self, *words):
        self.globals = [str(word) for word in words]

    def command(self, *args):
        return [*self.globals, *map(str, args)]

    def call(self, *args, prefix=(), **options):
        """Run it to its end and return the Result, whatever that is. prefix: in front of it."""
        command = [*prefix, *self.command(*args)]
        options = {"stdin": subprocess.DEVNULL, "timeout": self.timeout} | options
        if "input" in options:
            del options["stdin"]
        # Files, not pipes: what a container leaves running must not be waited for.
        with tempfile.TemporaryFile() as stdout, tempfile.TemporaryFile() as stderr:
            done = subprocess.run(command, check=False, stdout=stdout, stderr=stderr, **options)
            return Result(command, done.returncode, _text(stdout), _text(stderr))

    def __call__(self, *args, **options):
        """Run it; it must not fail. Returns what it printed."""
        result = self.call(*args, **options)
        assert result.status == 0, str(result)
        return result.stdout

    def start_process(self, *args, prefix=(), **options):
        """Start it and do not wait: a Popen."""
        return subprocess.Popen([*prefix, *self.command(*args)], **options)


def _text(file):
    file.seek(0)
    return file.read().decode("utf-8", "replace")
