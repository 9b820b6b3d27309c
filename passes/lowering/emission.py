"""What the emission of every kind of layer shares: steps, places of tensors, constants, vector programs."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np

from axir.backends.aipu.tables import table_image
from axir.ir.diagnostics import AxirError
from axir.passes.lowering.constants import ConstantBlock, vector_constant_bytes
from axir.passes.lowering.jobs import Buffer, Place, Step, copy, move
from axir.passes.lowering.network import Layer, Network
from axir.passes.lowering.pools import Pools
from axir.passes.lowering.tensors import Tensor, align
from axir.passes.lowering.tiling import operand_rows, tile_pitch
from axir.passes.lowering.vector_program import TableKey, table_of
from axir.target.cost import TABLE_BYTES
from axir.target.description import Target
from axir.target.isa import PARAMETER_BYTES, PWORD, Address, Memory


@dataclass(frozen=True)
class EmitOptions:
    """The settings that steer emission (names as in docs/config.md)."""

    inter_operator_async: bool = True
    dma_dual_channel: bool = True
    imc_double_buffer_pipeline: bool = False
    imc_double_buffer_sequential: bool = False
    pipeline_spatial_tiles: bool = True
    pipeline_channel_tiles: bool = True
    pools: Pools = field(default_factory=Pools)
    dpu_constants_home: Literal["global.ddr", "global.l2"] = "global.l2"


@dataclass
class Emitted:
    """Steps, and the buffers that outlive them."""

    steps: list[Step] = field(default_factory=list[Step])
    ports: dict[int, Buffer] = field(default_factory=dict[int, Buffer])  # by id of the storage


class Emission:
    """Steps so far, and what layers need of each other. `step` is the one being written, `ports` the host's buffers."""

    def __init__(self, network: Network, room_for_constants: int, options: EmitOptions, target: Target):
        self.options, self.target = options, target
        self.emitted = Emitted()
        self.steps = self.emitted.steps
        self.storages: dict[int, Buffer] = {}
        self.tables: dict[TableKey, Buffer] = {}
        self.zeros: Buffer | None = None  # a pword that fills padding
        self.last_step: dict[int, int] = {-1: -1}  # by layer
        self.layer_start = -1  # last step before the current layer
        self.room_for_parameters = 0  # bytes of L2 for parameter blocks and tables, and for other constants
        if options.dpu_constants_home == "global.l2" and options.pools.constant == "ddr":
            self.room_for_parameters = min(vector_constant_bytes(network.layers, TABLE_BYTES), room_for_constants)
        self.room_for_constants = room_for_constants - self.room_for_parameters
        self.step = Step(0)
        self.chain_tiles: dict[int, Place] = {}  # by storage: intermediates of a depth-first chain, in this tile of it
        self.tile_buffers: dict[tuple[int, str], Buffer] = {}  # by layer and role, where tiles are not pipelined
        for storage in network.storages:
            port = storage.port is not None
            buffer = Buffer(storage.label, storage.home, storage.size, port=port, shared=storage.shared)
            if storage.data is not None:
                data = storage.data
                buffer.parts = [(0, lambda data=data: data().view(np.uint8).reshape(-1))]
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
        """Where a tensor lives; an intermediate of a depth-first chain lives in L1, a tile at a time."""
        tile = self.chain_tiles.get(id(tensor.storage))
        if tile is not None:
            return replace(tile, offset=block * PWORD)
        buffer = self.storages[id(tensor.storage)]
        return Place(buffer, tensor.offset + block * PWORD, tensor.row_pitch, tensor.pitch, 0, tensor.height)

    def _tile(self, layer: Layer, tensor: Tensor, role: str, low: int, high: int, blocks: int | None) -> Place:
        """A buffer in L1 for rows [low, high): a new one, or where tiles are not pipelined that of the tile before."""
        pitch = tile_pitch(tensor, blocks)
        row_pitch = align(tensor.width * pitch)
        buffer = Buffer(f"{tensor.label}.tile", "l1", (high - low) * row_pitch)
        if not self._pipelined(layer, blocks):
            buffer = self.tile_buffers.setdefault((layer.index, role), buffer)
            buffer.size = max(buffer.size, (high - low) * row_pitch)
        return Place(buffer, 0, row_pitch, pitch, low, high - low)

    def _pipelined(self, layer: Layer, blocks: int | None) -> bool:
        """Whether tiles of `blocks` column blocks (None: of all inputs) may overlap their neighbours."""
        by_channels = blocks is not None and blocks < layer.output.blocks
        return self.options.pipeline_channel_tiles if by_channels else self.options.pipeline_spatial_tiles

    def read(
        self, layer: Layer, tensor: Tensor, low: int, high: int, block: int, blocks: int | None, role: str = "input"
    ) -> Place:
        """Rows [low, high) of a tensor in L1: where they are, or a tile to which the step's prefetch copies them."""
        home = self.home(tensor, block)
        if home.buffer.memory == "l1":
            return home
        place = self._tile(layer, tensor, role, low, high, blocks)
        copied = copy(home, place, low, high - low, tensor.width, place.pitch, self.load_queue, layer.index)
        ready = self.last_step.get(tensor.producer, -1)
        if not self._pipelined(layer, blocks):
            ready = max(ready, len(self.steps) - 1)
        self.step.prefetch.append((copied, ready))
        return place

    def operand(self, layer: Layer, number: int, low: int, high: int, block: int, blocks: int) -> Place:
        """An epilogue operand; a row that is repeated has no row pitch, a column no pitch."""
        extra, output = layer.extras[number], layer.output
        place = self.read(layer, extra, *operand_rows(extra, layer, low, high), block, blocks, f"operand{number}")
        if extra.height != output.height:
            place = replace(place, row_pitch=0)
        return place if extra.width == output.width else replace(place, pitch=0)

    def write(self, layer: Layer, low: int, high: int, block: int, blocks: int) -> Place:
        home = self.home(layer.output, block)
        if home.buffer.memory == "l1":
            return home
        return self._tile(layer, layer.output, "output", low, high, blocks)

    def drain(self, layer: Layer, place: Place, low: int, high: int, block: int) -> None:
        home = self.home(layer.output, block)
        if home.buffer.memory != "l1":
            self.step.jobs.append(
                copy(place, home, low, high - low, layer.output.width, place.pitch, self.store_queue, layer.index)
            )

    def constants(self, layer: Layer, split: int, size: int, label: str | None = None) -> ConstantBlock:
        """Room for constants: `split` bytes of parameter blocks, then weights."""
        parameters = self.parameter_home(layer, split)
        weights = self.constant_home(layer, size - split)
        return ConstantBlock(label or layer.name, split, size, parameters, weights)

    def parameter_home(self, layer: Layer, size: int) -> Memory:
        """The memory of parameter blocks and tables: their home, which has room for all, unless their pool is higher.

        Raises `AxirError` for a full pool.
        """
        if self.options.pools.constant != "ddr":
            return self.constant_home(layer, size)
        if size > self.room_for_parameters:
            return "ddr"
        self.room_for_parameters -= size
        return "l2"

    def constant_home(self, layer: Layer, size: int) -> Memory:
        """The memory of constants: their pool, or L2 as long as it has room. Raises `AxirError` for a full pool."""
        pools = self.options.pools
        if pools.constant == "l2" and size > self.room_for_constants:
            raise AxirError(
                f"constants of {size:,} bytes do not fit L2, which is their pool: {self.room_for_constants:,} are left",
                node=layer.name,
                notes=("set constant_memory_pool to global.ddr, or raise l2_constraint or resources_used",),
            )
        if pools.constant == "l1" or (pools.constant == "ddr" and not pools.promote):
            return pools.constant
        if size > self.room_for_constants:
            return "ddr"
        self.room_for_constants -= size
        return "l2"

    def zero_pword(self, layer: Layer) -> Buffer:
        """A pword of zeros, in the memory of constants."""
        if self.zeros is None:
            home = self.constant_home(layer, PWORD)
            self.zeros = Buffer("zeros", home, PWORD, parts=[(0, lambda: np.zeros(PWORD, np.uint8))])
        return self.zeros

    def table(self, layer: Layer) -> Buffer:
        """The buffer in L1 of the layer's table; the first time, the step's prefetch copies it there."""
        key = layer.code.table
        assert key is not None
        if key in self.tables:
            return self.tables[key]
        memory = self.parameter_home(layer, TABLE_BYTES)
        table = table_of(key)
        source = Buffer(f"table.{key}", memory, TABLE_BYTES, parts=[(0, lambda: table_image(table).view(np.uint8))])
        if memory == "l1":
            self.tables[key] = source
            return source
        staged = self.tables[key] = Buffer(f"table.{key}.l1", "l1", TABLE_BYTES)
        load = move(source, 0, staged, 0, TABLE_BYTES, self.load_queue, layer.index)
        self.step.prefetch.append((load, self.constant_ready()))
        return staged

    def program(
        self, layer: Layer, params: Buffer | None, block: int, operands: list[Place], start: int = 0
    ) -> tuple[dict[str, Any], dict[str, Buffer | None]]:
        """Fields and buffers of the vector program whose parameter blocks begin with number `block` from `start` on."""
        code = layer.code
        fields = code.fields()
        buffers: dict[str, Buffer | None] = {}
        if params is not None and code.vectors:
            fields["params"] = Address("l1", start + block * len(code.vectors) * PARAMETER_BYTES)
            buffers["params"] = params
        if code.table is not None:
            buffers["table"] = self.table(layer)
            fields["table"] = Address("l1", 0)
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
        fields |= {
            f"operand{index}": Address("l1", place.at(first * row_step + row, column)),
            f"operand{index}_row_pitch": place.row_pitch * row_step,
            f"operand{index}_pitch": place.pitch * column_step,
        }
    return fields
