"""Memory packing: validity, bounds, optimality on small cases, determinism."""

from __future__ import annotations

import csv
import itertools
import math
import os
import subprocess
import sys
import time
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shared import shared_path

from axir.passes.memory.packing import Interval, Packing, lower_bound, pack
from axir.passes.memory.packing_search import search

ALIGNMENT = 64

ABOVE_THE_BOUND = [
    (0, 0, 1), (0, 1, 3), (2, 2, 1), (2, 3, 1), (0, 4, 3), (1, 5, 1), (3, 5, 1), (6, 6, 2), (7, 7, 1), (2, 7, 1),
    (4, 8, 1), (7, 9, 1), (9, 10, 1), (10, 10, 1), (8, 11, 2), (12, 12, 1), (5, 13, 3), (11, 13, 2), (12, 13, 1),
    (13, 13, 1),
]  # fmt: skip


def check(intervals: list[Interval], packing: Packing) -> None:
    """No byte is in two live buffers: by time steps, unlike the pairwise view of the packer."""
    assert len(packing.addresses) == len(intervals)
    assert packing.height == max((at + i.size for at, i in zip(packing.addresses, intervals, strict=True)), default=0)
    for now in {i.first for i in intervals}:
        alive = sorted(
            (at, at + i.size)
            for at, i in zip(packing.addresses, intervals, strict=True)
            if i.first <= now <= i.last and i.size
        )
        assert all(low >= 0 for low, _ in alive)
        assert all(end <= start for (_, end), (start, _) in itertools.pairwise(alive))


def fits(intervals: list[Interval], capacity: int) -> bool:
    """Whether any packing exists, by brute force: all sets of live buffers and their addresses, swept over time.

    Addresses are in units of the sizes' greatest common divisor: a packing pushed down only has such.
    """
    unit = math.gcd(*(i.size for i in intervals)) or 1
    states: set[tuple[tuple[int, int, int], ...]] = {()}  # (address, end, last position) of each live buffer
    for new in sorted(intervals, key=lambda i: i.first):
        states = {
            tuple(sorted((*alive, (at, at + new.size, new.last))))
            for state in states
            for alive in [[span for span in state if span[2] >= new.first]]
            for at in range(0, capacity - new.size + 1, unit)
            if all(at + new.size <= low or at >= high for low, high, _ in alive)
        }
    return bool(states)


def optimum(intervals: list[Interval]) -> int:
    unit = math.gcd(*(i.size for i in intervals)) or 1
    return next(h for h in itertools.count(lower_bound(intervals)[0], unit) if fits(intervals, h))


def lifetimes(max_count: int, length: int, units: int) -> st.SearchStrategy[list[Interval]]:
    positions = st.tuples(st.integers(0, length), st.integers(0, length)).map(sorted)
    interval = st.builds(lambda p, u: Interval(p[0], p[1], u * ALIGNMENT), positions, st.integers(1, units))
    return st.lists(interval, max_size=max_count)


def tight(seed: int, columns: int, capacity: int, cuts: int) -> list[Interval]:
    """Buffers that fill columns x capacity exactly: a rectangle cut again and again, so that the bound is reachable."""
    rng = Random(seed)
    pieces = [(0, columns, capacity)]
    for _ in range(cuts):
        at = max(range(len(pieces)), key=lambda i: (pieces[i][1] - pieces[i][0]) * pieces[i][2])
        first, end, size = pieces.pop(at)
        if end - first > 1 and (rng.random() < 0.5 or size <= ALIGNMENT):
            middle = rng.randint(first + 1, end - 1)
            pieces += [(first, middle, size), (middle, end, size)]
        elif size > ALIGNMENT:
            low = rng.randint(1, size // ALIGNMENT - 1) * ALIGNMENT
            pieces += [(first, end, low), (first, end, size - low)]
        else:
            pieces.append((first, end, size))
    rng.shuffle(pieces)
    return [Interval(first, end - 1, size) for first, end, size in pieces]


@settings(deadline=None, max_examples=150)
@given(lifetimes(24, 12, 40), st.floats(0, 1.2))
def test_any_packing_is_valid(intervals: list[Interval], part: float):
    bound, _ = lower_bound(intervals)
    packing = pack(intervals, int(bound * part), nodes=300)
    check(intervals, packing)
    assert packing.height >= bound
    assert all(address % ALIGNMENT == 0 for address in packing.addresses)


@settings(deadline=None, max_examples=50)
@given(lifetimes(6, 5, 3))
def test_search_finds_the_optimum_and_nothing_below(intervals: list[Interval]):
    best = optimum(intervals)
    packing = pack(intervals, best)
    check(intervals, packing)
    assert packing.height == best
    buffers = [(i.first, i.last, i.size) for i in intervals]
    addresses = search(buffers, best, 10_000)
    assert addresses is not None
    height = max((at + i.size for at, i in zip(addresses, intervals, strict=True)), default=0)
    check(intervals, Packing(tuple(addresses), height))
    assert height == best
    if intervals:
        assert search(buffers, best - 1, 10_000) is None
        assert pack(intervals, best - 1).height >= best


@pytest.mark.parametrize(
    ("buffers", "least"),
    [
        ([(1, 2, 3), (4, 5, 3), (5, 5, 3), (4, 5, 2), (2, 4, 2), (3, 4, 2)], 9),
        ([(1, 3, 4), (3, 4, 3), (2, 3, 1), (4, 4, 2), (0, 1, 4), (1, 3, 3), (2, 4, 1)], 12),
        (ABOVE_THE_BOUND, 8),
    ],
)
def test_search_leaves_gaps_where_it_must(buffers: list[tuple[int, int, int]], least: int):
    """The first two are cases where a search without gaps fails; the least height of the third exceeds the bound, 7."""
    intervals = [Interval(*buffer) for buffer in buffers]
    assert optimum(intervals) == least
    assert search(buffers, least - 1, 10_000) is None
    addresses = search(buffers, least, 1000)
    assert addresses is not None
    check(intervals, Packing(tuple(addresses), least))


def test_the_search_is_needed_and_wins():
    """Rectangles cut into buffers: the bound is reachable, but most are beyond first fit."""
    beyond_first_fit = 0
    for seed in range(12):
        intervals = tight(seed, columns=12, capacity=4096, cuts=30)
        assert lower_bound(intervals)[0] == 4096
        first_fit = pack(intervals, 4096, nodes=0)
        packing = pack(intervals, 4096)
        check(intervals, first_fit)
        check(intervals, packing)
        assert packing.height == 4096
        beyond_first_fit += first_fit.height > 4096
    assert beyond_first_fit >= 6


def test_without_success_the_excess_is_small():
    """A search that runs out of nodes still lowers the height by asking for more than the capacity."""
    intervals = tight(0, columns=24, capacity=1 << 14, cuts=150)
    first_fit = pack(intervals, 1 << 14, nodes=0).height
    packing = pack(intervals, 1 << 14, nodes=2000)
    check(intervals, packing)
    assert 1 << 14 < packing.height < first_fit


@pytest.mark.parametrize("capacity", [0, 64, 1 << 30])
def test_degenerate(capacity: int):
    assert pack([], capacity) == Packing((), 0)
    assert pack([Interval(3, 7, 192)], capacity) == Packing((0,), 192)
    same = [Interval(2, 5, 64)] * 5
    packing = pack(same, capacity)
    check(same, packing)
    assert packing.height == 5 * 64
    empty = [Interval(0, 4, 0), Interval(1, 2, 64), Interval(2, 3, 0), Interval(2, 2, 128)]
    packing = pack(empty, capacity)
    check(empty, packing)
    assert packing.height == 192


def test_search_of_degenerate_problems():
    assert search([], 0, 10) == []
    assert search([(0, 0, 64)], 63, 10) is None
    assert search([(0, 0, 64)], 64, 10) == [0]
    assert search([(0, 0, 64)], 64, 0) is None
    assert search([(0, 3, 0), (1, 1, 64)], 64, 10) == [0, 0]


def network(layers: int) -> list[Interval]:
    """A residual network's activations in five stages of halving size: each alive to the next layer, or to its add."""
    return [
        Interval(i, i + (3 if i % 3 == 0 else 1), (ALIGNMENT * 4096) >> (5 * i // layers)) for i in range(layers)
    ]  # fmt: skip


@pytest.mark.parametrize("layers", [50, 1000])
def test_networks_reach_the_bound_fast(layers: int):
    intervals = [*network(layers), *(Interval(0, layers + 3, 4096) for _ in range(layers // 3))]
    bound, _ = lower_bound(intervals)
    seconds = []
    for _ in range(3):
        start = time.perf_counter()
        packing = pack(intervals, bound, nodes=0)
        seconds.append(time.perf_counter() - start)
    check(intervals, packing)
    assert packing.height == bound
    assert min(seconds) < 0.2  # 0.01 s on an idle machine; quadratic behaviour takes over a second


@pytest.mark.parametrize("seed", ["1", "2"])
def test_equal_inputs_give_equal_addresses(seed: str):
    """Whatever the hash seed, and with a search that restarts."""
    intervals = tight(5, columns=16, capacity=8192, cuts=60)
    script = f"from axir.passes.memory.packing import Interval, pack; print(pack({intervals}, 8192, nodes=2000))"
    environment = {**os.environ, "PYTHONHASHSEED": seed}
    done = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == str(pack(intervals, 8192, nodes=2000))


@pytest.mark.parametrize("name", ["A", "B", "C", "D", "F", "G", "J", "K"])
def test_hard_instances_of_minimalloc(name: str):
    with shared_path("reference", "minimalloc", f"{name}.1048576.csv").open(newline="") as lines:
        rows = list(csv.DictReader(lines))
    intervals = [Interval(int(row["lower"]), int(row["upper"]) - 1, int(row["size"])) for row in rows]
    packing = pack(intervals, 1048576)
    check(intervals, packing)
    assert packing.height <= 1048576
