"""Frame rates: the formulas of axir/runtime/timing.py, by hand."""

from __future__ import annotations

from dataclasses import replace

import pytest

from axir.runtime import FrameTimes
from axir.runtime.options import RuntimeOptions
from axir.runtime.timing import Cycles, Transfers
from axir.target.description import Host, load

HOST = Host(link=4_000_000_000, duplex=3_000_000_000, copy=10_000_000_000, compute=1, call=40_000, loop=10_000)
TARGET = replace(load(None), host=HOST).with_frequency(800_000_000)
ZERO_COPY = RuntimeOptions(input_dmabuf=True, output_dmabuf=True)


def times(
    options: RuntimeOptions = ZERO_COPY, instances: int = 1, sizes: tuple[int, int] = (60_000, 20_000)
) -> FrameTimes:
    """Of 80,000 cycles: 100 us."""
    return FrameTimes.of(80_000, Transfers(*sizes), TARGET, options, instances)


def test_computing_hides_the_transfers() -> None:
    found = times()
    assert found.device_fps == pytest.approx(10_000)
    assert found.host == pytest.approx(140e-6)  # 100 + 40
    assert found.system == pytest.approx(150e-6)
    assert found.host_fps == pytest.approx(1 / 140e-6)
    assert found.system_fps == pytest.approx(1 / 150e-6)
    assert found.latency == pytest.approx(170e-6)  # 15 + 100 + 5 + 40 + 10


def test_transfers_hide_the_computing() -> None:
    found = times(sizes=(3_000_000, 1_000_000))
    # 1 MB both ways at 3 GB/s, then the other 2 MB in at 4 GB/s
    assert found.host == pytest.approx(1e6 / 3e9 + 2e6 / 4e9)
    assert found.system == pytest.approx(found.host + 10e-6)


def test_without_double_buffering_nothing_hides() -> None:
    found = times(replace(ZERO_COPY, double_buffer=False))
    assert found.host == pytest.approx(160e-6)  # 100 + 15 + 5 + 40
    assert found.latency == times().latency


def test_staged_bytes_are_copied_between_frames() -> None:
    target = replace(TARGET, ddr=replace(TARGET.ddr, bandwidth=10_000_000_000))
    staged = FrameTimes.of(80_000, Transfers(60_000, 20_000, 80_000), target, ZERO_COPY)
    assert staged.host == pytest.approx(148e-6)  # 8 us more
    assert staged.device_fps == times().device_fps
    single = replace(ZERO_COPY, double_buffer=False)
    assert FrameTimes.of(80_000, Transfers(60_000, 20_000, 80_000), target, single).host == times(single).host


def test_copies_are_part_of_the_call() -> None:
    assert times(RuntimeOptions()).host == pytest.approx(148e-6)  # 6 us in, 2 us out
    assert times(RuntimeOptions(input_dmabuf=True)).host == pytest.approx(142e-6)
    assert times(RuntimeOptions(output_dmabuf=True)).host == pytest.approx(146e-6)


def test_instances_share_link_and_calls() -> None:
    four = times(instances=4)
    assert four.device_fps == pytest.approx(40_000)
    assert four.host == pytest.approx(65e-6)  # 25 + 40: one process, whose calls come one after another
    assert times(instances=4, sizes=(600_000, 0)).host == pytest.approx(150e-6)  # the link
    slow = times(replace(ZERO_COPY, double_buffer=False), 4)
    assert slow.host == pytest.approx(70e-6)  # (100 + 20) / 4 + 40


def test_processes_share_the_calls_of_instances() -> None:
    two = replace(ZERO_COPY, host_processes_used=2)
    assert times(two, 4).host == pytest.approx(45e-6)  # 25 + 20
    assert times(two, 4).system == pytest.approx(50e-6)
    assert times(two, 1) == times(ZERO_COPY, 1)  # an instance is fed by one
    assert times(replace(two, host_processes_used=9), 4).processes == 4


def test_a_batch_takes_its_frames_together() -> None:
    found = FrameTimes.of(80_000, Transfers(60_000, 20_000), TARGET, ZERO_COPY, 1, 4)
    assert found.device_fps == pytest.approx(40_000)
    assert found.host == pytest.approx(35e-6)  # 25 + 40 / 4: one call for four frames
    assert found.system == pytest.approx(45e-6)  # the application's own work is a frame's
    assert found.latency == pytest.approx(230e-6)  # 4 * (15 + 5) + 100 + 40 + 10


def test_a_pipeline_has_more_frames_under_way_than_its_latency_says() -> None:
    found = FrameTimes.of(Cycles(80_000, 20_000), Transfers(60_000, 20_000), TARGET, ZERO_COPY)
    assert found.device_fps == pytest.approx(40_000)
    assert found.host == pytest.approx(65e-6)
    assert found.latency == times().latency
