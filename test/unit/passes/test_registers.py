"""Register allocation: what the allocated program computes, against the program over values; and what it costs."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from axir.ir.diagnostics import AxirError
from axir.passes.lowering.registers import ALGORITHMS, Algorithm, Operation, Values, allocate
from axir.target import isa
from axir.target.isa import MAX_STEPS, REGISTERS, Register, StepOp, VectorStep

F = np.float32
TENSORS = (F(3.25), F(-0.375))
ACCUMULATOR = F(1.7)


def apply(op: StepOp, x: np.float32, y: np.float32) -> np.float32:
    match op:
        case StepOp.ADD:
            return x + y
        case StepOp.MUL:
            return x * y
        case StepOp.MIN:
            return min(x, y)
        case StepOp.MAX:
            return max(x, y)
        case StepOp.PRELU:
            return x * y if x < 0 else x
        case _:
            return F(x / F(3)) + F(0.1)  # stands for a table


def meaning(program: Values) -> np.float32:
    values = [ACCUMULATOR]
    for operation in program.operations:
        read = [values[operand] for operand in operation.operands]
        if operation.op is StepOp.LOAD:
            values.append(TENSORS[operation.index])
        else:
            values.append(apply(operation.op, read[0], read[1] if len(read) > 1 else F(operation.constant or 0)))
    return values[program.result]


def run(steps: tuple[VectorStep, ...]) -> np.float32:
    registers: dict[int, np.float32] = {0: ACCUMULATOR}
    for step in steps:
        source = registers[step.source.index] if isinstance(step.source, Register) else F(step.source or 0)
        if step.op is StepOp.LOAD:
            registers[step.target] = TENSORS[step.index]
        elif step.op is StepOp.MOVE:
            registers[step.target] = source
        else:
            registers[step.target] = apply(step.op, registers[step.target], source)
    return registers[0]


PAIRS = (StepOp.ADD, StepOp.MUL, StepOp.MIN, StepOp.MAX, StepOp.PRELU)


@st.composite
def programs(draw: st.DrawFn, most: int = 5) -> Values:
    operations: list[Operation] = []
    for _ in range(draw(st.integers(0, most))):
        values = st.integers(0, len(operations))
        kind = draw(st.sampled_from(["load", "alone", "constant", "pair", "pair", "pair"]))
        if kind == "load":
            operations.append(Operation(StepOp.LOAD, index=draw(st.integers(0, 1))))
        elif kind == "alone":
            operations.append(Operation(StepOp.TABLE, (draw(values),)))
        elif kind == "constant":
            constant = draw(st.sampled_from([-0.5, 2.0]))
            operations.append(Operation(draw(st.sampled_from(PAIRS)), (draw(values),), constant))
        else:
            operations.append(Operation(draw(st.sampled_from(PAIRS)), (draw(values), draw(values))))
    return Values(tuple(operations), len(operations))


@given(programs(), st.sampled_from(ALGORITHMS), st.integers(1, REGISTERS))
def test_allocations_compute_what_the_program_says(program: Values, algorithm: Algorithm, registers: int) -> None:
    try:
        steps = allocate(program, algorithm, registers=registers)
    except AxirError:
        return
    assert all(step.target < registers for step in steps)
    assert run(steps) == meaning(program)
    fields = {"operand0": isa.Address("l1", 0), "operand1": isa.Address("l1", 0), "table": isa.Address("l1", 0)}
    used = {f"operand{step.index}" for step in steps if step.op is StepOp.LOAD}
    used |= {"table" for step in steps if step.op is StepOp.TABLE}
    window = {"src": isa.Address("l1", 0), "src_rows": 1, "row_bytes": 64, "row_pitch": 64, "y0": 0, "x0": 0,
              "x_step": 64, "blocks": 1, "rows": 1, "vectors": 1, "out": isa.Address("l1", 64)}  # fmt: skip
    legal = isa.Vec(**window, steps=steps, **{name: fields[name] for name in sorted(used)})
    assert isa.check(legal) is None


def cycles(steps: tuple[VectorStep, ...]) -> int:
    return sum(step.op is not StepOp.LOAD for step in steps)


def fewest_cycles(program: Values, registers: int) -> int | None:
    """The least number of steps that take a cycle, by trying every sequence of decisions."""
    last = program.last_reads()
    best: list[int] = []

    def go(number: int, place: dict[int, int], moves: int) -> None:
        if number == len(program.operations):
            best.append(moves + (place[program.result] != 0))
            return
        operation = program.operations[number]
        free = [r for r in range(registers) if r not in place.values()]

        def after(register: int, extra: int, changed: dict[int, int]) -> None:
            kept = {v: r for v, r in (changed | {number + 1: register}).items() if last[v] > number}
            go(number + 1, kept, moves + extra)

        if operation.op is StepOp.LOAD:
            for register in free:
                after(register, 0, place)
            return
        for operand in set(operation.destroyable):
            if last[operand] <= number:
                after(place[operand], 0, place)
                continue
            loaded = operand > 0 and program.operations[operand - 1].op is StepOp.LOAD
            for register in free:
                after(register, not loaded, place)
                after(place[operand], not loaded, place | {operand: register})

    go(0, {0: 0} if last[0] >= 0 else {}, 0)
    if not best:
        return None
    return min(best) + sum(operation.op is not StepOp.LOAD for operation in program.operations)


@given(programs(4), st.integers(1, REGISTERS))
def test_the_search_is_optimal_and_try_all_no_worse(program: Values, registers: int) -> None:
    least = fewest_cycles(program, registers)
    for algorithm in ("backjump_recursive", "try_all"):
        if least is None:
            with pytest.raises(AxirError, match="values alive"):
                allocate(program, algorithm, registers=registers)
        else:
            assert cycles(allocate(program, algorithm, registers=registers, steps=99)) == least


def test_no_allocation_names_layer_values_and_registers() -> None:
    loads = (Operation(StepOp.LOAD), Operation(StepOp.LOAD, index=1))
    program = Values((*loads, Operation(StepOp.ADD, (1, 2)), Operation(StepOp.ADD, (0, 3))), 4)
    for algorithm in ALGORITHMS:
        with pytest.raises(AxirError, match="keeps 3 values alive, the vector unit has 2 registers") as caught:
            allocate(program, algorithm, node="Add_7", registers=2)
        assert caught.value.node == "Add_7"
        assert run(allocate(program, algorithm, registers=3)) == meaning(program)


def test_lazy_takes_a_fresh_register_the_others_use_one_again() -> None:
    program = Values(
        (Operation(StepOp.LOAD), Operation(StepOp.ADD, (0, 1)), Operation(StepOp.LOAD, index=1),
         Operation(StepOp.ADD, (2, 3))), 4,
    )  # fmt: skip
    targets = {name: [step.target for step in allocate(program, name)] for name in ALGORITHMS}
    assert targets == {
        "graph": [1, 0, 1, 0], "lazy": [1, 0, 2, 0], "backjump_recursive": [1, 0, 1, 0], "try_all": [1, 0, 1, 0]
    }  # fmt: skip
    assert [step.target for step in allocate(program, "lazy", registers=2)] == [1, 0, 1, 0]


def test_lazy_runs_out_of_steps_where_the_others_commute() -> None:
    """load + accumulator, then four tables: lazy destroys the load's register and must move the result to r0."""
    chain = [Operation(StepOp.TABLE, (2 + n,)) for n in range(4)]
    program = Values((Operation(StepOp.LOAD), Operation(StepOp.ADD, (1, 0)), *chain), 6)
    with pytest.raises(AxirError, match="needs 7 vector steps, the device has 6") as caught:
        allocate(program, "lazy")
    assert any("try_all" in note for note in caught.value.notes)
    for name in ("graph", "backjump_recursive", "try_all"):
        steps = allocate(program, name)
        assert len(steps) == MAX_STEPS
        assert run(steps) == meaning(program)


def test_the_search_finds_r0_for_the_result_where_colouring_does_not() -> None:
    """prelu(b, a + accumulator): b must be in r0 and the sum elsewhere, which greedy coalescing does not see."""
    program = Values(
        (Operation(StepOp.LOAD), Operation(StepOp.ADD, (0, 1)), Operation(StepOp.LOAD, index=1),
         Operation(StepOp.PRELU, (3, 2))), 4,
    )  # fmt: skip
    assert {name: len(allocate(program, name)) for name in ALGORITHMS} == {
        "graph": 5, "lazy": 5, "backjump_recursive": 4, "try_all": 4
    }  # fmt: skip


def test_a_value_that_lives_on_is_copied_and_a_load_repeated() -> None:
    square = Values((Operation(StepOp.TABLE, (0,)), Operation(StepOp.MUL, (0, 1))), 2)
    assert [step.op for step in allocate(square)] == [StepOp.MOVE, StepOp.TABLE, StepOp.MUL]
    again = Values(
        (Operation(StepOp.LOAD), Operation(StepOp.TABLE, (1,)), Operation(StepOp.MUL, (1, 2)),
         Operation(StepOp.ADD, (0, 3))), 4,
    )  # fmt: skip
    steps = allocate(again)
    assert [step.op for step in steps].count(StepOp.LOAD) == 2
    assert StepOp.MOVE not in [step.op for step in steps]
    assert run(steps) == meaning(again)


@given(programs())
def test_allocations_are_deterministic(program: Values) -> None:
    def attempt() -> tuple[VectorStep, ...] | str:
        try:
            return allocate(program)
        except AxirError as error:
            return error.message

    assert attempt() == attempt()
