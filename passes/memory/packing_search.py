"""Search for addresses below a capacity, where first fit finds none.

A depth-first search that builds the packing from the bottom. Time is cut into *columns*, one per distinct first
position: lifetimes that meet share a column. From MiniMalloc (Moffitt, "MiniMalloc: A Lightweight Memory Allocator for
Hardware-Accelerated Machine Learning", ASPLOS 2023) come the bounds and the decomposition:

- a buffer's *level* is the lowest address it can still get, the top of what is placed below it;
- a column's *floor* is the least level of its unplaced buffers, and floor + their sizes must fit the capacity;
- columns that no unplaced buffer connects any more are parts, solved one after the other. A part without a solution
  goes back to the node that cut it off, not to the part solved before it.

What differs is the branching. MiniMalloc branches on "which buffer comes next, by address". Here a node takes a column
in a *niche* (a run of columns of equal floor between higher ones) and branches on "what lies on its floor": each buffer
that fits the niche, or a gap. Answers exclude each other, so no packing is met twice, and a column with one answer is
decided without a choice. As in constraint solvers, the column with the fewest answers comes first, divided by how often
it was the one that did not fit (Boussemart et al., "Boosting Systematic Search by Weighting Constraints", ECAI 2004);
short runs that restart with jittered preferences but keep these weights (Gomes et al., "Boosting Combinatorial Search
Through Randomization", AAAI 1998) even out bad early choices; and states that failed are remembered.

A gap ends at the top of some buffer: it suffices to find packings in which nothing can be moved down alone, as any
packing can be brought to that form.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from itertools import pairwise
from random import Random
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

_PLACED = 1 << 60  # the level of placed buffers, above every address
_GAP = -1


def search(buffers: Sequence[tuple[int, int, int]], capacity: int, nodes: int) -> list[int] | None:
    """Addresses that keep all `buffers` (first position, last position, size) below `capacity`.

    None if there are none or none was found within that many `nodes`. Equal arguments give equal results.
    """
    addresses = [0] * len(buffers)
    kept = sorted((i for i in range(len(buffers)) if buffers[i][2] > 0), key=lambda i: (buffers[i], i))
    if kept:
        searched = _Search([buffers[i] for i in kept], capacity)
        if not searched.run(nodes):
            return None
        for i, address in zip(kept, searched.address.tolist(), strict=True):
            addresses[i] = address
    return addresses


class _Part(NamedTuple):
    """Columns left .. right-1, connected by unplaced buffers; these are among the buffers low .. high-1."""

    left: int
    right: int
    low: int
    high: int
    retreat: int  # depth of the node to go back to when the part has no solution


_Agenda = tuple[_Part, "_Agenda | None"]  # the parts to solve, as a linked list


@dataclass(slots=True)
class _Node:
    part: _Part
    agenda: _Agenda | None  # what to solve after the part
    column: int
    floor: int
    answers: Iterator[int]  # buffers that may lie on the floor of the column, or _GAP
    state: bytes
    placed: int = _GAP
    raised: NDArray[np.intp] = field(default_factory=lambda: np.empty(0, np.intp))  # buffers whose levels rose,
    levels: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))  # and their levels before


class _Search:
    def __init__(self, buffers: Sequence[tuple[int, int, int]], capacity: int):
        """`buffers` in order of their first positions, sizes > 0."""
        starts = sorted({first for first, _, _ in buffers})
        columns = len(starts)
        self.capacity = capacity
        self.first = np.array([bisect_left(starts, first) for first, _, _ in buffers])  # columns first .. end-1
        self.end = np.array([bisect_right(starts, last) for _, last, _ in buffers])
        self.size = np.array([size for _, _, size in buffers])
        members = [np.flatnonzero((self.first <= c) & (c < self.end)) for c in range(columns)]
        self.members = np.concatenate(members)  # the buffers of column c: members[offset[c] : offset[c + 1]]
        self.offset = np.cumsum([0, *map(len, members)])
        self.total = np.add.reduceat(self.size[self.members], self.offset[:-1])
        begins, ends = (np.bincount(at, minlength=columns) for at in (self.first, self.end - 1))
        self.bridges = np.cumsum(begins - ends)  # buffers alive in both column c and c + 1
        self.weight = np.ones(columns)  # 1 + how often a column did not fit
        self.failed: set[bytes] = set()

    def run(self, nodes: int) -> bool:
        """Descend again and again, each time with more nodes, until one descent comes to a result."""
        if self.total.max() > self.capacity:
            return False
        length = self.end - self.first
        by_size = self.size + length / (length.max() + 1)
        by_length = length + self.size / (self.size.max() + 1)
        spare, run = 300.0, 0
        while nodes > 0:
            random = Random(run)
            jitter = [1 + 0.5 * random.random() for _ in self.size] if run > 1 else 1.0
            budget = min(nodes, len(self.size) + int(spare))
            result = self._descend((by_length if run % 2 else by_size) * jitter, budget)
            if result is not None:
                return result
            nodes -= budget
            spare, run = spare * 1.1, run + 1
        return False

    def _descend(self, preference: NDArray[np.float64], nodes: int) -> bool | None:
        """Whether there is a solution, which is then in `address`; None when `nodes` run out."""
        self.preference = preference
        self.address = np.zeros(len(self.size), np.int64)
        self.level = np.zeros(len(self.size), np.int64)
        self.rest = self.total.copy()  # bytes of each column's unplaced buffers
        self.crossing = self.bridges.copy()  # unplaced buffers alive in both column c and c + 1
        path: list[_Node] = []
        agenda = self._split(0, len(self.total), -1, None)
        while agenda is not None:
            if nodes == 0:
                return None
            nodes -= 1
            part, agenda = agenda
            node = self._branch(part, agenda)
            if node.state in self.failed:
                depth = part.retreat
            else:
                depth = len(path)
                path.append(node)
            while True:
                if depth < 0:
                    return False
                while len(path) > depth + 1:
                    self._undo(path.pop())
                node = path[depth]
                self._undo(node)
                answer = next(node.answers, None)
                if answer is None:
                    self.failed.add(node.state)
                    depth = node.part.retreat
                elif self._place(node, answer) if answer != _GAP else self._leave_gap(node):
                    break
            agenda = self._split(node.part.left, node.part.right, depth, node.agenda)
        return True

    def _split(self, left: int, right: int, retreat: int, agenda: _Agenda | None) -> _Agenda | None:
        """Put the parts that columns left .. right-1 fall into in front of the agenda."""
        cuts = np.flatnonzero(self.crossing[left : right - 1] == 0) + left + 1
        edges = [left, *cuts.tolist(), right]
        for begin, end in pairwise(edges):
            low, high = np.searchsorted(self.first, (begin, end)).tolist()
            if self.level[low:high].min() < _PLACED:
                agenda = _Part(begin, end, low, high, retreat), agenda
        return agenda

    def _floors(self, part: _Part) -> NDArray[np.int64]:
        """The least level of each column's unplaced buffers, _PLACED where there are none."""
        offset = self.offset[part.left : part.right + 1]
        return np.minimum.reduceat(self.level[self.members[offset[0] : offset[-1]]], offset[:-1] - offset[0])

    def _branch(self, part: _Part, agenda: _Agenda | None) -> _Node:
        """Choose the column of a niche with the fewest answers to "what lies on its floor"."""
        left, right, low, high, _ = part
        floor = self._floors(part)
        starts = np.concatenate(([0], np.flatnonzero(floor[1:] != floor[:-1]) + 1, [right - left]))
        walled = np.concatenate(([_PLACED], floor[starts[:-1]], [_PLACED]))
        niche = np.repeat((walled[1:-1] < walled[:-2]) & (walled[1:-1] < walled[2:]), np.diff(starts))
        first, level = self.first[low:high] - left, self.level[low:high]
        fits = np.flatnonzero((level == floor[first]) & niche[first])  # no wall of a niche is lower than its buffers
        change = np.bincount(first[fits], minlength=right - left + 1)
        change -= np.bincount(self.end[low:high][fits] - left, minlength=right - left + 1)
        slack = self.capacity - floor - self.rest[left:right]
        answers = np.cumsum(change)[:-1] + (slack > 0)
        column = int(np.argmin(np.where(niche, answers / self.weight[left:right], np.inf)))
        fits = fits[(first[fits] <= column) & (self.end[low:high][fits] - left > column)] + low
        ranked: list[int] = fits[np.argsort(-self.preference[fits], kind="stable")].tolist()
        if slack[column] > 0:
            ranked.append(_GAP)
        state = blake2b(low.to_bytes(4) + level.tobytes(), digest_size=16).digest()
        return _Node(part, agenda, left + column, int(floor[column]), iter(ranked), state)

    def _place(self, node: _Node, buffer: int) -> bool:
        """Put the buffer on the floor; False if a column no longer fits."""
        low, high = node.part.low, node.part.high
        first, end, size = self.first[buffer], self.end[buffer], self.size[buffer]
        top = node.floor + size
        meets = (self.first[low:high] < end) & (self.end[low:high] > first)
        self._raise(node, np.flatnonzero(meets & (self.level[low:high] < top)) + low, top)
        self.level[buffer] = _PLACED
        self.address[buffer] = node.floor
        self.rest[first:end] -= size
        self.crossing[first : end - 1] -= 1
        node.placed = buffer
        return self._fits(node.part)

    def _leave_gap(self, node: _Node) -> bool:
        """Let nothing lie on the floor of the column; False if a column no longer fits.

        The next buffer of the column then lies on another one, which does not reach the column.
        """
        part = slice(node.part.low, node.part.high)
        first, end, level = self.first[part], self.end[part], self.level[part]
        here = (first <= node.column) & (node.column < end) & (level < _PLACED)
        tops = np.where(here, _PLACED, level + self.size[part])
        lowest = int(level[here & (level > node.floor)].min(initial=_PLACED))
        for buffer in np.flatnonzero(here & (level == node.floor)):
            meets = (first < end[buffer]) & (end > first[buffer])
            lowest = min(lowest, int(tops[meets].min()))
        if lowest + self.rest[node.column] > self.capacity:
            self.weight[node.column] += 1
            return False
        self._raise(node, np.flatnonzero(here & (level < lowest)) + part.start, lowest)
        return self._fits(node.part)

    def _fits(self, part: _Part) -> bool:
        floor = self._floors(part)
        over = (floor + self.rest[part.left : part.right] > self.capacity) & (floor < _PLACED)
        self.weight[part.left : part.right] += over
        return not over.any()

    def _raise(self, node: _Node, buffers: NDArray[np.intp], level: int) -> None:
        node.raised, node.levels = buffers, self.level[buffers]
        self.level[buffers] = level

    def _undo(self, node: _Node) -> None:
        self.level[node.raised] = node.levels
        node.raised, node.levels = node.raised[:0], node.levels[:0]
        if node.placed != _GAP:
            first, end = self.first[node.placed], self.end[node.placed]
            self.rest[first:end] += self.size[node.placed]
            self.crossing[first : end - 1] += 1
            node.placed = _GAP
