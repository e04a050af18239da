# SPDX-License-Identifier: LGPL-2.1-or-later
"""Seccomp: what the kernel does with a filtered call."""

import errno
import json
import os
import re
import signal
import subprocess
from pathlib import Path

import pytest

from harness import i386, process, schema
from harness.agent import Agent
from harness.config import Config
from harness.needs import needs_i386, needs_insight, needs_ocirt_sd
from harness.wait import until

ALLOW = "SCMP_ACT_ALLOW"


def profile(*rules, default=ALLOW, **more):
    return {"defaultAction": default, "syscalls": list(rules)} | more


def rule(*names, action="SCMP_ACT_ERRNO", **more):
    return {"names": list(names), "action": action} | more


def filtered(script, *rules, **more):
    return Config().script(script).seccomp(**profile(*rules, **more))


MKDIRS = ("mkdir", "mkdirat")


@pytest.mark.proves("linux.seccomp.syscalls[].names",
                    "linux.seccomp.syscalls[].action",
                    "linux.seccomp.syscalls[].errnoRet")
@pytest.mark.parametrize("errno, text", [(None, "Operation not permitted"),
                                         (28, "No space left on device"),
                                         (38, "Function not implemented")])
def test_an_errno(run, errno, text):
    more = {} if errno is None else {"errnoRet": errno}
    result = run(filtered("mkdir /x", rule(*MKDIRS, **more)))
    assert result.status == 1 and text in result.stderr


KILLED = str(128 + signal.SIGSYS)


@pytest.mark.proves("linux.seccomp.syscalls[].action")
def test_all_other_actions(run):
    """Ends of a process, a signal that can be caught, a tracer that is not there, and nothing but a line in the log."""
    script = "mkdir /x 2>&1; busybox rmdir /x; echo $?; busybox ln -s x /y; echo $?; busybox ln /bin/sh /y; echo $?; " \
             "(trap 'echo caught' SYS; cd /tmp; echo went on); touch /z; busybox chmod 600 /z && echo changed"
    config = filtered(script, rule(*MKDIRS, action="SCMP_ACT_TRACE"), rule("rmdir", action="SCMP_ACT_KILL"),
                      rule("symlink", "symlinkat", action="SCMP_ACT_KILL_THREAD"),
                      rule("link", "linkat", action="SCMP_ACT_KILL_PROCESS"),
                      rule("chdir", action="SCMP_ACT_TRAP"), rule("chmod", "fchmodat", action="SCMP_ACT_LOG"))
    result = run(config)
    assert result.stdout.splitlines() == ["mkdir: can't create directory '/x': Function not implemented",
                                          KILLED, KILLED, KILLED, "caught", "went on", "changed"], str(result)


@pytest.mark.parametrize("action", ["SCMP_ACT_ERRNO", "SCMP_ACT_KILL_PROCESS"])
@pytest.mark.parametrize("no_new_privileges", [True, False])
def test_a_filter_that_lets_nothing_be_executed(run, action, no_new_privileges):
    """linux.seccomp.syscalls: it is said, whoever finds it out: the plan, or by the arguments the kernel."""
    config = Config("true").set("process.noNewPrivileges", no_new_privileges)
    for more in [{}, {"args": [{"index": 0, "value": 0, "op": "SCMP_CMP_NE"}]}]:
        result = run(config.seccomp(**profile(rule("execve", action=action, **more))))
        assert result.status == 1 and result.stdout == "", str(result)
        killed = more and action == "SCMP_ACT_KILL_PROCESS"
        expected = "linux.seccomp" if killed or not more else "exec: \"true\": operation not permitted"
        assert expected in result.stderr.replace("/bin/true", "true"), str(result)


# What of 15, 16 and 17 is refused, where it is an argument of which call, and a command that makes this. A call each:
# libseccomp (2.5, 2.6) gets some operators wrong that meet at one argument.
OPERATORS = {
    "NE": ([15, 17], "chown", 1, "busybox chown {} /f"),
    "LT": ([15], "lchown", 1, "busybox chown -h {} /f"),
    "LE": ([15, 16], "chmod", 1, "busybox chmod {:o} /f"),
    "EQ": ([16], "ftruncate", 1, "busybox truncate -s {} /f"),
    "GE": ([16, 17], "kill", 1, "kill -{} 4000000"),
    "GT": ([17], "setpriority", 2, "busybox renice {} $$"),
}


@pytest.mark.proves("linux.seccomp.syscalls[].args")
def test_operators(seen):
    """All, but for the one of test_masked_arguments."""
    rules, script = [], "touch /f"
    for name, (_, call, index, command) in OPERATORS.items():
        rules.append(rule(call, args=[{"index": index, "value": 16, "op": f"SCMP_CMP_{name}"}]))
        for value in [15, 16, 17]:
            script += f'; case $({command.format(value)} 2>&1) in *"not permitted"*) echo {name} {value};; esac'
    assert seen(filtered(script, *rules)).splitlines() == [
        f"{name} {value}" for name, (refused, *_) in OPERATORS.items() for value in refused]


@pytest.mark.proves("linux.seccomp.defaultErrnoRet")
def test_the_errno_of_the_rest(run):
    """Docker's profile, which lets pass what is listed, less one call."""
    golden = Path(__file__).parents[1] / "golden/docker-26.1-default/config.json"
    listed = json.loads(golden.read_text(encoding="utf-8"))["linux"]["seccomp"]
    for one in listed["syscalls"]:
        one["names"] = [name for name in one["names"] if name not in MKDIRS]
    config = Config().script("mkdir /x").seccomp(**listed | {"defaultAction": "SCMP_ACT_ERRNO",
                                                             "defaultErrnoRet": errno.ENOSPC})
    assert "No space left on device" in run(config).stderr


@pytest.mark.proves("linux.seccomp.defaultAction")
def test_a_list_of_what_is_allowed(run):
    """Everything else fails: the profile of an engine the other way round."""
    result = run(filtered("mkdir /x || echo refused", rule("mount", action=ALLOW),
                          default="SCMP_ACT_LOG"))
    assert result.status == 0
    assert result.stdout == ""


def test_calls_that_libseccomp_does_not_know_are_ignored(run):
    """As other runtimes: profiles are written for newer kernels than this."""
    assert run(filtered("echo fine", rule("no_such_call", "mkdir"))).stdout == "fine\n"


@needs_i386
@pytest.mark.proves("linux.seccomp.architectures")
@pytest.mark.parametrize("architectures, status", [(["SCMP_ARCH_X86_64", "SCMP_ARCH_X86"], errno.ENOSPC),
                                                   ([], 128 + signal.SIGSYS)], ids=["both", "native"])
def test_programs_of_another_architecture(container, architectures, status):
    """The rules are theirs, too, if the architecture is listed; if not, no call of theirs is let pass."""
    rules = rule(*MKDIRS, errnoRet=errno.ENOSPC)
    one = container(filtered("/i386; echo $?; mkdir /y 2>&1", rules, architectures=architectures))
    i386.write(one.bundle.inside("i386"), "/x")
    output = one.runtime.call("run", "--bundle", one.bundle.path, one.id).stdout
    assert f"{status}\n" in output and "No space left on device" in output
    assert not one.bundle.inside("x").exists()


FLAGS = [(None, "SPEC_ALLOW"), (["LOG"], "LOG"), (["TSYNC", "SPEC_ALLOW", "LOG"], "LOG|SPEC_ALLOW"), (["TSYNC"], "0")]


@needs_ocirt_sd
@pytest.mark.proves("linux.seccomp.flags")
@pytest.mark.parametrize("names, expected", FLAGS, ids=str)
def test_flags(run, tmp_path, names, expected):
    """As the kernel is given them. TSYNC is nothing to a process with one thread; without a list it is as elsewhere."""
    more = {} if names is None else {"flags": [f"SECCOMP_FILTER_FLAG_{name}" for name in names]}
    config = Config("true").seccomp(**profile(rule(*MKDIRS), **more)).own_ids()
    tracer = ["strace", "-f", "-qq", "-e", "trace=seccomp", "-o", tmp_path / "trace"]
    assert run(config, prefix=tracer).status == 0
    calls = re.findall(r"SECCOMP_SET_MODE_FILTER, ([^,]+),", (tmp_path / "trace").read_text())
    assert [call.replace("SECCOMP_FILTER_FLAG_", "") for call in calls] == [expected]


# --- somebody else decides

@pytest.fixture
def agent(top):
    with Agent(str(top / "agent.sock")) as listener:
        yield listener


def asking(config, agent, how):
    """What mkdir does is asked of the agent."""
    flags = ["SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"]
    config.seccomp(**profile(rule(*MKDIRS, action="SCMP_ACT_NOTIFY"), flags=flags))
    if how == "annotation":
        return config.annotation("run.oci.seccomp.receiver", agent.path)
    config.set("linux.seccomp.listenerMetadata", "words\nfor the agent")
    return config.set("linux.seccomp.listenerPath", agent.path)


@needs_ocirt_sd
@pytest.mark.proves("linux.seccomp.listenerPath", "linux.seccomp.listenerMetadata")
@pytest.mark.parametrize("how", ["listenerPath", "annotation"])
def test_an_agent(container, agent, how):
    """It hears of the container's process and of each of exec, and what it answers is what the call returns."""
    one = container(asking(Config().script("mkdir /x; sleep 1000"), agent, how)).create()
    state, listener = agent.accept()
    assert state["fds"] == ["seccompFd"] and state["pid"] == one.pid and state["ociVersion"]
    assert state.get("metadata") == ("words\nfor the agent" if how == "listenerPath" else None)
    assert state["state"]["id"] == one.id and state["state"]["status"] == "creating"
    assert schema.violations("state", state["state"]) == []
    one.start()
    with listener:
        listener.refuse(errno.EDQUOT)
        one.wait_for_output("Disk quota exceeded")
    command = one.runtime.command("exec", one.id, "busybox", "mkdir", "/y")
    with subprocess.Popen(command, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL) as child:
        state, listener = agent.accept()
        with listener:
            assert process.parent(state["pid"]) == child.pid and state["state"]["status"] == "running"
            listener.refuse(errno.EXDEV)
            assert b"Invalid cross-device link" in child.stderr.read()


@needs_ocirt_sd
def test_an_agent_that_is_not_there(runtime, container, agent):
    """Without anybody to ask, nothing is made."""
    config = asking(Config("true"), agent, "listenerPath").set("linux.seccomp.listenerPath", "/nosuch/agent")
    one = container(config)
    assert "listenerPath" in runtime.fails("create", "--bundle", one.bundle.path, one.id)
    assert "does not exist" in runtime.fails("state", one.id)


def test_exec_is_filtered_too(container):
    one = container(filtered("trap exit TERM; sleep 1000 & wait", rule(*MKDIRS))).run_detached()
    result = one.exec("sh", "-c", "mkdir /x; cat /proc/self/status")
    assert "Operation not permitted" in result.stderr
    assert "Seccomp:\t2" in result.stdout


@pytest.mark.parametrize("no_new_privileges", [True, False])
def test_with_and_without_no_new_privileges(run, no_new_privileges):
    config = filtered("mkdir /x", rule(*MKDIRS))
    result = run(config.set("process.noNewPrivileges", no_new_privileges))
    assert "Operation not permitted" in result.stderr


def test_the_filter_does_not_hit_our_own_setup(run):
    """Calls that set a container up may be forbidden to it."""
    calls = ["setuid", "setgid", "setgroups", "capset", "prctl", "mount", "pivot_root", "chdir",
             "fchdir", "unshare", "setns", "sendmsg", "recvmsg", "socket", "close_range"]
    config = filtered("echo fine", rule(*calls)).user(1000, 1000)
    assert run(config).stdout == "fine\n"


@needs_insight
def test_a_filter_older_than_the_calls_of_a_search(container):
    """Without no_new_privs the filter comes before the capabilities go, and the program is looked up before it."""
    calls = ["access", "faccessat", "faccessat2", "stat", "newfstatat", "statx", "openat2", "close_range"]
    config = filtered("echo $HOME; cat /proc/self/status; sleep 1000", rule(*calls)).set("process.noNewPrivileges", False)
    one = container(config.user(1000, 1000)).create()
    until(lambda: sum(target.startswith("socket:") for target in process.descriptors(one.pid).values()) == 1,
          "it waits at the gate, with nothing else open")
    kept = process.descriptors(one.pid).values()
    assert not [target for target in kept if target == "/" or target.startswith("/proc")]
    one.start().wait_for_output("Seccomp:\t2")
    assert one.output.startswith("/home/somebody\n")
    assert one.exec("sh", "-c", "echo $HOME").stdout == "/home/somebody\n"


def test_no_profile_no_filter(seen):
    assert "Seccomp:\t0" in seen("cat /proc/self/status")
