"""Several cores for tests: docs/isa.md, sections 2 and 12, read aloud over `SlowDevice`.

What a task touches is a set of single bytes, what is ordered is looked up in the transitive closure of queues and
waits, and tasks run in any order that the waits allow.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

import numpy as np
from unit.backend.slow_device import SlowDevice

from axir.backends.aipu.structure import Image, Port, Task, TaskId
from axir.target.isa import Dma, Instruction, Load, Mvm, Sync, Vec

Byte = tuple[str, int, int]
"""(memory, core or 0, address); of weight sets the address is row * 512 + column."""


def tasks_of(image: Image) -> dict[TaskId, Task]:
    return {
        TaskId(core, unit, number): task
        for core, queues in enumerate(image.cores)
        for unit, tasks in queues.items()
        for number, task in enumerate(tasks)
    }


class SlowMachine:
    """The cores of a program with the memories of the program; all bytes are `fill` at first."""

    def __init__(self, image: Image, rng: np.random.Generator):
        self.image, self.rng = image, rng
        shared = {m: np.zeros(image.memory.get(m, 0), np.int8) for m in ("l2", "ddr")}
        self.cores = [
            SlowDevice({**shared, "l1": np.zeros(image.memory["l1"], np.int8)}, np.zeros((2048, 512), np.int8))
            for _ in image.cores
        ]
        for constant in image.constants:
            for core in self.cores:
                core.memories[constant.memory][constant.address : constant.end] = constant.data

    def write(self, port: Port, tensor: np.ndarray) -> None:
        memory = self.cores[port.core].memories[port.memory]
        _, channels, height, width = port.shape
        memory[port.offset : port.offset + height * port.row_pitch] = 0
        for c, h, w in product(range(channels), range(height), range(width)):
            memory[port.offset + h * port.row_pitch + w * port.pitch + c] = tensor[0, c, h, w]

    def run(self) -> None:
        """All tasks, each time a random one of those that may run."""
        heads = {(core, unit): 0 for core, queues in enumerate(self.image.cores) for unit in queues}
        while True:
            ready = [
                (core, unit)
                for (core, unit), head in heads.items()
                if head < len(self.image.cores[core][unit])
                and all(heads[w.core, w.unit] >= w.completed for w in self.image.cores[core][unit][head].waits)
            ]
            if not ready:
                break
            core, unit = ready[self.rng.integers(len(ready))]
            self.carry_out(core, self.image.cores[core][unit][heads[core, unit]].instruction)
            heads[core, unit] += 1
        assert all(head == len(self.image.cores[core][unit]) for (core, unit), head in heads.items())

    def carry_out(self, core: int, instruction: Instruction) -> None:
        if isinstance(instruction, Dma) and instruction.cores:
            content = [(a, self.cores[core].memories[instruction.src.memory][b]) for a, b in _pairs(instruction)]
            for number, one in enumerate(self.cores):
                if instruction.cores >> number & 1:
                    for place, value in content:
                        one.memories["l1"][place] = value
        elif not isinstance(instruction, Sync):
            self.cores[core].run(instruction)


def _pairs(d: Dma) -> Iterator[tuple[int, int]]:
    """(address written, address read) of every byte of a copy."""
    for k, j, i, b in product(range(d.count2), range(d.count1), range(d.count0), range(d.row_bytes)):
        written = d.dst.offset + i * d.dst_step0 + j * d.dst_step1 + k * d.dst_step2 + b
        yield written, d.src.offset + i * d.src_step0 + j * d.src_step1 + k * d.src_step2 + b


def touched(core: int, instruction: Instruction) -> tuple[set[Byte], set[Byte]]:
    """The bytes that a task of a core reads and writes. Of windows only those of one tap and one row."""

    def at(memory: str, address: int, number: int = core) -> Byte:
        return memory, number if memory in ("l1", "sets") else 0, address

    match instruction:
        case Dma() as d:
            fed = [number for number in range(8) if d.cores >> number & 1] or [core]
            pairs = list(_pairs(d))
            written = {at(d.dst.memory, a, number) for number in fed for a, _ in pairs}
            return {at(d.src.memory, b) for _, b in pairs}, written
        case Load() as d:
            read = {at("l1", d.src.offset + n) for n in range(d.segment_rows * d.columns)}
            cells = product(range(d.row, d.row + d.segment_rows), range(d.columns))
            return read, {at("sets", 512 * row + column) for row, column in cells}
        case Mvm() | Vec() as d:
            assert d.out is not None
            read = {at("l1", d.src.offset + d.x_step * v + n) for v in range(d.vectors) for n in range(64 * d.blocks)}
            written = {at("l1", d.out.offset + d.out_pitch * v + n) for v in range(d.pixels) for n in range(64)}
            if isinstance(d, Mvm):
                rows = range(d.row, d.row + d.matrix_rows)
                read |= {at("sets", 512 * row + column) for row, column in product(rows, range(64))}
            return read, written
        case _:
            assert isinstance(instruction, Sync)
            return set(), set()


def granule(byte: Byte) -> Byte:
    """What order is kept by."""
    return byte[0], byte[1], byte[2] // 64


def legal(image: Image) -> bool:
    """Whether nothing is read that was not written, constants stay, and all that touch a pword are ordered."""
    tasks = tasks_of(image)
    before = {one: set[TaskId]() for one in tasks}
    changed = True
    while changed:  # the transitive closure, until nothing is new
        changed = False
        for one, task in tasks.items():
            direct = {TaskId(w.core, w.unit, number) for w in task.waits for number in range(w.completed)}
            direct |= {TaskId(one.core, one.unit, number) for number in range(one.number)}
            reached = direct.union(*(before[other] for other in direct))
            changed |= reached != before[one]
            before[one] = reached
    reads = {one: touched(one.core, task.instruction)[0] for one, task in tasks.items()}
    writes = {one: touched(one.core, task.instruction)[1] for one, task in tasks.items()}
    read_granules = {one: set(map(granule, found)) for one, found in reads.items()}
    write_granules = {one: set(map(granule, found)) for one, found in writes.items()}
    constant = {
        (constant.memory, 0, address // 64)
        for constant in image.constants
        for address in range(constant.address, constant.end)
    }
    given = {
        (port.memory, port.core, address)
        for port in image.inputs
        for address in range(port.offset, port.offset + port.bytes)
    } | {(memory, core, 64 * number + n) for memory, core, number in constant for n in range(64)}
    for one in tasks:
        if write_granules[one] & (constant | read_granules[one]):
            return False
        if reads[one] - given - set().union(*(writes[other] for other in before[one])):
            return False
        for other in tasks:
            apart = other != one and other not in before[one] and one not in before[other]
            if apart and write_granules[one] & (write_granules[other] | read_granules[other]):
                return False
    return True
