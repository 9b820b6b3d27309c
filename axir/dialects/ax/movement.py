"""Operators that move elements and compute nothing."""

from __future__ import annotations

from enum import auto

from xdsl.dialects.builtin import IntegerAttr, TensorType, i64
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
from axir.dialects.base import F64, WINDOW, Tensor, TypedOp, ints_of, shape_of, tensor_of


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


class PadMode(StrEnum):
    """`constant` puts a number, `edge` the nearest element, `reflect` mirrors without the border element."""

    CONSTANT = auto()
    EDGE = auto()
    REFLECT = auto()


@irdl_attr_definition
class PadModeAttr(EnumAttribute[PadMode], SpacedOpaqueSyntaxAttribute):
    name = "ax.pad_mode"


@irdl_op_definition
class PadOp(TypedOp):
    """Padding: `pads` holds all starts, then all ends; negative ones crop, before anything is mirrored or repeated.

    `value` is what constant padding puts.
    """

    name = "ax.pad"
    input = operand_def(TensorType)
    pads = prop_def(WINDOW)
    value = prop_def(F64)
    mode = prop_def(PadModeAttr, default_value=PadModeAttr(PadMode.CONSTANT))
    irdl_options = (ParsePropInAttrDict(),)
    assembly_format = (
        "$input `pads` $pads `value` $value (`mode` $mode^)? attr-dict `:` type($input) `->` type($result)"
    )

    def infer(self) -> Tensor:
        shape, pads = shape_of(self.input), ints_of(self.pads)
        result = shapes.pad(shape, pads)
        if self.mode.data != PadMode.CONSTANT:
            shapes.check_source_of_pads(shape, pads, mirrored=self.mode.data == PadMode.REFLECT)
        return TensorType(tensor_of(self.input).element_type, result)


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


@irdl_op_definition
class RearrangeOp(TypedOp):
    """reshape(transpose(reshape(x, split), perm), shape): factors of the axes in another order.

    Every axis of the input is a product of consecutive factors, every axis of the result one of permuted factors.
    """

    name = "ax.rearrange"
    input = operand_def(TensorType)
    split = prop_def(WINDOW)
    perm = prop_def(WINDOW)
    shape = prop_def(WINDOW)
    assembly_format = "$input `split` $split `perm` $perm `shape` $shape attr-dict `:` type($input) `->` type($result)"

    def infer(self) -> Tensor:
        split, perm, target = map(ints_of, (self.split, self.perm, self.shape))
        return TensorType(
            tensor_of(self.input).element_type, shapes.rearrange(shape_of(self.input), split, perm, target)
        )


@irdl_op_definition
class GatherOp(TypedOp):
    """The elements at `indices` along one axis, which gets their number as its size; 0 <= index < size."""

    name = "ax.gather"
    input = operand_def(TensorType)
    axis = prop_def(IntegerAttr.constr(i64))
    indices = prop_def(WINDOW)
    assembly_format = "$input `axis` $axis `indices` $indices attr-dict `:` type($input) `->` type($result)"

    def infer(self) -> Tensor:
        shape = shapes.gather(shape_of(self.input), self.axis.value.data, ints_of(self.indices))
        return TensorType(tensor_of(self.input).element_type, shape)


@irdl_op_definition
class ExpandOp(TypedOp):
    """NumPy's broadcast_to: axes of size 1, and axes before the first, repeat their only element."""

    name = "ax.expand"
    input = operand_def(TensorType)
    shape = prop_def(WINDOW)
    assembly_format = "$input `shape` $shape attr-dict `:` type($input) `->` type($result)"

    def infer(self) -> Tensor:
        shape = ints_of(self.shape)
        if shapes.broadcast(shape_of(self.input), shape) != shape:
            raise ValueError(f"{list(shape_of(self.input))} does not broadcast to {list(shape)}")
        return TensorType(tensor_of(self.input).element_type, shape)


class BlockOrder(StrEnum):
    """How the channels of a block are counted: `dcr` [block row, block column, channel], `crd` [channel, row, column].

    https://onnx.ai/onnx/operators/onnx__DepthToSpace.html; PyTorch's pixel shuffle is `crd`.
    """

    DCR = auto()
    CRD = auto()


@irdl_attr_definition
class BlockOrderAttr(EnumAttribute[BlockOrder], SpacedOpaqueSyntaxAttribute):
    name = "ax.block_order"


BLOCKS = "$input `block` $block `order` $order attr-dict `:` type($input) `->` type($result)"


@irdl_op_definition
class DepthToSpaceOp(TypedOp):
    """[N, b * b * C, H, W] -> [N, C, b * H, b * W]"""

    name = "ax.depth_to_space"
    input = operand_def(TensorType)
    block = prop_def(IntegerAttr.constr(i64))
    order = prop_def(BlockOrderAttr)
    assembly_format = BLOCKS

    def infer(self) -> Tensor:
        shape = shapes.depth_to_space(shape_of(self.input), self.block.value.data)
        return TensorType(tensor_of(self.input).element_type, shape)


@irdl_op_definition
class SpaceToDepthOp(TypedOp):
    """[N, C, b * H, b * W] -> [N, b * b * C, H, W], the inverse of depth_to_space of the same order"""

    name = "ax.space_to_depth"
    input = operand_def(TensorType)
    block = prop_def(IntegerAttr.constr(i64))
    order = prop_def(BlockOrderAttr)
    assembly_format = BLOCKS

    def infer(self) -> Tensor:
        shape = shapes.space_to_depth(shape_of(self.input), self.block.value.data)
        return TensorType(tensor_of(self.input).element_type, shape)
