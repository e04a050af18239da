# SPDX-License-Identifier: LGPL-2.1-or-later
"""check and plan: what create would say and do, with nothing made."""

import json
import os
import subprocess

import pytest

from harness import handles
from harness.config import MAPPED_ROOT, Config
from harness.needs import has_controller, needs_ocirt_sd, needs_ordinary_user, needs_root
from harness.runtime import BINARY
from harness.wait import DEADLINE

pytestmark = needs_ocirt_sd


class Findings(list):
    """Of a check: (level, message)."""

    def said(self, level, *words):
        return any(one == level and all(word in message for word in words) for one, message in self)


@pytest.fixture
def check(runtime, bundles):
    def run(config, *options):
        bundle = bundles.make(config)
        result = runtime.call("check", *options, "--format", "json", bundle.path)
        found = Findings((one["level"], one["msg"].removeprefix(f"{bundle.path}/config.json: "))
                         for one in json.loads(result.stdout))
        assert result.stderr == "" and result.status == (1 if any(level == "error" for level, _ in found) else 0)
        assert runtime.list() == []
        return found
    return run


def test_what_runs_has_no_problems(runtime, bundles, check):
    assert check(Config("true")) == []
    bundle = bundles.make(Config("true"))
    assert runtime("check", cwd=bundle.path) == "0 errors, 0 warnings\n"


def test_all_errors_are_found_at_once(check):
    """Also of wrong types deep inside, each with its path."""
    config = Config("true").set("process.terminal", "yes").set("process.user.uid", -1).remove("process.cwd") \
        .append("mounts", {"destination": "/x", "type": "tmpfs", "source": 7}, {"type": "tmpfs"}) \
        .set("linux.seccomp", {"defaultAction": "SCMP_ACT_ALOW"})
    found = check(config)
    assert [level for level, _ in found] == ["error"] * 6, found
    for words in [("process.terminal: ", "a string"), ("process.user.uid: ", "out of range"), ("process.cwd: missing",),
                  ("mounts[7].source: ", "an integer"), ("mounts[8].destination: missing",),
                  ("linux.seccomp.defaultAction: ", "did you mean SCMP_ACT_ALLOW?")]:
        assert found.said("error", *words), (words, found)


def test_an_error_of_each_plan(check):
    found = check(Config("true").annotation("org.systemd.property.MemoryMx", "uint64 1")
                  .mount("/x", "tmpfs", "tmpfs", "bind"))
    assert found.said("error", "MemoryMx", "did you mean MemoryMax?")
    assert found.said("error", "mounts[7]") and len(found) >= 2


def test_unknown_properties_are_warnings(check):
    """create ignores them, as it has to."""
    config = Config("true").set("process.capabilites", {}).set("linux.resource", {}).set("root.readOnly", True) \
        .set("hostName", "x").set("x-mine", 1)
    found = check(config)
    assert {level for level, _ in found} == {"warning"}
    for name, meant in [("process.capabilites", "capabilities"), ("linux.resource", "resources"),
                        ("root.readOnly", "readonly"), ("hostName", "hostname")]:
        assert found.said("warning", f"{name}: ", f"did you mean {meant}?"), found
    assert ("warning", "x-mine: unknown property, which is ignored") in found


def test_what_is_missing_on_the_host(check, tmp_path):
    config = Config("nosuch").bind("/nowhere/data", "/data").hook("poststop", "/nowhere/hook") \
        .hook("poststart", str(tmp_path)).namespace("network", "/nowhere/netns")
    found = check(config)
    missing = "no such file or directory"
    assert found.said("error", "mounts[7].source: /nowhere/data", missing)
    assert found.said("error", "hooks.poststop[0].path: /nowhere/hook", missing)
    assert found.said("error", "hooks.poststart[0].path: ", "is a directory")
    assert found.said("error", "linux.namespaces[", ".path: /nowhere/netns", missing)
    assert found.said("warning", 'process.args[0]: there is no program "nosuch"')  # /data may have it
    assert check(Config("nosuch")).said("error", 'process.args[0]: there is no program "nosuch"')
    assert check(Config("true").set("root.path", "nowhere")).said("error", "root.path: ", missing)


def closed(one, path, mode):
    """What check says when root of a user namespace cannot pass."""
    return f"warning: {one.bundle.path}/config.json: {path}, which has mode {mode:04o}\n0 errors, 1 warning\n"


@needs_root("has the power over other users")
@pytest.mark.parametrize("mode, own, passes", [(0o700, False, False), (0o711, False, True), (0o700, True, True),
                                               (0o077, True, True)])
def test_the_way_into_the_rootfs(container, mode, own, passes):
    """root of a user namespace goes it, as create shows, but root of the host that above it; it has the power over what is
    its own."""
    config = Config("true").mapped_users()
    one = container(config)
    rootfs = one.bundle.path / "above/rootfs"
    rootfs.parent.mkdir(mode=0o700)
    one.bundle.rootfs.rename(rootfs)
    one.bundle.write(config.set("root.path", str(rootfs)).text())
    if own:
        os.chown(rootfs, MAPPED_ROOT, MAPPED_ROOT)
    rootfs.chmod(mode)
    said = closed(one, f"root.path: root of the user namespace cannot go through {rootfs}", mode)
    assert one.runtime("check", one.bundle.path) == ("0 errors, 0 warnings\n" if passes else said)
    assert (one.runtime.call("run", "--bundle", one.bundle.path, one.id).status == 0) == passes


@needs_ordinary_user
@pytest.mark.parametrize("mode", [0o700, 0o711])
def test_the_way_to_the_rootfs_of_a_user(container, mode):
    """root of a user namespace goes all of it, as it may be let in where the user is not."""
    config = Config("true").mapped_users()
    one = container(config)
    above = one.bundle.path / "above"
    above.mkdir()
    one.bundle.rootfs.rename(above / "rootfs")
    one.bundle.write(config.set("root.path", "above/rootfs").text())
    above.chmod(mode)
    said = closed(one, f"root.path: root of the user namespace cannot go through {above}", mode)
    assert one.runtime("check", one.bundle.path) == (said if mode == 0o700 else "0 errors, 0 warnings\n")
    assert (one.runtime.call("run", "--bundle", one.bundle.path, one.id).status == 0) == (mode == 0o711)


@needs_root("has the power over other users")
@pytest.mark.parametrize("closes, words", [("", ""), ("hook", "execute"), (".", "go through")])
def test_the_way_to_a_hook(container, bundles, closes, words):
    """hooks.createContainer are executed by root of the user namespace."""
    hook = bundles.scratch("hooks") / "hook"
    hook.write_text("#!/bin/sh\n")
    hook.chmod(0o755)
    one = container(Config("true").mapped_users().hook("createContainer", str(hook)))
    one.bundle.give_to(MAPPED_ROOT)
    path = (hook.parent / closes).resolve()
    if closes:
        path.chmod(0o700)
    said = closed(one, f"hooks.createContainer[0].path: root of the user namespace cannot {words} {path}", 0o700)
    assert one.runtime("check", one.bundle.path) == (said if closes else "0 errors, 0 warnings\n")
    assert (one.runtime.call("run", "--bundle", one.bundle.path, one.id).status == 0) == (not closes)


@pytest.mark.parametrize("config, path", [(Config("true").remove("process"), "process"),
                                          (Config("true").remove("process.args"), "process.args")],
                         ids=["process", "args"])
def test_nothing_to_run(check, container, config, path):
    """It can be created; start says what is true of both, and fails where there is a process."""
    assert check(config).said("warning", f"{path}: missing, so there is nothing to run")
    one = container(config).create()
    result = one.runtime.call("start", one.id)
    assert result.stderr == "ocirt-sd: there is nothing to start: config.json has no process.args\n"
    assert result.status == (0 if path == "process" else 1) and one.status == "stopped"


def test_what_a_hook_may_bring_is_a_warning(check):
    config = Config("true").bind("/nowhere/data", "/data").hook("createRuntime", "/bin/true")
    assert check(config).said("warning", "mounts[7].source: /nowhere/data")


@needs_root("has the power over other users")
@pytest.mark.parametrize("mapped", [False, True])
def test_a_capability_that_opens_the_host(check, mapped):
    config = handles.attacker(Config())
    found = check(config.mapped_users() if mapped else config)
    assert found.said("warning", "process.capabilities: CAP_DAC_READ_SEARCH") != mapped


def test_sources_in_the_rootfs(container):
    """As the container would find them; an earlier mount may bring what is not there."""
    config = Config("true")
    one = container(config.bind("rootfs/link", "/a", "bind").bind("rootfs/mnt/later", "/b", "bind"))
    one.bundle.inside("only-here").mkdir()
    one.bundle.inside("link").symlink_to("/only-here")
    missing = f"{one.bundle.path}/config.json: mounts[8].source: /mnt/later in the rootfs: no such file or directory\n"
    assert one.runtime("check", one.bundle.path).startswith(f"warning: {missing}0 errors, 1 warning")
    one.bundle.write(config.set("mounts", config.get("mounts")[8:]).text())
    checked = one.runtime.call("check", one.bundle.path)
    assert checked.status == 1 and "error: " + missing.replace("[8]", "[0]") in checked.stdout


def test_a_limit_without_its_controller(check):
    """As create says it, before there is anything."""
    found = check(Config("true").set("linux.resources.memory.limit", 64 << 20).set("linux.resources.pids.limit", 10))
    for controller, path in [("memory", "linux.resources.memory.limit"), ("pids", "linux.resources.pids.limit")]:
        assert found.said("error", f"{path}: cgroup controller {controller} is not ") != has_controller(controller)


def test_not_json(runtime, bundles):
    bundle = bundles.make(Config("true"))
    bundle.write("{")
    result = runtime.call("check", bundle.path)
    assert result.status == 1 and result.stderr == ""
    assert result.stdout == f"error: {bundle.path}/config.json: not valid JSON: unexpected end (line 1, column 2)\n" \
                            "1 error, 0 warnings\n"
    assert "cannot open the bundle" in runtime.fails("check", "/nowhere")
    assert "cannot read config.json" in runtime.fails("check", bundle.rootfs)


# --- plan

def test_the_plan_is_what_create_does(runtime, container):
    """Names and properties are those that the unit then has, and each says where it comes from."""
    config = Config().sleeping().set("hostname", "planned").set("linux.resources.cpu.shares", 2048)
    if not has_controller("cpu"):
        config.remove("linux.resources")
    config.annotation("org.systemd.property.TimeoutStopUSec", "uint64 7000000")
    one = container(config)
    before = sorted(os.listdir(runtime.root))
    text = runtime("plan", "--id", one.id, one.bundle.path)
    assert sorted(os.listdir(runtime.root)) == before
    lines = text.splitlines()
    one.run_detached()
    unit, slice_ = one.unit, one.properties("Slice")["Slice"]
    assert f"unit {unit} in {slice_}" in lines
    assert "TimeoutStopUSec t 7000000 # annotation org.systemd.property.TimeoutStopUSec" in lines
    assert one.properties("TimeoutStopUSec") == {"TimeoutStopUSec": "7s"}
    assert any(line.startswith("hostname ") and line.endswith("planned # hostname") for line in lines), text
    assert any(line.startswith("mount type=tmpfs") and line.endswith(" # mounts[1]") for line in lines), text
    assert lines[-1].startswith("exec ")
    # And what the launcher does, with what it answers, and how that is undone.
    assert {f"scope name={unit} slice={slice_} # undone: stopped", "    on home: enter-home",
            "    on gate: bind-gate", "commit"} <= set(lines)


def test_a_plan_is_that_of_its_options(runtime, bundles):
    bundle = bundles.make(Config("true"))
    steps = [line.split(" ")[0] for line in runtime("plan", "--no-pivot", "--no-new-keyring", bundle.path).splitlines()]
    assert "move-root" in steps and not {"pivot", "keyring"} & set(steps)
    assert "\nkeyring name=_ses.c1.RANDOM" in runtime("plan", "--id", "c1", bundle.path)


def test_an_error_is_that_of_create(runtime, container):
    one = container(Config("true").set("process.cwd", "relative"))
    said = runtime.fails("plan", one.bundle.path)
    assert said == runtime.fails("create", "--bundle", one.bundle.path, one.id)
    assert "cannot read other.json" in runtime.fails("plan", "-f", "other.json", one.bundle.path)


@needs_root("becomes a user without a session")
def test_a_plan_takes_no_privileges_and_no_systemd(bundles):
    bundle = bundles.make(Config("true").mapped_users(54321, 1).without_mount("/dev/pts"))
    command = ["setpriv", "--reuid=54321", "--regid=54321", "--clear-groups", "env", "-i", BINARY, "plan", bundle.path]
    done = subprocess.run(["unshare", "--mount", "sh", "-c", 'mount -t tmpfs none /run/systemd; exec "$@"', "sh", *command],
                          capture_output=True, text=True, check=False, timeout=DEADLINE)
    assert done.returncode == 0 and done.stderr == ""
    assert "\nexec " in done.stdout
