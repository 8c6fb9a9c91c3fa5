#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""mutations.py [--check] [NAME…]: breaks the product on purpose, and tells which unit test notices.

Tests/mutations.toml lists the mutations: the places, the text that stands there, the text that is put in its place, and the
tests that are to fail with it. Without a NAME all are tried. Mutations that cannot disturb one another's tests share a build.
--check only looks whether each text is where it is to be. Fails if a mutation survives, or cannot be tried.
"""
import argparse
import collections.abc
import json
import pathlib
import re
import subprocess
import sys
import time
import tomllib

ROOT = pathlib.Path(__file__).resolve().parents[1]
LIST = ROOT / "Tests" / "mutations.toml"
# More than any filter takes; a mutation that makes a test wait for ever is noticed, too.
TEST_SECONDS = 300


class Mistake(Exception):
    """The list does not fit the sources."""


class Mutation:
    def __init__(self, entry: dict, sources: list[pathlib.Path], suites: dict[str, set[str]]):
        self.name, self.tests = entry["name"], entry["tests"]
        self.changes = []
        for edit in entry["edits"]:
            found = [path for path in sources if f"/{path.relative_to(ROOT)}".endswith("/" + edit["file"])]
            if len(found) != 1:
                raise Mistake(f"{self.name}: {len(found)} files are named {edit['file']}")
            old, new = edit["old"].rstrip("\n"), edit["new"].rstrip("\n")
            count = found[0].read_text().count(old)
            if count != 1 or old == new:
                raise Mistake(f"{self.name}: {edit['file']} has the old text {count} times; it must be there once: {old!r}")
            self.changes.append((found[0], old, new))
        # Modules by the folders of Sources and Tests.
        self.modules = {path.relative_to(ROOT).parts[1] for path, _, _ in self.changes}
        missing = [suite for suite in self.tests if suite not in suites]
        if missing:
            raise Mistake(f"{self.name}: there is no suite {', '.join(missing)}")
        self.test_modules = set().union(*(suites[suite] for suite in self.tests))

    @property
    def filter(self) -> str:
        return r"\.(" + "|".join(self.tests) + r")(/|$)"


def read_list() -> list[Mutation]:
    sources = sorted((ROOT / "Sources").rglob("*.swift"))
    suites: dict[str, set[str]] = {}
    for path in (ROOT / "Tests").rglob("*.swift"):
        for name in re.findall(r"\b(?:struct|class)\s+(\w+Tests)\b", path.read_text()):
            suites.setdefault(name, set()).add(path.relative_to(ROOT).parts[1])
    return [Mutation(entry, sources, suites) for entry in tomllib.loads(LIST.read_text())["mutation"]]


def dependencies() -> dict[str, set[str]]:
    """Of each target all those that it is built of."""
    package = json.loads(subprocess.run(["swift", "package", "describe", "--type", "json"], cwd=ROOT, check=True,
                                        stdout=subprocess.PIPE).stdout)
    direct = {target["name"]: set(target.get("target_dependencies", [])) for target in package["targets"]}
    whole: dict[str, set[str]] = {}

    def resolve(name: str) -> set[str]:
        if name not in whole:
            whole[name] = {name}.union(*(resolve(other) for other in direct.get(name, ())))
        return whole[name]

    for name in direct:
        resolve(name)
    return whole


def batches(mutations: list[Mutation]) -> list[list[Mutation]]:
    """Each mutation goes into the first batch in which no test depends on what another mutation of it changes."""
    built_of = dependencies()

    def disturbs(one: Mutation, other: Mutation) -> bool:
        return any(built_of[test] & one.modules for test in other.test_modules)

    result: list[list[Mutation]] = []
    for mutation in mutations:
        for batch in result:
            if not any(disturbs(mutation, other) or disturbs(other, mutation) for other in batch):
                batch.append(mutation)
                break
        else:
            result.append([mutation])
    return result


def build() -> str | None:
    """The compiler's complaint, if it has one."""
    done = subprocess.run(["swift", "build", "--product", "fodc-proxyPackageTests"], cwd=ROOT, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    errors = [line for line in done.stdout.splitlines() if " error: " in line or line.startswith("error: ")]
    return None if done.returncode == 0 else "\n".join(errors[:5]) or done.stdout[-2000:]


def test(pattern: str) -> tuple[str, list[str]]:
    """`passed`, `failed`, `died`, `hung` or `nothing`, and the tests that failed."""
    try:
        done = subprocess.run(["swift", "test", "--skip-build", "--no-parallel", "--filter", pattern], cwd=ROOT, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=TEST_SECONDS)
    except subprocess.TimeoutExpired:
        return "hung", []
    if re.search(r"Test run with 0 tests|No matching test cases were run", done.stdout):
        return "nothing", []
    failed = re.findall(r"Test (\w+)\(.*?\) (?:with .*? )?failed after", done.stdout)
    if done.returncode == 0:
        return "passed", []
    return ("failed" if failed else "died"), failed or re.findall(r"(?:Fatal error|Precondition failed): [^\n]*", done.stdout)


def attempt(batch: list[Mutation]) -> collections.abc.Iterator[tuple[Mutation, str, list[str]]]:
    before: dict[pathlib.Path, str] = {}
    try:
        for mutation in batch:
            for path, old, new in mutation.changes:
                text = path.read_text()
                before.setdefault(path, text)
                path.write_text(text.replace(old, new))
        if error := build():
            yield from ((mutation, "does not compile", [error]) for mutation in batch)
        else:
            yield from ((mutation, *test(mutation.filter)) for mutation in batch)
    finally:
        for path, text in before.items():
            path.write_text(text)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="only look whether the list fits the sources")
    parser.add_argument("names", nargs="*", metavar="NAME")
    options = parser.parse_args()
    try:
        mutations = read_list()
    except Mistake as mistake:
        print(f"Tests/mutations.toml: {mistake}", file=sys.stderr)
        return 1
    if unknown := set(options.names) - {mutation.name for mutation in mutations}:
        print(f"mutations: there is no mutation {', '.join(sorted(unknown))}", file=sys.stderr)
        return 2
    if options.check:
        return 0
    if options.names:
        mutations = [mutation for mutation in mutations if mutation.name in options.names]
    if error := build():
        print(f"mutations: the sources do not compile as they are:\n{error}", file=sys.stderr)
        return 1
    everything = r"\.(" + "|".join(sorted({suite for mutation in mutations for suite in mutation.tests})) + r")(/|$)"
    outcome, failed = test(everything)
    if outcome != "passed":
        print(f"mutations: the tests fail without any ({outcome}): {', '.join(failed)}", file=sys.stderr)
        return 1
    bad = 0
    begun = time.monotonic()
    for batch in batches(mutations):
        for mutation, outcome, tests in attempt(batch):
            isKilled = outcome in ("failed", "died", "hung")
            bad += not isKilled
            verdict = {"failed": "killed by", "died": "killed: the tests crash", "hung": "killed: the tests hang",
                       "passed": "SURVIVES", "nothing": "NOT TRIED: no test matches"}.get(outcome, f"NOT TRIED: {outcome}")
            named = ", ".join(tests[:3]) + (f" and {len(tests) - 3} more" if len(tests) > 3 else "")
            print(f"{mutation.name:34} {verdict} {named}".rstrip(), flush=True)
    # The built programs are again those of the sources.
    build()
    print(f"{len(mutations) - bad} of {len(mutations)} mutations killed in {time.monotonic() - begun:.0f} s")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
