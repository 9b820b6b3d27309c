"""Source locations: made by the front ends and the parser, kept by rewrites, shown in errors.

xDSL stores locations on operations but never propagates them; `rewrite` does.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import cast

from xdsl.context import Context
from xdsl.dialects.builtin import (
    ArrayAttr,
    CallSiteLoc,
    FileLineColLoc,
    FusedLoc,
    IntAttr,
    LocationAttr,
    NameLoc,
    NoneAttr,
    StringAttr,
    UnknownLoc,
)
from xdsl.ir import Attribute, Operation, OpResult, SSAValue
from xdsl.pattern_rewriter import (
    GreedyRewritePatternApplier,
    PatternRewriter,
    PatternRewriterListener,
    PatternRewriteWalker,
    RewritePattern,
)


def name_loc(name: str, file: str | None = None, index: int | None = None) -> LocationAttr:
    """The location of an ONNX node: `"Conv_12"("model.onnx":12:0)`, where the line is the node's index."""
    if file is None:
        return NameLoc(StringAttr(name), NoneAttr())
    return NameLoc(StringAttr(name), FileLineColLoc(StringAttr(file), IntAttr(index or 0), IntAttr(0)))


def fuse(locations: Iterable[LocationAttr]) -> LocationAttr:
    """One location for an operation made from several: flat, in order, without duplicates or unknowns."""
    parts: dict[LocationAttr, None] = {}
    for location in locations:
        parts.update(dict.fromkeys(_flatten(location)))
    match tuple(parts):
        case ():
            return UnknownLoc()
        case (single,):
            return single
        case several:
            return FusedLoc(several, NoneAttr())


def node_name(where: Operation | LocationAttr) -> str | None:
    """The ONNX node's name held in a location; of a fused location, the first name."""
    for leaf in _flatten(_location_of(where)):
        if isinstance(leaf, NameLoc):
            return leaf.desc.data
    return None


def named_locations(where: Operation | LocationAttr) -> list[LocationAttr]:
    """The ONNX nodes that a location names, in order: locations as `name_loc` makes them."""
    return [leaf for leaf in _flatten(_location_of(where)) if isinstance(leaf, NameLoc)]


def layer_name(op: Operation) -> str:
    """What people call a layer: the ONNX node's name, else operator and place in the graph, such as `conv_12`."""
    name = node_name(op)
    if name is not None:
        return name
    block = op.parent
    place = 0 if block is None else block.get_operation_index(op)
    return f"{op.name.rpartition('.')[2]}_{place}"


def render_location(where: Operation | LocationAttr) -> str | None:
    """`file:line:col`, or None when no file is known; of a fused location, the first that has one."""
    for leaf in _flatten(_location_of(where)):
        position = leaf.location if isinstance(leaf, NameLoc) else leaf
        if isinstance(position, FileLineColLoc):
            return f"{position.filename.data}:{position.line.data}:{position.column.data}"
    return None


def _location_of(where: Operation | LocationAttr) -> LocationAttr:
    return where.location if isinstance(where, Operation) else where


def _flatten(location: Attribute) -> Iterator[LocationAttr]:
    """The named and file locations inside `location`, in order."""
    match location:
        case FusedLoc():
            for part in cast(ArrayAttr[Attribute], location.locations):
                yield from _flatten(part)
        case CallSiteLoc():
            yield from _flatten(location.callee)
        case NameLoc() | FileLineColLoc():
            yield location
        case _:
            return


def _keep(op: Operation, new_results: Sequence[SSAValue | None]) -> None:
    for value in new_results:
        if isinstance(value, OpResult) and isinstance(value.op.location, UnknownLoc):
            value.op.location = op.location


LOC_LISTENER = PatternRewriterListener(operation_replacement_handler=[_keep])
"""Gives an operation that replaces another the location of the one replaced, unless it has its own."""


class _Located(RewritePattern):
    """Runs a pattern, then gives every new operation that has no location the location of the matched one.

    This covers the helpers a pattern inserts beside the replacement, which `LOC_LISTENER` does not see.
    """

    def __init__(self, pattern: RewritePattern):
        self.pattern = pattern
        self.inserted: list[Operation] = []
        self.listener = PatternRewriterListener(
            operation_insertion_handler=[self.inserted.append],
            operation_replacement_handler=[_keep],
        )

    def match_and_rewrite(self, op: Operation, rewriter: PatternRewriter, /) -> None:
        location = op.location
        self.inserted.clear()
        self.pattern.match_and_rewrite(op, rewriter)
        for new in self.inserted:
            if isinstance(new.location, UnknownLoc):
                new.location = location


def rewrite(
    root: Operation,
    *patterns: RewritePattern,
    ctx: Context | None = None,
    recursive: bool = True,
    dce: bool = True,
    fold: bool = False,
) -> bool:
    """Apply patterns greedily, in the order given, to everything inside `root`; true when something changed.

    Locations survive. `recursive=False` visits every operation once, for lowerings whose results must not be matched
    again; otherwise patterns run to a fix-point, so they must make progress. Unused pure operations are erased unless
    `dce=False`. `fold=True` also runs the folders and needs `ctx`.
    """
    greedy = GreedyRewritePatternApplier(list(patterns), ctx, folding_enabled=fold, dce_enabled=dce)
    located = _Located(greedy)
    walker = PatternRewriteWalker(located, apply_recursively=recursive, listener=located.listener)
    # Not any(): every region must be visited.
    return True in [walker.rewrite_region(region) for region in root.regions]
