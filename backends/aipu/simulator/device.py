"""The device model: strictness, function and time of one image."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import numpy as np

from axir.backends.aipu.order import Step, order
from axir.backends.aipu.simulator.check import check
from axir.backends.aipu.simulator.memory import Core, read_port, shared_memories, write_port
from axir.backends.aipu.simulator.timing import Instance, Timing, simulate
from axir.backends.aipu.simulator.units import Action, action
from axir.backends.aipu.structure import Image, Port, describe
from axir.ir.diagnostics import AxirError
from axir.numerics import I8
from axir.target.description import Target


class Simulator:
    """One instance of a program on a device of its own.

    Memory keeps its bytes from frame to frame, as on a device; `check` has shown that no frame reads what is left over.
    """

    def __init__(self, image: Image, target: Target):
        self.image, self.target = image, target
        self._checked = False

    @cached_property
    def _steps(self) -> list[Step]:
        return order(self.image)

    @cached_property
    def _cores(self) -> list[Core]:
        shared = shared_memories(self.image)
        return [Core(self.image, self.target, shared) for _ in self.image.cores]

    @cached_property
    def _actions(self) -> list[Action]:
        return [action(step.task.instruction, self._cores[step.id.core], self._cores) for step in self._steps]

    def check(self) -> None:
        """Raise `AxirError` for the first thing in the program that a device would silently do wrong."""
        if not self._checked:
            check(self.image, self._steps, self.target)
            self._checked = True

    def run(self, inputs: Sequence[I8]) -> list[I8]:
        """Run the program once: int8 arrays [1, C, H, W], in the order of the image's inputs, to those of its outputs.

        A batch program takes and gives those of `Image.frames` frames, frame by frame.

        Checks the program first, once. Raises `AxirError` for inputs of other shapes and as `check` does.
        """
        self.check()
        ports = self.image.inputs
        if len(inputs) != len(ports):
            raise AxirError(f"the program has {len(ports)} inputs, {len(inputs)} were given")
        for port, tensor in zip(ports, inputs, strict=True):
            if tensor.shape != port.shape or tensor.dtype != np.int8:
                given = f"{tensor.dtype} {list(tensor.shape)}"
                raise AxirError(f"input '{port.label}' is {given}, the program takes int8 {list(port.shape)}")
            write_port(self._memory(port), port, tensor)
        for step, run in zip(self._steps, self._actions, strict=True):
            try:
                run()
            except AxirError as error:
                raise AxirError(f"{describe(self.image, step.id)}: {error.message}", notes=error.notes) from None
        return [read_port(self._memory(port), port) for port in self.image.outputs]

    def timing(self) -> Timing:
        """How long a frame takes on an otherwise idle device."""
        return simulate([Instance(self.image)], self.target)[0]

    def _memory(self, port: Port) -> I8:
        return self._cores[port.core].memories[port.memory]
