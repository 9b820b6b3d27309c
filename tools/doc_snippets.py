"""Runs the code blocks of documentation pages from top to bottom and writes what they print; --check only compares.

The first line of a block says what it is; blocks of another kind stay as they are.

`// NAME.mlir`, `# NAME.py`      a file, which later blocks of the page can use; a Python file is run
`// FOLDER/NAME`, `# FOLDER/NAME`  the content of that file of the project
`// ax-opt ...`                  a command and what it prints
`$ ax-opt ...`                   a command that refuses its input, and its errors

Commands run in a folder of their own, which holds the page's files and the project's folder `examples`. They know the
plug-in that a page shows by its `pyproject.toml`.
"""

from __future__ import annotations

import contextlib
import io
import os
import re
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from axir.ir.files import write_text

CHECKOUT = Path(__file__).resolve().parent.parent
DOCS = [CHECKOUT / "docs" / f"{name}.md" for name in ("architecture", "passes", "tutorial-first-pass")]

_BLOCK = re.compile(r"^```(?P<language>\w*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
_FILE = re.compile(r"(?://|#) (?P<name>[\w.-]+\.(?:mlir|py))")
_CONTENT = re.compile(r"(?://|#) (?P<name>(?:[\w.-]+/)+[\w.-]+)")
_COMMAND = re.compile(r"(?P<mark>//|\$) ax-opt (?P<arguments>.*)")


def current(page: str) -> str:
    """The page with every block as it should be. Raises `ValueError` where a block does not do what its kind says."""
    with tempfile.TemporaryDirectory() as folder:
        os.symlink(CHECKOUT / "examples", Path(folder) / "examples")
        runner = _Runner(Path(folder))
        return _BLOCK.sub(lambda match: f"```{match['language']}\n{runner.block(match['text'])}```", page)


@dataclass
class _Runner:
    folder: Path
    plugins: dict[str, None] = field(default_factory=dict[str, None])

    def block(self, text: str) -> str:
        first, _, rest = text.partition("\n")
        if match := _FILE.fullmatch(first):
            self._file(match["name"], rest)
            return text
        if match := _CONTENT.fullmatch(first):
            path = CHECKOUT / match["name"]
            if path.name == "pyproject.toml":
                self.plugins |= dict.fromkeys(install(path.parent, self.folder))
            return f"{first}\n{path.read_text('utf-8')}"
        if match := _COMMAND.fullmatch(first):
            code, out, err = self._ax_opt(shlex.split(match["arguments"]))
            if code != (1 if match["mark"] == "$" else 0):
                raise ValueError(f"{first}: exit code {code}\n{err}")
            return f"{first}\n{err if code else out}"
        return text

    def _file(self, name: str, text: str) -> None:
        path = self.folder / name
        path.write_text(text, "utf-8")
        if path.suffix == ".py":
            done = subprocess.run([sys.executable, name], cwd=self.folder, capture_output=True, text=True, check=False)
            if done.returncode != 0:
                raise ValueError(f"{name} fails: {done.stderr}")

    def _ax_opt(self, arguments: list[str]) -> tuple[int, str, str]:
        """Exit code, stdout and stderr."""
        if self.plugins:
            command = [sys.executable, "-m", "axir.tools.ax_opt", *arguments]
            environment = os.environ | {"PYTHONPATH": os.pathsep.join(self.plugins)}
            done = subprocess.run(
                command, cwd=self.folder, env=environment, capture_output=True, text=True, check=False, timeout=60
            )
            return done.returncode, done.stdout, done.stderr
        # In this process: much faster.
        from axir.tools.ax_opt import main as ax_opt

        out, err = io.StringIO(), io.StringIO()
        with contextlib.chdir(self.folder), contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = ax_opt(arguments)
        return code, out.getvalue(), err.getvalue()


def install(project: Path, folder: Path) -> list[str]:
    """What an editable install does, without pip: the entries of PYTHONPATH that make `project` an installed package.

    Its metadata, entry points included, go to a new folder in `folder`.
    """
    import tomli

    declared: Mapping[str, Any] = tomli.loads((project / "pyproject.toml").read_text("utf-8"))["project"]
    info = folder / "site" / f"{declared['name'].replace('-', '_')}-{declared['version']}.dist-info"
    info.mkdir(parents=True)
    metadata = f"Metadata-Version: 2.1\nName: {declared['name']}\nVersion: {declared['version']}\n"
    (info / "METADATA").write_text(metadata, "utf-8")
    groups: Mapping[str, Mapping[str, str]] = declared["entry-points"]
    lines = [line for group in groups for line in (f"[{group}]", *(f"{k} = {v}" for k, v in groups[group].items()))]
    (info / "entry_points.txt").write_text("\n".join(lines) + "\n", "utf-8")
    return [str(info.parent), str(project)]


def main() -> int:
    for doc in DOCS:
        page = doc.read_text("utf-8")
        if "--check" not in sys.argv[1:]:
            write_text(doc, current(page))
        elif current(page) != page:
            print(f"error: {doc.name} is not current\nnote: run {Path(__file__).name}", file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
