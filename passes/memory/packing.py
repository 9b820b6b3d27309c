"""Packing of buffers with known lifetimes into one memory (the "dynamic storage allocation" problem).

First fit over several orders, each placing a buffer at the lowest address that is free over its whole lifetime; the
best result wins. On networks this reaches the lower bound, the greatest number of bytes alive at a time; where it does
not and the capacity is exceeded, the buffers around the overflow are moved to the front of the order and packed again.
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Interval:
    """A buffer: alive at positions first .. last (inclusive), `size` bytes."""

    first: int
    last: int
    size: int


@dataclass(frozen=True)
class Packing:
    """An address for each interval, and the end of the highest one."""

    addresses: tuple[int, ...]
    height: int


def lower_bound(intervals: Sequence[Interval]) -> tuple[int, int]:
    """(greatest number of bytes alive at a time, a position where that is)."""
    changes: dict[int, int] = {}
    for interval in intervals:
        changes[interval.first] = changes.get(interval.first, 0) + interval.size
        changes[interval.last + 1] = changes.get(interval.last + 1, 0) - interval.size
    alive = peak = position = 0
    for at in sorted(changes):
        alive += changes[at]
        if alive > peak:
            peak, position = alive, at
    return peak, position


_ORDERS: tuple[Callable[[Interval], tuple[int, ...]], ...] = (
    lambda i: (-i.size, i.first),
    lambda i: (-(i.last - i.first + 1) * i.size, i.first),
    lambda i: (-(i.last - i.first), -i.size, i.first),
    lambda i: (i.first, -i.size),
)


def pack(intervals: Sequence[Interval], capacity: int, rounds: int = 64) -> Packing:
    """Addresses for all intervals. The result may exceed `capacity`; the caller decides what that means."""
    bound, _ = lower_bound(intervals)
    neighbours = _Overlaps(intervals)
    best: Packing | None = None
    best_order: list[int] = []
    for key in _ORDERS:
        order = sorted(range(len(intervals)), key=lambda index: (*key(intervals[index]), index))
        packing = _first_fit(intervals, order, neighbours)
        if best is None or packing.height < best.height:
            best, best_order = packing, order
        if best.height == bound:
            return best
    assert best is not None
    for _ in range(rounds if best.height > capacity else 0):
        promoted = _promote(intervals, best_order, best)
        packing = _first_fit(intervals, promoted, neighbours)
        if promoted == best_order:
            break
        best_order = promoted
        if packing.height < best.height:
            best = packing
        if best.height <= capacity:
            break
    return best


class _Overlaps:
    """For every interval, the intervals whose lifetimes meet it."""

    def __init__(self, intervals: Sequence[Interval]):
        self.of: list[list[int]] = [[] for _ in intervals]
        active: list[tuple[int, int]] = []
        for index in sorted(range(len(intervals)), key=lambda i: intervals[i].first):
            first = intervals[index].first
            active = [(last, other) for last, other in active if last >= first]
            for _, other in active:
                self.of[index].append(other)
                self.of[other].append(index)
            insort(active, (intervals[index].last, index))


def _first_fit(intervals: Sequence[Interval], order: Sequence[int], overlaps: _Overlaps) -> Packing:
    addresses = [-1] * len(intervals)
    height = 0
    for index in order:
        taken = sorted(
            (addresses[other], addresses[other] + intervals[other].size)
            for other in overlaps.of[index]
            if addresses[other] >= 0
        )
        address, size = 0, intervals[index].size
        for low, high in taken:
            if low - address >= size:
                break
            address = max(address, high)
        addresses[index] = address
        height = max(height, address + size)
    return Packing(tuple(addresses), height)


def _promote(intervals: Sequence[Interval], order: list[int], packing: Packing) -> list[int]:
    """Put the highest buffer, which stuck out, to the front."""
    top = max(range(len(intervals)), key=lambda i: (packing.addresses[i] + intervals[i].size, i))
    return [top, *(index for index in order if index != top)]
