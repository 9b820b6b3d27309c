"""The form in which the vector unit reads the table of a TABLE step (docs/isa.md).

64 bytes of header (start f32, per_unit f32, bins i32, zeros), then bins + 2 intercepts (f32), then bins + 2 slopes
(f32). Each of the two arrays has room for `MAX_BINS + 2` numbers, up to a multiple of 64 bytes, whatever `bins` is.
"""

from __future__ import annotations

import struct

import numpy as np
from numpy.typing import NDArray

from axir.ir.diagnostics import AxirError
from axir.numerics import Table
from axir.target.cost import TABLE_BYTES, ceil_div
from axir.target.isa import PWORD

MAX_BINS = 1024

_HEADER = struct.Struct("<ffi")
_ARRAY_BYTES = ceil_div((MAX_BINS + 2) * 4, PWORD) * PWORD
assert PWORD + 2 * _ARRAY_BYTES == TABLE_BYTES


def table_image(table: Table) -> NDArray[np.int8]:
    """The `TABLE_BYTES` bytes of a table with at most `MAX_BINS` bins."""
    if not 1 <= table.bins <= MAX_BINS:
        raise ValueError(f"a table has 1 to {MAX_BINS} bins, not {table.bins}")
    image = np.zeros(TABLE_BYTES, np.uint8)
    image[: _HEADER.size] = np.frombuffer(_HEADER.pack(table.start, table.per_unit, table.bins), np.uint8)
    for index, numbers in enumerate((table.intercept, table.slope)):
        start = PWORD + index * _ARRAY_BYTES
        image[start : start + 4 * (table.bins + 2)] = numbers.astype("<f4").view(np.uint8)
    return image.view(np.int8)


def read_table(image: NDArray[np.int8]) -> Table:
    """The table in `TABLE_BYTES` bytes of memory. Raises `AxirError` when its header is not legal."""
    start, per_unit, bins = _HEADER.unpack(image[: _HEADER.size].tobytes())
    if not 1 <= bins <= MAX_BINS or not 0 < per_unit < np.inf or not np.isfinite(start):
        raise AxirError(
            f"no table: {bins} bins, {per_unit} a unit, from {start}",
            notes=(f"a table has 1 to {MAX_BINS} bins, a positive number of them a unit, and a finite start",),
        )
    arrays = image[PWORD:].view("<f4").reshape(2, -1)[:, : bins + 2].copy()
    return Table("", start, per_unit, bins, arrays[0], arrays[1], 0.0)
