"""Which cores compute what: ways to share layers, chosen by modelled cycles.

Cutting rows leaves each core all weights to load, cutting channels the whole input to gather. What a way costs depends
on those of the layers around it, so the ways of all layers are improved together: each layer in turn takes what is best
beside its neighbours, until nothing changes (iterated conditional modes).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from axir.passes.lowering.array_map import ArrayOptions
from axir.passes.lowering.cores.shares import (
    Box,
    Split,
    box_of,
    largest,
    read_boxes,
    rows_of,
    share,
    splits,
    write_box,
)
from axir.passes.lowering.emit_rearrange import copy_cycles
from axir.passes.lowering.estimate import load_cycles
from axir.passes.lowering.network import Layer, Network
from axir.passes.lowering.tiling import (
    CHUNK_ROWS,
    Tiling,
    TilingOptions,
    constants_bytes,
    domain,
    tile_cycles,
    tile_layer,
)
from axir.target.description import Target

ROUNDS = 8
"""Most rounds over all layers. Each lowers the sum; a few are enough."""


@dataclass(frozen=True)
class Options:
    """The settings that the costs depend on."""

    array: ArrayOptions
    tiling: TilingOptions
    overlap_loads: bool  # weights are loaded while others are in use


def cooperative_ways(network: Network, cores: int, options: Options, target: Target) -> list[Split]:
    """A way for each layer, so that all cores together finish a frame soonest."""
    costs = Costs(network, cores, options, target)
    best: list[Split] = []
    least = float("inf")
    starts: tuple[Split, ...] = ("rows", "blocks", "grid")
    for start in starts:
        ways = _improved([start if start in splits(layer) else splits(layer)[-1] for layer in network.layers], costs)
        total = costs.total(ways)
        if total < least:
            best, least = ways, total
    return best


def _improved(ways: list[Split], costs: Costs) -> list[Split]:
    ways = list(ways)
    for _ in range(ROUNDS):
        changed = False
        for layer in costs.network.layers:
            found = min(splits(layer), key=lambda way: costs.around(layer.index, way, ways))
            if costs.around(layer.index, found, ways) < costs.around(layer.index, ways[layer.index], ways):
                ways[layer.index] = found
                changed = True
        if not changed:
            break
    return ways


def pipeline_ways(network: Network, cores: int, options: Options, target: Target) -> list[Split]:
    """The core of each layer: consecutive layers a core, so that the slowest core is as fast as can be.

    Raises `ValueError` where there are fewer layers than cores.
    """
    costs = Costs(network, 1, options, target)
    work = [costs.work(layer, splits(layer)[0]) for layer in network.layers]
    if len(work) < cores:
        raise ValueError(f"{len(work)} layers for {cores} stages")
    # least[k][n]: the slowest of k stages that take the first n layers.
    sums = [0.0]
    for cycles in work:
        sums.append(sums[-1] + cycles)
    least = [[0.0 if n == 0 else float("inf") for n in range(len(work) + 1)]]
    cuts: list[list[int]] = [[0] * (len(work) + 1)]
    for _ in range(cores):
        row, cut = [float("inf")] * (len(work) + 1), [0] * (len(work) + 1)
        for n in range(1, len(work) + 1):
            for start in range(n):
                slowest = max(least[-1][start], sums[n] - sums[start])
                if slowest < row[n]:
                    row[n], cut[n] = slowest, start
        least.append(row)
        cuts.append(cut)
    ways: list[Split] = [0] * len(work)
    end = len(work)
    for stage in range(cores, 0, -1):
        start = cuts[stage][end]
        ways[start:end] = [stage - 1] * (end - start)
        end = start
    return ways


class Costs:
    """Modelled cycles of ways: those of the layer itself, and those of what passes between cores for its inputs."""

    def __init__(self, network: Network, cores: int, options: Options, target: Target):
        self.network, self.cores, self.options, self.target = network, cores, options, target
        self._work: dict[tuple[int, Split], float] = {}
        self._passed: dict[tuple[int, Split, int, Split], float] = {}
        writers: dict[int, list[Layer]] = {}
        for layer in network.layers:
            writers.setdefault(id(layer.output.storage), []).append(layer)
        self.feeds: list[dict[int, Layer]] = []  # by layer: those that write what it reads
        self.readers: list[list[Layer]] = [[] for _ in network.layers]
        for layer in network.layers:
            found: dict[int, Layer] = {}
            for tensor in layer.tensors[:-1]:
                box = box_of(tensor, (0, tensor.height))
                for writer in writers.get(id(tensor.storage), ()):
                    if writer.index < layer.index and not (_whole_write(writer) & box).empty:
                        found[writer.index] = writer
            self.feeds.append(found)
            for writer in found.values():
                self.readers[writer.index].append(layer)

    def total(self, ways: Sequence[Split]) -> float:
        """Cycles of a frame, layer after layer."""
        return sum(
            self.work(layer, ways[layer.index])
            + sum(self.passed(writer, ways[writer.index], layer, ways[layer.index]) for writer in feeds.values())
            for layer, feeds in zip(self.network.layers, self.feeds, strict=True)
        )

    def around(self, index: int, way: Split, ways: Sequence[Split]) -> float:
        """The part of `total` that a layer's way changes."""
        layer = self.network.layers[index]
        before = sum(self.passed(writer, ways[writer.index], layer, way) for writer in self.feeds[index].values())
        after = sum(self.passed(layer, way, reader, ways[reader.index]) for reader in self.readers[index])
        return self.work(layer, way) + before + after

    def work(self, layer: Layer, way: Split) -> float:
        """Cycles of the core that has most of a layer: computing, and loading weights."""
        key = layer.index, way
        if key not in self._work:
            self._work[key] = self._cycles(layer, way)
        return self._work[key]

    def _cycles(self, layer: Layer, way: Split) -> float:
        target = self.target
        rows, own_blocks = largest(layer, way, self.cores)
        blocks = max(1, layer.output.blocks)
        start = float(target.device.dispatch + target.dma.setup)
        if layer.work is None:
            if layer.walk is not None:
                return start + copy_cycles(layer, layer.walk, target)
            moved = _whole_write(layer).bytes * rows / rows_of(layer) * own_blocks / blocks
            return start + moved / target.dma.bandwidth
        tiling = _tiling(layer, own_blocks, self.options, target)
        computing = tile_cycles(layer, tiling, 0, min(rows, domain(layer).rows), target) * own_blocks / blocks
        if not isinstance(layer.work, list):
            return start + computing
        loading = load_cycles(layer, tiling, target) * own_blocks / blocks
        copying = constants_bytes(layer, tiling) * own_blocks / blocks / target.dma.bandwidth
        if self.options.overlap_loads:
            return start + max(computing, loading, copying)
        return start + max(computing + loading, copying)

    def passed(self, writer: Layer, written_as: Split, reader: Layer, read_as: Split) -> float:
        """Cycles until the core that receives most has what a layer reads and others have computed."""
        key = writer.index, written_as, reader.index, read_as
        if key not in self._passed:
            self._passed[key] = self._exchange(writer, written_as, reader, read_as)
        return self._passed[key]

    def _exchange(self, writer: Layer, written_as: Split, reader: Layer, read_as: Split) -> float:
        if written_as == "all" or writer.output.storage.port is not None:
            return 0.0
        sent: list[dict[Box, None]] = [{} for _ in range(self.cores)]
        received = [0] * self.cores
        storage = writer.output.storage
        boxes: list[Box | None] = []
        for core in range(self.cores):
            part = share(writer, written_as, core, self.cores)
            boxes.append(None if part is None else write_box(writer, part))
        for core in range(self.cores):
            part = share(reader, read_as, core, self.cores)
            for tensor, rows, blocks in read_boxes(reader, part) if part is not None else ():
                if tensor.storage is not storage:
                    continue
                for other, box in enumerate(boxes):
                    if other != core and box is not None:
                        moved = box & box_of(tensor, rows, blocks)
                        received[core] += moved.bytes
                        sent[other][moved] = None
        if not any(received):
            return 0.0
        start = 2 * (self.target.device.dispatch + self.target.dma.setup)
        most = max(sum(box.bytes for box in boxes) for boxes in sent)
        return start + (most + max(received)) / self.target.dma.bandwidth


def _whole_write(layer: Layer) -> Box:
    return box_of(layer.output, (0, layer.output.height))


def _tiling(layer: Layer, blocks: int, options: Options, target: Target) -> Tiling:
    most = min(blocks, options.array.column_blocks(target)) if isinstance(layer.work, list) else blocks
    return tile_layer(layer, domain(layer).rows, most, CHUNK_ROWS, options.tiling, options.array, target)
