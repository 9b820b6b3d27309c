"""Emission for the matrix array: weights copied and loaded, vectors streamed, partial sums where the sets run out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from axir.passes.lowering.array_map import ArrayMap, weight_matrix
from axir.passes.lowering.convolutions import Phase
from axir.passes.lowering.emission import Emission, output_fields
from axir.passes.lowering.jobs import Buffer, Place, job, move
from axir.passes.lowering.network import Layer
from axir.passes.lowering.tensors import align
from axir.passes.lowering.tiling import Tiling, copied_at_once, domain, input_rows, output_rows
from axir.target.cost import ceil_div
from axir.target.isa import PWORD, Address, Load, Mvm


@dataclass(frozen=True, eq=False)
class _Unit:
    """One matrix of weights: a phase and a range of output blocks."""

    phase: Phase
    mapping: ArrayMap
    block: int
    blocks: int
    offset: int  # in the layer's constants
    params: int  # first parameter block, counted over all phases


@dataclass(frozen=True, eq=False)
class _Constants:
    """Constants of an array layer: `params` is where L1 holds the parameter blocks or (`copied`) all of them."""

    units: list[_Unit]
    source: Buffer
    params: Buffer | None
    copied: bool


class ArrayEmitter:
    """Tiles of rows and of column blocks, then the phases of a transposed convolution, each with a weight matrix."""

    def __init__(self, emission: Emission):
        self.e = emission
        self.next_set = 0
        self.array_layer = -1

    def emit(self, layer: Layer, phases: list[Phase], tiling: Tiling) -> None:
        constants = self._place_constants(layer, phases, tiling)
        units = constants.units
        needed = sum(unit.mapping.sets(self.e.target) for unit in units)
        resident = needed <= self.e.target.array.weight_sets
        rows_all = domain(layer).rows
        base = self._reserve_sets(needed, layer) if resident else 0
        for first in range(0, rows_all, tiling.rows):
            last = min(first + tiling.rows, rows_all)
            low, high = output_rows(layer, first, last)
            in_low, in_high = input_rows(layer, first, last)
            if constants.params is not None and first == 0:
                params, source = constants.params, constants.source
                load = move(source, 0, params, 0, params.size, self.e.load_queue, layer.index)
                self.e.step.prefetch.append((load, self.e.constant_ready()))
            place = self.e.read(layer, layer.input, in_low, in_high, 0, None)
            for block in range(0, layer.output.blocks, tiling.blocks):
                blocks = min(tiling.blocks, layer.output.blocks - block)
                out = self.e.write(layer, low, high, block, blocks)
                operands = [self.e.operand(layer, extra, low, high, block, blocks) for extra in layer.extras]
                for unit in (u for u in units if u.block == block):
                    if first < unit.phase.geometry.height:
                        keep = base + self._units_before(units, unit) if resident else None
                        self._matrix(layer, tiling, unit, constants, place, out, operands, first, last, keep)
                self.e.drain(layer, out, low, high, block)
                self.e.flush(layer)

    def _units_before(self, units: list[_Unit], unit: _Unit) -> int:
        return sum(u.mapping.sets(self.e.target) for u in units[: units.index(unit)])

    def _place_constants(self, layer: Layer, phases: list[Phase], tiling: Tiling) -> _Constants:
        """Parameter blocks of every phase, then the matrix of every (column range, phase), in the layer's constants."""
        code, output = layer.code, layer.output
        phase_size = len(code.vectors) * 256 * output.blocks
        params_size = phase_size * len(phases)
        units: list[_Unit] = []
        offset = params_size
        for block in range(0, output.blocks, tiling.blocks):
            blocks = min(tiling.blocks, output.blocks - block)
            for number, (phase, mapping) in enumerate(zip(phases, tiling.maps, strict=True)):
                units.append(_Unit(phase, mapping, block, blocks, offset, number * output.blocks + block))
                offset += align(mapping.source_rows * blocks * PWORD)
        source = self.e.constants(layer, offset)
        assert source.parts is not None
        for number, phase in enumerate(phases if params_size else []):
            source.parts.append((number * phase_size, _parameter_part(layer, phase)))
        for unit in units:
            source.parts.append((unit.offset, _matrix_part(unit, layer)))
        if copied_at_once(layer, tiling):
            return _Constants(units, source, Buffer(f"{layer.name}.constants.l1", "l1", source.size), True)
        params = Buffer(f"{layer.name}.params.l1", "l1", params_size) if params_size else None
        return _Constants(units, source, params, False)

    def _reserve_sets(self, count: int, layer: Layer) -> int:
        """First of `count` weight sets. Without double buffering always set 0: loads wait for the work before."""
        total = self.e.target.array.weight_sets
        same = self.array_layer == layer.index
        ring = self.e.options.imc_double_buffer_pipeline if same else self.e.options.imc_double_buffer_sequential
        self.array_layer = layer.index
        first = self.next_set if ring and self.next_set + count <= total else 0
        self.next_set = first + count
        return first

    def _matrix(
        self, layer: Layer, tiling: Tiling, unit: _Unit, constants: _Constants, place: Place, out: Place,
        operands: list[Place], first: int, last: int, keep: int | None,
    ) -> None:  # fmt: skip
        """One tile of one unit: load its weights pass by pass (unless resident) and stream the tile's vectors."""
        target, mapping, g = self.e.target, unit.mapping, unit.phase.geometry
        set_rows = target.array.rows
        room = target.array.weight_sets * set_rows
        if self.e.options.imc_double_buffer_pipeline and keep is None and mapping.replicas == 1 and not mapping.clear:
            room = min(room, max(1, target.array.weight_sets // 2) * set_rows)
        rows = min(last, g.height) - first
        vectors = ceil_div(g.width, mapping.replicas)
        partial: Buffer | None = None
        if mapping.rows > room:
            size = rows * vectors * unit.blocks * PWORD * 4
            partial = Buffer(f"{layer.name}.partial", "l1", size)
        for start in range(0, mapping.rows, room):
            used = min(room, mapping.rows - start)
            base = (keep if keep is not None else self._reserve_sets(ceil_div(used, set_rows), layer)) * set_rows
            if keep is None or first == 0:
                self._weights(layer, tiling, unit, constants, base, start, used)
            final = start + used == mapping.rows
            fields: dict[str, Any] = {}
            buffers: dict[str, Buffer | None] = {}
            if final:
                fields, buffers = self.e.program(layer, constants.params, unit.params, operands)
                fields |= output_fields(
                    out, operands, first, unit.phase.offset, unit.phase.steps[0], unit.phase.steps[1]
                )
                buffers["out"] = out.buffer
            if start:
                fields["partial_in"], buffers["partial_in"] = Address("l1", 0), partial
            if not final:
                fields["partial_out"], buffers["partial_out"] = Address("l1", 0), partial
            buffers["src"] = place.buffer
            mvm = Mvm(
                **fields,
                src=Address("l1", place.at(place.first_row)),
                src_rows=place.rows,
                row_bytes=layer.input.width * place.pitch,
                row_pitch=place.row_pitch,
                y0=first * g.strides[0] + g.origin[0] - place.first_row,
                x0=g.origin[1] * place.pitch,
                y_step=g.strides[0],
                x_step=mapping.vector_pixels * place.pitch,
                tap_rows=g.kernel[0],
                tap_columns=mapping.tap_columns,
                tap_row_step=g.dilations[0],
                tap_step=mapping.tap_pixels * place.pitch or PWORD,
                blocks=mapping.blocks,
                pad=unit.phase.pad,
                rows=rows,
                vectors=vectors,
                pixels=g.width,
                row=base,
                matrix_rows=used,
                slot=start // PWORD,
                columns=unit.blocks * mapping.replicas,
                replicas=mapping.replicas,
            )
            self.e.step.jobs.append(job(mvm, "array", layer.index, **buffers))
            if not final:
                self.e.flush(layer)

    def _weights(
        self, layer: Layer, tiling: Tiling, unit: _Unit, constants: _Constants, base: int, start: int, used: int
    ) -> None:
        """Copy and load source rows for matrix rows [start, start + used): by chunks, or whole where replicated."""
        mapping, width = unit.mapping, unit.blocks * PWORD
        whole = mapping.clear
        chunk = mapping.source_rows if whole else used if constants.copied else tiling.chunk
        end = mapping.source_rows if whole else start + used
        for row in range(start, end, chunk):
            if row > start:
                self.e.flush(layer)
            count = min(chunk, end - row)
            staged, offset = constants.params, unit.offset + row * width
            if not constants.copied:
                staged, offset = self.e.fetch(layer, constants.source, offset, align(count * width)), 0
            load = Load(
                src=Address("l1", offset),
                row=base + (0 if whole else row - start),
                segment_rows=mapping.segment_rows if whole else count,
                segments=mapping.segments if whole else 1,
                segment_step=mapping.segment_step if whole else 0,
                replicas=mapping.replicas,
                replica_step=mapping.replica_step,
                columns=width,
                clear=int(whole),
            )
            self.e.step.jobs.append(job(load, "load", layer.index, src=staged))


def _parameter_part(layer: Layer, phase: Phase) -> Callable[[], NDArray[np.uint8]]:
    return lambda: layer.code.parameter_blocks(layer.output.slots, layer.output.blocks, phase.bias)


def _matrix_part(unit: _Unit, layer: Layer) -> Callable[[], NDArray[np.uint8]]:
    def build() -> NDArray[np.uint8]:
        out_slots = layer.output.slots
        chosen = (out_slots >= unit.block * PWORD) & (out_slots < (unit.block + unit.blocks) * PWORD)
        matrix = weight_matrix(
            unit.phase.weights[chosen], unit.mapping, unit.phase.geometry, layer.input,
            out_slots[chosen] - unit.block * PWORD, unit.blocks,
        )  # fmt: skip
        return matrix.view(np.uint8).reshape(-1)

    return build
