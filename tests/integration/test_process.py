# SPDX-License-Identifier: LGPL-2.1-or-later
"""config.json's process, as the process sees itself and as /proc shows it."""

import os
import subprocess
from pathlib import Path

import pytest

from harness import process
from harness.config import CAPABILITY_SETS, Config
from harness.needs import needs_cap_sys_resource, needs_insight, needs_root
from harness.process import capability_sets
from harness.runtime import with_descriptors
from harness.wait import DEADLINE

CHOWN, KILL, NET_RAW = 1 << 0, 1 << 5, 1 << 13


# --- capabilities

@pytest.mark.proves("process.capabilities")
def test_all_five_sets_of_capabilities(seen):
    config = Config("cat", "/proc/self/status").capabilities(
        bounding=["CAP_CHOWN", "CAP_KILL", "CAP_NET_RAW"], effective=["CAP_CHOWN", "CAP_KILL"],
        permitted=["CAP_CHOWN", "CAP_KILL"], inheritable=["CAP_KILL"], ambient=["CAP_KILL"])
    # The ambient set makes root's execve keep to what was set.
    config.user(1000, 1000)
    found = capability_sets(seen(config))
    assert found["bounding"] == CHOWN | KILL | NET_RAW
    assert found["inheritable"] == found["ambient"] == KILL
    assert found["permitted"] == found["effective"] == KILL


def test_capabilities_of_root(seen):
    names = ["CAP_CHOWN", "CAP_NET_RAW"]
    config = Config("cat", "/proc/self/status")
    config.capabilities(bounding=names, effective=names, permitted=names)
    found = capability_sets(seen(config))
    assert found["bounding"] == found["effective"] == found["permitted"] == CHOWN | NET_RAW
    assert found["inheritable"] == found["ambient"] == 0


@pytest.mark.parametrize("config", [Config("cat", "/proc/self/status").capabilities(),
                                    Config("cat", "/proc/self/status").remove(
                                        "process.capabilities")])
def test_no_capabilities(seen, config):
    """Neither with empty sets nor without the property."""
    found = capability_sets(seen(config))
    assert all(found[name] == 0 for name in CAPABILITY_SETS)


@needs_root("has all capabilities in his user namespace")
def test_capabilities_that_cannot_be_had(container):
    """process.capabilities: what nobody knows and what the runtime has not got itself "MUST be
    logged as a warning", and the rest is granted."""
    names = ["CAP_CHOWN", "CAP_NOSUCH", "CAP_SYS_TIME"]
    config = Config("cat", "/proc/self/status")
    config.capabilities(bounding=names, effective=names, permitted=names)
    one = container(config)
    result = one.runtime.call("run", "--bundle", one.bundle.path, one.id,
                              prefix=["setpriv", "--bounding-set", "-sys_time", "--"])
    found = capability_sets(result.stdout)
    assert found["bounding"] == found["effective"] == found["permitted"] == CHOWN
    assert 'process.capabilities.bounding[1]: unknown capability "CAP_NOSUCH"' in result.stderr
    assert "process.capabilities: cannot be granted: sys_time" in result.stderr


def test_a_user_has_no_capabilities_but_ambient_ones(seen):
    """CVE-2016-8867: none are kept across the change of the user."""
    found = capability_sets(seen(Config("cat", "/proc/self/status").user(1000, 1000)))
    assert found["effective"] == found["permitted"] == found["ambient"] == 0
    assert found["bounding"] != 0


def test_exec_has_the_containers_capabilities(container):
    """CVE-2022-29162: nothing inheritable; --cap adds, and adds nothing inheritable."""
    names = ["CAP_CHOWN"]
    config = Config().sleeping().capabilities(bounding=names, effective=names, permitted=names)
    one = container(config).run_detached()
    plain = capability_sets(one.output_of("cat", "/proc/self/status"))
    more = capability_sets(one.output_of("cat", "/proc/self/status",
                                         options=["--cap", "CAP_KILL"]))
    assert plain["effective"] == plain["bounding"] == CHOWN and plain["inheritable"] == 0
    assert more["effective"] == CHOWN | KILL and more["inheritable"] == 0


@pytest.mark.proves("process.noNewPrivileges")
@pytest.mark.parametrize("value", [True, False])
def test_no_new_privileges(seen, value):
    config = Config("cat", "/proc/self/status").set("process.noNewPrivileges", value)
    assert f"NoNewPrivs:\t{int(value)}" in seen(config)


# --- limits, priorities

@pytest.mark.proves("process.rlimits")
def test_rlimits(seen):
    config = Config("cat", "/proc/self/limits").set("process.rlimits", [
        {"type": "RLIMIT_NOFILE", "soft": 100, "hard": 200},
        {"type": "RLIMIT_CORE", "soft": 0, "hard": 0},
        {"type": "RLIMIT_STACK", "soft": 1 << 20, "hard": 2 << 20}])
    lines = {line[:26].strip(): line[26:].split()[:2] for line in seen(config).splitlines()}
    assert lines["Max open files"] == ["100", "200"]
    assert lines["Max core file size"] == ["0", "0"]
    assert lines["Max stack size"] == ["1048576", "2097152"]


@pytest.mark.proves("process.rlimits")
def test_every_rlimit(seen):
    """process.rlimits[].type: each one that Linux has, lowered."""
    shown = {"CPU": "Max cpu time", "FSIZE": "Max file size", "DATA": "Max data size", "STACK": "Max stack size",
             "CORE": "Max core file size", "RSS": "Max resident set", "NPROC": "Max processes",
             "NOFILE": "Max open files", "MEMLOCK": "Max locked memory", "AS": "Max address space",
             "LOCKS": "Max file locks", "SIGPENDING": "Max pending signals", "MSGQUEUE": "Max msgqueue size",
             "NICE": "Max nice priority", "RTPRIO": "Max realtime priority", "RTTIME": "Max realtime timeout"}
    # 0 is in the reach of all of them; what would keep the program from running is more.
    values = {name: 0 for name in ["CORE", "LOCKS", "MSGQUEUE", "NICE", "RTPRIO", "MEMLOCK"]}
    values = {name: values.get(name, 1000 if name in ("NPROC", "NOFILE") else 1 << 30) for name in shown}
    values["SIGPENDING"] = 100
    config = Config("cat", "/proc/self/limits").set("process.rlimits", [
        {"type": f"RLIMIT_{name}", "soft": value, "hard": value} for name, value in values.items()])
    lines = {line[:26].strip(): line[26:].split()[:2] for line in seen(config).splitlines()}
    assert {name: lines[title] for name, title in shown.items()} == {
        name: [str(value)] * 2 for name, value in values.items()}


@pytest.mark.proves("process.rlimits")
@pytest.mark.parametrize("files", [0, 3, 4, 5, 8])
def test_a_limit_of_few_files(container, files):
    """process.rlimits: it is the program's and keeps nobody from starting it, nor hooks from running before."""
    config = Config("sh", "-c", "ulimit -Sn; ulimit -Hn; while :; do busybox sleep 1000; done")
    config.set("process.rlimits", [{"type": "RLIMIT_NOFILE", "soft": files, "hard": max(files, 5)}])
    config.hook("startContainer", "/bin/sh", "-c", "cat > /dev/null")
    one = container(config).create().start()
    one.wait_for_output(f"{files}\n{max(files, 5)}\n")
    assert one.output_of("sh", "-c", "ulimit -Sn; ulimit -Hn") == f"{files}\n{max(files, 5)}\n"
    other = container(config).run_detached()
    other.wait_for_output(f"{files}\n")


@needs_cap_sys_resource
def test_rlimits_beyond_the_callers(seen):
    config = Config("cat", "/proc/self/limits").set("process.rlimits", [
        {"type": "RLIMIT_NOFILE", "soft": 1048576, "hard": 1048576}])
    assert "1048576              1048576              files" in seen(config)


@pytest.mark.proves("process.oomScoreAdj")
def test_oom_score_adj(seen):
    config = Config("cat", "/proc/self/oom_score_adj").set("process.oomScoreAdj", 321)
    assert seen(config) == "321"


@needs_cap_sys_resource
def test_oom_score_adj_below_the_callers(seen):
    config = Config("cat", "/proc/self/oom_score_adj").set("process.oomScoreAdj", -321)
    assert seen(config) == "-321"


@pytest.mark.proves("process.scheduler.policy", "process.scheduler.nice", "process.ioPriority")
def test_scheduling(seen):
    config = Config().script("cat /proc/self/stat; ionice -p $$")
    config.set("process.scheduler", {"policy": "SCHED_BATCH", "nice": 7})
    config.set("process.ioPriority", {"class": "IOPRIO_CLASS_BE", "priority": 6})
    stat, ioprio = seen(config).splitlines()
    fields = stat.rpartition(")")[2].split()
    assert fields[16] == "7" and fields[38] == "3"
    assert "prio 6" in ioprio


# --- who and where

@pytest.mark.proves("process.user.uid", "process.user.gid", "process.user.additionalGids")
def test_user_and_groups(seen):
    config = Config().script("id -u; id -g; cat /proc/self/status").user(1234, 567, 8, 9)
    uid, gid, *status = seen(config).splitlines()
    assert (uid, gid) == ("1234", "567")
    fields = {name: value for name, _, value in (line.partition(":") for line in status)}
    assert fields["Uid"].split() == ["1234"] * 4 and fields["Gid"].split() == ["567"] * 4
    assert fields["Groups"].split() == ["8", "9"]


@needs_root("has other groups than he was given")
def test_the_callers_groups_are_not_the_containers(container):
    """Supplementary groups of whoever calls stay outside."""
    one = container(Config("cat", "/proc/self/status"))
    command = one.runtime.command("run", "--bundle", one.bundle.path, one.id)
    done = subprocess.run(command, extra_groups=[4242, 4243], capture_output=True, text=True,
                          timeout=DEADLINE, check=True, stdin=subprocess.DEVNULL)
    assert "Groups:\t\n" in done.stdout.replace("Groups:\t \n", "Groups:\t\n")


def test_names_in_passwd_are_no_users(container):
    """CVE-2016-3697: a user called 1000 is not user 1000."""
    one = container(Config("id", "-u").user(1000, 1000))
    one.bundle.inside("etc/passwd").write_text("1000:x:0:0::/root:/bin/sh\n")
    assert one.runtime("run", "--bundle", one.bundle.path, one.id) == "1000\n"


@pytest.mark.proves("process.user.umask")
@pytest.mark.parametrize("umask, mode", [(0o027, "640"), (None, "644")])
def test_umask(seen, umask, mode):
    config = Config().script("touch /tmp/f; stat -c %a /tmp/f")
    if umask is not None:
        config.set("process.user.umask", umask)
    assert seen(config) == mode


@pytest.mark.proves("process.cwd")
def test_the_working_directory_is_made(seen):
    """As Docker's WORKDIR wants it; it belongs to root."""
    config = Config().script("pwd; stat -c %u:%a .").set("process.cwd", "/new/dir").user(7, 7)
    assert seen(config) == "/new/dir\n0:755"


@pytest.mark.proves("process.env")
def test_the_environment_is_the_configurations(seen, monkeypatch):
    """And nothing of the caller's; HOME from the container's passwd when it is not there."""
    monkeypatch.setenv("LEAK", "yes")
    found = seen(Config("env").env("A=1", "B=x=y", "EMPTY=").user(1000, 1000)).splitlines()
    expected = ["PATH=/usr/local/bin:/bin", "TERM=xterm", "A=1", "B=x=y", "EMPTY=",
                "HOME=/home/somebody"]
    assert sorted(line for line in found if not line.startswith(("PWD=", "SHLVL="))) \
        == sorted(expected)


@pytest.mark.parametrize("uid, env, home", [(0, [], "/root"), (4321, [], "/"),
                                            (0, ["HOME=/else"], "/else")])
def test_home(seen, uid, env, home):
    assert seen(Config().script("echo $HOME").user(uid, uid).env(*env)) == home


@pytest.mark.proves("process.args")
def test_the_program_is_looked_up_inside(container):
    """In PATH of the container's environment, at create and not at start."""
    one = container(Config("findme").set("process.env", ["PATH=/opt/a:/opt/b"]))
    for name in ["a", "b"]:
        one.bundle.inside(f"opt/{name}").mkdir(parents=True)
    script = one.bundle.inside("opt/b/findme")
    script.write_text("#!/bin/sh\necho found\n")
    message = one.runtime.fails("create", "--bundle", one.bundle.path, one.id)
    assert "permission denied" in message or "executable file not found in $PATH" in message
    script.chmod(0o755)
    assert one.runtime("run", "--bundle", one.bundle.path, one.id) == "found\n"


@pytest.mark.parametrize("args, message", [
    (["nosuch"], 'executable file not found in $PATH'),
    (["/bin/nosuch"], "no such file or directory"),
    (["/etc"], "is a directory"),
    (["/etc/passwd"], "permission denied")])
def test_what_cannot_be_executed(runtime, container, args, message):
    """create says so, in the words that engines turn into 126 and 127."""
    one = container(Config(*args))
    assert message in runtime.fails("create", "--bundle", one.bundle.path, one.id)


def test_the_program_is_looked_up_with_the_capabilities_it_will_have(container):
    """A directory that is closed to root without any: for the search as for the exec."""
    one = container(Config("/closed/sh", "-c", "echo found"))
    one.bundle.inside("closed").mkdir()
    os.link(one.bundle.inside("bin/busybox"), one.bundle.inside("closed/sh"))
    one.bundle.inside("closed").chmod(0)
    arguments = ["run", "--bundle", one.bundle.path, one.id]
    assert one.runtime(*arguments) == "found\n"
    one.bundle.write(Config("/closed/sh").capabilities(bounding=["CAP_DAC_OVERRIDE"]).text())
    assert "permission denied" in one.runtime.fails("create", *arguments[1:])


# --- nothing that was not meant

def leads_to(text):
    """{descriptor: target} from "ls -l /proc/self/fd"; the directory being listed left out."""
    rows = [line.split(" -> ") for line in text.splitlines() if " -> " in line]
    found = {int(row[0].split()[-1]): row[1] for row in rows}
    return {fd: path for fd, path in found.items() if not path.startswith("/proc/")}


LIST_FDS = "ls -l /proc/self/fd"
LEAKY = with_descriptors([3, 5, 6, 9])


def test_only_stdio_is_open(run):
    result = run(Config().script(LIST_FDS), prefix=LEAKY)
    assert result.status == 0
    assert sorted(leads_to(result.stdout)) == [0, 1, 2]


def test_only_stdio_is_open_in_exec(container):
    one = container().run_detached()
    result = one.runtime.call("exec", one.id, "sh", "-c", LIST_FDS, prefix=LEAKY)
    assert sorted(leads_to(result.stdout)) == [0, 1, 2]


def test_preserved_descriptors_of_run(run):
    """3 to 2+N, with holes; none after these."""
    result = run(Config().script(LIST_FDS), "--preserve-fds", "3", prefix=LEAKY)
    assert result.status == 0, str(result)
    assert sorted(leads_to(result.stdout)) == [0, 1, 2, 3, 5]


def test_preserved_descriptors_of_exec(container):
    one = container().run_detached()
    result = one.runtime.call("exec", "--preserve-fds", "3", one.id, "sh", "-c", LIST_FDS,
                              prefix=LEAKY)
    assert sorted(leads_to(result.stdout)) == [0, 1, 2, 3, 5]


ACTIVATED = ["sh", "-c", "LISTEN_PID=$$ LISTEN_FDS=2 LISTEN_FDNAMES=a:b exec \"$@\" 3</dev/null "
             "4</dev/null 5</dev/null", "sh"]
LISTENS = "test $LISTEN_PID = $$ && echo $LISTEN_FDS $LISTEN_FDNAMES; " + LIST_FDS


@pytest.mark.parametrize("verb", ["run", "exec"])
def test_listening_sockets(container, verb):
    """LISTEN_FDS for this very process: descriptors and variables, LISTEN_PID as seen inside."""
    one = container(Config().script(LISTENS) if verb == "run" else None)
    if verb == "run":
        words = ["--preserve-fds", "2", "--bundle", one.bundle.path, one.id]
    else:
        words = [one.run_detached().id, "sh", "-c", LISTENS]
    result = one.runtime.call(verb, *words, prefix=ACTIVATED)
    assert result.stdout.splitlines()[0] == "2 a:b", str(result)
    assert sorted(leads_to(result.stdout)) == [0, 1, 2, 3, 4]


def test_listening_sockets_in_the_hosts_pid_namespace(run):
    """LISTEN_PID is not 1 there; and variables for somebody else are nobody's."""
    config = Config().script(LISTENS).without_namespace("pid").without_mount("/proc")
    config.bind("/proc", "/proc", "rbind").env("LISTEN_PID=1")
    config.set("linux.maskedPaths", []).set("linux.readonlyPaths", [])
    assert run(config, prefix=ACTIVATED).stdout.splitlines()[0] == "2 a:b"
    other = run("env", prefix=["env", "LISTEN_PID=1", "LISTEN_FDS=2"])
    assert other.status == 0 and "LISTEN" not in other.stdout


@needs_insight
def test_created_containers_hold_nothing_of_the_host(container):
    """CVE-2024-21626: what init has open while it waits for start, not dumpable either."""
    one = container().create()
    allowed = ("socket:[", "pipe:[", "/dev/null", "/memfd:", str(one.log), "anon_inode:")
    for number, path in process.descriptors(one.pid).items():
        assert path.startswith(allowed), f"{number} -> {path}"


@needs_insight
def test_init_waits_in_little_memory(container):
    one = container().create()
    pss = [line for line in Path(f"/proc/{one.pid}/smaps_rollup").read_text().splitlines()
           if line.startswith("Pss:")]
    assert int(pss[0].split()[1]) < 1024


def test_the_session_keyring_is_a_new_one(container):
    """Unless the caller wants it to be its own."""
    for options in [[], ["--no-new-keyring"]]:
        one = container(Config("cat", "/proc/keys").set("linux.maskedPaths", []))
        keys = one.runtime("run", "--bundle", one.bundle.path, *options, one.id)
        assert (f"_ses.{one.id}" in keys) == (options == [])


def test_the_process_leads_a_session(seen):
    assert seen("cat /proc/1/stat").split()[5] == "1"


def test_signals_are_as_they_should_be(container):
    """Nothing blocked, nothing ignored, whatever the caller ignores."""
    one = container(Config("cat", "/proc/self/status"))
    command = one.runtime.command("run", "--bundle", one.bundle.path, one.id)
    done = subprocess.run(["sh", "-c", "trap '' TERM HUP USR1; exec \"$@\"", "sh", *command],
                          capture_output=True, text=True, timeout=DEADLINE, check=True)
    fields = dict(line.split(":\t", 1) for line in done.stdout.splitlines())
    assert int(fields["SigBlk"], 16) == 0 and int(fields["SigIgn"], 16) == 0
