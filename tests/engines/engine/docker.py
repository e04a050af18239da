# SPDX-License-Identifier: LGPL-2.1-or-later
"""Docker Engine, called as people call it."""

import json
from pathlib import Path

from harness import readme, systemd

from . import setting
from .containers import Engine
from .setting import ARCHIVES, BUSYBOX

CONFIGURATION = "/etc/docker/daemon.json"
CONTAINERS = Path("/var/lib/docker/containers")


def configure(**settings):
    """README's configuration, with the control's runtime beside it; dockerd runs with it afterwards."""
    configuration = json.loads(readme.file("Docker", CONFIGURATION))
    configuration["runtimes"]["crun"] = {"path": "/usr/bin/crun"}
    setting.write(CONFIGURATION, json.dumps(configuration | settings))
    systemd.systemctl("reset-failed", "docker.service", check=False)  # its starts are counted
    systemd.systemctl("restart", "docker.service")


class Docker(Engine):
    """docker with one of the runtimes."""

    at_once = []

    def __init__(self, runtime):
        super().__init__("docker")
        self.run_options = ["--runtime", runtime]

    def prepare(self):
        """The image; it stays for all tests."""
        self("import", "--change", 'CMD ["sh"]', "--change", "ENV PATH=/bin", ARCHIVES / "busybox.tar", BUSYBOX)

    def clean(self):
        """Remove what a test has left."""
        if CONTAINERS.is_dir():
            for path in CONTAINERS.iterdir():
                self.call("rm", "--force", path.name)
