"""Frames of programs on a device: which cores begin a frame together, what it waits for, and the link to the host.

All cores of a program begin a frame together, when all have done the one before. In mode `pipeline` each core is on its
own: it begins a frame when it has done the one before, and when all cores that wait for it have done the one before
that: of what a stage hands on there are two sets, used in turn (an assumption, as for the second set of inputs and
outputs: `plan-memory`).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from math import ceil
from typing import Literal

from axir.backends.aipu.simulator.bandwidth import Rate
from axir.backends.aipu.structure import Image, Port
from axir.target.description import Target
from axir.target.isa import COPY_UNITS, Dma

SETS = 2
"""Sets of buffers, of inputs and outputs with double buffering and of what stages hand on."""


@dataclass(frozen=True)
class Instance:
    """A program on cores of its own: its core c is core `first_core` + c of the device, its frame starts at `start`."""

    image: Image
    first_core: int = 0
    start: int = 0

    @property
    def cores(self) -> range:
        """Its cores by their numbers on the device."""
        return range(self.first_core, self.first_core + len(self.image.cores))


@dataclass(frozen=True)
class Plan:
    """What is timed: at least `runs` of each program; with `link` the transfers of the host as well."""

    runs: int = 1
    link: bool = False
    double_buffer: bool = True

    @property
    def sets(self) -> int:
        """Sets of buffers for inputs and outputs."""
        return SETS if self.double_buffer else 1


def launch_cycles(image: Image, target: Target, cores: Sequence[int] | None = None) -> int:
    """From the start of a frame to the first descriptors of some cores, by default all.

    Descriptors that are preloaded come at the rate of DDR.
    """
    chosen = [code for code in image.code if (code.memory, code.preload) == ("ddr", True)]
    preloaded = sum(image.code_end(code) - code.address for code in chosen if cores is None or code.core in cores)
    return target.device.launch + ceil(Fraction(preloaded * target.device.frequency, target.ddr.bandwidth))


def staging_cycles(image: Image, target: Target) -> int:
    """To copy inputs and outputs whose second set is in another memory, between two frames."""
    staged = int(image.notes.get("staged_bytes", 0))
    return ceil(Fraction(staged * target.device.frequency, target.ddr.bandwidth))


@dataclass(eq=False)
class Group:
    """Cores that begin a frame together. `done` frames are complete; if it is `running`, `done` is the current one."""

    program: Program
    cores: tuple[int, ...]
    launch: int
    tasks: int
    readers: list[Group] = field(default_factory=list["Group"])
    consumes: bool = True  # inputs of the host
    produces: bool = True  # outputs
    done: int = 0
    remaining: int = 0
    running: bool = False
    open: bool = False  # the launch is over

    def may_start(self, plan: Plan) -> bool:
        """Whether the next frame has all that it needs."""
        if self.running or any(reader.done < self.done + 1 - SETS for reader in self.readers):
            return False
        if not plan.link:
            return True
        arrived = not self.consumes or self.program.arrived > self.done
        return arrived and (not self.produces or self.program.sent > self.done - plan.sets)


class Program:
    """An instance and how far it is, in runs: inputs `requested` from and `arrived` over the link, outputs `produced`
    and `sent`. `ends` are the cycles at which runs were complete; over the link, when their outputs had been sent.
    """

    def __init__(self, instance: Instance, target: Target, plan: Plan):
        image = instance.image
        self.instance, self.image = instance, image
        self.requested = self.arrived = self.produced = self.sent = 0
        self.ends: list[int] = []
        self.begun: int | None = None
        staging = staging_cycles(image, target) if plan.link and plan.double_buffer else 0
        numbers = range(len(image.cores))
        together = [(core,) for core in numbers] if image.mode == "pipeline" else [tuple(numbers)]
        self.groups = [
            Group(
                self,
                cores,
                launch_cycles(image, target, cores) + staging,
                sum(len(tasks) for core in cores for tasks in image.cores[core].values()),
            )
            for cores in together
        ]
        if image.mode == "pipeline":
            self._connect(plan)

    def _connect(self, plan: Plan) -> None:
        for group in self.groups:
            awaited = {
                wait.core
                for core in group.cores
                for tasks in self.image.cores[core].values()
                for task in tasks
                for wait in task.waits
            }
            for other in self.groups:
                if other is not group and awaited & set(other.cores):
                    other.readers.append(group)
        if plan.link:
            readers, writers = (
                _users(self.image, self.image.inputs, "src"),
                _users(self.image, self.image.outputs, "dst"),
            )
            for group in self.groups:
                group.consumes = not readers or bool(readers & set(group.cores))
                group.produces = not writers or bool(writers & set(group.cores))

    def wants_input(self, plan: Plan) -> bool:
        """Whether the buffers for the inputs of the next run are free."""
        consumed = min(group.done for group in self.groups if group.consumes)
        free = consumed > self.requested - plan.sets
        return free and (plan.double_buffer or self.sent >= self.requested)

    def has_output(self) -> bool:
        """Whether outputs are there that nobody has fetched."""
        return min(group.done for group in self.groups if group.produces) > self.produced

    def completed(self, plan: Plan) -> int:
        """How many runs are complete."""
        return self.sent if plan.link else min(group.done for group in self.groups)


def _users(image: Image, ports: Sequence[Port], side: Literal["src", "dst"]) -> set[int]:
    """The cores that have ports in their L1, or whose copies read or write them."""
    found = {port.core for port in ports if port.memory == "l1"}
    places = [(port.memory, port.offset, port.offset + port.bytes) for port in ports]
    for core, dma in _copies(image):
        address = dma.src if side == "src" else dma.dst
        steps = (getattr(dma, f"{side}_step{n}") * (getattr(dma, f"count{n}") - 1) for n in range(3))
        end = address.offset + sum(steps) + dma.row_bytes
        if any(memory == address.memory and low < end and address.offset < high for memory, low, high in places):
            found.add(core)
    return found


def _copies(image: Image) -> Iterator[tuple[int, Dma]]:
    for core, queues in enumerate(image.cores):
        for unit in COPY_UNITS:
            yield from ((core, task.instruction) for task in queues[unit] if isinstance(task.instruction, Dma))


@dataclass(eq=False)
class Transfer:
    """All inputs, or all outputs, of one run on their way over the link."""

    program: Program
    inputs: bool
    bytes: int

    def arrive(self) -> None:
        """Count it where it has arrived."""
        if self.inputs:
            self.program.arrived += 1
        else:
            self.program.sent += 1


class Link:
    """The link between host and device: one transfer each way at a time, first come, first served.

    A direction has `host.link` while the other rests, and `host.duplex` else.
    """

    def __init__(self, target: Target):
        speeds = (Fraction(speed, target.device.frequency) for speed in (target.host.link, target.host.duplex))
        self._alone, self._both = (speed.as_integer_ratio() for speed in speeds)
        self._waiting: dict[bool, deque[Transfer]] = {True: deque(), False: deque()}

    def add(self, transfer: Transfer) -> bool:
        """Whether it can go at once."""
        queue = self._waiting[transfer.inputs]
        queue.append(transfer)
        return len(queue) == 1

    def finish(self, transfer: Transfer) -> Transfer | None:
        """The next one in its direction."""
        queue = self._waiting[transfer.inputs]
        queue.popleft()
        return queue[0] if queue else None

    @property
    def busy(self) -> dict[str, bool]:
        """Which directions are at work."""
        return {"link_in": bool(self._waiting[True]), "link_out": bool(self._waiting[False])}

    @property
    def rate(self) -> Rate:
        """Bytes a cycle of a direction at work."""
        return self._both if all(self._waiting.values()) else self._alone
