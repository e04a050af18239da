# SPDX-License-Identifier: LGPL-2.1-or-later
"""The verbs of engines and people, in the states a container goes through."""

import json
import os
import pwd
import re
import shutil
import signal
import subprocess
from datetime import datetime, timezone

import pytest

from harness import go, locks, process, schema, user
from harness.config import Config
from harness.needs import needs_ocirt_sd
from harness.runtime import Runtime
from harness.wait import DEADLINE, until

RUNC_STATE = ["ociVersion", "id", "pid", "status", "bundle", "rootfs", "created", "owner"]


@pytest.fixture
def running(container):
    return container().run_detached()


# --- shapes of output, as runc prints them

def test_state_has_runcs_fields(running):
    state = running.state()
    assert set(RUNC_STATE) <= set(state)
    assert state["rootfs"] == str(running.bundle.rootfs)
    assert state["owner"] == pwd.getpwuid(user.UID).pw_name
    created = re.sub(r"\.(\d{6})\d*Z$", r".\1+00:00", state["created"])
    age = datetime.now(timezone.utc) - datetime.fromisoformat(created)
    assert 0 <= age.total_seconds() < 300


def test_state_of_a_stopped_container_has_no_pid(running):
    running.kill("KILL")
    running.wait_for_end()
    assert running.state()["pid"] == 0


def test_state_and_list_are_as_the_schema_says(runtime, running, container):
    """In every state. That there may be more of these is said in the text, not in the schema."""
    created = container(Config().sleeping().annotation("k", "v")).create()
    stopped = container(Config("true")).run_detached().wait_for_end()
    paused = container().run_detached()
    runtime("pause", paused.id)
    states = {"created": created, "running": running, "stopped": stopped}
    for status, one in states.items():
        assert one.status == status and schema.violations("state", one.state()) == []
    assert len(runtime.list()) == 4
    for row in runtime.list():
        wrong = schema.violations("state", row)
        assert [text.partition(":")[0] for text in wrong] == (["status"] if row["id"] == paused.id else [])


def test_list_as_a_table(runtime, running):
    header, row = runtime("list").splitlines()
    assert header.split() == ["ID", "PID", "STATUS", "BUNDLE", "CREATED", "OWNER"]
    cells = row.split()
    assert cells[:4] == [running.id, str(running.pid), "running", str(running.bundle.path)]
    assert header.index("STATUS") == row.index("running")


def test_a_path_cannot_look_like_a_row(runtime, container):
    one = container()
    odd = one.bundle.path.with_name("odd\nghost  1  running\x1b[31m")
    one.bundle.path.rename(odd)
    runtime("create", "--bundle", odd, one.id)
    assert runtime("list").splitlines()[1].split()[3].startswith(str(odd).split("\n")[0] + "?ghost")
    assert runtime.list()[0]["bundle"] == str(odd)
    odd.rename(one.bundle.path)


def test_list_as_json_has_what_state_says(runtime, running, container):
    other = container().create()
    listed = {row["id"]: row for row in runtime.list()}
    assert listed == {running.id: running.state(), other.id: other.state()}


def test_list_quietly(runtime, running):
    assert runtime("list", "--quiet") == f"{running.id}\n"
    assert runtime("list", "-q") == f"{running.id}\n"


def test_list_of_nothing(runtime):
    assert json.loads(runtime("list", "--format=json")) in ([], None)
    assert runtime("list").split() == ["ID", "PID", "STATUS", "BUNDLE", "CREATED", "OWNER"]


def test_ps_in_both_formats(runtime, running):
    running.output_of("sh", "-c", "sleep 1000 & ")
    pids = until(lambda: len(found := process.members(running.cgroup)) >= 3 and found, "it runs")
    assert sorted(json.loads(runtime("ps", "--format", "json", running.id))) == sorted(pids)
    table = runtime("ps", running.id)
    assert "UID" in table.splitlines()[0] and "sleep 1000" in table
    assert len(table.splitlines()) == 1 + len(pids)


@pytest.mark.parametrize("options", [["aux"], ["-o", "comm,pid"], ["-eo", "ppid,pid,args", "--sort=-pid"],
                                     ["-e", "-L", "-o", "pid,lwp"]], ids=" ".join)
def test_ps_with_options(runtime, running, options):
    """Those of ps(1), wherever they put the PID."""
    running.output_of("sh", "-c", "sleep 1000 & ")
    pids = until(lambda: len(found := process.members(running.cgroup)) >= 3 and found, "it runs")
    header, *rows = runtime("ps", running.id, *options).splitlines()
    column = header.split().index("PID")
    assert sorted(int(row.split()[column]) for row in rows) == sorted(pids)


@pytest.mark.parametrize("options, words", [(["-o", "comm"], "PID"), (["--nosuchoption"], "option")])
def test_ps_with_options_that_do_not_do(runtime, running, options, words):
    assert words in runtime.fails("ps", running.id, *options)


# --- pid files and parents

def test_pid_files_have_no_newline(container, top):
    one = container().run_detached()
    assert re.fullmatch(r"\d+", one.pid_file.read_text(encoding="ascii"))
    assert one.pid_file.stat().st_mode & 0o777 == 0o644
    path = top / "exec-pid"
    one.runtime("exec", "--detach", "--pid-file", path, one.id, "sleep", "1000")
    assert re.fullmatch(r"\d+", path.read_text(encoding="ascii"))
    path.unlink()


def test_paths_of_the_caller_are_the_callers(container, bundles):
    """--pid-file and --log are relative to the working directory, not to the bundle."""
    here = bundles.scratch("caller")
    one = container()
    one.runtime("--log", "log", "create", "--bundle", one.bundle.path, "--pid-file", "pid",
                one.id, cwd=here)
    assert sorted(os.listdir(here)) == ["log", "pid"]


def test_the_caller_becomes_the_parent(container, top):
    """Of init and of detached execs: engines wait for their end."""
    one = container().create()
    assert process.parent(one.pid) == os.getpid()
    path = top / "exec-pid"
    one.start().runtime("exec", "-d", "--pid-file", path, one.id, "sh", "-c", "exit 7")
    assert os.waitstatus_to_exitcode(os.waitpid(int(path.read_text()), 0)[1]) == 7
    path.unlink()
    one.kill("KILL")
    assert os.waitstatus_to_exitcode(os.waitpid(one.pid, 0)[1]) == -signal.SIGKILL
    assert one.status == "stopped"


# --- pause, resume

def test_pause_stops_time(container):
    config = Config().script("i=0; while :; do echo $i > /count; i=$((i+1)); done")
    one = container(config).run_detached()
    until(one.bundle.inside("count").exists, "it counts")
    one.runtime("pause", one.id)
    assert one.status == "paused"
    assert "frozen 1" in process.cgroup_file(one.cgroup, "cgroup.events")
    before = one.bundle.inside("count").read_text(encoding="ascii")
    assert "paused" in one.runtime.fails("exec", one.id, "true")
    assert one.bundle.inside("count").read_text(encoding="ascii") == before
    one.runtime("resume", one.id)
    assert one.status == "running"
    until(lambda: one.bundle.inside("count").read_text(encoding="ascii") != before, "it counts on")


def test_pause_and_resume_in_the_wrong_state(runtime, running):
    runtime.fails("resume", running.id)
    runtime("pause", running.id)
    runtime.fails("pause", running.id)
    runtime.fails("start", running.id)
    assert running.status == "paused"


KEEPS_ONE = "{ /hold-lock write 1; touch /held; } | sleep 1000 & i=0; while :; do echo $i > /count; i=$((i+1)); done"


@pytest.fixture
def unfreezable(keeper):
    """Beside what counts there is a process that waits in the kernel, where nothing freezes it."""
    one = keeper(Config().script(KEEPS_ONE)).run_detached()
    until(one.bundle.inside("held").exists, "it waits")
    return one


def counts(one):
    before = one.bundle.inside("count").read_text(encoding="ascii")
    until(lambda: one.bundle.inside("count").read_text(encoding="ascii") != before, "it counts on")
    return True


@locks.needs_power
@needs_ocirt_sd
def test_a_pause_that_fails_is_taken_back(unfreezable):
    assert "a process of it cannot be frozen" in unfreezable.runtime.fails("pause", unfreezable.id)
    assert process.cgroup_file(unfreezable.cgroup, "cgroup.freeze") == "0" and counts(unfreezable)
    assert unfreezable.exec("true").status == 0
    assert unfreezable.properties("FreezerState") == {"FreezerState": "running"}


@locks.needs_power
@needs_ocirt_sd
def test_resume_of_what_is_frozen_by_half(unfreezable):
    """As when pause was killed."""
    with subprocess.Popen(["systemctl", "freeze", unfreezable.unit], stderr=subprocess.DEVNULL) as freeze:
        until(lambda: process.cgroup_file(unfreezable.cgroup, "cgroup.freeze") == "1", "it is to be frozen")
        unfreezable.runtime("resume", unfreezable.id)
        freeze.kill()
    assert unfreezable.status == "running" and counts(unfreezable)


def test_a_signal_waits_for_the_resume(container):
    one = container(Config().script("trap 'exit 4' TERM; echo up; while :; do sleep 1000 & "
                                    "wait $!; done")).run_detached().wait_for_output("up")
    one.runtime("pause", one.id)
    one.kill("TERM")
    assert one.status == "paused"
    one.runtime("resume", one.id)
    one.wait_for_end().wait_until("stopped")


@pytest.mark.parametrize("words", [["delete", "--force"], pytest.param(["stop"],
                                                                       marks=needs_ocirt_sd)])
def test_a_paused_container_can_be_ended(runtime, running, words):
    runtime("pause", running.id)
    pid = running.pid
    runtime(*words, running.id)
    assert not process.is_alive(pid)


# --- exec

def test_exec_is_where_the_container_is(running):
    pid = int(running.output_of("sh", "-c", "exec sh -c 'cat /proc/self/stat'").split()[0])
    assert pid > 1
    for kind in ["pid", "ipc", "uts", "mnt", "net", "cgroup"]:
        inside = running.output_of("busybox", "readlink", f"/proc/self/ns/{kind}").strip()
        assert inside == process.namespace(running.pid, kind)
    assert running.output_of("cat", "/proc/self/cgroup").splitlines()[-1] == "0::/"


def test_exec_options(running):
    options = ["--user", "1000:100", "--env", "A=1", "-e", "B=two words", "--cwd", "/tmp",
               "--additional-gids", "7"]
    script = "id -u; id -g; id -G; echo $A $B $PWD"
    assert running.output_of("sh", "-c", script, options=options).splitlines() == [
        "1000", "100", "100 7", "1 two words /tmp"]


def test_exec_of_a_process_file(running, top):
    path = top / "process.json"
    path.write_text(go.marshal({"args": ["sh", "-c", "echo $X $PWD $(id -u)"], "cwd": "/mnt",
                                "env": ["X=y", "PATH=/bin"], "user": {"uid": 5, "gid": 6}}))
    assert running.output_of(options=["--process", path]) == "y /mnt 5\n"
    path.unlink()


def test_exec_returns_the_exit_status(running):
    for script, status in [("true", 0), ("exit 3", 3), ("kill -KILL $$", 137)]:
        assert running.exec("sh", "-c", script).status == status


def test_exec_that_cannot_be(running, top):
    """An error, as engines look for it, and no pid file."""
    path = top / "exec-pid"
    path.write_text("1")
    for program, message in [("nosuchprogram", "executable file not found in $PATH"),
                             ("/nosuchprogram", "no such file or directory"),
                             ("/etc/passwd", "permission denied")]:
        options = ["exec", "--detach", "--pid-file", path, running.id, program]
        assert message in running.runtime.fails(*options)
    assert not path.exists() or path.read_text() == "1"
    path.unlink(missing_ok=True)
    assert running.status == "running"


def test_exec_passes_bytes_unchanged(running):
    data = bytes(range(256)) * 1000
    command = running.runtime.command("exec", running.id, "cat")
    done = subprocess.run(command, input=data, capture_output=True, timeout=DEADLINE, check=False)
    assert done.returncode == 0 and done.stdout == data and done.stderr == b""


# --- kill and delete

@pytest.mark.parametrize("name", ["9", "KILL", "SIGKILL", "sigkill"])
def test_signals_by_number_and_name(running, name):
    running.kill(name)
    assert os.waitstatus_to_exitcode(os.waitpid(running.pid, 0)[1]) == -signal.SIGKILL


def test_kill_sends_sigterm_by_default(running):
    running.runtime("kill", running.id)
    assert os.waitstatus_to_exitcode(os.waitpid(running.pid, 0)[1]) == 0


def test_kill_of_all_processes(container):
    child = "trap 'echo child; exit' TERM; echo up; while :; do sleep 0.01; done"
    one = container(Config().script(f"({child}) & trap '' TERM; while :; do sleep 1000; done"))
    one.run_detached().wait_for_output("up")
    one.kill("TERM", "--all")
    one.wait_for_output("child")


def test_kill_of_an_unknown_signal(running):
    for name in ["NOSUCH", "99", "-1", "0x9", "", "1.5"]:
        running.runtime.fails("kill", "--", running.id, name)
    assert running.status == "running"


def test_delete_by_force_is_idempotent(runtime, running):
    running.delete("--force")
    running.delete("--force")
    runtime("delete", "--force", "nobody")


def test_delete_of_a_zombie(running):
    """Its parent may not have looked yet; without force, as the shim of containerd does."""
    running.kill("KILL")
    running.wait_for_end()
    running.delete()


def test_delete_while_an_exec_was_not_collected(container):
    """Its init cannot end before the caller of exec has looked at that one."""
    one = container().run_detached()
    one.runtime("exec", "--detach", one.id, "sleep", "1000")
    one.delete("--force")


@needs_ocirt_sd
def test_a_directory_of_somebody(runtime, container, top):
    """--root that is not for containers: what lies there is none, and stays."""
    above = top / "above"
    for path in ["home", "home/letters", "private", "bundle", "music", "mixed", "readable"]:
        (above / path).mkdir(parents=True)
        (above / path).chmod(0o755 if path in ["home", "home/letters", "readable"] else 0o700)
    for path in ["home/letter", "home/config.json.old", "private/letter", "private/.letter.tmp", "bundle/config.json",
                 "music/record", "mixed/record", "mixed/letter"]:
        (above / path).write_text("dear")
    before = sorted(above.rglob("*"))
    other = Runtime(above)
    assert other.list() == []
    (above / "mixed/record").write_text("version=")
    for name in ["home", "private", "bundle", "music", "mixed", "readable"]:
        for verb in ["state", "delete", "kill"]:
            assert "container does not exist" in other.fails(verb, name)
        other("delete", "--force", name)  # of what is not there: as it should be
    assert sorted(above.rglob("*")) == before
    shutil.rmtree(above)


def test_a_file_of_somebody_in_the_state(container):
    """delete takes what is ours away."""
    one = container().run_detached()
    other = one.runtime.root / one.id / "letter"
    other.write_text("dear")
    assert str(one.id) in one.runtime.fails("delete", "--force", one.id)
    assert other.read_text() == "dear"
    until(lambda: not process.is_alive(one.pid), "its end")
    other.unlink()
    one.delete("--force")


@needs_ocirt_sd
def test_verbs_for_many(runtime, container):
    """--regex of kill and delete."""
    many = [container(name=f"many-{n}-{os.getpid()}").run_detached() for n in range(2)]
    runtime("kill", "--regex", "^many-", "KILL")
    for one in many:
        one.wait_for_end()
    runtime("delete", "--regex", "^many-")
    assert runtime.list() == []


@needs_ocirt_sd
def test_verbs_for_several(runtime, container):
    """Each error names its container, and keeps the verb from none of the others."""
    one, other = container().create(), container().create()
    for verb, status in [("start", "running"), ("pause", "paused"), ("resume", "running"), ("stop", "stopped")]:
        result = runtime.call(verb, one.id, "nobody", other.id)
        assert result.status == 1 and result.stdout == ""
        assert result.stderr == "ocirt-sd: container does not exist: nobody\n"
        assert one.status == other.status == status
    result = runtime.call("kill", "--signal", "USR1", one.id, other.id)
    assert result.stderr.splitlines() == [
        f"ocirt-sd: cannot signal container {each.id}: container not running" for each in (one, other)]
    assert runtime("delete", one.id, other.id) == "" and runtime.list() == []
