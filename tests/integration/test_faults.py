# SPDX-License-Identifier: LGPL-2.1-or-later
"""Faults: killed at every so many system calls, errors from the kernel, no descriptors, no space, peers that hang."""

import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import threading
import time
from collections import Counter
from pathlib import Path

import pytest

from harness import process, systemd, user
from harness.config import Config
from harness.holder import Holder
from harness.leftovers import Watch
from harness.needs import needs_insight, needs_mounts, needs_ocirt_sd, needs_privileged_namespaces
from harness.runtime import Runtime
from harness.wait import DEADLINE, until

pytestmark = needs_ocirt_sd
FORCE_DEADLINE = 25  # less than the 30 s that systemd is given for a job: nothing of it may be waited for


def system_calls(command, directory):
    """[(name, n)]: the n-th call of that name, in order, of a command that succeeds."""
    trace = directory / "trace"
    subprocess.run(["strace", "-qq", "-o", trace, *command], check=True, stdin=subprocess.DEVNULL,
                   stdout=subprocess.DEVNULL, timeout=DEADLINE)
    names = re.findall(r"^(\w+)\(", trace.read_text(errors="replace"), re.MULTILINE)
    counted = Counter()
    points = []
    for name in names:
        counted[name] += 1
        points.append((name, counted[name]))
    return points


def inject(command, call, number, fault, log):
    """The exit status of the command when its n-th call of that name meets with this; its words are in the log."""
    tracer = ["strace", "-qq", "-o", "/dev/null", "-e", f"trace={call}", "-e", f"inject={call}:{fault}:when={number}"]
    with log.open("wb") as output:
        return subprocess.run([*tracer, *command], check=False, stdin=subprocess.DEVNULL, stdout=output, stderr=output,
                              timeout=DEADLINE).returncode


def delete_by_force(one):
    """Twice; neither may fail, say anything or take long. How long the first took."""
    begin = time.monotonic()
    first = one.runtime.call("delete", "--force", one.id)
    took = time.monotonic() - begin
    second = one.runtime.call("delete", "--force", one.id)
    assert (first.status, first.stderr, second.status, second.stderr) == (0, "", 0, ""), f"{first}{second}"
    assert took < FORCE_DEADLINE
    return took


@pytest.fixture
def bystander(container):
    """A container in the same slice, which must not notice anything."""
    one = container().run_detached()
    pid = one.pid
    yield one
    assert (one.status, one.pid) == ("running", pid)


# --- F1: SIGKILL

def prepare(one, verb):
    if verb == "start":
        one.create()
    elif verb == "delete":
        one.run_detached().kill("KILL")
        one.wait_for_end()
    elif verb not in ("create", "run"):
        one.run_detached()
    if verb == "resume":
        one.runtime("pause", one.id)


def command_of(one, verb):
    options = {"create": ["--bundle", one.bundle.path], "run": ["--detach", "--bundle", one.bundle.path],
               "delete --force": ["--force"]}
    words = ["/bin/true"] if verb == "exec" else []
    return one.runtime.command(verb.split()[0], *options.get(verb, []), one.id, *words)


@pytest.mark.parametrize("verb, points", [("create", 12), ("run", 8), ("start", 5), ("delete", 4), ("delete --force", 6),
                                          ("pause", 3), ("resume", 4), ("exec", 4)])
def test_killed_at_any_system_call(container, bystander, verb, points):
    one = container()
    prepare(one, verb)
    calls = system_calls(command_of(one, verb), one.bundle.path)[10:]
    delete_by_force(one)
    watch = Watch(one.runtime.root)
    for call, number in calls[::max(1, len(calls) // points)]:
        prepare(one, verb)
        inject(command_of(one, verb), call, number, "signal=KILL", one.log)
        delete_by_force(one)
        assert watch.found() == [], (call, number)


def launcher_of(service):
    """Who makes the process of a service, or None: it is not there yet, or has gone."""
    with contextlib.suppress(OSError, ValueError):
        pid = int(systemd.show(service, "MainPID")["MainPID"])
        command = Path(f"/proc/{pid}/cmdline").read_text(encoding="utf-8", errors="replace")
        return pid if "service-start" in command else None
    return None


@pytest.mark.parametrize("restart", ["no", "always"])
def test_the_launcher_of_a_service_is_killed_at_any_moment(container, bystander, restart):
    """What comes of it is nothing, or a container that is known: who asked is told which."""
    one = container()
    service = f"ocirt-sd-{one.id}.service"
    command = one.runtime.command("run", "--supervise", "--restart", restart, "--bundle", one.bundle.path, one.id)
    watch = Watch(one.runtime.root)
    ends = Counter()
    for number in range(24):
        with one.log.open("wb") as output, subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output,
                                                            stderr=output) as asking:
            pid = until(lambda: asking.poll() is not None or launcher_of(service), "systemd calls us")
            time.sleep(number * 0.0004)  # not a wait: a moment of the start
            if pid is not True:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            status = asking.wait(timeout=DEADLINE)
        known = (one.runtime.root / one.id).exists()
        assert known == (status == 0), one.output
        if known:
            one.wait_until("running", "stopped")
        ends[status] += 1
        delete_by_force(one)
        assert watch.found() == [], number
    assert len(ends) > 1 or user.UID, ends


def session_of(one, name):
    return systemd.show(f"ocirt-sd-{one.id}:{name}.service", "LoadState")["LoadState"]


@pytest.mark.parametrize("fault", ["signal=KILL", "error=EIO"])
def test_who_asks_for_a_session_meets_a_fault_at_any_system_call(container, bystander, fault):
    """There is no session then, or one that is known, and can be taken away."""
    one = container(Config("sleep", "1000"))
    one.runtime("run", "--supervise", "--bundle", one.bundle.path, one.id)
    first = one.state()["pid"]
    command = one.runtime.command("exec", "--detach", "--name", "x", one.id, "sleep", "1000")
    calls = system_calls(command, one.bundle.path)[10:]
    one.runtime("delete", "--force", "--session", "x", one.id)
    for call, number in calls[::max(1, len(calls) // 12)]:
        inject(command, call, number, fault, one.log)
        one.runtime("delete", "--force", "--session", "x", one.id)
        until(lambda: session_of(one, "x") == "not-found", "systemd has nothing of it")
        assert json.loads(one.runtime("ps", "--sessions", "--format", "json", one.id)) == [], (call, number)
        until(lambda: process.members(process.cgroup(first)) == [first], "its process ends")
    assert one.state()["pid"] == first


@needs_privileged_namespaces
@pytest.mark.parametrize("verb", ["create", "run"])
def test_killed_at_any_system_call_of_joining_mounts(container, verb):
    """Others are in that mount namespace, to whom it is what it was."""
    with Holder("--mount") as holder:
        def table():
            return Path(f"/proc/{holder.pid}/mountinfo").read_text()

        before = table()
        one = container(Config().sleeping().namespace("mount", holder.path("mount")))
        calls = system_calls(command_of(one, verb), one.bundle.path)
        assert table() != before
        delete_by_force(one)
        watch = Watch(one.runtime.root)
        for call, number in calls[len(calls) // 2::max(1, len(calls) // 48)]:
            inject(command_of(one, verb), call, number, "signal=KILL", one.log)
            delete_by_force(one)
            assert (table(), watch.found()) == (before, []), (call, number)


def test_killed_in_a_hook_of_the_container(container):
    """Without a pid namespace nothing but the cgroup knows of the hook."""
    config = Config().sleeping().without_namespace("pid").hook("createContainer", "/bin/sleep", "1000")
    one = container(config)
    creating = one.runtime.start_process("create", "--bundle", str(one.bundle.path), one.id)
    until(lambda: "sleep" in map(comm_or_nothing, descendants_and(creating.pid, one)), "the hook runs")
    creating.kill()
    creating.wait()
    delete_by_force(one)


# --- F2, F3: errors

@pytest.mark.parametrize("call, numbers", [("openat", range(12, 40, 5)), ("read", range(8, 20, 3)), ("renameat", [1, 2, 3]),
                                           ("mkdirat", [1]), ("socketpair", [1]), ("clone3", [1]), ("sendmsg", [2, 4]),
                                           ("getxattr", [1]), ("open_tree", [1])])
def test_an_error_of_the_kernel_is_survived_or_undone(container, call, numbers):
    for number in numbers:
        for error in ["EMFILE", "EIO"]:
            one = container()
            watch = Watch(one.runtime.root)
            command = one.runtime.command("create", "--bundle", one.bundle.path, one.id)
            if inject(command, call, number, f"error={error}", one.log) == 0:
                assert one.status == "created", (call, number, error)
            else:
                assert one.output.count("\n") == 1, (call, number, error, one.output)
                assert watch.found() == [], (call, number, error)
            delete_by_force(one)


def test_few_descriptors(container):
    """Each number is enough, or too little for anything to be left."""
    for number in range(4, 32):
        one = container()
        watch = Watch(one.runtime.root)
        command = one.runtime.command("create", "--bundle", one.bundle.path, one.id)
        with one.log.open("wb") as log:
            status = subprocess.run(["prlimit", f"--nofile={number}", *command], check=False, stdin=subprocess.DEVNULL,
                                    stdout=log, stderr=log, timeout=DEADLINE).returncode
        if status == 0:
            assert one.status == "created", number
        else:
            assert "too many open files" in one.output and one.output.count("\n") == 1, (number, one.output)
            assert watch.found() == [], number
        delete_by_force(one)
    assert status == 0


@needs_insight
@pytest.mark.parametrize("closed", ["0<&-", "1>&-", "2>&-", "0<&- 1>&- 2>&-"])
def test_closed_standard_descriptors(container, closed):
    """Nothing of ours takes their place."""
    one = container()
    command = one.runtime.command("create", "--bundle", one.bundle.path, "--pid-file", one.pid_file, one.id)
    subprocess.run(["sh", "-c", f'exec {closed}; exec "$@"', "sh", *command], check=True, stdin=subprocess.DEVNULL,
                   timeout=DEADLINE)
    assert {number for number in process.descriptors(one.pid) if number < 3} == {0, 1, 2}
    for number, target in process.descriptors(one.pid).items():
        assert number > 2 or one.id not in target
    assert one.status == "created"


@needs_mounts
@pytest.mark.parametrize("options", ["size=4k", "nr_inodes=2", "nr_inodes=3", "nr_inodes=4", "nr_inodes=5", "ro"])
def test_no_space_for_the_state(container, bundles, options):
    one = container()
    place = bundles.scratch("small")
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "small", place], check=True)
    try:
        words = ["create", "--bundle", one.bundle.path, one.id]
        result = subprocess.run(["ocirt-sd", "--root", place, "--systemd-cgroup", *words], check=False, text=True,
                                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, timeout=DEADLINE)
        assert result.returncode == 1 and result.stderr.count("\n") == 1, result.stderr
        assert os.listdir(place) == []
    finally:
        subprocess.run(["umount", place], check=True)


# --- F4: systemd

def test_delete_of_a_paused_container(container):
    """systemd refuses to stop a frozen unit, or has removed the cgroup before its end was reported."""
    one = container()
    for _ in range(20):
        one.run_detached()
        one.runtime("pause", one.id)
        delete_by_force(one)


def test_a_frozen_slice(container):
    one = container(Config().sleeping().set("linux.cgroupsPath", "testfrozen.slice:test:frozen")).run_detached()
    systemd.systemctl("freeze", "testfrozen.slice")
    try:
        assert one.status == "paused"
        delete_by_force(one)
    finally:
        systemd.systemctl("thaw", "testfrozen.slice", check=False)


def test_systemctl_stop_of_a_created_container(container):
    """It goes by itself, and is not killed by systemd after a while."""
    one = container().create()
    systemd.stop(one.unit)
    assert one.status == "stopped"
    assert os.waitstatus_to_exitcode(os.waitpid(one.pid, 0)[1]) != -signal.SIGKILL


def kill_a_create_that_waits_for_systemd(one):
    command = one.runtime.command("create", "--bundle", one.bundle.path, one.id)
    inject(command, "poll", 1, "signal=KILL", one.log)


def test_a_scope_of_somebody_else_is_left_by_force(container):
    one = container(Config().sleeping().set("linux.cgroupsPath", "system.slice:test:foreign"))
    with systemd.TransientUnit("test-holder.service", ["systemd-run", *user.OPTIONS, "--scope", "--unit=test-foreign.scope", "sleep", "1000"]):
        until(lambda: systemd.is_loaded("test-foreign.scope"), "it runs")
        before = systemd.show("test-foreign.scope", "InvocationID", "ActiveState")
        assert "test-foreign.scope" in one.runtime.fails("create", "--bundle", one.bundle.path, one.id)
        kill_a_create_that_waits_for_systemd(one)
        delete_by_force(one)
        assert systemd.show("test-foreign.scope", "InvocationID", "ActiveState") == before
        systemd.stop("test-foreign.scope")


def test_a_container_of_another_root_is_left_by_force(container, top):
    """Of the same id, so of the same unit, and still waiting to be started."""
    one = container()
    other = Runtime(top / "other-state")
    other("create", "--bundle", one.bundle.path, one.id)
    try:
        kill_a_create_that_waits_for_systemd(one)
        delete_by_force(one)
        assert json.loads(other("state", one.id))["status"] == "created"
    finally:
        other("delete", "--force", one.id)


@contextlib.contextmanager
def silent_bus(bundles):
    """A socket that is listened on and no more, and an environment in which it is the bus."""
    with socket.socket(socket.AF_UNIX) as bus:
        directory = bundles.scratch("run") / "systemd"
        directory.mkdir()
        bus.bind(str(directory / "private"))
        bus.listen()
        yield bus, os.environ | {"XDG_RUNTIME_DIR": str(directory.parent),
                                 "DBUS_SYSTEM_BUS_ADDRESS": f"unix:path={directory}/private"}


def test_a_bus_that_never_answers(container, bundles):
    """There is a deadline, and nothing is left."""
    one = container()
    watch = Watch(one.runtime.root)
    with silent_bus(bundles) as (_, environment):
        assert "does not answer" in one.runtime.fails("create", "--bundle", one.bundle.path, one.id, env=environment)
    assert watch.found() == []


def test_an_id_that_is_taken_is_no_work_for_systemd(container, bundles):
    """A user's systemd starts no scope as long as there are connections to be greeted."""
    one = container().create()
    with silent_bus(bundles) as (bus, environment):
        assert "already exists" in one.runtime.fails("run", "--bundle", one.bundle.path, one.id, env=environment)
        bus.setblocking(False)
        with pytest.raises(BlockingIOError):
            bus.accept()


# --- F5: many at once

def test_many_at_one_id(container):
    """One creator wins, nobody waits for ever, and what is said of the state is never wrong or garbled."""
    one = container()
    seen, end = Counter(), time.monotonic() + 4

    def goes_on():
        """Where a call takes half a second, not much has been seen after that time."""
        return time.monotonic() < end or (time.monotonic() < end + DEADLINE and not seen_enough())

    def seen_enough():
        return seen["run", 0] + seen["create", 0] > 1 and seen["delete", 0] > 1

    def worker(words):
        while goes_on():
            result = one.runtime.call(*words, one.id)
            if words[0] == "state" and result.status == 0:
                assert json.loads(result.stdout)["id"] == one.id
            if result.status and result.stderr.count("\n") != 1:
                seen["bad words"] += 1
                seen[str(result)] += 1
            seen[words[0], result.status] += 1

    verbs = [["run", "--detach", "--bundle", one.bundle.path]] * 2 + [
        ["create", "--bundle", one.bundle.path], ["start"], ["kill", "--all"], ["pause"], ["resume"], ["state"],
        ["delete"], ["delete", "--force"]]
    threads = [threading.Thread(target=worker, args=[words]) for words in verbs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(3 * DEADLINE)
    assert not any(thread.is_alive() for thread in threads) and not seen["bad words"], seen
    assert seen_enough(), seen


def test_a_creator_that_is_overtaken(container):
    """Its directory is deleted before it has it locked, and another creator makes one of that name."""
    one = container()
    create = one.runtime.command("create", "--bundle", one.bundle.path, one.id)
    tracer = ["strace", "-qq", "-o", "/dev/null", "-e", "trace=mkdirat", "-e", "inject=mkdirat:signal=SIGSTOP:when=1"]
    with one.log.open("wb") as log:
        slow = subprocess.Popen([*tracer, *create], stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    until((one.runtime.root / one.id).exists, "it has made the directory")
    stopped = next(pid for pid in process.every_pid() if process.parent(pid) == slow.pid)
    until(lambda: process.is_stopped(stopped), "it is stopped")
    assert "does not exist" in one.runtime.fails("state", one.id)
    one.runtime("delete", "--force", one.id)
    other = container(name=one.id).run_detached()
    os.kill(stopped, signal.SIGCONT)
    assert slow.wait(DEADLINE) > 0 and "already exists" in one.output
    assert other.status == "running"


def test_a_hook_does_not_outlive_its_runtime(container, bundles):
    """Which is killed before the hook's process has asked to be killed with it."""
    note = bundles.scratch("hook") / "note"
    one = container(Config().sleeping().hook("poststop", "/bin/sh", "-c", f"touch {note}")).run_detached()
    delete = one.runtime.command("delete", "--force", one.id)
    tracer = ["strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace=prctl", "-e", "inject=prctl:signal=SIGSTOP:when=1"]
    with subprocess.Popen([*tracer, *delete], stdin=subprocess.DEVNULL) as traced:
        stopped = []

        def find():
            """Those stop which ask for the first time: the program itself goes on."""
            for pid in process.every_pid():
                if process.is_stopped(pid) and process.comm(pid).startswith("ocirt-sd"):
                    if process.parent(pid) == traced.pid:
                        os.kill(pid, signal.SIGCONT)
                    else:
                        stopped.append(pid)
            return stopped

        until(find, "its process is there, and stopped")
        os.kill(process.parent(stopped[0]), signal.SIGKILL)
        until(lambda: process.parent(stopped[0]) in (1, os.getpid(), traced.pid), "its runtime is not there any more")

        def ends():
            """What was seen may have been a stop by the tracer, and the one by the signal comes after it."""
            with contextlib.suppress(ProcessLookupError):
                if process.is_stopped(stopped[0]):
                    os.kill(stopped[0], signal.SIGCONT)
            return not process.is_alive(stopped[0])

        until(ends, "it has ended")
    assert not note.exists()


def test_state_never_takes_a_new_container_for_a_stopped_one(container):
    """Between reading the record and looking for the lock it may have been committed."""
    one = container()
    for _ in range(10):
        seen = set()
        creating = one.runtime.start_process("create", "--bundle", one.bundle.path, one.id, stdin=subprocess.DEVNULL,
                                             stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while creating.poll() is None:
            result = one.runtime.call("state", one.id)
            if result.status == 0:
                seen.add(json.loads(result.stdout)["status"])
        assert seen <= {"creating", "created"}
        delete_by_force(one)


# --- F6: who hangs

@pytest.mark.parametrize("kind", ["prestart", "createContainer", "startContainer", "poststart"])
def test_a_hook_that_hangs_does_not_keep_the_container(container, kind):
    """The verb that waits for it has the lock."""
    one = container(Config().sleeping().hook(kind, "/bin/sleep", "1000"))
    if kind in ("startContainer", "poststart"):
        one.create()
    words = ["start", one.id] if kind in ("startContainer", "poststart") else ["create", "--bundle", one.bundle.path, one.id]
    waiting = one.runtime.start_process(*words, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                        stderr=subprocess.DEVNULL)
    until(lambda: "sleep" in map(comm_or_nothing, descendants_and(waiting.pid, one)), "the hook runs")
    delete_by_force(one)
    waiting.wait(10)


def comm_or_nothing(pid):
    try:
        return process.comm(pid)
    except OSError:
        return ""


def descendants_and(pid, one):
    """Children of the verb, and what is in the container's cgroup."""
    for other in process.every_pid():
        try:
            if process.parent(other) == pid or f"-{one.id}.scope" in process.cgroup(other):
                yield other
        except (OSError, StopIteration):
            continue


def test_a_terminal_that_is_not_read(container):
    """What is typed waits outside; what the container says goes on."""
    script = "i=0; while [ $i -lt 2000 ]; do echo a line of output; i=$((i+1)); done; cat > /dev/null; echo done"
    one = container(Config().script(script).terminal())
    result = one.runtime.call("run", "--bundle", one.bundle.path, one.id, input=b"a line of input\n" * 10000)
    assert result.status == 0 and result.stdout.endswith("done\n")


CGROUP_RW = ["nosuid", "noexec", "nodev", "rw"]


def test_exec_beside_a_frozen_process(container):
    """Born in a cgroup that the container froze, it would never answer."""
    script = "cd /sys/fs/cgroup; mkdir f; { sleep 0.2; echo 1 > f/cgroup.freeze; } & echo $$ > f/cgroup.procs; wait"
    config = Config().script(script).without_mount("/sys/fs/cgroup")
    one = container(config.mount("/sys/fs/cgroup", "cgroup", "cgroup", *CGROUP_RW)).run_detached()
    until(lambda: process.cgroup_file(one.cgroup, "cgroup.events").endswith("frozen 1"), "it is frozen")
    assert "frozen" in one.runtime.call("exec", one.id, "/bin/true").stderr
    delete_by_force(one)


def test_a_tree_of_cgroups_that_is_too_deep_for_systemd(container):
    script = "cd /sys/fs/cgroup; i=0; while [ $i -lt 300 ]; do mkdir d && cd d; i=$((i+1)); done; echo there; sleep 1000"
    config = Config().script(script.replace("mkdir", "busybox mkdir")).without_mount("/sys/fs/cgroup")
    one = container(config.mount("/sys/fs/cgroup", "cgroup", "cgroup", *CGROUP_RW)).run_detached()
    one.wait_for_output("there")
    delete_by_force(one)
