# SPDX-License-Identifier: LGPL-2.1-or-later
"""A unit of the same name that is somebody else's: every verb leaves it alone."""

import contextlib
import os
import re
import shutil
import signal
import subprocess
from pathlib import Path

import pytest

from harness import process, systemd, user
from harness.config import Config
from harness.needs import needs_devices_bpf, needs_mounts, needs_ocirt_sd
from harness.relay import Relay
from harness.runtime import Container, Runtime
from harness.systemd import TransientUnit
from harness.wait import DEADLINE, until

pytestmark = needs_ocirt_sd
SLICE = "user.slice" if user.ORDINARY else "system.slice"
NAMED = f"{SLICE}:test:name"
UNIT = "test-name.scope"

# With the id in front of what follows: each says no, and why.
OF_RUNNING = [["pause"], ["ps", "--format=json"], ["events", "--stats"], ["update", "--pids-limit=10"]]
REFUSED = [*OF_RUNNING, ["resume"], ["start"], ["exec", "/bin/true"], ["kill", "TERM"], ["kill", "KILL"]]


def config():
    return Config().sleeping().set("linux.cgroupsPath", NAMED)


@pytest.fixture
def other(top):
    """The same program with another root directory."""
    yield Runtime(top / "other-state")
    shutil.rmtree(top / "other-state")


def scope_words(*options):
    """As anybody makes one."""
    return ["systemd-run", *user.OPTIONS, "--scope", "--quiet", f"--slice={SLICE}", f"--unit={UNIT}", *options,
            "sleep", "1000"]


@contextlib.contextmanager
def foreign_scope(_one, _other):
    with TransientUnit("test-holder.service", scope_words()):
        until(lambda: systemd.is_loaded(UNIT), "it runs")
        yield
        systemd.stop(UNIT)


@contextlib.contextmanager
def container_of_another_root(one, other):
    """Of the same id, which the two roots do not know of each other."""
    twin = Container(other, one.bundle, one.id)
    twin.pid_file = one.bundle.path / "pid-of-the-other"
    twin.run_detached()
    yield
    other("delete", "--force", one.id)


@pytest.fixture(params=[foreign_scope, container_of_another_root])
def bystander(request, other):
    """A function that makes one, in a with block, at the end of which it must be as it was."""
    @contextlib.contextmanager
    def make(one):
        with request.param(one, other):
            before, pids = looks(), process.members(group_of_unit())
            assert pids
            yield
            assert (looks(), process.members(group_of_unit())) == (before, pids)
    return make


def group_of_unit():
    return systemd.show(UNIT, "ControlGroup")["ControlGroup"]


def looks():
    return systemd.show(UNIT, "InvocationID", "ActiveState", "FreezerState", "TasksMax")


def ended(one):
    """A container that has been, and the scope of which is gone."""
    one.run_detached().kill("KILL")
    one.wait_for_end()
    until(lambda: not systemd.is_loaded(UNIT), "its scope is gone")
    return one


def call(one, words):
    return one.runtime.fails(words[0], *[word for word in words[1:] if word.startswith("-")], one.id,
                             *[word for word in words[1:] if not word.startswith("-")])


def without_number(one):
    """Its record as version 0.1.0 wrote it."""
    record = one.runtime.root / one.id / "record"
    text = record.read_text(encoding="utf-8")
    assert "cgroup_id=" in text
    record.write_text(re.sub(r"cgroup_id=\d+\n", "", text), encoding="utf-8")


@pytest.mark.parametrize("options", [[], ["--force"]])
def test_delete_of_one_that_has_ended(container, bystander, options):
    one = ended(container(config()))
    with bystander(one):
        one.delete(*options)
        assert not (one.runtime.root / one.id).exists()


def test_other_verbs_on_one_that_has_ended(container, bystander):
    one = ended(container(config()))
    with bystander(one):
        for words in REFUSED:
            assert re.search("not running|stopped", call(one, words))
        one.kill("KILL", "--all")
        one.kill("TERM", "--all")
        one.runtime("stop", one.id)
        assert one.status == "stopped"


def test_a_record_of_version_0_1_0(container, bystander):
    """It does not say which cgroup was the container's: that it is one with its process in it is enough."""
    one = container(config())
    ended(one)
    without_number(one)
    with bystander(one):
        one.kill("KILL", "--all")
        one.delete("--force")
    one.run_detached()
    without_number(one)
    one.runtime("pause", one.id)
    one.runtime("resume", one.id)
    assert one.output_of("echo", "there") == "there\n"
    one.kill("KILL", "--all")
    one.wait_for_end().delete()


def test_create_when_the_name_is_taken(container, bystander):
    one = container(config())
    with bystander(one):
        message = one.runtime.fails("create", "--bundle", one.bundle.path, one.id)
        options = "--user " if user.ORDINARY else ""
        assert f"systemctl {options}status {UNIT} shows whose it is" in message and f"systemctl {options}stop {UNIT}" in message
        assert not (one.runtime.root / one.id).exists()


def look_inside(one, refuge):
    """Root can still, with a warning; and not in a cgroup that it names."""
    path, words = one.bundle.path / "exec-pid", ["exec", "--detach", "--pid-file"]
    result = one.runtime.call(*words, path, one.id, "sleep", "1000")
    assert "has left its cgroup" in result.stderr, str(result)
    assert (result.status == 0) == (not user.ORDINARY), str(result)
    if not user.ORDINARY:
        pid = int(path.read_text(encoding="ascii"))
        assert process.cgroup(pid) == refuge
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
    assert "--cgroup" in one.runtime.fails(*words, path, "--cgroup", "/", one.id, "true")


def test_a_process_that_has_left_its_scope(container, bystander):
    """The scope is gone then, and its name free, while the container runs on."""
    one = container(config()).run_detached()
    with TransientUnit("test-refuge.service", ["sleep", "1000"]):
        refuge = systemd.show("test-refuge.service", "ControlGroup")["ControlGroup"]
        for pid in process.members(one.cgroup):
            (process.CGROUPS / refuge[1:] / "cgroup.procs").write_text(str(pid), encoding="ascii")
        until(lambda: not systemd.is_loaded(UNIT), "its scope is gone")
        with bystander(one):
            for words in OF_RUNNING:
                assert "has left its cgroup" in call(one, words)
            look_inside(one, refuge)
            assert one.status == "running"
            one.kill("CONT", "--all")
            one.delete("--force")
            assert not process.is_alive(one.pid)


def test_what_an_earlier_unit_has_left(container):
    """What systemd could not remove is not taken over: the record of before may say that it is that container's."""
    one = container(config()).run_detached()
    path = process.CGROUPS / one.cgroup[1:]
    one.kill("KILL")
    one.wait_for_end().delete()
    (path / "left").mkdir(parents=True)
    assert "an earlier unit" in one.runtime.fails("create", "--bundle", one.bundle.path, one.id)
    assert not path.exists()
    one.run_detached()


def test_a_record_from_before_a_reboot(container):
    """The unit that has its name now, and all else that may look like what it says, is another."""
    one = container(config()).run_detached()
    record = one.runtime.root / one.id / "record"
    kept = record.read_text(encoding="utf-8")
    boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    record.write_text(kept.replace(boot, "00000000-0000-0000-0000-000000000000"), encoding="utf-8")
    before = looks()
    one.kill("KILL", "--all")
    for words in REFUSED:
        assert re.search("not running|stopped", call(one, words))
    one.delete()
    assert process.is_alive(one.pid) and looks() == before
    record.parent.mkdir(mode=0o700)
    record.write_text(kept, encoding="utf-8")


TOO_DEEP = 150  # for systemd, to remove it


@pytest.fixture
def left(container):
    """A container that has ended, and the cgroup of which somebody else's scope of that name has got now."""
    one = container(config()).run_detached()
    path = process.CGROUPS / one.cgroup[1:]
    number = path.stat().st_ino
    path.joinpath(*["d"] * TOO_DEEP).mkdir(parents=True)
    os.kill(one.pid, signal.SIGKILL)
    one.wait_for_end()
    until(lambda: not systemd.is_loaded(UNIT), "its scope is gone")
    with foreign_scope(one, None):
        before, pids = looks(), process.members(group_of_unit())
        assert pids and path.stat().st_ino == number
        yield one
        assert (looks(), process.members(group_of_unit())) == (before, pids)
    for directory, _, _ in os.walk(path, topdown=False):
        os.rmdir(directory)


@pytest.mark.parametrize("words", [["delete"], ["delete", "--force"], ["stop"], ["kill", "--all", "KILL"],
                                   ["kill", "--all", "TERM"]])
def test_a_cgroup_that_systemd_has_given_to_another_unit(left, words):
    verb, options = words[0], [word for word in words[1:] if word.startswith("-")]
    left.runtime(verb, *options, left.id, *words[1 + len(options):])


def test_verbs_on_a_cgroup_that_another_unit_has_got(left):
    for words in REFUSED:
        assert re.search("not running|stopped", call(left, words))


@pytest.mark.parametrize("method, words", [
    ("Freeze", ["pause"]),
    pytest.param("SetProperties", ["update", "--resources=-"], marks=needs_devices_bpf)])
def test_a_name_that_is_taken_while_systemd_is_asked(container, bundles, method, words):
    """The request is on its way when the scope goes and somebody takes its name."""
    one, found = container(config()).run_detached(), []
    with contextlib.ExitStack() as stack, Relay(bundles.scratch("run")) as relay:
        def swap():
            with contextlib.suppress(ProcessLookupError):
                os.kill(one.pid, signal.SIGKILL)
            until(lambda: not systemd.is_loaded(UNIT), "its scope is gone")
            stack.enter_context(foreign_scope(one, None))
            found.append(looks())

        relay.act_at(method, swap)
        message = one.runtime.fails(*words, one.id, input=b'{"devices": [{"allow": false, "access": "rwm"}]}',
                                    **relay.options)
        assert "not running" in message and found == [looks()]


def make_half(one):
    """The record of a create that died before it saw the scope."""
    record = one.create().runtime.root / one.id / "record"
    text = re.sub(r"^(cgroup|invocation_id)=.*\n", "", record.read_text(encoding="utf-8"), flags=re.MULTILINE)
    one.delete("--force")
    record.parent.mkdir(mode=0o700)
    record.write_text(re.sub(r"^(committed|pid|start_time|cgroup_id)=.*", r"\1=0", text, flags=re.MULTILINE),
                      encoding="utf-8")


def test_delete_of_a_half_made_one_when_a_scope_of_the_name_waits(container):
    """A scope that waits for another unit has no process yet that could tell whose it is."""
    one = container(config())
    make_half(one)
    with (TransientUnit("test-slow.service", ["--no-block", "sleep", "1000"], "Type=oneshot"),
          TransientUnit("test-holder.service", scope_words("--property=After=test-slow.service"))):
        until(lambda: UNIT in systemd.systemctl("list-jobs"), "it waits")
        one.delete("--force")
        assert not (one.runtime.root / one.id).exists()
        systemd.stop("test-slow.service")
        until(lambda: systemd.is_loaded(UNIT), "it starts")
        systemd.stop(UNIT)


def left_by(one, place):
    """The command of a process that looks like the helper of a create that died: by its arguments, which are a script's here."""
    status = (one.runtime.root / one.id).stat()
    mark = status.st_ino ^ status.st_dev << 32 & (1 << 64) - 1
    os.mkfifo(place / "fifo")
    (place / one.id).write_text("read nothing <fifo\n", encoding="ascii")
    become = "import os, sys; os.chdir(sys.argv[1]); os.execv('/bin/sh', sys.argv[2:])"
    return ["python3", "-c", become, place, "ocirt-sd-init", one.id, str(mark), "3"]


def looks_like_helper(group):
    return [Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")[0] for pid in process.members(group)] == [b"ocirt-sd-init"]


@pytest.mark.parametrize("method", ["GetUnitProcesses", "Stop"])
def test_a_scope_that_comes_while_a_half_made_one_is_deleted(container, bundles, method):
    """What was looked at is gone by then, and the name another's. Until then it is the helper's, and would be stopped."""
    one, found = container(config()), []
    make_half(one)
    with contextlib.ExitStack() as stack, Relay(bundles.scratch("run")) as relay:
        def swap():
            systemd.stop(UNIT)
            stack.enter_context(foreign_scope(one, None))
            found.append((looks(), process.members(group_of_unit())))

        stack.enter_context(TransientUnit("test-left.service", scope_words()[:-2] + left_by(one, bundles.scratch("left"))))
        until(lambda: systemd.is_loaded(UNIT) and looks_like_helper(group_of_unit()), "the helper is there")
        relay.act_at(method, swap)
        one.runtime("delete", "--force", one.id, **relay.options)
        assert found == [(looks(), process.members(group_of_unit()))] and not (one.runtime.root / one.id).exists()


@needs_mounts
def test_directories_with_the_same_inode(container, bundles):
    """On file systems of their own, as those below /run are: a half-made container, and one that waits."""
    roots = [bundles.scratch("first"), bundles.scratch("second")]
    for root in roots:
        subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=0700", "state", root], check=True)
    try:
        one = container(config())
        half, whole = (Container(Runtime(root), one.bundle, one.id) for root in roots)
        whole.create()
        command = half.runtime.command("create", "--bundle", one.bundle.path, one.id)
        subprocess.run(["strace", "-qq", "-o", "/dev/null", "-e", "trace=poll", "-e", "inject=poll:signal=KILL:when=1",
                        *command], check=False, stdin=subprocess.DEVNULL, timeout=DEADLINE)
        assert (roots[0] / one.id).stat().st_ino == (roots[1] / one.id).stat().st_ino
        half.delete("--force")
        assert whole.status == "created"
        whole.delete("--force")
    finally:
        for root in roots:
            subprocess.run(["umount", root], check=True)
