"""A second timing model for tests: docs/isa.md, section 13, one cycle at a time.

It shares with the simulator the costs of instructions, and the rule by which copies share bandwidth, which has a test
of its own. It looks at every queue in every cycle and keeps no list of who waits for whom.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from fractions import Fraction
from math import ceil

from axir.backends.aipu.simulator.bandwidth import capacity, demand, fair_rates
from axir.backends.aipu.simulator.frames import Instance
from axir.backends.aipu.structure import Task
from axir.target.cost import cost, dma_beats
from axir.target.description import Target
from axir.target.isa import Dma

LIMIT = 200_000


@dataclass
class SlowQueue:
    core: int
    unit: str
    tasks: tuple[Task, ...]
    completed: int = 0
    until: int | None = None  # when the current task, or the set-up of a copy, is over
    left: Fraction | None = None  # bytes of the current copy
    handed: int = 0


@dataclass
class SlowProgram:
    instance: Instance
    together: list[tuple[int, ...]]
    queues: list[SlowQueue]
    done: dict[int, int]  # frames by core
    opens: dict[int, int | None]  # when the current frame of a core opens
    handed: dict[int, int]
    acting: dict[int, int | None]
    arrived: int = 0
    requested: int = 0
    produced: int = 0
    sent: int = 0
    ends: list[int] = field(default_factory=list)

    def queue(self, core: int, unit: str) -> SlowQueue:
        return next(q for q in self.queues if (q.core, q.unit) == (core, unit))


class SlowTime:
    """`run` gives, for each instance, the cycles from its start at which its runs were complete."""

    def __init__(self, instances: list[Instance], target: Target, runs: int, link: bool, double_buffer: bool):
        self.target, self.runs, self.link, self.sets = target, runs, link, 2 if double_buffer else 1
        self.double_buffer = double_buffer
        self.programs = [self.program(instance) for instance in instances]
        self.transfers: dict[str, list[list]] = {"in": [], "out": []}  # [program, bytes left]
        self.requests: list[tuple[str, SlowProgram, Fraction]] = []  # of this cycle
        self.now = 0

    @staticmethod
    def program(instance: Instance) -> SlowProgram:
        image = instance.image
        cores = range(len(image.cores))
        return SlowProgram(
            instance,
            [(core,) for core in cores] if image.mode == "pipeline" else [tuple(cores)],
            [SlowQueue(core, unit, tasks) for core in cores for unit, tasks in image.cores[core].items()],
            dict.fromkeys(cores, 0), dict.fromkeys(cores, None), dict.fromkeys(cores, 0), dict.fromkeys(cores, None),
        )  # fmt: skip

    def run(self) -> list[list[int]]:
        while any(len(program.ends) < self.runs for program in self.programs):
            assert self.now < LIMIT
            while any([self.step(program) for program in self.programs if program.instance.start <= self.now]):
                pass
            for transfer in sorted(self.requests, key=lambda request: self.programs.index(request[1])):
                self.transfers[transfer[0]].append(list(transfer[1:]))
            self.requests.clear()
            self.move()
            self.now += 1
        return [[end - p.instance.start for end in p.ends] for p in self.programs]

    def step(self, p: SlowProgram) -> bool:
        """Whether anything happened."""
        happened = [self.complete(p, q) for q in p.queues]
        happened += [self.finish_frames(p, cores) for cores in p.together]
        if self.link:
            happened.append(self.transfer(p))
        count = p.sent if self.link else min(p.done.values())
        if count > len(p.ends):
            p.ends.append(self.now)
            happened.append(True)
        happened += [self.begin(p, cores) for cores in p.together]
        happened += [self.hand_out(p, core) for core in p.done if p.instance.image.dispatch]
        happened += [self.start(p, q) for q in p.queues]
        return any(happened)

    def complete(self, p: SlowProgram, q: SlowQueue) -> bool:
        if q.until is not None and q.until <= self.now:
            task = q.tasks[q.completed].instruction
            q.until = None
            if isinstance(task, Dma):
                q.left = Fraction(dma_beats(task, self.target))
            else:
                q.completed += 1
            return True
        if q.left is not None and q.left <= 0:
            q.left = None
            q.completed += 1
            return True
        return False

    def finish_frames(self, p: SlowProgram, cores: tuple[int, ...]) -> bool:
        if not all(self.opened(p, core) for core in cores):
            return False
        if any(q.completed < len(q.tasks) for q in p.queues if q.core in cores):
            return False
        for core in cores:
            p.done[core] += 1
            p.opens[core], p.handed[core] = None, 0
        for q in p.queues:
            if q.core in cores:
                q.completed = q.handed = 0
        return True

    def opened(self, p: SlowProgram, core: int) -> bool:
        opens = p.opens[core]
        return opens is not None and opens <= self.now

    def users(self, p: SlowProgram, inputs: bool) -> list[int]:
        """The cores whose copies touch the buffers of the host; in lock step, all."""
        image = p.instance.image
        if image.mode != "pipeline":
            return list(p.done)
        found = []
        for core, queues in enumerate(image.cores):
            for task in (task for tasks in queues.values() for task in tasks):
                d = task.instruction
                if not isinstance(d, Dma):
                    continue
                place, side = (d.src, "src") if inputs else (d.dst, "dst")
                steps = [getattr(d, f"{side}_step{n}") * (getattr(d, f"count{n}") - 1) for n in range(3)]
                touched = range(place.offset, place.offset + sum(steps) + d.row_bytes)
                for port in image.inputs if inputs else image.outputs:
                    if port.memory == place.memory and set(touched) & set(range(port.offset, port.offset + port.bytes)):
                        found.append(core)
        return found or list(p.done)

    def transfer(self, p: SlowProgram) -> bool:
        for direction in ("in", "out"):
            queue = self.transfers[direction]
            if queue and queue[0][0] is p and queue[0][1] <= 0:
                queue.pop(0)
                if direction == "in":
                    p.arrived += 1
                else:
                    p.sent += 1
                return True
        image = p.instance.image
        consumed = min(p.done[core] for core in self.users(p, True))
        wanted = p.requested < self.runs or self.runs > 1
        if wanted and consumed >= p.requested - self.sets + 1 and (self.double_buffer or p.sent >= p.requested):
            p.requested += 1
            size = sum(port.bytes for port in image.inputs)
            p.arrived += not size
            self.requests += [("in", p, Fraction(size))] if size else []
            return True
        if min(p.done[core] for core in self.users(p, False)) > p.produced:
            p.produced += 1
            size = sum(port.bytes for port in image.outputs)
            p.sent += not size
            self.requests += [("out", p, Fraction(size))] if size else []
            return True
        return False

    def begin(self, p: SlowProgram, cores: tuple[int, ...]) -> bool:
        frame = p.done[cores[0]]
        if any(p.opens[core] is not None for core in cores) or (frame >= self.runs and self.runs == 1):
            return False
        for other in p.done:
            if other not in cores and any(
                w.core in cores for q in p.queues if q.core == other for t in q.tasks for w in t.waits
            ):
                if p.done[other] < frame - 1:
                    return False
        if self.link:
            if set(cores) & set(self.users(p, True)) and p.arrived <= frame:
                return False
            if set(cores) & set(self.users(p, False)) and p.sent < frame - self.sets + 1:
                return False
        image = p.instance.image
        extra = sum(
            256 * len(image.cores[code.core][code.unit])
            for code in image.code
            if code.memory == "ddr" and code.preload and code.core in cores
        )
        rate = Fraction(self.target.ddr.bandwidth, self.target.device.frequency)
        launch = self.target.device.launch + ceil(extra / rate)
        if self.link and self.double_buffer:
            launch += ceil(image.notes.get("staged_bytes", 0) / rate)
        for core in cores:
            p.opens[core] = self.now + launch
        return True

    def met(self, p: SlowProgram, core: int, task: Task) -> bool:
        frame = p.done[core]
        return all(
            p.done[w.core] > frame or (p.done[w.core] == frame and p.queue(w.core, w.unit).completed >= w.completed)
            for w in task.waits
        )

    def hand_out(self, p: SlowProgram, core: int) -> bool:
        order = p.instance.image.dispatch[core]
        if not self.opened(p, core) or p.handed[core] == len(order):
            return False
        q = p.queue(core, order[p.handed[core]])
        task = q.tasks[q.handed]
        acting = p.acting[core]
        if acting is None:
            if not self.met(p, core, task):
                return False
            p.acting[core] = self.now + len(task.waits) * self.target.device.control_wait
            return True
        if acting > self.now:
            return False
        p.acting[core] = None
        p.handed[core] += 1
        q.handed += 1
        return True

    def start(self, p: SlowProgram, q: SlowQueue) -> bool:
        limit = q.handed if p.instance.image.dispatch else len(q.tasks)
        if not self.opened(p, q.core) or q.until is not None or q.left is not None or q.completed >= limit:
            return False
        task = q.tasks[q.completed]
        if not self.met(p, q.core, task):
            return False
        dma = isinstance(task.instruction, Dma)
        q.until = self.now + self.target.device.dispatch
        q.until += self.target.dma.setup if dma else cost(task.instruction, self.target).cycles
        return True

    def move(self) -> None:
        """One cycle of all transfers."""
        flows = [(p, q) for p in self.programs for q in p.queues if q.left is not None]
        demands = [demand(q.tasks[q.completed].instruction, q.core, q.unit, p.instance.first_core) for p, q in flows]
        capacities = {resource: capacity(resource, self.target) for resource in sum(demands, Counter())}
        for (_, q), rate in zip(flows, fair_rates(demands, capacities), strict=True):
            q.left -= rate
        both = all(self.transfers.values())
        speed = self.target.host.duplex if both else self.target.host.link
        for queue in self.transfers.values():
            if queue:
                queue[0][1] -= Fraction(speed, self.target.device.frequency)
