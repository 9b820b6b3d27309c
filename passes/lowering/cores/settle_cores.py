"""Settling the networks of several cores: each in its own L1, all together in L2 and DDR."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from axir.ir.diagnostics import AxirError
from axir.passes.lowering.cores.partition import Partition
from axir.passes.lowering.jobs import Buffer
from axir.passes.lowering.program import CodeHome, CoreProgram
from axir.passes.lowering.settle import SettleOptions, lifetimes, settle
from axir.passes.memory.budget import Budget
from axir.passes.memory.packing import lower_bound as greatest_alive
from axir.passes.memory.packing import pack
from axir.target.description import Target

ATTEMPTS = 6
"""How often the cores' parts of L2 are made smaller until all fit together."""


def settle_cores(
    partition: Partition, budget: Budget, options: SettleOptions, code: CodeHome, sets: int, target: Target
) -> list[CoreProgram]:
    """The jobs of every core, with buffers that together fit the budget of L2.

    A core plans as if it had most of L2 to itself: constants that several cores read are there once. Where that is too
    much, all plan again with less. Of what passes between cores there are `sets`. Raises `AxirError` where a core's
    part does not fit, or all parts together do not.
    """
    share = budget.l2
    use: _Use | None = None
    for attempt in range(1, ATTEMPTS + 1):
        try:
            programs = [
                CoreProgram(*settle(own.network, replace(budget, l2=share), options, code.buffers, target), own.numbers)
                for own in partition.cores
            ]
        except AxirError:
            if use is None:
                raise
            break  # with less than the user allows: what all need together says more
        use = _use(programs, code, sets)
        if use.total <= budget.l2:
            return programs
        if not share:
            break
        # Bytes that several cores use go only when all do without them: so each time, more than what is too much.
        share = min(share, _level(use.own, attempt * (use.total - budget.l2)))
    assert use is not None
    raise _too_much(partition, use, budget.l2)


def _level(sizes: Sequence[int], excess: int) -> int:
    """The most that any of the sizes may be, so that all together become smaller by `excess`."""
    rest = sum(sizes) - excess
    for place, size in enumerate(sorted(sizes)):
        left = len(sizes) - place
        if size * left >= rest:
            return max(0, rest // left)
        rest -= size
    return max(sizes)


@dataclass(frozen=True)
class _Use:
    """Bytes of L2 that all cores take: shared buffers and equal constants once, and what is private to each."""

    constants: int
    shared: int
    private: Sequence[int]  # by core
    code: int
    own: Sequence[int]  # by core: all that it uses, with what others use too
    alive: Sequence[tuple[int, Sequence[Buffer]]]  # by core: where most is alive, its layer and what that is

    @property
    def total(self) -> int:
        return self.constants + self.shared + sum(self.private) + self.code


def _use(programs: Sequence[CoreProgram], code: CodeHome, sets: int) -> _Use:
    constants: dict[bytes, int] = {}
    shared: dict[str, int] = {}
    private: list[int] = []
    all_own: list[int] = []
    alive: list[tuple[int, Sequence[Buffer]]] = []
    descriptors = 0
    for program in programs:
        intervals = lifetimes(program.jobs, list(program.emitted.ports.values()))
        there = {buffer: interval for buffer, interval in intervals.items() if buffer.memory == "l2"}
        constants |= {_digest(buffer): buffer.size for buffer in there if buffer.parts is not None}
        shared |= {b.shared: b.size * (1 if b.port else sets) for b in there if b.shared is not None}
        own = {buffer: i for buffer, i in there.items() if buffer.parts is None and buffer.shared is None}
        private.append(pack(list(own.values()), 0, nodes=0).height)
        listed = sum(buffer.size for buffer in code.buffers(program.jobs).values() if buffer.memory == "l2")
        descriptors += listed
        all_own.append(pack(list(there.values()), 0, nodes=0).height + listed)
        _, position = greatest_alive(list(own.values()))
        layer = program.numbers[program.jobs[position].layer] if own else 0
        alive.append((layer, [buffer for buffer, i in own.items() if i.first <= position <= i.last]))
    return _Use(sum(constants.values()), sum(shared.values()), private, descriptors, all_own, alive)


def _too_much(partition: Partition, use: _Use, allowed: int) -> AxirError:
    """What does not fit, at the layer where one core needs most."""
    parts = {
        "constants": use.constants, "passed between cores, and ports": use.shared, "descriptors": use.code,
        **{f"core {core}": size for core, size in enumerate(use.private)},
    }  # fmt: skip
    worst = max(range(len(use.private)), key=lambda core: use.private[core])
    layer, buffers = use.alive[worst]
    most = ", ".join(f"{b.label} {b.size:,}" for b in sorted(buffers, key=lambda buffer: -buffer.size)[:8])
    return AxirError(
        f"the parts of {len(partition.cores)} cores do not fit l2 together: {use.total:,} bytes needed, {allowed:,} "
        f"allowed ({use.total - allowed:,} too many)",
        node=partition.layers[layer].name if buffers else None,
        notes=(
            ", ".join(f"{name} {size:,}" for name, size in parts.items() if size)
            + (f"; alive there by core {worst}: {most}" if buffers else ""),
            "raise l2_constraint or resources_used, set a pool to global.ddr, or use fewer cores",
        ),
    )


def _digest(buffer: Buffer) -> bytes:
    import hashlib

    return hashlib.blake2b(buffer.data.tobytes(), digest_size=16).digest()
