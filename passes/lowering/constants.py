"""Constants of layers: where their bytes are before anything is copied to L1."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from axir.passes.lowering.jobs import Buffer, Job, move
from axir.passes.lowering.network import Layer
from axir.target.isa import Memory

Part = Callable[[], NDArray[np.uint8]]


class ConstantBlock:
    """Constants of one layer or of several: parameter blocks in bytes [0, `split`), weights in [`split`, `size`).

    One buffer where both live in one memory, else one for each.
    """

    def __init__(self, label: str, split: int, size: int, parameters: Memory, weights: Memory):
        self.size = size
        self.parts = [(0, Buffer(f"{label}.constants", parameters if split == size else weights, size, parts=[]))]
        if 0 < split < size and parameters != weights:
            self.parts = [
                (0, Buffer(f"{label}.parameters", parameters, split, parts=[])),
                (split, Buffer(f"{label}.constants", weights, size - split, parts=[])),
            ]

    @property
    def in_l1(self) -> Buffer | None:
        """The buffer, if it lives in L1, where nothing need be copied."""
        buffer = self.parts[0][1]
        return buffer if buffer.memory == "l1" else None

    def find(self, offset: int) -> tuple[Buffer, int]:
        """The buffer that holds a byte, and its offset there."""
        start, buffer = next(part for part in reversed(self.parts) if part[0] <= offset)
        return buffer, offset - start

    def add(self, offset: int, part: Part) -> None:
        """Bytes from `offset` on, made when the program is written."""
        buffer, place = self.find(offset)
        assert buffer.parts is not None
        buffer.parts.append((place, part))

    def copies(self, target: Buffer, queue: str, layer: int) -> list[Job]:
        """Copies that fill `target` with the block's first bytes."""
        jobs: list[Job] = []
        for start, buffer in self.parts:
            size = min(target.size - start, buffer.size)
            if size > 0:
                jobs.append(move(buffer, 0, target, start, size, queue, layer))
        return jobs


def vector_constant_bytes(layers: Sequence[Layer], table: int) -> int:
    """Bytes of all parameter blocks, and of the tables, each of `table` bytes and shared by the layers that use it."""
    tables = {layer.code.table for layer in layers if layer.code.table is not None}
    return sum(layer.parameter_bytes for layer in layers) + len(tables) * table
