# SPDX-License-Identifier: LGPL-2.1-or-later
"""It has ended in order in the boot before, and has begun in this one."""

import json

import web
from harness import process, systemd
from harness.wait import until


def memory_max():
    cgroup = process.CGROUPS / web.show("ControlGroup").lstrip("/")
    return int((cgroup / "memory.max").read_text(encoding="ascii"))


def until_restarted(number):
    """So often, and it runs."""
    until(lambda: web.show("NRestarts") == str(number), f"it was started again: {number}")
    web.until_said(["begun", *["poststop", "begun"] * number])
    until(lambda: web.show("ActiveState") == "active", "it is active")


def test_shutdown():
    """It was asked and had the time that it took. How it ended was written down, and its hook run, before what comes
    last."""
    words = web.said()
    words[3:5] = sorted(words[3:5])  # neither is for the other
    assert words == ["begun", "asked", "ended", "poststop", "unneeded", "shutdown", "begun"]
    end = json.loads(web.END.read_text(encoding="ascii"))["exit"]
    assert (end["code"], end["reason"], end["requested"]) == (5, "stopped", "stop")


def test_boot():
    """It runs since then, and nobody has started it."""
    assert (web.show("ActiveState"), web.show("NRestarts")) == ("active", "0")
    assert [(one["id"], one["status"]) for one in web.RUNTIME.list()] == [(web.NAME, "running")]


def test_its_life():
    """It has its limit, through reload and crash; and that of memory is why it ends in the end."""
    web.LOG.write_text("begun\n", encoding="ascii")
    systemd.systemctl("daemon-reload")
    assert memory_max() == web.MEMORY
    web.RUNTIME("kill", web.NAME, "KILL")
    until_restarted(1)
    assert memory_max() == web.MEMORY
    web.RUNTIME("kill", web.NAME, "USR1")
    until_restarted(2)
    results = systemd.journal("--output=cat", f"--unit={web.UNIT}", "--output-fields=UNIT_RESULT", "UNIT_RESULT=signal",
                              "UNIT_RESULT=oom-kill")
    assert results.split() == ["signal", "oom-kill"]
