"""Compiled models on a device: as NumPy buffers in the device's layout, or as float arrays with the host's parts.

    with Context() as context, context.device_connect() as connection:
        model = context.load_model("out/compiled_model/model.json")
        instance = connection.load_model_instance(model)
        inputs = [info.quantize(array) for info, array in zip(instance.inputs, arrays)]
        outputs = [info.allocate() for info in instance.outputs]
        instance.run(inputs, outputs)
        results = [info.dequantize(buffer) for info, buffer in zip(instance.outputs, outputs)]

    network = load("out")
    probabilities, = network(image)

No chip is here: the device is a model in software, and every time it gives is modelled.
"""

from pathlib import Path

from axir.backends.aipu.simulator import CoreFault
from axir.runtime.allocation import Extent
from axir.runtime.cascade import Cascade, load_cascade
from axir.runtime.device import Connection, Context, Device, ModelInstance, list_devices
from axir.runtime.errors import DeviceInUse, IncompatibleDevice, InvalidArgument
from axir.runtime.hosted_model import HostedModel
from axir.runtime.inference_stream import InferenceStream
from axir.runtime.model import Model, load_model
from axir.runtime.options import RuntimeOptions
from axir.runtime.tensor_info import TensorInfo
from axir.runtime.timing import FrameTimes, Transfers

__all__ = [
    "Cascade",
    "Connection",
    "Context",
    "CoreFault",
    "Device",
    "DeviceInUse",
    "Extent",
    "FrameTimes",
    "HostedModel",
    "IncompatibleDevice",
    "InferenceStream",
    "InvalidArgument",
    "Model",
    "ModelInstance",
    "RuntimeOptions",
    "TensorInfo",
    "Transfers",
    "device_connect",
    "list_devices",
    "load",
    "load_cascade",
    "load_model",
]


def device_connect(device: Device | None = None, num_sub_devices: int = 1) -> Connection:
    """Reserve cores of a device in a context of its own."""
    return Context().device_connect(device, num_sub_devices)


def load(path: str | Path) -> HostedModel:
    """A compiled model (its folder or model.json) as a function of float arrays, on a device model of its own target.

    Raises `OSError` and `AxirError` as `load_model` does.
    """
    model = load_model(path)
    target_file = None if model.file.target_file is None else model.path.parent / model.file.target_file
    context = Context(target_file)
    return context.device_connect(num_sub_devices=model.file.cores).load_model_instance(model).hosted()
