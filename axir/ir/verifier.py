"""Verification of whole modules: finds all broken operations, not only the first, and says where each one is.

xDSL's own `Operation.verify` stops at the first failure and attaches a dump of the whole module to it. It also leaves
one rule unchecked that rewrites break easily: a value must be defined before its uses.
"""

from __future__ import annotations

from collections.abc import Iterator

from xdsl.dialects.builtin import ModuleOp, UnregisteredOp
from xdsl.ir import Block, ErasedSSAValue, Operation, Region, SSAValue
from xdsl.irdl.dominance import DominanceInfo
from xdsl.traits import IsTerminator, NoTerminator
from xdsl.utils.exceptions import VerifyException

from axir.ir.diagnostics import AxirError, AxirErrorGroup
from axir.ir.location import render_location

MAX_ERRORS = 20


def verify(module: Operation) -> None:
    """Check every operation inside `module`, itself included.

    Raises `AxirError`, or an `AxirErrorGroup` of up to 20 errors where several operations are broken, each with
    location and node name.
    """
    errors: list[AxirError] = []
    omitted = 0
    order = _Order(module)
    for op in module.walk():
        for error in _check(op, order):
            if len(errors) < MAX_ERRORS:
                errors.append(error)
            else:
                omitted += 1
    if len(errors) == 1:
        raise errors[0]
    if errors:
        raise AxirErrorGroup(errors, omitted)


def _check(op: Operation, order: _Order) -> Iterator[AxirError]:
    """At most one error of each kind: shape of the IR, order of definitions, the operation's own rules."""
    name = op.op_name.data if isinstance(op, UnregisteredOp) else op.name
    structure = _structure_error(op)
    if structure is not None:
        yield AxirError(f"'{name}' op {structure}", op=op)
    for index, operand in enumerate(op.operands):
        problem = order.problem(op, operand)
        if problem is not None:
            defined_at = None if isinstance(operand.owner, Block) else render_location(operand.owner)
            notes = [f"the operand is defined at {defined_at}"] if defined_at else []
            yield AxirError(f"'{name}' op operand #{index} {problem}", op=op, notes=notes)
            break
    try:
        op.verify_()
    except VerifyException as error:
        yield AxirError(f"'{name}' op {str(error).strip()}", op=op)


def _structure_error(op: Operation) -> str | None:
    """The checks of xDSL's `Operation.verify` and `Block.verify` on successors and terminators."""
    block = op.parent
    region = None if block is None else block.parent
    if op.successors:
        if block is None or region is None:
            return "with block successors does not belong to a block of a region"
        if block.last_op is not op:
            return "with block successors must terminate its block"
        if any(successor.parent is not region for successor in op.successors):
            return "branches to a block of another region"
    if block is not None and region is not None and block.last_op is op and not op.has_trait(IsTerminator):
        parent = region.parent
        many_blocks = len(region.blocks) > 1
        if many_blocks or (parent is not None and not parent.has_trait(NoTerminator)):
            return "ends its block but is not a terminator"
    for inner in op.regions:
        blocks = inner.blocks
        if len(blocks) == 1 and blocks[0].first_op is None and not op.has_trait(NoTerminator):
            return "has an empty block, which needs at least a terminator"
    return None


class _Order:
    """Answers whether a value is visible, and defined, where it is used."""

    def __init__(self, root: Operation):
        self._position = {op: index for block in root.walk_blocks() for index, op in enumerate(block.ops)}
        self._dominance: dict[Region, DominanceInfo] = {}

    def problem(self, op: Operation, operand: SSAValue) -> str | None:
        """What is wrong with `op` using `operand`, or None."""
        if isinstance(operand, ErasedSSAValue):
            return "was erased by a rewrite"
        owner = operand.owner
        block = owner.parent if isinstance(owner, Operation) else owner
        user: Operation | None = op
        while user is not None and user.parent is not None and user.parent is not block:
            if block is not None and user.parent.parent is block.parent and block.parent is not None:
                if _is_graph(block) or self._info(block.parent).dominates(block, user.parent):
                    return None
                return "is defined in a block that does not dominate this use"
            user = user.parent_op()
        if user is None or user.parent is None or block is None:
            return "is defined outside the regions that enclose this use"
        if isinstance(owner, Operation) and not _is_graph(block) and self._position[owner] >= self._position[user]:
            return "is used before it is defined"
        return None

    def _info(self, region: Region) -> DominanceInfo:
        if region not in self._dominance:
            self._dominance[region] = DominanceInfo(region)
        return self._dominance[region]


def _is_graph(block: Block) -> bool:
    """Whether the order of operations has no meaning here, as in MLIR's graph regions."""
    return isinstance(block.parent_op(), ModuleOp | UnregisteredOp)
