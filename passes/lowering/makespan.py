"""How long a sequence of jobs takes: a run of the queues, for choosing between programs before they are planned."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from axir.passes.lowering.jobs import Buffer, Job
from axir.passes.memory.accesses import ARRAY, WRITTEN, extent, load_rows
from axir.target.cost import cost
from axir.target.description import Target
from axir.target.isa import Load, Mvm, addresses_of

SHARED = "shared"
"""The memory of buffers that have addresses."""

Touched = tuple[Buffer | str, int, int, bool]
"""Bytes [low, high) of a buffer or rows of the weight sets, and whether they are written."""


@dataclass(frozen=True, slots=True)
class _Record:
    low: int
    high: int
    write: bool
    end: int


def makespan(jobs: Sequence[Job], addresses: Mapping[Buffer, int], target: Target) -> int:
    """Cycles until the last job is done. A job follows those of its queue and those it conflicts with.

    Buffers with `addresses` are in one memory and may share its bytes. Copies have the memories to themselves;
    otherwise costs are those of `axir.target.cost`.
    """
    free: dict[str, int] = {}
    records: dict[Buffer | str, list[_Record]] = {}
    for job in jobs:
        touched = list(_touched(job, addresses, target))
        start = free.get(job.unit, 0)
        for place, low, high, write in touched:
            for record in records.get(place, ()):
                if record.low < high and low < record.high and (write or record.write):
                    start = max(start, record.end)
        end = start + target.device.dispatch + cost(job.instruction, target).cycles
        free[job.unit] = end
        for place, low, high, write in touched:
            known = records.setdefault(place, [])
            if write:
                known[:] = [r for r in known if not (low <= r.low and r.high <= high)]
            known.append(_Record(low, high, write, end))
    return max(free.values(), default=0)


def _touched(job: Job, addresses: Mapping[Buffer, int], target: Target) -> Iterator[Touched]:
    fields = job.instruction
    present = [row.name for row in addresses_of(type(fields)) if getattr(fields, row.name) is not None]
    for name, buffer in zip(present, job.buffers, strict=True):
        low, high = extent(fields, name)
        start = getattr(fields, name).offset + addresses.get(buffer, 0)
        yield SHARED if buffer in addresses else buffer, start + low, start + high, name in WRITTEN
    if isinstance(fields, Load):
        yield ARRAY, *load_rows(fields, target.array.rows), True
    elif isinstance(fields, Mvm):
        yield ARRAY, fields.row, fields.row + fields.matrix_rows, False
