"""What attention takes beside convolutions: products of two activations, and normalization; docs/numerics.md.

Everything here works on one frame [C, H, W].
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from axir import numerics
from axir.numerics import F32, I8, I32


def head_products(x: NDArray[np.float64], other: NDArray[np.float64], heads: int, transpose: bool) -> I32:
    """Exact accumulators of `axq.matmul` for centred inputs.

    Products are below 2**31 in sum, binary64 holds all integers below 2**53: nothing rounds.
    """
    pixels = other.shape[1] * other.shape[2]
    if transpose:
        by_head = x.reshape(heads, -1, x.shape[1] * x.shape[2])
        sums = other.reshape(heads, -1, pixels).transpose(0, 2, 1) @ by_head
        shape = (pixels, heads * x.shape[1], x.shape[2])
        return sums.transpose(1, 0, 2).reshape(shape).astype(np.int32)
    rows, columns = x.shape[1] // heads, x.shape[2]
    by_head = x.reshape(pixels, heads, rows * columns).transpose(1, 0, 2)
    sums = other.reshape(heads, -1, pixels) @ by_head
    return sums.reshape(len(other), rows, columns).astype(np.int32)


class Normalization:
    """`axq.normalize` up to its store: integers from which the zero point is taken, to values."""

    def __init__(self, factor: F32, summand: F32, group: int, spatial: bool, epsilon: np.float32):
        self.factor, self.summand = factor.reshape(-1, 1, 1), summand.reshape(-1, 1, 1)
        self.group, self.spatial, self.epsilon = group, spatial, epsilon

    def __call__(self, x: I32) -> F32:
        grouped = x.astype(np.int64).reshape(-1, self.group, *x.shape[1:])
        axes = (1, 2, 3) if self.spatial else (1,)
        count = np.int64(self.group * (x.shape[1] * x.shape[2] if self.spatial else 1))
        total = grouped.sum(axis=axes, keepdims=True)
        spread = count * np.square(grouped).sum(axis=axes, keepdims=True) - np.square(total)
        value = (count * grouped - total).astype(np.float32) * numerics.reciprocal_root(spread, self.epsilon)
        value = value.reshape(x.shape)
        value *= self.factor
        value += self.summand
        return value


def centred(x: I8, zero: I32) -> NDArray[np.float64]:
    """x - zero, in binary64."""
    return x.astype(np.float64) - float(zero)
