"""report.json: where the time and the memory of a program go. Every time is modelled."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Any, cast

from axir.backends.aipu.simulator import Instance, LayerTime, Timing, simulate, steady_state
from axir.backends.aipu.structure import Image
from axir.runtime.model_file import HostPart, ModelFile
from axir.runtime.timing import RUNS, FrameTimes, side_by_side
from axir.target.description import Target

SUMS = ("vector",)
"""Entries of the timing's units that only add up others."""


def device_report(
    timings: Sequence[Timing], images: Sequence[Image], model: ModelFile, target: Target, instances: int | None = None
) -> dict[str, Any]:
    """The content of report.json, of the programs of `model.segments` in their order, with so many `instances` of the
    model side by side, by default as many as fit the device.

    Segments run one after another, on the same cores: cycles, work and traffic are sums, and so are the bytes of L2 and
    DDR, where each has its own; L1 is as much as the one that needs most. A segment's lower bound is the greatest need
    of one resource at perfect overlap, launch left out; None where its program does not tell (it came from a module
    that a person wrote). `cycles` are of a run, from its start to its end: of `frames` frames, of a pipeline through
    all stages; `interval_cycles` are those from run to run. A layer's cycles are those by which it moved the end of its
    program, so they and the launches add up to the total; its bytes are those that it copied. Rates in the totals are
    of one instance alone, those under `instances` of as many as fit the device.
    """
    cycles = sum(timing.cycles for timing in timings)
    bounds = [_bounds(image) for image in images]
    limits = [_limit(bound) for bound in bounds]
    known = [limit for limit in limits if limit is not None]
    alone = side_by_side(images, 1, model.cores, target)
    times = FrameTimes.of(alone, model.transfers, target, model.runtime, 1, model.frames)
    cores = max(len(image.cores) for image in images)
    return {
        "model": model.name,
        "modelled": "by AXIR's device model; no chip was involved",
        "multicore": {"mode": images[0].mode, "cores": cores, "frames": model.frames},
        "totals": {
            "cycles": cycles,
            "launch_cycles": sum(timing.launch for timing in timings),
            "lower_bound_cycles": sum(limit for limit, _ in known) if len(known) == len(limits) else None,
            "lower_bound_resource": max(known)[1] if len(known) == len(limits) else None,
            "frequency_hz": target.device.frequency,
            "macs": model.frames * sum(layer.macs for image in images for layer in image.layers),
            "frames": model.frames,
            "interval_cycles": round(alone.steady),
            "device_latency_s": times.latency_device,
            "system_latency_s": times.latency,
            **_rates(times),
            "peak_l1_bytes": max(image.memory.get("l1", 0) for image in images),
            "peak_l2_bytes": sum(image.memory.get("l2", 0) for image in images),
            "ddr_bytes": sum(image.memory.get("ddr", 0) for image in images),
            "second_set_bytes": _summed([image.notes.get("second_set", {}) for image in images]),
            "l2_traffic_bytes": sum(timing.l2_bytes for timing in timings),
            "ddr_traffic_bytes": sum(timing.ddr_bytes for timing in timings),
        },
        "runtime": model.runtime.to_json(),
        "instances": _instances(times, images, model, target, instances),
        "code": {
            "streamed_from_l2_bytes": sum(image.code_bytes("l2") for image in images),
            "streamed_from_ddr_bytes": sum(image.code_bytes("ddr") for image in images),
            "preloaded_bytes": sum(image.code_bytes("ddr", preload=True) for image in images),
        },
        "lower_bounds": _summed(bounds),
        "units": {
            unit: {"busy_cycles": busy, "busy_share": round(busy / (cycles * cores), 6)}
            for unit, busy in _summed([timing.units for timing in timings]).items()
            if unit not in SUMS
        },
        "parts": _parts(timings, images, model, target),
        "layers": [_layer(entry) for timing in timings for entry in timing.layers],
    }


def _parts(
    timings: Sequence[Timing], images: Sequence[Image], model: ModelFile, target: Target
) -> list[dict[str, Any]]:
    """The parts in the order of execution: of segments their own totals, and what their transfers cost on the link.

    What the host's parts cost the host is not modelled.
    """
    programs = iter(zip(timings, images, strict=True))
    parts: list[dict[str, Any]] = []
    for part in model.parts:
        if isinstance(part, HostPart):
            parts.append({"kind": "host", "name": part.name, "file": part.file, "seconds": None})
            continue
        timing, image = next(programs)
        parts.append(
            {
                "kind": "device",
                "name": part.name,
                "file": part.program,
                "cycles": timing.cycles,
                "launch_cycles": timing.launch,
                "macs": sum(layer.macs for layer in image.layers),
                "layers": len(image.layers),
                "l1_bytes": image.memory.get("l1", 0),
                "l2_bytes": image.memory.get("l2", 0),
                "ddr_bytes": image.memory.get("ddr", 0),
                "input_bytes": part.input_bytes,
                "output_bytes": part.output_bytes,
                "transfer_s": (part.input_bytes + part.output_bytes) / target.host.link,
            }
        )
    return parts


def _bounds(image: Image) -> dict[str, int]:
    return cast(dict[str, int], image.notes.get("bound", {}))


def _limit(bounds: Mapping[str, int]) -> tuple[int, str] | None:
    """The greatest need, and the resource; the host link is no part of a program's time."""
    own = {resource: cycles for resource, cycles in bounds.items() if resource != "link"}
    resource = max(own, key=lambda name: own[name], default=None)
    return None if resource is None else (own[resource], resource)


def _summed(entries: Sequence[Mapping[str, int]]) -> dict[str, int]:
    return {key: sum(entry.get(key, 0) for entry in entries) for key in dict.fromkeys(chain.from_iterable(entries))}


def _rates(times: FrameTimes) -> dict[str, float]:
    return {"device_fps": times.device_fps, "host_fps": times.host_fps, "system_fps": times.system_fps}


def _instances(
    alone: FrameTimes, images: Sequence[Image], model: ModelFile, target: Target, count: int | None
) -> dict[str, Any]:
    """Rates with as many instances as fit the device, which contend for L2, DDR and link, and what bounds them.

    `scaling` is how many times the rate of one instance the device has; `shares` are the busiest resources that
    instances share, with several segments those of the first.
    """
    count = model.instances(target.device.cores) if count is None else count
    times, shares = alone, dict[str, float]()
    if count > 1:
        cycles = side_by_side(images, count, model.cores, target)
        times = FrameTimes.of(cycles, model.transfers, target, model.runtime, count, model.frames)
    instances = [Instance(images[0], number * model.cores) for number in range(count)]
    timings = simulate(instances, target, RUNS, link=True, double_buffer=model.runtime.double_buffer)
    shares = {name: share for name, share in steady_state(timings).shares if not name.startswith("core")}
    bound = max(shares, key=lambda name: shares[name], default=None)
    return {
        "count": count,
        "host_processes": times.processes,
        **_rates(times),
        "scaling": round(times.device_fps / alone.device_fps, 4),
        "busiest_shared": bound,
        "shares": {name: round(share, 4) for name, share in shares.items()},
    }


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
