"""`tokens-to-pixels`: attention and work on tokens become operators on [1, C, H, W], whose pixels are the tokens.

A tensor of tokens [1, N, C] is [1, C, 1, N], heads [1, h, N, d] are channels [1, h * d, 1, N]: splitting and joining
heads then moves nothing. `passes/pixels/views.py` says where elements are, `passes/pixels/rewrite.py` what operators
become.
"""

from __future__ import annotations

from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.passes import ModulePass
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern, op_type_rewrite_pattern

from axir.dialects import ax, base
from axir.ir.context import AxContext
from axir.ir.store import WeightStore
from axir.passes.canonicalize_graph import canonicalize
from axir.passes.patterns.values import producer, replace, scalar
from axir.passes.pixels.region import region
from axir.passes.pixels.rewrite import PixelRewriter


@dataclass(frozen=True)
class FactorOfProduct(RewritePattern):
    """head_matmul(x, y) * s with one number s, which nothing else uses -> head_matmul(x, y) with s in its factor"""

    store: WeightStore

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: ax.MulOp, rewriter: PatternRewriter):
        inner = producer(op.a, ax.HeadMatMulOp)
        number = scalar(op.b, self.store)
        if inner is None or not number or inner.epilogue.data or not inner.result.has_one_use():
            return
        if op.result.type != inner.result.type:
            return
        properties = dict(inner.properties) | {"factor": base.float_(inner.factor.value.data * number)}
        replace(rewriter, op, [base.build(ax.HeadMatMulOp, [inner.input, inner.other, []], properties)], inner, op)


@dataclass(frozen=True)
class TokensToPixels(ModulePass):
    """Rewrites what is connected with a product of two tensors or with tokens in @main.

    Where there is no such operator, it leaves the graph as it is. Else it simplifies the graph before and after, as
    `canonicalize-graph` does. The options are those of that pass and of `dense-to-conv`.
    """

    name = "tokens-to-pixels"
    rewrite_dense_to_conv2d: bool = True
    apply_arithmetic_simplification: bool = True

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        store = AxContext.of(ctx).store
        graphs = [graph for graph in op.ops if isinstance(graph, ax.GraphOp) and graph.sym_name.data == "main"]
        if not any(region(graph, dense=self.rewrite_dense_to_conv2d) for graph in graphs):
            return

        def simplify() -> None:
            canonicalize(
                op,
                store,
                FactorOfProduct(store),
                merge=self.apply_arithmetic_simplification,
                fold_tables=False,
                legal=False,
            )

        simplify()
        for graph in graphs:
            rewriter = PixelRewriter(store, dense=self.rewrite_dense_to_conv2d)
            rewriter.run(region(graph, dense=self.rewrite_dense_to_conv2d))
        simplify()
