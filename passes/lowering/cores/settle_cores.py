"""Settling the networks of several cores: each in its own L1, all together in L2 and DDR."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from axir.ir.diagnostics import AxirError
from axir.passes.lowering.cores.partition import Partition
from axir.passes.lowering.jobs import Buffer
from axir.passes.lowering.program import CodeHome, CoreProgram
from axir.passes.lowering.settle import SettleOptions, lifetimes, settle
from axir.passes.memory.budget import Budget
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
    share, needed = budget.l2, 0
    for _ in range(ATTEMPTS):
        programs = [
            CoreProgram(*settle(own.network, replace(budget, l2=share), options, code.buffers, target), own.numbers)
            for own in partition.cores
        ]
        needed = _needed(programs, code, sets)
        if needed <= budget.l2:
            return programs
        if not share:
            break
        # What all need shrinks at least as fast as what each may use, but for what they cannot do without.
        share = max(0, min(share - (needed - budget.l2) // len(programs), int(share * budget.l2 / needed)))
    raise AxirError(
        f"the parts of {len(partition.cores)} cores do not fit l2 together: {needed:,} bytes needed, {budget.l2:,} "
        f"allowed ({needed - budget.l2:,} too many)",
        notes=("raise l2_constraint or resources_used, or use fewer cores",),
    )


def _needed(programs: Sequence[CoreProgram], code: CodeHome, sets: int) -> int:
    """Bytes of L2: shared buffers and equal constants once, and what is private to each core."""
    constants: dict[bytes, int] = {}
    shared: dict[str, int] = {}
    private = 0
    for program in programs:
        alive = lifetimes(program.jobs, list(program.emitted.ports.values()))
        there = {buffer: interval for buffer, interval in alive.items() if buffer.memory == "l2"}
        constants |= {_digest(buffer): buffer.size for buffer in there if buffer.parts is not None}
        shared |= {b.shared: b.size * (1 if b.port else sets) for b in there if b.shared is not None}
        own = [interval for buffer, interval in there.items() if buffer.parts is None and buffer.shared is None]
        private += pack(own, 0, nodes=0).height
        private += sum(buffer.size for buffer in code.buffers(program.jobs).values() if buffer.memory == "l2")
    return sum(constants.values()) + sum(shared.values()) + private


def _digest(buffer: Buffer) -> bytes:
    import hashlib

    return hashlib.blake2b(buffer.data.tobytes(), digest_size=16).digest()
