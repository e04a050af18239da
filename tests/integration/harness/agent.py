# SPDX-License-Identifier: LGPL-2.1-or-later
"""A seccomp agent: it is sent a listener, and answers for the kernel (seccomp_unotify(2))."""

import fcntl
import json
import os
import struct

from .terminal import ConsoleSocket

NOTIFICATION, RESPONSE = struct.Struct("QIIiIQ6Q"), struct.Struct("QqiI")
RECEIVE, SEND = 0xC0502100, 0xC0182101


class Agent(ConsoleSocket):
    """Listens where linux.seccomp.listenerPath points."""

    def accept(self):
        """What was sent: the container process state, and the listener."""
        content, fds, rest = self.receive()
        assert len(fds) == 1 and rest == b""
        return json.loads(content), Listener(fds[0])


class Listener:
    """The calls that a filter leaves to us."""

    def __init__(self, fd):
        self.fd = fd

    def __enter__(self):
        return self

    def __exit__(self, *_):
        os.close(self.fd)

    def refuse(self, errno):
        """Wait for a call, and fail it. Returns who made it."""
        request = bytearray(NOTIFICATION.size)
        fcntl.ioctl(self.fd, RECEIVE, request)
        number, pid, *_ = NOTIFICATION.unpack(request)
        fcntl.ioctl(self.fd, SEND, bytearray(RESPONSE.pack(number, 0, -errno, 0)))
        return pid
