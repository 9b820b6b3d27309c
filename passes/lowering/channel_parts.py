"""Convolutions as several layers where most weights between channels are zero, as those between groups are.

Each part makes pwords of the output from those pwords of the input that they need: zeros are neither stored nor loaded.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from axir.passes.lowering.convolutions import Phase
from axir.passes.lowering.network import Layer
from axir.passes.lowering.tensors import Tensor, align, dense
from axir.target.isa import PWORD


def channel_parts(layer: Layer) -> list[Layer]:
    """A layer in parts; itself, where they would keep more than half of the weights.

    Only convolutions of the array have parts, whose channels are side by side.
    """
    tensors = (layer.input, layer.output, *layer.extras)
    if not isinstance(layer.work, list) or layer.input.blocks == 1 or layer.output.blocks == 1:
        return [layer]
    if any(tensor.sub_word or tensor.runs != dense(tensor.channels) for tensor in tensors):
        return [layer]
    needed = _needed(layer.work)
    shares = [(read, list(blocks)) for read, blocks in groupby(range(len(needed)), needed.__getitem__)]
    if 2 * sum((high - low) * len(blocks) for (low, high), blocks in shares) > layer.input.blocks * layer.output.blocks:
        return [layer]
    return [
        _part(
            layer,
            slice(low * PWORD, min(high * PWORD, layer.input.channels)),
            slice(blocks[0] * PWORD, min((blocks[-1] + 1) * PWORD, layer.output.channels)),
        )
        for (low, high), blocks in shares
    ]


def _needed(phases: Sequence[Phase]) -> list[tuple[int, int]]:
    """Of every pword of the output, the pwords [low, high) of the input between which all its weights are not zero."""
    used = np.sum([np.count_nonzero(phase.weights, axis=(2, 3)) for phase in phases], axis=0)
    outputs, inputs = used.shape
    whole = np.pad(used, ((0, align(outputs) - outputs), (0, align(inputs) - inputs)))
    blocks: NDArray[np.int64] = whole.reshape(-1, PWORD, whole.shape[1] // PWORD, PWORD).sum(axis=(1, 3))
    found: list[tuple[int, int]] = []
    for block in range(len(blocks)):
        places: NDArray[np.intp] = np.flatnonzero(blocks[block])
        found.append((int(places[0]), int(places[-1]) + 1) if places.size else (0, 1))
    return found


def _part(layer: Layer, read: slice, made: slice) -> Layer:
    """The layer for some output channels, which come from some input channels."""
    assert isinstance(layer.work, list)
    count, channels = made.stop - made.start, layer.output.channels

    def phase(whole: Phase) -> Phase:
        bias = None if whole.bias is None else whole.bias[made]
        return replace(whole, weights=np.ascontiguousarray(whole.weights[made, read]), bias=bias)

    return replace(
        layer,
        input=_channels(layer.input, read),
        output=_channels(layer.output, made),
        extras=[_channels(extra, made) for extra in layer.extras],
        code=replace(layer.code, vectors=[vector[made] for vector in layer.code.vectors]),
        work=[phase(whole) for whole in layer.work],
        macs=layer.macs * count // channels,
        weight_bytes=layer.weight_bytes * count // channels,
    )


def _channels(tensor: Tensor, cut: slice) -> Tensor:
    """Channels of a tensor that begin on a pword."""
    runs = dense(cut.stop - cut.start)
    return replace(tensor, channels=cut.stop - cut.start, runs=runs, offset=tensor.offset + cut.start)
