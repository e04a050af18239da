# SPDX-License-Identifier: LGPL-2.1-or-later
"""README's text, which the tests do: what stands there has to work as it is printed.

A block of a section is a session in a terminal, if its lines begin with "# "; or what goes into a file, whose path the
paragraph before it says; or commands.
"""

import re
import textwrap
from dataclasses import dataclass, field
from pathlib import Path

README = Path(__file__).parents[2] / "README.md"
BLOCK = r"(?:^ {4}.*\n(?:^ *\n(?= {4}))*)+"
ROW = r"^\| `(?P<command>.+?)` \| (?P<effect>.+) \|$"


def section(title, deep=True):
    """The text below a heading, up to the next one of its level or above; not deep: up to the next one."""
    text = README.read_text(encoding="utf-8")
    heading = re.search(rf"^(#+) {title}\n", text, re.M)
    rest = text[heading.end():]
    following = re.search(rf"^#{{1,{len(heading[1]) if deep else 6}}} ", rest, re.M)
    return rest[:following.start()] if following else rest


def _blocks(text):
    """Pairs of the path that is said in front of a block, or None, and the block."""
    before = 0
    for match in re.finditer(BLOCK, text, re.M):
        path = re.search(r"`(/\S+)`", text[before:match.start()])
        before = match.end()
        yield path and path[1], textwrap.dedent(match[0])


def file(title, path):
    return dict(_blocks(section(title)))[path]


def commands(title, deep=True):
    """One text for a shell."""
    return "".join(block for path, block in _blocks(section(title, deep)) if not path)


# --- sessions

@dataclass
class Step:
    """A command, as it is typed, and what it prints; or what it brings about, as a table says."""
    command: str
    printed: list = field(default_factory=list)
    effect: str = ""

    def is_like(self, output):
        """Whether an output has the same shape: numbers are others, "…" is anything, a line of it any lines."""
        return re.fullmatch("".join(map(_pattern, self.printed)), output) is not None


def _pattern(line):
    if line.strip() == "…":
        return r"(?:.*\n)*?"
    parts = re.split(r"(…|\d+|\s+)", line)
    kinds = {"…": ".*"}
    return "".join(kinds.get(part) or (r"\d+" if part.isdigit() else r"\s+" if part.isspace() else re.escape(part))
                   for part in parts) + r"\s*?\n"


def session(title):
    """The steps of a section, from top to bottom."""
    steps = []
    for match in re.finditer(rf"{BLOCK}|{ROW}", section(title), re.M):
        if match["command"]:
            steps.append(Step(match["command"], effect=match["effect"]))
            continue
        for line in textwrap.dedent(match[0]).splitlines():
            if line.startswith("# "):
                steps.append(Step(line.removeprefix("# ")))
            else:
                steps[-1].printed.append(line)
    return steps
