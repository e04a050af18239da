# SPDX-License-Identifier: LGPL-2.1-or-later
"""Waiting for something to become true, never for time to pass."""

import time

DEADLINE = 30
PAUSE = 0.005


def until(condition, what, seconds=DEADLINE):
    """Wait until the condition holds, and return its value."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"not within {seconds} s: {what}")
        time.sleep(PAUSE)
