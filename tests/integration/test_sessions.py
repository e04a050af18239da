# SPDX-License-Identifier: LGPL-2.1-or-later
"""Sessions: what exec --detach runs in a supervised container, which systemd collects and of which it is known how it ended."""

import json
import os
import signal
import subprocess

import pytest

from harness import process, systemd, user
from harness.config import Config
from harness.needs import needs_ocirt_sd
from harness.runtime import Runtime
from harness.wait import DEADLINE, until

pytestmark = needs_ocirt_sd
TRAP = ["sh", "-c", "trap 'exit 5' TERM; while :; do sleep 0.01; done"]


@pytest.fixture
def supervised(supervised):
    """Of configurations."""
    return lambda config=None, *options: supervised(None, *options, config=config or Config("sleep", "1000"))


def begin(one, *command, options=()):
    """The name of the session."""
    return one.runtime("exec", "--detach", *options, one.id, *command).strip()


def sessions(one):
    return {row["name"]: row for row in json.loads(one.runtime("ps", "--sessions", "--format", "json", one.id))}


def status_of(one, name):
    return one.runtime("wait", one.id, name).strip()


def unit_of(one, name):
    return f"ocirt-sd-{one.id}:{name}.service"


def is_gone(unit):
    return systemd.show(unit, "LoadState")["LoadState"] == "not-found"


def test_its_parent_is_systemd_and_its_cgroup_the_container_s(supervised):
    one = supervised()
    name = begin(one, "sleep", "1000")
    pid, first = sessions(one)[name]["pid"], one.state()["pid"]
    assert process.comm(pid) == "sleep"
    assert process.parent(pid) == process.parent(first)
    assert process.cgroup(pid) == process.cgroup(first)
    assert systemd.show(unit_of(one, name), "MainPID", "SubState") == {"MainPID": str(pid), "SubState": "running"}
    assert str(pid) in one.runtime("ps", one.id)
    ours = [p for p in os.listdir("/proc") if p.isdigit() and process.is_alive(int(p)) and process.comm(int(p)).startswith("ocirt-sd")]
    assert not [p for p in ours if unit_of(one, name) in process.cgroup(int(p))]


@pytest.mark.parametrize("script, status", [("exit 0", 0), ("exit 3", 3), ("exit 255", 255), ("kill -USR1 $$", 128 + signal.SIGUSR1),
                                            ("kill -KILL $$", 137), ("ulimit -c 0; kill -SEGV $$", 139)])
def test_a_status(supervised, script, status):
    one = supervised()
    name = begin(one, "sh", "-c", script)
    for _ in range(2):
        assert status_of(one, name) == str(status)
        assert one.runtime.call("wait", "--exit-status", one.id, name).status == status
    assert (sessions(one)[name]["status"], sessions(one)[name]["exitStatus"]) == ("stopped", status)


def test_of_one_that_ends_at_once(supervised):
    one = supervised()
    for number in range(20):
        name = begin(one, "true" if number % 2 else "false", options=["--name", f"quick{number}"])
        assert (name, status_of(one, name)) == (f"quick{number}", str(1 - number % 2))


def test_without_a_pid_namespace(supervised):
    one = supervised(Config("sleep", "1000").without_namespace("pid"))
    assert status_of(one, begin(one, "sh", "-c", "exit 4")) == "4"
    name = begin(one, "sleep", "1000")
    one.kill("KILL")
    assert status_of(one, name) == "137"


def test_a_name(supervised):
    one, other = supervised(), supervised()
    for each in (one, other):
        assert begin(each, "sleep", "1000", options=["--name", "same"]) == "same"
    assert "has a session same already" in one.runtime.fails("exec", "--detach", "--name", "same", one.id, "true")
    one.runtime("kill", "--session", "same", one.id, "KILL")
    assert status_of(one, "same") == "137"
    assert "has a session same already" in one.runtime.fails("exec", "--detach", "--name", "same", one.id, "true")
    one.runtime("delete", "--session", "same", one.id)
    assert sessions(one) == {}
    assert begin(one, "true", options=["--name", "same"]) == "same"
    assert status_of(one, "same") == "0"
    assert sessions(other)["same"]["status"] == "running"


def test_of_another_root_directory(supervised, bundles):
    """The same container and the same session, but for the unit of the container, whose name the configuration has chosen."""
    one = supervised()
    begin(one, "sleep", "1000", options=["--name", "same"])
    elsewhere = Runtime(bundles.scratch("other-root") / "root")
    bundle = bundles.make(Config("sleep", "1000").set("linux.cgroupsPath", f":other:{one.id}"))
    elsewhere("run", "--supervise", "--bundle", bundle.path, one.id)
    try:
        elsewhere("exec", "--detach", "--name", "same", one.id, "sh", "-c", "exit 9")
        assert elsewhere("wait", one.id, "same") == "9\n"
        assert sessions(one)["same"]["status"] == "running"
    finally:
        elsewhere("delete", "--force", one.id)
    assert process.is_alive(sessions(one)["same"]["pid"])


def test_by_its_pid(supervised):
    """As those call it who know nothing but that."""
    one = supervised()
    name = begin(one, *TRAP)
    pid = sessions(one)[name]["pid"]
    until(lambda: process.catches(pid, signal.SIGTERM), "the trap is set")
    one.runtime("kill", "--session", str(pid), one.id)
    assert status_of(one, str(pid)) == "5"
    one.runtime("delete", "--session", str(pid), one.id)
    assert sessions(one) == {}


def test_who_waits_meanwhile(supervised):
    one = supervised()
    name = begin(one, *TRAP)
    pid = sessions(one)[name]["pid"]
    until(lambda: process.catches(pid, signal.SIGTERM), "the trap is set")
    assert "timed out" in one.runtime.fails("wait", "--timeout", "1ms", one.id, name)
    with one.runtime.start_process("wait", one.id, name, stdout=subprocess.PIPE, text=True) as wait:
        until(lambda: "anon_inode:inotify" in process.descriptors(wait.pid).values(), "it watches")
        one.runtime("kill", "--session", name, one.id, "TERM")
        assert wait.communicate(timeout=DEADLINE)[0] == "5\n"
    one.runtime("wait", "--condition=removed", one.id, "nosuch")


def test_stop_by_systemctl(supervised):
    one = supervised()
    name = begin(one, *TRAP)
    until(lambda: process.catches(sessions(one)[name]["pid"], signal.SIGTERM), "the trap is set")
    systemd.systemctl("stop", unit_of(one, name))
    assert status_of(one, name) == "5"
    assert one.state()["status"] == "running"


@pytest.mark.parametrize("end", ["kill", "kill --all", "stop", "systemctl", "delete"])
def test_it_ends_with_the_container(supervised, end):
    one = supervised(None)
    name = begin(one, "sh", "-c", "trap '' TERM; while :; do sleep 0.01; done")
    pid = sessions(one)[name]["pid"]
    if end.startswith("kill"):
        one.runtime(*end.split(), one.id, "KILL")
    elif end == "stop":
        one.runtime("stop", "--time", "0", one.id)
    elif end == "systemctl":
        systemd.systemctl("kill", "--signal=KILL", f"ocirt-sd-{one.id}.service")
    else:
        one.delete("--force")
    until(lambda: not process.is_alive(pid), "its end")
    if end != "delete":
        assert status_of(one, name) == "137"
        one.delete("--force")
    assert not (one.runtime.root / one.id).exists()
    until(lambda: is_gone(unit_of(one, name)), "systemd forgets it")


def test_what_pause_does_holds_for_it(supervised):
    one = supervised()
    name = begin(one, *TRAP)
    pid = sessions(one)[name]["pid"]
    until(lambda: process.catches(pid, signal.SIGTERM), "the trap is set")
    one.runtime("pause", one.id)
    one.runtime("kill", "--session", name, one.id, "TERM")
    assert "is paused" in one.runtime.fails("exec", "--detach", one.id, "true")
    assert process.is_alive(pid) and sessions(one)[name]["status"] == "paused"
    one.runtime("resume", one.id)
    assert status_of(one, name) == "5"


def test_after_the_container_has_begun_again(supervised):
    one = supervised(Config("sleep", "1000"), "--restart", "on-failure")
    name = begin(one, "sleep", "1000")
    first = one.state()["pid"]
    os.kill(first, signal.SIGKILL)
    until(lambda: one.state()["pid"] not in (0, first), "it was started again")
    one.wait_until("running")
    assert status_of(one, name) == "137"
    assert status_of(one, begin(one, "sh", "-c", "exit 2")) == "2"


def test_across_a_reexecution(supervised):
    one = supervised()
    name = begin(one, *TRAP)
    until(lambda: process.catches(sessions(one)[name]["pid"], signal.SIGTERM), "the trap is set")
    systemd.systemctl("daemon-reload")
    systemd.systemctl("daemon-reexec")
    one.runtime("kill", "--session", name, one.id, "TERM")
    assert status_of(one, name) == "5"


def test_its_output_is_in_the_container_s_log(supervised):
    one, other = supervised(), supervised()
    for each, text in ((one, "mine"), (other, "yours")):
        status_of(each, begin(each, "sh", "-c", f"echo {text}; echo bad >&2"))
    until(lambda: (found := one.runtime.call("logs", one.id)) and (found.stdout, found.stderr) == ("mine\n", "bad\n"),
          "what it has written, and no more")


def test_what_it_is_given(supervised, bundles):
    one = supervised()
    pid_file = bundles.scratch("session") / "pid"
    text = json.dumps({"args": ["sh", "-c", "exit $CODE"], "cwd": "/", "env": ["CODE=7", "PATH=/bin"], "user": {"uid": 0, "gid": 0}})
    process_file = bundles.scratch("session") / "process.json"
    process_file.write_text(text, encoding="utf-8")
    name = begin(one, options=["--process", process_file])
    assert status_of(one, name) == "7"
    name = begin(one, "sh", "-c", '[ "$A" = "x y\n" ] && [ "$(pwd)" = /bin ] && [ "$1" = "a b" ] && exec sleep 1000', "sh", "a b",
                 options=["--env", "A=x y\n", "--cwd", "/bin", "--pid-file", pid_file])
    assert int(pid_file.read_text(encoding="ascii")) == sessions(one)[name]["pid"]
    until(lambda: process.comm(sessions(one)[name]["pid"]) == "sleep", "all was as it was asked for")
    shown = systemd.systemctl("show", unit_of(one, name))
    assert "x y" not in shown and "exec sleep" not in shown, "nobody else reads what it was given"


def test_what_it_has(supervised):
    """No socket of systemd's to speak to, and nothing open but its output."""
    one = supervised()
    name = begin(one, "sh", "-c", "env; ls /proc/self/fd; echo end")
    assert status_of(one, name) == "0"
    lines = until(lambda: "end\n" in (text := one.runtime("logs", one.id)) and text, "its output").split()
    assert "NOTIFY_SOCKET" not in "".join(lines) and "INVOCATION_ID" not in "".join(lines)
    assert [line for line in lines if line.isdigit()] == ["0", "1", "2", "3"]  # and the directory


@pytest.mark.parametrize("command, words", [(["nosuch"], "executable file not found in $PATH"), (["/etc"], "is a directory")])
def test_what_cannot_be_executed(supervised, command, words):
    one = supervised()
    result = one.runtime.call("exec", "--detach", "--name", "bad", one.id, *command)
    assert result.status == 255 and words in result.stderr and result.stdout == ""
    assert sessions(one) == {}
    until(lambda: is_gone(unit_of(one, "bad")), "systemd forgets it")


def test_what_is_no_program(supervised):
    """The process has ended by then, and systemd has heard of it."""
    one = supervised()
    program = one.bundle.inside("bad")
    program.write_bytes(b"\x7fELF" + bytes(60))
    program.chmod(0o755)
    for _ in range(20):
        assert "exec format error" in one.runtime.fails("exec", "--detach", "--name", "bad", one.id, "/bad")
        assert sessions(one) == {}


@pytest.mark.parametrize("options, words", [
    (["--detach", "--name", "1st"], "--name: \"1st\""), (["--detach", "--name", "a/b"], "--name"), (["--detach", "--name", "x" * 41], "--name"),
    (["--name", "x"], "--detach"), (["--detach", "--name", "x", "--preserve-fds", "1"], "--preserve-fds"),
    (["--detach", "--name", "x", "--tty"], "terminal"),
])
def test_what_is_refused(supervised, options, words):
    one = supervised()
    assert words in one.runtime.fails("exec", *options, one.id, "true")
    assert sessions(one) == {}


def test_of_a_container_that_nobody_watches(container):
    """Its exec says nothing, as engines expect it."""
    one = container().run_detached()
    assert begin(one, "true") == ""
    assert "run --supervise" in one.runtime.fails("exec", "--detach", "--name", "x", one.id, "true")
    assert sessions(one) == {}


def test_what_is_not_there(supervised):
    one = supervised()
    for words in (["wait", one.id, "nosuch"], ["kill", "--session", "nosuch", one.id], ["delete", "--session", "nosuch", one.id]):
        assert f"container {one.id} has no session nosuch" in one.runtime.fails(*words)
    one.runtime("delete", "--force", "--session", "nosuch", one.id)
    name = begin(one, "sleep", "1000")
    assert "is running" in one.runtime.fails("delete", "--session", name, one.id)
    one.runtime("delete", "--force", "--session", name, one.id)
    assert sessions(one) == {} and is_gone(unit_of(one, name))
    assert status_of(one, begin(one, "true", options=["--name", name])) == "0"
    assert "has ended" in one.runtime.fails("kill", "--session", name, one.id)


def test_a_unit_of_that_name_is_left_alone(supervised):
    one = supervised()
    with systemd.TransientUnit(unit_of(one, "taken"), ["sleep", "1000"]) as unit:
        before = unit.invocation
        assert "taken" in one.runtime.fails("exec", "--detach", "--name", "taken", one.id, "true")
        assert unit.invocation == before and sessions(one) == {}


def test_its_launcher_is_killed(supervised):
    """Or the process itself, if that is there already: who asked is told which."""
    one = supervised()
    for number in range(10):
        name = f"killed{number}"
        command = one.runtime.command("exec", "--detach", "--name", name, one.id, "sleep", "1000")
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as asking:
            unit = unit_of(one, name)
            until(lambda unit=unit, asking=asking: asking.poll() is not None or systemd.show(unit, "MainPID")["MainPID"] != "0",
                  "systemd calls us")
            systemd.systemctl("kill", "--signal=KILL", unit, check=False)
            status = asking.wait(timeout=DEADLINE)
        assert (name in sessions(one)) == (status == 0)
        if status == 0:
            assert status_of(one, name) == "137"
        until(lambda unit=unit: is_gone(unit), "systemd forgets it")
    assert not [p for p in process.members(process.cgroup(one.state()["pid"])) if p != one.state()["pid"]]


def test_of_those_that_have_ended_the_last_are_kept(supervised):
    one = supervised()
    running = begin(one, "sleep", "1000", options=["--name", "running"])
    directory = one.runtime.root / one.id / "sessions"
    first = begin(one, "true", options=["--name", "first"])
    status_of(one, first)
    for number in range(260):  # as they are on the disk, for time's sake
        subprocess.run(["cp", "-a", directory / first, directory / f"copy{number}"], check=True)
        record = directory / f"copy{number}" / "record"
        record.write_text(record.read_text().replace("id=first", f"id=copy{number}").replace("created=2", f"created=3"))
    last = begin(one, "true")
    kept = sessions(one)
    assert running in kept and last in kept and first not in kept and len(kept) <= 258


def test_an_ordinary_user_sees_nothing_of_it(supervised):
    one = supervised()
    begin(one, "true")
    mode = os.stat(one.runtime.root / one.id / "sessions").st_mode & 0o777
    assert mode == 0o700, user.UID
