"""Softmax on the device: what its neutral value does, where it is and how it is tiled."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from graph_runs import run_onnx
from onnx import ModelProto, helper
from small_networks import SIZE, convolution, model, weights

from axir.backends.aipu.image import read_image
from axir.compiler import CompilerConfig, compile, quantize
from axir.compiler.quantized_model import QuantizedModel
from axir.dialects import axq
from axir.ir.diagnostics import AxirError
from axir.runtime import load
from axir.target import isa
from axir.target.description import load as load_target

METIS = load_target()


def classified(channels: int = 8, axis: int = 1, last: bool = True) -> ModelProto:
    """Two convolutions with a softmax behind the second (`last`) or between them."""
    first, first_weights = convolution("first", "x", "a", 1, inputs=3, outputs=channels)
    second, second_weights = convolution("second", "a" if last else "s", "b", 2, inputs=channels, outputs=channels)
    softmax = helper.make_node("Softmax", ["b" if last else "a"], ["s"], "softmax", axis=axis)
    nodes = [first, second, softmax] if last else [first, softmax, second]
    return model(nodes, first_weights | second_weights, [1, 3, SIZE, SIZE], ["s" if last else "b"])


def samples(count: int = 4) -> np.ndarray:
    return 4 * weights(7, count, 3, SIZE, SIZE)


def neutral_of(quantized: QuantizedModel) -> list[float]:
    return [op.neutral.value.data for op in quantized.graph.walk() if isinstance(op, axq.SoftmaxOp)]


def run(network: ModelProto, folder: Path, **settings: object) -> tuple[np.ndarray, list[isa.Softmax]]:
    """What the compiled network gives for a sample, bit-exact to the reference, and its softmax instructions."""
    config = CompilerConfig(**settings)
    compile(network, config, folder, calibration_dataset=samples(), check=3)
    sample = samples()[:1]
    (found,), (expected,) = load(folder / "compiled_model")(sample), quantize(network, samples(), config)(sample)
    np.testing.assert_array_equal(found, expected)
    image = read_image((folder / "compiled_model" / "model.axm").read_bytes(), METIS)
    tasks = [task.instruction for task in image.cores[0]["depthwise"]]
    return found, [task for task in tasks if isinstance(task, isa.Softmax)]


def test_softmax_neutral_value(tmp_path: Path) -> None:
    """A value that contributes takes its share of the sum: 56 lanes behind 8 channels."""
    network = classified()
    nothing, (without,) = run(network, tmp_path / "default")
    some, (with_,) = run(network, tmp_path / "zero", softmax_neutral_value=0)
    assert (without.neutral, with_.neutral) == (-100000.0, 0.0)
    expected = run_onnx(network, {"x": samples()[:1]})["s"]
    np.testing.assert_allclose(nothing, expected, atol=0.03)
    np.testing.assert_allclose(nothing.sum(axis=1), 1, atol=8 / 512 + 1 / 256)
    assert (some <= nothing).all()
    assert (some.sum(axis=1) < 0.9).any()


def test_softmax_neutral_value_has_no_lanes_where_pwords_are_full(tmp_path: Path) -> None:
    network = classified(64)
    nothing, _ = run(network, tmp_path / "default")
    some, _ = run(network, tmp_path / "zero", softmax_neutral_value=0)
    np.testing.assert_array_equal(nothing, some)


def test_softmax_neutral_value_reaches_the_quantized_graph() -> None:
    quantized = quantize(classified(), samples(), CompilerConfig(softmax_neutral_value=-3.5))
    assert neutral_of(quantized) == [-3.5]
    with pytest.raises(AxirError, match="softmax_neutral_value"):
        CompilerConfig(softmax_neutral_value=-1e30)


def test_a_softmax_in_the_middle_runs_on_the_device(tmp_path: Path) -> None:
    _, instructions = run(classified(70, last=False), tmp_path / "out")
    assert [(task.channels, task.blocks) for task in instructions] == [(70, 2)]
    assert not (tmp_path / "out" / "compiled_model" / "postamble.onnx").exists()


def test_a_softmax_is_cut_into_rows_only(tmp_path: Path) -> None:
    whole, (one,) = run(classified(70), tmp_path / "whole")
    cut, several = run(classified(70), tmp_path / "cut", force_h_tiling=3, force_oc_tiling=2)
    assert one.rows == SIZE
    assert [(task.rows, task.channels) for task in several] == [(2, 70)] * 3
    np.testing.assert_array_equal(whole, cut)


def test_along_rows_it_stays_on_the_host(tmp_path: Path) -> None:
    _, instructions = run(classified(axis=3), tmp_path / "out")
    assert not instructions
    assert (tmp_path / "out" / "compiled_model" / "postamble.onnx").exists()
