"""Products of two activations on the matrix array: which pixels become weights, piece by piece, and what that takes.

The second tensor is loaded into the weight sets (`isa.LoadPixels`), the first is streamed through. A *piece* is what of
a head's matrix is resident at a time: up to all rows of the sets, and up to as many columns as the array has.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from axir.passes.lowering.network import Layer, MatMulWork
from axir.passes.lowering.tensors import Tensor
from axir.target.cost import array_interval, ceil_div, load_pixels_cycles, vector_cycles
from axir.target.description import Target
from axir.target.isa import PWORD


@dataclass(frozen=True)
class Piece:
    """Rows [row, row + rows) and columns [column, column + columns) of the matrix of a head."""

    head: int
    row: int
    rows: int
    column: int
    columns: int

    @property
    def column_blocks(self) -> int:
        return ceil_div(self.columns, PWORD)

    def sets(self, target: Target) -> int:
        return ceil_div(self.rows, target.array.rows)


def matmul_of(layer: Layer) -> MatMulWork:
    assert isinstance(layer.work, MatMulWork)
    return layer.work


def head_columns(layer: Layer) -> int:
    """Columns of the matrix of a head: channels of the result that it makes."""
    work = matmul_of(layer)
    return layer.output.channels // (1 if work.transpose else work.heads)


def head_blocks(layer: Layer) -> int:
    """Pwords of a pixel of the result that a head makes."""
    return ceil_div(head_columns(layer), PWORD)


def head_rows(layer: Layer) -> int:
    """Rows of pixels that a head streams."""
    work = matmul_of(layer)
    return layer.input.height // (1 if work.transpose else work.heads)


def pieces(layer: Layer, head: int, target: Target) -> Iterator[Piece]:
    """The pieces of a head: column range by column range, and in each the passes over rows."""
    work = matmul_of(layer)
    width, room = target.array.columns, target.array.rows * target.array.weight_sets
    columns = head_columns(layer)
    for column in range(0, columns, width):
        for row in range(0, work.depth, room):
            yield Piece(head, row, min(room, work.depth - row), column, min(width, columns - column))


def all_pieces(layer: Layer, target: Target) -> list[Piece]:
    return [piece for head in range(matmul_of(layer).heads) for piece in pieces(layer, head, target)]


def resident(layer: Layer, target: Target) -> bool:
    """Whether the matrices of all heads fit the sets at a time: then each is loaded once."""
    return sum(piece.sets(target) for piece in all_pieces(layer, target)) <= target.array.weight_sets


def segments(layer: Layer, first: int, last: int) -> Iterator[tuple[int, int, int]]:
    """(head, first row, last row) of the input's rows of each head that rows [first, last) of the output take."""
    work, rows = matmul_of(layer), head_rows(layer)
    for head in range(work.heads):
        if not work.transpose:
            yield head, first, last
        elif max(first, head * rows) < min(last, (head + 1) * rows):
            yield head, max(first, head * rows) - head * rows, min(last, (head + 1) * rows) - head * rows


def stored_row(layer: Layer, head: int, row: int) -> int:
    """The row of the output that row `row` of a head becomes."""
    return head * head_rows(layer) + row if matmul_of(layer).transpose else row


def source_row(layer: Layer, head: int, row: int) -> int:
    """The row of the input that holds row `row` of a head."""
    return row if matmul_of(layer).transpose else head * head_rows(layer) + row


def streamed_rows(layer: Layer, first: int, last: int) -> tuple[int, int]:
    """Rows [low, high) of the input that rows [first, last) of the output take, over all heads."""
    rows = [
        (source_row(layer, head, low), source_row(layer, head, high - 1) + 1)
        for head, low, high in segments(layer, first, last)
    ]
    return min(low for low, _ in rows), max(high for _, high in rows)


def stream_cycles(layer: Layer, first: int, last: int, target: Target) -> int:
    """Cycles in which rows [first, last) of the output stream through the array, without loads."""
    vector, zero = vector_cycles(layer.code.steps, target), matmul_of(layer).zero != 0
    total = 0
    for head, low, high in segments(layer, first, last):
        for piece in pieces(layer, head, target):
            interval = array_interval(piece.rows, piece.column_blocks, vector, target, zero)
            total += (high - low) * layer.output.width * interval
    return total


def loads(layer: Layer, first: int, last: int, target: Target) -> list[Piece]:
    """The pieces that a tile of rows [first, last) loads where none is in the sets."""
    return [piece for head, _, _ in segments(layer, first, last) for piece in pieces(layer, head, target)]


def piece_load_cycles(layer: Layer, piece: Piece, target: Target) -> int:
    tiles = ceil_div(piece.rows, PWORD) * piece.column_blocks
    return target.device.dispatch + load_pixels_cycles(tiles, matmul_of(layer).transpose, target)


def product_cycles(layer: Layer, target: Target) -> int:
    """Cycles of a whole product on the array, in one tile."""
    loading = sum(piece_load_cycles(layer, piece, target) for piece in loads(layer, 0, layer.output.height, target))
    return loading + stream_cycles(layer, 0, layer.output.height, target)


def partial_bytes(layer: Layer, rows: int, target: Target) -> int:
    """Bytes of partial sums between the passes of a tile of `rows` rows; 0 where one pass takes all."""
    if matmul_of(layer).depth <= target.array.rows * target.array.weight_sets:
        return 0
    columns = min(head_blocks(layer), target.array.columns // PWORD) * PWORD
    return min(rows, head_rows(layer)) * layer.output.width * columns * 4


def head_slots(tensor: Tensor, heads: int) -> list[int] | None:
    """The byte of a pixel where the channels of each head begin; None where those of a head are not neighbours."""
    slots = tensor.slots.reshape(heads, -1)
    starts = slots[:, :1]
    return [int(start) for start in starts[:, 0]] if (slots - starts == range(slots.shape[1])).all() else None


def head_runs(heads: int, channels: int) -> tuple[tuple[int, int], ...]:
    """Runs in which the `channels` channels of each head begin on a pword."""
    width = ceil_div(channels, PWORD) * PWORD
    if width == channels:
        return ((heads * channels, 0),)
    return tuple((channels, head * width) for head in range(heads))
