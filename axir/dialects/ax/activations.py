"""Functions of one tensor, element by element."""

from __future__ import annotations

from xdsl.dialects.builtin import TensorType
from xdsl.irdl import irdl_op_definition, operand_def, prop_def
from xdsl.utils.exceptions import VerifyException

from axir.dialects import shapes
from axir.dialects.ax.function import FunctionAttr
from axir.dialects.ax.kinds import UNARY, UnaryOp
from axir.dialects.base import F64, Tensor, TypedOp, shape_of, tensor_of
from axir.dialects.epilogue import EpilogueAttr, Step


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
class UnaryFunctionOp(UnaryOp):
    """A function of one number by its name, see `axir.dialects.ax.function`: `ax.unary %x <elu(1.0)>`."""

    name = "ax.unary"
    function = prop_def(FunctionAttr)
    assembly_format = "$input $function attr-dict `:` type($input) `->` type($result)"
