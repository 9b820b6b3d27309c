"""Networks with operators in the middle that the device cannot run, and devices on which every segment pays."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import ModelProto, TensorProto, helper, numpy_helper

import axir.target

SIDE = 6
METIS = Path(axir.target.__file__).with_name("metis.toml")
HOST_KINDS = ("CumSum", "Hardmax", "LpNormalization", "Trilu")
"""Operators that no elementwise unit will ever do."""


def slow_host(folder: Path) -> Path:
    """A device description whose host computes so slowly that no segment is too small."""
    lines = METIS.read_text("utf-8").splitlines()
    for index, line in enumerate(lines):
        if line.startswith("compute ="):
            lines[index] = 'compute = { value = 1, unit = "MACs/second", status = "assumption", source = "test" }'
        if line.startswith("copy ="):
            lines[index] = 'copy = { value = 1, unit = "bytes/second", status = "assumption", source = "test" }'
    file = folder / "slow-host.toml"
    file.write_text("\n".join(lines) + "\n", "utf-8")
    return file


class Islands:
    """Grows a network of tensors [1, C, SIDE, SIDE] and of indices, int64 [1, 1, SIDE, SIDE]."""

    def __init__(self, seed: int = 0, channels: int = 4):
        self.rng = np.random.default_rng(seed)
        self.channels = channels
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[TensorProto] = []
        self.values: list[str] = ["x"]
        self.indices: list[str] = []

    def node(self, kind: str, *inputs: str, **attributes: Any) -> str:
        name = f"{kind.lower()}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, inputs, [name], name=name, **attributes))
        return name

    def constant(self, array: NDArray[Any]) -> str:
        self.constants.append(numpy_helper.from_array(array, f"c{len(self.constants)}"))
        return self.constants[-1].name

    def conv(self, value: str, kernel: int = 3) -> str:
        shape = (self.channels, self.channels, kernel, kernel)
        weights = self.rng.standard_normal(shape) / np.sqrt(np.prod(shape[1:]))
        return self.node("Conv", value, self.constant(weights.astype(np.float32)), pads=[kernel // 2] * 4)

    def on_host(self, kind: str, value: str) -> str:
        """An operator that the device does not have."""
        if kind == "CumSum":
            return self.node(kind, value, self.constant(np.int64(2).reshape(())))
        return self.node(kind, value, **({} if kind == "Trilu" else {"axis": 1}))

    def index(self, value: str) -> str:
        """Integers from the device's numbers."""
        return self.node("ArgMax", value, axis=1, keepdims=1)

    def with_picked(self, value: str, index: str) -> str:
        """To every position is added what a channel has there, chosen by integers that are computed: modulo C."""
        count = self.constant(np.int64(self.channels).reshape(()))
        return self.node("Add", value, self.node("GatherElements", value, self.node("Mod", index, count), axis=1))

    def pick(self, values: list[str]) -> str:
        """One of the last few."""
        recent = values[-5:]
        return recent[self.rng.integers(len(recent))]

    def step(self) -> None:
        kind = self.rng.integers(11)
        value = self.pick(self.values)
        if kind < 3:
            made = self.conv(value, int(self.rng.choice([1, 3])))
        elif kind == 3:
            made = self.node("Relu", value)
        elif kind < 6:
            made = self.node("Add", value, self.pick(self.values))
        elif kind == 6:
            made = self.node("MaxPool", value, kernel_shape=[3, 3], pads=[1] * 4)
        elif kind == 7 and self.indices:
            made = self.with_picked(value, self.pick(self.indices))
        elif kind == 8:
            index = self.index(value)
            both = self.indices and self.rng.integers(2)
            self.indices.append(self.node("Add", index, self.pick(self.indices)) if both else index)
            return
        else:
            made = self.on_host(HOST_KINDS[self.rng.integers(len(HOST_KINDS))], value)
        self.values.append(made)

    def model(self, *outputs: str) -> ModelProto:
        shape = [1, self.channels, SIDE, SIDE]
        inputs = [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)]
        infos = [
            helper.make_tensor_value_info(name, TensorProto.INT64, [1, 1, SIDE, SIDE])
            if name in self.indices
            else helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
            for name in outputs
        ]
        graph = helper.make_graph(self.nodes, "islands", inputs, infos, self.constants)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
        onnx.checker.check_model(model, full_check=True)
        return model

    def samples(self, count: int = 3) -> NDArray[np.float32]:
        rng = np.random.default_rng(1)
        return rng.standard_normal((count, 1, self.channels, SIDE, SIDE)).astype(np.float32)


def random_islands(seed: int) -> tuple[Islands, ModelProto]:
    """A network of 8 to 20 operators, with a convolution at its begin and end, and up to three outputs."""
    net = Islands(seed)
    net.values.append(net.conv("x"))
    for _ in range(int(net.rng.integers(6, 18))):
        net.step()
    net.values.append(net.conv(net.values[-1]))
    outputs = [net.values[-1]]
    if net.rng.integers(2):
        outputs.append(net.pick([name for name in net.values[1:-1]]))
    if net.indices and net.rng.integers(2):
        outputs.append(net.indices[-1])
    return net, net.model(*dict.fromkeys(outputs))


def in_the_middle(kind: str = "CumSum") -> tuple[Islands, ModelProto]:
    """Convolution, an operator of the host's, convolution; a residual around the island."""
    net = Islands()
    first = net.conv("x")
    island = net.on_host(kind, first)
    return net, net.model(net.node("Add", net.conv(island), first))
