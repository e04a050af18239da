# SPDX-License-Identifier: LGPL-2.1-or-later
"""The command line itself: help, versions, mistakes, features, spec."""

import json
import stat
import subprocess

import pytest

from harness import go, schema, user
from harness.needs import needs_ocirt_sd
from harness.runtime import BINARY
from harness.wait import DEADLINE

VERBS = ["create", "run", "start", "state", "exists", "kill", "stop", "restart", "delete", "remove", "exec", "list",
         "ps", "pause", "resume", "update", "events", "spec", "check", "plan", "features"]

pytestmark = needs_ocirt_sd


def call(*args):
    return subprocess.run([BINARY, *args], capture_output=True, text=True, check=False, timeout=DEADLINE)


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


@pytest.mark.parametrize("words, wanted", [
    (["rm", "x"], "did you mean remove?"), (["remove", "-v", "x"], "stays"), (["ls"], "did you mean list?"), (["top", "x"], "did you mean ps?"),
    (["unpause", "x"], "did you mean resume?"), (["show", "x"], "did you mean inspect?"), (["statsu", "x"], "status"),
    (["reload", "x"], "restart"), (["restart", "--time", "x", "y"], "expected seconds"),
    (["log", "x"], "did you mean logs?"), (["checkpoint", "x"], "not supported"),
    (["pull", "x"], "bundles"), (["run", "--rm", "x"], "--keep"), (["run", "--name", "x"], "the name is the ID"),
    (["run", "-it", "x"], "standard input"), (["list", "-a"], "all containers are listed"),
    (["run", "x", "echo", "hi"], "process.args"), (["create", "docker.io/library/busybox"], "image"),
    (["run", "busybox:latest"], "bundle"), (["run", "--debug", "x"], "it comes before the verb"),
    (["--bundle", "web", "run", "x"], "it comes after the verb"), (["-b", "web", "run", "x"], "it comes after the verb"),
    (["kill", "-9", "x"], "kill ID 9"), (["kill", "x", "-KILL"], "kill ID KILL"), (["kill", "x", "c3"], "--signal"),
    (["ps", "-o", "pid,args", "x"], "ps ID -o pid,args"), (["run", "-v", "/a:/b", "x"], "mounts"),
    (["run", "-e", "A=b", "x"], "process.env"), (["run", "-p", "80:80", "x"], "linux.namespaces"),
    (["run", "-m", "64m", "x"], "linux.resources"), (["run", "-it", "x"], "process.terminal"),
    (["version"], "ocirt-sd --version"), (["run"], "as in \"ocirt-sd run --bundle web web\""),
    (["create", "--bundle=", "x"], "the name of the bundle is empty"), (["kill", "x", "y", "z"], "--signal"),
    (["--root=/nowhere", "state", "help"], "ocirt-sd state --help"), (["help", "rn"], "did you mean run?")], ids=str)
def test_habits_get_an_answer(words, wanted):
    """What is typed by who knows Podman, runc or systemctl."""
    done = call(*words)
    assert done.returncode == 1 and wanted in done.stderr and done.stdout == ""
    assert done.stderr.count("\n") == 1


def test_help_is_found_however_it_is_asked_for():
    assert call().stdout == call("help").stdout == call("--help").stdout
    assert call("help", "run").stdout == call("run", "--help").stdout
    assert call("list", "help").stdout == call("list", "--help").stdout
    assert call("-V").stdout == call("--version").stdout


@pytest.mark.parametrize("words", [["list", "extra"], ["state", "a", "b"], ["--log-format=xml",
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
    """JSON and nothing else, as the schema wants it; what is unsafe is listed."""
    done = call("features")
    found = json.loads(done.stdout)
    assert done.stderr == ""
    assert schema.violations("features", found) == []
    assert found["ociVersionMin"] == "1.0.0" and found["ociVersionMax"] == "1.3.0"
    assert "rro" in found["mountOptions"]
    assert found["hooks"] == list(schema.load("config-schema.json")["properties"]["hooks"]["properties"])
    assert found["linux"]["cgroup"] == {"v1": False, "v2": True, "systemd": True,
                                        "systemdUser": True, "rdma": True}
    assert found["annotations"]["ocirt-sd.version"] in call("--version").stdout
    assert "org.systemd.property." in found["potentiallyUnsafeConfigAnnotations"]


def test_features_are_all_there():
    """Whatever the specification has a word for, this runtime knows; and nothing is left unsaid."""
    found = json.loads(call("features").stdout)
    assert schema.load("features-schema.json")["properties"].keys() == found.keys()
    known = schema.load("features-linux.json")["linux"]["properties"]
    assert known.keys() | {"memoryPolicy"} == found["linux"].keys()  # which the schema forgot
    for name in ["seccomp", "cgroup", "intelRdt"]:
        assert known[name]["properties"].keys() <= found["linux"][name].keys(), name
    seccomp, policy = found["linux"]["seccomp"], found["linux"]["memoryPolicy"]
    for values, name in [(found["linux"]["namespaces"], "NamespaceType"),
                         (seccomp["actions"], "SeccompAction"),
                         (seccomp["operators"], "SeccompOperators"),
                         (seccomp["archs"], "SeccompArch"), (seccomp["knownFlags"], "SeccompFlag"),
                         (policy["modes"], "MemoryPolicyMode"),
                         (policy["flags"], "MemoryPolicyFlag")]:
        assert set(values) == schema.definition("defs-linux.json", name), name
    assert set(seccomp["supportedFlags"]) <= set(seccomp["knownFlags"])


@pytest.mark.parametrize("options", [[], ["--rootless"]], ids=str)
def test_spec_writes_what_the_schema_describes(runtime, tmp_path, options):
    runtime("spec", "--bundle", tmp_path, *options)
    assert schema.violations("config", json.loads((tmp_path / "config.json").read_text())) == []


@pytest.mark.parametrize("options", [[], ["--rootless"]], ids=str)
def test_spec_writes_for_the_caller_alone(runtime, tmp_path, options):
    """An environment that is put in there later may have secrets."""
    runtime("spec", "--bundle", tmp_path, *options, umask=0)
    assert stat.S_IMODE((tmp_path / "config.json").stat().st_mode) == 0o600


def test_spec_is_a_configuration_that_runs(container, runtime):
    one = container()
    (one.bundle.path / "config.json").unlink()
    runtime("spec", "--bundle", one.bundle.path, *(["--rootless"] if user.ORDINARY else []))
    path = one.bundle.path / "config.json"
    config = json.loads(path.read_text())
    runtime.fails("spec", "--bundle", one.bundle.path)  # what is there is not overwritten
    config["process"].update(terminal=False, args=["echo", "runs"])
    config["process"].pop("rlimits", None)
    path.write_text(go.marshal(config))
    assert runtime("run", "--bundle", one.bundle.path, one.id) == "runs\n"
