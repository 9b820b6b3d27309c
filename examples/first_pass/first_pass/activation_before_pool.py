"""`activation-before-pool`: an activation after a max pool moves to the convolution before the pool.

A convolution takes the activation into its epilogue, which costs nothing; a max pool has no epilogue.
"""

from dataclasses import dataclass, field
from typing import Literal

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Operation
from xdsl.passes import ModulePass
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern

from axir.dialects import ax, base
from axir.ir.location import rewrite

KINDS = {"relu": ax.ReluOp, "clip": ax.ClipOp}
"""Activations that never reverse an order: the greatest value of a window stays the greatest."""


@dataclass(frozen=True)
class SwapWithPool(RewritePattern):
    """f(max_pool(conv(x))) -> max_pool(f(conv(x))), where nothing else reads the results between them"""

    kinds: tuple[type[ax.UnaryOp], ...]

    def match_and_rewrite(self, op: Operation, rewriter: PatternRewriter) -> None:
        if not isinstance(op, self.kinds) or not op.input.has_one_use():
            return
        pool = op.input.owner
        if not isinstance(pool, ax.MaxPoolOp) or not pool.input.has_one_use():
            return
        if not isinstance(pool.input.owner, ax.ConvOp):
            return
        activation = base.build(type(op), [pool.input], dict(op.properties))
        activation.location = op.location
        moved = base.build(ax.MaxPoolOp, [activation], dict(pool.properties))
        moved.location = pool.location
        rewriter.replace(op, [activation, moved])


@dataclass(frozen=True)
class ActivationBeforePool(ModulePass):
    """Moves activations from after a max pool to before it, so that fuse-epilogue finds them."""

    name = "activation-before-pool"

    activations: tuple[Literal["relu", "clip"], ...] = field(
        default=("relu", "clip"), metadata={"help": "which activations to move"}
    )

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        rewrite(op, SwapWithPool(tuple(KINDS[name] for name in self.activations)))
