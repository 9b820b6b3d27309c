"""Activations on the device: channel layout, views and storage.

A tensor lies in a storage as NHWC bytes. Its channels come in runs, each starting on a pword: a concatenation of 8 and
8 channels is the runs (8 at 0), (8 at 64), so concatenating never moves a byte, and whoever reads it puts its weights
where the channels are. Several tensors may be views of one storage.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from axir.target.isa import PWORD, Memory

Runs = tuple[tuple[int, int], ...]
"""(count, slot) of consecutive channels; slots are bytes in a pixel, multiples of the pword (0 where sub-word)."""


def align(size: int, unit: int = PWORD) -> int:
    return -(-size // unit) * unit


def dense(channels: int) -> Runs:
    return ((channels, 0),)


def runs_width(runs: Runs) -> int:
    """Bytes of a pixel that the runs span, padded to pwords."""
    return max(align(slot + count) for count, slot in runs)


def concat_runs(parts: Sequence[Runs]) -> Runs:
    """Runs of a concatenation along channels: each part after the padded end of the one before."""
    result: list[tuple[int, int]] = []
    base = 0
    for runs in parts:
        for count, slot in runs:
            last = result[-1] if result else None
            if last is not None and last[1] + last[0] == base + slot:
                result[-1] = (last[0] + count, last[1])
            else:
                result.append((count, base + slot))
        base += runs_width(runs)
    return tuple(result)


def slots(runs: Runs) -> NDArray[np.int64]:
    """Slot of every channel, in channel order."""
    return np.concatenate([slot + np.arange(count) for count, slot in runs])


@dataclass(eq=False)
class Storage:
    """Bytes that one or more tensors share: `rows` rows of `row_pitch` bytes, pixels `pitch` bytes apart."""

    label: str
    rows: int
    row_pitch: int
    pitch: int
    port: str | None = None  # "input" or "output": the host reads or writes it, so it cannot live in L1
    home: Memory = "l1"
    shared: str | None = None  # by what name the programs of several cores know it; then its home is given
    data: Callable[[], NDArray[np.int8]] | None = None  # what a constant holds, made when it is written
    first: int = -1  # first and last layer that touches it
    last: int = -1

    @property
    def size(self) -> int:
        return align(self.rows * self.row_pitch)

    def touch(self, layer: int) -> None:
        self.first = layer if self.first < 0 else min(self.first, layer)
        self.last = max(self.last, layer)


def port_name(storage: Storage) -> str:
    """How all cores call the storage of an input or output."""
    return f"{storage.port}.{storage.label}"


@dataclass(eq=False)
class Tensor:
    """A view of a storage: `height` x `width` pixels from `offset` on, channels in `runs` (relative to the offset)."""

    label: str
    channels: int
    height: int
    width: int
    runs: Runs
    storage: Storage
    offset: int = 0
    producer: int = -1  # layer that writes it; -1: the host
    order: Literal["NHWC", "NCHW"] = "NHWC"  # NCHW: dense, as a host that does no layout has it

    @property
    def pitch(self) -> int:
        return self.storage.pitch

    @property
    def row_pitch(self) -> int:
        return self.storage.row_pitch

    @property
    def sub_word(self) -> bool:
        """Several pixels share a pword (first layers with few channels)."""
        return self.pitch < PWORD

    @property
    def blocks(self) -> int:
        """Pwords of a pixel that hold this tensor's channels."""
        return runs_width(self.runs) // PWORD

    @property
    def row_bytes(self) -> int:
        return self.width * self.pitch

    @property
    def contiguous(self) -> bool:
        """Whether pixel follows pixel also from row to row."""
        return self.height == 1 or self.row_pitch == self.row_bytes

    @property
    def whole(self) -> bool:
        """Whether the tensor is all of its storage."""
        storage = self.storage
        size = (storage.rows, storage.row_pitch, storage.pitch)
        return self.offset == 0 and (
            self.sub_word or size == (self.height, align(self.width * self.blocks * PWORD), self.blocks * PWORD)
        )

    @property
    def slots(self) -> NDArray[np.int64]:
        return slots(self.runs)


def dense_port(label: str, channels: int, height: int, width: int, port: str) -> Tensor:
    """A tensor that the host writes or reads in order NCHW, without padding."""
    storage = Storage(label, channels * height, width, 1, port)
    return Tensor(label, channels, height, width, dense(channels), storage, order="NCHW")


def new_storage(label: str, height: int, width: int, pitch: int, port: str | None = None) -> Storage:
    return Storage(label, height, align(width * pitch), pitch, port)
