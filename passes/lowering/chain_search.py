"""Which layers run as depth-first chains, and in how many tiles: what takes the fewest modelled cycles.

Every run of up to `tiling_depth` layers that hands on something which is not in L1 is a candidate, with the fewest
tiles that fit L1 beside what stays there, and with up to 16 times as many. Disjoint candidates are combined by dynamic
programming over the layers, against the cycles that the layers take one by one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from axir.passes.lowering.chains import Chain, can_hold, can_join, make_chain
from axir.passes.lowering.estimate import layer_usage, overlapped
from axir.passes.lowering.network import Layer
from axir.passes.lowering.placement import Placer
from axir.passes.lowering.tiling import CHUNK_ROWS, SMALL_CHUNKS, Tiling, domain, matrix_sets, row_tiles, tile_layer
from axir.target.cost import ceil_div

DEFAULT_CANDIDATES = 2000
"""Candidates looked at where `dfs_search_constraint` is not set: about 0.2 ms each."""

FINER = 16
"""A chain is tried with up to so many times the tiles that memory asks for."""


@dataclass(frozen=True)
class ChainOptions:
    """The settings that steer the search (names as in docs/config.md)."""

    tiling_depth: int = 1
    dfs_search_constraint: int | None = None


@dataclass(frozen=True)
class _Candidate:
    chain: Chain
    cycles: int
    saved: int  # bytes that no longer live outside L1


@dataclass(frozen=True)
class Proposal:
    """Disjoint chains that are best `together`, and others, the most promising first."""

    together: tuple[Chain, ...] = ()
    others: tuple[Chain, ...] = ()


class ChainSearch:
    """Looks for chains in a placed network: homes are as `placer` left them, `tilings` those it chose."""

    def __init__(self, placer: Placer, tilings: dict[int, Tiling], options: ChainOptions):
        self.placer, self.tilings, self.options = placer, tilings, options
        self.layers = placer.network.layers
        self.left = options.dfs_search_constraint or DEFAULT_CANDIDATES
        self.members: dict[tuple[int, int, bool], Tiling] = {}  # by the arguments of `_member`

    def run(self, *, save: bool = False) -> Proposal:
        """The chains to try. `save`: disjoint ones that take away the most bytes, whatever they cost."""
        found: dict[int, list[_Candidate]] = {}
        for first, last, saved in self._spans(save):
            best = self._best(first, last)
            if best is not None:
                found.setdefault(first, []).append(_Candidate(*best, saved))
            if self.left <= 0:
                break
        together = self._combine(found, save)
        every = [candidate for at in sorted(found) for candidate in found[at]]
        gains = {id(c): sum(self._alone(layer) for layer in self.layers[c.chain.first : c.chain.last + 1]) - c.cycles
                 for c in every}  # fmt: skip
        every.sort(key=lambda c: -gains[id(c)])
        return Proposal(together, tuple(c.chain for c in every if gains[id(c)] > 0 and c.chain not in together))

    def _spans(self, save: bool) -> list[tuple[int, int, int]]:
        """(first layer, last layer, bytes outside L1 between them, or all bytes); what saves most comes first."""
        spans: list[tuple[int, int, int]] = []
        for first in range(len(self.layers)):
            for last in range(first, min(first + self.options.tiling_depth, len(self.layers))):
                layer = self.layers[last]
                if layer.work is None or not can_join(layer, self._member(layer), self.placer.target):
                    break
                if last == first:
                    continue
                inner = [other.output.storage for other in self.layers[first:last]]
                saved = sum(s.size for s in inner if save or s.home != "l1")
                if saved and can_hold(self.placer.network, first, last):
                    spans.append((first, last, saved))
        return sorted(spans, key=lambda span: (-span[2], span[1] - span[0], span[0]))

    def _best(self, first: int, last: int) -> tuple[Chain, int] | None:
        """The chain of these layers with the fewest cycles that fits, and those; weights in small chunks if need be."""
        placer = self.placer
        layers = self.layers[first : last + 1]
        inner = {id(layer.output.storage) for layer in layers[:-1]}
        held = sum(s.size for s in placer.alive("l1", first, last) if id(s) in inner)
        room = placer.room(first, last) + held
        fastest = [self._member(layer) for layer in layers]
        compact = [self._member(layer, replicate=False) for layer in layers]  # more of them fit the array's sets
        variants = [fastest] if compact == fastest else [fastest, compact]
        found = [chain for tilings in variants if (chain := self._cheapest(layers, tilings, room)) is not None]
        if found:
            return min(found, key=lambda pair: pair[1])
        return self._cheapest(layers, [self._member(layer, SMALL_CHUNKS[-1]) for layer in layers], room)

    def _cheapest(self, layers: Sequence[Layer], tilings: Sequence[Tiling], room: int) -> tuple[Chain, int] | None:
        """The chain with the fewest cycles over the tile counts that fit `room`."""
        placer = self.placer
        best: tuple[Chain, int] | None = None
        fits = 0
        for count in self._counts(layers[-1]):
            if self.left <= 0 or (fits and count > FINER * fits):
                break
            self.left -= 1
            last = replace(tilings[-1], rows=ceil_div(domain(layers[-1]).rows, count))
            tiles = row_tiles(layers[-1], last)
            chain = make_chain(layers, tilings, tiles, placer.tiling.pipeline_spatial_tiles, placer.target)
            if chain is None:
                return None
            if chain.need().total > room:
                continue
            fits = fits or count
            cycles = chain.cycles(placer.target)
            if best is None or cycles < best[1]:
                best = chain, cycles
        return best

    def _counts(self, layer: Layer) -> Iterator[int]:
        rows = domain(layer).rows
        if self.placer.tiling.force_h_tiling is not None:
            yield min(self.placer.tiling.force_h_tiling, rows)
            return
        count = 1
        while count < rows:
            yield count
            count *= 2
        yield rows

    def _member(self, layer: Layer, chunk: int = CHUNK_ROWS, replicate: bool = True) -> Tiling:
        """The tiling of a layer in a chain: all its column blocks, and its weights `chunk` rows at a time."""
        known = self.members.get((layer.index, chunk, replicate))
        if known is None:
            placer = self.placer
            blocks = layer.output.blocks
            if isinstance(layer.work, list):
                blocks = min(blocks, placer.array.column_blocks(placer.target))
            if placer.tiling.force_oc_tiling is not None and not layer.whole_pixels:
                blocks = max(1, min(blocks, ceil_div(layer.output.blocks, placer.tiling.force_oc_tiling)))
            array = placer.array if replicate else replace(placer.array, enable_icr=False)
            known = tile_layer(layer, domain(layer).rows, blocks, chunk, placer.tiling, array, placer.target)
            self.members[layer.index, chunk, replicate] = known
        return known

    def _combine(self, found: dict[int, list[_Candidate]], save: bool) -> tuple[Chain, ...]:
        count = len(self.layers)
        cost = [(0, 0)] * (count + 1)
        chosen: list[_Candidate | None] = [None] * count
        for at in reversed(range(count)):
            cost[at] = cost[at + 1][0], cost[at + 1][1] + self._alone(self.layers[at])
            for candidate in found.get(at, ()):
                after = cost[candidate.chain.last + 1]
                total = after[0] - (candidate.saved if save else 0), after[1] + candidate.cycles
                if total < cost[at]:
                    cost[at], chosen[at] = total, candidate
        chains: list[Chain] = []
        at = 0
        while at < count:
            candidate = chosen[at]
            if candidate is not None:
                chains.append(candidate.chain)
            at = at + 1 if candidate is None else candidate.chain.last + 1
        return tuple(chains)

    def _alone(self, layer: Layer) -> int:
        """Cycles of a layer that is in no chain."""
        tiling = self.tilings.get(layer.index)
        if tiling is None:
            return 0
        target = self.placer.target
        tiles = row_tiles(layer, tiling)
        resident = matrix_sets(layer, tiling, target) <= target.array.weight_sets
        usage = layer_usage(layer, tiling, tiles, resident, (), target)
        return overlapped(usage, len(tiles) * ceil_div(layer.output.blocks, tiling.blocks))
