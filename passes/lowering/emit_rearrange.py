"""Emission of rearrangements: factors of channels, height and width in another order, by copies of runs of bytes.

A factor has a step in bytes on either side. Factors that follow each other on both sides count as one; what has the
step 1 on both sides is the row of a copy (where nothing has, a row is one byte), the three longest others are its
counters, and what is left takes a copy for each of its positions.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import NamedTuple

from axir.passes.lowering.emission import Emission
from axir.passes.lowering.jobs import Buffer, job
from axir.passes.lowering.network import Layer, Walk
from axir.passes.lowering.tensors import Tensor, align
from axir.target.cost import cost
from axir.target.description import Target
from axir.target.isa import PWORD, Address, Dma

COUNTERS = 3
"""Loops of a copy around its rows."""


class Loop(NamedTuple):
    """`size` positions, so many bytes apart in source and output."""

    size: int
    src: int
    dst: int


def emit_rearrange(e: Emission, layer: Layer, walk: Walk) -> None:
    """The copies of a layer, after one that fills padding.

    The array reads whole pwords, so padding must be written; copies of whole pixels take it from the source.
    """
    source, output = e.home(layer.input), e.home(layer.output)
    loops = _loops(walk, layer.input, layer.output)
    if not _whole_pixels(loops, layer.output):
        zeros = e.zero_pword(layer)
        last = output.offset + (layer.output.blocks - 1) * PWORD
        _emit(e, layer, _padding(layer.output), (zeros, 0), (output.buffer, last))
    _emit(e, layer, loops, (source.buffer, source.offset), (output.buffer, output.offset))
    e.flush(layer)


def _emit(
    e: Emission, layer: Layer, loops: Sequence[Loop], source: tuple[Buffer, int], output: tuple[Buffer, int]
) -> None:
    (src, read), (dst, written) = source, output
    for dma in _copies(loops, Address(src.memory, read), Address(dst.memory, written)):
        e.step.jobs.append(job(dma, e.store_queue, layer.index, src=src, dst=dst))


def rearrangement_cycles(layer: Layer, target: Target) -> int:
    """Cycles of the copies of a layer with a walk, inside L1."""
    assert layer.walk is not None
    loops = _loops(layer.walk, layer.input, layer.output)
    parts = [loops] if _whole_pixels(loops, layer.output) else [loops, _padding(layer.output)]
    origin = Address("l1", 0)
    dmas = [dma for part in parts for dma in _copies(part, origin, origin)]
    return sum(target.device.dispatch + cost(dma, target).cycles for dma in dmas)


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


def _whole_pixels(loops: Sequence[Loop], output: Tensor) -> bool:
    """Whether copies write whole pixels, padding included, or there is none."""
    return output.channels % PWORD == 0 or _row(loops).size % PWORD == 0


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
    for number, loop in enumerate(others[:COUNTERS]):
        fields |= {f"count{number}": loop.size, f"src_step{number}": loop.src, f"dst_step{number}": loop.dst}
    made: list[Dma] = []
    for places in product(*(range(loop.size) for loop in others[COUNTERS:])):
        apart = list(zip(places, others[COUNTERS:], strict=True))
        read = src.offset + sum(place * loop.src for place, loop in apart)
        written = dst.offset + sum(place * loop.dst for place, loop in apart)
        made.append(Dma(src=Address(src.memory, read), dst=Address(dst.memory, written), row_bytes=row.size, **fields))
    return made
