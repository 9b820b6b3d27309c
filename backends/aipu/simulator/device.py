"""The device model: strictness, function and time of one image."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from functools import cached_property

import numpy as np

from axir.backends.aipu.order import Step, order
from axir.backends.aipu.simulator.check import check
from axir.backends.aipu.simulator.fault import CoreFault, Faults
from axir.backends.aipu.simulator.memory import Core, load_constants, read_port, write_port
from axir.backends.aipu.simulator.region import SHARED, DeviceMemory, Region, place
from axir.backends.aipu.simulator.timing import Instance, Timing, simulate
from axir.backends.aipu.simulator.units import Action, action
from axir.backends.aipu.structure import Image, Port, describe
from axir.ir.diagnostics import AxirError
from axir.numerics import I8
from axir.target.description import Target
from axir.target.isa import Memory


class Simulator:
    """One instance of a program, on a device of its own or in a region of one that several share.

    Memory keeps its bytes from frame to frame, as on a device; `check` has shown that no frame reads what is left over.
    """

    def __init__(
        self,
        image: Image,
        target: Target,
        memory: DeviceMemory | None = None,
        region: Region | None = None,
        owner: object = None,
    ):
        """With `memory` and `region` the region is reserved until `close`; raises `AxirError` as `claim` does."""
        if (memory is None) != (region is None):
            raise ValueError("a region is a part of some memory: give both or neither")
        self.image, self.target, self.region = image, target, region
        self._memory, self._faults = memory, Faults()
        self._checked = False
        if memory is not None and region is not None:
            memory.claim(image, region, owner)

    @cached_property
    def _steps(self) -> list[Step]:
        return order(self.image)

    @cached_property
    def _cores(self) -> list[Core]:
        """The cores, with the constants in their memories."""
        if self._memory is None or self.region is None:
            whole: dict[Memory, I8] = {name: np.zeros(self.image.memory.get(name, 0), np.int8) for name in SHARED}
        else:
            whole = self._memory.view(self.region)
        shared = load_constants(self.image, whole)
        return [Core(self.image, self.target, shared) for _ in self.image.cores]

    @cached_property
    def _actions(self) -> list[Action]:
        found: list[Action] = []
        for step in self._steps:
            with self._named(step):
                found.append(action(step.task.instruction, self._cores[step.id.core], self._cores))
        return found

    def check(self) -> None:
        """Raise `AxirError` for the first thing in the program that a device would silently do wrong."""
        if self._checked:
            return
        try:
            check(self.image, self._steps, self.target, self.region)
        except AxirError as error:
            if self.region is None:
                raise
            where = place(self.image, self.region)
            raise AxirError(f"{where}: {error.message}", notes=error.notes) from None
        self._checked = True

    def run(self, inputs: Sequence[I8]) -> list[I8]:
        """Run the program once: int8 arrays [1, C, H, W], in the order of the image's inputs, to those of its outputs.

        A batch program takes and gives those of `Image.frames` frames, frame by frame. Checks the program first, once.
        Raises `AxirError` for inputs of other shapes and as `check` does, and `CoreFault` where a core stops.
        """
        self.check()
        ports = self.image.inputs
        if len(inputs) != len(ports):
            raise AxirError(f"the program has {len(ports)} inputs, {len(inputs)} were given")
        for port, tensor in zip(ports, inputs, strict=True):
            if tensor.shape != port.shape or tensor.dtype != np.int8:
                given = f"{tensor.dtype} {list(tensor.shape)}"
                raise AxirError(f"input '{port.label}' is {given}, the program takes int8 {list(port.shape)}")
            write_port(self._port_memory(port), port, tensor)
        stops = self._stops(self._faults.due())
        for number, (step, run) in enumerate(zip(self._steps, self._actions, strict=True)):
            if number in stops:
                raise self._fault(stops[number], step)
            with self._named(step):
                run()
        return [read_port(self._port_memory(port), port) for port in self.image.outputs]

    def inject_fault(self, core: int, after: int = 1) -> None:
        """Let core `core` of the program stop in the middle of the `after`-th frame from now on: `run` raises.

        A testing aid: the device model has no faults of its own. Of several orders for a core the last counts.
        """
        if not 0 <= core < len(self.image.cores) or after < 1:
            raise ValueError(f"no fault in core {core} of {len(self.image.cores)}, frame {after} from now")
        self._faults.order(core, after)

    def close(self) -> None:
        """Give the region back. The program must not run any more."""
        if self._memory is not None and self.region is not None:
            self._memory.release(self.image, self.region)

    @contextmanager
    def _named(self, step: Step) -> Generator[None]:
        """Errors of a task name it. NumPy refuses views that reach out of the region, whatever `check` has missed."""
        try:
            yield
        except AxirError as error:
            raise AxirError(f"{describe(self.image, step.id)}: {error.message}", notes=error.notes) from None
        except (TypeError, ValueError) as error:
            what = f"program '{self.image.name}', {describe(self.image, step.id)}"
            raise AxirError(f"{what}: reaches outside of its memory: {error}") from None

    def _stops(self, cores: set[int]) -> dict[int, int]:
        """By step, the core that stops before it: halfway through its own."""
        stops: dict[int, int] = {}
        for core in sorted(cores):
            own = [number for number, step in enumerate(self._steps) if step.id.core == core]
            stops[own[len(own) // 2] if own else 0] = core
        return stops

    def _fault(self, core: int, step: Step) -> CoreFault:
        number = core + (self.region.first_core if self.region is not None else 0)
        message = f"core {number} of the device stopped, program '{self.image.name}'"
        return CoreFault(f"{message} before {describe(self.image, step.id)}", number)

    def timing(self) -> Timing:
        """How long a frame takes on an otherwise idle device."""
        return simulate([Instance(self.image)], self.target)[0]

    def _port_memory(self, port: Port) -> I8:
        return self._cores[port.core].memories[port.memory]
