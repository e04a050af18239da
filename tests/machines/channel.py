# SPDX-License-Identifier: LGPL-2.1-or-later
"""Commands into a machine, their output and exit status out of it.

The other end, guest/usr/lib/machine/agent, describes the frames.
"""

import contextlib
import json
import os
import select
import signal
import socket
import struct
import termios
import tty

from .say import Failure, say

REBOOT_DEADLINE = 1800  # for what hangs
HEADER = struct.Struct(">cI")
CHUNK = 1 << 16
TICK = 500  # milliseconds until a terminal's new size is noticed


class Channel:
    """Our end of a machine's channel: a connected socket."""

    def __init__(self, connection):
        self._socket = connection
        self._outgoing = b""
        self._resized = False

    def wait_until_ready(self):
        self._say_state(self._expect(b"r"))

    def reboot(self):
        """Until the machine is ready again. An agent that is ended may not say how its last command did."""
        request = {"argv": ["systemctl", "reboot"], "cwd": "/", "env": {}, "terminal": None}
        self._queue(b"c", json.dumps(request).encode())
        self._flush()
        self._socket.settimeout(REBOOT_DEADLINE)
        kind = None
        while kind != b"r":
            kind, content = self._receive()
        self._socket.settimeout(None)
        self._say_state(content)

    @staticmethod
    def _say_state(content):
        ready = json.loads(content)
        if ready["state"] != "running":
            reason = " ".join(ready["failed"].split("\n")) or "no failed unit"
            say(f"systemd in the machine is {ready['state']}: {reason}")

    def run(self, argv, cwd="/", env=None, stdin=0):
        """Run a command with our output, and return its exit status."""
        terminal = stdin == 0 and os.isatty(0) and os.isatty(1)
        request = {"argv": argv, "cwd": cwd, "env": env or {},
                   "terminal": _size() if terminal else None}
        if terminal and "TERM" in os.environ:
            request["env"].setdefault("TERM", os.environ["TERM"])
        with self._raw_terminal() if terminal else contextlib.nullcontext():
            self._queue(b"c", json.dumps(request).encode())
            return self._relay(stdin)

    def _relay(self, stdin):
        """Carry bytes both ways; never wait for room in the socket."""
        source = stdin if _is_open(stdin) else None
        if source is None:
            self._queue(b"i", b"")
        while True:
            ready = self._wait(source)
            if ready.get(self._socket.fileno(), 0) & ~select.POLLOUT:
                kind, content = self._receive()
                if kind == b"x":
                    return json.loads(content)
                _write_all(1 if kind == b"o" else 2, content)
            if self._resized:
                self._resized = False
                self._queue(b"w", json.dumps(_size()).encode())
            if source in ready and not self._outgoing:
                content = os.read(source, CHUNK)
                self._queue(b"i", content)
                source = source if content else None
            self._flush()

    def _wait(self, source):
        poll = select.poll()
        poll.register(self._socket, select.POLLIN | (select.POLLOUT if self._outgoing else 0))
        if source is not None and not self._outgoing:
            poll.register(source, select.POLLIN)
        return dict(poll.poll(TICK))

    def _queue(self, kind, content):
        self._outgoing += HEADER.pack(kind, len(content)) + content

    def _flush(self):
        with contextlib.suppress(BlockingIOError):
            while self._outgoing:
                sent = self._socket.send(self._outgoing, socket.MSG_DONTWAIT)
                self._outgoing = self._outgoing[sent:]

    @contextlib.contextmanager
    def _raw_terminal(self):
        saved = termios.tcgetattr(0)
        before = signal.signal(signal.SIGWINCH, self._resize)
        try:
            tty.setraw(0)
            yield
        finally:
            signal.signal(signal.SIGWINCH, before)
            termios.tcsetattr(0, termios.TCSADRAIN, saved)

    def _resize(self, _number, _frame):
        self._resized = True

    def _expect(self, wanted):
        kind, content = self._receive()
        if kind != wanted:
            raise Failure(f"the machine sent {kind!r} instead of {wanted!r}")
        return content

    def _receive(self):
        kind, length = HEADER.unpack(self._read(HEADER.size))
        return kind, self._read(length)

    def _read(self, length):
        content = b""
        while len(content) < length:
            chunk = self._socket.recv(length - len(content))
            if not chunk:
                raise Failure("the machine is gone")
            content += chunk
        return content


def _size():
    size = os.get_terminal_size(1)
    return [size.lines, size.columns]


def _is_open(fd):
    if fd is None:
        return False
    try:
        os.fstat(fd)
    except OSError:
        return False
    return True


def _write_all(fd, content):
    view = memoryview(content)
    while view:
        view = view[os.write(fd, view):]
