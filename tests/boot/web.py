# SPDX-License-Identifier: LGPL-2.1-or-later
"""ocirt-sd@web.service, and what is written down in a shutdown."""

import shutil
import tempfile
from pathlib import Path

from harness import systemd
from harness.bundle import Bundles
from harness.config import Config
from harness.runtime import Runtime
from harness.wait import until

NAME, UNIT = "web", "ocirt-sd@web.service"
BUNDLE = Path("/var/lib/ocirt-sd", NAME)
LOG, END = BUNDLE / "rootfs/log", BUNDLE / "end"
UNITS = Path("/etc/systemd/system")
MEMORY = 48 << 20
RUNTIME = Runtime("/run/ocirt-sd")

SCRIPT = """
trap 'echo asked >>/log; sleep 0.2; echo ended >>/log; exit 5' TERM
trap 'x=a; while :; do x=$x$x; done' USR1
echo begun >>/log
while :; do sleep 1000 & wait $!; done
"""

# In a shutdown it takes longer than all else that ends there.
HOOK = f"""
[ "$(systemctl is-system-running)" != stopping ] || sleep 5
echo poststop >>{LOG}
"""

DROP_IN = f"""[Unit]
Wants=needed.service
After=needed.service
[Service]
MemoryMax={MEMORY}
MemorySwapMax=0
Restart=on-failure
"""

# What the container needs: it goes after it.
NEEDED = f"""[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/bin/true
ExecStop=/bin/sh -c 'echo unneeded >>{LOG}'
"""

# When all services have ended, and before what they were on is unmounted.
LAST = f"""[Unit]
DefaultDependencies=no
After=shutdown.target
Before=umount.target final.target
[Service]
Type=oneshot
ExecStart=/bin/sh -c 'echo shutdown >>{LOG}; ocirt-sd inspect {NAME} >{END}'
[Install]
WantedBy=shutdown.target
"""


def install():
    """All of that; the container has not begun."""
    config = Config().script(SCRIPT).hook("poststop", "/bin/sh", "-c", HOOK)
    with tempfile.TemporaryDirectory() as top:
        shutil.copytree(Bundles(top).make(config).path, BUNDLE, symlinks=True)
    for name, text in {f"{UNIT}.d/limit.conf": DROP_IN, "needed.service": NEEDED, "last.service": LAST}.items():
        (UNITS / name).parent.mkdir(exist_ok=True)
        (UNITS / name).write_text(text, encoding="ascii")
    systemd.systemctl("enable", UNIT, "last.service")


def show(name):
    return systemd.show(UNIT, name)[name]


def said():
    return LOG.read_text(encoding="ascii").split() if LOG.exists() else []


def until_said(words):
    until(lambda: said() == words, f"the log is {' '.join(words)}")
