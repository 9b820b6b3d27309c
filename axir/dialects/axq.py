"""`axq`, the quantized graph: exactly what the device can do, one operator for one fused device operator.

Activations are int8 tensors whose element type `!axq.q<scale : zero_point>` says what a stored byte means:
real = (stored - zero_point) * scale. Weights and biases are properties, never operands: weight int8, symmetric, one
scale an output channel; bias int32 at scale input_scale * weight_scale. The arithmetic of every operator is written in
docs/numerics.md: an exact int32 accumulator, then the epilogue in binary32, then one requantization.
"""

from __future__ import annotations

from abc import ABC
from collections.abc import Sequence
from typing import cast

from xdsl.dialects.builtin import (
    ArrayAttr,
    BoolAttr,
    DenseIntOrFPElementsAttr,
    FloatAttr,
    IntegerAttr,
    StringAttr,
    TensorType,
    f32,
    i8,
    i32,
    i64,
)
from xdsl.ir import Attribute, Block, Dialect, ParametrizedAttribute, Region, SSAValue, TypeAttribute
from xdsl.irdl import (
    AttrSizedOperandSegments,
    IRDLOperation,
    ParsePropInAttrDict,
    irdl_attr_definition,
    irdl_op_definition,
    operand_def,
    opt_prop_def,
    param_def,
    prop_def,
    region_def,
    traits_def,
    var_operand_def,
)
from xdsl.parser import AttrParser, Parser
from xdsl.printer import Printer
from xdsl.traits import HasParent, IsolatedFromAbove, IsTerminator, Pure, SymbolOpInterface
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
from axir.dialects.epilogue import EpilogueAttr, float_literal
from axir.ir.constants import WeightAttr

CONSTANT = WeightAttr | DenseIntOrFPElementsAttr
Constant = WeightAttr | DenseIntOrFPElementsAttr


@irdl_attr_definition
class QuantType(ParametrizedAttribute, TypeAttribute):
    """A signed byte that means (stored - zero_point) * scale.

    Per tensor: `!axq.q<0.0235 : -128>`. Per channel (axis 1): `!axq.q<channels SCALES : ZERO_POINTS>` with an f32 and
    an i32 constant of one element a channel.
    """

    name = "axq.q"
    scale: Attribute = param_def()
    zero_point: Attribute = param_def()

    @staticmethod
    def per_tensor(scale: float, zero_point: int) -> QuantType:
        return QuantType(FloatAttr(float(scale), f32), IntegerAttr(int(zero_point), i64))

    @property
    def per_channel(self) -> bool:
        return isinstance(self.scale, Constant)

    @property
    def scalar(self) -> tuple[float, int]:
        """(scale, zero point) of a per-tensor type; the scale is a binary32 value."""
        if not isinstance(self.scale, FloatAttr) or not isinstance(self.zero_point, IntegerAttr):
            raise TypeError("a per-channel type has no single scale")
        return self.scale.value.data, self.zero_point.value.data

    def verify(self) -> None:
        if isinstance(self.scale, FloatAttr) and isinstance(self.zero_point, IntegerAttr):
            scale, zero_point = self.scalar
            if not 0.0 < scale < float("inf"):
                raise VerifyException(f"scale must be positive and finite, not {scale}")
            if not -128 <= zero_point <= 127:
                raise VerifyException(f"zero point {zero_point} does not fit a signed byte")
            return
        if not isinstance(self.scale, Constant) or not isinstance(self.zero_point, Constant):
            raise VerifyException("scale and zero point must both be numbers, or constants of one element a channel")
        if self.scale.type.get_shape() != self.zero_point.type.get_shape() or len(self.scale.type.get_shape()) != 1:
            raise VerifyException("scales and zero points must be vectors of one length")
        if self.scale.type.element_type != f32 or self.zero_point.type.element_type != i32:
            raise VerifyException("scales must be f32 and zero points i32")

    @classmethod
    def parse_parameters(cls, parser: AttrParser) -> Sequence[Attribute]:
        with parser.in_angle_brackets():
            if parser.parse_optional_keyword("channels") is not None:
                scale = parser.parse_attribute()
                parser.parse_punctuation(":")
                return scale, parser.parse_attribute()
            value = float(parser.parse_number())
            parser.parse_punctuation(":")
            return FloatAttr(value, f32), IntegerAttr(parser.parse_integer(allow_boolean=False), i64)

    def print_parameters(self, printer: Printer) -> None:
        with printer.in_angle_brackets():
            if self.per_channel:
                printer.print_string("channels ")
                printer.print_attribute(self.scale)
                printer.print_string(" : ")
                printer.print_attribute(self.zero_point)
            else:
                scale, zero_point = self.scalar
                printer.print_string(f"{_binary32_literal(scale)} : {zero_point}")


def _binary32_literal(value: float) -> str:
    """The shortest decimal literal that reads back as the same binary32 number."""
    texts = (f"{value:.{digits}g}" for digits in range(1, 10))
    return next(float_literal(float(text)) for text in texts if FloatAttr(float(text), f32).value.data == value)


def quant_of(value: SSAValue) -> QuantType:
    """The quantized element type of a tensor; `VerifyException` when it has none."""
    element = tensor_of(value).element_type
    if not isinstance(element, QuantType):
        raise VerifyException(f"expected a quantized tensor, got {value.type}")
    return element


def quantized(shape: Sequence[int], element: QuantType) -> Tensor:
    return TensorType(cast(Attribute, element), shape)


def _verify_quantized(value: SSAValue, rank: int | None = 4) -> None:
    element = quant_of(value)
    shape = shape_of(value)
    if rank is not None and len(shape) != rank:
        raise VerifyException(f"expected rank {rank} (NCHW), got {value.type}")
    if min(shape, default=1) < 1:
        raise VerifyException(f"expected known dimensions of at least 1, got {value.type}")
    if isinstance(element.scale, Constant) and element.scale.type.get_shape() != (shape[1],):
        raise VerifyException(f"{element.scale.type.get_shape()[0]} scales for {shape[1]} channels")


def _verify_constant(name: str, value: Constant, element: Attribute, shape: Sequence[int]) -> None:
    if value.type.element_type != element or value.type.get_shape() != tuple(shape):
        raise VerifyException(f"{name} must be {TensorType(element, shape)}, it is {value.type}")


@irdl_op_definition
class GraphOp(IRDLOperation):
    """The device's function over int8 tensors. The host quantizes what goes in and dequantizes what comes out."""

    name = "axq.graph"
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
        for argument in self.body.block.args:
            _verify_quantized(argument)

    @classmethod
    def parse(cls, parser: Parser) -> GraphOp:
        return parse_graph(cls, parser)

    def print(self, printer: Printer) -> None:
        print_graph(self, printer, self.sym_name, self.inputs, self.outputs, self.body)


@irdl_op_definition
class ReturnOp(IRDLOperation):
    name = "axq.return"
    values = var_operand_def()
    traits = traits_def(IsTerminator(), HasParent(GraphOp), Pure())
    assembly_format = "($values^ `:` type($values))? attr-dict"

    def __init__(self, values: Sequence[SSAValue]):
        super().__init__(operands=[list(values)])


class QuantOp(TypedOp, ABC):
    """An operator on quantized tensors. The shape is inferred; the result's scale and zero point are its own choice."""

    def verify_(self) -> None:
        for value in (*self.operands, self.result):
            _verify_quantized(value)
        self.verify_inferred()

    def _result(self, shape: Sequence[int]) -> Tensor:
        return quantized(shape, quant_of(self.result))


class FusedOp(QuantOp, ABC):
    """An operator with an epilogue. `slope` ([C], f32) belongs to its `prelu` step, which takes no operand here."""

    epilogue = prop_def(EpilogueAttr, default_value=EpilogueAttr())
    extras = var_operand_def(TensorType)
    slope = opt_prop_def(CONSTANT)

    def verify_(self) -> None:
        super().verify_()
        steps = [step for step in self.epilogue if step.kind == "prelu"]
        if len(steps) != (self.slope is not None):
            raise VerifyException("a slope belongs to exactly one prelu step")
        if self.slope is not None:
            _verify_constant("slope", self.slope, f32, (shape_of(self.result)[1],))
        tensors = EpilogueAttr([step for step in self.epilogue if step.kind != "prelu"])
        verify_epilogue(tensors, self.extras, self.result)


SLOPE = "(`slope` qualified($slope)^)?"
SEGMENTS = (AttrSizedOperandSegments(as_property=True), ParsePropInAttrDict())
FUSED = f"{EPILOGUE} {SLOPE} attr-dict `:` type($input) `->` type($result)"


class WeightedOp(FusedOp, ABC):
    """Weights: int8 `weight`, f32 `weight_scale` [O], int32 `bias` [O] at scale input_scale * weight_scale.

    Where the input is quantized per channel (depthwise only), channel c's bias has the scale input_scale[c] *
    weight_scale[c].
    """

    input = operand_def(TensorType)
    weight = prop_def(CONSTANT)
    weight_scale = prop_def(CONSTANT)
    bias = prop_def(CONSTANT)
    strides = prop_def(WINDOW)
    pads = prop_def(WINDOW)
    dilations = prop_def(WINDOW)
    group = prop_def(IntegerAttr.constr(i64))

    def verify_(self) -> None:
        super().verify_()
        channels = shape_of(self.result)[1]
        _verify_constant("weight", self.weight, i8, self.weight.type.get_shape())
        _verify_constant("weight_scale", self.weight_scale, f32, (channels,))
        _verify_constant("bias", self.bias, i32, (channels,))
        depthwise = self.group.value.data == shape_of(self.input)[1]
        if quant_of(self.input).per_channel and not depthwise:
            raise VerifyException("only a depthwise convolution can take an input quantized per channel")


@irdl_op_definition
class ConvOp(WeightedOp):
    """Convolution, weight [O, C/group, KH, KW]."""

    name = "axq.conv"
    input = operand_def(TensorType)
    extras = var_operand_def(TensorType)
    irdl_options = (ParsePropInAttrDict(),)
    assembly_format = (
        "$input `weight` qualified($weight) `scale` qualified($weight_scale) `bias` qualified($bias) "
        f"`strides` $strides `pads` $pads `dilations` $dilations `group` $group {FUSED}"
    )

    def infer(self) -> Tensor:
        return self._result(
            shapes.conv(
                shape_of(self.input), self.weight.type.get_shape(), ints_of(self.strides), ints_of(self.pads),
                ints_of(self.dilations), self.group.value.data,
            )
        )  # fmt: skip


@irdl_op_definition
class ConvTransposeOp(WeightedOp):
    """Transposed convolution, weight [C, O/group, KH, KW]."""

    name = "axq.conv_transpose"
    input = operand_def(TensorType)
    extras = var_operand_def(TensorType)
    output_padding = prop_def(WINDOW)
    irdl_options = (ParsePropInAttrDict(),)
    assembly_format = (
        "$input `weight` qualified($weight) `scale` qualified($weight_scale) `bias` qualified($bias) "
        "`strides` $strides `pads` $pads `output_padding` $output_padding `dilations` $dilations "
        f"`group` $group {FUSED}"
    )

    def infer(self) -> Tensor:
        return self._result(
            shapes.conv_transpose(
                shape_of(self.input), self.weight.type.get_shape(), ints_of(self.strides), ints_of(self.pads),
                ints_of(self.output_padding), ints_of(self.dilations), self.group.value.data,
            )
        )  # fmt: skip


@irdl_op_definition
class MaxPoolOp(QuantOp):
    """Greatest stored value of every window: input and result share scale and zero point."""

    name = "axq.max_pool"
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
        return quantized(shape, quant_of(self.input))


@irdl_op_definition
class AvgPoolOp(FusedOp):
    """Mean of every window; a global average pool is the window of the whole input."""

    name = "axq.avg_pool"
    input = operand_def(TensorType)
    extras = var_operand_def(TensorType)
    kernel = prop_def(WINDOW)
    strides = prop_def(WINDOW)
    pads = prop_def(WINDOW)
    count_include_pad = prop_def(BoolAttr)
    irdl_options = (ParsePropInAttrDict(),)
    assembly_format = (
        "$input `kernel` $kernel `strides` $strides `pads` $pads `count_include_pad` $count_include_pad " + FUSED
    )

    def infer(self) -> Tensor:
        return self._result(
            shapes.pool(shape_of(self.input), ints_of(self.kernel), ints_of(self.strides), ints_of(self.pads), (1, 1))
        )


@irdl_op_definition
class MapOp(FusedOp):
    """Elementwise work on one tensor: dequantize, epilogue, requantize.

    `add` of two tensors, a lone activation and a requantization are all this.
    """

    name = "axq.map"
    input = operand_def(TensorType)
    extras = var_operand_def(TensorType)
    irdl_options = (ParsePropInAttrDict(),)
    assembly_format = "$input " + FUSED

    def infer(self) -> Tensor:
        return self._result(shape_of(self.input))


CHANNELS = 1
"""The axis of channels."""
NEUTRAL_LIMIT = 2.0**60
"""Greatest magnitude of a softmax's neutral value: no difference from it leaves the range of binary32."""


@irdl_op_definition
class SoftmaxOp(QuantOp):
    """exp(x) over the sum of exp(x) along `axis`, which must be that of the channels.

    The vector unit works on 64 channels at a time: behind the last channel, up to the next multiple of 64, the real
    value `neutral` takes part (docs/numerics.md, section 6). It contributes nothing where it is small enough.
    """

    name = "axq.softmax"
    input = operand_def(TensorType)
    axis = prop_def(IntegerAttr.constr(i64))
    neutral = prop_def(F64)
    assembly_format = "$input `axis` $axis `neutral` $neutral attr-dict `:` type($input) `->` type($result)"

    def verify_(self) -> None:
        super().verify_()
        if self.axis.value.data != CHANNELS:
            raise VerifyException(f"axis is {self.axis.value.data}; a softmax is along the channels, axis {CHANNELS}")
        if not abs(self.neutral.value.data) <= NEUTRAL_LIMIT:
            raise VerifyException(f"neutral is {self.neutral.value.data}; its magnitude is at most 2**60")
        if quant_of(self.input).per_channel or quant_of(self.result).per_channel:
            raise VerifyException("a softmax takes and gives tensors with one scale")

    def infer(self) -> Tensor:
        return self._result(shape_of(self.input))


FLT_MAX = float.fromhex("0x1.fffffep127")
"""The greatest binary32 number."""
MAX_NORMALIZED = 1 << 20
"""Values with common statistics whose sums are exact: n times the sum of squares is below 2**56."""
LARGEST_PRODUCT = 255 * 128
"""Greatest magnitude of a stored byte less its zero point, times one without."""


@irdl_op_definition
class MatMulOp(FusedOp):
    """Products of two activations, head by head (docs/numerics.md, section 3); the second has the zero point 0.

    `transpose`: pixels by pixels, [1, heads * K, H, W] and [1, heads * K, P, Q] to [1, P * Q, heads * H, W]. Else
    weighted sums of pixels, [1, P * Q, heads * H, W] and [1, heads * M, P, Q] to [1, heads * M, H, W].
    """

    name = "axq.matmul"
    input = operand_def(TensorType)
    other = operand_def(TensorType)
    extras = var_operand_def(TensorType)
    heads = prop_def(IntegerAttr.constr(i64))
    transpose = prop_def(BoolAttr)
    factor = prop_def(F64)
    irdl_options = (ParsePropInAttrDict(),)
    assembly_format = (
        f"$input `,` $other `heads` $heads `transpose` $transpose `factor` $factor {EPILOGUE} {SLOPE} attr-dict "
        "`:` `(` type($input) `,` type($other) `)` `->` type($result)"
    )

    @property
    def depth(self) -> int:
        """Products that a sum takes."""
        channels = shape_of(self.input)[1]
        return channels // self.heads.value.data if self.transpose.value.data else channels

    def verify_(self) -> None:
        super().verify_()
        if quant_of(self.input).per_channel or quant_of(self.other).per_channel:
            raise VerifyException("a matmul takes tensors with one scale")
        if quant_of(self.other).scalar[1] != 0:
            raise VerifyException(f"the second tensor has the zero point {quant_of(self.other).scalar[1]}, legal is 0")
        if not 0 < abs(self.factor.value.data) <= NEUTRAL_LIMIT:
            raise VerifyException(f"factor is {self.factor.value.data}; its magnitude is at most 2**60, and not 0")
        if self.depth * LARGEST_PRODUCT >= 1 << 31:
            raise VerifyException(f"a sum of {self.depth} products can exceed 32 bits")

    def infer(self) -> Tensor:
        heads, transpose = self.heads.value.data, bool(self.transpose.value.data)
        return self._result(shapes.head_matmul(shape_of(self.input), shape_of(self.other), heads, transpose))


@irdl_op_definition
class NormalizeOp(QuantOp):
    """(x - mean) / sqrt(variance + epsilon) * factor + summand, the last two one number a channel.

    Mean and variance are those of every `group` consecutive channels of a pixel or, with `spatial`, of all pixels.
    """

    name = "axq.normalize"
    input = operand_def(TensorType)
    factor = prop_def(CONSTANT)
    summand = prop_def(CONSTANT)
    group = prop_def(IntegerAttr.constr(i64))
    spatial = prop_def(BoolAttr)
    epsilon = prop_def(F64)
    assembly_format = (
        "$input `factor` qualified($factor) `summand` qualified($summand) `group` $group `spatial` $spatial "
        "`epsilon` $epsilon attr-dict `:` type($input) `->` type($result)"
    )

    @property
    def count(self) -> int:
        """Values with common statistics."""
        _, _, height, width = shape_of(self.input)
        return self.group.value.data * (height * width if self.spatial.value.data else 1)

    def verify_(self) -> None:
        super().verify_()
        channels = shape_of(self.result)[1]
        _verify_constant("factor", self.factor, f32, (channels,))
        _verify_constant("summand", self.summand, f32, (channels,))
        if self.group.value.data < 1 or channels % self.group.value.data:
            raise VerifyException(f"groups of {self.group.value.data} do not divide {channels} channels")
        if self.count > MAX_NORMALIZED:
            raise VerifyException(f"statistics of {self.count} values, at most {MAX_NORMALIZED} are exact")
        if quant_of(self.input).per_channel or quant_of(self.result).per_channel:
            raise VerifyException("a normalize takes and gives tensors with one scale")
        if not 0 < self.stored_epsilon < float("inf"):
            raise VerifyException(f"epsilon is {self.epsilon.value.data}; in units of the input it leaves binary32")

    @property
    def stored_epsilon(self) -> float:
        """What is added to the squared count times the variance of stored bytes: a binary32 number."""
        scale = float(quant_of(self.input).scalar[0])
        value = float(self.count) ** 2 * self.epsilon.value.data / scale**2
        return FloatAttr(value, f32).value.data if value <= FLT_MAX else float("inf")

    def infer(self) -> Tensor:
        return self._result(shape_of(self.input))


@irdl_op_definition
class ConstantOp(QuantOp):
    """Stored bytes that do not depend on the inputs: position embeddings, class tokens."""

    name = "axq.constant"
    value = prop_def(CONSTANT)
    assembly_format = "qualified($value) attr-dict `:` type($result)"

    def verify_(self) -> None:
        super().verify_()
        _verify_constant("the constant", self.value, i8, shape_of(self.result))

    def infer(self) -> Tensor:
        return self._result(self.value.type.get_shape())


@irdl_op_definition
class ReshapeOp(QuantOp):
    """The same pixels, counted row by row, in rows of another length; scale and zero point stay."""

    name = "axq.reshape"
    input = operand_def(TensorType)
    shape = prop_def(WINDOW)
    assembly_format = "$input `shape` $shape attr-dict `:` type($input) `->` type($result)"

    def infer(self) -> Tensor:
        shape = shapes.reshape(shape_of(self.input), ints_of(self.shape))
        if len(shape) != 4 or shape[:2] != shape_of(self.input)[:2]:
            raise ValueError(f"a reshape to {list(shape)} does not keep batch and channels")
        return quantized(shape, quant_of(self.input))


@irdl_op_definition
class RearrangeOp(QuantOp):
    """Factors of the axes in another order, as in `ax.rearrange`; scale and zero point stay."""

    name = "axq.rearrange"
    input = operand_def(TensorType)
    split = prop_def(WINDOW)
    perm = prop_def(WINDOW)
    shape = prop_def(WINDOW)
    assembly_format = "$input `split` $split `perm` $perm `shape` $shape attr-dict `:` type($input) `->` type($result)"

    def infer(self) -> Tensor:
        split, perm, target = map(ints_of, (self.split, self.perm, self.shape))
        shape = shapes.rearrange(shape_of(self.input), split, perm, target)
        if shape_of(self.input)[0] != 1 or shape[0] != 1:
            raise ValueError(f"{list(shape_of(self.input))} to {list(shape)} is no rearrangement of [1, C, H, W]")
        if quant_of(self.input).per_channel:
            raise ValueError("a rearrange takes a tensor with one scale")
        return quantized(shape, quant_of(self.input))


ROWS, COLUMNS = 2, 3
"""The axes of height and width."""


@irdl_op_definition
class GatherOp(QuantOp):
    """The rows (axis 2) or columns (axis 3) at `indices`, in any order and number; scale and zero point stay."""

    name = "axq.gather"
    input = operand_def(TensorType)
    axis = prop_def(IntegerAttr.constr(i64))
    indices = prop_def(WINDOW)
    assembly_format = "$input `axis` $axis `indices` $indices attr-dict `:` type($input) `->` type($result)"

    def infer(self) -> Tensor:
        axis = self.axis.value.data
        if axis not in (ROWS, COLUMNS):
            raise ValueError(f"axis is {axis}; a gather picks rows, axis {ROWS}, or columns, axis {COLUMNS}")
        return quantized(shapes.gather(shape_of(self.input), axis, ints_of(self.indices)), quant_of(self.input))


@irdl_op_definition
class ConcatOp(QuantOp):
    """Concatenation along `axis`; all inputs and the result share scale and zero point."""

    name = "axq.concat"
    inputs = var_operand_def(TensorType)
    axis = prop_def(IntegerAttr.constr(i64))
    assembly_format = "$inputs `axis` $axis attr-dict `:` functional-type($inputs, $result)"

    def infer(self) -> Tensor:
        if not self.inputs:
            raise ValueError("concat needs an input")
        first = quant_of(self.inputs[0])
        if any(quant_of(value) != first for value in self.inputs):
            raise ValueError("concat inputs differ in scale or zero point")
        return quantized(shapes.concat([shape_of(v) for v in self.inputs], self.axis.value.data), first)


@irdl_op_definition
class SliceOp(QuantOp):
    """One start, end and step an axis; input and result share scale and zero point."""

    name = "axq.slice"
    input = operand_def(TensorType)
    starts = prop_def(WINDOW)
    ends = prop_def(WINDOW)
    steps = prop_def(WINDOW)
    assembly_format = (
        "$input `starts` $starts `ends` $ends `steps` $steps attr-dict `:` type($input) `->` type($result)"
    )

    def infer(self) -> Tensor:
        shape = shapes.slice_(shape_of(self.input), ints_of(self.starts), ints_of(self.ends), ints_of(self.steps))
        return quantized(shape, quant_of(self.input))


Axq = Dialect(
    "axq",
    [
        GraphOp,
        ReturnOp,
        ConvOp,
        ConvTransposeOp,
        MaxPoolOp,
        AvgPoolOp,
        MapOp,
        SoftmaxOp,
        MatMulOp,
        NormalizeOp,
        ConstantOp,
        ReshapeOp,
        RearrangeOp,
        GatherOp,
        ConcatOp,
        SliceOp,
    ],
    [QuantType],
)
