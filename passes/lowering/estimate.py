"""How long layers take, alone or as a chain, before anything is emitted: the costs of `axir.target.cost`, summed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Sequence
from typing import Literal

from axir.passes.lowering import matmul
from axir.passes.lowering.network import Layer, MatMulWork, WindowWork
from axir.passes.lowering.tensors import Tensor
from axir.passes.lowering.tiling import (
    Tiling,
    constants_bytes,
    copied_at_once,
    operand_rows,
    output_rows,
    streamed,
    tile_bytes,
    tile_cycles,
)
from axir.target.cost import ceil_div, coefficient_cycles, cost
from axir.target.description import Target
from axir.target.isa import PWORD, Address, Dma, Memory

Resource = Literal["array", "depthwise", "dma0", "dma1"]
Usage = Counter[Resource]
"""Cycles that each queue is busy. Loads of weights count for the array, which waits for them."""

Tiles = Sequence[tuple[int, int]]
"""Rows [first, last) of a layer's domain, tile by tile."""


def layer_usage(
    layer: Layer, tiling: Tiling, tiles: Tiles, resident: bool, held: Container[int], target: Target
) -> Usage:
    """What a layer takes when it runs in these row tiles.

    Weights are loaded once where `resident`, else by every tile. Storages whose ids are `held` are tiles in L1.
    """
    usage: Usage = Counter()
    unit: Resource = "array" if isinstance(layer.work, list | MatMulWork) else "depthwise"
    latency = target.array.latency if unit == "array" else target.depthwise.latency
    jobs = ceil_div(layer.output.blocks, tiling.blocks) * (len(layer.work) if isinstance(layer.work, list) else 1)
    blocks = min(tiling.blocks, layer.output.blocks)
    table = layer.code.table is not None
    start = target.device.dispatch + latency + coefficient_cycles(len(layer.code.vectors), blocks, table, target)
    for first, last in tiles:
        low, high = output_rows(layer, first, last)
        usage[unit] += tile_cycles(layer, tiling, first, last, target) + jobs * start
        usage["dma0"] += _copied(layer.input, streamed(layer, first, last), held, target)
        for extra in layer.extras:
            first_row, last_row = operand_rows(extra, layer, low, high)
            usage["dma0"] += _copied(extra, last_row - first_row, held, target)
        usage["dma1"] += _copied(layer.output, high - low, held, target)
    if isinstance(layer.work, MatMulWork):
        matrix = layer.work.matrix
        usage["dma0"] += _copied(matrix, matrix.height, held, target)
        whole = [(0, layer.output.height)] if matmul.resident(layer, target) else tiles
        for first, last in whole:
            pieces = matmul.loads(layer, first, last, target)
            usage["array"] += sum(matmul.piece_load_cycles(layer, piece, target) for piece in pieces)
    elif isinstance(layer.work, list):
        fetched = constants_bytes(layer, tiling)
        times = 1 if resident else len(tiles)
        usage["array"] += times * load_cycles(layer, tiling, target)
        usage["dma0"] += copy_cycles(fetched, "l2", target) * (1 if copied_at_once(layer, tiling) else times)
    elif isinstance(layer.work, WindowWork) and layer.weight_bytes:
        usage["dma0"] += copy_cycles(layer.weight_bytes, "l2", target)
    return usage


def overlapped(usage: Usage, tiles: int) -> int:
    """Cycles of work in that many equal tiles: the busiest queue's, and the others' of the first and last tile."""
    most = max(usage.values(), default=0)
    return most + (usage.total() - most) // max(1, tiles)


def load_cycles(layer: Layer, tiling: Tiling, target: Target) -> int:
    """Cycles to write all weights of an array layer into weight sets."""
    assert isinstance(layer.work, list)
    width = layer.output.blocks * PWORD
    loaded = sum(m.source_rows * m.replicas * width for m in tiling.maps)
    return ceil_div(loaded, target.array.load_bandwidth) + len(tiling.maps) * target.device.dispatch


def copy_cycles(size: int, memory: Memory, target: Target) -> int:
    """Cycles of one copy between `memory` and L1."""
    if not size:
        return 0
    copy = Dma(src=Address(memory, 0), dst=Address("l1", 0), row_bytes=ceil_div(size, PWORD) * PWORD)
    return target.device.dispatch + cost(copy, target).cycles


def _copied(tensor: Tensor, rows: int, held: Container[int], target: Target) -> int:
    home = tensor.storage.home
    return 0 if home == "l1" or id(tensor.storage) in held else copy_cycles(tile_bytes(tensor, rows), home, target)
