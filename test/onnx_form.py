"""A form in which an operator is written, as a model of one node."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import onnx
from onnx_models import Shape, single

X = {"x": (2, 4, 6, 5)}
RNG = np.random.default_rng(1)


def ints(*values: int) -> np.ndarray:
    return np.array(values, np.int64)


def floats(*shape: int) -> np.ndarray:
    return RNG.uniform(0.5, 1.5, shape).astype(np.float32)


@dataclass(frozen=True)
class Form:
    """A way to write an operator, in the operator sets that have it, and the `ax` operators it becomes."""

    kind: str
    opsets: Sequence[int]
    expected: Sequence[str]
    inputs: Mapping[str, Shape] = field(default_factory=lambda: X)
    constants: Mapping[str, np.ndarray] = field(default_factory=dict)
    order: Sequence[str] | None = None
    outputs: Sequence[str] = ("y",)
    attributes: Mapping[str, object] = field(default_factory=dict)

    def model(self, opset: int) -> onnx.ModelProto:
        return single(
            self.kind, self.inputs, self.constants,
            order=self.order, outputs=self.outputs, opset=opset, **self.attributes,
        )  # fmt: skip


ALL, ATTRIBUTE, INPUT = (7, 9, 11, 13, 21), (7, 9, 10), (11, 13, 18, 21)
AXES_ATTRIBUTE, AXES_INPUT = (7, 11, 12), (13, 18, 21)
