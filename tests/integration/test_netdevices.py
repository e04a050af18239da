# SPDX-License-Identifier: LGPL-2.1-or-later
"""linux.netDevices: interfaces of the host that become the container's, and what comes back."""

import contextlib
import itertools
import json
import subprocess
import sys
from pathlib import Path

import pytest

from harness.config import MAPPED_ROOT, Config
from harness.needs import needs_network_devices
from harness.wait import until

pytestmark = needs_network_devices

_numbers = itertools.count()
KEPT = ["192.0.2.1/24", "192.0.2.2/24", "2001:db8::1/64"]


def ip(*args, check=True):
    return subprocess.run(["ip", *args], check=check, capture_output=True, text=True).stdout


def link(name):
    """What the host has of that name, or None."""
    text = ip("-json", "address", "show", "dev", name, check=False)
    return next(iter(json.loads(text or "[]")), None)  # one that goes may be an empty list


@pytest.fixture
def pair():
    """Two ends of a wire: the first is to be moved, the second stays."""
    number = next(_numbers)
    moved, stays = f"mo{number}", f"st{number}"
    ip("link", "add", moved, "mtu", "1400", "type", "veth", "peer", "name", stays)
    for address in KEPT:
        ip("address", "add", address, "dev", moved, *(["nodad"] if ":" in address else []))
    ip("address", "add", "192.0.2.9/32", "dev", moved, "scope", "link")
    ip("address", "add", "198.51.100.7/24", "dev", moved, "valid_lft", "5000", "preferred_lft", "500")
    ip("link", "set", moved, "up")
    yield moved, stays
    # With the namespace both ends go, a little later.
    ip("link", "del", stays, check=False)
    until(lambda: link(moved) is None and link(stays) is None, "the wire is gone")


def devices(**names):
    config = Config().sleeping()
    return config.set("linux.netDevices", {host: {"name": new} if new else {}
                                           for host, new in names.items()})


def show(one, name):
    """`ip address` of an interface in the container; the words of it."""
    return one.output_of("busybox", "ip", "address", "show", "dev", name).split()


def kept(words):
    return [word for word in words if "/" in word and word[0].isdigit()]


def is_back(before):
    """The host has it as it was: name, MTU, state, and all addresses but those that go by."""
    def state(of):
        return of and (of["ifname"], of["mtu"], "UP" in of["flags"], sorted(
            (a["local"], a["prefixlen"], a["scope"]) for a in of["addr_info"]
            if not a.get("dynamic") and not a["local"].startswith("fe80")))
    return state(link(before["ifname"])) == state(before)


@pytest.mark.proves("linux.netDevices")
def test_an_interface_is_moved(container, pair):
    """linux.netDevices: gone from the host; in the container under its name, with its addresses
    that are permanent and global, its MTU and its hardware address, and up."""
    before = link(pair[0])
    one = container(devices(**{pair[0]: None})).run_detached()
    assert link(pair[0]) is None
    words = show(one, pair[0])
    assert kept(words) == KEPT
    assert "UP" in words[2] and words[words.index("mtu") + 1] == "1400"
    assert before["address"] in words


def test_an_interface_is_renamed(container, pair):
    """linux.netDevices.*.name: what it is called in the container, even one that the host has."""
    one = container(devices(**{pair[0]: pair[1]})).run_detached()
    assert link(pair[0]) is None and link(pair[1]) is not None
    words = show(one, pair[1])
    assert kept(words) == KEPT


def test_a_template_as_a_name(container, pair):
    """linux.netDevices.*.name: with a %d the kernel finds a number that is free."""
    one = container(devices(**{pair[0]: "net%d", pair[1]: "net%d"})).run_detached()
    assert {"net0", "net1"} <= set(one.output_of("ls", "/sys/class/net").split())


def test_the_moved_interface_carries_traffic(container, pair):
    """linux.netDevices: what is sent at one end arrives at the other."""
    one = container(devices(**{pair[0]: "eth0"})).run_detached()
    ip("address", "add", "192.0.2.3/24", "dev", pair[1])
    ip("link", "set", pair[1], "up")
    assert "1 packets received" in one.output_of("busybox", "ping", "-c", "1", "-W", "5", "192.0.2.3")


def test_devices_in_a_user_namespace(container, pair):
    """linux.netDevices: into a network namespace that belongs to a user namespace, too."""
    one = container(devices(**{pair[0]: "eth0"}).mapped_users())
    one.bundle.give_to(MAPPED_ROOT)
    one.run_detached()
    assert KEPT[0] in show(one, "eth0")


def test_devices_in_a_joined_namespace(container, pair):
    """linux.netDevices: into the network namespace of a pod, where one more joins later."""
    first = container().run_detached()
    config = devices(**{pair[0]: "eth0"}).namespace("network", f"/proc/{first.pid}/ns/net")
    second = container(config).run_detached()
    assert KEPT[0] in show(second, "eth0") and KEPT[0] in show(first, "eth0")
    second.delete("--force")
    assert KEPT[0] in show(first, "eth0")


def test_the_kernel_takes_virtual_devices_away(container, pair):
    """linux.netDevices: "the runtime MUST NOT attempt to move the interface out"."""
    one = container(devices(**{pair[0]: None})).run_detached()
    one.delete("--force")
    until(lambda: link(pair[1]) is None, "the other end is gone")
    assert link(pair[0]) is None


@pytest.mark.parametrize("name", ["lo", "taken"])
def test_a_name_that_is_taken(runtime, container, pair, name):
    """linux.netDevices.*.name: "if a network device with the specified name already exists in the
    container namespace, the runtime MUST generate an error"; the others are given back."""
    before = [link(end) for end in pair]
    one = container(devices(**{pair[0]: "taken", pair[1]: name}))
    message = runtime.fails("create", "--bundle", one.bundle.path, one.id)
    assert f"linux.netDevices.{pair[1]}: " in message and f"{name} already" in message
    assert all(is_back(end) for end in before)


def test_a_failure_after_the_move(runtime, container, pair):
    """linux.netDevices: of a container that cannot be, the host has them back."""
    before = link(pair[0])
    config = devices(**{pair[0]: "eth0"}).args("/no/such/program")
    for verb in ["create", "run"]:
        one = container(config)
        assert "no such file" in runtime.fails(verb, "--bundle", one.bundle.path, one.id)
        assert is_back(before)


def test_devices_that_cannot_be_moved(runtime, container):
    """linux.netDevices: the loopback stays, and what there is not cannot be moved."""
    for name, message in [("lo", "cannot be moved"), ("nosuch0", "no such network interface")]:
        one = container(devices(**{name: "eth0"}))
        error = runtime.fails("create", "--bundle", one.bundle.path, one.id)
        assert f"linux.netDevices.{name}: " in error and message in error


def test_devices_without_a_namespace(runtime, container, pair):
    """linux.netDevices: there has to be a network namespace, and another one than the host's."""
    for config in [devices(**{pair[0]: None}).without_namespace("network"),
                   devices(**{pair[0]: None}).namespace("network", "/proc/self/ns/net")]:
        one = container(config)
        assert "linux.netDevices: " in runtime.fails("create", "--bundle", one.bundle.path, one.id)
        assert link(pair[0]) is not None


# --- somebody else in the namespace

ATTACKER = Path(__file__).parent / "hostile/netlink.py"
# Time enough before each request for whoever would be faster.
SLOWED = ["strace", "-qq", "-o", "/dev/null", "-e", "trace=sendto", "-e", "inject=sendto:delay_enter=300000"]


def inside(pod, *words):
    return ["nsenter", f"--net=/proc/{pod.pid}/ns/net", *map(str, words)]


def links(pod):
    """{name: what there is of it} in the namespace."""
    text = subprocess.run(inside(pod, "ip", "-json", "link"), check=True, capture_output=True, text=True).stdout
    return {row["ifname"]: row for row in json.loads(text)}


@contextlib.contextmanager
def attack(pod, *words):
    command = inside(pod, sys.executable, ATTACKER, *words)
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as attacker:
        assert attacker.stdout.readline() == b"goes\n"
        yield
        attacker.stdin.close()
        assert attacker.wait() == 0


def names_here():
    return {row["ifname"] for row in json.loads(ip("-json", "link"))}


@pytest.fixture
def pod(container):
    """With a device of its own, which nobody else is to have."""
    one = container().run_detached()
    subprocess.run(inside(one, "ip", "link", "add", "evil", "type", "veth", "peer", "name", "other"), check=True)
    return one


def into(pod, name):
    return devices(**{name: "eth7"}).namespace("network", f"/proc/{pod.pid}/ns/net")


@pytest.mark.parametrize("kind", ["link", "error"])
def test_forged_answers(container, pod, pair, kind):
    """Only the kernel is believed: what comes is what was to come, and nothing goes to the host."""
    before, evil = link(pair[0]), links(pod)["evil"]
    with attack(pod, kind, *([evil["ifindex"]] if kind == "link" else [])):
        container(into(pod, pair[0])).run_detached(prefix=SLOWED)
    assert links(pod)["eth7"]["address"] == before["address"] and links(pod)["evil"]["address"] == evil["address"]
    assert link(pair[0]) is None


def test_a_device_that_is_renamed_on_the_way(container, pod, pair):
    """It is known by its number."""
    before, evil = link(pair[0]), links(pod)["evil"]
    with attack(pod, "rename", "evil"):
        container(into(pod, pair[0])).run_detached(prefix=SLOWED)
    assert links(pod)["eth7"]["address"] == before["address"] != evil["address"]


def test_a_device_that_is_replaced_does_not_come_back(runtime, container, pod, pair):
    """What the host gets back is what it gave, or nothing."""
    other, names = container().run_detached(), names_here()
    subprocess.run(inside(pod, "ip", "link", "del", "evil"), check=True)
    one = container(into(pod, pair[0]).args("/no/such/program"))
    with attack(pod, "replace", other.pid):
        assert "no such file" in runtime.fails("create", "--bundle", one.bundle.path, one.id, prefix=SLOWED)
    assert names_here() == names - {pair[0]} and {"lo", "second"} <= set(links(pod))


def test_a_number_that_is_taken(container, pod, pair):
    """It gets another one there."""
    number = link(pair[0])["ifindex"]
    subprocess.run(inside(pod, "ip", "link", "add", "name", "first", "index", number, "type", "veth", "peer", "name",
                          "last"), check=True)
    container(into(pod, pair[0])).run_detached()
    assert links(pod)["first"]["ifindex"] == number != links(pod)["eth7"]["ifindex"]


def test_a_device_comes_back_from_a_namespace_that_others_are_in(runtime, container, pod, pair):
    before = link(pair[0])
    one = container(into(pod, pair[0]).args("/no/such/program"))
    assert "no such file" in runtime.fails("create", "--bundle", one.bundle.path, one.id)
    assert is_back(before) and link(pair[0])["ifindex"] == before["ifindex"]
