"""Write a ResNet-50 v1.5 with random weights as ONNX: the shapes and cost of the real network, without its training.

    python examples/resnet50_random.py OUT.onnx [--width 0.25] [--size 64]

Input `input` float32 [1, 3, size, size], output `logits` float32 [1, 1000]. BatchNormalization is folded: each
convolution has a bias. The stride of a downsampling bottleneck is on its 3x3 convolution ("v1.5"). Names are those of
torchvision's `resnet50`; where torchvision calls one module several times, the calls are numbered (`relu1`, `relu2`).
The same arguments and NumPy build give the same bytes.

Weights are He-normal (He et al., arXiv:1502.01852), changed in three ways so that a random network behaves like a
trained one where quantization can see it:
- each output channel has a scale of its own, log-uniform over a factor of `CHANNEL_SPREAD`;
- each filter behind a ReLU has mean zero, else the positive mean of its inputs becomes an offset that does not depend
  on the image and soon dwarfs what does;
- the last convolution of a bottleneck is scaled by `BRANCH_GAIN`, so that 16 additions do not make values explode.
"""

import argparse
import math
import os
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

SEED = 0
CLASSES = 1000
STAGES = ((64, 3), (128, 4), (256, 6), (512, 3))
EXPANSION = 4
CHANNEL_SPREAD = 2.0
BRANCH_GAIN = 0.5
BIAS_DEVIATION = 0.1


class Network:
    """Appends nodes and their weights in order; a tensor is known by the name of the node that makes it."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.weights: list[onnx.TensorProto] = []
        self.parameters = 0
        self.macs = 0
        # NEP 19 freezes the stream of RandomState; that of numpy.random.Generator may change between versions.
        self._random = np.random.RandomState(SEED)

    def node(self, op: str, name: str, *inputs: str, **attributes: Any) -> str:
        self.nodes.append(helper.make_node(op, list(inputs), [name], name=name, **attributes))
        return name

    def conv(self, name: str, x: str, shape: tuple[int, int, int], *, size: int, stride: int = 1, gain: float) -> str:
        """A convolution of `shape` = (outputs, inputs, kernel), padded by kernel // 2, on `size` x `size` pixels.

        `gain` is the standard deviation of the output over that of the input, roughly and before the bias.
        """
        outputs, inputs, kernel = shape
        weight = self._filters((outputs, inputs * kernel * kernel), gain, centred=x != "input")
        weight = weight.reshape(outputs, inputs, kernel, kernel)
        bias = self._random.standard_normal(outputs).astype(np.float32) * np.float32(BIAS_DEVIATION)
        self.macs += weight.size * (size // stride) ** 2
        return self.node(
            "Conv",
            name,
            x,
            self._weight(f"{name}.weight", weight),
            self._weight(f"{name}.bias", bias),
            kernel_shape=[kernel, kernel],
            pads=[kernel // 2] * 4,
            strides=[stride, stride],
        )

    def linear(self, name: str, x: str, outputs: int, inputs: int) -> str:
        weight = self._filters((outputs, inputs), math.sqrt(2.0), centred=True)
        bias = np.zeros(outputs, np.float32)
        self.macs += weight.size
        return self.node(
            "Gemm", name, x, self._weight(f"{name}.weight", weight), self._weight(f"{name}.bias", bias), transB=1
        )

    def bottleneck(self, name: str, x: str, inputs: int, planes: int, *, size: int, stride: int) -> str:
        outputs = planes * EXPANSION
        he = math.sqrt(2.0)
        branch = self.conv(f"{name}.conv1", x, (planes, inputs, 1), size=size, gain=he)
        branch = self.node("Relu", f"{name}.relu1", branch)
        branch = self.conv(f"{name}.conv2", branch, (planes, planes, 3), size=size, stride=stride, gain=he)
        branch = self.node("Relu", f"{name}.relu2", branch)
        branch = self.conv(f"{name}.conv3", branch, (outputs, planes, 1), size=size // stride, gain=he * BRANCH_GAIN)
        if inputs != outputs:
            x = self.conv(f"{name}.downsample.0", x, (outputs, inputs, 1), size=size, stride=stride, gain=he)
        return self.node("Relu", f"{name}.relu3", self.node("Add", f"{name}.add", branch, x))

    def _filters(self, shape: tuple[int, int], gain: float, *, centred: bool) -> NDArray[np.float32]:
        """Random filters [outputs, fan-in] of standard deviation gain / sqrt(fan-in), times a scale for each output."""
        weight = self._random.standard_normal(shape)
        if centred:
            weight -= weight.mean(axis=1, keepdims=True)
        scale = CHANNEL_SPREAD ** self._random.uniform(-0.5, 0.5, (shape[0], 1))
        return (weight * scale * (gain / math.sqrt(shape[1]))).astype(np.float32)

    def _weight(self, name: str, value: NDArray[np.float32]) -> str:
        self.weights.append(numpy_helper.from_array(value, name))
        self.parameters += value.size
        return name


def resnet50(width: float, size: int) -> tuple[onnx.ModelProto, Network]:
    """Build the model; channel counts are those of ResNet-50 times `width`, except for the image and the classes."""
    network = Network()
    channels = round(64 * width)
    x = network.conv("conv1", "input", (channels, 3, 7), size=size, stride=2, gain=math.sqrt(2.0))
    x = network.node("Relu", "relu", x)
    x = network.node("MaxPool", "maxpool", x, kernel_shape=[3, 3], pads=[1, 1, 1, 1], strides=[2, 2])

    pixels = size // 4
    for stage, (base, blocks) in enumerate(STAGES, start=1):
        planes = round(base * width)
        for block in range(blocks):
            stride = 2 if stage > 1 and block == 0 else 1
            x = network.bottleneck(f"layer{stage}.{block}", x, channels, planes, size=pixels, stride=stride)
            channels = planes * EXPANSION
            pixels //= stride

    x = network.node("GlobalAveragePool", "avgpool", x)
    x = network.node("Flatten", "flatten", x, axis=1)
    network.linear("fc", x, CLASSES, channels)
    network.nodes[-1].output[0] = "logits"

    graph = helper.make_graph(
        network.nodes,
        "resnet50",
        [helper.make_tensor_value_info("input", TensorProto.FLOAT, [1, 3, size, size])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, [1, CLASSES])],
        network.weights,
    )
    # IR version 8 is the one that came with opset 17.
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8, producer_name="axir")
    onnx.checker.check_model(model)
    return model, network


def width_argument(text: str) -> float:
    width = float(text)
    if width <= 0 or not (16 * width).is_integer():
        raise argparse.ArgumentTypeError(f"{text} is not a positive multiple of 1/16")
    return width


def size_argument(text: str) -> int:
    size = int(text)
    if size <= 0 or size % 32:
        raise argparse.ArgumentTypeError(f"{text} is not a positive multiple of 32")
    return size


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("output", type=Path, metavar="OUT.onnx")
    parser.add_argument("--width", type=width_argument, default=1.0, help="multiplies channel counts (default 1)")
    parser.add_argument("--size", type=size_argument, default=224, help="height and width of the image (default 224)")
    arguments = parser.parse_args()

    model, network = resnet50(arguments.width, arguments.size)
    unfinished = arguments.output.with_name(arguments.output.name + ".tmp")
    try:
        unfinished.write_bytes(model.SerializeToString(deterministic=True))
        os.replace(unfinished, arguments.output)
    except OSError as error:
        unfinished.unlink(missing_ok=True)
        parser.exit(1, f"{arguments.output}: error: {error.strerror}\n")
    counts = f"{len(network.nodes)} nodes, {network.parameters:,} parameters, {network.macs:,} MACs"
    print(f"{arguments.output}: {counts}")


if __name__ == "__main__":
    main()
