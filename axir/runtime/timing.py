"""Frames per second as an application would see them: the device's cycles, the link and the host's calls.

Modelled, not measured: no chip is here. With n instances of a program side by side, a frame each, and p host processes
that share their calls, the time from frame to frame is

    device = cycles / frequency / (n * f)
    host   = max(device + (staging + between) / (n * f) + call / p, link)   with double buffering
    host   = max(device + (in + out) / n + call / p, link)                  without: transfer, compute, transfer
    system = host + loop / p

    in, out = bytes / host.link
    link    = min(bytes in, out) / host.duplex + (difference of the two) / host.link
    call    = calls / f * host.call + (bytes in without input_dmabuf + bytes out without output_dmabuf) / host.copy
    staging = staged / ddr.bandwidth
    between = bytes between segments / host.link
    loop    = host.loop

- A run takes f frames: as many as a batch has, else one. `cycles` are those from run to run, launch included, with all
  n instances at work in steady state (`side_by_side`): they contend for L2 and DDR, and the stages of a pipeline work
  on several frames at a time. `device` has the copies that the device makes between its memories and its cores, but
  not the transfers of the host: measured rates of the device exceed what the link carries (hardware.md 6a).
- `staged` bytes are copied between frames where the second set of input and output buffers, which double buffering
  needs, is in DDR and the first is not (`plan-memory`); elsewhere one set is mapped in the place of the other.
- A network with host islands is several `calls` a frame, one a segment. The bytes between its segments, out to the
  host and in again, wait for each other: double buffering does not hide them. What the host computes itself, on
  islands and before and after the device, is not modelled and counts as no time.
- Both directions of the link work at a time, each slower than alone; n instances share it. Double buffering hides it
  behind the computing, or the computing behind it.
- The calls of instances in one process come one after another and are not hidden. That is what was measured (one
  process, 4 instances, double buffering and dmabuf on, reference/hardware.md 6a): 1/host_fps is 1/dev_fps plus a
  constant while the link is fast enough, and the link's time where it is not. `bench/time_model.py` compares. How the
  cost falls with more processes was never measured: dividing by p is an assumption, as is `host.copy`.

The figures `host.*` are in the target description, with sources.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import mean
from typing import NamedTuple

from axir.backends.aipu.simulator import Instance, in_turn, simulate, steady_state
from axir.backends.aipu.structure import Image
from axir.runtime.options import RuntimeOptions
from axir.target.description import Target


class Transfers(NamedTuple):
    """Bytes a frame: of inputs and outputs, padding included, and of both where they are staged.

    `between` are those of inputs and outputs that pass between segments, `calls` the number of segments.
    """

    inputs: int
    outputs: int
    staged: int = 0
    between: int = 0
    calls: int = 1


class Cycles(NamedTuple):
    """Of a run: the first one's, from its start to its end, and from run to run in steady state."""

    first: float
    steady: float


RUNS = 8
"""Runs of each instance that are timed, of a pipeline as many more as it has stages."""


def side_by_side(images: Sequence[Image], instances: int, cores: int, target: Target) -> Cycles:
    """Of a model's programs, which run one after another, with `instances` of it on `cores` cores each.

    All instances are taken to run the same program at a time. They begin in turn, as a host hands out frames.
    """
    first = steady = 0.0
    for image in images:
        alone = simulate([Instance(image)], target)[0].cycles
        first += alone
        if instances == 1 and image.mode != "pipeline":
            steady += alone
            continue
        runs = RUNS + (len(image.cores) if image.mode == "pipeline" else 0)
        timings = simulate(in_turn(image, instances, target, cores), target, runs)
        steady += mean(interval * image.frames for interval in steady_state(timings).intervals)
    return Cycles(first, steady)


@dataclass(frozen=True)
class FrameTimes:
    """Times in seconds: of one frame, but for `host` and `system`, which are from frame to frame. Rates a second.

    `device` is the time from run to run on the cores of an instance, of `frames` frames, and `latency_device` that of
    the first run from its start to its end; `staging` is that of copies between runs, `between` that of
    transfers between segments; `inputs` and `outputs` are all transfers alone on the link, `link` is both ways at a
    time; `call` and `loop` are the host's work inside the runtime and around it.
    """

    device: float
    latency_device: float
    staging: float
    between: float
    inputs: float
    outputs: float
    link: float
    call: float
    loop: float
    double_buffer: bool = True
    instances: int = 1
    processes: int = 1
    frames: int = 1

    @staticmethod
    def of(
        cycles: Cycles | float,
        transfers: Transfers,
        target: Target,
        options: RuntimeOptions,
        instances: int = 1,
        frames: int = 1,
    ) -> FrameTimes:
        """Of a program that takes `cycles` a run of `frames` frames with all `instances` at work."""
        first, steady = cycles if isinstance(cycles, Cycles) else (cycles, cycles)
        host = target.host
        inputs, outputs, staged, between, calls = transfers
        overlapped = min(inputs, outputs)
        copied = (0 if options.input_dmabuf else inputs) + (0 if options.output_dmabuf else outputs)
        return FrameTimes(
            device=steady / target.device.frequency,
            latency_device=first / target.device.frequency,
            staging=staged / target.ddr.bandwidth if options.double_buffer else 0.0,
            between=between / host.link,
            inputs=inputs / host.link,
            outputs=outputs / host.link,
            link=overlapped / host.duplex + abs(inputs - outputs) / host.link,
            call=calls / frames * host.call * 1e-9 + copied / host.copy,
            loop=host.loop * 1e-9,
            double_buffer=options.double_buffer,
            instances=instances,
            processes=options.processes(instances),
            frames=frames,
        )

    @property
    def latency(self) -> float:
        """From handing a run's frames over to having their results, with nothing else under way."""
        transfers = (self.inputs + self.outputs) * self.frames
        return transfers + self.staging + self.latency_device + self.call * self.frames + self.loop

    @property
    def host(self) -> float:
        at_once = self.instances * self.frames
        if self.double_buffer:
            busy = (self.device + self.staging + self.between) / at_once
        else:
            busy = self.device / at_once + (self.inputs + self.outputs) / self.instances
        return max(busy + self.call / self.processes, self.link)

    @property
    def system(self) -> float:
        return self.host + self.loop / self.processes

    @property
    def device_fps(self) -> float:
        return self.instances * self.frames / self.device

    @property
    def host_fps(self) -> float:
        return 1 / self.host

    @property
    def system_fps(self) -> float:
        return 1 / self.system
