# SPDX-License-Identifier: LGPL-2.1-or-later
"""Mounts of the host in a user namespace: whose root may mount, and takes nothing off that the host's root has put on."""

import subprocess
from pathlib import Path

import pytest

from harness.config import MAPPED_ROOT, Config
from harness.needs import needs_mapped_tmpfs, needs_mapping, needs_mounts
from test_idmap import mapped
from test_rootfs import mount_table, shared

pytestmark = needs_mounts

GUARDS = {"ro": "rw", "nosuid": "suid", "nodev": "dev", "noexec": "exec", "noatime": "relatime"}
TRIES = """
exec 2>/dev/null
mkdir /tmp/deep /tmp/flat
points={place}
mount --rbind {place} /tmp/deep && points="$points /tmp/deep"
mount --bind {place} /tmp/flat && points="$points /tmp/flat" && echo flat
for point in $points; do
    for options in {remounts}; do mount -o remount,bind,$options none $point; done
    umount $point/sub || umount -l $point/sub && echo uncovered
    mount --move $point/sub /root && echo uncovered
    touch $point/new && echo written
done
ls {place}/sub /tmp/deep/sub
cat /proc/self/mountinfo
"""
COVERED = {"/mnt/sub:", "", "/tmp/deep/sub:"}  # and nothing in it
UNCOVERED = {*COVERED, "secret", "flat"}


def remounts(guards):
    """Options that take off each of them alone, and all."""
    kept = [*(set(guards) - {one} for one in guards), set()]
    return " ".join(",".join(["rw" if "noatime" in some else "relatime", *sorted(some)]) for some in kept)


def guard(path, guards):
    (path / "sub").mkdir()
    (path / "sub/secret").touch()
    (path / "file").touch()
    subprocess.run(["mount", "-t", "tmpfs", "cover", path / "sub"], check=True)
    subprocess.run(["mount", "-o", f"remount,bind,{','.join(guards)}", path], check=True)


@pytest.fixture
def guarded(bundles):
    """A mount with flags, and one that covers something in it."""
    path = bundles.scratch("guarded")
    subprocess.run(["mount", "-t", "tmpfs", "guarded", path], check=True)
    guard(path, GUARDS)
    yield path
    subprocess.run(["umount", "-R", path], check=True)


@pytest.fixture
def tried(container):
    """What root of the user namespace could do there, and the mounts after that."""
    def run(config, place="/mnt", guards=tuple(GUARDS), one=None):
        one, caps = one or container(), ["CAP_SYS_ADMIN"]
        config.capabilities(bounding=caps, effective=caps, permitted=caps)
        one.bundle.write(config.script(TRIES.format(place=place, remounts=remounts(guards))).text())
        one.bundle.give_to(MAPPED_ROOT)
        lines = one.runtime("run", "--bundle", one.bundle.path, one.id).splitlines()
        table = [line for line in lines if " - " in line]
        return set(lines) - set(table), mount_table("\n".join(table))
    return run


def test_a_tree(tried, guarded):
    """mounts[].options rbind: its flags, and what is covered in it."""
    done, table = tried(Config().mapped_users().bind(guarded, "/mnt", "rbind"))
    assert done == COVERED
    assert set(GUARDS) <= table["/mnt"][0] & table["/tmp/deep"][0]


def test_a_mount_without_those_below_it(tried, guarded):
    """mounts[].options bind: uncovers, as the configuration wants it, and keeps the flags."""
    done, table = tried(Config().mapped_users().bind(guarded, "/mnt", "bind"))
    assert done == UNCOVERED
    assert set(GUARDS) <= table["/mnt"][0] & table["/tmp/deep"][0] & table["/tmp/flat"][0]


def test_a_file(tried, guarded):
    done, table = tried(Config().mapped_users().bind(guarded / "file", "/file"), "/file")
    assert done == set() and set(GUARDS) <= table["/file"][0]


@needs_mapping
@needs_mapped_tmpfs
@pytest.mark.parametrize("kind, what", [("rbind", COVERED), ("bind", UNCOVERED)])
def test_a_mapped_mount(tried, guarded, kind, what):
    """mounts[].options idmap"""
    done, table = tried(mapped(Config().mapped_users(), guarded, "/mnt", kind, "idmap"))
    assert done == what
    assert {"idmapped", *GUARDS} <= table["/mnt"][0] & table["/tmp/deep"][0]


def test_a_user_namespace_that_is_joined(container, tried, guarded):
    """linux.namespaces[].path"""
    first = container(Config().sleeping().mapped_users())
    first.bundle.give_to(MAPPED_ROOT)
    first.run_detached()
    config = Config().namespace("user", f"/proc/{first.pid}/ns/user")
    done, table = tried(config.bind(guarded, "/mnt", "rbind"))
    assert done == COVERED and set(GUARDS) <= table["/mnt"][0]


def test_a_source_in_the_rootfs(container, tried, guarded):
    """mounts[].source: brought there by an earlier one."""
    one = container()
    config = Config().mapped_users().bind(guarded, "/srv", "rbind").bind(one.bundle.rootfs / "srv", "/mnt", "rbind")
    done, table = tried(config, one=one)
    assert done == COVERED and set(GUARDS) <= table["/mnt"][0]


def test_the_rootfs(container, tried):
    """root.path: it may be on such a mount itself."""
    one, guards = container(), ["nosuid", "nodev"]
    with shared(one.bundle.rootfs):
        guard(one.bundle.rootfs, guards)
        done, table = tried(Config().mapped_users(), "/", guards, one)
    assert done == {"//sub:", "", "/tmp/deep/sub:", "written"}
    assert set(guards) <= table["/"][0] & table["/tmp/deep"][0]


@pytest.mark.parametrize("option", ["ro", "rro"])
def test_what_the_configuration_puts_on(bundles, tried, option):
    """mounts[].options: that, too."""
    path = bundles.scratch("bare")
    path.chmod(0o777)
    done, table = tried(Config().mapped_users().bind(path, "/mnt", "rbind", option, "nosuid"))
    assert done == {"flat"}
    assert {"ro", "nosuid"} <= table["/mnt"][0] & table["/tmp/flat"][0]


def test_what_the_configuration_takes_off(container, guarded):
    """mounts[].options: its word is that of the host's root."""
    config = Config("cat", "/proc/self/mountinfo").mapped_users()
    for guarding, option in GUARDS.items():
        for prefix in ["", "r"]:
            config.bind(guarded, f"/{prefix}{guarding}", "rbind", f"{prefix}{option}")
    one = container(config)
    one.bundle.give_to(MAPPED_ROOT)
    table = mount_table(one.runtime("run", "--bundle", one.bundle.path, one.id))
    for guarding, option in GUARDS.items():
        for prefix in ["", "r"]:
            assert table[f"/{prefix}{guarding}"][0] & set(GUARDS) == set(GUARDS) - {guarding}


def test_what_others_keep_out_of_copies(container, bundles):
    """mounts[].source with an unbindable mount in it, which the copy has not got."""
    path = bundles.scratch("unbindable")
    (path / "sub").mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "sub", path / "sub"], check=True)
    subprocess.run(["mount", "--make-unbindable", path / "sub"], check=True)
    try:
        one = container(Config("cat", "/proc/self/mountinfo").mapped_users().bind(path, "/mnt", "rbind"))
        one.bundle.give_to(MAPPED_ROOT)
        table = mount_table(one.runtime("run", "--bundle", one.bundle.path, one.id))
        assert "/mnt" in table and "/mnt/sub" not in table
    finally:
        subprocess.run(["umount", path / "sub"], check=True)


def test_what_the_host_mounts_later(container, bundles):
    """mounts[].options rslave"""
    path = bundles.scratch("later")
    (path / "sub").mkdir()
    one = container(Config().sleeping().mapped_users().bind(path, "/mnt", "rbind", "rslave"))
    one.bundle.give_to(MAPPED_ROOT)
    with shared(path):
        one.run_detached()
        subprocess.run(["mount", "-t", "tmpfs", "later", path / "sub"], check=True)
        (path / "sub/file").touch()
        assert one.output_of("ls", "/mnt/sub") == "file\n"
        one.delete("--force")


def test_the_hosts_mounts_are_the_same_afterwards(container, bundles):
    """Also those that are shared, where what a copy of them loses would be lost here, too."""
    path = bundles.scratch("shared")
    with shared(path):
        (path / "sub").mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "sub", path / "sub"], check=True)
        before = Path("/proc/self/mountinfo").read_text()
        one = container(Config("true").mapped_users().bind(path, "/mnt", "rbind"))
        one.bundle.give_to(MAPPED_ROOT)
        one.runtime("run", "--bundle", one.bundle.path, one.id)
        assert Path("/proc/self/mountinfo").read_text() == before
