# SPDX-License-Identifier: Apache-2.0
"""One clock for all: seconds since 1970, as Prometheus writes them. Nobody sets the clock of the machine meanwhile."""
import time

now = time.time
sleep = time.sleep


def wait_for(condition, seconds: float, interval: float = 0.02):
    """The first true result of `condition`, or its last when the time is over."""
    end = now() + seconds
    while True:
        result = condition()
        if result or now() > end:
            return result
        sleep(interval)
