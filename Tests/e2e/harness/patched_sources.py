"""Our Swift sources with an edit, type-checked against the debug build. The tree and the build stay as they are."""
import dataclasses
import json
import pathlib
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[3]
DESCRIPTION = ROOT / ".build" / "debug" / "description.json"


@dataclasses.dataclass(frozen=True)
class Edit:
    """Puts `text` behind the one place in `file` where `anchor` is; without an anchor it is all of a new file."""

    file: str
    anchor: str | None
    text: str

    def apply(self, source: str) -> str:
        if self.anchor is None:
            assert not (ROOT / self.file).exists(), f"{self.file} is there already"
            return self.text
        assert source.count(self.anchor) == 1, f"{self.file} has {source.count(self.anchor)} places {self.anchor!r}, not one"
        return source.replace(self.anchor, self.anchor + self.text)


class PatchedSources:
    """Compiles the targets that have edits, and those that depend on them, each against the patched ones below it."""

    def __init__(self, folder: pathlib.Path, edits: list[Edit]):
        self._folder = folder
        self._commands = self._read_commands()
        self._texts: dict[str, str] = {}
        for edit in edits:
            before = self._texts.get(edit.file) or ((ROOT / edit.file).read_text() if edit.anchor else "")
            self._texts[edit.file] = edit.apply(before)

    @property
    def touched(self) -> set[str]:
        return {file for file in self._texts if file.startswith("Sources/")}

    def check(self) -> None:
        """Raises with the compiler's words if a target does not compile."""
        (self._folder / "modules").mkdir()
        changed: set[str] = set()
        for target in self._in_order():
            is_touched = any(file.startswith(f"Sources/{target}/") for file in self._texts)
            if is_touched or changed & self._dependencies[target]:
                self._compile(target)
                changed.add(target)
        assert changed, "no target of the debug build has a patched file"

    def _read_commands(self) -> dict[str, dict]:
        description = json.loads(DESCRIPTION.read_text())
        ours = {c["moduleName"]: c for c in description["swiftCommands"].values() if f"{ROOT}/Sources/{c['moduleName']}/" in c["sources"][0]}
        self._dependencies = {name: set(description["targetDependencyMap"].get(name, [])) & ours.keys() for name in ours}
        return ours

    def _in_order(self) -> list[str]:
        """Each target behind those that it depends on."""
        order: list[str] = []

        def visit(target: str) -> None:
            for below in sorted(self._dependencies[target]):
                visit(below)
            if target not in order:
                order.append(target)

        for target in sorted(self._dependencies):
            visit(target)
        return order

    def _compile(self, target: str) -> None:
        command = self._commands[target]
        files = {pathlib.Path(s).relative_to(ROOT).as_posix() for s in command["sources"]}
        files |= {file for file in self._texts if file.startswith(f"Sources/{target}/")}
        sources = [str(self._place(file)) for file in sorted(files)]
        modules = str(self._folder / "modules")
        # One process for the module: one for each file would read all the others again.
        known = ["-wmo", "-module-name", target, "-I", modules, "-I", command["importPath"], *self._flags(command), *sources]
        library = ["-parse-as-library"] if command["isLibrary"] and "-parse-as-library" not in known else []
        self._run([command["executable"], "-typecheck", *library, *known], target)
        if any(target in below for below in self._dependencies.values()):
            place = f"{modules}/{target}.swiftmodule"
            self._run([command["executable"], "-emit-module", "-emit-module-path", place, *library, *known], target)

    def _place(self, file: str) -> pathlib.Path:
        if file not in self._texts:
            return ROOT / file
        place = self._folder / file
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(self._texts[file])
        return place

    @staticmethod
    def _flags(command: dict) -> list[str]:
        """Those of the build, without what says how and where objects are written."""
        alone = {"-incremental", "-enable-batch-mode", "-serialize-diagnostics", "-parseable-output", "-color-diagnostics"}
        with_value = {"-index-store-path", "-emit-objc-header-path", "-output-file-map"}
        flags, given = [], iter(command["otherArguments"])
        for flag in given:
            if flag in with_value:
                next(given)
            elif flag not in alone and not flag.startswith("-j"):
                flags.append(flag)
        return flags

    @staticmethod
    def _run(command: list[str], target: str) -> None:
        ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300)
        assert ended.returncode == 0, f"{target}:\n{ended.stderr[-4000:]}"
