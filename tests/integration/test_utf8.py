# SPDX-License-Identifier: LGPL-2.1-or-later
"""What people call their things: UTF-8, raw in config.json, as Go writes it."""

import os
from pathlib import Path

import pytest

from harness import go
from harness.config import Config

TEXTS = {
    "two bytes": "José",
    "three bytes": "日本語 €",
    "four bytes": "🐧𝒳",
    "a sign that combines": "e\u0301",
    "what a script in HTML trips over": "<&>\u2028\u2029",
    "the first and the last of each length": "\x7f\x80\u07ff\u0800\ud7ff\ue000\uffff\U00010000\U0010ffff",
    "replaced by Go": "\ufffd",
}


@pytest.fixture(params=TEXTS.values(), ids=TEXTS)
def text(request):
    return request.param


@pytest.mark.proves("process.args", "process.env", "process.cwd", "mounts[].destination", "annotations", "hooks.createRuntime")
def test_config_json(container, text):
    """Arguments, variables and their names, paths, annotations, hooks."""
    config = Config("sh", "-c", "while :; do sleep 1; done", text).env(f"VARIABLE={text}", f"{text}=name")
    config.set("process.cwd", f"/{text}").mount(f"/mnt/{text}", "tmpfs", "tmpfs")
    config.annotation(f"org.example.{text}", text)
    one = container(config)
    config.hook("createRuntime", "/bin/sh", "-c", 'printf %s "$1" >"$2"', "sh", text, str(one.bundle.path / text))
    one.bundle.write(config.text())
    one.run_detached()
    assert one.state()["annotations"] == {f"org.example.{text}": text}
    assert (one.bundle.path / text).read_text(encoding="utf-8") == text
    assert f" /mnt/{text} ".replace(text, text.replace(" ", "\\040")) in one.output_of("cat", "/proc/self/mountinfo")
    init = Path(f"/proc/{one.pid}")
    assert text.encode() in (init / "cmdline").read_bytes().split(b"\0")
    assert {f"VARIABLE={text}".encode(), f"{text}=name".encode()} <= set((init / "environ").read_bytes().split(b"\0"))
    assert os.readlink(init / "cwd") == f"/{text}"


def test_exec(container, text):
    """On the command line and with --process."""
    one = container().run_detached()
    path = one.bundle.path / "process.json"
    path.write_text(go.marshal({"args": ["sh", "-c", 'printf "%s %s" "$1" "$NAME"', "sh", text], "cwd": "/",
                                "env": ["PATH=/bin", f"NAME={text}"]}), encoding="utf-8")
    assert one.output_of(options=["--process", path]) == f"{text} {text}"
    assert one.output_of("sh", "-c", 'printf "%s %s" "$1" "$NAME"', "sh", text, options=["--env", f"NAME={text}"]) \
        == f"{text} {text}"


@pytest.mark.proves("hostname", "domainname")
def test_names_of_the_container(container):
    """hostname and domainname are bytes for the kernel."""
    one = container(Config().sleeping().set("hostname", "müller").set("domainname", "例え.jp")).run_detached()
    assert one.output_of("cat", "/proc/sys/kernel/hostname", "/proc/sys/kernel/domainname") == "müller\n例え.jp\n"
