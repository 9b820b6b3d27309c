"""Emission: a placed and tiled network as steps of jobs, in an order in which they could run one after the other."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from axir import numerics
from axir.backends.aipu.tables import table_image
from axir.passes.lowering.array_map import ArrayMap, weight_matrix
from axir.passes.lowering.jobs import Buffer, Job, Place, Step, copy, job, move
from axir.passes.lowering.network import Layer, Network, Phase, WindowWork
from axir.passes.lowering.placement import Placement, l2_peak
from axir.passes.lowering.tensors import Tensor, align
from axir.passes.lowering.tiling import Tiling, broadcast, copied_at_once, domain, input_rows, output_rows, tile_pitch
from axir.target.cost import TABLE_BYTES, ceil_div
from axir.target.description import Target
from axir.target.isa import PWORD, Address, Depthwise, Load, Memory, Mvm, Vec


@dataclass(frozen=True)
class EmitOptions:
    """The settings that steer emission (names as in docs/config.md)."""

    inter_operator_async: bool = True
    dma_dual_channel: bool = True
    imc_double_buffer_pipeline: bool = False
    imc_double_buffer_sequential: bool = False


@dataclass
class Emitted:
    """Steps, and the buffers that outlive them."""

    steps: list[Step] = field(default_factory=list[Step])
    ports: dict[int, Buffer] = field(default_factory=dict[int, Buffer])  # by id of the storage


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
class _ArrayConstants:
    """Constants of an array layer: `params` is where L1 holds the parameter blocks or (`copied`) all of them."""

    units: list[_Unit]
    source: Buffer
    params: Buffer | None
    copied: bool


def emit(network: Network, placement: Placement, l2_budget: int, options: EmitOptions, target: Target) -> Emitted:
    """Emit every layer in order."""
    return _Emitter(network, placement, l2_budget, options, target).run()


class _Emitter:
    def __init__(self, network: Network, placement: Placement, l2_budget: int, options: EmitOptions, target: Target):
        self.network, self.placement, self.options, self.target = network, placement, options, target
        self.emitted = Emitted()
        self.steps = self.emitted.steps
        self.storages: dict[int, Buffer] = {}
        self.tables: dict[str, Buffer] = {}
        self.last_step: dict[int, int] = {-1: -1}
        self.layer_start = -1  # last step before the current layer
        self.room_for_constants = max(0, l2_budget - l2_peak(network))
        self.next_set = 0
        self.array_layer = -1
        self.step = Step(0)

    def run(self) -> Emitted:
        for storage in self.network.storages:
            buffer = Buffer(storage.label, storage.home, storage.size, port=storage.port is not None)
            self.storages[id(storage)] = buffer
            if storage.port is not None:
                self.emitted.ports[id(storage)] = buffer
        for layer in self.network.layers:
            self.layer_start = len(self.steps) - 1
            self.step = Step(layer.index)
            if layer.work is None:
                self._copy(layer)
            elif isinstance(layer.work, list):
                self._array(layer, layer.work, self.placement.tilings[layer.index])
            else:
                self._window(layer, layer.work, self.placement.tilings[layer.index])
            self.last_step[layer.index] = len(self.steps) - 1
        return self.emitted

    def _flush(self, layer: Layer) -> None:
        """End the current step."""
        self.steps.append(self.step)
        self.step = Step(layer.index)

    # --- where things are ---

    @property
    def _load_queue(self) -> str:
        return "dma0"

    @property
    def _store_queue(self) -> str:
        return "dma1" if self.options.dma_dual_channel else "dma0"

    def _constant_ready(self) -> int:
        """Constants may be copied at any time, unless operators must not overlap."""
        return -1 if self.options.inter_operator_async else self.layer_start

    def _home(self, tensor: Tensor, block: int = 0) -> Place:
        buffer = self.storages[id(tensor.storage)]
        return Place(buffer, tensor.offset + block * PWORD, tensor.row_pitch, tensor.pitch, 0, tensor.height)

    def _tile(self, tensor: Tensor, label: str, low: int, high: int, blocks: int | None) -> Place:
        pitch = tile_pitch(tensor, blocks)
        row_pitch = align(tensor.width * pitch)
        return Place(Buffer(label, "l1", (high - low) * row_pitch), 0, row_pitch, pitch, low, high - low)

    def _read(self, layer: Layer, tensor: Tensor, low: int, high: int, block: int, blocks: int | None) -> Place:
        """Rows [low, high) of a tensor in L1: where they are, or a tile to which the step's prefetch copies them."""
        home = self._home(tensor, block)
        if home.buffer.memory == "l1":
            return home
        place = self._tile(tensor, f"{tensor.label}.tile", low, high, blocks)
        copied = copy(home, place, low, high - low, tensor.width, place.pitch, self._load_queue, layer.index)
        self.step.prefetch.append((copied, self.last_step.get(tensor.producer, -1)))
        return place

    def _operand(self, layer: Layer, extra: Tensor, low: int, high: int, block: int, blocks: int) -> Place:
        """An epilogue operand; one pixel that is broadcast has no pitch."""
        if not broadcast(extra, layer):
            return self._read(layer, extra, low, high, block, blocks)
        return replace(self._read(layer, extra, 0, 1, block, blocks), row_pitch=0, pitch=0)

    def _write(self, layer: Layer, low: int, high: int, block: int, blocks: int) -> Place:
        home = self._home(layer.output, block)
        if home.buffer.memory == "l1":
            return home
        return self._tile(layer.output, f"{layer.output.label}.tile", low, high, blocks)

    def _drain(self, layer: Layer, place: Place, low: int, high: int, block: int) -> None:
        home = self._home(layer.output, block)
        if home.buffer.memory != "l1":
            self.step.jobs.append(
                copy(place, home, low, high - low, layer.output.width, place.pitch, self._store_queue, layer.index)
            )

    # --- constants ---

    def _constants(self, layer: Layer, size: int) -> Buffer:
        memory: Memory = "l2" if size <= self.room_for_constants else "ddr"
        if memory == "l2":
            self.room_for_constants -= size
        return Buffer(f"{layer.name}.constants", memory, size, parts=[])

    def _table(self, layer: Layer) -> tuple[Buffer, Job | None]:
        """The table's buffer in L1, and the copy that fills it the first time."""
        name = layer.code.table
        assert name is not None
        if name in self.tables:
            return self.tables[name], None
        memory: Memory = "l2" if TABLE_BYTES <= self.room_for_constants else "ddr"
        if memory == "l2":
            self.room_for_constants -= TABLE_BYTES
        source = Buffer(f"table.{name}", memory, TABLE_BYTES, parts=[])
        assert source.parts is not None
        source.parts.append((0, lambda: table_image(numerics.table(name)).view(np.uint8).reshape(-1)))
        self.tables[name] = Buffer(f"table.{name}.l1", "l1", TABLE_BYTES)
        return self.tables[name], move(source, 0, self.tables[name], 0, TABLE_BYTES, self._load_queue, layer.index)

    def _program(
        self, layer: Layer, params: Buffer | None, block: int, operands: list[Place]
    ) -> tuple[dict[str, Any], dict[str, Buffer | None]]:
        """Fields and buffers of the vector program whose parameter blocks begin with number `block`."""
        code = layer.code
        fields = code.fields()
        buffers: dict[str, Buffer | None] = {}
        if params is not None and code.vectors:
            fields["params"] = Address("l1", block * len(code.vectors) * 256)
            buffers["params"] = params
        if code.table is not None:
            buffers["table"], load = self._table(layer)
            fields["table"] = Address("l1", 0)
            if load is not None:
                self.step.prefetch.append((load, self._constant_ready()))
        for index, (place, (zero, scale)) in enumerate(zip(operands, code.operands, strict=True)):
            buffers[f"operand{index}"] = place.buffer
            fields |= {
                f"operand{index}_zero": zero,
                f"operand{index}_scale": scale,
            }
        return fields, buffers

    # --- copies ---

    def _copy(self, layer: Layer) -> None:
        source, result = layer.input, layer.output
        pixel = tile_pitch(source)
        self.step.jobs.append(
            copy(
                self._home(source), self._home(result), 0, source.height, source.width, pixel, self._store_queue,
                layer.index,
            )
        )  # fmt: skip
        self._flush(layer)

    # --- depthwise and vector unit ---

    def _window(self, layer: Layer, work: WindowWork, tiling: Tiling) -> None:
        blocks_all, code = layer.output.blocks, layer.code
        params_size = len(code.vectors) * 256 * blocks_all
        taps = 0 if work.weights is None else work.weights.shape[1]
        size = params_size + blocks_all * taps * PWORD
        constants: Buffer | None = None
        source = self._constants(layer, size) if size else None
        if source is not None:
            assert source.parts is not None
            source.parts.append((0, lambda: code.parameter_blocks(layer.output.slots, blocks_all)))
            if work.weights is not None:
                weights = work.weights
                source.parts.append((params_size, lambda: _depthwise_weights(weights, layer.output, blocks_all)))
            constants = Buffer(f"{layer.name}.constants.l1", "l1", size)
        for first in range(0, domain(layer).rows, tiling.rows):
            last = min(first + tiling.rows, domain(layer).rows)
            for block in range(0, blocks_all, tiling.blocks):
                blocks = min(tiling.blocks, blocks_all - block)
                if source is not None and constants is not None and first == block == 0:
                    load = move(source, 0, constants, 0, size, self._load_queue, layer.index)
                    self.step.prefetch.append((load, self._constant_ready()))
                self._window_tile(layer, work, constants, params_size, taps, first, last, block, blocks)
                self._flush(layer)

    def _window_tile(
        self, layer: Layer, work: WindowWork, constants: Buffer | None, params_size: int, taps: int,
        first: int, last: int, block: int, blocks: int,
    ) -> None:  # fmt: skip
        g = work.geometry
        low, high = input_rows(layer, first, last)
        source = self._read(layer, layer.input, low, high, block, blocks)
        operands = [self._operand(layer, extra, first, last, block, blocks) for extra in layer.extras]
        out = self._write(layer, first, last, block, blocks)
        fields, buffers = self._program(layer, constants, block, operands)
        fields |= _output_fields(out, operands, first, 0, 1, 1)
        window: dict[str, Any] = {
            "src": Address("l1", source.at(source.first_row)),
            "src_rows": source.rows,
            "row_bytes": layer.input.width * source.pitch,
            "row_pitch": source.row_pitch,
            "y0": first * g.strides[0] + g.origin[0] - source.first_row,
            "x0": g.origin[1] * source.pitch,
            "y_step": g.strides[0],
            "x_step": g.strides[1] * source.pitch,
            "tap_rows": g.kernel[0],
            "tap_columns": g.kernel[1],
            "tap_row_step": g.dilations[0],
            "tap_step": g.dilations[1] * source.pitch,
            "blocks": blocks,
            "pad": work.pad,
            "rows": last - first,
            "vectors": g.width,
            "pixels": g.width,
        }
        buffers |= {"src": source.buffer, "out": out.buffer}
        if work.mode == "vec":
            instruction = Vec(**fields, **window)
        else:
            weights: Address | None = None
            if work.weights is not None:
                weights = Address("l1", params_size + block * taps * PWORD)
                buffers["weights"] = constants
            instruction = Depthwise(**fields, **window, mode=work.mode, weights=weights, pad_lane=layer.code.pad_lane)
        self.step.jobs.append(job(instruction, "depthwise", layer.index, **buffers))
        self._drain(layer, out, first, last, block)

    # --- matrix array ---

    def _array(self, layer: Layer, phases: list[Phase], tiling: Tiling) -> None:
        constants = self._array_constants(layer, phases, tiling)
        units = constants.units
        needed = sum(unit.mapping.sets(self.target) for unit in units)
        resident = needed <= self.target.array.weight_sets
        rows_all = domain(layer).rows
        base = self._reserve_sets(needed, layer) if resident else 0
        for first in range(0, rows_all, tiling.rows):
            last = min(first + tiling.rows, rows_all)
            low, high = output_rows(layer, first, last)
            in_low, in_high = input_rows(layer, first, last)
            if constants.params is not None and first == 0:
                params, source = constants.params, constants.source
                load = move(source, 0, params, 0, params.size, self._load_queue, layer.index)
                self.step.prefetch.append((load, self._constant_ready()))
            place = self._read(layer, layer.input, in_low, in_high, 0, None)
            for block in range(0, layer.output.blocks, tiling.blocks):
                blocks = min(tiling.blocks, layer.output.blocks - block)
                out = self._write(layer, low, high, block, blocks)
                operands = [self._operand(layer, extra, low, high, block, blocks) for extra in layer.extras]
                cursor = base
                for unit in (u for u in units if u.block == block):
                    if first < unit.phase.geometry.height:
                        keep = cursor + self._units_before(units, unit) if resident else None
                        self._matrix(layer, tiling, unit, constants, place, out, operands, first, last, keep)
                self._drain(layer, out, low, high, block)
                self._flush(layer)

    def _units_before(self, units: list[_Unit], unit: _Unit) -> int:
        return sum(u.mapping.sets(self.target) for u in units[: units.index(unit)])

    def _array_constants(self, layer: Layer, phases: list[Phase], tiling: Tiling) -> _ArrayConstants:
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
        source = self._constants(layer, offset)
        assert source.parts is not None
        for number, phase in enumerate(phases if params_size else []):
            source.parts.append((number * phase_size, _parameter_part(layer, phase)))
        for unit in units:
            source.parts.append((unit.offset, _matrix_part(unit, layer)))
        if copied_at_once(layer, tiling):
            return _ArrayConstants(units, source, Buffer(f"{layer.name}.constants.l1", "l1", source.size), True)
        params = Buffer(f"{layer.name}.params.l1", "l1", params_size) if params_size else None
        return _ArrayConstants(units, source, params, False)

    def _reserve_sets(self, count: int, layer: Layer) -> int:
        """First of `count` weight sets. Without double buffering always set 0: loads wait for the work before."""
        total = self.target.array.weight_sets
        same = self.array_layer == layer.index
        ring = self.options.imc_double_buffer_pipeline if same else self.options.imc_double_buffer_sequential
        self.array_layer = layer.index
        first = self.next_set if ring and self.next_set + count <= total else 0
        self.next_set = first + count
        return first

    def _matrix(
        self, layer: Layer, tiling: Tiling, unit: _Unit, constants: _ArrayConstants, place: Place, out: Place,
        operands: list[Place], first: int, last: int, keep: int | None,
    ) -> None:  # fmt: skip
        """One tile of one unit: load its weights pass by pass (unless resident) and stream the tile's vectors."""
        target, mapping, g = self.target, unit.mapping, unit.phase.geometry
        set_rows = target.array.rows
        room = target.array.weight_sets * set_rows
        if self.options.imc_double_buffer_pipeline and keep is None and mapping.replicas == 1 and not mapping.clear:
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
                fields, buffers = self._program(layer, constants.params, unit.params, operands)
                fields |= _output_fields(
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
            self.step.jobs.append(job(mvm, "array", layer.index, **buffers))
            if not final:
                self._flush(layer)

    def _weights(
        self, layer: Layer, tiling: Tiling, unit: _Unit, constants: _ArrayConstants, base: int, start: int, used: int
    ) -> None:
        """Copy and load source rows for matrix rows [start, start + used): by chunks, or whole where replicated."""
        mapping, width = unit.mapping, unit.blocks * PWORD
        whole = mapping.clear
        chunk = mapping.source_rows if whole else used if constants.copied else tiling.chunk
        end = mapping.source_rows if whole else start + used
        for row in range(start, end, chunk):
            if row > start:
                self._flush(layer)
            count = min(chunk, end - row)
            staged, offset = constants.params, unit.offset + row * width
            if not constants.copied:
                staged, offset = self._fetch(layer, constants.source, offset, align(count * width)), 0
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
            self.step.jobs.append(job(load, "load", layer.index, src=staged))

    def _fetch(self, layer: Layer, source: Buffer, offset: int, size: int) -> Buffer:
        """A buffer in L1 to which the step's prefetch copies bytes of the constants."""
        staged = Buffer(f"{layer.name}.weights", "l1", size)
        fetch = move(source, offset, staged, 0, size, self._load_queue, layer.index)
        self.step.prefetch.append((fetch, self._constant_ready()))
        return staged


def _output_fields(
    out: Place, operands: list[Place], first: int, offset: tuple[int, int] | int, row_step: int, column_step: int
) -> dict[str, Any]:
    """Store and operand walks: domain row `first`, every `row_step`-th row and `column_step`-th pixel from `offset`."""
    row, column = offset if isinstance(offset, tuple) else (0, offset)
    fields: dict[str, Any] = {
        "out": Address("l1", out.at(first * row_step + row, column)),
        "out_row_pitch": out.row_pitch * row_step,
        "out_pitch": out.pitch * column_step,
    }
    for index, place in enumerate(operands):
        start = place.at(first * row_step + row, column) if place.pitch else place.offset
        fields |= {
            f"operand{index}": Address("l1", start),
            f"operand{index}_row_pitch": place.row_pitch * row_step,
            f"operand{index}_pitch": place.pitch * column_step,
        }
    return fields


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


def _depthwise_weights(weights: NDArray[np.int8], tensor: Tensor, blocks: int) -> NDArray[np.uint8]:
    """[block][tap][64] from [C, taps]."""
    image = np.zeros((blocks, weights.shape[1], PWORD), np.int8)
    slots = tensor.slots
    image[slots // PWORD, :, slots % PWORD] = weights
    return image.reshape(-1).view(np.uint8)
