"""The tables of lookups, entry by entry, against functions of the math module."""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction

import pytest

from axir.dialects import axq
from axir.ir.constants import constant_array
from axir.ir.context import make_context
from axir.ir.parsing import parse_module
from axir.ir.pass_manager import run_passes
from axir.registry import passes
from axir.tools.pipeline import build_pipeline

T = "tensor<1x1x1x1xf32>"
FUNCTIONS: dict[str, Callable[[float], float]] = {
    "cos": math.cos,
    "pow(1.5)": lambda x: x**1.5 if x >= 0 else 0.0,  # no number below 0
    "pow(3.0)": lambda x: x**3,
    "sin": math.sin,
    "softsign": lambda x: x / (1 + abs(x)),
    "thresholded_relu(1.0)": lambda x: x if x > 1 else 0.0,
}


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("low", [-2.55, -0.75, 0.0])
def test_every_byte(name: str, low: float) -> None:
    """Each is within half a step of the function, or at the end of the range that the result has."""
    context = make_context()
    text = f"""
    ax.graph @main(%x: {T} "x") -> ("y") attributes {{arg_stats = [#ax.stats<{low}, {low + 5.1}>]}} {{
      %y = ax.unary %x <{name}> {{ax.stats = #ax.stats<-1.0, 1.55>}} : {T} -> {T}
      ax.return %y : {T}
    }}"""
    module = parse_module(context, text, "op.mlir")
    run_passes(context, module, build_pipeline("quantize{scheme=per_tensor_min_max}", passes()))
    (op,) = (op for op in module.walk() if isinstance(op, axq.LookupOp))
    (scale, zero), (out_scale, out_zero) = axq.quant_of(op.input).scalar, axq.quant_of(op.result).scalar
    for byte, entry in zip(range(-128, 128), constant_array(op.table, context.store).tolist(), strict=True):
        exact = Fraction(FUNCTIONS[name]((byte - zero) * scale)) / Fraction(out_scale)
        clipped = min(max(exact, Fraction(-128 - out_zero)), Fraction(127 - out_zero))
        assert abs(entry - out_zero - clipped) <= 0.5001
