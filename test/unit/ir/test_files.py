from __future__ import annotations

from pathlib import Path

import pytest

from axir.ir.files import atomic_open, write_text


def test_interrupted_write_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "f"
    write_text(path, "old")

    def interrupted() -> None:
        with atomic_open(path) as file:
            file.write(b"new, but only ha")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_error_names_the_target(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError) as raised, atomic_open(tmp_path / "none" / "f"):
        pass
    assert raised.value.filename == str(tmp_path / "none" / "f")
