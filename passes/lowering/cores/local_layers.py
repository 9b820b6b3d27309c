"""A core's share of a layer as a layer of its own, over tensors of its own."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from axir.passes.lowering.array_map import Geometry
from axir.passes.lowering.convolutions import Phase
from axir.passes.lowering.cores.shares import Box, Share, read_rows, rows_of, whole_pixels
from axir.passes.lowering.network import Layer, MatMulWork, Work
from axir.passes.lowering.tensors import Runs, Storage, Tensor, align
from axir.passes.lowering.vector_program import VectorCode
from axir.target.isa import PWORD


@dataclass(eq=False)
class LocalStorage:
    """What a core has of a storage: `box` of it, or all of one that cores share."""

    storage: Storage
    box: Box

    @staticmethod
    def part(source: Storage, box: Box, core: int) -> LocalStorage:
        pitch = box.slots[1] - box.slots[0]
        width = source.row_pitch // source.pitch
        box = Box(box.rows, (0, width), box.slots)
        storage = Storage(f"{source.label}.{core}", box.rows[1] - box.rows[0], align(width * pitch), pitch)
        return LocalStorage(storage, box)

    def offset(self, row: int, column: int, slot: int) -> int:
        """The byte of a place of the whole storage."""
        storage = self.storage
        return (row - self.box.rows[0]) * storage.row_pitch + column * storage.pitch + slot - self.box.slots[0]


def view(tensor: Tensor, local: LocalStorage, rows: tuple[int, int], blocks: tuple[int, int] | None) -> Tensor:
    """Rows and pwords of a tensor, in what a core has of its storage."""
    source = tensor.storage
    row, rest = divmod(tensor.offset, source.row_pitch)
    column, slot = divmod(rest, source.pitch)
    runs, low = tensor.runs, 0
    if blocks is not None and not tensor.sub_word:
        low = blocks[0] * PWORD
        runs = cut_runs(tensor.runs, low, blocks[1] * PWORD)
    offset = local.offset(row + rows[0], column, slot + low)
    channels = sum(count for count, _ in runs)
    return Tensor(tensor.label, channels, rows[1] - rows[0], tensor.width, runs, local.storage, offset)


def cut_runs(runs: Runs, low: int, high: int) -> Runs:
    """The channels in slots [low, high), counted from `low`."""
    cut: list[tuple[int, int]] = []
    for count, slot in runs:
        first, last = max(slot, low), min(slot + count, high)
        if first < last:
            cut.append((last - first, first - low))
    return tuple(cut)


def local_layer(
    layer: Layer, part: Share, source: Tensor, output: Tensor, others: list[Tensor], index: int = 0
) -> Layer:
    """The share `part` of a layer, with the core's own views of its tensors; `others` are a matrix and the extras."""
    slots = layer.output.slots
    chosen = None if whole_pixels(layer, part) else (slots >= part.block * PWORD) & (slots < part.end * PWORD)
    work: Work | None = None
    extras = others
    if isinstance(layer.work, MatMulWork):
        work, extras = replace(layer.work, matrix=others[0]), others[1:]
    elif isinstance(layer.work, list):
        work = [phase for whole in layer.work if (phase := _phase(layer, whole, part, chosen)) is not None]
    elif layer.work is not None:
        weights = layer.work.weights
        work = replace(
            layer.work,
            geometry=_geometry(layer.work.geometry, layer, part),
            weights=weights if weights is None or chosen is None else weights[chosen],
        )
    blocks = (part.end - part.block) / max(1, layer.output.blocks)
    weight_bytes = int(layer.weight_bytes * blocks)
    macs = int(layer.macs * blocks * (part.last - part.first) / rows_of(layer))
    code = layer.code if chosen is None else _code(layer.code, chosen)
    return Layer(index, layer.name, layer.operator, source, output, extras, code, work, macs, weight_bytes, layer.walk)


def _geometry(whole: Geometry, layer: Layer, part: Share) -> Geometry:
    """The window of a share: its row 0 is row `part.first` of the domain, that of its input the first that it reads."""
    origin = whole.origin[0] + part.first * whole.strides[0] - read_rows(layer, part)[0]
    return replace(whole, origin=(origin, whole.origin[1]), height=min(part.last, whole.height) - part.first)


def _phase(layer: Layer, whole: Phase, part: Share, chosen: NDArray[np.bool_] | None) -> Phase | None:
    """The share of one phase; None where the phase has no row there."""
    geometry = _geometry(whole.geometry, layer, part)
    if geometry.height <= 0:
        return None
    if chosen is None:
        return replace(whole, geometry=geometry)
    bias = None if whole.bias is None else whole.bias[chosen]
    return replace(whole, geometry=geometry, weights=whole.weights[chosen], bias=bias)


def _code(code: VectorCode, chosen: NDArray[np.bool_]) -> VectorCode:
    """The vector program for some of the channels."""
    vectors: list[NDArray[Any]] = [vector[chosen] for vector in code.vectors]
    return replace(code, vectors=vectors)
