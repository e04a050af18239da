# SPDX-License-Identifier: LGPL-2.1-or-later
"""mounts[].source in the rootfs: a path of the container, as what is there it may have made itself."""

import contextlib
import ctypes
import subprocess
import threading

import pytest

from harness.config import MAPPED_ROOT, Config
from harness.holder import Holder
from harness.needs import needs_mapped_mounts, needs_mapping, needs_mounts, needs_privileged_namespaces
from test_idmap import mapped, mount_mappable

HOST, INSIDE = "TOP-SECRET\n", "inside\n"
AT_FDCWD, RENAME_EXCHANGE = -100, 2
TRIES = 20  # of who would be faster


@pytest.fixture
def host(bundles):
    """A directory whose path there is in the container, too, with another file of that name."""
    path = bundles.scratch("host")
    (path / "file").write_text(HOST)
    (path / "v1").mkdir()
    (path / "v1/file").write_text(HOST)
    return path


def fill(directory):
    (directory / "v1").mkdir(parents=True)
    (directory / "file").write_text(INSIDE)
    (directory / "v1/file").write_text(INSIDE)


def in_rootfs(one, config, host):
    """What the image has at that path."""
    fill(one.bundle.inside(str(host)))
    return one.bundle.rootfs, one.bundle.rootfs


def on_a_volume(one, config, host):
    """What an earlier mount has put there, on which the links are, too."""
    volume = one.bundle.path / "volume"
    fill(volume)
    config.bind(volume, str(host))
    return volume, one.bundle.inside(str(host))


def by_an_alias(one, config, host):
    """A symlink of the host's leads to the rootfs."""
    in_rootfs(one, config, host)
    (one.bundle.path / "alias").symlink_to("rootfs")
    return one.bundle.rootfs, one.bundle.path / "alias"


@contextlib.contextmanager
def mounted_elsewhere(one):
    """The rootfs, at one more path of the host."""
    path = one.bundle.path / "elsewhere"
    path.mkdir()
    subprocess.run(["mount", "--bind", one.bundle.rootfs, path], check=True)
    try:
        yield path
    finally:
        subprocess.run(["umount", path], check=True)


PLACES = [in_rootfs, on_a_volume, by_an_alias]
UP = "/".join([".."] * 20)
LINKS = {  # the link, and what comes after it
    "absolute": ("{host}/file", ""),
    "upwards": (UP + "{host}/file", ""),
    "absolute-middle": ("{host}", "/file"),
    "upwards-middle": (UP + "{host}", "/v1/file"),
    "twice": ("/second", "/../file"),
}


def planted(one, config, host, place, link):
    """The source: through a symlink that leads to another file for the host than for the container."""
    target, rest = LINKS[link]
    there, seen_at = place(one, config, host)
    (there / "link").symlink_to(target.format(host=host))
    one.bundle.inside("second").symlink_to(f"{host}/v1")
    return f"{seen_at}/link{rest}"


def written(one, config):
    """As the configuration wants it."""
    one.bundle.write(config.text())
    if config.get("linux").get("uidMappings", [{}])[0].get("hostID") == MAPPED_ROOT:
        one.bundle.give_to(MAPPED_ROOT)
    return one


def output_of(one, config):
    """What it prints, of which nothing is an error."""
    return written(one, config).runtime("run", "--bundle", one.bundle.path, one.id)


CHANGES = {"plain": lambda config: config, "user-namespace": lambda config: config.mapped_users(),
           "no-mounts": lambda config: config.without_namespace("mount")}


@pytest.mark.proves("mounts[].source")
@pytest.mark.parametrize("change", ["plain", "user-namespace", pytest.param("no-mounts", marks=needs_privileged_namespaces)])
@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("link", LINKS)
def test_symlinks_of_the_rootfs(container, host, change, place, link):
    """A bind gets what they lead to in the container, which is never the host's."""
    one, config = container(), CHANGES[change](Config("cat", "/b"))
    config.bind(planted(one, config, host, place, link), "/b", "bind")
    assert output_of(one, config) == INSIDE
    one.runtime("delete", "--force", one.id)


@needs_mounts
def test_the_rootfs_by_another_mount(container, host):
    """That is to be seen elsewhere on the host, too."""
    one, config = container(), Config("cat", "/b")
    source = planted(one, config, host, in_rootfs, "absolute")
    with mounted_elsewhere(one) as elsewhere:
        config.bind(source.replace(str(one.bundle.rootfs), str(elsewhere)), "/b", "bind")
        assert output_of(one, config) == INSIDE


@needs_mounts
def test_directories_that_become_symlinks_of_another_mount(container, host):
    """While a source is looked up by it."""
    one, config = container(), Config("cat", "/b")
    in_rootfs(one, config, host)
    fill(one.bundle.rootfs)
    (one.bundle.rootfs / "link").symlink_to(host)
    with mounted_elsewhere(one) as elsewhere:
        written(one, config.bind(elsewhere / "v1/file", "/b", "bind"))
        with exchanging(one.bundle.rootfs / "link", one.bundle.rootfs / "v1"):
            for _ in range(TRIES):
                assert one.runtime("run", "--bundle", one.bundle.path, one.id) == INSIDE


@needs_privileged_namespaces
@pytest.mark.parametrize("place", [in_rootfs, on_a_volume])
def test_symlinks_in_a_mount_namespace_that_is_joined(container, host, place):
    """And not what they lead to in there."""
    with Holder("--mount") as holder:
        one, config = container(), Config("cat", "/b").namespace("mount", holder.path("mount"))
        config.bind(planted(one, config, host, place, "absolute"), "/b", "bind")
        assert output_of(one, config) == INSIDE


@needs_mapping
@needs_mapped_mounts
@pytest.mark.parametrize("change", ["plain", "user-namespace"])
@pytest.mark.parametrize("link", ["absolute-middle", "upwards-middle"])
def test_symlinks_on_a_volume_that_is_mapped(container, host, bundles, change, link):
    """mounts[].options idmap: the host's files are on a file system that can be mapped as well."""
    mount_mappable(host, bundles.scratch("images") / "host")
    try:
        (host / "v1").mkdir()
        for path in [host / "file", host / "v1/file"]:
            path.write_text(HOST)
        one, config = container(), CHANGES[change](Config().script("cat /b; stat -c %u /b"))
        volume = one.bundle.path / "volume"
        volume.mkdir()
        mount_mappable(volume, one.bundle.path / "image")
        source = planted(one, config, host, on_a_volume, link)
        mapped(config, source, "/b", "bind", "idmap", uids=[(0, 5000 + (MAPPED_ROOT if change != "plain" else 0), 10)])
        assert output_of(one, config) == INSIDE + "5000\n"
    finally:
        for path in [volume, host]:
            subprocess.run(["umount", path], check=True)


def variants(one, volume):
    """{destination: (source, options)}: ways to say it."""
    rootfs = one.bundle.rootfs
    return {"relative": ("rootfs/mnt/current/file", []), "slashes": (f"{rootfs}//mnt/.//v1/../v1/file", []),
            "around": (f"{rootfs}/../rootfs/mnt/v1/file", []), "clamped": (f"{rootfs}/mnt/../../../mnt/file", []),
            "out": (f"{rootfs}/../volume/file", []), "link": (f"{rootfs}/mnt/current/file", []),
            "absolute": (f"{rootfs}/tmp/inside/file", ["src-nofollow"]), "copied": (f"{rootfs}/tmp/inside", ["copy-symlink"])}


@pytest.mark.parametrize("change", ["plain", "user-namespace"])
def test_paths_of_the_rootfs(container, change):
    """mounts[].source with "..", with symlinks that are as they should be, of files and of symlinks; and back to the host."""
    one = container()
    rootfs, volume = one.bundle.rootfs, one.bundle.path / "volume"
    fill(volume)
    (volume / "current").symlink_to("v1")
    (rootfs / "tmp/inside").symlink_to("/mnt/current")
    config = CHANGES[change](Config()).bind(volume, "/mnt", "bind")
    binds = variants(one, volume)
    for name, (source, options) in binds.items():
        config.bind(source, f"/{name}", "bind", *options)
    config.script(f"cat {' '.join(f'/{name}' for name in binds if name != 'copied')}; busybox readlink /copied")
    assert output_of(one, config) == INSIDE * (len(binds) - 1) + "/mnt/current\n"


@pytest.mark.parametrize("change", ["plain", "user-namespace", pytest.param("no-mounts", marks=needs_privileged_namespaces)])
def test_the_rootfs_itself(container, change):
    """mounts[].source: with what is mounted there or without."""
    config = CHANGES[change](Config()).mount("/mnt", "tmpfs", "tmpfs").script("ls /one/mnt /all/mnt")
    one = container()
    one.bundle.inside("mnt/beneath").touch()
    config.bind("rootfs", "/one", "bind").bind(one.bundle.rootfs, "/all", "rbind")
    assert output_of(one, config) == "/all/mnt:\n\n/one/mnt:\nbeneath\n"
    one.runtime("delete", "--force", one.id)


def test_links_of_the_kernel_in_the_rootfs(runtime, container):
    """Followed by nobody, as they lead out of any root."""
    one = container()
    one.bundle.inside("out").symlink_to("/proc/self/root")
    for source in ["proc/self/root/etc", "proc/1/cwd", "out/etc"]:
        config = Config("true").bind(one.bundle.inside(source), "/b", "bind")
        message = written(one, config).runtime.fails("run", "--bundle", one.bundle.path, one.id)
        assert message.startswith(f"ocirt-sd: mounts[7]: open mount source /{source} in the rootfs: too many levels")


@contextlib.contextmanager
def exchanging(one, other):
    """Two names of one directory, again and again."""
    libc, end = ctypes.CDLL(None), threading.Event()

    def exchange():
        while not end.is_set():
            assert libc.renameat2(AT_FDCWD, bytes(one), AT_FDCWD, bytes(other), RENAME_EXCHANGE) == 0

    thread = threading.Thread(target=exchange)
    thread.start()
    try:
        yield
    finally:
        end.set()
        thread.join()


@pytest.mark.parametrize("change", ["plain", "user-namespace"])
def test_directories_that_become_symlinks(container, host, change):
    """By who shares the volume, while the source is looked up."""
    one, config = container(), CHANGES[change](Config("cat", "/b"))
    volume, seen_at = on_a_volume(one, config, host)
    (volume / "link").symlink_to(host)
    written(one, config.bind(seen_at / "v1/file", "/b", "bind"))
    with exchanging(volume / "link", volume / "v1"):
        for _ in range(TRIES):
            assert one.runtime("run", "--bundle", one.bundle.path, one.id) == INSIDE


@needs_mounts
@pytest.mark.parametrize("change", ["plain", "user-namespace"])
def test_the_root_of_the_host(container, bundles, change):
    """root.path "/": there sources are the host's, whatever is mounted in the container."""
    volume = bundles.scratch("volume")
    fill(volume)
    (volume / "link").symlink_to(volume / "v1")
    config = CHANGES[change](Config("cat", "/mnt/file")).set("root.path", "/").mount(str(bundles.top), "tmpfs", "tmpfs")
    one = container(config.bind(volume / "link", "/mnt", "bind"))
    assert one.runtime("run", "--bundle", one.bundle.path, one.id) == INSIDE
