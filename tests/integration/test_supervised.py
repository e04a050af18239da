# SPDX-License-Identifier: LGPL-2.1-or-later
"""Containers whose parent is systemd: services, made by run and create with --supervise."""

import os
import signal
import subprocess
from pathlib import Path

import pytest

from harness import process, systemd, user
from harness.config import Config
from harness.needs import needs_ocirt_sd, needs_root
from harness.wait import until

pytestmark = needs_ocirt_sd

STATUS = ["Result", "ExecMainCode", "ExecMainStatus"]
# systemd(1), CLD_EXITED and its like
EXITED, KILLED, DUMPED = "1", "2", "3"


def show(one, *names):
    return systemd.show(one.service, *names)


def status_of(one, *options):
    return one.runtime("wait", *options, one.id).strip()


def test_its_parent_is_systemd(supervised):
    one = supervised()
    pid = one.state()["pid"]
    shown = show(one, "MainPID", "ActiveState", "SubState", "ControlGroup")
    assert (int(shown["MainPID"]), shown["ActiveState"], shown["SubState"]) == (pid, "active", "running")
    manager = 1 if user.UID == 0 else process.parent(os.getpid()) and int(show(one, "MainPID")["MainPID"]) and process.parent(pid)
    assert process.parent(pid) == manager
    procs = Path("/sys/fs/cgroup" + shown["ControlGroup"], "cgroup.procs").read_text(encoding="ascii")
    assert pid in [int(line) for line in procs.split()]
    assert "ocirt-sd" not in "".join(Path(f"/proc/{p}/comm").read_text(encoding="ascii") for p in procs.split())


@pytest.mark.parametrize("status", [0, 3, 255])
def test_a_status(supervised, status):
    one = supervised(f"exit {status}")
    assert status_of(one) == str(status)
    assert status_of(one) == str(status)
    assert one.runtime.call("wait", "--exit-status", one.id).status == status
    if status:
        assert list(show(one, *STATUS).values()) == ["exit-code", EXITED, str(status)]


@pytest.mark.parametrize("name", ["KILL", "SEGV", "TERM", "USR1"])
def test_a_signal(supervised, name):
    number = signal.Signals[f"SIG{name}"]
    one = supervised(config=Config("sleep", "1000").without_namespace("pid"))  # whose first process ignores them
    os.kill(one.state()["pid"], number)
    assert status_of(one) == str(128 + number)
    if name != "TERM":  # which is no failure, and then systemd forgets it
        assert list(show(one, *STATUS[1:]).values()) in ([KILLED, str(number)], [DUMPED, str(number)])


def test_one_that_waits_to_be_started(supervised):
    one = supervised("exit 7", verb="create")
    assert one.state()["status"] == "created"
    assert show(one, "MainPID")["MainPID"] == str(one.state()["pid"])
    one.start()
    assert status_of(one) == "7"


def test_it_is_started_again(supervised):
    one = supervised("sleep 0.05; exit 1", "--restart", "on-failure")
    until(lambda: int(show(one, "NRestarts")["NRestarts"]) >= 2, "it was started again")
    one.runtime("stop", one.id)
    assert show(one, "ActiveState")["ActiveState"] in ("inactive", "failed")
    assert one.state()["status"] == "stopped"


def test_one_that_was_started_later_is_started_again(supervised):
    one = supervised("exit 1", "--restart", "on-failure", verb="create")
    one.start()
    until(lambda: int(show(one, "NRestarts")["NRestarts"]) >= 2, "it did not wait for another start")


def test_stop_by_systemctl(supervised):
    one = supervised("trap 'exit 5' TERM; while :; do sleep 0.01; done")
    until(lambda: process.catches(one.state()["pid"], signal.SIGTERM), "the trap is set")
    systemd.systemctl("stop", one.service)
    assert status_of(one) == "5" and one.state()["status"] == "stopped"


def test_stop_that_takes_its_time(supervised):
    one = supervised("trap '' TERM; while :; do sleep 0.01; done", "--stop-timeout", "3s")  # which is for who is called after it, too
    until(lambda: process.ignores(one.state()["pid"], signal.SIGTERM), "the trap is set")
    one.runtime("stop", one.id)
    assert status_of(one) == "137" and show(one, "Result")["Result"] == "timeout"
    one.runtime("stop", one.id)  # once more is no error


@pytest.mark.parametrize("words", [["stop"], ["stop", "--time", "infinity"], ["kill"]], ids=" ".join)
def test_the_end_of_one_that_is_paused(supervised, runtime, words):
    """It hears no signal of ours but KILL; and we are called for its end where all is frozen."""
    one = supervised("trap 'exit 5' TERM; while :; do sleep 0.01; done")
    runtime("pause", one.id)
    runtime(*words, one.id, *["KILL"] * (words == ["kill"]))
    assert status_of(one) in (["137", "5"] if words == ["stop"] else ["137"])  # systemd thaws it for its signal
    assert one.state()["status"] == "stopped"
    one.delete()


def test_the_end_of_one_that_systemd_has_frozen(supervised, bundles):
    """Whoever kills it: systemd goes on, and it is known."""
    log = bundles.scratch("supervised-frozen") / "log"
    one = supervised(config=Config("sleep", "1000").hook("poststop", "/bin/touch", str(log)))
    systemd.systemctl("freeze", one.service)
    systemd.systemctl("daemon-reload")
    systemd.systemctl("kill", "--signal=KILL", one.service)
    assert status_of(one) == "137" and show(one, "Result")["Result"] == "signal"
    until(log.exists, "the hook")


@needs_root("its cgroup is the container's")
def test_one_that_is_in_the_way_of_what_follows(supervised, bundles):
    """By a cgroup that is called as systemd's own, and frozen."""
    log = bundles.scratch("supervised-control") / "log"
    config = Config().script("cd /sys/fs/cgroup && mkdir .control && echo 1 > .control/cgroup.freeze; exit 7")
    config.set(f"mounts.{[m['type'] for m in config.get('mounts')].index('cgroup')}.options", ["rw"])
    one = supervised(config=config.hook("poststop", "/bin/touch", str(log)))
    assert status_of(one) == "7" and show(one, "Result")["Result"] == "exit-code"
    until(log.exists, "the hook")


def test_stop_by_another_signal(supervised):
    for _ in range(10):
        one = supervised("trap 'exit 6' USR1; while :; do sleep 0.01; done", "--restart", "always")
        until(lambda one=one: process.catches(one.state()["pid"], signal.SIGUSR1), "the trap is set")
        one.runtime("stop", "--signal", "USR1", one.id)
        assert status_of(one) == "6"
        assert show(one, "ActiveState")["ActiveState"] in ("inactive", "failed")


def test_who_kills_leaves_what_follows_alone(supervised, bundles):
    """Of the end systemd tells us, and hooks are run, in the cgroup that the container had."""
    log = bundles.scratch("supervised-end") / "log"
    for verb in (["kill", "--signal", "KILL"], ["stop", "--time", "0"], ["delete", "--force"]):
        log.write_text("", encoding="ascii")
        config = Config().script("sleep 1000 & exec sleep 1000").without_namespace("pid")
        one = supervised(config=config.hook("poststop", "/bin/sh", "-c", f"sleep 0.4; echo ran >> {log}"))
        others = process.members(process.cgroup(one.state()["pid"]))
        one.runtime(*verb, one.id)
        if verb[0] == "kill":
            one.runtime.call(*verb, one.id)
            one.runtime("kill", "--all", one.id)
        assert verb[0] == "delete" or status_of(one) in ("137", "143")
        until(lambda: log.read_text(encoding="ascii") == "ran\n", "the hook, which nobody waits for but systemd")
        assert not any(map(process.is_alive, others))


def test_every_other_verb(supervised, runtime):
    one = supervised()
    assert one.output_of("echo", "in", "it") == "in it\n"
    runtime("pause", one.id)
    assert one.state()["status"] == "paused" and show(one, "FreezerState")["FreezerState"] == "frozen"
    runtime("resume", one.id)
    assert one.state()["status"] == "running"
    assert str(one.state()["pid"]) in runtime("ps", one.id)
    row = next(row for row in runtime.list() if row["id"] == one.id)
    assert row["status"] == "running" and row["systemdUnit"] == one.service
    one.kill("KILL")
    assert status_of(one) == "137"
    one.delete()
    assert not (runtime.root / one.id).exists()
    assert show(one, "LoadState")["LoadState"] == "not-found"  # though it had failed


def test_delete_force_of_one_that_runs(supervised):
    one = supervised("trap '' TERM; while :; do sleep 0.01; done", "--restart", "always")
    one.delete("--force")
    assert show(one, "LoadState")["LoadState"] == "not-found"


def test_across_a_reexecution(supervised):
    one = supervised("exec sleep 1000")
    pid = one.state()["pid"]
    systemd.systemctl("daemon-reexec")
    assert one.state()["pid"] == pid and show(one, "MainPID")["MainPID"] == str(pid)
    one.kill("KILL")
    assert status_of(one) == "137" and show(one, "Result")["Result"] == "signal"


def test_a_reexecution_while_it_starts(container, bundles):
    at_hook, go = (bundles.scratch("supervised-reexec") / name for name in ("at", "go"))
    os.mkfifo(at_hook)
    os.mkfifo(go)
    one = container(Config("sleep", "1000").hook("createRuntime", "/bin/sh", "-c", f"echo >{at_hook}; cat {go}"))
    with subprocess.Popen(one.runtime.command("run", "--supervise", "--bundle", one.bundle.path, one.id)) as caller:
        at_hook.read_text(encoding="ascii")
        systemd.systemctl("daemon-reexec")
        go.write_text("", encoding="ascii")
        assert caller.wait() == 0
    assert one.state()["status"] == "running"


def test_hooks_run_once_a_start(supervised, bundles):
    log = bundles.scratch("supervised-hooks") / "log"
    kinds = ["createRuntime", "createContainer", "poststart", "poststop"]
    config = Config("sh", "-c", "sleep 3; exit 1")
    for kind in kinds:
        config.hook(kind, "/bin/sh", "-c", f"echo {kind} >> {log}")
    one = supervised(None, "--restart", "on-failure", config=config)
    until(lambda: int(show(one, "NRestarts")["NRestarts"]) >= 2, "it was started again")
    one.delete("--force")
    found = log.read_text(encoding="utf-8").split()
    assert found[:2 * len(kinds)] == kinds * 2 and found[-1] == "poststop"


def test_each_of_many_ends_is_told(supervised, bundles):
    """As often as the service may be started, which may be as often as it ends."""
    log = bundles.scratch("supervised-often") / "log"
    log.touch()
    config = Config("sh", "-c", "exit 1").hook("poststop", "/bin/sh", "-c", f"echo poststop >> {log}")
    options = ["StartLimitIntervalSec=0", "RestartSec=10ms"]
    supervised(None, "--restart", "always", *[word for option in options for word in ["--property", option]], config=config)
    until(lambda: len(log.read_text(encoding="utf-8").split()) > 10, "more than ten hooks have run")


@pytest.mark.parametrize("end", ["kill", "delete"])
def test_hooks_of_the_end_are_not_killed(supervised, bundles, end):
    """They are run in the service, too."""
    log = bundles.scratch("supervised-end") / "log"
    config = Config("sleep", "1000").hook("poststop", "/bin/sh", "-c", f"sleep 0.5; echo poststop >> {log}")
    one = supervised(config=config)
    if end == "kill":
        one.kill("KILL", "--all")
        assert status_of(one) == "137"
    one.delete("--force")
    assert log.read_text(encoding="utf-8") == "poststop\n"


def test_one_that_ends_while_its_launcher_is_killed(container, bundles):
    """What is half made is taken back, by who asked for it."""
    fifo = bundles.scratch("supervised-killed") / "fifo"
    os.mkfifo(fifo)
    one = container(Config("true").hook("createRuntime", "/bin/sh", "-c", f"echo >{fifo}; sleep 1000"))
    command = one.runtime.command("run", "--supervise", "--bundle", one.bundle.path, one.id)
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as caller:
        fifo.read_text(encoding="ascii")
        service = f"ocirt-sd-{one.id}.service"
        os.kill(int(systemd.show(service, "MainPID")["MainPID"]), signal.SIGKILL)
        assert "ended with" in caller.communicate()[1] and caller.returncode == 1
    assert not (one.runtime.root / one.id).exists()
    assert systemd.show(service, "LoadState")["LoadState"] == "not-found"


def test_who_asked_for_it_is_killed(container, bundles):
    """systemd goes on, and there is a container that is known."""
    fifo, go = bundles.scratch("supervised-alone") / "fifo", bundles.scratch("supervised-go") / "fifo"
    os.mkfifo(fifo)
    os.mkfifo(go)
    one = container(Config("sleep", "1000").hook("createRuntime", "/bin/sh", "-c", f"echo >{fifo}; cat {go}"))
    command = one.runtime.command("run", "--supervise", "--bundle", one.bundle.path, one.id)
    with subprocess.Popen(command) as caller:
        fifo.read_text(encoding="ascii")
        caller.kill()
    go.write_text("", encoding="ascii")
    one.wait_until("running")


@pytest.mark.parametrize("options, words", [
    (["--console-socket", "/nonesuch"], "--console-socket"),
    (["--preserve-fds", "1"], "--preserve-fds"),
    (["--restart", "sometimes"], "--restart: expected no, on-success"),
    (["--stop-timeout", "soon"], "--stop-timeout: expected seconds"),
])
def test_options_that_do_not_fit(container, options, words):
    one = container()
    assert words in one.runtime.fails("run", "--supervise", *options, "--bundle", one.bundle.path, one.id)


def test_options_without_supervision(container):
    one = container()
    assert "--supervise" in one.runtime.fails("create", "--restart", "always", "--bundle", one.bundle.path, one.id)


@pytest.mark.parametrize("config, words", [
    (lambda: Config("sh").set("process.terminal", True), "process.terminal"),
    pytest.param(lambda: Config("sh").capabilities(bounding=["CAP_SYS_PTRACE"]), "CAP_SYS_PTRACE",
                 marks=needs_root("has no user namespace")),
])
def test_bundles_that_do_not_fit(container, config, words):
    one = container(config())
    assert words in one.runtime.fails("create", "--supervise", "--bundle", one.bundle.path, one.id)
    assert not (one.runtime.root / one.id).exists()


@needs_root("has no user namespace")
def test_exec_with_more_capabilities(supervised):
    """By the socket of the journal, taken from the first process, the new one could get at PID 1."""
    one = supervised()
    assert "CAP_SYS_PTRACE" in one.runtime.fails("exec", "--cap", "CAP_SYS_PTRACE", one.id, "true")
    one.runtime("exec", "--cap", "CAP_SYS_NICE", one.id, "true")


def test_somebody_else_has_a_unit_of_its_name(container):
    one = container()
    service = f"ocirt-sd-{one.id}.service"
    with systemd.TransientUnit(service, ["sleep", "1000"]) as other:
        before = other.invocation
        assert service in one.runtime.fails("run", "--supervise", "--bundle", one.bundle.path, one.id)
        assert other.invocation == before
    assert not (one.runtime.root / one.id).exists()


def test_what_only_systemd_may_call(supervised, container):
    one = supervised()
    pid = one.state()["pid"]
    assert "for systemd to call" in one.runtime.fails("service-start", one.id)
    assert "for systemd to call" in one.runtime.fails("service-ended", one.id)
    assert one.state()["pid"] == pid and (one.runtime.root / one.id / "exit").read_text(encoding="ascii") == ""
    scope = container().run_detached()
    assert "for systemd to call" in one.runtime.fails("service-start", scope.id)


def test_what_cannot_be_executed(container):
    """It is found, and then it is no program. Of its end systemd may hear before we do."""
    for _ in range(20):
        one = container(Config("/bin/broken"))
        one.bundle.inside("bin/broken").write_text("no program\n", encoding="ascii")
        one.bundle.inside("bin/broken").chmod(0o755)
        assert "/bin/broken" in one.runtime.fails("run", "--supervise", "--bundle", one.bundle.path, one.id)
        assert not (one.runtime.root / one.id).exists()


def test_a_hook_that_fails_when_it_runs(container):
    for _ in range(10):
        one = container(Config().sleeping().hook("poststart", "/bin/false"))
        assert "poststart" in one.runtime.fails("run", "--supervise", "--bundle", one.bundle.path, one.id)
        assert not (one.runtime.root / one.id).exists()


def test_what_cannot_run(container):
    one = container(Config("/nonesuch"))
    message = one.runtime.fails("run", "--supervise", "--bundle", one.bundle.path, one.id)
    assert "no such file or directory" in message
    assert not (one.runtime.root / one.id).exists()


def test_quick_ends(supervised):
    for i in range(50):
        one = supervised(f"exit {i % 7}")
        assert status_of(one) == str(i % 7)
        one.delete()
