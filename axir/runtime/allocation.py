"""Who has which cores and which bytes of a device: what instances of models are given, and give back."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from threading import Lock
from typing import NamedTuple

from axir.backends.aipu.simulator import Region
from axir.backends.aipu.structure import Image
from axir.runtime.errors import DeviceInUse
from axir.target.description import Target

SYSTEM = "system"
"""The owner of what the target description reserves."""


class Extent(NamedTuple):
    """Bytes [start, end) of a memory, and what they are for."""

    memory: str
    start: int
    end: int
    owner: str


@dataclass(frozen=True)
class Need:
    """Bytes that one program takes: its region, and beside it second sets of ports and preloaded task lists."""

    l2: int
    ddr: int
    l2_beside: int = 0
    ddr_beside: int = 0

    @staticmethod
    def of(image: Image, target: Target) -> Need:
        """In whole pages."""
        second = {str(memory): int(size) for memory, size in dict(image.notes.get("second_set", {})).items()}
        lists = image.code_bytes("ddr", preload=True)
        sizes = (
            image.memory.get("l2", 0), image.memory.get("ddr", 0), second.get("l2", 0) + lists, second.get("ddr", 0),
        )  # fmt: skip
        page = target.device.page
        return Need(*(-(-size // page) * page for size in sizes))


@dataclass(frozen=True)
class Holding:
    """What an instance has: cores from `first_core` on, a region for each of its programs, and extents of memory."""

    owner: str
    first_core: int
    cores: int
    regions: tuple[Region, ...]
    extents: tuple[Extent, ...]


@dataclass
class Allocator:
    """One device's cores, L2 and DDR. Safe to use from several threads."""

    target: Target
    _holdings: list[Holding] = field(default_factory=list[Holding])
    _lock: Lock = field(default_factory=Lock)

    def take(self, owner: str, images: Sequence[Image], allowed: Iterable[int]) -> Holding:
        """Neighbouring cores among the `allowed`, and memory for all programs of a model, which share the cores.

        Raises `DeviceInUse` that says who has what, and how much is free.
        """
        count = max(len(image.cores) for image in images)
        with self._lock:
            first = self._free_cores(owner, count, sorted(allowed))
            extents: list[Extent] = []
            regions: list[Region] = []
            for image in images:
                need = Need.of(image, self.target)
                l2 = self._free_bytes(owner, "l2", need.l2 + need.l2_beside, extents)
                ddr = self._free_bytes(owner, "ddr", need.ddr + need.ddr_beside, extents)
                extents += [extent for extent in (l2, ddr) if extent.start < extent.end]
                regions.append(Region(first, l2.start, need.l2, ddr.start, need.ddr))
            holding = Holding(owner, first, count, tuple(regions), tuple(extents))
            self._holdings.append(holding)
            return holding

    def give_back(self, holding: Holding) -> None:
        """Without effect where it was given back already."""
        with self._lock:
            self._holdings = [other for other in self._holdings if other is not holding]

    def holdings(self) -> tuple[Holding, ...]:
        """What instances have, in the order in which they came."""
        with self._lock:
            return tuple(self._holdings)

    def memory_map(self) -> list[Extent]:
        """Every byte of L2 and DDR that is taken, by memory and address; what the system reserves comes first."""
        found: list[Extent] = []
        for memory in ("l2", "ddr"):
            taken = [extent for holding in self.holdings() for extent in holding.extents if extent.memory == memory]
            found += [Extent(memory, 0, self._reserved(memory), SYSTEM), *sorted(taken, key=lambda e: e.start)]
        return found

    def free(self, memory: str) -> int:
        """Bytes that nobody has."""
        return self._size(memory) - sum(e.end - e.start for e in self.memory_map() if e.memory == memory)

    def _size(self, memory: str) -> int:
        return self.target.l2.size if memory == "l2" else self.target.ddr.size

    def _reserved(self, memory: str) -> int:
        """What the system has at the start of a memory, in whole pages."""
        page = self.target.device.page
        return -(-(self.target.l2.reserved if memory == "l2" else self.target.ddr.reserved) // page) * page

    def _free_cores(self, owner: str, count: int, allowed: Sequence[int]) -> int:
        taken = {core for h in self._holdings for core in range(h.first_core, h.first_core + h.cores)}
        free = [core for core in allowed if core not in taken]
        for first in free:
            if all(core in free for core in range(first, first + count)):
                return first
        cores = "core" if count == 1 else "neighbouring cores"
        raise DeviceInUse(
            f"'{owner}' needs {count} {cores}; {len(free)} of the connection's {len(allowed)} are free",
            notes=self._owners(),
        )

    def _free_bytes(self, owner: str, memory: str, size: int, more: Sequence[Extent]) -> Extent:
        """The lowest place for `size` bytes, beside what is taken and `more`."""
        taken = [e for holding in self._holdings for e in holding.extents] + list(more)
        start = self._reserved(memory)
        for extent in sorted((e for e in taken if e.memory == memory), key=lambda e: e.start):
            if extent.start - start >= size:
                break
            start = max(start, extent.end)
        if start + size > self._size(memory):
            free = self._size(memory) - self._reserved(memory)
            free -= sum(e.end - e.start for e in taken if e.memory == memory)
            raise DeviceInUse(
                f"'{owner}' needs {size:,} bytes of {memory}; {free:,} are free"
                f"{', but not in one piece' if free >= size else ''}",
                notes=(
                    *self._owners(),
                    "compile with a smaller resources_used, so that programs fit beside each other",
                ),
            )
        return Extent(memory, start, start + size, owner)

    def _owners(self) -> tuple[str, ...]:
        return tuple(map(_described, self._holdings))


def _described(holding: Holding) -> str:
    cores = ", ".join(map(str, range(holding.first_core, holding.first_core + holding.cores)))
    parts = [f"core{'s' * (holding.cores > 1)} {cores}"]
    for memory in ("l2", "ddr"):
        size = sum(extent.end - extent.start for extent in holding.extents if extent.memory == memory)
        parts.append(f"{size:,} bytes of {memory}")
    return f"'{holding.owner}' has {', '.join(parts)}"
