"""Operators of two tensors, element by element."""

from __future__ import annotations

from xdsl.irdl import irdl_op_definition

from axir.dialects.ax.kinds import BINARY, BinaryOp


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


@irdl_op_definition
class MaxOp(BinaryOp):
    name = "ax.max"
    assembly_format = BINARY


@irdl_op_definition
class MinOp(BinaryOp):
    name = "ax.min"
    assembly_format = BINARY
