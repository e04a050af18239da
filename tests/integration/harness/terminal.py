# SPDX-License-Identifier: LGPL-2.1-or-later
"""Terminals: the socket on which an engine awaits one, and a pty to be in front of."""

import array
import contextlib
import fcntl
import os
import pty
import select
import socket
import struct
import termios
import time

from .wait import DEADLINE


class ConsoleSocket:
    """Listens where --console-socket points; accepts when asked to, as engines do."""

    def __init__(self, path):
        self.path = path
        self.listener = socket.socket(socket.AF_UNIX)
        directory = os.open(os.path.dirname(path), os.O_PATH)
        self.listener.bind(f"/proc/self/fd/{directory}/{os.path.basename(path)}")
        os.close(directory)
        self.listener.listen()
        self.listener.settimeout(DEADLINE)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.listener.close()
        os.unlink(self.path)

    def receive(self):
        """The one message: its bytes, its descriptors, and what follows it."""
        connection = self.listener.accept()[0]
        with connection:
            connection.settimeout(DEADLINE)
            content, ancillary, _, _ = connection.recvmsg(4096, socket.CMSG_SPACE(64))
            fds = array.array("i")
            for level, kind, data in ancillary:
                assert (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS)
                fds.frombytes(data)
            return content, list(fds), connection.recv(1)

    def terminal(self):
        """The terminal's master; the message is as engines want it."""
        content, fds, rest = self.receive()
        assert 1 <= len(content) < 4096 and len(fds) == 1 and rest == b""
        return Master(fds[0])


class Master:
    """The side of a pty that a person is at."""

    def __init__(self, fd):
        self.fd, self.seen = fd, b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        os.close(self.fd)

    def type(self, data):
        os.write(self.fd, data)

    def resize(self, rows, columns):
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("4H", rows, columns, 0, 0))

    def read_until(self, text):
        """Read on until the text came; everything so far."""
        end = time.monotonic() + DEADLINE
        while text not in self.seen:
            left = end - time.monotonic()
            assert left > 0, f"no {text!r} in {self.seen!r}"
            if select.select([self.fd], [], [], left)[0]:
                with contextlib.suppress(OSError):
                    data = os.read(self.fd, 4096)
                    self.seen += data
                    continue
                raise AssertionError(f"no {text!r} in {self.seen!r}")
        return self.seen

    def read_to_end(self):
        end = time.monotonic() + DEADLINE
        while select.select([self.fd], [], [], max(0, end - time.monotonic()))[0]:
            try:
                data = os.read(self.fd, 4096)
            except OSError:  # EIO: nobody has the other side open any more
                return self.seen
            if not data:
                return self.seen
            self.seen += data
        raise AssertionError(f"the terminal stays open: {self.seen!r}")


class InFrontOf:
    """A command in a terminal of its own, for the length of a with block."""

    def __init__(self, command, rows=24, columns=80):
        self.command, self.size = command, (rows, columns)

    def __enter__(self):
        self.pid, fd = pty.fork()
        if self.pid == 0:
            os.execvp(self.command[0], self.command)
        self.master = Master(fd)
        self.master.resize(*self.size)
        self.reaped = None
        return self

    def __exit__(self, *_):
        os.close(self.master.fd)
        if self.reaped is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, 9)
            self.status()

    def status(self):
        """Its exit status, when it has ended."""
        if self.reaped is None:
            self.reaped = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        return self.reaped

    def is_raw(self):
        """Whether what is typed goes through unchanged, as programs set it."""
        return not termios.tcgetattr(self.master.fd)[3] & (termios.ICANON | termios.ECHO)
