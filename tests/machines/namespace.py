# SPDX-License-Identifier: LGPL-2.1-or-later
"""A machine of namespaces: systemd as the first process of new pid, mount,
cgroup, uts, ipc and network namespaces, in a cgroup of its own.

The image is the lower layer of an overlay, memory the upper one. /proc/sys and
/sys are read-only, so that nothing in the machine changes this computer's
kernel; whole copies for nested user namespaces are in /run/host, as the kernel
wants to see one before it lets such a namespace mount its own.
"""

import contextlib
import os
import select
import signal
import socket
import stat
import subprocess
import time
from pathlib import Path

from . import images, linux, payload
from .channel import Channel
from .linux import MS_NODEV, MS_NOEXEC, MS_NOSUID, MS_RDONLY, MS_SHARED, bind, mount
from .say import Failure

BOOT_DEADLINE = 300  # for what hangs
KERNEL_FILES = MS_NOSUID | MS_NODEV | MS_NOEXEC
ENVIRONMENT = {"container": "ocirt-sd", "PATH": "/usr/sbin:/usr/bin", "LANG": "C.UTF-8"}
DEVICES = {"null": (1, 3), "zero": (1, 5), "full": (1, 7), "random": (1, 8),
           "urandom": (1, 9), "tty": (5, 0), "fuse": (10, 229), "net/tun": (10, 200)}
DEVICE_LINKS = {"fd": "/proc/self/fd", "stdin": "fd/0", "stdout": "fd/1",
                "stderr": "fd/2", "ptmx": "pts/ptmx"}
READONLY = ["sys", "sysrq-trigger", "irq", "bus"]


@contextlib.contextmanager
def machine(release, build=None, share=None, packages="base"):
    """Boot a machine, and yield its channel."""
    rootfs = images.rootfs(release, packages)
    with contextlib.ExitStack() as stack:
        scratch = stack.enter_context(payload.scratch())
        for name in ["upper", "work", "root", "host"]:
            (scratch / name).mkdir()
        payload.fill(scratch / "upper", build)
        cgroup = stack.enter_context(_cgroup(scratch))
        listener = stack.enter_context(socket.socket(socket.AF_UNIX))
        listener.bind(str(scratch / "host/channel"))
        listener.listen()
        pid = stack.enter_context(_first_process(scratch, rootfs, cgroup, share))
        yield _connect(listener, pid, scratch / "console")


def prepare(release, packages="base"):
    """Make everything that a boot needs."""
    images.rootfs(release, packages)


def _connect(listener, pid, console):
    end = os.pidfd_open(pid)
    answers = select.select([listener, end], [], [], BOOT_DEADLINE)[0]
    os.close(end)
    if listener not in answers:
        journal = subprocess.run(["nsenter", "-t", str(pid), "-a", "journalctl", "-n50"],
                                 capture_output=True, text=True, check=False).stdout
        raise Failure("the machine does not answer; it said:\n"
                      f"{console.read_text(errors='replace')}{journal}")
    channel = Channel(listener.accept()[0])
    channel.wait_until_ready()
    return channel


@contextlib.contextmanager
def _cgroup(scratch):
    """A cgroup for the machine, below the one this process is in.

    The mount is made in a new cgroup namespace: one made in the first namespace
    would change the options of the hierarchy for the whole computer.
    """
    delegated = "/ocirt-sd-machine-" in Path("/proc/self/cgroup").read_text()
    linux.unshare(linux.CLONE_NEWCGROUP)
    top = scratch / "cgroup"
    top.mkdir()
    mount("cgroup2", top, "cgroup2", KERNEL_FILES)
    _sweep(top)
    if delegated:
        _hand_down_controllers(top)
    path = top / f"ocirt-sd-machine-{os.getpid()}"
    path.mkdir()
    try:
        yield path
    finally:
        _remove_cgroup(path)


def _hand_down_controllers(top):
    """Controllers can be handed down once no process is left at the top."""
    (top / "supervisor").mkdir(exist_ok=True)
    (top / "supervisor/cgroup.procs").write_text("0")
    for name in (top / "cgroup.controllers").read_text().split():
        (top / "cgroup.subtree_control").write_text(f"+{name}")


def own_scope(argv):
    """Where systemd runs this computer, start over in a scope of our own."""
    cgroup = Path("/proc/self/cgroup").read_text()
    if not Path("/run/systemd/system").exists() or "/ocirt-sd-machine-" in cgroup:
        return
    scope = ["systemd-run", "--quiet", "--scope", "--collect", "--property=Delegate=yes",
             f"--unit=ocirt-sd-machine-{os.getpid()}"]
    os.execvp(scope[0], [*scope, *argv])


def _sweep(top):
    """Remove what a killed run could not: its processes are gone, its cgroups are not."""
    for path in top.glob("ocirt-sd-machine-*"):
        if not Path("/proc", path.name.rpartition("-")[2]).exists():
            _remove_empty(path)


def _remove_empty(path):
    """One step at a time: thousands may be below each other, too many for a path or a recursion."""
    names, kept = [path.name], [set()]
    here = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    while names:
        with os.scandir(here) as entries:
            below = next((entry.name for entry in entries
                          if entry.is_dir(follow_symlinks=False) and entry.name not in kept[-1]), None)
        there = os.open(below or "..", os.O_RDONLY | os.O_DIRECTORY, dir_fd=here)
        os.close(here)
        here = there
        if below:
            names.append(below)
            kept.append(set())
            continue
        name = names.pop()
        kept.pop()
        try:
            os.rmdir(name, dir_fd=here)
        except OSError:
            if kept:
                kept[-1].add(name)
    os.close(here)


def _remove_cgroup(path, deadline=300):
    end = time.monotonic() + deadline
    with contextlib.suppress(FileNotFoundError):
        (path / "cgroup.kill").write_text("1")
    while path.exists():
        _remove_empty(path)
        if time.monotonic() > end:
            raise Failure(f"the cgroup {path.name} cannot be removed")
        time.sleep(0.01)


@contextlib.contextmanager
def _first_process(scratch, rootfs, cgroup, share):
    flags = linux.CLONE_NEWUTS | linux.CLONE_NEWIPC | linux.CLONE_NEWNET | linux.CLONE_NEWNS
    pid = linux.fork_into(flags)
    if pid == 0:
        _become_init(scratch, rootfs, cgroup, share)
    try:
        yield pid
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)


def _become_init(scratch, rootfs, cgroup, share):
    """In the child: build the machine's file systems, and become systemd."""
    try:
        _detach_stdio(scratch / "console")
        (cgroup / "cgroup.procs").write_text("0")
        linux.unshare(linux.CLONE_NEWCGROUP)
        root = scratch / "root"
        layers = f"lowerdir={rootfs},upperdir={scratch}/upper,workdir={scratch}/work"
        mount("overlay", root, "overlay", options=layers)
        _mount_kernel_files(root)
        _make_devices(root / "dev")
        _mount_host(root, scratch / "host")
        if share:
            (root / "share").mkdir(exist_ok=True)
            bind(share, root / "share")
        linux.pivot(root)
        os.execve("/usr/lib/systemd/systemd", ["/usr/lib/systemd/systemd"], ENVIRONMENT)
    except BaseException as error:  # the parent's cleanup is not for this process
        os.write(2, f"{error}\n".encode())
    os._exit(1)


def _detach_stdio(log):
    os.setsid()
    null = os.open("/dev/null", os.O_RDWR)
    output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    for source, target in [(null, 0), (output, 1), (output, 2)]:
        os.dup2(source, target)
    for number in range(1, signal.NSIG):
        with contextlib.suppress(OSError, ValueError):
            signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, [])
    os.umask(0)


def _mount_kernel_files(root):
    mount("proc", root / "proc", "proc", KERNEL_FILES)
    for name in filter(lambda name: (root / "proc" / name).exists(), READONLY):
        bind(root / "proc" / name, root / "proc" / name, readonly=True)
    bind(root / "proc/sys/net", root / "proc/sys/net")
    mount(None, root / "proc/sys/net", flags=linux.MS_BIND | linux.MS_REMOUNT)
    mount("sysfs", root / "sys", "sysfs", KERNEL_FILES)
    mount("cgroup2", root / "sys/fs/cgroup", "cgroup2", KERNEL_FILES)
    mount("bpf", root / "sys/fs/bpf", "bpf", KERNEL_FILES, "mode=0700")
    mount(None, root / "sys", flags=KERNEL_FILES | linux.MS_BIND | linux.MS_REMOUNT | MS_RDONLY)


def _make_devices(dev):
    mount("dev", dev, "tmpfs", MS_NOSUID, "mode=0755")
    for name in ["pts", "shm", "mqueue", "net"]:
        (dev / name).mkdir()
    for name, numbers in DEVICES.items():
        os.mknod(dev / name, 0o666 | stat.S_IFCHR, os.makedev(*numbers))
    for name, target in DEVICE_LINKS.items():
        (dev / name).symlink_to(target)
    mount("devpts", dev / "pts", "devpts", MS_NOSUID | MS_NOEXEC,
          "newinstance,ptmxmode=0666,mode=0620,gid=5")
    mount("shm", dev / "shm", "tmpfs", MS_NOSUID | MS_NODEV, "mode=1777")
    mount("mqueue", dev / "mqueue", "mqueue", KERNEL_FILES)


def _mount_host(root, host):
    mount("run", root / "run", "tmpfs", MS_NOSUID | MS_NODEV, "mode=0755")
    mount(None, root / "run", flags=MS_SHARED)  # systemd mounts credentials there from a mount namespace of a child's
    (root / "run/host").mkdir()
    bind(host, root / "run/host")
    for kind, name in [("proc", "proc"), ("sysfs", "sys")]:
        (host / name).mkdir(mode=0o700)
        mount(name, root / "run/host" / name, kind, KERNEL_FILES)
