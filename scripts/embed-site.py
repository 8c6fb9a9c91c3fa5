#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""embed-site.py [--check]

Writes the files of Sources/ExporterCore/Site/Assets into Sources/ExporterCore/Site/Generated/SiteFiles.swift, from where
the exporter serves them: the programs are single files that find nothing beside them. The style sheet stands in each
page, so that a page is painted after one round trip; its hash is what the pages' Content-Security-Policy allows. --check
changes nothing and fails if the two differ.
"""
import base64
import hashlib
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
ASSETS = ROOT / "Sources/ExporterCore/Site/Assets"
SOURCE = ROOT / "Sources/ExporterCore/Site/Generated/SiteFiles.swift"
STYLE = "style.css"
TYPES = {".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml", ".css": "text/css; charset=utf-8"}


def literal(text: str) -> str:
    """A raw literal with more signs around it than the text has in a row: nothing in it needs escaping."""
    if '"""##' in text or not text.endswith("\n"):
        sys.exit("embed-site: a file has the literal's end in it, or does not end with a line break")
    body = "".join("        " + line + "\n" if line else "\n" for line in text.split("\n")[:-1])
    return '##"""\n' + body + '\n        """##'


def made() -> str:
    style = (ASSETS / STYLE).read_text()
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    out = [
        "// SPDX-License-Identifier: Apache-2.0\n\n"
        "// Made from Sources/ExporterCore/Site/Assets by scripts/embed-site.py; do not edit.\n\n"
        "// swift-format-ignore-file\n\n"
        "/// The files of the pages.\n"
        "enum SiteFiles {\n"
        "    /// Stands in each page.\n"
        f"    static let style = {literal(style)}\n\n"
        "    /// Of the style sheet, as a policy names it.\n"
        f'    static let styleHash = "sha256-{digest}"\n\n'
        "    /// By name.\n"
        "    static let files: [(name: String, contentType: String, text: String)] = ["
    ]
    for path in sorted(ASSETS.iterdir()):
        if path.name != STYLE:
            out.append(f'        ("{path.name}", "{TYPES[path.suffix]}", {literal(path.read_text())}),')
    return "\n".join(out) + "\n    ]\n}\n"


if sys.argv[1:] == ["--check"]:
    if not SOURCE.exists() or SOURCE.read_text() != made():
        sys.exit(f"embed-site: {SOURCE.relative_to(ROOT)} is not up to date: scripts/embed-site.py")
elif sys.argv[1:]:
    sys.exit("usage: embed-site.py [--check]")
else:
    SOURCE.parent.mkdir(exist_ok=True)
    SOURCE.write_text(made())
