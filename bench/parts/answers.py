# SPDX-License-Identifier: Apache-2.0
"""Whether answers are right."""
import json
import re

from .client import Answer, Wrong


def count_samples(text: bytes) -> int:
    """Sample lines of an exposition, without the proxy's own."""
    if text and not text.endswith(b"\n"):
        raise Wrong("the last line is not complete")
    lines = text.count(b"\n")
    comments = text.count(b"\n#") + text.startswith(b"#")
    own = text.count(b"\nfodc_proxy_") + text.startswith(b"fodc_proxy_")
    return lines - comments - own


def check_metrics(answer: Answer, agents: int, series: int, gzip: bool, is_thorough: bool) -> int:
    """The number of the agents' samples, which must be all.

    is_thorough: also that every agent is there, and no series twice; takes some µs a sample."""
    if gzip != (answer.headers.get("content-encoding") == "gzip"):
        raise Wrong(f"content-encoding {answer.headers.get('content-encoding')!r}, gzip was asked for: {gzip}")
    text = answer.text()
    samples = count_samples(text)
    if samples < agents * series:
        raise Wrong(f"{samples} samples of {len(pods_of(text))} pods instead of {agents * series} of {agents}")
    if is_thorough:
        pods = pods_of(text)
        if len(pods) != agents:
            raise Wrong(f"series of {len(pods)} pods instead of {agents}")
        named = [line[: line.rindex(b" ")] for line in text.split(b"\n") if line and not line.startswith(b"#")]
        if len(set(named)) != len(named):
            raise Wrong(f"{len(named) - len(set(named))} series are there twice")
    return samples


def pods_of(text: bytes) -> set[bytes]:
    return set(re.findall(rb'[{,]pod_name="([^"]*)"', text))


def check_window(answer: Answer, agents: int, series: int, points: int, is_thorough: bool) -> int:
    """The number of points, which must be `points` for each series."""
    text = answer.text()
    found = text.count(b'"timestamp":')
    if found != agents * series * points:
        raise Wrong(f"{found} points instead of {agents * series * points}")
    if is_thorough:
        elements = json.loads(text)
        if len(elements) != agents * series:
            raise Wrong(f"{len(elements)} series instead of {agents * series}")
        if any(len(element["data"]) != points for element in elements):
            raise Wrong(f"a series has not {points} points")
    return found
