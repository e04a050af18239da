# SPDX-License-Identifier: LGPL-2.1-or-later
"""Bad input ends in a clear error, or in a container that sees nothing of the host.

The tables are in hostile/. After each case nothing is left: the check after every test.
"""

import re

import pytest

from harness import user
from harness.config import MAPPED_ROOT, Config
from harness.runtime import new_id
from hostile.names import ANNOTATIONS, CGROUPS_PATHS, IDS, PREFIX, SYSCTLS, USERS
from hostile.texts import TEXTS
from hostile.values import VALUES


@pytest.fixture(scope="module")
def bundle(bundles):
    """One bundle for all: only its config.json changes."""
    return bundles.make(Config("true"))


@pytest.fixture
def refuse(runtime, bundle):
    """create with this config.json must fail; the message."""
    def refused(config, name=None):
        bundle.write(config.text() if isinstance(config, Config) else config)
        return runtime.fails("create", "--bundle", bundle.path, name or new_id())
    return refused


def short(value):
    return str(value).encode("unicode_escape").decode()[:40] or "empty"


def batches(cases, size=24):
    """Cases that differ in nothing but the text go together: the check for leavings costs more than they do."""
    return [cases[start:start + size] for start in range(0, len(cases), size)]


def every(batch, check):
    """Checks all of them, and fails with all that failed."""
    failures = []
    for case in batch:
        try:
            check(*case)
        except AssertionError as error:
            failures.append(f"{short(case)}: {error}")
    assert not failures, "\n".join(failures)


@pytest.mark.parametrize("batch", batches(TEXTS))
def test_texts_that_are_no_configuration(runtime, bundle, batch):
    def check(_, text, match):
        bundle.write(text)
        if match is None:
            result = runtime.call("run", "--bundle", bundle.path, new_id())
            assert result.status in (0, 1)
        else:
            message = runtime.fails("create", "--bundle", bundle.path, new_id())
            assert re.search(match, message), message
    every(batch, check)


@pytest.mark.proves("ociVersion")
@pytest.mark.parametrize("batch", batches(VALUES))
def test_values_that_are_none(refuse, batch):
    """The error names the property."""
    def check(path, value):
        config = Config("true").set(path, value)
        if path == "linux.uidMappings":
            config.without_namespace("user")
        message = refuse(config)
        assert path.rpartition(".")[2] in message, message
        assert len(message) < 1000
    every(batch, check)


def test_ids_that_are_none(runtime, bundle):
    """For create, and for verbs that look for one."""
    def check(name):
        runtime.fails("create", "--bundle", bundle.path, "--", name)
        runtime.fails("state", "--", name)
    bundle.write(Config("true").text())
    every([(name,) for name in IDS], check)


@pytest.mark.parametrize("batch", batches(CGROUPS_PATHS))
def test_cgroup_paths(runtime, refuse, bundle, batch):
    """Never a unit that is not a scope, never the root slice, never out of the hierarchy."""
    def check(path, match):
        config = Config("true").set("linux.cgroupsPath", path)
        if match:
            assert match in refuse(config)
        else:
            bundle.write(config.text())
            runtime("run", "--bundle", bundle.path, new_id())
    every(batch, check)


@pytest.mark.parametrize("batch", batches(ANNOTATIONS))
def test_annotations_that_go_too_far(refuse, batch):
    """CVE-2024-3154: refused by name, before there is a unit."""
    def check(name, value):
        message = refuse(Config("true").annotation(PREFIX + name, value))
        assert PREFIX + name in message
    every(batch, check)


def test_two_annotations_for_one_property(refuse):
    config = Config("true").annotation(f"{PREFIX}TimeoutStopSec", "1")
    refuse(config.annotation(f"{PREFIX}TimeoutStopUSec", "uint64 1"))


def test_sysctls_that_are_the_hosts(refuse):
    """Refused before anything is written; core_pattern is one of the canaries. A user's containers have user.* of their own."""
    def check(key):
        config = Config("true").set("linux.sysctl", {key: "1"})
        assert "sysctl" in refuse(config.remove("linux.readonlyPaths"))
    every([(key,) for key in SYSCTLS if not (user.ORDINARY and key.startswith("user."))], check)


@pytest.mark.parametrize("key, kind", [("kernel.shm_rmid_forced", "ipc"),
                                       ("net.ipv4.ip_forward", "network"),
                                       ("fs.mqueue.msg_max", "ipc")])
def test_sysctls_without_their_namespace(refuse, key, kind):
    config = Config("true").set("linux.sysctl", {key: "1"}).without_namespace(kind)
    assert kind in refuse(config.without_mounts_below("/sys").without_mount("/dev/mqueue"))


@pytest.mark.parametrize("value", ["1\n2", "1\0", 1, None, ["1"]], ids=short)
def test_sysctls_with_bad_values(refuse, value):
    assert "sysctl" in refuse(Config("true").set("linux.sysctl", {"net.ipv4.ip_forward": value}))


# --- users, in one container for all

@pytest.fixture(scope="module")
def host_of_execs(runtime, bundles, watch):
    bundle, name = bundles.make(Config().sleeping()), new_id()
    runtime("run", "--detach", "--bundle", bundle.path, name)
    watch.start_over()
    yield name
    runtime("delete", "--force", name)
    watch.start_over()


def test_users_of_exec(runtime, host_of_execs):
    """CVE-2026-30892: exactly that user or an error, never 0 for want of a better one."""
    def check(name, ids):
        words = ["exec", "--user", name, host_of_execs, "sh", "-c", "echo $(id -u) $(id -g)"]
        if ids is None:
            assert "--user" in runtime.fails(*words)
        elif user.ORDINARY and int(ids.split()[0]) > user.MAPPED_SIZE:
            assert "become uid" in runtime.fails(*words)
        else:
            assert runtime(*words) == f"{ids}\n"
    every(USERS, check)


OPTIONS = [["--cap", "CAP_NOSUCH"], ["--cap", "CAP_kill"], ["--cap", "1"], ["--cap", ""], ["--env", "NOEQUALS"],
           ["--env", "=x"], ["--cwd", "relative"], ["--additional-gids", "-1"],
           ["--additional-gids", "x"], ["--preserve-fds", "-1"], ["--preserve-fds", "x"],
           ["--preserve-fds", "99999999999"], ["--preserve-fds", "4294967295"], ["--preserve-fds", "4294967290"],
           ["--preserve-fds", "2147483647"], ["--preserve-fds", "1048577"], ["--process", "/nosuch"], ["--process", "/dev/null"],
           ["--pid-file", "/nosuch/dir/pid"], ["--cgroup", "../.."], ["--cgroup", "/../../system.slice"],
           ["--nosuch"], ["--console-socket", "/nosuch"], ["--detach", "--tty"]]


def test_options_of_exec(runtime, host_of_execs):
    every([(options,) for options in OPTIONS],
          lambda options: runtime.fails("exec", *options, host_of_execs, "true"))


@pytest.mark.parametrize("number", [(1 << 32) - 1, (1 << 32) - 3, (1 << 31) - 3, (1 << 20) + 1])
@pytest.mark.parametrize("verb", ["create", "run"])
def test_more_descriptors_than_there_can_be(runtime, bundle, verb, number):
    """The first of them is 3, which makes a number that is too large a small one again."""
    bundle.write(Config("true").text())
    message = runtime.fails(verb, "--preserve-fds", number, "--bundle", bundle.path, new_id())
    assert f"--preserve-fds: {number} descriptors are more than" in message


# --- sizes

def test_very_many_mappings(refuse):
    """CVE-2021-43784: no length overflows on the way to the helper."""
    mappings = [{"containerID": n, "hostID": MAPPED_ROOT + n, "size": 1} for n in range(10000)]
    config = Config("true").namespace("user").set("linux.uidMappings", mappings)
    assert "uidMappings" in refuse(config.set("linux.gidMappings", mappings))


@pytest.mark.parametrize("path", ["process.env", "process.args"])
def test_very_long_strings(runtime, bundle, path):
    """Longer than the kernel takes: an error. Shorter: all of it arrives."""
    text = "x" * (200 << 10)
    bundle.write(Config("true").append(path, f"A={text}").text())
    assert "argument list too long" in runtime.fails("run", "--bundle", bundle.path, new_id())
    script = "echo ${#A}" if path == "process.env" else "echo ${#1}"
    config = Config("sh", "-c", script, "sh").append(path, f"A={text[:100000]}")
    bundle.write(config.text())
    length = 100000 + (0 if path == "process.env" else 2)
    assert runtime("run", "--bundle", bundle.path, new_id()) == f"{length}\n"


def test_very_many_things(runtime, bundle):
    """A large configuration that is right is no error."""
    config = Config().script("ls /many | wc -l; echo $LAST")
    for number in range(60):
        config.mount(f"/many/{number}", "tmpfs", "tmpfs", "size=4k")
    config.env(*(f"V{n}={'y' * 100}" for n in range(1000)), "LAST=here")
    for number in range(500):
        config.annotation(f"com.example.{number}", "z" * 200)
    bundle.write(config.text())
    assert runtime("run", "--bundle", bundle.path, new_id()).split() == ["60", "here"]
