"""The normalization of the vector unit (`isa.Normalize`): exact sums, then binary32."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from axir import numerics
from axir.backends.aipu.simulator.memory import Core
from axir.target.isa import PWORD, Normalize


def normalize(unit: Normalize, core: Core) -> Callable[[], None]:
    """A function that carries the instruction out."""
    shape = (unit.rows, unit.pixels, unit.blocks * PWORD)
    source = core.view(unit.src, shape, (unit.row_pitch, unit.pitch, 1))[..., : unit.channels]
    out = core.view(unit.out, shape, (unit.out_row_pitch, unit.out_pitch, 1))
    params = core.block(unit.params, (unit.blocks, unit.VECTORS, PWORD), np.float32)
    grouped = (unit.rows, unit.pixels, unit.channels // unit.group, unit.group)
    axes = (0, 1, 3) if unit.spatial else (3,)
    count = np.int64(unit.count)
    epsilon, inverse = np.float32(unit.epsilon), np.asarray(unit.inverse, np.float32)
    zero_point = np.asarray(unit.zero_point, np.int32)

    def run() -> None:
        x = source.astype(np.int64).reshape(grouped) - unit.zero
        total = x.sum(axis=axes, keepdims=True)
        spread = count * (x * x).sum(axis=axes, keepdims=True) - total * total
        value = (count * x - total).astype(np.float32) * numerics.reciprocal_root(spread, epsilon)
        lanes = np.zeros(shape, np.float32)  # nothing behind the last channel
        lanes[..., : unit.channels] = value.reshape(source.shape)
        factor, summand = (params[:, vector].reshape(-1) for vector in range(unit.VECTORS))
        lanes *= factor
        lanes += summand
        out[...] = numerics.quantize(lanes, inverse, zero_point)

    return run
