# SPDX-License-Identifier: Apache-2.0
"""A strict reader of the Prometheus text format 0.0.4: what it takes, every scraper takes."""
import dataclasses
import re
import struct

NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
LABEL = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
VALUE = re.compile(r"NaN|[+-]Inf|-?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?")
TYPES = {"counter", "gauge", "histogram", "summary", "untyped"}
COMPONENTS = {"histogram": ("_bucket", "_sum", "_count", ""), "summary": ("_sum", "_count", "")}


def bits(value: float) -> int:
    """The value's 64 bits; all NaNs are one, since text has only one."""
    return struct.unpack("<Q", struct.pack("<d", value))[0] if value == value else 0x7FF8000000000000


def key(name: str, labels: dict) -> tuple:
    return name, frozenset((k, v) for k, v in labels.items() if v != "")


@dataclasses.dataclass
class Family:
    name: str
    type: str
    help: str | None = None
    lines: list = dataclasses.field(default_factory=list)  # (sample name, [(label, value)], value)


class Exposition:
    """`samples` maps (name, frozenset of labels) to the value; `families` are in the order of the text."""

    def __init__(self, text: str, allows_empty_labels: bool = False):
        self.text = text
        self._allows_empty_labels = allows_empty_labels
        self.families: dict[str, Family] = {}
        self.comments: list[str] = []
        self.samples: dict[tuple, float] = {}
        self._parse(text)

    def _parse(self, text: str):
        assert text == "" or text.endswith("\n"), "the last line has no end"
        family, help_of = None, None
        for line in text.split("\n")[:-1]:
            if line.startswith("# HELP "):
                name, _, description = line[7:].partition(" ")
                assert help_of is None, f"two HELP lines in a row: {line}"
                assert NAME.fullmatch(name), line
                help_of = (name, _unescape(description, {"\\": "\\", "n": "\n"}))
            elif line.startswith("# TYPE "):
                name, kind = line[7:].split(" ")
                assert NAME.fullmatch(name) and kind in TYPES, line
                assert name not in self.families, f"second TYPE line: {line}"
                assert help_of is None or help_of[0] == name, f"HELP of {help_of} before {line}"
                family = Family(name, kind, help_of[1] if help_of else None)
                self.families[name], help_of = family, None
            elif line.startswith("# "):
                assert help_of is None, f"a comment between HELP and TYPE: {line}"
                self.comments.append(line)
            else:
                assert help_of is None, f"HELP without TYPE before: {line}"
                assert family is not None, f"sample before any TYPE: {line}"
                name, labels, value = parse_sample(line, self._allows_empty_labels)
                allowed = [family.name + suffix for suffix in COMPONENTS.get(family.type, ("",))]
                assert name in allowed, f"{name} is not of family {family.name} ({family.type})"
                identity = (name, frozenset(labels))
                assert identity not in self.samples, f"series appears twice: {line}"
                self.samples[identity] = value
                family.lines.append((name, labels, value))
        assert help_of is None, "the text ends after a HELP line"

    def value(self, name: str, **labels) -> float:
        found = self.samples.get(key(name, labels))
        assert found is not None, f"no {name}{labels}; of that name: {[k for k in self.samples if k[0] == name][:20]}"
        return found

    def named(self, name: str) -> dict:
        """The series of one sample name: frozenset of labels to value."""
        return {k[1]: v for k, v in self.samples.items() if k[0] == name}

    def total(self, name: str, **labels) -> float:
        """The sum of the series of one name that bear these labels, 0 without one."""
        wanted = set(labels.items())
        return sum(v for k, v in self.named(name).items() if wanted <= k)

    def without_own(self) -> dict:
        """The agents' samples: what is left without the proxy's own metrics."""
        own = ("fodc_proxy_", "banyandb_fodc_schema_consistency_status")
        return {k: v for k, v in self.samples.items() if not k[0].startswith(own)}

    def assert_ordered(self):
        names = list(self.families)
        assert names == sorted(names), f"families out of order: {[n for n, s in zip(names, sorted(names)) if n != s][:4]}"
        for family in self.families.values():
            assert family.lines, f"family {family.name} without a sample"
            for name, labels, _ in family.lines:
                keys = [k for k, _ in labels]
                assert keys == sorted(keys), f"labels out of order: {name}{labels}"
                assert len(set(keys)) == len(keys), f"a label twice: {name}{labels}"


def parse_sample(line: str, allows_empty_labels: bool = False):
    match = NAME.match(line)
    assert match, f"no metric name: {line!r}"
    name, at, labels = match.group(), match.end(), []
    if line[at : at + 1] == "{":
        at += 1
        while line[at] != "}":
            match = LABEL.match(line, at)
            assert match and line[match.end() : match.end() + 2] == '="', f"bad label at {at}: {line!r}"
            at = match.end() + 2
            end = at
            while line[end] != '"':
                end += 2 if line[end] == "\\" else 1
            value = _unescape(line[at:end], {"\\": "\\", "n": "\n", '"': '"'})
            assert value != "" or allows_empty_labels, f"empty label: {line!r}"
            labels.append((match.group(), value))
            at = end + 1
            if line[at] == ",":
                at += 1
                assert line[at] != "}", f"comma before the end: {line!r}"
        at += 1
    assert line[at] == " ", f"no space before the value: {line!r}"
    value = line[at + 1 :]
    assert VALUE.fullmatch(value), f"bad value (or a timestamp): {line!r}"
    return name, labels, float(value)


def _unescape(text: str, escapes: dict) -> str:
    out, at = [], 0
    while at < len(text):
        if text[at] == "\\":
            assert at + 1 < len(text) and text[at + 1] in escapes, f"bad escape in {text!r}"
            out.append(escapes[text[at + 1]])
            at += 2
        else:
            out.append(text[at])
            at += 1
    return "".join(out)
