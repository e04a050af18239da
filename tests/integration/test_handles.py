# SPDX-License-Identifier: LGPL-2.1-or-later
"""Standard descriptors that are files, or FIFOs with a name: on a file system of the host's.

Who has CAP_DAC_READ_SEARCH there opens by them every file of that. Such a container has pipes instead, as long as there is
somebody to copy.
"""

import contextlib
import fcntl
import os
import shutil
import signal
import struct
import subprocess
import tempfile
import termios
import threading
from pathlib import Path

import pytest

from harness import handles, process
from harness.config import MAPPED_ROOT, Config
from harness.needs import needs_devices_bpf, needs_ocirt_sd, needs_root
from harness.runtime import PROGRAMS
from harness.wait import DEADLINE, until

pytestmark = needs_ocirt_sd

BYTES = bytes(range(256)) * 4096
VERBS = ["run", "exec"]
KINDS = "for fd in 0 1 2; do ls -l /proc/self/fd/$fd; done"
dangerous = handles.attacker
needs_danger = handles.needs_file_handles


@pytest.fixture
def host():
    with handles.host_directory() as path:
        yield path


@pytest.fixture
def command(container):
    """Runs a script, by run or by exec: the words for that."""
    def make(verb, script, settings=None, options=()):
        settings = settings or dangerous(Config())
        one = handles.arm(container(settings.script(script) if verb == "run" else settings.sleeping()))
        if verb == "run":
            return one.runtime.command("run", "--bundle", one.bundle.path, "--pid-file", one.pid_file, *options, one.id)
        one.run_detached()
        return one.runtime.command("exec", *options, one.id, "sh", "-c", script)
    return make


class Files:
    """One for each standard descriptor."""

    def __init__(self, host, content=b""):
        self.paths = [host / name for name in ["in", "out", "err"]]
        self.paths[0].write_bytes(content)

    def run(self, words, mode="wb"):
        """To its end: its status."""
        with open(self.paths[0], "rb") as stdin, open(self.paths[1], mode) as stdout, open(self.paths[2], mode) as stderr:
            return subprocess.run(words, check=False, timeout=DEADLINE, stdin=stdin, stdout=stdout, stderr=stderr).returncode

    @property
    def written(self):
        return [path.read_bytes() for path in self.paths[1:]]


@contextlib.contextmanager
def fifo(path):
    """One that somebody has open, so that opening does not wait: a descriptor."""
    os.mkfifo(path)
    fd = os.open(path, os.O_RDWR)
    yield fd
    os.close(fd)


@needs_danger
@pytest.mark.parametrize("verb", VERBS)
def test_no_file_leads_to_another(command, host, verb):
    files = Files(host)
    guess = handles.secret(host)
    assert files.run(command(verb, f"/by-handle read {guess} 0 1 2")) == 0
    found, errors = files.written
    assert [line.partition(b":")[0] for line in found.splitlines()] == [b"none"] * 3 and errors == b""


@needs_danger
@pytest.mark.parametrize("dev", ["new", "of others"])
def test_no_mask_leads_to_the_host(container, dev):
    """Peers mask files with the host's /dev/null."""
    settings = dangerous(Config()).set("linux.maskedPaths", ["/proc/uptime"])
    with tempfile.TemporaryDirectory() as others, tempfile.TemporaryDirectory(dir="/dev") as directory:
        if dev == "of others":
            settings.bind(others, "/dev")
        guess = handles.secret(Path(directory))
        one = handles.arm(container(settings.script(f"/by-handle read {guess} /proc/uptime; stat -c %t:%T /proc/uptime")))
        found = one.runtime("run", "--bundle", one.bundle.path, one.id).splitlines()
    assert [found[0].partition(":")[0], found[1]] == ["none", "1:3"]


@needs_danger
@needs_devices_bpf
def test_no_null_device_leads_to_the_host(container):
    """Where the container has taken its own away, and has seen to it that none can be made in its cgroup."""
    config = dangerous(Config("/forbid-nodes"), "CAP_BPF", "CAP_NET_ADMIN")
    with tempfile.TemporaryDirectory(dir="/dev") as directory:
        guess = handles.secret(Path(directory))
        one = handles.arm(container(config))
        shutil.copy(PROGRAMS / "forbid-nodes", one.bundle.rootfs)
        one.run_detached().wait_for_output("forbidden")
        words = one.runtime.command("exec", one.id, "/by-handle", "read", guess, "0")
        one.output_of("sh", "-c", "rm /dev/null")
        given, refused = [subprocess.run(words, check=False, capture_output=True, text=True, **stdin)
                          for stdin in [{"input": ""}, {"stdin": subprocess.DEVNULL}]]
    assert given.stdout.startswith("none: ")
    assert (refused.returncode, refused.stdout) == (255, "") and "make a null device for descriptor 0" in refused.stderr


def inner(pid):
    """Its number in its own pid namespace."""
    return process.status(pid)["NSpid"].split()[-1]


QUIET = {name: subprocess.DEVNULL for name in ["stdin", "stdout", "stderr"]}


@needs_danger
def test_no_process_that_joins_leads_to_the_host(container):
    """Into the pid namespace of the attacker comes the helper of a container that has no process."""
    with tempfile.TemporaryDirectory(dir="/dev") as directory:
        guess = handles.secret(Path(directory))
        one = handles.arm(container(dangerous(Config(), "CAP_SYS_PTRACE").sleeping())).run_detached()
        two = container(Config().remove("process").namespace("pid", f"/proc/{one.pid}/ns/pid"))
        subprocess.run(two.runtime.command("create", "--bundle", two.bundle.path, two.id), check=True, **QUIET)
        place = f"/proc/{inner(two.state()['pid'])}/fd/0"
        assert one.output_of("stat", "-L", "-c", "%t:%T", place).strip() == "1:3"
        assert one.output_of("/by-handle", "read", guess, place).startswith("none: ")


@needs_root("an ordinary user's is the host's")
def test_a_sysfs_shows_nothing_mounted_on_the_host(container):
    """In a user namespace with the host's network: by way of /proc/PID/root others may have more power over that."""
    config = Config("cat", "/proc/self/mountinfo").mapped_users().without_namespace("network").without_mount("/sys/fs/cgroup")
    one = container(config.set("linux.maskedPaths", []))
    one.bundle.give_to(MAPPED_ROOT)
    table = [line.split() for line in one.runtime("run", "--bundle", one.bundle.path, one.id).splitlines()]
    assert [fields[4] for fields in table if fields[4].startswith("/sys/")] == []
    assert [fields[5].split(",")[0] for fields in table if fields[4] == "/sys"] == ["ro"]


@needs_danger
def test_nobody_who_joins_leads_to_the_host(container):
    """From a user namespace, where nobody makes devices, into the pid namespace of a container without one."""
    with tempfile.TemporaryDirectory(dir="/dev") as directory:
        guess = handles.secret(Path(directory))
        one = handles.arm(container(dangerous(Config(), "CAP_SYS_PTRACE").sleeping())).run_detached()
        config = Config().sleeping().mapped_users().namespace("pid", f"/proc/{one.pid}/ns/pid")
        two = container(config.set("linux.maskedPaths", ["/proc/uptime"]))
        two.bundle.give_to(MAPPED_ROOT)
        words = [["run", "--detach", "--bundle", two.bundle.path, two.id],
                 ["exec", "--detach", "--pid-file", two.pid_file, two.id, "sleep", "1000"]]
        for each in words:
            subprocess.run(two.runtime.command(*each), check=True, **QUIET)
        first, second = [f"/proc/{inner(pid)}" for pid in [two.state()["pid"], int(two.pid_file.read_text())]]
        places = [f"{first}/fd/0", f"{second}/fd/0",
                  *(f"{first}/root{path}" for path in ["/dev/null", "/dev/zero", "/dev/tty", "/proc/uptime"])]
        kinds = one.output_of("stat", "-L", "-c", "%t:%T", *places).split()
        found = one.output_of("/by-handle", "read", guess, *places[:4], places[5]).splitlines()
    assert kinds == ["1:3", "1:3", "1:3", "1:5", "5:0", "1:3"]
    assert [line.partition(":")[0] for line in found] == ["none"] * 5


@needs_danger
@pytest.mark.parametrize("verb", VERBS)
def test_no_fifo_leads_to_a_file(command, host, verb):
    guess = handles.secret(host)
    with fifo(host / "in") as stdin, fifo(host / "out") as stdout, fifo(host / "err") as stderr:
        words = command(verb, f"/by-handle read {guess} 0 1 2; echo end")
        assert subprocess.run(words, check=False, timeout=DEADLINE, stdin=stdin, stdout=stdout, stderr=stderr).returncode == 0
        found = os.read(stdout, 4096).splitlines()
    assert [line.partition(b":")[0] for line in found] == [b"none"] * 3 + [b"end"]


@pytest.mark.parametrize("verb", VERBS)
def test_bytes_pass_unchanged(command, host, verb):
    files = Files(host, BYTES)
    assert files.run(command(verb, "echo to stderr >&2; cat; exit 3")) == 3
    assert files.written == [BYTES, b"to stderr\n"]


@pytest.mark.parametrize("verb", VERBS)
def test_what_is_there_stays(command, host, verb):
    """As with >>, by several calls and for all of them."""
    files = Files(host)
    for _ in range(2):
        assert files.run(command(verb, "echo one; echo two >&2"), "ab") == 0
    assert files.written == [b"one\n" * 2, b"two\n" * 2]


@pytest.mark.parametrize("verb", VERBS)
def test_one_file_keeps_the_order(command, host, verb):
    words = command(verb, "i=0; while [ $i -lt 1000 ]; do echo $i; i=$((i+1)); echo $i >&2; i=$((i+1)); done")
    with open(host / "both", "w+b") as both:
        assert subprocess.run(words, check=False, stdin=subprocess.DEVNULL, stdout=both, stderr=both).returncode == 0
        both.seek(0)
        assert both.read().split() == [b"%d" % i for i in range(1000)]


@pytest.mark.parametrize("lines", [3, 300000], ids=["few", "many"])
@pytest.mark.parametrize("verb", VERBS)
def test_others_go_on_where_it_has_stopped(command, host, verb, lines):
    """As in a loop of a shell over the lines of a file."""
    files = Files(host, b"".join(b"%d\n" % number for number in range(lines)))
    words = command(verb, "read a; read b; echo $a $b")
    assert files.run(["sh", "-c", '"$@"; exec cat', "sh", *words]) == 0
    assert files.written == [b"0 1\n" + b"".join(b"%d\n" % number for number in range(2, lines)), b""]


@pytest.mark.parametrize("verb", VERBS)
def test_bytes_pass_through_fifos(command, host, verb):
    """With their end."""
    os.mkfifo(host / "in")
    os.mkfifo(host / "out")
    read = []
    threads = [threading.Thread(target=(host / "in").write_bytes, args=[BYTES], daemon=True),
               threading.Thread(target=lambda: read.append((host / "out").read_bytes()), daemon=True)]
    words = command(verb, "cat; exit 5")
    for thread in threads:
        thread.start()
    done = subprocess.run(["sh", "-c", f'exec "$@" <{host}/in >{host}/out', "sh", *words], check=False, timeout=DEADLINE)
    for thread in threads:
        thread.join(DEADLINE)
    assert (done.returncode, read) == (5, [BYTES])


def how_full(fd):
    return struct.unpack("i", fcntl.ioctl(fd, termios.FIONREAD, bytes(4)))[0]


@needs_danger
def test_signals_pass_while_nobody_reads(container, host):
    """What does not fit into a FIFO is not waited for."""
    script = "cat /dev/zero & trap 'kill $!; exit 4' TERM; wait"
    one = container(dangerous(Config().script(script)))
    with fifo(host / "out") as out:
        words = one.runtime.command("run", "--keep", "--bundle", one.bundle.path, "--pid-file", one.pid_file, one.id)
        with subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=out) as child:
            until(lambda: how_full(out) == fcntl.fcntl(out, fcntl.F_GETPIPE_SZ), "the FIFO is full")
            child.send_signal(signal.SIGTERM)
            until(lambda: process.status(one.pid)["State"][0] == "Z", "its end")
            child.send_signal(signal.SIGTERM)
            assert child.wait(DEADLINE) == 4


def kinds(files, words):
    """Of what the process has at 0, 1 and 2."""
    assert files.run(words) == 0, files.written
    return [line.split(" -> ")[1].partition(":")[0] for line in files.written[0].decode().splitlines()]


@pytest.mark.parametrize("verb", VERBS)
def test_in_the_foreground_all_have_pipes(command, host, verb):
    """Somebody who has the power may join it later."""
    assert kinds(Files(host), command(verb, KINDS, Config())) == ["pipe"] * 3


@needs_root("maps users")
def test_so_has_who_is_in_a_user_namespace(container, host):
    one = container(Config().script(KINDS).mapped_users())
    one.bundle.give_to(MAPPED_ROOT)
    assert kinds(Files(host), one.runtime.command("run", "--bundle", one.bundle.path, one.id)) == ["pipe"] * 3


@pytest.mark.parametrize("verb", VERBS)
def test_the_offset_does_not_go_back_before_it_was(command, host, verb):
    """By what the container itself writes into the pipe that is its input."""
    words = command(verb, "read a; head -c 1000 /dev/zero >/proc/self/fd/0", Config())
    path = host / "in"
    path.write_bytes(b"line\n" * 800)
    with path.open("rb", buffering=0) as stdin:
        os.lseek(stdin.fileno(), 2000, os.SEEK_SET)
        subprocess.run(words, check=True, timeout=DEADLINE, stdin=stdin, stdout=subprocess.DEVNULL)
        assert 2000 <= os.lseek(stdin.fileno(), 0, os.SEEK_CUR) <= 2005


WARNING = ("a file, by which the container can open every other of its file system, as it may have CAP_DAC_READ_SEARCH; "
           "give it a pipe")


@needs_danger
@pytest.mark.parametrize("verb", ["create", "run", "exec"])
def test_who_cannot_copy_says_so(container, host, verb):
    """It goes on working."""
    one = container(dangerous(Config().script("echo said; trap 'exit 0' TERM; while :; do sleep 1000 & wait $!; done")))
    log, out = one.bundle.path / "log", host / "out"
    arguments = {"create": ["create", "--bundle", one.bundle.path, "--pid-file", one.pid_file, one.id],
                 "run": ["run", "--detach", "--bundle", one.bundle.path, "--pid-file", one.pid_file, one.id],
                 "exec": ["exec", "--detach", one.id, "echo", "said"]}[verb]
    if verb == "exec":
        one.run_detached()
    with out.open("wb") as file:
        done = subprocess.run(one.runtime.command("--log", log, *arguments), stdin=subprocess.DEVNULL, stdout=file, stderr=file,
                              check=False)
    assert done.returncode == 0
    assert f'"standard output, error: {WARNING}"' in log.read_text()
    if verb == "create":
        one.start()
    until(lambda: out.read_bytes() == b"said\n", "what it has said")


@needs_danger
def test_pipes_are_no_reason_to_warn(container):
    one = container(dangerous(Config("true")))
    words = one.runtime.command("run", "--detach", "--bundle", one.bundle.path, one.id)
    assert subprocess.run(words, check=True, stdin=subprocess.DEVNULL, capture_output=True).stderr == b""
