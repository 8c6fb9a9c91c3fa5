# SPDX-License-Identifier: Apache-2.0
"""Results: one record each, as a line of JSON and as a line of a table."""
import dataclasses
import statistics


@dataclasses.dataclass
class Figure:
    """One quantity, measured several times."""
    values: list[float]

    @property
    def median(self) -> float:
        return statistics.median(self.values)

    def json(self) -> dict:
        digits = [float(f"{value:.4g}") for value in (self.median, min(self.values), max(self.values))]
        return dict(zip(["median", "min", "max"], digits)) | {"count": len(self.values)}

    def text(self, digits: int | None = None) -> str:
        show = (lambda value: f"{value:.{digits}f}") if digits is not None else (lambda value: f"{value:.3g}")
        if len(self.values) == 1:
            return show(self.median)
        return f"{show(self.median)} ({show(min(self.values))}-{show(max(self.values))})"


@dataclasses.dataclass
class Result:
    case: str
    what: str
    #: Of the case: agents, series, …
    given: dict
    figures: dict[str, Figure] = dataclasses.field(default_factory=dict)
    #: Single numbers.
    numbers: dict[str, float] = dataclasses.field(default_factory=dict)
    #: The Go proxy's figures, and this version's bar: text for people.
    go: str = ""
    bar: str = ""
    #: Why an answer was wrong; empty: none was.
    wrong: str = ""

    def add(self, name: str, value: float):
        self.figures.setdefault(name, Figure([])).values.append(value)

    def json(self) -> dict:
        record = {"case": self.case, "what": self.what, **self.given}
        record |= {name: figure.json() for name, figure in self.figures.items()}
        record |= {name: float(f"{value:.5g}") for name, value in self.numbers.items()}
        return record | {"status": "FAILED" if self.wrong else "ok"} | ({"wrong": self.wrong} if self.wrong else {})


#: Columns: heading, and how to show it.
COLUMNS = [
    ("latency ms", lambda r: _figure(r, "latency_ms", 1)),
    ("MB/s", lambda r: _figure(r, "megabytes_a_second", 0)),
    ("CPU s/GB", lambda r: _figure(r, "cpu_s_a_gigabyte", 2)),
    ("CPU ms/request", lambda r: _figure(r, "cpu_ms_a_request", 1)),
    ("CPU us/sample", lambda r: _figure(r, "cpu_us_a_sample", 3)),
    ("serving", lambda r: _median(r, "serving_us_a_sample", 3)),
    ("ingest", lambda r: _median(r, "ingest_us_a_sample", 3)),
    ("exporter", lambda r: _median(r, "exporter_us_a_sample", 3)),
    ("agentsim", lambda r: _median(r, "agentsim_us_a_sample", 3)),
    ("samples", lambda r: _number(r, "samples", "{:.0f}")),
    ("peak MiB", lambda r: _number(r, "peak_bytes", "{:.0f}", 1 << 20)),
    ("B/sample", lambda r: _number(r, "memory_bytes_a_sample", "{:.0f}")),
    ("KiB/agent", lambda r: _number(r, "memory_bytes_an_agent", "{:.1f}", 1024)),
    ("Go proxy", lambda r: r.go),
    ("bar", lambda r: r.bar),
]


def _figure(result, name, digits):
    return result.figures[name].text(digits) if name in result.figures else ""


def _median(result, name, digits):
    return f"{result.figures[name].median:.{digits}f}" if name in result.figures else ""


def _number(result, name, form, unit=1):
    return form.format(result.numbers[name] / unit) if name in result.numbers else ""


def table(results: list[Result]) -> str:
    rows = [["case", "what"] + [heading for heading, _ in COLUMNS]]
    for result in results:
        rows.append([result.case, result.what] + [show(result) for _, show in COLUMNS])
    used = [i for i in range(len(rows[0])) if any(row[i] for row in rows[1:])]
    widths = {i: max(len(row[i]) for row in rows) for i in used}
    lines = ["  ".join(row[i].ljust(widths[i]) for i in used).rstrip() for row in rows]
    lines.insert(1, "  ".join("-" * widths[i] for i in used))
    lines += [f"FAILED {r.case} {r.what}: {r.wrong}" for r in results if r.wrong]
    return "\n".join(lines)
