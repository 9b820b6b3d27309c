"""Weights of Ultralytics YOLO networks as ONNX models, with the library that trained them."""

from __future__ import annotations

import importlib
import shutil
import tempfile
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

from axir.ir.diagnostics import AxirError


@contextmanager
def exported_model(weights: Path, opset: int, input_shape: Sequence[int] | None = None) -> Generator[Path]:
    """An ONNX model made of `weights` (.pt), in a folder that lives as long as the block.

    Of `input_shape` (N, C, H, W) the height and width are used; without it the size is the network's own. Nothing is
    written beside `weights`. Raises `AxirError` where `ultralytics` is not installed or fails.
    """
    try:
        library = cast(Any, importlib.import_module("ultralytics"))
    except ImportError as error:
        missing = error.name == "ultralytics"
        raise AxirError(
            "a .pt file needs the package ultralytics" + ("" if missing else f", which cannot be imported: {error}"),
            location=str(weights),
            notes=("pip install ultralytics, or export to ONNX elsewhere and give the .onnx file",),
        ) from None
    size = {} if input_shape is None else {"imgsz": list(input_shape[2:4])}
    with tempfile.TemporaryDirectory() as folder:
        # The library writes the model beside the weights that it is given.
        copy = Path(folder) / weights.name
        shutil.copyfile(weights, copy)
        try:
            made = Path(
                library.YOLO(str(copy)).export(format="onnx", opset=opset, dynamic=False, simplify=False, **size)
            )
        except Exception as error:
            lines = str(error).strip().splitlines() or ["no message"]
            raise AxirError(
                f"ultralytics cannot export these weights: {type(error).__name__}: {lines[0]}", location=str(weights)
            ) from error
        if not made.is_file():
            raise AxirError(f"ultralytics wrote no model: expected {made.name}", location=str(weights))
        _remove_date(made)
        yield made


def _remove_date(model: Path) -> None:
    """Take out when the model was exported: equal weights shall give equal files."""
    import onnx

    proto = onnx.load(str(model))
    kept = [entry for entry in proto.metadata_props if entry.key != "date"]
    del proto.metadata_props[:]
    proto.metadata_props.extend(kept)
    onnx.save_model(proto, str(model))
