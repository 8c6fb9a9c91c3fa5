# SPDX-License-Identifier: Apache-2.0
"""The limits in docs/security.md are those of the sources: types, flags, constants and their values, metrics, tests."""
import functools
import pathlib
import re

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "security.md"
UNITS = {"KiB": 1 << 10, "MiB": 1 << 20, "ms": 1e-3, "s": 1, "min": 60, "": 1}
#: The attacks that the design names, each by words of an entry's title.
DESIGN = [
    "Connections of one address", "Streams of one connection", "handshakes", "Resets", "made to send", "CONTINUATION", "PING",
    "SETTINGS", "PRIORITY", "WINDOW_UPDATE", "empty DATA", "Header lists", "expand", "half open", "idle", "Heads and bodies",
    "half sent", "read slowly", "sent ahead", "Windows", "Reports", "Collections"]


def entries(page: str) -> dict[str, dict[str, str]]:
    """Of each limit the text behind `held by`, `counted in` and `tested by`, by its title."""
    section = page.split("\n## What one client may cost\n")[1].split("\n## ")[0]
    found = {}
    for item in re.split(r"^- (?=\*\*)", section, flags=re.MULTILINE)[1:]:
        item = re.split(r"\n(?=\S)", item)[0]
        title, *parts = re.split(r"^  - (?=held by|counted in|tested by)", item, flags=re.MULTILINE)
        found[" ".join(title.split())] = {
            " ".join(part.split()[:2]): " ".join(part.split()[2:]) for part in parts}
    return found


ENTRIES = entries(PAGE.read_text())


@functools.cache
def sources() -> str:
    return "\n".join(path.read_text() for path in (ROOT / "Sources").rglob("*.swift"))


@functools.cache
def tested_code() -> str:
    return "\n".join(path.read_text() for suffix in ("swift", "py") for path in (ROOT / "Tests").rglob(f"*.{suffix}"))


@functools.cache
def metrics() -> dict[str, dict[str, set[str]]]:
    """The labels of each metric with their values, as far as docs/metrics.md lists them."""
    found = {}
    for item in re.split(r"^- (?=`)", (ROOT / "docs" / "metrics.md").read_text(), flags=re.MULTILINE)[1:]:
        name, *labels = re.split(r"^  - ", item, flags=re.MULTILINE)
        found[re.match(r"`(\w+)`", name)[1]] = {
            re.match(r"`(\w+)`", label)[1]: set(re.split(r"[,\s]+", label.split(":", 1)[1].strip())) for label in labels}
    return found


def amount(number: str, unit: str) -> float:
    return float(number.replace(",", "")) * UNITS[unit]


def declared(name: str) -> list[float]:
    """The values with which the sources declare a constant of this name, durations in seconds."""
    values = []
    pattern = rf"\b(?:let|var) {name}\b(?:: [\w.]+)?(?: = (.+)$| \{{ (.+) \}}$)"
    for text in re.findall(pattern, sources(), re.MULTILINE):
        text = next(filter(None, text)).split("//")[0].replace("_", "").strip()
        scale = 1e-9 if name.endswith("Nanoseconds") else 1
        if found := re.fullmatch(r"(?:Duration|TimeAmount)?\.(seconds|minutes|milliseconds)\((\d+)\)", text):
            text, scale = found[2], {"seconds": 1, "minutes": 60, "milliseconds": 1e-3}[found[1]]
        if re.fullmatch(r"[\d.\s*<]+", text):
            values.append(eval(text) * scale)  # noqa: S307 (digits and operators alone)
    return values


def test_security_page_has_every_limit_of_the_design():
    titles = " ".join(ENTRIES)
    assert [word for word in DESIGN if word not in titles] == []


@pytest.mark.parametrize("title", ENTRIES)
def test_security_page_limits_are_those_of_the_sources(title):
    entry = ENTRIES[title]
    assert entry.keys() == {"held by", "counted in", "tested by"}
    for text in entry.values():
        assert re.search(r"`[^`]+`", text), text
    for name, number, unit in re.findall(r"`([^`]+)`(?: ([\d.,]*\d)(?: (KiB|MiB|ms|s|min)\b)?)?", entry["held by"]):
        if name.startswith("--"):
            assert f'"{name[2:]}"' in sources(), f"there is no flag {name}"
        elif name[0].isupper():
            assert re.search(rf"\b(?:struct|class|enum|actor) {name}\b", sources()), f"there is no type {name}"
        else:
            assert number, f"the page does not say how much {name} is"
            assert any(value == pytest.approx(amount(number, unit)) for value in declared(name)), (
                f"{name} is {declared(name)}, the page says {number} {unit}")
    assert re.match(r"`[A-Z]", entry["held by"]), "the type that holds it comes first"
    for name, label, value in re.findall(r"`(\w+)(?:\{(\w+)=\"(\w+)\"\})?`", entry["counted in"]):
        assert name in metrics(), f"docs/metrics.md has no {name}"
        if label:
            assert value in metrics()[name][label], f"{name} has no {label} {value}"
    for name in re.findall(r"`([^`]+)`", entry["tested by"]):
        assert re.search(rf"\b(?:func|def) {name}\(", tested_code()), f"there is no test {name}"


@pytest.mark.parametrize("old, new, complaint", [
    ("`resetBurst` 4,096", "`resetBurst` 4,097", "the page says 4,097"),
    ("`AbuseGuard`: `resetBurst`", "`AbuseGuards`: `resetBurst`", "there is no type AbuseGuards"),
    ('cause="resets"', 'cause="reset"', "has no cause reset"),
    ("`grpcConnection_closesRapidResetsUnderTheirCause`", "`resets_end`", "there is no test resets_end"),
    ("`--max-agents-per-source`", "`--max-agents-per-address`", "there is no flag --max-agents-per-address"),
])
def test_security_page_check_finds_what_is_not_so(old, new, complaint, monkeypatch):
    text = PAGE.read_text()
    assert old in text
    changed = entries(text.replace(old, new))
    title = next(t for t in changed if changed[t] != ENTRIES[t])
    monkeypatch.setitem(ENTRIES, title, changed[title])
    with pytest.raises(AssertionError, match=re.escape(complaint)):
        test_security_page_limits_are_those_of_the_sources(title)
