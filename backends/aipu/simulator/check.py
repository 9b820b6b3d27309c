"""Static analysis of an image, valid for every input: what a device would do wrong without a word is an error here.

Addresses outside of the program's memory, reads of bytes that nothing has written, writes over constants and
descriptors, races between queues, deadlocks, and demands that the device does not meet. docs/isa.md, "Strictness",
lists the rules.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from axir.backends.aipu.accesses import SETS, Access, ByteMasks, accesses
from axir.backends.aipu.accesses import Region as Granules
from axir.backends.aipu.order import Step, unit_number
from axir.backends.aipu.simulator.region import SHARED, Region
from axir.backends.aipu.simulator.shadow import Hazard, Shadow
from axir.backends.aipu.structure import Code, Image, Port, TaskId, describe
from axir.ir.diagnostics import AxirError
from axir.target import isa
from axir.target.cost import ceil_div
from axir.target.description import Target
from axir.target.isa import COLUMN_BLOCKS, PWORD, Depthwise, Dma, Memory


def memory_size(memory: Memory, target: Target) -> int:
    return {"l1": target.l1.size, "l2": target.l2.size, "ddr": target.ddr.size}[memory]


def check(image: Image, steps: Sequence[Step], target: Target, region: Region | None = None) -> None:
    """Check the image, whose tasks are `steps` in an order that agrees with happens-before.

    Without a region it has the device for itself. Raises `AxirError`.
    """
    limits = _limits(image, region)
    _check_device(image, target, limits)
    checker = _Checker(image, target, limits)
    for step in steps:
        checker.task(step)
    for port in image.outputs:
        checker.output(port)
    for memory, size in image.memory.items():
        if size > limits[memory]:
            raise AxirError(f"the program needs {size} bytes of {memory}, its region has {limits[memory]}")


def _limits(image: Image, region: Region | None) -> dict[Memory, int]:
    """Bytes of each memory that the program may reach."""
    limits: dict[Memory, int] = {memory: image.memory.get(memory, 0) for memory in isa.MEMORIES}
    if region is not None:
        limits |= {memory: min(limits[memory], region.room(memory)) for memory in SHARED}
    return limits


def _check_device(image: Image, target: Target, limits: Mapping[Memory, int]) -> None:
    if not 1 <= len(image.cores) <= target.device.cores:
        raise AxirError(f"the program is for {len(image.cores)} cores, {target.name} has {target.device.cores}")
    for memory, size in image.memory.items():
        if size > memory_size(memory, target):
            raise AxirError(
                f"the program needs {size} bytes of {memory}, {target.name} has {memory_size(memory, target)}"
            )
    preloaded = image.code_bytes("ddr", preload=True)
    if image.memory.get("l2", 0) + preloaded > target.l2.size:
        raise AxirError(
            f"the program needs {image.memory.get('l2', 0)} bytes of l2 and {preloaded} for its task lists, "
            f"{target.name} has {target.l2.size}"
        )
    for port in (*image.inputs, *image.outputs):
        if port.offset % PWORD or (port.order == "NHWC" and port.row_pitch % PWORD):
            raise AxirError(f"port '{port.label}': its rows do not start at multiples of {PWORD} bytes")
        if port.offset + port.bytes > limits[port.memory]:
            raise AxirError(f"port '{port.label}' lies outside of the program's {port.memory}")
        if port.core >= len(image.cores):
            raise AxirError(f"port '{port.label}' is in l1 of core {port.core}, the program has {len(image.cores)}")
    _check_frames(image)
    for constant in image.constants:
        if constant.address % PWORD or constant.data.size % PWORD:
            raise AxirError(f"constant '{constant.label}' is not made of whole pwords")
        if constant.end > limits[constant.memory]:
            raise AxirError(f"constant '{constant.label}' lies outside of the program's {constant.memory}")
    _check_code(image, limits)


def _check_frames(image: Image) -> None:
    """The ports of a batch program are those of one frame, as often as it takes frames."""
    if image.frames > 1 and image.mode != "batch":
        raise AxirError(f"a program of mode {image.mode} takes one frame a run, its ports are for {image.frames}")
    for what, ports in (("inputs", image.inputs), ("outputs", image.outputs)):
        for frame in range(image.frames):
            found = [(port.label, port.shape, port.order) for port in ports if port.frame == frame]
            if found != [(port.label, port.shape, port.order) for port in ports if port.frame == 0]:
                raise AxirError(f"the {what} of frame {frame} are not those of frame 0")
        if [port.frame for port in ports] != sorted(port.frame for port in ports):
            raise AxirError(f"the {what} are not in the order of frames")


def _check_code(image: Image, limits: Mapping[Memory, int]) -> None:
    """Descriptors lie in the program's memory and share it with nothing that lives as long as they do."""
    taken: list[tuple[str, str, int, int]] = [
        (f"constant '{c.label}'", c.memory, c.address, c.end) for c in image.constants
    ]
    for what, ports in (("input", image.inputs), ("output", image.outputs)):
        taken += [(f"{what} '{port.label}'", port.memory, port.offset, port.offset + port.bytes) for port in ports]
    for code in image.code:
        name, start, end = _code_name(code), code.address, image.code_end(code)
        if start % PWORD or end > limits[code.memory]:
            raise AxirError(f"{name} lie outside of the program's {code.memory}, or not on a pword")
        for other, memory, low, high in taken:
            if memory == code.memory and low < end and start < high:
                raise AxirError(f"{name} lie over {other} in {memory}")
        taken.append((name, code.memory, start, end))


def _code_name(code: Code) -> str:
    return f"the descriptors of core {code.core} {code.unit}"


class _Checker:
    def __init__(self, image: Image, target: Target, limits: Mapping[Memory, int]):
        self.image, self.target, self.limits = image, target, limits
        cores = range(len(image.cores))
        everywhere = [unit_number(core, unit) for core in cores for unit in isa.COPY_UNITS]
        self.shadows: dict[tuple[str, int], Shadow] = {}
        for core in cores:
            own = [unit_number(core, unit) for unit in isa.UNITS if unit != isa.SYSTEM_DMA]
            self._add("l1", core, [*own, *_feeders(image, core)])
            matrix = [unit_number(core, unit) for unit in ("load", "array")]
            rows = target.array.weight_sets * target.array.rows
            self.shadows[SETS, core] = Shadow(rows * COLUMN_BLOCKS, matrix)
            for memory in ("l2", "ddr"):
                if core == 0:
                    self._add(memory, 0, everywhere)
                else:
                    self.shadows[memory, core] = self.shadows[memory, 0]
        for constant in image.constants:
            for core in cores if constant.memory == "l1" else (0,):
                self.shadows[constant.memory, core].preset(constant.address, constant.end, constant=True)
        for code in image.code:  # to tasks it is as a constant, but one that they cannot read
            first, end = code.address // PWORD, ceil_div(image.code_end(code), PWORD)
            self.shadows[code.memory, 0].constant[first:end] = True
        for port in image.inputs:
            shadow, end = self.shadows[port.memory, port.core], port.offset + port.bytes
            if shadow.constant[port.offset // PWORD : ceil_div(end, PWORD)].any():
                raise AxirError(f"input '{port.label}' lies over a constant in {port.memory}")
            shadow.preset(port.offset, end)

    def _add(self, memory: Memory, core: int, units: list[int]) -> None:
        self.shadows[memory, core] = Shadow(ceil_div(self.limits[memory], PWORD), units)

    def task(self, step: Step) -> None:
        instruction = step.task.instruction
        if isinstance(instruction, Depthwise) and instruction.mode == "mac":  # sums and maxima need no weight memory
            taps = instruction.tap_rows * instruction.tap_columns
            if taps > self.target.depthwise.max_taps:
                limit = self.target.depthwise.max_taps
                raise AxirError(f"{self._name(step.id)}: has {taps} taps, {self.target.name} has {limit}")
        if step.id.unit.startswith("dma") and int(step.id.unit[3:]) >= self.target.dma.channels:
            raise AxirError(f"{self._name(step.id)}: {self.target.name} has {self.target.dma.channels} DMA channels")
        if isinstance(instruction, Dma) and instruction.cores:
            self._multicast(step.id, instruction)
        for access in accesses(instruction, self.target):
            for core in access.cores or (step.id.core,):
                for region in access.regions:
                    self._access(step, access, core, region)

    def _multicast(self, task: TaskId, dma: Dma) -> None:
        if not self.target.dma.multicast:
            raise AxirError(
                f"{self._name(task)}: feeds cores {_list(dma.fed_cores)}, {self.target.name} has no multicast",
                notes=("the target's figure dma.multicast says so",),
            )
        if task.core not in dma.fed_cores:
            raise AxirError(f"{self._name(task)}: feeds cores {_list(dma.fed_cores)}, but not its own")
        if max(dma.fed_cores) >= len(self.image.cores):
            raise AxirError(
                f"{self._name(task)}: feeds cores {_list(dma.fed_cores)}, the program has {len(self.image.cores)}"
            )

    def _access(self, step: Step, access: Access, core: int, region: Granules) -> None:
        shadow = self.shadows[access.memory, core]
        if region.end > shadow.granules:
            where = f"the program's region of {shadow.granules * PWORD} bytes"
            if access.memory == SETS:
                where = f"the {self.target.array.weight_sets} sets of {self.target.name}"
            span = _place(access.memory, region.start, region.end)
            raise AxirError(f"{self._name(step.id)}: {access.role} reaches {span}, outside of {where}")
        if access.write and access.repeats(region):
            raise AxirError(f"{self._name(step.id)}: {access.role} writes some bytes twice")
        unit = unit_number(step.id.core, step.id.unit)
        if access.write:
            hazard = shadow.write(region, unit, step.clock, access.masks(region))
        else:
            hazard = shadow.read(region, unit, step.clock, not access.aligned, access.masks(region))
        if hazard is not None:
            raise self._error(step, access, core, hazard)

    def _error(self, step: Step, access: Access, core: int, hazard: Hazard) -> AxirError:
        verb = "writes" if access.write else "reads"
        place = _place(access.memory, hazard.granule, hazard.granule + 1)
        if core != step.id.core:
            place = f"{place} of core {core}"
        what = f"{self._name(step.id)}: {access.role} {verb} {place}"
        for code in self.image.code:
            if code.memory == access.memory and code.address <= hazard.granule * PWORD < self.image.code_end(code):
                return AxirError(f"{what}, which holds {_code_name(code)}")
        if hazard.kind == "unwritten":
            return AxirError(f"{what}, which nothing has written")
        if hazard.kind == "constant":
            constant = next(
                c for c in self.image.constants
                if c.memory == access.memory and c.address <= hazard.granule * PWORD < c.end
            )  # fmt: skip
            return AxirError(f"{what}, which is part of constant '{constant.label}'")
        other_core, number = divmod(hazard.unit, len(isa.UNITS))
        other = TaskId(other_core, isa.UNITS[number], hazard.number)
        if other == step.id:
            return AxirError(f"{what}, which it also reads")
        return AxirError(
            f"{what}, in a race with {self._name(other)}: nothing orders them",
            notes=("one of the two must wait for the other, directly or through other tasks",),
        )

    def output(self, port: Port) -> None:
        """The host reads an output when all tasks have completed."""
        shadow = self.shadows[port.memory, port.core]
        for dimensions, slot in port.walks():
            masks = ByteMasks.of(port.offset + slot, dimensions)
            for region in masks.regions():
                missing = shadow.missing(region, masks.view(region))
                if missing is not None:
                    place = _place(port.memory, missing, missing + 1)
                    raise AxirError(f"output '{port.label}' has bytes that nothing has written: {place}")

    def _name(self, task: TaskId) -> str:
        return describe(self.image, task)


def _feeders(image: Image, core: int) -> list[int]:
    """The queues of other cores that write to the L1 of this one, by `unit_number`."""
    return [
        unit_number(other, unit)
        for other, queues in enumerate(image.cores)
        for unit in isa.COPY_UNITS
        if other != core
        and any(isinstance(t.instruction, Dma) and core in t.instruction.fed_cores for t in queues[unit])
    ]


def _list(numbers: Sequence[int]) -> str:
    return ", ".join(map(str, numbers))


def _place(memory: str, start: int, end: int) -> str:
    if memory == SETS:
        row, block = divmod(start, COLUMN_BLOCKS)
        if end == start + 1:
            return f"matrix row {row}, column block {block}"
        return f"matrix rows {row} to {(end - 1) // COLUMN_BLOCKS}"
    return f"{memory} [0x{start * PWORD:x}, 0x{end * PWORD:x})"
