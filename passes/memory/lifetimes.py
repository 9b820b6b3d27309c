"""When the buffers of a program are in use, and which of them are packed together."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from axir.dialects import aipu
from axir.passes.memory.packing import Interval
from axir.passes.memory.program_order import Placed, program_order
from axir.target.isa import Memory

Place = aipu.BufferOp | aipu.CodeOp
"""What gets an address."""


@dataclass(frozen=True)
class Part:
    """Places that may share bytes over time: lifetimes, and the positions at which layers have their last task."""

    lifetimes: dict[Place, Interval]
    ends: Sequence[int]
    core: int | None = None  # the only one that touches them


class Lifetimes:
    """The lifetimes of everything in a program, by memory.

    A lifetime runs from the first to the last task that touches a buffer, in the order of all tasks. Constants, ports
    and descriptors live all the time. So do the buffers through which the stages of a pipeline meet, since its stages
    work on different frames at a time.
    """

    def __init__(self, program: aipu.ProgramOp):
        self.program = program
        self.order = program_order(program)
        self.end = len(self.order)
        self.cores: dict[aipu.BufferOp, dict[int, None]] = {}
        for core, task in self.order:
            for value in task.buffers:
                buffer = value.owner
                assert isinstance(buffer, aipu.BufferOp)
                self.cores.setdefault(buffer, {})[core] = None
        ports = [port.buffer.owner for port in (*program.inputs, *program.outputs)]
        self.always: dict[aipu.BufferOp, None] = dict.fromkeys(p for p in ports if isinstance(p, aipu.BufferOp))
        self.always |= dict.fromkeys(buffer for buffer in program.buffers if buffer.data is not None)
        self.boundaries: list[aipu.BufferOp] = []
        if program.mode == "pipeline":
            met = [b for b, cores in self.cores.items() if len(cores) > 1 and b.memory != "l1" and b not in self.always]
            self.boundaries = met
            self.always |= dict.fromkeys(met)

    def of(
        self, buffers: Iterable[aipu.BufferOp], order: Sequence[Placed] | None = None
    ) -> dict[aipu.BufferOp, Interval]:
        """Lifetimes in positions of an order, by default that of all tasks; of no buffer that nothing touches."""
        wanted = dict.fromkeys(buffers)
        found: dict[aipu.BufferOp, Interval] = {}
        order = self.order if order is None else order
        for position, (_, task) in enumerate(order):
            for value in task.buffers:
                buffer = value.owner
                assert isinstance(buffer, aipu.BufferOp)
                if buffer in wanted:
                    first = found[buffer].first if buffer in found else position
                    found[buffer] = Interval(first, position, buffer.bytes)
        found |= {buffer: Interval(0, len(order), buffer.bytes) for buffer in self.always if buffer in wanted}
        return found

    def parts(self, memory: Memory) -> list[Part]:
        """What is packed together in a memory.

        In L2 and DDR: first what cores share, with the descriptors; then what is private to each core, which takes a
        block of its own, so that cores never wait for each other's bytes. In L1, of which every core has its own: a
        part a core; or one, where a buffer is in that of several cores, at one address.
        """
        buffers = [b for b in self.program.buffers if b.memory == memory and (b in self.cores or b in self.always)]
        if len(self.program.cores) == 1:
            return [self._part(buffers, memory)]
        private: dict[int, list[aipu.BufferOp]] = {number: [] for number in range(len(self.program.cores))}
        shared: list[aipu.BufferOp] = []
        for buffer in buffers:
            cores = list(self.cores.get(buffer, ()))
            if buffer in self.always or len(cores) != 1:
                shared.append(buffer)
            else:
                private[cores[0]].append(buffer)
        if memory == "l1" and shared:
            return [self._part(buffers, memory)]
        parts = [] if memory == "l1" else [self._part(shared, memory)]
        for core, own in private.items():
            if own:
                order = [placed for placed in self.order if placed.core == core]
                parts.append(Part({**self.of(own, order)}, _layer_ends(order), core))
        return parts

    def _part(self, buffers: Sequence[aipu.BufferOp], memory: Memory) -> Part:
        code: dict[Place, Interval] = {
            code: Interval(0, self.end, self.program.code_bytes(code))
            for code in self.program.code if code.memory == memory
        }  # fmt: skip
        return Part({**self.of(buffers), **code}, _layer_ends(self.order))


def buffer_lifetimes(program: aipu.ProgramOp) -> dict[aipu.BufferOp, Interval]:
    """Lifetimes in positions of the program's order; buffers that nothing touches are left out."""
    return Lifetimes(program).of(program.buffers)


def _layer_ends(order: Sequence[Placed]) -> list[int]:
    """Positions at which a layer has its last task, in order."""
    return sorted({task.layer.value.data: position for position, (_, task) in enumerate(order)}.values())
