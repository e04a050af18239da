# SPDX-License-Identifier: LGPL-2.1-or-later
"""sd_notify(3) from inside a container, to who called us."""

import contextlib
import os
import resource
import shutil
import signal
import socket
import subprocess
from pathlib import Path

import pytest

from harness import handles, process, systemd, user
from harness.config import CAPABILITIES, MAPPED_ROOT, Config
from harness.needs import needs_ocirt_sd, needs_own_kernel, needs_privileged_namespaces, needs_root
from harness.runtime import PROGRAMS, Container, Runtime
from harness.wait import DEADLINE, until

pytestmark = needs_ocirt_sd

# It waits for a line in a FIFO, and says what it got.
SCRIPT = "read words < /go; eval systemd-notify $words; trap 'exit 0' TERM; sleep 1000 & wait"


def notifying(container, config):
    """With the host's systemd-notify."""
    one = container(config.env("PATH=/bin:/usr/bin").bind("/usr", "/usr", "rbind", "ro"))
    os.mkfifo(one.bundle.inside("go"))
    one.bundle.inside("go").chmod(0o666)  # whoever it will belong to, and whoever reads it
    for name in ["lib", "lib64"]:
        one.bundle.inside(name).symlink_to(f"usr/{name}")
    return one


def tell(one, words):
    """Opening the FIFO waits for the container to read it."""
    with one.bundle.inside("go").open("w", encoding="ascii") as fifo:
        fifo.write(f"{words}\n")


@pytest.fixture
def outside(top):
    """Where systemd would listen."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(str(top / "notify-outside"))
        listener.settimeout(DEADLINE)
        yield listener
    (top / "notify-outside").unlink()


def prefix(outside):
    return ["env", f"NOTIFY_SOCKET={outside.getsockname()}"]


class Service:
    """A service of Type=notify whose program is one call of ours."""

    def __init__(self, one, *words):
        self.one, self.name = one, f"{one.id}.service"
        command = one.runtime.command("run", "--bundle", one.bundle.path, "--pid-file", one.pid_file,
                                      *words, one.id)
        self.start = ["systemd-run", *user.OPTIONS, "--quiet", "--collect", "--no-block", f"--unit={self.name}",
                      "--property=Type=notify", *command]

    def __enter__(self):
        subprocess.run(self.start, check=True)
        until(self.one.pid_file.exists, "the container")
        return self

    def __exit__(self, *_):
        self.one.runtime("delete", "--force", self.one.id)
        systemd.systemctl("stop", self.name, check=False)
        systemd.systemctl("reset-failed", self.name, check=False)

    def properties(self):
        return systemd.show(self.name, "ActiveState", "StatusText", "MainPID", "NotifyAccess")

    def wait_until_active(self):
        until(lambda: self.properties()["ActiveState"] == "active", f"{self.name} is active")
        return self.properties()


class Victim:
    """A process that somebody might take for the service's."""

    def __enter__(self):
        self.child = subprocess.Popen(["sleep", "1000"])
        return self.child

    def __exit__(self, *_):
        self.child.kill()
        self.child.wait()


@pytest.mark.parametrize("mapped", [False, True], ids=["root", "mapped"])
def test_a_service_that_runs_a_container(container, mapped):
    """Active when the container is ready; what would change systemd's mind about the service does not get through."""
    one = notifying(container, Config().script(SCRIPT).mapped_users() if mapped else Config().script(SCRIPT))
    if mapped:
        one.bundle.give_to(MAPPED_ROOT)
    with Service(one) as service, Victim() as victim:
        before = service.properties()
        assert before["ActiveState"] == "activating" and before["MainPID"] not in ("0", str(one.pid))
        tell(one, rf"--ready '--status=up\ and\ running' MAINPID={victim.pid} NOTIFYACCESS=all")
        assert service.wait_until_active() == before | {"ActiveState": "active", "StatusText": "up and running"}


@needs_root("makes a process outside of a service its main one")
def test_a_service_that_detaches(container):
    """From the container's word on, its first process is the service's; nothing of ours stays."""
    one = notifying(container, Config().script(SCRIPT))
    with Service(one, "--detach") as service:
        assert service.properties()["ActiveState"] == "activating"
        tell(one, "--ready")
        assert service.wait_until_active()["MainPID"] == str(one.pid)


def test_start_returns_when_the_container_is_ready(container, outside):
    """Not before. The container can be worked with meanwhile, and says what it likes."""
    one = notifying(container, Config().script(SCRIPT)).create(prefix=prefix(outside))
    with subprocess.Popen([*prefix(outside), *one.runtime.command("start", one.id)]) as start:
        one.wait_until("running")
        assert one.exec("systemd-notify", "--status=soon",
                        options=["--env", "NOTIFY_SOCKET=/run/notify/notify.sock"]).status == 0
        assert outside.recv(4096) == b"STATUS=soon\n"
        assert start.poll() is None
        tell(one, "--ready")
        assert outside.recv(4096).decode().split() == ["READY=1", f"MAINPID={one.pid}"]
        assert outside.recv(4096) == b"BARRIER=1"
        assert start.wait(DEADLINE) == 0
    assert one.status == "running"


def test_a_container_that_never_is_ready(container, outside):
    """start waits for no one that is gone, and not where nobody listens."""
    one = container(Config("true")).create(prefix=prefix(outside))
    assert one.runtime.call("start", one.id, prefix=prefix(outside)).status == 0
    other = container().create(prefix=prefix(outside))
    assert other.runtime.call("start", other.id, prefix=["env", "NOTIFY_SOCKET=/nosuch"]).status == 0
    third = container().create(prefix=prefix(outside))
    assert third.runtime.call("start", third.id).status == 0


def test_the_bundles_own_socket(run, outside):
    """Who puts one into process.env knows how it gets outside; without NOTIFY_SOCKET there is none."""
    script = "echo $NOTIFY_SOCKET; ls /run/notify 2>/dev/null; echo"
    config = Config().script(script).env("NOTIFY_SOCKET=/my/own")
    assert run(config, prefix=prefix(outside)).stdout.split() == ["/my/own"]
    assert run(script).stdout.split() == []
    assert run(script, prefix=prefix(outside)).stdout.split() == ["/run/notify/notify.sock", "notify.sock"]


NOBODY = ["env", "NOTIFY_SOCKET=/nosuch"]


@handles.needs_file_handles
@pytest.mark.parametrize("verb", ["create", "run"])
def test_its_directory_leads_to_no_file_of_the_host(bundles, verb):
    """With the runtime's own directory on a file system where handles open every file, as /run is."""
    with handles.host_directory() as host:
        guess = handles.secret(host)
        config = handles.attacker(Config().sleeping()).bind(host, "/volume")
        one = handles.arm(Container(Runtime(host / "state"), bundles.make(config)))
        try:
            if verb == "create":
                one.create(prefix=NOBODY).start()
            else:
                one.run_detached(prefix=NOBODY)
            by_volume, by_notify = one.output_of("/by-handle", "read", guess, "/volume", "/run/notify").splitlines()
        finally:
            one.runtime("delete", "--force", one.id)
    assert by_volume == handles.SECRET
    assert by_notify.startswith("none: ")


def test_each_has_a_directory_of_its_own(container):
    """A file system in which there is nothing else, and that nobody in there writes to."""
    one, other = [container().create(prefix=NOBODY).start() for _ in range(2)]
    own = {int(each.output_of("stat", "-c", "%d", "/run/notify")) for each in (one, other)}
    assert len(own) == 2 and not own & {os.stat(path).st_dev for path in ["/run", one.runtime.root, one.bundle.path]}
    assert one.output_of("ls", "-A", "/run/notify") == "notify.sock\n"
    assert one.exec("touch", "/run/notify/x").status
    assert sorted(os.listdir(one.runtime.root / one.id)) == ["config.json", "record"]


@contextlib.contextmanager
def in_flight(number):
    """So many descriptors that were sent and not received, by this user."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    one, other = socket.socketpair()
    with one, other:
        for _ in range(0, number, 100):
            socket.send_fds(one, [b"x"], [one.fileno()] * 100)
        yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@needs_own_kernel  # which counts them for all processes of a user, also for those in another machine
def test_a_user_with_many_descriptors_in_flight(container, outside):
    """Those of all its containers count, against the limit of who sends one."""
    outside.settimeout(PATIENCE)
    config = Config().script(SCRIPT).set("process.rlimits", [{"type": "RLIMIT_NOFILE", "soft": 1024, "hard": 1024}])
    one = notifying(container, config).create(prefix=prefix(outside))
    with in_flight(2000):
        with one.runtime.start_process("start", one.id, prefix=prefix(outside), stderr=subprocess.PIPE) as start:
            if user.ORDINARY:
                assert b"in flight" in start.communicate(timeout=DEADLINE)[1] and start.returncode == 1
            else:
                tell(one, "--ready")
                assert outside.recv(4096).startswith(b"READY=1\n") and outside.recv(4096) == b"BARRIER=1"


@pytest.fixture
def starting(outside):
    """Starts a container that was created, or runs one, and waits for nothing: a Popen."""
    started = []

    def start(one, *words):
        started.append(subprocess.Popen([*prefix(outside), *one.runtime.command(*words or ["start"], one.id)]))
        return started[-1]

    yield start
    for child in started:
        child.kill()
        child.wait()


def test_what_is_said_before_the_program_runs(container, outside, starting):
    """By a hook in the container, and by another user than root."""
    hook = ["startContainer", "/usr/bin/systemd-notify", "--no-block", "--status=hooked"]
    config = Config().script(SCRIPT).user(1000, 1000)
    one = notifying(container, config.hook(*hook, env=["NOTIFY_SOCKET=/run/notify/notify.sock"]))
    child = starting(one.create(prefix=prefix(outside)))
    tell(one, "--ready")
    assert outside.recv(4096) == b"STATUS=hooked\n"
    assert outside.recv(4096).startswith(b"READY=1\n")
    assert outside.recv(4096) == b"BARRIER=1"
    assert child.wait(DEADLINE) == 0


@needs_privileged_namespaces
def test_without_a_mount_namespace(container, outside, starting):
    """The mount is the host's then, until delete."""
    table = Path("/proc/self/mountinfo")
    config = Config().sleeping().without_namespace("mount").set("mounts", [])
    before, one = table.read_text(), container(config.set("linux.maskedPaths", []).set("linux.readonlyPaths", []))
    child = starting(one.create(prefix=prefix(outside)))
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
        sender.sendto(b"READY=1", f"/proc/{one.pid}/root/run/notify/notify.sock")
    assert outside.recv(4096).startswith(b"READY=1\n")
    assert child.wait(DEADLINE) == 0
    one.delete("--force")
    assert table.read_text() == before


@needs_privileged_namespaces
def test_a_socket_that_others_have_shut(container, outside, starting):
    """Who may look at the process that waits to be started has its socket, too. Nothing comes from there then."""
    names = [*CAPABILITIES, "CAP_SYS_PTRACE"]
    config = Config().sleeping().capabilities(bounding=names, effective=names, permitted=names)
    one = container(config)
    shutil.copy(PROGRAMS / "shut-sockets", one.bundle.rootfs)
    one.create(prefix=prefix(outside))
    assert one.output_of("/shut-sockets") == "1\n"
    assert starting(one).wait(DEADLINE) == 0
    assert one.status == "running"


@pytest.mark.parametrize("verb", ["run", "start"])
def test_who_has_ended_before_we_listen(container, outside, starting, verb):
    """What it has said is passed on."""
    waits = "pid=$(sed 's/.*\"pid\":\\([0-9]*\\).*/\\1/'); while grep -q '^State:\t[^ZX]' /proc/$pid/status; do sleep 0.01; done"
    one = container(Config().script("/linger").hook("poststart", "/bin/sh", "-c", waits))
    shutil.copy(PROGRAMS / "linger", one.bundle.rootfs)
    if verb == "start":
        child = starting(one.create(prefix=prefix(outside)))
    else:
        child = starting(one, "run", "--detach", "--bundle", one.bundle.path, "--pid-file", one.pid_file)
    assert outside.recv(4096).startswith(b"READY=1\nMAINPID=")
    assert outside.recv(4096) == b"BARRIER=1"
    assert child.wait(DEADLINE) == 0


@contextlib.contextmanager
def stopped(verb):
    """The verb, and the child of its that has the container's socket."""
    def stop(pid):
        os.kill(pid, signal.SIGSTOP)
        until(lambda: process.is_stopped(pid) or not process.is_alive(pid), "it receives nothing")

    stop(verb.pid)
    receivers = [pid for pid in process.children(verb.pid) if process.comm(pid) == "ocirt-sd"]
    for pid in receivers:
        stop(pid)
    yield
    for pid in [verb.pid, *receivers]:
        with contextlib.suppress(ProcessLookupError):  # a child of start's has ended before
            os.kill(pid, signal.SIGCONT)


@pytest.mark.parametrize("verb", ["run", "start"])
def test_descriptors_that_linger(container, outside, starting, verb):
    """We close the last ones, and do not wait for as long as the container has said: nor with what is not read."""
    one = container(Config().script("read words < /go; /linger; exit 3"))
    os.mkfifo(one.bundle.inside("go"))
    shutil.copy(PROGRAMS / "linger", one.bundle.rootfs)
    if verb == "start":
        child = starting(one.create(prefix=prefix(outside)))
    else:
        child = starting(one, "run", "--bundle", one.bundle.path, "--pid-file", one.pid_file)
    with one.bundle.inside("go").open("w", encoding="ascii") as fifo, stopped(child):
        fifo.write("go\n")
        fifo.close()
        one.wait_for_end()
    said = ["READY=1\n", "STATUS=said\n"] if verb == "run" else [f"READY=1\nMAINPID={one.pid}\n", "BARRIER=1"]
    assert [outside.recv(4096).decode() for _ in said] == said
    assert child.wait(DEADLINE) == (3 if verb == "run" else 0)


FUSE = {"type": "c", "major": 10, "minor": 229}
PATIENCE = 20  # for what would wait for ever


@needs_root("gives a container /dev/fuse")
@needs_privileged_namespaces
def test_a_descriptor_of_a_file_that_the_container_serves(container, outside, starting):
    """FUSE: we close the last one, and do not wait for its server to write what is to be written. No signal would end that."""
    outside.settimeout(PATIENCE)
    config = Config().script("read words < /go; /unanswered & trap 'exit 3' TERM; wait")
    config.append("linux.devices", FUSE | {"path": "/dev/fuse", "fileMode": 0o666})
    one = container(config.append("linux.resources.devices", FUSE | {"allow": True, "access": "rwm"}))
    os.mkfifo(one.bundle.inside("go"))
    shutil.copy(PROGRAMS / "unanswered", one.bundle.rootfs)
    child = starting(one, "run", "--bundle", one.bundle.path, "--pid-file", one.pid_file)
    try:
        with one.bundle.inside("go").open("w", encoding="ascii") as fifo, stopped(child):
            fifo.write("go\n")
            fifo.close()
            until(one.bundle.inside("sent").exists, "what the container sends")
        assert outside.recv(4096) == b"STATUS=before\n"
        child.send_signal(signal.SIGTERM)
        assert child.wait(PATIENCE) == 3
    finally:
        one.runtime("delete", "--force", one.id)


# --- who answers start in the place of the program

ERROR, NOTIFY, OTHER, START = 9, 10, 11, 16  # INIT_MSG_ERROR and so on, of plan/init/protocol.h


def answering(container, outside, notifies=True, fuse=False, program="answer-start"):
    """A container of which a process may look into the one that waits to be started."""
    names = [*CAPABILITIES, "CAP_SYS_PTRACE"]
    config = Config().sleeping().capabilities(bounding=names, effective=names, permitted=names)
    if fuse:
        config.append("linux.devices", FUSE | {"path": "/dev/fuse", "fileMode": 0o666})
        config.append("linux.resources.devices", FUSE | {"allow": True, "access": "rwm"})
    one = container(config if notifies else config.env("NOTIFY_SOCKET=/mine"))
    shutil.copy(PROGRAMS / program, one.bundle.rootfs)
    return one.create(prefix=prefix(outside))


@contextlib.contextmanager
def answered(one, outside, *messages):
    """`start` while another process of the container answers: a Popen with pipes, when that has been done."""
    command = [*prefix(outside), *one.runtime.command("start", one.id)]
    with one.runtime.start_process("exec", one.id, "/answer-start", *messages, stdout=subprocess.PIPE) as attacker:
        try:
            assert attacker.stdout.readline() == b"there\n"
            start = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            assert attacker.stdout.readline() == b"answered\n"
            yield start
        finally:
            attacker.kill()
            if process.is_alive(one.pid):
                os.kill(one.pid, signal.SIGKILL)


def hear_ready(outside):
    assert outside.recv(4096).startswith(b"READY=1\n")
    assert outside.recv(4096) == b"BARRIER=1"


def assert_silent(outside):
    outside.setblocking(False)
    with pytest.raises(BlockingIOError):
        outside.recv(4096)


@needs_privileged_namespaces
@pytest.mark.parametrize("notifies", [True, False])
def test_who_answers_start_has_nothing_to_notify_by(container, outside, notifies):
    """Where the container has a socket for it, that speaks for the container anyway."""
    one = answering(container, outside, notifies)
    with answered(one, outside, f"{NOTIFY}:s") as start:
        if notifies:
            hear_ready(outside)
        start.communicate(timeout=DEADLINE)
        assert start.returncode == 0
    assert_silent(outside)


@needs_root("gives a container /dev/fuse")
@needs_privileged_namespaces
@pytest.mark.parametrize("notifies", [True, False])
@pytest.mark.parametrize("messages, fails, ready", [
    (f"{NOTIFY}:f", False, False),
    (f"{NOTIFY}:sf", False, True),
    (f"{NOTIFY}:fs", False, False),
    (f"{NOTIFY}:s {OTHER}:f", False, True),
    (f"{OTHER}:f {NOTIFY}:s", False, False),
    (f"{NOTIFY}:s {OTHER} {OTHER}:q", False, True),
    (f"{ERROR}:f", True, False),
    (f"{ERROR}:ffs", True, False),
    (f"{NOTIFY}:f {ERROR}:q", True, False),
])
def test_who_answers_start_with_a_file(container, outside, notifies, messages, fails, ready):
    """Of FUSE, which nobody serves: start does not wait until it is closed, nor does who waits for the end of its output."""
    one = answering(container, outside, notifies, fuse=True)
    with answered(one, outside, *messages.split()) as start:
        if notifies and ready:
            hear_ready(outside)
        said = start.communicate(timeout=PATIENCE)
        if fails and (notifies or messages.startswith(str(ERROR))):
            assert start.returncode == 1 and "not today" in said[1]
        else:
            assert start.returncode == 0, said
        assert one.status == "running"
    assert_silent(outside)


@needs_root("gives a container /dev/fuse")
@needs_privileged_namespaces
def test_a_socket_that_others_receive_from(container, outside, starting):
    """Into memory that nobody serves (FUSE): whoever else receives waits until that ends. A signal ends start all the same."""
    one = answering(container, outside, fuse=True, program="keep-socket")
    with one.runtime.start_process("exec", one.id, "/keep-socket", stdout=subprocess.PIPE) as attacker:
        assert attacker.stdout.readline() == b"unread\n"
        child = starting(one)
        one.wait_until("running")
        until(lambda: process.status(child.pid)["State"][0] in "SD", "it waits")
        child.terminate()
        try:
            assert child.wait(PATIENCE) == -signal.SIGTERM
        finally:
            one.delete("--force")


@needs_root("gives a container /dev/fuse")
@needs_privileged_namespaces
@pytest.mark.parametrize("message", [f"{NOTIFY}:f", f"{NOTIFY}:q"])
@pytest.mark.parametrize("end", ["TERM", "delete"])
def test_an_answer_with_a_file_that_does_not_end(container, outside, message, end):
    """A signal ends start as ever, and delete the container."""
    one = answering(container, outside, fuse=True)
    with answered(one, outside, message, "...") as start:
        if end == "TERM":
            start.terminate()
        else:
            one.delete("--force")
        start.communicate(timeout=PATIENCE)
        assert start.returncode < 0


@needs_privileged_namespaces
def test_who_answers_start_asks_who_speaks(container, outside):
    """It is nobody who leads to the host, nor is that what he has open, or who is at the other end."""
    secret = Path(f"{outside.getsockname()}.secret")
    secret.write_text("the host's", encoding="ascii")
    one = answering(container, outside, program="take-sender")
    with one.runtime.start_process("exec", one.id, "/take-sender", secret, stdout=subprocess.PIPE) as attacker:
        assert attacker.stdout.readline() == b"there\n"
        with one.runtime.start_process("start", one.id, prefix=prefix(outside)) as start:
            said = attacker.stdout.readline()
            attacker.kill()
            os.kill(one.pid, signal.SIGKILL)
            start.wait(DEADLINE)
    assert said == (b"heard %d\n" % (ERROR if user.ORDINARY else START))
