# SPDX-License-Identifier: LGPL-2.1-or-later
"""Seccomp: what the kernel does with a filtered call."""

import os
import signal

import pytest

from harness.config import Config

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


def test_a_kill(run):
    """Of the process: SIGSYS; the shell around it reports it."""
    result = run(filtered("mkdir /x; echo $?", rule(*MKDIRS, action="SCMP_ACT_KILL_PROCESS")))
    assert str(128 + signal.SIGSYS) in result.stdout


def test_arguments(run):
    """By value: only kill with signal 0 is refused."""
    args = [{"index": 1, "value": 0, "op": "SCMP_CMP_EQ"}]
    result = run(filtered("kill -0 $$ || echo refused; sleep 1000 & kill -9 $! && echo sent",
                          rule("kill", args=args)))
    assert result.stdout.split() == ["refused", "sent"]


@pytest.mark.proves("linux.seccomp.syscalls[].args")
def test_masked_arguments(run):
    """Bits of a flag: O_CREAT of openat, by SCMP_CMP_MASKED_EQ."""
    args = [{"index": 2, "value": os.O_CREAT, "valueTwo": os.O_CREAT,
             "op": "SCMP_CMP_MASKED_EQ"}]
    result = run(filtered("cat /etc/passwd > /tmp/new; head -n 1 /etc/passwd",
                          rule("openat", "open", args=args)))
    assert result.stdout.startswith("root:")
    assert "/tmp/new" in result.stderr


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


@pytest.mark.proves("linux.seccomp.architectures")
def test_more_architectures(run):
    config = filtered("mkdir /x", rule(*MKDIRS), architectures=["SCMP_ARCH_X86_64",
                                                                "SCMP_ARCH_X86"])
    assert "Operation not permitted" in run(config).stderr


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


def test_no_profile_no_filter(seen):
    assert "Seccomp:\t0" in seen("cat /proc/self/status")
