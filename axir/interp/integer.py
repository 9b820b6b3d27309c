"""Exact int32 accumulators of convolutions and pools, computed with NumPy on whole arrays.

Everything here works on one frame [C, H, W] of centred inputs x - zero_point, |x - zero_point| <= 255.

Why float32 products are exact: every partial sum of w * x, in whatever order and with or without fused multiply-add, is
an integer of magnitude at most sum |w| * 255. Below 2**24 all integers are binary32 numbers, so no step rounds. Rows of
a matrix are therefore multiplied in blocks small enough for that bound, and blocks are added in int32; a block of 512
rows always fits, because 512 * 128 * 255 < 2**24.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, TypeVar

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

F32 = NDArray[np.float32]
I32 = NDArray[np.int32]
I8 = NDArray[np.int8]
Stored = TypeVar("Stored", np.float32, np.int32, np.int8)
Number = TypeVar("Number", bound=np.number[Any])

EXACT = 1 << 24
MAX_INPUT = 255
STRIP = 1 << 21
"""Elements of a column matrix that are made at a time, so that it stays near the caches."""


@dataclass(frozen=True)
class Window:
    """A sliding window: kernel, strides and dilations [height, width], pads [top, left, bottom, right]."""

    kernel: tuple[int, int]
    strides: tuple[int, int]
    pads: tuple[int, int, int, int]
    dilations: tuple[int, int] = (1, 1)

    @staticmethod
    def of(kernel: Sequence[int], strides: Sequence[int], pads: Sequence[int], dilations: Sequence[int]) -> Window:
        top, left, bottom, right = pads
        return Window(
            (kernel[0], kernel[1]), (strides[0], strides[1]), (top, left, bottom, right), (dilations[0], dilations[1])
        )

    def outputs(self, height: int, width: int) -> tuple[int, int]:
        """Output rows and columns over an unpadded input."""
        spans = (height + self.pads[0] + self.pads[2], width + self.pads[1] + self.pads[3])
        rows, columns = (
            (span - dilation * (kernel - 1) - 1) // stride + 1
            for span, kernel, stride, dilation in zip(spans, self.kernel, self.strides, self.dilations, strict=True)
        )
        return rows, columns

    def steps(self, axis: int, outputs: int) -> Iterator[slice]:
        """For each kernel position along `axis` (0 height, 1 width): the padded inputs it meets, one an output."""
        stride, dilation = self.strides[axis], self.dilations[axis]
        for tap in range(self.kernel[axis]):
            start = tap * dilation
            yield slice(start, start + stride * (outputs - 1) + 1, stride)


def pad(x: NDArray[Stored], window: Window, value: int = 0) -> NDArray[Stored]:
    """`x` [C, H, W] with the window's padding around it, filled with `value`."""
    top, left, bottom, right = window.pads
    if not any(window.pads):
        return x
    channels, height, width = x.shape
    padded = np.full((channels, top + height + bottom, left + width + right), value, x.dtype)
    padded[:, top : top + height, left : left + width] = x
    return padded


def weight_rows(weight: NDArray[Number], group: int, transposed: bool) -> NDArray[Number]:
    """The weights that each output channel sums over, [O, K].

    `weight` is [O, C/group, KH, KW] or, for a transposed convolution, [C, O/group, KH, KW].
    """
    if not transposed:
        return weight.reshape(weight.shape[0], -1)
    grouped = weight.reshape(group, weight.shape[0] // group, *weight.shape[1:])
    return grouped.transpose(0, 2, 1, 3, 4).reshape(group * weight.shape[1], -1)


def accumulator_bound(rows: I8, bias: I32) -> NDArray[np.int64]:
    """What an accumulator's magnitude can reach, one number an output channel, from weight rows [O, K] and bias [O]."""
    return np.abs(rows.astype(np.int64)).sum(axis=1) * MAX_INPUT + np.abs(bias.astype(np.int64))


class Product:
    """Exact int32 products of an int8 matrix [G, O, K], prepared once, with float32 matrices [G, K, P]."""

    def __init__(self, weight: I8):
        self.rows = weight.shape[2]
        magnitude = np.abs(weight.astype(np.int32)).reshape(-1, self.rows)
        count = 1
        while True:
            edges = [self.rows * block // count for block in range(count + 1)]
            if int(np.add.reduceat(magnitude, edges[:-1], axis=1).max()) * MAX_INPUT < EXACT:
                break
            count += 1
        blocks = [slice(start, end) for start, end in pairwise(edges)]
        self.blocks = [(block, weight[:, :, block].astype(np.float32)) for block in blocks]

    def __call__(self, x: F32) -> I32:
        (first, weight), *others = self.blocks
        total = np.matmul(weight, x[:, first]).astype(np.int32)
        for block, weight in others:
            total += np.matmul(weight, x[:, block]).astype(np.int32)
        return total


class Convolution:
    """Convolution with an int8 weight [O, C/group, KH, KW]: centred inputs [C, H, W] to accumulators [O, OH, OW]."""

    def __init__(self, weight: I8, window: Window, group: int):
        outputs, inputs, *_ = weight.shape
        self.window = window
        self.group = group
        self.product = Product(weight.reshape(group, outputs // group, -1))
        self.pointwise = window.kernel == (1, 1) and window.strides == (1, 1)
        self.inputs = inputs

    def __call__(self, x: F32) -> I32:
        window = self.window
        rows, columns = window.outputs(*x.shape[1:])
        padded = pad(x, window)
        if self.pointwise:
            return self.product(padded.reshape(self.group, self.inputs, -1)).reshape(-1, rows, columns)
        extent = [(k - 1) * d + 1 for k, d in zip(window.kernel, window.dilations, strict=True)]
        views = sliding_window_view(padded, extent, axis=(1, 2))
        views = views[:, :: window.strides[0], :: window.strides[1], :: window.dilations[0], :: window.dilations[1]]
        views = views.transpose(0, 3, 4, 1, 2)
        depth = self.group * self.product.rows
        strip = max(1, STRIP // (depth * columns))
        strips = [
            self.product(views[..., row : row + strip, :].reshape(self.group, self.product.rows, -1))
            for row in range(0, rows, strip)
        ]
        flat = strips[0] if len(strips) == 1 else np.concatenate(strips, axis=2)
        return flat.reshape(-1, rows, columns)


class Depthwise:
    """Convolution with group = C and weight [O, 1, KH, KW]: a sum over kernel taps of whole planes."""

    def __init__(self, weight: I8, window: Window, group: int):
        self.window = window
        taps = weight.shape[2] * weight.shape[3]
        # One float32 sum is exact under the same bound as a matrix row; larger kernels add up in int32.
        exact = int(np.abs(weight.astype(np.int32)).sum(axis=(1, 2, 3)).max()) * MAX_INPUT < EXACT
        self.dtype = np.dtype(np.float32 if exact else np.int32)
        self.weight = weight.reshape(group, -1, taps).transpose(2, 0, 1)[..., None, None].astype(self.dtype)

    def __call__(self, x: F32) -> I32:
        rows, columns = self.window.outputs(*x.shape[1:])
        padded = pad(x, self.window).astype(self.dtype, copy=False)[:, None]
        shape = (*self.weight.shape[1:3], rows, columns)
        total, term = np.zeros(shape, self.dtype), np.empty(shape, self.dtype)
        steps = ((h, w) for h in self.window.steps(0, rows) for w in self.window.steps(1, columns))
        for weight, (h, w) in zip(self.weight, steps, strict=True):
            np.multiply(padded[:, :, h, w], weight, out=term)
            total += term
        return total.reshape(-1, rows, columns).astype(np.int32, copy=False)


class TransposedConvolution:
    """Transposed convolution with an int8 weight [C, O/group, KH, KW]: every input adds a kernel to the output."""

    def __init__(self, weight: I8, window: Window, group: int, output_padding: tuple[int, int]):
        inputs, self.outputs, *_ = weight.shape
        self.window = window
        self.group = group
        self.output_padding = output_padding
        grouped = weight.reshape(group, inputs // group, -1)
        self.product = Product(np.ascontiguousarray(grouped.transpose(0, 2, 1)))

    def __call__(self, x: F32) -> I32:
        window = self.window
        _, height, width = x.shape
        parts = self.product(x.reshape(self.group, -1, height * width))
        parts = parts.reshape(self.group * self.outputs, *window.kernel, height, width)
        size = [
            stride * (count - 1) + dilation * (kernel - 1) + 1 + extra
            for stride, count, dilation, kernel, extra in zip(
                window.strides, (height, width), window.dilations, window.kernel, self.output_padding, strict=True
            )
        ]
        total = np.zeros((len(parts), *size), np.int32)
        for row, h in enumerate(window.steps(0, height)):
            for column, w in enumerate(window.steps(1, width)):
                total[:, h, w] += parts[:, row, column]
        top, left, bottom, right = window.pads
        return total[:, top : size[0] - bottom, left : size[1] - right]


def window_max(x: I8, window: Window) -> I8:
    """Greatest byte among the taps inside the input; every window has one."""
    return _separable(np.maximum, pad(x, window, value=-128), window, window.outputs(*x.shape[1:]))


def window_sum(x: I32, window: Window) -> I32:
    """Sum of every window; padding adds nothing."""
    return _separable(np.add, pad(x, window), window, window.outputs(*x.shape[1:]))


def taps_inside(height: int, width: int, window: Window) -> I32:
    """How many taps of each output's window lie inside the input: [OH, OW]."""
    return window_sum(np.ones((1, height, width), np.int32), window)[0]


def _separable(reduce: np.ufunc, padded: NDArray[Stored], window: Window, outputs: tuple[int, int]) -> NDArray[Stored]:
    """Reduce windows along the height, then along the width."""
    first, *others = window.steps(0, outputs[0])
    rows = padded[:, first].copy()
    for step in others:
        reduce(rows, padded[:, step], out=rows)
    first, *others = window.steps(1, outputs[1])
    result = rows[:, :, first].copy()
    for step in others:
        reduce(result, rows[:, :, step], out=result)
    return result
