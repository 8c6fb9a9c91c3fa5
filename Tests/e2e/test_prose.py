# SPDX-License-Identifier: Apache-2.0
"""scripts/check-prose.py finds each kind of breach, and nothing in a tree without one."""
import pathlib
import shutil
import subprocess
import sys

import pytest

SCRIPTS = pathlib.Path(__file__).resolve().parents[2] / "scripts"
CLEAN = {
    "Sources/Rooms/Door.swift": "/// A door that opens.\npublic struct Door {\n    enum State { case open }\n}\n",
    "Sources/Rooms/Window.swift": "/// A window, with a state of its own.\nstruct Window {\n    enum State { case shut }\n}\n",
    "Tests/RoomsTests/DoorTests.swift": "@Test func door_opensOnce() {}\n@Test(arguments: [1])\nfunc door_shuts(number: Int) {}\nfunc helper() {}\n",
    "Tests/e2e/test_door.py": "def test_door_opens():\n    pass\n\n\ndef helper():\n    pass\n",
    "docs/page.md": "# Two rooms\n\nSee [here](#two-rooms), [there](other.md#a-heading-with-code) and `Rooms/Door.swift`.\n",
    "docs/other.md": "## A heading, with `code`\n\n```mermaid\nflowchart LR\n    a[one] -->|leads to| b[two]\n```\n\n"
                     "```mermaid\nsequenceDiagram\n    participant A as one\n    loop each\n        A->>A: asks\n    end\n```\n\n"
                     "```mermaid\nstateDiagram-v2\n    [*] --> open: begins\n    open --> [*]\n```\n",
}


def check(folder: pathlib.Path, files: dict) -> subprocess.CompletedProcess:
    (folder / "scripts").mkdir()
    for name in ("check-prose.py", "phrases.txt"):
        shutil.copy(SCRIPTS / name, folder / "scripts" / name)
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    subprocess.run(["git", "init", "-q", str(folder)], check=True)
    return subprocess.run([sys.executable, str(folder / "scripts" / "check-prose.py")], capture_output=True, text=True, timeout=60)


def test_prose_check_accepts_a_clean_tree(tmp_path):
    ended = check(tmp_path, CLEAN)
    assert (ended.returncode, ended.stderr) == (0, ""), "a tree without a breach passes"


@pytest.mark.parametrize("name, text, found", [
    ("Sources/Rooms/Hall.swift", "/// Who hangs is ended.\nstruct Hall {}\n", 'Sources/Rooms/Hall.swift:1: "/// Who"'),
    ("Sources/Rooms/Hall.swift", "// A reason. What it is.\nstruct Hall {}\n", 'Sources/Rooms/Hall.swift:1: ". What"'),
    ("Sources/Rooms/Hall.swift", 'let text = "failed for want of room"\n', 'say "for lack of"'),
    ("Tools/Door.swift", "public final class Door {}\n", "Door: Sources/Rooms/Door.swift, Tools/Door.swift"),
    ("Tests/RoomsTests/HallTests.swift", "@Test(arguments: [1])\n    func opensOnce(number: Int) {}\n", "HallTests.swift:2: opensOnce: name it"),
    ("Tests/RoomsTests/HallTests.swift", "@Test func aDoor_opens() {}\n", "HallTests.swift:1: aDoor_opens: name it"),
    ("Tests/RoomsTests/HallTests.swift", "@Test func door_Opens() {}\n", "HallTests.swift:1: door_Opens: name it"),
    ("Tests/e2e/test_hall.py", "import os\ndef test_the_door_opens():\n    pass\n", "test_hall.py:2: test_the_door_opens: name it"),
    ("Tests/e2e/test_hall.py", "def test_filters():\n    pass\n", "test_hall.py:1: test_filters: name it"),
    ("docs/wide.md", "x " * 61 + "\n", "docs/wide.md:1: 122 columns"),
    ("docs/links.md", "[gone](gone.md)\n", "docs/links.md: no file gone.md"),
    ("docs/links.md", "[gone](page.md#gone)\n", "docs/links.md: no heading #gone in page.md"),
    ("docs/links.md", "The file `Rooms/Gone.swift`.\n", "docs/links.md: no file Rooms/Gone.swift"),
    ("docs/picture.md", "```mermaid\npie\n```\n", "docs/picture.md:2: a diagram of another kind: pie"),
    ("docs/picture.md", "```mermaid\nflowchart LR\n    a --> call[b]\n```\n", "docs/picture.md:3: cannot be read"),
    ("docs/picture.md", "```mermaid\nsequenceDiagram\n    A->>B: one; two\n```\n", "docs/picture.md:3: cannot be read"),
    ("docs/picture.md", "```mermaid\nsequenceDiagram\n    loop each\n    A->>B: one\n```\n", "docs/picture.md:2: 1 blocks without an end"),
])
def test_prose_check_finds_each_kind_of_breach(tmp_path, name, text, found):
    ended = check(tmp_path, CLEAN | {name: text})
    assert ended.returncode == 1 and found in ended.stderr, ended.stderr
