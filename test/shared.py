"""Finds the optional folder of models and images that tests use but the project does not contain."""

from __future__ import annotations

from pathlib import Path

import pytest
from shared_folder import CHECKOUT, shared_folder

__all__ = ["CHECKOUT", "shared_folder", "shared_model", "shared_path"]


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
