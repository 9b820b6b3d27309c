"""Small valid ONNX networks, which together have the operators that AXIR knows; what the mutator damages."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import onnx
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper
from onnx_forms import FORMS


class Net:
    """A small network of one input `x`: nodes in their order, every call gives the name of what it adds."""

    def __init__(self, shape: Sequence[int], seed: int):
        self.rng = np.random.default_rng(seed)
        self.shape = shape
        self.nodes: list[NodeProto] = []
        self.constants: list[TensorProto] = []

    def __call__(self, kind: str, *inputs: str | float | np.ndarray, outputs: int = 1, **attributes: object) -> str:
        names = [value if isinstance(value, str) else self.constant(np.asarray(value)) for value in inputs]
        made = [f"{kind}{len(self.nodes)}_{i}" for i in range(outputs)]
        self.nodes.append(helper.make_node(kind, names, made, name=f"{kind}{len(self.nodes)}", **attributes))
        return made[0]

    def constant(self, array: np.ndarray) -> str:
        name = f"c{len(self.constants)}"
        wide = array.astype(np.float32 if array.dtype.kind == "f" else np.int64)
        self.constants.append(numpy_helper.from_array(wide, name))
        return name

    def w(self, *shape: int) -> np.ndarray:
        return self.rng.uniform(-0.5, 0.5, shape)

    def model(self, *outputs: str, opset: int = 17) -> ModelProto:
        graph = helper.make_graph(
            self.nodes, "net", [helper.make_tensor_value_info("x", 1, self.shape)],
            [onnx.ValueInfoProto(name=name) for name in outputs], self.constants,
        )  # fmt: skip
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)


def classifier() -> ModelProto:
    g = Net((1, 3, 12, 10), 1)
    a = g("Conv", "x", g.w(8, 3, 3, 3), g.w(8), pads=[1, 1, 1, 1], strides=[2, 2])
    b = g("Clip", g("BatchNormalization", a, g.w(8) + 1, g.w(8), g.w(8), g.w(8) + 1), 0.0, 6.0)
    c = g("Add", g("Conv", b, g.w(8, 1, 3, 3), pads=[1, 1, 1, 1], group=8), b)
    d = g("Mul", c, g("Sigmoid", g("Conv", g("GlobalAveragePool", c), g.w(8, 8, 1, 1))))
    flat = g("Flatten", g("AveragePool", d, kernel_shape=[6, 5]))
    return g.model(g("Softmax", g("Gemm", flat, g.w(5, 8), transB=1)))


def detector() -> ModelProto:
    g = Net((1, 4, 8, 8), 2)
    a = g("LeakyRelu", g("Conv", "x", g.w(8, 4, 3, 3), pads=[1, 1, 1, 1]), alpha=0.1)
    g("Split", a, np.array([3, 5]), outputs=2, axis=1)
    first, second = g.nodes[-1].output
    down = g("MaxPool", second, kernel_shape=[2, 2], strides=[2, 2])
    twice = np.array([1.0, 1.0, 2.0, 2.0])
    up = g("Resize", down, "", twice, mode="nearest", coordinate_transformation_mode="asymmetric")
    part = g("Slice", a, np.array([0]), np.array([4]), np.array([1]), np.array([2]))
    head = g("Conv", g("Concat", first, up, part, axis=1), g.w(6, 10, 1, 1), g.w(6))
    rows = g("Transpose", g("Reshape", head, np.array([1, 6, 64])), perm=[0, 2, 1])
    return g.model(rows, g("Tanh", head))


def attention() -> ModelProto:
    g = Net((1, 6, 8), 3)
    n = g("LayerNormalization", "x", g.w(8) + 1, g.w(8))

    def heads() -> str:
        return g("Transpose", g("Reshape", g("MatMul", n, g.w(8, 8)), np.array([1, 6, 2, 4])), perm=[0, 2, 1, 3])

    q, k, v = heads(), heads(), heads()
    scores = g("Softmax", g("Mul", g("MatMul", q, g("Transpose", k, perm=[0, 1, 3, 2])), 0.5), axis=-1)
    mixed = g("Reshape", g("Transpose", g("MatMul", scores, v), perm=[0, 2, 1, 3]), np.array([1, 6, 8]))
    h = g("Add", "x", g("Add", g("MatMul", mixed, g.w(8, 8)), g.w(8)))
    e = g("MatMul", h, g.w(8, 16))
    gelu = g("Mul", g("Mul", e, g("Add", g("Erf", g("Div", e, 1.41421356)), 1.0)), 0.5)
    return g.model(g("ReduceMean", g("Add", h, g("MatMul", gelu, g.w(16, 8))), axes=[1]))


def decoder() -> ModelProto:
    g = Net((1, 8, 4, 4), 4)
    wide = g("ConvTranspose", "x", g.w(8, 6, 3, 3), strides=[2, 2], pads=[1, 1, 1, 1], output_padding=[1, 1])
    a = g("PRelu", wide, g.w(6, 1, 1))
    b = g("Resize", a, "", "", np.array([1, 6, 12, 9]), mode="linear", coordinate_transformation_mode="align_corners")
    padded = g("Pad", b, np.array([0, 0, 1, 2, 0, 0, 1, 1]), mode="reflect")
    c = g("InstanceNormalization", padded, g.w(6) + 1, g.w(6))
    return g.model(g("DepthToSpace", g("Conv", g("HardSwish", c), g.w(8, 6, 1, 1)), blocksize=2))


def functions() -> ModelProto:
    g = Net((1, 4, 6, 6), 5)
    value = g("Conv", "x", g.w(4, 4, 1, 1))
    for kind in ("Elu", "Selu", "Softplus", "Softsign", "HardSigmoid", "Exp", "Abs", "Sqrt", "Neg", "Celu"):
        value = g(kind, value)
    shuffled = g("Min", g("Sub", value, g("Gather", value, np.array([2, 0, 3, 1]), axis=1)), 1.0)
    value = g("Max", shuffled, g("Reciprocal", g("Add", g("Pow", value, 2.0), 1.0)))
    peaks = g("Expand", g("ReduceMax", value, axes=[2, 3]), np.array([1, 4, 6, 6]))
    again = g("Squeeze", g("Unsqueeze", value, np.array([0])), np.array([0]))
    total = g("Mul", g("Add", peaks, value), g("Tile", again, np.array([1, 1, 1, 1])))
    deep = g("SpaceToDepth", total, blocksize=2)
    return g.model(g("ReduceSum", total, np.array([3]), keepdims=0), g("ReduceL2", deep, axes=[1]), g("Relu", total))


NETWORKS: tuple[Callable[[], ModelProto], ...] = (classifier, detector, attention, decoder, functions)


def original(number: int) -> ModelProto:
    """A valid model: a network, or one node in one of the forms of the operators that AXIR knows."""
    index, is_network = divmod(number, 2)
    if is_network:
        return NETWORKS[index % len(NETWORKS)]()
    form = list(FORMS.values())[index * 7 % len(FORMS)]
    return form.model(form.opsets[index % len(form.opsets)])
