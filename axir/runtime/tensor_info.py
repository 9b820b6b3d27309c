"""What a tensor of the device means, and how its bytes lie in a buffer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, cast

import numpy as np
from numpy.typing import NDArray

from axir import numerics
from axir.runtime.errors import InvalidArgument

Array = NDArray[Any]
I8 = NDArray[np.int8]
F32 = NDArray[np.float32]
Order = Literal["NHWC", "NCHW"]


@dataclass(frozen=True)
class QuantizedTensor:
    """An int8 tensor at the border of host and device: real = (stored - zero_point) * scale.

    `tensor_shape` is NCHW, without padding. Per-channel quantization has tuples of C scales and zero points.
    """

    name: str
    tensor_shape: tuple[int, ...]
    scale: float | tuple[float, ...]
    zero_point: int | tuple[int, ...]

    def _parameters(self) -> tuple[F32, NDArray[np.int32]]:
        """Scale and zero point in a shape that broadcasts over NCHW."""
        scale, zero_point = np.asarray(self.scale, np.float32), np.asarray(self.zero_point, np.int32)
        return (scale.reshape(-1, 1, 1), zero_point.reshape(-1, 1, 1)) if scale.ndim else (scale, zero_point)

    def to_stored(self, real: Array) -> I8:
        """Stored bytes, NCHW, of real numbers (docs/numerics.md: round half to even, saturate).

        Raises `InvalidArgument` for another shape and for NaNs.
        """
        values = np.asarray(real, np.float32)
        if values.shape != self.tensor_shape:
            raise InvalidArgument(f"tensor '{self.name}' has shape {list(self.tensor_shape)}, not {list(values.shape)}")
        if np.isnan(values).any():
            raise InvalidArgument(f"tensor '{self.name}' holds a NaN")
        scale, zero_point = self._parameters()
        with np.errstate(over="ignore"):  # overflow is infinite, which saturates
            return numerics.quantize(values, numerics.reciprocal(scale), zero_point)

    def to_real(self, stored: I8) -> F32:
        """Real numbers, NCHW, of stored bytes."""
        return numerics.dequantize(stored, *self._parameters())


@dataclass(frozen=True)
class TensorInfo(QuantizedTensor):
    """A tensor of the device and the buffer it is passed in: int8, in `order` NHWC and padded, or dense NCHW.

    `shape` is the buffer's; `padding` its (before, after) pairs, as for `numpy.pad`. Channels lie in `channels`, runs
    of (count, first byte of the pixel), in order: one run at 0 unless the tensor is a concatenation on the device. A
    dense buffer has the tensor's own shape and no padding: the device itself pads and reorders.
    """

    shape: tuple[int, int, int, int]
    channels: tuple[tuple[int, int], ...]
    dtype: str = "int8"
    order: Order = "NHWC"

    @staticmethod
    def dense(
        name: str,
        tensor_shape: Sequence[int],
        scale: float | tuple[float, ...],
        zero_point: int | tuple[int, ...],
    ) -> TensorInfo:
        """A tensor that the device takes or gives as it stands. Raises `ValueError`."""
        batch, channels, height, width = tensor_shape
        if batch != 1 or min(tensor_shape) < 1:
            raise ValueError(f"tensor '{name}' has the shape {list(tensor_shape)}")
        shape = (batch, channels, height, width)
        return TensorInfo(name, shape, scale, zero_point, shape, ((channels, 0),), order="NCHW")

    @staticmethod
    def of(
        name: str,
        tensor_shape: Sequence[int],
        scale: float | tuple[float, ...],
        zero_point: int | tuple[int, ...],
        row_pitch: int,
        pixel_pitch: int,
        channels: Sequence[tuple[int, int]],
    ) -> TensorInfo:
        """From the device's NHWC layout: bytes from row to row and from pixel to pixel. Raises `ValueError`."""
        batch, count, height, width = tensor_shape
        runs = tuple((run[0], run[1]) for run in channels)
        fits = batch == 1 and pixel_pitch > 0 and row_pitch % pixel_pitch == 0 and row_pitch >= width * pixel_pitch
        fits = fits and sum(run[0] for run in runs) == count and all(sum(run) <= pixel_pitch for run in runs)
        if not fits:
            raise ValueError(f"the layout of tensor '{name}' does not fit its shape {list(tensor_shape)}")
        shape = (1, height, row_pitch // pixel_pitch, pixel_pitch)
        return TensorInfo(name, tuple(tensor_shape), scale, zero_point, shape, runs)

    @property
    def padding(self) -> tuple[tuple[int, int], ...]:
        _, channels, height, width = self.tensor_shape
        if self.order == "NCHW":
            return ((0, 0),) * 4
        return tuple((0, size - used) for size, used in zip(self.shape, (1, height, width, channels), strict=True))

    @property
    def bytes(self) -> int:
        """Size of the buffer."""
        return int(np.prod(self.shape))

    def allocate(self) -> I8:
        """A buffer of this tensor, all zero bytes."""
        return np.zeros(self.shape, np.int8)

    def pack(self, stored: I8) -> I8:
        """A buffer with the bytes of an NCHW tensor; padding is zero."""
        buffer = self.allocate()
        if self.order == "NCHW":
            buffer[...] = stored
            return buffer
        width = self.tensor_shape[3]
        channel = 0
        for count, slot in self.channels:
            buffer[:, :, :width, slot : slot + count] = stored[:, channel : channel + count].transpose(0, 2, 3, 1)
            channel += count
        return buffer

    def unpack(self, buffer: I8) -> I8:
        """The NCHW tensor in a buffer."""
        self.check(buffer)
        if self.order == "NCHW":
            return buffer.copy()
        width = self.tensor_shape[3]
        parts = [buffer[:, :, :width, slot : slot + count] for count, slot in self.channels]
        return np.ascontiguousarray(np.concatenate(parts, axis=3).transpose(0, 3, 1, 2))

    def quantize(self, real: Array) -> I8:
        """A buffer, ready for the device, of real numbers [1, C, H, W]. Raises `InvalidArgument`."""
        return self.pack(self.to_stored(real))

    def dequantize(self, buffer: I8) -> F32:
        """Real numbers [1, C, H, W] of a buffer the device wrote. Raises `InvalidArgument`."""
        return self.to_real(self.unpack(buffer))

    def check(self, buffer: object, frames: int = 1) -> None:
        """Raises `InvalidArgument` unless `buffer` is an int8 array of this tensor's shape, of so many frames."""
        if not isinstance(buffer, np.ndarray):
            raise InvalidArgument(f"the buffer of '{self.name}' must be a NumPy array, not {type(buffer).__name__}")
        array, shape = cast(Array, buffer), (frames, *self.shape[1:])
        if array.dtype != np.int8 or array.shape != shape:
            raise InvalidArgument(
                f"the buffer of '{self.name}' must be int8 {list(shape)}, it is {array.dtype} {list(array.shape)}",
                notes=("TensorInfo.quantize makes one from float numbers, TensorInfo.allocate an empty one",),
            )
