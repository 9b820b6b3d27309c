"""The primitive arithmetic of docs/numerics.md, shared by the reference interpreter, the lowering and the simulator.

Only what one vector lane does is here: rounding, saturation, table look-up, and the constants they need. Everything is
IEEE-754 binary32 with round to nearest even; constants are computed in binary64 and rounded once.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]
I32 = NDArray[np.int32]
I8 = NDArray[np.int8]

INT8_MIN, INT8_MAX = -128, 127

LANES = 64
"""Channels that the vector unit takes at a time. A softmax pads its channels to a multiple of it."""


def multiplier(input_scale: F64 | F32 | float, weight_scale: F64 | F32 | float = 1.0, factor: float = 1.0) -> F32:
    """The real value of one accumulator unit: input scale times weight scale, times a factor, rounded to binary32."""
    product = np.float64(input_scale) * np.asarray(weight_scale, np.float64)
    return np.asarray(product * np.float64(factor)).astype(np.float32)


def reciprocal(value: F64 | F32 | float) -> F32:
    """1 / value, rounded once to binary32; the requantization factor of an output scale."""
    return np.asarray(1.0 / np.asarray(value, np.float64)).astype(np.float32)


def dequantize(stored: NDArray[np.integer], scale: F32, zero_point: I32) -> F32:
    """(stored - zero_point) * scale: exact integer difference, one binary32 product."""
    return (stored.astype(np.int32) - zero_point).astype(np.float32) * scale


def quantize(value: F32, inverse_scale: F32, zero_point: I32, lower: int = INT8_MIN, upper: int = INT8_MAX) -> I8:
    """saturate(round_half_even(value * inverse_scale) + zero_point), clamped to [lower, upper]; operands broadcast.

    The clamp is applied to the rounded float before the conversion, so that no conversion can overflow.
    """
    scaled = value * inverse_scale
    np.rint(scaled, out=scaled)
    offset = np.asarray(zero_point, np.float32)
    np.clip(scaled, np.float32(lower) - offset, np.float32(upper) - offset, out=scaled)
    scaled += offset
    return scaled.astype(np.int8)


@dataclass(frozen=True)
class Table:
    """A piecewise linear function: `bins` equal bins of width 1/`per_unit` from `start`, and one bin at each end.

    y = intercept[i] + slope[i] * x with i = 1 + clamp(floor((x - start) * per_unit), -1, bins); the difference, both
    products and the sum each round to binary32. Rounding can take a neighbouring bin near an edge, where both chords
    meet.
    """

    name: str
    start: float
    per_unit: float
    bins: int
    intercept: F32
    slope: F32
    error: float  # greatest distance to the function over all reals, before rounding to binary32

    def __call__(self, x: F32) -> F32:
        position = (x - np.float32(self.start)) * np.float32(self.per_unit)
        np.floor(position, out=position)
        np.clip(position, np.float32(-1), np.float32(self.bins), out=position)
        index = position.astype(np.int32)
        index += 1
        return self.slope[index] * x + self.intercept[index]


START, PER_UNIT, BINS = -16.0, 32.0, 1024


def _sigmoid(x: F64) -> F64:
    return 0.5 * (1.0 + np.tanh(0.5 * x))


def _erf(x: F64) -> F64:
    return np.vectorize(math.erf, otypes=[np.float64])(x)


def _gelu_tanh(x: F64) -> F64:
    return 0.5 * x * (1.0 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))


def _softplus(x: F64) -> F64:
    return np.maximum(x, 0.0) + np.log1p(np.exp(-np.abs(x)))


FUNCTIONS: dict[str, tuple[Callable[[F64], F64], tuple[float, float], tuple[float, float]]] = {
    # name: function, (intercept, slope) left of the bins, the same right of them
    "sigmoid": (_sigmoid, (0.0, 0.0), (1.0, 0.0)),
    "tanh": (lambda x: np.tanh(x), (-1.0, 0.0), (1.0, 0.0)),
    "silu": (lambda x: x * _sigmoid(x), (0.0, 0.0), (0.0, 1.0)),
    "gelu": (lambda x: 0.5 * x * (1.0 + _erf(x * math.sqrt(0.5))), (0.0, 0.0), (0.0, 1.0)),
    "gelu_tanh": (_gelu_tanh, (0.0, 0.0), (0.0, 1.0)),
    "hard_swish": (lambda x: x * np.clip(x / 6 + 0.5, 0, 1), (0.0, 0.0), (0.0, 1.0)),
    "elu": (lambda x: np.where(x < 0, np.expm1(np.minimum(x, 0.0)), x), (-1.0, 0.0), (0.0, 1.0)),
    "erf": (_erf, (-1.0, 0.0), (1.0, 0.0)),
    "mish": (lambda x: x * np.tanh(_softplus(x)), (0.0, 0.0), (0.0, 1.0)),
    "softplus": (_softplus, (0.0, 0.0), (0.0, 1.0)),
}


@cache
def table(name: str, a: float = 1.0, b: float = 0.0, c: float = 1.0, d: float = 0.0) -> Table:
    """The table of c * f(a * x + b) + d, for a function f in `FUNCTIONS` and a that is not 0.

    Chords between bin edges, computed in binary64, rounded once. The bins are where the argument of f is in the bins
    of f's own table, so that the error is |c| times as large as that table's. Constants are rounded to binary32 first.
    """
    function, low, high = FUNCTIONS[name]
    a, b, c, d = (float(np.float32(number)) for number in (a, b, c, d))
    start = float(np.float32(((START if a > 0 else -START) - b) / a))
    per_unit = float(np.float32(PER_UNIT * abs(a)))

    def composed(x: F64) -> F64:
        return c * function(a * x + b) + d

    def line(end: tuple[float, float]) -> tuple[float, float]:
        """Intercept and slope of c * (i + s * (a * x + b)) + d."""
        return c * (end[0] + end[1] * b) + d, c * end[1] * a

    return _chords(name, composed, start, per_unit, line(low if a > 0 else high), line(high if a > 0 else low))


def reciprocal_root(spread: NDArray[np.int64], epsilon: np.float32) -> F32:
    """1 / sqrt(spread + epsilon) of exact integers; conversion, sum, root and division each round to binary32."""
    root: F32 = np.sqrt(spread.astype(np.float32) + epsilon)
    return np.divide(np.float32(1), root, dtype=np.float32)


@cache
def exponential() -> Table:
    """exp(x) for x <= 0, as a softmax needs it: 1024 bins from -16 to 0, 0 left of them, and 1 from 0 on."""
    return _chords("exp", np.exp, -16.0, 64.0, (0.0, 0.0), (1.0, 0.0))


def _chords(
    name: str,
    function: Callable[[F64], F64],
    start: float,
    per_unit: float,
    left: tuple[float, float],
    right: tuple[float, float],
) -> Table:
    """The chords of a function over `BINS` bins, and the lines (intercept, slope) on both sides of them."""
    edges = start + np.arange(BINS + 1, dtype=np.float64) / per_unit
    values = function(edges)
    slope = np.diff(values) * per_unit
    intercept = values[:-1] - slope * edges[:-1]
    inside = (edges[:-1, None] + np.linspace(0, 1, 17)[None, :] / per_unit).ravel()
    chord = np.repeat(intercept, 17) + np.repeat(slope, 17) * inside
    ends = max(abs(left[0] + left[1] * edges[0] - values[0]), abs(right[0] + right[1] * edges[-1] - values[-1]))
    return Table(
        name, start, per_unit, BINS,
        np.concatenate(([left[0]], intercept, [right[0]])).astype(np.float32),
        np.concatenate(([left[1]], slope, [right[1]])).astype(np.float32),
        float(max(np.abs(chord - function(inside)).max(), ends)),
    )  # fmt: skip
