"""Convolutions and matrix products."""

from __future__ import annotations

from xdsl.dialects.builtin import BoolAttr, IntegerAttr, TensorType, i64
from xdsl.ir import SSAValue
from xdsl.irdl import (
    ParsePropInAttrDict,
    irdl_op_definition,
    operand_def,
    opt_operand_def,
    prop_def,
    var_operand_def,
)

from axir.dialects import shapes
from axir.dialects.ax.kinds import SEGMENTS, EpilogueOp
from axir.dialects.base import EPILOGUE, F64, WINDOW, Tensor, TypedOp, ints_of, shape_of, tensor_of


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
