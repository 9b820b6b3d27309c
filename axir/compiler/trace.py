"""When each step of a compilation began and ended, as Chrome's trace event format has it.

Files of this format are shown by chrome://tracing and https://ui.perfetto.dev. The format is described in "Trace Event
Format", https://docs.google.com/document/d/1CvAClvFfyA5R-PhYUmn5OOQtYMH4h6I0nSsKchNAySU.
"""

from __future__ import annotations

import os
import resource
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter
from typing import Any

_PROCESS = {"pid": 1, "tid": 1}


class Trace:
    """Nested spans of one thread, in microseconds since the trace was made, and the process's memory at their ends."""

    def __init__(self, name: str):
        """`name` is that of the outermost span, which lasts until `to_json`."""
        self._start = perf_counter()
        self._events: list[dict[str, Any]] = [
            {"name": "process_name", "ph": "M", **_PROCESS, "args": {"name": "axc"}},
        ]
        self._name = name
        self._mark("B", name, "compilation")

    @contextmanager
    def span(self, name: str, category: str) -> Generator[None]:
        """What happens inside is a span; one that ends with an exception is marked as failed."""
        self._mark("B", name, category)
        try:
            yield
        except BaseException:
            self._mark("E", name, category, failed=True)
            raise
        self._mark("E", name, category)

    def to_json(self) -> dict[str, Any]:
        """The trace up to now: an object of the format, in which every span that began has ended."""
        end = self._event("E", self._name, "compilation")
        return {"traceEvents": [*self._events, end], "displayTimeUnit": "ms"}

    def _event(self, phase: str, name: str, category: str) -> dict[str, Any]:
        time = round((perf_counter() - self._start) * 1e6, 3)
        return {"name": name, "cat": category, "ph": phase, "ts": time, **_PROCESS}

    def _mark(self, phase: str, name: str, category: str, failed: bool = False) -> None:
        event = self._event(phase, name, category)
        memory = {"name": "memory", "ph": "C", "ts": event["ts"], **_PROCESS, "args": {"rss_bytes": rss_bytes()}}
        self._events += [event | {"args": {"failed": True}} if failed else event, memory]


def peak_rss_bytes() -> int:
    """The most memory this process has had so far."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def rss_bytes() -> int:
    """The memory of this process now; its peak where the system does not tell."""
    try:
        pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
    except OSError:
        return peak_rss_bytes()
    return pages * os.sysconf("SC_PAGE_SIZE")
