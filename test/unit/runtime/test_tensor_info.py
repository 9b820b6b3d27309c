"""Buffers in the device's layout."""

from __future__ import annotations

import numpy as np
import pytest

from axir.runtime import InvalidArgument, TensorInfo


def info(channels: list[tuple[int, int]], pitch: int, row_pitch: int, shape: tuple[int, ...]) -> TensorInfo:
    return TensorInfo.of("x", shape, 0.5, 3, row_pitch, pitch, channels)


def test_padding_of_a_first_layer() -> None:
    x = info([(3, 0)], 4, 128, (1, 3, 5, 30))
    assert x.shape == (1, 5, 32, 4)
    assert x.padding == ((0, 0), (0, 0), (0, 2), (0, 1))
    assert x.bytes == 640


@pytest.mark.parametrize("channels", [[(10, 0)], [(6, 0), (4, 64)], [(4, 64), (6, 0)]])
def test_packing_places_channels_where_the_layout_says(channels: list[tuple[int, int]]) -> None:
    x = info(channels, 128, 5 * 128, (1, 10, 3, 4))
    stored = np.random.default_rng(0).integers(-128, 128, (1, 10, 3, 4), np.int8)
    buffer = x.pack(stored)
    slots = [slot + index for count, slot in channels for index in range(count)]
    for channel, slot in enumerate(slots):
        assert np.array_equal(buffer[0, :, :4, slot], stored[0, channel])
    assert np.count_nonzero(buffer) == np.count_nonzero(stored)
    assert np.array_equal(x.unpack(buffer), stored)


def test_a_dense_tensor_is_its_own_buffer() -> None:
    x = TensorInfo.dense("x", (1, 3, 5, 7), 0.5, 3)
    stored = np.random.default_rng(0).integers(-128, 128, (1, 3, 5, 7), np.int8)
    assert (x.shape, x.padding, x.bytes) == ((1, 3, 5, 7), ((0, 0),) * 4, 105)
    assert np.array_equal(x.pack(stored), stored)
    assert np.array_equal(x.unpack(stored), stored)
    with pytest.raises(ValueError, match="has the shape"):
        TensorInfo.dense("x", (2, 3, 5, 7), 0.5, 3)


def test_quantize_rounds_half_to_even_and_saturates() -> None:
    x = info([(1, 0)], 64, 256, (1, 1, 1, 4))
    real = np.array([0.25, 0.75, 1e9, -np.inf], np.float32).reshape(1, 1, 1, 4)
    buffer = x.quantize(real)
    assert x.unpack(buffer).ravel().tolist() == [3 + 0, 3 + 2, 127, -128]
    assert x.dequantize(buffer).ravel().tolist() == [0.0, 1.0, 62.0, -65.5]


def test_per_channel_parameters() -> None:
    x = TensorInfo.of("x", (1, 2, 1, 1), (0.5, 0.25), (0, -1), 64, 64, [(2, 0)])
    buffer = x.quantize(np.ones((1, 2, 1, 1), np.float32))
    assert x.unpack(buffer).ravel().tolist() == [2, 3]
    assert x.dequantize(buffer).ravel().tolist() == [1.0, 1.0]


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.zeros((1, 1, 1, 3), np.float32), "has shape"),
        (np.full((1, 1, 1, 4), np.nan, np.float32), "NaN"),
    ],
)
def test_quantize_refuses(array: np.ndarray, message: str) -> None:
    with pytest.raises(InvalidArgument, match=message):
        info([(1, 0)], 64, 256, (1, 1, 1, 4)).quantize(array)


@pytest.mark.parametrize(
    "buffer", [None, np.zeros((1, 1, 4, 64), np.uint8), np.zeros((1, 1, 4, 63), np.int8), np.zeros(256, np.int8)]
)
def test_buffers_are_checked(buffer: object) -> None:
    with pytest.raises(InvalidArgument, match="buffer of 'x' must be"):
        info([(1, 0)], 64, 256, (1, 1, 1, 4)).check(buffer)


@pytest.mark.parametrize(
    ("channels", "pitch", "row_pitch"),
    [([(2, 0)], 64, 256), ([(1, 0)], 64, 192), ([(1, 64)], 64, 256), ([(1, 0)], 0, 0)],
)
def test_layouts_that_do_not_fit_are_refused(channels: list[tuple[int, int]], pitch: int, row_pitch: int) -> None:
    with pytest.raises(ValueError, match="does not fit"):
        info(channels, pitch, row_pitch, (1, 1, 1, 4))
