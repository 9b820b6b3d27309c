"""What a program image holds, decoded: the whole input of the device model."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from axir.backends.aipu.encode import Wait
from axir.target import isa
from axir.target.description import Target
from axir.target.isa import Instruction, Memory


class Layer(NamedTuple):
    """What tasks work for: the ONNX node, its operator, the unit that does the work, and how many MACs it has."""

    name: str
    operator: str
    unit: str
    macs: int


@dataclass(frozen=True)
class Task:
    """One descriptor: an instruction with absolute addresses, the completions it waits for, the number of its layer."""

    instruction: Instruction
    waits: tuple[Wait, ...]
    layer: int


class Port(NamedTuple):
    """Where the host writes an input or reads an output; per-channel quantization has tuples of C numbers.

    Element (h, w, c) of the [1, C, H, W] tensor is the byte at offset + h * row_pitch + w * pitch + slot(c), where the
    channels come in `runs` of (count, first slot). A port in l1 is in that of core 0.
    """

    label: str
    memory: Memory
    offset: int
    shape: tuple[int, int, int, int]
    scale: float | tuple[float, ...]
    zero_point: int | tuple[int, ...]
    row_pitch: int
    pitch: int
    runs: tuple[tuple[int, int], ...]

    @property
    def bytes(self) -> int:
        """From the first byte of the first row to the last of the last, padding included."""
        return self.shape[2] * self.row_pitch

    @property
    def slots(self) -> list[int]:
        return [slot + index for count, slot in self.runs for index in range(count)]


@dataclass(frozen=True)
class Constant:
    """Bytes that are loaded with the image, once, and that no task may change. One in l1 is in that of every core."""

    label: str
    memory: Memory
    address: int
    data: NDArray[np.int8]

    @property
    def end(self) -> int:
        return self.address + self.data.size


Queues = Mapping[str, tuple[Task, ...]]
"""The tasks of one core by unit; all of `isa.UNITS` are there."""


@dataclass(frozen=True)
class Image:
    """One program: see docs/isa.md. `memory` is the size of the region it needs in each memory it uses, in bytes."""

    name: str
    target: str
    target_digest: str
    layers: tuple[Layer, ...]
    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]
    memory: dict[Memory, int]
    constants: tuple[Constant, ...]
    cores: tuple[Queues, ...]
    notes: dict[str, Any] = field(default_factory=dict[str, Any])


class TaskId(NamedTuple):
    """A descriptor by its place."""

    core: int
    unit: str
    number: int

    def __str__(self) -> str:
        return f"core {self.core} {self.unit}[{self.number}]"


def describe(image: Image, task: TaskId) -> str:
    """`core 0 array[12] (layer 3, "Conv_12")`, for messages."""
    layer = image.cores[task.core][task.unit][task.number].layer
    return f'{task} (layer {layer}, "{image.layers[layer].name}")'


def target_digest(target: Target) -> str:
    """A hash of every figure that a program may rely on. The clock is left out: it can be set when a program runs."""
    figures = dataclasses.asdict(dataclasses.replace(target, figures={}))
    del figures["device"]["frequency"]
    text = json.dumps([figures, isa.DESCRIPTOR_BYTES], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
