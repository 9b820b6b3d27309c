"""Write a vision transformer with random weights as ONNX, with the operators that PyTorch's exporter writes.

    python bench/generate_vit.py OUT.onnx
    python bench/generate_vit.py OUT.onnx --opset 13 --size 64 --depth 2

The defaults are ViT-Tiny (Touvron et al., arXiv:2012.12877, table 1: 12 layers of 192 features in 3 heads, patches of
16 pixels): 5.7 million parameters. The class token is expanded and joined, the position embedding added; queries, keys
and values come from one product, split as timm does it. From operator set 17 on LayerNormalization is an operator,
before that it is spelled out; GELU is spelled out with Erf. Input `images` float32 [1, 3, size, size], output `scores`.
The same arguments give the same bytes.
"""

from __future__ import annotations

import argparse
import math
import os
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

CLASSES = 1000
LAYER_NORM_OPSET = 17
"""LayerNormalization is an operator from this version on."""


@dataclass(frozen=True)
class Shape:
    """The sizes of a vision transformer."""

    size: int = 224
    patch: int = 16
    features: int = 192
    depth: int = 12
    heads: int = 3
    classes: int = CLASSES
    opset: int = LAYER_NORM_OPSET

    @property
    def tokens(self) -> int:
        return (self.size // self.patch) ** 2 + 1


@dataclass
class _Builder:
    """Appends nodes and weights in order."""

    shape: Shape
    nodes: list[onnx.NodeProto] = field(default_factory=list[onnx.NodeProto])
    weights: list[onnx.TensorProto] = field(default_factory=list[onnx.TensorProto])
    # NEP 19 freezes the stream of RandomState; that of numpy.random.Generator may change between versions.
    random: np.random.RandomState = field(default_factory=lambda: np.random.RandomState(0))

    def node(self, op: str, name: str, *inputs: str, **attributes: Any) -> str:
        self.nodes.append(helper.make_node(op, list(inputs), [name], name=name, **attributes))
        return name

    def weight(self, name: str, array: NDArray[Any]) -> str:
        self.weights.append(numpy_helper.from_array(array, name))
        return name

    def normal(self, name: str, *shape: int, deviation: float, mean: float = 0.0) -> str:
        return self.weight(name, (mean + deviation * self.random.standard_normal(shape)).astype(np.float32))

    def number(self, name: str, value: float) -> str:
        return self.weight(name, np.asarray(value, np.float32))

    def integers(self, name: str, *values: int) -> str:
        return self.weight(name, np.asarray(values, np.int64))

    def linear(self, name: str, x: str, inputs: int, outputs: int, gain: float = 1.0) -> str:
        matrix = self.normal(f"{name}.weight", inputs, outputs, deviation=gain / math.sqrt(inputs))
        product = self.node("MatMul", f"{name}.product", x, matrix)
        return self.node("Add", name, self.normal(f"{name}.bias", outputs, deviation=0.1), product)

    def layer_norm(self, name: str, x: str) -> str:
        scale = self.normal(f"{name}.weight", self.shape.features, deviation=0.1, mean=1.0)
        bias = self.normal(f"{name}.bias", self.shape.features, deviation=0.1)
        if self.shape.opset >= LAYER_NORM_OPSET:
            return self.node("LayerNormalization", name, x, scale, bias, axis=-1, epsilon=1e-6)
        mean = self.node("ReduceMean", f"{name}.mean", x, axes=[-1], keepdims=1)
        difference = self.node("Sub", f"{name}.difference", x, mean)
        square = self.node("Pow", f"{name}.square", difference, self.number(f"{name}.two", 2.0))
        variance = self.node("ReduceMean", f"{name}.variance", square, axes=[-1], keepdims=1)
        total = self.node("Add", f"{name}.sum", variance, self.number(f"{name}.epsilon", 1e-6))
        quotient = self.node("Div", f"{name}.quotient", difference, self.node("Sqrt", f"{name}.root", total))
        return self.node("Add", name, self.node("Mul", f"{name}.scaled", quotient, scale), bias)

    def gelu(self, name: str, x: str) -> str:
        argument = self.node("Div", f"{name}.argument", x, self.number(f"{name}.root", math.sqrt(2)))
        gate = self.node(
            "Add", f"{name}.gate", self.node("Erf", f"{name}.erf", argument), self.number(f"{name}.one", 1)
        )
        return self.node("Mul", name, self.node("Mul", f"{name}.product", x, gate), self.number(f"{name}.half", 0.5))

    def attention(self, name: str, x: str) -> str:
        s = self.shape
        width = s.features // s.heads
        parts = self.node(
            "Reshape", f"{name}.parts", self.linear(f"{name}.qkv", x, s.features, 3 * s.features),
            self.integers(f"{name}.parts.shape", 1, s.tokens, 3, s.heads, width),
        )  # fmt: skip
        parts = self.node("Transpose", f"{name}.turned", parts, perm=[2, 0, 3, 1, 4])
        q, k, v = (
            self.node("Gather", f"{name}.{part}", parts, self.weight(f"{name}.{part}.index", np.asarray(i)), axis=0)
            for i, part in enumerate("qkv")
        )
        keys = self.node("Transpose", f"{name}.keys", k, perm=[0, 1, 3, 2])
        scaled = self.node("Mul", f"{name}.scaled", q, self.number(f"{name}.scale", width**-0.5))
        shares = self.node("Softmax", f"{name}.shares", self.node("MatMul", f"{name}.scores", scaled, keys), axis=-1)
        mixed = self.node(
            "Transpose", f"{name}.joined", self.node("MatMul", f"{name}.mixed", shares, v), perm=[0, 2, 1, 3]
        )
        flat = self.node("Reshape", f"{name}.flat", mixed, self.integers(f"{name}.shape", 1, s.tokens, s.features))
        return self.linear(f"{name}.proj", flat, s.features, s.features, gain=0.5)

    def block(self, name: str, x: str) -> str:
        features = self.shape.features
        x = self.node("Add", f"{name}.1", x, self.attention(f"{name}.attn", self.layer_norm(f"{name}.norm1", x)))
        hidden = self.linear(f"{name}.fc1", self.layer_norm(f"{name}.norm2", x), features, 4 * features)
        return self.node(
            "Add", f"{name}.2", x, self.linear(f"{name}.fc2", self.gelu(f"{name}.gelu", hidden), 4 * features, features)
        )

    def network(self, images: str) -> str:
        s = self.shape
        kernel = self.normal("patch.weight", s.features, 3, s.patch, s.patch, deviation=1 / (s.patch * math.sqrt(3)))
        patches = self.node(
            "Conv", "patch", images, kernel, self.normal("patch.bias", s.features, deviation=0.1),
            kernel_shape=[s.patch, s.patch], strides=[s.patch, s.patch],
        )  # fmt: skip
        flat = self.node("Reshape", "patch.flat", patches, self.integers("patch.shape", 1, s.features, s.tokens - 1))
        tokens = self.node("Transpose", "patch.tokens", flat, perm=[0, 2, 1])
        first = self.node(
            "Expand", "class.expanded", self.normal("class", 1, 1, s.features, deviation=0.5),
            self.integers("class.shape", 1, 1, s.features),
        )  # fmt: skip
        x = self.node("Concat", "tokens", first, tokens, axis=1)
        x = self.node("Add", "embedded", x, self.normal("position", 1, s.tokens, s.features, deviation=0.2))
        for index in range(s.depth):
            x = self.block(f"blocks.{index}", x)
        index = self.weight("class.index", np.asarray(0))
        token = self.node("Gather", "class.token", self.layer_norm("norm", x), index, axis=1)
        matrix = self.normal("head.weight", s.classes, s.features, deviation=1 / math.sqrt(s.features))
        bias = self.normal("head.bias", s.classes, deviation=0.1)
        return self.node("Gemm", "scores", token, matrix, bias, transB=1)


def generate(shape: Shape) -> onnx.ModelProto:
    """The network of these sizes."""
    builder = _Builder(shape)
    output = builder.network("images")
    graph = helper.make_graph(
        builder.nodes,
        "vit",
        [helper.make_tensor_value_info("images", TensorProto.FLOAT, [1, 3, shape.size, shape.size])],
        [helper.make_tensor_value_info(output, TensorProto.FLOAT, [1, shape.classes])],
        builder.weights,
    )
    opsets = [helper.make_opsetid("", shape.opset)]
    model = helper.make_model(graph, opset_imports=opsets, ir_version=8, producer_name="axir")
    onnx.checker.check_model(model, full_check=True)
    return model


def main() -> int:
    parser = argparse.ArgumentParser(description="Write a vision transformer with random weights as ONNX.")
    parser.add_argument("out", type=Path, metavar="OUT.onnx")
    for name, value in vars(Shape()).items():
        parser.add_argument(f"--{name}", type=int, default=value, help=f"default: {value}")
    arguments = vars(parser.parse_args())
    out: Path = arguments.pop("out")
    temporary = out.with_name(f".{out.name}.tmp")
    onnx.save_model(generate(Shape(**arguments)), str(temporary))
    os.replace(temporary, out)
    return 0


if __name__ == "__main__":
    sys.exit(main())
