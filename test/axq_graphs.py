"""Random graphs of the `axq` dialect for property tests: every operator, small shapes, all parameters varied."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from hypothesis import reject
from hypothesis import strategies as st
from numpy.typing import NDArray
from rearrangements import rearrangements
from xdsl.dialects.builtin import ArrayAttr, BoolAttr, FloatAttr, StringAttr, f64, i1
from xdsl.ir import SSAValue

from axir.dialects import axq, shapes
from axir.dialects.base import integer, ints, shape_of
from axir.dialects.epilogue import EpilogueAttr, Step
from axir.ir.constants import constant_attr
from axir.ir.store import WeightStore

TABLE_STEPS = ("gelu", "gelu_tanh", "sigmoid", "tanh", "silu", "hard_swish")


@dataclass
class GraphBuilder:
    """Builds `axq.graph @main` operation by operation; inputs are added as they are needed."""

    store: WeightStore = field(default_factory=WeightStore)
    graph: axq.GraphOp = field(default_factory=lambda: axq.GraphOp("main", [], []))

    def input(self, shape: Sequence[int], element: axq.QuantType) -> SSAValue:
        block = self.graph.body.block
        return block.insert_arg(axq.quantized(shape, element), len(block.args))

    def add(
        self,
        kind: type[axq.QuantOp],
        operands: Sequence[Any],
        properties: dict[str, Any],
        shape: Sequence[int],
        element: axq.QuantType,
    ) -> SSAValue:
        op = kind.build(operands=operands, properties=properties, result_types=[axq.quantized(shape, element)])
        self.graph.body.block.add_op(op)
        return op.result

    def finish(self, *values: SSAValue) -> axq.GraphOp:
        self.graph.body.block.add_op(axq.ReturnOp(values))
        inputs = [f"input{index}" for index in range(len(self.graph.body.block.args))]
        self.graph.properties["inputs"] = ArrayAttr([StringAttr(name) for name in inputs])
        self.graph.properties["outputs"] = ArrayAttr([StringAttr(f"output{i}") for i in range(len(values))])
        self.graph.verify()
        return self.graph

    def constant(self, array: NDArray[Any]) -> Any:
        return constant_attr(array, self.store)


def random_inputs(graph: axq.GraphOp, rng: np.random.Generator) -> list[NDArray[np.int8]]:
    return [rng.integers(-128, 128, shape_of(a)).astype(np.int8) for a in graph.body.block.args]


@dataclass
class RandomGraph:
    graph: axq.GraphOp
    store: WeightStore
    inputs: list[NDArray[np.int8]]

    def __repr__(self) -> str:
        return str(self.graph)


class _Drawing:
    """Draws operations; all choices that shrink come from hypothesis, array contents from a seeded generator."""

    def __init__(self, draw: st.DrawFn, tables_last: bool):
        self.draw = draw
        self.tables_last = tables_last
        self.rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
        self.builder = GraphBuilder()

    def number(self, low: int, high: int) -> int:
        return self.draw(st.integers(low, high))

    def element(self, magnitude: float = 32.0, channels: int | None = None) -> axq.QuantType:
        """A type that reaches about `magnitude`, with any zero point."""
        scales = np.asarray(magnitude / 128 * self.rng.uniform(0.3, 3, channels), np.float32)
        zero_points = np.asarray(self.rng.integers(-128, 128, channels), np.int32)
        if channels is None:
            return axq.QuantType.per_tensor(float(scales), int(zero_points))
        return axq.QuantType(self.builder.constant(scales), self.builder.constant(zero_points))

    def shape(self) -> tuple[int, ...]:
        return (1, self.number(1, 6), self.number(1, 7), self.number(1, 7))

    def epilogue(self, channels: int, shape: Sequence[int]) -> tuple[list[SSAValue], dict[str, Any]]:
        """Extra operands and properties of random steps."""
        kinds = self.draw(st.lists(st.sampled_from(PLAIN_STEPS if self.tables_last else ALL_STEPS), max_size=3))
        if self.tables_last:
            kinds += self.draw(st.lists(st.sampled_from(TABLE_STEPS), max_size=1))
        steps: list[Step] = []
        extras: list[SSAValue] = []
        properties: dict[str, Any] = {}
        for kind in kinds:
            arguments: tuple[float, ...] = ()
            if kind == "clip":
                arguments = (float(self.rng.uniform(-9, 0)), float(self.rng.uniform(0, 9)))
            elif kind == "leaky_relu":
                arguments = (float(self.rng.uniform(0, 0.5)),)
            elif kind == "hard_sigmoid":
                arguments = (float(self.rng.uniform(0.1, 0.3)), float(self.rng.uniform(0.3, 0.7)))
            elif kind == "prelu":
                if "slope" in properties:
                    continue
                slope = self.rng.uniform(-0.5, 0.5, channels).astype(np.float32)
                properties["slope"] = self.builder.constant(slope)
            elif kind in ("add", "mul"):
                small = self.draw(st.sampled_from([shape, (1, channels, 1, 1), (1, 1, *shape[2:])]))
                extras.append(self.builder.input(small, self.element(2.0 if kind == "mul" else 16.0)))
            elif kind in TABLE_STEPS and self.draw(st.booleans()):
                a, c = self.rng.choice([-1, 1], 2) * self.rng.uniform(0.2, 3, 2)
                b, d = self.rng.uniform(-3, 3, 2)
                arguments = (float(a), float(b), float(c), float(d))
            steps.append(Step(kind, arguments))
        properties["epilogue"] = EpilogueAttr(steps)
        return extras, properties

    def conv(self) -> SSAValue:
        kernel = (self.number(1, 3), self.number(1, 3))
        strides = (self.number(1, 3), self.number(1, 3))
        dilations = (self.number(1, 2), self.number(1, 2))
        pads = tuple(self.number(0, 2) for _ in range(4))
        group = self.draw(st.sampled_from([1, 1, 2, 3]))
        depthwise = self.draw(st.booleans())
        inputs = 1 if depthwise and group > 1 else self.number(1, 4)
        outputs = self.number(1, 3)
        low = [d * (k - 1) + 1 for k, d in zip(kernel, dilations, strict=True)]
        size = [max(minimum - pads[a] - pads[a + 2], 1) + self.number(0, 4) for a, minimum in enumerate(low)]
        shape = (1, group * inputs, *size)
        weight = self.rng.integers(-127, 128, (group * outputs, inputs, *kernel)).astype(np.int8)
        by_channel = group if inputs == 1 and group > 1 and self.draw(st.booleans()) else None
        x = self.builder.input(shape, self.element(channels=by_channel))
        result = shapes.conv(shape, weight.shape, strides, pads, dilations, group)
        properties = {"strides": ints(strides), "pads": ints(pads), "dilations": ints(dilations)}
        return self.weighted(axq.ConvOp, x, weight, result, group, inputs * kernel[0] * kernel[1], properties)

    def conv_transpose(self) -> SSAValue:
        kernel = (self.number(1, 3), self.number(1, 3))
        strides = (self.number(1, 3), self.number(1, 3))
        dilations = (self.number(1, 2), self.number(1, 2))
        group = self.draw(st.sampled_from([1, 1, 2, 3]))
        inputs, outputs = self.number(1, 3), self.number(1, 3)
        shape = (1, group * inputs, self.number(1, 4), self.number(1, 4))
        # ONNX wants an output padding below the stride or the dilation.
        extra = tuple(self.number(0, stride - 1) for stride in strides)
        sizes = [
            s * (n - 1) + d * (k - 1) + 1 + e
            for s, n, d, k, e in zip(strides, shape[2:], dilations, kernel, extra, strict=True)
        ]
        top, left = self.number(0, min(2, sizes[0] - 1)), self.number(0, min(2, sizes[1] - 1))
        pads = (top, left, self.number(0, min(2, sizes[0] - 1 - top)), self.number(0, min(2, sizes[1] - 1 - left)))
        weight = self.rng.integers(-127, 128, (group * inputs, outputs, *kernel)).astype(np.int8)
        x = self.builder.input(shape, self.element())
        result = shapes.conv_transpose(shape, weight.shape, strides, pads, extra, dilations, group)
        properties = {"strides": ints(strides), "pads": ints(pads), "dilations": ints(dilations)}
        properties["output_padding"] = ints(extra)
        return self.weighted(axq.ConvTransposeOp, x, weight, result, group, inputs * kernel[0] * kernel[1], properties)

    def weighted(
        self,
        kind: type[axq.WeightedOp],
        x: SSAValue,
        weight: NDArray[np.int8],
        shape: tuple[int, ...],
        group: int,
        taps: int,
        properties: dict[str, Any],
    ) -> SSAValue:
        scale = (self.rng.uniform(0.3, 3, shape[1]) / 127 / np.sqrt(taps)).astype(np.float32)
        extras, more = self.epilogue(shape[1], shape)
        properties |= more | {
            "weight": self.builder.constant(weight),
            "weight_scale": self.builder.constant(scale),
            "bias": self.builder.constant(self.rng.integers(-9999, 9999, shape[1]).astype(np.int32)),
            "group": integer(group),
        }
        return self.builder.add(kind, [x, extras], properties, shape, self.element())

    def pool(self) -> SSAValue:
        kernel = (self.number(1, 4), self.number(1, 4))
        strides = (self.number(1, 3), self.number(1, 3))
        # ONNX Runtime wants pads below the kernel.
        pads = tuple(self.number(0, min(2, kernel[axis % 2] - 1)) for axis in range(4))
        dilations = (self.number(1, 2), self.number(1, 2)) if self.draw(st.booleans()) else (1, 1)
        average = self.draw(st.booleans())
        dilations = (1, 1) if average else dilations
        low = [d * (k - 1) + 1 for k, d in zip(kernel, dilations, strict=True)]
        size = [max(minimum - pads[a] - pads[a + 2], 1) + self.number(0, 4) for a, minimum in enumerate(low)]
        shape = (1, self.number(1, 5), *size)
        x = self.builder.input(shape, self.element())
        try:
            result = shapes.pool(shape, kernel, strides, pads, dilations)
        except ValueError:  # a dilated window between its taps
            reject()
        properties: dict[str, Any] = {"kernel": ints(kernel), "strides": ints(strides), "pads": ints(pads)}
        if not average:
            properties["dilations"] = ints(dilations)
            return self.builder.add(axq.MaxPoolOp, [x], properties, result, axq.quant_of(x))
        extras, more = self.epilogue(shape[1], result)
        properties |= more | {"count_include_pad": BoolAttr(int(self.draw(st.booleans())), i1)}
        return self.builder.add(axq.AvgPoolOp, [x, extras], properties, result, self.element())

    def map(self) -> SSAValue:
        shape = self.shape()
        x = self.builder.input(shape, self.element())
        extras, properties = self.epilogue(shape[1], shape)
        return self.builder.add(axq.MapOp, [x, extras], properties, shape, self.element(8.0))

    def softmax(self) -> SSAValue:
        channels = self.draw(st.sampled_from([1, 3, 63, 64, 65, 150]))
        shape = (1, channels, self.number(1, 3), self.number(1, 3))
        x = self.builder.input(shape, self.element(self.draw(st.sampled_from([0.5, 8.0, 64.0]))))
        neutral = FloatAttr(self.draw(st.sampled_from([-1e5, -9.0, 0.0, 3.25])), f64)
        element = self.draw(st.sampled_from([axq.QuantType.per_tensor(1 / 256, -128), self.element(1.0)]))
        return self.builder.add(axq.SoftmaxOp, [x], {"axis": integer(1), "neutral": neutral}, shape, element)

    def matmul(self) -> SSAValue:
        heads, depth = self.number(1, 3), self.draw(st.sampled_from([1, 3, 6, 70]))
        queries = (self.number(1, 4), self.number(1, 4))
        keys = (self.number(1, 4), self.number(1, 4))
        other = (1, heads * depth, *keys)
        transpose = self.draw(st.booleans())
        if transpose:
            shape = (1, heads * depth, *queries)
        else:
            shape = (1, keys[0] * keys[1], heads * queries[0], queries[1])
        x = self.builder.input(shape, self.element())
        scale = float(np.float32(self.rng.uniform(0.005, 0.05)))
        y = self.builder.input(other, axq.QuantType.per_tensor(scale, 0))
        result = shapes.head_matmul(shape, other, heads, transpose)
        extras, properties = self.epilogue(result[1], result)
        properties |= {
            "heads": integer(heads), "transpose": BoolAttr(int(transpose), i1),
            "factor": FloatAttr(self.draw(st.sampled_from([1.0, 0.125, -0.3])), f64),
        }  # fmt: skip
        return self.builder.add(axq.MatMulOp, [x, y, extras], properties, result, self.element())

    def normalize(self) -> SSAValue:
        channels = self.draw(st.sampled_from([1, 4, 6, 66]))
        shape = (1, channels, self.number(1, 4), self.number(1, 4))
        group = self.draw(st.sampled_from([g for g in range(1, channels + 1) if channels % g == 0]))
        x = self.builder.input(shape, self.element(self.draw(st.sampled_from([0.5, 8.0]))))
        factor, summand = (self.rng.uniform(low, 2, channels).astype(np.float32) for low in (0.1, -2))
        properties = {
            "factor": self.builder.constant(factor), "summand": self.builder.constant(summand),
            "group": integer(group), "spatial": BoolAttr(int(self.draw(st.booleans())), i1),
            "epsilon": FloatAttr(self.draw(st.sampled_from([1e-5, 1e-3, 1.0])), f64),
        }  # fmt: skip
        return self.builder.add(axq.NormalizeOp, [x], properties, shape, self.element(4.0))

    def reshape(self) -> SSAValue:
        shape = self.shape()
        x = self.builder.input(shape, self.element())
        pixels = shape[2] * shape[3]
        rows = self.draw(st.sampled_from([n for n in range(1, pixels + 1) if pixels % n == 0]))
        result = (*shape[:2], rows, pixels // rows)
        return self.builder.add(axq.ReshapeOp, [x], {"shape": ints(result)}, result, axq.quant_of(x))

    def rearrange(self) -> SSAValue:
        x = self.builder.input(self.shape(), self.element())
        split, perm, shape = self.draw(rearrangements(shape_of(x)))
        properties = {"split": ints(split), "perm": ints(perm), "shape": ints(shape)}
        return self.builder.add(axq.RearrangeOp, [x], properties, shape, axq.quant_of(x))

    def gather(self) -> SSAValue:
        shape, axis = self.shape(), self.number(2, 3)
        x = self.builder.input(shape, self.element())
        indices = self.draw(st.lists(st.integers(0, shape[axis] - 1), min_size=1, max_size=9))
        properties = {"axis": integer(axis), "indices": ints(indices)}
        return self.builder.add(axq.GatherOp, [x], properties, shapes.gather(shape, axis, indices), axq.quant_of(x))

    def stored(self) -> SSAValue:
        shape = self.shape()
        value = self.builder.constant(self.rng.integers(-128, 128, shape).astype(np.int8))
        element = self.element(channels=shape[1] if self.draw(st.booleans()) else None)
        return self.builder.add(axq.ConstantOp, [], {"value": value}, shape, element)

    def concat(self) -> SSAValue:
        shape, axis, element = self.shape(), self.number(1, 3), self.element()
        inputs = [
            self.builder.input((*shape[:axis], self.number(1, 4), *shape[axis + 1 :]), element)
            for _ in range(self.number(1, 3))
        ]
        result = shapes.concat([shape_of(value) for value in inputs], axis)
        return self.builder.add(axq.ConcatOp, [inputs], {"axis": integer(axis)}, result, element)

    def slice(self) -> SSAValue:
        shape = self.shape()
        x = self.builder.input(shape, self.element())
        starts = [self.number(0, size - 1) for size in shape]
        ends = [self.number(start + 1, size) for start, size in zip(starts, shape, strict=True)]
        steps = [self.number(1, 3) for _ in shape]
        properties = {"starts": ints(starts), "ends": ints(ends), "steps": ints(steps)}
        return self.builder.add(
            axq.SliceOp, [x], properties, shapes.slice_(shape, starts, ends, steps), axq.quant_of(x)
        )


PLAIN_STEPS = ("relu", "clip", "leaky_relu", "prelu", "hard_sigmoid", "add", "mul")
ALL_STEPS = (*PLAIN_STEPS, *TABLE_STEPS)
KINDS = (
    "conv",
    "conv",
    "conv_transpose",
    "pool",
    "map",
    "softmax",
    "matmul",
    "normalize",
    "reshape",
    "rearrange",
    "gather",
    "stored",
    "concat",
    "slice",
)


@st.composite
def operations(draw: st.DrawFn, tables_last: bool = False) -> RandomGraph:
    """A graph of one random operation, with inputs. `tables_last`: steps that look up tables only end an epilogue."""
    drawing = _Drawing(draw, tables_last)
    result = getattr(drawing, draw(st.sampled_from(KINDS)))()
    graph = drawing.builder.finish(result)
    return RandomGraph(graph, drawing.builder.store, random_inputs(graph, drawing.rng))
