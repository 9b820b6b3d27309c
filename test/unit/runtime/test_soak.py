"""A short soak of streams; `bench/soak.py` is the long one, which also watches memory."""

from __future__ import annotations

from pathlib import Path

import soak


def test_no_frame_is_lost_or_out_of_order(tmp_path: Path) -> None:
    seen = soak.soak(soak.digits(tmp_path), 600, 4)
    assert seen.frames == 600
    assert seen.stops
    assert seen.faults
