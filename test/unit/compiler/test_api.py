"""`quantize` and `compile` from Python, and what `--check` notices."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper
from small_networks import SIZE, convolution, save, sound

from axir.compiler import CompilerConfig, compile, quantize
from axir.compiler.check import check
from axir.compiler.quantized_model import MANIFEST, QuantizedModel
from axir.compiler.session import Listener
from axir.ir.diagnostics import AxirError
from axir.numerics import I8
from axir.runtime import load


class Notebook(Listener):
    """Writes down what it hears."""

    def __init__(self) -> None:
        self.warnings: list[str] = []
        self.stages: list[str] = []
        self.steps: list[tuple[int, int | None]] = []

    def stage(self, name: str) -> None:
        self.stages.append(name)

    def progress(self, done: int, total: int | None) -> None:
        self.steps.append((done, total))

    def warning(self, text: str) -> None:
        self.warnings.append(text)


def images(count: int) -> Any:
    return np.random.default_rng(0).standard_normal((count, 3, SIZE, SIZE)).astype(np.float32)


def two_inputs() -> onnx.ModelProto:
    """`early` goes through a cast on the host, `late` straight to the device: the split must not swap them."""
    node, initializers = convolution("conv", "added", "y", 3, inputs=3)
    nodes = [
        helper.make_node("Cast", ["early"], ["cast"], "cast", to=TensorProto.FLOAT),
        helper.make_node("Add", ["late", "cast"], ["added"], "add"),
        node,
    ]
    shape = [1, 3, SIZE, SIZE]
    graph = helper.make_graph(
        nodes,
        "two",
        [
            helper.make_tensor_value_info("late", TensorProto.FLOAT, shape),
            helper.make_tensor_value_info("early", TensorProto.INT32, shape),
        ],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
        [numpy_helper.from_array(array, name) for name, array in initializers.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def test_quantize_streams_the_dataset_through_the_transform() -> None:
    seen: list[int] = []

    def transform(item: int) -> Any:
        seen.append(item)
        return images(3)[item]

    notebook = Notebook()
    model = quantize(sound(), (item for item in range(3)), None, transform, listener=notebook)
    assert seen == [0, 1, 2]
    assert notebook.steps == [(1, None), (2, None), (3, None)]
    assert notebook.stages[-1] == "quantize"
    assert notebook.warnings == []
    (result,) = model(images(1)[0])
    assert result.shape == (1, 8, SIZE, SIZE)
    assert result.dtype == np.float32


def test_without_data_it_warns() -> None:
    notebook = Notebook()
    quantize(sound(), listener=notebook)
    assert "random samples" in notebook.warnings[0]


def test_compile_takes_a_model_in_memory(tmp_path: Path) -> None:
    compile(sound(), CompilerConfig(), tmp_path / "out", calibration_dataset=images(2), check=1)
    assert onnx.load(str(tmp_path / "out" / "input_model" / "fp32_model.onnx")) == sound()


def test_inputs_keep_the_models_order(tmp_path: Path) -> None:
    path = save(two_inputs(), tmp_path / "two.onnx")
    early = np.arange(3 * SIZE * SIZE, dtype=np.int32).reshape(1, 3, SIZE, SIZE) % 5
    late = images(1)
    model = quantize(path, [(late, early)])
    assert [tensor.name for tensor in model.parts.inputs] == ["late", "early"]
    session: Any = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    (expected,) = session.run(None, {"late": late, "early": early})
    (found,) = model(late, early)
    assert np.abs(found - expected).max() < 0.1
    compile(model, CompilerConfig(), tmp_path / "out", check=2)
    assert np.array_equal(load(tmp_path / "out")(late, early)[0], found)


def test_export_and_load(tmp_path: Path) -> None:
    model = quantize(sound(), images(4), CompilerConfig(model_name="mine"))
    for folder in ("a", "b"):
        model.export(tmp_path / folder)
    assert all((tmp_path / "b" / file.name).read_bytes() == file.read_bytes() for file in (tmp_path / "a").iterdir())
    manifest = json.loads((tmp_path / "a" / MANIFEST).read_text())
    assert manifest["name"] == QuantizedModel.load(tmp_path / "a").name == "mine"
    assert [entry["name"] for entry in manifest["segments"][0]["operators"]] == ["first", "second"]


def test_per_channel_scales_survive(tmp_path: Path) -> None:
    weights = np.random.default_rng(0).standard_normal((8, 1, 3, 3)).astype(np.float32)
    depthwise = helper.make_node("Conv", ["a", "dw.w"], ["b"], "dw", kernel_shape=[3, 3], pads=[1] * 4, group=8)
    network = sound(middle=[depthwise])
    network.graph.initializer.append(numpy_helper.from_array(weights, "dw.w"))
    config = CompilerConfig(quantization_scheme="hybrid_per_tensor_per_channel")
    model = quantize(network, images(4), config)
    model.export(tmp_path / "saved")
    assert "channels" in (tmp_path / "saved" / "quantized_model.mlir").read_text()
    first = json.loads((tmp_path / "saved" / MANIFEST).read_text())["segments"][0]["operators"][0]
    assert len(first["scale"]) == len(first["zero_point"]) == 8
    compile(model, config, tmp_path / "out", check=2)


def test_compile_needs_a_folder_and_a_mode(tmp_path: Path) -> None:
    model = quantize(sound(), images(1))
    with pytest.raises(AxirError, match="no output folder"):
        compile(model)
    with pytest.raises(AxirError, match="quantize_only"):
        compile(model, CompilerConfig(compiler_mode="quantize_only"), tmp_path / "out")
    compiled = compile(model, CompilerConfig(output_dir=tmp_path / "set"))
    assert compiled.model_json == tmp_path / "set" / "compiled_model" / "model.json"
    assert compiled.report["totals"]["cycles"] > 0


def test_the_clock_changes_seconds_and_ddr_only(tmp_path: Path) -> None:
    model = quantize(sound(), images(1))
    fast = compile(model, CompilerConfig(), tmp_path / "fast").report["totals"]
    slow = compile(model, CompilerConfig(frequency=400_000_000), tmp_path / "slow").report["totals"]
    assert slow["cycles"] == fast["cycles"]  # nothing of this network is in DDR
    assert slow["device_fps"] == pytest.approx(fast["device_fps"] / 2)
    assert load(tmp_path / "slow")(images(1))[0].shape == (1, 8, SIZE, SIZE)


def test_check_names_the_first_difference() -> None:
    model = quantize(sound(), images(1))

    def broken(inputs: Sequence[I8]) -> list[I8]:
        (right,) = model.hosted.run_device(inputs)
        wrong = right.copy()
        wrong[0, 3, 2, 1:] ^= 1
        return [wrong]

    samples = [{model.hosted.inputs[0].name: image[None]} for image in images(2)]
    done: list[int] = []
    check(model, {"main": model.hosted.run_device}, samples, 3, done.append)  # the third frame is random
    assert done == [1, 2, 3]
    with pytest.raises(AxirError) as error:
        check(model, {"main": broken}, samples, 2, done.append)
    assert f"in output 'second' of frame 0: {SIZE - 1} of {8 * SIZE * SIZE} bytes" in error.value.message
    assert "the first at [0, 3, 2, 1]" in error.value.message
