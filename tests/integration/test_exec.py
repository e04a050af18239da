# SPDX-License-Identifier: LGPL-2.1-or-later
"""exec: a process.json and each of its options, as the process sees them."""

import os
import subprocess

import pytest

from harness import go, process
from harness.config import Config
from harness.runtime import Container, with_descriptors
from harness.terminal import ConsoleSocket, InFrontOf
from harness.wait import DEADLINE, until

CHOWN, KILL, NET_RAW = 1 << 0, 1 << 5, 1 << 13
STATUS = ["cat", "/proc/self/status"]


def fields(text):
    return {name: value.split() for name, _, value in (line.partition(":") for line in text.splitlines())}


def capabilities(text):
    found = fields(text)
    return {name: int(found[f"Cap{name}"][0], 16) for name in ["Bnd", "Eff", "Inh", "Prm", "Amb"]}


@pytest.fixture(scope="module")
def confined(runtime, bundles, watch):
    """One container for all, whose own process has a little of everything."""
    names = ["CAP_CHOWN"]
    config = Config().sleeping().user(1000, 1000, 7).set("process.user.umask", 0o077)
    config.capabilities(bounding=names, effective=names, permitted=names, inheritable=names, ambient=names)
    config.set("process.noNewPrivileges", False).set("process.oomScoreAdj", 500)
    config.set("process.rlimits", [{"type": "RLIMIT_NOFILE", "soft": 99, "hard": 100}])
    config.set("process.scheduler", {"policy": "SCHED_BATCH", "nice": 3})
    config.set("process.ioPriority", {"class": "IOPRIO_CLASS_IDLE", "priority": 0})
    one = Container(runtime, bundles.make(config))
    one.run_detached()
    watch.start_over()
    yield one
    pid = one.pid
    one.delete("--force")
    os.waitpid(pid, 0)
    watch.start_over()


@pytest.fixture
def process_json(confined):
    """Runs a process.json that says this and no more, with options: what it prints."""
    path = confined.bundle.path / "process.json"

    def run(script, *options, **values):
        path.write_text(go.marshal({"args": ["sh", "-c", script], "cwd": "/", "env": ["PATH=/bin"]} | values))
        return confined.output_of(options=["--process", path, *options])
    return run


SEE = "cat /proc/self/status /proc/self/limits /proc/self/oom_score_adj; umask; ionice -p $$; cat /proc/self/stat"


def test_what_a_process_json_leaves_out(process_json):
    """It is the container's: the process is to be no less confined for that."""
    text = process_json(SEE)
    found = fields(text)
    assert found["Uid"] == ["1000"] * 4 and found["Gid"] == ["1000"] * 4 and found["Groups"] == ["7"]
    assert set(capabilities(text).values()) == {CHOWN}
    *_, oom_score_adj, umask, io_priority, stat = text.splitlines()
    assert (oom_score_adj, umask) == ("500", "0077") and "idle" in io_priority
    assert stat.rpartition(")")[2].split()[16] == "3"
    limits = {line[:26].strip(): line[26:].split()[:2] for line in text.splitlines()}
    assert limits["Max open files"] == ["99", "100"]


def test_what_a_process_json_says(process_json):
    """All of it, whatever the container's own process has."""
    names = ["CAP_KILL"]
    text = process_json(
        SEE, user={"uid": 5, "gid": 6, "umask": 0o027, "additionalGids": [8, 9]}, noNewPrivileges=True,
        capabilities={"bounding": names, "effective": names, "permitted": names, "inheritable": names,
                      "ambient": names},
        rlimits=[{"type": "RLIMIT_NOFILE", "soft": 50, "hard": 60}], oomScoreAdj=600,
        scheduler={"policy": "SCHED_OTHER", "nice": 5},
        ioPriority={"class": "IOPRIO_CLASS_BE", "priority": 2})
    found = fields(text)
    assert found["Uid"] == ["5"] * 4 and found["Gid"] == ["6"] * 4 and found["Groups"] == ["8", "9"]
    assert set(capabilities(text).values()) == {KILL} and found["NoNewPrivs"] == ["1"]
    *_, oom_score_adj, umask, io_priority, stat = text.splitlines()
    assert (oom_score_adj, umask) == ("600", "0027") and "prio 2" in io_priority
    assert stat.rpartition(")")[2].split()[16] == "5"
    limits = {line[:26].strip(): line[26:].split()[:2] for line in text.splitlines()}
    assert limits["Max open files"] == ["50", "60"]


def test_options_beside_a_process_json(process_json):
    """They have the last word."""
    script = "id -u; id -g; id -G; echo $A $B $PWD; cat /proc/self/status"
    options = ["--user", "11:12", "--additional-gids", "13", "--env", "A=1", "--cwd", "/tmp",
               "--no-new-privs", "--cap", "CAP_NET_RAW"]
    uid, gid, groups, env, *rest = process_json(script, *options, env=["PATH=/bin", "A=0", "B=2"]).splitlines()
    assert [uid, gid, groups, env] == ["11", "12", "12 7 13", "1 2 /tmp"]
    assert fields("\n".join(rest))["NoNewPrivs"] == ["1"]
    assert capabilities("\n".join(rest))["Bnd"] == CHOWN | NET_RAW


def test_a_process_json_or_a_command(runtime, confined):
    path = confined.bundle.path / "process.json"
    path.write_text(go.marshal({"args": ["true"], "cwd": "/"}))
    assert "not both" in runtime.fails("exec", "--process", path, confined.id, "true")


def test_no_new_privileges(confined):
    assert fields(confined.output_of(*STATUS))["NoNewPrivs"] == ["0"]
    assert fields(confined.output_of(*STATUS, options=["--no-new-privs"]))["NoNewPrivs"] == ["1"]


@pytest.mark.parametrize("user, expected", [("1000", {"Bnd", "Eff", "Inh", "Prm", "Amb"}),
                                            ("0", {"Bnd", "Eff", "Prm"})])
def test_cap(confined, user, expected):
    """It is in force for any user; root has it without passing it on."""
    found = capabilities(confined.output_of(*STATUS, options=["--user", user, "--cap", "CAP_NET_RAW"]))
    assert {name for name, bits in found.items() if bits & NET_RAW} == expected


def test_a_missing_directory(confined):
    """exec makes none: it is not the container's to be changed by that."""
    assert "/no/such/dir" in confined.runtime.fails("exec", "--cwd", "/no/such/dir", confined.id, "true")


def test_a_label_without_selinux(confined):
    assert "--process-label: " in confined.runtime.fails(
        "exec", "--process-label", "system_u:system_r:container_t:s0", confined.id, "true")


def test_a_cgroup_below(container):
    """--cgroup: which is there, and below the container's own."""
    one = container().run_detached()
    below = process.CGROUPS / one.cgroup.lstrip("/") / "below"
    below.mkdir()
    inside = one.output_of("cat", "/proc/self/cgroup", options=["--cgroup", "below"])
    assert inside.splitlines()[-1] == "0::/below"
    assert one.exec("true", options=["--cgroup", "nosuch"]).status != 0


def test_cgroups_where_init_has_moved(container):
    """As a systemd moves itself: --cgroup is meant from the container's own, nothing said where its process is."""
    one = container().run_detached()
    own = one.cgroup
    for name in ["init.scope", "system.slice"]:
        (process.CGROUPS / own.lstrip("/") / name).mkdir()
    for pid in process.members(own):
        (process.CGROUPS / own.lstrip("/") / "init.scope/cgroup.procs").write_text(str(pid), encoding="ascii")

    def lands(*options):
        path = one.bundle.path / "exec-pid"
        one.runtime("exec", "--detach", "--pid-file", path, *options, one.id, "sleep", "1000")
        return process.cgroup(int(path.read_text(encoding="ascii"))).removeprefix(own)

    assert lands() == "/init.scope"
    assert lands("--cgroup", "/system.slice") == lands("--cgroup", "system.slice") == "/system.slice"
    assert lands("--cgroup", "/") == lands("--cgroup", "") == ""


def test_into_a_paused_container(container):
    """--ignore-paused: it waits like all others, and goes on with them."""
    one = container().run_detached()
    one.runtime("pause", one.id)
    assert "--ignore-paused" in one.runtime.fails("exec", one.id, "true")
    before = process.members(one.cgroup)
    with one.runtime.start_process("exec", "--ignore-paused", one.id, "echo", "resumed",
                                   stdout=subprocess.PIPE) as waits:
        until(lambda: len(process.members(one.cgroup)) > len(before), "it is in the container's cgroup")
        assert waits.poll() is None
        one.runtime("resume", one.id)
        assert waits.communicate(timeout=DEADLINE)[0] == b"resumed\n"


def test_a_program_in_a_descriptor(container, bundles):
    """--preserve-fds: found in /proc by the process that will be."""
    one = container().run_detached()
    result = one.runtime.call("exec", "--preserve-fds", "1", one.id, "/proc/self/fd/3",
                              prefix=with_descriptors([3], bundles.top / "busybox"))
    assert "applet not found" in result.stderr, str(result)


def test_a_pidfd_of_it(container, top):
    """--pidfd-socket: of the process, before it runs."""
    one = container().run_detached()
    with ConsoleSocket(str(top / "pidfd.sock")) as listener:
        one.runtime("exec", "--detach", "--pidfd-socket", listener.path, "--pid-file",
                    one.bundle.path / "exec-pid", one.id, "sleep", "1000")
        _, [pidfd], _ = listener.receive()
    with open(f"/proc/self/fdinfo/{pidfd}", encoding="ascii") as info:
        assert f"Pid:\t{(one.bundle.path / 'exec-pid').read_text()}\n" in info.read()
    os.close(pidfd)


@pytest.mark.proves("process.consoleSize")
def test_the_size_of_its_terminal(container):
    """process.consoleSize: of a process.json; of no effect without a terminal, whatever it is."""
    one = container().run_detached()
    path = one.bundle.path / "process.json"
    base = {"args": ["busybox", "stty", "size"], "cwd": "/", "env": ["PATH=/bin"]}
    path.write_text(go.marshal(base | {"terminal": True, "consoleSize": {"height": 31, "width": 97}}))
    with ConsoleSocket(str(one.bundle.path / "s")) as listener:
        one.runtime("exec", "--detach", "--process", path, "--console-socket", listener.path, one.id)
        with listener.terminal() as master:
            assert b"31 97" in master.read_to_end()
    path.write_text(go.marshal(base | {"args": ["true"], "consoleSize": "nonsense"}))
    one.output_of(options=["--process", path])


def test_a_terminal_for_a_process_json(container):
    """--tty beside it."""
    one = container().run_detached()
    path = one.bundle.path / "process.json"
    path.write_text(go.marshal({"args": ["busybox", "tty"], "cwd": "/", "env": ["PATH=/bin"]}))
    with InFrontOf(one.runtime.command("exec", "--tty", "--process", path, one.id)) as person:
        assert b"/dev/pts/" in person.master.read_to_end()
