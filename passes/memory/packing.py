"""Packing of buffers with known lifetimes into one memory (the "dynamic storage allocation" problem).

First fit over several orders comes first: it is cheap, and on plain networks it reaches the lower bound, the greatest
number of bytes alive at a time. Only where its result exceeds the capacity does the search of `packing_search` run.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from axir.passes.memory.packing_search import search


@dataclass(frozen=True, slots=True)
class Interval:
    """A buffer: alive at positions first .. last (inclusive, first <= last), `size` bytes."""

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


def pack(intervals: Sequence[Interval], capacity: int, nodes: int = 20_000) -> Packing:
    """Addresses for all intervals. The result may exceed `capacity`; the caller decides what that means.

    Addresses are sums of sizes: where all sizes are multiples of an alignment, so are the addresses. `nodes` limits the
    search (a node takes about 0.1 ms for some hundred intervals), in place of a time limit: equal inputs give equal
    results.
    """
    # Nothing shares bytes with what lives all the time: stacked at the bottom, it costs the others nothing.
    start = min((interval.first for interval in intervals), default=0)
    end = max((interval.last for interval in intervals), default=0)
    addresses = [0] * len(intervals)
    base = 0
    others: list[int] = []
    for index, interval in enumerate(intervals):
        if interval.first == start and interval.last == end:
            addresses[index] = base
            base += interval.size
        else:
            others.append(index)
    packing = _pack([intervals[index] for index in others], capacity - base, nodes)
    for index, address in zip(others, packing.addresses, strict=True):
        addresses[index] = base + address
    return Packing(tuple(addresses), base + packing.height)


def _pack(intervals: Sequence[Interval], capacity: int, nodes: int) -> Packing:
    bound, _ = lower_bound(intervals)
    best = _best_first_fit(intervals, max(bound, capacity))
    if best.height <= capacity or bound > capacity:
        return best
    best = _searched(intervals, capacity, nodes) or best
    # Not found: bisect for a smaller excess, with a small part of the budget each time.
    low = capacity
    while best.height > capacity and best.height - low > capacity // 64:
        middle = (low + best.height) // 2
        found = _searched(intervals, middle, nodes // 8)
        if found is None:
            low = middle
        else:
            best = found
    return best


def _searched(intervals: Sequence[Interval], capacity: int, nodes: int) -> Packing | None:
    addresses = search([(i.first, i.last, i.size) for i in intervals], capacity, nodes)
    if addresses is None:
        return None
    return Packing(tuple(addresses), max(at + i.size for at, i in zip(addresses, intervals, strict=True)))


_ORDERS: tuple[Callable[[Interval], tuple[int, ...]], ...] = (
    lambda i: (-i.size, i.first),
    lambda i: (-(i.last - i.first + 1) * i.size, i.first),
    lambda i: (-(i.last - i.first), -i.size, i.first),
    lambda i: (i.first, -i.size),
)


def _best_first_fit(intervals: Sequence[Interval], enough: int) -> Packing:
    """The lowest result over several orders, or the first that is no higher than `enough`."""
    overlaps = _overlaps(intervals)
    best: Packing | None = None
    for key in _ORDERS:
        order = sorted(range(len(intervals)), key=lambda index: (*key(intervals[index]), index))
        packing = _first_fit(intervals, order, overlaps)
        if best is None or packing.height < best.height:
            best = packing
        if best.height <= enough:
            break
    assert best is not None
    return best


def _overlaps(intervals: Sequence[Interval]) -> list[list[int]]:
    """For every interval, the intervals whose lifetimes meet it."""
    result: list[list[int]] = [[] for _ in intervals]
    alive: list[int] = []
    for index in sorted(range(len(intervals)), key=lambda index: intervals[index].first):
        first = intervals[index].first
        alive = [other for other in alive if intervals[other].last >= first]
        for other in alive:
            result[other].append(index)
        result[index].extend(alive)
        alive.append(index)
    return result


def _first_fit(intervals: Sequence[Interval], order: Sequence[int], overlaps: Sequence[Sequence[int]]) -> Packing:
    """Place each interval at the lowest address that is free over its whole lifetime."""
    placed: list[tuple[int, int] | None] = [None] * len(intervals)
    height = 0
    for index in order:
        taken = sorted(span for other in overlaps[index] if (span := placed[other]) is not None)
        address, size = 0, intervals[index].size
        for low, high in taken:
            if low - address >= size:
                break
            address = max(address, high)
        placed[index] = address, address + size
        height = max(height, address + size)
    return Packing(tuple(span[0] for span in placed if span is not None), height)
