"""Emission: a placed and tiled network as steps of jobs, in an order in which they could run one after the other."""

from __future__ import annotations

from axir.passes.lowering.emission import Emission, EmitOptions, Emitted
from axir.passes.lowering.emit_array import ArrayEmitter
from axir.passes.lowering.emit_window import WindowEmitter
from axir.passes.lowering.jobs import copy
from axir.passes.lowering.network import Layer, Network
from axir.passes.lowering.placement import Placement
from axir.passes.lowering.tiling import tile_pitch
from axir.target.description import Target


def emit(network: Network, placement: Placement, l2_budget: int, options: EmitOptions, target: Target) -> Emitted:
    """Emit every layer in order."""
    emission = Emission(network, l2_budget, options, target)
    array, window = ArrayEmitter(emission), WindowEmitter(emission)
    for layer in network.layers:
        emission.begin(layer)
        if layer.work is None:
            _copy(emission, layer)
        elif isinstance(layer.work, list):
            array.emit(layer, layer.work, placement.tilings[layer.index])
        else:
            window.emit(layer, layer.work, placement.tilings[layer.index])
        emission.end(layer)
    return emission.emitted


def _copy(emission: Emission, layer: Layer) -> None:
    """Bytes that only move: one copy from where they are to where they go."""
    source, result, e = layer.input, layer.output, emission
    pixel = tile_pitch(source)
    moved = copy(e.home(source), e.home(result), 0, source.height, source.width, pixel, e.store_queue, layer.index)
    e.step.jobs.append(moved)
    e.flush(layer)
