# SPDX-License-Identifier: LGPL-2.1-or-later
"""What is passed over is told: on standard error or, where there is one, in the log. It changes nothing else."""

import json

import pytest

from harness import go
from harness.config import CAPABILITY_SETS, Config
from harness.needs import needs_ocirt_sd
from harness.process import capability_sets

pytestmark = needs_ocirt_sd

CHOWN = 1 << 0


def warnings(text):
    """Of the lines on standard error; there is nothing else."""
    lines = text.splitlines()
    assert all(line.startswith("ocirt-sd: warning: ") for line in lines), text
    return [line.removeprefix("ocirt-sd: warning: ") for line in lines]


PASSED_OVER = {
    "an unknown property": ("process.arguments", ["x"], "process.arguments: unknown property, which is ignored"),
    "a property in another case": ("process.noNewprivileges", True,
                                   'process.noNewprivileges: unknown property, which is ignored, did you mean noNewPrivileges?'),
    "a property of the whole": ("Linux", {"x": 1}, 'Linux: unknown property, which is ignored, did you mean linux?'),
    "what Windows has": ("process.user.username", "x", "process.user.username: ignored: Windows only"),
    "another platform": ("windows", {"layerFolders": ["C:"]}, "windows: ignored: another platform"),
    "an effective capability": ("process.capabilities.effective", ["CAP_CHOWN", "CAP_KILL"],
                                "process.capabilities.effective: cannot be granted (not permitted): kill"),
    "an inheritable capability": ("process.capabilities.inheritable", ["CAP_CHOWN", "CAP_KILL"],
                                  "process.capabilities.inheritable: cannot be granted (not in the bounding set): kill"),
    "an ambient capability": ("process.capabilities.ambient", ["CAP_CHOWN", "CAP_KILL"],
                              "process.capabilities.ambient: cannot be granted (not permitted and inheritable): kill"),
    "a capability of nobody": ("process.capabilities.bounding", ["CAP_CHOWN", "CAP_NOSUCH"],
                               'process.capabilities.bounding[1]: unknown capability "CAP_NOSUCH"'),
    "a system call of nobody": ("linux.seccomp",
                                {"defaultAction": "SCMP_ACT_ALLOW",
                                 "syscalls": [{"names": ["nosuch", "kexec_load", "Mkdir"], "action": "SCMP_ACT_ERRNO"}]},
                                "linux.seccomp.syscalls: libseccomp does not know, and so without effect: nosuch, Mkdir"),
}
NOTHING = {
    "null": ("process.arguments", None), "no text": ("process.user.username", ""), "an empty object": ("windows", {}),
    "no command": ("process.commandLine", ""),
}


def config():
    granted = ["CAP_CHOWN"]
    return Config("cat", "/proc/self/status").capabilities(**{name: granted for name in CAPABILITY_SETS})


@pytest.mark.parametrize("path, value, warning", PASSED_OVER.values(), ids=PASSED_OVER)
def test_each_is_told_and_harmless(run, path, value, warning):
    """Twice: what was compiled for the first is in a cache for the second."""
    for _ in range(2):
        result = run(config().set(path, value))
        assert result.status == 0 and warnings(result.stderr) == [warning], str(result)
        assert all(bits & ~CHOWN == 0 for bits in capability_sets(result.stdout).values())


@pytest.mark.parametrize("path, value", NOTHING.values(), ids=NOTHING)
def test_what_asks_for_nothing(seen, path, value):
    seen(config().set(path, value))


def test_a_relative_destination(run):
    result = run(Config("ls", "-d", "/mnt/here").mount("mnt/here", "tmpfs", "tmpfs"))
    assert result.stdout == "/mnt/here\n"
    [warning] = warnings(result.stderr)
    assert '"mnt/here" is taken for "/mnt/here"' in warning


def test_a_log_has_them_alone(container, tmp_path):
    """Callers with a log take what is on standard error for the container's output."""
    one, log = container(config().set("process.arguments", [1])), tmp_path / "log"
    result = one.runtime.call("--log", log, "--log-format", "json", "run", "--bundle", one.bundle.path, one.id)
    assert result.status == 0 and result.stderr == ""
    [line] = map(json.loads, log.read_text(encoding="utf-8").splitlines())
    assert line["level"] == "warning" and line["msg"] == "process.arguments: unknown property, which is ignored"


def test_the_level(container):
    one = container(config().set("process.arguments", [1]))
    result = one.runtime.call("--log-level=error", "run", "--bundle", one.bundle.path, one.id)
    assert result.status == 0 and result.stderr == ""


def test_an_error_comes_besides(run):
    """A word that was misspelt explains what is missing."""
    result = run(Config().remove("process.args").set("process.arg", ["true"]).set("process.cwd", "/"))
    first, second = result.stderr.splitlines()
    assert result.status == 1 and "process.arg: unknown property" in first and "process.args: needed" in second


def test_very_many(run):
    """Whoever reads them may wait for the end."""
    result = run(config().set("process.x", 1).set("annotations", {}).set("y", dict.fromkeys(map(str, range(5000)), 1)))
    assert len(warnings(result.stderr)) == 2
    result = run(config().set("process", config().get("process") | {f"x{n}": 1 for n in range(5000)}))
    found = warnings(result.stderr)
    assert result.status == 0 and len(found) == 17 and found[-1] == "and 4984 more warnings"


def test_of_others_than_create(container):
    """exec tells of its own process, not again of the container; start and delete have nothing to tell."""
    one = container(config().sleeping().set("process.arguments", [1]))
    result = one.runtime.call("create", "--bundle", one.bundle.path, "--pid-file", one.pid_file, one.id)
    assert len(warnings(result.stderr)) == 1
    assert one.runtime.call("start", one.id).stderr == ""
    assert one.exec("true").stderr == ""
    path = one.bundle.path / "process.json"
    path.write_text(go.marshal({"args": ["true"], "cwd": "/", "env": ["PATH=/bin"], "Terminal": True}), encoding="utf-8")
    [warning] = warnings(one.exec(options=["--process", path]).stderr)
    assert warning == 'process.Terminal: unknown property, which is ignored, did you mean terminal?'
    result = one.runtime.call("update", "--resources", "-", one.id, input=b'{"cpu": {"share": 5}}')
    assert result.status == 0
    assert warnings(result.stderr) == ["linux.resources.cpu.share: unknown property, which is ignored, did you mean shares?"]
    assert one.runtime.call("delete", "--force", one.id).stderr == ""
