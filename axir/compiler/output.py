"""The output folder of a compilation: it appears, whole, when everything in it is written."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Any, cast

from axir.compiler.status import CLI_STAGE, SUCCEEDED, failure
from axir.ir.diagnostics import AxirError
from axir.ir.files import write_text

REPORT = "compilation_report.json"
LOG = "compilation_log.txt"
ARGUMENTS = "cli_args.json"
TRACE = "compilation_trace.json"
ERROR_ARTIFACT = "error_artifact.zip"
SENSITIVITY_TEXT, SENSITIVITY_JSON = "sensitivity.txt", "sensitivity.json"
"""What `axc --sensitivity` adds."""


@dataclass(frozen=True)
class Content:
    """What a folder of artifacts may hold. One of `markers` is always among its `entries`: so we know our folders."""

    entries: tuple[str, ...]
    markers: tuple[str, ...]


COMPILATION = Content(
    (
        ARGUMENTS, "conf.toml", REPORT, LOG, TRACE, ERROR_ARTIFACT, "input_model", "quantized_model", "compiled_model",
        SENSITIVITY_TEXT, SENSITIVITY_JSON,
    ),
    markers=(REPORT, SENSITIVITY_JSON),
)  # fmt: skip


class OutputFolder:
    """Collects artifacts in a temporary folder beside `path`, then puts it in the place of `path`.

    `path` must be absent, empty, or hold what an earlier run wrote and nothing else; `replace` allows any folder.
    """

    def __init__(self, path: str | Path, content: Content = COMPILATION, *, replace: bool = False):
        """Raises `AxirError` for a folder with other content, and `OSError` where nothing can be written."""
        self.path = Path(path)
        _check_replaceable(self.path, None if replace else content)
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


def check_addable(path: Path) -> None:
    """Raises `AxirError` for a folder that `add_to_folder` does not take."""
    _check_replaceable(path, COMPILATION)


def add_to_folder(path: Path, files: Mapping[str, str]) -> None:
    """Write texts into the folder of a compilation, or one that is absent or empty.

    Raises `AxirError` for a folder with other content, and `OSError`.
    """
    check_addable(path)
    path.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        write_text(path / name, text)


def json_text(value: Any) -> str:
    """A value as indented JSON, keys in the order they have."""
    return json.dumps(value, indent=2) + "\n"


def write_json(path: Path, value: Any) -> None:
    """Write a value as indented JSON, keys in the order they have."""
    write_text(path, json_text(value))


def numbered(file: str, segment: int) -> str:
    """The name of a segment's file: `model.axm` of the first, `model.1.axm` of the next."""
    name = PurePath(file)
    return f"{name.stem}.{segment}{name.suffix}" if segment else file


def check_removable(path: Path, inputs: Iterable[Path]) -> None:
    """Raises `AxirError` for a folder that is never removed, whatever the setting `remove_output_dir` says.

    These are mount points and the root, the home directory, the working directory, the parents of both, and a folder
    in which one of the compilation's `inputs` lies.
    """
    reason = _reason_to_keep(path.resolve(), inputs)
    if reason is not None:
        raise AxirError(
            f"the output folder {reason}: it will not be removed",
            location=str(path),
            notes=("choose another folder, or leave the setting remove_output_dir out",),
        )


def _reason_to_keep(place: Path, inputs: Iterable[Path]) -> str | None:
    if os.path.ismount(place):
        return "is a mount point"
    for what, other in (("home", Path(os.path.expanduser("~"))), ("working", Path.cwd())):
        if other.resolve().is_relative_to(place):
            return f"holds the {what} directory"
    for file in inputs:
        if file.resolve().is_relative_to(place):
            return f"holds {file}, which the compilation reads"
    return None


def record_refusal(
    path: str | Path, error: BaseException, model: str | None = None, arguments: Mapping[str, Any] | None = None
) -> None:
    """Write the report of a compilation that `error` ended before its first stage.

    Only where it takes nothing: to a folder that is absent, empty, or holds what a failed compilation left.
    """
    folder = Path(path)
    if not folder.parent.is_dir() or _succeeded(folder) or _reason_to_keep(folder.resolve(), ()) is not None:
        return
    with suppress(AxirError, OSError):
        folder = OutputFolder(path)
        try:
            report = failure(error, CLI_STAGE)
            write_json(folder.staging / REPORT, report | {"tool": "axc", "model": model})
            write_text(folder.staging / LOG, report["error"] + "\n")
            if arguments is not None:
                write_json(folder.staging / ARGUMENTS, arguments)
            folder.commit()
        finally:
            folder.discard()


def _succeeded(path: Path) -> bool:
    """Whether a compilation that succeeded wrote this folder."""
    try:
        report = cast(object, json.loads((path / REPORT).read_text("utf-8")))
    except (OSError, ValueError):
        return False
    return isinstance(report, dict) and cast(dict[str, Any], report).get("status") == SUCCEEDED.code


def _check_replaceable(path: Path, content: Content | None) -> None:
    if not path.exists():
        return
    if not path.is_dir():
        raise AxirError("the output folder is a file", location=str(path), notes=("choose another with -o",))
    if content is None:
        return
    entries = sorted(entry.name for entry in path.iterdir())
    others = [name for name in entries if name not in content.entries]
    if entries and (others or not any(marker in entries for marker in content.markers)):
        listed = ", ".join((others or entries)[:5])
        raise AxirError(
            f"the output folder holds files that no compilation wrote: {listed}",
            location=str(path),
            notes=("choose an empty or new folder; one that a compilation wrote is replaced",),
        )
