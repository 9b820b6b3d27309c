"""Finds the optional folder of models and images that tests use but the project does not contain."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parent.parent


def shared_folder() -> Path | None:
    """`$AXIR_SHARED`, else `../shared` beside the checkout, if it is a folder."""
    folder = Path(os.environ.get("AXIR_SHARED") or CHECKOUT.parent / "shared")
    return folder if folder.is_dir() else None


def shared_path(*parts: str) -> Path:
    """A file or folder in the shared folder; skips the test when it is not there."""
    folder = shared_folder()
    if folder is None:
        pytest.skip("no shared folder: set AXIR_SHARED to the folder with models/ and images/")
    path = folder.joinpath(*parts)
    if not path.exists():
        pytest.skip(f"the shared folder has no {'/'.join(parts)}")
    return path


def shared_model(name: str) -> Path:
    """The ONNX model `name`, without suffix, of the shared folder; skips the test when it is not there."""
    return shared_path("models", f"{name}.onnx")
