# SPDX-License-Identifier: LGPL-2.1-or-later
"""Root file systems made to reach the host: the rows of attacks that need no race."""

import hashlib
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from harness import user
from harness.config import MAPPED_ROOT, Config
from harness.needs import needs_nodes, needs_root
from harness.runtime import BINARY, with_descriptors
from harness.terminal import InFrontOf
from hostile.files import ATTACKS

SECRET = "TOP-SECRET\n"
# It looks wherever it might have got to, and writes to what it should not have.
PAYLOAD = "for p in /dev /dev/pts /dev/shm /proc /sys /a /b /x /mnt .; do ls $p; cat $p/secret; " \
          "done 2>/dev/null; cat /b /masked /dev/console 2>/dev/null </dev/null | head -c 100; " \
          "echo ran; exit 0"


@pytest.fixture
def victim(bundles):
    path = bundles.scratch("victim")
    for name in ["secret", "ptmx"]:
        (path / name).write_text(SECRET)
    (path / "secret").chmod(0o640)
    return path


def fingerprint(directory):
    """All of the victim that an attack might change."""
    found = {}
    for path in [directory, *sorted(directory.iterdir())]:
        status = path.lstat()
        content = path.read_text() if path.is_file() else sorted(os.listdir(path))
        found[path.name] = (content, status.st_uid, status.st_gid, status.st_mode,
                            status.st_mtime_ns, status.st_ctime_ns)
    return found


def run_in_front(one, config):
    """With a terminal where the configuration wants one; what it printed, and its status."""
    command = one.runtime.command("run", "--bundle", str(one.bundle.path), one.id)
    if config.get("process.terminal"):
        with InFrontOf(command) as front:
            return front.master.read_to_end().decode(errors="replace"), front.status()
    result = one.runtime.call("run", "--bundle", one.bundle.path, one.id)
    return result.stdout + result.stderr, result.status


def marked(attack):
    """Some take more than an ordinary user may."""
    return pytest.param(attack, marks=needs_nodes) if attack.__name__ == "null_that_is_none_other" else attack


@pytest.mark.parametrize("attack", map(marked, ATTACKS), ids=lambda function: function.__name__)
def test_attacks_by_the_root_file_system(container, victim, attack):
    """The victim is as it was, and the container has not seen it."""
    config = Config().script(PAYLOAD)
    one = container(config)
    verdict = attack(config, one.bundle.rootfs, victim)
    one.bundle.write(config.text())
    before = fingerprint(victim)
    output, status = run_in_front(one, config)
    assert SECRET.strip() not in output
    assert fingerprint(victim) == before
    assert str(victim) not in Path("/proc/self/mountinfo").read_text()
    assert status == 1 or "ran" in output, f"{status}: {output}"
    if verdict == "must fail":
        assert status == 1 and "ran" not in output, output
    if status == 1:
        assert output.startswith("ocirt-sd: ") or BINARY != "ocirt-sd", output


USERNS = [attack for attack in ATTACKS
          if attack.__name__.startswith(("dev_abs", "in_dev", "mount_in", "null", "parent_of"))
          and attack.__name__.endswith(("absolute", "null", "pts", "console", "symlink"))]


@needs_root("puts things into what is another user's")
@pytest.mark.parametrize("attack", USERNS, ids=lambda function: function.__name__)
def test_attacks_in_a_user_namespace(container, victim, attack):
    """Another way through the code: devices are bound there, not made."""
    config = Config().script(PAYLOAD).mapped_users()
    one = container(config)
    one.bundle.give_to(MAPPED_ROOT)
    attack(config, one.bundle.rootfs, victim)
    one.bundle.write(config.text())
    victim.chmod(0o777)
    before = fingerprint(victim)
    output, _ = run_in_front(one, config)
    assert SECRET.strip() not in output and fingerprint(victim) == before


READONLY = [attack for attack in ATTACKS
            if attack.__name__.startswith(("dev_", "console", "target"))
            and attack.__name__.endswith("absolute")]


@pytest.mark.parametrize("attack", READONLY, ids=lambda function: function.__name__)
def test_attacks_with_a_read_only_root(container, victim, attack):
    config = Config().script(PAYLOAD).set("root.readonly", True)
    one = container(config)
    attack(config, one.bundle.rootfs, victim)
    one.bundle.write(config.text())
    before = fingerprint(victim)
    output, _ = run_in_front(one, config)
    assert SECRET.strip() not in output and fingerprint(victim) == before


# --- descriptors as paths (CVE-2024-21626)

LEAKY = with_descriptors(range(3, 10))


@pytest.mark.parametrize("number", [3, 4, 5, 6, 7, 8, 9, 10, 11, 12])
def test_cwd_by_a_descriptor(run, number):
    config = Config().script("pwd; ls").set("process.cwd", f"/proc/self/fd/{number}")
    result = run(config, prefix=LEAKY)
    assert result.status == 1 and "lost+found" not in result.stdout and not result.stdout


def test_cwd_by_a_descriptor_and_a_symlink(container):
    config = Config().script("pwd; ls ../../..; echo ran").set("process.cwd", "/x")
    one = container(config)
    (one.bundle.inside("x")).symlink_to("/proc/self/fd/7")
    result = one.runtime.call("run", "--bundle", one.bundle.path, one.id, prefix=LEAKY)
    assert "ran" not in result.stdout


@pytest.mark.parametrize("number", [3, 5, 7, 9, 11])
def test_cwd_of_exec_by_a_descriptor(container, number):
    one = container().run_detached()
    result = one.runtime.call("exec", "--cwd", f"/proc/self/fd/{number}", one.id, "ls",
                              prefix=LEAKY)
    assert result.status != 0 and not result.stdout


# --- our own binaries (CVE-2019-5736)

def binaries():
    """{path: digest} of all that is installed."""
    found = [Path(shutil.which(BINARY)), *Path("/usr/libexec/ocirt-sd").glob("*")]
    return {path: hashlib.sha256(path.read_bytes()).hexdigest() for path in found}


@pytest.mark.parametrize("kind", ["args", "script", "loop"])
def test_the_program_under_way_cannot_be_overwritten(container, kind):
    before = binaries()
    if kind == "args":
        config = Config("/proc/self/exe", "--help")
    elif kind == "script":
        config = Config("/entry")
    else:
        config = Config().script("while :; do for p in /proc/[0-9]*; do "
                                 "(echo x > $p/exe) 2>/dev/null; done; done")
    one = container(config)
    one.bundle.inside("entry").write_text("#!/proc/self/exe\n")
    one.bundle.inside("entry").chmod(0o755)
    if kind == "loop":
        one.run_detached()
        for _ in range(10):
            one.runtime.call("exec", one.id, "true")
    else:
        one.runtime.call("run", "--bundle", one.bundle.path, one.id)
    assert binaries() == before


# --- files that the caller names

def test_a_configuration_that_is_no_file(runtime, container):
    """No hang on a FIFO, no nonsense from a directory."""
    one = container()
    path = one.bundle.path / "config.json"
    for make in [os.mkfifo, os.mkdir]:
        path.unlink()
        make(path)
        runtime.fails("create", "--bundle", one.bundle.path, one.id)
        if path.is_dir():
            path.rmdir()
            path.touch()


def test_a_pid_file_does_not_follow_symlinks(container, victim):
    one = container()
    before = (victim / "secret").read_text()
    one.pid_file.symlink_to(victim / "secret")
    one.create()
    assert (victim / "secret").read_text() == before
    assert not one.pid_file.is_symlink()


def test_pid_files_that_are_not_ours_stay(container):
    """One that could not be replaced, and one that was named with a container that is not there."""
    one = container()
    other = one.bundle.path / ("x" * 250)  # the name of what takes its place would be too long
    other.write_text("somebody's")
    one.runtime.fails("create", "--bundle", one.bundle.path, "--pid-file", other, one.id)
    one.runtime.fails("exec", "--pid-file", other, one.id, "true")
    assert other.read_text() == "somebody's"


def planted(link, target):
    """By somebody else."""
    link.symlink_to(target)
    os.chown(link, 4711, 4711, follow_symlinks=False)
    return link


@needs_root("puts things into what is another user's")
def test_symlinks_of_others_on_the_way(runtime, container, victim, bundles):
    """To what the caller names, at its end and before: not followed."""
    place, one = bundles.scratch("planted"), container()
    last, above = planted(place / "last", victim / "secret"), planted(place / "above", victim)
    before = fingerprint(victim)
    create = ["create", "--bundle", one.bundle.path]
    config = Config().sleeping().annotation("run.oci.hooks.stdout", str(last)).hook("prestart", "/bin/echo", "x")
    logging = container(config)
    socket_of_others = victim / "socket"
    for words, link in [(["--log", last, "list"], last), (["--log", above / "new", "list"], above),
                        (["--log", f"{above}/../victim/new", "list"], above),
                        ([*create, "--pid-file", above / "pid", one.id], above),
                        ([*create, "--pidfd-socket", above / socket_of_others.name, one.id], above),
                        (["create", "--bundle", logging.bundle.path, logging.id], last)]:
        message = runtime.fails(*words)
        assert f"the symlink {link.name} on the way belongs to user 4711" in message
    assert fingerprint(victim) == before and runtime.list() == []


@needs_root("in its containers, root is root")
@pytest.mark.parametrize("place", ["rootfs", "above"])
@pytest.mark.parametrize("change", [lambda config: config, lambda config: config.without_namespace("mount"),
                                    lambda config: config.mapped_users()], ids=["plain", "no-mounts", "user-namespace"])
def test_a_rootfs_behind_a_symlink(container, bundles, victim, change, place):
    """root.path: root of a container puts it where it may write, and it is root's. What runs would be in the host's files."""
    volume = bundles.scratch("volume")
    one = container(change(Config("cat", "/secret")).set("root.path", str(volume / "above/rootfs")))
    (volume / "above").mkdir()
    one.bundle.rootfs.rename(volume / "above/rootfs")
    (victim / "rootfs").symlink_to(".")
    shutil.copytree(volume / "above/rootfs", victim, symlinks=True, dirs_exist_ok=True)
    path = f"/volume/above{'/rootfs' if place == 'rootfs' else ''}"
    attacker = container(Config().script(f"busybox mv {path} /volume/moved && busybox ln -s {victim} {path}")
                         .bind(volume, "/volume"))
    attacker.runtime("run", "--bundle", attacker.bundle.path, attacker.id)
    assert (volume / "above").is_symlink() or (volume / "above/rootfs").is_symlink()
    message = one.runtime.fails("run", "--bundle", one.bundle.path, one.id)
    assert message == f"ocirt-sd: root.path: open rootfs {volume}/above/rootfs: a symlink on the way is not followed; " \
                      f"it leads to {victim}"
    checked = one.runtime.call("check", one.bundle.path)
    assert checked.status == 1 and "a symlink on the way is not followed" in checked.stdout + checked.stderr


def test_a_bundle_behind_a_symlink(container, bundles):
    """--bundle is what the caller says, and who can change what it leads to can change config.json."""
    one, link = container(Config("echo", "in")), bundles.scratch("links") / "bundle"
    link.symlink_to(one.bundle.path)
    assert one.runtime("run", "--bundle", link, one.id) == "in\n"


@needs_root("is two other users")
def test_symlinks_of_others_who_are_nobody_here(runtime, bundles):
    """In a user namespace root is nobody who is known, and so is everybody else."""
    place = bundles.scratch("nobody")
    place.chmod(0o1777)
    planted(place / "last", place / "victim")
    (place / "victim").write_text("")
    (place / "victim").chmod(0o666)
    inside = ["setpriv", "--reuid=1000", "--regid=1000", "--clear-groups", "unshare", "--user", "--map-root-user"]
    message = runtime.call("--root", place / "none", "--log", place / "last", "list", prefix=inside).stderr
    assert "the symlink last on the way belongs to user 65534" in message
    runtime("--root", "/var/run/nosuch", "list", prefix=inside)  # a symlink of root's


def test_symlinks_of_ours_on_the_way(runtime, container, bundles):
    """And the kernel's own: followed."""
    place, one = bundles.scratch("place"), container()
    (place / "directory").mkdir()
    (place / "link").symlink_to("directory")
    (place / "log").symlink_to(place / "link/../link/log")
    runtime("--log", place / "log", "list")
    assert (place / "directory/log").is_file()
    assert "does not exist" in runtime.call("--log", "/dev/stdout", "state", "nosuch").stdout
    one.pid_file = place / "link/pid"
    one.create()
    assert (place / "directory/pid").read_text() == str(one.pid)
    assert "is a directory" in runtime.fails("--log", place / "directory", "list")
    assert "no such file" in runtime.fails("--log", f"{place}/new/", "list") and not (place / "new").exists()
    (place / "loop").symlink_to("loop")
    assert "too many levels of symbolic links" in runtime.fails("--log", place / "loop", "list")


def test_a_state_directory_that_is_a_symlink(runtime, container, victim):
    """In --root, where only we write: not followed."""
    one = container()
    (runtime.root / one.id).symlink_to(victim)
    before = fingerprint(victim)
    runtime.fails("create", "--bundle", one.bundle.path, one.id)
    runtime.fails("state", one.id)
    runtime.call("delete", "--force", one.id)
    assert fingerprint(victim) == before
    (runtime.root / one.id).unlink(missing_ok=True)


def test_no_abstract_sockets(container):
    """CVE-2020-15257: anybody in our network namespace could speak to them."""
    one = container().create()
    unix = subprocess.run(["cat", "/proc/net/unix"], capture_output=True, text=True, check=True)
    assert one.id not in unix.stdout and "ocirt" not in [
        line.split()[-1][:6] for line in unix.stdout.splitlines() if "@" in line]


def test_the_state_directory_is_roots(runtime, container):
    one = container().create()
    for path in [runtime.root, runtime.root / one.id]:
        assert path.stat().st_mode & 0o777 == 0o700 and path.stat().st_uid == user.UID
