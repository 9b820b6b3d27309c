"""The sensitivity of each layer, against the same computed one convolution at a time with ONNX Runtime."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import numpy as np
import onnx
import onnxruntime
import pytest
from island_networks import Islands, slow_host
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from axir.compiler import CompilerConfig, quantize
from axir.compiler.dataset import Samples
from axir.compiler.quantized_model import QuantizedModel
from axir.compiler.request import Request
from axir.compiler.sensitivity import EXAMINED, SIXTEEN_BITS, real_weights, sensitivity_report
from axir.dialects import axq
from axir.ir.diagnostics import AxirError
from axir.target.description import load

F32 = NDArray[np.float32]
SIDE, CHANNELS, COUNT = 6, 8, 3


def report(
    model: Any, inputs: list[F32], name: str = "x", target: Path | None = None, **settings: Any
) -> dict[str, Any]:
    request = Request(
        model, CompilerConfig(**settings), load(None if target is None else str(target)),
        lambda module, session: Samples(iter([{name: array} for array in inputs]), len(inputs)),
    )  # fmt: skip
    return sensitivity_report(request, samples=COUNT)


def samples(count: int = COUNT) -> list[F32]:
    return [
        np.random.default_rng(seed).standard_t(3, (1, CHANNELS, SIDE, SIDE)).astype(np.float32) for seed in range(count)
    ]


def weight(seed: int, group: int = 1) -> F32:
    random = np.random.default_rng(seed)
    return (random.standard_normal((CHANNELS, CHANNELS // group, 3, 3)) / 5).astype(np.float32)


WEIGHTS = {"first": weight(0), "dw": weight(1, CHANNELS), "last": weight(2)}
GROUPS = {"first": 1, "dw": CHANNELS, "last": 1}


def node(name: str, taken: str, given: str) -> onnx.NodeProto:
    return helper.make_node("Conv", [taken, f"{name}.w", f"{name}.b"], [given], name, pads=[1] * 4, group=GROUPS[name])


def model(nodes: list[onnx.NodeProto], tensors: dict[str, F32], given: str) -> onnx.ModelProto:
    shape = [1, CHANNELS, SIDE, SIDE]
    infos = [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name in ("x", given)]
    initializers = [numpy_helper.from_array(array, name) for name, array in tensors.items()]
    graph = helper.make_graph(nodes, "chain", infos[:1], infos[1:], initializers)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def chain() -> onnx.ModelProto:
    nodes = [node("first", "x", "a"), node("dw", "a", "b"), node("last", "b", "y")]
    biases = {f"{name}.b": np.linspace(-1, 1, CHANNELS, dtype=np.float32) for name in WEIGHTS}
    return model(nodes, {f"{name}.w": array for name, array in WEIGHTS.items()} | biases, "y")


def convolved(name: str, array: F32, weights: F32, bias: F32) -> F32:
    proto = model([node(name, "x", "y")], {f"{name}.w": weights, f"{name}.b": bias}, "y")
    session = onnxruntime.InferenceSession(proto.SerializeToString(), providers=["CPUExecutionProvider"])
    return cast(F32, session.run(None, {"x": array})[0])


def rounded(array: F32, element: axq.QuantType) -> F32:
    scale, zero = element.scalar
    return ((np.clip(np.rint(array / scale) + zero, -128, 127) - zero) * scale).astype(np.float32)


def decibels(exact: list[F32], found: list[F32]) -> float:
    noise = sum(float(((a.astype(np.float64) - b) ** 2).sum()) for a, b in zip(exact, found, strict=True))
    return 10 * float(np.log10(sum(float((a.astype(np.float64) ** 2).sum()) for a in exact) / noise))


@pytest.mark.parametrize("scheme", ["per_tensor_histogram", "per_tensor_min_max"])
def test_every_layer_alone(scheme: str) -> None:
    found = report(chain(), samples(), quantization_scheme=scheme)
    quantized = quantize(chain(), samples(), CompilerConfig(quantization_scheme=scheme))
    ops = dict(zip(WEIGHTS, (op for op in quantized.graph.walk() if isinstance(op, axq.ConvOp)), strict=True))
    bias = np.linspace(-1, 1, CHANNELS, dtype=np.float32)

    def run(layer: str = "", *, weights: bool = True, result: bool = True) -> list[F32]:
        outputs: list[F32] = []
        for array in samples():
            value = rounded(array, axq.quant_of(quantized.graph.body.block.args[0])) if layer == "x" else array
            for name, op in ops.items():
                there = layer == name
                parameters = real_weights(op, quantized.store) if there and weights else (WEIGHTS[name], bias)
                value = convolved(name, value, *parameters)
                value = rounded(value, axq.quant_of(op.result)) if there and result else value
            outputs.append(value)
        return outputs

    exact = run()
    layers = {layer["layer"]: layer for layer in found["layers"]}
    assert set(layers) == {"x", *WEIGHTS}
    for name, layer in layers.items():
        assert layer["sqnr_db"] == pytest.approx(decibels(exact, run(name)), abs=0.02)
        if name == "x":
            assert layer["weights_alone_db"] is None
            continue
        assert layer["weights_alone_db"] == pytest.approx(decibels(exact, run(name, result=False)), abs=0.02)
        assert layer["result_alone_db"] == pytest.approx(decibels(exact, run(name, weights=False)), abs=0.02)
    together = [quantized(array)[0] for array in samples()]
    assert found["together_db"] == pytest.approx(decibels(exact, together), abs=0.02)
    ordered = [layer["sqnr_db"] for layer in found["layers"]]
    assert ordered == sorted(ordered)
    assert sum(layer["share"] for layer in found["layers"]) == pytest.approx(1, abs=1e-5)


def test_real_weights_are_those_that_the_bytes_stand_for() -> None:
    quantized = quantize(chain(), samples(), CompilerConfig(quantize_dw_channel_wise=True))
    for (name, exact), op in zip(
        WEIGHTS.items(), (op for op in quantized.graph.walk() if isinstance(op, axq.ConvOp)), strict=True
    ):
        found, bias = real_weights(op, quantized.store)
        step = np.abs(exact).max(axis=(1, 2, 3), keepdims=True) / 127
        assert (np.abs(found - exact) <= step * 0.51).all(), name
        # Bias correction moves it by what the weights are off.
        assert bias == pytest.approx(np.linspace(-1, 1, CHANNELS), abs=0.1), name


def test_what_helps_is_measured() -> None:
    """Channels of very different ranges before a depthwise convolution; the best remedy comes first."""
    spread = np.geomspace(1, 100, CHANNELS, dtype=np.float32).reshape(-1, 1, 1, 1)
    proto = chain()
    for tensor in proto.graph.initializer:
        array = numpy_helper.to_array(tensor)
        if tensor.name == "first.w":
            tensor.CopyFrom(numpy_helper.from_array(array * spread, tensor.name))
        if tensor.name == "dw.w":
            tensor.CopyFrom(numpy_helper.from_array(array / spread, tensor.name))
    (layer,) = [layer for layer in report(proto, samples())["layers"] if layer["layer"] == "first"]
    helps = {one["what"]: one["sqnr_db"] for one in layer["helps"]}
    assert list(helps.values()) == sorted(helps.values(), reverse=True)
    assert helps["quantize_dw_channel_wise=true"] > layer["sqnr_db"] + 10
    assert helps[SIXTEEN_BITS] == pytest.approx(layer["weights_alone_db"], abs=0.1)
    again = report(proto, samples(), quantize_dw_channel_wise=True)
    (same,) = [layer for layer in again["layers"] if layer["layer"] == "first"]
    assert same["sqnr_db"] == pytest.approx(helps["quantize_dw_channel_wise=true"], abs=0.01)


def test_islands_and_integers(tmp_path: Path) -> None:
    """Segments in their order, what an island gives as an input, no row for what moves bytes; integers left out."""
    net = Islands()
    pooled = net.node("MaxPool", net.conv("x"), kernel_shape=[3, 3], pads=[1] * 4)
    last = net.conv(net.on_host("CumSum", pooled))
    index = net.index(last)
    net.indices.append(index)
    proto = net.model(last, index)
    found = report(proto, list(net.samples()), target=slow_host(tmp_path))
    places = {layer["layer"]: (layer["operator"], layer["part"]) for layer in found["layers"]}
    assert places == {
        "x": ("input", "main"),
        "conv_0": ("conv", "main"),
        "cumsum_2": ("input", "main1"),
        "conv_3": ("conv", "main1"),
    }
    assert found["outputs"] == [last]  # not the index, which is the host's
    assert found["together_db"] == pytest.approx(found["sum_of_layers_db"], abs=3)


def test_the_same_inputs_give_the_same_table() -> None:
    assert report(chain(), samples()) == report(chain(), samples())


def test_only_the_worst_are_examined(monkeypatch: pytest.MonkeyPatch) -> None:
    assert EXAMINED >= 4
    monkeypatch.setattr("axir.compiler.sensitivity.EXAMINED", 1)
    first, *others = report(chain(), samples(), activation_clipping="entropy")["layers"]
    assert first["helps"]
    assert not any(layer["helps"] for layer in others)


def test_16_bits_are_named_where_they_can_be() -> None:
    """The last layer, which nobody reads on the device, cannot have them."""
    layers = report(chain(), samples(), activation_clipping="entropy")["layers"]
    named = [layer["layer"] for layer in layers if SIXTEEN_BITS in [one["what"] for one in layer["helps"]]]
    assert named
    for name in named:
        quantize(chain(), samples(), CompilerConfig(widened_layers=(name,)))
    assert "last" not in named
    with pytest.raises(AxirError, match="cannot give 16 bits"):
        quantize(chain(), samples(), CompilerConfig(widened_layers=("last",)))


def test_refusals() -> None:
    quantized = quantize(chain(), samples())
    assert isinstance(quantized, QuantizedModel)
    with pytest.raises(AxirError, match="quantized already"):
        report(quantized, samples())
    with pytest.raises(AxirError, match="there are no calibration samples"):
        report(chain(), [])
    silent = chain()
    for tensor in silent.graph.initializer:
        tensor.CopyFrom(numpy_helper.from_array(0 * numpy_helper.to_array(tensor), tensor.name))
    with pytest.raises(AxirError, match="only zeros"):
        report(silent, samples())
