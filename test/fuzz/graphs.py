"""Random quantized graphs: every operator of `axq`, odd shapes, arbitrary scales, several readers of one tensor."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from hypothesis import strategies as st
from rearrangements import rearrangements
from xdsl.dialects.builtin import (
    ArrayAttr,
    BoolAttr,
    DenseIntOrFPElementsAttr,
    FloatAttr,
    IntegerAttr,
    StringAttr,
    f64,
    i64,
)
from xdsl.ir import Attribute, Operation, SSAValue

from axir.dialects import axq
from axir.dialects.axq import QuantType, quantized
from axir.dialects.base import ints, shape_of
from axir.dialects.epilogue import EpilogueAttr, Step
from axir.dialects.shapes import conv, conv_transpose, gather, head_matmul, pool, slice_
from axir.ir.constants import WeightAttr, constant_attr
from axir.ir.location import name_loc
from axir.ir.store import WeightStore

Constant = WeightAttr | DenseIntOrFPElementsAttr


@st.composite
def quants(draw: st.DrawFn) -> QuantType:
    scale = np.float32(draw(st.sampled_from([0.003, 0.02, 0.0625, 0.11, 0.5])))
    return QuantType.per_tensor(float(scale), draw(st.integers(-128, 127)))


@dataclass
class Builder:
    """Grows one graph; `values` are the tensors that later operators may read, or only the last so many of them."""

    draw: st.DrawFn
    recent: int = 0
    store: WeightStore = field(default_factory=WeightStore)
    ops: list[Operation] = field(default_factory=list)
    values: list[SSAValue] = field(default_factory=list)

    @property
    def rng(self) -> np.random.Generator:
        return np.random.default_rng(self.draw(st.integers(0, 2**32 - 1)))

    def constant(self, array: np.ndarray) -> Constant:
        return constant_attr(array, self.store)

    def add(
        self, kind: type[Operation], operands: list[list[SSAValue]], properties: dict[str, Attribute], shape, quant
    ):
        op = kind.build(operands=operands, properties=properties, result_types=[quantized(shape, quant)])
        op.location = name_loc(f"{op.name.removeprefix('axq.')}_{len(self.ops)}")
        self.ops.append(op)
        self.values.append(op.results[0])

    def pick(self) -> SSAValue:
        return self.draw(st.sampled_from(self.values[-self.recent :]))

    def epilogue(self, shape: tuple[int, ...], most: int) -> tuple[list[Step], list[SSAValue], Constant | None]:
        steps: list[Step] = []
        extras: list[SSAValue] = []
        slope: Constant | None = None
        same = [v for v in self.values if shape_of(v) in (shape, (1, shape[1], 1, 1)) and v not in extras]
        for _ in range(self.draw(st.integers(0, most))):
            kinds = ["relu", "clip", "leaky_relu", "hard_sigmoid"]
            if not any(step.is_table for step in steps):
                kinds += ["gelu", "gelu_tanh", "sigmoid", "silu", "tanh", "hard_swish"]
            if slope is None:
                kinds.append("prelu")
            if same and len(extras) < 2:
                kinds += ["add", "mul"] * 2
            kind = self.draw(st.sampled_from(kinds))
            arguments: tuple[float, ...] = ()
            if kind == "clip":
                low = self.draw(st.floats(-3, 3, width=32))
                arguments = (low, low + self.draw(st.floats(0, 4, width=32)))
            elif kind == "leaky_relu":
                arguments = (0.1,)
            elif kind == "hard_sigmoid":
                arguments = (0.2, 0.5)
            elif kind == "prelu":
                slope = self.constant(self.rng.uniform(-0.5, 0.5, shape[1]).astype(np.float32))
            elif kind in ("add", "mul"):
                extras.append(self.draw(st.sampled_from(same)))
            elif Step(kind).is_table:
                a, c = (st.sampled_from([-2.5, 0.3, 1.0, 7.0]) for _ in "ac")
                arguments = self.draw(st.one_of(st.just(()), st.tuples(a, st.floats(-3, 3, width=32), c, st.just(0.5))))
            steps.append(Step(kind, arguments))
        return steps, extras, slope

    def fused(
        self,
        kind: type[Operation],
        source: SSAValue,
        shape: tuple[int, ...],
        properties: dict[str, Attribute],
        most: int = 2,
    ) -> None:
        steps, extras, slope = self.epilogue(shape, most)
        properties["epilogue"] = EpilogueAttr(steps)
        if slope is not None:
            properties["slope"] = slope
        self.add(kind, [[source], extras], properties, shape, self.draw(quants()))

    def weights(self, shape: tuple[int, ...], channels: int) -> dict[str, Attribute]:
        rng = self.rng
        return {
            "weight": self.constant(rng.integers(-127, 128, shape).astype(np.int8)),
            "weight_scale": self.constant(rng.uniform(1e-4, 4e-3, channels).astype(np.float32)),
            "bias": self.constant(rng.integers(-3000, 3000, channels).astype(np.int32)),
        }

    def window(self, shape: tuple[int, ...], largest: int = 3) -> tuple[list[int], list[int], list[int]]:
        """(kernel, strides, pads) that fit the shape."""
        kernel = [self.draw(st.integers(1, min(largest, size))) for size in shape[2:]]
        strides = [self.draw(st.integers(1, 3)) for _ in kernel]
        pads = [self.draw(st.integers(0, k - 1)) for k in (*kernel, *kernel)]
        return kernel, strides, pads

    def convolution(self) -> None:
        source = self.pick()
        shape = shape_of(source)
        kernel, strides, pads = self.window(shape, 5)
        dilations = [
            self.draw(st.integers(1, 2)) if (k - 1) * 2 + 1 <= s else 1 for k, s in zip(kernel, shape[2:], strict=True)
        ]
        depthwise = shape[1] > 1 and self.draw(st.booleans())
        divisors = [g for g in (1, 1, 2, 3) if shape[1] % g == 0]
        group = shape[1] if depthwise else self.draw(st.sampled_from(divisors))
        out = shape[1] if depthwise else group * self.draw(st.sampled_from([1, 3, 8, 20, 70]))
        weight = (out, shape[1] // group, *kernel)
        properties: dict[str, Attribute] = {
            **self.weights(weight, out), "strides": ints(strides), "pads": ints(pads), "dilations": ints(dilations),
            "group": IntegerAttr(group, i64),
        }  # fmt: skip
        self.fused(axq.ConvOp, source, conv(shape, weight, strides, pads, dilations, group), properties)

    def transposed(self) -> None:
        source = self.pick()
        shape = shape_of(source)
        if shape[2] * shape[3] > 300:
            return
        kernel = [self.draw(st.integers(1, 4)) for _ in range(2)]
        strides = [self.draw(st.integers(1, 3)) for _ in range(2)]
        pads = [self.draw(st.integers(0, (k - 1) // 2)) for k in (*kernel, *kernel)]
        extra = [self.draw(st.integers(0, s - 1)) for s in strides]
        group = self.draw(st.sampled_from([g for g in (1, 1, 2) if shape[1] % g == 0]))
        weight = (shape[1], self.draw(st.sampled_from([1, 5, 40])), *kernel)
        dilations = [self.draw(st.integers(1, 2)) for _ in range(2)]
        properties: dict[str, Attribute] = {
            **self.weights(weight, weight[1] * group), "strides": ints(strides), "pads": ints(pads),
            "output_padding": ints(extra), "dilations": ints(dilations), "group": IntegerAttr(group, i64),
        }  # fmt: skip
        result = conv_transpose(shape, weight, strides, pads, extra, dilations, group)
        self.fused(axq.ConvTransposeOp, source, result, properties)

    def max_pool(self) -> None:
        source = self.pick()
        kernel, strides, pads = self.window(shape_of(source))
        properties: dict[str, Attribute] = {
            "kernel": ints(kernel), "strides": ints(strides), "pads": ints(pads), "dilations": ints([1, 1])
        }  # fmt: skip
        shape = pool(shape_of(source), kernel, strides, pads, (1, 1))
        self.add(axq.MaxPoolOp, [[source]], properties, shape, axq.quant_of(source))

    def avg_pool(self) -> None:
        source = self.pick()
        whole = self.draw(st.booleans())
        kernel, strides, pads = self.window(shape_of(source))
        if whole:
            kernel, strides, pads = list(shape_of(source)[2:]), [1, 1], [0, 0, 0, 0]
        properties: dict[str, Attribute] = {
            "kernel": ints(kernel), "strides": ints(strides), "pads": ints(pads),
            "count_include_pad": BoolAttr.from_bool(self.draw(st.booleans())),
        }  # fmt: skip
        # Dividing by the taps inside takes one of the six vector steps, so two hard sigmoids would not fit.
        self.fused(axq.AvgPoolOp, source, pool(shape_of(source), kernel, strides, pads, (1, 1)), properties, most=1)

    def map(self) -> None:
        source = self.pick()
        self.fused(axq.MapOp, source, shape_of(source), {})

    def softmax(self) -> None:
        source = self.pick()
        neutral = FloatAttr(self.draw(st.sampled_from([-100000.0, -5.0, 0.0, 2.0])), f64)
        properties: dict[str, Attribute] = {"axis": IntegerAttr(1, i64), "neutral": neutral}
        self.add(axq.SoftmaxOp, [[source]], properties, shape_of(source), self.draw(quants()))

    def centred(self, value: SSAValue) -> SSAValue:
        """The tensor with the zero point 0, requantized if need be."""
        if axq.quant_of(value).scalar[1] == 0:
            return value
        quant = QuantType.per_tensor(axq.quant_of(value).scalar[0], 0)
        self.add(axq.MapOp, [[value], []], {}, shape_of(value), quant)
        return self.values[-1]

    def matmul(self, x: SSAValue, y: SSAValue, heads: int, transpose: bool) -> None:
        shape = head_matmul(shape_of(x), shape_of(y), heads, transpose)
        steps, extras, slope = self.epilogue(shape, 1)
        properties: dict[str, Attribute] = {
            "heads": IntegerAttr(heads, i64), "transpose": BoolAttr.from_bool(transpose),
            "factor": FloatAttr(self.draw(st.sampled_from([1.0, 0.125, -0.01])), f64),
            "epilogue": EpilogueAttr(steps),
        }  # fmt: skip
        if slope is not None:
            properties["slope"] = slope
        self.add(axq.MatMulOp, [[x], [self.centred(y)], extras], properties, shape, self.draw(quants()))

    def attention(self) -> None:
        """Products of pixels, perhaps a softmax, and sums of pixels; each tensor is any that fits."""
        query = self.pick()
        channels = shape_of(query)[1]
        heads = self.draw(st.sampled_from([h for h in (1, 2, 3, 4) if channels % h == 0]))
        key = self.draw(st.sampled_from([v for v in self.values if shape_of(v)[1] == channels]))
        self.matmul(query, key, heads, transpose=True)
        if self.draw(st.booleans()):
            self.recent, recent = 1, self.recent
            self.softmax()
            self.recent = recent
        scores = self.values[-1]
        fits = [v for v in self.values if shape_of(v)[2:] == shape_of(key)[2:] and shape_of(v)[1] % heads == 0]
        self.matmul(scores, self.draw(st.sampled_from(fits)), heads, transpose=False)

    def normalize(self) -> None:
        source = self.pick()
        channels = shape_of(source)[1]
        rng = self.rng
        properties: dict[str, Attribute] = {
            "factor": self.constant(rng.uniform(0.1, 2, channels).astype(np.float32)),
            "summand": self.constant(rng.uniform(-2, 2, channels).astype(np.float32)),
            "group": IntegerAttr(self.draw(st.sampled_from([g for g in (1, 2, channels) if channels % g == 0])), i64),
            "spatial": BoolAttr.from_bool(self.draw(st.booleans())),
            "epsilon": FloatAttr(self.draw(st.sampled_from([1e-5, 0.5])), f64),
        }  # fmt: skip
        self.add(axq.NormalizeOp, [[source]], properties, shape_of(source), self.draw(quants()))

    def reshape(self) -> None:
        source = self.pick()
        _, channels, height, width = shape_of(source)
        rows = self.draw(st.sampled_from([n for n in range(1, height * width + 1) if height * width % n == 0]))
        shape = (1, channels, rows, height * width // rows)
        self.add(axq.ReshapeOp, [[source]], {"shape": ints(shape)}, shape, axq.quant_of(source))

    def rearrange(self) -> None:
        source = self.pick()
        split, perm, shape = self.draw(rearrangements(shape_of(source)))
        properties: dict[str, Attribute] = {"split": ints(split), "perm": ints(perm), "shape": ints(shape)}
        self.add(axq.RearrangeOp, [[source]], properties, tuple(shape), axq.quant_of(source))

    def gather(self) -> None:
        """Rows or columns, as a resize to another size takes them, or any."""
        source, axis = self.pick(), self.draw(st.sampled_from([2, 3]))
        size = shape_of(source)[axis]
        resized = st.integers(1, 2 * size).map(lambda count: [place * size // count for place in range(count)])
        indices = self.draw(st.one_of(resized, st.lists(st.integers(0, size - 1), min_size=1, max_size=9)))
        properties: dict[str, Attribute] = {"axis": IntegerAttr(axis, i64), "indices": ints(indices)}
        self.add(axq.GatherOp, [[source]], properties, gather(shape_of(source), axis, indices), axq.quant_of(source))

    def stored(self) -> None:
        """A constant, which a concatenation or an epilogue may take."""
        like = self.pick()
        shape = shape_of(like)
        value = self.constant(self.rng.integers(-128, 128, shape).astype(np.int8))
        self.add(axq.ConstantOp, [], {"value": value}, shape, axq.quant_of(like))

    def concat(self) -> None:
        first = self.pick()
        shape = shape_of(first)
        axis = self.draw(st.integers(1, 3))
        quant = axq.quant_of(first)
        fits = [
            v for v in self.values
            if all(a == b for i, (a, b) in enumerate(zip(shape_of(v), shape, strict=True)) if i != axis)
        ]  # fmt: skip
        parts = [first]
        for _ in range(self.draw(st.integers(1, 2))):
            part = self.draw(st.sampled_from(fits))
            if axq.quant_of(part) != quant:
                self.add(axq.MapOp, [[part], []], {}, shape_of(part), quant)
                part = self.values[-1]
            parts.append(part)
        size = sum(shape_of(part)[axis] for part in parts)
        result = (*shape[:axis], size, *shape[axis + 1 :])
        self.add(axq.ConcatOp, [parts], {"axis": IntegerAttr(axis, i64)}, result, quant)

    def slice(self) -> None:
        source = self.pick()
        shape = shape_of(source)
        starts = [0, *(self.draw(st.integers(0, size - 1)) for size in shape[1:])]
        ends = [1, *(self.draw(st.integers(low + 1, size)) for low, size in zip(starts[1:], shape[1:], strict=True))]
        steps = [1, *(self.draw(st.sampled_from([1, 1, 2])) for _ in shape[1:])]
        properties: dict[str, Attribute] = {"starts": ints(starts), "ends": ints(ends), "steps": ints(steps)}
        self.add(axq.SliceOp, [[source]], properties, slice_(shape, starts, ends, steps), axq.quant_of(source))


class Case:
    """A graph and the store of its weights; a failing one prints as text that ax-opt reads."""

    def __init__(self, graph: axq.GraphOp, store: WeightStore):
        self.graph, self.store = graph, store

    def __repr__(self) -> str:
        return f"\n{self.graph}\n"


@st.composite
def graphs(draw: st.DrawFn) -> Case:
    """A verified graph with one or two inputs."""
    builder = Builder(draw)
    sizes = st.tuples(st.sampled_from([1, 3, 4, 8, 64, 66]), st.integers(1, 13), st.integers(1, 13))
    inputs = [quantized((1, *draw(sizes)), draw(quants())) for _ in range(draw(st.integers(1, 2)))]
    graph = axq.GraphOp("main", [(f"x{index}", tensor) for index, tensor in enumerate(inputs)], [])
    builder.values.extend(graph.body.block.args)
    makers = [
        builder.convolution, builder.convolution, builder.transposed, builder.max_pool, builder.avg_pool, builder.map,
        builder.softmax, builder.concat, builder.slice, builder.attention, builder.normalize,
        builder.reshape, builder.rearrange, builder.gather, builder.stored,
    ]  # fmt: skip
    for _ in range(draw(st.integers(1, 6))):
        draw(st.sampled_from(makers))()
    if not builder.ops:
        builder.map()
    last = builder.values[-1]
    returned = [last] if draw(st.booleans()) else [last, builder.pick()]
    graph.body.block.add_ops([*builder.ops, axq.ReturnOp(returned)])
    graph.outputs = ArrayAttr(StringAttr(f"y{index}") for index in range(len(returned)))
    graph.verify()
    return Case(graph, builder.store)


@st.composite
def grouped(draw: st.DrawFn) -> Case:
    """A verified graph with a convolution of groups that are less than a pword, over several pwords of channels."""
    builder = Builder(draw)
    channels = draw(st.sampled_from([128, 192, 256, 320]))
    size = channels, draw(st.integers(1, 7)), draw(st.integers(1, 7))
    graph = axq.GraphOp("main", [("x0", quantized((1, *size), draw(quants())))], [])
    builder.values.extend(graph.body.block.args)
    if draw(st.booleans()):
        builder.map()
    source = builder.pick()
    group = draw(st.sampled_from([number for number in (2, 4, 5, 8, 16, 32, 64) if channels % number == 0]))
    kernel, strides, pads = builder.window(shape_of(source))
    outputs = group * draw(st.sampled_from([1, 4, 8, 16, 20]))
    weight = (outputs, channels // group, *kernel)
    properties: dict[str, Attribute] = {
        **builder.weights(weight, outputs), "strides": ints(strides), "pads": ints(pads), "dilations": ints([1, 1]),
        "group": IntegerAttr(group, i64),
    }  # fmt: skip
    builder.fused(axq.ConvOp, source, conv(shape_of(source), weight, strides, pads, [1, 1], group), properties)
    if draw(st.booleans()):
        builder.convolution()
    graph.body.block.add_ops([*builder.ops, axq.ReturnOp([builder.values[-1]])])
    graph.outputs = ArrayAttr([StringAttr("y")])
    graph.verify()
    return Case(graph, builder.store)


@st.composite
def towers(draw: st.DrawFn) -> Case:
    """A verified graph of some layers on each other, over a tall image: what depth-first chains are for."""
    builder = Builder(draw, recent=1)
    size = draw(st.sampled_from([1, 8, 66])), draw(st.integers(6, 40)), draw(st.integers(1, 9))
    graph = axq.GraphOp("main", [("x0", quantized((1, *size), draw(quants())))], [])
    builder.values.extend(graph.body.block.args)
    makers = [
        builder.convolution, builder.convolution, builder.transposed, builder.max_pool, builder.avg_pool, builder.map
    ]  # fmt: skip
    for _ in range(draw(st.integers(2, 7))):
        builder.recent = draw(st.sampled_from([1, 1, 1, 2]))
        draw(st.sampled_from(makers))()
    if not builder.ops:
        builder.map()
    graph.body.block.add_ops([*builder.ops, axq.ReturnOp([builder.values[-1]])])
    graph.outputs = ArrayAttr([StringAttr("y0")])
    graph.verify()
    return Case(graph, builder.store)
