"""What `axc` takes as MODEL: an ONNX file, a saved quantized model, or a module of any level."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from enum import IntEnum
from pathlib import Path
from typing import TYPE_CHECKING, cast

from xdsl.dialects.builtin import ArrayAttr, ModuleOp, StringAttr, UnitAttr
from xdsl.ir import Attribute

from axir.compiler.config import CompilerConfig
from axir.compiler.session import Session
from axir.dialects import aipu, ax, axq
from axir.ir.diagnostics import AxirError
from axir.ir.module_file import read_module
from axir.passes.quantization.graph import ARGUMENT_STATS

if TYPE_CHECKING:
    from onnx import ModelProto

QUANTIZED_MLIR = "quantized_model.mlir"
INPUTS = "ax.inputs"
"""Attribute of the module: the model's inputs in their order, which the split into host and device parts may change."""
STORED_IO = "ax.stored_io"
"""Attribute of the module: inputs and outputs that are the device's hold its stored bytes (remove_io_quantization)."""


class Level(IntEnum):
    """How far down the ladder a module is."""

    GRAPH = 0  # ax, as imported or optimized
    CALIBRATED = 1  # ax with statistics
    QUANTIZED = 2  # axq
    TASKS = 3  # aipu without addresses
    PROGRAM = 4  # aipu, ready to encode


def find_model(path: Path) -> Path:
    """The file of a model: `path`, or the quantized model in it where it is a folder. Raises `AxirError`."""
    if not path.is_dir():
        return path
    for file in (path / QUANTIZED_MLIR, path / "quantized_model" / QUANTIZED_MLIR):
        if file.is_file():
            return file
    raise AxirError(f"no {QUANTIZED_MLIR} in this folder", location=str(path))


def read_source(
    model: str | Path | ModelProto, session: Session, input_shapes: Mapping[str, Sequence[int]]
) -> ModuleOp:
    """The module of an ONNX model, or of an .mlir file or folder; its weights go to the session's context.

    Raises `OSError` and `AxirError`.
    """
    if isinstance(model, str | Path):
        model = find_model(Path(model))
        if model.suffix == ".mlir":
            if input_shapes:
                raise AxirError("--input-shape is for ONNX models; this module has static shapes", location=str(model))
            return read_module(session.context, model)
    from axir.frontends.onnx import import_model

    module = import_model(model, session.context, input_shapes)
    (graph,) = (op for op in module.ops if isinstance(op, ax.GraphOp))
    module.attributes[INPUTS] = graph.inputs
    return module


def mark_stored_io(module: ModuleOp, config: CompilerConfig) -> None:
    """Record remove_io_quantization on the module. A model that was quantized with it keeps it."""
    if config.remove_io_quantization:
        module.attributes[STORED_IO] = UnitAttr()


def level_of(module: ModuleOp, path: str) -> Level:
    """The level of a module. Raises `AxirError` when it holds no network."""
    for op in module.ops:
        if isinstance(op, aipu.ProgramOp):
            return Level.PROGRAM if all(buffer.at is not None for buffer in _buffers(module)) else Level.TASKS
        if isinstance(op, axq.GraphOp):
            return Level.QUANTIZED
        if isinstance(op, ax.GraphOp) and op.sym_name.data == "main":
            return Level.CALIBRATED if ARGUMENT_STATS in op.attributes else Level.GRAPH
    raise AxirError(
        "the module holds no network",
        location=path,
        notes=("expected an ax.graph @main, an axq.graph @main or an aipu.program",),
    )


def _buffers(module: ModuleOp) -> list[aipu.BufferOp]:
    return [buffer for op in module.ops if isinstance(op, aipu.ProgramOp) for buffer in op.buffers]


def in_order(names: Iterable[str], module: ModuleOp) -> list[str]:
    """Names of inputs in the model's own order, where it is recorded."""
    recorded = module.attributes.get(INPUTS)
    if not isinstance(recorded, ArrayAttr):
        return list(names)
    order = [name.data for name in cast(ArrayAttr[Attribute], recorded) if isinstance(name, StringAttr)]
    return sorted(names, key=lambda name: order.index(name) if name in order else len(order))
