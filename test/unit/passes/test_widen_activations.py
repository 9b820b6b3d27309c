"""Layers of 16 bits: the float network stays, the quantized one comes closer to it, the device agrees with it."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from xdsl.ir import Operation, SSAValue

from axir.compiler import CompilerConfig, compile, quantize
from axir.compiler.quantized_model import QuantizedModel
from axir.dialects import ax
from axir.frontends.onnx import import_model
from axir.interp.ax import run_graph
from axir.ir.context import make_context
from axir.ir.diagnostics import AxirError
from axir.ir.location import layer_name
from axir.ir.pass_manager import run_passes
from axir.ir.printing import print_module
from axir.passes.calibrate import Calibrate
from axir.passes.pipeline import GRAPH_PASSES
from axir.passes.quantization.graph import main_graph
from axir.passes.widen_activations import WidenActivations, product_stats, rounding_stats
from axir.registry import passes

F32 = NDArray[np.float32]
CHANNELS, SIDE = 6, 7
ACTIVATIONS: dict[str, list[tuple[str, dict[str, Any]]]] = {
    "none": [],
    "relu": [("Relu", {})],
    "leaky": [("LeakyRelu", {"alpha": 0.1})],
    "silu": [("Sigmoid", {}), ("Mul", {})],
}


class Chain:
    """A network of convolutions `layer0`, `layer1`, ..., each of which reads the one before."""

    def __init__(self, seed: int = 0):
        self.random = np.random.default_rng(seed)
        self.nodes: list[onnx.NodeProto] = []
        self.weights: list[TensorProto] = []
        self.value, self.count = "x", 0

    def constant(self, *shape: int) -> str:
        array = self.random.standard_normal(shape) / np.sqrt(max(1, np.prod(shape[1:])))
        self.weights.append(numpy_helper.from_array(array.astype(np.float32), f"w{len(self.weights)}"))
        return self.weights[-1].name

    def node(self, kind: str, *inputs: str, name: str = "", **attributes: Any) -> str:
        result = f"t{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, inputs, [result], name or result, **attributes))
        return result

    def layer(self, kind: str = "conv", activation: str = "none", residual: str | None = None) -> str:
        name = f"layer{self.count}"
        self.count += 1
        if kind == "average":
            x = self.node("AveragePool", self.value, name=name, kernel_shape=[3, 3], pads=[1] * 4)
        else:
            group = CHANNELS if kind == "depthwise" else 1
            operator = "ConvTranspose" if kind == "transposed" else "Conv"
            inputs = [self.value, self.constant(CHANNELS, CHANNELS // group, 3, 3), self.constant(CHANNELS)]
            x = self.node(operator, *inputs, name=name, pads=[1] * 4, group=group)
        x = x if residual is None else self.node("Add", x, residual)
        before = x
        for step, attributes in ACTIVATIONS[activation]:
            x = self.node(step, *([x, before] if step == "Mul" else [x]), **attributes)
        self.value = x
        return x

    def model(self) -> onnx.ModelProto:
        shape = [1, CHANNELS, SIDE, SIDE]
        infos = [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name in ("x", self.value)]
        graph = helper.make_graph(self.nodes, "chain", infos[:1], infos[1:], self.weights)
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def samples(count: int = 4) -> list[F32]:
    random = np.random.default_rng(1)
    return [random.standard_normal((1, CHANNELS, SIDE, SIDE)).astype(np.float32) for _ in range(count)]


def noise(quantized: QuantizedModel, model: onnx.ModelProto) -> float:
    """Squared differences of the outputs from those of the float graph, over the samples."""
    context = make_context()
    module = import_model(model, context)
    exact = [run_graph(main_graph(module), [array], context.store)[0] for array in samples()]
    return sum(float(np.square(quantized(array)[0] - y).sum()) for array, y in zip(samples(), exact, strict=True))


SCHEMES = ["per_tensor_histogram", "per_tensor_min_max", "hybrid_per_tensor_per_channel"]


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("reader", ["conv", "transposed"])
def test_what_rounding_takes_away_comes_back(reader: str, scheme: Any) -> None:
    chain = Chain()
    chain.layer("depthwise")
    chain.layer(reader)
    model = chain.model()
    plain = quantize(model, samples(), CompilerConfig(quantization_scheme=scheme))
    wide = quantize(model, samples(), CompilerConfig(quantization_scheme=scheme, widened_layers=("layer0",)))
    assert noise(wide, model) < 0.8 * noise(plain, model)


@pytest.mark.parametrize("scheme", SCHEMES[:2])
def test_sixteen_bits_hold_channels_of_very_different_ranges(scheme: Any) -> None:
    """Channels differ by powers of four, and the next weights take it back: rounding of the first result is all."""
    chain = Chain()
    chain.layer("conv", "relu")
    chain.layer("depthwise")
    model = chain.model()
    scales = 4.0 ** np.arange(CHANNELS)
    for tensor, factor in zip(model.graph.initializer[:3], (scales, scales, 1 / scales), strict=True):
        array = numpy_helper.to_array(tensor)
        array = array * factor.reshape(-1, *(1 for _ in array.shape[1:]))
        tensor.CopyFrom(numpy_helper.from_array(array.astype(np.float32), tensor.name))
    plain = quantize(model, samples(), CompilerConfig(quantization_scheme=scheme))
    wide = quantize(model, samples(), CompilerConfig(quantization_scheme=scheme, widened_layers=("layer0",)))
    assert noise(wide, model) < 0.05 * noise(plain, model)


def test_averages_take_both() -> None:
    chain = Chain()
    chain.layer("depthwise")
    chain.layer("average")
    model = chain.model()
    plain, wide = (quantize(model, samples(), CompilerConfig(widened_layers=layers)) for layers in ((), ("layer0",)))
    assert noise(wide, model) < 0.95 * noise(plain, model)


def test_residuals_take_both() -> None:
    chain = Chain(2)
    first = chain.layer("conv", "relu")
    chain.layer("conv", "relu")
    chain.layer("conv", "none", residual=first)
    model = chain.model()
    plain, wide = (quantize(model, samples(), CompilerConfig(widened_layers=layers)) for layers in ((), ("layer0",)))
    assert "epilogue <add, add>" in print_module(wide.module)
    assert noise(wide, model) < 0.95 * noise(plain, model)


def calibrated(model: onnx.ModelProto) -> tuple[Any, Any]:
    context = make_context()
    module = import_model(model, context)
    run_passes(context, module, [passes()[name].load()() for name in GRAPH_PASSES])
    Calibrate(num_samples=2, scheme="per_tensor_histogram").apply(context, module)
    return context, module


LAYERS = st.tuples(
    st.sampled_from(["conv", "depthwise", "transposed", "average"]), st.sampled_from(list(ACTIVATIONS)), st.booleans()
)


@given(seed=st.integers(0, 99), layers=st.lists(LAYERS, min_size=2, max_size=5), wide=st.sets(st.integers(0, 3)))
@pytest.mark.filterwarnings("ignore")
def test_random_networks(
    seed: int, layers: list[tuple[str, str, bool]], wide: set[int], tmp_path_factory: pytest.TempPathFactory
) -> None:
    """The float graph computes what it did, its low parts are 0; reference and device agree on the quantized one."""
    chain = Chain(seed)
    earlier: str | None = None
    for kind, activation, residual in layers:
        value = chain.value
        chain.layer(kind, activation, earlier if residual else None)
        earlier = value if value != "x" else None
    model = chain.model()
    names = tuple(f"layer{index}" for index in sorted(wide) if index < len(layers) - 1)
    context, module = calibrated(model)
    (before,) = (run_graph(main_graph(module), [array], context.store)[0] for array in samples(1))
    possible: list[str] = []
    for name in names:
        with suppress(AxirError):  # that it cannot give 16 bits
            WidenActivations(widened_layers=(*possible, name)).apply(context, module.clone())
            possible.append(name)
    assume(possible)
    WidenActivations(widened_layers=tuple(possible)).apply(context, module)
    graph = main_graph(module)
    low: list[F32] = []

    def keep(value: SSAValue, array: F32) -> None:
        assert isinstance(value.owner, Operation)
        if layer_name(value.owner).endswith(".low"):
            low.append(array)

    (after,) = run_graph(graph, samples(1), context.store, keep)
    assert np.array_equal(before, after)
    assert len(low) == len(possible)
    assert not any(array.any() for array in low)
    config = CompilerConfig(widened_layers=tuple(possible))
    compile(model, config, tmp_path_factory.mktemp("out") / "out", calibration_dataset=samples(), check=1)


def test_statistics_of_rounding() -> None:
    """Against what rounding random numbers to a step takes away, and products of it with weights."""
    random = np.random.default_rng(0)
    scale, weights = 0.25, random.standard_normal((3, 40)) * np.array([[0.1], [1.0], [3.0]])
    values = random.uniform(-20, 20, (40, 20000))
    lost = values - np.rint(values / scale) * scale
    store = make_context().store
    stats = rounding_stats(scale, 3, store)
    assert np.abs(lost).max() <= stats.maximum.value.data == -stats.minimum.value.data == scale / 2
    deviations = (weights @ lost).std(axis=1)
    found = product_stats(scale, weights, store)
    assert found.maximum.value.data == pytest.approx(4 * deviations.max(), rel=0.02)
    assert isinstance(found, ax.StatsAttr)
    silent = product_stats(scale, np.zeros((2, 4)), store)
    assert silent.maximum.value.data == 0


def test_every_reader_in_the_list_leaves_room_for_its_own(tmp_path: Path) -> None:
    """A layer that is widened keeps room in its epilogue; where it has none, it takes eight bits."""
    chain = Chain()
    for _ in range(3):
        chain.layer("conv", "relu")
    model = chain.model()
    with pytest.raises(AxirError, match="nothing that reads it can take 16 bits"):
        quantize(model, samples(), CompilerConfig(widened_layers=("layer0", "layer1")))
    linear = Chain()
    for _ in range(3):
        linear.layer("conv")
    config = CompilerConfig(widened_layers=("layer0", "layer1"))
    compile(linear.model(), config, tmp_path / "out", calibration_dataset=samples(), check=2)
