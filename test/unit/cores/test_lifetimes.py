"""Addresses of programs for several cores: what may share bytes, and what never does."""

from __future__ import annotations

from itertools import combinations
from typing import Literal

from fuzz.graphs import Case, graphs
from hypothesis import assume, event, given
from hypothesis import strategies as st
from xdsl.dialects.builtin import DictionaryAttr, IntegerAttr, ModuleOp

from axir.dialects import aipu
from axir.ir.context import make_context
from axir.ir.diagnostics import AxirError
from axir.passes.batch_over_cores import BatchOverCoresPass
from axir.passes.lower_to_aipu import LowerToAipuPass
from axir.passes.memory.program_order import owners, program_order
from axir.passes.plan_memory import PlanMemoryPass
from axir.target.isa import Dma

Mode = Literal["batch", "cooperative", "pipeline"]
MODES = st.sampled_from(["batch", "cooperative", "pipeline"])


def planned(case: Case, mode: Mode, cores: int, l1: int, far: bool) -> aipu.ProgramOp:
    """A planned program; `far` keeps activations out of L1."""
    context = make_context()
    context.store.update(case.store)
    module = ModuleOp([case.graph.clone()])
    try:
        LowerToAipuPass(
            aipu_cores_used=cores, multicore_mode=mode, l1_constraint=l1, enable_buffer_promotion=not far
        ).apply(context, module)
        BatchOverCoresPass(aipu_cores_used=cores, multicore_mode=mode).apply(context, module)
        PlanMemoryPass(l1_constraint=l1, page_memory=False).apply(context, module)
    except AxirError:
        assume(False)
    program = module.body.block.first_op
    assert isinstance(program, aipu.ProgramOp)
    return program


class Use:
    """When, by their positions in the order of all tasks, which cores touch a buffer, and in whose memory it is."""

    def __init__(self, program: aipu.ProgramOp):
        self.times: dict[aipu.BufferOp, list[int]] = {}
        self.cores: dict[aipu.BufferOp, set[int]] = {}
        self.places: dict[aipu.BufferOp, set[int]] = {}
        for position, (core, task) in enumerate(program_order(program)):
            for row, _, value in task.placed:
                buffer = value.owner
                assert isinstance(buffer, aipu.BufferOp)
                fields = task.fields
                fed = fields.fed_cores if isinstance(fields, Dma) and row.name == "dst" else ()
                self.times.setdefault(buffer, []).append(position)
                self.cores.setdefault(buffer, set()).add(core)
                self.places.setdefault(buffer, set()).update(owners(buffer.memory, core, fed))
        ports = {port.buffer.owner for port in (*program.inputs, *program.outputs)}
        self.always = {b for b in program.buffers if b in ports or b.data is not None}
        if program.mode == "pipeline":
            self.always |= self.boundaries()

    def boundaries(self) -> set[aipu.BufferOp]:
        return {b for b, cores in self.cores.items() if len(cores) > 1 and b.memory != "l1" and b.data is None}

    def apart(self, a: aipu.BufferOp, b: aipu.BufferOp) -> bool:
        """Whether the buffers are never in use at the same time, so that they may have the same bytes."""
        if a in self.always or b in self.always:
            return False
        first, second = self.times[a], self.times[b]
        return first[-1] < second[0] or second[-1] < first[0]

    def meet(self, a: aipu.BufferOp, b: aipu.BufferOp) -> bool:
        """Whether they are in one memory and have bytes in common."""
        if a.memory != b.memory:
            return False
        if a in self.places and b in self.places and not self.places[a] & self.places[b]:
            return False
        assert a.address is not None
        assert b.address is not None
        return a.address < b.address + b.bytes and b.address < a.address + a.bytes


@given(case=graphs(), mode=MODES, cores=st.integers(2, 4), l1=st.sampled_from([20_000, 100_000]), far=st.booleans())
def test_bytes_are_shared_only_over_time(case: Case, mode: Mode, cores: int, l1: int, far: bool) -> None:
    program = planned(case, mode, cores, l1, far)
    use = Use(program)
    for a, b in combinations(program.buffers, 2):
        if use.meet(a, b):
            event("shared bytes")
            assert use.apart(a, b)
    for code in program.code:
        assert code.address is not None
        for buffer in program.buffers:
            assert buffer.address is not None
            assert (
                code.memory != buffer.memory
                or buffer.address + buffer.bytes <= code.address
                or code.address + program.code_bytes(code) <= buffer.address
            )


@given(case=graphs(), mode=MODES, cores=st.integers(2, 4), l1=st.sampled_from([20_000, 100_000]), far=st.booleans())
def test_private_blocks_are_apart(case: Case, mode: Mode, cores: int, l1: int, far: bool) -> None:
    """In L2 and DDR, what one core alone touches shares no bytes with what another does, whenever they do: so that no
    core waits for another's bytes."""
    program = planned(case, mode, cores, l1, far)
    use = Use(program)
    private = [
        b for b in program.buffers if b.memory != "l1" and len(use.cores.get(b, ())) == 1 and b not in use.always
    ]
    event("some" if len({next(iter(use.cores[b])) for b in private}) > 1 else "none")
    for a in private:
        for b in program.buffers:
            assert use.cores.get(a) == use.cores.get(b) or not use.meet(a, b)


@given(case=graphs(), cores=st.integers(2, 4), l1=st.sampled_from([20_000, 100_000]), far=st.booleans())
def test_what_passes_between_stages_is_there_twice(case: Case, cores: int, l1: int, far: bool) -> None:
    """Stages work on different frames at a time: what they pass has bytes of its own, and room for a second set."""
    program = planned(case, "pipeline", cores, l1, far)
    use = Use(program)
    ports = {port.buffer.owner for port in (*program.inputs, *program.outputs)}
    passed = [buffer for buffer in program.buffers if buffer in use.boundaries() and buffer not in ports]
    event("passed" if passed else "ports only")
    for a in passed:
        assert not any(use.meet(a, b) for b in program.buffers if b is not a)
    second = program.attributes.get("second_set")
    assert isinstance(second, DictionaryAttr)
    room = {key: value.value.data for key, value in second.data.items() if isinstance(value, IntegerAttr)}
    both = {*passed, *(b for b in program.buffers if b in ports)}
    assert sum(room.values()) >= sum(buffer.bytes for buffer in both)
    for memory in ("l2", "ddr"):
        assert room.get(memory, 0) >= sum(b.bytes for b in passed if b.memory == memory)
