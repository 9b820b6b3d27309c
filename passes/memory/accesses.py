"""Which bytes a task reads and writes, as one range for each address field."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from axir.dialects import aipu
from axir.target import isa
from axir.target.cost import TABLE_BYTES, ceil_div


@dataclass(frozen=True, slots=True)
class Access:
    """Bytes [low, high) of a memory (absolute addresses), or rows of the weight sets.

    `cores` are those whose L1 is meant; empty: that of the task's own core.
    """

    memory: str
    low: int
    high: int
    write: bool
    cores: tuple[int, ...] = ()


WRITTEN = {"dst", "out", "partial_out"}
ARRAY = "array"
"""The weight sets, counted in matrix rows."""


def accesses(task: aipu.TaskOp, set_rows: int) -> Iterator[Access]:
    """The ranges that a task touches; its buffers must have addresses. A weight set has `set_rows` rows."""
    for buffer, access in buffer_accesses(task, set_rows):
        start = 0
        if buffer is not None:
            assert buffer.address is not None
            start = buffer.address
        yield Access(access.memory, start + access.low, start + access.high, access.write, access.cores)


def buffer_accesses(task: aipu.TaskOp, set_rows: int) -> Iterator[tuple[aipu.BufferOp | None, Access]]:
    """The same with the buffers, the ranges being offsets in them; None is the weight sets."""
    fields = task.fields
    for row, address, value in task.placed:
        buffer = value.owner
        assert isinstance(buffer, aipu.BufferOp)
        low, high = extent(fields, row.name)
        # Whole pwords: what orders tasks is counted in them (docs/isa.md, "Strictness").
        low, high = (address.offset + low) // isa.PWORD, ceil_div(address.offset + high, isa.PWORD)
        fed = fields.fed_cores if isinstance(fields, isa.Dma) and row.name == "dst" else ()
        yield buffer, Access(address.memory, low * isa.PWORD, high * isa.PWORD, row.name in WRITTEN, fed)
    if isinstance(fields, isa.Load):
        yield None, Access(ARRAY, *load_rows(fields, set_rows), True)
    elif isinstance(fields, isa.LoadPixels):
        yield None, Access(ARRAY, fields.row, fields.row + fields.row_tiles * isa.PWORD, True)
    elif isinstance(fields, isa.Mvm):
        yield None, Access(ARRAY, fields.row, fields.row + fields.matrix_rows, False)


def load_rows(load: isa.Load, set_rows: int) -> tuple[int, int]:
    """Matrix rows [low, high) that a load writes; with `clear` all of the sets it touches."""
    end = (
        load.row + (load.segments - 1) * load.segment_step + (load.replicas - 1) * load.replica_step + load.segment_rows
    )
    if load.clear:
        return load.row // set_rows * set_rows, ceil_div(end, set_rows) * set_rows
    return load.row, end


def extent(fields: isa.Instruction, name: str) -> tuple[int, int]:
    """Bytes [low, high) that a field's walk covers, relative to its address."""
    match fields:
        case isa.Dma():
            return _walk(fields, "src" if name == "src" else "dst")
        case isa.Load():
            return 0, fields.segments * fields.segment_rows * fields.columns
        case isa.VectorProgram():
            return _streaming(fields, name)
        case isa.LoadPixels():
            return 0, (fields.pixels - 1) * fields.pitch + fields.channels
        case isa.Softmax() | isa.Normalize():
            return _pixels(fields, name)
        case _:
            raise TypeError(type(fields).__name__)


def _walk(dma: isa.Dma, side: str) -> tuple[int, int]:
    steps = [getattr(dma, f"{side}_step{i}") * (getattr(dma, f"count{i}") - 1) for i in range(3)]
    return 0, sum(steps) + dma.row_bytes


def _streaming(fields: isa.VectorProgram, name: str) -> tuple[int, int]:
    assert isinstance(fields, isa.Window)
    blocks = fields.blocks
    replicas = 1
    if isinstance(fields, isa.Mvm):
        replicas = fields.replicas
        blocks = ceil_div(fields.columns, replicas)
    match name:
        case "src":
            return _window(fields)
        case "out" | "operand0" | "operand1":
            row_pitch, pitch = getattr(fields, f"{name}_row_pitch"), getattr(fields, f"{name}_pitch")
            return 0, (fields.rows - 1) * row_pitch + (fields.pixels - 1) * pitch + blocks * isa.PWORD
        case "params":
            return 0, blocks * fields.parameters * isa.PARAMETER_BYTES
        case "table":
            return 0, TABLE_BYTES
        case "weights":
            return 0, blocks * fields.tap_rows * fields.tap_columns * isa.PWORD
        case _:
            assert isinstance(fields, isa.Mvm)
            return 0, fields.rows * fields.vectors * fields.columns * isa.PWORD * 4


def _pixels(fields: isa.Softmax | isa.Normalize, name: str) -> tuple[int, int]:
    if name == "table":
        return 0, TABLE_BYTES
    if isinstance(fields, isa.Normalize) and name == "params":
        return 0, fields.VECTORS * fields.blocks * isa.PARAMETER_BYTES
    row_pitch, pitch = (fields.row_pitch, fields.pitch) if name == "src" else (fields.out_row_pitch, fields.out_pitch)
    return 0, (fields.rows - 1) * row_pitch + (fields.pixels - 1) * pitch + fields.blocks * isa.PWORD


def _window(fields: isa.Window) -> tuple[int, int]:
    """Rows that exist and are read; whole rows, from the first to the last."""
    first = fields.y0
    last = fields.y0 + (fields.rows - 1) * fields.y_step + (fields.tap_rows - 1) * fields.tap_row_step
    low, high = max(first, 0), min(last + 1, fields.src_rows)
    if low >= high:
        return 0, 0
    return low * fields.row_pitch, (high - 1) * fields.row_pitch + fields.row_bytes
