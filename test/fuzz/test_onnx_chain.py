"""Random ONNX networks through the whole chain: front end, passes, quantization, lowering, image, device model."""

from __future__ import annotations

from typing import Any, get_args

import pytest
from fuzz.device_settings import device_settings
from fuzz.graphs import Case
from fuzz.test_chain import assert_same
from hypothesis import event, given
from hypothesis import strategies as st
from unit.passes.test_random_networks import network
from xdsl.dialects.builtin import ModuleOp

from axir.compiler import CompilerConfig
from axir.compiler.pipeline import QUANTIZE_PASSES, make_passes
from axir.dialects import axq
from axir.frontends.onnx import import_model
from axir.ir.context import make_context
from axir.ir.diagnostics import AxirError
from axir.ir.parsing import verify
from axir.passes.calibrate import Calibrate, Scheme
from axir.passes.pipeline import GRAPH_PASSES

GRAPH_SETTINGS = (
    "apply_arithmetic_simplification",
    "simplify_mac_before_after_lut",
    "rewrite_dense_to_conv2d",
    "graph_cleaner_split_pre_post_processing",
    "remove_layout_transform_from_preamble",
    "quantize_dw_channel_wise",
)


@given(
    seed=st.integers(0, 2**20),
    scheme=st.sampled_from(get_args(Scheme)),
    settings=st.fixed_dictionaries({name: st.booleans() for name in GRAPH_SETTINGS}),
    device=st.one_of(st.just({}), device_settings()),
)
@pytest.mark.filterwarnings("ignore")
def test_random_networks_run_bit_exactly(
    seed: int, scheme: Scheme, settings: dict[str, bool], device: dict[str, Any]
) -> None:
    context = make_context()
    module = import_model(network(seed), context)
    assert isinstance(module, ModuleOp)
    config = CompilerConfig(quantization_scheme=scheme, **settings)
    refusal = None
    try:
        for pass_ in make_passes(GRAPH_PASSES, config):
            pass_.apply(context, module)
    except AxirError as error:
        refusal = error.render()
    if refusal is not None:
        assert "the device can run no operator" in refusal
        return
    channel_wise = config.quantize_dw_channel_wise
    Calibrate(num_samples=2, scheme=scheme, quantize_dw_channel_wise=channel_wise).apply(context, module)
    for pass_ in make_passes(QUANTIZE_PASSES, config):
        pass_.apply(context, module)
    verify(module)
    graphs = [op for op in module.body.block.ops if isinstance(op, axq.GraphOp)]
    try:
        for graph in graphs:
            assert_same(Case(graph, context.store), seed, **device)
    except AxirError as error:
        refusal = error.message
    event("refused" if refusal else "run")
    assert refusal is None or (device and "fit" in refusal)
