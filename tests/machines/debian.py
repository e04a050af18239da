# SPDX-License-Identifier: LGPL-2.1-or-later
"""Where Debian packages come from, and root file systems made of them.

The mirror is the one apt uses here. Debian keeps all of its releases on the
same mirrors, so another release only needs another suite name.
"""

import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

from . import linux
from .say import Failure

CODENAMES = {"12": "bookworm", "13": "trixie", "sid": "sid"}
ALIASES = {"bookworm": "bookworm", "oldstable": "bookworm", "trixie": "trixie",
           "stable": "trixie", "forky": "forky", "testing": "forky",
           "sid": "sid", "unstable": "sid"}


@dataclass(frozen=True)
class Source:
    """One suite of one repository, as a line of sources.list has it."""
    uri: str
    suite: str
    signed_by: str

    def of(self, codename):
        """The line for the same repository of another release."""
        suffix = self.suite.partition("-")[2]
        suite = f"{codename}-{suffix}" if suffix else codename
        options = f"[signed-by={self.signed_by}] " if self.signed_by else ""
        return f"deb {options}{self.uri} {suite} main"


def _one_line(text):
    pattern = r"^\s*deb\s+(?:\[([^\]]*)\]\s+)?(\S+)\s+(\S+)\s+(.*)$"
    for options, uri, suite, components in re.findall(pattern, text, re.M):
        signed_by = re.search(r"signed-by=(\S+)", options, re.I)
        if "main" in components.split():
            yield Source(uri, suite, signed_by[1] if signed_by else "")


def _fields(stanza):
    lines = [line for line in stanza.splitlines() if not line.startswith("#")]
    pairs = re.findall(r"^([\w-]+):[ \t]*(.*(?:\n[ \t].*)*)", "\n".join(lines), re.M)
    return {name.lower(): value.strip() for name, value in pairs}


def _deb822(text):
    for fields in map(_fields, re.split(r"\n[ \t]*\n", text)):
        enabled = fields.get("enabled", "yes").lower() not in ("no", "false", "0")
        if not enabled or "deb" not in fields.get("types", "").split() \
                or "main" not in fields.get("components", "").split():
            continue
        key = fields.get("signed-by", "")
        for uri in fields.get("uris", "").split():
            for suite in fields.get("suites", "").split():
                yield Source(uri, suite, key if key.startswith("/") else "")


def _sources(etc):
    for path in [etc / "sources.list", *sorted(etc.glob("sources.list.d/*.list"))]:
        if path.exists():
            yield from _one_line(path.read_text())
    for path in sorted(etc.glob("sources.list.d/*.sources")):
        yield from _deb822(path.read_text())


def sources(release, etc=Path("/etc/apt")):
    """The sources.list lines of a release, from apt's configuration here."""
    codename = CODENAMES[release]
    known = [source for source in _sources(etc)
             if source.suite.partition("-")[0] in ALIASES]
    if not any("-" not in source.suite for source in known):
        raise Failure("apt knows no Debian mirror: see /etc/apt/sources.list")
    if release == "sid":
        known = [source for source in known if "-" not in source.suite]
    wanted = [source for source in known
              if source.suite.partition("-")[2] in ("", "updates", "security")]
    return list(dict.fromkeys(source.of(codename) for source in wanted))


def release_here():
    """The Debian release of this computer, as a key of CODENAMES."""
    text = Path("/etc/os-release").read_text(encoding="utf-8")
    name = re.search(r"^VERSION_CODENAME=\"?(\w+)", text, re.M)
    names = {codename: release for release, codename in CODENAMES.items()}
    return names.get(name[1], "sid") if name else "sid"


def _acquire_options():
    """How apt fetches here: proxies, dates, certificates."""
    dump = subprocess.run(["apt-config", "dump"], capture_output=True, text=True, check=True)
    names = r"https?(?:::\S+)?|Check-\S+|ForceIPv[46]|Retries"
    return re.findall(rf"^(Acquire::(?:{names}) \".+\";)$", dump.stdout, re.M)


SLIM = ["/usr/share/doc/*", "/usr/share/man/*", "/usr/share/info/*",
        "/usr/share/locale/*", "/usr/share/lintian/*", "/usr/share/bug/*",
        "/usr/lib/udev/hwdb.d/*", "/usr/share/bash-completion/*"]


def bootstrap(release, target, packages, hooks=(), variant="essential"):
    """Make a root file system of the packages in the empty directory target."""
    command = ["mmdebstrap", "--mode=root", f"--variant={variant}", "--format=directory",
               "--quiet", *(f"--include={package}" for package in packages),
               '--aptopt=APT::Install-Recommends "false"', "--dpkgopt=force-unsafe-io"]
    command += [f"--aptopt={option}" for option in _acquire_options()]
    command += [f"--dpkgopt=path-exclude={pattern}" for pattern in SLIM]
    command += [f"--customize-hook={hook}" for hook in hooks]
    command += [CODENAMES[release], str(target), *sources(release)]
    run_contained(command)


def run_contained(command):
    """Run a command that leaves no process and no mount when it is interrupted."""
    contain = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]
    done = subprocess.run([*contain, *command], stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, check=False,
                          preexec_fn=linux.die_with_parent,
                          env=os.environ | {"LC_ALL": "C.UTF-8"})
    if done.returncode:
        raise Failure(f"{command[0]} failed:\n{done.stdout}{done.stderr}")


def architecture():
    return subprocess.run(["dpkg", "--print-architecture"], check=True,
                          capture_output=True, text=True).stdout.strip()


class Apt:
    """An apt of its own below a directory, that looks at one release."""

    def __init__(self, release, directory):
        self.directory = directory
        for name in ["lists/partial", "archives/partial", "parts"]:
            (directory / name).mkdir(parents=True)
        (directory / "status").touch()
        (directory / "sources.list").write_text("\n".join(sources(release)) + "\n")
        settings = {"Dir::State::lists": "lists", "Dir::Cache": ".",
                    "Dir::Cache::archives": "archives", "Dir::State::status": "status",
                    "Dir::Etc::sourcelist": "sources.list", "Dir::Etc::sourceparts": "parts"}
        self._options = ["-qq", "-o", "APT::Sandbox::User=root"]
        for name, value in settings.items():
            self._options += ["-o", f"{name}={directory / value}"]
        self._get("update")

    def _get(self, *arguments):
        done = subprocess.run(["apt-get", *self._options, *arguments], cwd=self.directory,
                              stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              check=False)
        if done.returncode:
            raise Failure(f"apt-get {' '.join(arguments)} failed:\n{done.stderr}")

    def download(self, package):
        """Fetch a package, and return its path."""
        self._get("download", package)
        return next(self.directory.glob(f"{package}_*.deb"))
