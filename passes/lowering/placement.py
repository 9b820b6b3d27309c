"""Placement: which memory each activation and each layer's constants live in, and how each layer is tiled for that.

Intermediates start in L1. Where a layer's tile does not fit beside what is alive, one of them moves to L2 (or DDR) and
is streamed in tiles from then on; the largest one that the layer does not touch goes first. Constants take what is left
of L2, in layer order, and DDR after that. Pools (`pools.py`) bound how far down buffers may go, and up.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from axir.ir.diagnostics import AxirError
from axir.passes.lowering.array_map import ArrayOptions
from axir.passes.lowering.chains import Chain
from axir.passes.lowering.network import Layer, Network
from axir.passes.lowering.pools import Pools
from axir.passes.lowering.tensors import Storage
from axir.passes.lowering.tiling import (
    CONSTANT_PARTS,
    Need,
    Tiling,
    TilingOptions,
    candidates,
    constants_bytes,
    l1_need,
    pipelined,
)
from axir.passes.lowering.vector_program import TableKey
from axir.passes.memory.budget import Budget
from axir.target.cost import TABLE_BYTES
from axir.target.description import Target
from axir.target.isa import Memory


@dataclass
class Placement:
    """Tilings by layer (of those in no chain), chains, and what layers leave of L1; homes are set on the storages.

    `second` are the bytes of a layer's second tile buffers, which `free` does not count as left.
    `groups` are array layers whose weights are resident together, with their tilings (`groups.py`).
    `l2_peak` is the greatest number of bytes of activations in L2 at a time.
    """

    tilings: dict[int, Tiling]
    free: dict[int, int]
    second: dict[int, int]
    chains: tuple[Chain, ...] = ()
    l2_peak: int = 0
    groups: tuple[tuple[tuple[Layer, Tiling], ...], ...] = ()


@dataclass(frozen=True)
class Stuck:
    """Layers (one, or a chain) that find too little L1 beside the storages in it."""

    layers: tuple[Layer, ...]
    live: tuple[Storage, ...]
    need: Need


class Placer:
    """Places one network under one budget; `chains` are given, `tile` and `place` work around them."""

    def __init__(
        self, network: Network, budget: Budget, pools: Pools, tiling: TilingOptions, array: ArrayOptions,
        target: Target, chains: Sequence[Chain] = (),
    ):  # fmt: skip
        self.network, self.budget, self.pools = network, budget, pools
        self.tiling, self.array, self.target = tiling, array, target
        self.chains = tuple(chains)
        self.storages = [s for s in network.storages if all(id(s) not in chain.extents for chain in chains)]
        self.tables = _tables(network)
        self.constants = 0  # bytes of constants whose pool is L1

    def place(self) -> Placement:
        """Choose homes and tilings.

        Raises `AxirError` naming layer, buffers and bytes where a layer fits with no tiling, or a pool overflows.
        """
        self.start()
        while True:
            placed = self.tile()
            if isinstance(placed, Placement):
                constants = self._constants_in_l1(placed)
                if constants <= self.constants:
                    break
                self.constants = constants
                continue
            victim = self._victim(placed)
            if victim is None:
                raise _too_large(placed, self.budget, self.pools, self.constants)
            victim.home = "l2"
        self._spill_to_ddr()
        placed.l2_peak = max((sum(s.size for s in self.alive("l2", at)) for at in self._layers), default=0)
        return placed

    def start(self) -> None:
        """Put every storage where it is tried first."""
        for storage in self.network.storages:
            if storage.shared is None:
                storage.home = self.pools.first_workspace if storage.port is None else self.pools.first_io

    def alive(self, memory: Memory, first: int, last: int | None = None) -> list[Storage]:
        """Storages in a memory while layers `first` .. `last` run; the host's buffers are there all the time."""
        low, high = self._span(first)[0], self._span(first if last is None else last)[1]
        return [
            s for s in self.storages
            if s.home == memory and (s.port is not None or (s.first <= high and s.last >= low))
        ]  # fmt: skip

    def room(self, first: int, last: int) -> int:
        """Bytes of L1 beside what lives there anyway while layers `first` .. `last` run."""
        taken = sum(s.size for s in self.alive("l1", first, last)) + max(self.tables[first : last + 1])
        return self.budget.l1 - self.constants - taken

    def tile(self) -> Placement | Stuck:
        """A tiling for every layer with the homes as they are, or the first that has none."""
        tilings: dict[int, Tiling] = {}
        free: dict[int, int] = {}
        second: dict[int, int] = {}
        mixed = _mixed(self.network)
        starts = {chain.first: chain for chain in self.chains}
        chained = {member.layer.index for chain in self.chains for member in chain.members}
        for layer in self.network.layers:
            at = layer.index
            if at in starts:
                chain = starts[at]
                room, need = self.room(at, chain.last), chain.need()
                if need.total > room:
                    layers = tuple(member.layer for member in chain.members)
                    return self._stuck(layers, need)
                free |= {member.layer.index: room - need.total for member in chain.members}
                second |= {member.layer.index: chain.second_tiles for member in chain.members}
            elif at in chained:
                continue
            elif layer.work is None:
                free[at] = self.room(at, at)
                if free[at] < 0:
                    return self._stuck((layer,), Need(()))
            else:
                found = self.tile_layer(layer, mixed[at])
                if isinstance(found, Need):
                    return self._stuck((layer,), found)
                tilings[at], free[at], second[at] = found
        return Placement(tilings, free, second, self.chains)

    def tile_layer(self, layer: Layer, mixed: bool) -> tuple[Tiling, int, int] | Need:
        """The tiling of a layer, what it leaves of L1 and the bytes of its second tile buffers.

        Where none fits, what its smallest tile needs.
        """
        room = self.room(layer.index, layer.index)
        need = Need(())
        for candidate in candidates(layer, self.tiling, self.array, self.target):
            need = self._need(layer, candidate)
            if need.total > room:
                continue
            finer = pipelined(layer, candidate, self.tiling, self.target) if mixed else candidate
            finer_need = self._need(layer, finer)
            if finer_need.total <= room:
                candidate = finer
            single = replace(candidate, row_buffers=1, buffers=1)
            need = self._need(layer, candidate).total
            return candidate, room - need, need - self._need(layer, single).total
        return need

    def _need(self, layer: Layer, tiling: Tiling) -> Need:
        need = l1_need(layer, tiling, self.target)
        if self.pools.constant == "l1":
            need = Need(tuple((what, size) for what, size in need.parts if what not in CONSTANT_PARTS))
        return need

    def _stuck(self, layers: tuple[Layer, ...], need: Need) -> Stuck:
        tables = max(self.tables[layer.index] for layer in layers)
        if tables:
            need = Need((*need.parts, ("tables", tables)))
        return Stuck(layers, tuple(self.alive("l1", layers[0].index, layers[-1].index)), need)

    def _constants_in_l1(self, placement: Placement) -> int:
        """Bytes of all constants where they live in L1, without tables."""
        if self.pools.constant != "l1":
            return 0
        chained = [(member.layer, member.tiling) for chain in self.chains for member in chain.members]
        layers = [(self.network.layers[at], tiling) for at, tiling in placement.tilings.items()]
        return sum(constants_bytes(layer, tiling) for layer, tiling in (*layers, *chained))

    @property
    def _layers(self) -> range:
        return range(len(self.network.layers))

    def _span(self, layer: int) -> tuple[int, int]:
        """First and last layer of the chain that a layer is in, or itself."""
        for chain in self.chains:
            if chain.first <= layer <= chain.last:
                return chain.first, chain.last
        return layer, layer

    def _victim(self, stuck: Stuck) -> Storage | None:
        """What to move out of L1: the largest storage that the layers do not use, else the largest they use."""
        used = {id(tensor.storage) for layer in stuck.layers for tensor in layer.tensors}
        movable = [s for s in stuck.live if s.port is None and s.shared is None and self.pools.workspace != "l1"]
        return max(movable, key=lambda s: (id(s) not in used, s.size), default=None)

    def _spill_to_ddr(self) -> None:
        """Where the activations in L2 overflow it, the largest alive at the worst layer goes to DDR."""
        while True:
            worst, peak = 0, 0
            for at in self._layers:
                size = sum(s.size for s in self.alive("l2", at))
                if size > peak:
                    worst, peak = at, size
            if peak * self.budget.frames <= self.budget.l2:
                return
            alive = self.alive("l2", worst)
            pools = {s: self.pools.workspace if s.port is None else self.pools.io for s in alive if s.shared is None}
            movable = [s for s in alive if pools.get(s) == "ddr"]
            if not movable:
                raise _pool_overflows(self.network.layers[worst], alive, peak * self.budget.frames, self.budget)
            max(movable, key=lambda s: s.size).home = "ddr"


def _tables(network: Network) -> list[int]:
    """Bytes of tables in L1 at each layer: a table stays from its first user to its last."""
    users: dict[TableKey, list[int]] = {}
    for layer in network.layers:
        if layer.code.table is not None:
            users.setdefault(layer.code.table, []).append(layer.index)
    return [
        TABLE_BYTES * sum(layers[0] <= layer.index <= layers[-1] for layers in users.values())
        for layer in network.layers
    ]


def _mixed(network: Network) -> list[bool]:
    """Which layers meet one of another unit, or a tensor that is streamed: they gain from running in row tiles."""
    writers: dict[int, set[str]] = {}
    readers: dict[int, set[str]] = {}
    for layer in network.layers:
        unit = _queue(layer)
        writers.setdefault(id(layer.output.storage), set()).add(unit)
        for tensor in layer.tensors[:-1]:
            readers.setdefault(id(tensor.storage), set()).add(unit)
    return [
        any(
            tensor.storage.home != "l1"
            or (writers.get(id(tensor.storage), set()) | readers.get(id(tensor.storage), set())) != {_queue(layer)}
            for tensor in layer.tensors
        )
        for layer in network.layers
    ]


def _queue(layer: Layer) -> str:
    if layer.work is None:
        return "dma"
    return "array" if layer.unit == "array" else "depthwise"


def _too_large(stuck: Stuck, budget: Budget, pools: Pools, constants: int) -> AxirError:
    live = sum(s.size for s in stuck.live) + constants
    parts = ", ".join(f"{name} {size:,}" for name, size in stuck.need.parts) or "nothing"
    resident = [f"{s.label} {s.size:,}" for s in stuck.live] + ([f"constants {constants:,}"] if constants else [])
    total = stuck.need.total + live
    pooled = [f"{name}_memory_pool" for name in ("io", "constant", "workspace") if getattr(pools, name) == "l1"]
    advice = f"; {' and '.join(pooled)} keep{'s' * (len(pooled) == 1)} buffers in L1" if pooled else ""
    return AxirError(
        f"the layer does not fit L1 with any tiling: it needs {total:,} bytes, there are {budget.l1:,} "
        f"({total - budget.l1:,} too many)",
        node=stuck.layers[0].name,
        notes=(
            f"buffers of its smallest tile: {parts}" + (f"; resident: {', '.join(resident)}" if resident else ""),
            "raise l1_constraint, or make the layer's rows shorter (tiles cut height and channels, not width)" + advice,
        ),
    )


def _pool_overflows(layer: Layer, alive: Sequence[Storage], peak: int, budget: Budget) -> AxirError:
    frames = f" for {budget.frames} frames" if budget.frames > 1 else ""
    return AxirError(
        f"the buffers whose pool is L2 do not fit it: {peak:,} bytes needed, {budget.l2:,} allowed "
        f"({peak - budget.l2:,} too many)",
        node=layer.name,
        notes=(
            f"alive there ({peak:,} bytes{frames}): " + ", ".join(f"{s.label} {s.size:,}" for s in alive),
            "set io_memory_pool or workspace_memory_pool to global.ddr, or raise l2_constraint or resources_used",
        ),
    )
