# SPDX-License-Identifier: LGPL-2.1-or-later
"""The tour, run where systemd is: steps.py DIRECTORY, which holds the bundles."""

import json
import os
import shlex
import signal
import subprocess
import sys
from pathlib import Path

from tour.stage import Unexpected, heading, quiet, typed, wait_until

DEBIAN, BUSYBOX = "tour-debian", "tour-busybox"
SCOPE = f"{DEBIAN}.scope"
LIMITS = {
    "memory": {"limit": 256 << 20},
    "cpu": {"shares": 512, "quota": 50000, "period": 100000},
    "pids": {"limit": 64},
}
AS_PROPERTIES = {"DevicePolicy": "strict", "Delegate": "yes", "Slice": r"system\.slice"}
LIMITS_AS_PROPERTIES = {"MemoryMax": "268435456", "CPUWeight": r"\d+",
                        "CPUQuotaPerSecUSec": "500ms", "TasksMax": "64"}
CONTROLLERS = Path("/sys/fs/cgroup/cgroup.controllers").read_text(encoding="ascii").split()
SERVE = r"""#!/bin/bash
. /etc/os-release
echo "$PRETTY_NAME, $(dpkg-query -W | wc -l) packages, process $$ of $(hostname)"
trap 'echo "asked to stop"; exit 0' TERM
while :; do sleep 1000 & wait; done
"""
GREET = "echo Hello from process $$; id; grep ^0:: /proc/self/cgroup; ps"
WAIT = "trap 'exit 0' TERM; sleep 1000 & wait"


def _serve_script():
    """A directory with a program, and the mount that makes it /srv."""
    path = Path("debian/srv/serve")
    path.parent.mkdir()
    path.write_text(SERVE)
    path.chmod(0o755)
    return {"destination": "/srv", "type": "bind", "source": "srv", "options": ["bind", "ro"]}


def _configure(kind, arguments, *mounts, **linux):
    """Edit the config.json that ocirt-sd wrote."""
    path = Path(kind, "config.json")
    config = json.loads(path.read_text())
    config["process"] |= {"args": arguments, "terminal": False}
    config["process"].pop("rlimits", None)
    config["hostname"] = kind
    config["mounts"] += mounts
    config["linux"] |= linux
    path.write_text(json.dumps(config, indent=2) + "\n")


def bundles():
    heading("Two bundles", """A bundle is a root file system and a config.json. One is a Debian,
            made by mmdebstrap; the other is one busybox.""")
    typed("du -sh debian/rootfs busybox/rootfs; cat debian/rootfs/etc/debian_version", "^13")
    for kind in ["debian", "busybox"]:
        typed(f"ocirt-sd spec --bundle {kind}")
    _configure("debian", ["/srv/serve"], _serve_script(), resources=LIMITS,
               cgroupsPath="system.slice:tour:debian")
    _configure("busybox", ["sh", "-c", GREET], cgroupsPath="system.slice:tour:busybox")
    print("\nThe Debian one gets a program that waits, and limits:\n")
    typed("sed -n '/\"resources\"/,/^    }/p' debian/config.json", r'"quota": 50000')
    if not CONTROLLERS:
        print("\nThere are no cgroup controllers here, and a limit that nothing enforces is an error:\n")
        typed(f"ocirt-sd create --bundle debian {DEBIAN}", "linux.resources.memory.limit: cgroup "
              "controller memory is not available", status=1)
        print("\nSo it gets none. `tests/demo --machine vm` has a kernel that enforces them.")
        _configure("debian", ["/srv/serve"], resources={})


def foreground():
    heading("A container in the foreground", """Its program is the first process of namespaces of
            its own, in a scope of its own; its output and exit status are ours.""")
    typed(f"ocirt-sd run --bundle busybox {BUSYBOX}", "Hello from process 1$", "uid=0", "^0::/$",
          r"^\s+1 (0|root) ")


def detached():
    heading("Two containers in the background")
    typed(f"ocirt-sd run --detach --bundle debian {DEBIAN} >log 2>&1")
    wait_until("cat log", "packages")
    typed("cat log", r"^Debian GNU/Linux 13.*\d+ packages, process 1 of debian$")
    _configure("busybox", ["sh", "-c", WAIT])
    typed(f"ocirt-sd create --bundle busybox {BUSYBOX} >/dev/null 2>&1")
    typed(f"ocirt-sd state {BUSYBOX}", '"status": "created"', '"systemdUnit": "tour-busybox.scope"')
    typed(f"ocirt-sd start {BUSYBOX}")
    typed("ocirt-sd list", rf"^{DEBIAN} +\d+ +running", rf"^{BUSYBOX} +\d+ +running")


def units():
    heading("What systemd sees", "Each container is a scope, a unit like any other.")
    typed(f"systemctl status --lines=3 {SCOPE}", rf"● {SCOPE}", r"Active: active \(running\)",
          r"CGroup: /system.slice/tour-debian.scope")
    typed(f"systemctl status --lines=0 {BUSYBOX}.scope", r"Active: active \(running\)",
          "sleep 1000")
    print("\nWhat config.json asks for are properties of the unit:\n")
    properties = AS_PROPERTIES | (LIMITS_AS_PROPERTIES if CONTROLLERS else {})
    typed(f"systemctl show --property={','.join(properties)} {SCOPE}",
          *(f"^{name}={value}$" for name, value in properties.items()))
    if CONTROLLERS:
        print("\nand the kernel's limits:\n")
        typed(f"cd /sys/fs/cgroup/system.slice/{SCOPE} && grep . memory.max cpu.max pids.max",
              "^memory.max:268435456", "^cpu.max:50000 100000", "^pids.max:64")


def frozen():
    heading("Pause and resume", "One state, whoever changes it: ocirt-sd or systemctl.")
    freezer = f"systemctl show --property=FreezerState {SCOPE}"
    typed(f"ocirt-sd pause {DEBIAN}")
    typed(freezer, "=frozen$")
    typed("ocirt-sd list", rf"^{DEBIAN} +\d+ +paused", rf"^{BUSYBOX} +\d+ +running")
    typed(f"ocirt-sd resume {DEBIAN}")
    typed(freezer, "=running$")
    typed(f"systemctl freeze {SCOPE}")
    typed(f"ocirt-sd state {DEBIAN} | grep status", '"paused"')
    typed(f"systemctl thaw {SCOPE}")


def inside():
    heading("A command in a running container")
    typed(f"ocirt-sd exec {DEBIAN} bash -c 'hostname; id -un; dpkg -s libc6 | grep ^Version'",
          "^debian$", "^root$", "^Version: ")
    typed(f"ocirt-sd exec {BUSYBOX} ps", "sleep 1000")


def ends():
    heading("Kill, stop, delete", """A signal ends one; systemctl stops the other. Stopped containers
            are remembered until they are deleted.""")
    typed(f"ocirt-sd kill {DEBIAN} TERM")
    typed(f"systemctl stop {BUSYBOX}.scope")
    wait_until(f"ocirt-sd state {DEBIAN}", '"stopped"')
    typed("cat log", "asked to stop")
    typed("ocirt-sd list", rf"^{DEBIAN} +0 +stopped", rf"^{BUSYBOX} +0 +stopped")
    for container in [DEBIAN, BUSYBOX]:
        typed(f"ocirt-sd delete {container}")


def nothing_left():
    heading("Nothing is left", "No container, no unit, no cgroup, no state, no process.")
    typed("ocirt-sd list", absent=["tour-"])
    typed("systemctl list-units --all --no-legend 'tour-*'", absent=["tour-"])
    typed("find /sys/fs/cgroup -name 'tour-*'", absent=["."])
    typed("find /run/ocirt-sd -name 'tour-*'", absent=["tour-"])
    typed("pgrep --list-name ocirt-sd", status=1)


STEPS = [bundles, foreground, detached, units, frozen, inside, ends, nothing_left]


def _clean_up():
    for container in [DEBIAN, BUSYBOX]:
        quiet(f"ocirt-sd delete --force {shlex.quote(container)}")


def _end(number, _frame):
    raise SystemExit(128 + number)


def main():
    for number in [signal.SIGINT, signal.SIGTERM, signal.SIGHUP]:
        signal.signal(number, _end)
    os.chdir(sys.argv[1])
    try:
        for step in STEPS:
            step()
        print("\nAll of it was as it should be.")
    except (Unexpected, subprocess.TimeoutExpired) as error:
        print(f"\ntests/demo: {error}", file=sys.stderr)
        return 1
    finally:
        _clean_up()
    return 0


if __name__ == "__main__":
    sys.exit(main())
