"""What emission produces: buffers and jobs in a sequential order, plain objects until the placement has settled."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from axir.passes.lowering.tensors import align
from axir.target.isa import PWORD, Address, Dma, Instruction, Memory, addresses_of


@dataclass(eq=False)
class Buffer:
    """Bytes in one memory; `parts` fill a constant buffer: (offset, function that gives the bytes)."""

    label: str
    memory: Memory
    size: int
    parts: list[tuple[int, Callable[[], NDArray[np.uint8]]]] | None = None
    port: bool = False
    shared: str | None = None  # the name of a buffer that several cores touch

    @cached_property
    def data(self) -> NDArray[np.int8]:
        """The bytes of a constant buffer."""
        image = np.zeros(self.size, np.uint8)
        for offset, part in self.parts or []:
            content = part()
            image[offset : offset + content.size] = content
        return image.view(np.int8)


@dataclass(eq=False)
class Job:
    """A task to be: an instruction whose addresses are offsets into `buffers`, one a present address in table order."""

    instruction: Instruction
    buffers: list[Buffer]
    unit: str
    layer: int


@dataclass(eq=False)
class Step:
    """One piece of work: copies that may be issued earlier (with the step that must come first), then jobs in order."""

    layer: int
    prefetch: list[tuple[Job, int]] = field(default_factory=list[tuple[Job, int]])
    jobs: list[Job] = field(default_factory=list[Job])


@dataclass(frozen=True)
class Place:
    """Where a unit finds pixels: row 0 of the buffer's view is row `first_row` of the tensor."""

    buffer: Buffer
    offset: int
    row_pitch: int
    pitch: int
    first_row: int
    rows: int

    def at(self, row: int, column: int = 0, extra: int = 0) -> int:
        """Byte of pixel (row, column) of the tensor."""
        return self.offset + (row - self.first_row) * self.row_pitch + column * self.pitch + extra


def job(instruction: Instruction, unit: str, layer: int, **buffers: Buffer | None) -> Job:
    """A job; `buffers` by address field name."""
    present = [row.name for row in addresses_of(type(instruction)) if getattr(instruction, row.name) is not None]
    chosen = [buffers[name] for name in present]
    return Job(instruction, [buffer for buffer in chosen if buffer is not None], unit, layer)


def copy(source: Place, target: Place, row: int, rows: int, width: int, pixel: int, unit: str, layer: int) -> Job:
    """Copy `rows` rows from tensor row `row` on, `width` pixels of `pixel` bytes each (sub-word rows as a whole)."""
    src, dst = source.at(row), target.at(row)
    if pixel < PWORD:
        pixel, width = align(width * pixel), 1
    row_bytes = pixel
    counts: list[int] = []
    steps: list[tuple[int, int]] = []
    if width > 1 and source.pitch == target.pitch == pixel:
        row_bytes = width * pixel
    elif width > 1:
        counts.append(width)
        steps.append((source.pitch, target.pitch))
    if rows > 1 and not counts and source.row_pitch == target.row_pitch == row_bytes:
        row_bytes *= rows
    elif rows > 1:
        counts.append(rows)
        steps.append((source.row_pitch, target.row_pitch))
    fields: dict[str, int] = {}
    for index, (count, (src_step, dst_step)) in enumerate(zip(counts, steps, strict=True)):
        fields |= {f"count{index}": count, f"src_step{index}": src_step, f"dst_step{index}": dst_step}
    dma = Dma(
        src=Address(source.buffer.memory, src), dst=Address(target.buffer.memory, dst), row_bytes=row_bytes, **fields
    )
    return job(dma, unit, layer, src=source.buffer, dst=target.buffer)


def move(source: Buffer, offset: int, target: Buffer, target_offset: int, size: int, unit: str, layer: int) -> Job:
    """Copy contiguous bytes."""
    dma = Dma(src=Address(source.memory, offset), dst=Address(target.memory, target_offset), row_bytes=size)
    return job(dma, unit, layer, src=source, dst=target)


def order(steps: Sequence[Step], lookahead: int, free: Callable[[int], int]) -> list[Job]:
    """Sequential order of all jobs: copies come up to `lookahead` steps early, once what they need is done.

    `free(layer)` is what L1 has left beside a layer's own buffers; copies wait where those issued early would overflow
    it at any layer on the way.
    """
    result: list[Job] = []
    waiting = [list(step.prefetch) for step in steps]
    early: dict[int, int] = {}  # bytes copied early, by the step that uses them
    for current, step in enumerate(steps):
        early.pop(current, None)
        room = free(step.layer)
        for ahead in range(current, min(current + lookahead + 1, len(steps))):
            room = min(room, free(steps[ahead].layer))
            kept: list[tuple[Job, int]] = []
            for copied, needs in waiting[ahead]:
                size = copied.buffers[-1].size
                if ahead > current and (needs >= current or sum(early.values()) + size > room or kept):
                    kept.append((copied, needs))
                    continue
                if ahead > current:
                    early[ahead] = early.get(ahead, 0) + size
                result.append(copied)
            waiting[ahead] = kept
        result.extend(step.jobs)
    return result
