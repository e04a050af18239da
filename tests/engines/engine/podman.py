# SPDX-License-Identifier: LGPL-2.1-or-later
"""Podman, called as people call it."""

import subprocess
from pathlib import Path

from .containers import Engine
from .setting import ARCHIVES, BUSYBOX, RUNTIME_DIR, SYSTEMD, USER

CONFIGURATION = "containers/containers.conf.d/ocirt-sd.conf"


def as_user(name=USER):
    """In front of a command: somebody's, who has logged in."""
    return ["runuser", "-u", name, "--", "env", "--chdir", f"/home/{name}", f"HOME=/home/{name}",
            f"XDG_RUNTIME_DIR={RUNTIME_DIR}"]


def connect_others():
    """To the system's bus that was restarted: neither logind nor a user's systemd comes back to it by itself."""
    subprocess.run(["systemctl", "restart", "systemd-logind.service"], check=True)
    if (RUNTIME_DIR / "systemd/private").exists():
        subprocess.run([*as_user(), "systemctl", "--user", "daemon-reexec"], check=True)


class Podman(Engine):
    """podman with one of the runtimes, for root or for somebody."""

    at_once = ["--time", "0"]

    def __init__(self, runtime, user=None):
        super().__init__(*(as_user(user) if user else []), "podman", "--runtime", runtime)
        home = f"/home/{user}/.local/share" if user else "/var/lib"
        self.store = Path(home, "containers/storage/overlay-containers")

    def prepare(self):
        """The image; it stays for all tests."""
        if self.call("image", "exists", BUSYBOX).status:
            self("import", "--quiet", "--change", 'CMD ["sh"]', "--change", "ENV PATH=/bin",
                 ARCHIVES / "busybox.tar", BUSYBOX)

    def with_systemd(self):
        """An image that boots."""
        if self.call("image", "exists", SYSTEMD).status:
            self("import", "--quiet", "--change", 'CMD ["/sbin/init"]', ARCHIVES / "systemd.tar", SYSTEMD)
        return SYSTEMD

    def clean(self):
        """Remove what a test has left; asked for only when the store says that there is some."""
        if self.store.is_dir() and any(path.is_dir() for path in self.store.iterdir()):
            self.call("pod", "rm", "--all", "--force", *self.at_once)
            self.call("rm", "--all", "--force", *self.at_once)
