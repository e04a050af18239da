# SPDX-License-Identifier: LGPL-2.1-or-later
"""Waiting for something to become true, never for time to pass."""

import time

DEADLINE = 300  # for what hangs: nothing takes as long, on whatever machine
PAUSE = 0.005


def until(condition, what):
    """Wait until the condition holds, and return its value."""
    end = time.monotonic() + DEADLINE
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"not within {DEADLINE} s: {what}")
        time.sleep(PAUSE)
