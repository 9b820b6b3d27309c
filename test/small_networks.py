"""Small networks, sound and broken, for the tests of the tools."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

CHANNELS, SIZE = 8, 6


def weights(seed: int, *shape: int) -> NDArray[np.float32]:
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def model(
    nodes: list[onnx.NodeProto],
    initializers: dict[str, NDArray[np.float32]],
    shape: list[int | str],
    outputs: list[str],
    opset: int = 17,
) -> onnx.ModelProto:
    graph = helper.make_graph(
        nodes,
        "network",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in outputs],
        [numpy_helper.from_array(array, name) for name, array in initializers.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)


def convolution(
    name: str, source: str, target: str, seed: int, inputs: int = CHANNELS, outputs: int = CHANNELS
) -> tuple[onnx.NodeProto, dict[str, NDArray[np.float32]]]:
    node = helper.make_node("Conv", [source, f"{name}.w"], [target], name, kernel_shape=[3, 3], pads=[1, 1, 1, 1])
    return node, {f"{name}.w": weights(seed, outputs, inputs, 3, 3) * np.float32(0.1)}


def sound(
    shape: list[int | str] | None = None, middle: list[onnx.NodeProto] | None = None, opset: int = 17
) -> onnx.ModelProto:
    """Two convolutions, `middle` (from `a` to `b`) between them, and behind them a softmax along rows, for the host."""
    first, first_weights = convolution("first", "x", "a", 1, inputs=3)
    second, second_weights = convolution("second", "b", "c", 2)
    nodes = [first, *(middle or [helper.make_node("Relu", ["a"], ["b"], "act")]), second]
    nodes.append(helper.make_node("Softmax", ["c"], ["y"], "softmax", axis=3))
    return model(nodes, first_weights | second_weights, shape or [1, 3, SIZE, SIZE], ["y"], opset)


def save(network: onnx.ModelProto, path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    onnx.save_model(network, str(path))
    return path
