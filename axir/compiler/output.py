"""The output folder of a compilation: it appears, whole, when everything in it is written."""

from __future__ import annotations

import json
import os
import shutil
from contextlib import suppress
from pathlib import Path
from typing import Any

from axir.ir.diagnostics import AxirError
from axir.ir.files import write_text

REPORT = "compilation_report.json"
ENTRIES = (
    "cli_args.json",
    "conf.toml",
    REPORT,
    "compilation_log.txt",
    "input_model",
    "quantized_model",
    "compiled_model",
)
"""What a compilation writes; REPORT is always among it, and tells our folders from others."""


class OutputFolder:
    """Collects artifacts in a temporary folder beside `path`, then puts it in the place of `path`.

    `path` must be absent, empty, or hold an earlier compilation and nothing else.
    """

    def __init__(self, path: str | Path):
        """Raises `AxirError` for a folder with other content, and `OSError` where nothing can be written."""
        self.path = Path(path)
        _check_replaceable(self.path)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        # Resolved, so that a folder behind a symbolic link is replaced and not the link.
        self._place = self.path.resolve()
        self.staging = self._place.with_name(f".{self._place.name}.{os.getpid()}.tmp")
        try:
            self.staging.mkdir()
        except OSError as error:
            raise AxirError(
                f"cannot write beside the output folder: {error.strerror}",
                location=str(self.path),
                notes=(
                    "artifacts are collected in a temporary folder there; choose an output folder that is writable",
                ),
            ) from None

    def clear(self) -> None:
        """Forget the artifacts collected so far."""
        for entry in self.staging.iterdir():
            shutil.rmtree(entry) if entry.is_dir() else entry.unlink()

    def commit(self) -> None:
        """Put the collected artifacts in place. Raises `OSError`; an earlier compilation then stays as it was."""
        old = self.staging.with_suffix(".old")
        replaced = self._place.exists()
        if replaced:
            self._place.rename(old)
        try:
            self.staging.rename(self._place)
        except OSError:
            if replaced:
                old.rename(self._place)
            raise
        if replaced:
            shutil.rmtree(old, ignore_errors=True)

    def discard(self) -> None:
        """Remove what was collected and not committed."""
        with suppress(FileNotFoundError):
            shutil.rmtree(self.staging)


def write_json(path: Path, value: Any) -> None:
    """Write a value as indented JSON, keys in the order they have."""
    write_text(path, json.dumps(value, indent=2) + "\n")


def _check_replaceable(path: Path) -> None:
    if not path.exists():
        return
    if not path.is_dir():
        raise AxirError("the output folder is a file", location=str(path), notes=("choose another with -o",))
    entries = sorted(entry.name for entry in path.iterdir())
    others = [name for name in entries if name not in ENTRIES]
    if entries and (others or REPORT not in entries):
        listed = ", ".join((others or entries)[:5])
        raise AxirError(
            f"the output folder holds files that no compilation wrote: {listed}",
            location=str(path),
            notes=("choose an empty or new folder; one that a compilation wrote is replaced",),
        )
