"""Devices, connections and model instances, on a small compiled network."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from small_networks import SIZE, save, sound

import axir.target
from axir.runtime import (
    Context,
    DeviceInUse,
    IncompatibleDevice,
    InvalidArgument,
    Model,
    device_connect,
    list_devices,
    load,
    load_model,
)
from axir.tools.axc import main as axc


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Model:
    folder = tmp_path_factory.mktemp("model")
    assert axc([str(save(sound(), folder / "net.onnx")), "-o", str(folder / "out")]) == 0
    return load_model(folder / "out" / "compiled_model" / "model.json")


def test_the_device_says_that_it_is_a_model() -> None:
    (device,) = list_devices()
    assert device.simulated
    assert str(device) == "metis-model:0: 4 cores, a device model in software (no chip)"


def test_frames_in_the_devices_layout(model: Model) -> None:
    x = np.random.default_rng(0).standard_normal((1, 3, SIZE, SIZE)).astype(np.float32)
    with Context() as context, context.device_connect() as connection:
        instance = connection.load_model_instance(context.load_model(model.path))
        (source,), (target,) = instance.inputs, instance.outputs
        assert (source.tensor_shape, target.tensor_shape) == ((1, 3, SIZE, SIZE), (1, 8, SIZE, SIZE))
        assert source.shape[3] == 4  # three channels of a first layer share a pword with other pixels
        assert target.shape[3] == 64
        output = target.allocate()
        instance.run([source.quantize(x)], [output])
        (expected,) = instance.hosted()(x)
        logits = target.dequantize(output)
        softmax = np.exp(logits) / np.exp(logits).sum(axis=3, keepdims=True)
        assert np.allclose(softmax, expected, atol=1e-6)
        assert instance.times().device * model.target.device.frequency == pytest.approx(instance.timing().cycles)


def test_load_is_the_same_with_float_arrays(model: Model) -> None:
    x = np.zeros((1, 3, SIZE, SIZE), np.float32)
    with device_connect() as connection:
        (expected,) = connection.load_model_instance(model).hosted()(x)
    assert np.array_equal(load(model.path.parent)(x)[0], expected)
    assert np.array_equal(load(model.path.parents[1])({"x": x})[0], expected)


def test_wrong_buffers(model: Model) -> None:
    with device_connect() as connection:
        instance = connection.load_model_instance(model)
        source, target = instance.inputs[0].allocate(), instance.outputs[0].allocate()
        with pytest.raises(InvalidArgument, match="the model has 1 inputs, 2 buffers given"):
            instance.run([source, source], [target])
        with pytest.raises(InvalidArgument, match="buffer of 'x' must be int8"):
            instance.run([source.astype(np.float32)], [target])  # pyright: ignore[reportArgumentType]
        with pytest.raises(InvalidArgument, match="must be int8"):
            instance.run([source], [target[:, :, :, :8]])
        target.flags.writeable = False
        with pytest.raises(InvalidArgument, match="read-only"):
            instance.run([source], [target])


def test_cores_are_shared_out() -> None:
    with Context() as context:
        first = context.device_connect(num_sub_devices=3)
        with pytest.raises(DeviceInUse, match="2 cores asked for; 1 of the 4 cores"):
            context.device_connect(num_sub_devices=2)
        first.close()
        context.device_connect(num_sub_devices=4)
        with pytest.raises(InvalidArgument, match="the device has 4 cores"):
            context.device_connect(num_sub_devices=5)
        other = replace(context.list_devices()[0], name="elsewhere:1")
        with pytest.raises(InvalidArgument, match="no device elsewhere:1"):
            context.device_connect(other)


def test_instances_take_cores_of_their_connection(model: Model) -> None:
    with device_connect(num_sub_devices=2) as connection:
        first = connection.load_model_instance(model)
        connection.load_model_instance(model)
        with pytest.raises(DeviceInUse, match="needs 1 core; 0 of the connection's 2 are free"):
            connection.load_model_instance(model)
        first.close()
        connection.load_model_instance(model)


def test_a_device_of_another_target_is_incompatible(model: Model, tmp_path: Path) -> None:
    shipped = Path(axir.target.__file__).with_name("metis.toml").read_text("utf-8")
    other = tmp_path / "other.toml"
    other.write_text(shipped.replace("dispatch = { value = 100", "dispatch = { value = 50"), "utf-8")
    with Context(other) as context, context.device_connect() as connection:
        with pytest.raises(IncompatibleDevice, match="the model is for target 'metis'"):
            connection.load_model_instance(model)
