"""Faults of a core: what a device may do to a program, and how a test makes it do so."""

from __future__ import annotations

from axir.ir.diagnostics import AxirError


class CoreFault(AxirError):
    """A core stopped in the middle of a frame, whose results are lost; the next frame can run.

    `core` is its number on the device.
    """

    def __init__(self, message: str, core: int):
        super().__init__(message, notes=("the frame has no results; it can be run again",))
        self.core = core


class Faults:
    """Faults that a test has ordered for the frames to come, by core of the program."""

    def __init__(self) -> None:
        self._after: dict[int, int] = {}

    def order(self, core: int, after: int) -> None:
        """Let the core stop in the `after`-th frame from now on."""
        self._after[core] = after

    def due(self) -> set[int]:
        """The cores that stop in the frame that begins now."""
        if not self._after:
            return set()
        found = {core for core, after in self._after.items() if after == 1}
        self._after = {core: after - 1 for core, after in self._after.items() if after > 1}
        return found
