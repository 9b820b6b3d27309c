"""A model as an application sees it: arrays in, arrays out; host parts and device segments by turns."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from axir.runtime.errors import InvalidArgument
from axir.runtime.host import HostGraph
from axir.runtime.tensor_info import I8, QuantizedTensor

Array = NDArray[Any]
RunDevice = Callable[[Sequence[I8]], Sequence[I8]]


@dataclass(frozen=True)
class HostTensor:
    """An input or output of the whole model: name, shape, NumPy name of the element type.

    One that is the device's as it stands (setting remove_io_quantization) has the stored bytes of the device's tensor
    `device`: its dtype is int8, and real = (stored - zero_point) * scale, with tuples of C numbers where channels
    differ. An input with `channels_last` is [N, H, W, C] here and [N, C, H, W] where the device's tensors are described
    (setting remove_layout_transform_from_preamble).
    """

    name: str
    shape: tuple[int, ...]
    dtype: str
    device: str | None = None
    scale: float | tuple[float, ...] | None = None
    zero_point: int | tuple[int, ...] | None = None
    channels_last: bool = False

    def to_json(self) -> dict[str, Any]:
        value: dict[str, Any] = {"name": self.name, "shape": list(self.shape), "dtype": self.dtype}
        value |= {"layout": "NHWC"} if self.channels_last else {}
        if self.device is not None:
            value |= {"device": self.device, "scale": self.scale, "zero_point": self.zero_point}
        return value


@dataclass(frozen=True)
class Segment:
    """A part of a model that the device runs as one program: `run` maps stored NCHW bytes to stored NCHW bytes.

    A run takes the inputs of `frames` frames, frame by frame, and gives the outputs likewise.
    """

    name: str
    inputs: Sequence[QuantizedTensor]
    outputs: Sequence[QuantizedTensor]
    run: RunDevice
    frames: int = 1


Part = Segment | HostGraph
Observe = Callable[[Segment, Sequence[I8], Sequence[I8]], None]
"""Hears of a segment that has run, with the bytes it took and gave."""


@dataclass
class _Values:
    """What a frame has computed so far, by tensor names: numbers on the host, and the bytes that segments gave."""

    real: dict[str, Array]
    stored: dict[str, I8]


@dataclass(frozen=True)
class HostedModel:
    """Host parts and device segments in the order of execution, connected by tensor names.

    An input of a part is an input of the model, or an output of an earlier part, of that name. Numbers are quantized
    where a segment takes them and made real where it has given them. A frame leaves no state behind: a model may be
    called from several threads at a time if the `run` of its segments may.
    """

    inputs: Sequence[HostTensor]
    outputs: Sequence[HostTensor]
    parts: Sequence[Part]

    def __call__(self, *inputs: ArrayLike | Mapping[str, ArrayLike]) -> list[Array]:
        """The model's outputs, in order, for one array an input, in order, or for one mapping from input names.

        Arrays have the model's own shapes (batch 1) and types; a float type is converted, a missing batch axis of 1
        added. A model that takes several frames a run has arrays of so many in their first dimension, and gives such.
        Raises `InvalidArgument` for anything else.
        """
        if self.frames == 1:
            return self.run(self.named_inputs(inputs))
        given = self._by_name(inputs)
        results = self.run_frames([self._frame(given, number) for number in range(self.frames)])
        return [np.concatenate([np.atleast_1d(result) for result in tensor]) for tensor in zip(*results, strict=True)]

    @property
    def frames(self) -> int:
        """How many frames a run of the device takes."""
        return max((segment.frames for segment in self.segments), default=1)

    def run_frames(self, frames: Sequence[Mapping[str, Array]]) -> list[list[Array]]:
        """The outputs of as many frames as a run takes, each with its inputs by name: host parts one after another,
        segments together. Raises `InvalidArgument` for another number of frames, and as a call does."""
        if len(frames) != self.frames:
            raise InvalidArgument(f"the model takes {self.frames} frames a run, {len(frames)} given")
        values = [_Values(self.named_inputs([dict(frame)]), {}) for frame in frames]
        for part in self.parts:
            if isinstance(part, Segment):
                given = part.run([array for frame in values for array in self._taken(part, frame.real)])
                count = len(part.outputs)
                for number, frame in enumerate(values):
                    _give(part, given[number * count : (number + 1) * count], frame)
            else:
                for frame in values:
                    frame.real.update(part.run(frame.real))
        return [self._results(frame) for frame in values]

    def _frame(self, given: Mapping[str, Any], number: int) -> dict[str, Array]:
        """One frame of arrays that have several in their first dimension. Raises `InvalidArgument`."""
        frame: dict[str, Array] = {}
        for name, value in given.items():
            array = np.asarray(value)
            if not array.ndim or len(array) != self.frames:
                raise InvalidArgument(f"input '{name}' must be of {self.frames} frames, it has {list(array.shape)}")
            frame[name] = array[number : number + 1]
        return frame

    def run(self, values: Mapping[str, Array], observe: Observe | None = None) -> list[Array]:
        """The model's outputs for checked inputs by name; `observe` hears of every segment."""
        frame = _Values(dict(values), {})
        for part in self.parts:
            if isinstance(part, Segment):
                taken = self._taken(part, frame.real)
                given = part.run(taken)
                if observe is not None:
                    observe(part, taken, given)
                _give(part, given, frame)
            else:
                frame.real.update(part.run(frame.real))
        return self._results(frame)

    @property
    def segments(self) -> list[Segment]:
        """The parts that the device runs."""
        return [part for part in self.parts if isinstance(part, Segment)]

    def named_inputs(self, inputs: Sequence[ArrayLike | Mapping[str, ArrayLike]]) -> dict[str, Array]:
        """The inputs of a frame by name, checked. Raises `InvalidArgument`."""
        given = self._by_name(inputs)
        return {tensor.name: _checked(tensor, given) for tensor in self.inputs}

    def _by_name(self, inputs: Sequence[ArrayLike | Mapping[str, ArrayLike]]) -> Mapping[str, Any]:
        """What is given, by the names of inputs. Raises `InvalidArgument` for others."""
        if len(inputs) == 1 and isinstance(inputs[0], Mapping):
            given: Mapping[str, Any] = inputs[0]
        elif len(inputs) != len(self.inputs):
            raise InvalidArgument(f"the model takes {len(self.inputs)} inputs, {len(inputs)} given")
        else:
            given = {tensor.name: array for tensor, array in zip(self.inputs, inputs, strict=True)}
        known = [tensor.name for tensor in self.inputs]
        for name in given:
            if name not in known:
                raise InvalidArgument(f"the model has no input '{name}'", notes=(f"its inputs are {', '.join(known)}",))
        return given

    # A model with one segment can also be run in three steps.

    @property
    def segment(self) -> Segment:
        """The only segment. Raises `InvalidArgument` where there are several."""
        segments = self.segments
        if len(segments) != 1:
            raise InvalidArgument(
                f"the model has {len(segments)} device segments with host parts between them",
                notes=("run it as a whole, or go through its parts",),
            )
        return segments[0]

    @property
    def device_inputs(self) -> Sequence[QuantizedTensor]:
        return self.segment.inputs

    @property
    def device_outputs(self) -> Sequence[QuantizedTensor]:
        return self.segment.outputs

    @property
    def run_device(self) -> RunDevice:
        return self.segment.run

    def device_bytes(self, values: dict[str, Array]) -> list[I8]:
        """Run what comes before the only segment, add its results to `values`; the segment's stored inputs."""
        segment = self.segment
        for part in self.parts[: self.parts.index(segment)]:
            assert isinstance(part, HostGraph)
            values.update(part.run(values))
        return self._taken(segment, values)

    def finish(self, values: dict[str, Array], stored: Sequence[I8]) -> list[Array]:
        """The model's outputs from those of the only segment; `values` as `device_bytes` left it."""
        segment, frame = self.segment, _Values(values, {})
        _give(segment, stored, frame)
        for part in self.parts[self.parts.index(segment) + 1 :]:
            assert isinstance(part, HostGraph)
            frame.real.update(part.run(frame.real))
        return self._results(frame)

    def _taken(self, segment: Segment, real: Mapping[str, Array]) -> list[I8]:
        """The stored inputs of a segment; values of type int8 are stored bytes already."""
        moved = {tensor.name: np.moveaxis(real[tensor.name], -1, 1) for tensor in self.inputs if tensor.channels_last}
        named = [(tensor, moved.get(tensor.name, real[tensor.name])) for tensor in segment.inputs]
        return [value if value.dtype == np.int8 else tensor.to_stored(value) for tensor, value in named]

    def _results(self, frame: _Values) -> list[Array]:
        return [frame.real[t.name] if t.device is None else frame.stored[t.device] for t in self.outputs]


def _give(segment: Segment, given: Sequence[I8], frame: _Values) -> None:
    for tensor, array in zip(segment.outputs, given, strict=True):
        frame.stored[tensor.name] = array
        frame.real[tensor.name] = tensor.to_real(array)


def _checked(tensor: HostTensor, given: Mapping[str, Any]) -> Array:
    if tensor.name not in given:
        raise InvalidArgument(f"input '{tensor.name}' is missing")
    array = np.asarray(given[tensor.name])
    dtype = np.dtype(tensor.dtype)
    if array.shape != tensor.shape and (1, *array.shape) == tensor.shape:
        array = array[None]
    convertible = array.dtype == dtype or (array.dtype.kind in "fiu" and dtype.kind == "f")
    if array.shape != tensor.shape or not convertible:
        raise InvalidArgument(
            f"input '{tensor.name}' must be {tensor.dtype} {list(tensor.shape)}, "
            f"it is {array.dtype} {list(array.shape)}",
            notes=()
            if tensor.device is None
            else ("the model takes stored bytes: it was compiled with remove_io_quantization",),
        )
    return array.astype(dtype, copy=False)
