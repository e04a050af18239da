# SPDX-License-Identifier: LGPL-2.1-or-later
"""Standard descriptors that the process opens once more, as images do that log to /dev/stdout."""

import os
import subprocess

import pytest

from harness import user
from harness.config import MAPPED_ROOT, Config
from harness.needs import needs_privileged_namespaces, needs_root
from harness.wait import DEADLINE

LOGGER = "echo out > /dev/stdout; echo err > /dev/stderr; echo fd >> /proc/self/fd/2; exec 3</dev/stdin; cat <&3"
SAID = (b"out\nin\n", b"err\nfd\n")
USERS = [0, 101]


class Pipes:
    """Three pipes of our own, as conmon and containerd's shim make them; nobody else may open them by their mode."""

    def __init__(self):
        self.ends = [os.pipe() for _ in range(3)]
        os.write(self.ends[0][1], b"in\n")
        os.close(self.ends[0][1])

    def options(self):
        return {"stdin": self.ends[0][0], "stdout": self.ends[1][1], "stderr": self.ends[2][1]}

    def begin(self, command):
        """Run it to its end, which is not that of the container."""
        assert subprocess.run(command, check=False, timeout=DEADLINE, **self.options()).returncode == 0, self.read()

    def read(self):
        """What the others wrote until nobody held the pipes any more."""
        os.close(self.ends[0][0])
        read = []
        for mine, theirs in self.ends[1:]:
            os.close(theirs)
            with os.fdopen(mine, "rb") as file:
                read.append(file.read())
        return tuple(read)


def mapped(container, config):
    """With a user namespace: root's has nothing of root in it, and a user's has the user."""
    if user.ORDINARY:
        return container(config)
    one = container(config.mapped_users())
    one.bundle.give_to(MAPPED_ROOT)
    return one


@pytest.mark.parametrize("uid", USERS)
@pytest.mark.parametrize("userns", [False, True])
def test_run(container, uid, userns):
    config = Config().script(LOGGER).user(uid, uid)
    one = mapped(container, config) if userns else container(config)
    pipes = Pipes()
    pipes.begin(one.runtime.command("run", "--bundle", one.bundle.path, one.id))
    assert pipes.read() == SAID


@pytest.mark.parametrize("uid", USERS)
def test_create_with_a_user_namespace(container, uid):
    one = mapped(container, Config().script(LOGGER).user(uid, uid))
    pipes = Pipes()
    pipes.begin(one.runtime.command("create", "--bundle", one.bundle.path, one.id))
    one.start()
    assert pipes.read() == SAID


@pytest.mark.parametrize("uid", USERS)
@pytest.mark.parametrize("options", [[], ["--detach"]])
def test_exec_with_a_user_namespace(container, uid, options):
    one = mapped(container, Config().sleeping()).run_detached()
    pipes = Pipes()
    pipes.begin(one.runtime.command("exec", *options, "--user", f"{uid}:{uid}", one.id, "sh", "-c", LOGGER))
    assert pipes.read() == SAID


@needs_privileged_namespaces
def test_a_user_namespace_that_is_joined(container):
    """Its maps are not in the configuration."""
    first = mapped(container, Config().sleeping()).run_detached()
    config = Config().script(LOGGER).user(101, 101)
    for kind, file in {"user": "user", "network": "net", "ipc": "ipc"}.items():
        config.namespace(kind, f"/proc/{first.pid}/ns/{file}")
    second = container(config)
    second.bundle.give_to(MAPPED_ROOT)
    pipes = Pipes()
    pipes.begin(second.runtime.command("run", "--bundle", second.bundle.path, second.id))
    assert pipes.read() == SAID


def test_root_inside_may_pass_them_on(container):
    """As the entry points of images do, before they become somebody else."""
    one = mapped(container, Config().script("chown 101:101 /dev/stdout && chmod 622 /dev/stderr && echo out"))
    pipes = Pipes()
    pipes.begin(one.runtime.command("run", "--bundle", one.bundle.path, one.id))
    assert pipes.read() == (b"out\n", b"")


@needs_root("gives its files to nobody")
@pytest.mark.parametrize("userns", [False, True])
def test_only_pipes_are_given_away(container, tmp_path, userns):
    """Files, devices and sockets that the caller has put there stay whose they are."""
    config = Config("true").user(101, 101)
    one = mapped(container, config) if userns else container(config)
    path = tmp_path / "file"
    with path.open("wb") as file, open("/dev/null", "rb") as null:
        subprocess.run(one.runtime.command("run", "--detach", "--bundle", one.bundle.path, one.id), check=True, stdin=null, stdout=file,
                       stderr=file)
    assert path.stat().st_uid == path.stat().st_gid == 0
    assert os.stat("/dev/null").st_uid == 0


@needs_root("has a terminal of his own")
@pytest.mark.parametrize("userns", [False, True])
def test_the_callers_terminal(container, userns):
    """It was not made for the container, and the caller wants to open it again."""
    config = Config("true").user(101, 101)
    one = mapped(container, config) if userns else container(config)
    master, slave = os.openpty()
    try:
        before = os.fstat(slave)
        subprocess.run(one.runtime.command("run", "--detach", "--bundle", one.bundle.path, one.id), check=True, stdin=slave, stdout=slave,
                       stderr=slave)
        after = os.fstat(slave)
        assert (after.st_uid, after.st_gid, after.st_mode) == (before.st_uid, before.st_gid, before.st_mode)
    finally:
        os.close(slave)
        os.close(master)


def null_of(one, **options):
    """What it has at 0, and at /dev/null."""
    result = one.runtime.call(*options.pop("words"), **options)
    assert result.status == 0, str(result)
    return result.stdout.split()


LOOKS = "stat -L -c %d:%i:%t:%T:%a /proc/self/fd/0 /dev/null"
OF_THE_HOST = "{0.st_dev}:{0.st_ino}:1:3:666".format(os.stat("/dev/null"))


@needs_privileged_namespaces
@pytest.mark.parametrize("prefix", [[], ["sh", "-c", 'exec "$@" <&-', "sh"]], ids=["given", "closed"])
def test_the_null_device(container, prefix):
    """It is the container's own: the host's would get the owner and the mode that the container gives to it."""
    one = container(Config().script(LOOKS))
    at_0, own = null_of(one, words=["run", "--bundle", one.bundle.path, one.id], prefix=prefix)
    assert at_0 == own != OF_THE_HOST
    two = container().run_detached()
    at_0, own = null_of(two, words=["exec", two.id, "sh", "-c", LOOKS], prefix=prefix)
    assert at_0 == own != OF_THE_HOST
    # Where what has its name is none, it is another all the same.
    two.output_of("sh", "-c", "rm /dev/null && mkfifo /dev/null && chmod 666 /dev/null")
    at_0, own = null_of(two, words=["exec", two.id, "sh", "-c", LOOKS], prefix=prefix)
    assert at_0.endswith(":1:3:666") and at_0 not in (own, OF_THE_HOST)


@needs_root("is given what is root's")
def test_a_pipe_with_a_name(container, bundles):
    """It stays its owner's, as a file does."""
    fifo = bundles.scratch("fifo") / "fifo"
    os.mkfifo(fifo)
    one = container(Config().script("echo out").user(4711, 4711))
    with open(fifo, "r+b", buffering=0) as file:
        assert one.runtime.call("run", "--detach", "--bundle", one.bundle.path, one.id, stdin=file).status == 0
    assert os.stat(fifo).st_uid == 0
