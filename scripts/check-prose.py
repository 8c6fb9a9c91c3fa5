#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks words, names, documents and diagrams, for scripts/tidy.sh: phrases of scripts/phrases.txt, type names that occur
twice, names of tests, wide lines, links and paths without a target, and Mermaid diagrams. Prints every breach and fails if
there is one."""
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
PHRASES = "scripts/phrases.txt"
#: Decisions and the changelog are records of their time; generated files have their words from elsewhere.
EXEMPT = re.compile(r"^docs/decisions/|^CHANGELOG\.md$|^LICENSE$|/Generated/|\.proto$|^scripts/phrases\.txt$|^docs/metrics\.md$|^Tests/e2e/test_prose\.py$")
COLUMNS = 120
#: Documents with a limited width; a table cannot be wrapped, so a wide one becomes a list.
DOCUMENT = re.compile(r"^docs/.*\.(md|yaml)$|^(README|CONTRIBUTING)\.md$|^(deploy|bench)/README\.md$")
#: Folders in which a path of a document may begin.
BASES = ("", "Sources/")


def tracked() -> list[str]:
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"], cwd=ROOT, check=True, capture_output=True, text=True)
    return [name for name in sorted(set(listed.stdout.split("\n"))) if (ROOT / name).is_file()]


def text_of(name: str) -> str | None:
    try:
        return (ROOT / name).read_text()
    except UnicodeDecodeError:
        return None


def phrases(files):
    rules = []
    for line in text_of(PHRASES).splitlines():
        if line and not line.startswith("#"):
            pattern, reason = line.split("\t")
            rules.append((re.compile(pattern), reason))
    for name in files:
        if EXEMPT.search(name) or (text := text_of(name)) is None:
            continue
        for number, line in enumerate(text.splitlines(), 1):
            if name.endswith(".md") and line.startswith("#"):
                continue  # A heading is no sentence.
            for pattern, reason in rules:
                if found := pattern.search(line):
                    yield f"{name}:{number}: \"{found[0].strip()}\": {reason}"


DECLARATION = re.compile(
    r"^(?:(?:public|package|internal|private|fileprivate|final|indirect|open|nonisolated|@\w+(?:\([^)]*\))?) )*"
    r"(?:struct|class|enum|protocol|actor|typealias) (\w+)", re.MULTILINE)


def types_twice(files):
    """Top-level types of Sources and Tools; a name within another type has that type's name before it."""
    places = {}
    for name in files:
        if re.match(r"(Sources|Tools)/.*\.swift$", name) and "/Generated/" not in name:
            for found in DECLARATION.finditer(text_of(name)):
                places.setdefault(found[1], []).append(name)
    for name, where in sorted(places.items()):
        if len(where) > 1:
            yield f"{name}: {', '.join(where)}"


#: A name of a test begins with a component, which is a noun without an article; the behaviour follows.
NO_COMPONENT = r"(?:an?|the|it|its|one|who|what|whose|when|where|no|nobody|nothing|every|any|all)"
SWIFT_TEST = re.compile(r"@Test\b.*?\bfunc\s+(\w+)", re.DOTALL)
SWIFT_NAME = re.compile(rf"(?!{NO_COMPONENT}[A-Z_])[a-z]\w*?_[a-z]\w*")
PYTHON_TEST = re.compile(r"^(?:async )?def (test_\w+)", re.MULTILINE)
PYTHON_NAME = re.compile(rf"test_(?!{NO_COMPONENT}_)[a-z0-9]+_\w+")


def test_names(files):
    """Of unit tests `component_behaviour`, of end-to-end tests `test_component_behaviour`."""
    for name in files:
        if re.match(r"Tests/\w+Tests/.*\.swift$", name):
            test, form, wanted = SWIFT_TEST, SWIFT_NAME, "component_behaviour"
        elif re.match(r"Tests/(?:.*/)?test_\w+\.py$", name):
            test, form, wanted = PYTHON_TEST, PYTHON_NAME, "test_component_behaviour"
        else:
            continue
        text = text_of(name)
        for found in test.finditer(text):
            if not form.fullmatch(found[1]):
                yield f"{name}:{text[:found.start(1)].count(chr(10)) + 1}: {found[1]}: name it {wanted}"


def wide_lines(documents):
    for name in documents:
        for number, line in enumerate(text_of(name).splitlines(), 1):
            if len(line) > COLUMNS:
                yield f"{name}:{number}: {len(line)} columns"


def without_code(text: str) -> str:
    return re.sub(r"^```.*?^```$|^    .*$", "", text, flags=re.MULTILINE | re.DOTALL)


def anchors(text: str) -> set[str]:
    """As GitHub makes them of headings."""
    found = set()
    for heading in re.findall(r"^#+ +(.*)$", re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL), re.MULTILINE):
        plain = re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", heading)
        found.add(re.sub(r"[^\w\- ]", "", plain.lower()).replace(" ", "-"))
    return found


def links(documents):
    for name in documents:
        if not name.endswith(".md"):
            continue
        text = without_code(text_of(name))
        for target in re.findall(r"\]\(([^)\s]+)\)", text):
            if re.match(r"[a-z]+:", target):
                continue
            path, _, anchor = target.partition("#")
            file = (ROOT / name).parent / path if path else ROOT / name
            if not file.exists():
                yield f"{name}: no file {path}"
            elif anchor and (not file.is_file() or anchor not in anchors(file.read_text())):
                yield f"{name}: no heading #{anchor} in {path or name}"
        if name.startswith("docs/decisions/"):
            continue
        for path in re.findall(r"`([A-Za-z][\w+.-]*/[\w+./-]*\.(?:swift|c|h|py|sh|md|yml|yaml|proto|service|default|8|1))`", text):
            if not any((ROOT / base / path).is_file() for base in BASES):
                yield f"{name}: no file {path}"


NODE = r"\w+(?:\[[^\]\[;]+\])?"
ARROW = r"(?:-->|---|==>|-\.->|<-->)"
TEXT = r"[^;#\n]+"
#: The part of Mermaid that the documents use; each line of a diagram is one of its kind's.
MERMAID = {
    r"flowchart (?:LR|TD)": [
        rf"{NODE}(?: {ARROW}(?:\|[^|;]+\|)? {NODE})+", r"subgraph \w+ \[[^\]]+\]", r"direction (?:LR|TD)", "end"],
    "sequenceDiagram": [
        rf"participant \w+ as {TEXT}", rf"\w+(?:->>|-->>|--x|-x)\w+: {TEXT}", rf"Note over \w+(?:,\w+)?: {TEXT}",
        rf"(?:loop|alt|else|opt) {TEXT}", "end"],
    "stateDiagram-v2": [rf"(?:\w+|\[\*\]) --> (?:\w+|\[\*\])(?:: {TEXT})?", rf"state \w+ \{{", r"\}"],
}
#: Words that Mermaid takes for something else where a node's name is expected.
RESERVED = {"call", "click", "class", "style", "default", "graph", "end"}


def diagrams(documents):
    for name in documents:
        if not name.endswith(".md"):
            continue
        for block in re.finditer(r"^```mermaid\n(.*?)^```$", text_of(name), re.MULTILINE | re.DOTALL):
            number = text_of(name)[: block.start()].count("\n") + 2
            first, *rest = block[1].splitlines()
            kinds = [lines for head, lines in MERMAID.items() if re.fullmatch(head, first)]
            if not kinds:
                yield f"{name}:{number}: a diagram of another kind: {first}"
                continue
            depth = 0
            for offset, line in enumerate((part.strip() for part in rest), 1):
                names = re.findall(r"(?:^|> )(\w+)(?=\[| |$)", line) if first.startswith("flowchart") else []
                if line and (not any(re.fullmatch(form, line) for form in kinds[0]) or len(line.split()) > 1 and RESERVED & set(names)):
                    yield f"{name}:{number + offset}: cannot be read as {first}: {line}"
                depth += bool(re.match(r"(subgraph|loop|alt|opt)\b", line)) - (line == "end")
            if depth:
                yield f"{name}:{number}: {depth} blocks without an end"


def main() -> int:
    files = tracked()
    documents = [name for name in files if DOCUMENT.search(name)]
    checks = {
        "phrases that are not plain English (scripts/phrases.txt):": phrases(files),
        "type names that occur twice:": types_twice(files),
        "names of tests that do not say component and behaviour:": test_names(files),
        f"lines of documents over {COLUMNS} columns:": wide_lines(documents),
        "links and paths of documents that lead nowhere:": links(documents),
        "diagrams that Mermaid may not draw:": diagrams(documents),
    }
    failed = False
    for title, found in checks.items():
        if breaches := list(found):
            failed = True
            print(f"prose: {title}\n" + "\n".join(breaches), file=sys.stderr)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
