# SPDX-License-Identifier: LGPL-2.1-or-later
"""README's sections about engines: the tests configure the engines with what stands there, and call them so.

A block that follows a paragraph with the path of a file is what goes into it; other blocks are commands.
"""

import re
import textwrap
from pathlib import Path

README = Path(__file__).parents[2] / "README.md"
BLOCK = r"(?:^ {4}.*\n(?:^ *\n(?= {4}))*)+"


def _blocks(title):
    """Pairs of the path that is said in front of a block, or None, and the block."""
    text = README.read_text(encoding="utf-8")
    section = re.search(rf"^### {title}\n(.*?)(?=^#|\Z)", text, re.M | re.S)[1]
    before = 0
    for match in re.finditer(BLOCK, section, re.M):
        path = re.search(r"`(/\S+)`", section[before:match.start()])
        before = match.end()
        yield path and path[1], textwrap.dedent(match[0])


def file(title, path):
    return dict(_blocks(title))[path]


def commands(title, **replacements):
    """One text for a shell, with words replaced by what they stand for."""
    text = "".join(block for path, block in _blocks(title) if not path)
    for word, value in replacements.items():
        text = re.sub(rf"\b{word}\b", value, text)
    return text
