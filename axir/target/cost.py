"""What an instruction costs, in cycles: written once, used by the scheduler and by the simulator's timing model.

Every function takes one decoded instruction and the device. Streaming units overlap their stages, so an instruction
takes the slowest of them per vector; the stages are listed in `Cost` so that reports can say which one it was.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from axir.target.description import Target
from axir.target.isa import (
    PARAMETER_BYTES,
    SYSTEM_DMA,
    Depthwise,
    Dma,
    Instruction,
    Load,
    LoadPixels,
    Mvm,
    Normalize,
    Softmax,
    StepOp,
    Sync,
    Vec,
    VectorProgram,
    VectorStep,
)

TABLE_BYTES = 64 + 2 * 4160
"""Header, then intercepts and slopes of 1026 binary32 entries each, padded to pwords (docs/isa.md)."""

_FREE_STEPS = {StepOp.LOAD}
"""Operands are dequantized by their own stage, as the accumulator is; the other steps share the lanes."""


@dataclass(frozen=True, slots=True)
class Cost:
    """Cycles of one instruction on its unit without dispatch; `array`, `depthwise` and `vector` are the busy parts."""

    cycles: int
    array: int = 0
    depthwise: int = 0
    vector: int = 0


def ceil_div(a: int, b: int) -> int:
    return -(-a // b)


def cost(instruction: Instruction, target: Target, unit: str = "") -> Cost:
    """Cycles on an otherwise idle device. A DMA copy counts its set-up and its narrowest link.

    `unit` is needed only of copies that run on the system DMA. A multicast takes as long as a copy to one core.
    """
    if isinstance(instruction, Dma):
        work = dma_beats(instruction, target)
        return Cost(target.dma.setup + ceil_div(work * 1000, int(dma_rate(instruction, target, unit) * 1000)))
    if isinstance(instruction, Load):
        return _load(instruction, target)
    if isinstance(instruction, Mvm):
        return _mvm(instruction, target)
    if isinstance(instruction, Depthwise):
        return _depthwise(instruction, target)
    if isinstance(instruction, Vec):
        return _vec(instruction, target)
    if isinstance(instruction, Softmax):
        return _softmax(instruction, target)
    if isinstance(instruction, LoadPixels):
        tiles = instruction.row_tiles * instruction.column_tiles
        return Cost(load_pixels_cycles(tiles, bool(instruction.transpose), target))
    if isinstance(instruction, Normalize):
        return _normalize(instruction, target)
    if isinstance(instruction, Sync):
        return Cost(0)
    raise TypeError(f"no cost for {type(instruction).__name__}")


def dma_bytes(dma: Dma) -> int:
    return dma.row_bytes * dma.count0 * dma.count1 * dma.count2


def dma_beats(dma: Dma, target: Target) -> int:
    """Bytes that a copy takes of its bandwidths: a row takes whole beats, so a row of one byte costs as much as one of
    64, and at best one row a cycle is copied."""
    beat = target.dma.beat
    return ceil_div(dma.row_bytes, beat) * beat * dma.count0 * dma.count1 * dma.count2


def dma_rate(dma: Dma, target: Target, unit: str = "") -> float:
    """Bytes a cycle of one copy that has the device for itself."""
    rate = float(target.sysdma.bandwidth if unit == SYSTEM_DMA else target.dma.bandwidth)
    for memory, bandwidth in (("l2", target.l2.bandwidth), ("ddr", target.ddr_bytes_per_cycle)):
        # A copy inside one memory takes its bandwidth twice.
        uses = (dma.src.memory == memory) + (dma.dst.memory == memory)
        if uses:
            rate = min(rate, bandwidth / uses)
    return rate


def load_bytes(load: Load) -> int:
    """Bytes written into weight sets."""
    return load.segment_rows * load.segments * load.columns * load.replicas


def _load(load: Load, target: Target) -> Cost:
    cycles = ceil_div(load_bytes(load), target.array.load_bandwidth)
    if load.clear:
        last = load.row + (load.segments - 1) * load.segment_step + (load.replicas - 1) * load.replica_step
        sets = ceil_div(last + load.segment_rows, target.array.rows) - load.row // target.array.rows
        cycles += sets * target.array.clear
    return Cost(cycles)


def load_pixels_cycles(tiles: int, transpose: bool, target: Target) -> int:
    """Cycles to write `tiles` tiles of 64 x 64 bytes, whole, through the port of `load`.

    Transposed, each goes through a buffer that is filled while the one before it is written.
    """
    size = target.device.pword**2
    return ceil_div(tiles * size, target.array.load_bandwidth) + transpose * target.array.transpose_fill


def vector_cycles(steps: Iterable[VectorStep], target: Target) -> int:
    """Cycles a pword in the vector unit: bias, scale, store and operand loads are pipelined, other steps take turns.

    Each tensor operand comes through a port of its own.
    """
    kinds = [step.op for step in steps]
    taken = sum(kind not in _FREE_STEPS for kind in kinds)
    operands = ceil_div(target.device.pword, target.vector.operand_bandwidth) if StepOp.LOAD in kinds else 1
    return max(operands, ceil_div(taken, target.vector.steps))


def program_cycles(program: VectorProgram, target: Target) -> int:
    """`vector_cycles` of an instruction's program."""
    return vector_cycles(program.steps, target)


def multiply_cycles(matrix_rows: int, zero: bool, target: Target) -> int:
    """Cycles in which one vector is multiplied by `matrix_rows` rows; differences from a `zero` point take longer."""
    array = target.array
    return ceil_div(matrix_rows, array.rows) * (array.zero_interval if zero else array.vector_interval)


def array_interval(matrix_rows: int, columns: int, vector: int, target: Target, zero: bool = False) -> int:
    """Cycles from one vector to the next: multiply with `matrix_rows` rows, fetch them, and put out `columns` blocks.

    `vector` is what a block takes in the vector unit; `zero` says that a zero point is subtracted.
    """
    array = target.array
    block = max(vector, ceil_div(array.column_block, array.outputs))
    return max(multiply_cycles(matrix_rows, zero, target), ceil_div(matrix_rows, target.l1.port), columns * block)


def depthwise_interval(taps: int, vector: int, target: Target) -> int:
    """Cycles from one pword to the next on the depthwise unit and the vector unit behind it."""
    return max(ceil_div(taps, target.depthwise.taps), vector)


def _coefficients(program: VectorProgram, blocks: int, target: Target) -> int:
    """`coefficient_cycles` of an instruction's program."""
    parameters = program.parameters if program.params is not None else 0
    return coefficient_cycles(parameters, blocks, program.table is not None, target)


def coefficient_cycles(parameters: int, blocks: int, table: bool, target: Target) -> int:
    """Cycles to fetch parameter blocks and table before the first vector."""
    return ceil_div(parameters * PARAMETER_BYTES * blocks + TABLE_BYTES * table, target.l1.port)


def _mvm(mvm: Mvm, target: Target) -> Cost:
    array = target.array
    vectors = mvm.rows * mvm.vectors
    compute = multiply_cycles(mvm.matrix_rows, mvm.zero != 0, target)
    vector = 0 if mvm.partial_out is not None else program_cycles(mvm, target)
    interval = array_interval(mvm.matrix_rows, mvm.columns, vector, target, mvm.zero != 0)
    if mvm.partial_in is not None or mvm.partial_out is not None:  # read and written through ports of their own
        interval = max(interval, ceil_div(mvm.columns * target.device.pword * 4, array.partial_bandwidth))
    start = array.latency
    if mvm.partial_out is None:
        start += _coefficients(mvm, ceil_div(mvm.columns, mvm.replicas), target)
    return Cost(start + vectors * interval, array=vectors * compute, vector=vectors * mvm.columns * vector)


def _depthwise(dw: Depthwise, target: Target) -> Cost:
    taps = dw.tap_rows * dw.tap_columns
    pwords = dw.rows * dw.vectors * dw.blocks
    compute = ceil_div(taps, target.depthwise.taps)
    vector = program_cycles(dw, target)
    start = target.depthwise.latency + _coefficients(dw, dw.blocks, target)
    if dw.weights is not None:
        start += dw.blocks * taps
    interval = depthwise_interval(taps, vector, target)
    return Cost(start + pwords * interval, depthwise=pwords * compute, vector=pwords * vector)


def _vec(vec: Vec, target: Target) -> Cost:
    pwords = vec.rows * vec.vectors * vec.blocks
    vector = program_cycles(vec, target)
    start = target.depthwise.latency + _coefficients(vec, vec.blocks, target)
    return Cost(start + pwords * vector, vector=pwords * vector)


def softmax_cycles(blocks: int, target: Target) -> int:
    """Cycles of one pixel of `blocks` pwords in a softmax, which no other pixel overlaps.

    A step a pword for the greatest value, three for difference, exponential and sum, one to scale; two reductions over
    the lanes, a step each halving; and the reciprocal of the sum.
    """
    halvings = (target.vector.lanes - 1).bit_length()
    return ceil_div(5 * blocks + 2 * halvings, target.vector.steps) + target.vector.reciprocal


def _softmax(softmax: Softmax, target: Target) -> Cost:
    vector = softmax.rows * softmax.pixels * softmax_cycles(softmax.blocks, target)
    start = target.depthwise.latency + coefficient_cycles(0, 0, True, target)
    return Cost(start + vector, vector=vector)


def normalize_cycles(blocks: int, pixels: int, spatial: bool, target: Target) -> int:
    """Cycles of a normalization over `pixels` pixels of `blocks` pwords.

    Two steps a pword for sum and sum of squares, four to subtract, scale and shift; for each pixel or, where it is
    spatial, each pword of channels: two reductions over the lanes, a step each halving, a square root and a reciprocal.
    """
    vector = target.vector
    halvings = (vector.lanes - 1).bit_length()
    statistics = blocks if spatial else pixels
    each = ceil_div(2 * halvings, vector.steps) + vector.root + vector.reciprocal
    return ceil_div(6 * blocks * pixels, vector.steps) + statistics * each


def _normalize(normalize: Normalize, target: Target) -> Cost:
    pixels = normalize.rows * normalize.pixels
    vector = normalize_cycles(normalize.blocks, pixels, bool(normalize.spatial), target)
    start = target.depthwise.latency + coefficient_cycles(normalize.VECTORS, normalize.blocks, False, target)
    return Cost(start + vector, vector=vector)
