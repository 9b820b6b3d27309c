"""How long a program takes: an event-driven run of its queues, with the costs of `axir.target.cost`.

A descriptor starts when its queue has completed the one before and all its waits are met. It takes `device.dispatch`
cycles to start, then its cost; of a DMA copy the set-up, and then as long as its share of the bandwidth takes
(`bandwidth`). Events happen at whole cycles. The first descriptors start `launch_cycles` after the frame.

Where control cores dispatch, a descriptor cannot start before its core has handed it out. The core takes them in the
image's order; for each wait of one it takes `device.control_wait` cycles from when the last of them is met.

Descriptors that are streamed count as traffic of the memory they live in. Assumed: the control core reads them ahead,
so `device.dispatch` covers their latency, and they are too few to slow down copies.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from math import ceil
from typing import Literal, NamedTuple

from axir.backends.aipu.order import order
from axir.backends.aipu.simulator.bandwidth import Demand, Resource, capacity, demand, fair_rates
from axir.backends.aipu.structure import Image, Layer, Task
from axir.target import isa
from axir.target.cost import Cost, cost, dma_beats, dma_bytes
from axir.target.description import Target
from axir.target.isa import Dma, Softmax, VectorProgram


class TraceEntry(NamedTuple):
    """One descriptor, from its dispatch to its completion, in cycles from the start of the frame."""

    core: int
    unit: str
    number: int  # in its queue
    layer: int
    start: int
    end: int


class LayerTime(NamedTuple):
    """`start` of the first and `end` of the last task; `cycles` by which its tasks moved the end of the program.

    The cycles of all layers add up to those of the program without launch. `bytes` are those that DMA copies moved.
    """

    layer: Layer
    start: int
    end: int
    cycles: int
    bytes: int


@dataclass(frozen=True)
class Timing:
    """One frame. `units` are busy cycles, all cores together, without dispatch and stalls.

    dma0, dma1, sysdma: set-up and transfer. load: writing weights. array, depthwise: computing. vector: both vector
    units; vector0 is the array's, vector1 the depthwise unit's. `l2_bytes` and `ddr_bytes` count reads and writes, by
    copies and of descriptors.
    """

    cycles: int
    launch: int
    units: dict[str, int]
    layers: tuple[LayerTime, ...]
    l2_bytes: int
    ddr_bytes: int
    trace: tuple[TraceEntry, ...]


@dataclass(frozen=True)
class Instance:
    """A program on cores of its own: its core c is core `first_core` + c of the device, its frame starts at `start`."""

    image: Image
    first_core: int = 0
    start: int = 0


def launch_cycles(image: Image, target: Target) -> int:
    """From the start of a frame to its first descriptors. Descriptors that are preloaded come at the rate of DDR."""
    preloaded = image.code_bytes("ddr", preload=True)
    return target.device.launch + ceil(Fraction(preloaded * target.device.frequency, target.ddr.bandwidth))


def code_traffic(image: Image) -> tuple[int, int]:
    """Bytes of L2 and of DDR a frame for descriptors: read once; those preloaded are written to L2 and read there."""
    preloaded = image.code_bytes("ddr", preload=True)
    return image.code_bytes("l2") + 2 * preloaded, image.code_bytes("ddr") + preloaded


def simulate(instances: Sequence[Instance], target: Target) -> list[Timing]:
    """Run one frame of each instance, all on one device, and time them.

    Raises `AxirError` for a deadlock, and `ValueError` where two instances share a core.
    """
    used = [i.first_core + core for i in instances for core in range(len(i.image.cores))]
    if len(set(used)) != len(used):
        raise ValueError(f"cores are used twice: {used}")
    for instance in instances:
        order(instance.image)  # finds a deadlock, which the event loop would only run into
    device = _Device(instances, target)
    device.run()
    return [_timing(instance, number, device, target) for number, instance in enumerate(instances)]


@dataclass
class _Queue:
    """A queue and what it is doing."""

    instance: int
    core: int  # in the program
    unit: str
    tasks: Sequence[Task]
    origin: int  # when its first descriptor may start
    available: int  # descriptors that it may start
    completed: int = 0
    started: int | None = None  # when the current descriptor was dispatched
    trace: list[TraceEntry] = field(default_factory=list[TraceEntry])


@dataclass
class _Flow:
    """A copy in transfer."""

    queue: _Queue
    taken: Demand
    left: Fraction
    rate: Fraction = Fraction(0)


@dataclass
class _Control:
    """A control core and the queues of its descriptors, in the order in which it hands them out."""

    order: Sequence[_Queue]
    handed_out: int = 0
    busy: bool = False  # acting upon waits that are met


Event = Literal["open", "transfer", "done", "act"]
"""What happens at a queue; "act" at a control core: the waits of its next descriptor are dealt with."""


class _Device:
    def __init__(self, instances: Sequence[Instance], target: Target):
        self.target = target
        origins = [instance.start + launch_cycles(instance.image, target) for instance in instances]
        self.queues = [
            _Queue(number, core, unit, tasks[unit], origins[number], 0 if instance.image.dispatch else len(tasks[unit]))
            for number, instance in enumerate(instances)
            for core, tasks in enumerate(instance.image.cores)
            for unit in isa.UNITS
        ]
        self.by_place = {(queue.instance, queue.core, queue.unit): queue for queue in self.queues}
        self.controls = [
            _Control([self.by_place[number, core, unit] for unit in units])
            for number, instance in enumerate(instances)
            for core, units in enumerate(instance.image.dispatch)
        ]
        self.first_cores = [instance.first_core for instance in instances]
        self.flows: list[_Flow] = []
        self.now = 0
        self.events: list[tuple[int, int, Event]] = []
        for number, queue in enumerate(self.queues):
            heapq.heappush(self.events, (queue.origin, number, "open"))

    def run(self) -> None:
        while self.events or self.flows:
            times = [self.now + ceil(flow.left / flow.rate) for flow in self.flows]
            if self.events:
                times.append(self.events[0][0])
            self._advance(min(times))
            changed = self._finish_flows()
            while self.events and self.events[0][0] == self.now:
                _, number, event = heapq.heappop(self.events)
                if event == "done":
                    self._complete(self.queues[number])
                elif event == "transfer":
                    self._transfer(self.queues[number])
                    changed = True
                elif event == "act":
                    self.controls[number].busy = False
                    self._make_available(self.controls[number])
            for number, control in enumerate(self.controls):
                self._hand_out(number, control)
            for number, queue in enumerate(self.queues):
                self._start(number, queue)
            if changed:
                self._share()

    def _advance(self, time: int) -> None:
        for flow in self.flows:
            flow.left -= flow.rate * (time - self.now)
        self.now = time

    def _finish_flows(self) -> bool:
        done = [flow for flow in self.flows if flow.left <= 0]
        self.flows = [flow for flow in self.flows if flow.left > 0]
        for flow in done:
            self._complete(flow.queue)
        return bool(done)

    def _complete(self, queue: _Queue) -> None:
        assert queue.started is not None
        task = queue.tasks[queue.completed]
        queue.trace.append(TraceEntry(queue.core, queue.unit, queue.completed, task.layer, queue.started, self.now))
        queue.completed += 1
        queue.started = None

    def _hand_out(self, number: int, control: _Control) -> None:
        while not control.busy and control.handed_out < len(control.order):
            queue = control.order[control.handed_out]
            task = queue.tasks[queue.available]
            if self.now < queue.origin or not self._met(queue, task):
                return
            if task.waits:
                control.busy = True
                acted = self.now + len(task.waits) * self.target.device.control_wait
                heapq.heappush(self.events, (acted, number, "act"))
            else:
                self._make_available(control)

    def _make_available(self, control: _Control) -> None:
        control.order[control.handed_out].available += 1
        control.handed_out += 1

    def _met(self, queue: _Queue, task: Task) -> bool:
        """Whether all that a task of a queue waits for is complete."""
        return all(
            self.by_place[queue.instance, wait.core, wait.unit].completed >= wait.completed for wait in task.waits
        )

    def _start(self, number: int, queue: _Queue) -> None:
        if queue.started is not None or queue.completed == queue.available or self.now < queue.origin:
            return
        task = queue.tasks[queue.completed]
        if not self._met(queue, task):
            return
        queue.started = self.now
        ready = self.now + self.target.device.dispatch
        if isinstance(task.instruction, Dma):
            heapq.heappush(self.events, (ready + self.target.dma.setup, number, "transfer"))
        else:
            heapq.heappush(self.events, (ready + cost(task.instruction, self.target).cycles, number, "done"))

    def _transfer(self, queue: _Queue) -> None:
        dma = queue.tasks[queue.completed].instruction
        assert isinstance(dma, Dma)
        taken = demand(dma, queue.core, queue.unit, self.first_cores[queue.instance])
        self.flows.append(_Flow(queue, taken, Fraction(dma_beats(dma, self.target))))

    def _share(self) -> None:
        demands = [flow.taken for flow in self.flows]
        capacities = {resource: capacity(resource, self.target) for taken in demands for resource in taken}
        for flow, rate in zip(self.flows, fair_rates(demands, capacities), strict=True):
            flow.rate = rate


def _timing(instance: Instance, number: int, device: _Device, target: Target) -> Timing:
    queues = [queue for queue in device.queues if queue.instance == number]
    trace = sorted((entry for queue in queues for entry in queue.trace), key=lambda e: (e.end, e.core, e.unit))
    trace = [entry._replace(start=entry.start - instance.start, end=entry.end - instance.start) for entry in trace]
    launch = launch_cycles(instance.image, target)
    busy: Counter[str] = Counter(dict.fromkeys((*isa.UNITS, "vector", "vector0", "vector1"), 0))
    moved: Counter[Resource] = Counter()
    count = len(instance.image.layers)
    cycles, layer_bytes, starts, ends = [0] * count, [0] * count, [-1] * count, [0] * count
    frontier = launch
    for entry in trace:
        task = instance.image.cores[entry.core][entry.unit][entry.number]
        _count_busy(busy, entry, task, cost(task.instruction, target), target)
        cycles[entry.layer] += max(0, entry.end - frontier)
        frontier = max(frontier, entry.end)
        starts[entry.layer] = entry.start if starts[entry.layer] < 0 else min(starts[entry.layer], entry.start)
        ends[entry.layer] = max(ends[entry.layer], entry.end)
        if isinstance(task.instruction, Dma):
            layer_bytes[entry.layer] += dma_bytes(task.instruction)
            for resource, times in demand(task.instruction, entry.core, entry.unit).items():
                moved[resource] += times * dma_bytes(task.instruction)
    busy["vector"] = busy["vector0"] + busy["vector1"]
    layers = tuple(
        LayerTime(layer, max(start, 0), end, own, size)
        for layer, start, end, own, size in zip(instance.image.layers, starts, ends, cycles, layer_bytes, strict=True)
    )
    code_l2, code_ddr = code_traffic(instance.image)
    l2, ddr = moved[Resource("l2")] + code_l2, moved[Resource("ddr")] + code_ddr
    return Timing(frontier, launch, dict(busy), layers, l2, ddr, tuple(trace))


def _count_busy(busy: Counter[str], entry: TraceEntry, task: Task, own: Cost, target: Target) -> None:
    if isinstance(task.instruction, VectorProgram | Softmax):
        busy["array"] += own.array
        busy["depthwise"] += own.depthwise
        busy["vector0" if entry.unit == "array" else "vector1"] += own.vector
    else:
        busy[entry.unit] += entry.end - entry.start - target.device.dispatch
