"""What the emission of every kind of layer shares: steps, places of tensors, constants, vector programs."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from axir import numerics
from axir.backends.aipu.tables import table_image
from axir.passes.lowering.jobs import Buffer, Job, Place, Step, copy, move
from axir.passes.lowering.network import Layer, Network
from axir.passes.lowering.placement import l2_peak
from axir.passes.lowering.tensors import Tensor, align
from axir.passes.lowering.tiling import broadcast, tile_pitch
from axir.target.cost import TABLE_BYTES
from axir.target.description import Target
from axir.target.isa import PWORD, Address, Memory


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


class Emission:
    """Steps so far, and what layers need of each other. `step` is the one being written, `ports` the host's buffers."""

    def __init__(self, network: Network, l2_budget: int, options: EmitOptions, target: Target):
        self.options, self.target = options, target
        self.emitted = Emitted()
        self.steps = self.emitted.steps
        self.storages: dict[int, Buffer] = {}
        self.tables: dict[str, Buffer] = {}
        self.last_step: dict[int, int] = {-1: -1}  # by layer
        self.layer_start = -1  # last step before the current layer
        self.room_for_constants = max(0, l2_budget - l2_peak(network))
        self.step = Step(0)
        for storage in network.storages:
            buffer = Buffer(storage.label, storage.home, storage.size, port=storage.port is not None)
            self.storages[id(storage)] = buffer
            if storage.port is not None:
                self.emitted.ports[id(storage)] = buffer

    def begin(self, layer: Layer) -> None:
        self.layer_start = len(self.steps) - 1
        self.step = Step(layer.index)

    def end(self, layer: Layer) -> None:
        self.last_step[layer.index] = len(self.steps) - 1

    def flush(self, layer: Layer) -> None:
        """End the current step."""
        self.steps.append(self.step)
        self.step = Step(layer.index)

    @property
    def load_queue(self) -> str:
        return "dma0"

    @property
    def store_queue(self) -> str:
        return "dma1" if self.options.dma_dual_channel else "dma0"

    def constant_ready(self) -> int:
        """Constants may be copied at any time, unless operators must not overlap."""
        return -1 if self.options.inter_operator_async else self.layer_start

    def home(self, tensor: Tensor, block: int = 0) -> Place:
        buffer = self.storages[id(tensor.storage)]
        return Place(buffer, tensor.offset + block * PWORD, tensor.row_pitch, tensor.pitch, 0, tensor.height)

    def _tile(self, tensor: Tensor, label: str, low: int, high: int, blocks: int | None) -> Place:
        pitch = tile_pitch(tensor, blocks)
        row_pitch = align(tensor.width * pitch)
        return Place(Buffer(label, "l1", (high - low) * row_pitch), 0, row_pitch, pitch, low, high - low)

    def read(self, layer: Layer, tensor: Tensor, low: int, high: int, block: int, blocks: int | None) -> Place:
        """Rows [low, high) of a tensor in L1: where they are, or a tile to which the step's prefetch copies them."""
        home = self.home(tensor, block)
        if home.buffer.memory == "l1":
            return home
        place = self._tile(tensor, f"{tensor.label}.tile", low, high, blocks)
        copied = copy(home, place, low, high - low, tensor.width, place.pitch, self.load_queue, layer.index)
        self.step.prefetch.append((copied, self.last_step.get(tensor.producer, -1)))
        return place

    def operand(self, layer: Layer, extra: Tensor, low: int, high: int, block: int, blocks: int) -> Place:
        """An epilogue operand; one pixel that is broadcast has no pitch."""
        if not broadcast(extra, layer):
            return self.read(layer, extra, low, high, block, blocks)
        return replace(self.read(layer, extra, 0, 1, block, blocks), row_pitch=0, pitch=0)

    def write(self, layer: Layer, low: int, high: int, block: int, blocks: int) -> Place:
        home = self.home(layer.output, block)
        if home.buffer.memory == "l1":
            return home
        return self._tile(layer.output, f"{layer.output.label}.tile", low, high, blocks)

    def drain(self, layer: Layer, place: Place, low: int, high: int, block: int) -> None:
        home = self.home(layer.output, block)
        if home.buffer.memory != "l1":
            self.step.jobs.append(
                copy(place, home, low, high - low, layer.output.width, place.pitch, self.store_queue, layer.index)
            )

    def constants(self, layer: Layer, size: int) -> Buffer:
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
        return self.tables[name], move(source, 0, self.tables[name], 0, TABLE_BYTES, self.load_queue, layer.index)

    def program(
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
                self.step.prefetch.append((load, self.constant_ready()))
        for index, (place, (zero, scale)) in enumerate(zip(operands, code.operands, strict=True)):
            buffers[f"operand{index}"] = place.buffer
            fields |= {
                f"operand{index}_zero": zero,
                f"operand{index}_scale": scale,
            }
        return fields, buffers

    def fetch(self, layer: Layer, source: Buffer, offset: int, size: int) -> Buffer:
        """A buffer in L1 to which the step's prefetch copies bytes of the constants."""
        staged = Buffer(f"{layer.name}.weights", "l1", size)
        fetch = move(source, offset, staged, 0, size, self.load_queue, layer.index)
        self.step.prefetch.append((fetch, self.constant_ready()))
        return staged


def output_fields(
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
