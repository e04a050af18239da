# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the OCI runtime interface says a runtime MUST do, a test a sentence.

The operations are state, create, start, kill, delete, run and stop; "no effect"
is checked by comparing the state before and after.
"""

import os

import pytest

from harness import process
from harness.config import Config
from harness.needs import needs_insight, needs_ocirt_sd
from harness.wait import until

VERBS = ["state", "create", "start", "kill", "stop", "delete", "run", "exec", "ps", "pause",
         "resume"]
VERBS_ON_EXISTING = [verb for verb in VERBS if verb not in ("create", "run")]


def on(verb, name):
    """The arguments of a verb on a container."""
    return [verb, name, "true"] if verb == "exec" else [verb, name]


def has_no_effect(one, verb):
    """The verb fails, and the container is as it was; returns the message."""
    before = one.state()
    message = one.runtime.fails(*on(verb, one.id))
    assert one.state() == before
    return message


@pytest.fixture
def running(container):
    return container().run_detached()


@pytest.fixture
def stopped(container):
    return container(Config("true")).run_detached().wait_for_end()


# --- every operation

@pytest.mark.parametrize("verb", VERBS)
def test_error_without_an_id(runtime, verb):
    """MUST generate an error if it is not provided the container ID."""
    runtime.fails(verb)


@pytest.mark.parametrize("verb", VERBS_ON_EXISTING)
def test_error_for_a_container_that_does_not_exist(runtime, verb):
    """Attempting to … a container that does not exist MUST generate an error."""
    assert "does not exist" in runtime.fails(*on(verb, "nobody"))


# --- state

@pytest.mark.proves("annotations")
def test_state_has_all_that_it_must_have(container):
    """ociVersion, id, status, pid as the host sees it, bundle as an absolute path, annotations."""
    config = Config().sleeping().annotation("com.example.key", "välue\n")
    one = container(config)
    one.runtime("run", "--detach", "--pid-file", one.pid_file, one.id, cwd=one.bundle.path)
    state = one.state()
    assert state["ociVersion"].count(".") == 2
    assert state["id"] == one.id
    assert state["status"] == "running"
    assert state["pid"] == one.pid and process.is_alive(one.pid)
    assert state["bundle"] == str(one.bundle.path)
    assert state["annotations"] == {"com.example.key": "välue\n"}


def test_state_through_the_whole_life(container):
    """created, running, stopped."""
    one = container().create()
    assert one.status == "created"
    one.start()
    assert one.status == "running"
    one.kill("KILL")
    one.wait_for_end()
    assert one.status == "stopped"


# --- create

def test_create_without_a_bundle(runtime, tmp_path):
    """MUST generate an error if it is not provided a path to the bundle: none is here."""
    assert "config.json" in runtime.fails("create", "x", cwd=tmp_path)


def test_create_from_a_bundle_that_does_not_exist(runtime):
    runtime.fails("create", "--bundle", "/nonexistent", "x")


@pytest.mark.parametrize("status", ["created", "running", "stopped"])
def test_ids_are_unique(container, status):
    """If the ID is not unique … an error, and a new container MUST NOT be created."""
    first = container(Config("true") if status == "stopped" else None).create()
    if status != "created":
        first.start()
        first.wait_until(status)
    before, cgroups = first.state(), process.cgroup("self")
    second = container(name=first.id)
    message = second.runtime.fails("create", "--bundle", second.bundle.path, first.id)
    assert "already exists" in message
    assert first.state() == before and process.cgroup("self") == cgroups


def test_an_invalid_id_is_refused(runtime, container):
    """… or is not valid in any other way."""
    path = container().bundle.path
    assert "invalid" in runtime.fails("create", "--bundle", path, "../up")


@needs_insight
def test_create_does_not_run_the_program(container):
    """process.args MUST NOT be applied until triggered by the start operation."""
    one = container(Config().script("echo ran > /ran; sleep 1000")).create()
    assert one.output_of("ls", "/").count("ran") == 0
    one.start()
    until(one.bundle.inside("ran").exists, "the program runs")


@needs_insight
def test_create_applies_all_but_the_process(container):
    """All of the properties configured in config.json except for process MUST be applied."""
    config = Config().sleeping().mount("/mnt", "tmpfs", "tmpfs", "size=64k")
    one = container(config.set("hostname", "early")).create()
    assert one.output_of("hostname") == "early\n"
    assert " /mnt " in one.output_of("cat", "/proc/1/mountinfo")


@needs_insight
def test_create_makes_the_pid_namespace(container):
    """If a new PID namespace is requested, a PID namespace MUST be created at this time."""
    one = container().create()
    assert process.namespace(one.pid, "pid") != process.namespace("self", "pid")


def test_what_cannot_be_applied_is_an_error(runtime, container):
    """If the runtime cannot apply a property … a new container MUST NOT be created."""
    one = container(Config().sleeping().mount("/mnt", "nosuchfs", "none"))
    assert "nosuchfs" in runtime.fails("create", "--bundle", one.bundle.path, one.id)
    assert "does not exist" in runtime.fails("state", one.id)


def test_changes_of_the_configuration_have_no_effect(container):
    """Any changes made to config.json after this operation will not have an effect."""
    marker = Config().script("echo poststop > /changed")
    one = container(Config().script("echo as created; sleep 1000")).create()
    one.bundle.write(marker.hook("poststart", "/bin/false").text())
    one.start().wait_for_output("as created\n")
    (one.bundle.path / "config.json").unlink()
    assert one.status == "running"
    one.output_of("true")
    one.delete("--force")
    assert not one.bundle.inside("changed").exists()


# --- start

def test_start_runs_the_program(container):
    """This operation MUST run the user-specified program as specified by process."""
    config = Config().script("echo $NAME in $PWD; sleep 1000").set("process.cwd", "/tmp")
    container(config.env("NAME=me")).create().start().wait_for_output("me in /tmp\n")


@needs_insight
def test_start_runs_it_in_the_pid_namespace(container):
    """This process MUST be run in the PID namespace associated with the container."""
    one = container(Config().script("echo I am $$; sleep 1000")).create()
    before = process.namespace(one.pid, "pid")
    one.start().wait_for_output("I am 1\n")
    assert process.namespace(one.pid, "pid") == before


def test_start_without_a_process(container):
    """MUST generate an error if process was not set; create is not concerned. How it is exposed is left to the
    runtime: here it is said, and the exit status is 0, as runtime-tools' `start` wants it. It does not look like a start:
    no hook of one runs."""
    config = Config().remove("process")
    config.set("hooks.poststart", [{"path": "/bin/false"}]).set("hooks.startContainer", [{"path": "/bin/false"}])
    one = container(config).create()
    result = one.runtime.call("start", one.id)
    assert (result.status, result.stdout) == (0, "")
    assert result.stderr.count("\n") == 1 and "nothing to start" in result.stderr
    assert one.output == ""
    one.wait_until("stopped").delete()


def test_start_of_a_running_container(running):
    """Attempting to start an already started container MUST have no effect and be an error."""
    has_no_effect(running, "start")


def test_start_of_a_stopped_container(stopped):
    """Attempting to start a container that is not created MUST … generate an error."""
    has_no_effect(stopped, "start")


# --- kill

def test_kill_sends_the_signal(container):
    """This operation MUST send the specified signal to the container process."""
    config = Config().script("trap 'echo got USR1' USR1; echo ready; while :; do "
                             "sleep 1000 & wait $!; done")
    one = container(config).run_detached().wait_for_output("ready")
    one.kill("USR1")
    one.wait_for_output("got USR1")
    assert one.status == "running"


def test_kill_of_a_created_container(container):
    one = container().create()
    one.kill("KILL")
    one.wait_for_end().wait_until("stopped")


def test_kill_of_a_stopped_container(stopped):
    """… neither created nor running MUST have no effect and MUST generate an error."""
    assert "container not running" in has_no_effect(stopped, "kill")


# --- stop

@needs_ocirt_sd
def test_stop_ends_all_processes_and_keeps_the_container(container):
    """MUST stop all of the processes; MUST NOT delete any resources but the PID namespace."""
    script = "(trap '' TERM; setsid sleep 1000 &) ; trap 'exit 3' TERM; echo up; " \
             "while :; do sleep 1000 & wait $!; done"
    one = container(Config().script(script)).run_detached().wait_for_output("up")
    pids = process.members(one.cgroup)
    assert len(pids) >= 3
    one.runtime("stop", one.id)
    assert not any(process.is_alive(pid) for pid in pids)
    assert one.status == "stopped"
    assert one.bundle.inside("bin/busybox").exists()
    one.delete()


@needs_ocirt_sd
def test_stop_asks_first_and_kills_after_the_grace(container):
    one = container(Config().script("trap 'echo asked' TERM; echo up; while :; do "
                                    "sleep 1000 & wait $!; done"))
    one.run_detached().wait_for_output("up")
    one.runtime("stop", "--time", "1", one.id)
    assert one.output == "up\nasked\n"
    assert one.status == "stopped"


@needs_ocirt_sd
def test_stop_of_a_container_that_does_not_run(container):
    """Attempting to stop a container that is not running MUST have no effect and be an error."""
    one = container(Config("true")).create()
    assert "not running" in has_no_effect(one, "stop")


@needs_ocirt_sd
def test_stop_of_a_stopped_container(runtime, stopped):
    """Idempotent, as ContainerRuntime's stop: there is nothing to do, and that is no error."""
    before = stopped.state()
    assert runtime("stop", stopped.id) == "" and stopped.state() == before


# --- delete

def test_delete_of_a_container_that_is_not_stopped(container):
    """Attempting to delete a container that is not stopped MUST have no effect and be an error."""
    one = container().create()
    assert "not stopped: created (it was never started: delete --force)" in has_no_effect(one, "delete")
    one.start()
    assert "not stopped: running (stop it first, or delete --force)" in has_no_effect(one, "delete")


def test_delete_takes_away_what_create_made(stopped, runtime):
    """Deleting a container MUST delete the resources that were created during the create step."""
    stopped.delete()  # the check after every test looks for the rest
    assert stopped.id not in os.listdir(runtime.root)
    assert "does not exist" in runtime.fails("state", stopped.id)


def test_delete_by_force_stops_first(running):
    """If the container is running then this operation MUST first stop it."""
    pid = running.pid
    running.delete("--force")
    assert not process.is_alive(pid)


def test_an_id_may_be_used_again(container, stopped):
    """Once a container is deleted its ID MAY be used by a subsequent container."""
    stopped.delete()
    again = container(name=stopped.id).run_detached()
    assert again.status == "running"


# --- run

def test_run_creates_and_starts(container):
    """MUST invoke the create operation, and if there are no errors, the start operation."""
    one = container(Config().script("echo started; sleep 1000")).run_detached()
    one.wait_for_output("started")
    assert one.status == "running"


def test_run_does_not_start_what_cannot_be_created(runtime, container):
    one = container(Config().script("echo ran > /ran").mount("/mnt", "nosuchfs", "none"))
    runtime.fails("run", "--bundle", one.bundle.path, one.id)
    assert not one.bundle.inside("ran").exists()
