# SPDX-License-Identifier: LGPL-2.1-or-later
"""What a unit has for its program is the container's: variables and credentials."""

from pathlib import Path

from harness import systemd
from harness.config import Config
from harness.needs import needs_root
from harness.service import MARKS, SPEAKING
from harness.wait import until

pytestmark = MARKS


# --- what an administrator says -------------------------------------------------------------------------------

def environment(one):
    """Of the program, which is executed a moment after systemd has its process."""
    def read():
        text = one.one.exec("cat", "/proc/1/environ").stdout  # nobody reads that of our helper
        return dict(variable.split("=", 1) for variable in text.split("\0") if variable)

    until(lambda: "PATH" in read(), "the program")
    return read()


def test_environment(service, tmp_path):
    """What drop-ins say of the variables is said of the container's program, and goes before config.json."""
    file = tmp_path / "variables"
    file.write_text("FROM_FILE='in a file'\nBOTH=file\n", encoding="ascii")
    file.chmod(0o644)
    config = Config().script(SPEAKING).env("COLOUR=red").env("SHAPE=round")
    one = service(config).drop_in("Environment=COLOUR=blue BOTH=unit 'SPACES=a b'", f"EnvironmentFile={file}").started()
    found = environment(one)
    assert {name: found.get(name) for name in ("COLOUR", "SHAPE", "SPACES", "FROM_FILE", "BOTH")} == {
        "COLOUR": "blue", "SHAPE": "round", "SPACES": "a b", "FROM_FILE": "in a file", "BOTH": "file"}
    one.drop_in("Environment=COLOUR=green")
    systemd.systemctl("restart", one.unit)
    found = environment(one)
    assert found["COLOUR"] == "green" and "FROM_FILE" not in found


def test_environment_of_systemd(service):
    """What is about us, or the host's user, stays outside, and so does what all services get."""
    systemd.systemctl("set-environment", "FOR_ALL=yes")
    try:
        one = service(Config().script(SPEAKING)).started()
        assert environment(one).keys() <= {"PATH", "TERM", "HOME"}
        one.stop()
        one.drop_in("Environment=FOR_ALL=yes HOME=/home/web", "PassEnvironment=FOR_ALL").started()
        found = environment(one)
        assert (found["FOR_ALL"], found["HOME"]) == ("yes", "/home/web")
    finally:
        systemd.systemctl("unset-environment", "FOR_ALL")


def test_program_by_its_path(service):
    """PATH is one of them: the program is found by it."""
    one = service(Config("mine")).drop_in("Environment=PATH=/opt:/bin")
    one.one.bundle.inside("opt").mkdir()
    one.one.bundle.inside("opt/mine").write_text(f"#!/bin/sh\n{SPEAKING}\n", encoding="ascii")
    one.one.bundle.inside("opt/mine").chmod(0o755)
    one.started()
    assert environment(one)["PATH"] == "/opt:/bin"


# --- credentials ----------------------------------------------------------------------------------------------

CREDENTIALS = "/run/host/credentials"


def credentials(service, config, tmp_path):
    """A service that has three, one of any bytes, and one that is empty."""
    (tmp_path / "none").touch()
    secret = tmp_path / "secret"
    secret.write_bytes(b"\0\1any bytes\n")
    return service(config).drop_in("SetCredential=word:open sesame", f"LoadCredential=bytes:{secret}",
                                    f"LoadCredential=none:{tmp_path / 'none'}")


def test_credentials(service, tmp_path):
    one = credentials(service, Config().script(SPEAKING), tmp_path).started()
    assert environment(one)["CREDENTIALS_DIRECTORY"] == CREDENTIALS
    assert one.one.output_of("ls", CREDENTIALS).split() == ["bytes", "none", "word"]
    assert one.one.output_of("cat", f"{CREDENTIALS}/none") == ""
    assert one.one.output_of("cat", f"{CREDENTIALS}/bytes") == "\0\1any bytes\n"
    assert one.one.output_of("cat", f"{CREDENTIALS}/word") == "open sesame"
    assert one.one.output_of("stat", "-c", "%a %u %g", f"{CREDENTIALS}/word") == "400 0 0\n"
    mounts = [line.split() for line in one.one.output_of("cat", "/proc/self/mounts").splitlines()]
    mount = next(fields for fields in mounts if fields[1] == CREDENTIALS)
    assert mount[2] == "ramfs" and {"ro", "nosuid", "nodev", "noexec"} <= set(mount[3].split(","))
    refused = one.one.exec("sh", "-c", f"echo x >{CREDENTIALS}/new")
    assert refused.status != 0 and "Read-only" in refused.stderr


def test_credentials_are_the_users(service, tmp_path):
    """Of the program's, whoever that is, and of nobody else."""
    config = Config().script(SPEAKING).user(33, 34)
    one = credentials(service, config, tmp_path).started()
    assert one.one.output_of("stat", "-c", "%a %u %g", f"{CREDENTIALS}/word") == "400 33 34\n"
    assert one.one.output_of("cat", f"{CREDENTIALS}/word") == "open sesame"
    assert one.one.exec("cat", f"{CREDENTIALS}/word", options=["--user", "35"]).status != 0


@needs_root("gives files to others")
def test_credentials_in_a_user_namespace(service, tmp_path):
    config = Config().script(SPEAKING).mapped_users().user(33, 34)
    one = credentials(service, config, tmp_path)
    one.one.bundle.give_to(100000)
    assert one.started().one.output_of("cat", f"{CREDENTIALS}/word") == "open sesame"
    assert one.one.output_of("stat", "-c", "%a %u %g", f"{CREDENTIALS}/word") == "400 33 34\n"


def test_credentials_without_a_place_of_their_own(service, tmp_path):
    """Where / cannot be written to, and is shown nowhere else."""
    config = Config().script(SPEAKING).set("root.readonly", True).mount("/run", "tmpfs", "tmpfs")
    one = credentials(service, config, tmp_path).started()
    assert one.one.output_of("cat", f"{CREDENTIALS}/word") == "open sesame"
    assert not any((one.one.bundle.inside("run/host")).rglob("*"))


def test_a_directory_of_credentials_is_not_the_hosts(service, tmp_path):
    """What lies beside those of the service's is not to be reached by way of them: it is another file system."""
    one = credentials(service, Config().script(SPEAKING), tmp_path).started()
    host = {line.split()[2] for line in Path("/proc/self/mountinfo").read_text(encoding="utf-8").splitlines()}
    inside = one.one.output_of("cat", "/proc/self/mountinfo").splitlines()
    assert [line.split()[2] in host for line in inside if line.split()[4] == CREDENTIALS] == [False]


def test_no_credentials(service):
    """No directory, and no variable: also not what is of us."""
    one = service(Config().script(SPEAKING)).started()
    assert "CREDENTIALS_DIRECTORY" not in environment(one)
    assert CREDENTIALS not in one.one.output_of("cat", "/proc/self/mounts")
