"""What programs side by side reach when they run frame after frame: the rates, and what bounds them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from axir.backends.aipu.simulator.timing import Instance, Timing, middle, simulate
from axir.backends.aipu.structure import Image
from axir.target.description import Target


@dataclass(frozen=True)
class SteadyState:
    """`intervals` are the cycles from frame to frame of each instance, all of them at work.

    `shares` are those of `Timing`, greatest first.
    """

    intervals: tuple[float, ...]
    shares: tuple[tuple[str, float], ...]

    @property
    def frames_per_cycle(self) -> float:
        """Of all instances together."""
        return sum(1 / interval for interval in self.intervals)

    def fps(self, target: Target) -> float:
        """Frames a second of all instances together."""
        return self.frames_per_cycle * target.device.frequency

    @property
    def bound(self) -> tuple[str, float] | None:
        """The resource that is used most, and how much; near 1 it is what bounds the rate."""
        return self.shares[0] if self.shares else None


def in_turn(image: Image, count: int, target: Target, cores: int | None = None) -> list[Instance]:
    """`count` instances of a program side by side that begin one after the other, an equal part of a frame apart.

    Each has so many cores to itself, by default those of the program.

    So they do when a host hands frames to whoever is free. Instances that begin together would stay in lock step: all
    wait for the same memory at a time, and all leave it idle while they compute. No device that runs several programs
    is that regular, and what is then lost (a quarter of the rate of a network that streams its weights) is no property
    of the program.
    """
    alone = simulate([Instance(image)], target)[0].cycles
    each = len(image.cores) if cores is None else cores
    return [Instance(image, number * each, number * alone // count) for number in range(count)]


def steady_state(timings: Sequence[Timing]) -> SteadyState:
    """The rates of programs that were timed together, from the middle of their runs on.

    Of a single run all that is known is how long it took.
    """
    shares = timings[0].shares if timings else {}
    return SteadyState(
        tuple(_interval(timing.ends) / timing.frames for timing in timings),
        tuple(sorted(shares.items(), key=lambda entry: (-entry[1], entry[0]))),
    )


def _interval(ends: Sequence[int]) -> float:
    first = middle(len(ends))
    return (ends[-1] - ends[first]) / (len(ends) - 1 - first) if len(ends) > 1 else ends[0]
