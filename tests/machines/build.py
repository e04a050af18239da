# SPDX-License-Identifier: LGPL-2.1-or-later
"""This project, compiled and installed into a directory.

A program built on one Debian release runs on that release and newer ones. For
an older machine the compiler runs in a root file system of its release.
"""

import contextlib
import json
import os
import shutil
import subprocess
from pathlib import Path

from . import cache, debian, host, images, linux, payload
from .say import Failure, step

SOURCE = Path(__file__).resolve().parents[2]
RELEASE = ["--prefix=/usr", "--sysconfdir=/etc", "--localstatedir=/var",
           "--buildtype=release", "-Dtests=false",
           "-Dsystemdsystemunitdir=lib/systemd/system"]  # not /lib, which is a symlink in a machine
SANITIZED = ["--buildtype=debug", "-Db_sanitize=address,undefined", "-Db_lundef=false"]
FUZZED = ["--buildtype=debugoptimized", "-Db_sanitize=address,undefined", "-Db_lundef=false",
          "-Dfuzzers=true"]
STRICT = ["-Dwerror=true"] if os.environ.get("CI") else []  # compilers differ in what they see
PROGRAMS = SOURCE / "tests/integration/programs"
FEW = 5  # commands that compile the program's version in


def for_machine(release):
    """The directory of an installed build that runs on the release."""
    native = int(_number(debian.release_here())) <= int(_number(release))
    directory = SOURCE / ("build-machine" if native else f"build-machine-{release}")
    with _alone(directory):
        if native:
            host.need(*host.BUILD)
            _install(directory, RELEASE, _run_here)
        else:
            with _toolchain(release) as run:
                _install(directory, RELEASE, run)
        _add_programs(directory / "tree")
    return directory / "tree"


def strictly(release, compiler):
    """Compile everything, the tests too, with a release's compiler and warnings as errors."""
    directory = SOURCE / f"build-strict-{release}-{compiler}"
    with _alone(directory), contextlib.ExitStack() as stack:
        if release == debian.release_here():
            host.need(*host.BUILD, *host.COMPILERS)
            run = _run_here
        else:
            run = stack.enter_context(_toolchain(release))
        _compile(directory, ["--buildtype=release", "-Dwerror=true"],
                 lambda command: run(["env", f"CC={compiler}", *command]))


def for_host():
    """The directory whose bin/ has a build that runs here, where it lies."""
    host.need(*host.BUILD)
    directory = SOURCE / "build-host"
    with _alone(directory):
        _compile(directory, [f"--prefix={directory}/tree", *RELEASE[1:]], _run_here)
        _run_here(["meson", "install", "-C", str(directory), "--no-rebuild", "--quiet"])
        _add_programs(directory / "tree")
    return directory / "tree"


def _add_programs(tree):
    """What containers of the integration tests execute: static, so that they run in each of them."""
    def make(path):
        for source in sources:
            _run_here(["gcc", "-O2", "-D_GNU_SOURCE", "-Wall", "-Wextra", "-Werror", "-static",
                       "-o", str(path / source.stem), str(source)])

    sources = sorted(PROGRAMS.glob("*.c"))
    made = cache.entry("programs", [path.read_text() for path in sorted(PROGRAMS.glob("*.[ch]"))], make)
    shutil.copytree(made, tree / "tests/programs", dirs_exist_ok=True)


def programs(directory):
    """What another build has: the helper is beside the program, or where it is installed."""
    helpers = [directory / "ocirt-sd-init", directory.parent / "libexec/ocirt-sd/ocirt-sd-init"]
    program, helper = directory / "ocirt-sd", next(filter(_is_program, helpers), helpers[0])
    for path in [program, helper]:
        if not _is_program(path):
            raise Failure(f"there is no program {path.name} in {directory}")
    return [program, helper]


def _is_program(path):
    return path.is_file() and os.access(path, os.X_OK)


def sanitized():
    """A build directory for the tests that run here."""
    host.need(*host.BUILD)
    directory = SOURCE / "build-sanitized"
    with _alone(directory):
        _compile(directory, SANITIZED, _run_here)
    return directory


def fuzzers():
    """A build directory for tests/fuzz, with libFuzzer."""
    host.need(*host.BUILD, "clang")
    version = _run_here(["clang", "-dumpversion"]).partition(".")[0]
    host.need(f"libclang-rt-{version}-dev")
    directory = SOURCE / "build-fuzz"
    with _alone(directory):
        _compile(directory, FUZZED, lambda command: _run_here(["env", "CC=clang", *command]))
    return directory


def _number(release):
    return {"sid": "99"}.get(release, release)


@contextlib.contextmanager
def _alone(directory):
    directory.mkdir(exist_ok=True)
    fd = cache.lock(directory / "build")
    try:
        yield
    finally:
        os.close(fd)


def _compile(directory, options, run):
    options = [*options, *STRICT]
    fresh = not _is_configured(directory, options)
    with step("compiling") if fresh or _is_behind(directory, run) else contextlib.nullcontext():
        if fresh:
            _configure(directory, options, run)
        run(["ninja", "-C", str(directory)])


def _is_configured(directory, options):
    """Whether the directory was made by the same options, for this very place."""
    record = directory / "options.json"
    return record.exists() and json.loads(record.read_text()) == [str(SOURCE), *options]


def _configure(directory, options, run):
    for path in directory.iterdir():
        if path.is_dir():
            shutil.rmtree(path)
        elif path.name != "build.lock":
            path.unlink()
    run(["meson", "setup", *options, str(directory), str(SOURCE)])
    (directory / "options.json").write_text(json.dumps([str(SOURCE), *options]))


def _is_behind(directory, run):
    """Whether much is to be compiled; the version, looked at each time, is not much."""
    return run(["ninja", "-n", "-C", str(directory)]).count("\n") > FEW


def _install(directory, options, run):
    """What has not changed is not touched: another machine may just be reading it."""
    _compile(directory, options, run)
    run(["meson", "install", "-C", str(directory), "--no-rebuild", "--quiet", "--only-changed",
         "--destdir", str(directory / "tree")])


def _run_here(command):
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          check=False, cwd=SOURCE, preexec_fn=linux.die_with_parent,
                          env=os.environ | {"LC_ALL": "C.UTF-8"})
    if done.returncode:
        raise Failure(f"{' '.join(command[:2])} failed:\n{done.stdout}{done.stderr}")
    return done.stdout


@contextlib.contextmanager
def _toolchain(release):
    """Yield a function that runs a command among the release's compilers."""
    lower = images.rootfs(release, "builder")
    with payload.scratch() as scratch:
        for name in ["upper", "work", "root"]:
            (scratch / name).mkdir()
        root = scratch / "root"
        layers = f"lowerdir={lower},upperdir={scratch}/upper,workdir={scratch}/work"
        linux.mount("overlay", root, "overlay", options=layers)
        inside = root / SOURCE.relative_to("/")
        inside.mkdir(parents=True)
        linux.bind(SOURCE, inside)
        linux.bind("/dev", root / "dev")
        yield lambda command: _run_here(
            ["unshare", "--pid", "--fork", "--kill-child", f"--root={root}",
             "--mount-proc", "env", "PATH=/usr/bin:/usr/sbin", *command])
