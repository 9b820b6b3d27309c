"""compiled_model/profile.json: how long the tasks of each layer take once its software pipeline is full. Modelled."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from axir.backends.aipu.simulator.timing import Timing, TraceEntry
from axir.backends.aipu.structure import Image


def profile(timing: Timing, image: Image, drop: float) -> dict[str, Any]:
    """Statistics of the tasks of each layer, core and queue, in the order of layers.

    Of n tasks in the order of time, floor(n * drop / 2) are dropped at each end, which is less than all for every
    drop < 1. `cycles` are those from dispatch to completion. `interval` is the mean distance from one completion to the
    next, the time of a tile in the steady state; null for a single task.
    """
    samples: dict[tuple[int, int, str], list[TraceEntry]] = {}
    for entry in sorted(timing.trace, key=lambda entry: (entry.layer, entry.core, entry.unit, entry.number)):
        samples.setdefault((entry.layer, entry.core, entry.unit), []).append(entry)
    layers: list[dict[str, Any]] = [
        {"name": layer.name, "op": layer.operator, "unit": layer.unit, "queues": []} for layer in image.layers
    ]
    for (layer, core, unit), entries in samples.items():
        layers[layer]["queues"].append({"core": core, "queue": unit, **_steady(entries, drop)})
    return {"modelled": "by AXIR's device model; no chip was involved", "drop": drop, "layers": layers}


def _steady(entries: Sequence[TraceEntry], drop: float) -> dict[str, Any]:
    dropped = int(len(entries) * drop / 2)
    kept = entries[dropped : len(entries) - dropped]
    cycles = [entry.end - entry.start for entry in kept]
    interval = (kept[-1].end - kept[0].end) / (len(kept) - 1) if len(kept) > 1 else None
    return {
        "tasks": len(entries),
        "kept": len(kept),
        "cycles": {"mean": sum(cycles) / len(cycles), "least": min(cycles), "greatest": max(cycles)},
        "interval": interval,
    }
