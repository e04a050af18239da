# SPDX-License-Identifier: LGPL-2.1-or-later
"""containerd, through ctr and as a kubelet sees it."""

import contextlib
import itertools
import subprocess
import tempfile
from pathlib import Path

from harness import process, readme, systemd
from harness.command import Program
from harness.wait import until

from . import archive, setting
from .containers import FOREVER

SOCKET = "/run/containerd/containerd.sock"
CONFIGURATION = "/etc/containerd/config.toml"
NETWORK = """
{"cniVersion": "1.0.0", "name": "tests", "plugins": [
  {"type": "bridge", "bridge": "cni0", "ipMasq": false,
   "ipam": {"type": "host-local", "ranges": [[{"subnet": "10.99.0.0/16"}]]}}]}
"""
PLUGIN = 'plugins."io.containerd.grpc.v1.cri"'
CONTROL = f"""
[{PLUGIN}.containerd.runtimes.crun]
  runtime_type = "io.containerd.runc.v2"
  [{PLUGIN}.containerd.runtimes.crun.options]
    BinaryName = "/usr/bin/crun"
    SystemdCgroup = true
"""
IMAGE = "docker.io/library/busybox:latest"

_numbers = itertools.count()


def configure():
    """Debian's configuration, with README's section appended."""
    before = Path(CONFIGURATION).read_text(encoding="utf-8")
    before = before.replace(f"[{PLUGIN}]\n", f'[{PLUGIN}]\n  sandbox_image = "{IMAGE}"\n')
    setting.write(CONFIGURATION, f'{before}{readme.file("containerd", CONFIGURATION)}{CONTROL}')
    setting.write("/etc/cni/net.d/10-tests.conflist", NETWORK)
    systemd.systemctl("start", "containerd.service")
    with tempfile.TemporaryDirectory() as directory:
        image = archive.write(f"{directory}/image.tar", setting.ARCHIVES / "busybox.tar", FOREVER)
        for namespace in ["default", "k8s.io"]:
            Program("ctr", "--namespace", namespace)("image", "import", "--base-name",
                                                     IMAGE.removesuffix(":latest"), image)


class Containerd(Program):
    """ctr, with one of the runtimes."""

    timeout = 300

    def __init__(self, runtime):
        super().__init__("ctr")
        self.binary = str(setting.INSTALLED) if runtime == "ocirt-sd" else f"/usr/bin/{runtime}"

    def _run(self, *options, name, command):
        return ["run", "--runtime", "io.containerd.runc.v2", "--runc-binary", self.binary,
                "--runc-systemd-cgroup", "--cgroup", f"system.slice:ctr:{name}", *options, IMAGE, name, *command]

    def run(self, *command, options=()):
        """In the foreground: the Result."""
        return self.call(*self._run("--rm", *options, name=f"c{next(_numbers)}", command=command))

    def start(self, *options, command=FOREVER):
        """In the background: the Container."""
        name = f"c{next(_numbers)}"
        self(*self._run("--detach", *options, name=name, command=command))
        return Container(self, name)

    def clean(self):
        for name in self("container", "list", "--quiet").split():
            self.call("task", "delete", "--force", name)
            self.call("container", "delete", name)


class Container:
    """A container with a task."""

    def __init__(self, engine, name):
        self.engine, self.name = engine, name

    def __call__(self, *words):
        """ctr task WORDS NAME."""
        return self.engine("task", *words, self.name)

    def task(self):
        """Its pid and its status."""
        for line in self.engine("task", "list").splitlines()[1:]:
            name, pid, status = line.split()
            if name == self.name:
                return int(pid), status
        return 0, ""

    @property
    def pid(self):
        return self.task()[0]

    @property
    def unit(self):
        return f"ctr-{self.name}.scope"

    def exec(self, *command, options=()):
        return self.engine.call("task", "exec", "--exec-id", f"e{next(_numbers)}", *options, self.name, *command)

    def wait_for_end(self):
        until(lambda: self.task()[1] == "STOPPED", f"the end of {self.name}")
        return self

    def remove(self):
        """Kill it, if need be, and everything that containerd has of it; its exit status."""
        result = self.engine.call("task", "delete", "--force", self.name)
        self.engine("container", "delete", self.name)
        return result.status


@contextlib.contextmanager
def events(engine, *topics):
    """A function that returns what was published until it is called: lines of text."""
    with tempfile.TemporaryFile("w+") as output:
        listener = engine.start_process("events", stdout=output, stdin=subprocess.DEVNULL)

        def lines():
            output.seek(0)
            return [line for line in output.read().splitlines() if any(topic in line for topic in topics)]

        try:
            until(lambda: process.waits(listener.pid), "ctr listens")
            yield lines
        finally:
            listener.terminate()
            listener.wait()
