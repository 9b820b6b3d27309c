"""Frame rates: the formulas of axir/runtime/timing.py."""

from __future__ import annotations

import pytest

from axir.runtime import FrameTimes


def test_rates_are_of_sums() -> None:
    times = FrameTimes(device=100e-6, link=20e-6, call=54e-6)
    assert times.device_fps == pytest.approx(10_000)
    assert times.host_fps == pytest.approx(1 / 120e-6)
    assert times.system_fps == pytest.approx(1 / 174e-6)
