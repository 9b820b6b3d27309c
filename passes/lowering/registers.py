"""Register allocation of vector programs: the values of a straight-line program get registers of the vector unit.

A step overwrites its target, so an operation on values must destroy one of its operands: one that nobody reads any
more, or a copy. A copy is a `move`, or for a value that comes from memory another `load`, which takes no cycle. Value 0
begins in r0 and the result must end there. The algorithms differ in which operand an operation destroys and in which
register a value lives; what they decide is how many copies there are and how many registers are in use.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal, get_args

from axir.ir.diagnostics import AxirError
from axir.target.isa import MAX_STEPS, REGISTERS, Lane, Register, StepOp, VectorStep

Algorithm = Literal["graph", "lazy", "backjump_recursive", "try_all"]
ALGORITHMS: tuple[Algorithm, ...] = get_args(Algorithm)

COMMUTATIVE = {StepOp.ADD, StepOp.MUL, StepOp.MIN, StepOp.MAX}


@dataclass(frozen=True, slots=True)
class Operation:
    """A step on values: `operands` are numbers of values, `constant` what else it takes, `index` the operand loaded."""

    op: StepOp
    operands: tuple[int, ...] = ()
    constant: float | Lane | None = None
    index: int = 0

    @property
    def destroyable(self) -> tuple[int, ...]:
        """The operands that can be in the target register."""
        return self.operands if self.op in COMMUTATIVE else self.operands[:1]


@dataclass(frozen=True)
class Values:
    """A program over values: operation n makes value n + 1, value 0 is the scaled accumulator."""

    operations: tuple[Operation, ...]
    result: int

    def last_reads(self) -> list[int]:
        """For each value the operation that reads it last (its own where none does); for the result, the end."""
        last = [max(value - 1, -1) for value in range(len(self.operations) + 1)]
        for number, operation in enumerate(self.operations):
            for value in operation.operands:
                last[value] = number
        last[self.result] = len(self.operations)
        return last

    def pressure(self) -> int:
        """The most values that are alive at a time."""
        last = self.last_reads()
        return max(sum(v <= n <= last[v] for v in range(len(last))) for n in range(len(self.operations) + 1))


@dataclass
class _Writer:
    """The steps of a program as far as they are decided, and which register each living value is in."""

    values: Values
    last: list[int]
    limit: int
    steps: list[VectorStep] = field(default_factory=list[VectorStep])
    place: dict[int, int] = field(default_factory=dict[int, int])

    @staticmethod
    def begin(values: Values, limit: int) -> _Writer:
        last = values.last_reads()
        return _Writer(values, last, limit, place={0: 0} if last[0] >= 0 else {})

    def free(self) -> list[int]:
        return [register for register in range(self.limit) if register not in self.place.values()]

    def dies(self, value: int, number: int) -> bool:
        return self.last[value] <= number

    def copy(self, value: int, register: int) -> None:
        """The value in another register too; `place` stays."""
        made = self.values.operations[value - 1] if value else None
        if made is not None and made.op is StepOp.LOAD:
            self.steps.append(VectorStep(StepOp.LOAD, register, None, made.index))
        else:
            self.steps.append(VectorStep(StepOp.MOVE, register, Register(self.place[value])))

    def load(self, number: int, register: int) -> None:
        self.steps.append(VectorStep(StepOp.LOAD, register, None, self.values.operations[number].index))
        self._end(number, register)

    def compute(self, number: int, destroyed: int, register: int, kept: int) -> None:
        """Operation `number` in `register`, which holds operand `destroyed`; the others are read where they are.

        `kept` is where that operand goes on living if it does, with a copy made before.
        """
        operation = self.values.operations[number]
        source: float | Lane | Register | None = operation.constant
        if len(operation.operands) == 2:
            first, second = operation.operands
            other = second if destroyed == first else first
            source = Register(register if other == destroyed else self.place[other])
        self.steps.append(VectorStep(operation.op, register, source))
        self.place[destroyed] = kept
        self._end(number, register)

    def finish(self) -> list[VectorStep]:
        register = self.place[self.values.result]
        if register:
            self.steps.append(VectorStep(StepOp.MOVE, 0, Register(register)))
        return self.steps

    def _end(self, number: int, register: int) -> None:
        """After an operation: forget the values that nobody reads any more, note where the new one is."""
        self.place[number + 1] = register
        self.place = {value: r for value, r in self.place.items() if not self.dies(value, number)}

    def fork(self) -> _Writer:
        return _Writer(self.values, self.last, self.limit, list(self.steps), dict(self.place))


def allocate(
    values: Values,
    algorithm: Algorithm = "try_all",
    *,
    node: str | None = None,
    registers: int = REGISTERS,
    steps: int = MAX_STEPS,
) -> tuple[VectorStep, ...]:
    """The steps of a program, for a device with so many `registers` and at most so many `steps`.

    `try_all` takes the best that the others find: fewest cycles (steps but loads), then fewest steps, then fewest
    registers. Raises `AxirError` naming the layer `node` where the program has too many steps or values alive.
    """
    tried = [name for name in _ALLOCATORS if algorithm in (name, "try_all")]
    found = [made for name in tried if (made := _ALLOCATORS[name](values, registers)) is not None]
    if not found:
        raise AxirError(
            f"the epilogue keeps {values.pressure()} values alive, the vector unit has {registers} registers "
            f"({algorithm} found no allocation)", node=node, notes=_notes(algorithm),
        )  # fmt: skip
    best = min(found, key=_cost)
    if len(best) > steps:
        raise AxirError(
            f"the epilogue needs {len(best)} vector steps, the device has {steps}", node=node,
            notes=("lower the number of operators fused into one (pass fuse-epilogue{max-steps=...})",
                   *_notes(algorithm)),
        )  # fmt: skip
    return tuple(best)


def _notes(algorithm: Algorithm) -> tuple[str, ...]:
    return () if algorithm == "try_all" else ("dpu_allocation_algorithm = try_all may find a shorter program",)


def _cost(steps: Sequence[VectorStep]) -> tuple[int, int, int]:
    return sum(step.op is not StepOp.LOAD for step in steps), len(steps), max((s.target for s in steps), default=0)


# --- lazy: one pass in program order ---


def _lazy(values: Values, registers: int) -> list[VectorStep] | None:
    """Linear scan. Takes a register that was never used while there is one, dead ones only then; always destroys the
    first operand, and never looks ahead."""
    writer = _Writer.begin(values, registers)
    used = 1
    for number, operation in enumerate(values.operations):
        free = writer.free()
        fresh = [register for register in free if register >= used] or free
        if operation.op is StepOp.LOAD:
            if not fresh:
                return None
            register = fresh[0]
            writer.load(number, register)
        else:
            operand = operation.operands[0]
            register = kept = writer.place[operand]
            if not writer.dies(operand, number):
                if not fresh:
                    return None
                register = fresh[0]
                writer.copy(operand, register)
            writer.compute(number, operand, register, kept)
        used = max(used, register + 1)
    return writer.finish()


# --- graph: colouring ---


def _graph(values: Values, registers: int) -> list[VectorStep] | None:
    """Colour the interference graph of webs: values that share a register because one is made in place of the other.

    An operation destroys an operand that dies, rather the accumulator's web than another. The result's web is coloured
    r0 with it where the two do not interfere. Nodes are removed by least degree and coloured in reverse (Chaitin 1982).
    """
    last = values.last_reads()
    web = list(range(len(values.operations) + 1))
    copied: dict[int, int] = {}  # operation -> operand that it copies
    for number, operation in enumerate(values.operations):
        if operation.op is StepOp.LOAD:
            continue
        dying = [value for value in operation.destroyable if last[value] <= number]
        chosen = min(dying, key=lambda value: (web[value] != 0, operation.operands.index(value)), default=None)
        if chosen is None:
            copied[number] = operation.operands[0]
        else:
            web[number + 1] = web[chosen]
    neighbours = _interference(values, last, web)
    if web[values.result] not in neighbours[0]:
        result = web[values.result]
        web = [0 if number == result else number for number in web]
        neighbours = _interference(values, last, web)
    colours = _colour(neighbours, registers)
    if colours is None:
        return None
    writer = _Writer.begin(values, registers)
    for number, operation in enumerate(values.operations):
        register = colours[web[number + 1]]
        if operation.op is StepOp.LOAD:
            writer.load(number, register)
        elif number in copied:
            operand = copied[number]
            writer.copy(operand, register)
            writer.compute(number, operand, register, writer.place[operand])
        else:
            destroyed = next(v for v in operation.destroyable if web[v] == web[number + 1] and last[v] <= number)
            writer.compute(number, destroyed, register, register)
    return writer.finish()


def _interference(values: Values, last: Sequence[int], web: Sequence[int]) -> dict[int, set[int]]:
    """The webs that are alive at a time with each web. Value v is alive from operation v - 1 to its last reader."""
    neighbours: dict[int, set[int]] = {number: set() for number in sorted(set(web))}
    for value in range(1, len(web)):
        made = value - 1  # whoever lives on after that, or is read by it beside the operand destroyed
        for other in range(value):
            reads = other in values.operations[made].operands
            if web[other] != web[value] and (last[other] > made or (reads and last[other] >= made)):
                neighbours[web[value]].add(web[other])
                neighbours[web[other]].add(web[value])
    return neighbours


def _colour(neighbours: dict[int, set[int]], registers: int) -> dict[int, int] | None:
    """Web 0 is r0."""
    left = {node: set(others) for node, others in neighbours.items()}
    stack: list[int] = []
    while len(left) > 1:
        node = min((node for node in left if node), key=lambda node: (len(left[node]), node))
        for other in left.pop(node):
            left[other].discard(node)
        stack.append(node)
    colours = {0: 0}
    for node in reversed(stack):
        taken = {colours[other] for other in neighbours[node] if other in colours}
        free = [register for register in range(registers) if register not in taken]
        if not free:
            return None
        colours[node] = free[0]
    return colours


# --- backjump_recursive: search ---


def _search(values: Values, registers: int) -> list[VectorStep] | None:
    """Fewest copies that cost a cycle, then fewest registers, by search: for each budget of moves and each number of
    registers, all choices in program order. A dead end names the operations that it follows from, and the search goes
    back to the last of them (conflict-directed backjumping, Prosser 1993)."""
    if values.pressure() > registers:
        return None
    for moves in range(len(values.operations) + 2):
        for limit in range(1, registers + 1):
            found = _solve(0, _Writer.begin(values, limit), moves, {0: frozenset()}, frozenset())
            if isinstance(found, list):
                return found
    return None


_Causes = dict[int, frozenset[int]]
"""For each value, the operations whose choices decided where it is."""


def _solve(
    number: int, writer: _Writer, moves: int, causes: _Causes, spent: frozenset[int]
) -> list[VectorStep] | frozenset[int]:
    """The steps from operation `number` on, or the operations before it whose choices make that impossible."""
    values = writer.values
    if number == len(values.operations):
        steps = writer.finish()
        used = sum(step.op is StepOp.MOVE for step in steps)
        return steps if used <= moves else spent | causes[values.result]
    conflict: frozenset[int] = frozenset(spent)
    for choice, decided in _choices(number, writer, causes):
        used = sum(step.op is StepOp.MOVE for step in choice.steps)
        if used > moves:
            continue
        before = sum(step.op is StepOp.MOVE for step in writer.steps)
        found = _solve(number + 1, choice, moves, decided, spent | {number} if used > before else spent)
        if isinstance(found, list):
            return found
        if number not in found:
            return found
        conflict |= found - {number}
    taken = frozenset[int]().union(*(causes[value] for value in writer.place))
    return conflict | taken


def _choices(number: int, writer: _Writer, causes: _Causes) -> Iterator[tuple[_Writer, _Causes]]:
    """What can be done about an operation: which operand is destroyed, and in which register the result is."""
    operation = writer.values.operations[number]
    free = writer.free()
    if operation.op is StepOp.LOAD:
        for register in free:
            choice = writer.fork()
            choice.load(number, register)
            yield choice, causes | {number + 1: frozenset({number})}
        return
    for operand in dict.fromkeys(operation.destroyable):
        place = writer.place[operand]
        by = causes[operand] | {number}
        if writer.dies(operand, number):
            choice = writer.fork()
            choice.compute(number, operand, place, place)
            yield choice, causes | {number + 1: by}
            continue
        for register in free:
            for made, kept in ((register, place), (place, register)):
                choice = writer.fork()
                choice.copy(operand, register)
                choice.compute(number, operand, made, kept)
                yield choice, causes | {number + 1: by, operand: by}


_ALLOCATORS: dict[str, Callable[[Values, int], list[VectorStep] | None]] = {
    "graph": _graph,
    "lazy": _lazy,
    "backjump_recursive": _search,
}
