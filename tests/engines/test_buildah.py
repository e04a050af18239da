# SPDX-License-Identifier: LGPL-2.1-or-later
"""buildah: run and build, with the runtime of the command line."""

import pytest

from engine.buildah import Buildah
from engine.setting import BUSYBOX

CONTAINERFILE = f"""
FROM {BUSYBOX}
RUN echo built by $(id -u) >/made; mkdir /home; chown 1000:1000 /home
USER 1000
WORKDIR /home
RUN echo more >>file; cat /proc/self/cgroup
"""


@pytest.fixture
def buildah(runtime, podman_as_root, nothing_left):
    buildah = Buildah(runtime)
    yield buildah
    buildah("rm", "--all")


@pytest.mark.kernel
def test_run(buildah, tmp_path):
    """In a working container, which keeps what was done."""
    work = buildah.work_on(BUSYBOX)
    result = buildah.run("--user", "1000", work, "sh", "-c", "id -u; echo err >&2; exit 5")
    assert (result.status, result.stdout) == (5, "1000\n") and "err" in result.stderr
    assert buildah.run("--volume", f"{tmp_path}:/mnt", work, "sh", "-c", "echo kept >/file; touch /mnt/out").status == 0
    assert buildah.run(work, "cat", "/file").stdout == "kept\n" and (tmp_path / "out").exists()
    assert buildah.run(work, "nothing").status != 0


def test_build(buildah, tmp_path):
    (tmp_path / "Containerfile").write_text(CONTAINERFILE, encoding="ascii")
    buildah.build(tmp_path, "localhost/built")
    work = buildah.work_on("localhost/built")
    assert buildah.run(work, "cat", "/made", "/home/file").stdout == "built by 0\nmore\n"
    buildah("rm", work)
    buildah("rmi", "localhost/built")
