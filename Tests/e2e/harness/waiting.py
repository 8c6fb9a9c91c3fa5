# SPDX-License-Identifier: Apache-2.0
"""Waiting for what shall become true. A limit here is how long a broken build is waited for, never what is measured."""
import time

PATIENCE = 20.0


def eventually(condition, what: str, timeout: float = PATIENCE, interval: float = 0.03):
    """Returns the first true result of `condition`; fails with the last result when none comes."""
    deadline = time.monotonic() + timeout
    while True:
        result = condition()
        if result:
            return result
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {timeout} s: {what}; last seen: {result!r}")
        time.sleep(interval)
