"""How DMA copies that run at the same time share the memories: max-min fairness, as a fluid.

Every copy goes as fast as the narrowest of its resources allows, and a full resource is shared equally by the copies
that nothing else holds back (Bertsekas and Gallager, Data Networks, section 6.5.2). Rates are fractions, so that no
cycle count depends on how floating point rounds.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from typing import NamedTuple

from axir.target.description import Target
from axir.target.isa import SYSTEM_DMA, Dma


class Resource(NamedTuple):
    """`in` and `out` are the two directions of a core's DMA; `l2`, `ddr` and `sysdma` belong to the device."""

    name: str
    core: int = 0

    def __str__(self) -> str:
        return f"core{self.core}_{self.name}" if self.name in ("in", "out") else self.name


Demand = Counter[Resource]
"""What a copy takes for every byte that it moves."""


def demand(dma: Dma, core: int, unit: str, first_core: int = 0) -> Demand:
    """The resources of a copy on a queue of `core` of a program whose core 0 is `first_core` of the device.

    A multicast takes its source once, and the way into each core that it feeds.
    """
    taken: Demand = Counter()
    if unit == SYSTEM_DMA:
        return Counter((Resource(SYSTEM_DMA), Resource(dma.src.memory), Resource(dma.dst.memory)))
    if dma.src.memory != "l1":
        for fed in dma.fed_cores or (core,):
            taken[Resource("in", first_core + fed)] += 1
        taken[Resource(dma.src.memory)] += 1
    if dma.dst.memory != "l1":
        taken[Resource("out", first_core + core)] += 1
        taken[Resource(dma.dst.memory)] += 1
    if not taken:
        taken[Resource("in", first_core + core)] = taken[Resource("out", first_core + core)] = 1
    return taken


def capacity(resource: Resource, target: Target) -> Fraction:
    """Bytes a cycle."""
    if resource.name == "l2":
        return Fraction(target.l2.bandwidth)
    if resource.name == SYSTEM_DMA:
        return Fraction(target.sysdma.bandwidth)
    if resource.name == "ddr":
        return Fraction(target.ddr.bandwidth, target.device.frequency)
    return Fraction(target.dma.bandwidth)


def fair_rates(demands: Sequence[Demand], capacities: Mapping[Resource, Fraction]) -> list[Fraction]:
    """Bytes a cycle of each copy: all rates rise together until a resource is full, which fixes those that use it."""
    rates = [Fraction(0)] * len(demands)
    left = {resource: capacities[resource] for taken in demands for resource in taken}
    rising = set(range(len(demands)))
    while rising:
        load: Demand = Counter()
        for index in sorted(rising):
            load.update(demands[index])
        step = min(left[resource] / count for resource, count in load.items())
        for resource, count in load.items():
            left[resource] -= step * count
        for index in sorted(rising):
            rates[index] += step
            if any(not left[resource] for resource in demands[index]):
                rising.discard(index)
    return rates


Rate = tuple[int, int]
"""Bytes a cycle, as numerator and denominator."""


class Shares(NamedTuple):
    """How the copies that run at the same time get on: rates by kind of copy, and the part of each resource in use."""

    rates: Mapping[int, Rate]
    loads: Mapping[str, float]


class Sharing:
    """The shares of one device. Copies that take the same are of one kind, and as fast as each other; and as they come
    in few combinations, each is worked out once.
    """

    def __init__(self, target: Target):
        self._target = target
        self._kinds: dict[tuple[tuple[Resource, int], ...], int] = {}
        self._demands: list[Demand] = []
        self._known: dict[tuple[int, ...], Shares] = {}

    def kind(self, taken: Demand) -> int:
        """The number of the kind of copy that takes this."""
        number = self._kinds.setdefault(tuple(sorted(taken.items())), len(self._demands))
        if number == len(self._demands):
            self._demands.append(taken)
        return number

    def __call__(self, kinds: Iterable[int]) -> Shares:
        """Of copies of these kinds at the same time."""
        key = tuple(sorted(kinds))
        if key not in self._known:
            self._known[key] = self._shares(key)
        return self._known[key]

    def _shares(self, kinds: Sequence[int]) -> Shares:
        demands = [self._demands[kind] for kind in kinds]
        capacities = {resource: capacity(resource, self._target) for taken in demands for resource in taken}
        rates = fair_rates(demands, capacities)
        used: dict[Resource, Fraction] = dict.fromkeys(capacities, Fraction(0))
        for taken, rate in zip(demands, rates, strict=True):
            for resource, times in taken.items():
                used[resource] += rate * times
        loads = {str(resource): float(used[resource] / capacities[resource]) for resource in sorted(used)}
        ratios = {kind: rate.as_integer_ratio() for kind, rate in zip(kinds, rates, strict=True)}
        return Shares(ratios, loads)
