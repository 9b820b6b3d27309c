"""Streaming statistics of one tensor: every sample is seen once and nothing of it is kept."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from axir.dialects.ax import StatsAttr
from axir.ir.constants import constant_attr
from axir.ir.store import WeightStore

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]
I64 = NDArray[np.int64]

BINS = 2048
CHUNK = 1 << 16
"""Elements binned at a time: their indices stay in the cache."""


class Histogram:
    """Counts over bins of one width, a power of two, with edges at its multiples.

    When a value falls outside, the width doubles and pairs of bins merge. The result is therefore the same as if all
    values had been binned with the final width at once, in whatever order they came: the smallest width with which
    at most `BINS` bins reach from the least to the greatest value.
    """

    def __init__(self) -> None:
        self.exponent = 0  # of the width
        self.first = 0  # index of the first bin: bin i covers [(first + i) * width, (first + i + 1) * width)
        self.counts: I64 = np.zeros(BINS, np.int64)
        self.minimum = math.inf
        self.maximum = -math.inf

    def update(self, values: F32, minimum: float, maximum: float, scratch: Scratch) -> None:
        """Count `values` (one dimension, contiguous), whose extremes are given and finite."""
        self._cover(min(self.minimum, minimum), max(self.maximum, maximum))
        # A power of two: the product is exact, but for values below 2**-126 of the width, which fall beside zero.
        bins_per_unit = np.float32(math.ldexp(1.0, -self.exponent))
        for start in range(0, values.size, CHUNK):
            chunk = values[start : start + CHUNK]
            floats, indices = scratch.floats[: chunk.size], scratch.indices[: chunk.size]
            np.multiply(chunk, bins_per_unit, out=floats)
            if minimum < 0:
                np.floor(floats, out=floats)
            np.copyto(indices, floats, casting="unsafe")
            if self.first:
                indices -= self.first
            self.counts += np.bincount(indices, minlength=BINS)

    def _cover(self, minimum: float, maximum: float) -> None:
        """Make the bins span from `minimum` to `maximum`."""
        if self.minimum <= minimum and maximum <= self.maximum:
            return
        empty = self.minimum > self.maximum
        # No smaller width can hold the span, and none below the spacing of binary32 values there is of use.
        spacing = math.frexp(max(-minimum, maximum))[1] - 24
        exponent = max(-126, spacing, math.frexp((maximum - minimum) / BINS)[1] if maximum > minimum else -126)
        while math.floor(math.ldexp(maximum, -exponent)) - math.floor(math.ldexp(minimum, -exponent)) >= BINS:
            exponent += 1
        first = math.floor(math.ldexp(minimum, -exponent))
        if not empty:
            indices = ((self.first + np.arange(BINS)) >> (exponent - self.exponent)) - first
            used = np.flatnonzero(self.counts)
            moved = np.zeros(BINS, np.int64)
            np.add.at(moved, indices[used], self.counts[used])
            self.counts = moved
        self.exponent, self.first, self.minimum, self.maximum = exponent, first, minimum, maximum

    def rebinned(self) -> I64:
        """The counts over `BINS` equal bins from the minimum to the maximum: each bin goes where its lower edge lies.

        So the bin that begins with zero, where the exact zeros are, stays whole.
        """
        span = self.maximum - self.minimum
        if span == 0:
            return np.bincount([0], weights=[self.counts.sum()], minlength=BINS).astype(np.int64)
        edges = np.ldexp((self.first + np.arange(BINS)).astype(np.float64), self.exponent)
        indices = np.clip((edges - self.minimum) / span * BINS, 0, BINS - 1).astype(np.int64)
        counts = np.zeros(BINS, np.int64)
        np.add.at(counts, indices, self.counts)
        return counts


class Scratch:
    """Buffers that all observers of a calibration use in turn."""

    def __init__(self) -> None:
        self.floats: F32 = np.empty(CHUNK, np.float32)
        self.indices: NDArray[np.intp] = np.empty(CHUNK, np.intp)


class Observer:
    """Extremes of one tensor; on request its histogram, the extremes of every channel (axis 1), and their means."""

    def __init__(self, histogram: bool = False, channels: bool = False, means: bool = False):
        self.minimum = math.inf
        self.maximum = -math.inf
        self.histogram = Histogram() if histogram else None
        self.by_channel = channels
        self.channels: F32 | None = None
        self.with_means = means
        self.sums: F64 | None = None
        self.samples = 0

    def update(self, values: F32, scratch: Scratch) -> None:
        """Take in one sample of the tensor. Raises `ValueError` where it holds anything but finite float32 numbers."""
        if values.dtype != np.float32:
            raise ValueError(f"{values.dtype} elements, not float32")
        if not values.size:
            raise ValueError("no elements")
        minimum, maximum = float(values.min()), float(values.max())
        if not math.isfinite(minimum) or not math.isfinite(maximum):
            raise ValueError("a NaN" if math.isnan(minimum) else "an infinity")
        if self.histogram is not None:
            self.histogram.update(values.reshape(-1), minimum, maximum, scratch)
        if self.by_channel or self.with_means:
            self._update_channels(values.swapaxes(0, 1).reshape(values.shape[1], -1))
        self.minimum = min(self.minimum, minimum)
        self.maximum = max(self.maximum, maximum)
        self.samples += 1

    def _update_channels(self, planes: F32) -> None:
        if self.by_channel:
            low, high = planes.min(axis=1), planes.max(axis=1)
            if self.channels is not None:
                low, high = np.minimum(low, self.channels[0]), np.maximum(high, self.channels[1])
            self.channels = np.stack([low, high])
        if self.with_means:
            means = planes.mean(axis=1).astype(np.float64)
            self.sums = means if self.sums is None else self.sums + means

    def stats(self, store: WeightStore) -> StatsAttr:
        """The statistics as an attribute; at least one sample must have been taken in."""
        counts = None if self.histogram is None else constant_attr(self.histogram.rebinned(), store)
        channels = None if self.channels is None else constant_attr(self.channels, store)
        means = None if self.sums is None else constant_attr((self.sums / self.samples).astype(np.float32), store)
        return StatsAttr(self.minimum, self.maximum, counts, channels, means)
