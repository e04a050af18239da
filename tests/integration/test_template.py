# SPDX-License-Identifier: LGPL-2.1-or-later
"""ocirt-sd@.service: a bundle as a service, of the system's manager or of the user's."""

import json
import os
import signal
import stat
import subprocess
from pathlib import Path

import pytest

from harness import process, systemd, user
from harness.config import Config
from harness.needs import needs_controller, needs_root
from harness.runtime import new_id
from harness.service import DROP_INS, MARKS, SPEAKING, Service
from harness.wait import until

pytestmark = MARKS

BUNDLES = Path("/var/lib/ocirt-sd")
DEAF = "trap '' TERM; while :; do sleep 1000; done"
ENDED = ["ActiveState", "Result", "ExecMainCode", "ExecMainStatus"]
EXITED, KILLED = "1", "2"


def executed_by_nobody(program):
    try:
        return subprocess.run([program], user=65534, group=65534, extra_groups=[], check=False).returncode == 0
    except PermissionError:
        return False


# --- it is the container --------------------------------------------------------------------------------------

def test_life(service):
    one = service(Config().script(SPEAKING))
    assert one.start()
    state = one.one.state()  # at once
    assert (state["status"], state["bundle"], state["systemdUnit"]) == ("running", str(one.one.bundle.path), one.unit)
    one.stop()
    assert one.ended() == ("inactive", "success") and not one.exists()


def test_it_is_the_main_process(service):
    """And a child of systemd's, and nobody of ours is left."""
    one = service(Config().sleeping()).started()
    shown = one.show("MainPID", "ControlGroup")
    assert int(shown["MainPID"]) == one.pid
    until(lambda: not (one.cgroup / "launcher").exists(), "the launcher is gone")
    assert process.members(shown["ControlGroup"]) == [] and [path.name for path in one.cgroup.iterdir()
                                                             if path.is_dir()] == ["container"]
    assert process.cgroup(one.pid) == f"{shown['ControlGroup']}/container"
    manager = 1 if not user.ORDINARY else process.parent(one.pid)
    assert process.parent(one.pid) == manager and process.comm(manager) == "systemd"


@needs_root("reads the journal")
def test_journal(service):
    """What the container prints is the service's, and has its name as a field."""
    one = service(Config().script(SPEAKING)).started()
    until(lambda: "up\n" in one.said(), "what it printed")
    assert "up" in one.status()
    one.stop()
    subprocess.run(["journalctl", "--sync"], check=True)
    text = subprocess.run(["journalctl", "--output=json", "_TRANSPORT=stdout", f"CONTAINER_NAME={one.name}"], check=True,
                          capture_output=True, text=True).stdout
    entries = [json.loads(line) for line in text.splitlines()]
    assert {(entry["MESSAGE"], entry["_SYSTEMD_UNIT"]) for entry in entries} == {("up", one.unit), ("asked", one.unit)}


def test_logs(service):
    """Of all its starts, as long as it is started again."""
    script = "read line </fifo; echo out $line; echo error $line >&2; exit 1"
    one = service(Config().script(script)).drop_in("Restart=on-failure", "RestartSec=50ms")
    fifo = one.one.bundle.inside("fifo")
    os.mkfifo(fifo)
    one.started()
    with subprocess.Popen(one.runtime.command("logs", "--follow", one.name), stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True) as follower:
        for word in ["one", "two"]:
            fifo.write_text(f"{word}\n", encoding="ascii")
            assert {follower.stdout.readline(), follower.stdout.readline()} == {f"out {word}\n", f"error {word}\n"}
        one.runtime("stop", one.name)
        assert follower.stdout.read() == "" and follower.wait() == 0


def test_sessions(service):
    """They are in its cgroup, below that of the unit, and go with it."""
    one = service(Config().script(SPEAKING)).started()
    name = one.runtime("exec", "--detach", "--name", "x", one.name, "sleep", "1000").strip()
    row = json.loads(one.runtime("ps", "--sessions", "--format", "json", one.name))[0]
    assert (name, process.cgroup(row["pid"])) == ("x", process.cgroup(one.pid))
    one.runtime("exec", "--detach", "--name", "y", one.name, "sh", "-c", "exit 3")
    assert one.runtime("wait", one.name, "y") == "3\n"
    one.runtime("stop", one.name)
    until(lambda: not process.is_alive(row["pid"]) and not one.exists(), "its end")
    unit = f"ocirt-sd-{one.name}:x.service"
    until(lambda: systemd.show(unit, "LoadState")["LoadState"] == "not-found", "that of the session's unit")


def test_what_systemctl_does(service):
    """Is done to the container."""
    one = service(Config().script("trap 'echo heard' HUP; while :; do sleep 1000 & wait $!; done")).started()
    systemd.systemctl("freeze", one.unit)
    assert one.one.status == "paused"
    one.runtime("resume", one.name)
    assert one.one.status == "running" and one.show("FreezerState")["FreezerState"] == "running"
    one.runtime("pause", one.name)
    assert one.show("FreezerState")["FreezerState"] == "frozen"
    systemd.systemctl("thaw", one.unit)
    assert one.one.status == "running"
    systemd.systemctl("kill", "--signal=KILL", one.unit)
    assert one.ended() == ("failed", "signal") and one.waited() == "137"


@pytest.mark.parametrize("words", [["kill", "{}", "KILL"], ["stop", "--time", "600", "{}"], ["stop", "{}"],
                                   ["delete", "--force", "{}"]])
def test_the_end_of_one_that_is_paused(service, words):
    one = service(Config().script(SPEAKING)).started()
    one.runtime("pause", one.name)
    one.runtime(*[word.format(one.name) for word in words])
    assert one.ended()[0] in ("inactive", "failed")


def test_verbs(service):
    one = service(Config().script(DEAF)).drop_in("TimeoutStopSec=infinity").started().until_deaf()
    assert one.one.output_of("echo", "in", "it") == "in it\n"
    assert str(one.pid) in one.runtime("ps", one.name)
    assert one.name in one.runtime.fails("delete", one.name) and one.one.status == "running"
    one.runtime("stop", "--time", "0", one.name)
    assert one.ended()[0] == "inactive" or one.waited() == "137"
    one.runtime("stop", one.name) if one.exists() else None
    one.started().runtime("delete", "--force", one.name)
    assert not one.exists() and one.ended() == ("inactive", "success")


def test_stop(service):
    """It is the service that is stopped, and so not started again."""
    one = service(Config().script(SPEAKING)).drop_in("Restart=always").started()
    one.runtime("stop", one.name)
    assert one.ended() == ("inactive", "success") and not one.exists()


# --- how it ends ----------------------------------------------------------------------------------------------

@pytest.mark.parametrize("status", [1, 7, 255])
def test_a_failure(service, status):
    """Is known, and kept as long as systemd keeps it."""
    one = service(Config().script(f"exit {status}")).started()
    assert one.ended() == ("failed", "exit-code")
    assert list(one.show(*ENDED[2:]).values()) == [EXITED, str(status)]
    assert one.one.status == "stopped" and one.waited() == str(status)
    one.runtime("delete", one.name)
    assert not one.exists() and one.ended() == ("inactive", "success")


def test_a_success(service):
    """Nothing is left, and nothing is complained about."""
    one = service(Config().script("exit 0")).started()
    assert one.ended() == ("inactive", "success") and not one.exists()
    if not user.ORDINARY:  # who may not read the journal
        assert "ocirt-sd:" not in one.said()


@pytest.mark.parametrize("script, status", [("exit 0", "0"), ("kill -TERM $$; sleep 1000", "143")])
def test_who_waits_hears_of_a_success(service, script, status):
    """Though the container is forgotten at once."""
    one = service(Config("sh", "-c", f"read line </fifo; {script}").without_namespace("pid"))
    fifo = one.one.bundle.inside("fifo")
    os.mkfifo(fifo)
    one.started()
    with subprocess.Popen(one.runtime.command("wait", one.name), stdout=subprocess.PIPE, text=True) as waiter:
        until(lambda: "anon_inode:inotify" in process.descriptors(waiter.pid).values(), "it waits")
        fifo.write_text("\n", encoding="ascii")
        assert waiter.communicate()[0] == f"{status}\n"
    assert one.ended() == ("inactive", "success") and not one.exists()


@pytest.mark.parametrize("number, result", [(signal.SIGKILL, "signal"), (signal.SIGSEGV, "core-dump")])
def test_a_signal(service, number, result):
    one = service(Config("sleep", "1000").without_namespace("pid")).started()
    os.kill(one.pid, number)
    assert one.ended()[0] == "failed" and one.show("Result")["Result"] in ("signal", result)
    assert one.waited() == str(128 + number)


def test_it_is_started_again(service):
    """The same one, as far as anybody can see."""
    one = service(Config("sleep", "1000").without_namespace("pid")).drop_in("Restart=always", "RestartSec=50ms").started()
    for n, number in enumerate([signal.SIGKILL, signal.SIGTERM], 1):
        pid = one.pid
        os.kill(pid, number)
        until(lambda n=n: one.show("NRestarts", "SubState") == {"NRestarts": str(n), "SubState": "running"}, "it runs again")
        assert one.pid != pid


@pytest.mark.parametrize("script, kept", [("exit 0", True), ("exit 3", True)])
def test_until_it_is_started_again(service, script, kept):
    one = service(Config().script(script)).drop_in("Restart=always", "RestartSec=1h").started()
    until(lambda: one.show("SubState")["SubState"] == "auto-restart", "it has ended")
    assert one.exists() is kept and one.waited() == script.split()[1]
    one.stop()


def test_a_program_that_does_not_hear(service):
    """Is killed after the unit's own time, which is what has failed."""
    one = service(Config().script(DEAF)).drop_in("TimeoutStopSec=2").started().until_deaf()
    one.stop()
    assert one.ended() == ("failed", "timeout") and one.waited() == "137"


@pytest.mark.parametrize("signal_of_image", ["SIGQUIT", "SIGRTMIN+3"])
def test_its_own_signal(service, signal_of_image):
    """A program that ends by another signal than SIGTERM: the image says which, and gets no other."""
    number = signal.SIGQUIT if signal_of_image == "SIGQUIT" else signal.SIGRTMIN + 3
    script = f"trap 'exit 5' TERM; trap 'sleep 0.1; exit 0' {int(number)}; while :; do sleep 1000 & wait $!; done"
    one = service(Config().script(script).annotation("org.opencontainers.image.stopSignal", signal_of_image)).started()
    until(lambda: process.catches(one.pid, number), "the trap is set")
    one.stop()
    assert one.ended() == ("inactive", "success")


def test_hooks(service, bundles):
    log = bundles.scratch("template-hooks") / "log"
    kinds = ["createRuntime", "createContainer", "poststart", "poststop"]
    config = Config().script(SPEAKING)
    for kind in kinds:
        config.hook(kind, "/bin/sh", "-c", f"echo {kind} >> {log}")
    one = service(config).started()
    systemd.systemctl("restart", one.unit)
    one.stop()
    assert log.read_text(encoding="utf-8").split() == 2 * kinds


def test_a_launcher_that_is_killed(service, bundles):
    """While it is at work: nothing is left, and the hooks of the end are run."""
    log, fifo = (bundles.scratch("template-killed") / name for name in ("log", "fifo"))
    os.mkfifo(fifo)
    config = Config().sleeping().hook("createRuntime", "/bin/sh", "-c", f"echo >{fifo}; sleep 1000")
    one = service(config.hook("poststop", "/bin/sh", "-c", f"echo poststop >> {log}"))
    with subprocess.Popen(["systemctl", *user.OPTIONS, "start", one.unit], stderr=subprocess.PIPE) as starting:
        fifo.read_text(encoding="ascii")
        os.kill(int(one.show("MainPID")["MainPID"]), signal.SIGKILL)
        starting.communicate()
        assert starting.returncode != 0
    assert one.ended() == ("failed", "signal") and not one.exists()
    assert log.read_text(encoding="ascii") == "poststop\n"


# --- what cannot be started -----------------------------------------------------------------------------------

def test_no_bundle():
    """Is an error of `systemctl start`, and `status` says what there is not."""
    one = Service()
    assert not one.start()
    assert one.ended() == ("failed", "exit-code")
    if not user.ORDINARY:
        assert f"cannot open the bundle {one.one.bundle.path}: no such file" in one.status()
    systemd.systemctl("reset-failed", one.unit)


@pytest.mark.parametrize("change, words", [
    (lambda config: config.remove("ociVersion"), "config.json: ociVersion: missing"),
    (lambda config: config.set("process.terminal", True), "process.terminal: "),
    (lambda config: config.set("process.args", ["/nonesuch"]), "/nonesuch"),
    (lambda config: config.set("linux.cgroupsPath", "a.slice:b:c"), "linux.cgroupsPath: the container is in ocirt-sd@"),
    (lambda config: config.remove("process"), "process: not set"),
])
def test_a_bundle_that_cannot_be(service, change, words):
    one = service(change(Config().sleeping()))
    assert not one.start()
    assert one.ended() == ("failed", "exit-code") and not one.exists()
    if not user.ORDINARY:
        assert words in one.status()


def test_what_is_no_program(service):
    """It is found, and then it is none: by then it was the main process."""
    one = service(Config("/bin/broken"))
    one.one.bundle.inside("bin/broken").write_text("no program\n", encoding="ascii")
    one.one.bundle.inside("bin/broken").chmod(0o755)
    one.start()
    assert one.ended()[0] == "failed" and not one.exists()
    if not user.ORDINARY:
        assert "/bin/broken" in one.status()


@pytest.mark.parametrize("verb", ["scope", "supervised"])
def test_a_container_of_somebody_else(service, container, verb):
    """It has the name that the service's would have: it is not the service's to end."""
    one = service(Config().script(SPEAKING))
    other = container(Config().sleeping(), one.name)
    other.runtime = one.runtime
    if verb == "scope":
        other.run_detached()
    else:
        other.runtime("run", "--supervise", "--bundle", other.bundle.path, other.id)
    pid = other.state()["pid"]
    assert not one.start()
    assert one.ended() == ("failed", "exit-code")
    systemd.systemctl("restart", one.unit, check=False)
    systemd.systemctl("stop", one.unit)
    state = other.state()
    assert (state["status"], state["pid"], state["bundle"]) == ("running", pid, str(other.bundle.path))
    if not user.ORDINARY:
        assert f"already exists: {one.name}" in one.said()
    other.delete("--force")


def test_one_that_has_ended_makes_room(service):
    """For the next start, with what the bundle is by then."""
    one = service(Config().script("exit 3")).started()
    assert one.ended() == ("failed", "exit-code") and one.exists()
    one.change(Config().script(SPEAKING))
    assert one.start() and one.one.status == "running"


# --- limits ---------------------------------------------------------------------------------------------------

@needs_controller("pids")
@needs_controller("memory")
def test_limits(service):
    """Those of the unit and its drop-ins, and those of config.json: both hold. An update leaves nothing behind."""
    config = Config().sleeping().resource("pids", limit=50).resource("memory", limit=64 << 20)
    one = service(config).drop_in("TasksMax=40", "MemoryMax=128M").started()

    def limits():
        return [(path / name).read_text(encoding="ascii").strip() for path in (one.cgroup, one.cgroup / "container")
                for name in ("pids.max", "memory.max")]

    assert limits() == ["40", str(128 << 20), "50", str(64 << 20)]
    one.runtime("update", "--memory", "32m", "--pids-limit", "30", one.name)
    systemd.systemctl("daemon-reload")
    assert limits() == ["40", str(128 << 20), "30", str(32 << 20)]
    assert one.show("DropInPaths")["DropInPaths"] == str(DROP_INS / f"{one.unit}.d/test.conf")
    systemd.systemctl("set-property", "--runtime", one.unit, "TasksMax=20")
    assert limits()[0] == "20"


def test_slice(service):
    """One for all, below that for such things, so that limits can be those of all together."""
    one = service(Config().sleeping()).started()
    above, name = ("app.slice", "app-ocirt.slice") if user.ORDINARY else ("machine.slice", "machine-ocirt.slice")
    assert one.show("Slice")["Slice"] == name and one.cgroup.parent.parent.name == above
    assert systemd.show(name, "Description", "LoadState") == {"Description": "OCI containers", "LoadState": "loaded"}


def test_limits_are_in_the_container(service):
    """Where it looks for them, as in any other."""
    one = service(Config().sleeping()).started()
    assert one.one.output_of("cat", "/proc/self/cgroup").endswith("0::/\n")


@needs_controller("pids")
def test_limits_of_all(service):
    """Are those of the slice that all are in."""
    one, other = service(Config().sleeping()).started(), service(Config().sleeping()).started()
    name = "app-ocirt.slice" if user.ORDINARY else "machine-ocirt.slice"
    assert {each.show("Slice")["Slice"] for each in (one, other)} == {name}
    systemd.systemctl("set-property", "--runtime", name, "TasksMax=123")
    try:
        assert one.cgroup.parent == other.cgroup.parent
        assert (one.cgroup.parent / "pids.max").read_text(encoding="ascii") == "123\n"
    finally:
        systemd.systemctl("set-property", "--runtime", name, "TasksMax=")


@needs_controller("memory")
def test_out_of_memory(service):
    hog = "x=a; while :; do x=$x$x; done"
    one = service(Config().script(hog)).drop_in("MemoryMax=32M", "MemorySwapMax=0").started()
    assert one.ended() == ("failed", "oom-kill")
    assert one.runtime("wait", one.name).strip() == "137"


def test_the_target(service):
    """Has all that are enabled."""
    enabled, other = service(Config().script(SPEAKING)), service(Config().script(SPEAKING))
    systemd.systemctl("enable", "--runtime", enabled.unit)
    try:
        systemd.systemctl("restart", "ocirt-sd.target")
        assert enabled.one.status == "running" and not other.exists()
        other.started()
        systemd.systemctl("stop", "ocirt-sd.target")
        until(lambda: not enabled.exists() and not other.exists(), "both have ended")
    finally:
        systemd.systemctl("disable", "--runtime", enabled.unit)
        systemd.systemctl("start", "ocirt-sd.target")


def test_what_boots_wants_the_target():
    boot = "default.target" if user.ORDINARY else "multi-user.target"
    assert "ocirt-sd.target" in systemd.show(boot, "Wants")["Wants"].split()
    assert systemd.show("ocirt-sd.target", "ActiveState")["ActiveState"] == "active"


def test_units():
    """systemd finds nothing wrong with them."""
    found = subprocess.run(["systemd-analyze", "verify", "--man=no", *user.OPTIONS, "ocirt-sd@web.service",
                            "ocirt-sd-end@web.service", "ocirt-sd.target"], capture_output=True, text=True, check=False)
    assert (found.returncode, found.stderr) == (0, "")


# --- another unit ---------------------------------------------------------------------------------------------

UNIT = """[Unit]
OnSuccess=ocirt-sd-end@{name}.service
OnFailure=ocirt-sd-end@{name}.service
[Service]
Type=notify
Delegate=yes
ExecStart=/usr/bin/ocirt-sd service-start --bundle {bundle} {name}
"""


def _written(service, text):
    one = service(Config().script(SPEAKING), f"{new_id()}.service")
    DROP_INS.mkdir(parents=True, exist_ok=True)
    (DROP_INS / one.unit).write_text(text.format(bundle=one.one.bundle.path, name=one.name), encoding="utf-8")
    systemd.systemctl("daemon-reload")
    return one


def test_a_unit_of_ones_own(service):
    """Whatever it is called."""
    one = _written(service, UNIT).started()
    assert one.one.state()["systemdUnit"] == one.unit and int(one.show("MainPID")["MainPID"]) == one.pid
    one.runtime("stop", one.name)
    assert one.ended()[0] == "inactive" and not one.exists()


@pytest.mark.parametrize("lacking", [
    "Type=notify", pytest.param("Delegate=yes", marks=needs_root("all that is a user's is the user's"))])
def test_a_unit_that_lacks_something(service, lacking):
    one = _written(service, UNIT.replace(f"{lacking}\n", ""))
    one.start()
    assert one.ended() == ("failed", "exit-code") and not one.exists()
    if not user.ORDINARY:
        assert f"{one.unit} needs {lacking}" in one.said()


@needs_root("its cgroup is the container's")
def test_a_cgroup_that_is_called_as_systemds_own(service, bundles):
    """systemd runs what comes after the end in ".control" of the service, and waits for that as it starts it. A container that
    could freeze it would keep systemd as a whole."""
    log = bundles.top / "ran"
    config = Config().script("cd /sys/fs/cgroup && mkdir .control && echo 1 > .control/cgroup.freeze && echo done; exit 7")
    config.set(f"mounts.{[m['type'] for m in config.get('mounts')].index('cgroup')}.options", ["rw"])
    one = service(config.hook("poststop", "/bin/touch", str(log)))
    assert one.start() and one.ended() == ("failed", "exit-code")
    assert "done" in one.said()
    until(log.exists, "the hook")


# --- by our verbs ---------------------------------------------------------------------------------------------

@pytest.mark.parametrize("options", [[], ["--time", "0"]], ids=str)
@pytest.mark.parametrize("state", ["running", "paused"])
def test_restart(service, options, state):
    """Also where it has been forgotten in between."""
    one = service(Config().script(SPEAKING)).started()
    before = one.pid
    until(lambda: process.catches(before, signal.SIGTERM), "the trap is set")
    if state == "paused":
        one.runtime("pause", one.name)
    one.runtime("restart", *options, one.name)
    assert one.one.status == "running" and one.pid != before and one.show("MainPID")["MainPID"] == str(one.pid)


def test_start_of_one_that_has_failed(service):
    one = service(Config().script(SPEAKING)).started()
    one.one.kill("KILL")
    assert one.ended() == ("failed", "signal")
    one.one.start()
    assert one.one.status == "running"


def test_start_of_one_that_was_killed_while_it_was_paused(service):
    one = service(Config().script(SPEAKING)).started()
    one.runtime("pause", one.name)
    one.one.kill("KILL")
    assert one.ended() == ("failed", "signal")
    one.one.start()
    assert one.one.status == "running"


def test_one_that_can_be_started_no_more(service):
    one = service(Config().script(SPEAKING)).started()
    one.change(Config("/nonesuch"))
    assert one.unit in one.runtime.fails("restart", one.name)
    one.change(Config().script("exit 0"))
    assert one.start()


def test_remove(service):
    one = service(Config().script(SPEAKING)).started()
    one.runtime("remove", "--force", one.name)
    assert not one.exists() and one.ended()[0] == "inactive" and one.one.bundle.path.exists()


# --- its directory --------------------------------------------------------------------------------------------

@needs_root("a directory of the system's")
def test_directory():
    """Where the bundles are is made when the computer boots, and root's alone."""
    found = BUNDLES.stat()
    assert stat.S_IMODE(found.st_mode) == 0o700 and found.st_uid == 0


@needs_root("has the power over other users")
def test_a_set_user_id_program(service):
    """root of a container may make one, and anybody on the host would be root by it who can reach it, as in a directory of
    earlier versions: an upgrade closes that."""
    one = service(Config().script("cp /bin/busybox /var/true; chmod 4755 /var/true"))
    assert one.start() and one.ended() == ("inactive", "success")
    program = one.one.bundle.inside("var/true")
    assert program.stat().st_mode & stat.S_ISUID and program.stat().st_uid == 0
    BUNDLES.chmod(0o711)
    assert executed_by_nobody(program)
    subprocess.run(["systemd-tmpfiles", "--create", "ocirt-sd.conf"], check=True)
    assert not executed_by_nobody(program)


@needs_root("maps ids")
def test_mapped(service):
    """Its root file system is that of its root, who is nobody special here and could not reach it."""
    one = service(Config().script(SPEAKING).mapped_users())
    one.one.bundle.give_to(100000)
    assert one.started().one.output_of("id", "-u") == "0\n"
