"""Collects the nodes and initializers of one ONNX graph, each with a name of its own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import NodeProto, TensorProto, helper, numpy_helper


def unique(name: str, used: dict[str, None]) -> str:
    """`name`, or with the first free `_1`, `_2`, ...; it is then in use."""
    free, count = name, 0
    while free in used:
        count += 1
        free = f"{name}_{count}"
    used[free] = None
    return free


class Emitter:
    """The nodes and initializers so far. `base` is the operator at work, after which nodes and constants are named."""

    def __init__(self, opset: int, tensor_names: Sequence[str]):
        self.opset = opset
        self.nodes: list[NodeProto] = []
        self.initializers: list[TensorProto] = []
        self.base = ""
        self._tensors: dict[str, None] = dict.fromkeys(tensor_names)
        self._node_names: dict[str, None] = {}

    def tensor(self, name: str) -> str:
        """A new tensor name."""
        return unique(name, self._tensors)

    def node(self, kind: str, inputs: Sequence[str], output: str | None = None, **attributes: Any) -> str:
        """Append a node of ONNX's standard operators; returns the name of its output, a new one unless given."""
        result = output or self.tensor(f"{self.base}/{kind}")
        self.append(helper.make_node(kind, inputs, [result], **attributes))
        return result

    def append(self, node: NodeProto) -> None:
        # The first node of an operator has the operator's name, the others say what they are.
        taken = self.base in self._node_names
        node.name = unique(f"{self.base}/{node.op_type}" if taken else self.base, self._node_names)
        self.nodes.append(node)

    def initializer(self, name: str, array: NDArray[Any]) -> str:
        """Append a constant `BASE/name`; returns its whole name."""
        tensor = self.tensor(f"{self.base}/{name}")
        self.initializers.append(numpy_helper.from_array(array, tensor))
        return tensor

    def integers(self, name: str, values: Sequence[int]) -> str:
        return self.initializer(name, np.asarray(values, np.int64))

    def number(self, name: str, value: float) -> str:
        return self.initializer(name, np.asarray(value, np.float32))
