# SPDX-License-Identifier: LGPL-2.1-or-later
"""--property: what a unit file would say of a supervised container's service, and what systemd does then."""

import os
import signal
import subprocess
from pathlib import Path

import pytest

from harness import process, systemd, user
from harness.config import Config
from harness.needs import needs_controller, needs_ocirt_sd
from harness.wait import until

pytestmark = needs_ocirt_sd

VERSION = int(subprocess.run(["systemctl", "--version"], check=True, capture_output=True, text=True).stdout.split()[1])
UNITS = Path(f"/run/user/{user.UID}/systemd/user" if user.ORDINARY else "/run/systemd/system")

# A first process of a pid namespace ignores what it has no handler for.
ENDS_ON_TERM = "trap 'exit 0' TERM; while :; do sleep 0.01; done"


def words(properties):
    return [word for name in properties for word in ("--property", name)]


@pytest.fixture
def supervised(supervised):
    """With properties instead of options."""
    return lambda script, *properties, options=(), **more: supervised(script, *options, *words(properties), **more)


@pytest.fixture
def refused(container):
    """The message, after which there is nothing."""

    def make(*arguments, config=None):
        one = container(config or Config().sleeping())
        message = one.runtime.fails("run", "--bundle", one.bundle.path, *arguments, one.id)
        assert not (one.runtime.root / one.id).exists()
        assert systemd.show(f"ocirt-sd-{one.id}.service", "LoadState")["LoadState"] == "not-found"
        return message

    return make


def show(one, name):
    return systemd.show(one.service, name)[name]


def wait(one):
    return one.runtime("wait", one.id).strip()


def is_over(one):
    return show(one, "ActiveState") in ("inactive", "failed")


def is_forgotten(one):
    return show(one, "LoadState") == "not-found"


SHOWN = {
    "Description=my web: 100%": ("Description", "my web: 100%"),
    "Documentation=https://example.org http://a": ("Documentation", "https://example.org http://a"),
    "After=nonesuch.service other.target": ("After", "nonesuch.service"),
    "Wants=nonesuch.target": ("Wants", "nonesuch.target"),
    "OnFailure=alert@web.service": ("OnFailure", "alert@web.service"),
    "PartOf=pod.target": ("PartOf", "pod.target"),
    "RequiresMountsFor=/srv/web": ("RequiresMountsFor", "/srv/web"),
    "Restart=on-failure": ("Restart", "on-failure"),
    "RestartSec=5min 20s": ("RestartUSec", "5min 20s"),
    "RestartPreventExitStatus=7 TERM": ("RestartPreventExitStatus", "7"),
    "SuccessExitStatus=3 TEMPFAIL SIGKILL": ("SuccessExitStatus", "3"),
    "RuntimeMaxSec=1h": ("RuntimeMaxUSec", "1h"),
    "TimeoutStopSec=1.5min": ("TimeoutStopUSec", "1min 30s"),
    "TimeoutStartSec=10min": ("TimeoutStartUSec", "10min"),
    "TimeoutStopFailureMode=kill": ("TimeoutStopFailureMode", "kill"),
    "StartLimitBurst=30": ("StartLimitBurst", "30"),
    "StartLimitIntervalSec=60": ("StartLimitIntervalUSec", "1min"),
    "StartLimitAction=none": ("StartLimitAction", "none"),
    "FailureAction=none": ("FailureAction", "none"),
    "KillSignal=SIGTERM": ("KillSignal", "15"),
    "FinalKillSignal=KILL": ("FinalKillSignal", "9"),
    "DefaultDependencies=no": ("DefaultDependencies", "no"),
    "CollectMode=inactive": ("CollectMode", "inactive"),
    "OOMPolicy=continue": ("OOMPolicy", "continue"),
}


def assert_shown(one):
    found = systemd.show(one.service, *(name for name, _ in SHOWN.values()))
    for name, value in SHOWN.values():
        assert found[name] == value or value in found[name].split(), f"{name} is {found[name]}"


def test_what_systemd_is_told(supervised):
    """And told again, when it has forgotten the service."""
    one, other = supervised(ENDS_ON_TERM, *SHOWN), supervised(ENDS_ON_TERM)
    assert_shown(one)
    one.runtime("restart", one.id)
    assert_shown(one)
    until(lambda: process.catches(one.state()["pid"], signal.SIGTERM), "the trap is set")
    one.runtime("stop", one.id)
    until(lambda: is_forgotten(one), "it is forgotten")
    one.start()
    assert_shown(one)
    systemd.systemctl("daemon-reload")
    assert_shown(one)
    assert show(other, "Description") == f"OCI container {other.id}" and show(other, "RuntimeMaxUSec") == "infinity"


def test_it_may_run_for_so_long(supervised):
    one = supervised(ENDS_ON_TERM.replace("exit 0", "exit 9"), "RuntimeMaxSec=700ms", options=["--restart", "no"])
    assert wait(one) in ("9", "137")  # before there was a trap
    until(lambda: is_over(one), "it has ended")
    assert show(one, "Result") == "timeout"
    one.runtime("start", one.id)
    until(lambda: is_over(one), "it has ended once more")
    assert show(one, "Result") == "timeout"


def test_a_unit_for_its_failure(supervised, bundles):
    said = bundles.scratch("on-failure") / "said"
    unit = UNITS / "on-failure-of-a-test@.service"
    UNITS.mkdir(parents=True, exist_ok=True)
    unit.write_text(f"[Service]\nType=oneshot\nExecStart=/bin/sh -c 'echo %i >> {said}'\n", encoding="ascii")
    systemd.systemctl("daemon-reload")
    try:
        good = supervised("exit 0", "OnFailure=on-failure-of-a-test@good.service")
        one = supervised("exit 4", "OnFailure=on-failure-of-a-test@web.service")
        assert (wait(one), wait(good)) == ("4", "0")
        until(lambda: said.exists() and said.read_text(encoding="ascii") == "web\n", "the unit was started")
        assert show(one, "Result") == "exit-code"
    finally:
        unit.unlink()
        systemd.systemctl("daemon-reload")


def test_it_is_started_so_often(supervised):
    one = supervised("exit 5", "StartLimitBurst=3", "StartLimitIntervalSec=1h", "RestartSec=1ms", "Restart=always")
    until(lambda: show(one, "ActiveState") == "failed", "systemd gives up")
    assert show(one, "NRestarts") in ("2", "3") and "5" == wait(one)  # the last is not counted by each version
    assert show(one, "ExecMainStatus") == "5" and one.state()["status"] == "stopped"
    assert one.service in one.runtime.fails("start", one.id)
    systemd.systemctl("reset-failed", one.service)


def test_logs_follow_one_that_is_started_again(supervised):
    one = supervised("echo hi; exit 1", "Restart=on-failure", "StartLimitBurst=3", "StartLimitIntervalSec=1h",
                     "RestartSec=500ms")
    assert one.runtime("logs", "--follow", one.id) == "hi\n" * 3


@pytest.mark.parametrize("status, properties, ended", [
    (3, ["SuccessExitStatus=3", "Restart=on-failure"], "inactive"),
    (75, ["SuccessExitStatus=TEMPFAIL 4", "Restart=on-failure"], "inactive"),
    (6, ["RestartPreventExitStatus=6", "Restart=always"], "failed"),
])
def test_a_status_that_ends_it(supervised, status, properties, ended):
    one = supervised(f"exit {status}", *properties)
    assert wait(one) == str(status)
    until(lambda: is_over(one), "it has ended")
    assert show(one, "ActiveState") == ended and one.state()["status"] == "stopped"


def test_a_status_that_starts_it_again(supervised):
    one = supervised("exit 0", "RestartForceExitStatus=0 7", "RestartSec=10ms", "StartLimitIntervalSec=0")
    until(lambda: int(show(one, "NRestarts")) >= 2, "it was started again")
    one.runtime("stop", one.id)


@pytest.mark.parametrize("stop", [["stop"], ["stop", "--time", "20"]], ids=" ".join)
def test_the_signal_of_its_end(supervised, stop):
    one = supervised("trap 'exit 8' USR1; while :; do sleep 0.01; done", "KillSignal=SIGUSR1")
    until(lambda: process.catches(one.state()["pid"], signal.SIGUSR1), "the trap is set")
    one.runtime(*stop, one.id)
    assert wait(one) == "8"


def test_its_end_is_another_units(supervised):
    with systemd.TransientUnit(f"bound-{os.getpid()}.service", ["sleep", "1000"]) as unit:
        one, other = supervised(ENDS_ON_TERM, f"BindsTo={unit.name}", f"After={unit.name}"), supervised(ENDS_ON_TERM)
        until(lambda: process.catches(one.state()["pid"], signal.SIGTERM), "the trap is set")
        systemd.stop(unit.name)
        assert wait(one) == "0"
        assert other.state()["status"] == "running"


def test_the_slice(supervised):
    config = Config().sleeping().set("linux.cgroupsPath", "a.slice:b:props")
    one = supervised(None, "Slice=machine-props.slice", config=config)
    one.service = "b-props.service"
    assert show(one, "ControlGroup").endswith("/machine.slice/machine-props.slice/b-props.service")
    one.runtime("restart", one.id)
    assert one.state()["status"] == "running"
    one.delete("--force")


@pytest.mark.skipif(VERSION >= 254, reason="systemd 252 alone has no RestartMode=")
def test_what_this_systemd_does_not_know(refused):
    message = refused("--supervise", *words(["Restart=always", "RestartMode=normal"]))
    assert message.endswith(f"--property RestartMode: systemd {VERSION} has no property RestartMode"), message


@pytest.mark.skipif(VERSION < 254, reason="systemd 252 has no RestartMode=")
def test_how_it_is_started_again(supervised):
    one = supervised("exit 1", "Restart=always", "RestartMode=normal", "RestartSteps=3", "RestartMaxDelaySec=2s",
                     "RestartSec=10ms", "StartLimitIntervalSec=0")
    shown = systemd.show(one.service, "RestartMode", "RestartSteps", "RestartMaxDelayUSec")
    assert list(shown.values()) == ["normal", "3", "2s"]
    until(lambda: int(show(one, "NRestarts")) >= 2, "it was started again")
    one.delete("--force")


@pytest.mark.parametrize("arguments, part", [
    (["--property", "MemoryMax=64M"], "--property: is for what systemd watches over (--supervise)"),
    (["--supervise", *words(["ExecStart=/bin/sh"])], "--property ExecStart: not to be set: "),
    (["--supervise", *words(["Requires=nonesuch-of-a-test.service"])], "nonesuch-of-a-test.service"),
    (["--supervise", *words(["Requisite=printer.target", "After=printer.target"])], "dependency"),
    (["--supervise", *words(["RestartSecs=5"])], "did you mean RestartSec?"),
    (["--supervise", *words(["RestartSec=soon"])],
     '--property RestartSec: expected a time such as 5min 20s or infinity, got "soon"'),
    (["--supervise", "--restart", "always", *words(["Restart=no"])], "said before, by --restart"),
    (["--supervise", "--property", "Description"], "--property Description: expected NAME=VALUE"),
    (["-p", "80:80"], "--property"),
])
def test_what_is_refused(refused, arguments, part):
    assert part in refused(*arguments)


@needs_controller("memory")
def test_limits(supervised):
    """The option goes before config.json, which holds for all else."""
    config = Config("sh", "-c", ENDS_ON_TERM).resource("memory", limit=128 << 20, swap=192 << 20)
    one = supervised(None, "MemoryMax=64M", "MemoryHigh=48M", "TasksMax=10%", config=config)
    for _ in range(2):
        cgroup = show(one, "ControlGroup")
        assert process.cgroup_file(cgroup, "memory.max") == str(64 << 20)
        assert process.cgroup_file(cgroup, "memory.high") == str(48 << 20)
        assert process.cgroup_file(cgroup, "memory.swap.max") == str(64 << 20)
        assert int(process.cgroup_file(cgroup, "pids.max")) > 0
        until(lambda: process.catches(one.state()["pid"], signal.SIGTERM), "the trap is set")
        one.runtime("stop", one.id)
        until(lambda: is_forgotten(one), "it is forgotten")
        one.start()


@needs_controller("cpu")
@needs_controller("cpuset")
def test_processors(supervised):
    config = Config("sh", "-c", ENDS_ON_TERM).resource("cpu", quota=80000, period=50000)
    one = supervised(None, "CPUQuota=20%", "CPUWeight=50", "AllowedCPUs=0", config=config)
    cgroup = show(one, "ControlGroup")
    assert process.cgroup_file(cgroup, "cpu.max") == "10000 50000"
    assert process.cgroup_file(cgroup, "cpu.weight") == "50"
    assert process.cgroup_file(cgroup, "cpuset.cpus") == "0"


@needs_controller("io")
def test_devices_that_systemctl_has_freed(supervised):
    device = os.stat("/dev/vda").st_rdev
    throttle = {"major": os.major(device), "minor": os.minor(device), "rate": 1 << 20}
    one = supervised(None, config=Config("sh", "-c", ENDS_ON_TERM).resource("blockIO", throttleReadBpsDevice=[throttle]))
    assert "rbps=1048576" in process.cgroup_file(show(one, "ControlGroup"), "io.max")
    systemd.systemctl("set-property", "--runtime", one.service, "IOReadBandwidthMax=")
    one.runtime("restart", one.id)
    assert "rbps" not in process.cgroup_file(show(one, "ControlGroup"), "io.max")


@needs_controller("cpuset")
def test_processors_that_systemctl_has_changed(supervised):
    """They are what holds, also when it is started again."""
    one = supervised(ENDS_ON_TERM, "AllowedCPUs=0", "Restart=always", "RestartSec=10ms")
    systemd.systemctl("set-property", "--runtime", one.service, "AllowedCPUs=0-1")
    one.runtime("restart", one.id)
    assert process.cgroup_file(show(one, "ControlGroup"), "cpuset.cpus") == "0-1"


@pytest.mark.skipif("memory" in Path("/sys/fs/cgroup/cgroup.controllers").read_text(encoding="ascii").split(),
                    reason="cgroup v2 with the memory controller")
def test_a_limit_that_is_not_to_be_had(refused):
    assert "--property MemoryMax" in refused("--supervise", "--property", "MemoryMax=64M")
