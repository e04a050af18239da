# SPDX-License-Identifier: LGPL-2.1-or-later
"""No verb loses memory or uses what it does not have: valgrind says so, of the program itself and not of what it runs."""

from pathlib import Path

import pytest

from harness import needs, process, user
from harness.config import Config

pytestmark = [needs.needs_ocirt_sd, needs.needs_valgrind]

FOUND = 99
LIMITS = needs.has_controller("pids")
KINDS = "definite,indirect,possible"
SUPPRESSIONS = Path(__file__).parent / "valgrind.suppressions"
# A machine with a kernel of its own shows its threads. It is slow, and there is nothing else to see.
SLOW = Path("/proc/2/comm").exists() and process.comm(2) == "kthreadd"


def valgrind(log, kinds=KINDS):
    return ["valgrind", "--quiet", "--leak-check=full", f"--show-leak-kinds={kinds}",
            f"--errors-for-leak-kinds={kinds}", f"--error-exitcode={FOUND}", f"--suppressions={SUPPRESSIONS}",
            "--trace-children=no", f"--log-file={log}"]


@pytest.fixture
def clean(runtime, tmp_path):
    """Calls the program. Its exit status must be what is expected, and valgrind silent."""
    def call(*args, status=0, **more):
        log = tmp_path / "valgrind"
        result = runtime.call(*args, prefix=valgrind(log), **more)
        text = log.read_text(encoding="utf-8", errors="replace")
        # What begins with dashes are system calls that valgrind does not know.
        errors = [line for line in text.splitlines() if line.startswith("==")]
        assert not errors and result.status == status, f"{result}\n{text}"
        return result
    return call


def everything():
    """A configuration in which there is something of all that is kept in memory."""
    rule = {"names": ["personality", "nosuch"], "action": "SCMP_ACT_ERRNO",
            "args": [{"index": 0, "value": 8, "op": "SCMP_CMP_EQ"}]}
    config = Config().sleeping().seccomp(defaultAction="SCMP_ACT_ALLOW", syscalls=[rule])
    config.annotation("org.systemd.property.TimeoutStopUSec", "uint64 1000000")
    config.annotation("some", "thing").resource("pids", limit=100 if LIMITS else -1)
    return config.hook("createRuntime", "/bin/true").hook("poststop", "/bin/true")


def test_valgrind_would_tell(runtime, container, tmp_path):
    """A control: asked for memory that is kept until the end, it fails the same call."""
    one = container()
    prefix = [*valgrind(tmp_path / "log", "reachable"), "--run-libc-freeres=no"]
    assert runtime.call("list", prefix=prefix).status == FOUND
    assert "still reachable" in (tmp_path / "log").read_text(encoding="utf-8")
    assert one.id not in runtime("list")


def test_create_state_list(clean, container):
    one = container(everything())
    clean("create", "--bundle", one.bundle.path, "--pid-file", one.pid_file, one.id)
    assert '"created"' in clean("state", one.id).stdout
    assert one.id in clean("list").stdout


if not SLOW:
    def test_the_life_of_a_container(clean, container):
        one = container(everything()).create()
        clean("start", one.id)
        assert clean("exec", one.id, "echo", "inside").stdout == "inside\n"
        clean("ps", one.id)
        clean("pause", one.id)
        clean("resume", one.id)
        clean("update", "--pids-limit", "50" if LIMITS else "-1", one.id)
        clean("events", "--stats", one.id)
        clean("list", "--format", "json")
        clean("stop", "--time", "0", one.id)
        clean("delete", one.id)

    def test_run(clean, container):
        one = container(everything().args("sh", "-c", "exit 3"))
        clean("run", "--bundle", one.bundle.path, one.id, status=3)

    def test_run_detached_and_forced(clean, container):
        one = container(everything())
        clean("run", "--detach", "--bundle", one.bundle.path, one.id)
        clean("delete", "--force", one.id)

    def test_what_needs_no_container(clean, bundles):
        clean("features")
        clean("spec", "--bundle", bundles.scratch("spec"))
        clean("spec", "--rootless", "--bundle", bundles.scratch("spec"))
        clean("--version")
        clean("--help")

    def test_refusals(clean, container):
        """Whatever was there when an error turned up."""
        one = container()
        clean("state", one.id, status=1)
        clean("create", "--bundle", "/nosuch", one.id, status=1)
        clean("crate", status=1)
        clean("create", "--bundel", "/", one.id, status=1)
        for path, value in [("mounts.0.options", 7), ("linux.resources.pids.limit", "7"),
                            ("process.capabilities.bounding", [7]),
                            ("linux.seccomp", {"defaultAction": "SCMP_ACT_NOSUCH"})]:
            one.bundle.write(everything().set(path, value).text())
            clean("create", "--bundle", one.bundle.path, one.id, status=1)
        one.bundle.write(b'{"a": 1, "b": {"c": 1, "c": 2}}')
        clean("create", "--bundle", one.bundle.path, one.id, status=1)
