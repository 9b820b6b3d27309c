"""How cores that fit L2 alone come to fit it together."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from xdsl.dialects.builtin import ModuleOp

from axir.dialects import aipu
from axir.ir.context import make_context
from axir.ir.parsing import parse_module
from axir.passes.lower_to_aipu import LowerToAipuPass
from axir.passes.lowering.cores.settle_cores import _level
from axir.passes.plan_memory import PlanMemoryPass


@given(sizes=st.lists(st.integers(0, 50), min_size=1, max_size=4), excess=st.integers(1, 200))
def test_a_level_takes_off_what_is_too_much(sizes: list[int], excess: int) -> None:
    level = _level(sizes, excess)
    left = sum(min(size, level) for size in sizes)
    assert left <= max(0, sum(sizes) - excess)
    more = sum(min(size, level + 1) for size in sizes)
    assert more > sum(sizes) - excess or level == max(sizes)


def module(channels: int, layers: int) -> ModuleOp:
    """1x1 convolutions of one pixel with weights of their own: constants, and nothing else to speak of."""
    kind = f"tensor<1x{channels}x1x1x!axq.q<0.5 : 0>>"
    shape = f"tensor<{channels}x{channels}x1x1xi8>"
    body = "\n".join(
        f"%v{n + 1} = axq.conv %v{n} weight dense<{n + 1}> : {shape} scale dense<0.25> : tensor<{channels}xf32> "
        f"bias dense<{n}> : tensor<{channels}xi32> strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] group 1 "
        f': {kind} -> {kind} loc("c{n}")'
        for n in range(layers)
    )
    text = f'axq.graph @main(%v0: {kind} "x") -> ("y") {{\n{body}\naxq.return %v{layers} : {kind}\n}}\n'
    return parse_module(make_context(), text, "graph.mlir")


@given(
    layers=st.integers(4, 8), cores=st.integers(2, 4), mode=st.sampled_from(["cooperative", "pipeline"]),
    l2=st.integers(20_000, 400_000),
)  # fmt: skip
@settings(max_examples=10)
def test_constants_move_to_ddr_until_all_fit(layers: int, cores: int, mode: str, l2: int) -> None:
    """Whatever the limit: constants may live in DDR, so there is nothing to refuse, and L2 is used."""
    graph = module(256, layers)
    context = make_context()
    LowerToAipuPass(aipu_cores_used=cores, multicore_mode=mode, l2_constraint=l2).apply(context, graph)
    PlanMemoryPass(l2_constraint=l2, page_memory=False, double_buffer=False).apply(context, graph)
    program = graph.body.block.first_op
    assert isinstance(program, aipu.ProgramOp)
    homes = {buffer.memory for buffer in program.buffers if buffer.data is not None}
    assert homes <= {"l2", "ddr"}
    assert "l2" in homes or l2 < 80_000
