# SPDX-License-Identifier: LGPL-2.1-or-later
"""Mounts that show other owners than their file system has: idmap, ridmap, mappings of a mount."""

import os
import subprocess

import pytest

from harness import user
from harness.config import MAPPED_ROOT, Config
from harness.needs import TMPFS_IS_MAPPED, needs_mapped_mounts, needs_mapped_tmpfs, needs_mapping

OWNERS = {"root": 0, "three": 3, "far": 4000}


def mapping(*ranges):
    return [dict(zip(["containerID", "hostID", "size"], one)) for one in ranges]


def mapped(config, source, destination, *options, uids=None, gids=None):
    """A bind with mappings of its own, if they are given."""
    config.bind(source, destination, *options)
    if uids:
        config.get("mounts")[-1].update(uidMappings=mapping(*uids), gidMappings=mapping(*(gids or uids)))
    return config


def owners(*directories):
    """A script that prints who owns the files."""
    return f"cd /; stat -c %n:%u:%g {' '.join(f'{directory}/*' for directory in directories)}"


def fill(path):
    for name, owner in OWNERS.items():
        (path / name).touch()
        os.chown(path / name, owner, owner)


def mount_mappable(path, image):
    """A new file system of a kind that this kernel can map."""
    if TMPFS_IS_MAPPED:
        subprocess.run(["mount", "-t", "tmpfs", "volume", path], check=True)
    else:
        subprocess.run(["mke2fs", "-q", "-t", "ext4", image, "4M"], check=True)
        subprocess.run(["mount", "-o", "loop", image, path], check=True)


@pytest.fixture
def volume(bundles):
    """A file system that can be mapped, one below it, and files of several users in both."""
    path, images = bundles.scratch("volume"), bundles.scratch("images")
    mount_mappable(path, images / "top")
    path.chmod(0o777)
    fill(path)
    (path / "sub").mkdir()
    mount_mappable(path / "sub", images / "below")
    fill(path / "sub")
    yield path
    subprocess.run(["umount", "-R", path], check=True)


@pytest.mark.proves("mounts[].uidMappings", "mounts[].gidMappings")
@needs_mapping
@needs_mapped_mounts
def test_mappings_of_a_mount(seen, volume):
    """mounts[].uidMappings, mounts[].gidMappings: from the file system's to the host's, with or without idmap."""
    config = Config().script(owners("a", "b", "c", "d"))
    mapped(config, volume, "/a", "bind", "idmap", uids=[(0, 5000, 10)], gids=[(0, 6000, 10)])
    mapped(config, volume, "/b", "bind", uids=[(0, 5000, 1), (3, 7, 1)])
    mapped(config, volume, "/c", "bind", "idmap=uids=0-5000-1#3-8-1;gids=0-5001-10")
    mapped(config, volume, "/d", "bind")
    assert set(seen(config).split()) >= {
        "a/root:5000:6000", "a/three:5003:6003", "a/far:65534:65534",
        "b/root:5000:5000", "b/three:7:7", "b/far:65534:65534",
        "c/root:5000:5001", "c/three:8:5004",
        "d/root:0:0", "d/three:3:3", "d/far:4000:4000"}


@pytest.mark.parametrize("mapped_users", [False, True])
@needs_mapping
@needs_mapped_mounts
def test_a_source_on_an_earlier_mount_that_is_mapped(container, volume, mapped_users):
    """mounts[].source of a mapped bind: looked up when its turn comes, with what the list has mounted so far."""
    (volume / "new").mkdir()
    fill(volume / "new")
    config = Config().script(owners("a", "b"))
    if mapped_users:
        config.mapped_users()
    first = MAPPED_ROOT if mapped_users else 0
    one = container(config)
    (one.bundle.rootfs / "mnt/sub").mkdir()  # beneath
    config.bind(volume, "/mnt", "rbind")
    mapped(config, one.bundle.rootfs / "mnt/new", "/a", "bind", "idmap", uids=[(0, first + 5000, 10)])
    mapped(config, one.bundle.rootfs / "mnt/sub", "/b", "bind", "idmap", uids=[(0, first + 6000, 10)])
    one.bundle.write(config.text())
    if mapped_users:
        one.bundle.give_to(MAPPED_ROOT)
    assert set(one.runtime("run", "--bundle", one.bundle.path, one.id).split()) >= {
        "a/root:5000:5000", "a/three:5003:5003", "b/root:6000:6000", "b/three:6003:6003"}


@needs_mapping
@needs_mapped_mounts
def test_what_is_written_through_a_mapping(seen, volume):
    """The other way: who is 5000 in the container writes root's files, and nobody else may."""
    config = Config().script("touch /a/new; mkdir /a/dir; rm /a/root && echo removed").user(5000, 5000)
    mapped(config, volume, "/a", "bind", "idmap", uids=[(0, 5000, 10)])
    config.capabilities()
    (volume / "root").chmod(0o600)
    assert seen(config) == "removed"
    assert {(volume / name).stat().st_uid for name in ["new", "dir"]} == {0}


@pytest.mark.proves("mounts[].options")
@needs_mapping
@needs_mapped_mounts
def test_the_mapping_of_the_container(container, volume):
    """mounts[].options idmap, ridmap: without mappings those of the user namespace, and recursively or not."""
    config = Config().script(owners("one", "one/sub", "all", "all/sub", "plain") + "; touch /one/new")
    mapped(config, volume, "/one", "rbind", "idmap")
    mapped(config, volume, "/all", "rbind", "ridmap")
    mapped(config, volume, "/plain", "rbind")
    one = container(config.mapped_users())
    one.bundle.give_to(MAPPED_ROOT)
    seen = set(one.runtime("run", "--bundle", one.bundle.path, one.id).split())
    assert seen >= {"one/root:0:0", "one/three:3:3", "one/far:4000:4000", "one/sub/root:65534:65534",
                    "all/root:0:0", "all/sub/root:0:0", "all/sub/three:3:3", "plain/root:65534:65534"}
    assert (volume / "new").stat().st_uid == 0


@needs_mapping
@needs_mapped_tmpfs
def test_a_mapping_beside_the_containers(container, volume):
    """mounts[].options idmap=: relative ones are the container's, cut where its own maps are."""
    config = Config().script(owners("other", "words", "new"))
    mapped(config, volume, "/other", "bind", "idmap", uids=[(0, 300990, 10)],
           gids=[(0, MAPPED_ROOT + 1000, 10)])
    mapped(config, volume, "/words", "bind", "idmap=uids=@0-8-4;gids=@0-20-10")
    config.mount("/new", "tmpfs", "tmpfs", "idmap", "mode=755")
    config.set("linux.uidMappings", mapping((0, MAPPED_ROOT, 10), (10, 300000, 2000))) \
          .set("linux.gidMappings", mapping((0, MAPPED_ROOT, 65536))).namespace("user")
    one = container(config)
    one.bundle.give_to(MAPPED_ROOT)
    result = one.runtime.call("run", "--bundle", one.bundle.path, one.id)
    assert set(result.stdout.split()) >= {"other/root:1000:1000", "other/three:1003:1003",
                                          "words/root:8:20", "words/three:11:23"}


@needs_mapping
@needs_mapped_mounts
def test_the_mapping_of_a_user_namespace_that_is_joined(container, volume):
    first = container(Config().sleeping().mapped_users())
    first.bundle.give_to(MAPPED_ROOT)
    first.run_detached()
    config = Config().script(owners("a"))
    for kind, file in {"user": "user", "network": "net", "ipc": "ipc"}.items():
        config.namespace(kind, f"/proc/{first.pid}/ns/{file}")
    second = container(mapped(config, volume, "/a", "bind", "idmap"))
    second.bundle.give_to(MAPPED_ROOT)
    seen = second.runtime("run", "--bundle", second.bundle.path, second.id).split()
    assert "a/three:3:3" in seen


@needs_mapping
@needs_mapped_tmpfs
def test_a_new_file_system_that_is_mapped(container):
    """mounts[].options idmap of a tmpfs: made by the host's root, seen by the container's."""
    config = Config().script("stat -c %u:%g:%a /new; touch /new/x && stat -c %u /new/x; df -k /new | tail -n 1; "
                             "grep ' /new ' /proc/self/mountinfo")
    config.mount("/new", "tmpfs", "tmpfs", "idmap", "size=64k", "nosuid").mapped_users()
    one = container(config)
    one.bundle.give_to(MAPPED_ROOT)
    (one.bundle.rootfs / "new").mkdir(mode=0o750)
    mode, owner, usage, line = one.runtime("run", "--bundle", one.bundle.path, one.id).splitlines()
    assert (mode, owner, usage.split()[1]) == ("0:0:750", "0", "64")
    assert "nosuid" in line and "idmapped" in line


def test_what_cannot_be_mapped(runtime, bundles):
    """File systems without owners of their own; maps that are too long for Linux; by a user any. The error says which mount."""
    bundle = bundles.make(Config("true"))
    long = [(4000000000 + 10 * i, 3000000000 + 10 * i, 9) for i in range(300)]
    for source, options, uids, path in [
            ("/proc", ["bind", "idmap"], [(0, 5000, 10)], "mounts[7]: "),
            ("/sys", ["rbind", "ro", "ridmap"], [(0, 5000, 10)], "mounts[7]: "),
            ("/tmp", ["bind"], long, "mounts[7].uidMappings: ")]:
        bundle.write(mapped(Config("true"), source, "/mnt", *options, uids=uids).text())
        message = runtime.fails("create", "--bundle", bundle.path, "unmapped")
        if user.ORDINARY:
            assert message.startswith("ocirt-sd: mounts[7].") and "only root has" in message, message
        else:
            assert message.startswith(f"ocirt-sd: {path}"), message


def test_features_say_so(runtime):
    assert '"idmap":{"enabled":true}' in "".join(runtime("features").split())
