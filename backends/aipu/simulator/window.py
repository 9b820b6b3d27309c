"""The address generator of the streaming units (`isa.Window`), on whole tiles at a time."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from axir.backends.aipu.simulator.memory import Core
from axir.target.isa import PWORD, Window

I32 = NDArray[np.int32]


@dataclass(frozen=True)
class Tile:
    """The input of some output rows, padding included; y and x are counted from the first tap of the first vector."""

    window: Window
    data: NDArray[Any]
    offset: int  # bytes
    row: int  # bytes from input row to input row
    unit: int  # this many input bytes ...
    step: int  # ... are this many bytes of `data`
    rows: int  # output rows

    def line(self, x: int, width: int) -> NDArray[Any]:
        """[input rows, vectors, width]: as `tap`, for every input row."""
        w = self.window
        rows = (self.rows - 1) * w.y_step + (w.tap_rows - 1) * w.tap_row_step + 1
        return self._view(rows, self.row, self.offset, x, width)

    def tap(self, row: int, x: int, width: int) -> NDArray[Any]:
        """[rows, vectors, width]: the input bytes x ... x + width of kernel row `row`; a view."""
        offset = self.offset + row * self.window.tap_row_step * self.row
        return self._view(self.rows, self.window.y_step * self.row, offset, x, width)

    def _view(self, rows: int, step: int, offset: int, x: int, width: int) -> NDArray[Any]:
        shape = (rows, self.window.vectors, width)
        strides = (step, self._column(self.window.x_step), self.data.itemsize)
        return np.ndarray(shape, self.data.dtype, self.data, offset + self._column(x), strides)

    def _column(self, x: int) -> int:
        pixels, rest = divmod(x, self.unit)
        return pixels * self.step + rest * self.data.itemsize


class Input:
    """A window's input in memory, ready to be cut into tiles."""

    def __init__(self, window: Window, core: Core):
        self.window, self.core = window, core
        w = window
        width = w.blocks * PWORD
        steps = [step for step, count in ((w.x_step, w.vectors), (w.tap_step, w.tap_columns)) if count > 1]
        span = (w.vectors - 1) * w.x_step + (w.tap_columns - 1) * w.tap_step
        # Taps of whole pixels that do not overlap are copied pixel by pixel, otherwise byte by byte.
        self.unit, self.width = math.gcd(*steps) or width, width
        self.count = span // self.unit + 1
        self.first, self.last = _inside(w.x0, self.unit, self.count, width, w.row_bytes)
        touched = _inside(w.x0 + width - 1, self.unit, self.count, 1, w.row_bytes + width - 1)
        self.by_pixel = self.unit >= width and (self.first, self.last) == touched
        if not self.by_pixel:
            self.unit, self.width, self.count = 1, 1, span + width
            self.first, self.last = _inside(w.x0, 1, self.count, 1, w.row_bytes)
        rows = (w.rows - 1) * w.y_step + (w.tap_rows - 1) * w.tap_row_step + 1
        self.inside = (self.first, self.last) == (0, self.count) and 0 <= w.y0 <= w.src_rows - rows

    def tile(self, first: int, last: int, dtype: type[np.generic], pad: NDArray[Any] | None = None) -> Tile:
        """The input of output rows [first, last); `pad` [blocks * 64] replaces the window's own padding byte."""
        w = self.window
        y = w.y0 + first * w.y_step
        rows = (last - first - 1) * w.y_step + (w.tap_rows - 1) * w.tap_row_step + 1
        if self.inside and dtype is np.int8:
            offset = w.src.offset + y * w.row_pitch + w.x0
            return Tile(w, self.core.memories[w.src.memory], offset, w.row_pitch, 1, 1, last - first)
        data = np.empty((rows, self.count, self.width), dtype)
        top, bottom = _inside(y, 1, rows, 1, w.src_rows)
        if not self.inside:
            data[...] = w.pad if pad is None or not self.by_pixel else pad
        if top < bottom and self.first < self.last:
            start = (y + top) * w.row_pitch + w.x0 + self.first * self.unit
            data[top:bottom, self.first : self.last] = np.ndarray(
                (bottom - top, self.last - self.first, self.width),
                np.int8,
                self.core.memories[w.src.memory],
                w.src.offset + start,
                (w.row_pitch, self.unit, 1),
            )
        return Tile(w, data, 0, data.strides[0], self.unit, data.strides[1], last - first)

    def outside(self, first: int, last: int, row: int, x: int) -> NDArray[np.bool_]:
        """[rows, vectors, blocks * 64]: which bytes of `Tile.tap(row, x, ...)` are padding."""
        w = self.window
        ys = w.y0 + np.arange(first, last) * w.y_step + row * w.tap_row_step
        xs = w.x0 + x + np.add.outer(np.arange(w.vectors) * w.x_step, np.arange(w.blocks * PWORD))
        return ((ys < 0) | (ys >= w.src_rows))[:, None, None] | ((xs < 0) | (xs >= w.row_bytes))

    def taps_inside(self) -> I32:
        """[rows, vectors]: taps whose first byte lies inside the input."""
        w = self.window
        ys = w.y0 + np.add.outer(np.arange(w.rows) * w.y_step, np.arange(w.tap_rows) * w.tap_row_step)
        xs = w.x0 + np.add.outer(np.arange(w.vectors) * w.x_step, np.arange(w.tap_columns) * w.tap_step)
        rows = ((ys >= 0) & (ys < w.src_rows)).sum(axis=1, dtype=np.int32)
        columns = ((xs >= 0) & (xs < w.row_bytes)).sum(axis=1, dtype=np.int32)
        return np.multiply.outer(rows, columns)


def _inside(start: int, step: int, count: int, width: int, limit: int) -> tuple[int, int]:
    """The range of i < count for which [start + i * step, start + i * step + width) lies in [0, limit)."""
    first = max(0, -(start // step))
    last = min(count, (limit - width - start) // step + 1)
    return (first, last) if first < last else (0, 0)
