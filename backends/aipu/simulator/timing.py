"""How long programs take: an event-driven run of their queues, with the costs of `axir.target.cost`.

A descriptor starts when its queue has completed the one before and all its waits are met. It takes `device.dispatch`
cycles to start, then its cost; of a DMA copy the set-up, and then as long as its share of the bandwidth takes
(`bandwidth`). Events happen at whole cycles. The first descriptors start `launch_cycles` after the frame.

Where control cores dispatch, a descriptor cannot start before its core has handed it out. The core takes them in the
image's order; for each wait of one it takes `device.control_wait` cycles from when the last of them is met.

Descriptors that are streamed count as traffic of the memory they live in. Assumed: the control core reads them ahead,
so `device.dispatch` covers their latency, and they are too few to slow down copies.

Of several frames the next begins when the one before is done (`frames`), and all programs contend for L2, DDR, system
DMA and, if it is timed too, the link to the host.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from axir.backends.aipu.order import check_deadlock
from axir.backends.aipu.simulator.bandwidth import Resource, demand
from axir.backends.aipu.simulator.events import Device, TraceEntry
from axir.backends.aipu.simulator.frames import Instance, Plan, Program
from axir.backends.aipu.structure import Image, Layer, Task
from axir.target import isa
from axir.target.cost import Cost, dma_bytes
from axir.target.description import Target
from axir.target.isa import Dma, Softmax, VectorProgram


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
    """The first run of a program, which takes `frames` frames, and how it goes on.

    `units` are busy cycles of that run, all cores together, without dispatch and stalls.
    dma0, dma1, sysdma: set-up and transfer. load: writing weights. array, depthwise: computing. vector: both vector
    units; vector0 is the array's, vector1 the depthwise unit's. `l2_bytes` and `ddr_bytes` count reads and writes, by
    copies and of descriptors.

    `ends` are the cycles, from the instance's start, at which its runs were complete; where the link is timed, at which
    their outputs had been sent. `shares` say how much of each resource all programs of the device together used: `l2`,
    `ddr`, `sysdma`, of each core `core<n>_in` and `core<n>_out`, and the time in which `link_in` and `link_out` were at
    work. They are of the time from start to end; of several runs, from the middle one on.
    """

    cycles: int
    launch: int
    units: dict[str, int]
    layers: tuple[LayerTime, ...]
    l2_bytes: int
    ddr_bytes: int
    trace: tuple[TraceEntry, ...]
    frames: int = 1
    ends: tuple[int, ...] = ()
    shares: dict[str, float] = field(default_factory=dict[str, float])


def code_traffic(image: Image) -> tuple[int, int]:
    """Bytes of L2 and of DDR a frame for descriptors: read once; those preloaded are written to L2 and read there."""
    preloaded = image.code_bytes("ddr", preload=True)
    return image.code_bytes("l2") + 2 * preloaded, image.code_bytes("ddr") + preloaded


def simulate(
    instances: Sequence[Instance],
    target: Target,
    runs: int = 1,
    *,
    link: bool = False,
    double_buffer: bool = True,
) -> list[Timing]:
    """Run each instance at least `runs` times, all on one device, and time them.

    One that is done before the others goes on until all are, so that all runs that count meet the same contention. With
    `link` a run begins when its inputs have come over the link to the host, and ends when its outputs have gone back;
    the host always has a next frame. With `double_buffer` transfers are hidden behind the computing of another run
    (and copies between the two sets in different memories are added to the launch); without, an instance transfers,
    computes, transfers.

    Raises `AxirError` for a deadlock, and `ValueError` where two instances share a core.
    """
    used = [core for instance in instances for core in instance.cores]
    if len(set(used)) != len(used):
        raise ValueError(f"cores are used twice: {used}")
    if runs < 1:
        raise ValueError(f"{runs} runs")
    for image in {id(instance.image): instance.image for instance in instances}.values():
        check_deadlock(image)  # the event loop would only run into it
    device = Device(instances, target, Plan(runs, link, double_buffer))
    device.run()
    shares = _shares(device)
    return [_timing(program, device, target, shares) for program in device.programs]


def _shares(device: Device) -> dict[str, float]:
    """Of resources in use; of several runs, once each program has done the first half of them."""
    begin, before = min((program.instance.start for program in device.programs), default=0), {}
    if device.plan.runs > 1:
        begin = max(program.ends[middle(device.plan.runs)] for program in device.programs)
        before = device.snapshots[begin]
    after = device.snapshots.get(device.now, {})
    passed = device.now - begin
    return {name: (used - before.get(name, 0.0)) / passed for name, used in sorted(after.items())} if passed else {}


def middle(runs: int) -> int:
    """The run after whose end a program of so many is taken to be in steady state."""
    return (runs - 1) // 2


def _timing(program: Program, device: Device, target: Target, shares: dict[str, float]) -> Timing:
    instance, begun = program.instance, program.begun
    assert begun is not None
    queues = [queue for group in program.groups for queue in device.of_group.get(group, ())]
    trace = sorted((entry for queue in queues for entry in queue.trace), key=lambda e: (e.end, e.core, e.unit))
    trace = [entry._replace(start=entry.start - begun, end=entry.end - begun) for entry in trace]
    costs = {(queue.core, queue.unit): queue.work.costs for queue in queues}
    launch = min(group.launch for group in program.groups)
    busy: Counter[str] = Counter(dict.fromkeys((*isa.UNITS, "vector", "vector0", "vector1"), 0))
    moved: Counter[Resource] = Counter()
    count = len(instance.image.layers)
    cycles, layer_bytes, starts, ends = [0] * count, [0] * count, [-1] * count, [0] * count
    frontier = launch
    for entry in trace:
        task = instance.image.cores[entry.core][entry.unit][entry.number]
        _count_busy(busy, entry, task, costs[entry.core, entry.unit][entry.number], target)
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
    runs = tuple(end - instance.start for end in program.ends)
    return Timing(
        frontier, launch, dict(busy), layers, l2, ddr, tuple(trace), instance.image.frames, runs, dict(shares)
    )


def _count_busy(busy: Counter[str], entry: TraceEntry, task: Task, own: Cost, target: Target) -> None:
    if isinstance(task.instruction, VectorProgram | Softmax):
        busy["array"] += own.array
        busy["depthwise"] += own.depthwise
        busy["vector0" if entry.unit == "array" else "vector1"] += own.vector
    else:
        busy[entry.unit] += entry.end - entry.start - target.device.dispatch
