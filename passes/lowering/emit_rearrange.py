"""Emission of rearrangements and gathers: copies of runs of bytes.

A rearrangement puts factors of channels, height and width in another order. A factor has a step in bytes on either
side. Factors that follow each other on both sides count as one; what has the step 1 on both sides is the row of a copy
(where nothing has, a row is one byte), the three longest others are its counters, and what is left takes a copy for
each of its positions. A gather copies whole pixels, rows or columns at equal distances together.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from math import prod
from typing import NamedTuple

from axir.passes.lowering.emission import Emission
from axir.passes.lowering.jobs import job
from axir.passes.lowering.network import Layer, Picks, Walk
from axir.passes.lowering.tensors import Tensor, align
from axir.target.cost import cost
from axir.target.description import Target
from axir.target.isa import DMA_COUNTERS, PWORD, Address, Dma


class Loop(NamedTuple):
    """`size` positions, so many bytes apart in source and output."""

    size: int
    src: int
    dst: int


@dataclass(frozen=True)
class Part:
    """Loops of copies from byte `src` of the source, or of a pword of zeros, on; to byte `dst` of the output."""

    loops: Sequence[Loop]
    src: int = 0
    dst: int = 0
    zeros: bool = False


def emit_rearrange(e: Emission, layer: Layer, walk: Walk | Picks) -> None:
    """The copies of a layer with a walk."""
    source, output = e.home(layer.input), e.home(layer.output)
    for part in _parts(walk, layer.input, layer.output):
        src = e.zero_pword(layer) if part.zeros else source.buffer
        read = Address(src.memory, part.src + (0 if part.zeros else source.offset))
        written = Address(output.buffer.memory, part.dst + output.offset)
        for dma in _copies(part.loops, read, written):
            e.step.jobs.append(job(dma, e.store_queue, layer.index, src=src, dst=output.buffer))
    e.flush(layer)


def turns(walk: Walk, source: Tensor, output: Tensor) -> bool:
    """Whether all pixels become channels, and all channels pixels: a matrix transposed."""
    inner = len(walk.sizes)
    while prod(walk.sizes[inner:]) < source.height * source.width:
        inner -= 1
    turned = (*range(inner, len(walk.sizes)), *range(inner))
    return walk.perm == turned and output.channels == source.height * source.width


def copy_cycles(layer: Layer, walk: Walk | Picks, target: Target) -> int:
    """Cycles of the copies of a layer with a walk, inside L1."""
    origin = Address("l1", 0)
    dmas = [
        dma for part in _parts(walk, layer.input, layer.output) for dma in _copies(part.loops, origin, origin)
    ]  # fmt: skip
    return sum(target.device.dispatch + cost(dma, target).cycles for dma in dmas)


def _parts(walk: Walk | Picks, source: Tensor, output: Tensor) -> list[Part]:
    """All that is copied.

    The array reads whole pwords, so padding must be written: copies of whole pixels take it from the source, else it is
    filled first.
    """
    if isinstance(walk, Picks):
        return _picked(walk, source, output)
    loops = _loops(walk, source, output)
    if output.channels % PWORD == 0 or _row(loops).size % PWORD == 0:
        return [Part(loops)]
    return [Part(_padding(output), dst=(output.blocks - 1) * PWORD, zeros=True), Part(loops)]


def _picked(picks: Picks, source: Tensor, output: Tensor) -> list[Part]:
    """Rows or columns of whole pixels, those at equal distances together."""
    rows, columns = (output.height, source.row_pitch, output.row_pitch), (output.width, source.pitch, output.pitch)
    along, across = (rows, columns) if picks.axis == 2 else (columns, rows)
    parts: list[Part] = []
    for taken, put in progressions(picks.indices):
        loops = [Loop(len(put), taken.step * along[1], put.step * along[2]), Loop(*across)]
        pixel = Loop(source.blocks * PWORD, 1, 1)
        parts.append(
            Part(
                _joined([pixel, *(one for one in loops if one.size > 1)]), taken.start * along[1], put.start * along[2]
            )
        )
    return parts


class Progression(NamedTuple):
    """start, start + step, ...; the step may be 0."""

    start: int
    step: int


def progressions(indices: Sequence[int]) -> list[tuple[Progression, range]]:
    """Indices at equal distances, and where they stand: runs of neighbours, or every n-th where these are fewer."""
    runs: list[tuple[Progression, range]] = []
    place = 0
    while place < len(indices):
        end = place + 1
        step = indices[end] - indices[place] if end < len(indices) else 0
        if step >= 0:
            while end < len(indices) and indices[end] - indices[end - 1] == step:
                end += 1
        runs.append((Progression(indices[place], max(step, 0)), range(place, end)))
        place = end
    for period in range(2, min(len(runs), len(indices) // 2 + 1)):
        steps = {later - index for index, later in zip(indices, indices[period:], strict=False)}
        if len(steps) == 1 and min(steps) >= 0:
            return [(Progression(indices[n], min(steps)), range(n, len(indices), period)) for n in range(period)]
    return runs


def _loops(walk: Walk, source: Tensor, output: Tensor) -> list[Loop]:
    """The factors of a walk as loops, the innermost of the output last; those that follow each other are joined."""
    src, moved = _steps(source, walk.sizes), [walk.sizes[axis] for axis in walk.perm]
    dst = _steps(output, moved)
    loops = [Loop(size, src[axis], step) for axis, size, step in zip(walk.perm, moved, dst, strict=True) if size > 1]
    loops = _joined(loops)
    pixel = Loop(output.channels, 1, 1)
    if source.channels == output.channels and (pixel in loops or output.channels == 1):
        loops = [loop for loop in loops if loop != pixel]
        loops = _joined([*loops, Loop(align(output.channels), 1, 1)])
    return loops


def _steps(tensor: Tensor, sizes: Sequence[int]) -> list[int]:
    """Bytes from one position of each factor to the next in a tensor, whose axes are products of consecutive ones."""
    axes = [(tensor.channels, 1), (tensor.height, tensor.row_pitch), (tensor.width, tensor.pitch)]
    axes = [axis for axis in axes if axis[0] > 1]
    steps: list[int] = []
    left, step = 1, 0
    for size in reversed(sizes):
        if size > 1 and left == 1:
            left, step = axes.pop()
        steps.append(step)
        step, left = step * size, left // size
    return steps[::-1]


def _joined(loops: list[Loop]) -> list[Loop]:
    """Loops of which none continues another on both sides."""
    done: list[Loop] = []
    for loop in sorted(loops, key=lambda one: (one.dst, one.src)):
        for index, inner in enumerate(done):
            if (inner.size * inner.src, inner.size * inner.dst) == (loop.src, loop.dst):
                done[index] = Loop(inner.size * loop.size, inner.src, inner.dst)
                break
        else:
            done.append(loop)
    return done


def _padding(output: Tensor) -> list[Loop]:
    """The last pword of every pixel, from one of zeros; steps are counted from there."""
    rows = [Loop(PWORD, 1, 1), Loop(output.width, 0, output.pitch), Loop(output.height, 0, output.row_pitch)]
    return [loop for loop in rows if loop.size > 1]


def _row(loops: Sequence[Loop]) -> Loop:
    """The loop over neighbours on both sides, of one byte where there is none."""
    return next((loop for loop in loops if loop.src == loop.dst == 1), Loop(1, 1, 1))


def _copies(loops: Sequence[Loop], src: Address, dst: Address) -> list[Dma]:
    """The instructions that go through all loops."""
    row = _row(loops)
    others = sorted((loop for loop in loops if loop is not row), key=lambda loop: -loop.size)
    fields: dict[str, int] = {}
    for number, loop in enumerate(others[:DMA_COUNTERS]):
        fields |= {f"count{number}": loop.size, f"src_step{number}": loop.src, f"dst_step{number}": loop.dst}
    made: list[Dma] = []
    for places in product(*(range(loop.size) for loop in others[DMA_COUNTERS:])):
        apart = list(zip(places, others[DMA_COUNTERS:], strict=True))
        read = src.offset + sum(place * loop.src for place, loop in apart)
        written = dst.offset + sum(place * loop.dst for place, loop in apart)
        made.append(Dma(src=Address(src.memory, read), dst=Address(dst.memory, written), row_bytes=row.size, **fields))
    return made
