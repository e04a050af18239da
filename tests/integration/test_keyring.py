# SPDX-License-Identifier: LGPL-2.1-or-later
"""The session keyring: all processes of a container have the same one, and nobody else has it."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from harness.config import Config
from harness.needs import needs_root
from harness.wait import DEADLINE

PROGRAM = Path(os.environ.get("OCIRT_PROGRAMS", "/tests/programs")) / "keys"
KEYS = Path("/proc/keys")
SLOWLY = ["strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace=keyctl", "-e", "inject=keyctl:delay_exit=200000"]


def with_keys(one):
    """A container, with programs/keys.c in it."""
    shutil.copy(PROGRAM, one.bundle.rootfs / "keys")
    return one


@pytest.fixture
def victim(container):
    """A container that is going to have a key "secret" in its keyring; it can look at /proc/keys."""
    return with_keys(container(Config().script("/keys +secret; echo added; sleep 1000").set("linux.maskedPaths", [])))


@pytest.fixture
def keeping(victim):
    """The same, with the key in it."""
    victim.run_detached().wait_for_output("added")
    assert "user;0;0;" in victim.output
    return victim


def name_of(one):
    return one.output_of("/keys", "ring").strip().rpartition(";")[2]


@needs_root("becomes another user")
@pytest.mark.parametrize("user", [54321, 0])
def test_one_that_was_there_before(victim, user):
    """By who knows the container's id in advance, and has opened his to everybody."""
    become = ["setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups"]
    squatter = subprocess.Popen([*become, PROGRAM, f"=_ses.{victim.id}", "wait", "?secret"], text=True,
                                stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert "3f3f3f3f" in squatter.stdout.readline()
    victim.run_detached().wait_for_output("added")
    assert squatter.communicate("\n", timeout=DEADLINE)[0].split() == ["none"]


def test_another_container_does_not_join_it(keeping, container):
    """By the name that everybody can know; the whole name is to be seen from nowhere."""
    other = with_keys(container(Config().script(f"/keys =_ses.{keeping.id} ?secret; cat /proc/keys")
                                .set("linux.maskedPaths", [])))
    found = other.runtime("run", "--bundle", other.bundle.path, other.id)
    joined, secret, *rest = found.splitlines()
    assert joined.endswith(f";_ses.{keeping.id}") and secret == "none"
    assert name_of(keeping) not in "".join(rest) + KEYS.read_text(encoding="ascii")


def test_names_are_not_to_be_guessed(container):
    """Of one container twice."""
    names = set()
    for _ in range(2):
        one = with_keys(container(Config("/keys", "ring"), "test-keys-of-one-name"))
        names.add(one.runtime("run", "--bundle", one.bundle.path, one.id))
    assert len(names) == 2


def test_exec_joins_that_of_the_container(keeping):
    """It finds what is there, and the container finds what it adds."""
    assert keeping.output_of("/keys", "?secret", "+more").startswith("secret\n")
    assert keeping.output_of("/keys", "?more") == "more\n"
    assert name_of(keeping) in keeping.output_of("cat", "/proc/keys")


def test_exec_of_another_user_has_it_too(keeping):
    assert keeping.output_of("/keys", "ring", options=["--user", "7:7"]).split(";")[1] == "0"


def test_exec_gets_its_own_where_the_container_has_none(container):
    """And says nothing of it; nobody joins that either."""
    one = with_keys(container())
    one.run_detached("--no-new-keyring")
    ring = one.output_of("/keys", "ring").strip().split(";")
    assert ring[-2:] == ["3f000000", "_ses"]


@needs_root("in a user namespace who else is in there can see it")
def test_its_name_shows_at_no_time(container):
    """In /proc/keys of the same user, neither while it is made nor later."""
    one, found = with_keys(container(Config("true"))), []
    made = subprocess.Popen([*SLOWLY, *one.runtime.command("run", "--bundle", one.bundle.path, one.id)])
    while made.poll() is None:
        found += re.findall(f"_ses.{one.id}\\S*", KEYS.read_text(encoding="ascii"))
    assert made.returncode == 0 and found == []


def test_the_runtime_keeps_its_own(container, tmp_path):
    """Although it is the parent of the container's process, which may give that its own; hooks would have it then."""
    ring = tmp_path / "ring"
    one = with_keys(container(Config().script("exec /keys parent").hook("poststop", "/bin/sh", "-c", f"{PROGRAM} ring > {ring}")))
    caller = subprocess.run([PROGRAM, "ring"], check=True, capture_output=True, text=True).stdout
    assert one.runtime("run", "--bundle", one.bundle.path, one.id) == "none\n"
    assert ring.read_text(encoding="ascii") == caller
