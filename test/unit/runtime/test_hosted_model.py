"""Float arrays in, float arrays out, by name."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import numpy as np
import pytest

from axir.runtime import HostedModel, InvalidArgument
from axir.runtime.host import HostGraph
from axir.runtime.hosted_model import HostTensor, Segment
from axir.runtime.tensor_info import I8, QuantizedTensor


class Doubled:
    """Stands for a preamble that computes `mid` of `x`."""

    def run(self, values: dict[str, Any]) -> dict[str, Any]:
        return {"mid": values["x"].reshape(1, 2, 1, 1) * 2}


class Summed:
    """Stands for a postamble that reads a device output and, past the device, an input."""

    def run(self, values: dict[str, Any]) -> dict[str, Any]:
        return {"y": values["dev"].sum(keepdims=True) + values["b"]}


def increment(stored: Sequence[I8]) -> list[I8]:
    return [stored[0] + np.int8(1)]


def model() -> HostedModel:
    return HostedModel(
        inputs=[HostTensor("x", (1, 2), "float32"), HostTensor("b", (1,), "int64")],
        outputs=[HostTensor("y", (1, 1, 1, 1), "float32")],
        parts=[
            cast(HostGraph, Doubled()),
            Segment(
                "main",
                [QuantizedTensor("mid", (1, 2, 1, 1), 0.5, 0)],
                [QuantizedTensor("dev", (1, 2, 1, 1), 0.25, 0)],
                increment,
            ),
            cast(HostGraph, Summed()),
        ],
    )


def test_parts_are_connected_by_name() -> None:
    x, b = np.array([[1.0, 2.0]], np.float32), np.array([100])
    # mid = [2, 4] -> stored [4, 8] -> [5, 9] -> dev [1.25, 2.25] -> 103.5
    assert model()(x, b)[0].ravel().tolist() == [103.5]
    assert model()({"b": b, "x": x})[0].ravel().tolist() == [103.5]
    assert model()([1.0, 2.0], b)[0].ravel().tolist() == [103.5]  # a list, and no batch axis


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ((np.zeros((1, 2), np.float32),), "takes 2 inputs, 1 given"),
        (({"x": np.zeros((1, 2), np.float32)},), "input 'b' is missing"),
        (({"x": np.zeros((1, 2)), "b": np.zeros(1, np.int64), "c": 0},), "no input 'c'"),
        ((np.zeros((2, 2), np.float32), np.zeros(1, np.int64)), "must be float32 \\[1, 2\\], it is float32 \\[2, 2\\]"),
        ((np.zeros((1, 2), np.float32), np.zeros(1, np.float32)), "must be int64 \\[1\\], it is float32"),
        ((np.array([["a", "b"]]), np.zeros(1, np.int64)), "input 'x' must be float32"),
        ((np.array([[np.nan, 1]], np.float32), np.zeros(1, np.int64)), "NaN"),
    ],
)
def test_wrong_inputs_are_named(inputs: tuple[Any, ...], message: str) -> None:
    with pytest.raises(InvalidArgument, match=message):
        model()(*inputs)
