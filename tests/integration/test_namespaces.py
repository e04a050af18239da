# SPDX-License-Identifier: LGPL-2.1-or-later
"""Namespaces: new ones, the host's, joined ones, users' mappings."""

import contextlib
import json
import os
import socket
import stat
import subprocess
from pathlib import Path

import pytest

from harness import go, process, user
from harness.config import MAPPED_ROOT, Config
from harness.holder import FILES, Holder
from harness.needs import SHOWS_PID_NAMESPACES, needs_cgroup_gifts, needs_mounts, needs_privileged_namespaces, needs_root
from harness.runtime import OLDER_KERNEL
from harness.terminal import ConsoleSocket
from harness.wait import until

@pytest.mark.proves("linux.namespaces[].type")
def test_every_namespace_is_new(container):
    one = container(Config().sleeping().namespace("time")).run_detached()
    for kind, file in FILES.items():
        same = process.namespace(one.pid, file) == process.namespace("self", file)
        assert same == (kind == "user" and not user.ORDINARY), kind


@pytest.mark.parametrize("kind", ["ipc", "uts", "network", "cgroup", "pid"])
def test_what_is_not_asked_for_is_the_hosts(container, kind):
    config = Config().sleeping().without_namespace(kind)
    if kind == "uts":
        config.remove("hostname")
    if kind == "network":
        config.without_mounts_below("/sys").bind("/sys", "/sys", "rbind", "ro")
    one = container(config).run_detached()
    assert process.namespace(one.pid, FILES[kind]) == process.namespace("self", FILES[kind])


@pytest.mark.proves("hostname", "domainname")
def test_host_and_domain_name(seen):
    config = Config().script("hostname; cat /proc/sys/kernel/domainname")
    before = os.uname().nodename
    assert seen(config.set("hostname", "h1").set("domainname", "d1.example")) == "h1\nd1.example"
    assert os.uname().nodename == before


@pytest.mark.proves("linux.namespaces[].path")
@needs_privileged_namespaces
def test_joined_namespaces(container):
    with Holder("--net", "--ipc", "--uts") as holder:
        config = Config().sleeping().remove("hostname")
        for kind in ["network", "ipc", "uts"]:
            config.namespace(kind, holder.path(kind))
        one = container(config).run_detached()
        for kind in ["net", "ipc", "uts"]:
            assert process.namespace(one.pid, kind) == process.namespace(holder.pid, kind)


@needs_privileged_namespaces
def test_a_joined_pid_namespace(container):
    """As in a pod: the other's processes are seen, and the pid is the host's."""
    first = container().run_detached()
    second = container(Config().sleeping().namespace("pid", f"/proc/{first.pid}/ns/pid"))
    second.run_detached()
    assert process.namespace(second.pid, "pid") == process.namespace(first.pid, "pid")
    assert process.parent(second.pid) == os.getpid()
    assert "sh" in second.output_of("cat", "/proc/1/comm")
    assert second.status == "running"


def beside(other, config):
    """In a user's the namespaces are those of another user namespace, which has to be joined, too."""
    if user.ORDINARY:
        config.remove("linux.uidMappings").remove("linux.gidMappings").namespace("user", f"/proc/{other.pid}/ns/user")
    return config


@pytest.mark.proves("linux.namespaces[].path")
def test_namespaces_of_another_container(container):
    """linux.namespaces[].path: all but mount and user, of a container that runs."""
    first = container(Config().sleeping().namespace("time")).run_detached()
    config = Config().sleeping().remove("hostname")
    for kind in ["pid", "network", "ipc", "uts", "cgroup", "time"]:
        config.namespace(kind, f"/proc/{first.pid}/ns/{FILES[kind]}")
    second = container(beside(first, config)).run_detached()
    same = {kind for kind, file in FILES.items()
            if process.namespace(first.pid, file) == process.namespace(second.pid, file)}
    assert same == set(FILES) - {"mount"}
    assert second.output_of("hostname") == "inside\n"
    assert "sh" in second.output_of("cat", "/proc/1/comm")
    config = Config().sleeping().namespace("time", f"/proc/{first.pid}/ns/time")
    third = container(beside(first, config)).run_detached()
    assert process.namespace(third.pid, "time") == process.namespace(first.pid, "time")


kernels = pytest.mark.parametrize("kernel", [[], OLDER_KERNEL], ids=["kernel", "older"])


def made_on(kernel):
    """The prefix for the one that is joined. newuidmap has no power behind it, and the mounts of a user's are not locked."""
    return [] if user.ORDINARY else kernel


def in_pid_namespace(other, config):
    config.namespace("pid", f"/proc/{other.pid}/ns/pid")
    return beside(other, config)


@kernels
@pytest.mark.parametrize("users", ["", pytest.param("mapped", marks=needs_root("has users of his own to map"))])
def test_the_procfs_of_another_container(container, users, kernel):
    """mounts[] of type proc: it shows who is there, and is otherwise as if nobody else had one."""
    config = Config().sleeping().without_mount("/proc").mount("/proc", "proc", "proc", "ro", "nosuid")
    config.set("linux.maskedPaths", ["/proc/version"]).set("linux.readonlyPaths", ["/proc/sys"])
    first = (mapped(container, config) if users else container(config)).run_detached(prefix=made_on(kernel))
    before = Path(f"/proc/{first.pid}/mountinfo").read_text(encoding="utf-8")
    config = Config().sleeping().without_mount("/proc").mount("/proc", "proc", "proc", "nodev", "noexec")
    config.set("linux.maskedPaths", ["/proc/keys"]).set("linux.readonlyPaths", ["/proc/bus"])
    in_pid_namespace(first, config)
    if users:
        config.namespace("user", f"/proc/{first.pid}/ns/user")
    second = container(config)
    if users:
        second.bundle.give_to(MAPPED_ROOT)
    second.run_detached(prefix=kernel)
    assert second.output_of("cat", "/proc/1/cmdline") == first.output_of("cat", "/proc/1/cmdline")
    mounts = [line.split() for line in second.output_of("cat", "/proc/self/mounts").splitlines()]
    options = {mount[1]: mount[3].split(",") for mount in mounts if mount[1].startswith("/proc")}
    copied = kernel or not SHOWS_PID_NAMESPACES
    locked = copied and not users and not user.ORDINARY  # with its procfs what is on it, of the one that is joined
    assert set(options["/proc"]) == {"nodev", "noexec", "relatime"} | ({"ro", "nosuid"} if locked else {"rw"})
    assert set(options) == {"/proc", "/proc/keys", "/proc/bus"} | ({"/proc/version", "/proc/sys"} if locked else set())
    assert "ro" in options["/proc/bus"]
    assert second.output_of("cat", "/proc/keys") == ""
    assert (second.output_of("cat", "/proc/version") == "") == bool(locked)
    assert "shared:" not in second.output_of("cat", "/proc/self/mountinfo").partition(" /proc ")[2].partition("\n")[0]
    assert Path(f"/proc/{first.pid}/mountinfo").read_text(encoding="utf-8") == before


@kernels
def test_a_procfs_of_another_container_with_a_word_for_mount_alone(container, kernel):
    """mounts[].options: "silent" is a flag of mount(2), which would mount the host's."""
    first = container().run_detached(prefix=made_on(kernel))
    config = Config().sleeping().without_mount("/proc").mount("/proc", "proc", "proc", "silent")
    second = container(in_pid_namespace(first, config)).run_detached(prefix=kernel)
    assert second.output_of("cat", "/proc/1/cmdline") == first.output_of("cat", "/proc/1/cmdline")


def test_a_procfs_that_others_have_mounted(runtime, container):
    """Before Linux 6.17: the first process may have none, or none any more; then that of any other will do."""
    script = "busybox unshare -m sleep 1000 & until [ -e /go ]; do sleep 0.1; done; kill %1; wait; echo gone; exec sleep 1000"
    config = Config().script(script).set("linux.maskedPaths", []).set("linux.readonlyPaths", [])
    sets = dict.fromkeys(["bounding", "effective", "permitted"], ["CAP_SYS_ADMIN", "CAP_KILL"])
    first = container(config.capabilities(**sets)).run_detached()

    until(lambda: len({process.namespace(pid, "mnt") for pid in process.members(first.cgroup)}) > 1, "a mount namespace more")
    subprocess.run([*user.into(first.pid, "mount"), "/bin/busybox", "umount", "/proc"], check=True)
    second = container(in_pid_namespace(first, Config().sleeping())).run_detached(prefix=OLDER_KERNEL)
    assert second.output_of("cat", "/proc/1/comm") == "sh\n"
    second.delete("--force")
    (first.bundle.rootfs / "go").touch()
    first.wait_for_output("gone")
    message = runtime.fails("create", "--bundle", second.bundle.path, second.id, prefix=OLDER_KERNEL)
    assert "mounts[0]: mount proc to rootfs at /proc: before Linux 6.17 it is the copy" in message
    assert message.endswith("mount one in the container that is joined")


def with_procfs(option):
    return Config().sleeping().without_mount("/proc").mount("/proc", "proc", "proc", option)


def test_no_procfs_with_options_of_its_own(runtime, container):
    """Before Linux 6.17: neither of the one, nor of the other."""
    first = container().run_detached()
    second = container(in_pid_namespace(first, with_procfs("hidepid=2")))
    message = runtime.fails("create", "--bundle", second.bundle.path, second.id, prefix=OLDER_KERNEL)
    assert 'option "hidepid=2": before Linux 6.17' in message
    first = container(with_procfs("subset=pid")).run_detached()
    second = container(in_pid_namespace(first, Config().sleeping()))
    assert "none has a whole one" in runtime.fails("create", "--bundle", second.bundle.path, second.id, prefix=OLDER_KERNEL)


@needs_privileged_namespaces
@kernels
def test_namespaces_of_another_container_from_a_new_user_namespace(container, kernel):
    """linux.namespaces[].path: what shows them is mounted by who has power over them."""
    first = container(Config().sleeping()).run_detached(prefix=made_on(kernel))
    first.output_of("touch", "/dev/mqueue/queue")
    config = Config().sleeping().remove("hostname")
    for kind in ["pid", "network", "ipc", "uts"]:
        config.namespace(kind, f"/proc/{first.pid}/ns/{FILES[kind]}")
    second = mapped(container, config.namespace("time").set("linux.timeOffsets", {"monotonic": {"secs": 9}}))
    second.run_detached(prefix=kernel)
    assert second.output_of("ls", "/dev/mqueue") == "queue\n"
    assert "sh" in second.output_of("cat", "/proc/1/comm")
    assert second.output_of("ls", "/sys/class/net") == "lo\n"
    assert "9" in second.output_of("cat", "/proc/self/timens_offsets").split()
    assert second.output_of("id", "-u") == "0\n"
    assert second.exec("sh", "-c", "echo x > /proc/1/comm").status != 0


def test_the_hosts_pid_namespace_in_a_user_namespace(container):
    """linux.namespaces: without pid, /proc shows the host's processes to a mapped root too."""
    one = mapped(container, Config().without_namespace("pid").script("ls -d /proc/[0-9]* | wc -l; touch /proc/x"))
    result = one.runtime.call("run", "--bundle", one.bundle.path, one.id)
    assert int(result.stdout) > 1


@pytest.mark.parametrize("kind", [pytest.param(kind, marks=needs_privileged_namespaces) if kind == "mount" else kind
                                  for kind in FILES])
def test_a_namespace_of_another_type_is_refused(runtime, container, kind):
    """linux.namespaces[].path"""
    other = "uts" if kind == "ipc" else "ipc"
    one = container(Config().sleeping().namespace(kind, f"/proc/self/ns/{other}"))
    message = runtime.fails("create", "--bundle", one.bundle.path, one.id)
    last = len(one_config(one)["linux"]["namespaces"]) - 1
    assert f"linux.namespaces[{last}].path: " in message and f"not a {kind} namespace" in message


def one_config(container):
    return json.loads((container.bundle.path / "config.json").read_text())


@pytest.mark.parametrize("path, words", [("/run/nosuch", "no such file"), ("/etc/passwd", "not a namespace"),
                                         ("/proc/sys", "not a namespace")])
def test_a_path_that_is_no_namespace(runtime, container, path, words):
    """linux.namespaces[].path"""
    one = container(Config().sleeping().namespace("network", path))
    message = runtime.fails("create", "--bundle", one.bundle.path, one.id)
    last = len(one_config(one)["linux"]["namespaces"]) - 1
    assert f"linux.namespaces[{last}].path: " in message and path in message and words in message


def test_a_namespace_that_is_given_twice(runtime, container):
    """linux.namespaces[].type"""
    one = container(Config().append("linux.namespaces", {"type": "pid"}))
    last = len(one_config(one)["linux"]["namespaces"]) - 1
    assert f"linux.namespaces[{last}].type" in runtime.fails("create", "--bundle", one.bundle.path, one.id)


# --- mount namespaces that exist

@pytest.mark.proves("linux.namespaces[].path")
@needs_privileged_namespaces
def test_a_joined_mount_namespace(container, bundles):
    """linux.namespaces[].path of a mount namespace: its mounts are seen, and the host's and its root do not change."""
    hidden = bundles.scratch("hidden")
    before = Path("/proc/self/mountinfo").read_text()
    with Holder("--mount") as holder:
        enter = ["nsenter", "--target", str(holder.pid), "--mount"]
        subprocess.run([*enter, "mount", "-t", "tmpfs", "hidden", hidden], check=True)
        subprocess.run([*enter, "touch", hidden / "found"], check=True)
        root = os.stat(f"/proc/{holder.pid}/root")
        table = Path(f"/proc/{holder.pid}/mountinfo").read_text()
        config = Config().sleeping().namespace("mount", holder.path("mount")).bind(hidden, "/mnt", "rbind", "ro")
        config.set("linux.maskedPaths", ["/etc/passwd"]).set("root.readonly", True)
        one = container(config.mount("/tmp", "tmpfs", "tmpfs", "noexec")).run_detached()
        assert process.namespace(one.pid, "mnt") == process.namespace(holder.pid, "mnt")
        assert one.output_of("ls", "/mnt", "/etc/passwd") == "/etc/passwd\n\n/mnt:\nfound\n"
        assert sorted(one.output_of("ls", "/").split()) == sorted(os.listdir(one.bundle.rootfs))
        assert one.output_of("cat", "/etc/passwd") == ""
        assert one.exec("touch", "/x").status and one.exec("touch", "/mnt/x").status
        assert one.exec("touch", "/tmp/x").status == 0
        assert os.stat(f"/proc/{holder.pid}/root") == root
        assert str(one.bundle.rootfs) in Path(f"/proc/{holder.pid}/mountinfo").read_text()
        assert Path("/proc/self/mountinfo").read_text() == before
        one.delete("--force")
        assert Path(f"/proc/{holder.pid}/mountinfo").read_text() == table
    assert not (hidden / "found").exists()


@needs_privileged_namespaces
def test_nothing_stays_in_a_joined_mount_namespace(runtime, container):
    """linux.namespaces[].path: neither of a create that failed late, nor of one whose runtime was killed, nor of a run."""
    with Holder("--mount") as holder:
        table = Path(f"/proc/{holder.pid}/mountinfo").read_text()
        config = Config("/nosuch").namespace("mount", holder.path("mount"))
        one = container(config)
        assert "no such file" in runtime.fails("create", "--bundle", one.bundle.path, one.id)
        assert Path(f"/proc/{holder.pid}/mountinfo").read_text() == table
        one.bundle.write(config.args("true").text())
        runtime("run", "--bundle", one.bundle.path, one.id)
        assert Path(f"/proc/{holder.pid}/mountinfo").read_text() == table
        script = f"touch {one.bundle.path}/hooked; exec sleep 1000"
        one.bundle.write(config.hook("createRuntime", "/bin/sh", "-c", script, env=["PATH=/bin"]).text())
        creating = runtime.start_process("create", "--bundle", one.bundle.path, one.id)
        until((one.bundle.path / "hooked").exists, "its mounts are made")
        assert Path(f"/proc/{holder.pid}/mountinfo").read_text() == table, "it shows before it is complete"
        creating.kill()
        creating.wait()
        assert Path(f"/proc/{holder.pid}/mountinfo").read_text() == table
        one.delete("--force")
        assert Path(f"/proc/{holder.pid}/mountinfo").read_text() == table


@needs_privileged_namespaces
def test_mounts_in_a_joined_mount_namespace(container):
    """linux.namespaces[].path: what is mounted there is as elsewhere, and who may mount there may."""
    caps = dict.fromkeys(["bounding", "effective", "permitted"], ["CAP_SYS_ADMIN", "CAP_SETUID"])
    script = ("mount -t tmpfs mine /mnt && umount /mnt && umount /proc/keys && umount /tmp && echo changed; id -u; "
              "cat /proc/self/mountinfo; sleep 1000")
    with Holder("--mount") as holder:
        config = Config().script(script).capabilities(**caps).set("linux.rootfsPropagation", "unbindable")
        config.mount("/tmp", "tmpfs", "tmpfs").mount("/srv", "tmpfs", "its", "shared")
        config.namespace("mount", holder.path("mount"))
        first, second = container(config), container(config)
        for one in [first, second]:
            one.run_detached().wait_for_output(" its ")
            lines = one.output.splitlines()
            table = {line.split()[4]: line.split()[6:] for line in lines if " - " in line}
            assert lines[:2] == ["changed", "0"]
            assert table["/"][0] == "unbindable" and table["/srv"][0].startswith("shared:")
            assert table["/proc"][0] == "-" and "/proc/timer_list" in table and "/proc/keys" not in table
        assert second.output_of("busybox", "grep", "-c", "^its /srv ", "/proc/mounts") == "1\n"


@needs_privileged_namespaces
def test_masks_that_were_seen_in_a_joined_mount_namespace(container):
    """linux.maskedPaths, linux.readonlyPaths: for who has a directory open that the container had mounted, they stay."""
    with Holder("--mount") as holder:
        one = container(Config().sleeping().namespace("mount", holder.path("mount"))).run_detached()
        seen = os.open(f"/proc/{holder.pid}/root{one.bundle.rootfs}/proc", os.O_PATH)
        try:
            for end in [None, one.delete]:
                if end:
                    end("--force")
                assert stat.S_ISCHR(os.stat("keys", dir_fd=seen).st_mode)
                with pytest.raises(OSError, match="Read-only file system"):
                    os.open("sys/kernel/core_pattern", os.O_WRONLY, dir_fd=seen)
        finally:
            os.close(seen)


@needs_privileged_namespaces
def test_a_terminal_in_a_joined_mount_namespace(container, top):
    """process.terminal: it has a name."""
    with Holder("--mount") as holder, ConsoleSocket(str(top / "joined.sock")) as console:
        one = container(Config("busybox", "readlink", "/proc/self/fd/0").terminal().namespace("mount", holder.path("mount")))
        one.run_detached("--console-socket", console.path)
        with console.terminal() as master:
            assert master.read_to_end() == b"/dev/pts/0\r\n"


@needs_privileged_namespaces
def test_a_rootfs_that_is_not_there_any_more(runtime, container):
    """root.path: in the mount namespace that is joined it was renamed meanwhile."""
    with Holder("--mount") as holder:
        table = Path(f"/proc/{holder.pid}/mountinfo").read_text()
        config = Config().sleeping().namespace("mount", holder.path("mount"))
        one = container(config)
        config.hook("createRuntime", "/bin/mv", str(one.bundle.rootfs), str(one.bundle.path / "other"))
        one.bundle.write(config.text())
        message = runtime.fails("create", "--bundle", one.bundle.path, one.id)
        assert "root.path: open rootfs" in message and "no such file" in message
        assert Path(f"/proc/{holder.pid}/mountinfo").read_text() == table
        assert runtime.list() == []


@needs_privileged_namespaces
def test_a_joined_mount_namespace_that_shares(runtime, container):
    """linux.namespaces[].path: where the container's mounts would show elsewhere, there are none."""
    with Holder("--mount", "--propagation", "private") as holder:
        enter = ["nsenter", "--target", str(holder.pid), "--mount"]
        one = container(Config("true").namespace("mount", holder.path("mount")))
        subprocess.run([*enter, "mount", "--bind", one.bundle.path, one.bundle.path], check=True)
        subprocess.run([*enter, "mount", "--make-shared", one.bundle.path], check=True)
        before = Path(f"/proc/{holder.pid}/mountinfo").read_text()
        message = runtime.fails("create", "--bundle", one.bundle.path, one.id)
        assert "root.path: " in message and "shared" in message
        assert Path(f"/proc/{holder.pid}/mountinfo").read_text() == before


def test_the_root_of_another_container(container):
    """linux.namespaces[].path and root.path "/": what another container sees, mounts and all."""
    first = container(Config().script("echo here > /marker; mount -t tmpfs x /mnt; sleep 1000")
                      .capabilities(**dict.fromkeys(["bounding", "effective", "permitted"], ["CAP_SYS_ADMIN"])))
    first.run_detached()
    until(lambda: " /mnt " in Path(f"/proc/{first.pid}/mountinfo").read_text(), "the mount")
    config = inside_of(first, Config().script("cat /marker; grep -c ' /mnt ' /proc/self/mountinfo; ls /proc/1/ns"))
    second = container(config)
    lines = second.runtime("run", "--bundle", second.bundle.path, second.id).split()
    assert lines[:2] == ["here", "1"] and "mnt" in lines
    third = container(inside_of(first, Config().sleeping())).run_detached()
    assert third.output_of("cat", "/marker") == "here\n"


def inside_of(other, config):
    """A configuration for a process in the mount and pid namespace of another container."""
    for kind in ["mount", "pid"]:
        config.namespace(kind, f"/proc/{other.pid}/ns/{FILES[kind]}")
    return plain(beside(other, config)).set("root.path", "/")


def plain(config):
    """Nothing that would have to be mounted."""
    config.set("mounts", []).set("linux.maskedPaths", []).set("linux.readonlyPaths", [])
    return config.without_namespace("cgroup", "network").remove("root.readonly")


@needs_privileged_namespaces
def test_without_a_mount_namespace(container):
    """linux.namespaces without mount: the runtime's, with the rootfs as it lies there as the root."""
    before = Path("/proc/self/mountinfo").read_text()
    one = container(plain(Config().script("ls -d /bin /dev/null; while :; do sleep 1000; done"))
                    .without_namespace("mount"))
    one.run_detached().wait_for_output("/dev/null")
    assert process.namespace(one.pid, "mnt") == process.namespace("self", "mnt")
    assert Path("/proc/self/mountinfo").read_text() == before
    assert os.readlink(f"/proc/{one.pid}/root") == str(one.bundle.rootfs)
    assert sorted(one.output_of("ls", "/").split()) == sorted(os.listdir(one.bundle.rootfs))
    assert one.output_of("sh", "-c", "cd ..; pwd; echo x > /written; cat /written") == "/\nx\n"
    assert one.bundle.inside("written").exists()
    one.delete("--force")
    assert Path("/proc/self/mountinfo").read_text() == before


@contextlib.contextmanager
def shared(path):
    """What is mounted below the path shows in other mount namespaces meanwhile, as it does where systemd shares "/"."""
    subprocess.run(["mount", "--bind", path, path], check=True)
    for kind in ["--make-private", "--make-shared"]:  # not with the mount below it
        subprocess.run(["mount", kind, path], check=True)
    yield
    subprocess.run(["umount", "--lazy", path], check=True)


@needs_mounts
def test_mounts_without_a_mount_namespace(container):
    """linux.namespaces without mount: the container's mounts are the host's, until delete; others do not get them."""
    config = Config().sleeping().without_namespace("mount").set("root.readonly", True)
    one = container(config.set("linux.maskedPaths", ["/etc/passwd"]))
    with shared(one.bundle.path), Holder("--mount", "--propagation", "slave") as holder:
        other, before = Path(f"/proc/{holder.pid}/mountinfo"), Path("/proc/self/mountinfo").read_text()
        one.run_detached()
        assert process.namespace(one.pid, "mnt") == process.namespace("self", "mnt")
        new = [line for line in Path("/proc/self/mountinfo").read_text().splitlines() if line not in before]
        points = [line.split()[4] for line in new]
        assert points[0] == str(one.bundle.rootfs) and f"{points[0]}/proc" in points and f"{points[0]}/dev/pts" in points
        assert not [line for line in new if " shared:" in line] and all(path.startswith(points[0]) for path in points)
        assert points[0] in other.read_text() and f"{points[0]}/" not in other.read_text()
        assert one.output_of("sh", "-c", "cat /etc/passwd; cd ..; pwd; ls -d /dev/null") == "/\n/dev/null\n"
        assert one.exec("touch", "/x").status
        one.delete("--force")
        assert Path("/proc/self/mountinfo").read_text() == before
        assert points[0] not in other.read_text()


@needs_privileged_namespaces
def test_mounts_on_the_root_of_others_are_refused(runtime, container):
    """linux.namespaces without mount and root.path "/": the host's would change."""
    one = container(Config("true").without_namespace("mount").set("root.path", "/"))
    assert "mounts[0]" in runtime.fails("create", "--bundle", one.bundle.path, one.id)


def test_the_loopback_is_up(seen):
    assert "UP" in seen("ip link show lo")


def test_abstract_sockets_of_the_host_are_far(container):
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("\0host-only")
        listener.listen()
        one = container(Config("cat", "/proc/net/unix"))
        assert "host-only" not in one.runtime("run", "--bundle", one.bundle.path, one.id)


@pytest.mark.proves("linux.timeOffsets")
def test_time_offsets(seen):
    """linux.timeOffsets: boottime and monotonic, secs and nanosecs; the uptime is that of boottime."""
    config = Config("cat", "/proc/uptime", "/proc/self/timens_offsets").namespace("time")
    config.set("linux.timeOffsets", {"boottime": {"secs": 1000000, "nanosecs": 5}, "monotonic": {"secs": -7}})
    words = seen(config).split()
    assert float(words[0]) > 1000000
    assert sorted([words[2:5], words[5:8]]) == [["boottime", "1000000", "5"], ["monotonic", "-7", "0"]]


def test_time_offsets_that_cannot_be(runtime, container):
    """linux.timeOffsets: before the beginning, and in a namespace that has its own already."""
    one = container(Config().namespace("time").set("linux.timeOffsets", {"boottime": {"secs": -1 << 40}}))
    assert "linux.timeOffsets" in runtime.fails("create", "--bundle", one.bundle.path, one.id)
    one = container(Config().namespace("time", "/proc/self/ns/time")
                    .set("linux.timeOffsets", {"boottime": {"secs": 1}}))
    assert "linux.timeOffsets" in runtime.fails("create", "--bundle", one.bundle.path, one.id)


# --- user namespaces

def mapped(container, config):
    one = container(config.mapped_users())
    one.bundle.give_to(MAPPED_ROOT)
    return one


@pytest.mark.proves("linux.uidMappings", "linux.gidMappings")
def test_mappings_of_users(container):
    one = mapped(container, Config().sleeping()).run_detached()
    for name in ["uid_map", "gid_map"]:
        rows = open(f"/proc/{one.pid}/{name}", encoding="ascii").read().split()
        assert rows == ["0", str(MAPPED_ROOT), "65536"]
    assert process.status(one.pid)["Uid"].split() == [str(MAPPED_ROOT)] * 4


@pytest.mark.proves("linux.uidMappings", "linux.gidMappings")
def test_many_mappings(container):
    """linux.uidMappings, linux.gidMappings: as many lines as Linux takes, and an error for one too many."""
    uids = [{"containerID": 10 * i, "hostID": MAPPED_ROOT + 20 * i, "size": 10} for i in range(200)]
    gids = [{"containerID": i, "hostID": MAPPED_ROOT + i, "size": 1} for i in range(200)]
    one = mapped(container, Config().script("id -u; id -g; wc -l < /proc/self/uid_map; tail -n 1 /proc/self/gid_map"))
    config = one_config(one)
    config["process"]["user"] = {"uid": 1999, "gid": 199}
    config["linux"].update(uidMappings=uids, gidMappings=gids)
    one.bundle.write(go.marshal(config))
    words = one.runtime("run", "--bundle", one.bundle.path, one.id).split()
    assert words == ["1999", "199", "200", "199", str(MAPPED_ROOT + 199), "1"]
    config["linux"]["gidMappings"] = [{"containerID": i, "hostID": MAPPED_ROOT + i, "size": 1} for i in range(341)]
    one.bundle.write(go.marshal(config))
    assert "linux.gidMappings" in one.runtime.fails("create", "--bundle", one.bundle.path, one.id)


def test_mappings_that_are_longer_than_linux_takes(runtime, container):
    """linux.uidMappings: 340 lines may be too many, when they are long."""
    lines = [{"containerID": 4000000000 + 10 * i, "hostID": 3000000000 + 10 * i, "size": 9} for i in range(300)]
    one = container(Config().mapped_users().set("linux.uidMappings", lines))
    assert "linux.uidMappings" in runtime.fails("create", "--bundle", one.bundle.path, one.id)


def test_a_user_namespace_without_a_root(container):
    """linux.uidMappings without 0: its process's user sets the container up."""
    config = Config().user(1005, 1006).sleeping()
    for kind, first in {"uid": 1000, "gid": 1000}.items():
        config.set(f"linux.{kind}Mappings", [{"containerID": first, "hostID": MAPPED_ROOT, "size": 10}])
    one = container(config.namespace("user").capabilities())
    one.bundle.give_to(MAPPED_ROOT + 5)
    one.run_detached()
    script = "id -u; id -g; stat -c %u:%g /dev/shm; touch /made; stat -c %u /made"
    assert one.output_of("sh", "-c", script).split() == ["1005", "1006", "1005:1006", "1005"]
    assert one.bundle.inside("made").stat().st_uid == MAPPED_ROOT + 5
    assert one.exec("id", options=["--user", "0"]).status != 0


def test_owners_of_files_in_a_user_namespace(container):
    """Root inside owns what it makes, and its mounts; on the host it is the mapped user's."""
    paths = ["/tmp/f", "/proc/self/", "/dev/pts", "/dev", "/dev/shm"]
    script = f"id -u; touch /tmp/f; stat -c %u:%n {' '.join(paths)}"
    one = mapped(container, Config().script(script))
    lines = one.runtime("run", "--bundle", one.bundle.path, one.id).splitlines()
    assert lines == ["0", *(f"0:{path}" for path in paths)]
    assert one.bundle.inside("tmp/f").stat().st_uid == MAPPED_ROOT


@needs_root("makes something in what is another user's")
def test_capabilities_of_a_user_namespace_end_there(container):
    """Root inside may not what root outside may."""
    full = ["CAP_SYS_ADMIN", "CAP_DAC_OVERRIDE", "CAP_CHOWN"]
    config = Config().script("chown 12345:0 /victim || echo denied")
    config.capabilities(bounding=full, effective=full, permitted=full)
    one = mapped(container, config)
    one.bundle.inside("victim").touch()
    result = one.runtime.call("run", "--bundle", one.bundle.path, one.id)
    assert result.stdout == "denied\n"
    assert one.bundle.inside("victim").stat().st_uid == 0


@needs_cgroup_gifts
@pytest.mark.parametrize("user_namespace", [True, False])
def test_a_writable_cgroup_is_the_users(container, user_namespace):
    """config-linux.md, "Cgroup ownership": the process may make cgroups below, and change no limit."""
    script = "mkdir /sys/fs/cgroup/below && echo made; echo $$ > /sys/fs/cgroup/below/cgroup.procs && echo moved; " \
             "echo 5 2> /dev/null > /sys/fs/cgroup/cgroup.max.depth || echo denied; sleep 1000"
    config = Config().script(script).user(7, 7).capabilities().without_mount("/sys/fs/cgroup")
    config.mount("/sys/fs/cgroup", "cgroup", "cgroup", "nosuid", "noexec", "nodev")
    one = mapped(container, config) if user_namespace else container(config)
    cgroup = process.CGROUPS / one.create().cgroup.lstrip("/")
    one.start().wait_for_output("denied")
    assert "made\nmoved\n" in one.output
    uid = MAPPED_ROOT + 7 if user_namespace else 7
    for name, owner in [("", uid), ("cgroup.procs", uid), ("cgroup.threads", uid),
                        ("cgroup.subtree_control", uid), ("cgroup.max.depth", 0), ("cgroup.freeze", 0)]:
        assert (cgroup / name).stat().st_uid == owner, name
    one.delete("--force")
    assert not cgroup.exists()


def test_exec_in_a_user_namespace(container):
    one = mapped(container, Config().sleeping()).run_detached()
    script = "id -u; cat /proc/self/uid_map"
    assert one.output_of("sh", "-c", script).split() == ["0", "0", str(MAPPED_ROOT), "65536"]
    assert one.output_of("id", "-u", options=["--user", "1000:1000"]) == "1000\n"


def test_a_bundle_that_only_root_may_look_into(container):
    """A mapped root walks through directories that it may not list."""
    one = mapped(container, Config("echo", "here"))
    one.bundle.path.chmod(0o711)
    assert one.runtime("run", "--bundle", one.bundle.path, one.id) == "here\n"


def test_a_joined_user_namespace(container):
    first = mapped(container, Config().sleeping()).run_detached()
    config = Config().script("id -u; cat /proc/self/uid_map")
    for kind in ["user", "network", "ipc"]:
        config.namespace(kind, f"/proc/{first.pid}/ns/{FILES[kind]}")
    second = container(config)
    second.bundle.give_to(MAPPED_ROOT)
    words = second.runtime("run", "--bundle", second.bundle.path, second.id).split()
    assert words == ["0", "0", str(MAPPED_ROOT), "65536"]


def test_nobody_in_a_joined_user_namespace_may_look(container, tmp_path):
    """Who has power in there takes descriptors from a process that is dumpable (pidfd_getfd(2))."""
    first = mapped(container, Config().sleeping()).run_detached()
    config = Config("cat", "/proc/self/timens_offsets").namespace("time").namespace("user", f"/proc/{first.pid}/ns/user")
    second = container(config.set("linux.timeOffsets", {"boottime": {"secs": 1000}}))
    second.bundle.give_to(MAPPED_ROOT)
    tracer = ["strace", "-f", "-qq", "-e", "trace=setns,prctl", "-o", tmp_path / "trace"]
    assert "1000" in second.runtime("run", "--bundle", second.bundle.path, second.id, prefix=tracer)
    inside = (tmp_path / "trace").read_text().partition("CLONE_NEWUSER")[2]
    assert "PR_SET_DUMPABLE, SUID_DUMP_DISABLE" in inside and "PR_SET_DUMPABLE, SUID_DUMP_USER" not in inside
