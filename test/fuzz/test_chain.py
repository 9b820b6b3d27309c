"""Random graphs through the whole device half: what the image computes is what the reference interpreter computes."""

from __future__ import annotations

import numpy as np
import pytest
from fuzz.graphs import Case, graphs
from hypothesis import event, given, settings
from hypothesis import strategies as st
from xdsl.dialects.builtin import ModuleOp

from axir.backends.aipu.image import build_image, read_image
from axir.backends.aipu.simulator import Simulator
from axir.dialects import aipu, axq
from axir.dialects.base import shape_of
from axir.interp.axq import Interpreter
from axir.ir.context import make_context
from axir.ir.diagnostics import AxirError
from axir.ir.parsing import verify
from axir.ir.store import WeightStore
from axir.passes.lower_to_aipu import LowerToAipuPass
from axir.passes.plan_memory import PlanMemoryPass
from axir.passes.schedule import SchedulePass
from axir.target.description import load


def lowered(graph: axq.GraphOp, store: WeightStore, **options: object) -> aipu.ProgramOp:
    """The planned and scheduled program of a graph. Raises `AxirError` where it does not fit."""
    context = make_context()
    context.store.update(store)
    module = ModuleOp([graph.clone()])
    memory = {key: value for key, value in options.items() if key.endswith("constraint")}
    LowerToAipuPass(**options).apply(context, module)
    PlanMemoryPass(**memory).apply(context, module)
    SchedulePass().apply(context, module)
    verify(module)
    program = module.body.block.first_op
    assert isinstance(program, aipu.ProgramOp)
    store.update(context.store)
    return program


def assert_same(case: Case, seed: int, **options: object) -> None:
    """The simulator accepts the program and gives the reference's bytes."""
    graph, store, target = case.graph, case.store, load(None)
    image = read_image(build_image(lowered(graph, store, **options), store, target), target)
    simulator = Simulator(image, target)
    simulator.check()
    rng = np.random.default_rng(seed)
    inputs = [rng.integers(-128, 128, shape_of(value)).astype(np.int8) for value in graph.body.block.args]
    expected = Interpreter(graph, store).run(inputs)
    for want, got in zip(expected, simulator.run(inputs), strict=True):
        np.testing.assert_array_equal(got, want)


@given(case=graphs(), seed=st.integers(0, 2**31))
def test_simulator_equals_reference(case: Case, seed: int) -> None:
    assert_same(case, seed)


@given(
    case=graphs(),
    seed=st.integers(0, 2**31),
    l1=st.sampled_from([3_000, 6_000, 12_000, 40_000, 150_000]),
    l2=st.sampled_from([0, 20_000, 1_000_000]),
    settings_=st.fixed_dictionaries(
        {
            "enable_icr": st.booleans(),
            "enable_swicr": st.booleans(),
            "icrx_force": st.sampled_from([-1, 2, 8]),
            "inter_operator_async": st.booleans(),
            "dma_dual_channel": st.booleans(),
            "imc_double_buffer_pipeline": st.booleans(),
            "imc_double_buffer_sequential": st.booleans(),
            "pipeline_spatial_tiles": st.booleans(),
            "mvm_utilization_limit": st.sampled_from([0.125, 0.5, 1.0]),
        }
    ),
)
def test_small_memories_and_settings(case: Case, seed: int, l1: int, l2: int, settings_: dict[str, object]) -> None:
    try:
        assert_same(case, seed, l1_constraint=l1, l2_constraint=l2, **settings_)
        refusal = None
    except AxirError as error:
        refusal = error
        event("refused")
    assert refusal is None or ("fit" in refusal.message and refusal.notes)


def test_a_refusal_names_layer_buffers_and_bytes() -> None:
    @given(case=graphs())
    @settings(max_examples=1)
    def refuse(case: Case) -> None:
        with pytest.raises(AxirError, match=r"does not fit L1 with any tiling: it needs [\d,]+ bytes, there are 64"):
            lowered(case.graph, case.store, l1_constraint=64)

    refuse()
