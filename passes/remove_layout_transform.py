"""`remove-layout-transform`: an input that the model takes as NHWC reaches the device without a host operator."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import cast

from xdsl.context import Context
from xdsl.dialects.builtin import ArrayAttr, ModuleOp, StringAttr
from xdsl.ir import Attribute, BlockArgument, SSAValue
from xdsl.passes import ModulePass
from xdsl.rewriter import Rewriter

from axir.dialects import ax, base
from axir.passes.graph_parts import MAIN, PREAMBLE, parts_of

NHWC_INPUTS = "ax.nhwc_inputs"
"""Attribute of the module: the network's inputs that are given as [N, H, W, C] and that @main takes as [N, C, H, W]."""


@dataclass(frozen=True)
class RemoveLayoutTransform(ModulePass):
    """Takes leading transposes from NHWC to NCHW out of @preamble, and a @preamble with nothing else altogether.

    @main then has the network's own input, and the module's attribute `ax.nhwc_inputs` names it: whoever feeds the
    device moves the axes, which costs nothing where the device's layout is NHWC as well. A transpose stays where its
    input or its result is used elsewhere. Without `remove_layout_transform_from_preamble` it does nothing.
    """

    name = "remove-layout-transform"
    remove_layout_transform_from_preamble: bool = False

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        parts = parts_of(op)
        if not self.remove_layout_transform_from_preamble or PREAMBLE not in parts or MAIN not in parts:
            return
        preamble, main = parts[PREAMBLE], parts[MAIN]
        others = [name.data for part in parts.values() if part not in (preamble, main) for name in part.inputs]
        for name, value in list(zip(_names(preamble.outputs), preamble.terminator.operands, strict=True)):
            source = transposed_input(value)
            if source is None or name in others:
                continue
            given = _names(preamble.inputs)[source.index]
            if given in others or given in _names(main.inputs):
                continue
            _rename_input(main, name, given)
            _remove(preamble, name, source)
            op.attributes[NHWC_INPUTS] = ArrayAttr(StringAttr(known) for known in [*nhwc_inputs(op), given])
        if not preamble.outputs.data:
            Rewriter.erase_op(preamble)


def nhwc_inputs(module: ModuleOp) -> list[str]:
    """The names in the module's attribute `ax.nhwc_inputs`."""
    recorded = module.attributes.get(NHWC_INPUTS)
    if not isinstance(recorded, ArrayAttr):
        return []
    return [name.data for name in cast(ArrayAttr[Attribute], recorded) if isinstance(name, StringAttr)]


def to_nhwc(shape: tuple[int, ...]) -> tuple[int, ...]:
    """The shape in which the network is given what @main takes in `shape`, [N, C, H, W]."""
    return (*shape[:1], *shape[2:], *shape[1:2])


def transposed_input(value: SSAValue) -> BlockArgument | None:
    """The input of which `value` is [N, C, H, W] where the input is [N, H, W, C], if nothing else uses either."""
    op = value.owner
    if not isinstance(op, ax.TransposeOp | ax.ReshapeOp) or not isinstance(op.input, BlockArgument):
        return None
    shape = base.shape_of(op.input)
    if len(shape) != 4 or not value.has_one_use() or not op.input.has_one_use():
        return None
    n, height, width, channels = shape
    if isinstance(op, ax.TransposeOp):
        moved = base.ints_of(op.perm) == (0, 3, 1, 2)
    else:
        # A reshape moves elements the same way where one channel or one pixel is all there is.
        moved = base.shape_of(value) == (n, channels, height, width) and 1 in (channels, height * width)
    return op.input if moved else None


def _names(names: Iterable[StringAttr]) -> list[str]:
    return [name.data for name in names]


def _rename_input(graph: ax.GraphOp, old: str, new: str) -> None:
    names = [StringAttr(new if name == old else name) for name in _names(graph.inputs)]
    graph.properties["inputs"] = ArrayAttr(names)


def _remove(preamble: ax.GraphOp, name: str, source: BlockArgument) -> None:
    """Take the transpose of `source`, output `name`, out of the preamble."""
    position = _names(preamble.outputs).index(name)
    op = preamble.terminator.operands[position].owner
    kept = [value for index, value in enumerate(preamble.terminator.operands) if index != position]
    outputs = [output for output in preamble.outputs if output.data != name]
    inputs = [given for index, given in enumerate(preamble.inputs) if index != source.index]
    location = preamble.terminator.location
    Rewriter.replace_op(preamble.terminator, terminator := ax.ReturnOp(kept), [])
    terminator.location = location
    assert isinstance(op, ax.TransposeOp | ax.ReshapeOp)
    Rewriter.erase_op(op)
    preamble.body.block.erase_arg(source)
    preamble.properties |= {"inputs": ArrayAttr(inputs), "outputs": ArrayAttr(outputs)}
