# SPDX-License-Identifier: LGPL-2.1-or-later
"""An ordinary user with a systemd of his own: what is different for him.

That all else is the same for him the other tests say, which run as him, too.
"""

import os
import subprocess
from pathlib import Path

import pytest

from harness import process, systemd, user
from harness.config import MAPPED_ROOT, Config
from harness.needs import (has_controller, needs_delegation, needs_ocirt_sd,
                           needs_ordinary_user)
from harness.runtime import BINARY, Container, Runtime, new_id
from harness.wait import DEADLINE, until

pytestmark = [needs_ocirt_sd, needs_ordinary_user, pytest.mark.user]

MANAGER = f"/user.slice/user-{user.UID}.slice/user@{user.UID}.service"
OWN = [{"containerID": 0, "hostID": user.UID, "size": 1}]
WRITABLE_CGROUP = ["/sys/fs/cgroup", "cgroup", "cgroup", "nosuid", "noexec", "nodev"]


def mapped(config, uids, gids=None):
    return config.set("linux.uidMappings", uids).set("linux.gidMappings", gids or uids)


def without(*names, **more):
    """The environment without some of it, and with something else."""
    return {key: value for key, value in os.environ.items() if key not in names} | more


class Covered:
    """A prefix: a command sees empty directories instead of these."""

    def __init__(self, *paths):
        mounts = " && ".join(f"mount -t tmpfs covered {path}" for path in paths)
        self.prefix = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c",
                       f'{mounts} && exec "$@"', "sh"]


# --- the life of a container

def test_the_life_of_a_container(container):
    """With the ids of the user alone, from a cgroup that is not below the user's systemd."""
    script = "cat /proc/self/uid_map /proc/self/setgroups; stat -c %t:%T /dev/null; sleep 1000"
    one = container(mapped(Config().script(script), OWN)).create()
    assert one.cgroup == f"{MANAGER}/user.slice/ocirt-sd-{one.id}.scope"
    assert not process.cgroup("self").startswith(MANAGER)
    assert one.status == "created"
    one.start().wait_for_output("1:3\n")
    assert one.output.split() == ["0", str(user.UID), "1", "deny", "1:3"]
    assert str(one.pid) in systemd.systemctl("status", one.unit)
    assert one.output_of("sh", "-c", "id -u; cat /proc/self/cgroup").endswith("\n0::/\n")
    assert [line for line in Path(f"/proc/{one.pid}/status").read_text().splitlines()
            if line.startswith("Uid")] == ["Uid:" + 4 * f"\t{user.UID}"]
    one.runtime("pause", one.id)
    assert one.status == "paused" and one.properties("FreezerState") == {"FreezerState": "frozen"}
    one.runtime("resume", one.id)
    systemd.systemctl("freeze", one.unit)
    assert one.status == "paused"
    systemd.systemctl("thaw", one.unit)
    one.kill("KILL")
    one.wait_until("stopped")
    one.delete()
    assert not systemd.is_loaded(f"ocirt-sd-{one.id}.scope")


def test_exec_is_in_the_containers_cgroup(container):
    """The user may not bring a process there from a cgroup elsewhere, so that systemd does."""
    one = container().run_detached()
    words = [*one.runtime.command("exec", "--detach"), one.id, "sleep", "1001"]
    subprocess.run(words, check=True, stdin=subprocess.DEVNULL, timeout=DEADLINE)
    assert len(process.members(one.cgroup)) == len(process.members(one.cgroup)) >= 3
    one.output_of("sh", "-c", "mkdir -p /sys/fs/cgroup/x || true")
    from_within = ["systemd-run", "--user", "--quiet", "--wait", "--pipe", "--collect"]
    done = subprocess.run([*from_within, *one.runtime.command("exec", one.id, "cat",
                                                              "/proc/self/cgroup")],
                          check=True, capture_output=True, text=True, timeout=DEADLINE)
    assert done.stdout.endswith("0::/\n")


def test_exec_has_to_wait_for_start(container):
    """What waits cannot be looked into by its own user; root can."""
    one = container().create()
    assert "started" in one.runtime.fails("exec", one.id, "true")
    one.start()
    one.output_of("true")


def test_the_default_root_directory(container):
    """Also where XDG_RUNTIME_DIR was lost on the way."""
    one = container()
    one.runtime = Runtime(user.RUNTIME_DIRECTORY / "ocirt-sd")
    one.runtime.globals = [BINARY]
    one.create()
    assert (user.RUNTIME_DIRECTORY / "ocirt-sd" / one.id / "record").exists()
    one.runtime("start", one.id, env={"PATH": os.environ["PATH"]})
    one.runtime("exec", one.id, "true", env={"PATH": os.environ["PATH"]})
    one.runtime("kill", one.id, "KILL", env={"PATH": os.environ["PATH"], "XDG_RUNTIME_DIR": ""})
    one.wait_until("stopped")
    one.runtime("delete", one.id, env={"PATH": os.environ["PATH"]})
    assert one.id not in os.listdir(user.RUNTIME_DIRECTORY / "ocirt-sd")


def test_without_a_cgroup(container, bundles):
    """Where there is no systemd for the user."""
    one = container(mapped(Config().sleeping(), OWN))
    environment = without("DBUS_SESSION_BUS_ADDRESS", XDG_RUNTIME_DIR=str(bundles.scratch("run")))
    one.runtime.call("state", one.id)
    words = [*one.runtime.globals, "--cgroup-manager", "disabled"]
    one.runtime = Runtime(one.runtime.root)
    one.runtime.globals = words
    one.run_detached(env=environment)
    assert one.cgroup == process.cgroup("self")
    assert one.exec("cat", "/proc/self/uid_map").stdout.split() == ["0", str(user.UID), "1"]
    assert "no cgroup" in one.runtime.fails("pause", one.id, env=environment)
    one.runtime("kill", one.id, "KILL", env=environment)
    one.wait_until("stopped")
    one.runtime("delete", one.id, env=environment)


# --- ids

def test_subordinate_ids(container):
    """newuidmap and newgidmap map them; groups can be had then."""
    one = container(Config("cat", "/proc/self/uid_map", "/proc/self/gid_map", "/proc/self/status")
                    .user(7, 8, 9))
    lines = one.runtime("run", "--bundle", one.bundle.path, one.id).splitlines()
    assert [line.split() for line in lines[:2]] == [["0", str(user.UID), "1"],
                                                    ["1", str(MAPPED_ROOT), str(user.MAPPED_SIZE)]]
    fields = {name: value.split() for name, _, value in (line.partition(":") for line in lines)}
    assert fields["Uid"] == ["7"] * 4 and fields["Gid"] == ["8"] * 4 and fields["Groups"] == ["9"]


def test_ids_that_are_not_the_users(container):
    theirs = [{"containerID": 0, "hostID": 5, "size": 10}]
    one = container(mapped(Config().sleeping(), OWN, theirs))
    message = one.runtime.fails("create", "--bundle", one.bundle.path, one.id)
    assert "linux.gidMappings" in message and "newgidmap" in message and "/etc/subgid" in message
    one.bundle.write(mapped(Config().sleeping(), theirs, OWN).text())
    message = one.runtime.fails("create", "--bundle", one.bundle.path, one.id)
    assert "linux.uidMappings" in message and "newuidmap" in message and "/etc/subuid" in message


def test_a_host_without_newuidmap(container):
    one = container()
    prefix = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c",
              'mount --bind /dev/null /usr/bin/newgidmap && '
              'exec unshare --user --map-user=7 --map-group=7 "$@"', "sh"]
    one.bundle.write(mapped(Config().sleeping(), [{"containerID": 0, "hostID": 7, "size": 2}]).text())
    message = one.runtime.fails("create", "--bundle", one.bundle.path, one.id, prefix=prefix)
    assert "linux.gidMappings" in message and "uidmap" in message and "installed" in message


REFUSED = [("process.user.additionalGids", [7], "additionalGids"),
           ("process.oomScoreAdj", -1000, "oomScoreAdj"),
           ("linux.netDevices", {"lo": {}}, "linux.netDevices: moving a device takes privileges")]


@pytest.mark.parametrize("path, value, word", REFUSED)
def test_what_an_ordinary_user_cannot_have(container, path, value, word):
    one = container(mapped(Config().sleeping(), OWN).set(path, value))
    assert word in one.runtime.fails("create", "--bundle", one.bundle.path, one.id)


def test_no_user_namespace(container):
    config = Config().sleeping().without_namespace("user").remove("linux.uidMappings")
    one = container(config.remove("linux.gidMappings"))
    message = one.runtime.fails("create", "--bundle", one.bundle.path, one.id)
    assert "linux.namespaces" in message and "user" in message


def test_a_pod(container):
    """The second joins all of the first, which is another user's as systemd sees it."""
    first = container(Config().sleeping().mapped_users())
    first.bundle.give_to(MAPPED_ROOT)
    first.run_detached()
    config = Config().sleeping().remove("linux.uidMappings").remove("linux.gidMappings")
    for kind, file in [("user", "user"), ("pid", "pid"), ("network", "net"), ("ipc", "ipc")]:
        config.namespace(kind, f"/proc/{first.pid}/ns/{file}")
    second = container(config).run_detached()
    assert second.cgroup.startswith(MANAGER)
    assert process.namespace(second.pid, "pid") == process.namespace(first.pid, "pid")
    assert "sh" in second.output_of("cat", "/proc/1/comm")


def test_file_systems_of_the_callers_namespaces(seen):
    """No user namespace may mount those anew: the host's mounts, bound."""
    config = Config().script("readlink /proc/self; ls -d /sys/class /dev/mqueue; cat /proc/1/comm")
    number, *rest = seen(config.without_namespace("pid", "ipc", "network")).splitlines()
    assert int(number) > 1
    assert rest == ["/dev/mqueue", "/sys/class", "systemd"]


# --- as Podman does it: in a user namespace already

class Engine:
    """A user and a mount namespace, kept by a process, and calls from within."""

    def __init__(self):
        self.child = subprocess.Popen(["unshare", "--user", "--map-root-user", "--map-auto",
                                       "--mount", "sleep", "1000"])
        until(lambda: process.comm(self.child.pid) == "sleep", "the engine's namespaces")

    def runtime(self, root):
        made = Runtime(root)
        made.globals = ["nsenter", f"--target={self.child.pid}", "--user", "--mount", "--setuid=0",
                        "--setgid=0", *made.globals]
        return made

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.child.kill()
        self.child.wait()


@pytest.fixture
def in_engine(runtime, bundles):
    """Makes containers as the root of an engine's user namespace."""
    made = []
    with Engine() as engine:
        def make(config):
            one = Container(engine.runtime(runtime.root), bundles.make(config), new_id())
            made.append(one)
            return one
        yield make
        for one in made:
            one.runtime("delete", "--force", one.id)


def inside(config):
    """No user namespace of the container's own."""
    return config.without_namespace("user").remove("linux.uidMappings").remove("linux.gidMappings")


def test_in_a_user_namespace(in_engine):
    """The container has none of its own. Calls after create know XDG_RUNTIME_DIR alone."""
    bare = {"XDG_RUNTIME_DIR": str(user.RUNTIME_DIRECTORY), "PATH": os.environ["PATH"]}
    one = in_engine(inside(Config().sleeping()).user(0, 0, 5))
    one.create(env=os.environ | {"_CONTAINERS_USERNS_CONFIGURED": "done",
                                 "_CONTAINERS_ROOTLESS_UID": str(user.UID)})
    assert one.cgroup == f"{MANAGER}/user.slice/ocirt-sd-{one.id}.scope"
    one.output_of("true")
    one.runtime("start", one.id, env=bare)
    assert one.output_of("cat", "/proc/self/uid_map").split()[:3] == ["0", str(user.UID), "1"]
    assert one.output_of("id", "-u", options=["--user", "33:33"]) == "33\n"
    one.runtime("pause", one.id, env=bare)
    assert one.status == "paused"
    one.runtime("resume", one.id, env=bare)
    one.runtime("kill", one.id, "9", env=bare)
    one.wait_until("stopped")
    one.runtime("delete", "--force", one.id, env=bare)
    one.runtime("delete", "--force", one.id, env=bare)


def test_a_user_namespace_in_a_user_namespace(in_engine):
    """Root is a subordinate id then, which gets the cgroup that it may write to, but not the limits."""
    maps = [{"containerID": 0, "hostID": 1, "size": 1000}]
    config = Config().without_mount("/sys/fs/cgroup").mount(*WRITABLE_CGROUP)
    config.script("mkdir /sys/fs/cgroup/below && echo made; sleep 1000")
    one = in_engine(mapped(config, maps)).create()
    one.start().wait_for_output("made")
    assert process.status(one.pid)["Uid"].split() == [str(MAPPED_ROOT)] * 4
    cgroup = process.CGROUPS / one.cgroup.lstrip("/")
    assert cgroup.parent.name == "user.slice" and one.cgroup.startswith(MANAGER)
    for name, uid in [("", MAPPED_ROOT), ("cgroup.procs", MAPPED_ROOT),
                      ("cgroup.subtree_control", MAPPED_ROOT), ("below", MAPPED_ROOT),
                      ("cgroup.freeze", user.UID), ("cgroup.max.depth", user.UID)]:
        assert (cgroup / name).stat().st_uid == uid, name
    one.output_of("true")
    one.runtime("pause", one.id)
    one.runtime("resume", one.id)
    one.runtime("delete", "--force", one.id)
    assert not cgroup.exists()


def test_groups_in_a_user_namespace_that_denies_them(container):
    """Engines list those of the image whether or not they can be had."""
    config = inside(Config("cat", "/proc/self/status")).user(0, 0, 7).without_mount("/dev/pts")
    one = container(config)
    prefix = ["unshare", "--user", "--map-root-user", "--mount"]
    text = one.runtime.call("run", "--bundle", one.bundle.path, one.id, prefix=prefix)
    assert text.status == 0 and "Groups:" in text.stdout, str(text)


# --- limits

@needs_delegation
def test_limits(container):
    config = Config().sleeping().resource("memory", limit=64 << 20).resource("pids", limit=33)
    one = container(config.resource("cpu", quota=20000, period=100000)).run_detached()
    files = {"memory.max": str(64 << 20), "pids.max": "33", "cpu.max": "20000 100000"}
    assert {name: process.cgroup_file(one.cgroup, name) for name in files} == files
    one.runtime("update", "--memory", "32m", one.id)
    assert process.cgroup_file(one.cgroup, "memory.max") == str(32 << 20)
    systemd.systemctl("daemon-reload")
    assert process.cgroup_file(one.cgroup, "pids.max") == "33"


def test_a_controller_that_is_not_delegated(container):
    """No limit is dropped."""
    assert not has_controller("cpuset")
    one = container(Config().sleeping().resource("cpu", cpus="0"))
    message = one.runtime.fails("create", "--bundle", one.bundle.path, one.id)
    assert "controller cpuset" in message and "Delegate=" in message
    one.bundle.write(Config().sleeping().resource("pids", limit=-1).text())
    one.run_detached()
    assert "controller cpuset" in one.runtime.fails("update", "--cpuset-cpus", "0", one.id)


# --- what is missing

def test_no_runtime_directory(container):
    """The user is not logged in and does not linger; or does, and his systemd does not run."""
    one = container()
    words = ["create", "--bundle", one.bundle.path, one.id]
    environment = without("XDG_RUNTIME_DIR", "DBUS_SESSION_BUS_ADDRESS")
    nobody = Covered("/run/user", "/var/lib/systemd/linger").prefix
    message = one.runtime.fails(*words, env=environment, prefix=nobody)
    assert "XDG_RUNTIME_DIR is not set" in message and "linger" in message, message
    assert f"/run/user/{user.UID}" in message and "loginctl enable-linger" in message, message
    lingers = Covered("/run/user").prefix
    message = one.runtime.fails(*words, env=environment, prefix=lingers)
    assert "XDG_RUNTIME_DIR is not set" in message, message
    assert f"user@{user.UID}.service does not run" in message, message


def test_no_user_bus(container, bundles):
    """Neither a bus nor a systemd where XDG_RUNTIME_DIR says."""
    one = container()
    words = ["create", "--bundle", one.bundle.path, one.id]
    empty = bundles.scratch("run")
    message = one.runtime.fails(*words, env=without("DBUS_SESSION_BUS_ADDRESS",
                                                    XDG_RUNTIME_DIR=str(empty)))
    assert "user bus" in message and str(empty) in message
    assert f"/run/user/{user.UID}" in message, message
    message = one.runtime.fails(*words, env=without("DBUS_SESSION_BUS_ADDRESS",
                                                    XDG_RUNTIME_DIR="/run"))
    assert "another user" in message, message


def test_the_bus_will_do(container, bundles):
    """A user bus is enough, if systemd is on it; and a systemd, without a bus."""
    one = container()
    directory = bundles.scratch("run")
    address = f"unix:path={user.RUNTIME_DIRECTORY}/bus"
    one.create(env=without(XDG_RUNTIME_DIR=str(directory), DBUS_SESSION_BUS_ADDRESS=address))
    one.runtime("pause", one.id, env=without("DBUS_SESSION_BUS_ADDRESS"))
    assert one.status == "paused"
    one.delete("--force")
    one.create(env=without(DBUS_SESSION_BUS_ADDRESS="unix:path=/nosuch"))
    assert one.status == "created"
