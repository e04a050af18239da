# SPDX-License-Identifier: LGPL-2.1-or-later
"""Terminals: through a console socket, and in front of a person."""

import array
import fcntl
import os
import signal
import socket
import subprocess
import termios

import pytest

from harness import process
from harness.config import Config
from harness.terminal import ConsoleSocket, InFrontOf
from harness.wait import DEADLINE, until


@pytest.fixture
def console(top):
    """A socket with a path longer than an address may be, as engines have them."""
    directory = top / ("d" * 100)
    directory.mkdir(exist_ok=True)
    with ConsoleSocket(str(directory / "console.sock")) as listener:
        yield listener


def shell():
    return Config("sh").terminal().env("PS1=$ ")


# --- console sockets

def test_the_master_comes_over_the_socket(container, console):
    """One message with one descriptor, sent before create ends; nobody answers it."""
    one = container(shell()).create("--console-socket", console.path)
    with console.terminal() as master:
        one.start()
        master.type(b"echo $((6*7)); tty; exit 3\n")
        assert b"42\r\n/dev/pts/0\r\n" in master.read_to_end()
    assert os.waitstatus_to_exitcode(os.waitpid(one.pid, 0)[1]) == 3


@pytest.mark.proves("process.terminal")
def test_the_terminal_is_the_containers_own(container, console):
    """0, 1 and 2, the controlling terminal, /dev/console; on its own devpts."""
    script = "stat -L -c %t:%T /proc/self/fd/0 /proc/self/fd/1 /proc/self/fd/2 /dev/console; " \
             "stat -c %u:%g:%a /dev/pts/0; echo to tty > /dev/tty; ls /dev/pts"
    one = container(Config().script(script).terminal().user(1000, 1000))
    one.create("--console-socket", console.path)
    with console.terminal() as master:
        one.start()
        lines = master.read_to_end().decode().split()
    assert lines[:4] == ["88:0"] * 4
    assert lines[4] in ("1000:5:620", "1000:1000:620")
    assert lines[5:] == ["to", "tty", "0", "ptmx"]


@pytest.mark.proves("process.consoleSize")
def test_the_size_of_the_terminal(container, console):
    config = Config("busybox", "stty", "size").terminal()
    one = container(config.set("process.consoleSize", {"height": 33, "width": 99}))
    one.create("--console-socket", console.path)
    with console.terminal() as master:
        one.start()
        assert master.read_to_end() == b"33 99\r\n"


def test_exec_with_a_console_socket(container, console):
    one = container().run_detached()
    one.runtime("exec", "--detach", "--tty", "--console-socket", console.path, one.id,
                "sh", "-c", "tty; echo $((6*7))")
    with console.terminal() as master:
        assert master.read_to_end() == b"/dev/pts/0\r\n42\r\n"


def test_a_detached_terminal_needs_a_socket(runtime, container):
    one = container(shell())
    for verb in [["create"], ["run", "--detach"]]:
        message = runtime.fails(*verb, "--bundle", one.bundle.path, one.id)
        assert "needs --console-socket; false here is one without a terminal" in message


def test_a_socket_needs_a_terminal(runtime, container, console):
    one = container()
    runtime.fails("create", "--bundle", one.bundle.path, "--console-socket", console.path, one.id)


def test_a_socket_that_nobody_listens_at(runtime, container, top):
    one = container(shell())
    path = top / "dead"
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))
    for candidate in [path, top / "missing"]:
        runtime.fails("create", "--bundle", one.bundle.path, "--console-socket", candidate, one.id)
    path.unlink()


# --- in the foreground

def in_front_of(one, *command):
    return InFrontOf(one.runtime.command(*command))


def test_run_in_a_terminal(container):
    """Raw while it runs, as before afterwards; the exit status comes through."""
    one = container(shell())
    with in_front_of(one, "run", "--bundle", str(one.bundle.path), one.id) as front:
        before = termios.tcgetattr(front.master.fd)
        front.master.read_until(b"$ ")
        assert front.is_raw()
        front.master.type(b"echo $((6*7)); tty\r")
        front.master.read_until(b"42\r\n/dev/pts/0\r\n")
        front.master.type(b"exit 5\r")
        front.master.read_until(b"exit 5")
        after = until(lambda: not front.is_raw() and termios.tcgetattr(front.master.fd),
                      "the terminal is as it was")
        assert after == before
        assert front.status() == 5


def test_keys_become_signals_of_the_container(container):
    script = "trap 'echo interrupted; exit 9' INT; echo up; while :; do sleep 1000 & wait $!; done"
    one = container(Config().script(script).terminal())
    with in_front_of(one, "run", "--bundle", str(one.bundle.path), one.id) as front:
        front.master.read_until(b"up")
        front.master.type(b"\x03")
        front.master.read_until(b"interrupted")
        assert front.status() == 9


def test_a_new_size_is_passed_on(container):
    script = "trap 'stty size' WINCH; stty size; while :; do sleep 1000 & wait $!; done"
    one = container(Config().script(script).terminal())
    with in_front_of(one, "run", "--bundle", str(one.bundle.path), one.id) as front:
        front.master.read_until(b"24 80")
        front.master.resize(50, 132)
        front.master.read_until(b"50 132")
        os.kill(front.pid, signal.SIGTERM)
        one.kill("KILL")
        assert front.status() == 128 + signal.SIGKILL


def test_the_size_is_there_when_the_program_looks(container):
    """A program that asks at once sees it, though a process of exec waits for nobody else."""
    one, other = container(Config("busybox", "stty", "size").terminal()), container().run_detached()
    for command in [["run", "--bundle", str(one.bundle.path), one.id]] * 5 + [
            ["exec", "--tty", other.id, "busybox", "stty", "size"]] * 15:
        with InFrontOf(["sh", "-c", 'stty rows 33 cols 77; exec "$@"', "sh", *one.runtime.command(*command)]) as front:
            assert front.master.read_to_end() == b"33 77\r\n" and front.status() == 0, command


def test_all_of_the_output_arrives(container):
    """Also what was written just before the end."""
    one = container(Config().script("seq 1 20000; echo the end").terminal())
    with in_front_of(one, "run", "--bundle", str(one.bundle.path), one.id) as front:
        text = front.master.read_to_end()
        assert front.status() == 0
    assert text.splitlines() == [b"%d" % n for n in range(1, 20001)] + [b"the end"]


@pytest.mark.parametrize(("text", "answer"), [(b"", "$ "), (b"echo $((6*7))\n", "42\n")])
def test_the_end_of_the_input(container, text, answer):
    """Of a shell that is not there yet, in front of whom nobody sits."""
    one = container(shell())
    assert answer in one.runtime("run", "--bundle", str(one.bundle.path), one.id, input=text)


def test_an_input_that_has_ended_stays_so(container):
    """One reader takes an end away from the next one, one in raw mode reads what stands for it."""
    script = """cat; cat; stty raw; until [ "$(head -c 1 | od -An -tx1)" = " 04" ]; do :; done; echo told"""
    one = container(Config().script(script).terminal())
    assert "told" in one.runtime("run", "--bundle", str(one.bundle.path), one.id, input=b"")


def test_exec_in_a_terminal(container):
    """A pty of the container's, not the caller's (which it could type into)."""
    one = container().run_detached()
    script = "tty; test -t 0 && test -t 1 && echo yes; exit 4"
    with in_front_of(one, "exec", "-t", one.id, "sh", "-c", script) as front:
        text = front.master.read_to_end()
        assert front.status() == 4
    assert text == b"/dev/pts/0\r\nyes\r\n"


def test_output_that_goes_elsewhere(container):
    """A terminal's lines end with CR and LF for a terminal; a file gets them as the program wrote them."""
    one = container(Config("sh", "-c", "echo a; echo b; tty").terminal())
    assert one.runtime("run", "--keep", "--bundle", one.bundle.path, one.id) == "a\nb\n/dev/pts/0\n"
    other = container().run_detached()
    for _ in range(15):
        assert other.output_of("sh", "-c", "echo a; echo b", options=["--tty"]) == "a\nb\n"


@pytest.fixture
def into_a_pipe(container):
    """A script in a terminal, by run or by exec, whose output goes into a pipe of one page: a Popen."""
    def start(verb, script):
        one = container(Config().script(script).terminal() if verb == "run" else None)
        command = ["run", "--bundle", one.bundle.path, one.id]
        if verb == "exec":
            one.run_detached()
            command = ["exec", "--tty", one.id, "sh", "-c", script]
        ours, theirs = os.pipe()
        fcntl.fcntl(ours, fcntl.F_SETPIPE_SZ, 4096)
        with open(theirs, "wb") as output:
            child = one.runtime.start_process(*command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.PIPE)
        child.stdout = open(ours, "rb")
        return child
    return start


VERBS = ["run", "exec"]


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("trap, status", [("trap 'exit 7' HUP", 7), ("trap '' HUP", 5)])
def test_a_reader_that_goes_away(into_a_pipe, verb, trap, status):
    """As in `run | head -1`: the container's terminal hangs up, and the exit status is that of the program, whatever it does."""
    child = into_a_pipe(verb, f"{trap}; echo up; while echo more; do :; done; exit 5")
    assert child.stdout.readline() == b"up\n"
    child.stdout.close()
    assert child.wait(DEADLINE) == status and child.stderr.read() == b""


@pytest.mark.parametrize("verb", VERBS)
def test_a_reader_that_does_not_read(into_a_pipe, verb):
    """All is there once it does."""
    child = into_a_pipe(verb, "trap 'echo; echo got it; exit 7' TERM; while :; do echo more; done")
    until(lambda: is_full(child.stdout), "a full pipe")
    child.send_signal(signal.SIGTERM)
    lines = child.stdout.read().splitlines()
    assert set(lines[:-2]) <= {b"more", b""} and lines[-1] == b"got it"
    assert child.wait(DEADLINE) == 7


@pytest.mark.parametrize("verb", VERBS)
def test_a_reader_that_never_reads(into_a_pipe, verb):
    """The first signal is for the program. Its output is kept until there is another."""
    child = into_a_pipe(verb, "trap 'exit 7' TERM; while :; do echo more; done & wait")
    until(lambda: is_full(child.stdout), "a full pipe")
    until(lambda: child.send_signal(signal.SIGTERM) or child.poll() is not None, "its end")
    assert child.returncode == 7 and child.stderr.read() == b""


def is_full(pipe):
    """A pipe of one page that is not empty."""
    there = array.array("i", [0])
    fcntl.ioctl(pipe, termios.FIONREAD, there)
    return there[0] > 0


# --- the caller's, where the container has none

@pytest.mark.parametrize("verb", VERBS)
def test_it_gets_what_is_typed_and_no_terminal(command, verb):
    """Who kept that would read what is typed when the container has ended."""
    with InFrontOf(command(verb, "ls -l /proc/self/fd/0 /proc/self/fd/1 /proc/self/fd/2; read a; echo got $a; cat; exit 3")) as front:
        front.master.type(b"one\n")
        front.master.read_until(b"got one\r\n")
        front.master.type(b"two\n\x04")
        seen = front.master.read_to_end()
        assert front.status() == 3
    assert seen.count(b"pipe:") == 3 and seen.endswith(b"two\r\n") and b"pts" not in seen


@pytest.mark.parametrize("verb", VERBS)
def test_keys_are_signals_without_a_terminal(command, verb):
    script = "trap 'echo interrupted; exit 9' INT; echo up; while :; do sleep 1000 & wait $!; done"
    with InFrontOf(command(verb, script)) as front:
        front.master.read_until(b"up")
        front.master.type(b"\x03")
        front.master.read_until(b"interrupted")
        assert front.status() == 9


@pytest.mark.parametrize("verb", VERBS)
def test_in_the_background_it_takes_no_input(command, verb):
    """What is typed is for who is in front, and the command goes on."""
    script = """set -m; "$@" & n=0; while [ $n -lt 20 ]; do read line; n=$((n+1)); done; echo "has $n"; kill %1; wait"""
    words = command(verb, "trap 'exit 0' TERM; echo up; while read line; do echo took $line; done; sleep 1000 & wait")
    with InFrontOf(["sh", "-c", script, "sh", *words]) as front:
        front.master.read_until(b"up")
        for number in range(20):
            front.master.type(b"line\n")
            front.master.read_until(b"line\r\n" * (number + 1))
        front.master.read_until(b"has 20")
        seen = front.master.read_to_end()
    assert b"took" not in seen


def test_who_does_not_stay_warns_of_a_terminal(container):
    one = container()
    log = one.bundle.path / "log"
    with in_front_of(one, "--log", log, "run", "--detach", "--bundle", one.bundle.path, one.id) as front:
        assert front.status() == 0
    assert "standard input, output, error: a terminal, where the container can read what is typed later" in log.read_text()


def test_a_terminal_that_goes_away(container):
    """When the window is closed, the container gets SIGHUP, or is deleted by its caller."""
    one = container(Config().script("echo up; sleep 1000").terminal())
    with in_front_of(one, "run", "--bundle", str(one.bundle.path), "--pid-file",
                     str(one.pid_file), one.id) as front:
        front.master.read_until(b"up")
    one.delete("--force")
    until(lambda: not process.is_alive(one.pid), "its end")
