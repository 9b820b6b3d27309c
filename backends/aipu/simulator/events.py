"""The event-driven run of the queues of all programs on a device.

Every queue, and every control core, that cannot go on is kept with the one queue that it waits for, so that an event
touches only those that it may let go. A copy keeps its rate until the copies that run at the same time change; only
then is it brought up to date. Bytes and rates are ratios of whole numbers, so nothing depends on rounding.
"""

from __future__ import annotations

import heapq
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import gcd
from typing import Literal, NamedTuple

from axir.backends.aipu.simulator.bandwidth import Rate, Sharing, demand
from axir.backends.aipu.simulator.frames import Group, Instance, Link, Plan, Program, Transfer
from axir.backends.aipu.structure import Image, Task
from axir.target import isa
from axir.target.cost import Cost, cost, dma_beats
from axir.target.description import Target
from axir.target.isa import Dma


class TraceEntry(NamedTuple):
    """One descriptor, from its dispatch to its completion, in cycles from the start of the frame."""

    core: int
    unit: str
    number: int  # in its queue
    layer: int
    start: int
    end: int


class Work(NamedTuple):
    """What the tasks of a queue cost, and the bytes that count for the bandwidth of each copy (else 0)."""

    costs: Sequence[Cost]
    beats: Sequence[int]


@dataclass(eq=False)
class Queue:
    """A queue and what it is doing in the current frame."""

    group: Group
    core: int  # in the program
    unit: str
    tasks: Sequence[Task]
    work: Work
    by_control: bool
    kinds: list[int] = field(default_factory=list[int])  # of copies, for `Sharing`; -1 of other tasks
    waits: list[list[tuple[Queue, int]]] = field(default_factory=list["list[tuple[Queue, int]]"])
    available: int = 0  # descriptors that it may start
    completed: int = 0
    started: int | None = None  # when the current descriptor was dispatched
    waiting: list[Queue | Control] = field(default_factory=list["Queue | Control"])  # for its next completion
    kept: bool = False  # in `waiting` of another queue
    trace: list[TraceEntry] = field(default_factory=list[TraceEntry])  # of the first frame

    def __post_init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """For the next frame."""
        self.completed = 0
        self.available = 0 if self.by_control else len(self.tasks)


@dataclass(eq=False)
class Control:
    """A control core and the queues of its descriptors, in the order in which it hands them out."""

    group: Group
    order: Sequence[Queue]
    handed_out: int = 0
    busy: bool = False  # acting upon waits that are met
    kept: bool = False


LINK = -1
"""The kind of a transfer over the link."""


@dataclass(eq=False)
class Flow:
    """A copy, or a transfer over the link: left / unit bytes at cycle `since`, from when on its rate holds."""

    owner: Queue | Transfer
    kind: int
    left: int
    since: int
    unit: int = 1
    rate: Rate = (0, 1)
    version: int = 0

    def change(self, rate: Rate, now: int) -> int:
        """Go on at another rate; the cycle at which that ends."""
        moved, per = self.rate
        left = self.left * per - moved * (now - self.since) * self.unit
        unit = self.unit * per
        common = gcd(left, unit)
        self.left, self.unit, self.since, self.rate = left // common, unit // common, now, rate
        self.version += 1
        return now - (-self.left * rate[1] // (self.unit * rate[0]))


class Event(NamedTuple):
    """`number` keeps the order of those at one time; an `end` of a flow counts if its version is still right."""

    time: int
    number: int
    kind: Literal["begin", "open", "transfer", "done", "act", "end"]
    subject: Program | Group | Queue | Control | Flow
    version: int = 0


class Device:
    """Programs at work. `used` are, by resource, the cycles for which it was in use, one of half a load counting half;
    `snapshots` what they were when a run was complete.
    """

    def __init__(self, instances: Sequence[Instance], target: Target, plan: Plan):
        self.target, self.plan = target, plan
        self.programs = [Program(instance, target, plan) for instance in instances]
        self.queues: list[Queue] = []
        self.controls: dict[Group, list[Control]] = {}
        self.of_group: dict[Group, list[Queue]] = {}
        self.link = Link(target)
        self.now = 0
        self.used: dict[str, float] = {}
        self.snapshots: dict[int, Mapping[str, float]] = {}
        self._sharing = Sharing(target)
        self._flows: list[Flow] = []
        self._loads: dict[str, float] = {}
        self._loaded = 0  # when they were last added to `used`
        self._changed = False
        self._events: list[Event] = []
        self._number = 0
        self._pending: list[Queue | Control] = []
        self._requests: list[Transfer] = []
        work: dict[int, dict[tuple[int, str], Work]] = {}
        for program in self.programs:
            if id(program.image) not in work:
                work[id(program.image)] = _work(program.image, target)
            self._add_queues(program, work[id(program.image)])
            self._push(program.instance.start, "begin", program)

    def _add_queues(self, program: Program, work: Mapping[tuple[int, str], Work]) -> None:
        image = program.image
        groups = {core: group for group in program.groups for core in group.cores}
        places = {
            (core, unit): Queue(groups[core], core, unit, tasks[unit], work[core, unit], bool(image.dispatch))
            for core, tasks in enumerate(image.cores)
            for unit in isa.UNITS
        }
        for queue in places.values():
            queue.waits = [[(places[w.core, w.unit], w.completed) for w in task.waits] for task in queue.tasks]
            queue.kinds = [
                self._sharing.kind(demand(task.instruction, queue.core, queue.unit, program.instance.first_core))
                if isinstance(task.instruction, Dma) else -1
                for task in queue.tasks
            ]  # fmt: skip
            self.queues.append(queue)
            self.of_group.setdefault(queue.group, []).append(queue)
        for core, units in enumerate(image.dispatch):
            control = Control(groups[core], [places[core, unit] for unit in units])
            self.controls.setdefault(groups[core], []).append(control)

    def run(self) -> None:
        """Until every program has completed its runs; those that are done before go on, so that all contend."""
        while any(len(program.ends) < self.plan.runs for program in self.programs):
            self.now = self._events[0].time
            while self._events and self._events[0].time == self.now:
                self._handle(heapq.heappop(self._events))
            while self._pending:
                self._examine(self._pending.pop())
            self._send()
            if self._changed:
                self._share()

    def _push(self, time: int, kind: Literal["begin", "open", "transfer", "done", "act", "end"],
              subject: Program | Group | Queue | Control | Flow, version: int = 0) -> None:  # fmt: skip
        self._number += 1
        heapq.heappush(self._events, Event(time, self._number, kind, subject, version))

    def _handle(self, event: Event) -> None:
        match event.kind, event.subject:
            case "done", Queue() as queue:
                self._complete(queue)
            case "transfer", Queue() as queue:
                self._begin_flow(queue, queue.kinds[queue.completed], queue.work.beats[queue.completed])
            case "end", Flow() as flow:
                if event.version == flow.version:
                    self._end_flow(flow)
            case "act", Control() as control:
                control.busy = False
                self._make_available(control)
                self._pending.append(control)
            case "open", Group() as group:
                self._open(group)
            case _, subject:
                assert isinstance(subject, Program)
                self._proceed(subject)

    # Frames.

    def _proceed(self, program: Program) -> None:
        """Begin what can begin: transfers of the host, and frames of cores."""
        plan = self.plan
        if plan.link:
            while self._wanted(program.requested) and program.wants_input(plan):
                self._request(Transfer(program, True, sum(port.bytes for port in program.image.inputs)))
            while program.has_output():
                self._request(Transfer(program, False, sum(port.bytes for port in program.image.outputs)))
        for group in program.groups:
            if self._wanted(group.done) and group.may_start(plan):
                group.running = True
                if program.begun is None:
                    program.begun = self.now
                self._push(self.now + group.launch, "open", group)
        while len(program.ends) < program.completed(plan):
            program.ends.append(self.now)
            self._account()
            self.snapshots[self.now] = dict(self.used)

    def _wanted(self, frame: int) -> bool:
        """Whether a frame is run at all: all that were asked for, and more while others are not done."""
        return frame < self.plan.runs or self.plan.runs > 1

    def _open(self, group: Group) -> None:
        group.open, group.remaining = True, group.tasks
        self._pending += self.of_group.get(group, ())
        self._pending += self.controls.get(group, ())
        if not group.tasks:
            self._close(group)

    def _close(self, group: Group) -> None:
        group.done += 1
        group.running = group.open = False
        for queue in self.of_group.get(group, ()):
            queue.reset()
        for control in self.controls.get(group, ()):
            control.handed_out = 0
        self._proceed(group.program)

    # Descriptors.

    def _complete(self, queue: Queue) -> None:
        assert queue.started is not None
        group = queue.group
        if not group.done:
            layer = queue.tasks[queue.completed].layer
            queue.trace.append(TraceEntry(queue.core, queue.unit, queue.completed, layer, queue.started, self.now))
        queue.completed += 1
        queue.started = None
        self._pending.append(queue)
        for other in queue.waiting:
            other.kept = False
        self._pending += queue.waiting
        queue.waiting.clear()
        group.remaining -= 1
        if not group.remaining:
            self._close(group)

    def _examine(self, subject: Queue | Control) -> None:
        """Let it go on as far as it can; where it waits, keep it with a queue that it waits for."""
        if subject.kept or not subject.group.open:
            return
        if isinstance(subject, Control):
            self._hand_out(subject)
        elif subject.started is None and subject.completed < subject.available:
            if not self._keep(subject, subject, subject.completed):
                self._start(subject)

    def _keep(self, subject: Queue | Control, queue: Queue, number: int) -> bool:
        """Whether a descriptor of a queue must wait; if so, `subject` is kept."""
        frame = queue.group.done
        for other, count in queue.waits[number]:
            done = other.group.done
            if done < frame or (done == frame and other.completed < count):
                other.waiting.append(subject)
                subject.kept = True
                return True
        return False

    def _start(self, queue: Queue) -> None:
        queue.started = self.now
        ready = self.now + self.target.device.dispatch
        if queue.kinds[queue.completed] < 0:
            self._push(ready + queue.work.costs[queue.completed].cycles, "done", queue)
        else:
            self._push(ready + self.target.dma.setup, "transfer", queue)

    def _hand_out(self, control: Control) -> None:
        while not control.busy and control.handed_out < len(control.order):
            queue = control.order[control.handed_out]
            number = queue.available
            if self._keep(control, queue, number):
                return
            if queue.waits[number]:
                control.busy = True
                acted = self.now + len(queue.waits[number]) * self.target.device.control_wait
                self._push(acted, "act", control)
            else:
                self._make_available(control)

    def _make_available(self, control: Control) -> None:
        queue = control.order[control.handed_out]
        queue.available += 1
        control.handed_out += 1
        self._pending.append(queue)

    # Bandwidth.

    def _begin_flow(self, owner: Queue | Transfer, kind: int, size: int) -> None:
        self._flows.append(Flow(owner, kind, size, self.now))
        self._changed = True

    def _end_flow(self, flow: Flow) -> None:
        self._flows.remove(flow)
        self._changed = True
        if isinstance(flow.owner, Queue):
            self._complete(flow.owner)
        else:
            following = self.link.finish(flow.owner)
            if following is not None:
                self._begin_flow(following, LINK, following.bytes)
            flow.owner.arrive()
            self._proceed(flow.owner.program)

    def _request(self, transfer: Transfer) -> None:
        """Take its turn on the link at the end of the cycle; nothing to send has arrived already."""
        if transfer.inputs:
            transfer.program.requested += 1
        else:
            transfer.program.produced += 1
        if transfer.bytes:
            self._requests.append(transfer)
        else:
            transfer.arrive()

    def _send(self) -> None:
        """Requests of one cycle go in the order of programs."""
        for transfer in sorted(self._requests, key=lambda request: self.programs.index(request.program)):
            if self.link.add(transfer):
                self._begin_flow(transfer, LINK, transfer.bytes)
        self._requests.clear()

    def _share(self) -> None:
        """New rates, for the copies whose rate changes."""
        self._changed = False
        self._account()
        shares = self._sharing(flow.kind for flow in self._flows if flow.kind != LINK)
        self._loads = {**shares.loads, **{name: 1.0 for name, busy in self.link.busy.items() if busy}}
        link = self.link.rate
        for flow in self._flows:
            rate = link if flow.kind == LINK else shares.rates[flow.kind]
            if rate != flow.rate:
                self._push(flow.change(rate, self.now), "end", flow, flow.version)

    def _account(self) -> None:
        """Add what was in use since the last time."""
        passed = self.now - self._loaded
        if passed:
            for name, load in self._loads.items():
                self.used[name] = self.used.get(name, 0.0) + load * passed
            self._loaded = self.now


def _work(image: Image, target: Target) -> dict[tuple[int, str], Work]:
    """`Queue.work` by core and unit."""
    return {
        (core, unit): Work(
            [cost(task.instruction, target, unit) for task in tasks],
            [dma_beats(task.instruction, target) if isinstance(task.instruction, Dma) else 0 for task in tasks],
        )
        for core, queues in enumerate(image.cores)
        for unit, tasks in queues.items()
    }
