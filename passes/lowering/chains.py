"""Depth-first chains: consecutive layers that run row tile by row tile, so that what lies between them stays in L1.

An intermediate exists only as tiles: of each, the rows that the chain's tile of its last layer needs. Where windows
overlap, neighbouring tiles compute the rows between them twice, which gives the same bytes twice. Of weights that do
not fit the array's sets together, some are loaded again by every tile.

A member on another unit than the one before it runs a tile behind, so that the units overlap.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from axir.passes.lowering.estimate import Tiles, Usage, layer_usage, load_cycles, overlapped
from axir.passes.lowering.network import Layer, MatMulWork, Network
from axir.passes.lowering.tensors import Tensor
from axir.passes.lowering.tiling import (
    CHUNK_ROWS,
    Need,
    Tiling,
    constants_bytes,
    copied_at_once,
    domain,
    input_rows,
    matrix_sets,
    operand_rows,
    output_rows,
    staged_bytes,
    tile_bytes,
)
from axir.target.cost import ceil_div
from axir.target.description import Target
from axir.target.isa import PWORD


@dataclass(frozen=True)
class Sets:
    """Weight sets that a layer may use: `count` from `first` on."""

    first: int
    count: int


@dataclass(frozen=True, eq=False)
class Member:
    """A layer of a chain: its rows of the domain in each tile of the chain, and by how many tiles it runs behind."""

    layer: Layer
    tiling: Tiling
    tiles: Tiles
    stage: int
    sets: Sets
    resident: bool  # weights are loaded once


@dataclass(frozen=True, eq=False)
class Chain:
    """Members in order. `extents`: of each intermediate, by id of its storage, the rows [low, high) of every tile."""

    members: tuple[Member, ...]
    extents: dict[int, Tiles]

    @property
    def first(self) -> int:
        return self.members[0].layer.index

    @property
    def last(self) -> int:
        return self.members[-1].layer.index

    @property
    def second_tiles(self) -> int:
        """Bytes of what is copied to L1 for one tile, for which `need` counts two buffers."""
        return max(
            sum(
                tile_bytes(tensor, rows[1] - rows[0])
                for member in self.members
                for tensor, rows in _read_rows(member.layer, member.tiles[tile])
                if id(tensor.storage) not in self.extents and tensor.storage.home != "l1"
            )
            for tile in range(self.tiles)
        )

    @property
    def tiles(self) -> int:
        return len(self.members[0].tiles)

    def order(self) -> Iterator[tuple[Member, int]]:
        """(member, tile) in program order."""
        for step in range(self.tiles + self.members[-1].stage):
            for member in self.members:
                if 0 <= step - member.stage < self.tiles:
                    yield member, step - member.stage

    def need(self) -> Need:
        """The greatest number of bytes in L1 at a time, beside what lives there anyway."""
        steps = list(self.order())
        alive = [0] * (len(steps) + 1)
        constants = 0
        born: dict[tuple[int, int], int] = {}  # step that makes a tile of an intermediate
        dies: dict[tuple[int, int], int] = {}
        sizes: dict[tuple[int, int], int] = {}
        for at, (member, tile) in enumerate(steps):
            layer = member.layer
            for tensor, rows in _read_rows(layer, member.tiles[tile]):
                key = id(tensor.storage), tile
                if key[0] in self.extents:
                    dies[key] = at
                elif tensor.storage.home != "l1":
                    alive[at] += tile_bytes(tensor, rows[1] - rows[0])
                    alive[max(0, at - 1)] += tile_bytes(tensor, rows[1] - rows[0]) if at else 0
            low, high = output_rows(layer, *member.tiles[tile])
            key = id(layer.output.storage), tile
            if key[0] in self.extents:
                born[key], sizes[key] = at, tile_bytes(layer.output, high - low)
            elif layer.output.storage.home != "l1":
                alive[at] += tile_bytes(layer.output, high - low)
                alive[at + 1] += tile_bytes(layer.output, high - low)
            kept, staged = _constants(member)
            constants += kept if tile == 0 else 0
            alive[at] += staged if tile == 0 or not member.resident else 0
        for key, size in sizes.items():
            for at in range(born[key], dies[key] + 1):
                alive[at] += size
        return Need((("tiles of a depth-first chain", max(alive)), ("weights and parameters of its layers", constants)))

    def usage(self, target: Target) -> Usage:
        """What the whole chain takes of each queue."""
        total: Usage = Usage()
        for member in self.members:
            total += layer_usage(member.layer, member.tiling, member.tiles, member.resident, self.extents, target)
        return total

    def cycles(self, target: Target) -> int:
        return overlapped(self.usage(target), self.tiles)


def make_chain(
    layers: Sequence[Layer], tilings: Sequence[Tiling], tiles: Tiles, pipelined: bool, target: Target
) -> Chain | None:
    """The chain of these layers, whose last computes these rows of its domain tile by tile.

    None where the weights that every tile loads again do not fit the array beside those that stay.
    """
    intermediates = {id(layer.output.storage): layer.output for layer in layers[:-1]}
    extents: dict[int, list[tuple[int, int]]] = {key: [] for key in intermediates}
    own: list[list[tuple[int, int]]] = [[] for _ in layers]
    for rows in tiles:
        needed: dict[int, tuple[int, int]] = {}
        for position in reversed(range(len(layers))):
            layer = layers[position]
            if position < len(layers) - 1:
                rows = _domain_rows(layer, *needed[id(layer.output.storage)])
                extents[id(layer.output.storage)].append(output_rows(layer, *rows))
            own[position].append(rows)
            for tensor, (low, high) in _read_rows(layer, rows):
                key = id(tensor.storage)
                if key in intermediates:
                    known = needed.get(key, (low, high))
                    needed[key] = min(known[0], low), max(known[1], high)
    kept = _allot_sets(layers, tilings, target)
    if kept is None:
        return None
    members: list[Member] = []
    stage = 0
    for position, (layer, tiling) in enumerate(zip(layers, tilings, strict=True)):
        if position and pipelined and isinstance(layer.work, list) != isinstance(layers[position - 1].work, list):
            stage += 1
        sets, resident = kept[position]
        # What every tile loads again is copied once, where weights are not to come in smaller chunks.
        tiling = replace(tiling, whole_constants=not resident and tiling.chunk == CHUNK_ROWS)
        members.append(Member(layer, tiling, tuple(own[position]), stage, sets, resident))
    return Chain(tuple(members), {key: tuple(rows) for key, rows in extents.items()})


def can_join(layer: Layer, tiling: Tiling, target: Target) -> bool:
    """Whether a layer may be in a chain: no copy of bytes, no kernel that needs partial sums.

    Nor what needs all rows of a tensor at a time.
    """
    rows = target.array.weight_sets * target.array.rows
    if layer.work is None or layer.whole_rows or isinstance(layer.work, MatMulWork):
        return False
    return all(m.rows <= rows for m in tiling.maps)


def can_hold(network: Network, first: int, last: int) -> bool:
    """Whether what layers `first` .. `last` hand each other is read nowhere else, and tile by tile."""
    layers = network.layers[first : last + 1]
    inner = {id(layer.output.storage): layer.output for layer in layers[:-1]}
    for tensor in inner.values():
        storage = tensor.storage
        if storage.port is not None or not tensor.whole or storage.first < first or storage.last > last:
            return False
    if len(inner) < len(layers) - 1 or id(layers[-1].output.storage) in inner:
        return False
    read = [tensor for layer in layers for tensor in (layer.input, *layer.extras)]
    used = {id(tensor.storage) for tensor in read}
    return all(inner.get(id(tensor.storage), tensor) is tensor for tensor in read) and all(key in used for key in inner)


def _read_rows(layer: Layer, rows: tuple[int, int]) -> Iterator[tuple[Tensor, tuple[int, int]]]:
    """Tensors that rows [first, last) of the domain read, with their rows [low, high)."""
    yield layer.input, input_rows(layer, *rows)
    for extra in layer.extras:
        yield extra, operand_rows(extra, layer, *output_rows(layer, *rows))


def _domain_rows(layer: Layer, low: int, high: int) -> tuple[int, int]:
    step = domain(layer).step
    return low // step, ceil_div(high, step)


def _constants(member: Member) -> tuple[int, int]:
    """Bytes of constants in L1 as long as the chain runs, and while the weights are loaded."""
    layer, tiling = member.layer, member.tiling
    if isinstance(layer.work, list):
        if copied_at_once(layer, tiling):
            return constants_bytes(layer, tiling), 0
        return layer.parameter_bytes, staged_bytes(tiling, tiling.blocks * PWORD)
    return constants_bytes(layer, tiling), 0


def _allot_sets(layers: Sequence[Layer], tilings: Sequence[Tiling], target: Target) -> list[tuple[Sets, bool]] | None:
    """Weight sets of each layer, and whether its weights stay in them; those that are slowest to load stay first."""
    total = target.array.weight_sets
    arrays = [at for at, layer in enumerate(layers) if isinstance(layer.work, list)]
    passes = {at: [m.sets(target) for m in tilings[at].maps] for at in arrays}
    needed = {at: matrix_sets(layers[at], tilings[at], target) for at in arrays}
    again = set(arrays)
    free = total
    for at in sorted(arrays, key=lambda at: (-load_cycles(layers[at], tilings[at], target), at)):
        rest = max((max(passes[other]) for other in again if other != at), default=0)
        if needed[at] + rest <= free:
            again.discard(at)
            free -= needed[at]
    if again and max(max(passes[at]) for at in again) > free:
        return None
    result: list[tuple[Sets, bool]] = []
    base = 0
    for at in range(len(layers)):
        if at in needed and at not in again:
            result.append((Sets(base, needed[at]), True))
            base += needed[at]
        else:
            result.append((Sets(total - free, free), at not in again))
    return result
