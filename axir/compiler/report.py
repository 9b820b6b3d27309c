"""report.json: where the time and the memory of a program go. Every time is modelled."""

from __future__ import annotations

from statistics import mean
from typing import Any, cast

from axir.backends.aipu.simulator.timing import Instance, LayerTime, Timing, simulate
from axir.backends.aipu.structure import Image
from axir.runtime.model_file import ModelFile
from axir.runtime.timing import FrameTimes
from axir.target.description import Target

SUMS = ("vector",)
"""Entries of the timing's units that only add up others."""


def device_report(timing: Timing, image: Image, model: ModelFile, target: Target) -> dict[str, Any]:
    """The content of report.json.

    The lower bound is the greatest need of one resource at perfect overlap, launch left out; None where the program
    does not tell (it came from a module that a person wrote). A layer's cycles are those by which it moved the end of
    the program, so they and the launch add up to the total; its bytes are those that it copied. Rates in the totals
    are of one instance alone, those under `instances` of as many as fit the device.
    """
    bound = cast(dict[str, int], image.notes.get("bound", {}))
    own = [resource for resource in bound if resource != "link"]  # the host link is no part of the program's time
    limiting = max(own, key=lambda resource: bound[resource], default=None)
    times = FrameTimes.of(timing.cycles, model.transfers, target, model.runtime)
    return {
        "model": model.name,
        "modelled": "by AXIR's device model; no chip was involved",
        "totals": {
            "cycles": timing.cycles,
            "launch_cycles": timing.launch,
            "lower_bound_cycles": None if limiting is None else bound[limiting],
            "lower_bound_resource": limiting,
            "frequency_hz": target.device.frequency,
            "macs": sum(layer.macs for layer in image.layers),
            "device_latency_s": times.device,
            "system_latency_s": times.latency,
            **_rates(times),
            "peak_l1_bytes": image.memory.get("l1", 0),
            "peak_l2_bytes": image.memory.get("l2", 0),
            "ddr_bytes": image.memory.get("ddr", 0),
            "second_set_bytes": image.notes.get("second_set", {}),
            "l2_traffic_bytes": timing.l2_bytes,
            "ddr_traffic_bytes": timing.ddr_bytes,
        },
        "runtime": model.runtime.to_json(),
        "instances": _side_by_side(times, image, model, target),
        "code": {
            "streamed_from_l2_bytes": image.code_bytes("l2"),
            "streamed_from_ddr_bytes": image.code_bytes("ddr"),
            "preloaded_bytes": image.code_bytes("ddr", preload=True),
        },
        "lower_bounds": bound,
        "units": {
            unit: {"busy_cycles": busy, "busy_share": round(busy / (timing.cycles * len(image.cores)), 6)}
            for unit, busy in timing.units.items()
            if unit not in SUMS
        },
        "layers": [_layer(entry) for entry in timing.layers],
    }


def _rates(times: FrameTimes) -> dict[str, float]:
    return {"device_fps": times.device_fps, "host_fps": times.host_fps, "system_fps": times.system_fps}


def _side_by_side(alone: FrameTimes, image: Image, model: ModelFile, target: Target) -> dict[str, Any]:
    """Rates with as many instances as fit the device, a frame each, which contend for L2 and DDR."""
    count = model.instances(target.device.cores)
    times = alone
    if count > 1:
        timings = simulate([Instance(image, number * model.cores) for number in range(count)], target)
        cycles = mean(timing.cycles for timing in timings)
        times = FrameTimes.of(cycles, model.transfers, target, model.runtime, count)
    return {"count": count, "host_processes": times.processes, **_rates(times)}


def _layer(entry: LayerTime) -> dict[str, Any]:
    return {
        "name": entry.layer.name,
        "op": entry.layer.operator,
        "unit": entry.layer.unit,
        "macs": entry.layer.macs,
        "cycles": entry.cycles,
        "bytes": entry.bytes,
        "start": entry.start,
        "end": entry.end,
    }
