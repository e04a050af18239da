# SPDX-License-Identifier: LGPL-2.1-or-later
"""config.json's process: when and where it runs, as the kernel sees it."""

import os
from pathlib import Path

import pytest

from harness import go, process, user
from harness.config import MAPPED_ROOT, Config
from harness.needs import needs_deadlines, needs_kept_affinity, needs_numa, needs_real_time, needs_root, needs_two_cpus

OTHER, FIFO, RR, BATCH, IDLE, DEADLINE = 0, 1, 2, 3, 5, 6
RESET_ON_FORK, RECLAIM, DL_OVERRUN = 1, 2, 4
REAL_TIME, BEST_EFFORT, IDLE_CLASS = 1, 2, 3
MILLISECOND = 1000000


def scheduler(policy, *flags, **values):
    return Config().sleeping().set("process.scheduler", {
        "policy": f"SCHED_{policy}", "flags": [f"SCHED_FLAG_{flag}" for flag in flags]} | values)


def cpus(one, options=()):
    """Those that a process of exec may run on."""
    text = one.output_of("cat", "/proc/self/status", options=options)
    return next(line.split()[1] for line in text.splitlines() if line.startswith("Cpus_allowed_list"))


# --- scheduler

@pytest.mark.proves("process.scheduler.policy", "process.scheduler.nice")
@pytest.mark.parametrize("policy, number, nice", [("OTHER", OTHER, 3 if user.ORDINARY else -3), ("BATCH", BATCH, 19),
                                                  ("IDLE", IDLE, 0)])
def test_policies_for_everybody(container, policy, number, nice):
    """process.scheduler.policy, process.scheduler.nice: of init, and of what exec brings in."""
    one = container(scheduler(policy, nice=nice)).run_detached()
    one.runtime("exec", "--detach", "--pid-file", one.bundle.path / "exec-pid", one.id, "sleep", "1000")
    for pid in [one.pid, int((one.bundle.path / "exec-pid").read_text())]:
        found = process.scheduling(pid)
        assert (found["policy"], found["nice"]) == (number, nice)


@needs_real_time
@pytest.mark.proves("process.scheduler.priority", "process.scheduler.flags")
def test_real_time_policies(container):
    """process.scheduler.priority, process.scheduler.flags: without the privilege in the container."""
    for policy, number, priority, flags in [("FIFO", FIFO, 7, ["RESET_ON_FORK"]), ("RR", RR, 99, [])]:
        one = container(scheduler(policy, *flags, priority=priority)).run_detached()
        found = process.scheduling(one.pid)
        assert (found["policy"], found["priority"]) == (number, priority)
        assert found["flags"] == (RESET_ON_FORK if flags else 0)
        one.delete("--force")


@needs_real_time
def test_real_time_in_a_user_namespace(container):
    """process.scheduler: root there has no power over it, but whoever runs the container has."""
    one = container(scheduler("RR", priority=2).mapped_users())
    one.bundle.give_to(MAPPED_ROOT)
    one.run_detached()
    found = process.scheduling(one.pid)
    assert (found["policy"], found["priority"]) == (RR, 2)


@needs_deadlines
@pytest.mark.proves("process.scheduler.runtime", "process.scheduler.deadline",
                    "process.scheduler.period", "process.scheduler.flags")
def test_deadlines(container):
    """process.scheduler.runtime, process.scheduler.deadline, process.scheduler.period"""
    times = {"runtime": 2 * MILLISECOND, "deadline": 60 * MILLISECOND, "period": 100 * MILLISECOND}
    config = scheduler("DEADLINE", "RESET_ON_FORK", "RECLAIM", "DL_OVERRUN", **times)
    found = process.scheduling(container(config).run_detached().pid)
    assert found["policy"] == DEADLINE and {name: found[name] for name in times} == times
    assert found["flags"] == RESET_ON_FORK | RECLAIM | DL_OVERRUN


def test_what_the_kernel_does_not_grant(runtime, container):
    """process.scheduler: more time than there is. The error says which property."""
    one = container(scheduler("DEADLINE", "RECLAIM", runtime=1000, deadline=1000, period=1000))
    assert "process.scheduler: " in runtime.fails("run", "--bundle", one.bundle.path, one.id)


# --- ioPriority

@pytest.mark.proves("process.ioPriority")
@pytest.mark.parametrize("name, number, priority", [pytest.param("RT", REAL_TIME, 5, marks=needs_root("goes before all others")),
                                                    ("BE", BEST_EFFORT, 0),
                                                    ("IDLE", IDLE_CLASS, 0)])
def test_io_priorities(container, name, number, priority):
    """process.ioPriority: all classes, without the privilege in the container."""
    config = Config().sleeping().set("process.ioPriority", {"class": f"IOPRIO_CLASS_{name}",
                                                            "priority": priority})
    assert process.io_priority(container(config).run_detached().pid) == (number, priority)


# --- CPUs

@pytest.fixture
def exec_cpus(container):
    """The CPUs that a process of exec --process has, with an execCPUAffinity in the file."""
    one = container(Config().sleeping()).run_detached()
    path = one.bundle.path / "process.json"

    def run(**affinity):
        path.write_text(go.marshal({"args": ["cat", "/proc/self/status"], "cwd": "/", "env": ["PATH=/bin"],
                                    "execCPUAffinity": affinity}))
        return one.runtime.call("exec", "--process", path, one.id)
    return run


@needs_two_cpus
@pytest.mark.proves("process.execCPUAffinity")
@pytest.mark.parametrize(("affinity", "expected"), [
    pytest.param({"initial": "0"}, "0", marks=needs_kept_affinity), ({"final": "1"}, "1"),
    ({"initial": "0", "final": "0-1"}, "0-1"), ({"initial": "1", "final": "0"}, "0")])
def test_cpus_of_exec(exec_cpus, affinity, expected):
    """process.execCPUAffinity: final is where it runs, and without it what initial left; neither
    is for init."""
    result = exec_cpus(**affinity)
    assert f"Cpus_allowed_list:\t{expected}\n" in result.stdout, str(result)


def test_cpus_of_exec_that_are_not_there(exec_cpus):
    result = exec_cpus(initial="4095")
    assert result.status != 0 and "process.execCPUAffinity.initial: " in result.stderr


@needs_two_cpus
def test_cpus_of_exec_in_the_configuration(container):
    """process.execCPUAffinity: of config.json, for every exec and not for init."""
    config = Config().sleeping().set("process.execCPUAffinity", {"final": "1"})
    one = container(config).run_detached()
    assert cpus(one) == "1" and len(os.sched_getaffinity(one.pid)) > 1


@needs_two_cpus
def test_the_affinity_of_the_caller_stays_outside(container):
    """A service with CPUAffinity= has containers that may run anywhere, as their cgroup says."""
    one = container(Config().sleeping())
    one.runtime("run", "--detach", "--bundle", one.bundle.path, "--pid-file", one.pid_file, one.id,
                prefix=["taskset", "--cpu-list", "0"])
    everywhere = os.sched_getaffinity(0)
    assert os.sched_getaffinity(one.pid) == everywhere
    result = one.runtime.call("exec", one.id, "cat", "/proc/self/status",
                              prefix=["taskset", "--cpu-list", "0"])
    assert "Cpus_allowed_list:\t0\n" not in result.stdout


# --- memory, personality

@needs_numa
@pytest.mark.proves("linux.memoryPolicy")
def test_memory_policies(container):
    """linux.memoryPolicy: mode, nodes and flags, of init and of exec."""
    for policy, shown in [
            ({"mode": "MPOL_BIND", "nodes": "0", "flags": ["MPOL_F_STATIC_NODES"]}, "bind=static:0"),
            ({"mode": "MPOL_INTERLEAVE", "nodes": "0"}, "interleave:0"),
            ({"mode": "MPOL_PREFERRED", "nodes": "0", "flags": ["MPOL_F_RELATIVE_NODES"]},
             "prefer=relative:0"),
            ({"mode": "MPOL_PREFERRED_MANY", "nodes": "0"}, "prefer (many):0"),
            ({"mode": "MPOL_LOCAL"}, "local"), ({"mode": "MPOL_DEFAULT"}, "default")]:
        one = container(Config().sleeping().set("linux.memoryPolicy", policy)).run_detached()
        assert f" {shown} " in Path(f"/proc/{one.pid}/numa_maps").read_text().splitlines()[0]
        assert f" {shown} " in one.output_of("head", "-n", "1", "/proc/self/numa_maps")
        one.delete("--force")


@needs_numa
@pytest.mark.parametrize("policy, path", [
    ({"mode": "MPOL_BIND", "nodes": "1023"}, "linux.memoryPolicy: "),
    ({"mode": "MPOL_NOSUCH"}, "linux.memoryPolicy.mode: "),
    ({"mode": "MPOL_INTERLEAVE"}, "linux.memoryPolicy.nodes: "),
    ({"mode": "MPOL_LOCAL", "flags": ["MPOL_F_STATIC_NODES"]}, "linux.memoryPolicy.flags: ")])
def test_memory_policies_that_cannot_be(runtime, container, policy, path):
    """linux.memoryPolicy: nodes that there are not, modes that nobody knows."""
    one = container(Config("true").set("linux.memoryPolicy", policy))
    assert path in runtime.fails("run", "--bundle", one.bundle.path, one.id)


@pytest.mark.proves("linux.personality.domain")
@pytest.mark.parametrize("domain, persona", [("LINUX32", "00000008"), ("LINUX", "00000000")])
def test_personalities(container, domain, persona):
    """linux.personality.domain: of init and of exec; LINUX32 has the name of a 32 bit machine."""
    config = Config().sleeping().set("linux.personality", {"domain": domain})
    one = container(config).run_detached()
    assert Path(f"/proc/{one.pid}/personality").read_text().strip() == persona
    machine = one.output_of("busybox", "uname", "-m").strip()
    assert (machine == os.uname().machine) == (domain == "LINUX")
