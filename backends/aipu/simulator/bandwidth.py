"""How DMA copies that run at the same time share the memories: max-min fairness, as a fluid.

Every copy goes as fast as the narrowest of its resources allows, and a full resource is shared equally by the copies
that nothing else holds back (Bertsekas and Gallager, Data Networks, section 6.5.2). Rates are fractions, so that no
cycle count depends on how floating point rounds.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from functools import cache
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


Taken = tuple[tuple[Resource, int], ...]
"""A demand that can be looked up, in the order of resources."""


@cache
def taken(dma: Dma, core: int, unit: str, first_core: int = 0) -> Taken:
    """`demand` for looking up."""
    return tuple(sorted(demand(dma, core, unit, first_core).items()))


class Shares(NamedTuple):
    """How the copies that run at the same time get on.

    `rates` are bytes a cycle by what a copy takes: those that take the same are as fast as each other. `loads` are the
    shares of the resources in use.
    """

    rates: Mapping[Taken, Fraction]
    loads: Mapping[str, float]


class Sharing:
    """The shares of one device. Copies come in few combinations, so each is worked out once."""

    def __init__(self, target: Target):
        self._target = target
        self._known: dict[frozenset[tuple[Taken, int]], Shares] = {}

    def __call__(self, flows: Iterable[Taken]) -> Shares:
        counts = Counter(flows)
        key = frozenset(counts.items())
        if key not in self._known:
            self._known[key] = self._shares(sorted(counts.elements()))
        return self._known[key]

    def _shares(self, flows: Sequence[Taken]) -> Shares:
        demands = [Counter(dict(flow)) for flow in flows]
        capacities = {resource: capacity(resource, self._target) for flow in flows for resource, _ in flow}
        rates = fair_rates(demands, capacities)
        used: dict[Resource, Fraction] = dict.fromkeys(capacities, Fraction(0))
        for flow, rate in zip(flows, rates, strict=True):
            for resource, times in flow:
                used[resource] += rate * times
        loads = {str(resource): float(used[resource] / capacities[resource]) for resource in sorted(used)}
        return Shares(dict(zip(flows, rates, strict=True)), loads)
