"""What each instruction does to memory (docs/isa.md): a decoded instruction becomes a function that carries it out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from axir.backends.aipu.simulator.accesses import walk
from axir.backends.aipu.simulator.memory import Core
from axir.backends.aipu.simulator.vector import EXACT, Program
from axir.backends.aipu.simulator.window import Input
from axir.numerics import F32
from axir.target.isa import NONE, PWORD, Depthwise, Dma, Instruction, Lane, Load, Mvm, StepOp, Vec

PRODUCT = 128 * 128
"""The greatest magnitude of a product of two bytes."""

EXACT_TERMS = EXACT // PRODUCT
"""Sums of this many products are exact in binary32, in whatever order they are added."""

CHUNK = 1 << 17
"""Elements of the largest array of a step: what fits the caches."""

Action = Callable[[], None]


def action(instruction: Instruction, core: Core) -> Action:
    """A function that carries the instruction out; what can be worked out before is worked out here."""
    match instruction:
        case Dma():
            return _dma(instruction, core)
        case Load():
            return _load(instruction, core)
        case Mvm():
            return _mvm(instruction, core)
        case Depthwise() | Vec():
            return _depthwise(instruction, core)
        case _:
            raise TypeError(f"{type(instruction).__name__} is no instruction")


def _chunks(rows: int, elements: int) -> Iterator[tuple[int, int]]:
    """Ranges of rows of `elements` each that are worked on at a time."""
    step = max(1, CHUNK // elements)
    return ((row, min(row + step, rows)) for row in range(0, rows, step))


def _dma(dma: Dma, core: Core) -> Action:
    shape = (dma.count2, dma.count1, dma.count0, dma.row_bytes)
    source = core.view(dma.src, shape, (dma.src_step2, dma.src_step1, dma.src_step0, 1))
    target = core.view(dma.dst, shape, (dma.dst_step2, dma.dst_step1, dma.dst_step0, 1))
    words, copied = target.view(np.int64), source.view(np.int64)
    return lambda: np.copyto(words, copied)


def _load(load: Load, core: Core) -> Action:
    weights = core.weights
    source = core.block(load.src, (load.segments, load.segment_rows, load.columns))
    left = load.block * PWORD
    width = load.replicas * load.columns
    size, pitch = weights.itemsize, weights.strides[0]
    places: list[F32] = [
        np.ndarray(
            source.shape,
            np.float32,
            weights,
            (load.row + k * load.replica_step) * pitch + (left + k * load.columns) * size,
            (load.segment_step * pitch, pitch, size),
        )
        for k in range(load.replicas)
    ]
    height = core.set_rows
    cleared = weights[load.row // height * height : (load.last_row // height + 1) * height, left : left + width]

    def run() -> None:
        if load.clear:
            cleared[...] = 0
        for place in places:
            place[...] = source

    return run


def _mvm(mvm: Mvm, core: Core) -> Action:
    columns = mvm.columns * PWORD
    left = mvm.block * PWORD
    weights = core.weights[mvm.row : mvm.row + mvm.matrix_rows, left : left + columns]
    source = Input(mvm, core)
    runs = list(_runs(mvm))
    chunks = list(_chunks(mvm.rows, mvm.vectors * max(mvm.matrix_rows, columns)))
    sums = (mvm.rows, mvm.vectors, columns)
    partial_in = None if mvm.partial_in is None else core.block(mvm.partial_in, sums, np.int32)
    partial_out = None if mvm.partial_out is None else core.block(mvm.partial_out, sums, np.int32)
    program = Program(mvm, mvm.columns // mvm.replicas, core) if partial_out is None else None
    limit = mvm.matrix_rows * PRODUCT

    def run() -> None:
        if program is not None:
            program.start()
        for first, last in chunks:
            tile = source.tile(first, last, np.int8)
            vectors = np.empty((last - first, mvm.vectors, mvm.matrix_rows), np.float32)
            for row, x, start, end in runs:
                vectors[:, :, start:end] = tile.tap(row, x, end - start)
            total = _product(vectors.reshape(-1, mvm.matrix_rows), weights).reshape(-1, mvm.vectors, columns)
            if partial_in is not None:
                total = total.astype(np.int32, copy=False) + partial_in[first:last]
            if partial_out is not None:
                partial_out[first:last] = total
            if program is not None:
                pixels = total.reshape(last - first, mvm.vectors * mvm.replicas, program.lanes)[:, : mvm.pixels]
                program.finish(pixels, limit, first, last)

    return run


def _runs(mvm: Mvm) -> Iterator[tuple[int, int, int, int]]:
    """(kernel row, first input byte, first element, end) of each contiguous part of an input vector."""
    width = mvm.tap_columns * mvm.blocks
    position = 0
    for rows, first, count in walk(width, mvm.slot, mvm.matrix_rows // PWORD):
        for row in rows:
            pword, end = first, first + count
            while pword < end:
                tap, block = divmod(pword, mvm.blocks)
                stop = end if mvm.tap_step == mvm.blocks * PWORD else min(end, (tap + 1) * mvm.blocks)
                size = (stop - pword) * PWORD
                yield row, tap * mvm.tap_step + block * PWORD, position, position + size
                position += size
                pword = stop


def _product(vectors: F32, weights: F32) -> NDArray[Any]:
    """Exact sums of products: binary32 where that is exact in one go, else int32."""
    rows = len(weights)
    if rows <= EXACT_TERMS:
        return vectors @ weights
    total = np.zeros((len(vectors), weights.shape[1]), np.int32)
    for row in range(0, rows, EXACT_TERMS):
        total += (vectors[:, row : row + EXACT_TERMS] @ weights[row : row + EXACT_TERMS]).astype(np.int32)
    return total


def _depthwise(unit: Depthwise | Vec, core: Core) -> Action:
    count, lanes = unit.tap_rows * unit.tap_columns, unit.blocks * PWORD
    taps = [(i, j * unit.tap_step) for i in range(unit.tap_rows) for j in range(unit.tap_columns)]
    mode = unit.mode if isinstance(unit, Depthwise) else "sum"
    pad_lane = unit.pad_lane if isinstance(unit, Depthwise) else NONE
    weights = None
    if isinstance(unit, Depthwise) and unit.weights is not None:
        weights = core.block(unit.weights, (unit.blocks, count, PWORD)).transpose(1, 0, 2)
    source = Input(unit, core)
    uses_taps = any(step.op is StepOp.TAPS for step in unit.steps)
    program = Program(unit, unit.blocks, core, source.taps_inside() if uses_taps else None)
    chunks = list(_chunks(unit.rows, unit.vectors * lanes))
    dtype = np.int8 if mode == "max" else np.float32 if count <= EXACT_TERMS else np.int32

    def run() -> None:
        program.start()
        pad = None if pad_lane == NONE else program.integer(Lane(pad_lane)).astype(np.int8)
        factors = None if weights is None else weights.reshape(count, lanes).astype(dtype)
        for first, last in chunks:
            tile = source.tile(first, last, dtype, pad)
            total = np.empty((last - first, unit.vectors, lanes), dtype)
            term = np.empty_like(total)
            for number, (row, x) in enumerate(taps):
                values = tile.tap(row, x, lanes)
                if pad is not None and not source.by_pixel:
                    values = np.where(source.outside(first, last, row, x), pad.astype(dtype), values)
                _accumulate(mode, total, term, values, None if factors is None else factors[number], number == 0)
            program.finish(_widen(total)[:, : unit.pixels], count * PRODUCT, first, last)

    return run


def _accumulate(
    mode: str, total: NDArray[Any], term: NDArray[Any], values: NDArray[Any], factor: NDArray[Any] | None, first: bool
) -> None:
    if factor is not None:
        np.multiply(values, factor, out=total if first else term)
        if not first:
            total += term
    elif first:
        total[...] = values
    elif mode == "max":
        np.maximum(total, values, out=total)
    else:
        total += values


def _widen(total: NDArray[Any]) -> NDArray[Any]:
    return total.astype(np.float32) if total.dtype == np.int8 else total
