"""Ranges by other rules than the least squared error, of several tensors together, and scales of weights."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from axir.passes.quantization.ranges import Range, least_error_range

F64 = NDArray[np.float64]

LEVELS = 255
"""Levels of a quantized distribution: the steps between the extremes of a byte."""

SHARES = np.linspace(1.0, 0.5, 51)
"""Candidates of the entropy rule, as shares of the extremes; the widest comes first, and wins where all are equal."""

PERCENTILE = 99.99
"""Percent of a tensor's values, counted from the other end, that the percentile rule keeps inside at either end."""

CLIP_WEIGHT = 0.7
"""Rounding disturbs all values of a tensor alike, clipping a few large ones, which the layers behind it saturate or
average away. Measured were 0.2, 0.5 and 0.7 on nine trained networks of bench/tasks.py with the hybrid scheme: mean
SQNR at the outputs 22.4, 22.6 and 22.6 dB, mean agreement with the float networks 96.1, 96.2 and 96.4 %. PP-OCR's
classifier is best with 0.2, its detector, YuNet and the portraits with 0.7."""

WEIGHT_SHARES = np.linspace(1.0, 0.6, 41)
"""Candidates for the range of a channel's weights, as shares of the greatest."""

RangeRule = Callable[[F64, float, float], Range]
"""(counts over equal bins, minimum, maximum) -> the range."""


class Histogram(NamedTuple):
    """Counts over equal bins from `minimum` to `maximum`."""

    counts: F64
    minimum: float
    maximum: float


def joined(histograms: Sequence[Histogram]) -> Histogram:
    """One histogram of tensors that share a range, each weighed by the inverse of its sum of squares.

    So an error counts as a share of its own tensor's signal: a tensor of small values that is joined to one of large
    values keeps its say. Every bin's count goes to the bin of the result that holds its centre; a bin that begins with
    zero, where the zeros of a ReLU are, goes to the one that holds zero.
    """
    if len(histograms) == 1:
        return histograms[0]
    low, high = min(h.minimum for h in histograms), max(h.maximum for h in histograms)
    bins = max(len(h.counts) for h in histograms)
    total = np.zeros(bins)
    for counts, minimum, maximum in histograms:
        width = (maximum - minimum) / len(counts)
        edges = minimum + width * np.arange(len(counts))
        centres = edges + width / 2
        signal = float((counts * np.square(centres)).sum())
        if not signal or low == high:
            continue
        places = np.where((edges <= 0) & (edges + width > 0), 0.0, centres)
        indices = np.clip((places - low) / (high - low) * bins, 0, bins - 1).astype(np.int64)
        np.add.at(total, indices, counts / signal)
    return Histogram(total, low, high)


def entropy_range(counts: F64, minimum: float, maximum: float) -> Range:
    """The range that loses the least information: KL divergence of the histogram from its quantized form.

    As in Migacz, "8-bit inference with TensorRT" (2017), for a range with two ends, which shrink by one share: values
    outside are counted in the outermost bins of the reference and left out of its quantized form, in which the bins of
    a level share its count equally, as far as they hold anything. The bin of zero is left out of both: zero is a level.
    """
    if minimum == maximum:
        return Range.of(minimum, maximum)
    edges = np.linspace(minimum, maximum, len(counts) + 1)
    centres = (edges[:-1] + edges[1:]) / 2
    weights = counts.astype(np.float64)
    if minimum <= 0 <= maximum:
        weights[int(np.clip(np.searchsorted(edges, 0.0, side="right") - 1, 0, len(counts) - 1))] = 0
    if not weights.any():
        return Range.of(minimum, maximum)
    losses = [_divergence(weights, centres, min(minimum, 0.0) * share, max(maximum, 0.0) * share) for share in SHARES]
    share = float(SHARES[int(np.argmin(losses))])
    return Range(min(minimum, 0.0) * share, max(maximum, 0.0) * share)


def _divergence(weights: F64, centres: F64, low: float, high: float) -> float:
    inside = (centres >= low) & (centres <= high)
    kept = np.where(inside, weights, 0.0)
    if not kept.any():
        return np.inf
    levels = np.clip(((centres - low) / (high - low) * LEVELS).astype(np.int64), 0, LEVELS)
    filled = kept > 0
    sums = np.bincount(levels, kept, LEVELS + 1)
    sharing = np.bincount(levels, filled, LEVELS + 1)
    quantized = np.where(filled, (sums / np.maximum(sharing, 1))[levels], 0.0)
    reference = kept.copy()
    places = np.flatnonzero(filled)
    reference[places[0]] += weights[centres < low].sum()
    reference[places[-1]] += weights[centres > high].sum()
    p, q = reference[places] / reference.sum(), quantized[places] / quantized.sum()
    return float((p * np.log(p / q)).sum())


def percentile_range(counts: F64, minimum: float, maximum: float) -> Range:
    """The range outside of which 100 - `PERCENTILE` percent of the values lie, at each end."""
    edges = np.linspace(minimum, maximum, len(counts) + 1)
    outside = counts.sum() * (1 - PERCENTILE / 100)
    below, above = np.cumsum(counts), np.cumsum(counts[::-1])
    low = edges[int((below <= outside).sum())]
    high = edges[len(counts) - int((above <= outside).sum())]
    return Range.of(float(low), float(high))


def balanced_range(counts: F64, minimum: float, maximum: float) -> Range:
    """The range of least squared error, in which the errors of clipped values count `CLIP_WEIGHT` times."""
    return least_error_range(counts, minimum, maximum, clip_weight=CLIP_WEIGHT)


RULES: dict[str, RangeRule] = {
    "balanced": balanced_range,
    "least_squares": least_error_range,
    "entropy": entropy_range,
    "percentile": percentile_range,
}
"""By the name that the option `activation_clipping` has."""


def least_error_shares(rows: F64, levels: int) -> F64:
    """For each row of weights [O, N] the share of its greatest that, as the end of the range, has the least squared
    error [O]."""
    greatest = np.abs(rows).max(axis=1, keepdims=True)
    best, found = np.full(len(rows), np.inf), np.ones(len(rows))
    for share in WEIGHT_SHARES:
        step = np.maximum(greatest * share / levels, np.finfo(np.float64).tiny)
        error = np.square(np.clip(np.rint(rows / step), -levels, levels) * step - rows).sum(axis=1)
        better = error < best
        best, found = np.where(better, error, best), np.where(better, share, found)
    return found
