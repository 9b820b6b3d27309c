"""The whole of quantization: random networks stay close to float, failures leave no trace."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from xdsl.dialects.builtin import ArrayAttr, ModuleOp, TensorType, f32

from axir import numerics
from axir.dialects import ax, axq
from axir.dialects.axq import QuantType
from axir.dialects.base import build, integer, ints, shape_of
from axir.dialects.epilogue import EpilogueAttr, Step
from axir.interp.axq import Interpreter
from axir.ir.constants import constant_array, constant_attr
from axir.ir.context import make_context
from axir.ir.diagnostics import AxirError
from axir.ir.location import name_loc
from axir.ir.parsing import parse_module, verify
from axir.ir.printing import print_module
from axir.ir.store import WeightStore
from axir.passes.calibrate import calibrate
from axir.passes.quantization.float_graph import FloatGraph
from axir.passes.quantization.graph import depthwise_inputs, main_graph, shared_groups
from axir.passes.quantize import Scheme, quantize

SCHEMES: tuple[Scheme, ...] = ("per_tensor_min_max", "per_tensor_histogram", "hybrid_per_tensor_per_channel")


class Network:
    """Builds a float @main of the operators that reach the quantizer."""

    def __init__(self, seed: int):
        self.rng = np.random.default_rng(seed)
        self.store = WeightStore()
        self.graph = ax.GraphOp("main", [("x", TensorType(f32, (1, 3, 20, 20)))], ["y", "z"])

    def add(self, op: Any) -> Any:
        self.graph.body.block.add_op(op)
        return op.result

    def constant(self, *shape: int, scale: float = 1.0) -> Any:
        values = (self.rng.standard_normal(shape) * scale).astype(np.float32)
        return self.add(ax.ConstantOp(constant_attr(values, self.store)))

    def conv(self, x: Any, outputs: int, kernel: int, *steps: Step, extras: Any = (), group: int = 1) -> Any:
        inputs = shape_of(x)[1] // group
        weight = self.constant(outputs, inputs, kernel, kernel, scale=(2 / (inputs * kernel * kernel)) ** 0.5)
        bias = self.constant(outputs, scale=0.3)
        properties = {
            "strides": ints((1, 1)),
            "pads": ints((kernel // 2,) * 4),
            "dilations": ints((1, 1)),
            "group": integer(group),
            "epilogue": EpilogueAttr(steps),
        }
        return self.add(build(ax.ConvOp, [x, weight, bias, list(extras)], properties))

    def build(self) -> ModuleOp:
        (x,) = self.graph.body.block.args
        a = self.conv(x, 12, 3, Step("relu"))
        expanded = self.conv(a, 12, 1, Step("relu"))  # read by a depthwise convolution alone
        b = self.conv(expanded, 12, 3, Step("hard_swish"), group=12)
        slope = self.constant(12, 1, 1, scale=0.2)
        c = self.conv(b, 12, 1, Step("prelu"), Step("add"), extras=[slope, a])
        pool = {"kernel": ints((3, 3)), "strides": ints((2, 2)), "pads": ints((1,) * 4)}
        pool["dilations"] = ints((1, 1))
        d = self.add(build(ax.MaxPoolOp, [c], pool))
        halves = [
            self.add(
                build(
                    ax.SliceOp,
                    [d],
                    {
                        "starts": ints((0, at, 0, 0)),
                        "ends": ints((1, at + 6, 10, 10)),
                        "steps": ints((1,) * 4),
                    },
                )
            )
            for at in (0, 6)
        ]
        silu = self.add(build(ax.SiluOp, [halves[0]]))
        joined = self.add(build(ax.ConcatOp, [[halves[1], silu]], {"axis": integer(1)}))
        total = self.add(build(ax.AddOp, [joined, d]))
        weight = self.constant(12, 4, 2, 2, scale=0.2)
        window = {"strides": ints((2, 2)), "pads": ints((0,) * 4), "dilations": ints((1, 1))}
        up = {**window, "output_padding": ints((0, 0)), "group": integer(2)}
        y = self.add(build(ax.ConvTransposeOp, [total, weight, None, []], up))
        self.graph.body.block.add_op(ax.ReturnOp([y, a]))
        module = ModuleOp([self.graph])
        verify(module)
        return module


def parameters(value: Any, store: WeightStore) -> tuple[Any, Any]:
    element = axq.quant_of(value)
    assert isinstance(element, QuantType)
    if element.per_channel:
        scale: Any = element.scale
        zero: Any = element.zero_point
        return constant_array(scale, store).reshape(-1, 1, 1), constant_array(zero, store).reshape(-1, 1, 1)
    return np.float32(element.scalar[0]), np.int32(element.scalar[1])


def quantized_outputs(module: ModuleOp, store: WeightStore, x: Any) -> list[Any]:
    (graph,) = module.ops
    assert isinstance(graph, axq.GraphOp)
    scale, zero = parameters(graph.body.block.args[0], store)
    stored = Interpreter(graph, store).run([numerics.quantize(x, numerics.reciprocal(scale), zero)])
    returned = zip(stored, graph.terminator.operands, strict=True)
    return [numerics.dequantize(array, *parameters(value, store)) for array, value in returned]


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("seed", range(3))
def test_random_networks_stay_close_to_float(scheme: Scheme, seed: int) -> None:
    network = Network(seed)
    module = network.build()
    graph = main_graph(module)
    images = [network.rng.standard_normal((1, 3, 20, 20), np.float32) for _ in range(8)]
    returned = list(graph.terminator.operands)
    exact = FloatGraph(graph, network.store, returned).run({"x": images[0]})
    calibrate(graph, network.store, [{"x": image} for image in images], channels_for=depthwise_inputs(graph))
    quantize(graph, network.store, scheme)
    verify(module)
    for found, wanted in zip(quantized_outputs(module, network.store, images[0]), exact, strict=True):
        noise = 10 * np.log10((wanted**2).sum() / ((found - wanted) ** 2).sum())
        assert noise > 25


def test_the_result_reads_back_and_is_the_same_for_the_same_input() -> None:
    def text() -> str:
        network = Network(0)
        module = network.build()
        graph = main_graph(module)
        image = np.linspace(-1, 1, 1200, dtype=np.float32).reshape(1, 3, 20, 20)
        calibrate(graph, network.store, [{"x": image}], channels_for=depthwise_inputs(graph))
        quantize(graph, network.store, "hybrid_per_tensor_per_channel")
        return print_module(module)

    first = text()
    assert first == text()
    assert print_module(parse_module(make_context(), first, "test.mlir")) == first


def test_a_failure_leaves_the_module_as_it_was() -> None:
    network = Network(0)
    module = network.build()
    graph = main_graph(module)
    calibrate(graph, network.store, [{"x": np.ones((1, 3, 20, 20), np.float32)}], histogram=False)
    before = print_module(module)
    with pytest.raises(AxirError, match="no histogram"):
        quantize(graph, network.store, "per_tensor_histogram")
    with pytest.raises(AxirError, match="no extremes per channel"):
        quantize(graph, network.store, "per_tensor_min_max", dw_channel_wise=True)
    assert print_module(module) == before


def test_an_accumulator_that_could_overflow_names_the_layer() -> None:
    store = WeightStore()
    channels = 70_000
    graph = ax.GraphOp("main", [("x", TensorType(f32, (1, channels, 1, 1)))], ["y"])
    (x,) = graph.body.block.args
    weight = ax.ConstantOp(constant_attr(np.ones((1, channels, 1, 1), np.float32), store))
    ones, pads = ints((1, 1)), ints((0,) * 4)
    properties = {"strides": ones, "pads": pads, "dilations": ones, "group": integer(1)}
    conv = build(ax.ConvOp, [x, weight, None, []], properties)
    conv.attributes["ax.stats"] = ax.StatsAttr(0.0, 1.0)
    graph.attributes["arg_stats"] = ArrayAttr([ax.StatsAttr(0.0, 1.0)])
    conv.location = name_loc("Gemm_9", "net.onnx", 9)
    graph.body.block.add_ops([weight, conv, ax.ReturnOp([conv.result])])
    ModuleOp([graph])
    with pytest.raises(AxirError, match=r"output channel 0 can reach \d+, which does not fit 32 bits") as error:
        quantize(graph, store, "per_tensor_min_max")
    assert error.value.render().startswith("net.onnx:9:0: error: [Gemm_9] ")


def test_groups_are_in_program_order_and_complete() -> None:
    network = Network(0)
    network.build()
    groups = shared_groups(network.graph)
    members = [value for group in groups for value in group]
    assert len(members) == len(set(members)) == 12
    # conv c, max pool, two slices, silu, concat
    assert sorted(map(len, groups)) == [1, 1, 1, 1, 1, 1, 6]
