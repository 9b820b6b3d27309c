"""What a program image holds, decoded: the whole input of the device model."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from axir.backends.aipu.encode import Wait
from axir.target import isa
from axir.target.description import Target
from axir.target.isa import Instruction, Memory, Mode

Order = Literal["NHWC", "NCHW"]
"""How the bytes of a port lie: pixels of channels, padded to pwords, or the dense tensor."""


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
    channels come in `runs` of (count, first slot). In order "NCHW" it is that of the dense tensor: row_pitch is W,
    pitch 1, and channels are H * W bytes apart. A batch program has the ports of `frame` 0, 1, ... one after the other.
    A port in l1 is in that of the core which has the number of its frame.
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
    order: Order = "NHWC"
    frame: int = 0

    @property
    def core(self) -> int:
        """The core whose memories it is in; l2 and ddr are those of all."""
        return self.frame if self.memory == "l1" else 0

    @property
    def bytes(self) -> int:
        """From the first byte of the first row to the last of the last, padding included."""
        planes = self.shape[1] if self.order == "NCHW" else 1
        return planes * self.shape[2] * self.row_pitch

    def walks(self) -> Iterator[tuple[list[tuple[int, int]], int]]:
        """Where the elements lie: for each run, (count, step) of channels, rows and pixels, and its first byte."""
        _, channels, height, width = self.shape
        if self.order == "NCHW":
            yield [(channels, height * width), (height, width), (width, 1)], 0
            return
        for count, slot in self.runs:
            yield [(count, 1), (height, self.row_pitch), (width, self.pitch)], slot


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


class Code(NamedTuple):
    """Where the descriptors of one queue live; with `preload` they are copied to the system's part of L2 each frame.

    Descriptors of a queue that no entry names are not in the program's memory.
    """

    core: int
    unit: str
    memory: Memory
    address: int
    preload: bool


Queues = Mapping[str, tuple[Task, ...]]
"""The tasks of one core by unit; all of `isa.UNITS` are there."""


@dataclass(frozen=True)
class Image:
    """One program: see docs/isa.md. `memory` is the size of the region it needs in each memory it uses, in bytes.

    `mode` says how its cores share the work.

    `dispatch` is empty where units wait for counts themselves. Else it has, for each core, the units of its tasks in
    the order in which its control core hands them out.
    """

    name: str
    target: str
    target_digest: str
    layers: tuple[Layer, ...]
    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]
    memory: dict[Memory, int]
    constants: tuple[Constant, ...]
    cores: tuple[Queues, ...]
    code: tuple[Code, ...] = ()
    dispatch: tuple[tuple[str, ...], ...] = ()
    notes: dict[str, Any] = field(default_factory=dict[str, Any])
    mode: Mode = "single"

    @property
    def frames(self) -> int:
        """How many frames one run takes."""
        return max((port.frame for port in (*self.inputs, *self.outputs)), default=0) + 1

    def code_end(self, code: Code) -> int:
        """One past the last byte of a queue's descriptors."""
        return code.address + isa.DESCRIPTOR_BYTES * len(self.cores[code.core][code.unit])

    def code_bytes(self, memory: Memory, preload: bool = False) -> int:
        """Bytes of the descriptors that live in a memory, and are copied to L2 before the frame or not."""
        chosen = (code for code in self.code if (code.memory, code.preload) == (memory, preload))
        return sum(self.code_end(code) - code.address for code in chosen)


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
