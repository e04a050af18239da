# SPDX-License-Identifier: LGPL-2.1-or-later
"""Devices: /dev as every container has it, listed ones, and who may open them."""

import json
import os
import stat
import subprocess

import pytest

from harness import go, systemd
from harness.config import MAPPED_ROOT, Config
from harness.needs import needs_devices_bpf, needs_nodes, needs_ocirt_sd

NODES = {"null": "1:3", "zero": "1:5", "full": "1:7", "random": "1:8", "urandom": "1:9",
         "tty": "5:0"}
LINKS = {"fd": "/proc/self/fd", "stdin": "/proc/self/fd/0", "stdout": "/proc/self/fd/1",
         "stderr": "/proc/self/fd/2"}
FUSE = {"type": "c", "major": 10, "minor": 229}


def test_the_default_devices(seen):
    names = " ".join(f"/dev/{name}" for name in NODES)
    found = seen(f"stat -c '%n %F %t:%T %a' {names}").splitlines()
    assert found == [f"/dev/{name} character special file {numbers} 666"
                     for name, numbers in NODES.items()]


def test_the_default_links(seen):
    script = "; ".join(f"readlink /dev/{name}" for name in [*LINKS, "ptmx"])
    *links, ptmx = seen(script).splitlines()
    assert links == list(LINKS.values())
    assert ptmx in ("pts/ptmx", "/dev/pts/ptmx")


def test_the_default_devices_work(seen):
    script = "echo x > /dev/null; head -c 4 /dev/zero | wc -c; head -c 4 /dev/urandom | wc -c; " \
             "(echo x > /dev/full) 2>/dev/null || echo full; echo out >> /dev/stdout"
    assert seen(script).split() == ["4", "4", "full", "out"]


def test_nothing_else_is_in_dev(seen):
    expected = {*NODES, *LINKS, "core", "ptmx", "pts", "shm", "mqueue"}
    assert set(seen("ls /dev").split()) - {"core"} == expected - {"core"}


@pytest.mark.proves("linux.devices")
@needs_nodes
def test_a_listed_device(seen):
    device = FUSE | {"path": "/dev/sub/fuse", "fileMode": 0o640, "uid": 7, "gid": 8}
    config = Config().script("stat -c '%F %t:%T %a %u %g' /dev/sub/fuse")
    config.set("linux.devices", [device])
    assert seen(config) == "character special file a:e5 640 7 8"


def test_a_listed_fifo(seen):
    config = Config().script("stat -c '%F %a' /dev/pipe").set(
        "linux.devices", [{"type": "p", "path": "/dev/pipe", "fileMode": 0o622}])
    assert seen(config) == "fifo 622"


@pytest.mark.proves("linux.devices")
@needs_nodes
def test_a_device_of_each_type(seen):
    """linux.devices[].type: c, b, u (as c) and p; outside of /dev, too, and with the mode 0666 and
    root as the owner when nothing is said."""
    config = Config().script("stat -c '%F %t:%T %a %u:%g' /c /mnt/b /u /p").set("linux.devices", [
        {"type": "c", "path": "/c", "major": 10, "minor": 229},
        {"type": "b", "path": "/mnt/b", "major": 7, "minor": 3, "fileMode": 0o100600 | 0o060000},
        {"type": "u", "path": "/u", "major": 1, "minor": 5}, {"type": "p", "path": "/p", "gid": 4}])
    assert seen(config).splitlines() == [
        "character special file a:e5 666 0:0", "block special file 7:3 600 0:0",
        "character special file 1:5 666 0:0", "fifo 0:0 666 0:4"]


@needs_nodes
def test_a_node_that_is_there(container):
    """linux.devices[].fileMode, uid, gid: kept when it is the device, and given what is asked."""
    one = container(Config().script("stat -c '%t:%T %a %u:%g' /one /two").set("linux.devices", [
        {"type": "c", "path": "/one", "major": 10, "minor": 229, "fileMode": 0o640, "uid": 7, "gid": 8},
        {"type": "c", "path": "/two", "major": 10, "minor": 229}]))
    for name in ["one", "two"]:
        os.mknod(one.bundle.inside(name), 0o604 | stat.S_IFCHR, os.makedev(10, 229))
        os.chown(one.bundle.inside(name), 1, 2)
    before = os.stat(one.bundle.inside("one")).st_ino
    found = one.runtime("run", "--bundle", one.bundle.path, one.id).splitlines()
    assert found == ["a:e5 640 7:8", "a:e5 604 1:2"]
    assert os.stat(one.bundle.inside("one")).st_ino == before


@pytest.mark.parametrize("make", [
    lambda path: path.write_text(""), lambda path: path.symlink_to("/dev/null"), lambda path: path.mkdir(),
    pytest.param(lambda path: os.mknod(path, 0o666 | stat.S_IFCHR, os.makedev(1, 3)), marks=needs_nodes),
    pytest.param(lambda path: os.mknod(path, 0o666 | stat.S_IFBLK, os.makedev(10, 229)), marks=needs_nodes)])
def test_something_else_that_is_there(runtime, container, make):
    """linux.devices[].path: "if a file already exists at path that does not match the requested
    device, the runtime MUST generate an error"."""
    one = container(Config("true").set("linux.devices", [FUSE | {"path": "/x"}]))
    make(one.bundle.inside("x"))
    message = runtime.fails("run", "--bundle", one.bundle.path, one.id)
    assert "linux.devices[0]: " in message and "/x" in message


def test_devices_in_a_user_namespace(container):
    """No mknod there: the host's nodes, bound."""
    config = Config().script("stat -c %t:%T /dev/null /dev/zero; echo x > /dev/null && echo ok")
    one = container(config.mapped_users())
    one.bundle.give_to(MAPPED_ROOT)
    assert one.runtime("run", "--bundle", one.bundle.path, one.id).split() == ["1:3", "1:5", "ok"]


@pytest.mark.proves("linux.devices")
@needs_nodes
def test_a_listed_device_in_a_user_namespace(container):
    """"The runtime MUST" make it, whether or not the host has one of that path: with its mode and its owner, of the
    container's ids. Nothing of it is on the host."""
    paths = {"/dev/none/zero": {"fileMode": 0o640, "uid": 7, "gid": 8}, "/elsewhere/null": {}, "/dev/null": {}}
    config = Config().script(f"stat -c '%F %t:%T %a %u:%g' {' '.join(paths)}; head -c 4 /dev/none/zero | wc -c; "
                             "echo x > /elsewhere/null && echo written; ls / /dev; ls -R /dev/none; cat /proc/self/mountinfo")
    config.set("linux.devices", [{"path": path, "type": "c", "major": 1, "minor": 5 if "zero" in path else 3} | more
                                 for path, more in paths.items()])
    one = container(config.mapped_users())
    one.bundle.give_to(MAPPED_ROOT)
    before = set(os.listdir("/dev"))
    zero, other, null, *rest = one.runtime("run", "--bundle", one.bundle.path, one.id).splitlines()
    assert zero == "character special file 1:5 640 7:8"
    assert other == null == "character special file 1:3 666 0:0"
    assert rest[:2] == ["4", "written"]
    points = [line.split()[4] for line in rest if " - " in line]
    assert points.count("/") == 1 and points.count("/dev/none/zero") == 1
    assert set(os.listdir("/dev")) == before and not os.path.exists("/elsewhere")
    assert (one.bundle.rootfs / "elsewhere/null").is_file()  # but the place that it is bound on


@needs_nodes
def test_who_may_open_a_listed_device_in_a_user_namespace(container):
    """Its mode and owner are in force."""
    device = {"path": "/dev/mine", "type": "c", "major": 1, "minor": 5, "fileMode": 0o600, "uid": 7, "gid": 7}
    for user, status in [(7, 0), (8, 1)]:
        one = container(Config("head", "-c", "1", "/dev/mine").user(user, user).set("linux.devices", [device]).mapped_users())
        one.bundle.give_to(MAPPED_ROOT)
        assert one.runtime.call("run", "--bundle", one.bundle.path, one.id).status == status


@needs_nodes
def test_something_else_is_there_in_a_user_namespace(runtime, container):
    one = container(Config("true").set("linux.devices", [FUSE | {"path": "/x"}]).mapped_users())
    one.bundle.inside("x").symlink_to("/dev/null")
    one.bundle.give_to(MAPPED_ROOT)
    message = runtime.fails("run", "--bundle", one.bundle.path, one.id)
    assert "linux.devices[0]: " in message and "/x" in message


def test_the_hosts_devices_are_untouched(seen):
    before = {name: os.stat(f"/dev/{name}") for name in NODES}
    seen(Config("true").user(1000, 1000))
    for name, status in before.items():
        now = os.stat(f"/dev/{name}")
        assert (now.st_uid, now.st_mode, now.st_rdev) == (status.st_uid, status.st_mode,
                                                          status.st_rdev)
        assert stat.S_ISCHR(now.st_mode)


# --- the filter

TRY = "mknod /tmp/d c 10 229 && head -c 0 /tmp/d && echo opened || echo denied"


def rules(*allowed):
    return [{"allow": False, "access": "rwm"}, *({"allow": True} | rule for rule in allowed)]


@needs_devices_bpf
def test_a_device_that_is_not_allowed_cannot_be_opened(run):
    assert run(Config().script(TRY)).stdout == "denied\n"


@needs_devices_bpf
def test_a_device_that_is_allowed_can_be_opened(run):
    config = Config().script(TRY).set("linux.resources.devices",
                                      rules(FUSE | {"access": "rwm"}))
    assert run(config).stdout == "opened\n"


@pytest.mark.proves("linux.resources.devices")
@needs_devices_bpf
def test_devices_that_may_be_read_only(run):
    script = "mknod /tmp/d c 10 229; (exec 3</tmp/d) && echo read; (exec 3>/tmp/d) || echo denied"
    config = Config().script(script)
    config.set("linux.resources.devices", rules(FUSE | {"access": "rm"}))
    assert run(config).stdout.split() == ["read", "denied"]


@needs_devices_bpf
def test_everything_allowed(run):
    """As privileged containers have it."""
    config = Config().script(TRY)
    config.set("linux.resources.devices", [{"allow": True, "access": "rwm"}])
    assert run(config).stdout == "opened\n"


# More of these, and in greater numbers, are in test_reloads.py.
@needs_devices_bpf
@pytest.mark.parametrize("words", [["daemon-reload"], ["daemon-reexec"]])
def test_the_filter_stays(container, words):
    one = container(Config().script("mknod /tmp/d c 10 229; sleep 1000")).run_detached()
    systemd.systemctl(*words)
    assert one.exec("head", "-c", "0", "/tmp/d").status != 0
    assert one.exec("head", "-c", "1", "/dev/zero").status == 0


# --- lists that systemd cannot express: a filter of ours besides

ALL = {"allow": True, "access": "rwm"}
# The last two are not what every container may use, and there is no driver for the last.
NAMED = {"null": "1 3", "zero": "1 5", "full": "1 7", "fuse": "10 229", "local": "240 1"}
MAKE = "; ".join(f"mknod /tmp/{name} c {numbers}" for name, numbers in NAMED.items())
NOT_DENIED = "case $( (exec %s) 2>&1 ) in *permitted*) ;; *) echo %s;; esac; "
OPEN = "".join(NOT_DENIED % (f"3</tmp/{name}", name) for name in NAMED) + NOT_DENIED % ("3>/tmp/fuse", "write")
ALWAYS = ["null", "zero", "full"]


def deny(access="rwm", **which):
    return {"allow": False, "access": access} | which


LISTS = [  # the list, what can be opened then, and whether it takes a filter of ours
    # everything but one; but those of a major number, and one of these after all
    ([ALL, deny(type="c", major=240, minor=1)], [*ALWAYS, "fuse", "write"], True),
    ([ALL, deny("rw", type="c", major=10), {"allow": True, "access": "r", "type": "c", "major": 10,
                                            "minor": 229}], [*ALWAYS, "fuse", "local"], True),
    # one minor number of all; what every container may use cannot be denied
    ([deny(), {"allow": True, "type": "c", "minor": 229, "access": "rw"}], [*ALWAYS, "fuse", "write"], True),
    ([ALL, deny("w", type="c", minor=229), deny(type="c", major=1)], [*ALWAYS, "fuse", "local"], True),
    # part of a major number
    ([deny(), {"allow": True, "type": "c", "major": 10, "access": "rw"}, deny("w", type="c", major=10, minor=229)],
     [*ALWAYS, "fuse"], True),
    # systemd alone
    ([deny(), FUSE | {"allow": True, "access": "r"}], [*ALWAYS, "fuse"], False),
    ([ALL], [*ALWAYS, "fuse", "local", "write"], False),
]


def filters(one):
    """Names of the programs that are asked about devices of the container's cgroup."""
    shown = subprocess.run(["bpftool", "--json", "cgroup", "show", f"/sys/fs/cgroup{one.cgroup}"], check=True,
                           stdout=subprocess.PIPE, text=True).stdout
    return sorted(row["name"] for row in json.loads(shown.strip() or "[]") if row["attach_type"].endswith("device"))


@pytest.mark.proves("linux.resources.devices")
@needs_devices_bpf
@needs_ocirt_sd
def test_lists_in_their_order(container):
    """One after the other, when the container is made and by update: what can be opened is what the list says."""
    one = container(Config().script(f"{MAKE}; echo up; sleep 1000").set("linux.resources.devices", LISTS[0][0]))
    one.run_detached().wait_for_output("up")
    for number, (rules_now, opened, ours) in enumerate([*LISTS, LISTS[0]]):
        if number > 0:
            one.runtime("update", "-r", "-", one.id, input=go.marshal({"devices": rules_now}).encode())
        assert one.output_of("sh", "-c", OPEN).split() == opened, rules_now
        assert filters(one).count("ocirt_devices") == int(ours), rules_now


@needs_devices_bpf
@needs_ocirt_sd
def test_a_list_that_the_kernel_has_to_accept(container):
    """As long as a list may be, and of rules that a set cannot say."""
    long = [{"allow": number % 2 == 0, "type": "c", "major": number % 50 + 200, "minor": number, "access": "rw"}
            for number in range(997)]
    config = Config().script(f"{MAKE}; {OPEN}")
    config.set("linux.resources.devices", [ALL, *long, deny(type="c", major=240, minor=1)])
    one = container(config)
    assert one.runtime("run", "--bundle", one.bundle.path, one.id).split() == [*ALWAYS, "fuse", "write"]


@needs_devices_bpf
@needs_ocirt_sd
def test_an_update_that_fails_changes_no_filter(container):
    """Whichever call fails: the list is the old one, for systemd and for us."""
    one = container(Config().script(f"{MAKE}; echo up; sleep 1000").set("linux.resources.devices", LISTS[0][0]))
    one.run_detached().wait_for_output("up")
    before = one.properties("DeviceAllow", "DevicePolicy")
    failed = 0
    for rules_new in [LISTS[2][0], LISTS[5][0]]:
        for number in range(1, 9):
            tracer = ["strace", "-qq", "-o", "/dev/null", "-e", f"inject=bpf:error=EPERM:when={number}"]
            result = one.runtime.call("update", "-r", "-", one.id, prefix=tracer,
                                      input=go.marshal({"devices": rules_new}).encode())
            if result.status == 0:
                one.runtime("update", "-r", "-", one.id, input=go.marshal({"devices": LISTS[0][0]}).encode())
            failed += result.status != 0
            assert "linux.resources.devices" in result.stderr or result.status == 0
            assert one.properties("DeviceAllow", "DevicePolicy") == before, (rules_new, number)
            assert one.output_of("sh", "-c", OPEN).split() == LISTS[0][1], (rules_new, number)
    assert failed > 2  # as many as there are calls that put a filter in place, which depends on the kernel
