# SPDX-License-Identifier: LGPL-2.1-or-later
"""buildah, called as people call it."""

from harness.command import Program

from . import setting
from .podman import as_user


class Buildah(Program):
    """buildah with one of the runtimes, for root or for somebody."""

    timeout = 300

    def __init__(self, runtime, user=None):
        super().__init__(*(as_user(user) if user else []), "buildah")
        binary = str(setting.INSTALLED) if runtime == "ocirt-sd" else f"/usr/bin/{runtime}"
        self.options = ["--isolation", "rootless" if user else "oci", "--runtime", binary, "--network", "none"]

    def run(self, *words):
        return self.call("run", *self.options, *words)
