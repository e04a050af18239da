# SPDX-License-Identifier: LGPL-2.1-or-later
"""Standard descriptors that are pipes of the caller's: the other end of each is opened by /proc/self/fd.

In the foreground the container has others, and what goes through both is as if they were one.
"""

import contextlib
import os
import shlex
import signal
import subprocess

import pytest

from harness import locks, process
from harness.config import Config
from harness.needs import needs_ocirt_sd
from harness.wait import DEADLINE, until

pytestmark = needs_ocirt_sd

BYTES = bytes(range(256)) * 16000
VERBS = ["run", "exec"]
PATIENCE = 60  # for what would wait for ever


def run_in_shell(script):
    """As it comes by a pipe, of which a shell reads no more than it needs: what it wrote."""
    return subprocess.run(["sh"], check=True, timeout=DEADLINE, input=script.encode(), capture_output=True).stdout


@pytest.mark.parametrize("verb", VERBS)
def test_nothing_can_be_put_into_the_input(command, verb):
    """It would be a command of the host's."""
    words = command(verb, "echo 'echo of the container' >/proc/self/fd/0")
    assert run_in_shell(f"{shlex.join(words)}\necho end\n") == b"end\n"


@pytest.mark.parametrize("verb", VERBS)
def test_none_of_them_is_the_callers(command, verb):
    ends = [os.pipe() for _ in range(3)]
    (stdin, _), (out, stdout), (_, stderr) = ends
    words = command(verb, "stat -L -c %i /proc/self/fd/0 /proc/self/fd/1 /proc/self/fd/2")
    subprocess.run(words, check=True, timeout=DEADLINE, stdin=stdin, stdout=stdout, stderr=stderr)
    inside = {int(line) for line in os.read(out, 4096).split()}
    assert len(inside) == 3 and not inside & {os.fstat(fd).st_ino for fd in [stdin, stdout, stderr]}
    for end in ends:
        for fd in end:
            os.close(fd)


@pytest.mark.parametrize("script, lines", [("true", 3), ("read line; echo $line", 3), ("cat", 1)],
                         ids=["nothing", "a line", "all"])
@pytest.mark.parametrize("verb", VERBS)
def test_what_it_does_not_take_stays(command, verb, script, lines):
    """As in a loop of a shell over the lines of a command, where each turn takes what it wants."""
    words = shlex.join(command(verb, script))
    loop = f"while read line; do {words}; n=$((n+1)); done; echo $n"
    said = run_in_shell(f"seq {6 if 'line' in script else 3} | {{ {loop}; }}")
    assert said.splitlines()[-1] == b"%d" % lines, said


@pytest.mark.parametrize("verb", VERBS)
def test_bytes_pass_unchanged(command, verb):
    """Many, in both directions, apart from each other, and with their ends."""
    done = subprocess.run(command(verb, "echo to stderr >&2; cat; exit 3"), check=False, timeout=DEADLINE, input=BYTES,
                          capture_output=True)
    assert (done.returncode, done.stderr) == (3, b"to stderr\n")
    assert done.stdout == BYTES


@pytest.mark.parametrize("verb", VERBS)
def test_lines_of_several_stay_whole(command, verb):
    """What is written by one call is one thing for all who write into a pipe."""
    line = "x" * 1500
    commands = [command(verb, f"for i in $(seq 300); do echo {name}{line}; done") for name in "abc"]
    mine, theirs = os.pipe()
    children = [subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=theirs) for words in commands]
    os.close(theirs)
    with os.fdopen(mine, "rb") as file:
        lines = file.read().decode().splitlines()
    assert [child.wait(DEADLINE) for child in children] == [0] * 3
    assert sorted(lines) == sorted(f"{name}{line}" for name in "abc" for _ in range(300))


@pytest.mark.parametrize("verb", VERBS)
def test_a_reader_that_goes_away(command, verb):
    """As head(1) does."""
    with subprocess.Popen(command(verb, "trap 'exit 7' PIPE; while :; do echo line; done 2>&-"), stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE) as child:
        assert child.stdout.readline() == b"line\n"
        child.stdout.close()
        assert child.wait(DEADLINE) == 7


@pytest.fixture
def full():
    """A pipe's ends, with as much in it as it holds."""
    out, theirs = os.pipe()
    os.set_blocking(theirs, False)
    with contextlib.suppress(BlockingIOError):
        while True:
            os.write(theirs, bytes(4096))
    os.set_blocking(theirs, True)
    yield out, theirs
    os.close(out)
    os.close(theirs)


@pytest.mark.parametrize("verb", VERBS)
def test_a_full_pipe_keeps_nobody_busy(command, full, verb):
    """Neither the reader who does not read, nor the container that fills its own input."""
    mine, theirs = os.pipe()
    os.write(theirs, b"input\n")
    script = ("trap 'exit 0' TERM; exec 3<>/proc/self/fd/0; cat /dev/zero >&3 & (while :; do echo line; done) & "
              "sleep 1; echo begins >&2; sleep 2; echo slept >&2; wait")
    with subprocess.Popen(command(verb, script), stdin=mine, stdout=full[1], stderr=subprocess.PIPE) as child:
        assert child.stderr.readline() == b"begins\n"
        before = process.cpu_seconds(child.pid)
        assert child.stderr.readline() == b"slept\n"
        used = process.cpu_seconds(child.pid) - before
        until(lambda: child.send_signal(signal.SIGTERM) or child.poll() is not None, "its end")
    assert used < 0.5
    os.close(mine)
    os.close(theirs)


def ends_by_itself(child):
    try:
        child.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        child.kill()
        return False
    return True


TAKES_IT_BACK = """
exec 3<>/proc/self/fd/1
(until grep -q '^State:.Z' /proc/$$/status; do sleep 0.05; done; sleep 1; timeout 1 cat <&3; touch /took; sleep 1000) \\
    >/dev/null 2>&1 </dev/null &
head -c 60000 /dev/zero
"""


def test_output_that_others_have_taken_back(container, full):
    """Who is left of an exec can empty its pipe when its process has ended, and keep it."""
    one = container().run_detached()
    for name in ["grep", "timeout"]:
        one.bundle.inside(f"bin/{name}").symlink_to("busybox")
    command = one.runtime.command("exec", one.id, "sh", "-c", TAKES_IT_BACK)
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=full[1], stderr=subprocess.DEVNULL) as child:
        until(one.bundle.inside("took").exists, "an empty pipe")
        os.read(full[0], 1 << 20)
        assert ends_by_itself(child)


def test_an_input_that_the_container_empties(container):
    """A FIFO on a volume, from which it reads by its name, too, when we have looked and have not read yet."""
    one = container(Config().script("read line; timeout 4 cat /fifo >/dev/null; exit 3"))
    one.bundle.inside("bin/timeout").symlink_to("busybox")
    fifo = one.bundle.inside("fifo")
    os.mkfifo(fifo)
    fifo.chmod(0o666)
    keeper = os.open(fifo, os.O_RDWR)
    os.write(keeper, b"line\n")
    slow = ["strace", "--quiet=all", "--output=/dev/null", f"--trace-path={fifo}", "--inject=read,splice:delay_enter=2000000"]
    command = one.runtime.command("run", "--bundle", one.bundle.path, one.id)
    with fifo.open("rb") as stdin, subprocess.Popen([*slow, *command], stdin=stdin) as child:
        ended = ends_by_itself(child)
        os.close(keeper)  # the end of any wait
    assert ended


@locks.needs_power
def test_who_shares_the_callers_pipe_is_kept_by_no_container(keeper):
    """exec waits for the lock of the container's pipe, and has none of the caller's then. Several times, as the kernel takes two
    of them by their addresses."""
    one = keeper(Config().sleeping()).run_detached()
    for _ in range(20):
        mine, theirs = os.pipe()
        keeping = one.runtime.start_process("exec", one.id, "/hold-lock", "write", "1", stdin=subprocess.DEVNULL, stdout=theirs)
        until(lambda pid=keeping.pid: process.status(pid)["State"][0] == "D" and locks.are_kept(), "exec waits")
        assert locks.end_of(subprocess.Popen(["echo", "of the host"], stdout=theirs)) == 0
        locks.let_go()
        assert keeping.wait(DEADLINE) == 7
        os.close(mine)
        os.close(theirs)


COPY = "while dd bs=512 count=1 2>/dev/null | grep .; do :; done"


@pytest.mark.parametrize("other", ["a container", "a shell"])
def test_two_read_from_one_input(container, tmp_path, other):
    """Nothing is lost; what the one has been shown before the other read it goes to both."""
    ones = [container(Config().script(COPY)) for _ in "ab"]
    commands = [one.runtime.command("run", "--bundle", one.bundle.path, one.id) for one in ones]
    for one in ones:
        for name in ["dd", "grep"]:
            one.bundle.inside(f"bin/{name}").symlink_to("busybox")
    if other == "a shell":
        commands[1] = ["sh", "-c", COPY]
    mine, theirs = os.pipe()
    outputs, children = [tmp_path / "a", tmp_path / "b"], []
    for command, output in zip(commands, outputs, strict=True):
        with output.open("wb") as file:
            children.append(subprocess.Popen(command, stdin=mine, stdout=file))
    os.close(mine)
    records = [b"%06d%s" % (number, b"x" * 505) for number in range(400)]
    with os.fdopen(theirs, "wb") as file:
        file.writelines(record + b"\n" for record in records)
    assert [child.wait(DEADLINE) for child in children] == [0, 0]
    assert sorted({line for output in outputs for line in output.read_bytes().splitlines()}) == records
