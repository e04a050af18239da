# SPDX-License-Identifier: LGPL-2.1-or-later
"""The six kinds of hooks: when, where, with what, and what their failure does."""

import json
import os
import shlex
import signal

import pytest

from harness import process, schema
from harness.config import Config
from harness.wait import until

KINDS = ["prestart", "createRuntime", "createContainer", "startContainer", "poststart",
         "poststop"]
# startContainer runs in the container, where its program has to be; the others are the host's.
SHELL = "/bin/sh"


def hooked(kind, script, config=None, **more):
    return (config or Config().sleeping()).hook(kind, SHELL, "-c", script, **more)


@pytest.fixture
def log(bundles):
    """A file that hooks append to; startContainer finds it at /log."""
    path = bundles.scratch("hooks") / "log"
    path.touch()
    return path


def with_all_hooks(log, what, times=1):
    """Every kind writes its name and what a command prints to the log."""
    config = Config().sleeping().bind(log, "/log", "bind")
    for number in range(times):
        for kind in KINDS:
            where = "/log" if kind in ("startContainer",) else log
            hooked(kind, f"echo {kind} $({what.format(number)}) >> {where}", config, env=["PATH=/bin:/usr/bin"])
    return config


def lines(log):
    return log.read_text(encoding="utf-8").splitlines()


@pytest.mark.parametrize("no_new_privileges, forbidden", [(True, "swapon"), (False, "swapon"),
                                                          (True, "pidfd_open")])  # which we need, but not the hook
def test_hooks_of_the_image_are_filtered(container, log, no_new_privileges, forbidden):
    """linux.seccomp is in force for startContainer hooks, which are programs of the container."""
    config = hooked("startContainer", "busybox grep Seccomp: /proc/self/status >> /log", Config("true").bind(log, "/log", "bind"),
                    env=["PATH=/bin"])
    rule = {"names": [forbidden], "action": "SCMP_ACT_ERRNO"}
    config.seccomp(defaultAction="SCMP_ACT_ALLOW", syscalls=[rule]).set("process.noNewPrivileges", no_new_privileges)
    one = container(config)
    one.runtime("run", "--bundle", one.bundle.path, one.id)
    assert lines(log) == ["Seccomp:\t2"]


def test_the_order_of_hooks(container, log):
    """Each at the verb that it belongs to, those of a kind as they are listed."""
    order = [f"{kind} {number}" for kind in KINDS for number in range(2)]
    one = container(with_all_hooks(log, "echo {}", 2)).create()
    assert lines(log) == order[:6]
    one.start()
    assert lines(log) == order[:10]
    one.delete("--force")
    assert lines(log) == order


def test_the_namespaces_of_hooks(container, log):
    """createContainer and startContainer are the container's, the others the runtime's."""
    one = container(with_all_hooks(log, "readlink /proc/self/ns/mnt")).run_detached()
    until(lambda: len(lines(log)) == 5, "start's hooks")
    inside, host = process.namespace(one.pid, "mnt"), process.namespace("self", "mnt")
    found = dict(line.split() for line in lines(log))
    assert found["startContainer"] == inside
    assert found["createContainer"] != host  # nor always inside: its mounts may have been copied to another since
    assert found["prestart"] == found["createRuntime"] == found["poststart"] == host


@pytest.mark.proves("hooks")
def test_the_state_on_stdin(container, bundles):
    """Valid JSON with the pid of the container and the status of the moment."""
    directory = bundles.scratch("states")
    config = Config().sleeping().annotation("k", 'v"\\\n').bind(directory, "/states", "bind")
    for kind in KINDS:
        where = "/states" if kind == "startContainer" else directory
        hooked(kind, f"cat > {where}/{kind}", config, env=["PATH=/bin:/usr/bin"])
    one = container(config).run_detached()
    pid = one.pid
    one.delete("--force")
    expected = {"prestart": "creating", "createRuntime": "creating",
                "createContainer": "creating", "startContainer": "created",
                "poststart": "running", "poststop": "stopped"}
    for kind, status in expected.items():
        state = json.loads((directory / kind).read_text(encoding="utf-8"))
        assert state["id"] == one.id and state["bundle"] == str(one.bundle.path)
        assert state["annotations"] == {"k": 'v"\\\n'} and state["ociVersion"]
        assert state["status"] == status, kind
        assert schema.violations("state", state) == [], kind
        if kind in ("prestart", "createRuntime", "poststart"):
            assert state["pid"] == pid


def test_arguments_and_environment_of_hooks(container, log):
    config = Config().sleeping()
    script = f"echo $0 $1 $A >> {log}; env | sort >> {log}"
    config.append("hooks.createRuntime", {"path": SHELL, "args": ["name", "-c", script, "zero",
                                                                  "one"], "env": ["A=b"]})
    container(config).create()
    assert lines(log)[0] == "zero one b"
    assert not [line for line in lines(log) if line.startswith(("HOME=", "LISTEN", "INVOCATION"))]


def test_the_rootfs_as_createcontainer_finds_it(container, log):
    """Mounted, before the pivot: at the bundle's path, in the container's namespace."""
    config = Config().sleeping()
    one = container(config)
    hooked("createContainer", f"ls {one.bundle.rootfs}/proc/self > {log}; ls / >> {log}", config)
    one.bundle.write(config.text())
    one.create()
    assert "status" in lines(log)


@pytest.mark.parametrize("kind", ["prestart", "createRuntime", "createContainer"])
def test_a_failing_hook_undoes_the_create(runtime, container, kind):
    """The error names the hook and holds what it said; nothing is left."""
    one = container(hooked(kind, "echo the reason >&2; exit 3"))
    message = runtime.fails("create", "--bundle", one.bundle.path, one.id)
    assert "the reason" in message and "3" in message
    assert "does not exist" in runtime.fails("state", one.id)


@pytest.mark.parametrize(("kind", "wait", "said"), [
    ("startContainer", "", ["poststop"]),
    ("poststart", "until [ -s {} ]; do sleep 0.1; done", ["the program", "poststop"]),
])
def test_a_failing_hook_of_start(runtime, container, log, kind, wait, said):
    """An error with what it said. The container is stopped and destroyed, and its poststop hooks run."""
    config = Config().bind(log, "/log", "bind").script("echo the program > /log; sleep 1000")
    hooked("poststop", f"echo poststop >> {log}", config)
    hooked(kind, f"{wait.format(log)}\necho the reason >&2; exit 3", config, env=["PATH=/bin:/usr/bin"])
    one = container(config).create()
    pid = one.pid
    message = runtime.fails("start", one.id)
    assert "exit status 3" in message and "the reason" in message
    assert not process.is_alive(pid) and lines(log) == said
    assert "does not exist" in runtime.fails("state", one.id)


@pytest.mark.parametrize("kind", ["createRuntime", "createContainer", "startContainer", "poststart"])
def test_poststop_after_a_failure(runtime, container, log, kind):
    """What hooks have begun, the poststop hooks end, also when the container never came to run."""
    config = hooked("poststop", f"echo poststop >> {log}", env=["PATH=/bin:/usr/bin"])
    one = container(hooked(kind, "exit 3", config))
    runtime.fails("run", "--detach", "--bundle", one.bundle.path, one.id)
    assert lines(log) == ["poststop"]


def test_a_failing_poststop_hook_is_no_error(container, log):
    """A warning, which is told. The container is deleted all the same, and the next hooks run."""
    config = hooked("poststop", "echo the reason; exit 3", timeout=1)
    hooked("poststop", "sleep 1000", config, timeout=1)
    hooked("poststop", f"echo last >> {log}", config)
    one = container(config).run_detached()
    result = one.runtime.call("delete", "--force", one.id)
    first, second = result.stderr.splitlines()
    assert result.status == 0 and first.startswith("ocirt-sd: warning: ")
    assert "poststop hook #0" in first and "the reason" in first
    assert "poststop hook #1" in second and "timed out after 1 s" in second
    assert lines(log) == ["last"]
    one.runtime.fails("state", one.id)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "poststop"])
def test_the_timeout_of_a_hook(runtime, container, kind):
    """It is killed with what it started, and so is the container."""
    one = container(hooked(kind, "sleep 4321", timeout=1))
    assert "timed out after 1 s" in runtime.fails("run", "--detach", "--bundle", one.bundle.path, one.id)
    assert "sleep 4321" not in open_commands()


def test_a_hook_with_nothing_but_a_path(container, bundles):
    """argv[0] is the path, and the environment the runtime's; a startContainer hook has the container's, with HOME."""
    host = bundles.scratch("bare")
    one = container()
    inside = one.bundle.inside("seen")
    for path, seen in [(host / "createRuntime", host), (host / "createContainer", host), (one.bundle.inside("hook"), "/seen")]:
        path.write_text(f"#!/bin/sh\nset -- $0 $#\n{{ echo $*; /usr/bin/env || /bin/env; }} > {seen}/${{0##*/}}.seen "
                        "2>/dev/null\n")
        path.chmod(0o755)
    inside.mkdir()
    config = Config().sleeping().append("hooks.startContainer", {"path": "/hook"})
    for kind in ["createRuntime", "createContainer"]:
        config.append(f"hooks.{kind}", {"path": str(host / kind)})
    one.bundle.write(config.text())
    one.run_detached(env=os.environ | {"MARK": "of the caller", "HOME": "/callers"})
    for kind in ["createRuntime", "createContainer"]:
        words, *env = (host / f"{kind}.seen").read_text().splitlines()
        assert words == f"{host / kind} 0"
        assert {"MARK=of the caller", "HOME=/callers", f"PATH={os.environ['PATH']}"} <= set(env), kind
    words, *env = (inside / "hook.seen").read_text().splitlines()
    assert words == "/hook 0" and {"PATH=/usr/local/bin:/bin", "HOME=/root"} <= set(env)
    assert "MARK=of the caller" not in env


def test_an_empty_environment_is_one(container, log):
    """hooks.createRuntime[].env: [] is said, and not the same as nothing."""
    config = Config().sleeping()
    for kind in ["createRuntime", "createContainer"]:
        hooked(kind, f"echo $MARK. >> {log}", config, env=[])
    container(config).create(env=os.environ | {"MARK": "callers"})
    assert lines(log) == [".", "."]


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "poststop"])
def test_the_error_of_a_hook_says_which(runtime, container, kind):
    """The kind, and the number of those listed."""
    config = hooked(kind, "exit 0")
    one = container(hooked(kind, "echo the reason >&2; exit 3", config))
    message = runtime.fails("run", "--detach", "--bundle", one.bundle.path, one.id)
    assert f"error running {kind} hook #1" in message
    assert f"{SHELL}: exit status 3" in message and "the reason" in message


def test_state_while_hooks_run(container, bundles):
    """What `state` says at that moment, and what the hook is told."""
    directory = bundles.scratch("moments")
    config = Config().sleeping()
    one = container(config)
    state = shlex.join(one.runtime.command("state", one.id))
    for kind in ["prestart", "createRuntime", "createContainer"]:
        hooked(kind, f"cat > {directory}/{kind}; {state} > {directory}/{kind}.state", config)
    one.bundle.write(config.text())
    one.create()
    for kind in ["prestart", "createRuntime", "createContainer"]:
        told, said = (json.loads((directory / name).read_text()) for name in [kind, f"{kind}.state"])
        assert told["status"] == said["status"] == "creating", kind
        assert said["pid"] == one.pid and told["id"] == said["id"] and told["bundle"] == said["bundle"]
        assert told["pid"] == one.pid or kind == "createContainer"


def test_a_hook_that_is_not_there(runtime, container):
    one = container(Config().sleeping().hook("createRuntime", "/nosuch/hook"))
    assert "/nosuch/hook" in runtime.fails("create", "--bundle", one.bundle.path, one.id)


def test_a_hook_gets_no_descriptors(container, log):
    """Nothing of ours, nothing of the caller's."""
    script = f"ls /proc/self/fd > {log}"
    container(hooked("createRuntime", script, env=["PATH=/bin:/usr/bin"])).create()
    assert set(lines(log)) <= {"0", "1", "2", "3"}  # 3: the directory that ls reads


def test_hooks_that_leave_something_running(container, log):
    """A daemon started by a hook neither hangs create nor dies with it."""
    one = container(hooked("createRuntime", f"sleep 4322 & echo $! > {log}", env=["PATH=/bin:/usr/bin"])).create()
    assert "sleep 4322" in open_commands()
    os.kill(int(lines(log)[0]), signal.SIGKILL)
    assert one.status == "created"


def open_commands():
    found = []
    for pid in process.every_pid():
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as file:
                found.append(file.read().replace(b"\0", b" ").decode().strip())
        except OSError:
            pass
    return found


def test_what_a_hook_of_the_host_leaves_running_is_not_in_the_container(container):
    """It would have the host's root and all power there."""
    config = hooked("createContainer", "sleep 1000 >/dev/null 2>&1 &", Config().script("ls -d /proc/[0-9]*"))
    one = container(config)
    assert one.runtime("run", "--bundle", one.bundle.path, one.id) == "/proc/1\n"
