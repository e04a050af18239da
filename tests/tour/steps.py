# SPDX-License-Identifier: LGPL-2.1-or-later
"""The tour, run where systemd is: steps.py DIRECTORY, which holds the bundles."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

from tour.stage import Unexpected, heading, quiet, typed, wait_until

DEBIAN, BUSYBOX, SERVICE = "tour-debian", "tour-busybox", "tour-service"
BUNDLE = f"/var/lib/ocirt-sd/{SERVICE}"
SCOPE = f"{DEBIAN}.scope"
LIMITS = {
    "memory": {"limit": 256 << 20},
    "cpu": {"shares": 512, "quota": 50000, "period": 100000},
    "pids": {"limit": 64},
}
PROPERTIES = {"DevicePolicy": "strict", "Delegate": "yes", "Slice": r"system\.slice"}
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
    _configure("debian", ["/srv/serve"], _serve_script(), cgroupsPath="system.slice:tour:debian")
    _configure("busybox", ["sh", "-c", GREET], cgroupsPath="system.slice:tour:busybox")
    print("\nThe demo edits both files. They now say what the containers run, and what their scopes are called:\n")
    typed("grep -A 5 '\"args\"' busybox/config.json; grep cgroupsPath */config.json", "Hello",
          "system.slice:tour:debian")


def foreground():
    heading("A container in the foreground", """Its program is the first process of namespaces of
            its own, in a scope of its own; its output and exit status are ours.""")
    typed(f"ocirt-sd run --bundle busybox {BUSYBOX}", "Hello from process 1$", "uid=0", "^0::/$",
          r"^\s+1 (0|root) ")


def detached():
    heading("Two containers in the background", """What they print goes where ours does: here, to the journal.
            In the config.json of busybox the demo has put another program, which waits for SIGTERM.""")
    typed(f"systemd-cat -t {DEBIAN} ocirt-sd run --detach --bundle debian {DEBIAN} </dev/null")
    _configure("busybox", ["sh", "-c", WAIT])
    typed(f"systemd-cat -t {BUSYBOX} ocirt-sd create --bundle busybox {BUSYBOX} </dev/null")
    typed(f"ocirt-sd state {BUSYBOX}", '"status": "created"', '"systemdUnit": "tour-busybox.scope"')
    typed(f"ocirt-sd start {BUSYBOX}")
    typed("ocirt-sd list", rf"^{DEBIAN} +\d+ +running", rf"^{BUSYBOX} +\d+ +running")


def units():
    heading("What systemd sees", "Each container is a scope, a unit like any other, with its own lines in the journal.")
    wait_until(f"journalctl -u {SCOPE}", "packages")
    typed(f"systemctl status {SCOPE}", rf"● {SCOPE}", r"Active: active \(running\)",
          r"CGroup: /system.slice/tour-debian.scope")
    typed(f"journalctl --output=cat -t {DEBIAN}", r"^Debian GNU/Linux 13.*\d+ packages, process 1 of debian$")
    print("\nWhat config.json asks for are properties of the unit:\n")
    typed(f"systemctl show --property={','.join(PROPERTIES)} {SCOPE}",
          *(f"^{name}={value}$" for name, value in PROPERTIES.items()))


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
    wait_until(f"journalctl -t {DEBIAN}", "asked to stop")
    typed(f"journalctl --output=cat -t {DEBIAN}", "asked to stop")
    typed("ocirt-sd list", rf"^{DEBIAN} +0 +stopped", rf"^{BUSYBOX} +0 +stopped")
    for container in [DEBIAN, BUSYBOX]:
        typed(f"ocirt-sd delete {container}")


def supervised():
    heading("Watched over by systemd", """With --supervise systemd is the parent of the container's process, the main one
            of a service. Nothing of ocirt-sd stays, what the container prints is in the journal, and how it ends is
            known. The demo has changed what busybox runs, and systemd names its unit now.""")
    _configure("busybox", ["sh", "-c", "echo Hello under systemd; trap 'exit 3' TERM; sleep 1000 & wait"], cgroupsPath="")
    typed(f"ocirt-sd run --supervise --restart on-abnormal --bundle busybox {BUSYBOX}")
    wait_until(f"ocirt-sd logs {BUSYBOX}", "Hello")
    typed(f"systemctl status --lines=0 ocirt-sd-{BUSYBOX}.service", r"Active: active \(running\)", r"Main PID: \d+ \(sh\)")
    typed(f"ocirt-sd logs {BUSYBOX}", "^Hello under systemd$")
    typed(f"ocirt-sd kill {BUSYBOX}")
    typed(f"ocirt-sd wait {BUSYBOX}", "^3$")
    typed(f"systemctl show --property=Result,ExecMainStatus ocirt-sd-{BUSYBOX}.service", "^Result=exit-code$",
          "^ExecMainStatus=3$")
    typed(f"ocirt-sd delete {BUSYBOX}")


def service():
    heading("A service", """ocirt-sd@.service runs a bundle that is in /var/lib/ocirt-sd, by its name. This one
            is busybox once more; the demo has changed what it runs.""")
    if quiet("systemctl cat ocirt-sd@.service")[0]:
        print("It is not installed on this computer, so there is none to see.")
        return
    _configure("busybox", ["sh", "-c", f"echo Hello from a service; {WAIT}"], cgroupsPath="")
    typed(f"mkdir -p /var/lib/ocirt-sd && cp -a busybox {BUNDLE}")
    typed(f"systemctl start ocirt-sd@{SERVICE}")
    wait_until(f"journalctl -u ocirt-sd@{SERVICE}", "Hello")
    typed(f"systemctl status --lines=0 ocirt-sd@{SERVICE}", r"Active: active \(running\)")
    typed(f"ocirt-sd logs {SERVICE}", "^Hello from a service$")
    typed("ocirt-sd list", rf"^{SERVICE} +\d+ +running")
    typed(f"systemctl stop ocirt-sd@{SERVICE}")
    typed(f"rm -r {BUNDLE}")


def limits():
    heading("Limits", """They are properties of the unit, too. What cannot be had is an error, and nothing is made;
            a container never has fewer limits than it was to have. The demo adds some to the config.json of
            debian.""")
    _configure("debian", ["/srv/serve"], resources=LIMITS)
    typed("sed -n '/\"resources\"/,/^    }/p' debian/config.json", r'"quota": 50000')
    create = f"ocirt-sd create --bundle debian {DEBIAN}"
    if not CONTROLLERS:
        print("\nThere are no cgroup controllers here, so nothing would enforce them:\n")
        typed(create, "linux.resources.memory.limit: cgroup controller memory is not available", status=1)
        return
    typed(f"systemd-cat -t {DEBIAN} {create} </dev/null")
    typed(f"systemctl show --property={','.join(LIMITS_AS_PROPERTIES)} {SCOPE}",
          *(f"^{name}={value}$" for name, value in LIMITS_AS_PROPERTIES.items()))
    print("\nand the kernel's limits:\n")
    typed(f"cd /sys/fs/cgroup/system.slice/{SCOPE} && grep . memory.max cpu.max pids.max",
          "^memory.max:268435456", "^cpu.max:50000 100000", "^pids.max:64")
    typed(f"ocirt-sd delete --force {DEBIAN}")


def nothing_left():
    heading("Nothing is left", "No container, no unit, no cgroup, no state, no process.")
    typed("ocirt-sd list", absent=["tour-"])
    typed("systemctl list-units --all --no-legend 'tour-*'", absent=["tour-"])
    typed("find /sys/fs/cgroup -name 'tour-*'", absent=["."])
    typed("find /run/ocirt-sd -name 'tour-*'", absent=["tour-"])
    typed("pgrep --list-name ocirt-sd", status=1)


STEPS = [bundles, foreground, detached, units, frozen, inside, ends, supervised, service, limits, nothing_left]


def _clean_up():
    quiet(f"systemctl stop ocirt-sd@{SERVICE}; rm -rf {BUNDLE}")
    for container in [DEBIAN, BUSYBOX]:
        quiet(f"ocirt-sd delete --force {container}")


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
