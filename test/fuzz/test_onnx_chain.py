"""Random ONNX networks through the whole chain: front end, passes, quantization, lowering, image, device model."""

from __future__ import annotations

from typing import get_args

import pytest
from fuzz.graphs import Case
from fuzz.test_chain import assert_same
from hypothesis import given
from hypothesis import strategies as st
from unit.passes.test_random_networks import network
from xdsl.dialects.builtin import ModuleOp

from axir.compiler import CompilerConfig
from axir.compiler.pipeline import make_passes
from axir.dialects import axq
from axir.frontends.onnx import import_model
from axir.ir.context import make_context
from axir.ir.diagnostics import AxirError
from axir.ir.parsing import verify
from axir.passes.calibrate import Calibrate, Scheme
from axir.passes.pipeline import GRAPH_PASSES
from axir.passes.quantize import Quantize

GRAPH_SETTINGS = (
    "apply_arithmetic_simplification",
    "simplify_mac_before_after_lut",
    "rewrite_dense_to_conv2d",
    "graph_cleaner_split_pre_post_processing",
)


@given(
    seed=st.integers(0, 2**20),
    scheme=st.sampled_from(get_args(Scheme)),
    settings=st.fixed_dictionaries({name: st.booleans() for name in GRAPH_SETTINGS}),
)
@pytest.mark.filterwarnings("ignore")
def test_random_networks_run_bit_exactly(seed: int, scheme: Scheme, settings: dict[str, bool]) -> None:
    context = make_context()
    module = import_model(network(seed), context)
    assert isinstance(module, ModuleOp)
    refusal = None
    try:
        for pass_ in make_passes(GRAPH_PASSES, CompilerConfig(**settings)):
            pass_.apply(context, module)
    except AxirError as error:
        refusal = error.render()
    if refusal is not None:
        assert "the device cannot run" in refusal  # an operator of the host in the middle
        return
    Calibrate(num_samples=2, scheme=scheme).apply(context, module)
    Quantize(scheme=scheme).apply(context, module)
    verify(module)
    graph = next(op for op in module.body.block.ops if isinstance(op, axq.GraphOp))
    assert_same(Case(graph, context.store), seed)
