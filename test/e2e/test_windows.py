"""Reductions, strided slices, groups and dilated means from ONNX to the device model, bit for bit."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from on_device import check_on_device
from onnx import helper, numpy_helper

from axir.compiler import CompilerConfig


def ints(*numbers: int) -> NDArray[np.int64]:
    return np.array(numbers, np.int64)


def model(shape: tuple[int, ...], kind: str, constants: list[NDArray[Any]], **attributes: Any) -> Any:
    """One node, and its constants as further inputs."""
    names = [f"c{index}" for index in range(len(constants))]
    node = helper.make_node(kind, ["x", *names], ["y"], name=kind, **attributes)
    given_ = [helper.make_tensor_value_info("x", 1, shape)]
    made = [numpy_helper.from_array(array, name) for array, name in zip(constants, names, strict=True)]
    graph = helper.make_graph([node], "g", given_, [helper.make_tensor_value_info("y", 1, None)], made)
    result = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 19)], ir_version=9)
    return onnx.shape_inference.infer_shapes(result, strict_mode=True)


def check(
    onnx_model: Any, shape: tuple[int, ...], folder: Path, seed: int, config: CompilerConfig | None = None
) -> None:
    rng = np.random.default_rng(seed)
    samples = [{"x": rng.uniform(-1, 2, shape).astype(np.float32)} for _ in range(4)]
    check_on_device(onnx_model, samples, folder, config=config)


CASES = ["slice", "sum", "mean", "max", "transpose", "average"]


@pytest.mark.parametrize("case", CASES)
@settings(max_examples=4, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_on_the_device(case: str, data: st.DataObject, tmp_path_factory: pytest.TempPathFactory) -> None:
    draw, seed = data.draw, data.draw(st.integers(0, 99))
    groups = draw(st.integers(2, 4))
    channels = groups * draw(st.integers(1, 20)) if case == "transpose" else draw(st.integers(1, 80))
    shape = (1, channels, draw(st.integers(5, 12)), draw(st.integers(5, 12)))
    folder = tmp_path_factory.mktemp(case)
    match case:
        case "slice":
            steps, starts = (
                draw(st.tuples(st.integers(2, 4), st.integers(1, 4))),
                draw(st.tuples(*[st.integers(0, 3)] * 2)),
            )
            made = model(shape, "Slice", [ints(*starts), ints(*shape[2:]), ints(2, 3), ints(*steps)])
        case "sum" | "mean" | "max":
            axes = draw(st.sampled_from([(2, 3), (2,), (3,)] + ([] if case == "max" else [(1,), (1, 2), (1, 2, 3)])))
            made = model(shape, f"Reduce{case.title()}", [ints(*axes)])
        case "transpose":
            weight = np.random.default_rng(seed).normal(0, 0.3, (channels, draw(st.integers(1, 3)), 3, 2))
            pads, output = draw(st.tuples(*[st.integers(0, 1)] * 4)), draw(st.tuples(*[st.integers(0, 1)] * 2))
            made = model(
                shape, "ConvTranspose", [weight.astype(np.float32)],
                group=groups, strides=(2, 2), pads=pads, output_padding=output,
                dilations=draw(st.sampled_from([(1, 1), (2, 1)])),
            )  # fmt: skip
        case _:
            padded = draw(st.booleans())
            made = model(
                shape, "AveragePool", [], kernel_shape=(2, 3), dilations=(2, 1),
                strides=draw(st.sampled_from([(1, 1), (2, 1)])),
                count_include_pad=int(padded), pads=(1, 0, 1, 2) if padded else (0, 0, 0, 0),
            )  # fmt: skip
    check(made, shape, folder, seed)
