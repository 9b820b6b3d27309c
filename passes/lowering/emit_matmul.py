"""Emission of products of two activations: pixels loaded into the weight sets, vectors streamed through them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from axir.passes.lowering.emission import Emission, output_fields
from axir.passes.lowering.jobs import Buffer, Job, Place, job
from axir.passes.lowering.matmul import (
    Piece,
    all_pieces,
    head_blocks,
    head_slots,
    matmul_of,
    pieces,
    resident,
    segments,
    source_row,
    stored_row,
)
from axir.passes.lowering.network import Layer
from axir.passes.lowering.tensors import align
from axir.passes.lowering.tiling import Tiling, row_tiles
from axir.target.isa import PWORD, Address, LoadPixels, Mvm

Reserve = Callable[[int, Layer], int]
"""Gives the first of so many weight sets to a layer."""


@dataclass(eq=False)
class _Run:
    """A layer under way: `homes` are the first sets of its pieces where all have room, `loaded` what is in the sets."""

    layer: Layer
    matrix: Place
    matrix_slots: list[int]
    input_slots: list[int]
    params: Buffer | None
    loads: list[Job]  # of the parameter blocks, until the first tile has issued them
    homes: dict[Piece, int]
    loaded: dict[Piece, int] = field(default_factory=dict[Piece, int])


class MatMulEmitter:
    """Tiles of rows; in each, head by head, the pieces of its matrix."""

    def __init__(self, emission: Emission, reserve: Reserve):
        self.e, self.reserve = emission, reserve

    def emit(self, layer: Layer, tiling: Tiling) -> None:
        run = self._begin(layer)
        for first, last in row_tiles(layer, tiling):
            self._tile(run, first, last)

    def _begin(self, layer: Layer) -> _Run:
        e, work = self.e, matmul_of(layer)
        params: Buffer | None = None
        loads: list[Job] = []
        size = layer.parameter_bytes
        if size:
            source = e.constants(layer, size, size)
            source.add(0, lambda: layer.code.parameter_blocks(layer.output.slots, layer.output.blocks))
            params = source.in_l1
            if params is None:
                params = Buffer(f"{layer.name}.constants.l1", "l1", size)
                loads = source.copies(params, e.load_queue, layer.index)
        matrix = e.read(layer, work.matrix, 0, work.matrix.height, 0, None, "matrix")
        homes: dict[Piece, int] = {}
        if resident(layer, e.target):
            every = all_pieces(layer, e.target)
            first = self.reserve(sum(piece.sets(e.target) for piece in every), layer)
            for piece in every:
                homes[piece] = first
                first += piece.sets(e.target)
        slots = head_slots(work.matrix, work.heads), head_slots(layer.input, work.heads if work.transpose else 1)
        assert slots[0] is not None
        assert slots[1] is not None
        return _Run(layer, matrix, slots[0], slots[1], params, loads, homes)

    def _tile(self, run: _Run, first: int, last: int) -> None:
        """Rows [first, last) of the output."""
        layer, e = run.layer, self.e
        e.step.prefetch.extend((load, e.constant_ready()) for load in run.loads)
        run.loads = []
        blocks = layer.output.blocks
        out = e.write(layer, first, last, 0, blocks)
        operands = [e.operand(layer, number, first, last, 0, blocks) for number in range(len(layer.extras))]
        places: dict[tuple[int, int], Place] = {}
        for head, low, high in segments(layer, first, last):
            rows = source_row(layer, head, low), source_row(layer, head, high - 1) + 1
            if rows not in places:
                places[rows] = e.read(layer, layer.input, *rows, 0, None, f"input{len(places)}")
            self._head(run, head, low, high, places[rows], out, operands)
        e.drain(layer, out, first, last, 0)
        e.flush(layer)

    def _head(
        self, run: _Run, head: int, low: int, high: int, source: Place, out: Place, operands: list[Place]
    ) -> None:
        """Rows [low, high) of a head."""
        layer, depth = run.layer, matmul_of(run.layer).depth
        partial: Buffer | None = None
        for piece in pieces(layer, head, self.e.target):
            base = self._load(run, piece)
            final = piece.row + piece.rows == depth
            if not piece.row and not final:
                size = (high - low) * layer.output.width * piece.column_blocks * PWORD * 4
                partial = Buffer(f"{layer.name}.partial", "l1", size)
            fields: dict[str, Any] = {}
            buffers: dict[str, Buffer | None] = {}
            if final:
                fields, buffers = self._program(run, piece, low, out, operands)
            if piece.row:
                fields["partial_in"], buffers["partial_in"] = Address("l1", 0), partial
            if not final:
                fields["partial_out"], buffers["partial_out"] = Address("l1", 0), partial
            self._stream(run, piece, base, low, high, source, fields, buffers)

    def _load(self, run: _Run, piece: Piece) -> int:
        """The first set of a piece; loaded now, if it is not there."""
        if piece in run.loaded:
            return run.loaded[piece]
        layer, work = run.layer, matmul_of(run.layer)
        base = run.homes[piece] if run.homes else self.reserve(piece.sets(self.e.target), layer)
        pixels, channels = (piece.column, piece.row) if work.transpose else (piece.row, piece.column)
        place = run.matrix
        load = LoadPixels(
            src=Address("l1", place.offset + pixels * place.pitch + run.matrix_slots[piece.head] + channels),
            pitch=place.pitch,
            pixels=piece.columns if work.transpose else piece.rows,
            channels=piece.rows if work.transpose else piece.columns,
            row=base * self.e.target.array.rows,
            transpose=int(work.transpose),
        )
        self.e.step.jobs.append(job(load, "load", layer.index, src=place.buffer))
        if not run.homes:  # it may take the place of any other
            run.loaded = {}
        run.loaded[piece] = base
        return base

    def _program(
        self, run: _Run, piece: Piece, low: int, out: Place, operands: list[Place]
    ) -> tuple[dict[str, Any], dict[str, Buffer | None]]:
        """The vector program of a piece, whose first row of results is row `low` of its head."""
        layer, work = run.layer, matmul_of(run.layer)
        block = piece.column // PWORD + (0 if work.transpose else piece.head * head_blocks(layer))

        def shifted(place: Place) -> Place:
            return replace(place, offset=place.offset + block * PWORD)

        tiles = [shifted(place) for place in operands]
        fields, buffers = self.e.program(layer, run.params, block, tiles)
        fields |= output_fields(shifted(out), tiles, stored_row(layer, piece.head, low), 0, 1, 1)
        buffers["out"] = out.buffer
        return fields, buffers

    def _stream(
        self, run: _Run, piece: Piece, base: int, low: int, high: int, source: Place,
        fields: dict[str, Any], buffers: dict[str, Buffer | None],
    ) -> None:  # fmt: skip
        """Rows [low, high) of a head through the sets of a piece."""
        layer, work, width = run.layer, matmul_of(run.layer), run.layer.input.width
        rows = align(piece.rows)
        mvm = Mvm(
            **fields,
            src=Address("l1", source.at(source.first_row)),
            src_rows=source.rows,
            row_bytes=(width - 1) * source.pitch + layer.input.blocks * PWORD,
            row_pitch=source.row_pitch,
            y0=source_row(layer, piece.head, low) - source.first_row,
            x0=run.input_slots[piece.head if work.transpose else 0] + piece.row,
            x_step=source.pitch,
            blocks=rows // PWORD,
            pad=work.zero,
            zero=work.zero,
            rows=high - low,
            vectors=width,
            pixels=width,
            row=base * self.e.target.array.rows,
            matrix_rows=rows,
            columns=piece.column_blocks,
        )
        self.e.step.jobs.append(job(mvm, "array", layer.index, src=source.buffer, **buffers))
