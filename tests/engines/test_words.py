# SPDX-License-Identifier: LGPL-2.1-or-later
"""What people write in their own languages: engines, which are written in Go, put it into config.json as it is."""

import pytest

from engine import cri
from engine.buildah import Buildah
from engine.containerd import IMAGE, SOCKET
from engine.containers import FOREVER
from engine.podman import Podman
from engine.setting import ARCHIVES, BUSYBOX, USER
from harness.needs import needs_cap_sys_resource

NAME, CITY, FISH = "José Ångström", "東京", "🐟 & <Øl>"
INSIDE = "/données"
SCRIPT = 'echo name=$NAME; echo city=$CITY; echo here=$(pwd); echo file=$(cat "brød 1"); echo fish=$1'
SEEN = {"name": NAME, "city": CITY, "here": INSIDE, "file": FISH, "fish": FISH}


@pytest.fixture
def volume(tmp_path):
    """An option that mounts a directory; the path has no letter of ASCII but the first ones."""
    path = tmp_path / "データ"
    path.mkdir()
    (path / "brød 1").write_text(FISH, encoding="utf-8")
    return f"{path}:{INSIDE}"


@pytest.fixture(params=["podman", "docker"])
def engine(request, runtime):
    return request.getfixturevalue(request.param)


@pytest.fixture
def image(engine):
    """One whose configuration has such words, too."""
    engine("import", "--change", f"ENV CITY={CITY}", "--change", "ENV PATH=/bin", "--change", f"LABEL city={CITY}",
           ARCHIVES / "busybox.tar", "localhost/words")
    yield "localhost/words"
    engine("rmi", "--force", "localhost/words")


def check(output):
    assert dict(line.split("=", 1) for line in output.splitlines()) == SEEN


def test_run_and_exec(engine, image, volume):
    """Arguments, environment, labels, annotations and paths: of the container, of its image and of exec."""
    options = ["--env", f"NAME={NAME}", "--label", f"owner={NAME}", "--annotation", f"owner={NAME}",
               "--volume", volume, "--workdir", INSIDE]
    command = ["sh", "-c", SCRIPT, "sh", FISH]
    check(engine.seen(*options, image, *command))
    one = engine.start(*options, image=image)
    check(one.output_of(*command, options=["--env", f"NAME={NAME}", "--workdir", INSIDE]))
    assert one.inspect()["Config"]["Labels"] == {"city": CITY, "owner": NAME}
    one.remove()


def test_a_user(runtime, podman_as_user, nothing_left):
    engine = Podman(runtime, USER)
    seen = engine.seen("--env", f"NAME={NAME}", "--annotation", f"owner={NAME}", BUSYBOX, "sh", "-c",
                       "echo $NAME $1", "sh", CITY)
    assert seen == f"{NAME} {CITY}"


def test_build(runtime, podman_as_root, nothing_left, tmp_path):
    (tmp_path / "Containerfile").write_text(f'FROM {BUSYBOX}\nENV NAME="{NAME}"\nRUN echo "$NAME {CITY}" >/ﬁle\n',
                                            encoding="utf-8")
    buildah = Buildah(runtime)
    buildah.build(tmp_path, "localhost/built")
    work = buildah.work_on("localhost/built")
    assert buildah.run(work, "cat", "/ﬁle").stdout == f"{NAME} {CITY}\n"
    buildah("rm", work)
    buildah("rmi", "localhost/built")


def test_containerd(ctr, volume):
    source = volume.removesuffix(f":{INSIDE}")
    options = ["--env", f"NAME={NAME}", "--env", f"CITY={CITY}", "--label", f"owner={NAME}",
               "--annotation", f"owner={NAME}", "--cwd", INSIDE,
               "--mount", f"type=bind,src={source},dst={INSIDE},options=rbind:ro"]
    one = ctr.start(*options)
    result = one.exec("sh", "-c", SCRIPT, "sh", FISH, options=["--cwd", INSIDE])
    check(result.stdout)
    one.remove()


@needs_cap_sys_resource  # a sandbox has a negative oom_score_adj
def test_kubelet(runtime, containerd, nothing_left):
    """The names of a pod and of its container are annotations."""
    kubelet = cri.Kubelet(SOCKET)
    config = {"metadata": {"name": NAME, "uid": "1", "namespace": CITY}}
    sandbox = kubelet("RunPodSandbox", config=config, runtime_handler=runtime)["pod_sandbox_id"]
    container = kubelet("CreateContainer", pod_sandbox_id=sandbox, sandbox_config=config, config={
        "metadata": {"name": FISH}, "image": {"image": IMAGE}, "command": FOREVER})["container_id"]
    kubelet("StartContainer", container_id=container)
    reply = kubelet("ExecSync", container_id=container, cmd=["echo", CITY], timeout=300)
    assert reply["stdout"] == f"{CITY}\n"
    kubelet("StopPodSandbox", pod_sandbox_id=sandbox)
    kubelet("RemovePodSandbox", pod_sandbox_id=sandbox)
    kubelet.close()
