# SPDX-License-Identifier: LGPL-2.1-or-later
"""What a boot adds to an image: the build, the tests, the agent."""

import contextlib
import shutil
import uuid
from pathlib import Path

from . import cache
from .linux import mount, umount

HERE = Path(__file__).parent

# Units that make no sense in a machine that is thrown away, or cost too much.
MASKED = [
    "apparmor.service", "apt-daily.timer", "apt-daily-upgrade.timer",
    "console-getty.service", "dev-hugepages.mount", "dpkg-db-backup.timer",
    "e2scrub_all.timer", "e2scrub_reap.service", "fstrim.timer", "getty.target",
    "getty@tty1.service", "ldconfig.service", "man-db.timer", "modprobe@.service", "proc-sys-fs-binfmt_misc.automount",
    "serial-getty@ttyS0.service", "sys-kernel-config.mount", "sys-kernel-debug.mount",
    "sys-kernel-tracing.mount", "systemd-binfmt.service", "systemd-firstboot.service",
    "systemd-hwdb-update.service", "systemd-journal-catalog-update.service",
    "systemd-journal-flush.service", "systemd-machine-id-commit.service",
    "systemd-modules-load.service", "systemd-network-generator.service",
    "systemd-pcrphase.service", "systemd-random-seed.service",
    "systemd-remount-fs.service", "systemd-sysctl.service", "systemd-sysusers.service",
    "systemd-tmpfiles-clean.timer", "systemd-udevd.service",
    "systemd-update-done.service", "systemd-update-utmp.service", "tmp.mount",
]


@contextlib.contextmanager
def scratch(name="scratch"):
    """A directory in memory that no other process sees; it leaves no trace."""
    path = cache.root() / name
    path.mkdir(exist_ok=True)
    mount("scratch", path, "tmpfs", options="mode=0755")
    try:
        yield path
    finally:
        umount(path)


def fill(target, build=None):
    """Put everything into the directory target, owned by root."""
    _copy(HERE / "guest", target)
    _copy(HERE.parent, target / "tests")
    shutil.copy(HERE.parents[1] / "README.md", target / "tests")
    _open_to_all(target)
    if build:
        _copy(build, target)
    units = target / "etc/systemd/system"
    for name in MASKED:
        (units / name).symlink_to("/dev/null")
    (target / "etc/machine-id").write_text(f"{uuid.uuid4().hex}\n")


def _copy(source, target):
    shutil.copytree(source, target, symlinks=True, dirs_exist_ok=True,
                    ignore=shutil.ignore_patterns("__pycache__", ".pytest_cache"))


def _open_to_all(top):
    """Whatever the umask of the checkout was, everybody may read what it holds."""
    for path in [top, *top.rglob("*")]:
        if not path.is_symlink():
            executable = path.stat().st_mode & 0o100
            path.chmod(0o755 if executable else 0o644)
