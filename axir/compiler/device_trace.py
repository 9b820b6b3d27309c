"""compiled_model/trace.txt: the modelled run of one frame as text, one line an event, in the order of time.

A line is a cycle, counted from the start of the frame, a level and what happened (docs/config.md, "Traces"). The
vendor's names of the levels are public, what its lines say is not: the contents are AXIR's own.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from axir.backends.aipu.encode import Wait
from axir.backends.aipu.simulator.timing import Timing, TraceEntry
from axir.backends.aipu.structure import Image
from axir.target import isa
from axir.target.cost import dma_bytes
from axir.target.isa import Dma

FRAME, LAYER_BEGIN, LAYER_END, KERNEL, MEMORY, TASK, STALL = "[B]", "[PB]", "[PE]", "[K]", "[M]", "[T]", "[?]"

_ORDER = (LAYER_END, MEMORY, STALL, LAYER_BEGIN, TASK, KERNEL)
"""Of events of one cycle: what ends before what begins, totals last. The frame is around all of them."""


class _Event(NamedTuple):
    cycle: int
    level: str
    text: str


def trace_text(timing: Timing, image: Image, frequency: int, levels: Sequence[str]) -> str:
    """The lines of the given levels; `frequency` in Hz. Equal programs give equal text."""
    last = timing.cycles
    events = sorted(
        (event for event in _events(timing, image) if event.level in levels),
        key=lambda event: (event.cycle, _ORDER.index(event.level)),
    )
    if FRAME in levels:
        microseconds = last * 1e6 / frequency
        begin = _Event(0, FRAME, f"frame of {image.name} begins, launch {timing.launch} cycles")
        end = _Event(last, FRAME, f"frame ends: {last} cycles, {microseconds:.3f} us at {frequency} Hz")
        events = [begin, *events, end]
    width = len(str(last))
    return "".join(f"{event.cycle:>{width}} {event.level:<4} {event.text}\n" for event in events)


def _events(timing: Timing, image: Image) -> Iterator[_Event]:
    stalls = stall_cycles(timing)
    ends = {(entry.core, entry.unit, entry.number): entry.end for entry in timing.trace}
    for entry in timing.trace:
        task = image.cores[entry.core][entry.unit][entry.number]
        place = f"core {entry.core} {entry.unit}[{entry.number}]"
        kind, layer = task.instruction.mnemonic, image.layers[task.layer].name
        yield _Event(entry.start, TASK, f'{place}: {kind} for layer {task.layer} "{layer}" until {entry.end}')
        stall = stalls[entry.core, entry.unit, entry.number]
        if stall:
            yield _Event(entry.start, STALL, f"{place}: {stall} cycles{_reason(task.waits, ends)}")
        if isinstance(task.instruction, Dma):
            copy, cycles = task.instruction, entry.end - entry.start
            path = f"{copy.src.memory} -> {copy.dst.memory}"
            yield _Event(entry.end, MEMORY, f"{place}: {dma_bytes(copy)} bytes {path} in {cycles} cycles")
    yield from _layers(timing, image)
    yield from _totals(timing, image, stalls)


def _reason(waits: Sequence[Wait], ends: dict[tuple[int, str, int], int]) -> str:
    """What a stalled task waited for: the last of its waits to be met."""
    awaited = [(wait.core, wait.unit, wait.completed - 1) for wait in waits]
    if not awaited:
        return ""
    core, unit, number = max(awaited, key=lambda place: ends[place])
    return f" for core {core} {unit}[{number}]"


def _layers(timing: Timing, image: Image) -> Iterator[_Event]:
    for core in range(len(image.cores)):
        spans: dict[int, tuple[int, int]] = {}
        for entry in timing.trace:
            if entry.core == core:
                start, end = spans.get(entry.layer, (entry.start, entry.end))
                spans[entry.layer] = min(start, entry.start), max(end, entry.end)
        for number, (start, end) in sorted(spans.items()):
            layer = image.layers[number]
            name = f'core {core} layer {number} "{layer.name}"'
            yield _Event(start, LAYER_BEGIN, f"{name}: {layer.operator} on {layer.unit} begins")
            yield _Event(end, LAYER_END, f"{name} ends after {end - start} cycles")


def _totals(timing: Timing, image: Image, stalls: dict[tuple[int, str, int], int]) -> Iterator[_Event]:
    busy: Counter[tuple[int, str]] = Counter()
    stalled: Counter[tuple[int, str]] = Counter()
    for entry in timing.trace:
        busy[entry.core, entry.unit] += entry.end - entry.start
        stalled[entry.core, entry.unit] += stalls[entry.core, entry.unit, entry.number]
    for core, queues in enumerate(image.cores):
        for unit in isa.UNITS:
            if queues.get(unit):
                cycles = busy[core, unit]
                share = f"{cycles / timing.cycles:.1%} of the frame"
                text = f"{len(queues[unit])} tasks, {cycles} cycles ({share}), {stalled[core, unit]} stalled"
                yield _Event(timing.cycles, KERNEL, f"core {core} {unit}: {text}")
    code = sum(image.code_bytes(memory, preload) for memory in isa.CODE_MEMORIES for preload in (False, True))
    text = f"l2 {timing.l2_bytes} bytes, ddr {timing.ddr_bytes} bytes, with {code} bytes of descriptors"
    yield _Event(timing.cycles, MEMORY, f"frame: {text}")


def stall_cycles(timing: Timing) -> dict[tuple[int, str, int], int]:
    """By (core, unit, number): how long a task's queue was idle before it, after the launch."""
    free: dict[tuple[int, str], int] = {}
    stalls: dict[tuple[int, str, int], int] = {}
    for entry in sorted(timing.trace, key=_place):
        queue = entry.core, entry.unit
        stalls[_place(entry)] = entry.start - free.get(queue, timing.launch)
        free[queue] = entry.end
    return stalls


def _place(entry: TraceEntry) -> tuple[int, str, int]:
    return entry.core, entry.unit, entry.number
