"""Streaming statistics: what they add up to, whatever the order and the size of the samples."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from axir.ir.constants import constant_array
from axir.ir.store import WeightStore
from axir.passes.quantization.observer import BINS, CHUNK, Histogram, Observer, Scratch

SCRATCH = Scratch()

# Values that vanish beside the width of a bin (below 2**-126 of it) lose their sign: leave them out.
finite = st.floats(-(2.0**50), 2.0**50, width=32).map(lambda value: value if abs(value) > 1e-20 else 0.0)
samples = st.lists(
    hnp.arrays(np.float32, st.integers(1, 30), elements=st.one_of(finite, st.floats(-10, 10, width=16), st.just(0.0))),
    min_size=1,
    max_size=6,
)


def stream(arrays: list[Any]) -> Histogram:
    histogram = Histogram()
    for array in arrays:
        histogram.update(array, float(array.min()), float(array.max()), SCRATCH)
    return histogram


def directly(arrays: list[Any]) -> tuple[int, int, Any]:
    """Exponent, first bin and counts when all values are binned at once, in exact integers."""
    values = [float(value) for array in arrays for value in array]
    low, high = min(values), max(values)
    exponent = max(-126, math.frexp(max(-low, high))[1] - 24)

    def index(value: float) -> int:
        return math.floor(math.ldexp(value, -exponent))

    while index(high) - index(low) >= BINS:
        exponent += 1
    counts = np.zeros(BINS, np.int64)
    for value in values:
        counts[index(value) - index(low)] += 1
    return exponent, index(low), counts


@given(samples)
def test_streaming_equals_binning_everything_at_once(arrays: list[Any]) -> None:
    histogram = stream(arrays)
    exponent, first, counts = directly(arrays)
    assert (histogram.exponent, histogram.first) == (exponent, first)
    np.testing.assert_array_equal(histogram.counts, counts)


@given(samples, st.randoms())
def test_order_does_not_matter(arrays: list[Any], random: Any) -> None:
    first = stream(arrays)
    shuffled = list(arrays)
    random.shuffle(shuffled)
    again = stream(shuffled)
    np.testing.assert_array_equal(first.counts, again.counts)
    np.testing.assert_array_equal(first.rebinned(), again.rebinned())


def test_range_doubles_by_merging_pairs() -> None:
    # 0 to 2047 in bins of 1; 2048 makes them 2 wide, so 2046 and 2047 fall together.
    histogram = stream([np.arange(2048, dtype=np.float32)])
    assert histogram.exponent == 0
    assert set(histogram.counts) == {1}
    histogram.update(np.array([2048], np.float32), 2048.0, 2048.0, SCRATCH)
    assert histogram.exponent == 1
    assert histogram.counts[:1025].tolist() == [2] * 1024 + [1]
    assert histogram.counts.sum() == 2049


def test_a_constant_first_sample_does_not_fix_the_resolution() -> None:
    histogram = stream([np.zeros(5, np.float32), np.linspace(0, 0.01, 100, dtype=np.float32)])
    assert np.count_nonzero(histogram.counts) > 90


def test_more_values_than_one_chunk() -> None:
    values = np.random.default_rng(0).standard_normal(2 * CHUNK + 17).astype(np.float32)
    whole, parts = stream([values]), stream(list(np.array_split(values, 100)))
    assert whole.counts.sum() == values.size
    np.testing.assert_array_equal(whole.counts, parts.counts)


def test_rebinned_counts_span_the_extremes() -> None:
    values = np.random.default_rng(1).normal(3, 2, 100_000).astype(np.float32)
    counts = stream([values]).rebinned()
    expected, _ = np.histogram(values, bins=BINS, range=(values.min(), values.max()))
    assert counts.sum() == values.size
    # Each value moves by less than one of the old bins, two of the new ones at most.
    difference = np.abs(np.cumsum(counts) - np.cumsum(expected))
    nearby = np.convolve(expected, np.ones(5), mode="same")
    assert (difference <= nearby).all()


def test_the_peak_of_a_relu_stays_in_the_bin_of_zero() -> None:
    values = np.maximum(np.random.default_rng(2).standard_normal(10_000).astype(np.float32), 0)
    counts = stream([values]).rebinned()
    zeros = int((values == 0).sum())
    assert zeros <= counts[0] <= zeros + (values < 2 * values.max() / BINS).sum()


def test_constant_tensors_have_one_bin() -> None:
    assert np.flatnonzero(stream([np.full(7, 2.5, np.float32)]).rebinned()).tolist() == [0]


def test_observer_collects_what_it_is_asked_for() -> None:
    store = WeightStore()
    observer = Observer(histogram=True, channels=True, means=True)
    observer.update(np.array([[[[1.0, 2.0]], [[-3.0, 0.0]]]], np.float32), SCRATCH)
    observer.update(np.array([[[[5.0, 0.0]], [[-1.0, -1.0]]]], np.float32), SCRATCH)
    stats = observer.stats(store)
    assert (stats.minimum.value.data, stats.maximum.value.data) == (-3.0, 5.0)
    histogram: Any = stats.histogram
    channels: Any = stats.channels
    means: Any = stats.means
    assert constant_array(histogram, store).sum() == 8
    assert constant_array(channels, store).tolist() == [[0.0, -3.0], [5.0, 0.0]]
    assert constant_array(means, store).tolist() == [2.0, -1.25]

    plain = Observer()
    plain.update(np.array([[[[1.0, 2.0]]]], np.float32), SCRATCH)
    assert str(plain.stats(store)) == "#ax.stats<1.0, 2.0>"


@pytest.mark.parametrize(("value", "name"), [(np.nan, "a NaN"), (np.inf, "an infinity"), (-np.inf, "an infinity")])
def test_values_that_are_not_finite_are_refused(value: float, name: str) -> None:
    with pytest.raises(ValueError, match=name):
        Observer(histogram=True).update(np.array([[[[1.0, value, 2.0]]]], np.float32), SCRATCH)
