"""One order for the tasks of all cores, and what planning and scheduling make of it, on random programs."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import combinations

import pytest
from hypothesis import event, given
from hypothesis import strategies as st
from xdsl.dialects.builtin import ModuleOp

from axir.dialects import aipu
from axir.ir.context import make_context
from axir.ir.diagnostics import AxirError
from axir.ir.parsing import parse_module
from axir.ir.printing import print_module
from axir.passes.memory.accesses import accesses
from axir.passes.memory.program_order import owners, program_order
from axir.passes.plan_memory import PlanMemoryPass
from axir.passes.schedule import SchedulePass
from axir.target.description import load
from axir.target.isa import MAX_WAITS, Dma, Sync

TARGET = load()


@dataclass
class Written:
    """A program as text. `tasks` are those of each core in order; `reads` says whose bytes a task reads."""

    text: str
    tasks: list[list[int]]
    reads: list[tuple[int, int]] = field(default_factory=list[tuple[int, int]])  # (writer, reader)


@st.composite
def programs(draw: st.DrawFn, mode: str = "cooperative") -> Written:
    """Cores that pass bytes to each other: every read is of bytes that an earlier layer, or the same exchange, wrote.

    Tasks are numbered in an order that they could run in; the number is the width of their rows.
    """
    cores = draw(st.integers(2, 4))
    kinds = draw(st.lists(st.sampled_from(["copy", "exchange"]), min_size=1, max_size=5))
    tasks: list[list[int]] = [[] for _ in range(cores)]
    lines: list[list[str]] = [[] for _ in range(cores)]
    reads: list[tuple[int, int]] = []
    slots: list[tuple[int, int]] = []  # (writer, its layer) by pword of the shared buffer
    number = 0
    for layer, kind in enumerate(kinds):
        for _ in range(draw(st.integers(1, 8))):
            core = draw(st.integers(0, cores - 1))
            unit = draw(st.sampled_from(["dma0", "dma1"]))
            seen = [at for at, (_, wrote) in enumerate(slots) if wrote < layer or kind == "exchange"]
            if draw(st.booleans()) and seen:
                slot = draw(st.sampled_from(seen))
                ends = f"src = l2 %e[{64 * slot}], dst = l1 %a{core}[{64 * draw(st.integers(0, 3))}]"
                if slots[slot][0] not in tasks[core]:
                    reads.append((slots[slot][0], number))
            elif draw(st.booleans()):
                ends = f"src = l1 %c[0], dst = l2 %e[{64 * len(slots)}]"
                slots.append((number, layer))
            else:
                ends = f"src = l1 %c[0], dst = l2 %p{core}[{64 * draw(st.integers(0, 3))}]"
            lines[core].append(f"aipu.dma on {unit}({ends}) {{row_bytes = {number + 1}}} layer {layer}")
            tasks[core].append(number)
            number += 1
    assert number < 64
    layers = ", ".join(f'#aipu.layer<"l", "{kind}", "dma", 0>' for kind in kinds)
    size = 64 * max(1, len(slots))
    buffers = [f'%e = aipu.buffer "e" bytes {size} : !aipu.buffer<l2>']
    buffers.append('%c = aipu.buffer "c" bytes 64 data dense<1> : tensor<64xi8> : !aipu.buffer<l1>')
    for core in range(cores):
        buffers.append(f'%a{core} = aipu.buffer "a{core}" bytes 256 : !aipu.buffer<l1>')
        buffers.append(f'%p{core} = aipu.buffer "p{core}" bytes 256 : !aipu.buffer<l2>')
    regions = "".join(f"aipu.core {core} {{\n{chr(10).join(own) or '^bb0:'}\n}}\n" for core, own in enumerate(lines))
    body = "\n".join(buffers)
    text = f'aipu.program "p" target "metis" mode "{mode}" layers [{layers}] {{\n{body}\n{regions}}}\n'
    return Written(text, tasks, reads)


def parsed(text: str) -> tuple[ModuleOp, aipu.ProgramOp]:
    module = parse_module(make_context(), text, "program.mlir")
    program = module.body.block.first_op
    assert isinstance(program, aipu.ProgramOp)
    return module, program


def number_of(task: aipu.TaskOp) -> int:
    """The number that `programs` gave a task."""
    fields = task.fields
    assert isinstance(fields, Dma)
    return fields.row_bytes - 1


@given(written=programs())
def test_the_order_keeps_cores_and_reads(written: Written) -> None:
    module, program = parsed(written.text)
    order = [(core, number_of(task)) for core, task in program_order(program)]
    for core, tasks in enumerate(written.tasks):
        assert [number for by, number in order if by == core] == tasks
    place = {number: at for at, (_, number) in enumerate(order)}
    for writer, reader in written.reads:
        assert place[writer] < place[reader]
    event("as numbered" if list(place) == sorted(place) else "another order")
    # It follows from the text.
    _, again = parsed(print_module(module))
    assert [(core, number_of(task)) for core, task in program_order(again)] == order


@given(written=programs())
def test_layers_come_in_order_where_nothing_waits(written: Written) -> None:
    """A task of a layer comes late only where its core had more to wait for: never before one of a lesser layer whose
    core could have gone on."""
    _, program = parsed(written.text)
    order = program_order(program)
    if not written.reads:
        layers = [task.layer.value.data for _, task in order]
        assert layers == sorted(layers)


def scheduled(text: str, **options: bool) -> aipu.ProgramOp:
    module, program = parsed(text)
    context = make_context()
    PlanMemoryPass(page_memory=False).apply(context, module)
    SchedulePass(**options).apply(context, module)
    return program


def known(program: aipu.ProgramOp, tokens: bool) -> dict[aipu.TaskOp, set[aipu.TaskOp]]:
    """For each task, those that are certainly complete when it starts, from its waits alone.

    With tokens a queue runs in order; without, the control core of each core does the waiting, in text order.
    """
    queues: dict[tuple[int, str], list[aipu.TaskOp]] = {}
    for core in program.cores:
        for task in core.tasks:
            queues.setdefault((core.number.value.data, task.unit.data), []).append(task)
    found: dict[aipu.TaskOp, set[aipu.TaskOp]] = {}

    def visit(task: aipu.TaskOp, before: list[aipu.TaskOp]) -> set[aipu.TaskOp]:
        result: set[aipu.TaskOp] = set()
        for other in before:
            result |= {other} | found.get(other, set())
        return result

    changed = True
    while changed:  # to a fixed point: waits of any kind, in any order of the text
        changed = False
        for core in program.cores:
            number = core.number.value.data
            waited: set[aipu.TaskOp] = set()
            for task in core.tasks:
                own = queues[number, task.unit.data]
                at = own.index(task)
                waits = list(task.after)
                waits += [queues[by, unit][count - 1] for by, unit, count in (wait.data for wait in task.remote_waits)]
                assert len(waits) <= MAX_WAITS
                result = visit(task, [*own[at - 1 : at], *waits])
                if not tokens:
                    waited |= visit(task, waits)
                    result |= waited
                if result != found.get(task):
                    found[task] = result
                    changed = True
    return found


@given(written=programs(), tokens=st.booleans(), overlap=st.booleans())
def test_what_conflicts_is_ordered_by_waits(written: Written, tokens: bool, overlap: bool) -> None:
    """Every two tasks that touch the same bytes, one writing, wait as the program's order says: pair by pair."""
    program = scheduled(written.text, use_hw_tokens=tokens, inter_operator_async=overlap)
    before = known(program, tokens)
    order = [(core, task) for core, task in program_order(program) if not isinstance(task.fields, Sync)]
    touched = [
        [
            ((access.memory, owner), access.low, access.high, access.write)
            for access in accesses(task, TARGET.array.rows) for owner in owners(access.memory, core, access.cores)
        ]
        for core, task in order
    ]  # fmt: skip
    pairs = 0
    for a, b in combinations(range(len(order)), 2):
        if any(
            place == other and low < top and bottom < high and (write or writes)
            for place, low, high, write in touched[a] for other, bottom, top, writes in touched[b]
        ):  # fmt: skip
            pairs += 1
            assert order[a][1] in before[order[b][1]]
            assert order[b][1] not in before[order[a][1]]
    event("conflicts" if pairs else "none")


def test_a_task_that_waits_for_every_queue_of_every_core() -> None:
    """More than a descriptor names, twice over: syncs take what does not fit, and nothing is lost."""
    program = scheduled(MANY)
    last = [task for task in program.cores[0].tasks if task.unit.data == "dma0"]
    syncs = [task for task in last if isinstance(task.fields, Sync)]
    assert len(syncs) == 1
    assert last.index(syncs[0]) == last.index(last[-1]) - 1
    waits = [wait for task in (*syncs, last[-1]) for wait in (*task.after, *task.remote_waits)]
    assert MAX_WAITS < len(waits) <= 2 * MAX_WAITS
    before = known(program, tokens=True)[last[-1]]
    others = {task for core in program.cores for task in core.tasks} - {last[-1]}
    assert before == others


CORES = 4
UNITS_THAT_READ = {
    "dma0": "aipu.dma on dma0(src = l1 %a[0], dst = l2 %o[{at}]) {{row_bytes = 64}} layer 0",
    "dma1": "aipu.dma on dma1(src = l1 %a[0], dst = l2 %o[{at}]) {{row_bytes = 64}} layer 0",
    "load": "aipu.load on load(src = l1 %a[0]) {{row = 0, segment_rows = 1, columns = 64}} layer 0",
    "depthwise": "aipu.vec on depthwise(src = l1 %a[0], out = l1 %b[0]) {{src_rows = 1, row_bytes = 64, "
    "row_pitch = 64, y0 = 0, x0 = 0, x_step = 64, blocks = 1, rows = 1, vectors = 1}} layer 0",
}  # fmt: skip
FEED = "aipu.dma on dma0(src = l2 %w[0], dst = l1 %a[0]) {row_bytes = 64, cores = 15} layer "
MANY = (
    f"""
aipu.program "many" target "metis" mode "batch" layers [{", ".join(['#aipu.layer<"l", "copy", "dma", 0>'] * 2)}] {{
  %w = aipu.buffer "w" bytes 64 data dense<1> : tensor<64xi8> : !aipu.buffer<l2>
  %o = aipu.buffer "o" bytes {64 * CORES * 2} : !aipu.buffer<l2>
  %a = aipu.buffer "a" bytes 64 : !aipu.buffer<l1>
  %b = aipu.buffer "b" bytes 64 : !aipu.buffer<l1>
"""
    + "".join(
        f"aipu.core {core} {{\n"
        + (FEED + "0\n" if core == 0 else "")
        + "\n".join(
            line.format(at=64 * (2 * core + (unit == "dma1"))) for unit, line in UNITS_THAT_READ.items()
            if core or unit != "dma0"
        )
        + ("\n" + FEED + "1\n" if core == 0 else "\n")
        + "}\n"
        for core in range(CORES)
    )
    + "}\n"
)  # fmt: skip


def test_a_circle_is_an_error() -> None:
    a, b = (f"aipu.dma on dma0(src = l2 %e[{64 * at}], dst = l1 %a[0]) {{row_bytes = 64}} layer 0" for at in (0, 1))
    c, d = (f"aipu.dma on dma0(src = l1 %a[0], dst = l2 %e[{64 * at}]) {{row_bytes = 64}} layer 0" for at in (1, 0))
    text = f"""
aipu.program "circle" target "metis" mode "cooperative" layers [#aipu.layer<"l", "exchange", "dma", 0>] {{
  %e = aipu.buffer "e" bytes 128 : !aipu.buffer<l2>
  %a = aipu.buffer "a" bytes 64 : !aipu.buffer<l1>
  aipu.core 0 {{
    {a}
    {c}
  }}
  aipu.core 1 {{
    {b}
    {d}
  }}
}}"""
    with pytest.raises(AxirError, match="wait for each other's bytes in a circle"):
        program_order(parsed(text)[1])
