"""Resize with random sizes and scales, against ONNX Runtime: which pixel is the nearest hangs on the last bit."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx_models import check_against_onnxruntime, single

COORDINATES = ("half_pixel", "pytorch_half_pixel", "align_corners", "asymmetric", "half_pixel_symmetric")
ROUNDINGS = ("round_prefer_floor", "round_prefer_ceil", "floor", "ceil")
SCALES = st.one_of(
    st.floats(0.25, 4.0, width=32), st.sampled_from([0.25, 1 / 3, 0.5, 0.6, 2 / 3, 0.75, 1.0, 1.25, 1.5, 1.6, 2.0, 3.0])
)


@given(
    size=st.tuples(st.integers(1, 12), st.integers(1, 12)),
    scales=st.one_of(st.tuples(SCALES, SCALES), st.none()),
    target=st.tuples(st.integers(1, 20), st.integers(1, 20)),
    mode=st.sampled_from(["nearest", "linear"]),
    coordinates=st.sampled_from(COORDINATES),
    rounding=st.sampled_from(ROUNDINGS),
)
@settings(max_examples=400, deadline=None, derandomize=True)
def test_resize(
    size: tuple[int, int], scales: tuple[float, float] | None, target: tuple[int, int], mode: str, coordinates: str,
    rounding: str,
) -> None:  # fmt: skip
    if scales is not None:
        factors = np.array([1, 1, *scales], np.float32)
        if min(np.float32(s) * f for s, f in zip(size, factors[2:], strict=True)) < 1:
            return
        if scales != (1.0, 1.0) and all(int(np.float32(s) * f) == s for s, f in zip(size, factors[2:], strict=True)):
            return  # ONNX Runtime gives the input as it stands where the shape does not change, whatever the scales
        constants, order = {"scales": factors}, ["x", "", "scales"]
    else:
        constants, order = {"sizes": np.array([1, 1, *target])}, ["x", "", "", "sizes"]
    model = single(
        "Resize", {"x": (1, 1, *size)}, constants, order=order, opset=19, mode=mode,
        coordinate_transformation_mode=coordinates, nearest_mode=rounding,
    )  # fmt: skip
    check_against_onnxruntime(model)
