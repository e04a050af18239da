# SPDX-License-Identifier: LGPL-2.1-or-later
"""config.json's mounts: options, symlinks, binds, and what is true of any."""

import subprocess
from pathlib import Path

import pytest

from harness import user
from harness.config import MAPPED_ROOT, Config
from harness.needs import needs_mounts
from test_rootfs import mount_table


@pytest.fixture
def volume(bundles):
    """A directory of the host with a file, a directory and, if we may, a mount below it."""
    path = bundles.scratch("volume")
    (path / "file").write_text("content\n")
    (path / "sub").mkdir()
    if not user.ORDINARY:
        subprocess.run(["mount", "-t", "tmpfs", "below", path / "sub"], check=True)
    (path / "sub/deep").write_text("deep\n")
    yield path
    if not user.ORDINARY:
        subprocess.run(["umount", path / "sub"], check=True)


def mounted(seen, config, point="/mnt"):
    """What mountinfo inside says of a mount point."""
    return mount_table(seen(config.args("cat", "/proc/self/mountinfo")))[point]


# --- every option of the specification's table, and crun's

FLAGS = {"ro": "rw", "nosuid": "suid", "nodev": "dev", "noexec": "exec", "nodiratime": "diratime",
         "nosymfollow": "symfollow"}
ATIMES = {"noatime": "noatime", "atime": "relatime", "relatime": "relatime", "norelatime": "noatime",
          "strictatime": None, "nostrictatime": "noatime"}  # of what was noatime


@pytest.fixture
def flagged(bundles):
    """Two file systems with one more below each: one with every flag, and one with none."""
    top = bundles.scratch("flagged")
    made = []
    for name, flags in {"loose": "rw", "strict": f"noatime,{','.join(FLAGS)}"}.items():
        for path in [top / name, top / name / "sub"]:
            path.mkdir()
            subprocess.run(["mount", "-t", "tmpfs", name, path], check=True)
            made.append(path)
        for path in made[-2:]:
            subprocess.run(["mount", "-o", f"remount,bind,{flags}", path], check=True)
    yield top
    for path in reversed(made):
        subprocess.run(["umount", path], check=True)


def shown(flags):
    """Of the options in mountinfo those that are about the mount; strictatime shows as none."""
    return flags & {"ro", "rw", "nosuid", "nodev", "noexec", "nodiratime", "nosymfollow", "noatime", "relatime"}


@pytest.mark.proves("mounts[].options")
@needs_mounts
def test_flags_of_mounts(seen, flagged):
    """mounts[].options: ro, nosuid, nodev, noexec, nodiratime, nosymfollow and what undoes them; the same with r."""
    config = Config("cat", "/proc/self/mountinfo")
    for flag, opposite in FLAGS.items():
        config.bind(flagged / "loose", f"/set/{flag}", "rbind", flag)
        config.bind(flagged / "loose", f"/rset/{flag}", "rbind", f"r{flag}")
        config.bind(flagged / "strict", f"/clear/{flag}", "rbind", opposite)
        config.bind(flagged / "strict", f"/rclear/{flag}", "rbind", f"r{opposite}")
    table = mount_table(seen(config))
    strict, loose = {"noatime", *FLAGS}, {"rw", "relatime"}
    for flag in FLAGS:
        with_it = loose - {"rw"} | {flag} if flag == "ro" else loose | {flag}
        without = strict - {flag} | ({"rw"} if flag == "ro" else set())
        for kind, top, below in [("set", with_it, loose), ("rset", with_it, with_it),
                                 ("clear", without, strict), ("rclear", without, without)]:
            assert shown(table[f"/{kind}/{flag}"][0]) == top, f"{kind} {flag}"
            assert shown(table[f"/{kind}/{flag}/sub"][0]) == below, f"{kind} {flag}"


@pytest.mark.proves("mounts[].options")
@needs_mounts
def test_access_times_of_mounts(seen, flagged):
    """mounts[].options: noatime, atime, relatime, norelatime, strictatime, nostrictatime; the same with r."""
    config = Config("cat", "/proc/self/mountinfo")
    for option in ATIMES:
        config.bind(flagged / "strict", f"/{option}", "rbind", option)
        config.bind(flagged / "strict", f"/r{option}", "rbind", f"r{option}")
    config.bind(flagged / "strict", "/unsaid", "rbind", "rw")
    table = mount_table(seen(config))
    for option, expected in ATIMES.items():
        found = {place: table[place][0] & {"noatime", "relatime"}
                 for place in [f"/{option}", f"/{option}/sub", f"/r{option}", f"/r{option}/sub"]}
        wanted = {expected} - {None}
        if option.startswith("no") and option != "noatime":  # not that one: the kernel's own choice
            wanted = {"relatime"}
        assert found == {f"/{option}": wanted, f"/{option}/sub": {"noatime"}, f"/r{option}": wanted,
                         f"/r{option}/sub": wanted}
    assert "noatime" in table["/unsaid"][0]


@pytest.mark.proves("mounts[].options")
def test_flags_of_file_systems(seen, container):
    """mounts[].options: sync, dirsync, lazytime; async, nolazytime; silent, loud, iversion, mand, defaults …"""
    config = Config().script("cat /proc/self/mountinfo")
    cases = {"sync": ["sync"], "dirsync": ["dirsync"], "lazytime": ["lazytime"], "async": ["sync", "async"],
             "nolazytime": ["lazytime", "nolazytime"], "silent": ["silent", "size=64k", "nosuid", "nodiratime"],
             "loud": ["silent", "loud"], "iversion": ["iversion", "mode=751"], "noiversion": ["noiversion"],
             "mand": ["mand"], "nomand": ["nomand"], "defaults": ["defaults", "auto", "_netdev", "x-a=b"]}
    for name, options in cases.items():
        config.mount(f"/{name}", "tmpfs", "tmpfs", *options)
    supers = {}
    for line in seen(config).splitlines():
        left, right = line.split(" - ")
        supers[left.split()[4]] = (set(right.split()[2].split(",")), set(left.split()[5].split(",")))
    for name in ["sync", "dirsync", "lazytime"]:
        assert name in supers[f"/{name}"][0]
    for name in ["async", "nolazytime", "defaults", "mand", "loud"]:
        assert not supers[f"/{name}"][0] & {"sync", "lazytime"}
    assert "size=64k" in supers["/silent"][0] and {"nosuid", "nodiratime"} <= supers["/silent"][1]
    assert "mode=751" in supers["/iversion"][0]


def test_a_silent_tmpfs_has_the_mode_of_what_it_covers(container):
    """mounts[].options silent: another way into the kernel, and the same mount comes out."""
    one = container(Config().script("stat -c %a /data; cat /data/file").mount("/data", "tmpfs", "tmpfs", "silent",
                                                                              "tmpcopyup"))
    one.bundle.inside("data").mkdir(mode=0o751)
    one.bundle.inside("data/file").write_text("copied\n")
    assert one.runtime("run", "--bundle", one.bundle.path, one.id) == "751\ncopied\n"


def test_options_that_a_mount_does_not_take(runtime, bundles):
    """mounts[].options: refused by their place; an unknown word might be a flag that was meant otherwise."""
    bundle = bundles.make(Config("true"))
    for options, words in [(["ro", "size=1", "noexce"], ["mounts[7].options[3]", "noexce"]),
                           (["lazytime"], ["mounts[7].options[1]", "lazytime"]),
                           (["rsync"], ["mounts[7].options[1]", "rsync"]),
                           (["tmpcopyup"], ["mounts[7].options[1]", "tmpfs"])]:
        bundle.write(Config("true").bind("/tmp", "/mnt", "bind", *options).text())
        message = runtime.fails("create", "--bundle", bundle.path, "refused")
        assert all(word in message for word in words), message


# --- symlinks

@pytest.mark.proves("mounts[].options")
def test_symlinks_of_binds(container, bundles):
    """mounts[].options src-nofollow, dest-nofollow, copy-symlink: the link itself."""
    source = bundles.scratch("source")
    (source / "file").write_text("source\n")
    (source / "link").symlink_to("/etc/hello")
    config = Config().script("cat /bound /covered/there /plain; readlink /copied; readlink /again; ls -l /covered/link; "
                             "cat /covered/link")
    config.bind(source / "link", "/bound", "bind", "src-nofollow")
    config.bind(source / "file", "/covered/link", "bind", "dest-nofollow")
    config.bind(source / "link", "/copied", "bind", "copy-symlink")
    config.bind(source / "link", "/again", "bind", "copy-symlink")
    config.bind(source / "file", "/plain", "bind", "copy-symlink", "ro")
    one = container(config)
    one.bundle.inside("etc/hello").write_text("inside\n")
    one.bundle.inside("again").symlink_to("/etc/hello")
    one.bundle.inside("covered").mkdir()
    one.bundle.inside("covered/there").write_text("there\n")
    one.bundle.inside("covered/link").symlink_to("there")
    lines = one.runtime("run", "--bundle", one.bundle.path, one.id).splitlines()
    assert lines[:5] == ["inside", "there", "source", "/etc/hello", "/etc/hello"]
    assert lines[5].startswith("-") and lines[6] == "source"


def test_symlinks_of_binds_in_a_user_namespace(container, bundles):
    source = bundles.scratch("source")
    (source / "link").symlink_to("/etc/passwd")
    config = Config().script("readlink /new/copied; head -n 1 /bound").mapped_users()
    config.bind(source / "link", "/new/copied", "bind", "copy-symlink")
    config.bind(source / "link", "/bound", "bind", "src-nofollow")
    one = container(config)
    one.bundle.give_to(MAPPED_ROOT)
    assert one.runtime("run", "--bundle", one.bundle.path, one.id) == "/etc/passwd\nroot:x:0:0:root:/root:/bin/sh\n"


@pytest.mark.parametrize("option, kinds", [("shared", ["shared"]), ("rprivate", []), ("unbindable", ["unbindable"])])
@pytest.mark.parametrize("target", ["/there", "/nowhere", "/data"])
def test_the_propagation_of_a_symlink_that_is_bound(container, bundles, option, kinds, target):
    """mounts[].options src-nofollow: of the mount of the symlink, and not of one that it leads to."""
    source = bundles.scratch("source")
    (source / "link").symlink_to(target)
    config = Config("cat", "/proc/self/mountinfo").mount("/data", "tmpfs", "tmpfs", "shared")
    config.bind(source / "link", "/b", "bind", "src-nofollow", option)
    one = container(config)
    one.bundle.inside("there").mkdir()
    table = mount_table(one.runtime("run", "--bundle", one.bundle.path, one.id))
    # The mount of the source is its master, if the machine has that shared.
    found = {point: {field.partition(":")[0] for field in table[point][1]} - {"master"} for point in ["/b", "/data"]}
    assert found == {"/b": set(kinds), "/data": {"shared"}}


def test_a_symlink_that_is_another(runtime, container, bundles):
    """Neither overwritten nor followed."""
    source = bundles.scratch("source")
    (source / "link").symlink_to("/etc/hello")
    (source / "victim").touch()
    for content in ["/elsewhere", None]:
        one = container(Config("true").bind(source / "link", "/copied", "bind", "copy-symlink"))
        if content:
            one.bundle.inside("copied").symlink_to(content)
        else:
            one.bundle.inside("copied").write_text("a file\n")
        message = runtime.fails("create", "--bundle", one.bundle.path, one.id)
        assert "mounts[7]: " in message and "/copied" in message


# --- binds

@pytest.mark.proves("mounts[].source", "mounts[].destination")
@needs_mounts
def test_a_bind_takes_one_mount_and_rbind_all(seen, volume):
    script = "cat /mnt/file; ls /mnt/sub"
    assert seen(Config().script(script).bind(volume, "/mnt", "bind")) == "content"
    assert seen(Config().script(script).bind(volume, "/mnt", "rbind")) == "content\ndeep"


@needs_mounts
def test_a_read_only_bind_leaves_the_source_writable(run, volume):
    script = "touch /mnt/x; touch /mnt/sub/x && echo below"
    result = run(Config().script(script).bind(volume, "/mnt", "rbind", "ro"))
    assert "Read-only file system" in result.stderr and result.stdout == "below\n"
    (volume / "x").touch()


def test_a_recursively_read_only_bind(run, volume):
    """rro of runtime-spec 1.1."""
    result = run(Config().script("touch /mnt/x; touch /mnt/sub/x; true")
                 .bind(volume, "/mnt", "rbind", "rro"))
    assert result.stderr.count("Read-only file system") == 2


def test_flags_of_a_bind(seen, volume):
    config = Config().bind(volume, "/mnt", "rbind", "nosuid", "nodev", "noexec", "relatime")
    assert {"nosuid", "nodev", "noexec", "relatime"} <= mounted(seen, config)[0]


def test_options_of_file_systems_go_past_a_bind(seen, volume):
    """mount(2): "the data argument is ignored". The volume keeps its mode, the tmpfs below it its size."""
    (volume / "sub").chmod(0o750)
    config = Config().script("stat -c %a /mnt /mnt/sub; head -c 8192 /bin/busybox > /mnt/sub/8k && echo written")
    config.bind(volume, "/mnt", "rbind", "mode=700", "size=4k")
    assert seen(config) == "755\n750\nwritten"


def test_a_bind_of_a_file(seen, volume):
    """Onto a file that is made, with the directories above it."""
    config = Config().script("cat /new/dir/file").bind(volume / "file", "/new/dir/file", "bind")
    assert seen(config) == "content"


def test_a_relative_source_is_in_the_bundle(container):
    one = container(Config("cat", "/mnt/x").bind("data", "/mnt", "bind"))
    (one.bundle.path / "data").mkdir()
    (one.bundle.path / "data/x").write_text("bundled\n")
    assert one.runtime("run", "--bundle", one.bundle.path, one.id) == "bundled\n"


def test_a_source_may_be_a_symlink(seen, volume):
    """Sources are the caller's: they are followed as always."""
    link = volume / "link"
    link.symlink_to(volume / "file")
    assert seen(Config("cat", "/f").bind(link, "/f", "bind")) == "content"
    link.unlink()


def beneath(config, one, volume):
    """Binds whose sources are what earlier mounts have put in the container."""
    rootfs = one.bundle.rootfs
    (one.bundle.path / "alias").symlink_to("rootfs/mnt")
    (rootfs / "mnt/sub").mkdir()
    (rootfs / "mnt/sub/deep").write_text("beneath\n")
    config.script("cat /found; cat /covered/deep; cat /aliased/deep; touch /tmp/new /new/x; ls /again; ls /first; cat /last/deep")
    config.bind(rootfs / "mnt/sub", "/first", "rbind")  # before there is anything on it
    config.bind(volume, "/mnt", "rbind")
    config.bind(rootfs / "mnt/file", "/found", "bind", "ro")
    config.bind("rootfs/mnt/sub", "/covered", "rbind")
    config.bind(one.bundle.path / "alias/sub", "/aliased", "bind")
    config.mount("/new", "tmpfs", "tmpfs", "mode=777").bind(rootfs / "new", "/again", "bind")
    config.mount("/mnt/sub", "tmpfs", "tmpfs").bind(rootfs / "covered", "/last", "bind")
    one.bundle.write(config.text())
    return "content\ndeep\ndeep\nx\ndeep\ndeep\n"


@pytest.mark.proves("mounts[].source")
@pytest.mark.parametrize("mapped", [False, True])
def test_a_source_on_an_earlier_mount(container, volume, mapped):
    """mounts[].source: looked up when its turn comes, with what the list has mounted so far. With a user namespace, too."""
    one = container()
    expected = beneath(Config().mapped_users() if mapped else Config(), one, volume)
    if mapped:
        one.bundle.give_to(MAPPED_ROOT)
    assert one.runtime("run", "--bundle", one.bundle.path, one.id) == expected


def test_a_source_in_the_rootfs_that_is_not_there(runtime, container):
    """mounts[].source: neither on the host nor on an earlier mount, with a user namespace and without."""
    for config in [Config("true"), Config("true").mapped_users()]:
        one = container(config)
        (one.bundle.path / "dangling").symlink_to("rootfs/nosuch/x")
        for source in [one.bundle.rootfs / "mnt/none", "dangling", "rootfs/none"]:
            one.bundle.write(config.bind(source, "/b", "bind").text())
            message = runtime.fails("run", "--bundle", one.bundle.path, one.id)
            assert "mounts[7]: open mount source " in message and "no such file or directory" in message, message
            config.remove("mounts.7")


@needs_mounts
def test_a_source_that_only_root_reaches(container, volume):
    """On an earlier mount, in a user namespace: the source is the caller's, who is the host's root."""
    (volume / "closed/in").mkdir(parents=True)
    (volume / "closed/in/file").write_text("reached\n")
    (volume / "closed").chmod(0o700)
    config = Config("cat", "/bound/file").mapped_users().bind(volume, "/mnt", "rbind")
    one = container(config)
    one.bundle.write(config.bind(one.bundle.rootfs / "mnt/closed/in", "/bound", "bind").text())
    one.bundle.give_to(MAPPED_ROOT)
    assert one.runtime("run", "--bundle", one.bundle.path, one.id) == "reached\n"


@pytest.mark.parametrize("option, fields", [("rprivate", []), ("rslave", ["master"]),
                                            ("rshared", ["shared"]), ("unbindable",
                                                                     ["unbindable"])])
def test_propagation_of_a_mount(seen, volume, option, fields):
    found = mounted(seen, Config().bind(volume, "/mnt", "rbind", option))[1]
    kinds = [field.partition(":")[0] for field in found]
    if option == "rshared":  # and a slave of the host's, where that is shared
        assert "shared" in kinds
    elif option != "rslave":  # a slave of what nobody shares is private
        assert kinds == fields


@needs_mounts
def test_one_propagation_after_another(seen, bundles):
    """mounts[].options rslave, shared: all below are slaves, and the mount itself is shared again."""
    path = bundles.scratch("peers")
    subprocess.run(["mount", "-t", "tmpfs", "top", path], check=True)
    (path / "sub").mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "below", path / "sub"], check=True)
    subprocess.run(["mount", "--make-rshared", path], check=True)
    try:
        config = Config("cat", "/proc/self/mountinfo").bind(path, "/mnt", "rbind", "rslave", "shared")
        config.bind(path, "/cut", "rbind", "rprivate", "shared")
        table = mount_table(seen(config))
        kinds = {point: {field.partition(":")[0] for field in row[1]} for point, row in table.items()}
        assert kinds["/mnt"] == {"shared", "master"} and kinds["/mnt/sub"] == {"master"}
        assert kinds["/cut"] == {"shared"} and kinds["/cut/sub"] == set()
    finally:
        subprocess.run(["umount", "-R", path], check=True)


@needs_mounts
@pytest.mark.parametrize("propagation", ["rslave", "rshared"])
def test_a_bind_that_sees_what_the_host_mounts(container, bundles, propagation):
    path = bundles.scratch("shared")
    subprocess.run(["mount", "--bind", path, path], check=True)
    subprocess.run(["mount", "--make-shared", path], check=True)
    try:
        (path / "later").mkdir()
        config = Config().sleeping().bind(path, "/mnt", "rbind", propagation)
        one = container(config).run_detached()
        subprocess.run(["mount", "-t", "tmpfs", "later", path / "later"], check=True)
        (path / "later/x").touch()
        assert one.output_of("ls", "/mnt/later") == "x\n"
        subprocess.run(["umount", path / "later"], check=True)
        one.delete("--force")
    finally:
        subprocess.run(["umount", path], check=True)


@pytest.mark.proves("mounts[].destination")
def test_a_bind_on_the_root(seen, container):
    """mounts[].destination "/": the root is that from then on, and what comes after it in the list is in it."""
    other = container(Config("true"))
    (other.bundle.rootfs / "marker").write_text("another\n")
    config = Config().script("cat /marker; ls /proc/self/status /dev/null; touch /here")
    listed = config.get("mounts")
    config.set("mounts", []).bind(other.bundle.rootfs, "/", "rbind").append("mounts", *listed)
    assert seen(config) == "another\n/dev/null\n/proc/self/status"
    assert (other.bundle.rootfs / "here").exists()
    for option in ["ro", "rro"]:
        config.get("mounts")[0]["options"] = ["rbind"]
        config.set("root.readonly", option == "ro").script("touch /here/x || echo refused")
        if option == "ro":
            assert "refused" in seen(config.script("touch /there 2>/dev/null || echo refused"))


def test_a_new_file_system_on_the_root(seen):
    """A copy of the image in memory."""
    config = Config().script("touch /new && ls /new /bin/sh; stat -f -c %T /")
    listed = config.get("mounts")
    config.set("mounts", []).mount("/", "tmpfs", "tmpfs", "tmpcopyup", "mode=755").append("mounts", *listed)
    assert seen(config) == "/bin/sh\n/new\ntmpfs"


@needs_mounts
def test_a_bind_keeps_what_the_mount_has(seen, flagged):
    """What no option names stays as the source has it, whatever others say: ro and nosuid do not go by accident."""
    config = Config("cat", "/proc/self/mountinfo")
    for point, options in {"none": [], "nodev": ["nodev"], "exec": ["exec"], "rprivate": ["rprivate", "relatime"]}.items():
        config.bind(flagged / "strict", f"/{point}", "bind", *options)
    table = mount_table(seen(config))
    assert shown(table["/none"][0]) == shown(table["/nodev"][0]) == {"noatime", *FLAGS}
    assert shown(table["/exec"][0]) == {"noatime", *FLAGS} - {"noexec"}
    assert shown(table["/rprivate"][0]) == {"relatime", *FLAGS}


# --- any mount

def test_mounts_happen_in_the_order_of_the_list(seen):
    config = Config().script("ls /mnt /mnt/inner")
    config.mount("/mnt/inner", "tmpfs", "covered").mount("/mnt", "tmpfs", "first")
    config.mount("/mnt/inner", "tmpfs", "second")
    assert seen(config) == "/mnt:\ninner\n\n/mnt/inner:"


def test_a_remount(seen, volume):
    """mounts[].options remount: flags and propagation of a mount, with all below it or without."""
    config = Config().mount("/mnt", "tmpfs", "tmpfs").mount("/mnt", "none", "none", "remount", "ro", "noatime")
    config.bind(volume, "/bound", "rbind").mount("/bound/sub", "tmpfs", "tmpfs").bind("/nowhere", "/bound", "rbind", "remount", "rro", "rnosuid",
                                                "unbindable")
    table = mount_table(seen(config.args("cat", "/proc/self/mountinfo")))
    assert {"ro", "noatime"} <= table["/mnt"][0]
    assert {"ro", "nosuid"} <= table["/bound"][0] and {"ro", "nosuid"} <= table["/bound/sub"][0]
    assert table["/bound"][1] == ["unbindable"] and "unbindable" not in table["/bound/sub"][1]


def test_options_that_no_kernel_knows(runtime, container):
    """mounts[].options: what is not in the table is the file system's; it says what it does not know, and where."""
    one = container(Config().mount("/mnt", "tmpfs", "tmpfs", "nosuchoption=1"))
    message = runtime.fails("create", "--bundle", one.bundle.path, one.id)
    assert "mounts[7]: " in message and "/mnt" in message and "nosuchoption" in message


def test_a_file_system_that_no_kernel_knows(runtime, container):
    """mounts[].type"""
    one = container(Config().mount("/mnt", "nosuchfs", "none"))
    assert "mounts[7]: " in runtime.fails("create", "--bundle", one.bundle.path, one.id)


def test_a_source_that_is_not_there(runtime, container):
    """mounts[].source"""
    one = container(Config().bind("/nosuch", "/mnt", "bind"))
    message = runtime.fails("create", "--bundle", one.bundle.path, one.id)
    assert "mounts[7]: " in message and "/nosuch: no such file or directory" in message


def test_host_mounts_are_the_same_afterwards(seen, volume):
    before = Path("/proc/self/mountinfo").read_text()
    seen(Config("true").bind(volume, "/mnt", "rbind", "ro", "nosuid"))
    assert Path("/proc/self/mountinfo").read_text() == before
