"""A short soak of streams; `bench/soak.py` is the long one, which also watches the process."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import soak


def test_no_frame_is_lost_or_out_of_order(tmp_path: Path) -> None:
    model = soak.digits(tmp_path)
    tracemalloc.start()
    try:
        seen = soak.soak(model, 600, 4)
    finally:
        tracemalloc.stop()
    assert seen.frames == 600
    assert seen.stops
    assert seen.faults
    assert seen.live_growth < soak.LIVE_GROWTH
