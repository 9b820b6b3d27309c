"""`ax`, the graph: float tensors in ONNX's meaning, static shapes, every default made explicit.

Operators keep the operand order and the attribute names of ONNX (https://onnx.ai/onnx/operators). Windows are
`[height, width]`, pads `[top, left, bottom, right]`. Each operator knows its result type (`infer`), which builders use
and verifiers compare with. `ax.onnx` carries an ONNX node that no operator here describes; only a host part may keep
it.
"""

from __future__ import annotations

from abc import ABC
from collections.abc import Sequence
from typing import cast

from xdsl.dialects.builtin import (
    ArrayAttr,
    BoolAttr,
    DenseArrayBase,
    DenseIntOrFPElementsAttr,
    DictionaryAttr,
    IntegerAttr,
    StringAttr,
    TensorType,
    i64,
)
from xdsl.ir import Block, Dialect, Region, SSAValue
from xdsl.irdl import (
    AttrSizedOperandSegments,
    IRDLOperation,
    ParsePropInAttrDict,
    irdl_op_definition,
    operand_def,
    opt_operand_def,
    prop_def,
    region_def,
    result_def,
    traits_def,
    var_operand_def,
    var_result_def,
)
from xdsl.parser import Parser
from xdsl.printer import Printer
from xdsl.traits import ConstantLike, HasParent, IsolatedFromAbove, IsTerminator, Pure, SymbolOpInterface
from xdsl.utils.exceptions import VerifyException

from axir.dialects import shapes
from axir.dialects.base import (
    EPILOGUE,
    F64,
    WINDOW,
    Tensor,
    TypedOp,
    ints_of,
    parse_graph,
    print_graph,
    shape_of,
    tensor_of,
    verify_epilogue,
    verify_graph,
)
from axir.dialects.epilogue import EpilogueAttr, Step
from axir.dialects.stats import StatsAttr
from axir.ir.constants import WeightAttr

# --- structure ---


@irdl_op_definition
class GraphOp(IRDLOperation):
    """A function over tensors: `@main` for the device, `@preamble` and `@postamble` for the host around it."""

    name = "ax.graph"
    sym_name = prop_def(StringAttr)
    inputs = prop_def(ArrayAttr[StringAttr])
    outputs = prop_def(ArrayAttr[StringAttr])
    body = region_def("single_block")
    traits = traits_def(SymbolOpInterface(), IsolatedFromAbove())

    def __init__(self, name: str, inputs: Sequence[tuple[str, Tensor]], outputs: Sequence[str]):
        super().__init__(
            properties={
                "sym_name": StringAttr(name),
                "inputs": ArrayAttr(StringAttr(i) for i, _ in inputs),
                "outputs": ArrayAttr(StringAttr(o) for o in outputs),
            },
            regions=[Region(Block(arg_types=[t for _, t in inputs]))],
        )

    @property
    def terminator(self) -> ReturnOp:
        op = self.body.block.last_op
        if not isinstance(op, ReturnOp):
            raise VerifyException("a graph must end with a return")
        return op

    def verify_(self) -> None:
        verify_graph(self, self.inputs, self.outputs, self.body)

    @classmethod
    def parse(cls, parser: Parser) -> GraphOp:
        return parse_graph(cls, parser)

    def print(self, printer: Printer) -> None:
        print_graph(self, printer, self.sym_name, self.inputs, self.outputs, self.body)


@irdl_op_definition
class ReturnOp(IRDLOperation):
    name = "ax.return"
    values = var_operand_def()
    traits = traits_def(IsTerminator(), HasParent(GraphOp), Pure())
    assembly_format = "($values^ `:` type($values))? attr-dict"

    def __init__(self, values: Sequence[SSAValue]):
        super().__init__(operands=[list(values)])


@irdl_op_definition
class ConstantOp(IRDLOperation):
    """A constant tensor: a few elements inline, larger ones a reference into the weight store."""

    name = "ax.constant"
    value = prop_def(WeightAttr | DenseIntOrFPElementsAttr)
    result = result_def(TensorType)
    traits = traits_def(Pure(), ConstantLike())
    assembly_format = "qualified($value) attr-dict `:` type($result)"

    def __init__(self, value: WeightAttr | DenseIntOrFPElementsAttr):
        super().__init__(properties={"value": value}, result_types=[value.type])

    def verify_(self) -> None:
        if self.result.type != self.value.type:
            raise VerifyException(f"result has type {self.result.type}, the constant {self.value.type}")


@irdl_op_definition
class OnnxOp(IRDLOperation):
    """An ONNX node as it stands: `kind` and `domain` name the operator, `node_attributes` its attributes.

    An omitted optional input is recorded in `present`, one flag an ONNX input.
    """

    name = "ax.onnx"
    kind = prop_def(StringAttr)
    domain = prop_def(StringAttr, default_value=StringAttr(""))
    opset = prop_def(IntegerAttr.constr(i64))
    node_attributes = prop_def(DictionaryAttr)
    present = prop_def(DenseArrayBase.constr(i64))
    arguments = var_operand_def()
    outputs = var_result_def()
    traits = traits_def(Pure())
    assembly_format = (
        "$kind `(` $arguments `)` (`domain` $domain^)? `opset` $opset `present` $present `with` $node_attributes "
        "attr-dict `:` functional-type($arguments, $outputs)"
    )

    def verify_(self) -> None:
        present = ints_of(self.present)
        if any(flag not in (0, 1) for flag in present):
            raise VerifyException(f"present holds flags, not {list(present)}")
        if sum(present) != len(self.arguments):
            raise VerifyException(f"{sum(present)} inputs are present, {len(self.arguments)} given")
        for value in (*self.arguments, *self.outputs):
            tensor_of(value)


# --- convolution and matrix products ---


class EpilogueOp(TypedOp, ABC):
    """An operator whose float result passes through an epilogue, see `axir.dialects.epilogue`."""

    epilogue = prop_def(EpilogueAttr, default_value=EpilogueAttr())
    extras = var_operand_def(TensorType)

    def verify_(self) -> None:
        super().verify_()
        verify_epilogue(self.epilogue, self.extras, self.result)


SEGMENTS = (AttrSizedOperandSegments(as_property=True), ParsePropInAttrDict())


@irdl_op_definition
class ConvOp(EpilogueOp):
    """Convolution. weight [O, C/group, KH, KW], bias [O]."""

    name = "ax.conv"
    input = operand_def(TensorType)
    weight = operand_def(TensorType)
    bias = opt_operand_def(TensorType)
    extras = var_operand_def(TensorType)
    strides = prop_def(WINDOW)
    pads = prop_def(WINDOW)
    dilations = prop_def(WINDOW)
    group = prop_def(IntegerAttr.constr(i64))
    irdl_options = SEGMENTS
    assembly_format = (
        "$input `,` $weight (`bias` $bias^ `:` type($bias))? `strides` $strides `pads` $pads `dilations` $dilations "
        f"`group` $group {EPILOGUE} attr-dict `:` `(` type($input) `,` type($weight) `)` `->` type($result)"
    )

    def infer(self) -> Tensor:
        shape = shapes.conv(
            shape_of(self.input), shape_of(self.weight), ints_of(self.strides), ints_of(self.pads),
            ints_of(self.dilations), self.group.value.data,
        )  # fmt: skip
        _check_bias(self.bias, shape[1])
        return TensorType(tensor_of(self.input).element_type, shape)


@irdl_op_definition
class ConvTransposeOp(EpilogueOp):
    """Transposed convolution. weight [C, O/group, KH, KW], bias [O]."""

    name = "ax.conv_transpose"
    input = operand_def(TensorType)
    weight = operand_def(TensorType)
    bias = opt_operand_def(TensorType)
    extras = var_operand_def(TensorType)
    strides = prop_def(WINDOW)
    pads = prop_def(WINDOW)
    output_padding = prop_def(WINDOW)
    dilations = prop_def(WINDOW)
    group = prop_def(IntegerAttr.constr(i64))
    irdl_options = SEGMENTS
    assembly_format = (
        "$input `,` $weight (`bias` $bias^ `:` type($bias))? `strides` $strides `pads` $pads `output_padding` "
        f"$output_padding `dilations` $dilations `group` $group {EPILOGUE} attr-dict "
        "`:` `(` type($input) `,` type($weight) `)` `->` type($result)"
    )

    def infer(self) -> Tensor:
        shape = shapes.conv_transpose(
            shape_of(self.input), shape_of(self.weight), ints_of(self.strides), ints_of(self.pads),
            ints_of(self.output_padding), ints_of(self.dilations), self.group.value.data,
        )  # fmt: skip
        _check_bias(self.bias, shape[1])
        return TensorType(tensor_of(self.input).element_type, shape)


def _check_bias(bias: SSAValue | None, channels: int) -> None:
    if bias is not None and shape_of(bias) != (channels,):
        raise ValueError(f"bias must have shape [{channels}], it has {list(shape_of(bias))}")


@irdl_op_definition
class GemmOp(TypedOp):
    """alpha * op(a) * op(b) + beta * c, matrices of rank 2."""

    name = "ax.gemm"
    a = operand_def(TensorType)
    b = operand_def(TensorType)
    c = opt_operand_def(TensorType)
    alpha = prop_def(F64)
    beta = prop_def(F64)
    trans_a = prop_def(BoolAttr)
    trans_b = prop_def(BoolAttr)
    irdl_options = (ParsePropInAttrDict(),)
    assembly_format = (
        "$a `,` $b (`plus` $c^ `:` type($c))? `alpha` $alpha `beta` $beta `trans_a` $trans_a `trans_b` $trans_b "
        "attr-dict `:` `(` type($a) `,` type($b) `)` `->` type($result)"
    )

    def infer(self) -> Tensor:
        a, b = shape_of(self.a), shape_of(self.b)
        if len(a) != 2 or len(b) != 2:
            raise ValueError(f"gemm takes matrices, not ranks {len(a)} and {len(b)}")
        shape = shapes.matmul(a[::-1] if self.trans_a.value.data else a, b[::-1] if self.trans_b.value.data else b)
        if self.c is not None and shapes.broadcast(shape, shape_of(self.c)) != shape:
            raise ValueError(f"c of shape {list(shape_of(self.c))} does not broadcast to {list(shape)}")
        return TensorType(tensor_of(self.a).element_type, shape)


@irdl_op_definition
class MatMulOp(TypedOp):
    name = "ax.matmul"
    a = operand_def(TensorType)
    b = operand_def(TensorType)
    assembly_format = "$a `,` $b attr-dict `:` `(` type($a) `,` type($b) `)` `->` type($result)"

    def infer(self) -> Tensor:
        return TensorType(tensor_of(self.a).element_type, shapes.matmul(shape_of(self.a), shape_of(self.b)))


@irdl_op_definition
class BatchNormOp(TypedOp):
    """(x - mean) / sqrt(variance + epsilon) * scale + bias, one number a channel (axis 1)."""

    name = "ax.batch_norm"
    input = operand_def(TensorType)
    scale = operand_def(TensorType)
    bias = operand_def(TensorType)
    mean = operand_def(TensorType)
    variance = operand_def(TensorType)
    epsilon = prop_def(F64)
    assembly_format = (
        "$input `scale` $scale `bias` $bias `mean` $mean `variance` $variance `epsilon` $epsilon attr-dict `:` "
        "`(` type($input) `,` type($scale) `,` type($bias) `,` type($mean) `,` type($variance) `)` `->` type($result)"
    )

    def infer(self) -> Tensor:
        shape = shape_of(self.input)
        if len(shape) < 2:
            raise ValueError("batch_norm needs a channel axis")
        for name in ("scale", "bias", "mean", "variance"):
            if shape_of(cast(SSAValue, getattr(self, name))) != (shape[1],):
                raise ValueError(f"{name} must have shape [{shape[1]}]")
        return tensor_of(self.input)


# --- pooling and reduction ---


@irdl_op_definition
class MaxPoolOp(TypedOp):
    """Greatest value of every window; padding never wins."""

    name = "ax.max_pool"
    input = operand_def(TensorType)
    kernel = prop_def(WINDOW)
    strides = prop_def(WINDOW)
    pads = prop_def(WINDOW)
    dilations = prop_def(WINDOW)
    assembly_format = (
        "$input `kernel` $kernel `strides` $strides `pads` $pads `dilations` $dilations attr-dict "
        "`:` type($input) `->` type($result)"
    )

    def infer(self) -> Tensor:
        shape = shapes.pool(
            shape_of(self.input), ints_of(self.kernel), ints_of(self.strides), ints_of(self.pads),
            ints_of(self.dilations),
        )  # fmt: skip
        return TensorType(tensor_of(self.input).element_type, shape)


@irdl_op_definition
class AvgPoolOp(EpilogueOp):
    """Mean of every window, over all taps or (`count_include_pad` false) over those inside the input."""

    name = "ax.avg_pool"
    input = operand_def(TensorType)
    extras = var_operand_def(TensorType)
    kernel = prop_def(WINDOW)
    strides = prop_def(WINDOW)
    pads = prop_def(WINDOW)
    dilations = prop_def(WINDOW)
    count_include_pad = prop_def(BoolAttr)
    irdl_options = (ParsePropInAttrDict(),)
    assembly_format = (
        "$input `kernel` $kernel `strides` $strides `pads` $pads `dilations` $dilations "
        f"`count_include_pad` $count_include_pad {EPILOGUE} attr-dict `:` type($input) `->` type($result)"
    )

    def infer(self) -> Tensor:
        shape = shapes.pool(
            shape_of(self.input), ints_of(self.kernel), ints_of(self.strides), ints_of(self.pads),
            ints_of(self.dilations),
        )  # fmt: skip
        return TensorType(tensor_of(self.input).element_type, shape)


class GlobalPoolOp(TypedOp, ABC):
    input = operand_def(TensorType)

    def infer(self) -> Tensor:
        shape = shape_of(self.input)
        if len(shape) < 3:
            raise ValueError("global pooling needs a spatial axis")
        return TensorType(tensor_of(self.input).element_type, (*shape[:2], *(1 for _ in shape[2:])))


@irdl_op_definition
class GlobalAvgPoolOp(GlobalPoolOp):
    name = "ax.global_avg_pool"
    assembly_format = "$input attr-dict `:` type($input) `->` type($result)"


@irdl_op_definition
class GlobalMaxPoolOp(GlobalPoolOp):
    name = "ax.global_max_pool"
    assembly_format = "$input attr-dict `:` type($input) `->` type($result)"


@irdl_op_definition
class ReduceMeanOp(TypedOp):
    name = "ax.reduce_mean"
    input = operand_def(TensorType)
    axes = prop_def(WINDOW)
    keepdims = prop_def(BoolAttr)
    assembly_format = "$input `axes` $axes `keepdims` $keepdims attr-dict `:` type($input) `->` type($result)"

    def infer(self) -> Tensor:
        shape = shapes.reduce(shape_of(self.input), ints_of(self.axes), bool(self.keepdims.value.data))
        return TensorType(tensor_of(self.input).element_type, shape)


# --- elementwise ---


class BinaryOp(TypedOp, ABC):
    a = operand_def(TensorType)
    b = operand_def(TensorType)

    def infer(self) -> Tensor:
        a, b = tensor_of(self.a), tensor_of(self.b)
        if a.element_type != b.element_type:
            raise ValueError(f"element types {a.element_type} and {b.element_type} differ")
        return TensorType(a.element_type, shapes.broadcast(a.get_shape(), b.get_shape()))


BINARY = "$a `,` $b attr-dict `:` `(` type($a) `,` type($b) `)` `->` type($result)"


@irdl_op_definition
class AddOp(BinaryOp):
    name = "ax.add"
    assembly_format = BINARY


@irdl_op_definition
class SubOp(BinaryOp):
    name = "ax.sub"
    assembly_format = BINARY


@irdl_op_definition
class MulOp(BinaryOp):
    name = "ax.mul"
    assembly_format = BINARY


@irdl_op_definition
class DivOp(BinaryOp):
    name = "ax.div"
    assembly_format = BINARY


class UnaryOp(TypedOp, ABC):
    input = operand_def(TensorType)

    def infer(self) -> Tensor:
        return tensor_of(self.input)


UNARY = "$input attr-dict `:` type($input) `->` type($result)"


@irdl_op_definition
class ReluOp(UnaryOp):
    name = "ax.relu"
    assembly_format = UNARY


@irdl_op_definition
class SigmoidOp(UnaryOp):
    name = "ax.sigmoid"
    assembly_format = UNARY


@irdl_op_definition
class TanhOp(UnaryOp):
    name = "ax.tanh"
    assembly_format = UNARY


@irdl_op_definition
class SiluOp(UnaryOp):
    """x * sigmoid(x); exporters spell it out."""

    name = "ax.silu"
    assembly_format = UNARY


@irdl_op_definition
class HardSwishOp(UnaryOp):
    """x * max(0, min(1, x / 6 + 1 / 2))"""

    name = "ax.hard_swish"
    assembly_format = UNARY


@irdl_op_definition
class TableOp(UnaryOp):
    """c * f(a * x + b) + d, what constants around a table function f make of it: `function <tanh(0.5, 0.0, 2.0, 1.0)>`.

    The vector unit computes it as it does f alone, by a table of its own.
    """

    name = "ax.table"
    function = prop_def(EpilogueAttr)
    assembly_format = "$input `function` $function attr-dict `:` type($input) `->` type($result)"

    @property
    def step(self) -> Step:
        """The function, and its constants a, b, c, d."""
        return self.function.data[0]

    def verify_(self) -> None:
        super().verify_()
        if len(self.function.data) != 1 or not self.step.is_table or not self.step.arguments:
            raise VerifyException("the function must be one table function with its four constants")


@irdl_op_definition
class HardSigmoidOp(UnaryOp):
    """max(0, min(1, alpha * x + beta))"""

    name = "ax.hard_sigmoid"
    alpha = prop_def(F64)
    beta = prop_def(F64)
    assembly_format = "$input `alpha` $alpha `beta` $beta attr-dict `:` type($input) `->` type($result)"


@irdl_op_definition
class LeakyReluOp(UnaryOp):
    name = "ax.leaky_relu"
    alpha = prop_def(F64)
    assembly_format = "$input `alpha` $alpha attr-dict `:` type($input) `->` type($result)"


@irdl_op_definition
class ClipOp(UnaryOp):
    """max(minimum, min(maximum, x)); an absent bound is the type's own."""

    name = "ax.clip"
    minimum = prop_def(F64)
    maximum = prop_def(F64)
    assembly_format = "$input `min` $minimum `max` $maximum attr-dict `:` type($input) `->` type($result)"

    def verify_(self) -> None:
        super().verify_()
        if self.minimum.value.data > self.maximum.value.data:
            raise VerifyException("clip bounds are in the wrong order")


@irdl_op_definition
class PReluOp(TypedOp):
    """x where x >= 0, slope * x below; the slope broadcasts to x."""

    name = "ax.prelu"
    input = operand_def(TensorType)
    slope = operand_def(TensorType)
    assembly_format = "$input `,` $slope attr-dict `:` `(` type($input) `,` type($slope) `)` `->` type($result)"

    def infer(self) -> Tensor:
        shape = shape_of(self.input)
        if shapes.broadcast(shape, shape_of(self.slope)) != shape:
            raise ValueError(f"slope of shape {list(shape_of(self.slope))} does not broadcast to {list(shape)}")
        return tensor_of(self.input)


@irdl_op_definition
class SoftmaxOp(UnaryOp):
    name = "ax.softmax"
    axis = prop_def(IntegerAttr.constr(i64))
    assembly_format = "$input `axis` $axis attr-dict `:` type($input) `->` type($result)"

    def verify_(self) -> None:
        super().verify_()
        if not 0 <= self.axis.value.data < len(shape_of(self.input)):
            raise VerifyException(f"axis {self.axis.value.data} is outside rank {len(shape_of(self.input))}")


# --- data movement ---


@irdl_op_definition
class ConcatOp(TypedOp):
    name = "ax.concat"
    inputs = var_operand_def(TensorType)
    axis = prop_def(IntegerAttr.constr(i64))
    assembly_format = "$inputs `axis` $axis attr-dict `:` functional-type($inputs, $result)"

    def infer(self) -> Tensor:
        if not self.inputs:
            raise ValueError("concat needs an input")
        shape = shapes.concat([shape_of(value) for value in self.inputs], self.axis.value.data)
        return TensorType(tensor_of(self.inputs[0]).element_type, shape)


@irdl_op_definition
class SliceOp(TypedOp):
    """One start, end and step an axis, normalized to 0 <= start <= end <= size, step > 0."""

    name = "ax.slice"
    input = operand_def(TensorType)
    starts = prop_def(WINDOW)
    ends = prop_def(WINDOW)
    steps = prop_def(WINDOW)
    assembly_format = (
        "$input `starts` $starts `ends` $ends `steps` $steps attr-dict `:` type($input) `->` type($result)"
    )

    def infer(self) -> Tensor:
        shape = shapes.slice_(shape_of(self.input), ints_of(self.starts), ints_of(self.ends), ints_of(self.steps))
        return TensorType(tensor_of(self.input).element_type, shape)


@irdl_op_definition
class PadOp(TypedOp):
    """Constant padding: `pads` holds all starts, then all ends."""

    name = "ax.pad"
    input = operand_def(TensorType)
    pads = prop_def(WINDOW)
    value = prop_def(F64)
    assembly_format = "$input `pads` $pads `value` $value attr-dict `:` type($input) `->` type($result)"

    def infer(self) -> Tensor:
        return TensorType(tensor_of(self.input).element_type, shapes.pad(shape_of(self.input), ints_of(self.pads)))


@irdl_op_definition
class ReshapeOp(TypedOp):
    name = "ax.reshape"
    input = operand_def(TensorType)
    shape = prop_def(WINDOW)
    assembly_format = "$input `shape` $shape attr-dict `:` type($input) `->` type($result)"

    def infer(self) -> Tensor:
        return TensorType(tensor_of(self.input).element_type, shapes.reshape(shape_of(self.input), ints_of(self.shape)))


@irdl_op_definition
class TransposeOp(TypedOp):
    name = "ax.transpose"
    input = operand_def(TensorType)
    perm = prop_def(WINDOW)
    assembly_format = "$input `perm` $perm attr-dict `:` type($input) `->` type($result)"

    def infer(self) -> Tensor:
        shape = shapes.transpose(shape_of(self.input), ints_of(self.perm))
        return TensorType(tensor_of(self.input).element_type, shape)


Ax = Dialect(
    "ax",
    [
        GraphOp, ReturnOp, ConstantOp, OnnxOp, ConvOp, ConvTransposeOp, GemmOp, MatMulOp, BatchNormOp, MaxPoolOp,
        AvgPoolOp, GlobalAvgPoolOp, GlobalMaxPoolOp, ReduceMeanOp, AddOp, SubOp, MulOp, DivOp, ReluOp, SigmoidOp,
        TanhOp, SiluOp, HardSwishOp, TableOp, HardSigmoidOp, LeakyReluOp, ClipOp, PReluOp, SoftmaxOp, ConcatOp, SliceOp,
        PadOp, ReshapeOp, TransposeOp,
    ],
    [WeightAttr, StatsAttr, EpilogueAttr],
)  # fmt: skip
