# SPDX-License-Identifier: LGPL-2.1-or-later
"""What container engines rely on: the ten mistakes that a runtime makes first."""

import json
import os
import re
import subprocess
from datetime import datetime

import pytest

from harness import process, systemd
from harness.config import Config
from harness.needs import needs_insight
from harness.runtime import BINARY
from harness.wait import DEADLINE, until

RFC3339 = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)"
VERBS_AFTER_CREATE = ["start", "pause", "resume", "kill", "delete"]


@pytest.fixture
def running(container):
    return container().run_detached()


# --- 1, 8: nobody of ours stays

def test_no_process_of_ours_stays(container):
    """Neither after create, nor with the container, nor after a detached exec."""
    one = container().create()
    assert process.members(one.cgroup) == [one.pid]
    before = len(process.members(process.cgroup("self")))
    one.start()
    one.runtime("exec", "--detach", one.id, "sleep", "1000")
    assert len(process.members(process.cgroup("self"))) == before


def test_output_pipes_end_when_a_verb_does(container):
    """go-runc waits for the end of the pipe, not of the process."""
    one = container(Config().script("exec >/dev/null 2>&1; sleep 1000"))
    one.create()
    for verb in ["start", "state", "pause", "resume"]:
        done = subprocess.run(one.runtime.command(verb, one.id), capture_output=True, timeout=DEADLINE,
                              check=True)
        assert done.stderr == b"" and (verb == "state" or done.stdout == b"")


# --- 3, 4: errors

def logged(path):
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


@pytest.mark.parametrize("args", [["state", "nobody"], ["start", "nobody"],
                                  ["create", "--bundle", "/nosuch", "x"],
                                  ["exec", "nobody", "true"], ["nosuchverb"],
                                  ["create", "--nosuch"]])
def test_errors_are_on_stderr_and_in_the_log(runtime, tmp_path, args):
    """One line of JSON: level, msg, time; the same sentence on stderr."""
    log = tmp_path / "log.json"
    message = runtime.fails("--log", log, "--log-format", "json", *args)
    (entry,) = logged(log)
    assert entry["level"] == "error" and entry["msg"] in message
    assert re.fullmatch(RFC3339, entry["time"])
    datetime.fromisoformat(entry["time"].replace("Z", "+00:00"))


def test_nothing_is_logged_of_what_went_well(container, tmp_path):
    """Podman takes the whole file for one object."""
    log = tmp_path / "log.json"
    one = container()
    options = ["--log", log, "--log-format=json"]
    one.runtime(*options, "create", "--bundle", one.bundle.path, one.id)
    one.runtime(*options, "start", one.id)
    one.runtime(*options, "delete", "--force", one.id)
    assert log.read_text() == ""


def test_the_log_is_appended_to(runtime, tmp_path):
    log = tmp_path / "log.json"
    for _ in range(2):
        runtime.fails("--log", log, "--log-format", "json", "state", "nobody")
    assert len(logged(log)) == 2


def test_text_in_the_log(runtime, tmp_path):
    log = tmp_path / "log"
    runtime.fails("--log", log, "state", "no\"body")
    assert "level=error" in log.read_text() and log.read_text().count("\n") == 1


@pytest.mark.parametrize("words, phrase", [
    (["state"], "does not exist"), (["exec", "true"], "container not running"),
    (["kill"], "container not running"), (["ps"], "container not running")])
def test_phrases_that_engines_look_for(container, words, phrase):
    one = container(Config("true"))
    if phrase != "does not exist":
        one.run_detached().wait_for_end()
    verb, *rest = words
    message = one.runtime.fails(verb, one.id, *rest)
    assert phrase in message


def test_a_missing_program_is_an_error_of_create(runtime, container):
    """At start it would be too late for the exit statuses 126 and 127."""
    one = container(Config("nosuch"))
    assert "executable file not found in $PATH" in runtime.fails("create", "--bundle",
                                                                 one.bundle.path, one.id)


# --- 2: pid files

def test_no_pid_file_after_a_failure(runtime, container):
    """Its existence means success to conmon."""
    for config in [Config("nosuch"), Config().mount("/mnt", "nosuchfs", "x")]:
        one = container(config)
        runtime.fails("create", "--bundle", one.bundle.path, "--pid-file", one.pid_file, one.id)
        assert not one.pid_file.exists()


# --- 5: what is not there

BARE = {"PATH": os.environ.get("PATH", "/usr/bin")}


@pytest.mark.parametrize("environment", [{}, {"XDG_RUNTIME_DIR": ""}], ids=["empty", "xdg"])
def test_verbs_need_no_environment_and_no_options(container, environment):
    """Neither PATH nor HOME nor a bus's address nor --systemd-cgroup, as Podman calls them."""
    one = container().create()
    plain = [subprocess.run(["which", BINARY], capture_output=True, text=True,
                            check=True).stdout.strip(), "--root", str(one.runtime.root)]
    for verb in VERBS_AFTER_CREATE:
        rest = ["KILL"] if verb == "kill" else []
        done = subprocess.run([*plain, verb, *(["--force"] if verb == "delete" else []), one.id,
                               *rest], env=environment, check=False, capture_output=True)
        assert done.returncode == 0 and not done.stderr, f"{verb}: {done.stderr}"


def test_the_default_root(container):
    """/run/ocirt-sd for root, also with a user's XDG_RUNTIME_DIR or an empty one."""
    one = container().run_detached()
    for value in ["", "/run/user/1000"]:
        done = subprocess.run([BINARY, "--root", "", "list", "-q"], check=True, text=True,
                              capture_output=True, env=os.environ | {"XDG_RUNTIME_DIR": value})
        assert one.id not in done.stdout
    assert not os.path.exists("/run/user/1000/ocirt-sd")


@pytest.mark.parametrize("spelling", [["--root={root}"], ["--root", "{root}"]])
def test_both_spellings_of_options(container, spelling):
    one = container().create()
    words = [word.format(root=one.runtime.root) for word in spelling]
    done = subprocess.run([BINARY, *words, "state", one.id], check=True, capture_output=True)
    assert json.loads(done.stdout)["id"] == one.id


# --- 6: names, again and again

def test_the_same_name_at_once_again(container):
    """A restart: create, start, end, delete, without a pause between; the scope is gone."""
    one = container(Config("true").set("linux.cgroupsPath", "system.slice:libpod:again"))
    for _ in range(8):
        one.create()
        assert one.unit == "libpod-again.scope"
        one.start().wait_for_end()
        one.delete("--force")
        assert systemd.show("libpod-again.scope", "ActiveState")["ActiveState"] == "inactive"


def test_run_again_and_again(container):
    one = container(Config("true").set("linux.cgroupsPath", "system.slice:libpod:again"))
    for _ in range(8):
        one.runtime("run", "--bundle", one.bundle.path, one.id)


# --- 7: delete and kill

def test_delete_of_what_a_failed_create_left(runtime, container):
    """Podman deletes by force after every failed create."""
    one = container(Config().mount("/mnt", "nosuchfs", "x"))
    runtime.fails("create", "--bundle", one.bundle.path, one.id)
    runtime("delete", "--force", one.id)


def test_kill_all_after_the_end_of_init(container):
    """Of a container without a pid namespace: what is left behind is still there to kill."""
    config = Config().script("setsid sleep 1000 >/dev/null 2>&1 & echo up").without_namespace("pid")
    config.without_mount("/proc").bind("/proc", "/proc", "rbind")
    one = container(config.set("linux.maskedPaths", []).set("linux.readonlyPaths", []))
    one.run_detached().wait_for_output("up").wait_for_end()
    one.kill("KILL", "--all")
    one.delete()


# --- 9, 10: start, state

def test_state_after_start_is_never_created(container):
    """buildah gives up when it is."""
    for script in ["true", "sleep 1000"]:
        one = container(Config().script(script)).create().start()
        assert one.status in ("running", "stopped")


def test_an_oom_score_for_others_is_left(container):
    """Without oomScoreAdj the caller's own value stays."""
    one = container(Config("cat", "/proc/self/oom_score_adj"))
    before = open("/proc/self/oom_score_adj", encoding="ascii").read()
    assert one.runtime("run", "--bundle", one.bundle.path, one.id) == before


@needs_insight
def test_prestart_hooks_see_a_pid_that_has_the_namespaces(container, bundles):
    """Docker's network hook moves an interface into /proc/PID/ns/net."""
    out = bundles.scratch("hook") / "net"
    script = "pid=$(sed 's/.*\"pid\": *\\([0-9]*\\).*/\\1/'); " \
             f"readlink /proc/$pid/ns/net > {out}"
    one = container(Config().sleeping().hook("prestart", "/bin/sh", "-c", script,
                                             env=["PATH=/usr/bin:/bin"])).create()
    assert out.read_text().strip() == process.namespace(one.pid, "net")
    assert out.read_text().strip() != process.namespace("self", "net")


def test_a_container_ends_when_its_reader_does(container):
    """Nothing of ours keeps the pipe of a container's output open."""
    one = container(Config().script("echo out; exec >&- 2>&-; sleep 1000"))
    with subprocess.Popen(one.runtime.command("run", "--detach", "--bundle", one.bundle.path,
                                              one.id), stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL) as child:
        assert child.stdout.read() == b"out\n"
    until(lambda: one.status == "running", "it runs on")
