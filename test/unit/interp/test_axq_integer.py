"""Exactness of the integer kernels where float32 alone would round."""

import numpy as np
import pytest

from axir.interp.integer import (
    EXACT,
    MAX_INPUT,
    Convolution,
    Depthwise,
    Product,
    TransposedConvolution,
    Window,
    accumulator_bound,
    weight_rows,
)

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("rows", [1, 511, 512, 513, 4608, 5000])
@pytest.mark.parametrize("extreme", [False, True])
def test_products_equal_integer_products(rows: int, extreme: bool) -> None:
    weight = RNG.integers(-128, 128, (2, 3, rows)).astype(np.int8)
    x = RNG.integers(-255, 256, (2, rows, 7)).astype(np.float32)
    if extreme:
        weight[:], x[:] = -128, 255
    expected = np.matmul(weight.astype(np.int64), x.astype(np.int64))
    product = Product(weight)
    np.testing.assert_array_equal(product(x), expected)
    for _, block in product.blocks:
        assert np.abs(block).sum(axis=2).max() * MAX_INPUT < EXACT


def test_blocks_are_as_few_as_the_weights_allow() -> None:
    assert len(Product(np.full((1, 1, 512), -128, np.int8)).blocks) == 1
    assert len(Product(np.full((1, 1, 1024), -128, np.int8)).blocks) == 2
    assert len(Product(np.full((1, 1, 4096), 1, np.int8)).blocks) == 1


def test_one_float32_product_would_round() -> None:
    """Why blocks are needed: the case above with a single matrix product."""
    weight, x = np.full((1, 5000), -127, np.float32), np.full((5000, 1), 255, np.float32)
    x[0] = 254
    assert int((weight @ x)[0, 0]) != -127 * (255 * 5000 - 1)


def test_depthwise_sums_beyond_float32() -> None:
    size = 40
    weight = np.full((2, 1, size, size), 127, np.int8)
    weight[0, 0, 0, 0] = 126
    x = np.full((2, size, size), 255, np.float32)
    accumulate = Depthwise(weight, Window((size, size), (1, 1), (0, 0, 0, 0)), group=2)
    assert accumulate(x).ravel().tolist() == [127 * 255 * 1600 - 255, 127 * 255 * 1600]


def test_strips_cover_all_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    """The column matrix is made in strips: their seams must not show."""
    weight = RNG.integers(-127, 128, (4, 3, 3, 3)).astype(np.int8)
    x = RNG.integers(-255, 256, (3, 11, 9)).astype(np.float32)
    convolution = Convolution(weight, Window((3, 3), (1, 1), (1, 1, 1, 1)), 1)
    whole = convolution(x)
    monkeypatch.setattr("axir.interp.integer.STRIP", 27 * 9 * 4)  # four rows, the last strip three
    np.testing.assert_array_equal(convolution(x), whole)


def test_weight_rows_of_a_transposed_convolution_are_its_output_channels() -> None:
    # One input one at a time through a kernel of 1x1: the response is the column of that input.
    group, inputs, outputs = 3, 2, 4
    weight = RNG.integers(-127, 128, (group * inputs, outputs, 1, 1)).astype(np.int8)
    rows = weight_rows(weight, group, transposed=True)
    accumulate = TransposedConvolution(weight, Window((1, 1), (1, 1), (0, 0, 0, 0)), group, (0, 0))
    for channel in range(group * inputs):
        x = np.zeros((group * inputs, 1, 1), np.float32)
        x[channel] = 1
        response = accumulate(x).reshape(group, outputs)
        expected = np.zeros_like(response)
        expected[channel // inputs] = rows.reshape(group, outputs, inputs)[channel // inputs, :, channel % inputs]
        np.testing.assert_array_equal(response, expected)


def test_accumulator_bound() -> None:
    rows, bias = np.array([[1, -2], [-128, 0]], np.int8), np.array([-7, 2**31 - 1], np.int32)
    assert accumulator_bound(rows, bias).tolist() == [3 * 255 + 7, 128 * 255 + 2**31 - 1]
    assert accumulator_bound(rows, np.array([-(2**31), 0], np.int32)).tolist()[0] == 3 * 255 + 2**31
