"""Weights and biases of convolutions."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from axir import numerics
from axir.interp.integer import accumulator_bound, weight_rows
from axir.passes.quantization.weights import BIAS_LIMIT, quantize_weights

ONE = np.ones(1, np.float32)


def zeros(count: int) -> Any:
    return np.zeros(count, np.float32)


@given(
    st.integers(0, 2**32 - 1),
    st.sampled_from([1, 2, 3]),
    st.booleans(),
    st.floats(-6, 6),
    st.floats(-6, 6),
    st.floats(-6, 6),
)
def test_errors_are_at_most_half_a_step(
    seed: int, group: int, transposed: bool, weight_decade: float, bias_decade: float, input_decade: float
) -> None:
    rng = np.random.default_rng(seed)
    shape = (2 * group, 3, 2, 1)
    outputs = 3 * group if transposed else 2 * group
    weight = (rng.standard_normal(shape) * 10**weight_decade).astype(np.float32)
    bias = (rng.standard_normal(outputs) * 10**bias_decade).astype(np.float32)
    scale = np.full(1, 10**input_decade, np.float32)
    result = quantize_weights(weight, bias, scale, group, transposed)

    rows, quantized = weight_rows(weight, group, transposed), weight_rows(result.weight, group, transposed)
    step = result.scale.astype(np.float64)[:, None]
    assert np.abs(quantized.astype(np.int32)).max() <= 127
    assert (np.abs(quantized * step - rows) <= 0.5 * step * (1 + 1e-5)).all()
    unit = numerics.multiplier(scale, result.scale).astype(np.float64)
    assert (np.abs(result.bias * unit - bias) <= 0.5 * unit * (1 + 1e-5)).all()
    assert np.abs(result.bias.astype(np.int64)).max() < BIAS_LIMIT
    assert accumulator_bound(quantized, result.bias).max() < 1 << 31
    # The scale is no larger than weights or bias need.
    full = (np.abs(quantized.astype(np.int32)).max(axis=1) == 127) | (np.abs(result.bias) > BIAS_LIMIT * 0.999)
    assert full.all()


def test_scales_by_input_channel() -> None:
    weight = np.full((4, 1, 1, 1), 1.27, np.float32)
    scale = np.array([0.01, 0.01, 0.02, 0.02], np.float32)
    result = quantize_weights(weight, np.ones(4, np.float32), scale, group=2, transposed=False)
    assert result.bias.tolist() == [10000, 10000, 5000, 5000]


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_values_that_are_not_finite_are_refused(value: float) -> None:
    weight = np.ones((1, 1, 1, 1), np.float32)
    for w, b in ((weight * value, zeros(1)), (weight, zeros(1) + np.float32(value))):
        with pytest.raises(ValueError, match="finite"):
            quantize_weights(w, b, ONE, 1, False)


def test_accumulators_beyond_32_bits_are_refused() -> None:
    taps = (1 << 31) // (127 * 255)
    fits = np.ones((2, taps, 1, 1), np.float32)
    fits[0] = 0
    quantize_weights(fits, zeros(2), ONE, 1, False)
    over = np.ones((2, taps + 1, 1, 1), np.float32)
    over[0] = 0
    with pytest.raises(ValueError, match="output channel 1 can reach 2147514120"):
        quantize_weights(over, zeros(2), ONE, 1, False)


def test_bias_takes_back_what_rounding_adds_on_average() -> None:
    rng = np.random.default_rng(0)
    group, means = 2, rng.uniform(-1, 3, 4).astype(np.float32)
    weight = rng.standard_normal((6, 2, 3, 3)).astype(np.float32)
    bias = rng.standard_normal(6).astype(np.float32)
    scale = np.full(1, 0.01, np.float32)
    plain = quantize_weights(weight, bias, scale, group, False)
    corrected = quantize_weights(weight, bias, scale, group, False, means)
    np.testing.assert_array_equal(plain.weight, corrected.weight)

    def response(weights: Any, offset: Any) -> Any:
        """The outputs for an image that has everywhere the mean of its channel."""
        by_group = means.reshape(group, 1, 2, 1, 1)
        return (weights.reshape(group, 3, 2, 3, 3) * by_group).sum(axis=(2, 3, 4)).reshape(-1) + offset

    unit = numerics.multiplier(scale, plain.scale).astype(np.float64)
    exact = response(weight.astype(np.float64), bias)
    rounded = plain.weight * plain.scale.astype(np.float64).reshape(-1, 1, 1, 1)
    assert (np.abs(response(rounded, plain.bias * unit) - exact) > 2 * unit).any()
    assert (np.abs(response(rounded, corrected.bias * unit) - exact) <= 0.51 * unit).all()
