"""Tiles of one layer: how many output rows and column blocks at a time, and what that takes in L1."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from axir.passes.lowering.array_map import ArrayMap, ArrayOptions, choose
from axir.passes.lowering.network import Layer, Phase, WindowWork
from axir.passes.lowering.tensors import Tensor, align
from axir.target.cost import array_interval, ceil_div, depthwise_interval, vector_cycles
from axir.target.description import Target
from axir.target.isa import PWORD

CHUNK_ROWS = 512
"""Weight rows that are copied and loaded at a time: one set."""

SMALL_CONSTANTS = 65536
"""Constants of a layer up to this size are copied to L1 at once: starting a copy costs as much as moving 19 KiB."""

PIPELINE_TILES = 8
PIPELINE_CYCLES = 2000
"""Layers on different units overlap tile by tile: at most so many tiles, none shorter than that (dispatch is 5 %)."""


@dataclass(frozen=True)
class TilingOptions:
    """The settings that steer tiling (names as in docs/config.md)."""

    force_h_tiling: int | None = None
    force_oc_tiling: int | None = None
    max_tiling_attempts: int = 8
    pipeline_spatial_tiles: bool = True  # more row tiles than memory asks for, so that neighbouring units overlap
    double_buffer: bool = True  # two tile buffers, so that copies overlap work


@dataclass(frozen=True)
class Tiling:
    """`rows` of the work domain and `blocks` output pwords a tile; `chunk` weight rows at a time; one map a phase."""

    rows: int
    blocks: int
    chunk: int
    maps: tuple[ArrayMap, ...]
    buffers: int  # copies of each tile buffer


def constants_bytes(layer: Layer, tiling: Tiling) -> int:
    """Parameter blocks and weight matrices of an array layer."""
    assert isinstance(layer.work, list)
    blocks = layer.output.blocks
    matrices = 0
    for block in range(0, blocks, tiling.blocks):
        width = min(tiling.blocks, blocks - block) * PWORD
        matrices += sum(align(m.source_rows * width) for m in tiling.maps)
    return len(layer.work) * len(layer.code.vectors) * 256 * blocks + matrices


def copied_at_once(layer: Layer, tiling: Tiling) -> bool:
    return tiling.chunk == CHUNK_ROWS and constants_bytes(layer, tiling) <= SMALL_CONSTANTS


@dataclass(frozen=True)
class Domain:
    """The rows over which a layer is tiled: output rows, or for a transposed convolution rows of a phase."""

    rows: int
    step: int  # output rows for one row of the domain


def domain(layer: Layer) -> Domain:
    if isinstance(layer.work, list):
        return Domain(max(phase.geometry.height for phase in layer.work), layer.work[0].steps[0])
    assert layer.work is not None
    return Domain(layer.work.geometry.height, 1)


def input_rows(layer: Layer, first: int, last: int) -> tuple[int, int]:
    """Rows [low, high) of the input that rows [first, last) of the domain read, clipped to what exists."""
    geometries = [phase.geometry for phase in layer.work] if isinstance(layer.work, list) else []
    if isinstance(layer.work, WindowWork):
        geometries = [layer.work.geometry]
    low, high = layer.input.height, 0
    for g in geometries:
        end = min(last, g.height)
        if first >= end:
            continue
        low = min(low, first * g.strides[0] + g.origin[0])
        high = max(high, (end - 1) * g.strides[0] + g.origin[0] + (g.kernel[0] - 1) * g.dilations[0] + 1)
    low, high = max(0, low), min(layer.input.height, high)
    return (low, high) if low < high else (0, 1)


def output_rows(layer: Layer, first: int, last: int) -> tuple[int, int]:
    """Rows of the output that rows [first, last) of the domain write."""
    step = domain(layer).step
    return first * step, min(last * step, layer.output.height)


def broadcast(extra: Tensor, layer: Layer) -> bool:
    return (extra.height, extra.width) != (layer.output.height, layer.output.width)


def tile_pitch(tensor: Tensor, blocks: int | None = None) -> int:
    """Bytes of a pixel in a tile buffer: only what is needed, pixels close together."""
    return tensor.pitch if tensor.sub_word else (tensor.blocks if blocks is None else blocks) * PWORD


def tile_bytes(tensor: Tensor, rows: int, blocks: int | None = None) -> int:
    return rows * align(tensor.width * tile_pitch(tensor, blocks))


def candidates(layer: Layer, options: TilingOptions, array: ArrayOptions, target: Target) -> Iterator[Tiling]:
    """Tilings from coarse to fine: halve the rows, then the column blocks, then the weight chunk."""
    total = domain(layer).rows
    out_blocks = layer.output.blocks
    most = min(out_blocks, array.column_blocks(target)) if isinstance(layer.work, list) else out_blocks
    if options.force_oc_tiling is not None:
        most = max(1, min(most, ceil_div(out_blocks, options.force_oc_tiling)))
    start = 1 if options.force_h_tiling is None else min(options.force_h_tiling, total)
    counts = [start]
    if options.force_h_tiling is None:
        for _ in range(options.max_tiling_attempts):
            counts.append(min(counts[-1] * 2, total))
    for count in dict.fromkeys(counts):
        yield _tiling(layer, ceil_div(total, count), most, CHUNK_ROWS, options, array, target)
    rows, blocks = ceil_div(total, counts[-1]), most
    while blocks > 1:
        blocks = ceil_div(blocks, 2)
        yield _tiling(layer, rows, blocks, CHUNK_ROWS, options, array, target)
    for chunk in (256, 128, 64):
        yield _tiling(layer, rows, 1, chunk, options, array, target)


def _tiling(
    layer: Layer, rows: int, blocks: int, chunk: int, options: TilingOptions, array: ArrayOptions, target: Target
) -> Tiling:
    maps: tuple[ArrayMap, ...] = ()
    if isinstance(layer.work, list):
        cycles = vector_cycles(layer.code.steps, target)
        maps = tuple(choose(phase.geometry, layer.input, blocks, cycles, array, target) for phase in layer.work)
        if chunk < CHUNK_ROWS:
            maps = tuple(
                m if m.replicas == 1 else _plain(phase, layer, target)
                for m, phase in zip(maps, layer.work, strict=True)
            )
    tiles = ceil_div(domain(layer).rows, rows) * ceil_div(layer.output.blocks, blocks)
    return Tiling(rows, blocks, chunk, maps, 2 if options.double_buffer and tiles > 1 and chunk == CHUNK_ROWS else 1)


def _plain(phase: Phase, layer: Layer, target: Target) -> ArrayMap:
    return choose(phase.geometry, layer.input, 1, 1, ArrayOptions(enable_icr=False), target)


def pipelined(layer: Layer, tiling: Tiling, options: TilingOptions, target: Target) -> Tiling:
    """The same tiling with fewer rows a tile, where that lets units overlap and no weight is loaded twice for it."""
    if not options.pipeline_spatial_tiles or options.force_h_tiling is not None:
        return tiling
    if isinstance(layer.work, list):
        tiles = ceil_div(layer.output.blocks, tiling.blocks)
        sets = tiles * sum(m.sets(target) for m in tiling.maps)
        if sets > target.array.weight_sets:
            return tiling
    rows = domain(layer).rows
    count = min(PIPELINE_TILES, rows, work_cycles(layer, tiling, target) // PIPELINE_CYCLES)
    if count <= ceil_div(rows, tiling.rows):
        return tiling
    return replace(tiling, rows=ceil_div(rows, count), buffers=2 if options.double_buffer else 1)


def work_cycles(layer: Layer, tiling: Tiling, target: Target) -> int:
    """Streaming cycles of the whole layer, as axir.target.cost counts them, without start-up and loads."""
    vector = vector_cycles(layer.code.steps, target)
    if isinstance(layer.work, list):
        total = 0
        for phase, m in zip(layer.work, tiling.maps, strict=True):
            vectors = phase.geometry.height * ceil_div(phase.geometry.width, m.replicas)
            columns = min(tiling.blocks, layer.output.blocks) * m.replicas
            tiles = ceil_div(layer.output.blocks, tiling.blocks)
            total += tiles * vectors * array_interval(m.rows, columns, vector, target)
        return total
    assert layer.work is not None
    taps = layer.work.geometry.kernel[0] * layer.work.geometry.kernel[1]
    each = vector if layer.work.mode == "vec" else depthwise_interval(taps, vector, target)
    return layer.output.blocks * layer.work.geometry.height * layer.work.geometry.width * each


@dataclass(frozen=True)
class Need:
    """Bytes of L1 that a layer takes beside resident tensors, by what they are for."""

    parts: tuple[tuple[str, int], ...]

    @property
    def total(self) -> int:
        return sum(size for _, size in self.parts)


def l1_need(layer: Layer, tiling: Tiling, target: Target) -> Need:
    """What one tile takes: tile buffers of tensors that live elsewhere, weights, parameters, partial sums."""
    parts: list[tuple[str, int]] = []
    rows = domain(layer).rows
    first_in = max(
        (
            high - low
            for low, high in (input_rows(layer, r, min(r + tiling.rows, rows)) for r in range(0, rows, tiling.rows))
        ),
        default=0,
    )
    window = isinstance(layer.work, WindowWork)
    if layer.input.storage.home != "l1":
        size = tile_bytes(layer.input, first_in, tiling.blocks if window else None)
        parts.append(("input tile", size * tiling.buffers))
    out_rows = min(tiling.rows * domain(layer).step, layer.output.height)
    for extra in layer.extras:
        if extra.storage.home != "l1":
            size = tile_bytes(extra, extra.height if broadcast(extra, layer) else out_rows, tiling.blocks)
            parts.append(("operand tile", size * tiling.buffers))
    if layer.output.storage.home != "l1":
        parts.append(("output tile", tile_bytes(layer.output, out_rows, tiling.blocks) * tiling.buffers))
    parameters = len(layer.code.vectors) * 256 * layer.output.blocks
    if isinstance(layer.work, list):
        parts.extend(_array_need(layer, tiling, parameters * len(layer.work), target))
    elif isinstance(layer.work, WindowWork):
        weights = 0 if layer.work.weights is None else layer.output.blocks * PWORD * layer.work.weights.shape[1]
        if parameters + weights:
            parts.append(("weights and parameters", parameters + weights))
    return Need(tuple(parts))


def _array_need(layer: Layer, tiling: Tiling, parameters: int, target: Target) -> Iterator[tuple[str, int]]:
    assert isinstance(layer.work, list)
    columns = tiling.blocks * PWORD
    if copied_at_once(layer, tiling):
        yield "weights and parameters", constants_bytes(layer, tiling)
    else:
        yield "parameters", parameters
        yield "weights", _staged(tiling, columns)
    room = target.array.weight_sets * target.array.rows
    partial = max(
        (
            tiling.rows * ceil_div(phase.geometry.width, m.replicas) * columns * 4
            for phase, m in zip(layer.work, tiling.maps, strict=True)
            if m.rows > room
        ),
        default=0,
    )
    if partial:
        yield "partial sums", partial


def _staged(tiling: Tiling, columns: int) -> int:
    """Bytes of the weight chunks that are in L1 at a time."""
    chunks = [m.source_rows if m.replicas > 1 or m.clear else min(m.source_rows, tiling.chunk) for m in tiling.maps]
    staged = max(chunks) * columns
    several = sum(ceil_div(m.source_rows, c) for m, c in zip(tiling.maps, chunks, strict=True)) > 1
    return staged * (2 if several and tiling.buffers > 1 else 1)
