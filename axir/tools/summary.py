"""A compiled model's report as text for people: what `axc`, `axrunmodel` and the demo print."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

Report = Mapping[str, Any]
"""The content of compiled_model/report.json."""

MODELLED = "modelled, no chip"


def totals_lines(report: Report) -> list[str]:
    """Work, time, distance from the lower bound, memory."""
    totals = report["totals"]
    cycles, launch, bound = totals["cycles"], totals["launch_cycles"], totals["lower_bound_cycles"]
    frequency = totals["frequency_hz"]
    count = len(report["layers"])
    lines = [
        f"{count} {'layer' if count == 1 else 'layers'}, {_count(totals['macs'])} multiply-accumulates",
        f"latency   {_time(cycles / frequency)}: {cycles:,} cycles on {_cores(report)}, {launch:,} of them launch "
        f"({MODELLED})",
    ]
    if bound:
        lines.append(
            f"limit     {_time(bound / frequency)}: {bound:,} cycles, by {totals['lower_bound_resource']} at perfect "
            f"overlap; after launch the program takes {(cycles - launch) / bound:.2f} times that"
        )
    lines += part_lines(report)
    memories = (("L1", "peak_l1_bytes"), ("L2", "peak_l2_bytes"), ("DDR", "ddr_bytes"))
    lines.append("memory    " + ", ".join(f"{name} {_bytes(totals[key])}" for name, key in memories))
    return lines


def part_lines(report: Report) -> list[str]:
    """The parts of a network with host islands; nothing of one whose segment is alone."""
    parts = report["parts"]
    segments = [part for part in parts if part["kind"] == "device"]
    if len(segments) == 1:
        return []
    order = " → ".join(part["name"] for part in parts)
    moved = sum(part["input_bytes"] + part["output_bytes"] for part in segments)
    return [
        f"segments  {len(segments)} segments with host islands between them: {order}",
        f"transfers {_bytes(moved)} a frame in {len(segments)} calls, {_time(sum(s['transfer_s'] for s in segments))} "
        f"on the link alone ({MODELLED}); what the host computes is not modelled and counts as no time",
    ]


def rate_lines(report: Report) -> list[str]:
    """Frames per second of one instance and of all that fit the device (axir/runtime/timing.py has the formulas)."""

    def rates(entry: Mapping[str, Any]) -> str:
        return ", ".join(f"{name} {entry[f'{name}_fps']:,.0f}" for name in ("device", "host", "system"))

    lines = [f"frames/s  {rates(report['totals'])} ({MODELLED})"]
    together = report["instances"]
    if together["count"] > 1:
        lines.append(
            f"          {rates(together)} with {together['count']} instances side by side, {together['scaling']:.2f} "
            "times the rate of one"
        )
    shared = together["busiest_shared"]
    if shared is not None:
        lines.append(f"          of what they share, {shared} is the busiest: {together['shares'][shared]:.0%} in use")
    return lines


def _cores(report: Report) -> str:
    """`one core`, `4 cores, a frame each`, ..."""
    multicore = report["multicore"]
    if multicore["cores"] == 1:
        return "one core"
    work = {"batch": ", a frame each", "pipeline": ", in stages", "cooperative": " together"}
    return f"{multicore['cores']} cores{work.get(multicore['mode'], '')}"


def unit_lines(report: Report) -> list[str]:
    """The busy share of every unit."""
    rows = [["unit", "busy cycles", "share"]]
    rows += [
        [unit, f"{entry['busy_cycles']:,}", f"{entry['busy_share']:.1%}"] for unit, entry in report["units"].items()
    ]
    return table(rows, "<>>")


def layer_lines(report: Report) -> list[str]:
    """Work and time of every layer."""
    rows = [["layer", "operator", "unit", "MACs", "bytes", "cycles", "share"]]
    total = report["totals"]["cycles"]
    rows += [
        [
            layer["name"],
            layer["op"],
            layer["unit"],
            f"{layer['macs']:,}",
            f"{layer['bytes']:,}",
            f"{layer['cycles']:,}",
            f"{layer['cycles'] / total:.1%}",
        ]
        for layer in report["layers"]
    ]
    return table(rows, "<<<>>>>")


def table(rows: Sequence[Sequence[str]], alignment: str) -> list[str]:
    """Rows, the first of them headings, in columns; `<` and `>` align them."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [
        "  ".join(f"{cell:{side}{width}}" for cell, side, width in zip(row, alignment, widths, strict=True)).rstrip()
        for row in rows
    ]
    return [lines[0], "-" * max(map(len, lines)), *lines[1:]]


def _count(value: int) -> str:
    for limit, unit in ((10**9, "G"), (10**6, "M")):
        if value >= limit:
            return f"{value / limit:.2f} {unit}"
    return f"{value:,}"


def _bytes(value: int) -> str:
    return f"{value / 2**20:.2f} MiB" if value >= 1 << 20 else f"{value / 1024:.1f} KiB"


def _time(seconds: float) -> str:
    return f"{seconds * 1e3:.3f} ms" if seconds >= 1e-3 else f"{seconds * 1e6:.1f} µs"
