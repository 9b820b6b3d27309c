"""The modelled run as text, and the steady state of each layer."""

from __future__ import annotations

import json
import re
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from unit.settings.test_memory_homes import Built, built, written

from axir.compiler.config import settings_table
from axir.compiler.device_trace import stall_cycles, trace_text

LEVELS = ("[?]", "[B]", "[PB]", "[PE]", "[K]", "[M]", "[T]")
LINE = re.compile(r" *(?P<cycle>\d+) (?P<level>\[\S+\]) +(?P<text>\S.*)")


@pytest.fixture(scope="module")
def network() -> Built:
    return built(force_h_tiling=8)


def lines(result: Built, *levels: str) -> list[tuple[int, str, str]]:
    text = trace_text(result.timing, result.image, 800_000_000, levels)
    matches = [LINE.fullmatch(line) for line in text.splitlines()]
    return [(int(match["cycle"]), match["level"], match["text"]) for match in matches if match is not None]


def test_profiling_levels(network: Built, tmp_path: Path) -> None:
    assert {path.name for path in written(network, tmp_path).iterdir()}.isdisjoint({"trace.txt", "profile.json"})
    result = built(profiling_levels=("[B]", "[T]"))
    (tmp_path / "traced").mkdir()
    folder = written(result, tmp_path / "traced")
    text = (folder / "trace.txt").read_text("utf-8")
    assert text == trace_text(result.timing, result.image, 800_000_000, ("[B]", "[T]"))
    assert {LINE.fullmatch(line)["level"] for line in text.splitlines()} == {"[B]", "[T]"}  # pyright: ignore
    assert {"trace.txt", "profile.json"} < json.loads((folder / "manifest.json").read_text())["files"].keys()


def test_the_levels_are_those_of_the_setting() -> None:
    assert settings_table()["profiling_levels"].choices == LEVELS


@pytest.mark.parametrize("level", LEVELS)
def test_every_level_is_a_selection_of_all_lines(network: Built, level: str) -> None:
    everything = lines(network, *LEVELS)
    assert [cycle for cycle, _, _ in everything] == sorted(cycle for cycle, _, _ in everything)
    assert lines(network, level) == [line for line in everything if line[1] == level] != []


def test_frame_layers_and_tasks(network: Built) -> None:
    timing, image = network.timing, network.image
    begin, end = lines(network, "[B]")
    assert begin == (0, "[B]", f"frame of main begins, launch {timing.launch} cycles")
    microseconds = f"{timing.cycles / 800:.3f} us at 800000000 Hz"
    assert end == (timing.cycles, "[B]", f"frame ends: {timing.cycles} cycles, {microseconds}")
    for level, key in (("[PB]", "start"), ("[PE]", "end")):
        found = {text.split('"')[1]: cycle for cycle, _, text in lines(network, level)}
        assert found == {layer.layer.name: getattr(layer, key) for layer in timing.layers}
    tasks = sorted((entry.start, entry.unit, entry.number, entry.end) for entry in timing.trace)
    pattern = re.compile(r'core 0 (\w+)\[(\d+)\]: \w+ for layer \d+ ".*" until (\d+)')
    assert tasks == sorted(
        (cycle, match[1], int(match[2]), int(match[3]))
        for cycle, _, text in lines(network, "[T]")
        if (match := pattern.fullmatch(text)) is not None
    )
    assert len(tasks) == sum(len(queue) for queue in image.cores[0].values())


def test_memory_lines_add_up_to_the_traffic(network: Built) -> None:
    *copies, total = [text for _, _, text in lines(network, "[M]")]
    moved = {"l2": 0, "ddr": 0, "l1": 0}
    for text in copies:
        match = re.fullmatch(r"core 0 dma\d\[\d+\]: (\d+) bytes (\w+) -> (\w+) in \d+ cycles", text)
        assert match is not None
        for memory in (match[2], match[3]):
            moved[memory] += int(match[1])
    code = 256 * sum(len(queue) for queue in network.image.cores[0].values())
    expected = f"frame: l2 {moved['l2']} bytes, ddr {moved['ddr'] + code} bytes, with {code} bytes of descriptors"
    assert total == expected


def test_stalls_end_when_what_they_wait_for_completes(network: Built) -> None:
    ends = {f"core 0 {entry.unit}[{entry.number}]": entry.end for entry in network.timing.trace}
    stalls = lines(network, "[?]")
    for cycle, _, text in stalls:
        match = re.fullmatch(r"core 0 \S+: (\d+) cycles for (core 0 \S+)", text)
        assert match is not None
        assert int(match[1]) > 0
        assert ends[match[2]] == cycle
    assert sum(cycles > 0 for cycles in stall_cycles(network.timing).values()) == len(stalls) > 0


def test_totals_are_those_of_the_tasks(network: Built) -> None:
    for _, _, text in lines(network, "[K]"):
        match = re.fullmatch(r"core 0 (\w+): (\d+) tasks, (\d+) cycles \((.*)% of the frame\), (\d+) stalled", text)
        assert match is not None
        tasks = [entry for entry in network.timing.trace if entry.unit == match[1]]
        assert (int(match[2]), int(match[3])) == (len(tasks), sum(entry.end - entry.start for entry in tasks))
        # A queue is busy, stalled, or done.
        assert network.timing.launch + int(match[3]) + int(match[5]) == max(entry.end for entry in tasks)


def test_traces_are_the_same_every_time(network: Built) -> None:
    assert lines(built(force_h_tiling=8), *LEVELS) == lines(network, *LEVELS)


def profiled(drop: float, folder: Path) -> list[dict[str, Any]]:
    result = built(force_h_tiling=8, profiling_levels=("[B]",), profiling_drop_percentile=drop)
    return json.loads((written(result, folder) / "profile.json").read_text())["layers"]


def test_profiling_drop_percentile(tmp_path: Path, network: Built) -> None:
    found: dict[float, dict[str, Any]] = {}
    for drop in (0.0, 0.5, 0.99):
        folder = tmp_path / str(drop)
        folder.mkdir()
        layers = profiled(drop, folder)
        assert [layer["name"] for layer in layers] == [layer.name for layer in network.image.layers]
        (found[drop],) = [queue for queue in layers[0]["queues"] if queue["queue"] == "array"]
    ends = [entry.end for entry in network.timing.trace if (entry.unit, entry.layer) == ("array", 0)]
    cycles = [entry.end - entry.start for entry in network.timing.trace if (entry.unit, entry.layer) == ("array", 0)]
    assert len(ends) == 8
    for drop, kept in ((0.0, slice(0, 8)), (0.5, slice(2, 6)), (0.99, slice(3, 5))):
        chosen = cycles[kept]
        distances = [after - before for before, after in pairwise(ends[kept])]
        assert found[drop] == {
            "core": 0,
            "queue": "array",
            "tasks": 8,
            "kept": len(chosen),
            "cycles": {"mean": sum(chosen) / len(chosen), "least": min(chosen), "greatest": max(chosen)},
            "interval": sum(distances) / len(distances),
        }
