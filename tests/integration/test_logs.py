# SPDX-License-Identifier: LGPL-2.1-or-later
"""What supervised containers write: two streams in the journal, and logs, which prints them."""

import datetime
import json
import os
import re
import socket
import subprocess
import time
from pathlib import Path

import pytest

from harness import systemd, user
from harness.config import Config
from harness.needs import needs_ocirt_sd, needs_root
from harness.runtime import Container, Runtime
from harness.wait import until

pytestmark = needs_ocirt_sd

BOTH = "echo out; echo err >&2"


@pytest.fixture(scope="module", autouse=True)
def limit(watch):
    """The journal takes few messages of a unit, as on most machines, where it is a thousand times as many; these have no
    limit. Users' containers have none of their own, so for them it stays as it is."""
    path = Path("/run/systemd/journald.conf.d/zz-limit.conf")
    if user.ORDINARY:
        yield
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("[Journal]\nRateLimitIntervalSec=1h\nRateLimitBurst=10\n", encoding="ascii")
    systemd.systemctl("restart", "systemd-journald.service")
    watch.start_over()
    yield
    path.unlink()
    systemd.systemctl("restart", "systemd-journald.service")
    watch.start_over()


@pytest.fixture
def supervised(supervised):
    """As others, but of a configuration the rest."""
    return lambda script, *options, config=None, **more: supervised(
        None, *options, config=(config or Config()).args("sh", "-c", script), **more)


def ended(one):
    one.runtime("wait", one.id)
    return one


def logs(one, *options):
    """The bytes of both outputs."""
    command = one.runtime.command("logs", *options, one.id)
    done = subprocess.run(command, check=False, stdin=subprocess.DEVNULL, capture_output=True)
    assert done.returncode == 0, done.stderr
    return done.stdout, done.stderr


def follow(one, *options, **more):
    return one.runtime.start_process("logs", "--follow", *options, one.id, stdout=subprocess.PIPE, **more)


def entries(one):
    """What the journal has of it, as journalctl shows it to root."""
    lines = systemd.journal("-o", "json", f"_SYSTEMD_UNIT=ocirt-sd-{one.id}.service", "_TRANSPORT=stdout").splitlines()
    return [json.loads(line) for line in lines]


def test_both_streams(supervised):
    one = ended(supervised(BOTH))
    assert logs(one) == (b"out\n", b"err\n")
    assert logs(one, "--stream", "stdout") == (b"out\n", b"")
    assert logs(one, "--stream=stderr") == (b"", b"err\n")


@needs_root("systemd has such fields for the system's services alone")
def test_fields(supervised):
    one = ended(supervised(BOTH))
    logs(one)
    found = entries(one)
    assert sorted((e["MESSAGE"], e["PRIORITY"]) for e in found) == [("err", "3"), ("out", "6")]
    assert len({e["_STREAM_ID"] for e in found}) == 2
    for entry in found:
        assert (entry["CONTAINER_NAME"], entry["CONTAINER_ID_FULL"]) == (one.id, one.id)
        assert re.fullmatch(f"{one.id}-[0-9a-f]{{8}}", entry["SYSLOG_IDENTIFIER"])
    assert len(systemd.journal("-o", "cat", f"CONTAINER_NAME={one.id}", "_TRANSPORT=stdout").splitlines()) == 2


def test_what_others_say_of_it(supervised, bundles):
    """systemd, a hook, and we."""
    config = Config().hook("createRuntime", "/bin/sh", "-c", "echo hook").hook("poststop", "/bin/sh", "-c", "echo hook >&2")
    one = ended(supervised("echo mine", config=config))
    assert logs(one) == (b"mine\n", b"")


def test_bytes(supervised):
    """All but what the journal changes: blanks at the end of a line, empty lines, and what two processes make one of."""
    one = ended(supervised(r"printf 'a\0b\377\n  \001c'; sh -c 'echo d'; printf 'end'"))
    assert logs(one)[0] == b"a\0b\xff\n  \x01c\nd\nend"
    assert [json.loads(line)["message"] for line in logs(one, "-o", "json")[0].splitlines()] == \
        ["a", [98, 255], "  \u0001c", "d", "end"]
    lines = logs(one, "-o", "short")[0].decode().splitlines()
    assert [line[16:] for line in lines] == ["a", r"b\xff", r"  \x01c", "d", "end"]


def test_long_lines(supervised):
    """Longer than an entry, and those of both streams at a time."""
    one = ended(supervised("s=0123456789; for i in 1 2 3 4 5; do s=$s$s$s$s$s$s$s; done; for i in 1 2 3; do printf %s $s; printf e$s >&2;"
                           " done; echo; echo >&2"))
    digits = b"0123456789" * 7 ** 5
    expected = (digits * 3, (b"e" + digits) * 3)
    assert logs(one) == (expected[0] + b"\n", expected[1] + b"\n")
    found = [json.loads(line) for line in logs(one, "--output=json")[0].splitlines()]
    assert {f["stream"]: f["message"] for f in found} == {"stdout": expected[0].decode(), "stderr": expected[1].decode()}
    assert len(logs(one, "--lines", "1", "--stream", "stdout")[0]) == len(expected[0]) + 1


def test_all_of_it_in_order(supervised):
    """10 MB, on both streams."""
    line = "012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789"
    one = ended(supervised(f'i=0; while [ $i -lt 50000 ]; do echo "$i {line}"; echo "$i {line}" >&2; i=$((i+1)); done'))
    out, err = logs(one)
    assert out == err == b"".join(f"{i} {line}\n".encode() for i in range(50000))
    assert len(out) + len(err) > 9000000


def test_follow(supervised, bundles):
    fifo = bundles.scratch("logs") / "fifo"
    os.mkfifo(fifo)
    one = supervised("echo first; cat /mnt/fifo; echo last >&2", config=Config().bind(fifo.parent, "/mnt"))
    with follow(one, stderr=subprocess.PIPE) as reader:
        assert reader.stdout.readline() == b"first\n"
        with fifo.open("wb", buffering=0) as to:
            for i in range(10):
                began = time.monotonic()
                to.write(b"line %d\n" % i)
                assert reader.stdout.readline() == b"line %d\n" % i
                took = time.monotonic() - began
                print(f"{took * 1000:.1f} ms")
                assert took < 60  # the measure is printed: this is for what hangs
        assert reader.stdout.read() == b"" and reader.stderr.read() == b"last\n"
        assert reader.wait() == 0


@needs_root("the journal is its own")
def test_follow_into_another_file(supervised, bundles):
    fifo = bundles.scratch("logs") / "fifo"
    os.mkfifo(fifo)
    one = supervised("echo 0; cat /mnt/fifo", config=Config().bind(fifo.parent, "/mnt"))
    with follow(one) as reader, fifo.open("wb", buffering=0) as to:
        assert reader.stdout.readline() == b"0\n"
        for i in range(1, 4):
            systemd.journal("--rotate")
            to.write(b"%d\n" % i)
            assert reader.stdout.readline() == b"%d\n" % i
        to.close()
        assert reader.stdout.read() == b"" and reader.wait() == 0
    assert logs(one)[0] == b"0\n1\n2\n3\n"


def test_follow_to_the_end(supervised):
    """However much it writes before."""
    one = supervised("i=0; while [ $i -lt 2000 ]; do echo $i; i=$((i+1)); done; exit 3")
    with follow(one) as reader:
        assert reader.stdout.read() == b"".join(b"%d\n" % i for i in range(2000))
        assert reader.wait() == 0


def test_follow_one_that_is_deleted(supervised):
    one = supervised("echo there; sleep 1000")
    with follow(one) as reader:
        assert reader.stdout.readline() == b"there\n"
        one.delete("--force")
        assert reader.stdout.read() == b"" and reader.wait() == 0


def test_starts(supervised, bundles):
    """All of them, and follow goes on from one to the next."""
    count = bundles.scratch("logs")
    script = "echo >>/mnt/count; n=$(busybox wc -l </mnt/count); echo start $n; [ $n -lt 3 ] && exit 1; sleep 1000"
    one = supervised(script, "--restart", "on-failure", "--stop-timeout", "10ms", config=Config().bind(count, "/mnt"))
    with follow(one) as reader:
        for i in range(1, 4):
            assert reader.stdout.readline() == b"start %d\n" % i
        one.runtime("stop", one.id)
        assert reader.stdout.read() == b"" and reader.wait() == 0
    assert logs(one)[0] == b"start 1\nstart 2\nstart 3\n"


def test_one_that_waits_to_be_started(supervised):
    one = supervised("echo started", verb="create")
    assert logs(one) == (b"", b"")
    with follow(one) as reader:
        one.start()
        assert reader.stdout.read() == b"started\n" and reader.wait() == 0


def test_lines(supervised):
    one = ended(supervised("for i in 1 2 3 4 5; do echo $i; done"))
    assert logs(one, "--lines", "2")[0] == b"4\n5\n"
    assert logs(one, "-n", "0")[0] == b""
    assert logs(one, "-n5")[0] == logs(one, "-n", "9")[0] == logs(one, "-n", "all")[0] == b"1\n2\n3\n4\n5\n"


def test_times(supervised, bundles):
    fifo = bundles.scratch("logs") / "fifo"
    os.mkfifo(fifo)
    one = supervised("echo early; cat /mnt/fifo", config=Config().bind(fifo.parent, "/mnt"))
    until(lambda: logs(one)[0] == b"early\n", "the first line")
    now = datetime.datetime.now().astimezone()
    with fifo.open("wb", buffering=0) as to:
        to.write(b"late\n")
    ended(one)
    for moment in [now.isoformat(), f"@{now.timestamp():.6f}", now.astimezone(datetime.timezone.utc).isoformat()]:
        assert logs(one, "--since", moment)[0] == b"late\n"
        assert logs(one, "--until", moment)[0] == b"early\n"
        assert logs(one, "--until", moment, "--lines", "1")[0] == b"early\n"
        assert logs(one, "--since", moment, "--lines", "5")[0] == b"late\n"
    assert logs(one, "--since", "10m")[0] == b"early\nlate\n"
    assert logs(one, "--until", "10m")[0] == b""
    assert logs(one, "--follow", "--until", now.isoformat())[0] == b"early\n"
    when = datetime.datetime.fromisoformat(json.loads(logs(one, "-o", "json", "-n", "1")[0])["time"].replace("Z", "+00:00"))
    assert now <= when < now + datetime.timedelta(hours=1)


def test_another_of_its_id(supervised, top):
    """Below another root directory, and later with the same unit."""
    one = ended(supervised("echo one"))
    other = Container(Runtime(top / "other"), one.bundle, one.id)
    config = Config("sh", "-c", "sh -c 'echo another'")
    other.bundle.write(config.text())
    other.runtime("run", "--supervise", "--bundle", other.bundle.path, other.id)
    try:
        ended(other)
        assert (logs(one)[0], logs(other)[0]) == (b"one\n", b"another\n")
    finally:
        other.delete("--force")
    assert logs(one)[0] == b"one\n"


def test_an_earlier_one_of_its_id(supervised):
    one = ended(supervised("echo earlier"))
    one.delete()
    one.runtime("run", "--supervise", "--bundle", one.bundle.path, one.id)
    assert logs(ended(one))[0] == b"earlier\n"


def stream(identifier, unit, priority, text):
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as to:
        to.connect("/run/systemd/journal/stdout")
        to.sendall(f"{identifier}\n{unit}\n{priority}\n0\n0\n0\n0\n{text}\n".encode())


@needs_root("others forge, and the journal is looked into")
def test_what_others_forge(supervised):
    """Whoever says that he is the container is not."""
    one = ended(supervised("echo mine"))
    logs(one)
    name, unit = entries(one)[0]["SYSLOG_IDENTIFIER"], f"ocirt-sd-{one.id}.service"
    child = os.fork()
    if child == 0:
        os.setgroups([])
        os.setgid(65534)
        os.setuid(65534)
        stream(name, unit, 6, "forged by a stream")
        fields = {"MESSAGE": "forged", "SYSLOG_IDENTIFIER": name, "CONTAINER_NAME": one.id, "PRIORITY": 6,
                  "_SYSTEMD_UNIT": unit, "_TRANSPORT": "stdout", "_UID": 0}
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as to:
            to.connect("/run/systemd/journal/socket")
            to.send("".join(f"{key}={value}\n" for key, value in fields.items()).encode())
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    until(lambda: len(systemd.journal("-o", "cat", f"SYSLOG_IDENTIFIER={name}").splitlines()) == 3, "all of it is there")
    assert logs(one) == (b"mine\n", b"")


def test_who_reads_no_more_keeps_nobody(supervised):
    one = supervised("i=0; while [ $i -lt 20000 ]; do echo $i 012345678901234567890123456789; i=$((i+1)); done")
    with follow(one) as reader:
        ended(one)
        reader.terminate()


@pytest.mark.parametrize("options, words", [
    (["--since", "soon"], "--since: expected a time"),
    (["--until", "2026-11-30"], "--until: expected a time"),
    (["--lines", "many"], "--lines: expected a number or all"),
    (["--output", "verbose"], "--output: expected cat, short or json"),
    (["--stream", "stdin"], "--stream: expected stdout or stderr"),
    (["--tail", "5"], "--lines N"),
])
def test_options(runtime, options, words):
    assert words in runtime.fails("logs", *options, "nonesuch")


def test_who_has_none(container, runtime):
    assert "container does not exist" in runtime.fails("logs", "nonesuch")
    one = container().run_detached()
    assert "not supervised" in runtime.fails("logs", one.id)
