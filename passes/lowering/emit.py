"""Emission: a placed and tiled network as steps of jobs, in an order in which they could run one after the other."""

from __future__ import annotations

from axir.passes.lowering.chains import Chain
from axir.passes.lowering.emission import Emission, EmitOptions, Emitted
from axir.passes.lowering.emit_array import ArrayEmitter, ArrayRun
from axir.passes.lowering.emit_layout import emit_layout
from axir.passes.lowering.emit_matmul import MatMulEmitter
from axir.passes.lowering.emit_rearrange import emit_rearrange
from axir.passes.lowering.emit_window import WindowEmitter, WindowRun
from axir.passes.lowering.jobs import Buffer, Place, copy
from axir.passes.lowering.network import RESHAPE, Layer, MatMulWork, Network, WindowWork
from axir.passes.lowering.placement import Placement
from axir.passes.lowering.tensors import align
from axir.passes.lowering.tiling import tile_pitch
from axir.passes.memory.budget import Budget
from axir.target.description import Target


def emit(network: Network, placement: Placement, budget: Budget, options: EmitOptions, target: Target) -> Emitted:
    """Emit every layer in order, and the layers of a depth-first chain together."""
    emission = Emission(network, max(0, budget.l2 - budget.frames * placement.l2_peak), options, target)
    array, window = ArrayEmitter(emission), WindowEmitter(emission)
    matmul = MatMulEmitter(emission, array.reserve_sets)
    groups = {layer.index: group for group in placement.groups for layer, _ in group}
    chains = {member.layer.index: chain for chain in placement.chains for member in chain.members}
    for layer in network.layers:
        chain = chains.get(layer.index)
        if chain is not None:
            if layer.index == chain.first:
                _chain(emission, array, window, chain)
            continue
        emission.begin(layer)
        if layer.input.order != layer.output.order:
            emit_layout(emission, layer)
        elif layer.walk is not None:
            emit_rearrange(emission, layer, layer.walk)
        elif layer.work is None:
            _copy(emission, layer)
        elif isinstance(layer.work, MatMulWork):
            matmul.emit(layer, placement.tilings[layer.index])
        elif isinstance(layer.work, list):
            array.emit(layer, placement.tilings[layer.index], groups.get(layer.index, ()))
        else:
            window.emit(layer, layer.work, placement.tilings[layer.index])
        emission.end(layer)
    return emission.emitted


def _chain(emission: Emission, array: ArrayEmitter, window: WindowEmitter, chain: Chain) -> None:
    """Emit the members' tiles in turn, each intermediate being a buffer a tile."""
    runs: dict[int, ArrayRun | WindowRun] = {}
    for member in chain.members:
        layer = member.layer
        emission.begin(layer)
        if isinstance(layer.work, list):
            runs[layer.index] = array.begin(layer, member.tiling, member.sets, member.resident)
        elif isinstance(layer.work, WindowWork):
            runs[layer.index] = window.begin(layer, layer.work, member.tiling)
    places = [_intermediates(chain, tile) for tile in range(chain.tiles)]
    for member, tile in chain.order():
        emission.begin(member.layer)
        emission.chain_tiles = places[tile]
        run, rows = runs[member.layer.index], member.tiles[tile]
        if isinstance(run, ArrayRun):
            array.tile(run, *rows)
        else:
            window.tile(run, *rows)
        emission.end(member.layer)
    emission.chain_tiles = {}


def _intermediates(chain: Chain, tile: int) -> dict[int, Place]:
    """Buffers for one tile of every intermediate, by storage."""
    found: dict[int, Place] = {}
    for member in chain.members[:-1]:
        tensor = member.layer.output
        low, high = chain.extents[id(tensor.storage)][tile]
        pitch = tile_pitch(tensor)
        row_pitch = align(tensor.width * pitch)
        buffer = Buffer(f"{tensor.label}.chain", "l1", (high - low) * row_pitch)
        found[id(tensor.storage)] = Place(buffer, 0, row_pitch, pitch, low, high - low)
    return found


def _copy(emission: Emission, layer: Layer) -> None:
    """Bytes that only move: one copy from where they are to where they go."""
    source, result, e = layer.input, layer.output, emission
    pixel = tile_pitch(source)
    queue = e.load_queue if source.storage.shared is not None else e.store_queue
    places, rows, width = (e.home(source), e.home(result)), source.height, source.width
    if layer.operator == RESHAPE:  # all pixels as one row
        rows, width = 1, rows * width
    moved = copy(*places, 0, rows, width, pixel, queue, layer.index)
    e.step.jobs.append(moved)
    e.flush(layer)
