"""Write well-known networks with random weights as ONNX: shapes and cost of the real ones, without their training.

    python bench/generate.py yolov8n OUT.onnx
    python bench/generate.py --list

ResNets are the v1.5 form (He et al., arXiv:1512.03385; strides on the 3x3 convolution); YOLOv5 6.0, YOLOv8 and YOLO11
follow their published configurations, up to the raw maps of the detection head: decoding boxes is left out.
BatchNormalization is folded into the convolutions. Input `images` float32 [1, 3, size, size]. The same name gives the
same bytes.
"""

from __future__ import annotations

import argparse
import math
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

CLASSES = 80
RELU_GAIN = math.sqrt(2.0)  # He et al., arXiv:1502.01852
SILU_GAIN = 1.68  # 1 / sqrt(E[silu(x)^2]) for a standard normal x
BRANCH_GAIN = 0.5  # of the last convolution before an addition, so that sums of many blocks stay bounded


@dataclass(frozen=True)
class Map:
    """A feature map: the name of its tensor, channels, height and width."""

    name: str
    channels: int
    size: int


@dataclass
class Builder:
    """Appends nodes and weights in order."""

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

    def conv(
        self, name: str, x: Map, channels: int, kernel: int = 1, stride: int = 1, *, act: str | None = "silu",
        group: int = 1, pad: int | None = None, gain: float | None = None,
    ) -> Map:  # fmt: skip
        """Convolution, padded to keep the size at stride 1, with bias and activation ("silu", "relu" or None)."""
        fan_in = x.channels // group * kernel * kernel
        standard = {"silu": SILU_GAIN, "relu": RELU_GAIN, None: 1.0}[act] if gain is None else gain
        filters = self.random.standard_normal((channels, x.channels // group, kernel, kernel)) * standard
        filters = (filters / math.sqrt(fan_in)).astype(np.float32)
        bias = (0.1 * self.random.standard_normal(channels)).astype(np.float32)
        pad = kernel // 2 if pad is None else pad
        size = (x.size + 2 * pad - kernel) // stride + 1
        out = self.node(
            "Conv", name, x.name, self.weight(f"{name}.weight", filters), self.weight(f"{name}.bias", bias),
            kernel_shape=[kernel, kernel], strides=[stride, stride], pads=[pad] * 4, group=group,
        )  # fmt: skip
        return self.activate(Map(out, channels, size), act)

    def activate(self, x: Map, act: str | None) -> Map:
        if act == "relu":
            return Map(self.node("Relu", f"{x.name}.relu", x.name), x.channels, x.size)
        if act == "silu":
            gate = self.node("Sigmoid", f"{x.name}.sigmoid", x.name)
            return Map(self.node("Mul", f"{x.name}.silu", x.name, gate), x.channels, x.size)
        return x

    def add(self, name: str, a: Map, b: Map) -> Map:
        return Map(self.node("Add", name, a.name, b.name), a.channels, a.size)

    def concat(self, name: str, *parts: Map) -> Map:
        out = self.node("Concat", name, *(part.name for part in parts), axis=1)
        return Map(out, sum(part.channels for part in parts), parts[0].size)

    def split(self, name: str, x: Map) -> tuple[Map, Map]:
        """Two halves along the channels."""
        halves = (f"{name}.a", f"{name}.b")
        self.nodes.append(helper.make_node("Split", [x.name], list(halves), name=name, axis=1))
        return Map(halves[0], x.channels // 2, x.size), Map(halves[1], x.channels // 2, x.size)

    def max_pool(self, name: str, x: Map, kernel: int, stride: int) -> Map:
        pad = kernel // 2
        out = self.node(
            "MaxPool", name, x.name, kernel_shape=[kernel, kernel], strides=[stride, stride], pads=[pad] * 4
        )
        return Map(out, x.channels, (x.size + 2 * pad - kernel) // stride + 1)

    def upsample(self, name: str, x: Map) -> Map:
        scales = self.weight(f"{name}.scales", np.asarray([1, 1, 2, 2], np.float32))
        out = self.node(
            "Resize", name, x.name, "", scales, mode="nearest", coordinate_transformation_mode="asymmetric",
            nearest_mode="floor",
        )  # fmt: skip
        return Map(out, x.channels, 2 * x.size)


# --- ResNet ----------------------------------------------------------------------------------------------------------


def resnet(b: Builder, x: Map, blocks: tuple[int, int, int, int], bottleneck: bool) -> list[Map]:
    """Stem, four stages, global pooling, classifier."""
    x = b.max_pool("pool1", b.conv("conv1", x, 64, 7, 2, act="relu"), 3, 2)
    for stage, count in enumerate(blocks):
        for block in range(count):
            x = _residual(b, f"layer{stage + 1}.{block}", x, 64 << stage, 2 if stage and not block else 1, bottleneck)
    pooled = b.node("GlobalAveragePool", "avgpool", x.name)
    flat = b.node("Flatten", "flatten", pooled)
    matrix = (b.random.standard_normal((1000, x.channels)) / math.sqrt(x.channels)).astype(np.float32)
    logits = b.node("Gemm", "fc", flat, b.weight("fc.weight", matrix), transB=1)
    return [Map(logits, 1000, 0)]


def _residual(b: Builder, name: str, x: Map, width: int, stride: int, bottleneck: bool) -> Map:
    channels = 4 * width if bottleneck else width
    if bottleneck:
        y = b.conv(f"{name}.conv1", x, width, act="relu")
        y = b.conv(f"{name}.conv2", y, width, 3, stride, act="relu")
        y = b.conv(f"{name}.conv3", y, channels, act=None, gain=BRANCH_GAIN)
    else:
        y = b.conv(f"{name}.conv1", x, width, 3, stride, act="relu")
        y = b.conv(f"{name}.conv2", y, channels, 3, act=None, gain=BRANCH_GAIN)
    if stride != 1 or x.channels != channels:
        x = b.conv(f"{name}.downsample", x, channels, 1, stride, act=None)
    return b.activate(b.add(f"{name}.add", y, x), "relu")


# --- YOLO ------------------------------------------------------------------------------------------------------------


def bottleneck(b: Builder, name: str, x: Map, kernels: tuple[int, int], expansion: float, shortcut: bool) -> Map:
    y = b.conv(f"{name}.cv1", x, int(x.channels * expansion), kernels[0])
    y = b.conv(f"{name}.cv2", y, x.channels, kernels[1])
    return b.add(f"{name}.add", x, y) if shortcut else y


def c3(
    b: Builder, name: str, x: Map, channels: int, count: int, shortcut: bool = True, kernels: tuple[int, int] = (1, 3)
) -> Map:
    """Cross-stage partial block of YOLOv5 (kernels 1, 3) and, nested, of YOLO11 (3, 3)."""
    hidden = channels // 2
    y = b.conv(f"{name}.cv1", x, hidden)
    for index in range(count):
        y = bottleneck(b, f"{name}.m{index}", y, kernels, 1.0, shortcut)
    other = b.conv(f"{name}.cv2", x, hidden)
    return b.conv(f"{name}.cv3", b.concat(f"{name}.cat", y, other), channels)


def c2f(b: Builder, name: str, x: Map, channels: int, count: int, shortcut: bool) -> Map:
    """Block of YOLOv8: every bottleneck's output is concatenated."""
    parts = list(b.split(f"{name}.split", b.conv(f"{name}.cv1", x, channels)))
    for index in range(count):
        parts.append(bottleneck(b, f"{name}.m{index}", parts[-1], (3, 3), 1.0, shortcut))
    return b.conv(f"{name}.cv2", b.concat(f"{name}.cat", *parts), channels)


def c3k2(b: Builder, name: str, x: Map, channels: int, count: int, nested: bool, expansion: float = 0.5) -> Map:
    """Block of YOLO11: as C2f, with C3 blocks of two bottlenecks inside where `nested`."""
    hidden = int(channels * expansion)
    parts = list(b.split(f"{name}.split", b.conv(f"{name}.cv1", x, 2 * hidden)))
    for index in range(count):
        inner = f"{name}.m{index}"
        last = parts[-1]
        parts.append(
            c3(b, inner, last, hidden, 2, kernels=(3, 3)) if nested else bottleneck(b, inner, last, (3, 3), 0.5, True)
        )
    return b.conv(f"{name}.cv2", b.concat(f"{name}.cat", *parts), channels)


def sppf(b: Builder, name: str, x: Map, channels: int) -> Map:
    """Three max pools in a row, concatenated."""
    parts = [b.conv(f"{name}.cv1", x, x.channels // 2)]
    for index in range(3):
        parts.append(b.max_pool(f"{name}.pool{index}", parts[-1], 5, 1))
    return b.conv(f"{name}.cv2", b.concat(f"{name}.cat", *parts), channels)


def attention(b: Builder, name: str, x: Map) -> Map:
    """Position-sensitive attention of YOLO11: heads of 64 channels, keys of 32, a depthwise position encoding."""
    heads = max(1, x.channels // 64)
    value, key = x.channels // heads, x.channels // heads // 2
    pixels = x.size * x.size
    qkv = b.conv(f"{name}.qkv", x, x.channels + 2 * key * heads, act=None)

    def reshape(tensor: str, result: str, *shape: int) -> str:
        return b.node("Reshape", result, tensor, b.weight(f"{result}.shape", np.asarray(shape, np.int64)))

    packed = reshape(qkv.name, f"{name}.heads", 1, heads, 2 * key + value, pixels)
    sizes = b.weight(f"{name}.sizes", np.asarray([key, key, value], np.int64))
    parts = [f"{name}.q", f"{name}.k", f"{name}.v"]
    b.nodes.append(helper.make_node("Split", [packed, sizes], parts, name=f"{name}.split", axis=2))
    turned = b.node("Transpose", f"{name}.q.t", parts[0], perm=[0, 1, 3, 2])
    scores = b.node("MatMul", f"{name}.scores", turned, parts[1])
    scale = b.weight(f"{name}.scale", np.asarray(key**-0.5, np.float32))
    shares = b.node("Softmax", f"{name}.softmax", b.node("Mul", f"{name}.scaled", scores, scale), axis=-1)
    weighted = b.node(
        "MatMul", f"{name}.weighted", parts[2], b.node("Transpose", f"{name}.s.t", shares, perm=[0, 1, 3, 2])
    )
    mixed = Map(reshape(weighted, f"{name}.mixed", 1, x.channels, x.size, x.size), x.channels, x.size)
    values = Map(reshape(parts[2], f"{name}.values", 1, x.channels, x.size, x.size), x.channels, x.size)
    position = b.conv(f"{name}.pe", values, x.channels, 3, group=x.channels, act=None)
    return b.conv(f"{name}.proj", b.add(f"{name}.sum", mixed, position), x.channels, act=None)


def _convolutions_of_attention(b: Builder, name: str, x: Map) -> Map:
    """What is left of `attention` without its matrix products."""
    position = b.conv(
        f"{name}.pe", b.conv(f"{name}.v", x, x.channels, act=None), x.channels, 3, group=x.channels, act=None
    )
    return b.conv(f"{name}.proj", position, x.channels, act=None)


def c2psa(b: Builder, name: str, x: Map, count: int, attend: bool) -> Map:
    """Half of the channels go through attention and a feed-forward part, both residual.

    Without attention (`attend`), the convolutions around it stay.
    """
    keep, y = b.split(f"{name}.split", b.conv(f"{name}.cv1", x, x.channels))
    for index in range(count):
        inner = f"{name}.m{index}"
        mixed = attention(b, f"{inner}.attn", y) if attend else _convolutions_of_attention(b, f"{inner}.attn", y)
        y = b.add(f"{inner}.add1", y, mixed)
        wide = b.conv(f"{inner}.ffn1", y, 2 * y.channels)
        y = b.add(f"{inner}.add2", y, b.conv(f"{inner}.ffn2", wide, y.channels, act=None, gain=BRANCH_GAIN))
    return b.conv(f"{name}.cv2", b.concat(f"{name}.cat", keep, y), x.channels)


@dataclass(frozen=True)
class Scale:
    """Multiples of the published channels and block counts."""

    width: float
    depth: float

    def channels(self, count: int) -> int:
        return -(-int(min(count, 1024) * self.width) // 8) * 8

    def count(self, count: int) -> int:
        return max(round(count * self.depth), 1)


Block = Callable[[Builder, str, Map, int, int, bool], Map]
"""(builder, name, input, channels, repetitions, shortcut)."""


def _neck(b: Builder, levels: list[Map], s: Scale, block: Block, *, reduce: bool) -> list[Map]:
    """Feature pyramid down and up again; `reduce`: 1x1 convolutions before upsampling (YOLOv5)."""
    p3, p4, p5 = levels
    top = b.conv("n0", p5, s.channels(512)) if reduce else p5
    x = block(b, "n1", b.concat("n1.join", b.upsample("n1.up", top), p4), s.channels(512), s.count(3), False)
    middle = b.conv("n2", x, s.channels(256)) if reduce else x
    x = block(b, "n3", b.concat("n3.join", b.upsample("n3.up", middle), p3), s.channels(256), s.count(3), False)
    outputs = [x]
    for index, (other, channels) in enumerate(((middle, 512), (top, 1024))):
        down = b.conv(f"n{4 + index}", x, s.channels(channels // 2), 3, 2)
        x = block(
            b, f"n{6 + index}", b.concat(f"n{6 + index}.join", down, other), s.channels(channels), s.count(3), False
        )
        outputs.append(x)
    return outputs


def _backbone(b: Builder, x: Map, s: Scale, block: Block, stem: int, counts: tuple[int, ...]) -> list[Map]:
    """Five halvings with blocks after the second to the fifth; the maps at 1/8, 1/16 and 1/32."""
    x = b.conv("b0", x, s.channels(64), stem, 2, pad=2 if stem == 6 else None)
    levels: list[Map] = []
    for index, count in enumerate(counts):
        channels = s.channels(128 << index)
        x = b.conv(f"b{index}.down", x, channels, 3, 2)
        x = block(b, f"b{index}.block", x, channels, s.count(count), True)
        levels.append(x)
    return levels[1:]


def yolov5(b: Builder, x: Map, s: Scale) -> list[Map]:
    p3, p4, p5 = _backbone(b, x, s, c3, 6, (3, 6, 9, 3))
    maps = _neck(b, [p3, p4, sppf(b, "sppf", p5, p5.channels)], s, c3, reduce=True)
    return [b.conv(f"head{i}", m, 3 * (CLASSES + 5), act=None) for i, m in enumerate(maps)]


def yolov8(b: Builder, x: Map, s: Scale) -> list[Map]:
    p3, p4, p5 = _backbone(b, x, s, c2f, 3, (3, 6, 6, 3))
    maps = _neck(b, [p3, p4, sppf(b, "sppf", p5, p5.channels)], s, c2f, reduce=False)
    return _decoupled(b, maps, depthwise=False)


def yolo11(b: Builder, x: Map, s: Scale, attend: bool = True) -> list[Map]:
    def shallow(b: Builder, name: str, x: Map, channels: int, count: int, _: bool) -> Map:
        return c3k2(b, name, x, channels, count, nested=False)

    x = b.conv("b1", b.conv("b0", x, s.channels(64), 3, 2), s.channels(128), 3, 2)
    x = c3k2(b, "b2", x, s.channels(256), s.count(2), False, 0.25)
    p3 = c3k2(b, "b4", b.conv("b3", x, s.channels(256), 3, 2), s.channels(512), s.count(2), False, 0.25)
    p4 = c3k2(b, "b6", b.conv("b5", p3, s.channels(512), 3, 2), s.channels(512), s.count(2), True)
    x = c3k2(b, "b8", b.conv("b7", p4, s.channels(1024), 3, 2), s.channels(1024), s.count(2), True)
    p5 = c2psa(b, "b10", sppf(b, "b9", x, x.channels), s.count(2), attend)
    up4 = shallow(b, "n1", b.concat("n1.join", b.upsample("n1.up", p5), p4), s.channels(512), s.count(2), True)
    out3 = shallow(b, "n2", b.concat("n2.join", b.upsample("n2.up", up4), p3), s.channels(256), s.count(2), True)
    down = b.conv("n3", out3, s.channels(256), 3, 2)
    out4 = shallow(b, "n4", b.concat("n4.join", down, up4), s.channels(512), s.count(2), True)
    down = b.conv("n5", out4, s.channels(512), 3, 2)
    out5 = c3k2(b, "n6", b.concat("n6.join", down, p5), s.channels(1024), s.count(2), True)
    return _decoupled(b, [out3, out4, out5], depthwise=True)


def _decoupled(b: Builder, maps: list[Map], *, depthwise: bool) -> list[Map]:
    """Boxes (4 sides, 16 bins each) and classes from branches of their own."""
    boxes, classes = max(16, maps[0].channels // 4, 64), max(maps[0].channels, min(CLASSES, 100))
    outputs: list[Map] = []
    for level, x in enumerate(maps):
        y = b.conv(f"box{level}.1", b.conv(f"box{level}.0", x, boxes, 3), boxes, 3)
        outputs.append(b.conv(f"box{level}.2", y, 64, act=None))
        y = x
        for step in range(2):
            if depthwise:
                y = b.conv(f"cls{level}.{step}.dw", y, y.channels, 3, group=y.channels)
            y = b.conv(f"cls{level}.{step}", y, classes, 1 if depthwise else 3)
        outputs.append(b.conv(f"cls{level}.2", y, CLASSES, act=None))
    return outputs


NANO, SMALL = Scale(0.25, 0.33), Scale(0.50, 0.33)

NETWORKS: dict[str, tuple[int, Callable[[Builder, Map], list[Map]]]] = {
    "resnet18": (224, lambda b, x: resnet(b, x, (2, 2, 2, 2), False)),
    "resnet34": (224, lambda b, x: resnet(b, x, (3, 4, 6, 3), False)),
    "resnet101": (224, lambda b, x: resnet(b, x, (3, 4, 23, 3), True)),
    "yolov5n": (640, lambda b, x: yolov5(b, x, NANO)),
    "yolov5s": (640, lambda b, x: yolov5(b, x, SMALL)),
    "yolov8n": (640, lambda b, x: yolov8(b, x, NANO)),
    "yolov8s": (640, lambda b, x: yolov8(b, x, SMALL)),
    "yolo11n": (640, lambda b, x: yolo11(b, x, Scale(0.25, 0.5))),
    "yolo11s": (640, lambda b, x: yolo11(b, x, Scale(0.5, 0.5))),
    "yolo11n_no_attention": (640, lambda b, x: yolo11(b, x, Scale(0.25, 0.5), attend=False)),
    "yolo11s_no_attention": (640, lambda b, x: yolo11(b, x, Scale(0.5, 0.5), attend=False)),
}
"""Input size, and what builds the network's outputs."""


def generate(name: str, size: int | None = None) -> onnx.ModelProto:
    """The network of that name; `size` pixels where it is not the published input size."""
    published, build = NETWORKS[name]
    side = size or published
    builder = Builder()
    outputs = build(builder, Map("images", 3, side))
    graph = helper.make_graph(
        builder.nodes, name, [helper.make_tensor_value_info("images", TensorProto.FLOAT, [1, 3, side, side])],
        [
            helper.make_tensor_value_info(
                out.name, TensorProto.FLOAT, [1, out.channels, out.size, out.size] if out.size else [1, out.channels]
            )
            for out in outputs
        ],
        builder.weights,
    )  # fmt: skip
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8, producer_name="axir")
    onnx.checker.check_model(model, full_check=True)
    return model


def main() -> int:
    parser = argparse.ArgumentParser(description="Write a well-known network with random weights as ONNX.")
    parser.add_argument("name", nargs="?", choices=NETWORKS)
    parser.add_argument("out", nargs="?", type=Path, metavar="OUT.onnx")
    parser.add_argument("--size", type=int, help="input height and width (default: the published one)")
    parser.add_argument("--list", action="store_true", help="print the names")
    arguments = parser.parse_args()
    if arguments.list:
        print("\n".join(NETWORKS))
        return 0
    if arguments.out is None:
        parser.error("give a name and a file")
    temporary = arguments.out.with_name(f".{arguments.out.name}.tmp")
    onnx.save_model(generate(arguments.name, arguments.size), str(temporary))
    os.replace(temporary, arguments.out)
    return 0


if __name__ == "__main__":
    sys.exit(main())
