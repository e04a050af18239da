# SPDX-License-Identifier: LGPL-2.1-or-later
"""Standard descriptors that are sockets: those of a service that logs to the journal, of sshd.

A container that could get at the host by them has pipes instead, as long as there is somebody to copy.
"""

import contextlib
import fcntl
import signal
import socket
import struct
import subprocess
import termios
import threading

import pytest

from harness import process, user
from harness.config import CAPABILITIES, MAPPED_ROOT, Config
from harness.needs import needs_ocirt_sd, needs_privileged_namespaces, needs_root
from harness.wait import DEADLINE, until

pytestmark = needs_ocirt_sd

BYTES = bytes(range(256)) * 4096
VERBS = ["run", "exec"]
LIST = "ls -l /proc/self/fd/0 /proc/self/fd/1 /proc/self/fd/2"
needs_danger = needs_root("a user's containers have a user namespace, in which they are harmless")


def config(*capabilities):
    names = [*CAPABILITIES, *capabilities]
    return Config().sleeping().capabilities(bounding=names, effective=names, permitted=names)


def dangerous():
    return config("CAP_SYS_PTRACE")


class Sockets:
    """A pair for each standard descriptor, or with one=True, as the journal has it, one for all."""

    def __init__(self, one=False):
        pairs = [socket.socketpair() for _ in range(1 if one else 3)]
        self.stdin, self.stdout, self.stderr = [mine for mine, _ in pairs] * (3 if one else 1)
        self.theirs = [theirs for _, theirs in pairs] * (3 if one else 1)

    def options(self):
        return dict(zip(["stdin", "stdout", "stderr"], self.theirs, strict=True))

    def start(self, command):
        child = subprocess.Popen(command, **self.options())
        for end in self.theirs:
            end.close()
        return child

    def write(self, content):
        """All of it, and then the end, while others read."""
        def work():
            with contextlib.suppress(BrokenPipeError):
                self.stdin.sendall(content)
            self.stdin.shutdown(socket.SHUT_WR)
        threading.Thread(target=work, daemon=True).start()


def read(end):
    """Until nobody writes there any more."""
    end.settimeout(DEADLINE)
    with end.makefile("rb") as file:
        return file.read()


@pytest.fixture
def begin(container):
    """Runs a script, by run or by exec, with the sockets: a Popen."""
    def start(verb, sockets, script, settings=None, options=()):
        settings = settings or dangerous()
        one = container(settings.script(script) if verb == "run" else settings)
        if verb == "run":
            return sockets.start(one.runtime.command("run", "--bundle", one.bundle.path, *options, one.id))
        one.run_detached()
        return sockets.start(one.runtime.command("exec", *options, one.id, "sh", "-c", script))
    return start


@pytest.mark.parametrize("verb", VERBS)
def test_bytes_pass_unchanged(begin, verb):
    """In both directions, apart from each other, and with their ends."""
    sockets = Sockets()
    child = begin(verb, sockets, "echo to stderr >&2; cat; exit 3")
    sockets.write(BYTES)
    assert read(sockets.stdout) == BYTES
    assert read(sockets.stderr) == b"to stderr\n"
    assert child.wait(DEADLINE) == 3


@pytest.mark.parametrize("verb", VERBS)
def test_one_socket_keeps_the_order(begin, verb):
    sockets = Sockets(one=True)
    child = begin(verb, sockets, "read n; i=0; while [ $i -lt $n ]; do echo $i; i=$((i+1)); echo $i >&2; i=$((i+1)); done")
    sockets.write(b"1000\n")
    assert read(sockets.stdout).split() == [b"%d" % i for i in range(1000)]
    assert child.wait(DEADLINE) == 0


@pytest.mark.parametrize("verb", VERBS)
def test_a_reader_that_goes_away(begin, verb):
    """Who writes on hears of it, as without us."""
    sockets = Sockets()
    child = begin(verb, sockets, "trap '' PIPE; while echo yes; do :; done; exit 7")
    assert sockets.stdout.recv(3) == b"yes"
    sockets.stdout.close()
    assert child.wait(DEADLINE) == 7


@needs_danger
@pytest.mark.parametrize("verb", VERBS)
def test_input_that_nobody_takes(begin, verb):
    """Nobody has the pipe any more."""
    sockets = Sockets()
    child = begin(verb, sockets, "exec <&-; trap 'exit 4' TERM; echo closed; while :; do sleep 1000 & wait $!; done")
    assert sockets.stdout.recv(7) == b"closed\n"
    sockets.stdin.send(b"for nobody\n")
    until(lambda: not any(fcntl.ioctl(sockets.stdin, termios.TIOCOUTQ, bytes(4))), "it to be read")
    child.send_signal(signal.SIGTERM)
    assert child.wait(DEADLINE) == 4


def slow(sockets):
    """The socket takes nearly nothing, so that the rest is in the pipe, or with us."""
    sockets.theirs[1].setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
    return sockets


@pytest.fixture
def unread(container):
    """A container that has ended, with its output still to be read: the container, the sockets, run."""
    sockets = slow(Sockets())
    one = container(dangerous().script("head -c 60000 /dev/zero"))
    child = sockets.start(one.runtime.command("run", "--keep", "--bundle", one.bundle.path, "--pid-file", one.pid_file, one.id))
    sockets.stdout.recv(1)
    until(lambda: process.status(one.pid)["State"][0] == "Z", "its end")  # one that is exiting still gets signals
    return sockets, child


@needs_danger
def test_output_is_read_after_the_end(unread):
    sockets, child = unread
    assert child.poll() is None
    assert read(sockets.stdout) == bytes(59999)
    assert child.wait(DEADLINE) == 0


@needs_danger
def test_a_signal_ends_the_wait_for_a_reader(unread):
    sockets, child = unread
    assert child.poll() is None
    child.send_signal(signal.SIGTERM)
    assert child.wait(DEADLINE) == 0
    assert len(read(sockets.stdout)) < 59999


@pytest.mark.parametrize("script", ["sleep 1000", "while :; do echo more; done"])
def test_the_output_of_others_is_not_waited_for(begin, script):
    """exec leaves a process behind that has the pipe, too."""
    sockets = Sockets()
    child = begin("exec", sockets, f"echo first; ({script}) & exit 5")
    thread = threading.Thread(target=read, args=[sockets.stdout], daemon=True)
    thread.start()
    assert child.wait(DEADLINE) == 5


@needs_danger
def test_it_is_the_container_that_speaks(container):
    """The journal has the output under the unit of who wrote it."""
    sockets = Sockets()
    sockets.stdout.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
    one = container(dangerous().script("echo here; read end"))
    child = sockets.start(one.runtime.command("run", "--bundle", one.bundle.path, "--pid-file", one.pid_file, one.id))
    content, control, *_ = sockets.stdout.recvmsg(100, 100)
    assert (content, control[0][:2]) == (b"here\n", (socket.SOL_SOCKET, socket.SCM_CREDENTIALS))
    assert struct.unpack("iII", control[0][2])[0] == one.pid
    sockets.write(b"")
    assert child.wait(DEADLINE) == 1


def joined(container, settings):
    """In the pid namespace of another."""
    holder = container(Config().sleeping()).run_detached()
    settings.namespace("pid", f"/proc/{holder.pid}/ns/pid")
    if user.ORDINARY:
        settings.remove("linux.uidMappings").remove("linux.gidMappings").namespace("user", f"/proc/{holder.pid}/ns/user")
    return settings


def kinds(begin, *args, **more):
    """Of what the process has at 0, 1 and 2."""
    sockets = Sockets()
    child = begin(*args[:1], sockets, LIST, *args[1:], **more)
    listed = read(sockets.stdout).decode()
    assert child.wait(DEADLINE) == 0, read(sockets.stderr)
    return {line.split(" -> ")[1].partition(":")[0] for line in listed.splitlines()}


@pytest.mark.parametrize("verb", VERBS)
def test_in_the_foreground_all_have_pipes(begin, verb):
    """Somebody who has the power may join its pid namespace later."""
    assert kinds(begin, verb, config()) == {"pipe"}


@needs_root("maps users")
def test_so_has_who_is_in_a_user_namespace(container):
    one = container(config().script(LIST).mapped_users())
    one.bundle.give_to(MAPPED_ROOT)
    sockets = Sockets()
    child = sockets.start(one.runtime.command("run", "--bundle", one.bundle.path, one.id))
    assert b"socket:" not in read(sockets.stdout)
    assert child.wait(DEADLINE) == 0


@needs_danger
def test_the_null_device_stays(begin):
    sockets = Sockets()
    with open("/dev/null", "rb") as null:
        sockets.theirs[0] = null
        child = begin("run", sockets, LIST)
    listed = read(sockets.stdout).decode().splitlines()
    assert child.wait(DEADLINE) == 0
    assert [line.split(" -> ")[1].partition(":")[0] for line in listed] == ["/dev/null", "pipe", "pipe"]


def check_owner(begin, settings, verb):
    """The process can open them once more."""
    sockets = Sockets()
    child = begin(verb, sockets, "exec 3< /dev/stdin; cat <&3; echo out > /dev/stdout; echo err > /dev/stderr", settings,
                  ["--user", "1000:1000"] if verb == "exec" else [])
    sockets.write(b"in\n")
    assert read(sockets.stdout) == b"in\nout\n"
    assert read(sockets.stderr) == b"err\n"
    assert child.wait(DEADLINE) == 0


@needs_danger
@pytest.mark.parametrize("verb", VERBS)
def test_pipes_belong_to_the_user(begin, verb):
    check_owner(begin, dangerous().user(1000, 1000), verb)


@needs_privileged_namespaces
def test_pipes_belong_to_the_user_in_a_user_namespace(begin, container):
    """There the launcher has to give them."""
    check_owner(begin, joined(container, config()).user(1000, 1000).mapped_users(), "run")


WARNING = "a socket, by which the container can get at the host, as it may have CAP_SYS_PTRACE; give it a pipe"


@needs_danger
@pytest.mark.parametrize("verb", ["create", "run", "exec"])
def test_who_cannot_copy_says_so(container, verb):
    """It goes on working: Podman's log driver "passthrough" does that in a service."""
    one = container(dangerous().script("echo said; trap 'exit 0' TERM; while :; do sleep 1000 & wait $!; done"))
    mine, theirs = socket.socketpair()
    log = one.bundle.path / "log"
    arguments = {"create": ["create", "--bundle", one.bundle.path, "--pid-file", one.pid_file, one.id],
                 "run": ["run", "--detach", "--bundle", one.bundle.path, "--pid-file", one.pid_file, one.id],
                 "exec": ["exec", "--detach", one.id, "echo", "said"]}[verb]
    if verb == "exec":
        one.run_detached()
    done = subprocess.run(one.runtime.command("--log", log, *arguments), stdin=subprocess.DEVNULL, stdout=theirs,
                          stderr=theirs, check=False)
    assert done.returncode == 0
    assert f'"standard output, error: {WARNING}"' in log.read_text()
    if verb == "create":
        one.start()
    mine.settimeout(DEADLINE)
    assert mine.recv(100) == b"said\n"


@needs_danger
def test_pipes_and_files_are_no_reason_to_warn(container):
    assert container(dangerous()).run_detached().output == ""
