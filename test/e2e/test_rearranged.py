"""Operators that move elements between convolutions, from ONNX to the device model, bit for bit."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np
import onnx
import pytest
from e2e.test_windows import check
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from onnx import helper, numpy_helper
from rearrangements import rearrangements

from axir.compiler import CompilerConfig


class Sandwich:
    """Operators on [1, 8, 6, 10] between two convolutions of 1x1."""

    shape = (1, 8, 6, 10)

    def __init__(self, seed: int):
        self.rng = np.random.default_rng(seed)
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []
        self.value = "x"
        self.conv(8, 8)

    def constant(self, array: np.ndarray) -> str:
        self.constants.append(numpy_helper.from_array(array, f"c{len(self.constants)}"))
        return self.constants[-1].name

    def node(self, kind: str, *others: np.ndarray | str, **attributes: Any) -> None:
        """A node on the last value and others, which are constants or values by name."""
        result = f"v{len(self.nodes)}"
        inputs = [self.value, *(other if isinstance(other, str) else self.constant(other) for other in others)]
        self.nodes.append(helper.make_node(kind, inputs, [result], name=f"{kind}{len(self.nodes)}", **attributes))
        self.value = result

    def conv(self, inputs: int, outputs: int) -> None:
        self.node("Conv", self.rng.normal(0, inputs**-0.5, (outputs, inputs, 1, 1)).astype(np.float32))

    def reshape(self, *shape: int) -> None:
        self.node("Reshape", np.array(shape, np.int64))

    def model(self) -> Any:
        given_ = helper.make_tensor_value_info("x", 1, self.shape)
        infos = [helper.make_tensor_value_info(self.value, 1, None)]
        graph = helper.make_graph(self.nodes, "g", [given_], infos, self.constants)
        made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 19)], ir_version=9)
        return onnx.shape_inference.infer_shapes(made, strict_mode=True)


@pytest.mark.parametrize(
    "case",
    [
        "transpose",
        "rearrange",
        "reshape",
        "softmax",
        "rank3",
        "rank5",
        "gather",
        "pad",
        "nearest",
        "linear",
        "mixer",
        "greatest",
    ],
)
@settings(max_examples=4, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_between_convolutions(case: str, data: st.DataObject, tmp_path_factory: pytest.TempPathFactory) -> None:
    draw, seed = data.draw, data.draw(st.integers(0, 99))
    net = Sandwich(seed)
    shape = list(net.shape)
    match case:
        case "transpose":
            perm = [0, *(1 + axis for axis in draw(st.permutations(range(3))))]
            net.node("Transpose", perm=perm)
            shape = [shape[axis] for axis in perm]
        case "rearrange":
            split, perm, shape = draw(rearrangements(net.shape))
            net.reshape(*split)
            net.node("Transpose", perm=perm)
            net.reshape(*shape)
        case "reshape":
            sizes = [n for n in range(1, 49) if prod(shape) % n == 0]
            channels, width = draw(st.sampled_from(sizes)), draw(st.sampled_from([1, 2, 5, 10]))
            if prod(shape) % (channels * width):
                width = 1
            shape = [1, channels, prod(shape) // channels // width, width]
            net.reshape(*shape)
        case "softmax":
            net.node("Softmax", axis=draw(st.integers(1, 3)))
        case "rank3":
            net.reshape(1, 8, 60)
            if draw(st.booleans()):
                net.node("Transpose", perm=[0, 2, 1])
                net.node("Softmax", axis=draw(st.integers(1, 2)))
                net.node("Transpose", perm=[0, 2, 1])
            net.node("Sigmoid")
            net.reshape(*shape)
        case "gather":
            axis = draw(st.integers(1, 3))
            indices = draw(st.lists(st.integers(0, shape[axis] - 1), min_size=1, max_size=20))
            net.node("Gather", np.array(indices, np.int64), axis=axis)
            shape[axis] = len(indices)
        case "pad":
            mode = draw(st.sampled_from(["edge", "reflect"]))
            pads = [draw(st.integers(0, 5 if mode == "reflect" else 11)) for _ in range(4)]
            net.node("Pad", np.array([0, 0, *pads[:2], 0, 0, *pads[2:]], np.int64), mode=mode)
        case "nearest" | "linear":
            coordinates = draw(st.sampled_from(["half_pixel", "align_corners", "asymmetric", "pytorch_half_pixel"]))
            sizes = np.array([1, 8, draw(st.integers(2, 17)), draw(st.integers(2, 17))], np.int64)
            none = np.zeros(0, np.float32)
            net.node("Resize", none, none, sizes, mode=case, coordinate_transformation_mode=coordinates)
        case "greatest":
            values = net.value
            net.node("ReduceMax", np.array(draw(st.sampled_from([[1], [1, 2], [1, 3], [1, 2, 3]])), np.int64))
            net.node("Add", values)
        case "mixer":
            net.reshape(1, 8, 60)
            net.node("Transpose", perm=[0, 2, 1])
            tokens, hidden = net.value, draw(st.integers(2, 64))  # of more, the last convolution were a host part
            if draw(st.booleans()):
                net.node("LayerNormalization", *net.rng.uniform(0.5, 1, (2, 8)).astype(np.float32), axis=-1)
            net.node("Transpose", perm=[0, 2, 1])
            for sizes in ((60, hidden), (hidden, 60)):
                net.node("MatMul", net.rng.normal(0, sizes[0] ** -0.5, sizes).astype(np.float32))
                net.node("Relu")
            net.node("Transpose", perm=[0, 2, 1])
            net.node("Add", tokens)
            net.node("Transpose", perm=[0, 2, 1])
            net.reshape(*shape)
        case _:
            net.reshape(1, 2, 4, 3, 2, 10)
            net.node("Relu")
            net.node("Transpose", perm=[0, *(1 + axis for axis in draw(st.permutations(range(5))))])
            net.reshape(*shape)
    net.conv(shape[1], 8)
    unclipped = CompilerConfig(quantization_scheme="per_tensor_min_max")
    check(net.model(), net.shape, tmp_path_factory.mktemp(case), seed, unclipped)
