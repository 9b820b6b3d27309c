"""Convolution and pooling over NCHW arrays, vectorized; loops run over kernel taps and groups only."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from axir.dialects import shapes

Array = NDArray[Any]


def padded(x: Array, pads: Sequence[int], value: float) -> Array:
    """`pads`: [top, left, bottom, right]."""
    if not any(pads):
        return x
    return np.pad(x, ((0, 0), (0, 0), (pads[0], pads[2]), (pads[1], pads[3])), constant_values=value)


def conv(
    x: Array,
    weight: Array,
    strides: Sequence[int],
    pads: Sequence[int],
    dilations: Sequence[int],
    group: int,
) -> Array:
    """Convolution of [N, C, H, W] with [O, C/group, KH, KW], without bias."""
    outputs, depth, *kernel = weight.shape
    x = padded(x, pads, 0.0)
    if depth == 1 and outputs == group:
        return _depthwise(x, weight, strides, dilations)
    taps = _taps(x, kernel, strides, dilations)
    n, _, height, width = taps.shape[:4]
    rows = taps.transpose(0, 1, 4, 5, 2, 3).reshape(n, group, depth * kernel[0] * kernel[1], height * width)
    result = np.matmul(weight.reshape(group, outputs // group, -1), rows)
    return result.reshape(n, outputs, height, width)


def _taps(x: Array, kernel: Sequence[int], strides: Sequence[int], dilations: Sequence[int]) -> Array:
    """The window of every output, as a view [N, C, OH, OW, KH, KW] of the padded input."""
    extent = tuple(dilation * (size - 1) + 1 for size, dilation in zip(kernel, dilations, strict=True))
    windows = sliding_window_view(x, extent, axis=(2, 3))
    return windows[:, :, :: strides[0], :: strides[1], :: dilations[0], :: dilations[1]]


def _depthwise(x: Array, weight: Array, strides: Sequence[int], dilations: Sequence[int]) -> Array:
    taps = _taps(x, weight.shape[2:], strides, dilations)
    result = np.zeros(taps.shape[:4], x.dtype)
    for row, column in np.ndindex(*weight.shape[2:]):
        result += taps[..., row, column] * weight[:, 0, row, column, None, None]
    return result


def conv_transpose(
    x: Array,
    weight: Array,
    strides: Sequence[int],
    pads: Sequence[int],
    output_padding: Sequence[int],
    dilations: Sequence[int],
    group: int,
) -> Array:
    """Transposed convolution of [N, C, H, W] with [C, O/group, KH, KW], without bias."""
    n, channels, height, width = x.shape
    kernel = weight.shape[2:]
    _, outputs, *size = shapes.conv_transpose(x.shape, weight.shape, strides, pads, output_padding, dilations, group)
    columns = weight.reshape(group, channels // group, -1).transpose(0, 2, 1)
    spread = np.matmul(columns, x.reshape(n, group, channels // group, height * width))
    spread = spread.reshape(n, outputs, *kernel, height, width)
    # Everything before cropping; output padding may lie beyond what any tap reaches.
    full = np.zeros((n, outputs, pads[0] + size[0] + pads[2], pads[1] + size[1] + pads[3]), x.dtype)
    for row, column in np.ndindex(*kernel):
        top, left = row * dilations[0], column * dilations[1]
        bottom, right = top + strides[0] * (height - 1) + 1, left + strides[1] * (width - 1) + 1
        full[:, :, top : bottom : strides[0], left : right : strides[1]] += spread[:, :, row, column]
    return full[:, :, pads[0] : pads[0] + size[0], pads[1] : pads[1] + size[1]]


def max_pool(
    x: Array, kernel: Sequence[int], strides: Sequence[int], pads: Sequence[int], dilations: Sequence[int]
) -> Array:
    taps = _taps(padded(x, pads, -np.inf), kernel, strides, dilations)
    return _over_taps(np.maximum, taps)


def avg_pool(
    x: Array,
    kernel: Sequence[int],
    strides: Sequence[int],
    pads: Sequence[int],
    dilations: Sequence[int],
    count_include_pad: bool,
) -> Array:
    total = _over_taps(np.add, _taps(padded(x, pads, 0.0), kernel, strides, dilations))
    if count_include_pad or not any(pads):
        return total / np.float32(kernel[0] * kernel[1])
    inside = padded(np.ones((1, 1, *x.shape[2:]), x.dtype), pads, 0.0)
    return total / _over_taps(np.add, _taps(inside, kernel, strides, dilations))


def _over_taps(combine: np.ufunc, taps: Array) -> Array:
    """Reduce the taps of each window; one at a time, which NumPy does faster than over two short axes."""
    result = taps[..., 0, 0].copy()
    for row, column in np.ndindex(*taps.shape[-2:]):
        if row or column:
            combine(result, taps[..., row, column], out=result)
    return result
