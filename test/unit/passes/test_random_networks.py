"""Random networks of the operators that the passes look at: whatever fires, the meaning stays."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import onnx
import pytest
from graph_runs import apply, assert_close, graphs, run_exported, run_onnx
from numpy.typing import NDArray
from onnx import ModelProto, TensorProto, helper, numpy_helper

from axir.frontends.onnx import import_model
from axir.ir.context import make_context
from axir.ir.printing import print_module
from axir.passes.pipeline import GRAPH_PASSES

Shape = tuple[int, ...]


class Network:
    """Grows one node after the other; `self.value` is the last tensor, of shape [1, C, H, W]."""

    def __init__(self, seed: int):
        self.rng = np.random.default_rng(seed)
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[TensorProto] = []
        self.value, self.shape = "input", (1, self.pick(1, 3, 8), 12, 10)
        self.input_shape = self.shape
        self.seen: list[tuple[str, Shape]] = []

    def pick(self, *choices: Any) -> Any:
        return choices[self.rng.integers(len(choices))]

    def constant(self, array: NDArray[Any]) -> str:
        name = f"c{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(array, name))
        return name

    def number(self, value: float) -> str:
        return self.constant(np.float32(value).reshape(self.pick((), (1,), (1, 1, 1, 1))))

    def number0(self, value: float) -> str:
        return self.constant(np.float32(value).reshape(()))

    def random(self, *shape: int, low: float = -1.0, high: float = 1.0) -> str:
        return self.constant(self.rng.uniform(low, high, shape).astype(np.float32))

    def node(self, kind: str, *inputs: str, **attributes: Any) -> str:
        name = f"{kind}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, inputs, [name], name=name, **attributes))
        return name

    def step(self, value: str, shape: Sequence[int] | None = None) -> None:
        self.seen.append((self.value, self.shape))
        self.value, self.shape = value, tuple(shape or self.shape)

    def model(self) -> ModelProto:
        inputs = [helper.make_tensor_value_info("input", TensorProto.FLOAT, self.input_shape)]
        outputs = [helper.make_tensor_value_info(self.value, TensorProto.FLOAT, self.shape)]
        graph = helper.make_graph(self.nodes, "random", inputs, outputs, self.constants)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
        onnx.checker.check_model(model, full_check=True)
        return model


def convolution(n: Network) -> None:
    _, c, h, w = n.shape
    group = n.pick(1, 1, c)
    k, stride, pad = n.pick(1, 3), n.pick(1, 1, 2), n.pick(0, 1)
    if min(h, w) + 2 * pad < k:
        return
    outputs = c if group > 1 else n.pick(4, 6, 8)
    operands = [n.random(outputs, c // group, k, k), *([n.random(outputs)] if n.pick(0, 1) else [])]
    value = n.node("Conv", n.value, *operands, group=group, strides=[stride] * 2, pads=[pad] * 4)
    n.step(value, (1, outputs, (h + 2 * pad - k) // stride + 1, (w + 2 * pad - k) // stride + 1))


def transposed(n: Network) -> None:
    _, c, h, w = n.shape
    if h * w > 200:
        return
    n.step(n.node("ConvTranspose", n.value, n.random(c, 4, 2, 2), strides=[2, 2]), (1, 4, 2 * h, 2 * w))


def batch_norm(n: Network) -> None:
    c = n.shape[1]
    parameters = [n.random(c), n.random(c), n.random(c), n.random(c, low=0.5, high=2.0)]
    n.step(n.node("BatchNormalization", n.value, *parameters))


def constant_arithmetic(n: Network) -> None:
    c = n.shape[1]
    operand = n.pick(n.number(n.pick(0.5, 2.0, -1.5)), n.random(1, c, 1, 1, low=0.5), n.random(c, 1, 1, low=0.5))
    operands = (n.value, operand) if n.pick(0, 1, 1) else (operand, n.value)
    kind = n.pick("Add", "Sub", "Mul", "Div") if operands[0] == n.value else n.pick("Add", "Sub", "Mul")
    n.step(n.node(kind, *operands))


def activation(n: Network) -> None:
    x, c = n.value, n.shape[1]
    clipped = lambda: n.node("Clip", n.node("Add", x, n.number(3)), n.number0(0), n.number0(6))  # noqa: E731
    spelled: list[Callable[[], str]] = [
        lambda: n.node("Relu", x),
        lambda: n.node("Clip", x, n.number0(-1), n.number0(2)),
        lambda: n.node("LeakyRelu", x, alpha=0.1),
        lambda: n.node("PRelu", x, n.random(c, 1, 1)),
        lambda: n.node("Mul", x, n.node("Sigmoid", x)),
        lambda: n.node("Div", n.node("Mul", x, clipped()), n.number(6)),
        lambda: n.node("Mul", x, n.node("Div", clipped(), n.number(6))),
        lambda: n.node("HardSwish", x),
        lambda: n.node("HardSigmoid", x),
        lambda: n.node("Tanh", x),
        lambda: n.node("Softmax", x, axis=1),
        lambda: n.node("Mul", n.number(1.5), n.node("Sigmoid", n.node("Add", x, n.number(-0.5)))),
    ]
    n.step(spelled[n.rng.integers(len(spelled))]())


def pooling(n: Network) -> None:
    _, c, h, w = n.shape
    if min(h, w) < 3:
        return
    kind, k, stride = n.pick("MaxPool", "AveragePool"), n.pick(2, 3), n.pick(1, 2)
    pads = n.pick([0] * 4, [1] * 4)
    value = n.node(kind, n.value, kernel_shape=[k, k], strides=[stride] * 2, pads=pads)
    n.step(value, (1, c, *((size + 2 * pads[0] - k) // stride + 1 for size in (h, w))))


def padding(n: Network) -> None:
    _, c, h, w = n.shape
    pads = n.constant(np.array([0, 0, 1, 0, 0, 0, 1, 2], np.int64))
    n.step(n.node("Pad", n.value, pads), (1, c, h + 2, w + 2))


def residual(n: Network) -> None:
    same = [name for name, shape in n.seen if shape == n.shape and name != n.value]
    if same:
        n.step(n.node(n.pick("Add", "Sub", "Mul"), n.value, n.pick(*same)))


def joined(n: Network) -> None:
    fitting = [(name, shape) for name, shape in n.seen if shape[2:] == n.shape[2:]]
    if fitting:
        name, shape = n.pick(*fitting)
        n.step(n.node("Concat", n.value, name, axis=1), (1, n.shape[1] + shape[1], *n.shape[2:]))


def gate(n: Network) -> None:
    c = n.shape[1]
    mean = n.pick(n.node("GlobalAveragePool", n.value), n.node("ReduceMean", n.value, axes=[2, 3], keepdims=1))
    weights = n.node("HardSigmoid", n.node("Conv", mean, n.random(c, c, 1, 1)))
    n.step(n.node("Mul", n.value, weights))


def shuffle(n: Network) -> None:
    _, c, h, w = n.shape
    if c % 2 == 0:
        apart = n.node("Reshape", n.value, n.constant(np.array([1, 2, c // 2, h, w], np.int64)))
        swapped = n.node("Transpose", apart, perm=[0, 2, 1, 3, 4])
        n.step(n.node("Reshape", swapped, n.constant(np.array([1, c, h, w], np.int64))))


def moved(n: Network) -> None:
    _, c, h, w = n.shape
    match n.pick("transpose", "softmax", "rows", "split"):
        case "transpose":
            perm = n.pick([0, 1, 3, 2], [0, 2, 1, 3], [0, 3, 2, 1], [0, 2, 3, 1])
            n.step(n.node("Transpose", n.value, perm=perm), [n.shape[axis] for axis in perm])
        case "softmax":
            n.step(n.node("Softmax", n.value, axis=n.pick(2, 3)))
        case "rows":
            flat = n.node("Reshape", n.value, n.constant(np.array([1, c, h * w], np.int64)))
            done = n.node(n.pick("Sigmoid", "Relu"), flat)
            n.step(n.node("Reshape", done, n.constant(np.array(n.shape, np.int64))))
        case _ if h % 2 == 0:
            n.step(
                n.node("Reshape", n.value, n.constant(np.array([1, 2 * c, h // 2, w], np.int64))), (1, 2 * c, h // 2, w)
            )


def enlarged(n: Network) -> None:
    _, c, h, w = n.shape
    if h * w <= 100:
        n.step(
            n.node(
                "Resize", n.value, "", n.constant(np.array([1, 1, 2, 2], np.float32)), mode="nearest",
                coordinate_transformation_mode="asymmetric", nearest_mode="floor",
            ),
            (1, c, 2 * h, 2 * w),
        )  # fmt: skip


def resized(n: Network) -> None:
    c = n.shape[1]
    sizes = (n.rng.integers(2, 15), n.rng.integers(2, 15))
    none = n.constant(np.zeros(0, np.float32))
    target = n.constant(np.array([1, c, *sizes], np.int64))
    mode, coordinates = n.pick("nearest", "linear"), n.pick("half_pixel", "align_corners", "asymmetric")
    value = n.node("Resize", n.value, none, none, target, mode=mode, coordinate_transformation_mode=coordinates)
    n.step(value, (1, c, int(sizes[0]), int(sizes[1])))


STEPS = (
    convolution, convolution, convolution, transposed, batch_norm, batch_norm, constant_arithmetic, constant_arithmetic,
    activation, activation, pooling, padding, residual, residual, joined, gate, shuffle, enlarged,
    moved, resized,
)  # fmt: skip


def dense_head(n: Network) -> None:
    if n.pick(0, 1):
        n.step(n.node("GlobalAveragePool", n.value), (*n.shape[:2], 1, 1))
    inputs = int(np.prod(n.shape))
    flat = n.node("Flatten", n.value)
    hidden = n.node("Gemm", flat, n.random(inputs, 6), n.random(6), alpha=0.5, transB=0)
    hidden = n.pick(n.node("Relu", hidden), n.node("Add", hidden, n.random(6)), hidden)
    n.step(n.node("MatMul", hidden, n.random(6, 4)), (1, 4))
    if n.pick(0, 1):
        n.step(n.node("Softmax", n.value, axis=1))


def network(seed: int) -> ModelProto:
    n = Network(seed)
    convolution(n)
    for _ in range(12):
        STEPS[n.rng.integers(len(STEPS))](n)
    if n.pick(0, 1):
        dense_head(n)
    elif n.value == "input":
        activation(n)
    return n.model()


OPTIONS = ("", "apply-arithmetic-simplification=false", "simplify-mac-before-after-lut=false")
WITH_OPTIONS = ("canonicalize-graph", "dense-to-conv")


@pytest.mark.parametrize("seed", range(25))
def test_random_network(seed: int) -> None:
    model = network(seed)
    options = OPTIONS[seed % 3]
    rng = np.random.default_rng(seed)
    shape = [dim.dim_value for dim in model.graph.input[0].type.tensor_type.shape.dim]
    inputs = {"input": rng.uniform(-4, 4, shape).astype(np.float32)}
    expected = run_onnx(model, inputs)
    ctx = make_context()
    module = import_model(model, ctx)
    for name in GRAPH_PASSES:
        apply(ctx, module, [f"{name}{{{options}}}" if name in WITH_OPTIONS else name])
        assert_close(run_exported(ctx, module, inputs), expected)
    for graph in graphs(module):
        assert graph.sym_name.data in ("main", "postamble")


@pytest.mark.parametrize("seed", range(8))
def test_a_second_run_changes_nothing(seed: int) -> None:
    ctx = make_context()
    module = import_model(network(seed), ctx)
    for name in GRAPH_PASSES:
        apply(ctx, module, [name])
        once = print_module(module)
        apply(ctx, module, [name])
        assert print_module(module) == once
