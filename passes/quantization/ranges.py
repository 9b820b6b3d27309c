"""From statistics to scale and zero point."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from axir import numerics
from axir.dialects.axq import QuantType

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]
I32 = NDArray[np.int32]
I64 = NDArray[np.int64]

STEPS = numerics.INT8_MAX - numerics.INT8_MIN
SMALLEST_SPAN = 2.0**-20
"""A narrower range (a tensor that is zero) is widened to this, so that scales and products of scales stay normal."""


@dataclass(frozen=True)
class Range:
    """The real values that a tensor's bytes have to reach; it always holds zero."""

    low: float
    high: float

    @staticmethod
    def of(low: float, high: float) -> Range:
        return Range(min(low, 0.0), max(high, 0.0))

    def union(self, other: Range) -> Range:
        return Range(min(self.low, other.low), max(self.high, other.high))

    def quant_type(self) -> QuantType:
        scale, zero_point = parameters(np.asarray(self.low), np.asarray(self.high))
        return QuantType.per_tensor(float(scale), int(zero_point))

    def centred_type(self) -> QuantType:
        """With the zero point 0: as many steps above zero as below."""
        reach = max(-self.low, self.high, SMALLEST_SPAN / 2)
        return QuantType.per_tensor(float(np.float32(reach / numerics.INT8_MAX)), 0)


PROBABILITIES = Range(0.0, 255 / 256)
"""Of a softmax that the graph returns, whatever calibration saw: scale 1/256, zero point -128."""


def parameters(low: F64, high: F64) -> tuple[F32, I32]:
    """Scale and zero point with which 256 steps reach from `low` to `high`, elementwise; low <= 0 <= high.

    scale = f32((high - low) / 255), zero_point = round(-128 - low / scale): real zero is a stored value exactly, so
    both ends may move by half a step.
    """
    span = np.maximum(high - low, SMALLEST_SPAN)
    scale = (span / STEPS).astype(np.float32)
    zero_point = np.rint(numerics.INT8_MIN - low / scale.astype(np.float64))
    return scale, np.clip(zero_point, numerics.INT8_MIN, numerics.INT8_MAX).astype(np.int32)


def least_error_range(counts: F64 | I64, minimum: float, maximum: float, *, clip_weight: float = 1.0) -> Range:
    """The range, holding zero and within the extremes, that quantizes a histogram with the least squared error.

    `counts` are over equal bins from `minimum` to `maximum`. A value outside the range [low, high] is off by its
    distance to it, one inside by step**2 / 12 on average, step = (high - low) / 255. The values in zero's bin count as
    exact: they are a ReLU's zeros or much smaller than a step. Candidates are edges of bins, denser near zero.
    The errors of clipped values count `clip_weight` times.
    """
    bins = len(counts)
    if minimum == maximum:
        return Range.of(minimum, maximum)
    edges = np.linspace(minimum, maximum, bins + 1)
    zero = int(np.clip(np.searchsorted(edges, 0.0, side="right") - 1, 0, bins - 1))
    lows = zero - _spread(zero + 1) if minimum < 0 else np.array([0])
    highs = zero + 1 + _spread(bins - zero) if maximum > 0 else np.array([bins])
    low, high = np.minimum(edges[lows], 0.0), np.maximum(edges[highs], 0.0)

    centres = (edges[:-1] + edges[1:]) / 2
    weights = counts.astype(np.float64)
    # moments[p][i]: sum over the bins before edge i of count * centre**p. Clipping to v costs m2 - 2 v m1 + v**2 m0.
    moments = np.stack([_prefix(weights * centres**power) for power in range(3)])
    below = moments[:, lows]
    above = moments[:, -1:] - moments[:, highs]
    clipped_low = below[2] - 2 * low * below[1] + low**2 * below[0]
    clipped_high = above[2] - 2 * high * above[1] + high**2 * above[0]

    if minimum <= 0 <= maximum:
        weights[zero] = 0
    inside = _prefix(weights)
    step = (high[None, :] - low[:, None]) / STEPS
    rounding = step**2 / 12 * (inside[highs][None, :] - inside[lows][:, None])
    error = clip_weight * (clipped_low[:, None] + clipped_high[None, :]) + rounding
    best_low, best_high = np.unravel_index(np.argmin(error), error.shape)
    return Range(float(low[best_low]), float(high[best_high]))


def _spread(count: int) -> NDArray[np.intp]:
    """At most 256 distances from 0 to count - 1, both included: some equally spaced, some growing for long tails."""
    equal, growing = np.linspace(0, count - 1, 128), np.geomspace(1, count, 128) - 1
    return np.unique(np.concatenate([equal, growing]).astype(np.intp))


def _prefix(values: F64) -> F64:
    """Sums of the first 0, 1, ... values."""
    return np.concatenate(([0.0], np.cumsum(values)))
