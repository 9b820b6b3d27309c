"""The softmax of the vector unit (`isa.Softmax`), on some rows at a time."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from axir import numerics
from axir.backends.aipu.simulator.memory import CHUNK, Core
from axir.backends.aipu.tables import read_table
from axir.numerics import F32
from axir.target.cost import TABLE_BYTES
from axir.target.isa import PWORD, Softmax


def softmax(unit: Softmax, core: Core) -> Callable[[], None]:
    """A function that carries the instruction out."""
    width = unit.blocks * PWORD
    shape = (unit.rows, unit.pixels, width)
    source = core.view(unit.src, shape, (unit.row_pitch, unit.pitch, 1))
    out = core.view(unit.out, shape, (unit.out_row_pitch, unit.out_pitch, 1))
    image = core.block(unit.table, (TABLE_BYTES,))
    scale, inverse = np.float32(unit.scale), np.float32(unit.inverse)
    step = max(1, CHUNK // (unit.pixels * width))

    def run() -> None:
        table = read_table(image)
        for first in range(0, unit.rows, step):
            rows = slice(first, first + step)
            value = numerics.dequantize(source[rows], np.asarray(scale), np.asarray(unit.zero, np.int32))
            value[..., unit.channels :] = np.float32(unit.neutral)
            value -= value.max(axis=-1, keepdims=True)
            value = table(value)
            value *= numerics.reciprocal(_sum(value))
            out[rows] = numerics.quantize(value, np.asarray(inverse), np.asarray(unit.zero_point, np.int32))

    return run


def _sum(value: F32) -> F32:
    """[rows, pixels, 1]: pword after pword lane by lane, then halves of the lanes."""
    lanes = value[..., :PWORD].copy()
    for start in range(PWORD, value.shape[-1], PWORD):
        lanes += value[..., start : start + PWORD]
    while lanes.shape[-1] > 1:
        half = lanes.shape[-1] // 2
        lanes = lanes[..., :half] + lanes[..., half:]
    return lanes
