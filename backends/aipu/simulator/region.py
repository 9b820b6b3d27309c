"""Where programs live on a device that several share: a region of cores, L2 and DDR each, disjoint from all others.

An image is position independent: its addresses count from the bases of its region, which whoever loads it chooses.
"""

from __future__ import annotations

from dataclasses import dataclass
from threading import Lock

import numpy as np

from axir.backends.aipu.structure import Image
from axir.ir.diagnostics import AxirError
from axir.numerics import I8
from axir.target.description import Target
from axir.target.isa import Memory

SHARED: tuple[Memory, ...] = ("l2", "ddr")
"""The memories of a device that all cores share."""


@dataclass(frozen=True)
class Region:
    """What one instance of a program has of a device; bases and sizes in bytes, all whole pages.

    The program's core c is core `first_core` + c of the device.
    """

    first_core: int = 0
    l2_base: int = 0
    l2_size: int = 0
    ddr_base: int = 0
    ddr_size: int = 0

    def span(self, memory: Memory) -> tuple[int, int]:
        """[first byte, one past the last) in one of the shared memories."""
        base, size = (self.l2_base, self.l2_size) if memory == "l2" else (self.ddr_base, self.ddr_size)
        return base, base + size

    def room(self, memory: Memory) -> int:
        """Bytes that it has of one of the shared memories."""
        start, end = self.span(memory)
        return end - start

    def check(self, image: Image, target: Target) -> None:
        """Raise `AxirError` where it is not made of whole pages, or the device does not have it."""
        last = self.first_core + len(image.cores) - 1
        if self.first_core < 0 or last >= target.device.cores:
            raise AxirError(
                f"program '{image.name}' is to run on cores {self.first_core} to {last}, {target.name} has "
                f"{target.device.cores}"
            )
        for memory in SHARED:
            start, end = self.span(memory)
            size = target.l2.size if memory == "l2" else target.ddr.size
            what = f"the region of program '{image.name}' in {memory}, [0x{start:x}, 0x{end:x})"
            if start % target.device.page or end % target.device.page:
                raise AxirError(f"{what}, is not made of whole pages of {target.device.page} bytes")
            if not 0 <= start <= end <= size:
                raise AxirError(f"{what}, is not within the {size} bytes of {target.name}")


def place(image: Image, region: Region) -> str:
    """An instance by its program and cores, for messages."""
    cores = range(region.first_core, region.first_core + len(image.cores))
    name = image.notes.get("model", image.name)  # programs are all called after their part of a network
    return f"program '{name}' on core{'s' * (len(cores) > 1)} {', '.join(map(str, cores))}"


def check_disjoint(one: tuple[Image, Region], other: tuple[Image, Region], same_owner: bool = False) -> None:
    """Raise `AxirError`, naming both, where two instances share memory; or a core, unless they take it in turns."""
    both = f"{place(*one)} and {place(*other)}"
    cores = [set(range(region.first_core, region.first_core + len(image.cores))) for image, region in (one, other)]
    shared = sorted(cores[0] & cores[1])
    if shared and not same_owner:
        raise AxirError(f"{both} share core {shared[0]}")
    for memory in SHARED:
        (start, end), (other_start, other_end) = one[1].span(memory), other[1].span(memory)
        low, high = max(start, other_start), min(end, other_end)
        if low < high:
            raise AxirError(f"{both} overlap in {memory}, [0x{low:x}, 0x{high:x})")


class DeviceMemory:
    """L2 and DDR of one device, and which instances of programs are on it.

    The arrays are as long as the memories, but a page takes memory of the host only once it is touched. Instances in
    disjoint regions may run in threads of their own.
    """

    def __init__(self, target: Target):
        self.target = target
        self.memories: dict[Memory, I8] = {
            "l2": np.zeros(target.l2.size, np.int8),
            "ddr": np.zeros(target.ddr.size, np.int8),
        }
        self._lock = Lock()
        self._claims: list[tuple[Image, Region, object]] = []

    def claim(self, image: Image, region: Region, owner: object = None) -> None:
        """Reserve a region for an instance of a program. Programs of one `owner` run one after another: they may share
        cores, not memory.

        Raises `AxirError` where the device does not have the region, or an instance on it has a part of it.
        """
        region.check(image, self.target)
        with self._lock:
            for known, there, whose in self._claims:
                check_disjoint((image, region), (known, there), owner is not None and whose is owner)
            self._claims.append((image, region, owner))

    def release(self, image: Image, region: Region) -> None:
        """Give a region back; without effect where the instance does not have it."""
        with self._lock:
            self._claims = [claim for claim in self._claims if claim[0] is not image or claim[1] != region]

    @property
    def claims(self) -> tuple[tuple[Image, Region], ...]:
        """The instances on the device, in the order in which they came."""
        with self._lock:
            return tuple((image, region) for image, region, _ in self._claims)

    def view(self, region: Region) -> dict[Memory, I8]:
        """The shared memories as an instance sees them: its region alone, from address 0 on."""
        return {memory: self.memories[memory][slice(*region.span(memory))] for memory in SHARED}
