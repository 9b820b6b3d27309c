"""What an instruction reads and writes, as strided sets of granules: pwords of a memory, 64 columns of a matrix row.

Windows are exact: rows and bytes in a row that the address generator reaches inside the input, nothing else.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby
from typing import Any

import numpy as np
from numpy.typing import NDArray

from axir.target.cost import TABLE_BYTES, ceil_div
from axir.target.description import Target
from axir.target.isa import (
    COLUMN_BLOCKS,
    PWORD,
    Address,
    Depthwise,
    Dma,
    Instruction,
    Load,
    LoadPixels,
    Mvm,
    Normalize,
    Softmax,
    Sync,
    Vec,
    VectorProgram,
    Window,
)

SETS = "sets"
"""The weight sets as a memory: granule row * COLUMN_BLOCKS + block."""

Dimension = tuple[int, int]
"""(count, step in granules)."""


@dataclass(frozen=True)
class Region:
    """The granules start + sum of i_k * step_k with 0 <= i_k < count_k; steps descending, no count is 1."""

    start: int
    dimensions: tuple[Dimension, ...]

    @staticmethod
    def of(start: int, dimensions: Sequence[Dimension]) -> Region:
        """Merge what is contiguous."""
        kept: list[Dimension] = []
        for count, step in sorted((d for d in dimensions if d[0] > 1), key=lambda d: d[1], reverse=True):
            if kept and kept[-1][1] == count * step:
                kept[-1] = (kept[-1][0] * count, step)
            else:
                kept.append((count, step))
        return Region(start, tuple(kept))

    @property
    def end(self) -> int:
        """One past the last granule."""
        return self.start + sum((count - 1) * step for count, step in self.dimensions) + 1

    def view(self, array: NDArray[Any]) -> NDArray[Any]:
        """The part of `array` [granules], or of each plane of `array` [planes, granules], that this region covers."""
        size = array.itemsize
        shape = tuple(count for count, _ in self.dimensions)
        strides = tuple(step * size for _, step in self.dimensions)
        return np.ndarray(array.shape[:-1] + shape, array.dtype, array, self.start * size, array.strides[:-1] + strides)

    def granule(self, position: int) -> int:
        """The granule of a flat position in `view`."""
        index = self.start
        for count, step in reversed(self.dimensions):
            position, place = divmod(position, count)
            index += place * step
        return index


ADDRESSES = 1 << 32
"""What an address can name."""

FULL = np.uint64((1 << PWORD) - 1)
"""The mask of a whole pword: bit b stands for its byte b."""


@dataclass(frozen=True, eq=False)
class ByteMasks:
    """The bytes that a copy by single bytes touches: masks[g] is the mask of granule `start` + g.

    `repeats` says that it names some byte twice.
    """

    start: int
    masks: NDArray[np.uint64]
    repeats: bool

    @staticmethod
    def of(offset: int, dimensions: Sequence[Dimension]) -> ByteMasks:
        """The bytes offset + sum of i_k * step_k, with steps in bytes."""
        start, lead = divmod(offset, PWORD)
        span = sum((count - 1) * step for count, step in dimensions) + 1
        touched = np.zeros(ceil_div(lead + span, PWORD) * PWORD, np.bool_)
        shape, steps = tuple(count for count, _ in dimensions), tuple(step for _, step in dimensions)
        np.ndarray(shape, np.bool_, touched, lead, steps)[...] = True
        masks = np.packbits(touched, bitorder="little").view("<u8")
        return ByteMasks(start, masks, bool(np.count_nonzero(touched) < math.prod(shape)))

    def regions(self) -> tuple[Region, ...]:
        """The granules of which at least one byte is touched."""
        found = _progressions(self.start + np.flatnonzero(self.masks))
        return tuple(Region.of(start, dimensions) for start, dimensions in found)

    def view(self, region: Region) -> NDArray[np.uint64]:
        """The masks of one of the regions, in the shape of its view."""
        return Region(region.start - self.start, region.dimensions).view(self.masks)


@dataclass(frozen=True)
class Access:
    """One stream of an instruction: a field's name, the memory, what is touched.

    An `aligned` read takes, element for element, what the instruction then writes in the same place. Without `bytes`
    the granules are touched as a whole. `cores` are those whose L1 is meant; empty: that of the task's own core.
    """

    role: str
    memory: str
    regions: tuple[Region, ...]
    write: bool = False
    aligned: bool = False
    bytes: ByteMasks | None = None
    cores: tuple[int, ...] = ()

    def masks(self, region: Region) -> NDArray[np.uint64] | np.uint64:
        """The touched bytes of one of the regions, in the shape of its view."""
        return FULL if self.bytes is None else self.bytes.view(region)

    def repeats(self, region: Region) -> bool:
        """Whether some byte is named twice."""
        return not distinct(region) if self.bytes is None else self.bytes.repeats


def accesses(instruction: Instruction, target: Target) -> list[Access]:
    """Everything an instruction touches; the reads first."""
    match instruction:
        case Dma():
            return _dma(instruction)
        case Load():
            return _load(instruction, target)
        case Mvm():
            return _mvm(instruction)
        case Depthwise():
            taps = instruction.tap_rows * instruction.tap_columns
            weights = _contiguous("weights", instruction.weights, instruction.blocks * taps * PWORD)
            return [_whole_window(instruction), *weights, *_program(instruction, instruction.blocks)]
        case Vec():
            return [_whole_window(instruction), *_program(instruction, instruction.blocks)]
        case Softmax():
            return _softmax(instruction)
        case LoadPixels():
            return _load_pixels(instruction)
        case Normalize():
            return _normalize(instruction)
        case Sync():
            return []
        case _:
            raise TypeError(f"{type(instruction).__name__} is no instruction")


def _strided(role: str, address: Address, dimensions: Sequence[Dimension], write: bool = False) -> Access:
    """Pwords at `address`; the steps of `dimensions` are in bytes. What is read again and again counts once."""
    steps = [(count, step // PWORD) for count, step in dimensions if step or write]
    return Access(role, address.memory, (Region.of(address.offset // PWORD, steps),), write)


def _contiguous(role: str, address: Address | None, size: int, write: bool = False) -> list[Access]:
    return [] if address is None else [_strided(role, address, [(size // PWORD, PWORD)], write)]


def _dma(dma: Dma) -> list[Access]:
    row = (dma.row_bytes // PWORD, PWORD)
    counts = (dma.count0, dma.count1, dma.count2)
    src = zip(counts, (dma.src_step0, dma.src_step1, dma.src_step2), strict=True)
    dst = zip(counts, (dma.dst_step0, dma.dst_step1, dma.dst_step2), strict=True)
    if dma.by_pword:
        read, written = _strided("src", dma.src, [row, *src]), _strided("dst", dma.dst, [row, *dst], write=True)
    else:
        read = _single("src", dma.src, dma.row_bytes, src)
        written = _single("dst", dma.dst, dma.row_bytes, dst, write=True)
    return [read, dataclasses.replace(written, cores=dma.fed_cores)]


def _single(role: str, address: Address, row_bytes: int, counters: Iterable[Dimension], write: bool = False) -> Access:
    """Bytes at `address`, one by one: rows of contiguous bytes and their counters."""
    dimensions = [(row_bytes, 1), *((count, step) for count, step in counters if step or (write and count > 1))]
    end = address.offset + sum((count - 1) * step for count, step in dimensions)
    if end >= ADDRESSES:  # outside of every memory: nobody needs to know each byte
        return Access(role, address.memory, (Region(end // PWORD, ()),), write)
    masks = ByteMasks.of(address.offset, dimensions)
    return Access(role, address.memory, masks.regions(), write, bytes=masks)


def _load(load: Load, target: Target) -> list[Access]:
    blocks = load.columns // PWORD
    if load.clear:
        first, last = (row // target.array.rows for row in (load.row, load.last_row))
        rows = (last + 1 - first) * target.array.rows
        start = first * target.array.rows * COLUMN_BLOCKS + load.block
        sets = Region.of(start, [(rows, COLUMN_BLOCKS), (load.replicas * blocks, 1)])
    else:
        sets = Region.of(
            load.row * COLUMN_BLOCKS + load.block,
            [
                (load.replicas, load.replica_step * COLUMN_BLOCKS + blocks),
                (load.segments, load.segment_step * COLUMN_BLOCKS),
                (load.segment_rows, COLUMN_BLOCKS),
                (blocks, 1),
            ],
        )
    size = load.segments * load.segment_rows * load.columns
    return [*_contiguous("src", load.src, size), Access("weight sets", SETS, (sets,), write=True)]


def _mvm(mvm: Mvm) -> list[Access]:
    weights = Region.of(mvm.row * COLUMN_BLOCKS + mvm.block, [(mvm.matrix_rows, COLUMN_BLOCKS), (mvm.columns, 1)])
    found = [_window(mvm, mvm.slot, mvm.matrix_rows // PWORD), Access("weight sets", SETS, (weights,))]
    size = mvm.rows * mvm.vectors * mvm.columns * PWORD * 4
    for access in _contiguous("partial_in", mvm.partial_in, size):
        found.append(Access(access.role, access.memory, access.regions, aligned=mvm.partial_in == mvm.partial_out))
    if mvm.partial_out is not None:
        return [*found, *_contiguous("partial_out", mvm.partial_out, size, write=True)]
    return [*found, *_program(mvm, mvm.columns // mvm.replicas)]


def _program(program: VectorProgram, blocks: int) -> list[Access]:
    assert isinstance(program, Window)
    assert program.out is not None
    found = _contiguous("params", program.params, program.parameters * blocks * 4 * PWORD)
    found += _contiguous("table", program.table, TABLE_BYTES)

    def tensor(row_pitch: int, pitch: int) -> list[Dimension]:
        return [(program.rows, row_pitch), (program.pixels, pitch), (blocks, PWORD)]

    out = (program.out, program.out_row_pitch, program.out_pitch)
    operands = (
        ("operand0", program.operand0, program.operand0_row_pitch, program.operand0_pitch),
        ("operand1", program.operand1, program.operand1_row_pitch, program.operand1_pitch),
    )
    for role, address, row_pitch, pitch in operands:
        if address is not None:
            access = _strided(role, address, tensor(row_pitch, pitch))
            aligned = (address, row_pitch, pitch) == out
            found.append(Access(role, access.memory, access.regions, aligned=aligned))
    found.append(_strided("out", program.out, tensor(program.out_row_pitch, program.out_pitch), write=True))
    return found


def _softmax(softmax: Softmax) -> list[Access]:
    def tensor(row_pitch: int, pitch: int) -> list[Dimension]:
        return [(softmax.rows, row_pitch), (softmax.pixels, pitch), (softmax.blocks, PWORD)]

    return [
        _strided("src", softmax.src, tensor(softmax.row_pitch, softmax.pitch)),
        *_contiguous("table", softmax.table, TABLE_BYTES),
        _strided("out", softmax.out, tensor(softmax.out_row_pitch, softmax.out_pitch), write=True),
    ]


def _load_pixels(load: LoadPixels) -> list[Access]:
    first = load.src.offset % PWORD
    width = ceil_div(first + load.channels, PWORD)
    start = load.row * COLUMN_BLOCKS + load.block
    sets = Region.of(start, [(load.row_tiles * PWORD, COLUMN_BLOCKS), (load.column_tiles, 1)])
    return [
        _strided("src", load.src, [(load.pixels, load.pitch), (width, PWORD)]),
        Access("weight sets", SETS, (sets,), write=True),
    ]


def _normalize(normalize: Normalize) -> list[Access]:
    n = normalize

    def tensor(row_pitch: int, pitch: int) -> list[Dimension]:
        return [(n.rows, row_pitch), (n.pixels, pitch), (n.blocks, PWORD)]

    return [
        _strided("src", n.src, tensor(n.row_pitch, n.pitch)),
        *_contiguous("params", n.params, n.VECTORS * n.blocks * 4 * PWORD),
        _strided("out", n.out, tensor(n.out_row_pitch, n.out_pitch), write=True),
    ]


def _whole_window(window: Depthwise | Vec) -> Access:
    access = _window(window, 0, window.tap_rows * window.tap_columns * window.blocks)
    return Access(access.role, access.memory, access.regions, aligned=isinstance(window, Vec) and _in_place(window))


def _in_place(vec: Vec) -> bool:
    """Whether every pword is read where its result is stored."""
    first = vec.src.offset + vec.y0 * vec.row_pitch + vec.x0
    assert vec.out is not None
    return (
        (vec.src.memory, first, vec.y_step * vec.row_pitch, vec.x_step)
        == (vec.out.memory, vec.out.offset, vec.out_row_pitch, vec.out_pitch)
        and vec.pixels == vec.vectors
    )  # fmt: skip


def _window(window: Window, slot: int, pwords: int) -> Access:
    """What the address generator reads for `pwords` pwords of the kernel walk, from number `slot` on."""
    start = window.src.offset // PWORD
    pitch = window.row_pitch // PWORD
    regions: list[Region] = []
    for taps, first, count in walk(window.tap_columns * window.blocks, slot, pwords):
        rows = _rows(window.y0 + taps.start * window.tap_row_step, window.y_step, window.rows, len(taps),
                     window.tap_row_step, window.src_rows)  # fmt: skip
        columns = _columns(window.x0, window.x_step, window.vectors, window.tap_step, window.blocks, first, count,
                           window.row_bytes)  # fmt: skip
        for row, row_dimensions in rows:
            for column, column_dimensions in columns:
                dimensions = [*((n, step * pitch) for n, step in row_dimensions), *column_dimensions]
                regions.append(Region.of(start + row * pitch + column, dimensions))
    return Access("src", window.src.memory, tuple(regions))


def walk(width: int, slot: int, pwords: int) -> Iterator[tuple[range, int, int]]:
    """(kernel rows, first pword in a row, pwords) for a part of a walk with `width` pwords a kernel row."""
    first_row, end = slot // width, slot + pwords
    pieces = [
        (row, max(slot - row * width, 0), min(end - row * width, width))
        for row in range(first_row, ceil_div(end, width))
    ]
    for (first, last), group in groupby(pieces, key=lambda piece: piece[1:]):
        members = [piece[0] for piece in group]
        yield range(members[0], members[-1] + 1), first, last - first


Progressions = tuple[tuple[int, tuple[Dimension, ...]], ...]


@lru_cache(maxsize=4096)
def _rows(y0: int, y_step: int, rows: int, taps: int, tap_step: int, limit: int) -> Progressions:
    starts = y0 + np.add.outer(np.arange(rows) * y_step, np.arange(taps) * tap_step)
    return _progressions(_covered(starts, 1, limit, 1))


@lru_cache(maxsize=4096)
def _columns(
    x0: int, x_step: int, vectors: int, tap_step: int, blocks: int, first: int, count: int, limit: int
) -> Progressions:
    taps, pwords = np.divmod(np.arange(first, first + count), blocks)
    width = PWORD
    if first == 0 and count % blocks == 0:
        taps, pwords, width = np.arange(count // blocks), np.zeros(1, np.int64), blocks * PWORD
    starts = x0 + np.add.outer(np.arange(vectors) * x_step, taps * tap_step + pwords * PWORD)
    return _progressions(_covered(starts, width, limit, PWORD))


def _covered(starts: NDArray[np.int64], width: int, limit: int, unit: int) -> NDArray[np.int64]:
    """The units of [0, limit) that the intervals [start, start + width) meet, ascending."""
    low = np.maximum(starts, 0)
    high = np.minimum(starts + width, limit)
    valid = low < high
    size = ceil_div(limit, unit) + 1
    opened = np.bincount(low[valid] // unit, minlength=size)
    closed = np.bincount(-(-high[valid] // unit), minlength=size)
    return np.flatnonzero(np.cumsum(opened - closed) > 0)


def _progressions(indices: NDArray[np.int64]) -> Progressions:
    """Ascending indices as (start, dimensions): equal runs at equal distances together."""
    if indices.size == 0:
        return ()
    breaks = np.flatnonzero(np.diff(indices) != 1) + 1
    starts = indices[np.concatenate(([0], breaks))].tolist()
    lengths = np.diff(np.concatenate(([0], breaks, [indices.size]))).tolist()
    found: list[tuple[int, tuple[Dimension, ...]]] = []
    index = 0
    while index < len(starts):
        last = index + 1
        while (
            last < len(starts)
            and lengths[last] == lengths[index]
            and starts[last] - starts[last - 1] == starts[index + 1] - starts[index]
        ):
            last += 1
        step = starts[index + 1] - starts[index] if last > index + 1 else 0
        found.append((starts[index], ((last - index, step), (lengths[index], 1))))
        index = last
    return tuple(found)


def distinct(region: Region) -> bool:
    """Whether no granule is named twice."""
    extent = 1
    for count, step in reversed(region.dimensions):
        if step < extent:
            grid = region.start + sum(
                np.meshgrid(*(np.arange(n) * s for n, s in region.dimensions), indexing="ij"), np.zeros((), np.int64)
            )
            return np.unique(grid).size == math.prod(n for n, _ in region.dimensions)
        extent += (count - 1) * step
    return True
