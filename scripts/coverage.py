#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""coverage.py FILE: the line coverage of each library of Sources, out of what `swift test --enable-code-coverage` has left.

Executables (flags and wiring) and generated messages do not count. Fails if a library is below 80 %.
"""
import collections
import json
import pathlib
import sys

LEAST_PERCENT = 80
# Their parts are in libraries; what is left of them runs in end-to-end tests.
EXECUTABLES = {"Supervisor", "Ingest", "Exporter", "RingTool"}


def main(path: str) -> int:
    sources = pathlib.Path(__file__).resolve().parents[1] / "Sources"
    covered, lines = collections.Counter(), collections.Counter()
    for file in json.loads(pathlib.Path(path).read_text())["data"][0]["files"]:
        place = pathlib.Path(file["filename"])
        if not place.is_relative_to(sources) or place.suffix != ".swift" or "Generated" in place.parts:
            continue
        library = place.relative_to(sources).parts[0]
        if library not in EXECUTABLES:
            covered[library] += file["summary"]["lines"]["covered"]
            lines[library] += file["summary"]["lines"]["count"]
    if not lines:
        print(f"coverage: {path} tells of no library", file=sys.stderr)
        return 1
    below = 0
    for library in sorted(lines, key=lambda name: covered[name] / lines[name]):
        percent = 100 * covered[library] / lines[library]
        below += percent < LEAST_PERCENT
        print(f"{library:18} {percent:5.1f} %  {covered[library]:6} of {lines[library]:6} lines{'' if percent >= LEAST_PERCENT else '  below'}")
    total = sum(covered.values()), sum(lines.values())
    print(f"{'all':18} {100 * total[0] / total[1]:5.1f} %  {total[0]:6} of {total[1]:6} lines")
    return 1 if below else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]) if len(sys.argv) == 2 else "usage: coverage.py FILE")
