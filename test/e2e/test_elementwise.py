"""Functions of one tensor, operands that broadcast, and pads, from ONNX to the device model, bit for bit."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from on_device import check_on_device
from onnx import helper, numpy_helper

SHAPE = (1, 5, 7, 6)
OPSET = 18


class Graph:
    """Nodes in their order; every method returns the name of the value that it adds."""

    def __init__(self, shape: Sequence[int] = SHAPE):
        self.inputs = {"x": tuple(shape)}
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []

    def __call__(self, kind: str, *inputs: str | float | NDArray[Any], **attributes: Any) -> str:
        names = [value if isinstance(value, str) else self.constant(np.asarray(value)) for value in inputs]
        name = f"{kind}{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, names, [name], name, **attributes))
        return name

    def constant(self, array: NDArray[Any]) -> str:
        wide = array.astype(np.float32) if array.dtype.kind == "f" else array.astype(np.int64)
        self.constants.append(numpy_helper.from_array(wide, f"c{len(self.constants)}"))
        return self.constants[-1].name

    def input(self, *shape: int) -> str:
        name = f"x{len(self.inputs)}"
        self.inputs[name] = shape
        return name

    def model(self) -> onnx.ModelProto:
        taken = {name for node in self.nodes for name in node.input}
        self.inputs = {name: shape for name, shape in self.inputs.items() if name in taken}
        inputs = [helper.make_tensor_value_info(name, 1, shape) for name, shape in self.inputs.items()]
        result = helper.make_tensor_value_info(self.nodes[-1].output[0], 1, None)
        graph = helper.make_graph(self.nodes, "g", inputs, [result], self.constants)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=8)
        return onnx.shape_inference.infer_shapes(model, strict_mode=True)


def check(graph: Graph, folder: Path) -> None:
    model, rng = graph.model(), np.random.default_rng(7)
    samples = [
        {name: rng.uniform(-3, 3, shape).astype(np.float32) for name, shape in graph.inputs.items()} for _ in range(6)
    ]
    check_on_device(model, samples, folder)


def conv_before(kind: str, spread: float = 0.6, **attributes: Any) -> Callable[[Graph], object]:
    def build(g: Graph) -> None:
        weight = np.random.default_rng(1).normal(0, spread, (6, 5, 3, 3)).astype(np.float32)
        g(kind, g("Conv", "x", weight, pads=[1, 1, 1, 1]), **attributes)

    return build


FUNCTIONS: dict[str, Callable[[Graph], object]] = {
    "abs": lambda g: g("Abs", "x"),
    "celu": lambda g: g("Celu", "x", alpha=0.7),
    "elu": lambda g: g("Elu", "x"),
    "elu of another alpha": lambda g: g("Elu", "x", alpha=0.4),
    "elu of a convolution": conv_before("Elu", alpha=1.4),
    "erf": lambda g: g("Erf", "x"),
    "gelu by erf of a factor": lambda g: g("Mul", g("Add", g("Erf", g("Mul", "x", 0.9)), 1.0), 0.5),
    "l1": lambda g: g("ReduceL1", "x", np.array([2, 3])),
    "least of each map": lambda g: g("ReduceMin", "x", np.array([2, 3])),
    "least of each row": lambda g: g("ReduceMin", "x", np.array([3])),
    "mish": lambda g: g("Mish", "x"),
    "mish of a convolution": conv_before("Mish"),
    "negative": lambda g: g("Neg", "x"),
    "negative of a convolution": lambda g: g("Neg", g("Conv", "x", random(4, C, 1, 1))),
    "pow": lambda g: g("Pow", "x", 3.0),
    "selu": lambda g: g("Selu", "x"),
    "selu of a convolution": conv_before("Selu"),
    "softplus": lambda g: g("Softplus", "x"),
    "softplus spelled out": lambda g: g("Log", g("Add", 1.0, g("Exp", "x"))),
    "log of a sigmoid": lambda g: g("Mul", g("Softplus", g("Neg", "x")), -1.0),
    "cosine": lambda g: g("Cos", "x"),
    "fractional power": lambda g: g("Pow", g("Relu", "x"), 1.5),
    "sine of a convolution": conv_before("Sin", 0.05),
    "softsign": lambda g: g("Softsign", "x"),
    "thresholded relu": lambda g: g("ThresholdedRelu", "x", alpha=0.0),
}


def random(*shape: int) -> NDArray[np.float32]:
    return np.random.default_rng(5).uniform(-2, 2, shape).astype(np.float32)


_, C, H, W = SHAPE
BROADCASTS: dict[str, Callable[[Graph], object]] = {
    "a map of one channel": lambda g: g("Mul", "x", g.input(1, 1, H, W)),
    "one number": lambda g: g("Add", g.input(1, 1, 1, 1), "x"),
    "a row": lambda g: g("Add", "x", g.input(1, C, 1, W)),
    "a column": lambda g: g("Mul", g.input(1, C, H, 1), "x"),
    "a row of one channel": lambda g: g("Sub", "x", g.input(1, 1, 1, W)),
    "a column, from which is subtracted": lambda g: g("Sub", g.input(1, C, H, 1), "x"),
    "a constant tensor": lambda g: g("Add", "x", random(*SHAPE)),
    "a constant tensor of three dimensions": lambda g: g("Sub", random(C, H, W), "x"),
    "a constant map": lambda g: g("Mul", random(H, W), "x"),
    "a constant row": lambda g: g("Add", "x", random(W)),
    "a constant column": lambda g: g("Div", "x", 3 + random(1, 1, H, 1)),
    "a vector and a map": lambda g: g("Add", g.input(1, C, 1, 1), g.input(1, 1, H, W)),
    "a row and a column": lambda g: g("Mul", g.input(1, C, 1, W), g.input(1, C, H, 1)),
    "a column and a row of one channel": lambda g: g("Add", g.input(1, C, H, 1), g.input(1, 1, 1, W)),
    "a vector and a constant map": lambda g: g("Add", g.input(1, C, 1, 1), random(1, 1, H, W)),
    "a map and a constant vector": lambda g: g("Mul", g.input(1, 1, H, W), random(C, 1, 1)),
    "a column and a constant row": lambda g: g("Add", g.input(1, C, H, 1), random(1, C, 1, W)),
    "a convolution and a row": lambda g: g("Relu", g("Add", g("Conv", "x", random(C, C, 1, 1)), g.input(1, C, 1, W))),
    "a convolution and a constant map": lambda g: g("Add", g("Conv", "x", random(C, C, 1, 1)), random(H, W)),
    "the greater of two": lambda g: g("Max", "x", g.input(*SHAPE)),
    "the least of three": lambda g: g("Min", "x", g.input(1, C, H, 1), g.input(1, 1, 1, W)),
    "the greater of a map and a vector": lambda g: g("Max", "x", random(C, 1, 1)),
    "the lesser of a map and a number": lambda g: g("Min", "x", 0.5),
    "a difference": lambda g: g("Sub", "x", g.input(*SHAPE)),
    "a difference from a convolution": lambda g: g("Sub", g("Conv", "x", random(C, C, 1, 1)), g.input(1, C, 1, W)),
    "a difference that is used twice": lambda g: g("Mul", g("Sub", "x", g.input(1, C, H, 1)), "x1"),
    "a mean of three": lambda g: g("Mean", "x", g.input(*SHAPE), g.input(1, C, 1, 1)),
    "a convolution, the greater of it and a row": lambda g: g(
        "LeakyRelu", g("Max", g.input(1, C, 1, W), g("Conv", "x", random(C, C, 1, 1)))
    ),
    "a slope of positions": lambda g: g("PRelu", "x", random(H, W)),
    "a computed slope": lambda g: g("PRelu", "x", g.input(1, C, H, 1)),
    "expanded": lambda g: g("Expand", g.input(1, C, 1, 1), np.array(SHAPE)),
    "expanded channels": lambda g: g("Expand", g.input(1, 1, H, W), np.array(SHAPE)),
    "expanded parts": lambda g: g("Relu", g("Concat", "x", g("Expand", g.input(1, 1, 1, W), np.array(SHAPE)), axis=1)),
    "tiled": lambda g: g("Tile", g.input(1, C, 1, W), np.array([1, 1, H, 1])),
}


PADS: dict[str, Callable[[Graph], object]] = {
    "with a number": lambda g: g("Pad", "x", np.array([0, 0, 2, 1, 0, 0, 0, 3]), -1.5),
    "channels with zeros": lambda g: g("Pad", "x", np.array([0, 2, 0, 0, 0, 3, 0, 0])),
    "all with a number": lambda g: g("Pad", "x", np.array([0, 1, 2, 1, 0, 70, 0, 3]), 0.75),
    "all with zeros": lambda g: g("Pad", "x", np.array([0, 1, 2, 1, 0, 0, 0, 3])),
    "less than nothing": lambda g: g("Pad", "x", np.array([0, -1, -2, 1, 0, 1, 0, -3]), 0.5),
    "of a convolution": lambda g: g("Pad", g("Conv", "x", random(C, C, 1, 1)), np.array([0, 3, 0, 0, 0, 0, 1, 0]), 2.0),
    "in a mean": lambda g: g(
        "AveragePool", g("Pad", "x", np.array([0, 0, 1, 1, 0, 0, 1, 1]), 1.0), kernel_shape=[3, 3], strides=[2, 2]
    ),
    "mirrored, cropped": lambda g: g("Pad", "x", np.array([0, 0, 3, -1, 0, 0, 2, 4]), mode="reflect"),
    "far": lambda g: g("Pad", "x", np.array([0, 0, 13, 0, 0, 0, 20, 30]), mode="edge"),
}


@pytest.mark.parametrize("name", PADS)
def test_pads(name: str, tmp_path: Path) -> None:
    graph = Graph()
    PADS[name](graph)
    graph("Relu", graph.nodes[-1].output[0])  # what moves only at the end is the host's
    check(graph, tmp_path)


@pytest.mark.parametrize("name", BROADCASTS)
def test_broadcasts(name: str, tmp_path: Path) -> None:
    graph = Graph()
    BROADCASTS[name](graph)
    check(graph, tmp_path)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions(name: str, tmp_path: Path) -> None:
    graph = Graph()
    FUNCTIONS[name](graph)
    check(graph, tmp_path)
