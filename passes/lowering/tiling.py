"""Tiles of one layer: how many output rows and column blocks at a time, and what that takes in L1."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from axir.passes.lowering import matmul
from axir.passes.lowering.array_map import ArrayMap, ArrayOptions, choose
from axir.passes.lowering.network import Layer, MatMulWork, Phase, WindowWork
from axir.passes.lowering.tensors import Tensor, align
from axir.target.cost import (
    array_interval,
    ceil_div,
    depthwise_interval,
    normalize_cycles,
    softmax_cycles,
    vector_cycles,
)
from axir.target.description import Target
from axir.target.isa import PWORD

CHUNK_ROWS = 512
"""Weight rows that are copied and loaded at a time: one set."""

SMALL_CHUNKS = (256, 128, 64)
"""What is tried where a set's rows do not fit."""

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
    pipeline_spatial_tiles: bool = True
    pipeline_channel_tiles: bool = True
    unroll_prologue_epilogue: bool = False
    ignore_weight_buffers: bool = True


@dataclass(frozen=True)
class Tiling:
    """`rows` of the work domain and `blocks` output pwords a tile; `chunk` weight rows at a time; one map a phase.

    Tiles come rows by rows, and blocks by blocks within. With two buffers for what changes from tile to tile, copies
    overlap work; with one, a tile waits until the one before it is done with it.
    """

    rows: int
    blocks: int
    chunk: int
    maps: tuple[ArrayMap, ...]
    row_buffers: int = 1  # buffers for what changes with the rows: the array's input
    buffers: int = 1  # buffers for what changes with every tile: the rest
    row_tiles: int | None = None  # exactly so many row tiles, as even as can be
    fine_ends: bool = False  # the first and the last row tile are cut in two
    whole_constants: bool = False  # all constants are in L1, whatever their size


def constants_bytes(layer: Layer, tiling: Tiling) -> int:
    """Parameter blocks and weights of a layer."""
    blocks = layer.output.blocks
    if isinstance(layer.work, MatMulWork):
        return layer.parameter_bytes
    if isinstance(layer.work, WindowWork):
        taps = 0 if layer.work.weights is None else layer.work.weights.shape[1]
        return layer.parameter_bytes + blocks * PWORD * taps
    matrices = 0
    for block in range(0, blocks, tiling.blocks):
        width = min(tiling.blocks, blocks - block) * PWORD
        matrices += sum(align(m.source_rows * width) for m in tiling.maps)
    return layer.parameter_bytes + matrices


def copied_at_once(layer: Layer, tiling: Tiling) -> bool:
    """Whether one transfer brings all constants, which then stay in L1 as long as the layer runs."""
    if tiling.whole_constants:
        return True
    return tiling.chunk == CHUNK_ROWS and constants_bytes(layer, tiling) <= SMALL_CONSTANTS


@dataclass(frozen=True)
class Domain:
    """The rows over which a layer is tiled: output rows, or for a transposed convolution rows of a phase."""

    rows: int
    step: int  # output rows for one row of the domain


def domain(layer: Layer) -> Domain:
    if isinstance(layer.work, list):
        return Domain(max(phase.geometry.height for phase in layer.work), layer.work[0].steps[0])
    if isinstance(layer.work, WindowWork):
        return Domain(layer.work.geometry.height, 1)
    return Domain(layer.output.height, 1)


def row_tiles(layer: Layer, tiling: Tiling) -> list[tuple[int, int]]:
    """Rows [first, last) of the domain of every tile."""
    total = domain(layer).rows
    if layer.whole_rows:
        return [(0, total)]
    if tiling.row_tiles is None:
        starts = list(range(0, total, tiling.rows))
    else:
        count = min(tiling.row_tiles, total)
        starts = [index * total // count for index in range(count)]
    if tiling.fine_ends and len(starts) > 1:
        # The units behind start after half a tile, and those before have finished half a tile from the end.
        ends = (starts[1], total)
        starts += [ceil_div(start + end, 2) for start, end in zip((starts[0], starts[-1]), ends, strict=True)]
    starts = sorted({start for start in starts if start < total})
    return list(zip(starts, [*starts[1:], total], strict=True))


def input_rows(layer: Layer, first: int, last: int) -> tuple[int, int]:
    """Rows [low, high) of the input that rows [first, last) of the domain read, clipped to what exists."""
    if isinstance(layer.work, MatMulWork):
        return matmul.streamed_rows(layer, first, last)
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


def operand_rows(extra: Tensor, layer: Layer, low: int, high: int) -> tuple[int, int]:
    """Rows [low, high) of an epilogue operand for those of the output: its only row where that is repeated."""
    return (low, high) if extra.height == layer.output.height else (0, 1)


def tile_pitch(tensor: Tensor, blocks: int | None = None) -> int:
    """Bytes of a pixel in a tile buffer: only what is needed, pixels close together."""
    return tensor.pitch if tensor.sub_word else (tensor.blocks if blocks is None else blocks) * PWORD


def tile_bytes(tensor: Tensor, rows: int, blocks: int | None = None) -> int:
    return rows * align(tensor.width * tile_pitch(tensor, blocks))


def candidates(layer: Layer, options: TilingOptions, array: ArrayOptions, target: Target) -> Iterator[Tiling]:
    """Tilings from coarse to fine; the first that fits is taken.

    Halve the rows, then the column blocks, then the weight chunk. With `ignore_weight_buffers`, weights do not make
    row tiles finer as long as a smaller chunk fits beside them.
    """
    total = domain(layer).rows
    out_blocks = layer.output.blocks
    most = min(out_blocks, array.column_blocks(target)) if isinstance(layer.work, list) else out_blocks
    if options.force_oc_tiling is not None and not layer.whole_pixels:
        most = max(1, min(most, ceil_div(out_blocks, options.force_oc_tiling)))
    fixed = options.force_h_tiling is not None or layer.whole_rows
    start = 1 if options.force_h_tiling is None or layer.whole_rows else min(options.force_h_tiling, total)
    counts = [start]
    if not fixed:
        for _ in range(options.max_tiling_attempts):
            counts.append(min(counts[-1] * 2, total))
    sizes = [ceil_div(total, count) for count in dict.fromkeys(counts)]
    several = options.ignore_weight_buffers and isinstance(layer.work, list)
    replicated: list[int] = []  # such weights are loaded whole: smaller chunks cost the replication, so they come late
    for rows in sizes:
        tiling = tile_layer(layer, rows, most, CHUNK_ROWS, options, array, target)
        yield tiling
        if several and any(m.clear for m in tiling.maps):
            replicated.append(rows)
        elif several:
            yield from (replace(tiling, chunk=chunk) for chunk in SMALL_CHUNKS)
    for rows in replicated:
        yield from (tile_layer(layer, rows, most, chunk, options, array, target) for chunk in SMALL_CHUNKS)
    rows, blocks = sizes[-1], most
    while blocks > 1 and not layer.whole_pixels:
        blocks = ceil_div(blocks, 2)
        yield tile_layer(layer, rows, blocks, CHUNK_ROWS, options, array, target)
    for chunk in SMALL_CHUNKS:
        tiling = tile_layer(layer, rows, blocks, chunk, options, array, target)
        yield replace(tiling, row_buffers=1, buffers=1)


def tile_layer(
    layer: Layer, rows: int, blocks: int, chunk: int, options: TilingOptions, array: ArrayOptions, target: Target
) -> Tiling:
    """The tiling of these sizes, with the mapping that suits it best."""
    maps: tuple[ArrayMap, ...] = ()
    if isinstance(layer.work, list):
        cycles = vector_cycles(layer.code.steps, target)
        maps = tuple(choose(phase.geometry, layer.input, blocks, cycles, array, target) for phase in layer.work)
        if chunk < CHUNK_ROWS:
            maps = tuple(
                m if m.replicas == 1 else _plain(phase, layer, target)
                for m, phase in zip(maps, layer.work, strict=True)
            )
    tiling = Tiling(
        rows, blocks, chunk, maps, row_tiles=options.force_h_tiling, fine_ends=options.unroll_prologue_epilogue
    )
    return _buffered(layer, tiling, options)


def _buffered(layer: Layer, tiling: Tiling, options: TilingOptions) -> Tiling:
    """Two buffers for each kind of tile of which there are several, where its setting wants them to overlap."""
    by_rows = options.pipeline_spatial_tiles and tiling.rows < domain(layer).rows
    by_channels = options.pipeline_channel_tiles and tiling.blocks < layer.output.blocks
    several_blocks = tiling.blocks < layer.output.blocks
    overlap = by_channels if several_blocks else by_rows
    return replace(tiling, row_buffers=2 if by_rows else 1, buffers=2 if overlap else 1)


def _plain(phase: Phase, layer: Layer, target: Target) -> ArrayMap:
    return choose(phase.geometry, layer.input, 1, 1, ArrayOptions(enable_icr=False), target)


def matrix_sets(layer: Layer, tiling: Tiling, target: Target) -> int:
    """Weight sets that all weights of an array layer take together."""
    return ceil_div(layer.output.blocks, tiling.blocks) * sum(m.sets(target) for m in tiling.maps)


def pipelined(layer: Layer, tiling: Tiling, options: TilingOptions, target: Target) -> Tiling:
    """The same tiling with fewer rows a tile, where that lets units overlap and no weight is loaded twice for it."""
    if not options.pipeline_spatial_tiles or options.force_h_tiling is not None or layer.whole_rows:
        return tiling
    if isinstance(layer.work, MatMulWork) and not layer.work.transpose and not matmul.resident(layer, target):
        return tiling
    if isinstance(layer.work, list):
        if matrix_sets(layer, tiling, target) > target.array.weight_sets:
            return tiling
    rows = domain(layer).rows
    count = min(PIPELINE_TILES, rows, work_cycles(layer, tiling, target) // PIPELINE_CYCLES)
    if count <= ceil_div(rows, tiling.rows):
        return tiling
    return _buffered(layer, replace(tiling, rows=ceil_div(rows, count)), options)


def work_cycles(layer: Layer, tiling: Tiling, target: Target) -> int:
    """Streaming cycles of the whole layer, as axir.target.cost counts them, without start-up and loads."""
    return tile_cycles(layer, tiling, 0, domain(layer).rows, target)


def tile_cycles(layer: Layer, tiling: Tiling, first: int, last: int, target: Target) -> int:
    """`work_cycles` of rows [first, last) of the domain."""
    vector = vector_cycles(layer.code.steps, target)
    if isinstance(layer.work, list):
        total = 0
        for phase, m in zip(layer.work, tiling.maps, strict=True):
            rows = max(0, min(last, phase.geometry.height) - first)
            vectors = rows * ceil_div(phase.geometry.width, m.replicas)
            columns = min(tiling.blocks, layer.output.blocks) * m.replicas
            tiles = ceil_div(layer.output.blocks, tiling.blocks)
            total += tiles * vectors * array_interval(m.rows, columns, vector, target)
        return total
    if isinstance(layer.work, MatMulWork):
        return matmul.stream_cycles(layer, first, last, target)
    assert layer.work is not None
    g = layer.work.geometry
    if layer.work.softmax is not None:
        return (last - first) * g.width * softmax_cycles(layer.output.blocks, target)
    if layer.work.normalize is not None:
        pixels = (last - first) * g.width
        return normalize_cycles(layer.output.blocks, pixels, layer.whole_rows, target)
    each = vector if layer.work.mode == "vec" else depthwise_interval(g.kernel[0] * g.kernel[1], vector, target)
    return layer.output.blocks * (last - first) * g.width * each


@dataclass(frozen=True)
class Need:
    """Bytes of L1 that a layer takes beside resident tensors, by what they are for."""

    parts: tuple[tuple[str, int], ...]

    @property
    def total(self) -> int:
        return sum(size for _, size in self.parts)


CONSTANT_PARTS = ("weights and parameters", "parameters", "weights")
"""What of a `Need` is constants."""


def l1_need(layer: Layer, tiling: Tiling, target: Target) -> Need:
    """What one tile takes: tile buffers of tensors that live elsewhere, weights, parameters, partial sums."""
    parts: list[tuple[str, int]] = []
    first_in = max((streamed(layer, first, last) for first, last in row_tiles(layer, tiling)), default=0)
    window = isinstance(layer.work, WindowWork)
    if layer.input.storage.home != "l1":
        size = tile_bytes(layer.input, first_in, tiling.blocks if window else None)
        parts.append(("input tile", size * (tiling.buffers if window else tiling.row_buffers)))
    if isinstance(layer.work, MatMulWork) and layer.work.matrix.storage.home != "l1":
        parts.append(("matrix", tile_bytes(layer.work.matrix, layer.work.matrix.height)))
    out_rows = min(tiling.rows * domain(layer).step, layer.output.height)
    for extra in layer.extras:
        if extra.storage.home != "l1":
            low, high = operand_rows(extra, layer, 0, out_rows)
            size = tile_bytes(extra, high - low, tiling.blocks)
            parts.append(("operand tile", size * tiling.buffers))
    if layer.output.storage.home != "l1":
        parts.append(("output tile", tile_bytes(layer.output, out_rows, tiling.blocks) * tiling.buffers))
    if isinstance(layer.work, list):
        parts.extend(_array_need(layer, tiling, target))
    elif isinstance(layer.work, WindowWork):
        if constants_bytes(layer, tiling):
            parts.append(("weights and parameters", constants_bytes(layer, tiling)))
    elif isinstance(layer.work, MatMulWork):
        if layer.parameter_bytes:
            parts.append(("parameters", layer.parameter_bytes))
        if partial := matmul.partial_bytes(layer, out_rows, target):
            parts.append(("partial sums", partial))
    return Need(tuple(parts))


def streamed(layer: Layer, first: int, last: int) -> int:
    """Rows of the input that are copied to L1 for rows [first, last) of the domain."""
    if isinstance(layer.work, MatMulWork) and not layer.work.transpose:  # those of each head apart
        return layer.work.heads * (last - first)
    low, high = input_rows(layer, first, last)
    return high - low


def _array_need(layer: Layer, tiling: Tiling, target: Target) -> Iterator[tuple[str, int]]:
    assert isinstance(layer.work, list)
    columns = tiling.blocks * PWORD
    if copied_at_once(layer, tiling):
        yield "weights and parameters", constants_bytes(layer, tiling)
    else:
        yield "parameters", layer.parameter_bytes
        yield "weights", staged_bytes(tiling, columns)
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


def staged_bytes(tiling: Tiling, columns: int) -> int:
    """Bytes of the weight chunks that are in L1 at a time."""
    chunks = [m.source_rows if m.replicas > 1 or m.clear else min(m.source_rows, tiling.chunk) for m in tiling.maps]
    staged = max(chunks) * columns
    several = sum(ceil_div(m.source_rows, c) for m, c in zip(tiling.maps, chunks, strict=True)) > 1
    return staged * (2 if several and tiling.buffers > 1 else 1)
