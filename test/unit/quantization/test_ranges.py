"""Scales and zero points, and the range of least squared error against a search by brute force."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from axir import numerics
from axir.passes.quantization.ranges import SMALLEST_SPAN, Range, least_error_range, parameters

magnitudes = st.floats(0, 1e30)


@given(magnitudes, magnitudes)
def test_parameters_reach_the_range_and_hold_zero(below: float, above: float) -> None:
    low, high = -below, above
    scale, zero_point = (float(x) for x in parameters(np.asarray(low), np.asarray(high)))
    assert scale > 0
    assert -128 <= zero_point <= 127
    # Both ends are within half a step of what the bytes reach (the scale is rounded to binary32), and zero is a byte.
    slack = 0.5 * scale * (1 + 1e-4)
    assert (-128 - zero_point) * scale <= low + slack
    assert (127 - zero_point) * scale >= high - slack
    stored = numerics.quantize(np.zeros(1, np.float32), numerics.reciprocal(scale), np.asarray(zero_point, np.int32))
    assert stored.tolist() == [zero_point]


@pytest.mark.parametrize(
    ("low", "high", "scale", "zero_point"),
    [
        (0.0, 6.0, 6 / 255, -128),
        (-2.55, 0.0, 0.01, 127),
        (-1.0, 1.0, 2 / 255, -1),  # f32(2 / 255) is a little more, so -128 + 127.49999
        (0.0, 0.0, SMALLEST_SPAN / 255, -128),
        (-1.28, 1.27, 0.01, 0),
    ],
)
def test_parameters_by_hand(low: float, high: float, scale: float, zero_point: int) -> None:
    found, zero = parameters(np.asarray(low), np.asarray(high))
    assert found == np.float32(scale)
    assert zero == zero_point


def test_parameters_are_elementwise() -> None:
    scales, zeros = parameters(np.array([0.0, -2.55]), np.array([2.55, 0.0]))
    assert scales.tolist() == [np.float32(0.01)] * 2
    assert zeros.tolist() == [-128, 127]


def test_ranges_hold_zero() -> None:
    assert Range.of(1.0, 2.0) == Range(0.0, 2.0)
    assert Range.of(-2.0, -1.0) == Range(-2.0, 0.0)
    assert Range(0.0, 2.0).union(Range(-1.0, 0.5)) == Range(-1.0, 2.0)


RNG = np.random.default_rng(0)
SAMPLES = {
    "normal": RNG.standard_normal(50_000),
    "relu": np.maximum(RNG.standard_normal(50_000), 0),
    "laplace": RNG.laplace(size=50_000),
    "heavy tails": RNG.standard_t(3, 50_000),
    "relu6": np.clip(4 * RNG.standard_normal(50_000), 0, 6),
    "far from zero": RNG.random(50_000) + 3,
    "negative": -RNG.random(50_000) - 1,
}


def quantization_error(values: Any, low: float, high: float) -> float:
    scale, zero = (float(x) for x in parameters(np.asarray(low), np.asarray(high)))
    stored = np.clip(np.rint(values / scale) + zero, -128, 127)
    return float(np.mean((values - (stored - zero) * scale) ** 2))


@pytest.mark.parametrize("name", SAMPLES)
def test_least_error_range_is_as_good_as_brute_force(name: str) -> None:
    values = SAMPLES[name]
    minimum, maximum = float(values.min()), float(values.max())
    counts, _ = np.histogram(values, bins=2048)
    found = least_error_range(counts, minimum, maximum)
    whole = Range.of(minimum, maximum)
    assert whole.low <= found.low <= 0 <= found.high <= whole.high
    fractions = np.linspace(0.1, 1, 19)
    best = min(
        quantization_error(values, whole.low * below, whole.high * above)
        for below in (fractions if minimum < 0 else [1.0])
        for above in (fractions if maximum > 0 else [1.0])
    )
    assert quantization_error(values, found.low, found.high) <= 1.02 * best


def test_a_range_without_outliers_is_not_clipped() -> None:
    counts = np.full(2048, 100)
    assert least_error_range(counts, -1.0, 3.0).high == pytest.approx(3.0, rel=5e-3)
    assert least_error_range(counts, -1.0, 3.0).low == pytest.approx(-1.0, rel=2e-2)


def test_constant_tensors() -> None:
    assert least_error_range(np.array([5, 0]), 2.0, 2.0) == Range(0.0, 2.0)
    assert least_error_range(np.array([5, 0]), 0.0, 0.0) == Range(0.0, 0.0)
