# SPDX-License-Identifier: LGPL-2.1-or-later
"""The little that is asked of systemd after every test, without a process for it.

libsystemd by way of ctypes, over the manager's private socket: so it works while
the bus is restarted, and costs a fraction of what systemctl does.
"""

import ctypes
import ctypes.util

from . import user

MANAGER = (b"org.freedesktop.systemd1", b"/org/freedesktop/systemd1",
           b"org.freedesktop.systemd1.Manager")
DIRECTORY = user.RUNTIME_DIRECTORY if user.ORDINARY else "/run"
ADDRESS = f"unix:path={DIRECTORY}/systemd/private".encode()
UNIT_ROW = b"(ssssssouso)"

_lib = ctypes.CDLL("libsystemd.so.0")
_pointer = ctypes.c_void_p
for _function in [_lib.sd_bus_flush_close_unref, _lib.sd_bus_message_unref]:
    _function.restype = _pointer


def _check(status, what):
    if status < 0:
        raise OSError(-status, f"{what}: error {-status}")
    return status


class _Connection:
    """Kept from call to call; it ends when the manager executes itself anew."""

    def __init__(self):
        self.bus = None

    def open(self):
        self.bus = _pointer()
        _check(_lib.sd_bus_new(ctypes.byref(self.bus)), "sd_bus_new")
        _check(_lib.sd_bus_set_address(self.bus, ADDRESS), "sd_bus_set_address")
        _check(_lib.sd_bus_start(self.bus), "sd_bus_start")

    def close(self):
        if self.bus:
            _lib.sd_bus_flush_close_unref(self.bus)
        self.bus = None

    def call(self, member, signature, *arguments):
        """The reply; once more over a new connection when this one is broken."""
        if self.bus:
            try:
                return self._call(member, signature, *arguments)
            except OSError:
                self.close()
        self.open()
        return self._call(member, signature, *arguments)

    def _call(self, member, signature, *arguments):
        reply = _pointer()
        _check(_lib.sd_bus_call_method(self.bus, *MANAGER, member, None,
                                       ctypes.byref(reply), signature, *arguments),
               member.decode())
        return reply


_connection = _Connection()


def _rows(reply):
    _check(_lib.sd_bus_message_enter_container(reply, ctypes.c_char(b"a"), UNIT_ROW), "reply")
    while True:
        strings = [ctypes.c_char_p() for _ in range(9)]
        job = ctypes.c_uint32()
        places = [*strings[:7], job, *strings[7:]]
        got = _lib.sd_bus_message_read(reply, UNIT_ROW, *map(ctypes.byref, places))
        if _check(got, "reply") == 0:
            return
        yield strings[0].value.decode(), strings[3].value.decode()


def units(*patterns):
    """{name: active state} of all units that systemd has in memory and that match."""
    names = [pattern.encode() for pattern in patterns]
    reply = _connection.call(b"ListUnitsByPatterns", b"asas", 0, len(names), *names)
    try:
        return dict(_rows(reply))
    finally:
        _lib.sd_bus_message_unref(reply)
