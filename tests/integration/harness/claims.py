# SPDX-License-Identifier: LGPL-2.1-or-later
"""Machines that share their tests, as hooks for a conftest."""

from pathlib import Path

import pytest


def pytest_addoption(parser):
    parser.addoption("--claims", metavar="DIR", type=Path,
                     help="run what no other machine has claimed there; it has the same tests in the same order")


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop(session):
    """pytest's own loop, over what this machine could claim."""
    if not session.config.option.claims or session.testsfailed or session.config.option.collectonly:
        return None
    items = _claim(session.items, session.config.option.claims)
    item = next(items, None)
    while item:
        following = next(items, None)
        item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
        item = following
    return True


def _claim(items, directory):
    for number, item in enumerate(items):
        try:
            (directory / str(number)).touch(exist_ok=False)
        except FileExistsError:
            continue
        yield item
