"""What every order of `list-schedule` must keep: dependences, and the bytes that are alive at a time."""

from __future__ import annotations

from fuzz.graphs import Case, graphs
from hypothesis import assume, event, given
from hypothesis import strategies as st
from xdsl.dialects.builtin import ModuleOp

from axir.dialects import aipu
from axir.ir.context import make_context
from axir.ir.diagnostics import AxirError
from axir.ir.parsing import parse_module
from axir.passes.list_schedule import TaskGraph, list_order, predecessors
from axir.passes.lower_to_aipu import LowerToAipuPass
from axir.passes.memory.budget import Budget
from axir.passes.memory.lifetimes import buffer_lifetimes
from axir.passes.memory.packing import Interval, lower_bound
from axir.passes.memory.room import Room
from axir.target.description import load

TARGET = load()


def lowered(case: Case, l1: int) -> aipu.ProgramOp:
    context = make_context()
    context.store.update(case.store)
    module = ModuleOp([case.graph.clone()])
    try:
        LowerToAipuPass(l1_constraint=l1).apply(context, module)
    except AxirError:
        assume(False)
    program = module.body.block.first_op
    assert isinstance(program, aipu.ProgramOp)
    return program


def peak(program: aipu.ProgramOp) -> int:
    """Most bytes of L1 that are alive at a time."""
    lifetimes = buffer_lifetimes(program)
    intervals: list[Interval] = [interval for buffer, interval in lifetimes.items() if buffer.memory == "l1"]
    return lower_bound(intervals)[0]


@given(case=graphs(), l1=st.sampled_from([6_000, 40_000]), share=st.sampled_from([0.5, 1.0]), any_channel=st.booleans())
def test_orders_keep_dependences_and_bounds(case: Case, l1: int, share: float, any_channel: bool) -> None:
    program = lowered(case, l1)
    tasks = list(program.cores[0].tasks)
    given_peak = peak(program)
    graph = TaskGraph.of(tasks, TARGET)
    order = list_order(graph, Room(program, Budget(l1, 1 << 25, 1 << 30), share), any_channel)
    place = {index: position for position, (index, _) in enumerate(order)}
    assert sorted(place) == list(range(len(tasks)))
    event("reordered" if [index for index, _ in order] != list(range(len(tasks))) else "as given")
    for index, before in enumerate(predecessors(tasks, TARGET.array.rows)):
        assert all(place[other] < place[index] for other in before)
    channels = {task.unit.data for task in tasks if task.unit.data.startswith("dma")}
    for index, unit in order:
        assert unit == tasks[index].unit.data or (any_channel and {unit, tasks[index].unit.data} <= channels)
    for index, _ in order:
        tasks[index].detach()
        program.cores[0].body.block.add_op(tasks[index])
    # Where the given order takes more than the share, its tasks come one by one.
    assert peak(program) <= max(int(share * l1), given_peak)


def test_conflicts_are_by_bytes_and_rows() -> None:
    module = parse_module(
        make_context(),
        """
aipu.program "main" target "metis" layers [#aipu.layer<"l", "copy", "dma", 0>] {
  %x = aipu.buffer "x" bytes 1024 : !aipu.buffer<l2>
  %a = aipu.buffer "a" bytes 1024 : !aipu.buffer<l1>
  aipu.core 0 {
    %0 = aipu.dma on dma0(src = l2 %x[0], dst = l1 %a[0]) {row_bytes = 512} layer 0
    %1 = aipu.dma on dma0(src = l2 %x[0], dst = l1 %a[512]) {row_bytes = 512} layer 0
    %2 = aipu.load on load(src = l1 %a[0]) {row = 0, segment_rows = 8, columns = 64} layer 0
    %3 = aipu.load on load(src = l1 %a[512]) {row = 8, segment_rows = 8, columns = 64} layer 0
    %4 = aipu.load on load(src = l1 %a[512]) {row = 4, segment_rows = 8, columns = 64} layer 0
    %5 = aipu.dma on dma1(src = l2 %x[0], dst = l1 %a[0]) {row_bytes = 1024} layer 0
    %6 = aipu.dma on dma0(src = l1 %a[0], dst = l2 %x[0]) {row_bytes = 64} layer 0
  }
}
""",
        "conflicts.mlir",
    )
    (program,) = (op for op in module.ops if isinstance(op, aipu.ProgramOp))
    found = predecessors(list(program.cores[0].tasks), TARGET.array.rows)
    assert [sorted(before) for before in found] == [[], [], [0], [1], [1, 2, 3], [0, 1, 2, 3, 4], [0, 1, 5]]
