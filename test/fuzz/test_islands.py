"""Random networks with operators of the host's anywhere: parts mean what the network means, and run bit-exactly."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest
from graph_runs import apply, assert_close, graphs, run_exported, run_onnx
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st
from island_networks import random_islands, slow_host

from axir.compiler import CompilerConfig, compile, quantize
from axir.frontends.onnx import import_model
from axir.ir.context import make_context
from axir.ir.diagnostics import AxirError
from axir.passes.device_support import unsupported
from axir.passes.graph_flow import operators
from axir.passes.graph_parts import device_graphs, on_device
from axir.passes.pipeline import GRAPH_PASSES
from axir.runtime import load
from axir.target.description import load as load_target


@given(seed=st.integers(0, 2**20), pays=st.sampled_from([True, True, False]))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
def test_parts_mean_what_the_network_means(seed: int, pays: bool, tmp_path: Path) -> None:
    net, model = random_islands(seed)
    context = make_context()
    if pays:
        context.target = load_target(str(slow_host(tmp_path)))
    module = import_model(model, context)
    inputs = {"x": net.samples(1)[0]}
    expected = run_onnx(model, inputs)
    for name in GRAPH_PASSES:
        apply(context, module, [name])
        assert_close(run_exported(context, module, inputs), expected)
    segments = device_graphs(module)
    event(f"{len(segments)} segments")
    assert not [op for graph in segments for op in operators(graph) if unsupported(op) and op.name != "ax.conv"]
    computed = {"x"}
    for graph in graphs(module):  # every part takes what is there, and gives what is needed
        assert {name.data for name in graph.inputs} <= computed
        computed |= {name.data for name in graph.outputs}
    whole = graphs(module)
    for index, graph in enumerate(whole[:-1]):
        later = {name.data for other in whole[index + 1 :] for name in other.inputs}
        assert {name.data for name in graph.outputs} <= later | {name.data for name in whole[-1].outputs}
    assert all(on_device(a) != on_device(b) for a, b in itertools.pairwise(whole))  # by turns


@given(seed=st.integers(0, 2**20), stored=st.booleans(), dropped=st.booleans())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
@pytest.mark.filterwarnings("ignore")
def test_the_chain_runs_bit_exactly(
    seed: int, stored: bool, dropped: bool, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("islands")
    target = slow_host(folder)
    net, model = random_islands(seed)
    config = CompilerConfig(
        remove_io_quantization=stored, graph_cleaner_split_pre_post_processing=not dropped, double_buffer=bool(seed % 2)
    )
    refusal, quantized = "", None
    try:
        quantized = quantize(model, net.samples(), config, target=target)
    except AxirError as error:
        refusal = error.render()
    if quantized is None:  # without the preamble the network takes other inputs than the samples have
        assert dropped
        assert "calibration sample 0" in refusal
        event("other inputs")
        return
    event(f"{len(quantized.graphs)} segments")
    compiled = compile(quantized, config, folder / "out", target=target, check=1)
    assert list(compiled.simulators) == [graph.sym_name.data for graph in quantized.graphs]
    device = load(folder / "out")
    for sample in net.samples():
        given = {
            tensor.name: sample if tensor.dtype == "float32" else np.clip(sample * 40, -128, 127).astype(np.int8)
            for tensor in device.inputs
        }
        for found, expected in zip(device(given), quantized(given), strict=True):
            assert found.dtype == expected.dtype
            assert np.array_equal(found, expected)
