# SPDX-License-Identifier: LGPL-2.1-or-later
"""The measurements, run in the machine: measure.py SHARE ROUNDS CONTAINERS"""

import collections
import json
import os
import platform
import re
import shutil
import statistics
import subprocess
import sys
from pathlib import Path

from benchmark import script, seccomp

TOP = Path("/var/tmp/bench")
BLOCK = 10
CAP_SYS_RESOURCE = 1 << 24


def _output(*command):
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def _make_bundles(share):
    """Bundles 'true' and 'sleep', in plain/ and in seccomp/."""
    shutil.copytree(share / "rootfs", TOP / "rootfs", symlinks=True)
    subprocess.run(["ocirt-sd", "spec", "--bundle", TOP], check=True)
    config = json.loads((TOP / "config.json").read_text())
    config["process"]["terminal"] = False
    config["process"].pop("rlimits", None)
    config["root"]["path"] = str(TOP / "rootfs")
    profile = json.loads((share / "seccomp.json").read_text())
    filtered = json.loads(json.dumps(config))
    filtered["linux"]["seccomp"] = seccomp.resolve(
        profile, (share / "architecture").read_text(),
        config["process"]["capabilities"]["bounding"])
    for name, content in [("plain", config), ("seccomp", filtered)]:
        _make_bundle(TOP / name / "true", content, ["/bin/true"])
        _make_bundle(TOP / name / "sleep", content, ["/bin/sleep", "1000"])


def _make_bundle(path, config, arguments):
    path.mkdir(parents=True)
    config = config | {"process": config["process"] | {"args": arguments}}
    (path / "config.json").write_text(json.dumps(config))


def _environment(share):
    status = Path("/proc/self/status").read_text()
    able = int(re.search(r"CapEff:\s*(\w+)", status)[1], 16) & CAP_SYS_RESOURCE
    return dict(os.environ) if able else os.environ | {"LD_PRELOAD": str(share / "shim.so")}


def _operations(timer, results, variant, number):
    """Each operation by itself, and back to back."""
    for block, pause, suffix in [(1, 50, ""), (BLOCK, 0, ", back to back")]:
        lines = script.rounds(TOP / variant, -(-number // block), block, pause)
        samples = collections.defaultdict(list)
        for label, wall, cpu, rss in timer.execute(lines):
            samples[label].append((int(wall) / 1e6, int(cpu) / 1e3, int(rss) / 1024))
        for label, taken in samples.items():
            operation, runtime = label.split("|")
            wall, cpu, sizes = zip(*taken)
            _add(results, operation + _name(variant) + suffix, runtime, *wall)
            if operation in ("run", "create") and not suffix:
                _add(results, f"CPU of {operation}{_name(variant)}", runtime, *cpu)
                _add(results, f"memory of {operation}{_name(variant)} (MiB)", runtime, max(sizes))


def _name(variant):
    return "" if variant == "plain" else f", {variant}"


def _add(results, name, runtime, *samples):
    """More than one sample only where the runtimes took turns."""
    results.setdefault(name, {})[runtime] = samples


def _medians(results):
    return {name: {runtime: round(statistics.median(samples), 3) for runtime, samples in taken.items()}
            for name, taken in results.items()}


def _quartiles(results):
    """The lower and the upper one of the ratios this/other, turn by turn."""
    ratios = {name: [ours / theirs for ours, theirs in zip(taken["this"], taken["other"])]
              for name, taken in results.items()}
    cuts = {name: statistics.quantiles(found, n=4) for name, found in ratios.items() if len(found) > 1}
    return {name: [round(lower, 3), round(upper, 3)] for name, (lower, _, upper) in cuts.items()}


def _waiting(timer, results):
    """The memory of a container's first process while it waits for start."""
    for runtime in script.RUNTIMES:
        name = "bench-waiting"
        list(timer.execute([["do", *script.command(runtime, "create", name, TOP / "plain")]]))
        pid = (script.PIDS / name).read_text()
        text = Path("/proc", pid, "smaps_rollup").read_text()
        for label, key in [("own share", "Pss"), ("resident", "Rss")]:
            size = int(re.search(rf"^{key}:\s+(\d+)", text, re.M)[1]) / 1024
            _add(results, f"memory of the waiting init, {label} (MiB)", runtime, size)
        list(timer.execute(
            [["do", *script.command(runtime, "delete --force", name, TOP / "plain")]]))


def _many(timer, results, number):
    for runtime in script.RUNTIMES:
        for jobs, label in [(1, "one by one"), (8, "8 at a time")]:
            marks = dict(timer.execute(script.many(TOP / "plain", runtime, number, jobs)))
            seconds = (int(marks["ended"]) - int(marks["began"])) / 1e9
            _add(results, f"containers a second, {label}", runtime, number / seconds)
            if jobs == 1:
                _take(timer, results, f"list with {number}", runtime,
                      script.listed(TOP / "plain", runtime, 11))
            _take(timer, results, "delete --force", runtime,
                  script.removed(TOP / "plain", runtime, number))


def _take(timer, results, name, runtime, lines):
    samples = [int(fields[1]) / 1e6 for fields in timer.execute(lines)]
    _add(results, name, runtime, statistics.median(samples))


def _machine():
    cpu = re.search(r"^model name\s*: (.*)", Path("/proc/cpuinfo").read_text(), re.M)
    release = Path("/etc/os-release").read_text(encoding="utf-8")
    return {"cpu": cpu[1] if cpu else platform.machine(), "cpus": os.cpu_count(),
            "system": re.search(r'^PRETTY_NAME="?([^"\n]+)', release, re.M)[1],
            "kernel": platform.release(),
            "systemd": _output("systemctl", "--version").split()[1],
            "runtimes": [_version(*runtime) for runtime in script.RUNTIMES.items()]}


def _version(name, start):
    text = _output(start[0], "--version")
    version = text.split("\n")[0].replace(" version", "")
    if name not in script.BUILDS:
        return version
    commit = re.search(r"^commit: (\S+)", text, re.M)
    return f"{name} {version}" + (f" ({commit[1]})" if commit else "")


def _clean_up():
    for runtime, start in script.RUNTIMES.items():
        for name in subprocess.run([*start, "list", "--quiet"], capture_output=True, text=True,
                                   check=False).stdout.split():
            subprocess.run(script.command(runtime, "delete --force", name, TOP),
                           capture_output=True, check=False)


def main():
    share, number, containers = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    other = share / "other"
    script.RUNTIMES.update(script.BUILDS if other.exists() else script.PEERS)
    if other.exists():  # to where this build is, as it is read at each call
        shutil.copytree(other, script.OTHER)
    script.PIDS.mkdir()
    _make_bundles(share)
    results = {}
    timer = script.Timer(share / "timer", _environment(share), script.PIDS / "messages")
    try:
        for variant in ["plain", "seccomp"]:
            list(timer.execute(script.rounds(TOP / variant, 1, 1, 10)))
            _operations(timer, results, variant, number)
        _waiting(timer, results)
        _many(timer, results, containers)
    except script.Failed as failure:
        print(failure, file=sys.stderr)
        return 1
    finally:
        timer.close()
        _clean_up()
    told = _medians(results) | {"machine": _machine()}
    if other.exists():
        told["quartiles"] = _quartiles(results)
    (share / "results.json").write_text(json.dumps(told))
    return 0


if __name__ == "__main__":
    sys.exit(main())
