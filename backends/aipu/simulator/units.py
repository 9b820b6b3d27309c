"""What each instruction does to memory (docs/isa.md): a decoded instruction becomes a function that carries it out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial, reduce
from typing import Any

import numpy as np
from numpy.typing import NDArray

from axir.backends.aipu.accesses import walk
from axir.backends.aipu.simulator.memory import CHUNK, Core
from axir.backends.aipu.simulator.normalize import normalize
from axir.backends.aipu.simulator.product import EXACT, PRODUCT
from axir.backends.aipu.simulator.softmax import softmax
from axir.backends.aipu.simulator.vector import Program
from axir.backends.aipu.simulator.window import Input, Tile
from axir.numerics import F32
from axir.target.isa import (
    NONE,
    PWORD,
    Depthwise,
    Dma,
    Instruction,
    Lane,
    Load,
    LoadPixels,
    Mvm,
    Normalize,
    Softmax,
    StepOp,
    Sync,
    Vec,
)

Action = Callable[[], None]


def action(instruction: Instruction, core: Core, cores: Sequence[Core] = ()) -> Action:
    """A function that carries the instruction out on `core`; what can be worked out before is worked out here.

    `cores` are all of the program, which a multicast needs.
    """
    match instruction:
        case Dma():
            return _dma(instruction, core, [cores[number] for number in instruction.fed_cores] or [core])
        case Load():
            return _load(instruction, core)
        case Mvm():
            return _mvm(instruction, core)
        case Depthwise() | Vec():
            return _depthwise(instruction, core)
        case Softmax():
            return softmax(instruction, core)
        case LoadPixels():
            return _load_pixels(instruction, core)
        case Normalize():
            return normalize(instruction, core)
        case Sync():
            return lambda: None
        case _:
            raise TypeError(f"{type(instruction).__name__} is no instruction")


def _chunks(rows: int, elements: int) -> Iterator[tuple[int, int]]:
    """Ranges of rows of `elements` each that are worked on at a time."""
    step = max(1, CHUNK // elements)
    return ((row, min(row + step, rows)) for row in range(0, rows, step))


def _dma(dma: Dma, core: Core, fed: Sequence[Core]) -> Action:
    shape = (dma.count2, dma.count1, dma.count0, dma.row_bytes)
    source = core.view(dma.src, shape, (dma.src_step2, dma.src_step1, dma.src_step0, 1))
    targets = [one.view(dma.dst, shape, (dma.dst_step2, dma.dst_step1, dma.dst_step0, 1)) for one in fed]
    if dma.by_pword:
        return partial(_copy, source.view(np.int64), [target.view(np.int64) for target in targets])
    return partial(_copy, source, targets)


def _copy(source: NDArray[Any], targets: Sequence[NDArray[Any]]) -> None:
    for target in targets:
        np.copyto(target, source)


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
        core.products.clear()

    return run


def _load_pixels(load: LoadPixels, core: Core) -> Action:
    source = core.view(load.src, (load.pixels, load.channels), (load.pitch, 1))
    source = source.T if load.transpose else source
    rows, left = load.row_tiles * PWORD, load.block * PWORD
    tiles = core.weights[load.row : load.row + rows, left : left + load.column_tiles * PWORD]
    place = tiles[: source.shape[0], : source.shape[1]]

    def run() -> None:
        tiles[...] = 0
        place[...] = source
        core.products.clear()

    return run


def _mvm(mvm: Mvm, core: Core) -> Action:
    columns = mvm.columns * PWORD
    left = mvm.block * PWORD
    source = Input(mvm, core)
    runs = list(_runs(mvm))
    chunks = list(_chunks(mvm.rows, mvm.vectors * max(mvm.matrix_rows, columns)))
    sums = (mvm.rows, mvm.vectors, columns)
    partial_in = None if mvm.partial_in is None else core.block(mvm.partial_in, sums, np.int32)
    partial_out = None if mvm.partial_out is None else core.block(mvm.partial_out, sums, np.int32)
    program = Program(mvm, mvm.columns // mvm.replicas, core) if partial_out is None else None
    matrix = core.weights[mvm.row : mvm.row + mvm.matrix_rows, left : left + columns]

    def run() -> None:
        product = core.product(mvm.row, mvm.matrix_rows, left, columns)
        # The zero point's share is the same for all vectors. Sums of bytes in binary32 are exact.
        correction = matrix.sum(axis=0).astype(np.int32) * mvm.zero if mvm.zero else None
        if program is not None:
            program.start()
        for first, last in chunks:
            tile = source.tile(first, last, np.int8)
            vectors = np.empty((last - first, mvm.vectors, mvm.matrix_rows), np.float32)
            for row, x, start, end in runs:
                vectors[:, :, start:end] = tile.tap(row, x, end - start)
            total = product(vectors.reshape(-1, mvm.matrix_rows)).reshape(-1, mvm.vectors, columns)
            if correction is not None:
                total = total.astype(np.int32, copy=False) - correction
            if partial_in is not None:
                total = total.astype(np.int32, copy=False) + partial_in[first:last]
            if partial_out is not None:
                partial_out[first:last] = total
            if program is not None:
                pixels = total.reshape(last - first, mvm.vectors * mvm.replicas, program.lanes)[:, : mvm.pixels]
                program.finish(pixels, product.terms * PRODUCT, first, last)

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


def _depthwise(unit: Depthwise | Vec, core: Core) -> Action:
    count, lanes = unit.tap_rows * unit.tap_columns, unit.blocks * PWORD
    mode = unit.mode if isinstance(unit, Depthwise) else "sum"
    pad_lane = unit.pad_lane if isinstance(unit, Depthwise) else NONE
    weights = None
    if isinstance(unit, Depthwise) and unit.weights is not None:
        weights = core.block(unit.weights, (unit.blocks, count, PWORD)).transpose(1, 0, 2)
    source = Input(unit, core)
    uses_taps = any(step.op is StepOp.TAPS for step in unit.steps)
    program = Program(unit, unit.blocks, core, source.taps_inside() if uses_taps else None)
    chunks = list(_chunks(unit.rows, unit.vectors * lanes))
    limit = {"mac": count * PRODUCT, "sum": count * 128, "max": 128}[mode]
    dtype = np.int8 if mode == "max" else np.float32 if limit <= EXACT else np.int32

    def run() -> None:
        program.start()
        pad = None if pad_lane == NONE else program.integer(Lane(pad_lane)).astype(np.int8)
        factors = None if weights is None else weights.reshape(count, lanes).astype(dtype)
        for first, last in chunks:
            tile = source.tile(first, last, dtype, pad)
            values = _taps(source, tile, first, last, None if source.by_pixel else pad)
            if factors is not None:
                total = _weighted(values, factors)
            elif pad is None or source.by_pixel:
                total = _separable(np.maximum if mode == "max" else np.add, tile, lanes)
            else:
                total = reduce(np.maximum if mode == "max" else np.add, values)
            if mode == "max":
                total = total.astype(np.float32)
            program.finish(total[:, : unit.pixels], limit, first, last)

    return run


def _taps(source: Input, tile: Tile, first: int, last: int, pad: NDArray[np.int8] | None) -> Iterator[NDArray[Any]]:
    """[rows, vectors, lanes] of each tap; `pad` replaces the padding of a tile that could not take it."""
    window = tile.window
    for row in range(window.tap_rows):
        for column in range(window.tap_columns):
            x = column * window.tap_step
            values = tile.tap(row, x, window.blocks * PWORD)
            if pad is not None:
                values = np.where(source.outside(first, last, row, x), pad.astype(values.dtype), values)
            yield values


def _weighted(taps: Iterator[NDArray[Any]], factors: NDArray[Any]) -> NDArray[Any]:
    total = next(taps) * factors[0]
    term = np.empty_like(total)
    for values, factor in zip(taps, factors[1:], strict=True):
        np.multiply(values, factor, out=term)
        total += term
    return total


def _separable(combine: np.ufunc, tile: Tile, lanes: int) -> NDArray[Any]:
    """Reduce along kernel columns for each input row, then along kernel rows."""
    window = tile.window
    lines = tile.line(0, lanes).copy()
    for column in range(1, window.tap_columns):
        combine(lines, tile.line(column * window.tap_step, lanes), out=lines)
    step = lines.strides[0]
    strides = (window.y_step * step, *lines.strides[1:])
    shape = (tile.rows, *lines.shape[1:])

    def row(number: int) -> NDArray[Any]:
        return np.ndarray(shape, lines.dtype, lines, number * window.tap_row_step * step, strides)

    total = row(0).copy()
    for number in range(1, window.tap_rows):
        combine(total, row(number), out=total)
    return total
