"""Random small networks, against ONNX Runtime."""

from __future__ import annotations

import numpy as np
import onnx
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from onnx import helper
from onnx_models import check_against_onnxruntime, make_model


class Network:
    """A network that grows layer by layer; every layer is drawn to fit the shape before it."""

    def __init__(self, draw: st.DrawFn):
        self.draw = draw
        self.rng = np.random.default_rng(draw(st.integers(0, 2**16)))
        self.nodes: list[onnx.NodeProto] = []
        self.constants: dict[str, np.ndarray] = {}
        self.shape = (draw(st.integers(1, 2)), draw(st.sampled_from([1, 2, 4, 6])), *self.sizes(3, 9))
        self.values = [("x", self.shape)]

    def sizes(self, low: int, high: int) -> tuple[int, int]:
        return self.draw(st.integers(low, high)), self.draw(st.integers(low, high))

    @property
    def top(self) -> str:
        return self.values[-1][0]

    def weight(self, *shape: int) -> str:
        name = f"w{len(self.constants)}"
        self.constants[name] = self.rng.uniform(-1, 1, shape).astype(np.float32)
        return name

    def add(self, kind: str, *operands: str, **attributes: object) -> None:
        output = f"v{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, [self.top, *operands], [output], **attributes))
        self.values.append((output, self.shape))

    def kernel(self) -> tuple[int, int]:
        height, width = (self.draw(st.integers(1, min(3, size))) for size in self.shape[2:])
        return height, width

    def window(self, kernel: tuple[int, int], most_padding: int) -> dict[str, object]:
        """Strides, pads, and dilations that keep the window inside the input."""
        dilations = [
            self.draw(st.integers(1, 2)) if 2 * k - 1 <= size else 1
            for k, size in zip(kernel, self.shape[2:], strict=True)
        ]
        # ONNX Runtime wants the pads of a pool smaller than its kernel.
        pads = [self.draw(st.integers(0, min(k - 1, 2) + most_padding)) for k in (*kernel, *kernel)]
        return {"strides": self.sizes(1, 3), "dilations": dilations, "pads": pads}

    def conv(self) -> None:
        channels, kernel = self.shape[1], self.kernel()
        group = self.draw(st.sampled_from([g for g in (1, 2, channels) if channels % g == 0]))
        outputs = group * self.draw(st.integers(1, 3))
        attributes = self.window(kernel, most_padding=1)
        mode = self.draw(st.sampled_from(["NOTSET", "NOTSET", "SAME_UPPER", "SAME_LOWER"]))
        if mode != "NOTSET" and attributes["dilations"] == [1, 1]:
            del attributes["pads"]
            attributes["auto_pad"] = mode
        bias = [self.weight(outputs)] if self.draw(st.booleans()) else []
        self.add("Conv", self.weight(outputs, channels // group, *kernel), *bias, group=group, **attributes)

    def pool(self) -> None:
        kernel = self.kernel()
        attributes: dict[str, object] = {"kernel_shape": kernel, **self.window(kernel, most_padding=0)}
        attributes["ceil_mode"] = self.draw(st.integers(0, 1))
        kind = self.draw(st.sampled_from(["MaxPool", "AveragePool"]))
        if kind == "AveragePool":
            attributes["count_include_pad"] = self.draw(st.integers(0, 1))
        self.add(kind, **attributes)

    def batch_norm(self) -> None:
        mean, scale, bias = (self.weight(self.shape[1]) for _ in range(3))
        variance = self.weight(self.shape[1])
        self.constants[variance] = np.abs(self.constants[variance]) + np.float32(0.1)
        self.add("BatchNormalization", scale, bias, mean, variance)

    def activation(self) -> None:
        self.add(self.draw(st.sampled_from(["Relu", "Sigmoid", "Tanh", "HardSwish", "LeakyRelu"])))

    def residual(self) -> None:
        partners = [name for name, shape in self.values if shape == self.shape]
        self.add("Add", self.draw(st.sampled_from(partners)))

    def grow(self, model: onnx.ModelProto) -> None:
        """Read the shape of the last value off the model so far."""
        inferred = onnx.shape_inference.infer_shapes(model, strict_mode=True).graph.output[0].type.tensor_type
        self.shape = tuple(dim.dim_value for dim in inferred.shape.dim)
        self.values[-1] = (self.top, self.shape)

    def model(self) -> onnx.ModelProto:
        return make_model(self.nodes, {"x": self.values[0][1]}, [self.top], self.constants, opset=19)


@st.composite
def networks(draw: st.DrawFn) -> onnx.ModelProto:
    network = Network(draw)
    for _ in range(draw(st.integers(1, 5))):
        layers = [network.conv, network.pool, network.batch_norm, network.activation, network.residual]
        draw(st.sampled_from(layers))()
        network.grow(network.model())
    return network.model()


@given(networks())
@settings(max_examples=120, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
def test_network(model: onnx.ModelProto) -> None:
    check_against_onnxruntime(model, rtol=1e-3, atol=1e-4)
