"""The examples of docs/numerics.md give what the page says, and its bounds hold."""

import doctest
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from shared import CHECKOUT

from axir import numerics

PAGE = CHECKOUT / "docs" / "numerics.md"


def test_examples() -> None:
    result = doctest.testfile(str(PAGE), module_relative=False)
    assert result.attempted > 25
    assert result.failed == 0


def documented_error(name: str) -> float:
    row = re.search(rf"^\| `{name}` \|.*\| (\S+) \|$", PAGE.read_text(), re.MULTILINE)
    assert row is not None
    return float(row[1])


@pytest.mark.parametrize("name", sorted(numerics.FUNCTIONS))
def test_table_errors(name: str) -> None:
    """Over the bins and beyond them, binary32 rounding included."""
    bound = documented_error(name)
    function, _, _ = numerics.FUNCTIONS[name]
    inside = np.linspace(-17, 17, 2_000_001).astype(np.float32)
    outside = np.concatenate([sign * np.geomspace(16, 1e6, 10_000) for sign in (-1, 1)]).astype(np.float32)
    # Far out silu and hard_swish are x: their error there is relative, and zero.
    for x in (inside, outside):
        error = np.abs(numerics.table(name)(x).astype(np.float64) - function(x.astype(np.float64))).max()
        assert error <= bound
    assert numerics.table(name).error <= bound
    assert np.abs(numerics.table(name)(inside) - function(inside.astype(np.float64))).max() > bound / 2


def number(low: float, high: float) -> st.SearchStrategy[float]:
    """Magnitudes from `low` to `high`, of either sign, all orders of magnitude alike."""
    exponents = st.floats(float(np.log2(low)), float(np.log2(high)))
    return st.tuples(exponents, st.sampled_from([-1, 1])).map(lambda drawn: float(np.float32(drawn[1] * 2 ** drawn[0])))


@given(
    name=st.sampled_from(sorted(numerics.FUNCTIONS)),
    a=number(1e-6, 1e6),
    b=st.floats(-100, 100, width=32),
    c=number(1e-6, 1e6),
    d=st.floats(-1e3, 1e3, width=32),
)
def test_errors_of_composed_tables(name: str, a: float, b: float, c: float, d: float) -> None:
    function, _, _ = numerics.FUNCTIONS[name]
    table = numerics.table(name, a, b, c, d)
    x = ((np.linspace(-17, 17, 20_001) - b) / a).astype(np.float32)
    expected = c * function(a * x.astype(np.float64) + b) + d
    bound = abs(c) * documented_error(name) + 2**-21 * (abs(c) * (16 + abs(b)) + abs(d))
    assert np.abs(table(x).astype(np.float64) - expected).max() <= bound
    assert table.error <= bound


@given(
    name=st.sampled_from(sorted(numerics.FUNCTIONS)),
    a=number(0.1, 10),
    b=st.floats(-20, 20, width=32),
    zero_point=st.integers(-128, 127),
)
def test_a_table_is_right_to_within_a_step_of_2e_4(name: str, a: float, b: float, zero_point: int) -> None:
    """Also where the shift puts the function's kinks anywhere between binary32 numbers."""
    function, _, _ = numerics.FUNCTIONS[name]
    kinks = np.array([-3.0, 0.0, 3.0])[:, None] + np.linspace(-0.1, 0.1, 2001)
    argument = np.concatenate([kinks.ravel(), np.linspace(-16.5, 16.5, 4001)])
    x = ((argument - b) / a).astype(np.float32)
    inverse, zero = numerics.reciprocal(2e-4), np.asarray(zero_point, np.int32)
    exact = function(a * x.astype(np.float64) + b)
    near = exact - np.round(exact / 0.02) * 0.02  # within the 256 steps, whatever the function's value
    shift = (near - exact).astype(np.float32)
    table = numerics.table(name, a, b)(x).astype(np.float64) + shift
    stored = [numerics.quantize(v.astype(np.float32), inverse, zero).astype(int) for v in (table, exact + shift)]
    assert np.abs(stored[0] - stored[1]).max() <= 1


@pytest.mark.parametrize("name", sorted(numerics.FUNCTIONS))
def test_a_table_is_composed_with_neutral_numbers(name: str) -> None:
    plain, neutral = numerics.table(name), numerics.table(name, 1.0, 0.0, 1.0, 0.0)
    assert np.array_equal(plain.slope, neutral.slope)
    assert np.array_equal(plain.intercept, neutral.intercept)
    assert (plain.start, plain.per_unit) == (-16, 32)


def test_error_of_the_exponential() -> None:
    """Of softmax's table, relative to the function over the bins, binary32 rounding included."""
    table, x = numerics.exponential(), np.linspace(-16, 0, 2_000_001).astype(np.float32)
    exact = np.exp(x.astype(np.float64))
    relative = np.abs(table(x) - exact) / exact
    assert 3.4e-5 / 2 < relative.max() <= 3.4e-5
    assert np.abs(table(x) - exact).max() <= 3.1e-5
    assert table.error <= 3.1e-5
    assert table(np.array([0, -16.0000019, -1e30], np.float32)).tolist() == [1, 0, 0]


@given(
    channels=st.integers(1, 600),
    scale=number(1e-3, 10).map(abs),
    seed=st.integers(0, 2**32 - 1),
)
def test_error_of_a_softmax(channels: int, scale: float, seed: int) -> None:
    """Within 4e-5 of itself and 1.2e-7 a channel, computed here without the store."""
    x = np.random.default_rng(seed).integers(-128, 128, channels).astype(np.float32) * np.float32(scale)
    powers = numerics.exponential()(x - x.max())
    exact = np.exp(x.astype(np.float64) - x.max())
    exact /= exact.sum()
    assert (np.abs(powers / powers.sum() - exact) <= 4e-5 * exact + 1.2e-7 * channels).all()
