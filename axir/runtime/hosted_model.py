"""A model as an application sees it: arrays in, arrays out, the device between two host parts."""

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
class HostedModel:
    """Preamble, quantization, device, dequantization and postamble, connected by tensor names.

    An input of a part is an input of the model, or an output of an earlier part, of that name. `run_device` maps stored
    NCHW bytes to stored NCHW bytes.
    """

    inputs: Sequence[HostTensor]
    outputs: Sequence[HostTensor]
    device_inputs: Sequence[QuantizedTensor]
    device_outputs: Sequence[QuantizedTensor]
    run_device: RunDevice
    preamble: HostGraph | None = None
    postamble: HostGraph | None = None

    def __call__(self, *inputs: ArrayLike | Mapping[str, ArrayLike]) -> list[Array]:
        """The model's outputs, in order, for one array an input, in order, or for one mapping from input names.

        Arrays have the model's own shapes (batch 1) and types; a float type is converted, a missing batch axis of 1
        added. Raises `InvalidArgument` for anything else.
        """
        values = self.named_inputs(inputs)
        device_inputs = self.device_bytes(values)
        return self.finish(values, self.run_device(device_inputs))

    def named_inputs(self, inputs: Sequence[ArrayLike | Mapping[str, ArrayLike]]) -> dict[str, Array]:
        """The inputs by name, checked. Raises `InvalidArgument`."""
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
        return {tensor.name: _checked(tensor, given) for tensor in self.inputs}

    def device_bytes(self, values: dict[str, Array]) -> list[I8]:
        """Run the preamble on the model's inputs, add its results to `values`; the device's stored inputs.

        Values of type int8 are stored bytes already.
        """
        if self.preamble is not None:
            values.update(self.preamble.run(values))
        moved = {tensor.name: np.moveaxis(values[tensor.name], -1, 1) for tensor in self.inputs if tensor.channels_last}
        named = [(tensor, moved.get(tensor.name, values[tensor.name])) for tensor in self.device_inputs]
        return [value if value.dtype == np.int8 else tensor.to_stored(value) for tensor, value in named]

    def finish(self, values: dict[str, Array], stored: Sequence[I8]) -> list[Array]:
        """The model's outputs from the device's; `values` as `device_bytes` left it."""
        raw = {tensor.name: array for tensor, array in zip(self.device_outputs, stored, strict=True)}
        values.update((tensor.name, tensor.to_real(raw[tensor.name])) for tensor in self.device_outputs)
        if self.postamble is not None:
            values.update(self.postamble.run(values))
        return [values[tensor.name] if tensor.device is None else raw[tensor.device] for tensor in self.outputs]


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
