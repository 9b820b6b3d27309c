"""Emission for the matrix array: weights copied and loaded, vectors streamed, partial sums where the sets run out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from axir.passes.lowering.array_map import ArrayMap, weight_matrix
from axir.passes.lowering.chains import Sets
from axir.passes.lowering.constants import ConstantBlock
from axir.passes.lowering.convolutions import Phase
from axir.passes.lowering.emission import Emission, output_fields
from axir.passes.lowering.groups import Group
from axir.passes.lowering.jobs import Buffer, Place, job
from axir.passes.lowering.network import Layer
from axir.passes.lowering.tensors import align
from axir.passes.lowering.tiling import Tiling, copied_at_once, input_rows, matrix_sets, output_rows, row_tiles
from axir.target.cost import ceil_div
from axir.target.isa import PWORD, Address, Load, Mvm


@dataclass(frozen=True, eq=False)
class _Unit:
    """One matrix of weights: a phase and a range of output blocks."""

    phase: Phase
    mapping: ArrayMap
    block: int
    blocks: int
    offset: int  # in the constants of the layer or group
    params: int  # first parameter block, counted over all phases

    @property
    def size(self) -> int:
        """Bytes of the matrix."""
        return align(self.mapping.source_rows * self.blocks * PWORD)


@dataclass(frozen=True, eq=False)
class _Constants:
    """Constants of an array layer: `params` is where L1 holds the parameter blocks or (`copied`) all of them."""

    units: list[_Unit]
    source: ConstantBlock
    params: Buffer | None
    copied: bool
    start: int = 0  # of the parameter blocks


@dataclass(eq=False)
class ArrayRun:
    """A layer under way. Resident weights are loaded by the first tile that uses them, others by every tile."""

    layer: Layer
    tiling: Tiling
    constants: _Constants
    sets: Sets
    base: int | None  # first set of resident weights
    loaded: list[_Unit] = field(default_factory=list[_Unit])
    started: bool = False


class ArrayEmitter:
    """Tiles of rows and of column blocks, then the phases of a transposed convolution, each with a weight matrix."""

    def __init__(self, emission: Emission):
        self.e = emission
        self.next_set = 0
        self.array_layer = -1
        self.grouped: dict[int, ArrayRun] = {}  # members of a group that has begun

    def emit(self, layer: Layer, tiling: Tiling, group: Group = ()) -> None:
        """Emit a layer, with the constants of the whole group if it is the first of one."""
        target = self.e.target
        sets = Sets(0, target.array.weight_sets)
        if group and layer is group[0][0]:
            self._begin_group(group, sets)
        run = self.grouped.pop(layer.index, None)
        if run is None:
            run = self.begin(layer, tiling, sets, matrix_sets(layer, tiling, target) <= sets.count)
        for first, last in row_tiles(layer, tiling):
            self.tile(run, first, last)

    def begin(self, layer: Layer, tiling: Tiling, sets: Sets, resident: bool) -> ArrayRun:
        """Place the constants and reserve weight sets."""
        (constants,) = self._place_constants([(layer, tiling)], layer.name)
        needed = matrix_sets(layer, tiling, self.e.target)
        base = self.reserve_sets(needed, layer, sets) if resident else None
        return ArrayRun(layer, tiling, constants, sets, base)

    def _begin_group(self, group: Group, sets: Sets) -> None:
        """Place the constants of all members together; copy and load them with the first tile of the first member."""
        first = group[0][0]
        needed = [matrix_sets(layer, tiling, self.e.target) for layer, tiling in group]
        base = self.reserve_sets(sum(needed), first, sets)
        for (layer, tiling), constants, count in zip(
            group, self._place_constants(group, f"{first.name}.group"), needed, strict=True
        ):
            self.grouped[layer.index] = ArrayRun(layer, tiling, constants, sets, base)
            base += count
        self._start(self.grouped[first.index])
        for run in self.grouped.values():
            run.started = True
            assert run.base is not None
            for unit in run.constants.units:
                place = (run.base + self._units_before(run.constants.units, unit)) * self.e.target.array.rows
                self._weights(run.layer, run.tiling, unit, run.constants, place, 0, unit.mapping.rows)
                run.loaded.append(unit)

    def tile(self, run: ArrayRun, first: int, last: int) -> None:
        """Emit rows [first, last) of the layer's domain."""
        layer, tiling, constants = run.layer, run.tiling, run.constants
        low, high = output_rows(layer, first, last)
        in_low, in_high = input_rows(layer, first, last)
        if not run.started:
            self._start(run)
        place = self.e.read(layer, layer.input, in_low, in_high, 0, None)
        for block in range(0, layer.output.blocks, tiling.blocks):
            blocks = min(tiling.blocks, layer.output.blocks - block)
            out = self.e.write(layer, low, high, block, blocks)
            operands = [self.e.operand(layer, number, low, high, block, blocks) for number in range(len(layer.extras))]
            for unit in (u for u in constants.units if u.block == block):
                if first < unit.phase.geometry.height:
                    self._matrix(run, unit, place, out, operands, first, last)
            self.e.drain(layer, out, low, high, block)
            self.e.flush(layer)

    def _start(self, run: ArrayRun) -> None:
        """Copy the constants that the layer's tiles share."""
        run.started = True
        constants = run.constants
        if constants.params is not None and constants.source.in_l1 is None:
            for load in constants.source.copies(constants.params, self.e.load_queue, run.layer.index):
                self.e.step.prefetch.append((load, self.e.constant_ready()))

    def _units_before(self, units: list[_Unit], unit: _Unit) -> int:
        return sum(u.mapping.sets(self.e.target) for u in units[: units.index(unit)])

    def _place_constants(self, layers: Sequence[tuple[Layer, Tiling]], label: str) -> list[_Constants]:
        """Parameter blocks of all layers and phases, then the matrices of each layer, in one block of constants.

        Several layers are a group, which is copied at once.
        """
        first, tiling = layers[0]
        params_size = sum(layer.parameter_bytes for layer, _ in layers)
        units: list[list[_Unit]] = []
        offset = params_size
        for layer, own in layers:
            units.append(list(_units(layer, own, offset)))
            offset += sum(unit.size for unit in units[-1])
        source = self.e.constants(first, params_size, offset, label)
        copied = len(layers) > 1 or copied_at_once(first, tiling)
        params = source.in_l1
        if params is None and copied:
            params = Buffer(f"{label}.constants.l1", "l1", source.size)
        elif params is None and params_size:
            params = Buffer(f"{label}.params.l1", "l1", params_size)
        placed: list[_Constants] = []
        start = 0
        for (layer, _), own in zip(layers, units, strict=True):
            placed.append(_Constants(own, source, params, copied or source.in_l1 is not None, start))
            for phase in layer.work if isinstance(layer.work, list) and layer.code.vectors else []:
                source.add(start, _parameter_part(layer, phase))
                start += layer.phase_parameter_bytes
            for unit in own:
                source.add(unit.offset, _matrix_part(unit, layer))
        return placed

    def reserve_sets(self, count: int, layer: Layer, sets: Sets | None = None) -> int:
        """First of `count` of the `sets`, or of all.

        Without double buffering always their first: loads wait for earlier work.
        """
        sets = sets or Sets(0, self.e.target.array.weight_sets)
        same = self.array_layer == layer.index
        ring = self.e.options.imc_double_buffer_pipeline if same else self.e.options.imc_double_buffer_sequential
        self.array_layer = layer.index
        free = sets.first <= self.next_set and self.next_set + count <= sets.first + sets.count
        first = self.next_set if ring and free else sets.first
        self.next_set = first + count
        return first

    def _matrix(
        self, run: ArrayRun, unit: _Unit, place: Place, out: Place, operands: list[Place], first: int, last: int
    ) -> None:
        """One tile of one unit: load its weights pass by pass (unless resident) and stream the tile's vectors."""
        layer, constants = run.layer, run.constants
        target, mapping, g = self.e.target, unit.mapping, unit.phase.geometry
        keep = None if run.base is None else run.base + self._units_before(constants.units, unit)
        set_rows = target.array.rows
        room = run.sets.count * set_rows
        if self.e.options.imc_double_buffer_pipeline and keep is None and mapping.replicas == 1 and not mapping.clear:
            room = min(room, max(1, run.sets.count // 2) * set_rows)
        rows = min(last, g.height) - first
        vectors = ceil_div(g.width, mapping.replicas)
        partial: Buffer | None = None
        if mapping.rows > room:
            size = rows * vectors * unit.blocks * PWORD * 4
            partial = Buffer(f"{layer.name}.partial", "l1", size)
        for start in range(0, mapping.rows, room):
            used = min(room, mapping.rows - start)
            reserved = keep if keep is not None else self.reserve_sets(ceil_div(used, set_rows), layer, run.sets)
            base = reserved * set_rows
            if keep is None or unit not in run.loaded:
                self._weights(layer, run.tiling, unit, constants, base, start, used)
                run.loaded.append(unit)
            final = start + used == mapping.rows
            fields: dict[str, Any] = {}
            buffers: dict[str, Buffer | None] = {}
            if final:
                fields, buffers = self.e.program(layer, constants.params, unit.params, operands, constants.start)
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
                staged, offset = self.e.fetch(layer, *constants.source.find(offset), align(count * width)), 0
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


def _units(layer: Layer, tiling: Tiling, offset: int) -> Iterator[_Unit]:
    """The matrix of every (column range, phase), the first at `offset` of the constants."""
    assert isinstance(layer.work, list)
    blocks_all = layer.output.blocks
    for block in range(0, blocks_all, tiling.blocks):
        blocks = min(tiling.blocks, blocks_all - block)
        for number, (phase, mapping) in enumerate(zip(layer.work, tiling.maps, strict=True)):
            yield (unit := _Unit(phase, mapping, block, blocks, offset, number * blocks_all + block))
            offset += unit.size


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
