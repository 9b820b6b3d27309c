"""Products of two activations, as the device makes them."""

from __future__ import annotations

from xdsl.dialects.builtin import BoolAttr, IntegerAttr, TensorType, i64
from xdsl.irdl import ParsePropInAttrDict, irdl_op_definition, operand_def, prop_def, var_operand_def

from axir.dialects import shapes
from axir.dialects.ax.kinds import EpilogueOp
from axir.dialects.base import EPILOGUE, F64, Tensor, shape_of, tensor_of


@irdl_op_definition
class HeadMatMulOp(EpilogueOp):
    """Products of two tensors of pixels, head by head, times `factor`: what a matmul is where heads are channels.

    `transpose`: pixels by pixels, [1, heads * K, H, W] and [1, heads * K, P, Q] to [1, P * Q, heads * H, W]; element
    (m, g * H + h, w) is the sum over k of input[g * K + k, h, w] * other[g * K + k, pixel m]. Else weighted sums of
    pixels, [1, P * Q, heads * H, W] and [1, heads * M, P, Q] to [1, heads * M, H, W]; element (g * M + m, h, w) is the
    sum over k of input[k, g * H + h, w] * other[g * M + m, pixel k]. Pixels are counted row by row.
    """

    name = "ax.head_matmul"
    input = operand_def(TensorType)
    other = operand_def(TensorType)
    extras = var_operand_def(TensorType)
    heads = prop_def(IntegerAttr.constr(i64))
    transpose = prop_def(BoolAttr)
    factor = prop_def(F64)
    irdl_options = (ParsePropInAttrDict(),)
    assembly_format = (
        f"$input `,` $other `heads` $heads `transpose` $transpose `factor` $factor {EPILOGUE} attr-dict "
        "`:` `(` type($input) `,` type($other) `)` `->` type($result)"
    )

    def infer(self) -> Tensor:
        shape = shapes.head_matmul(
            shape_of(self.input), shape_of(self.other), self.heads.value.data, bool(self.transpose.value.data)
        )
        return TensorType(tensor_of(self.input).element_type, shape)
