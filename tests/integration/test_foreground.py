# SPDX-License-Identifier: LGPL-2.1-or-later
"""run and exec in the foreground: bytes, exit statuses, signals."""

import contextlib
import os
import signal
import subprocess
from pathlib import Path

import pytest

from harness import process, user
from harness.config import Config
from harness.wait import DEADLINE, until

BYTES = bytes(range(256)) * 4000


def test_run_passes_bytes_unchanged(container):
    """In both directions and apart from each other."""
    one = container(Config().script("echo to stderr >&2; exec cat"))
    command = one.runtime.command("run", "--bundle", one.bundle.path, one.id)
    done = subprocess.run(command, input=BYTES, capture_output=True, timeout=DEADLINE, check=False)
    assert done.returncode == 0
    assert done.stdout == BYTES
    assert done.stderr == b"to stderr\n"


@pytest.mark.parametrize("script, status", [("exit 0", 0), ("exit 3", 3), ("exit 255", 255),
                                            ("kill -TERM 0; kill -KILL $$; exit 1", 1)])
def test_run_returns_the_exit_status(run, script, status):
    """As PID 1 of its namespace a program cannot kill itself: the last one exits with 1."""
    assert run(script).status == status


def test_run_returns_128_and_the_signal(run):
    """Without a pid namespace of its own it can be killed by itself."""
    config = Config().script("kill -KILL $$").without_namespace("pid")
    config.without_mount("/proc").bind("/proc", "/proc", "rbind", "ro")
    assert run(config).status == 128 + signal.SIGKILL


def test_the_container_is_gone_when_run_returns(run, runtime):
    assert run("true").status == 0
    assert runtime.list() == []


def test_run_keeps_it_when_asked(container):
    one = container(Config("true"))
    one.runtime("run", "--keep", "--bundle", one.bundle.path, one.id)
    assert one.status == "stopped"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1,
                                    signal.SIGRTMIN + 3])
def test_signals_are_passed_on(container, number):
    number = int(number)
    script = f"trap 'echo got {number}; exit 5' {number}; echo up; while :; do sleep 1000 & " \
             "wait $!; done"
    one = container(Config().script(script))
    with one.log.open("wb") as log:
        child = one.runtime.start_process("run", "--bundle", one.bundle.path, one.id, stdout=log,
                                          stdin=subprocess.DEVNULL)
    one.wait_for_output("up")
    child.send_signal(number)
    assert child.wait(60) == 5
    assert one.output == f"up\ngot {number}\n"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
@pytest.mark.parametrize("verb", ["exec", "run"])
def test_a_signal_ends_what_does_not_run_yet(container, verb, number):
    """The container stops whatever is born in its pid namespace, so that it is never set up."""
    holder = container(Config().script("while :; do kill -STOP -1; done")).run_detached()
    one = container(joined(holder))
    arguments = ["exec", holder.id, "true"] if verb == "exec" else ["run", "--bundle", one.bundle.path, one.id]
    child = stopped_before_the_program(one.runtime, arguments)
    child.send_signal(number)
    message = child.communicate(timeout=DEADLINE)[1]
    assert child.returncode > 0 and "interrupted" in message
    assert not stopped_ones()
    assert [row["id"] for row in one.runtime.list()] == [holder.id]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
@pytest.mark.parametrize("kind", ["prestart", "createRuntime", "createContainer", "startContainer", "poststart"])
def test_a_signal_ends_a_hook(container, bundles, kind, number):
    """A hook that has no timeout and hangs, with what it has started; the container, and what its poststop hooks undo."""
    one, undone, child = hanging(container, bundles, kind)
    child.send_signal(number)
    message = child.communicate(timeout=DEADLINE)[1]
    assert child.returncode > 0 and "interrupted" in message and len(message.splitlines()) == 1, message
    until(lambda: not who_hangs(), "the end of the hook")
    assert undone.read_text() == "undone\n" and one.runtime.list() == []


def test_a_signal_ends_a_hook_that_cleans_up(container, bundles):
    """One that came before it is not meant for it; the exit status is the program's."""
    one, undone, child = hanging(container, bundles, "poststop")
    child.send_signal(signal.SIGTERM)
    message = child.communicate(timeout=DEADLINE)[1]
    assert child.returncode == 3 and "interrupted by signal 15" in message
    until(lambda: not who_hangs(), "the end of the hook")
    assert undone.read_text() == "undone\n" and one.runtime.list() == []


HANGS = 98765


def hanging(container, bundles, kind):
    """A container whose hook of this kind does not end, what its poststop hook writes to, and run, which waits."""
    place = bundles.scratch("hooks")
    undone = place / "undone"
    where = "/hooks" if kind == "startContainer" else place
    config = Config().script("exit 3" if kind == "poststop" else "sleep 1000").bind(place, "/hooks") \
        .hook(kind, "/bin/sh", "-c", f"sleep {HANGS} & echo > {where}/up; wait", env=["PATH=/bin:/usr/bin"]) \
        .hook("poststop", "/bin/sh", "-c", f"echo undone > {undone}", env=["PATH=/bin:/usr/bin"])
    one = container(config)
    child = one.runtime.start_process("run", "--bundle", one.bundle.path, one.id, stdin=subprocess.DEVNULL,
                                      stderr=subprocess.PIPE, text=True)
    until((place / "up").exists, f"the {kind} hook")
    return one, undone, child


def who_hangs():
    found = []
    for pid in process.every_pid():
        with contextlib.suppress(OSError):
            if str(HANGS).encode() in Path(f"/proc/{pid}/cmdline").read_bytes():
                found.append(pid)
    return found


def stopped_before_the_program(runtime, arguments):
    """The verb, whose process was stopped as long as it was ours. Who was faster runs the program, and is killed."""
    while True:
        child = runtime.start_process(*arguments, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        until(lambda: stopped_ones() or child.poll() is not None, "somebody to be stopped")
        names = {pid: process.comm(pid) for pid in stopped_ones()}
        if list(names.values()) == ["ocirt-sd-init"]:
            return child
        for pid in names:
            os.kill(pid, signal.SIGKILL)
        child.communicate(timeout=DEADLINE)


def joined(holder):
    config = Config("true").namespace("pid", f"/proc/{holder.pid}/ns/pid")
    if user.ORDINARY:
        config.remove("linux.uidMappings").remove("linux.gidMappings").namespace("user", f"/proc/{holder.pid}/ns/user")
    return config


def stopped_ones():
    """Those in a pid namespace below ours that have been stopped. What is ours lets its user read no more than its status."""
    found = []
    for pid in process.every_pid():
        with contextlib.suppress(OSError):
            status = process.status(pid)
            if status["State"][0] == "T" and len(status["NSpid"].split()) > 1:
                found.append(pid)
    return found


def test_what_the_container_leaves_running_ends_with_it(run):
    """The end of PID 1 is the end of all."""
    result = run("setsid sleep 1000 < /dev/null > /dev/null 2>&1 & echo done")
    assert result.stdout == "done\n" and result.status == 0


def test_a_killed_run_leaves_a_container_to_delete(container):
    one = container(Config().script("echo up; sleep 1000"))
    with one.log.open("wb") as log:
        child = one.runtime.start_process("run", "--bundle", one.bundle.path, "--pid-file",
                                          one.pid_file, one.id, stdout=log,
                                          stdin=subprocess.DEVNULL)
    one.wait_for_output("up")
    child.kill()
    child.wait()
    assert one.status in ("running", "stopped")
    pid = one.pid
    one.delete("--force")
    until(lambda: not process.is_alive(pid), "its end")


def test_run_with_stdin_closed(container):
    """0, 1 and 2 may be closed; what the container gets is no file of the runtime's."""
    one = container(Config().script("ls -l /proc/self/fd > /list; true"))
    shell = 'exec 0<&- 1>&- 2>&-; exec "$@"'
    command = one.runtime.command("run", "--bundle", one.bundle.path, one.id)
    done = subprocess.run(["sh", "-c", shell, "sh", *command], check=False, timeout=DEADLINE)
    assert done.returncode == 0
    listed = one.bundle.inside("list").read_text()
    leads_to = [line.split(" -> ")[1] for line in listed.splitlines() if " -> " in line]
    assert all(path in ("/dev/null", "/list") or path.startswith("/proc/") for path in leads_to)


def test_stdio_belongs_to_the_user(container):
    """So that a program may open /dev/stdout again; devices keep their owner."""
    config = Config().user(1000, 1000).script("echo again > /proc/self/fd/1; echo no >/dev/stderr")
    one = container(config)
    command = one.runtime.command("run", "--bundle", one.bundle.path, one.id)
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=DEADLINE,
                          check=False)
    assert (done.stdout, done.stderr) == (b"again\n", b"no\n")
    assert os.stat("/dev/null").st_uid == 0
