# SPDX-License-Identifier: LGPL-2.1-or-later
"""Progress on stderr, and orderly ends."""

import contextlib
import shutil
import signal
import sys
import time


class Failure(Exception):
    """Something a person should read as one sentence, without a traceback."""


def say(text):
    erase = _CLEAR if _part else ""
    print(f"{erase}== {text}", file=sys.stderr, flush=True)


@contextlib.contextmanager
def step(text):
    """Announce something that takes long, and tell at its end how long."""
    if _part:
        with _part.detail(text):
            yield
        return
    say(f"{text} …")
    began = time.monotonic()
    yield
    say(f"{text}: {time.monotonic() - began:.0f} s")


@contextlib.contextmanager
def part(text):
    """Something in which there may be steps. On a terminal it is one line, which shows that there is progress."""
    global _part
    if not sys.stderr.isatty():
        say(text)
        yield
        return
    _part = _Part(text)
    before = signal.signal(signal.SIGALRM, _part.show)
    signal.setitimer(signal.ITIMER_REAL, *[_TICK] * 2)
    try:
        _part.show()
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
        print(f"{_CLEAR}== {text}: {_part.seconds:.0f} s", file=sys.stderr, flush=True)
        _part = None


class _Part:
    """The line of a part that is not over."""

    def __init__(self, text):
        self.text, self.step, self.began = text, "", time.monotonic()

    @property
    def seconds(self):
        return time.monotonic() - self.began

    @contextlib.contextmanager
    def detail(self, text):
        self.step = f", {text}"
        self.show()
        yield
        self.step = ""

    def show(self, *_):
        time_ = f" … {self.seconds:.0f} s"
        room = shutil.get_terminal_size().columns - len(time_) - 1
        print(_CLEAR + f"== {self.text}{self.step}"[:room] + time_, end="", file=sys.stderr, flush=True)


_CLEAR, _TICK = "\r\033[K", 1
_part = None


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
