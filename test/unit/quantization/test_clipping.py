"""Rules that clip: by hand, and against what they are to minimize."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from axir.passes.quantization.clipping import (
    PERCENTILE,
    RULES,
    WEIGHT_SHARES,
    Histogram,
    entropy_range,
    joined,
    least_error_shares,
    percentile_range,
)
from axir.passes.quantization.ranges import Range, least_error_range

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("rule", RULES)
@given(counts=st.lists(st.integers(0, 1000), min_size=1, max_size=40), low=st.floats(-10, 10), span=st.floats(0, 10))
def test_ranges_hold_zero_and_stay_within_the_extremes(rule: str, counts: list[int], low: float, span: float) -> None:
    counts[0] += 1
    found = RULES[rule](np.array(counts, np.float64), low, low + span)
    assert min(low, 0) <= found.low <= 0 <= found.high <= max(low + span, 0)


def test_percentile_cuts_its_share() -> None:
    values = RNG.standard_normal(1_000_000)
    low, high = float(values.min()), float(values.max())
    counts, edges = np.histogram(values, 2048, (low, high))
    found = percentile_range(counts.astype(np.float64), low, high)
    outside = 100 * np.array([np.mean(values < found.low), np.mean(values > found.high)])
    # At most the share, and with one bin more it would be exceeded.
    assert (outside <= 100 - PERCENTILE).all()
    width = float(edges[1] - edges[0])
    beyond = 100 * np.array([np.mean(values < found.low + width), np.mean(values > found.high - width)])
    assert (beyond > 100 - PERCENTILE).all()


def test_entropy_cuts_a_far_outlier_and_keeps_a_uniform_whole() -> None:
    uniform = np.full(2048, 100.0)
    assert entropy_range(uniform, -1.0, 1.0) == Range(-1.0, 1.0)
    outlier = np.zeros(2048)
    outlier[1:900] = 1e6 * np.exp(-np.arange(899) / 80)
    outlier[-1] = 1
    assert entropy_range(outlier, 0.0, 100.0).high < 60


def test_one_histogram_stays_as_it_is() -> None:
    histogram = Histogram(np.array([1.0, 2.0]), -1.0, 1.0)
    assert joined([histogram]) is histogram


def test_joined_histograms_count_by_their_signal() -> None:
    """A small tensor in one group with a large one: 4 values of 1 weigh as much as one of 16 does."""
    small, large = Histogram(np.array([0.0, 4.0]), 0.0, 2.0), Histogram(np.array([0.0, 1.0]), 0.0, 16.0)
    counts, low, high = joined([small, large])
    assert (low, high) == (0.0, 16.0)
    assert counts.tolist() == pytest.approx([4 / (4 * 1.5**2), 1 / 12.0**2])


def test_joined_zeros_stay_zeros() -> None:
    """The bins that begin with zero meet in the bin of zero, though their centres lie beyond it."""
    a = Histogram(np.array([5.0, *np.zeros(6), 1.0]), 0.0, 8.0)
    b = Histogram(np.array([1.0, 3.0]), -4.0, 4.0)  # its second bin begins with zero, and its centre is 2
    counts, low, high = joined([a, b])
    assert (low, high) == (-4.0, 8.0)
    zero = int((0.0 - low) / (high - low) * len(counts))
    assert counts[zero] == pytest.approx(5 / (5 * 0.25 + 7.5**2) + 3 / (4 * 4.0))


def test_a_group_is_clipped_where_its_members_together_want_it() -> None:
    """A far outlier of one member does not decide for both: the union of both ranges would be wider."""
    body = np.histogram(RNG.standard_normal(100_000), 2048, (-8, 8))[0].astype(np.float64)
    tail = np.histogram(RNG.standard_t(3, 100_000), 2048, (-100, 100))[0].astype(np.float64)
    narrow, wide = least_error_range(body, -8.0, 8.0), least_error_range(tail, -100.0, 100.0)
    both = least_error_range(*joined([Histogram(body, -8.0, 8.0), Histogram(tail, -100.0, 100.0)]))
    assert narrow.high < both.high < wide.high


def test_weight_shares_by_brute_force() -> None:
    rows = RNG.standard_t(3, (5, 40))
    for row, share in zip(rows, least_error_shares(rows, 7), strict=True):
        errors: list[float] = []
        for candidate in WEIGHT_SHARES:
            step = np.abs(row).max() * candidate / 7
            errors.append(float(sum((min(max(round(w / step), -7), 7) * step - w) ** 2 for w in row)))
        assert share == WEIGHT_SHARES[int(np.argmin(errors))]
    assert least_error_shares(np.zeros((1, 3)), 127).tolist() == [1.0]
