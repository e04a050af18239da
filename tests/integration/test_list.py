# SPDX-License-Identifier: LGPL-2.1-or-later
"""list: for programs as runc prints it, for people as a terminal has room."""

import re

import pytest

from harness.needs import needs_ocirt_sd
from harness.terminal import InFrontOf

pytestmark = needs_ocirt_sd


def on_terminal(runtime, columns, *options):
    """The lines that a person sees."""
    with InFrontOf(["sh", "-c", 'read go; exec "$@"', "sh", *runtime.command("list", *options)], columns=columns) as person:
        person.master.type(b"\n")
        seen = person.master.read_to_end().decode()
        assert person.status() == 0
    return seen.replace("\r\n", "\n").strip("\n").split("\n")


@pytest.fixture
def two(container):
    """One of them has an id as engines give them."""
    return container(name="web").run_detached(), container(name=64 * "0123456789abcdef"[7]).create()


def test_times_are_relative_and_nothing_is_cut_where_there_is_room(runtime, two):
    title, *rows = on_terminal(runtime, 400)
    assert title.split() == ["ID", "PID", "STATUS", "BUNDLE", "CREATED", "OWNER"]
    assert len(rows) == 2
    for one, row in zip(sorted(two, key=lambda one: one.id), rows):
        state = one.state()
        assert re.fullmatch(rf"{one.id} +{state['pid']} +{state['status']} +{one.bundle.path} +(\d+\w+ ?)+ ago +"
                            rf"{state['owner']}", row)
        assert row.index(state["status"]) == title.index("STATUS")


@pytest.mark.parametrize("columns", [60, 72, 80, 100])
def test_the_table_fits(runtime, two, columns):
    """The end of a path, the beginning of an id, and whole words."""
    lines = on_terminal(runtime, columns)
    assert max(map(len, lines)) <= columns
    assert all(any(status in line for line in lines) for status in ["running", "created"])
    long = next(line for line in lines if line.startswith("7777"))
    assert re.match(r"7{11,}…? ", long)
    if "…" in long.split()[3]:
        assert two[1].bundle.path.name.endswith(long.split()[3].strip("…")[-2:])


def test_what_is_short_stays_whole(runtime, two):
    """The path, beside an id of 64 characters."""
    paths = [str(one.bundle.path) for one in two]
    seen = "\n".join(on_terminal(runtime, max(map(len, paths)) + 64 + 25))
    assert all(path in seen for path in paths) and "7… " in seen


def test_a_name_of_many_bytes(runtime, container):
    """Characters are counted, and what would speak to the terminal does not."""
    one = container()
    strange = one.bundle.path.with_name("bündel-\x1b[31m-日本")
    one.bundle.path.rename(strange)
    one.bundle.path, one.log = strange, strange / "output"
    one.pid_file = strange / "pid"
    one.run_detached()
    lines = on_terminal(runtime, 400)
    assert r"bündel-\x1b[31m-日本  " in lines[1] and "\x1b" not in lines[1]
    assert lines[1].index(" ago") > lines[0].index("CREATED")


@pytest.mark.parametrize("options", [[], ["--format", "table"]], ids=str)
def test_programs_get_runcs_table(runtime, two, options):
    text = runtime("list", *options)
    assert re.search(r"^web +\d+ +running +/\S+ +\d{4}-\d\d-\d\dT[\d:.]+Z   \S+$", text, re.M)


def test_the_table_of_runc_can_be_had_on_a_terminal(runtime, two):
    assert on_terminal(runtime, 80, "--format", "table") == runtime("list").strip("\n").split("\n")
