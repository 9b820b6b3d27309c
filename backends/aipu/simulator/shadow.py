"""Shadow memory: for every granule of one memory, which of its bytes are written, and which accesses came last."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from axir.backends.aipu.accesses import FULL, Region
from axir.backends.aipu.order import Clock
from axir.target.isa import PWORD

Masks = NDArray[np.uint64] | np.uint64
"""Bytes of granules, one bit each (`accesses.FULL`), for all of a region or in the shape of its view."""


class Hazard(NamedTuple):
    """What is wrong at a granule; `unit` (as in a clock) and `number` are the other party of a race."""

    kind: Literal["unwritten", "constant", "race"]
    granule: int
    unit: int = -1
    number: int = -1


class Shadow:
    """One memory of `granules`, seen by the queues `units` (numbers as in a clock).

    Accesses must come in an order that agrees with happens-before. Then an access is free of races if, for each queue,
    the last conflicting access has completed by its clock.
    """

    def __init__(self, granules: int, units: Sequence[int]):
        self.granules = granules
        self.units = list(units)
        self.written = np.zeros(granules, np.uint64)
        self.constant = np.zeros(granules, np.bool_)
        # Number in its queue, plus one, of the last descriptor of each queue that wrote, or accessed, a granule.
        self._writers = np.zeros((len(units), granules), np.int32)
        self._accessors = np.zeros((len(units), granules), np.int32)

    def preset(self, start: int, end: int, constant: bool = False) -> None:
        """Bytes [start, end) that the host has written before the first task; they begin on a granule."""
        first, whole, rest = start // PWORD, end // PWORD, end % PWORD
        self.written[first:whole] = FULL
        if rest:
            self.written[whole] |= np.uint64((1 << rest) - 1)
        self.constant[first : whole + (rest > 0)] |= constant

    def missing(self, region: Region, masks: Masks = FULL) -> int | None:
        """The first granule of a region of which some byte in question is not written."""
        missing = region.view(self.written) & masks != masks
        return region.granule(int(np.argmax(missing))) if missing.any() else None

    def read(self, region: Region, unit: int, clock: Clock, record: bool = True, masks: Masks = FULL) -> Hazard | None:
        """A read by descriptor `clock[unit]` of queue `unit`; without `record` it may overwrite what it read."""
        missing = self.missing(region, masks)
        if missing is not None:
            return Hazard("unwritten", missing)
        hazard = self._race(region, self._writers, clock)
        if record:
            region.view(self._accessors[self.units.index(unit)])[...] = clock[unit] + 1
        return hazard

    def write(self, region: Region, unit: int, clock: Clock, masks: Masks = FULL) -> Hazard | None:
        """Record a write. What the same descriptor has read before counts as a race, with itself."""
        constant = region.view(self.constant)
        if constant.any():
            return Hazard("constant", region.granule(int(np.argmax(constant))))
        hazard = self._race(region, self._accessors, clock)
        plane = self.units.index(unit)
        for record in (self._writers, self._accessors):
            region.view(record[plane])[...] = clock[unit] + 1
        written = region.view(self.written)
        written |= masks
        return hazard

    def _race(self, region: Region, record: NDArray[np.int32], clock: Clock) -> Hazard | None:
        view: NDArray[Any] = region.view(record).reshape(len(self.units), -1)
        latest = view.max(axis=1).tolist()
        for plane, unit in enumerate(self.units):
            if latest[plane] > clock[unit]:
                position = int(np.argmax(view[plane] > clock[unit]))
                return Hazard("race", region.granule(position), unit, int(view[plane, position]) - 1)
        return None
