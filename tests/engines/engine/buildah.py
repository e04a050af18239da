# SPDX-License-Identifier: LGPL-2.1-or-later
"""buildah, called as people call it."""

from harness.command import Program
from harness.needs import has_cap_sys_resource

from . import setting
from .podman import as_user


class Buildah(Program):
    """buildah with one of the runtimes, for root or for somebody."""

    timeout = 300
    # For root, buildah asks for a million open files.
    limits = [] if has_cap_sys_resource() else ["--ulimit", "nofile=1024:1024", "--ulimit", "nproc=1024:1024"]

    def __init__(self, runtime, user=None):
        super().__init__(*(as_user(user) if user else []), "buildah")
        binary = str(setting.INSTALLED) if runtime == "ocirt-sd" else f"/usr/bin/{runtime}"
        self.options = ["--isolation", "rootless" if user else "oci", "--runtime", binary, "--network", "none"]

    def work_on(self, image):
        """A working container: its name."""
        return self("from", *self.limits, image).strip()

    def build(self, directory, tag):
        self("build", *self.options, *self.limits, "--no-cache", "--tag", tag, directory)

    def run(self, *words):
        return self.call("run", *self.options, *words)
