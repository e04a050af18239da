# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the machines are made of.

  rootfs   a Debian file system that both kinds of machine boot
  kernel   Debian's kernel, with the modules a virtual machine can use
  disk     an ext4 image of both

To give a machine more, add packages to a set below: a set is a rootfs of its
own, and its disk follows. The set with the engines has container images, too.
"""

import lzma
import os
import re
import shutil
import subprocess
from pathlib import Path

from . import bundles, cache, debian, host
from .linux import MS_RDONLY, mount, umount
from .say import Failure, step

BASE = [
    "systemd", "systemd-sysv", "systemd-container", "libpam-systemd", "dbus",
    "dbus-user-session", "libseccomp2", "libjson-c5", "libcap2", "libcap2-bin",
    "procps", "iproute2", "util-linux", "mount", "login", "passwd", "uidmap",
    "kmod", "tar", "gzip", "jq", "strace", "busybox-static", "apparmor", "e2fsprogs",
    "bpftool", "python3", *host.TESTS, "crun", "runc",
]
ENGINES = [
    "podman", "conmon", "netavark", "aardvark-dns", "passt", "slirp4netns", "catatonit",
    "buildah", "containerd", "containernetworking-plugins", "python3-grpcio",
    "docker.io", "docker-cli", "iptables", "nftables", "ca-certificates",
]
ENGINE_UNITS = ["containerd.service", "docker.service", "docker.socket",
                "netavark-dhcp-proxy.service", "netavark-dhcp-proxy.socket",
                "netavark-firewalld-reload.service"]
SETS = {
    "base": [*BASE, "valgrind"],
    "engines": [*BASE, *ENGINES],
    "builder": [*host.BUILD, *host.COMPILERS],
}

USER = "tester"
HOOKS = [
    f'chroot "$1" useradd --create-home --uid 1000 --shell /bin/bash {USER}',
    'rm -rf "$1"/var/cache/debconf/* "$1"/var/log/*.log',
]
HOOKS_OF = {
    "base": HOOKS,
    "engines": [*HOOKS, f'systemctl --root="$1" --quiet disable {" ".join(ENGINE_UNITS)}'],
}
CONTAINERS = {"engines": ["busybox", "systemd"]}

# What a virtual machine can use of Debian's modules, below kernel/.
MODULES = ["arch", "block", "crypto", "fs", "lib", "mm", "net", "security",
           "drivers/block", "drivers/char", "drivers/crypto", "drivers/md",
           "drivers/virtio", *(f"drivers/net/{name}" for name in (
               "dummy.ko*", "ipvlan", "macvlan.ko*", "net_failover.ko*", "tap.ko*",
               "tun.ko*", "veth.ko*", "virtio_net.ko*", "vxlan", "wireguard"))]
INITRD_MODULES = ["virtio_pci", "virtio_blk", "virtio_console", "ext4", "crc32c_generic",
                  "9pnet_virtio", "9p", "virtio_rng"]
KERNEL_PACKAGE = r"\b(linux-(?:image-|binary-|modules-|base-(?=\d))[\w.+~-]+)"
DISK_SIZE = "8G"


def rootfs(release, name="base"):
    """The directory of a root file system; it is not to be changed."""
    packages, hooks = SETS[name], HOOKS_OF.get(name, [])
    containers = {kind: bundles.rootfs(kind) for kind in CONTAINERS.get(name, [])}

    def make(path):
        host.need(*host.IMAGES)
        with step(f"making a Debian {release} file system ({name})"):
            debian.bootstrap(release, path, packages, hooks)
            for kind, tree in containers.items():
                _archive(tree, path / f"usr/share/containers/{kind}.tar")

    ingredients = [release, packages, hooks, cache.source("debian.py")]
    ingredients += [tree.name for tree in containers.values()]
    return cache.entry(f"{name}-{release}", ingredients, make)


def kernel(release):
    """A directory with Debian's kernel at vmlinuz, an initrd, and tree/."""
    base = rootfs(release)

    def make(path):
        host.need(*host.IMAGES)
        with step(f"unpacking the kernel of Debian {release}"):
            _unpack_kernel(_download_kernel(release, path), path)
            _make_initrd(base, path)

    ingredients = [release, MODULES, INITRD_MODULES, cache.source("images.py"),
                   cache.source("debian.py"), cache.source("initrd.sh")]
    return cache.entry(f"kernel-{release}", ingredients, make)


def disk(release, name="base"):
    """A directory with the root file system of a virtual machine at disk.img."""
    base, boot = rootfs(release, name), kernel(release)

    def make(path):
        host.need("e2fsprogs")
        with step(f"making a disk of Debian {release} ({name})"):
            _make_disk(base, boot, path)

    ingredients = [base.name, boot.name, cache.source("images.py")]
    return cache.entry(f"disk-{name}-{release}", ingredients, make)


def _archive(tree, path):
    path.parent.mkdir(parents=True, exist_ok=True)
    subprocess.run(["tar", "-c", "--numeric-owner", "-f", path, "-C", tree, "."], check=True)


def _download_kernel(release, path):
    """Fetch the kernel's packages: one, or several as from Debian 14 on."""
    apt = debian.Apt(release, path / "apt")
    found, wanted = {}, {f"linux-image-{debian.architecture()}"}
    while wanted:
        name = wanted.pop()
        found[name] = apt.download(name)
        depends = subprocess.run(["dpkg-deb", "-f", found[name], "Depends"],
                                 check=True, capture_output=True, text=True).stdout
        wanted |= set(re.findall(KERNEL_PACKAGE, depends)) - found.keys()
    return found.values()


def _unpack_kernel(packages, path):
    tree = path / "tree"
    tree.mkdir()
    for package in packages:
        _unpack(package, tree)
    shutil.rmtree(path / "apt")
    next(tree.glob("**/vmlinuz*")).rename(path / "vmlinuz")
    (tree / "lib").symlink_to("usr/lib")
    subprocess.run(["depmod", "--basedir", tree, _version(tree)], check=True)


def _unpack(package, tree):
    wanted = [f"*/kernel/{pattern}" for pattern in MODULES]
    wanted += ["*/vmlinuz*", "*/config-*", "*/modules.builtin*", "*/modules.order"]
    archive = subprocess.Popen(["dpkg-deb", "--fsys-tarfile", package], stdout=subprocess.PIPE)
    subprocess.run(["tar", "-x", "-C", tree, "--wildcards",
                    "--transform=s,^\\./lib/,./usr/lib/,", *wanted],
                   stdin=archive.stdout, stderr=subprocess.DEVNULL, check=False)
    if archive.wait():
        raise Failure(f"dpkg-deb cannot unpack {package.name}")


def _version(tree):
    return next(tree.glob("usr/lib/modules/*")).name


def _make_initrd(base, path):
    """An initrd of a busybox, an init script and the modules it loads in turn."""
    root = path / "initrd"
    (root / "bin").mkdir(parents=True)
    shutil.copy(base / "usr/bin/busybox", root / "bin/busybox")
    shutil.copy(Path(__file__).with_name("initrd.sh"), root / "init")
    (root / "init").chmod(0o755)
    (root / "modules").mkdir()
    for number, module in enumerate(_modules_in_order(path / "tree")):
        name = module.name.partition(".ko")[0]
        (root / f"modules/{number:02}-{name}.ko").write_bytes(_uncompressed(module))
    (path / "initrd.cpio").write_bytes(cpio(root))
    shutil.rmtree(root)


def _modules_in_order(tree):
    found = []
    for name in INITRD_MODULES:
        show = ["modprobe", "--show-depends", "--dirname", tree, "--set-version", _version(tree)]
        done = subprocess.run([*show, name], capture_output=True, text=True, check=False)
        found += re.findall(r"^insmod (\S+)", done.stdout, re.M)
    return [Path(path) for path in dict.fromkeys(found)]


def _uncompressed(module):
    content = module.read_bytes()
    return lzma.decompress(content) if module.suffix == ".xz" else content


def cpio(directory):
    """The directory's files as an archive that Linux unpacks at boot."""
    names = sorted(path.relative_to(directory) for path in directory.rglob("*"))
    archive = subprocess.run(["cpio", "--create", "--format=newc", "--null", "--quiet"],
                             input=b"\0".join(map(os.fsencode, names)), cwd=directory,
                             stdout=subprocess.PIPE, check=True)
    return archive.stdout


def _make_disk(base, boot, path):
    """Merge both trees, and let mke2fs read the whole."""
    merged = path / "merged"
    merged.mkdir()
    mount("overlay", merged, "overlay", MS_RDONLY, f"lowerdir={boot / 'tree'}:{base}")
    try:
        subprocess.run(["mke2fs", "-qq", "-t", "ext4", "-O", "^has_journal", "-m", "0",
                        "-d", merged, path / "disk.img", DISK_SIZE],
                       check=True, stdout=subprocess.DEVNULL)
    finally:
        umount(merged)
        merged.rmdir()
