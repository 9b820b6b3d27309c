"""The output folder: whole or as it was."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from axir.compiler.output import REPORT, OutputFolder
from axir.ir.diagnostics import AxirError


def write(folder: OutputFolder, text: str) -> None:
    (folder.staging / REPORT).write_text(text)
    (folder.staging / "compiled_model").mkdir()
    (folder.staging / "compiled_model" / "model.json").write_text(text)


def listing(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def test_appears_only_when_committed(tmp_path: Path) -> None:
    folder = OutputFolder(tmp_path / "deep" / "out")
    write(folder, "1")
    assert not (tmp_path / "deep" / "out").exists()
    folder.commit()
    folder.discard()
    assert (tmp_path / "deep" / "out" / "compiled_model" / "model.json").read_text() == "1"
    assert os.listdir(tmp_path / "deep") == ["out"]


def test_an_earlier_compilation_is_replaced(tmp_path: Path) -> None:
    for text in ("1", "2"):
        folder = OutputFolder(tmp_path / "out")
        write(folder, text)
        folder.commit()
    assert (tmp_path / "out" / REPORT).read_text() == "2"
    assert os.listdir(tmp_path) == ["out"]


def test_discarding_leaves_an_earlier_compilation(tmp_path: Path) -> None:
    folder = OutputFolder(tmp_path / "out")
    write(folder, "1")
    folder.commit()
    folder = OutputFolder(tmp_path / "out")
    write(folder, "2")
    folder.discard()
    assert (tmp_path / "out" / REPORT).read_text() == "1"
    assert os.listdir(tmp_path) == ["out"]


def test_an_empty_folder_is_used(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    folder = OutputFolder(tmp_path / "out")
    write(folder, "1")
    folder.commit()
    assert (tmp_path / "out" / REPORT).exists()


@pytest.mark.parametrize("names", [["thesis.tex"], [REPORT, "thesis.tex"], ["compiled_model"]])
def test_other_files_are_never_replaced(tmp_path: Path, names: list[str]) -> None:
    (tmp_path / "out").mkdir()
    for name in names:
        (tmp_path / "out" / name).write_text("mine")
    with pytest.raises(AxirError, match="files that no compilation wrote"):
        OutputFolder(tmp_path / "out")
    assert listing(tmp_path) == sorted(["out", *(f"out/{name}" for name in names)])


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("x")
    with pytest.raises(AxirError, match="is a file"):
        OutputFolder(tmp_path / "out")


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(OSError, match="file"):
        OutputFolder(tmp_path / "file" / "out")


def test_a_read_only_place_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = tmp_path / "out"

    def refuse(self: Path, *arguments: object, **options: object) -> None:
        raise PermissionError(13, "Permission denied", str(self))

    monkeypatch.setattr(Path, "mkdir", lambda self, *a, **o: None if self == tmp_path else refuse(self))
    with pytest.raises(AxirError) as error:
        OutputFolder(place)
    assert error.value.render().startswith(f"{place}: error: cannot write beside the output folder: Permission denied")


def test_commit_through_a_link_keeps_the_link(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    folder = OutputFolder(tmp_path / "link")
    write(folder, "1")
    folder.commit()
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real" / REPORT).exists()
