"""Placement: which memory each activation and each layer's constants live in, and how each layer is tiled for that.

Everything starts in L1. Where a layer's tile does not fit beside what is alive, an activation moves to L2 (or DDR) and
is streamed in tiles from then on; the largest one that the layer does not touch goes first. Constants take what is left
of L2, in layer order, and DDR after that.
"""

from __future__ import annotations

from dataclasses import dataclass

from axir.ir.diagnostics import AxirError
from axir.passes.lowering.array_map import ArrayOptions
from axir.passes.lowering.network import Layer, Network
from axir.passes.lowering.tensors import Storage
from axir.passes.lowering.tiling import Need, Tiling, TilingOptions, candidates, l1_need, pipelined
from axir.target.cost import TABLE_BYTES
from axir.target.description import Target
from axir.target.isa import Memory


@dataclass(frozen=True)
class Budget:
    """Bytes that a program may use of each memory."""

    l1: int
    l2: int
    ddr: int

    def of(self, memory: Memory) -> int:
        return {"l1": self.l1, "l2": self.l2, "ddr": self.ddr}[memory]


@dataclass
class Placement:
    """Tilings by layer, and what they leave of L1; homes are set on the storages."""

    tilings: dict[int, Tiling]
    free: dict[int, int]


def place(network: Network, budget: Budget, tiling: TilingOptions, array: ArrayOptions, target: Target) -> Placement:
    """Choose homes and tilings.

    Raises `AxirError` naming layer, buffers and bytes where a layer fits with no tiling.
    """
    storages = network.storages
    for storage in storages:
        storage.home = "l1" if storage.port is None else "l2"
    while True:
        stuck = _tile_all(network, storages, budget, tiling, array, target)
        if isinstance(stuck, Placement):
            break
        layer, live, need = stuck
        victim = _victim(layer, live)
        if victim is None:
            raise _too_large(layer, live, need, budget)
        victim.home = "l2"
    _spill_to_ddr(network, storages, budget)
    return stuck


def _tile_all(
    network: Network,
    storages: list[Storage],
    budget: Budget,
    tiling: TilingOptions,
    array: ArrayOptions,
    target: Target,
) -> Placement | tuple[Layer, list[Storage], Need]:
    tilings: dict[int, Tiling] = {}
    free: dict[int, int] = {}
    mixed = _mixed(network)
    tables = _tables(network)
    for layer in network.layers:
        live = [s for s in storages if s.home == "l1" and s.first <= layer.index <= s.last]
        room = budget.l1 - sum(s.size for s in live) - tables[layer.index]
        if layer.work is None:
            if room < 0:
                return layer, live, _with_tables(Need(()), tables[layer.index])
            free[layer.index] = room
            continue
        need = Need(())
        for candidate in candidates(layer, tiling, array, target):
            need = l1_need(layer, candidate, target)
            if need.total <= room:
                finer = pipelined(layer, candidate, tiling, target) if mixed[layer.index] else candidate
                finer_need = l1_need(layer, finer, target)
                if finer_need.total <= room:
                    candidate, need = finer, finer_need
                tilings[layer.index], free[layer.index] = candidate, room - need.total
                break
        else:
            return layer, live, _with_tables(need, tables[layer.index])
    return Placement(tilings, free)


def _tables(network: Network) -> list[int]:
    """Bytes of tables in L1 at each layer: a table stays from its first user to its last."""
    users: dict[str, list[int]] = {}
    for layer in network.layers:
        if layer.code.table is not None:
            users.setdefault(layer.code.table, []).append(layer.index)
    return [
        TABLE_BYTES * sum(layers[0] <= layer.index <= layers[-1] for layers in users.values())
        for layer in network.layers
    ]


def _with_tables(need: Need, size: int) -> Need:
    return Need((*need.parts, ("tables", size))) if size else need


def _mixed(network: Network) -> list[bool]:
    """Which layers meet one of another unit, or a tensor that is streamed: they gain from running in row tiles."""
    writers: dict[int, set[str]] = {}
    readers: dict[int, set[str]] = {}
    for layer in network.layers:
        unit = _queue(layer)
        writers.setdefault(id(layer.output.storage), set()).add(unit)
        for tensor in (layer.input, *layer.extras):
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
    return "array" if isinstance(layer.work, list) else "dma" if layer.work is None else "depthwise"


def _victim(layer: Layer, live: list[Storage]) -> Storage | None:
    """What to move out of L1: the largest storage that the layer does not use, else the largest it uses."""
    used = {id(tensor.storage) for tensor in layer.tensors}
    return max(live, key=lambda s: (id(s) not in used, s.size), default=None)


def _spill_to_ddr(network: Network, storages: list[Storage], budget: Budget) -> None:
    """Where the activations in L2 overflow it, the largest alive at the worst layer goes to DDR."""
    while True:
        worst, peak = 0, 0
        for layer in network.layers or []:
            size = sum(s.size for s in _alive(storages, layer.index))
            if size > peak:
                worst, peak = layer.index, size
        if peak <= budget.l2:
            return
        max(_alive(storages, worst), key=lambda s: s.size).home = "ddr"


def _alive(storages: list[Storage], layer: int) -> list[Storage]:
    """Storages in L2 at a layer; the host's buffers are there all the time."""
    return [s for s in storages if s.home == "l2" and (s.port is not None or s.first <= layer <= s.last)]


def l2_peak(network: Network) -> int:
    storages = network.storages
    return max((sum(s.size for s in _alive(storages, layer.index)) for layer in network.layers), default=0)


def _too_large(layer: Layer, live: list[Storage], need: Need, budget: Budget) -> AxirError:
    parts = ", ".join(f"{name} {size:,}" for name, size in need.parts) or "nothing"
    resident = ", ".join(f"{s.label} {s.size:,}" for s in live)
    total = need.total + sum(s.size for s in live)
    return AxirError(
        f"the layer does not fit L1 with any tiling: it needs {total:,} bytes, there are {budget.l1:,} "
        f"({total - budget.l1:,} too many)",
        node=layer.name,
        notes=(
            f"buffers of its smallest tile: {parts}" + (f"; resident: {resident}" if resident else ""),
            "raise l1_constraint, or make the layer's rows shorter (tiles cut height and channels, not width)",
        ),
    )
