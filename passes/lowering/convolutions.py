"""Grouped and transposed convolutions as the dense ones that the matrix array computes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from axir.passes.lowering.array_map import Geometry

I8Array = NDArray[np.int8]


@dataclass
class Phase:
    """One dense convolution of a layer: its outputs go to every `steps`-th pixel from `offset` on."""

    geometry: Geometry
    weights: I8Array  # [O, C, KH, KW]
    offset: tuple[int, int] = (0, 0)
    steps: tuple[int, int] = (1, 1)
    pad: int = 0  # stored value of real zero in the input
    bias: NDArray[np.int32] | None = None  # its own, where phases see different taps and so different zero points


def transposed_phases(
    weights: I8Array, strides: Sequence[int], pads: Sequence[int], dilations: Sequence[int], size: Sequence[int]
) -> list[Phase]:
    """Phases of a transposed convolution, `weights` [O, C, KH, KW].

    Output y takes input row iy through tap k where iy * stride + k * dilation = y + pad. For y = stride * m + phase the
    taps with (phase + pad - k * dilation) divisible by the stride contribute, each at iy = m + (phase + pad -
    k * dilation) / stride; in ascending iy they are an ordinary convolution over m with stride 1.
    """
    axes: list[list[tuple[int, list[int], int, int, int]]] = []
    for axis in (0, 1):
        stride, dilation, pad, taps = strides[axis], dilations[axis], pads[axis], weights.shape[2 + axis]
        phases: list[tuple[int, list[int], int, int, int]] = []
        for phase in range(min(stride, size[axis])):
            chosen = [k for k in range(taps) if (phase + pad - k * dilation) % stride == 0][::-1]
            rows = [(phase + pad - k * dilation) // stride for k in chosen]
            step = rows[1] - rows[0] if len(rows) > 1 else 1
            origin = rows[0] if rows else 0
            phases.append((phase, chosen, origin, step, -(-(size[axis] - phase) // stride)))
        axes.append(phases)
    result: list[Phase] = []
    for row, rows, y0, y_step, height in axes[0]:
        for column, columns, x0, x_step, width in axes[1]:
            picked = weights[:, :, rows][:, :, :, columns]
            if not picked.size:
                picked = np.zeros((*weights.shape[:2], 1, 1), np.int8)
            geometry = Geometry(_spatial(picked), (1, 1), (y_step, x_step), (y0, x0), height, width)
            result.append(Phase(geometry, picked, (row, column), (strides[0], strides[1])))
    return result


def _spatial(weights: I8Array) -> tuple[int, int]:
    _, _, height, width = weights.shape
    return height, width


def ungroup(weights: I8Array, group: int, channels: int) -> I8Array:
    """Grouped weights [O, C/group, ...] as a block diagonal [O, C, ...]."""
    if group == 1:
        return weights
    out, inner = weights.shape[0] // group, weights.shape[1]
    dense = np.zeros((weights.shape[0], channels, *weights.shape[2:]), np.int8)
    for g in range(group):
        dense[g * out : (g + 1) * out, g * inner : (g + 1) * inner] = weights[g * out : (g + 1) * out]
    return dense


def swap_groups(weights: I8Array, group: int) -> I8Array:
    """Transposed-convolution weights [C, O/group, ...] as [O, C/group, ...]."""
    channels, out = weights.shape[:2]
    split = weights.reshape((group, channels // group, out, *weights.shape[2:]))
    return split.transpose(0, 2, 1, 3, 4).reshape(group * out, channels // group, *weights.shape[2:])
