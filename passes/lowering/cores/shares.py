"""What one core computes of a layer, and which bytes of storages that touches."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from axir.passes.lowering.network import Layer, MatMulWork, WindowWork
from axir.passes.lowering.tensors import Storage, Tensor, runs_width
from axir.passes.lowering.tiling import domain, input_rows, operand_rows, output_rows
from axir.target.cost import ceil_div
from axir.target.isa import PWORD

Cut = Literal["rows", "blocks"]
Split = Cut | Literal["grid", "all"] | int
"""How cores share a layer: by rows of its output, by pwords of its output channels, or by both; each computes all of
it, or one core (its number) does."""

CUTS: Mapping[str, tuple[Cut, ...]] = {
    "copy": ("rows", "blocks"),
    "array": ("rows", "blocks"),
    "mac": ("rows", "blocks"),
    "max": ("rows", "blocks"),
    "sum": ("rows", "blocks"),
    "vec": ("rows", "blocks"),
    "softmax": ("rows",),
    "normalize": ("rows",),
    "matmul": (),  # every row takes all pixels of the matrix
}
"""How layers can be cut, by the kind of their work. Others are computed whole, by every core or by one."""

CHANNELWISE = ("copy", "mac", "max", "sum", "vec")
"""Kinds of work whose output channels come from the same channels of the input."""


@dataclass(frozen=True)
class Share:
    """Rows [first, last) of a layer's domain, and pwords [block, end) of its output channels."""

    first: int
    last: int
    block: int
    end: int


@dataclass(frozen=True)
class Box:
    """Part of a storage: rows, pixels of a row and bytes of a pixel, each [low, high)."""

    rows: tuple[int, int]
    columns: tuple[int, int]
    slots: tuple[int, int]

    @property
    def empty(self) -> bool:
        return any(low >= high for low, high in (self.rows, self.columns, self.slots))

    def __and__(self, other: Box) -> Box:
        return Box(
            _meet(self.rows, other.rows), _meet(self.columns, other.columns), _meet(self.slots, other.slots)
        )  # fmt: skip

    def __or__(self, other: Box) -> Box:
        """The least box around both."""
        return Box(
            _around(self.rows, other.rows), _around(self.columns, other.columns), _around(self.slots, other.slots)
        )  # fmt: skip

    @property
    def bytes(self) -> int:
        total = 1
        for low, high in (self.rows, self.columns, self.slots):
            total *= max(0, high - low)
        return total


def _meet(a: tuple[int, int], b: tuple[int, int]) -> tuple[int, int]:
    return max(a[0], b[0]), min(a[1], b[1])


def _around(a: tuple[int, int], b: tuple[int, int]) -> tuple[int, int]:
    return min(a[0], b[0]), max(a[1], b[1])


def kind_of(layer: Layer) -> str:
    """The kind of a layer's work, as `CUTS` names them."""
    if layer.work is None:
        return layer.operator if layer.whole_rows else "copy"
    if isinstance(layer.work, WindowWork):
        return layer.work.mode
    return "array" if isinstance(layer.work, list) else "matmul"


def splits(layer: Layer) -> list[Split]:
    """The ways in which cores can share a layer."""
    if layer.output.order != "NHWC" or layer.input.order != "NHWC":
        return [0]  # a dense port is written by whoever has all of it
    cuts: Sequence[Cut] = () if layer.whole_rows else CUTS.get(kind_of(layer), ())
    if layer.whole_pixels or (layer.work is None and (layer.input.sub_word or layer.input.runs != layer.output.runs)):
        cuts = [cut for cut in cuts if cut != "blocks"]
    ways: list[Split] = [0 if layer.output.storage.port is not None else "all"]  # a port is written once
    return [*ways, *cuts, *(["grid"] if len(cuts) == 2 else [])]


def grid(split: Split, cores: int) -> tuple[int, int]:
    """Into how many parts a cut makes the rows, and the pwords of channels; a grid is as square as can be."""
    if split == "rows":
        return cores, 1
    if split == "blocks":
        return 1, cores
    if split == "grid":
        rows = max(n for n in range(1, cores + 1) if cores % n == 0 and n * n <= cores)
        return rows, cores // rows
    return 1, 1


def rows_of(layer: Layer) -> int:
    """Rows of the domain over which a layer can be cut."""
    return layer.output.height if layer.work is None else domain(layer).rows


def share(layer: Layer, split: Split, core: int, cores: int) -> Share | None:
    """What a core does of a layer; None where it is nothing."""
    rows, blocks = rows_of(layer), max(1, layer.output.blocks)
    if isinstance(split, int):
        return Share(0, rows, 0, blocks) if core == split else None
    down, across = grid(split, cores)
    row, column = divmod(core, across) if split != "all" else (0, 0)
    first, last = row * rows // down, (row + 1) * rows // down
    found = Share(first, last, column * blocks // across, (column + 1) * blocks // across)
    return None if found.first == found.last or found.block == found.end else found


def largest(layer: Layer, split: Split, cores: int) -> tuple[int, int]:
    """Rows and pwords of the greatest part of a layer that one core computes."""
    down, across = grid(split, cores)
    return ceil_div(rows_of(layer), down), ceil_div(max(1, layer.output.blocks), across)


def box_of(tensor: Tensor, rows: tuple[int, int], blocks: tuple[int, int] | None = None) -> Box:
    """Rows of a tensor in its storage, and pwords of its pixels (None: all of them)."""
    storage = tensor.storage
    row, rest = divmod(tensor.offset, storage.row_pitch)
    column, slot = divmod(rest, storage.pitch)
    width = storage.pitch if tensor.sub_word else runs_width(tensor.runs)
    low, high = (0, width) if blocks is None or tensor.sub_word else (blocks[0] * PWORD, blocks[1] * PWORD)
    return Box((row + rows[0], row + rows[1]), (column, column + tensor.width), (slot + low, slot + min(high, width)))


def whole_pixels(layer: Layer, part: Share) -> bool:
    """Whether a share computes all channels."""
    return (part.block, part.end) == (0, max(1, layer.output.blocks))


def written(layer: Layer, part: Share) -> tuple[int, int]:
    """Rows [low, high) of the output tensor that a share computes."""
    return (part.first, part.last) if layer.work is None else output_rows(layer, part.first, part.last)


def write_box(layer: Layer, part: Share) -> Box:
    """What a share writes."""
    return box_of(layer.output, written(layer, part), (part.block, part.end))


def read_rows(layer: Layer, part: Share) -> tuple[int, int]:
    """Rows [low, high) of the input tensor that a share reads."""
    if kind_of(layer) not in CUTS:
        return 0, layer.input.height
    return (part.first, part.last) if layer.work is None else input_rows(layer, part.first, part.last)


def read_boxes(layer: Layer, part: Share) -> Iterator[tuple[Tensor, tuple[int, int], tuple[int, int] | None]]:
    """(tensor, rows, pwords or None for all) of everything that a share reads: the input, a matrix, the extras."""
    # All of the output takes all of the input, also where a copy puts channels elsewhere.
    blocks = None if whole_pixels(layer, part) else (part.block, part.end)
    yield layer.input, read_rows(layer, part), blocks if kind_of(layer) in CHANNELWISE else None
    if isinstance(layer.work, MatMulWork):
        yield layer.work.matrix, (0, layer.work.matrix.height), None
    for extra in layer.extras:
        yield extra, operand_rows(extra, layer, *written(layer, part)), blocks


def whole(storage: Storage) -> Box:
    return Box((0, storage.rows), (0, storage.row_pitch // storage.pitch), (0, storage.pitch))
