# SPDX-License-Identifier: LGPL-2.1-or-later
"""What --debug and --log-level=info tell, and where: a file, the journal, syslog."""

import fcntl
import json
import os
import re
import subprocess
import uuid

import pytest

from harness.config import Config
from harness.needs import needs_ocirt_sd, needs_root
from harness.wait import until

pytestmark = needs_ocirt_sd

STEP = r"ocirt-sd: +\d+\.\d{3} ms: "


def journal(*matches):
    """Its newest entries."""
    text = subprocess.run(["journalctl", "--output=json", "--quiet", "--no-pager", *matches], capture_output=True,
                          check=True, text=True).stdout
    return [json.loads(line) for line in text.splitlines()]


def test_each_step_is_told_with_its_time(runtime, container):
    """In the order in which they happen, and the times grow."""
    one = container()
    done = runtime.call("--log-level=info", "create", "--bundle", one.bundle.path, one.id)
    lines = done.stderr.splitlines()
    assert all(re.match(STEP, line) for line in lines) and done.stdout == ""
    times = [float(line.split()[1]) for line in lines]
    assert times == sorted(times)
    steps = ["planned: ", "the helper runs, process ", "asked of systemd", "job done in ", "created, process ",
             "waits to be started"]
    found = [next(i for i, line in enumerate(lines) if step in line) for step in steps]
    assert found == sorted(found), done.stderr
    for verb, step in [(["start"], "the program runs, process "), (["kill", "--signal", "0"], "signal 0 sent"),
                       (["pause"], "frozen"), (["resume"], "thawed"), (["stop", "-t", "0"], "none of its processes runs"),
                       (["delete"], "removed")]:
        done = runtime.call("--log-level=info", *verb, one.id)
        assert re.search(f"^{STEP}.*{step}", done.stderr, re.M), (verb, done.stderr)


def test_hooks_are_told_with_how_long_they_took(runtime, container):
    one = container(Config("true").hook("createRuntime", "/bin/sleep", "0.1"))
    done = runtime.call("run", "--bundle", one.bundle.path, one.id)
    assert done.stderr == ""  # not without being asked
    done = runtime.call("--debug", "run", "--bundle", one.bundle.path, one.id)
    took = re.search(r"hook createRuntime #0: /bin/sleep: ([\d.]+) ms", done.stderr)
    assert float(took[1]) >= 90


@pytest.mark.parametrize("level, digits", [("info", 0), ("debug", 6)])
def test_steps_go_to_the_file_alone(runtime, container, tmp_path, level, digits):
    """Callers read standard error for errors. Microseconds at the level at which the order matters."""
    one, log = container(Config("true")), tmp_path / "log.json"
    done = runtime.call("--log", log, "--log-format=json", "--log-level", level, "run", "--bundle", one.bundle.path, one.id)
    assert done.stderr == "" and done.stdout == ""
    entries = [json.loads(line) for line in log.read_text().splitlines()]
    assert any("job done in" in entry["msg"] for entry in entries)
    fraction = r"\.\d{6}" if digits else ""
    assert all(re.fullmatch(rf"\d{{4}}-\d\d-\d\dT\d\d:\d\d:\d\d{fraction}Z", entry["time"]) for entry in entries)
    assert {entry["level"] for entry in entries} == {"info", "debug"} if digits else {"info"}


@needs_root("reads the journal")
def test_the_journal(runtime, container):
    """With the identifier that was given, the container, and a priority for each level."""
    one, name = container(Config("true")), f"test-{uuid.uuid4().hex}"
    runtime("--log", f"journald:{name}", "--debug", "run", "--bundle", one.bundle.path, one.id)
    runtime.fails("--log", f"journald:{name}", "start", "nobody")
    until(lambda: len(journal(f"SYSLOG_IDENTIFIER={name}", "PRIORITY=3")) == 1, "the error in the journal")
    (error,) = journal(f"SYSLOG_IDENTIFIER={name}", "PRIORITY=3")
    assert error["MESSAGE"] == "container does not exist: nobody" and error["CONTAINER_ID"] == "nobody"
    steps = journal(f"SYSLOG_IDENTIFIER={name}", f"CONTAINER_ID={one.id}")
    assert {step["PRIORITY"] for step in steps} == {"6", "7"}
    assert any("job done in" in step["MESSAGE"] for step in steps)


@pytest.mark.parametrize("name", ["journald", "syslog"])
def test_a_log_without_its_identifier(runtime, tmp_path, name):
    """Not a file that nobody looks for; one of that name can still be had."""
    said = runtime.fails("--log", name, "list", cwd=tmp_path)
    assert f"--log: expected {name}:ID" in said and f"./{name}" in said
    assert list(tmp_path.iterdir()) == []
    runtime("--log", f"./{name}", "list", cwd=tmp_path)
    assert (tmp_path / name).exists()


@needs_root("reads the journal")
def test_syslog(runtime):
    """Which is the journal here, too."""
    name = f"test-{uuid.uuid4().hex}"
    assert "does not exist" in runtime.fails("--log", f"syslog:{name}", "state", "nobody")
    until(lambda: journal(f"SYSLOG_IDENTIFIER={name}"), "the error in the journal")
    (entry,) = journal(f"SYSLOG_IDENTIFIER={name}")
    assert entry["PRIORITY"] == "3" and "does not exist" in entry["MESSAGE"]


def test_a_fifo_that_nobody_reads(runtime, container, tmp_path):
    """No verb waits for room in it."""
    fifo, one = tmp_path / "fifo", container()
    os.mkfifo(fifo)
    reader = os.open(fifo, os.O_RDWR)
    try:
        os.write(reader, b"x" * fcntl.fcntl(reader, fcntl.F_GETPIPE_SZ))
        options = ["--log", fifo, "--debug"]
        runtime(*options, "create", "--bundle", one.bundle.path, one.id)
        runtime(*options, "delete", "--force", one.id)
    finally:
        os.close(reader)
