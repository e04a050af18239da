# SPDX-License-Identifier: LGPL-2.1-or-later
"""A bus between the program and systemd that breaks at a given word, or falls silent."""

import array
import os
import select
import socket
import threading
import time
from pathlib import Path

from . import user

SIZE = 1 << 20
DESCRIPTORS = 64
AWAY_SECONDS = 0.3

# The system bus, or the socket of the user's systemd, which the program calls first.
UPSTREAM = str(user.RUNTIME_DIRECTORY / "systemd/private") if user.ORDINARY else "/run/dbus/system_bus_socket"


def _pass_on(source, sink):
    """What there is to read, with its descriptors; the bytes."""
    data, ancillary, _, _ = source.recvmsg(SIZE, socket.CMSG_SPACE(DESCRIPTORS * 4))
    numbers = array.array("i")
    for _, _, piece in ancillary:
        numbers.frombytes(piece)
    try:
        if data and sink:
            sent = sink.sendmsg([data], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, numbers)] if numbers else [])
            sink.sendall(data[sent:])
    finally:
        for number in numbers:
            os.close(number)
    return data


class Relay:
    """Listens where the program looks for systemd, for the length of a with block, and hands on what it hears.

    options: of a call of the program that is to go through it.
    """

    def __init__(self, directory):
        directory = Path(directory) / "systemd"
        directory.mkdir()
        self.path, self.dead = directory / "private", directory / "dead"
        if user.ORDINARY:
            (directory / "units").symlink_to(user.RUNTIME_DIRECTORY / "systemd/units")
        environment = {name: value for name, value in os.environ.items() if name != "DBUS_SESSION_BUS_ADDRESS"}
        environment["XDG_RUNTIME_DIR" if user.ORDINARY else "DBUS_SYSTEM_BUS_ADDRESS"] = \
            str(directory.parent) if user.ORDINARY else f"unix:path={self.path}"
        # Root has another way, which leads nowhere in a mount namespace of the program's own.
        script = f'mount --bind {self.dead} /run/systemd/private && exec "$@"'
        prefix = [] if user.ORDINARY else ["unshare", "--mount", "sh", "-c", script, "sh"]
        self.options = {"env": environment, "prefix": prefix}
        self.word, self.hangs, self.silent, self.work = None, False, False, 0
        self.action = None
        self.seen = 0                # how often the word was
        self._end = threading.Event()
        self._listener = None

    def break_at(self, word):
        """The next message with that word is lost, and nobody listens for a moment."""
        self.word, self.hangs = word.encode(), False

    def hang_at(self, word):
        """From that word on nothing is passed on, or answered."""
        self.word, self.hangs = word.encode(), True

    def work_at(self, word, seconds):
        """From that word on something else is done first, which takes all of a CPU."""
        self.word, self.work = word.encode(), seconds

    def act_at(self, word, action):
        """The message with that word is handed on when the action, a function, is done."""
        self.word, self.action = word.encode(), action

    def __enter__(self):
        with socket.socket(socket.AF_UNIX) as dead:
            dead.bind(str(self.dead))
        self._listen()
        threading.Thread(target=self._serve, daemon=True).start()
        return self

    def __exit__(self, *_):
        self._end.set()

    def _listen(self):
        self.path.unlink(missing_ok=True)
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(self.path))
        self._listener.listen()

    def _serve(self):
        while not self._end.is_set():
            if not select.select([self._listener], [], [], 0.05)[0]:
                continue
            client = self._listener.accept()[0]
            broken = threading.Event()
            threading.Thread(target=self._serve_one, args=[client, broken], daemon=True).start()
            while not self._end.is_set() and not broken.is_set() and not select.select([self._listener], [], [], 0.01)[0]:
                pass
            if broken.is_set():
                self._listener.close()
                client.close()
                self._end.wait(AWAY_SECONDS)
                self._listen()

    def _serve_one(self, client, broken):
        with socket.socket(socket.AF_UNIX) as server:
            server.connect(UPSTREAM)
            while not self._end.is_set():
                for ready in select.select([client, server], [], [], 0.05)[0]:
                    try:
                        if ready is server:
                            data = _pass_on(server, None if self.silent else client)
                        else:
                            data = self._hear(client, server, broken)
                    except OSError:
                        data = b""
                    if not data:
                        client.close()
                        return

    def _hear(self, client, server, broken):
        peeked = client.recv(SIZE, socket.MSG_PEEK)
        if self.word and self.word in peeked:
            self.seen += 1
            self.word, self.silent = None, self.hangs
            end = time.monotonic() + self.work
            while time.monotonic() < end:
                pass
            if self.action:
                self.action()
            if not self.hangs and not self.work and not self.action:
                broken.set()
                return b""
        return _pass_on(client, None if self.silent else server)
