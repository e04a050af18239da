# SPDX-License-Identifier: LGPL-2.1-or-later
"""What a container that watches can get hold of while the runtime works on it or beside it.

It has every capability, CAP_SYS_PTRACE among them, and no user namespace of its own when root runs the tests. A process
of the runtime's is visible in there for a moment before it is the container's, and has nothing to give.
"""

import contextlib
import errno
import itertools
import json
import os
import re
import shutil
import signal
import socket
import stat
import subprocess
from pathlib import Path

import pytest

from harness import locks, process, user
from harness.config import CAPABILITIES, Config
from harness.needs import needs_controller, needs_privileged_namespaces, needs_writable_sysctl
from harness.runtime import OLDER_KERNEL, PROGRAMS, without_user_namespaces
from harness.systemd import TransientUnit, systemctl
from harness.terminal import ConsoleSocket
from harness.wait import DEADLINE, until
from harness.watcher import EVERY, Watcher, attacker, command, findings

# Of each variant; where the processor is emulated few, for it is ten times slower and has another kernel to show.
EMULATED = subprocess.run(["systemd-detect-virt", "--vm"], check=False, capture_output=True, text=True).stdout == "qemu\n"
NOTIFYING = ["env", "NOTIFY_SOCKET=/nosuch"]  # a prefix: one that is created has a socket more
FEW_CAPABILITIES = ["setpriv", "--bounding-set=-sys_ptrace,-sys_resource,-dac_read_search,-ipc_lock"]
EXECS, RUNS, MADE = (10, 3, 3) if EMULATED else (250, 60, 20)


@pytest.fixture
def watching(runtime, bundles, nothing_left):
    """Makes a watcher that watches; what it found must be nothing, and must have been looked for."""
    made = []

    def watch(how=None):
        made.append(Watcher(runtime, bundles, how))
        return made[-1].watch()

    yield watch
    for one in made:
        runtime("delete", "--force", one.id)


def rounds(watcher, least):
    """That many, and more as long as a watcher that hardly gets to run has missed what there is to see."""
    return itertools.takewhile(lambda number: number < least or not watcher.has_looked(), itertools.count())


def check(watcher):
    got = watcher.findings()
    assert not got, "\n".join(got)


@pytest.fixture
def execs(watching):
    """Runs as many as a variant has in a watcher, by a process.json with these values."""
    def many(*options, filtered=False, each=None, stdin=subprocess.DEVNULL, **values):
        watcher = watching("filtered" if filtered else None)
        if filtered:
            values = values | {"noNewPrivileges": True}
        path = watcher.bundle.path / "process.json"
        sets = {name: CAPABILITIES for name in ["bounding", "effective", "permitted"]}
        path.write_text(json.dumps({"args": ["/watcher"], "cwd": "/", "env": ["PATH=/bin"], "capabilities": sets} | values))
        for _ in rounds(watcher, EXECS):
            watcher.runtime.call("exec", "--process", path, *options, watcher.id, stdin=stdin)
            if each:
                each()
        check(watcher)
    return many


def test_exec(execs):
    execs()


def reap():
    """As an engine does. Until then the pid namespace, whose first process is the watcher, does not end."""
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def test_detached_exec(execs):
    execs("--detach", each=reap)


def test_exec_with_a_terminal(execs, top):
    with ConsoleSocket(str(top / "watched.sock")) as listener:
        def take():
            with listener.terminal() as master:
                master.read_to_end()
            reap()
        execs("--detach", "--console-socket", listener.path, each=take, terminal=True)


def test_exec_with_a_socket(execs):
    """One whose other end we have, with files and directories of the host besides."""
    mine, theirs = socket.socketpair()
    with mine, theirs:
        execs(stdin=theirs)


def test_exec_as_somebody(execs):
    """Another user, for whom the kernel keeps other rules about who may look."""
    execs(user={"uid": 1000, "gid": 1000})


def beside(watcher, config):
    """In its pid namespace; a user's containers have to be in its user namespace, too."""
    config.namespace("pid", f"/proc/{watcher.pid}/ns/pid")
    if user.ORDINARY:
        config.remove("linux.uidMappings").remove("linux.gidMappings")
        config.namespace("user", f"/proc/{watcher.pid}/ns/user")
    return config


@pytest.mark.parametrize("kernel", [[], OLDER_KERNEL], ids=["kernel", "older"])
def test_run_beside_it(watching, container, kernel):
    """linux.namespaces[].path: as in a pod that shares processes."""
    watcher = watching()
    one = container(beside(watcher, Config("true")))
    for _ in rounds(watcher, RUNS):
        one.runtime("run", "--bundle", one.bundle.path, one.id, prefix=kernel)
    check(watcher)


LOOKS_BACK = """
until cd "/proc/$(cat /pid)/root/proc"; do sleep 0.1; done 2>/dev/null
echo holds
until [ -e /gone ]; do sleep 0.1; done
cat keys
(true >>sys/kernel/core_pattern) && echo open
echo end
"""


@needs_privileged_namespaces
@pytest.mark.parametrize("kernel", [[], OLDER_KERNEL], ids=["kernel", "older"])
def test_procfs_of_one_that_was_beside_it(container, kernel):
    """linux.maskedPaths, linux.readonlyPaths: they stay for who has looked there before that container ended."""
    first = container(Config().script(LOOKS_BACK)).run_detached(prefix=kernel)
    second = container(beside(first, Config().sleeping())).run_detached(prefix=kernel)
    first.bundle.inside("pid").write_text(process.status(second.pid)["NSpid"].split()[-1])
    first.wait_for_output("holds")
    second.delete("--force")
    first.bundle.inside("gone").touch()
    first.wait_for_output("end\n")
    assert re.fullmatch("holds\n.*core_pattern: Read-only file system\nend\n", first.output)


@needs_privileged_namespaces
@pytest.mark.parametrize("namespace", ["none", "own"])
def test_procfs_that_was_handed_on(container, namespace):
    """linux.maskedPaths, linux.readonlyPaths: as by a socket in a volume."""
    config = Config().sleeping()
    one = container(config.without_namespace("pid") if namespace == "none" else config).run_detached()
    seen = os.open(f"/proc/{one.pid}/root/proc", os.O_PATH)
    try:
        one.delete("--force")
        assert stat.S_ISCHR(os.stat("keys", dir_fd=seen).st_mode)
        with pytest.raises(OSError, match="Read-only file system"):
            os.open("sys/kernel/core_pattern", os.O_WRONLY, dir_fd=seen)
    finally:
        os.close(seen)


ALONE = """
exec 5</proc
exec busybox unshare -Um sh -c '
cd /proc/self/fd/5
cat keys
(true >>sys/kernel/core_pattern) && echo open
echo end'
"""


@needs_privileged_namespaces
@pytest.mark.parametrize("kernel", [[], OLDER_KERNEL], ids=["kernel", "older"])
@pytest.mark.parametrize("propagation", ["", "rootfs", "rshared", "unbindable"])
def test_lone_process_that_leaves_its_mounts(container, bundles, kernel, propagation):
    """linux.maskedPaths, linux.readonlyPaths: they stay also when it ends its own mount namespace by going to another."""
    config = Config().script(ALONE).set("linux.rootfsPropagation", "shared" if propagation == "rootfs" else "")
    if propagation and propagation != "rootfs":
        config.bind(bundles.scratch("volume"), "/mnt", "rbind", propagation)
    one = container(config)
    result = one.runtime.call("run", "--bundle", one.bundle.path, one.id, prefix=kernel)
    assert result.stdout == "end\n" and "core_pattern: Read-only file system" in result.stderr


@needs_privileged_namespaces
@pytest.mark.parametrize("users", ["own", "mapped"])
def test_procfs_beside_one_whose_masks_are_locked(container, users):
    """Before Linux 6.17 it is a copy with these masks, on which its own work as well: of the same, of more and of less."""
    first = container(Config().sleeping().set("linux.maskedPaths", ["/proc/keys", "/proc/bus", "/proc/timer_list"]))
    first.run_detached(prefix=OLDER_KERNEL)
    config = Config().sleeping().set("linux.maskedPaths", ["/proc/keys", "/proc/bus/input", "/proc/version", "/proc/fs"])
    config.set("linux.readonlyPaths", ["/proc/bus", "/proc/sys", "/proc/sys/kernel"])
    config = beside(first, config.mapped_users() if users == "mapped" else config)
    second = container(config)
    if users == "mapped":
        second.bundle.give_to(100000)
    second.run_detached(prefix=OLDER_KERNEL)
    assert "sleep" in second.output_of("cat", "/proc/1/cmdline")
    assert second.output_of("cat", "/proc/keys", "/proc/timer_list", "/proc/version") == ""
    assert second.output_of("ls", "/proc/bus", "/proc/fs") == "/proc/bus:\n\n/proc/fs:\n"
    for path in ["sys/kernel/core_pattern", "bus/x"]:
        assert re.search("Read-only|denied", second.exec("sh", "-c", f"true >>/proc/{path}").stderr)
    first.delete("--force")


@needs_privileged_namespaces
def test_procfs_that_was_covered_and_locked(container):
    """Before Linux 6.17: by the root of a user namespace; there is no copy of that for others."""
    admin = dict.fromkeys(["bounding", "effective", "permitted"], ["CAP_SYS_ADMIN"])
    config = Config().script("mount -t tmpfs fake /proc/fs && exec busybox unshare -Um sleep 1000").capabilities(**admin)
    first = container(config.mapped_users().set("linux.maskedPaths", []).set("linux.readonlyPaths", []))
    first.bundle.give_to(100000)
    first.run_detached()
    until(lambda: b"sleep\0" in Path(f"/proc/{first.pid}/cmdline").read_bytes()[:6], "it has locked them")
    second = container(beside(first, Config().sleeping()))
    message = second.runtime.fails("create", "--bundle", second.bundle.path, second.id, prefix=OLDER_KERNEL)
    assert "none has a whole one" in message


@needs_privileged_namespaces
def test_power_over_its_mounts(container):
    """Nobody gets any by how they are locked; and who is given it cannot take off what is locked."""
    one = container(Config().sleeping().mount("/srv", "tmpfs", "mine")).run_detached()
    admin = ["--cap", "CAP_SYS_ADMIN"]
    for command in [["mount", "--bind", "/bin", "/tmp"], ["mount", "-t", "tmpfs", "more", "/srv"], ["umount", "/srv"]]:
        assert re.search("not permitted|denied", one.exec("busybox", *command).stderr)
    for path in ["/srv", "/proc/keys", "/proc/sys"]:
        assert "Invalid argument" in one.exec("busybox", "umount", path, options=admin).stderr
    for command in [["mount", "-t", "tmpfs", "more", "/srv"], ["umount", "/srv"], ["mount", "-t", "proc", "more", "/srv"]]:
        one.output_of("busybox", *command, options=admin)


# It forks nothing, as it may not.
LEAVES = """
exec 5</proc
exec busybox unshare -Um sh -c '
cd /proc/self/fd/5
true >>sys/kernel/core_pattern && echo open
echo end'
"""
LEAVES_LATER = f"""
echo holds
until [ -e /gone ]; do sleep 0.1; done
{LEAVES}"""


def leaves(one, prefix=()):
    result = one.runtime.call("run", "--bundle", one.bundle.path, one.id, prefix=prefix)
    assert result.stdout == "end\n" and "core_pattern: Read-only file system" in result.stderr, str(result)


@needs_privileged_namespaces
def test_leave_what_somebody_with_few_capabilities_has_made(container):
    """As a service with a bounding set calls us."""
    leaves(container(Config().script(LEAVES)), FEW_CAPABILITIES)


@needs_privileged_namespaces
@needs_controller("pids")
def test_leave_where_there_is_one_process(container):
    """linux.resources.pids.limit: what we fork for the locks does not count."""
    leaves(container(Config().script(LEAVES).resource("pids", limit=1)))


@needs_privileged_namespaces
@needs_controller("pids")
def test_join_mounts_where_there_is_one_process(container):
    """linux.resources.pids.limit: nor where the rootfs is handed over."""
    first = container(Config().sleeping()).run_detached()
    config = Config().sleeping().set("root.path", "/other").namespace("mount", f"/proc/{first.pid}/ns/mnt")
    second = container(config.resource("pids", limit=1))
    shutil.copytree(second.bundle.rootfs, first.bundle.rootfs / "other", symlinks=True)
    second.run_detached()


FILLS = """
import os, time
while True:
    try:
        if os.fork() == 0:
            os.execvp("sleep", ["sleep", "1000"])
    except BlockingIOError:
        open("/run/full", "w").close()
        time.sleep(0.1)
"""


@needs_privileged_namespaces
@needs_controller("pids")
def test_leave_where_others_have_filled_the_slice(container):
    """linux.cgroupsPath: as in a pod with a limit, by another container of it."""
    systemctl("set-property", "--runtime", "test-pod.slice", "TasksMax=40")
    full = Path("/run/full")
    with TransientUnit("fills", ["python3", "-c", FILLS], "Slice=test-pod.slice"):
        until(full.exists, "nobody forks in there")
        leaves(container(Config().script(LEAVES).set("linux.cgroupsPath", "test-pod.slice:test:leaves")))
    full.unlink()
    systemctl("stop", "test-pod.slice", "test.slice")


@contextlib.contextmanager
def sysctl(path, value):
    path = Path("/proc/sys", path)
    before = path.read_text()
    path.write_text(value)
    try:
        yield
    finally:
        path.write_text(before)


@needs_privileged_namespaces
@needs_writable_sysctl
def test_leave_where_others_have_all_user_namespaces(container):
    """As many as uid 0 may have, which is that of other containers too."""
    echo = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True, "bufsize": 1}
    with (sysctl("user/max_user_namespaces", "1"), subprocess.Popen(["unshare", "--user", "cat"], **echo) as owner):
        owner.stdin.write("there\n")
        assert owner.stdout.readline() == "there\n"
        assert subprocess.run(["unshare", "--user", "true"], check=False).returncode
        one = container(Config().script(LEAVES_LATER)).run_detached()
        one.wait_for_output("holds")
    one.bundle.inside("gone").touch()
    one.wait_for_output("end\n")
    assert re.fullmatch("holds\n.*core_pattern: Read-only file system\nend\n", one.output)


@needs_privileged_namespaces
@pytest.mark.parametrize("error, said", [
    (errno.ENOSPC, "(sysctl user.max_user_namespaces): no space left on device"),
    (errno.EAGAIN, "(limit of processes of the cgroup): resource temporarily unavailable"),
], ids=["ENOSPC", "EAGAIN"])
def test_create_where_there_is_no_user_namespace_left(container, error, said):
    """It is an error, as it is no reason for going on unlocked."""
    one = container(Config().sleeping())
    message = one.runtime.fails("create", "--bundle", one.bundle.path, one.id, prefix=without_user_namespaces(error))
    assert message.endswith(said)


NOT_LOCKED = "its mounts are not locked together, as there can be no user namespaces here"


def mounts_of(container, prefix=()):
    one = container(Config("cat", "/proc/self/mounts").mount("/srv", "tmpfs", "mine"))
    return one.runtime.call("--log-level=info", "run", "--bundle", one.bundle.path, one.id, prefix=prefix)


@needs_privileged_namespaces
@pytest.mark.parametrize("error", [errno.EPERM, errno.EINVAL, errno.ENOSYS], ids=errno.errorcode.get)
def test_where_there_are_no_user_namespaces(container, error):
    """It is as it would be without, and --log-level=info says so."""
    locked, without = mounts_of(container), mounts_of(container, without_user_namespaces(error))
    assert NOT_LOCKED in without.stderr and NOT_LOCKED not in locked.stderr
    assert sorted(without.stdout.splitlines()) == sorted(locked.stdout.splitlines()) and " /srv " in locked.stdout


@needs_privileged_namespaces
@needs_writable_sysctl
def test_where_user_namespaces_are_forbidden(container):
    """The same by the sysctl user.max_user_namespaces."""
    with sysctl("user/max_user_namespaces", "0"):
        assert NOT_LOCKED in mounts_of(container).stderr


@needs_privileged_namespaces
def test_run_beside_it_in_a_user_namespace(watching, container):
    watcher = watching()
    one = container(beside(watcher, Config("true").mapped_users()))
    one.bundle.give_to(100000)
    for _ in rounds(watcher, RUNS):
        one.runtime("run", "--bundle", one.bundle.path, one.id)
    check(watcher)


def test_create_beside_it(watching, container):
    """It is looked at also while it waits, and its hooks, which are programs of the host."""
    watcher = watching()
    one = container(beside(watcher, Config("true").hook("createContainer", "/bin/true").hook("createRuntime", "/bin/true")))
    for _ in rounds(watcher, RUNS):
        one.create(prefix=NOTIFYING).start().wait_for_end()
        one.delete()
    check(watcher)


def test_join_its_mounts(watching, container):
    """linux.namespaces[].path: what it sees of the rootfs is complete, as is what it sees by a procfs in there."""
    watcher = watching("rootfs")
    config = Config().sleeping().set("root.path", "/other").namespace("mount", f"/proc/{watcher.pid}/ns/mnt")
    if user.ORDINARY:
        config.remove("linux.uidMappings").remove("linux.gidMappings").namespace("user", f"/proc/{watcher.pid}/ns/user")
    one = container(config)
    shutil.copytree(one.bundle.rootfs, watcher.bundle.rootfs / "other", symlinks=True)
    for number in itertools.count():
        if number >= MADE and {"first helper", "first rootfs"} <= set(watcher.output.splitlines()):
            break
        one.create()
        one.start()
        assert one.output_of("cat", "/proc/keys") == ""
        with stopped(watcher.pid):  # until it is gone as a whole: what is unmounted may be looked at a moment longer
            one.delete("--force")
    check(watcher)


@contextlib.contextmanager
def stopped(pid):
    os.kill(pid, signal.SIGSTOP)
    until(lambda: process.status(pid)["State"][0] == "T", "it stands still")
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


@pytest.fixture
def looking(container):
    """Makes a container in which the watcher may look at the first process."""
    def make(config):
        one = container(attacker(config))
        shutil.copy(PROGRAMS / "watcher", one.bundle.rootfs / "watcher")
        return one
    return make


def looked(output):
    got = findings(output)
    assert not got, "\n".join(got)
    assert "first helper" in output or user.ORDINARY, output


def look_at_first(top):
    (top / "secret").write_text("the host's")
    (top / "secret").chmod(0o644)
    return command(top / "secret", "first", EVERY)


def test_hook_in_the_container(looking, top):
    """startContainer: a program of the image's, which sees who has brought the word to start, and by what."""
    script = f"exec {' '.join(look_at_first(top))} >/found"
    one = looking(Config("true").hook("startContainer", "/bin/sh", "-c", script)).create(prefix=NOTIFYING).start()
    looked((one.bundle.rootfs / "found").read_text())


@needs_privileged_namespaces
def test_exec_into_one_that_waits(looking, top):
    one = looking(Config("true")).create(prefix=NOTIFYING)
    looked(one.output_of(*look_at_first(top)))


@needs_privileged_namespaces
@pytest.mark.parametrize("verb", ["run", "exec"])
def test_end_that_is_kept(watching, container, tmp_path, verb):
    """A tracer in the container hears of the end of a process, and does not collect it. A signal ends the wait for it."""
    watcher = watching("keep")
    one = container(beside(watcher, Config("cat")))
    words = ["run", "--bundle", one.bundle.path, one.id] if verb == "run" else ["exec", watcher.id, "cat"]
    log = tmp_path / "log"
    with watcher.runtime.start_process("--log", log, "--log-level=info", *words, stdin=subprocess.PIPE,
                                       stderr=subprocess.PIPE) as waiting:
        try:
            watcher.wait_for_output("keeps")
            until(lambda: re.search("the (command|program) runs", log.read_text(encoding="utf-8")), "the verb knows that it runs")
            waiting.stdin.close()
            waiting.stdin = None
            until(lambda: [pid for pid in process.every_pid() if process.is_zombie_of(pid, waiting.pid)], "its process has ended")
            waiting.terminate()
            _, error = waiting.communicate(timeout=DEADLINE)
        finally:
            waiting.kill()
    assert waiting.returncode != 0 and b"keeps how" in error, error
    if verb == "run":
        one.runtime("delete", "--force", one.id)


@needs_privileged_namespaces
def test_pipe_that_is_full(watching, container, top):
    """The launcher says by a pipe that the process may go on, which the container fills before: no reason to hang. An agent
    that does not accept, as one connection waits for it already, keeps the launcher until then."""
    watcher = watching("fill")
    path = str(top / "deaf.sock")
    with socket.socket(socket.AF_UNIX) as agent, socket.socket(socket.AF_UNIX) as before:
        agent.bind(path)
        agent.listen(0)
        before.connect(path)
        config = beside(watcher, Config("true"))
        config.seccomp(defaultAction="SCMP_ACT_ALLOW", listenerPath=path,
                       syscalls=[{"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_NOTIFY"}])
        one = container(config)
        with one.runtime.start_process("run", "--bundle", one.bundle.path, one.id, stdin=subprocess.DEVNULL,
                                       stderr=subprocess.PIPE) as run:
            try:
                watcher.wait_for_output("filled")
                agent.accept()[0].close()
                connection = agent.accept()[0]
                connection.recv(1)  # who is gone before he was told is another error
                connection.close()
                _, error = run.communicate(timeout=DEADLINE)
            finally:
                run.kill()
    assert run.returncode != 0 and b"filled its pipe" in error, error
    assert one.id not in [c["id"] for c in one.runtime.list()]


KEEPS_VOLUME = "while [ ! -e /go ]; do sleep 0.1; done; busybox mv /volume/sub /volume/x; exec /hold-lock directory /volume"


@locks.needs_power
def test_delete_waits_for_no_mount_namespace_that_is_kept(keeper, container):
    """Who is in there keeps a directory on the way to the rootfs, which is to be unmounted."""
    first = keeper(Config().script(KEEPS_VOLUME)).run_detached()
    config = Config().sleeping().set("root.path", "/volume/sub/rootfs")
    second = container(config.namespace("mount", f"/proc/{first.pid}/ns/mnt"))
    shutil.copytree(second.bundle.rootfs, first.bundle.inside("volume/sub/rootfs"), symlinks=True)
    second.run_detached()
    first.bundle.inside("go").touch()
    first.wait_for_output("held")
    assert locks.call(second, "delete", "--force", second.id) == 0


@locks.needs_power
def test_exec_that_waits_for_a_directory_is_ended_by_a_signal(keeper):
    one = keeper(Config("/hold-lock", "directory", "/")).run_detached().wait_for_output("held")
    child = one.runtime.start_process("exec", one.id, "/nosuch", stdin=subprocess.DEVNULL)
    until(lambda: any(is_kept(pid) for pid in process.every_pid()), "what exec has forked waits")
    child.terminate()
    assert locks.end_of(child) > 0


def is_kept(pid):
    try:
        return process.comm(pid) == "ocirt-sd-init" and process.status(pid)["State"][0] == "D"
    except OSError:  # it has ended
        return False
