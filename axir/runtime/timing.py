"""Frames per second as an application would see them: the device's cycles, the link and the host's calls.

Modelled, not measured: no chip is here. Times of one frame, one core, one frame after the other:

    device = cycles / frequency                              cycles: the simulator's timing model, launch included
    link   = input bytes / host.link + output bytes / host.link
    host   = device + link                                   what a call waits for
    system = host + host.call                                with the fixed cost of the call on the host

`host.link` (bytes a second, each way) and `host.call` are figures of the target description, where their sources are.
`host.call` was derived from measurements by this very sum, so nothing is assumed to overlap.
"""

from __future__ import annotations

from dataclasses import dataclass

from axir.backends.aipu.simulator.timing import Timing
from axir.runtime.model_file import ModelFile
from axir.target.description import Target


@dataclass(frozen=True)
class FrameTimes:
    """Seconds a frame; the rates are frames a second."""

    device: float
    link: float
    call: float

    @staticmethod
    def of(timing: Timing, model: ModelFile, target: Target) -> FrameTimes:
        """Of one frame; transferred are the buffers of inputs and outputs, padding included."""
        transferred = sum(port.info.bytes for port in (*model.device_inputs, *model.device_outputs))
        return FrameTimes(
            device=timing.cycles / target.device.frequency,
            link=transferred / target.host.link,
            call=target.host.call * 1e-9,
        )

    @property
    def host(self) -> float:
        return self.device + self.link

    @property
    def system(self) -> float:
        return self.host + self.call

    @property
    def device_fps(self) -> float:
        return 1 / self.device

    @property
    def host_fps(self) -> float:
        return 1 / self.host

    @property
    def system_fps(self) -> float:
        return 1 / self.system
