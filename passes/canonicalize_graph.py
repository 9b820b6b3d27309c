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
from axir.passes.patterns import activations, affine, arithmetic, channels, constants, movement, padding, resize


def canonicalize(module: ModuleOp, store: WeightStore, *more: RewritePattern) -> None:
    """Bring the graphs into canonical form, applying the patterns `more` as well.

    The order of the stages matters: an activation must be recognized before its constants go into the convolution
    before it, and any convolution that can take a scale is better than a new one for it.
    """
    simplify = (
        constants.FoldConstants(store),
        *arithmetic.patterns(store),
        *movement.PATTERNS,
        *activations.patterns(store),
        *more,
    )
    absorb = (
        affine.BatchNormToAffine(store),
        affine.FoldIntoProducer(store),
        padding.FoldIntoConv(),
        padding.FoldIntoAvgPool(),
        padding.FoldIntoMaxPool(),
    )
    legalize = (
        affine.SubtractionToAdd(store),
        affine.BroadcastOfOneChannel(store),
        affine.AffineToDepthwise(store),
        padding.PadToDepthwise(store),
        channels.ChannelShuffle(store),
        resize.NearestResize(store),
    )
    rewrite(module, *simplify)
    rewrite(module, *simplify, *absorb)
    rewrite(module, *simplify, *absorb, affine.FoldIntoConsumer(store))
    rewrite(module, *simplify, *absorb, *legalize)


@dataclass(frozen=True)
class CanonicalizeGraph(ModulePass):
    """Folds constants, recognizes activation functions, folds scales, shifts, batch norms and pads into convolutions.

    What remains of scales, shifts and zero pads on NCHW becomes depthwise convolutions of 1x1; reshapes and transposes
    that only reorder channels become slices or convolutions, nearest resizing by whole factors transposed convolutions.
    """

    name = "canonicalize-graph"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        canonicalize(op, AxContext.of(ctx).store)
