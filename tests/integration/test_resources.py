# SPDX-License-Identifier: LGPL-2.1-or-later
"""linux.resources: each property is on the unit and in the cgroup, or create says why it cannot be."""

import contextlib
import fcntl
import os
import shutil
import struct
import subprocess
from pathlib import Path

import pytest

from harness import go, process, systemd, user
from harness.config import Config
from harness.needs import needs_controller, needs_ocirt_sd, needs_root

MIB = 1 << 20


@pytest.fixture
def disk():
    """The numbers of a block device that is no partition and not made of others, and that takes weights."""
    path = next(path for path in Path("/sys/block").iterdir() if not list((path / "slaves").iterdir()))
    major, minor = map(int, (path / "dev").read_text(encoding="ascii").split(":"))
    costs = Path("/sys/fs/cgroup/io.cost.qos")
    if costs.exists():
        costs.write_text(f"{major}:{minor} enable=1", encoding="ascii")
    yield {"major": major, "minor": minor}
    if costs.exists():
        costs.write_text(f"{major}:{minor} enable=0", encoding="ascii")


def resources(disk):
    """All of it, but for what is refused, and cpu.idle, which goes without shares."""
    return {
        "memory": {"limit": 64 * MIB, "reservation": 16 * MIB, "swap": 96 * MIB,
                   "kernel": 64 * MIB, "useHierarchy": True},
        "cpu": {"shares": 512, "quota": 50000, "period": 50000, "burst": 20000, "cpus": "0",
                "mems": "0"},
        "pids": {"limit": 77},
        "blockIO": {"weight": 500, "weightDevice": [disk | {"weight": 300}],
                    "throttleReadBpsDevice": [disk | {"rate": 5 * MIB}],
                    "throttleWriteBpsDevice": [disk | {"rate": 6 * MIB}],
                    "throttleReadIOPSDevice": [disk | {"rate": 70}],
                    "throttleWriteIOPSDevice": [disk | {"rate": 80}]},
        "hugepageLimits": [{"pageSize": "2MB", "limit": 4 * MIB}],
        "unified": {"memory.high": str(60 * MIB), "memory.oom.group": "1", "memory.zswap.max": str(8 * MIB),
                    "pids.max": "66", "cgroup.max.depth": "7"},
    }


def expected(disk):
    """{property: value}, {cgroup file: text, or a line of it}"""
    number = f"{disk['major']}:{disk['minor']}"
    # What systemd prints of IO*Max depends on the links in /dev.
    return {
        "MemoryMax": str(64 * MIB), "MemoryLow": str(16 * MIB), "MemorySwapMax": str(32 * MIB),
        "MemoryHigh": str(60 * MIB), "OOMPolicy": "kill", "CPUWeight": "59",
        "CPUQuotaPerSecUSec": "1s", "CPUQuotaPeriodUSec": "50ms", "AllowedCPUs": "0",
        "AllowedMemoryNodes": "0", "TasksMax": "66", "IOWeight": "4500",
    }, {
        "memory.max": str(64 * MIB), "memory.low": str(16 * MIB), "memory.swap.max": str(32 * MIB),
        "memory.high": str(60 * MIB), "memory.oom.group": "1", "memory.zswap.max": str(8 * MIB),
        "cpu.weight": "59",
        "cpu.max": "50000 50000", "cpu.max.burst": "20000", "cpuset.cpus": "0", "cpuset.mems": "0",
        "pids.max": "66", "io.weight": f"{number} 2300", "cgroup.max.depth": "7",
        "io.max": f"{number} rbps={5 * MIB} wbps={6 * MIB} riops=70 wiops=80",
        "hugetlb.2MB.max": str(4 * MIB), "hugetlb.2MB.rsvd.max": str(4 * MIB),
    }


@pytest.mark.proves("linux.resources.memory.limit", "linux.resources.memory.reservation",
                    "linux.resources.memory.swap", "linux.resources.cpu.shares",
                    "linux.resources.cpu.quota", "linux.resources.cpu.period",
                    "linux.resources.cpu.burst", "linux.resources.cpu.cpus",
                    "linux.resources.cpu.mems", "linux.resources.pids.limit",
                    "linux.resources.blockIO.weight", "linux.resources.blockIO.weightDevice",
                    "linux.resources.blockIO.throttleReadBpsDevice",
                    "linux.resources.blockIO.throttleWriteBpsDevice",
                    "linux.resources.blockIO.throttleReadIOPSDevice",
                    "linux.resources.blockIO.throttleWriteIOPSDevice",
                    "linux.resources.hugepageLimits", "linux.resources.unified")
@needs_root("sets up the costs of a disk, which no user's systemd has the controller for")
@needs_controller("memory")
@needs_ocirt_sd
def test_everything_at_once(container, disk):
    """On the unit and in the cgroup; and unified is the last word on what a typed value says, too."""
    one = container(Config().sleeping().set("linux.resources", resources(disk))).create()
    properties, files = expected(disk)
    assert one.properties(*properties) == properties
    found = {name: process.cgroup_file(one.cgroup, name) for name in files}
    assert {name: text for name, text in files.items() if text not in found[name].splitlines()} == {}
    for name in ["IODeviceWeight", "IOReadBandwidthMax", "IOWriteBandwidthMax", "IOReadIOPSMax",
                 "IOWriteIOPSMax"]:
        assert one.properties(name)[name], name


@needs_root("a user's systemd does not have the controller")
@needs_controller("io")
@needs_ocirt_sd
def test_a_block_device_whose_driver_is_not_loaded(container):
    """Who names it makes Linux load it. Podman's --device-read-bps=/dev/zero:1m means a RAM disk, by its numbers."""
    loop = next(f"7:{minor}" for minor in range(9, 99) if not Path(f"/sys/dev/block/7:{minor}").exists())
    config = Config().sleeping().resource("blockIO", throttleReadBpsDevice=[{"major": 1, "minor": 5, "rate": MIB}])
    one = container(config).run_detached()
    assert f"1:5 rbps={MIB} wbps=max riops=max wiops=max" in process.cgroup_file(one.cgroup, "io.max").splitlines()
    update = ["update", "--resources", "-", one.id]
    one.runtime(*update, input=go.marshal({"unified": {"io.max": f"{loop} wiops=20"}}).encode())
    assert f"{loop} rbps=max wbps=max riops=max wiops=20" in process.cgroup_file(one.cgroup, "io.max").splitlines()
    message = one.runtime.fails(*update, input=go.marshal({"unified": {"io.max": "4000:9 wiops=20"}}).encode())
    assert "there is no block device 4000:9" in message


@needs_controller("hugetlb")
@needs_ocirt_sd
def test_huge_pages_are_refused_above_the_limit(container):
    """systemd does not know the controller: we have handed it down."""
    huge = Path("/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages")
    before = huge.read_text(encoding="ascii")
    limit = [{"pageSize": "2MB", "limit": 2 * MIB}]
    one = container(Config().sleeping().set("linux.resources.hugepageLimits", limit)).run_detached()
    huge.write_text("4", encoding="ascii")
    try:
        for pages, errno in [(1, 0), (2, 12)]:
            code = ("import mmap, sys\n"
                    f"try: mmap.mmap(-1, {pages * 2 * MIB}, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | 0x40000)\n"
                    "except OSError as error: sys.exit(error.errno)")
            path = Path(f"/sys/fs/cgroup{one.cgroup}/cgroup.procs")
            done = subprocess.run(["python3", "-c", code], check=False,
                                  preexec_fn=lambda path=path: path.write_text("0", encoding="ascii"))
            assert done.returncode == errno, pages
    finally:
        huge.write_text(before, encoding="ascii")


@pytest.mark.proves("linux.resources.rdma")
@needs_controller("rdma")
@needs_ocirt_sd
def test_rdma_is_asked_of_the_kernel(runtime, container):
    """Which knows no such device here. The controller has been handed down: else there would be no file to write to."""
    config = Config().set("linux.resources.rdma", {"nosuch0": {"hcaHandles": 3, "hcaObjects": 10}})
    one = container(config)
    message = runtime.fails("create", "--bundle", one.bundle.path, one.id)
    assert 'linux.resources.rdma["nosuch0"]' in message
    assert "nosuch0 hca_handle=3 hca_object=10" in message and "no such device" in message


# --- what the host has not got

ABSENT = [
    ("cpu", {"cpus": "0,4000"}, "linux.resources.cpu.cpus"),
    ("cpu", {"mems": "0-900"}, "linux.resources.cpu.mems"),
    ("unified", {"cpuset.cpus": "4000"}, 'linux.resources.unified["cpuset.cpus"]'),
    ("hugepageLimits", [{"pageSize": "3MB", "limit": 0}], "linux.resources.hugepageLimits[0].pageSize"),
    ("blockIO", {"throttleReadBpsDevice": [{"major": 4000, "minor": 9, "rate": 1}]},
     "linux.resources.blockIO.throttleReadBpsDevice[0]"),
    ("blockIO", {"weightDevice": [{"major": 4000, "minor": 9, "weight": 100}]},
     "linux.resources.blockIO.weightDevice[0]"),
    ("unified", {"io.max": "4000:9 rbps=1"}, 'linux.resources.unified["io.max"]'),
    ("unified", {"../x.y": "1"}, "linux.resources.unified"),
    ("unified", {"a/b.c": "1"}, "linux.resources.unified"),
    ("unified", {"cgroup.procs": "0"}, 'linux.resources.unified["cgroup.procs"]'),
    ("unified", {"cgroup.subtree_control": "+cpu"}, 'linux.resources.unified["cgroup.subtree_control"]'),
    ("unified", {"nosuch.max": "1"}, 'linux.resources.unified["nosuch.max"]: cgroup controller nosuch'),
]


@needs_ocirt_sd
def test_what_the_host_has_not_got(runtime, container):
    """Is an error that names its path, and no unit is left."""
    one = container()
    for name, value, path in ABSENT:
        one.bundle.write(Config().sleeping().set(f"linux.resources.{name}", value).text())
        message = runtime.fails("create", "--bundle", one.bundle.path, one.id)
        assert path in message, message


@needs_controller("memory")
@needs_ocirt_sd
def test_what_the_kernel_has_not_got(runtime, container):
    """A file of a controller that is there, one that is only for reading, and a value that it does not take."""
    one = container()
    for key, value in [("memory.nosuch", "1"), ("memory.current", "1"), ("misc.max", "nosuch 1"),
                       ("cpuset.cpus.partition", "root")]:
        one.bundle.write(Config().sleeping().set("linux.resources.unified", {key: value}).text())
        message = runtime.fails("create", "--bundle", one.bundle.path, one.id)
        assert f'linux.resources.unified["{key}"]' in message, message


WITHOUT_CONTROLLER = [
    ("memory", {"limit": MIB}, "memory.limit"), ("memory", {"reservation": MIB}, "memory.reservation"),
    ("cpu", {"shares": 512}, "cpu.shares"), ("cpu", {"quota": 5000}, "cpu.quota"),
    ("cpu", {"period": 5000}, "cpu.period"), ("cpu", {"burst": 5000}, "cpu.burst"),
    ("cpu", {"idle": 1}, "cpu.idle"), ("cpu", {"cpus": "0"}, "cpu.cpus"), ("cpu", {"mems": "0"}, "cpu.mems"),
    ("pids", {"limit": 5}, "pids.limit"), ("blockIO", {"weight": 500}, "blockIO.weight"),
    ("unified", {"memory.high": "5"}, 'unified["memory.high"]'),
]


@pytest.fixture
def bare_slice():
    """A slice in which no unit has a controller that systemd knows."""
    name = "test-bare.slice"
    systemd.systemctl("set-property", "--runtime", name, "DisableControllers=cpu cpuset io memory pids")
    yield name
    systemd.systemctl("stop", name, "test.slice")
    shutil.rmtree((user.RUNTIME_DIRECTORY / "systemd/user.control" if user.ORDINARY
                   else Path("/run/systemd/system.control")) / f"{name}.d")


@needs_ocirt_sd
def test_without_the_controller(runtime, container, bare_slice):
    """A limit that systemd would pass over in silence is refused; what asks for no limit is not."""
    one = container()

    def write(config):
        one.bundle.write(config.set("linux.cgroupsPath", f"{bare_slice}:test:{one.id}").text())

    for name, value, path in WITHOUT_CONTROLLER:
        write(Config().sleeping().resource(name, **value))
        message = runtime.fails("create", "--bundle", one.bundle.path, one.id)
        assert f"linux.resources.{path}: " in message and "controller" in message, message
    write(Config().sleeping().annotation("org.systemd.property.MemoryMax", "uint64 1000000"))
    message = runtime.fails("create", "--bundle", one.bundle.path, one.id)
    assert "annotation org.systemd.property.MemoryMax" in message
    config = Config().sleeping().resource("memory", limit=-1, swap=-1).resource("pids", limit=-1)
    write(config.resource("cpu", quota=-1))
    one.create().delete("--force")


@needs_controller("pids")
@pytest.mark.parametrize("version, limit", [("1.0.2", "max"), ("1.2.1", "max"), ("1.3.0", "1"), ("1.10.0", "1")])
@pytest.mark.proves("ociVersion", "linux.resources.pids.limit")
def test_no_processes_or_no_limit(container, version, limit):
    """Since version 1.3.0 a pids.limit of 0 is a value; before, engines wrote it for "no limit". The same in update, for
    a container of that version."""
    config = Config().sleeping().set("ociVersion", version)
    one, other = (container(config.resource("pids", limit=number)).create() for number in (0, 100))
    assert process.cgroup_file(one.cgroup, "pids.max") == limit
    assert process.cgroup_file(other.cgroup, "pids.max") == "100"
    other.runtime("update", "--pids-limit=0", other.id)
    assert process.cgroup_file(other.cgroup, "pids.max") == limit


def test_limits_without_a_cgroup(runtime, container):
    """Then there are none: each is refused by its path."""
    one = container()
    runtime.globals[3:] = ["--cgroup-manager", "disabled"]
    try:
        for name, value, path in WITHOUT_CONTROLLER:
            one.bundle.write(Config().sleeping().resource(name, **value).text())
            message = runtime.fails("create", "--bundle", one.bundle.path, one.id)
            assert f"linux.resources.{path}: " in message, message
    finally:
        runtime.globals[3:] = ["--systemd-cgroup"]


# --- a device that is made of others

DM_DEV_CREATE, DM_DEV_REMOVE, DM_DEV_SUSPEND, DM_TABLE_LOAD = 3, 4, 6, 9
DM_SIZE, DM_DEVICE = 312, 40    # of struct dm_ioctl, and where the number is in it
DM_REMOVE_LATER = 1 << 17


def _device_mapper(command, target=b"", flags=0):
    """An ioctl of dm-ioctl.h on a device of one target; returns the numbers of the device."""
    header = struct.pack("=3I4I3IQ128s129s7x", 4, 0, 0, DM_SIZE + len(target), DM_SIZE, bool(target), 0, flags, 0, 0, 0,
                         b"ocirt-sd-test", b"")
    buffer = bytearray(header + target)
    with open("/dev/mapper/control", "rb+", buffering=0) as control:
        fcntl.ioctl(control, 0xC0000000 | DM_SIZE << 16 | 0xFD << 8 | command, buffer)
    number = struct.unpack_from("=Q", buffer, DM_DEVICE)[0]
    return {"major": os.major(number), "minor": os.minor(number)}


@contextlib.contextmanager
def on_top_of(path):
    """A device that device mapper makes of the other."""
    number = os.stat(path).st_rdev
    target = struct.pack("=QQiI16s48s", 0, 8, 0, 88, b"linear", f"{os.major(number)}:{os.minor(number)} 0".encode())
    device = _device_mapper(DM_DEV_CREATE)
    try:
        _device_mapper(DM_TABLE_LOAD, target)
        _device_mapper(DM_DEV_SUSPEND)
        yield device
    finally:
        _device_mapper(DM_DEV_REMOVE, flags=DM_REMOVE_LATER)


@needs_controller("io")
@needs_ocirt_sd
def test_a_limit_is_for_the_device_that_it_names(container, tmp_path):
    """systemd would limit the disk below instead."""
    subprocess.run(["modprobe", "-a", "dm_mod", "loop"], check=True)
    image = tmp_path / "image"
    image.write_bytes(bytes(MIB))
    loop = subprocess.run(["losetup", "--find", "--show", image], check=True, stdout=subprocess.PIPE,
                          text=True).stdout.strip()
    try:
        with on_top_of(loop) as device:
            config = Config().sleeping().resource("blockIO", throttleReadBpsDevice=[device | {"rate": MIB}])
            one = container(config).create()
            limits = process.cgroup_file(one.cgroup, "io.max")
            assert limits == f"{device['major']}:{device['minor']} rbps={MIB} wbps=max riops=max wiops=max"
            one.delete("--force")
    finally:
        subprocess.run(["losetup", "--detach", loop], check=True)
