"""Pools and reductions."""

from __future__ import annotations

from abc import ABC
from enum import auto

from xdsl.dialects.builtin import BoolAttr, TensorType
from xdsl.dialects.utils import EnumAttribute
from xdsl.ir import SpacedOpaqueSyntaxAttribute
from xdsl.irdl import (
    ParsePropInAttrDict,
    irdl_attr_definition,
    irdl_op_definition,
    operand_def,
    prop_def,
    var_operand_def,
)
from xdsl.utils.str_enum import StrEnum

from axir.dialects import shapes
from axir.dialects.ax.kinds import EpilogueOp
from axir.dialects.base import EPILOGUE, WINDOW, Tensor, TypedOp, ints_of, shape_of, tensor_of


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


class ReduceKind(StrEnum):
    MEAN = auto()
    SUM = auto()
    MAX = auto()
    MIN = auto()


@irdl_attr_definition
class ReduceKindAttr(EnumAttribute[ReduceKind], SpacedOpaqueSyntaxAttribute):
    name = "ax.reduce_kind"


@irdl_op_definition
class ReduceOp(TypedOp):
    """Mean, sum, greatest or least value over `axes`, which stay with size 1 or (`keepdims` false) go."""

    name = "ax.reduce"
    input = operand_def(TensorType)
    kind = prop_def(ReduceKindAttr)
    axes = prop_def(WINDOW)
    keepdims = prop_def(BoolAttr)
    assembly_format = "$input $kind `axes` $axes `keepdims` $keepdims attr-dict `:` type($input) `->` type($result)"

    def infer(self) -> Tensor:
        shape = shapes.reduce(shape_of(self.input), ints_of(self.axes), bool(self.keepdims.value.data))
        return TensorType(tensor_of(self.input).element_type, shape)
