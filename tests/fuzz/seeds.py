# SPDX-License-Identifier: LGPL-2.1-or-later
"""What a fuzzer begins with besides its corpus: the parts of tests/golden that it reads."""

import json
import subprocess

from machines import build

GOLDEN = build.SOURCE / "tests/golden"
PROPERTY = "org.systemd.property."


def _annotations(config):
    pairs = (config.get("annotations") or {}).items()
    return "\n".join(f"{key.removeprefix(PROPERTY)}={value}"
                     for key, value in pairs if key.startswith(PROPERTY))


def _cgroups_path(config):
    return f"{config['linux']['cgroupsPath']}\nc1"


def _mount_options(config):
    return "\n".join(option for mount in config["mounts"] for option in mount.get("options") or [])


def _object(*path):
    def part(config):
        for key in path:
            config = config[key]
        return json.dumps(config, ensure_ascii=False)  # as Go writes it
    return part


PARTS = {
    "annotations": _annotations,
    "cgroups-path": _cgroups_path,
    "mount-options": _mount_options,
    "process": _object("process"),
    "resources": _object("linux", "resources"),
    "seccomp": _object("linux", "seccomp"),
}


def _parts(name, paths):
    for path in paths:
        try:
            yield PARTS[name](json.loads(path.read_text())).encode()
        except (ValueError, KeyError, TypeError, AttributeError):
            pass  # it has no such part, or is no configuration: some are there to be refused


def write(name, tree, directory):
    """Fill the directory; tree has the build."""
    paths = sorted(GOLDEN.glob("*/config.json"))
    if name == "init-plan":
        subprocess.run([tree / "tests/fuzz/seeds", name, directory, *paths], check=True)
        return
    if name == "config":
        contents = [path.read_bytes() for path in paths]
    else:
        contents = _parts(name, paths) if name in PARTS else []
    for number, content in enumerate(dict.fromkeys(contents)):
        (directory / f"{number:03}").write_bytes(content)


def dictionary(tree, path):
    done = subprocess.run([tree / "tests/fuzz/seeds", "dictionary"], check=True, capture_output=True,
                          text=True)
    path.write_text("\n".join(dict.fromkeys(done.stdout.splitlines())) + "\n")
