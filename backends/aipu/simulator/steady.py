"""What programs side by side reach when they run frame after frame: the rates, and what bounds them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from axir.backends.aipu.simulator.timing import Timing, middle
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
