# SPDX-License-Identifier: LGPL-2.1-or-later
"""The command line itself: help, versions, mistakes, features, spec."""

import json
import subprocess

import pytest

from harness.needs import needs_ocirt_sd
from harness.runtime import BINARY

VERBS = ["create", "run", "start", "state", "kill", "stop", "delete", "exec", "list", "ps",
         "pause", "resume", "spec", "features"]

pytestmark = needs_ocirt_sd


def call(*args):
    return subprocess.run([BINARY, *args], capture_output=True, text=True, check=False, timeout=60)


@pytest.mark.parametrize("words", [["--help"], ["help"], *([verb, "--help"] for verb in VERBS)],
                         ids=" ".join)
def test_help_fits_a_terminal(words):
    """80 columns, on stdout, without an error."""
    done = call(*words)
    assert done.returncode == 0 and done.stderr == ""
    assert max(map(len, done.stdout.splitlines())) <= 80
    assert words == ["--help"] or words[0] in done.stdout or words == ["help"]


def test_help_names_every_verb():
    text = call("--help").stdout
    assert all(f"\n  {verb} " in text for verb in VERBS)


@pytest.mark.parametrize("words, wanted", [
    (["stae"], "state"), (["craete", "x"], "create"), (["lst"], "list"),
    (["--rot=/x", "list"], "--root"), (["create", "--bundel", "x"], "--bundle"),
    (["delete", "--froce", "x"], "--force")], ids=str)
def test_mistakes_name_what_is_near(words, wanted):
    done = call(*words)
    assert done.returncode == 1 and wanted in done.stderr and done.stdout == ""


@pytest.mark.parametrize("words", [[], ["list", "extra"], ["state", "a", "b"], ["--log-format=xml",
                                   "list"], ["--log-level=loud", "list"], ["list", "--format=xml"],
                                   ["--cgroup-manager=cgroupfs", "list"], ["--rootless=maybe",
                                   "list"], ["--root"], ["create", "--bundle"]], ids=str)
def test_mistakes_are_errors(words):
    done = call(*words)
    assert done.returncode == 1 and done.stderr.count("\n") == 1 and done.stdout == ""


def test_version():
    for option in ["--version", "-v"]:
        done = call(option)
        assert done.stdout.startswith("ocirt-sd version ") and "spec: " in done.stdout
        assert done.returncode == 0 and done.stderr == ""


def test_features():
    """JSON and nothing else; what is unsafe is listed."""
    done = call("features")
    found = json.loads(done.stdout)
    assert done.stderr == ""
    assert found["ociVersionMin"] and found["ociVersionMax"]
    assert "rro" in found["mountOptions"]
    assert set(found["hooks"]) == {"prestart", "createRuntime", "createContainer",
                                   "startContainer", "poststart", "poststop"}
    assert found["linux"]["cgroup"]["systemd"] is True and found["linux"]["cgroup"]["v2"] is True
    assert found["linux"]["seccomp"]["enabled"] is True
    assert "org.systemd.property." in found["potentiallyUnsafeConfigAnnotations"]


def test_spec_is_a_configuration_that_runs(container, runtime):
    one = container()
    (one.bundle.path / "config.json").unlink()
    runtime("spec", "--bundle", one.bundle.path)
    path = one.bundle.path / "config.json"
    config = json.loads(path.read_text())
    runtime.fails("spec", "--bundle", one.bundle.path)  # what is there is not overwritten
    config["process"].update(terminal=False, args=["echo", "runs"])
    config["process"].pop("rlimits", None)
    path.write_text(json.dumps(config))
    assert runtime("run", "--bundle", one.bundle.path, one.id) == "runs\n"
