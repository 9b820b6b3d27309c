"""Operators with wrong attributes, shapes or inputs: an error that names the node and says what is wrong."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pytest
from onnx_models import imported, single

from axir.ir.diagnostics import AxirError

X = (1, 4, 6, 5)
F = np.float32


def ints(*values: int) -> np.ndarray:
    return np.array(values, np.int64)


def ones(*shape: int) -> np.ndarray:
    return np.ones(shape, np.float32)


Case = tuple[str, int, Sequence[int], Mapping[str, np.ndarray], Mapping[str, object], str]
RESIZE = {"roi": ones(0), "scales": ones(0)}

CASES: Sequence[Case] = (
    ("Resize", 13, X, RESIZE, {}, "either scales or sizes must be given"),
    ("Resize", 13, X, {"roi": ones(0), "scales": ones(4), "sizes": ints(1, 4, 6, 5)}, {}, "either scales or sizes"),
    ("Resize", 13, X, {**RESIZE, "sizes": ints(6, 5)}, {}, "2 scales or sizes for 4 axes"),
    ("Resize", 13, X, {**RESIZE, "sizes": ints(1, 4, 0, 5)}, {}, "are not positive"),
    ("Resize", 13, X, {"roi": ones(0), "scales": np.array([1, 1, -1, 1], F)}, {}, "are not positive numbers"),
    ("Resize", 13, X, {"roi": ones(0), "scales": np.array([1, 1, np.nan, 1], F)}, {}, "are not positive numbers"),
    ("Resize", 13, X, {"roi": ones(0), "scales": np.array([1, 1, 0.1, 1], F)}, {}, "is resized to [1, 4, 0, 5]"),
    ("Resize", 13, X, {"roi": ones(0), "scales": np.array([1, 1, 1e30, 1], F)}, {}, "is too large"),
    ("Resize", 13, X, {**RESIZE, "sizes": ints(1, 4, 3, 5)}, {"mode": "area"}, "mode is 'area', not one of nearest"),
    (
        "Resize",
        13,
        X,
        {**RESIZE, "sizes": ints(1, 4, 3, 5)},
        {"nearest_mode": "up"},
        "nearest_mode is 'up', not one of round_prefer_floor",
    ),
    (
        "Resize",
        13,
        X,
        {**RESIZE, "sizes": ints(1, 4, 3, 5)},
        {"coordinate_transformation_mode": "middle"},
        "coordinate_transformation_mode is 'middle'",
    ),
    (
        "Resize",
        18,
        X,
        {**RESIZE, "sizes": ints(3, 5)},
        {"axes": [2, 3], "keep_aspect_ratio_policy": "crop"},
        "keep_aspect_ratio_policy is 'crop'",
    ),
    ("Resize", 18, X, {**RESIZE, "sizes": ints(3, 5)}, {"axes": [2, 2]}, "name an axis twice"),
    ("Upsample", 7, X, {}, {"scales": [2.0, 2.0]}, "one scale for each of 4 axes is needed"),
    ("DepthToSpace", 13, X, {}, {"blocksize": 0}, "blocks of 0 x 0"),
    ("DepthToSpace", 13, X, {}, {"blocksize": 3}, "4 channels are no blocks of 3 x 3"),
    ("DepthToSpace", 13, X, {}, {"blocksize": 2, "mode": "RCD"}, "mode is 'RCD', not DCR or CRD"),
    ("SpaceToDepth", 13, X, {}, {"blocksize": 4}, "no multiples of the block 4"),
    ("Gather", 13, X, {"i": ints(4)}, {"axis": 1}, "an index is outside of axis 1"),
    ("Gather", 13, X, {"i": ints()}, {"axis": 1}, "there are no indices"),
    ("Gather", 13, X, {"i": ints(0)}, {"axis": 4}, "axis 4 is outside of rank 4"),
    ("Expand", 13, X, {"s": ints(3, 6, 5)}, {}, "do not broadcast"),
    ("Expand", 13, (1, 4), {"s": ints(0, 4)}, {}, "has no elements"),
    ("Tile", 13, X, {"r": ints(1, 2)}, {}, "repeats [1, 2] are not one positive number for each of 4 axes"),
    ("Tile", 13, X, {"r": ints(1, 1, 0, 1)}, {}, "are not one positive number for each"),
    ("LayerNormalization", 17, X, {"s": ones(4)}, {}, "do not broadcast"),
    ("LayerNormalization", 17, X, {"s": ones(5)}, {"axis": 4}, "axis 4 is outside of rank 4"),
    ("LayerNormalization", 17, X, {"s": ones(5)}, {"epsilon": -1.0}, "epsilon is -1.0, it must not be negative"),
    ("InstanceNormalization", 13, X, {"s": ones(5), "b": ones(4)}, {}, "input 1 must have shape [4], it has [5]"),
    ("InstanceNormalization", 13, (1, 4), {"s": ones(4), "b": ones(4)}, {}, "has no spatial axis"),
    ("GroupNormalization", 21, X, {"s": ones(4), "b": ones(4)}, {"num_groups": 3}, "num_groups 3 does not divide"),
    ("GroupNormalization", 21, X, {"s": ones(4), "b": ones(4)}, {"num_groups": 0}, "num_groups 0 does not divide"),
    ("MeanVarianceNormalization", 13, (2, 3), {}, {}, "axis 2 is outside of rank 2"),
    ("ReduceMax", 13, X, {}, {"axes": [1, -3]}, "name an axis twice"),
    ("ReduceMax", 13, X, {}, {"axes": [7]}, "axis 7 is outside of rank 4"),
    ("ReduceMean", 13, X, {}, {"keepdims": 2}, "keepdims is 2, not 0 or 1"),
    ("ReduceSum", 13, X, {"a": ones(1)}, {}, "input 1 must be a vector of integers"),
    ("Softmax", 13, X, {}, {"axis": -5}, "axis -5 is outside of rank 4"),
    ("Celu", 13, X, {}, {"alpha": 0.0}, "alpha is 0"),
    ("Elu", 13, X, {}, {"alpha": float("nan")}, "alpha is nan"),
    ("Selu", 13, X, {}, {"gamma": float("inf")}, "gamma is inf"),
    ("Gelu", 20, X, {}, {"approximate": "exact"}, "approximate is 'exact', not one of none, tanh"),
    ("Pad", 18, X, {"p": ints(1, 1)}, {}, "pad needs 8 numbers, not 2"),
    ("Pad", 18, X, {"p": ints(0, 0, 0, 0, 0, 0, 0, 5)}, {"mode": "reflect"}, "find too few elements on an axis of 5"),
    ("Pad", 18, X, {"p": ints(0, 0, 0, 0, 0, 0, 0, 5)}, {"mode": "mirror"}, "mode is 'mirror', not one of constant"),
    ("Pad", 18, X, {"p": ints(0, 0, 0, 0, 0, 0, 0, -5)}, {}, "has no elements"),
    ("Slice", 13, X, {"s": ints(0), "e": ints(1, 2)}, {}, "1 starts, 2 ends, 1 axes and 1 steps"),
    ("Slice", 13, X, {"s": ints(0), "e": ints(1), "a": ints(0), "t": ints(0)}, {}, "a step is 0"),
    ("Max", 13, X, {"b": ones(3)}, {}, "do not broadcast"),
    ("PRelu", 13, X, {"s": ones(4)}, {}, "do not broadcast"),
    ("Conv", 13, (1, 4, 9), {"w": ones(2, 4, 3)}, {"strides": [1, 1]}, "strides must be one positive number,"),
    ("ConvTranspose", 13, (1, 4, 9), {"w": ones(4, 2, 3)}, {"output_shape": [0]}, "output_shape must be one positive"),
    (
        "ConvTranspose",
        13,
        X,
        {"w": ones(4, 2, 3, 3)},
        {"output_padding": [-1, 0]},
        "output_padding must be two numbers",
    ),
    ("AveragePool", 13, (1, 4, 9), {}, {"kernel_shape": [3, 3]}, "a window of 2 axes does not fit an input of rank 3"),
    ("MaxPool", 13, X, {}, {"kernel_shape": [2, 2], "ceil_mode": 3}, "ceil_mode is 3, not 0 or 1"),
)


@pytest.mark.parametrize("case", CASES, ids=[f"{kind}-{message[:40]}" for kind, *_, message in CASES])
def test_wrong_operator(case: Case) -> None:
    kind, opset, shape, constants, attributes, message = case
    with pytest.raises(AxirError) as raised:
        imported(single(kind, {"x": shape}, constants, opset=opset, **attributes))
    assert message in raised.value.message
    assert raised.value.node == "node"
    assert raised.value.location == "<model>:0:0"
