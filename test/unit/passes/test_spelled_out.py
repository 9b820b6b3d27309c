"""What exporters spell out in several nodes is one operator again, and computes what ONNX Runtime does."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import pi, sqrt

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper
from onnx_models import imported, operators, random_inputs, run_ax, run_onnxruntime

from axir.passes.canonicalize_graph import CanonicalizeGraph


class Graph:
    """Nodes in their order; every method returns the name of the value that it adds."""

    def __init__(self, shape: Sequence[int]):
        self.shape = shape
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []

    def __call__(self, kind: str, *inputs: str | float | np.ndarray, **attributes: object) -> str:
        names = [value if isinstance(value, str) else self.constant(np.asarray(value)) for value in inputs]
        self.nodes.append(helper.make_node(kind, names, [f"v{len(self.nodes)}"], **attributes))
        return self.nodes[-1].output[0]

    def constant(self, array: np.ndarray) -> str:
        wide = array.astype(np.float32) if array.dtype.kind == "f" else array.astype(np.int64)
        self.constants.append(numpy_helper.from_array(wide, f"c{len(self.constants)}"))
        return self.constants[-1].name

    def model(self) -> onnx.ModelProto:
        graph = helper.make_graph(
            self.nodes, "g", [helper.make_tensor_value_info("x", 1, self.shape)],
            [onnx.ValueInfoProto(name=self.nodes[-1].output[0])], self.constants,
        )  # fmt: skip
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


RNG = np.random.default_rng(3)
PIXELS, TOKENS, MAPS = (1, 4, 6, 8), (1, 5, 16), (1, 8, 6, 4)
Build = Callable[[Graph], object]


def gelu_of_torch(g: Graph) -> None:
    g("Mul", g("Mul", "x", g("Add", g("Erf", g("Div", "x", sqrt(2))), 1.0)), 0.5)


def gelu_halved_first(g: Graph) -> None:
    g("Mul", g("Mul", 0.5, "x"), g("Add", 1.0, g("Erf", g("Mul", "x", 0.70710677))))


def gelu_halved_last_factor(g: Graph) -> None:
    g("Mul", "x", g("Mul", g("Add", g("Erf", g("Div", "x", 1.4142135)), 1.0), 0.5))


def gelu_tanh(cube: str) -> Build:
    def build(g: Graph) -> None:
        third = g("Pow", "x", 3.0) if cube == "pow" else g("Mul", g("Mul", "x", "x"), "x")
        inner = g("Mul", g("Add", "x", g("Mul", third, 0.044715)), sqrt(2 / pi))
        g("Mul", g("Mul", "x", 0.5), g("Add", g("Tanh", inner), 1.0))

    return build


def gelu_tanh_factored(g: Graph) -> None:
    inner = g("Add", 1.0, g("Mul", g("Mul", 0.044715, "x"), "x"))
    tanh = g("Tanh", g("Mul", g("Mul", "x", 0.7978846), inner))
    g("Mul", g("Mul", 0.5, "x"), g("Add", 1.0, tanh))


def gelu_of_a_shared_square(g: Graph) -> None:
    square = g("Mul", "x", "x")
    inner = g("Mul", g("Add", "x", g("Mul", g("Mul", square, "x"), 0.044715)), sqrt(2 / pi))
    half = g("Mul", g("Mul", "x", 0.5), g("Add", g("Tanh", inner), 1.0))
    g("Add", half, square)


def quick_gelu(g: Graph) -> None:
    g("Mul", "x", g("Sigmoid", g("Mul", "x", 1.702)))


def mish(g: Graph) -> None:
    g("Mul", "x", g("Tanh", g("Softplus", "x")))


def deviation(g: Graph, x: str, axes: Sequence[int], power: bool, twice: bool) -> tuple[str, str]:
    """x - mean, and variance + epsilon."""
    mean = g("ReduceMean", x, axes=axes)
    first = g("Sub", x, mean)
    second = g("Sub", x, mean) if twice else first
    square = g("Pow", second, 2.0) if power else g("Mul", second, second)
    return first, g("Add", g("ReduceMean", square, axes=axes), 1e-5)


def layer_norm(power: bool = True, twice: bool = False, affine: bool = True, way: str = "div") -> Build:
    def build(g: Graph) -> None:
        first, variance = deviation(g, "x", [-1], power, twice)
        match way:
            case "div":
                value = g("Div", first, g("Sqrt", variance))
            case "reciprocal":
                value = g("Mul", first, g("Reciprocal", g("Sqrt", variance)))
            case "quotient":
                value = g("Mul", g("Div", 1.0, g("Sqrt", variance)), first)
            case _:
                value = g("Mul", first, g("Pow", variance, -0.5))
        if affine:
            width = g.shape[-1]
            g("Add", g("Mul", value, RNG.uniform(0.5, 2, width)), RNG.uniform(-1, 1, width))

    return build


def norm_of_pixels(g: Graph) -> None:
    """ConvNeXt's LayerNorm2d: over the channels of every pixel, with parameters of channels."""
    first, variance = deviation(g, "x", [1], True, False)
    value = g("Div", first, g("Sqrt", variance))
    g("Add", g("Mul", RNG.uniform(0.5, 2, (4, 1, 1)), value), RNG.uniform(-1, 1, (4, 1, 1)))


def norm_between_transposes(g: Graph) -> None:
    turned = g("Transpose", "x", perm=[0, 2, 3, 1])
    value = g("LayerNormalization", turned, RNG.uniform(0.5, 2, 4), RNG.uniform(-1, 1, 4))
    g("Transpose", value, perm=[0, 3, 1, 2])


def instance_norm_of_means(g: Graph) -> None:
    mean = g("GlobalAveragePool", "x")
    first = g("Sub", "x", mean)
    variance = g("Add", g("GlobalAveragePool", g("Mul", first, first)), 1e-3)
    g("Div", first, g("Sqrt", variance))


def group_norm(g: Graph) -> None:
    """As PyTorch writes it, with parameters of channels after it."""
    grouped = g("Reshape", "x", np.array([0, 2, -1]))
    value = g("InstanceNormalization", grouped, np.ones(2), np.zeros(2))
    back = g("Reshape", value, np.array(MAPS))
    g("Add", g("Mul", back, RNG.uniform(0.5, 2, (8, 1, 1))), RNG.uniform(-1, 1, (8, 1, 1)))


def focus(g: Graph) -> None:
    """YOLOv5's: rows, then columns, each a slice of its own."""
    parts: list[str] = []
    for column in (0, 1):
        for row in (0, 1):
            rows = g("Slice", "x", np.array([row]), np.array([2**40]), np.array([2]), np.array([2]))
            parts.append(g("Slice", rows, np.array([column]), np.array([2**40]), np.array([3]), np.array([2])))
    g("Concat", *parts, axis=1)


def conv_of_focus(g: Graph) -> None:
    focus(g)
    g("Conv", g.nodes[-1].output[0], RNG.uniform(-1, 1, (3, 16, 3, 3)), pads=[1, 0, 1, 2], strides=[1, 2])


def conv_of_shuffled_channels(g: Graph) -> None:
    g("Conv", g("Gather", "x", np.array([2, 0, 3, 1]), axis=1), RNG.uniform(-1, 1, (3, 4, 1, 1)))


def pixel_shuffle(order: Sequence[int], split: Sequence[int]) -> Build:
    def build(g: Graph) -> None:
        g("Reshape", g("Transpose", g("Reshape", "x", np.array(split)), perm=order), np.array([1, 2, 12, 8]))

    return build


def pixel_unshuffle(g: Graph) -> None:
    split = g("Reshape", "x", np.array([1, 4, 3, 2, 4, 2]))
    g("Reshape", g("Transpose", split, perm=[0, 1, 3, 5, 2, 4]), np.array([1, 16, 3, 4]))


def expanded_operand(g: Graph) -> None:
    g("Add", g("Expand", RNG.uniform(-1, 1, (1, 4, 1, 1)), np.array(PIXELS)), g("Sigmoid", "x"))


def extremes(g: Graph) -> None:
    g("Min", 6.0, g("Max", "x", 0.0))


def padding(mode: str) -> Build:
    return lambda g: g("Pad", "x", np.array([0, 0, 2, 1, 0, 0, 0, 3]), mode=mode)


def enlarged(height: int, width: int, coordinates: str) -> Build:
    def build(g: Graph) -> None:
        scales = np.array([1, 1, height, width], np.float32)
        g("Resize", "x", "", scales, mode="linear", coordinate_transformation_mode=coordinates)

    return build


CASES: dict[str, tuple[Build, Sequence[int], list[str]]] = {
    "gelu of PyTorch": (gelu_of_torch, PIXELS, ["unary"]),
    "gelu halved first": (gelu_halved_first, PIXELS, ["unary"]),
    "gelu halved in its factor": (gelu_halved_last_factor, TOKENS, ["unary"]),
    "gelu by tanh of a power": (gelu_tanh("pow"), TOKENS, ["unary"]),
    "gelu by tanh of products": (gelu_tanh("mul"), PIXELS, ["unary"]),
    "gelu by tanh, x factored out": (gelu_tanh_factored, PIXELS, ["unary"]),
    "gelu by tanh of a shared square": (gelu_of_a_shared_square, PIXELS, ["mul", "unary", "add"]),
    "gelu by sigmoid": (quick_gelu, PIXELS, ["table"]),
    "mish": (mish, PIXELS, ["unary"]),
    **{
        f"layer norm {power=} {twice=} {affine=} {way}": (layer_norm(power, twice, affine, way), TOKENS, ["normalize"])
        for power in (True, False)
        for twice, affine in ((True, False), (False, True))
        for way in ("div", "reciprocal", "quotient", "power")
    },
    "norm of pixels": (norm_of_pixels, PIXELS, ["normalize"]),
    "norm between transposes": (norm_between_transposes, PIXELS, ["normalize"]),
    "instance norm of means": (instance_norm_of_means, PIXELS, ["normalize"]),
    "group norm": (group_norm, MAPS, ["reshape", "normalize", "reshape"]),
    "focus": (focus, PIXELS, ["conv"]),
    "convolution of focus": (conv_of_focus, PIXELS, ["conv"]),
    "convolution of shuffled channels": (conv_of_shuffled_channels, PIXELS, ["conv"]),
    "pixel shuffle": (pixel_shuffle([0, 1, 4, 2, 5, 3], [1, 2, 2, 2, 6, 4]), MAPS, ["conv_transpose"]),
    "pixel shuffle of TensorFlow": (pixel_shuffle([0, 3, 4, 1, 5, 2], [1, 2, 2, 2, 6, 4]), MAPS, ["conv_transpose"]),
    "pixel unshuffle": (pixel_unshuffle, PIXELS, ["conv"]),
    "expanded operand": (expanded_operand, PIXELS, ["sigmoid", "conv"]),
    "extremes": (extremes, PIXELS, ["clip"]),
    "padding by edges": (padding("edge"), PIXELS, ["slice", "concat", "slice", "slice", "concat"]),
    "padding by reflection": (padding("reflect"), PIXELS, ["slice"] * 2 + ["concat"] + ["slice"] * 4 + ["concat"]),
    **{
        f"linear enlargement {height} x {width}": (
            enlarged(height, width, "half_pixel" if width > 1 else "pytorch_half_pixel"),
            PIXELS,
            ["slice", "slice", "concat"] * ((height > 1) + (width > 1)) + ["conv_transpose"],
        )
        for height, width in ((2, 2), (3, 2), (4, 1), (1, 8), (5, 7))
    },
}


@pytest.mark.parametrize("name", CASES)
def test_recognized(name: str) -> None:
    build, shape, expected = CASES[name]
    g = Graph(shape)
    build(g)
    model = g.model()
    graph, ctx = imported(model)
    module = graph.parent_op()
    assert module is not None
    CanonicalizeGraph().apply(ctx, module)
    module.verify()
    assert operators(graph) == expected
    feeds = random_inputs(graph)
    (result,), (reference,) = run_ax(graph, ctx, feeds), run_onnxruntime(model, feeds)
    np.testing.assert_allclose(result, reference, rtol=2e-4, atol=2e-5)


def other_sum(g: Graph) -> None:
    g("Mul", g("Mul", "x", g("Add", g("Erf", g("Div", "x", sqrt(2))), 1.1)), 0.5)


def other_power(g: Graph) -> None:
    inner = g("Mul", g("Add", "x", g("Mul", g("Mul", "x", "x"), 0.044715)), sqrt(2 / pi))
    g("Mul", g("Mul", "x", 0.5), g("Add", g("Tanh", inner), 1.0))


def other_axes(g: Graph) -> None:
    first = g("Sub", "x", g("ReduceMean", "x", axes=[-1]))
    variance = g("Add", g("ReduceMean", g("Mul", first, first), axes=[-2]), 1e-5)
    g("Div", first, g("Sqrt", variance))


def focus_of_three(g: Graph) -> None:
    """One of the four slices comes twice, another not at all."""
    parts: list[str] = []
    for row, column in ((0, 0), (0, 1), (1, 0), (0, 0)):
        start, end, axes, steps = (np.array(v) for v in ([row, column], [2**40] * 2, [2, 3], [2, 2]))
        parts.append(g("Slice", "x", start, end, axes, steps))
    g("Concat", *parts, axis=1)


@pytest.mark.parametrize("build", [other_sum, other_power, other_axes, focus_of_three])
def test_what_only_resembles_them_stays(build: Build) -> None:
    g = Graph(PIXELS)
    build(g)
    graph, ctx = imported(g.model())
    module = graph.parent_op()
    assert module is not None
    CanonicalizeGraph().apply(ctx, module)
    assert not {"normalize", "space_to_depth", "conv_transpose"} & set(operators(graph))
    assert "gelu" not in str(module)
    feeds = random_inputs(graph)
    (result,), (reference,) = run_ax(graph, ctx, feeds), run_onnxruntime(g.model(), feeds)
    np.testing.assert_allclose(result, reference, rtol=1e-4, atol=1e-5)
