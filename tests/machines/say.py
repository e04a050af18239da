# SPDX-License-Identifier: LGPL-2.1-or-later
"""Progress on stderr, and orderly ends."""

import contextlib
import signal
import sys
import time


class Failure(Exception):
    """Something a person should read as one sentence, without a traceback."""


def say(text):
    print(f"== {text}", file=sys.stderr, flush=True)


@contextlib.contextmanager
def step(text):
    """Announce something that takes long, and tell at its end how long."""
    say(f"{text} …")
    began = time.monotonic()
    yield
    say(f"{text}: {time.monotonic() - began:.0f} s")


def _terminate(number, _frame):
    sys.exit(128 + number)


def main(name, function):
    """Run a command's main function so that every way out unwinds the stack."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, _terminate)
    signal.signal(signal.SIGHUP, _terminate)
    try:
        sys.exit(function(sys.argv[1:]))
    except Failure as failure:
        print(f"{name}: {failure}", file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(128 + signal.SIGINT)
    except BrokenPipeError:
        sys.exit(128 + signal.SIGPIPE)
