"""Normalization and softmax."""

from __future__ import annotations

from typing import cast

from xdsl.dialects.builtin import IntegerAttr, TensorType, i64
from xdsl.ir import SSAValue
from xdsl.irdl import irdl_op_definition, operand_def, opt_operand_def, prop_def
from xdsl.utils.exceptions import VerifyException

from axir.dialects import shapes
from axir.dialects.ax.kinds import SEGMENTS, UnaryOp
from axir.dialects.base import F64, WINDOW, Tensor, TypedOp, ints_of, shape_of, tensor_of


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


@irdl_op_definition
class NormalizeOp(TypedOp):
    """(x - mean) / sqrt(variance + epsilon) * scale + bias, mean and variance over `axes` of x itself.

    Scale and bias broadcast to x. Layer normalization is along the last axes, instance normalization along height and
    width, group normalization along all but the first two axes of [N, groups, C / groups, H, W].
    """

    name = "ax.normalize"
    input = operand_def(TensorType)
    scale = opt_operand_def(TensorType)
    bias = opt_operand_def(TensorType)
    axes = prop_def(WINDOW)
    epsilon = prop_def(F64)
    irdl_options = SEGMENTS
    assembly_format = (
        "$input (`scale` $scale^ `:` type($scale))? (`bias` $bias^ `:` type($bias))? `axes` $axes `epsilon` $epsilon "
        "attr-dict `:` type($input) `->` type($result)"
    )

    def infer(self) -> Tensor:
        shape = shape_of(self.input)
        shapes.reduce(shape, ints_of(self.axes), True)
        if not ints_of(self.axes):
            raise ValueError("normalize needs an axis")
        for name, value in (("scale", self.scale), ("bias", self.bias)):
            if value is not None and shapes.broadcast(shape, shape_of(value)) != shape:
                raise ValueError(f"{name} of shape {list(shape_of(value))} does not broadcast to {list(shape)}")
        return tensor_of(self.input)

    def verify_(self) -> None:
        super().verify_()
        if not self.epsilon.value.data >= 0.0:
            raise VerifyException(f"epsilon is {self.epsilon.value.data}, it must not be negative")


@irdl_op_definition
class SoftmaxOp(UnaryOp):
    name = "ax.softmax"
    axis = prop_def(IntegerAttr.constr(i64))
    assembly_format = "$input `axis` $axis attr-dict `:` type($input) `->` type($result)"

    def verify_(self) -> None:
        super().verify_()
        if not 0 <= self.axis.value.data < len(shape_of(self.input)):
            raise VerifyException(f"axis {self.axis.value.data} is outside rank {len(shape_of(self.input))}")
