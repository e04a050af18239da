# SPDX-License-Identifier: LGPL-2.1-or-later
"""A machine in QEMU: Debian's kernel and systemd, with everything they have.

The disk is the cached image, and what is written to it is gone afterwards. What
a boot adds comes as a second archive behind the initrd.
"""

import contextlib
import os
import socket
import subprocess
import tempfile
import time
from pathlib import Path

from . import cache, host, images, linux, payload
from .channel import Channel
from .say import Failure, step

MEMORY, CPUS = "2048", "2"
BOOT_DEADLINE = 1200  # for what hangs
TRIAL_DEADLINE = 6
# With a thread for each processor one may run, for good, what Linux had written for a moment only when it rewrote its
# own code ("Oops: int3"). One thread for all of them is faster, too.
EMULATED = ["-accel", "tcg,thread=single", "-cpu", "max,la57=off,cx16=off"]
ACCELERATED = ["-accel", "kvm", "-cpu", "host"]
CMDLINE = "console=ttyS0 quiet panic=-1 apparmor=1 systemd.show_status=0"


@contextlib.contextmanager
def machine(release, build=None, share=None, packages="base", reboots=False):
    """Boot a machine, and yield its channel."""
    host.need(*host.VIRTUAL)
    disk, kernel = images.disk(release, packages), images.kernel(release)
    accelerator = _accelerator(kernel)
    with contextlib.ExitStack() as stack:
        initrd = stack.enter_context(_initrd(kernel, build))
        log = stack.enter_context(tempfile.TemporaryFile())
        ours, theirs = socket.socketpair()
        stack.enter_context(ours)
        with theirs, step(f"booting a virtual machine with Debian {release}"):
            command = [*_qemu(kernel, initrd, accelerator), *_devices(disk, theirs),
                       *_share(share), *([] if reboots else ["-no-reboot"])]
            process = stack.enter_context(_process(command, [initrd, theirs.fileno()], log))
            theirs.close()
            channel = _connect(ours, log)
        try:
            yield channel
        except (Failure, OSError) as error:
            raise Failure(f"{error}; QEMU {_end(process)}, and the machine said:\n{_text(log)}") from None


def prepare(release, packages="base"):
    """Make everything that a boot needs."""
    host.need(*host.VIRTUAL)
    images.disk(release, packages)
    _accelerator(images.kernel(release))


def _connect(ours, log):
    ours.settimeout(BOOT_DEADLINE)
    channel = Channel(ours)
    try:
        channel.wait_until_ready()
    except (Failure, OSError) as error:
        raise Failure(f"the machine does not answer ({error}); it said:\n{_text(log)}") from None
    ours.settimeout(None)
    return channel


def _text(log):
    log.seek(0)
    return log.read().decode(errors="replace")


def _end(process):
    try:
        return f"ended with {process.wait(1)}"
    except subprocess.TimeoutExpired:
        return "runs"


@contextlib.contextmanager
def _initrd(kernel, build):
    """A descriptor of the kernel's initrd with this boot's files behind it."""
    with payload.scratch() as scratch:
        files = scratch / "payload"
        files.mkdir()
        payload.fill(files, build)
        archive = images.cpio(scratch)
    fd = os.memfd_create("initrd")
    with open(fd, "wb", closefd=False) as file:
        file.write((kernel / "initrd.cpio").read_bytes())
        file.write(archive)
    try:
        yield fd
    finally:
        os.close(fd)


def _qemu(kernel, initrd, accelerator):
    return ["qemu-system-x86_64", "-nodefaults", "-no-user-config",
            "-display", "none", "-serial", "stdio", *accelerator, "-m", MEMORY,
            "-smp", CPUS, "-kernel", str(kernel / "vmlinuz"),
            "-initrd", f"/proc/self/fd/{initrd}", "-device", "virtio-rng-pci"]


def _devices(disk, channel):
    image = f"file={disk}/disk.img,format=raw,snapshot=on,cache=unsafe"
    return ["-drive", f"if=none,id=disk,{image}", "-device", "virtio-blk-pci,drive=disk",
            "-device", "virtio-serial-pci",
            "-chardev", f"socket,id=channel,fd={channel.fileno()}",
            "-device", "virtserialport,chardev=channel,name=machine"]


def _share(share):
    if not share:
        return ["-append", CMDLINE]
    path = str(share).replace(",", ",,")
    return ["-append", f"{CMDLINE} share=9p", "-virtfs",
            f"local,path={path},mount_tag=share,security_model=passthrough,multidevs=remap"]


@contextlib.contextmanager
def _process(command, fds, log):
    """A process in a session of its own, so that a Ctrl-C is left to us."""
    process = subprocess.Popen(command, pass_fds=fds, stdin=subprocess.DEVNULL, stdout=log,
                               stderr=log, start_new_session=True,
                               preexec_fn=linux.die_with_parent)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def _accelerator(kernel):
    """KVM where a kernel gets to print under it; there are hosts where none does."""
    if not os.access("/dev/kvm", os.R_OK | os.W_OK):
        return EMULATED
    boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    note = cache.root() / f"{kernel.name}.kvm"
    if not note.exists() or not note.read_text().startswith(boot):
        with step("trying KVM"):
            verdict = "works" if _prints_under_kvm(kernel) else "hangs"
        note.write_text(f"{boot} {verdict}\n")
    return ACCELERATED if "works" in note.read_text() else EMULATED


def _prints_under_kvm(kernel):
    command = ["qemu-system-x86_64", "-nodefaults", "-no-user-config", "-no-reboot",
               "-display", "none", "-serial", "stdio", *ACCELERATED, "-m", "512",
               "-kernel", str(kernel / "vmlinuz"), "-append", "console=ttyS0 panic=-1"]
    with tempfile.TemporaryFile() as log, _process(command, [], log) as process:
        end = time.monotonic() + TRIAL_DEADLINE
        while time.monotonic() < end and process.poll() is None:
            if b"Kernel panic" in os.pread(log.fileno(), 1 << 20, 0):
                return True
            time.sleep(0.1)
        return b"Kernel panic" in os.pread(log.fileno(), 1 << 20, 0)
