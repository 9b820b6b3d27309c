"""The choice of a multicore mode as text: what each way reaches, and why the chosen one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def choice_lines(choice: Mapping[str, Any]) -> list[str]:
    """A table of the trials in the `multicore_choice` of a report, the chosen one marked, and the reason."""
    from axir.tools.summary import table

    chosen = choice["chosen"]
    rows = [
        ["", "mode", "cores", "memory", "instances", "latency", "frames/s", "DDR a frame", "busiest of what is shared"]
    ]
    trials = [trial for trial in choice["trials"] if "refusal" not in trial]
    for trial in trials:
        mark = "->" if _way(trial) == _way(chosen) else ""
        busiest = trial["busiest_shared"]
        rows.append([
            mark, trial["multicore_mode"], str(trial["aipu_cores_used"]), f"{trial['resources_used']:g}",
            str(trial["instances"]), f"{trial['latency_s'] * 1e3:.3f} ms", f"{trial['system_fps']:,.0f}",
            f"{trial['ddr_bytes'] / 2**20:.2f} MiB", "-" if busiest is None else f"{busiest[0]} {busiest[1]:.0%}",
        ])  # fmt: skip
    lines = table(rows, "<<>>>>>><")
    lines += [
        f"{trial['multicore_mode']} {trial['aipu_cores_used']} does not fit: {trial['refusal']}"
        for trial in choice["trials"] if "refusal" in trial
    ]  # fmt: skip
    return [*lines, _reason(choice, trials)]


def _reason(choice: Mapping[str, Any], trials: list[Mapping[str, Any]]) -> str:
    latency = choice["goal"] == "latency"
    key = "latency_s" if latency else "system_fps"
    ordered = sorted(trials, key=lambda trial: trial[key], reverse=not latency)
    best = next(trial for trial in trials if _way(trial) == _way(choice["chosen"]))
    others = [trial for trial in ordered if trial is not best]
    name = f"{best['multicore_mode']} on {best['aipu_cores_used']} core{'s' * (best['aipu_cores_used'] > 1)}"
    what = f"{best['latency_s'] * 1e3:.3f} ms a frame" if latency else f"{best['system_fps']:,.0f} frames a second"
    if not others:
        return f"chosen for {choice['goal']}: {name}, {what}; nothing else fits"
    second = others[0]
    factor = second[key] / best[key] if latency else best[key] / second[key]
    return (
        f"chosen for {choice['goal']}: {name}, {what}, {factor:.2f} times as good as the next, "
        f"{second['multicore_mode']} on {second['aipu_cores_used']} (modelled, no chip)"
    )


def _way(entry: Mapping[str, Any]) -> tuple[Any, ...]:
    return tuple(entry[name] for name in ("multicore_mode", "aipu_cores_used", "resources_used"))
