"""Random graphs through the whole device half: what the image computes is what the reference interpreter computes."""

from __future__ import annotations

from dataclasses import fields

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
from axir.passes.list_schedule import ListSchedulePass
from axir.passes.lower_to_aipu import LowerToAipuPass
from axir.passes.lowering.registers import ALGORITHMS
from axir.passes.plan_memory import PlanMemoryPass
from axir.passes.schedule import SchedulePass
from axir.passes.stage_constants import StageConstantsPass
from axir.target.description import load

POOLS = st.sampled_from(["global.ddr", "global.ddr", "global.l2", "global.l1"])


def lowered(graph: axq.GraphOp, store: WeightStore, **options: object) -> aipu.ProgramOp:
    """The planned and scheduled program of a graph. Raises `AxirError` where it does not fit."""
    context = make_context()
    context.store.update(store)
    module = ModuleOp([graph.clone()])
    for pass_ in (LowerToAipuPass, StageConstantsPass, ListSchedulePass, PlanMemoryPass, SchedulePass):
        names = {option.name for option in fields(pass_)}
        pass_(**{name: value for name, value in options.items() if name in names}).apply(context, module)
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
            "pipeline_channel_tiles": st.booleans(),
            "unroll_prologue_epilogue": st.booleans(),
            "force_oc_tiling": st.sampled_from([None, 2]),
            "tiling_depth": st.sampled_from([1, 3, 6]),
            "dfs_search_constraint": st.sampled_from([None, 2]),
            "split_buffer_promotion": st.booleans(),
            "enable_buffer_promotion": st.booleans(),
            "ignore_weight_buffers": st.booleans(),
            "io_memory_pool": POOLS,
            "constant_memory_pool": POOLS,
            "workspace_memory_pool": POOLS,
            "mvm_utilization_limit": st.sampled_from([0.125, 0.5, 1.0]),
            "rewrite_concat_to_resadd": st.booleans(),
            "remove_io_padding_and_layout_transform": st.booleans(),
            "group_ifdw_tasks": st.booleans(),
            "dpu_constants_home": st.sampled_from(["global.ddr", "global.l2"]),
            "dpu_allocation_algorithm": st.sampled_from(ALGORITHMS),
            "elf_in_ddr": st.booleans(),
            "stream_tasklist": st.booleans(),
            "dpu_instructions_home": st.sampled_from(["default", "l2"]),
            "dwpu_instructions_home": st.sampled_from(["default", "l2"]),
            "l2_size_reserved_tasklist": st.sampled_from([1 << 13, 1 << 16]),
            "page_memory": st.booleans(),
            "double_buffer": st.booleans(),
            "use_list_scheduler": st.booleans(),
            "use_hw_tokens": st.booleans(),
            "use_sysdma": st.booleans(),
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
