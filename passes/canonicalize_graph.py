"""`canonicalize-graph`: one form for every graph, with nothing left that weights can absorb."""

from __future__ import annotations

from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.passes import ModulePass
from xdsl.pattern_rewriter import RewritePattern

from axir.ir.context import AxContext
from axir.ir.location import rewrite
from axir.ir.store import WeightStore
from axir.passes.patterns import (
    activations,
    affine,
    arithmetic,
    blocks,
    channels,
    constants,
    edges,
    movement,
    normalization,
    padding,
    resize,
    sinking,
    spelled_out,
    tables,
    windows,
)


def canonicalize(
    module: ModuleOp,
    store: WeightStore,
    *more: RewritePattern,
    merge: bool = True,
    fold_tables: bool = True,
    legal: bool = True,
) -> None:
    """Bring the graphs into canonical form, applying the patterns `more` as well.

    `merge` allows algebra that rounds otherwise: constants merged, and folded into weights. `fold_tables` folds numbers
    around a table function into a table of their own. What the device needs is done in any case: batch norms become
    scales and shifts, divisions multiplications. `legal` makes what remains of these on rank 4 operators of the device.

    The order of the stages matters: an activation must be recognized before its constants go into the convolution
    before it, and any convolution that can take a scale is better than a new one for it, or than a new table.
    """
    simplify = (
        constants.FoldConstants(store),
        *arithmetic.patterns(store, merge=merge),
        *movement.PATTERNS,
        *activations.patterns(store),
        sinking.FunctionBeforeMovement(store),
        sinking.SoftmaxBeforeMovement(),
        *spelled_out.patterns(store, tables=fold_tables),
        *normalization.patterns(store),
        blocks.BlocksOfReshapes(store),
        blocks.BlocksOfSlices(),
        *more,
    )
    absorb = (
        affine.BatchNormToAffine(store),
        *([affine.FoldIntoProducer(store)] if merge else []),
        padding.FoldIntoConv(),
        padding.FoldIntoAvgPool(),
        padding.FoldIntoMaxPool(),
        blocks.ConvOfGather(store),
        blocks.GatherOfConv(store),
        blocks.ConvOfSpaceToDepth(store),
    )
    legalize = (
        affine.SubtractionToAdd(store),
        affine.BroadcastOfOneChannel(store),
        affine.ScaleAndShiftToDepthwise(store),
        affine.AffineToDepthwise(store),
        padding.PadToDepthwise(store),
        channels.ChannelShuffle(store),
        resize.NearestResize(store),
        edges.PadWithPixels(),
        edges.LinearResize(store),
        blocks.SpaceToDepthToConv(store),
        blocks.DepthToSpaceToConv(store),
        *windows.patterns(store),
    )
    rewrite(module, *simplify)
    rewrite(module, *simplify, *absorb)
    if merge:
        rewrite(module, *simplify, *absorb, affine.FoldIntoConsumer(store))
    if fold_tables:
        rewrite(module, *simplify, *absorb, *tables.patterns(store))
    if legal:
        rewrite(module, *simplify, *absorb, *legalize)


@dataclass(frozen=True)
class CanonicalizeGraph(ModulePass):
    """Folds constants, recognizes activation functions, folds scales, shifts, batch norms and pads into convolutions.

    What remains of scales, shifts and zero pads on NCHW becomes depthwise convolutions of 1x1; reshapes and transposes
    that only reorder channels become slices or convolutions, nearest resizing by whole factors transposed convolutions.
    Sums, means over channels, slices with steps, groups of transposed convolutions and means with dilations become
    windows.
    """

    name = "canonicalize-graph"
    apply_arithmetic_simplification: bool = True
    simplify_mac_before_after_lut: bool = True

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        canonicalize(
            op,
            AxContext.of(ctx).store,
            merge=self.apply_arithmetic_simplification,
            fold_tables=self.simplify_mac_before_after_lut,
        )
