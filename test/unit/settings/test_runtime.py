"""What the runtime does differently: int8 inputs and outputs, transfers, host processes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper
from small_networks import SIZE, convolution, model, sound

from axir.compiler import CompilerConfig, compile, quantize
from axir.compiler.quantized_model import QuantizedModel
from axir.ir.diagnostics import AxirError
from axir.runtime import InvalidArgument, load
from axir.tools.axrunmodel import main as axrunmodel

STORED = CompilerConfig(remove_io_quantization=True)


def images(count: int = 4) -> Any:
    return np.random.default_rng(0).standard_normal((count, 3, SIZE, SIZE)).astype(np.float32)


def device_only() -> onnx.ModelProto:
    """Nothing for the host."""
    first, first_weights = convolution("first", "x", "a", 1, inputs=3)
    second, second_weights = convolution("second", "a", "y", 2)
    return model([first, second], first_weights | second_weights, [1, 3, SIZE, SIZE], ["y"])


def compiled(folder: Path, **settings: Any) -> dict[str, Any]:
    """The report of a network compiled with zero copies, one instance a quarter of the memory."""
    defaults: dict[str, Any] = {"input_dmabuf": True, "output_dmabuf": True, "resources_used": 0.25}
    config = CompilerConfig(**(defaults | settings))
    return dict(compile(sound(), config, folder, calibration_dataset=images(2), check=1).report)


def runtime(folder: Path) -> dict[str, Any]:
    return json.loads((folder / "compiled_model" / "model.json").read_text())["runtime"]


# --- remove_io_quantization ------------------------------------------------------------------------------------------


def test_remove_io_quantization_takes_and_gives_the_devices_bytes(tmp_path: Path) -> None:
    plain, stored = (quantize(device_only(), images(), config) for config in (None, STORED))
    (x,), (y,) = stored.hosted.device_inputs, stored.hosted.device_outputs
    assert [tensor.to_json() for tensor in (*stored.parts.inputs, *stored.parts.outputs)] == [
        {"name": t.name, "shape": list(t.tensor_shape), "dtype": "int8", "device": t.name}
        | {"scale": t.scale, "zero_point": t.zero_point}
        for t in (x, y)
    ]
    frame = x.to_stored(images()[:1])
    (found,) = stored(frame)
    assert found.dtype == np.int8
    assert np.array_equal(found, y.to_stored(plain(images()[0])[0]))
    with pytest.raises(InvalidArgument, match="must be int8") as error:
        stored(images()[0])
    assert "remove_io_quantization" in error.value.render()

    # Samples of a check are float all the same; the compiled model agrees, also when it is compiled from the folder.
    compile(device_only(), STORED, tmp_path / "direct", calibration_dataset=images(), check=2)
    stored.export(tmp_path / "saved")
    compile(QuantizedModel.load(tmp_path / "saved"), CompilerConfig(), tmp_path / "kept", check=1)
    compile(plain, STORED, tmp_path / "late", check=1)
    for folder in ("direct", "kept", "late"):
        assert np.array_equal(load(tmp_path / folder)(frame)[0], found)
    described = json.loads((tmp_path / "direct" / "compiled_model" / "model.json").read_text())
    assert described["inputs"] == [stored.parts.inputs[0].to_json()]
    compile(plain, CompilerConfig(), tmp_path / "plain")
    assert np.array_equal(load(tmp_path / "plain")(images()[0])[0], plain(images()[0])[0])


def test_remove_io_quantization_in_the_qdq_file(tmp_path: Path) -> None:
    plain, stored = (quantize(device_only(), images(), config) for config in (None, STORED))
    for name, quantized in (("plain", plain), ("stored", stored)):
        quantized.export(tmp_path / name)
    files = [tmp_path / name / "quantized_model.onnx" for name in ("plain", "stored")]
    network = onnx.load(str(files[1]))
    onnx.checker.check_model(network, full_check=True)
    kinds = [node.op_type for node in network.graph.node]
    assert (
        kinds.count("QuantizeLinear") == [n.op_type for n in onnx.load(str(files[0])).graph.node].count(kinds[-2]) - 1
    )
    assert [value.type.tensor_type.elem_type for value in (*network.graph.input, *network.graph.output)] == [
        TensorProto.INT8,
        TensorProto.INT8,
    ]
    assert kinds[0] == "DequantizeLinear"  # of the input itself
    assert kinds[-2:] == ["QuantizeLinear", "Identity"]  # nothing dequantizes the output
    frame = images()[:1]
    (x,), (y,) = stored.hosted.device_inputs, stored.hosted.device_outputs
    sessions: list[Any] = [onnxruntime.InferenceSession(str(f), providers=["CPUExecutionProvider"]) for f in files]
    (floats,) = sessions[0].run(None, {"x": frame})
    (found,) = sessions[1].run(None, {"x": x.to_stored(frame)})
    assert np.array_equal(found, y.to_stored(floats))
    manifest = json.loads((tmp_path / "stored" / "quantized_model_manifest.json").read_text())
    assert [entry["dtype"] for entry in (*manifest["inputs"], *manifest["outputs"])] == ["int8", "int8"]


def test_remove_io_quantization_leaves_the_hosts_tensors_alone() -> None:
    node, weights = convolution("conv", "added", "y", 3, inputs=3)
    nodes = [
        helper.make_node("Cast", ["early"], ["cast"], "cast", to=TensorProto.FLOAT),
        helper.make_node("Add", ["late", "cast"], ["added"], "add"),
        node,
        helper.make_node("Softmax", ["y"], ["z"], "softmax", axis=3),
    ]
    shape = [1, 3, SIZE, SIZE]
    kinds = {"early": TensorProto.INT32, "late": TensorProto.FLOAT}
    graph = helper.make_graph(
        nodes,
        "mixed",
        [helper.make_tensor_value_info(name, kind, shape) for name, kind in kinds.items()],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in ("y", "z")],
        [numpy_helper.from_array(array, name) for name, array in weights.items()],
    )
    network = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    early = np.arange(3 * SIZE * SIZE, dtype=np.int32).reshape(shape) % 5
    data = [{"early": early, "late": image[None]} for image in images()]
    plain, stored = (quantize(network, data, config) for config in (None, STORED))
    # The host's preamble reads `early`; its postamble passes `y` on and computes `z`.
    assert [(tensor.name, tensor.dtype) for tensor in stored.parts.inputs] == [("early", "int32"), ("late", "int8")]
    assert [(tensor.name, tensor.dtype) for tensor in stored.parts.outputs] == [("y", "int8"), ("z", "float32")]
    late = next(tensor for tensor in stored.hosted.device_inputs if tensor.name == "late")
    y, z = stored({"early": early, "late": late.to_stored(data[0]["late"])})
    expected_y, expected_z = plain(data[0])
    assert np.array_equal(stored.hosted.device_outputs[0].to_real(y), expected_y)
    assert np.array_equal(z, expected_z)


def test_remove_io_quantization_through_axrunmodel(tmp_path: Path) -> None:
    compile(device_only(), STORED, tmp_path / "out", calibration_dataset=images())
    device = load(tmp_path / "out")
    frames = np.random.default_rng(3).integers(-128, 128, (2, 3, SIZE, SIZE), np.int8)
    np.savez(tmp_path / "in.npz", x=frames)
    saved = tmp_path / "saved.npz"
    assert axrunmodel([str(tmp_path / "out"), "--inputs", str(tmp_path / "in.npz"), "--save-outputs", str(saved)]) == 0
    outputs = np.load(saved)["y"]
    assert outputs.dtype == np.int8
    assert np.array_equal(outputs, np.concatenate([device(frame)[0] for frame in frames]))
    assert axrunmodel([str(tmp_path / "out"), "--frames", "2"]) == 0  # random bytes


# --- transfers and host processes (formulas: test/unit/runtime/test_timing.py) ----------------------------------------


def saved_by(name: str, folder: Path) -> tuple[float, int]:
    """Seconds a frame that a dmabuf setting saves, and the bytes of the buffers it is about."""
    reports = {value: compiled(folder / str(value), **{name: value}) for value in (True, False)}
    for value, report in reports.items():
        assert runtime(folder / str(value))[name] is report["runtime"][name] is value
    copied, direct = (reports[value]["totals"]["host_fps"] for value in (False, True))
    ports = json.loads((folder / "True" / "compiled_model" / "model.json").read_text())["parts"][0]
    (port,) = ports["inputs" if name == "input_dmabuf" else "outputs"]
    return 1 / copied - 1 / direct, int(np.prod(port["layout"]["padded_shape"]))


def test_input_dmabuf_saves_a_copy_on_the_host(tmp_path: Path) -> None:
    seconds, size = saved_by("input_dmabuf", tmp_path)
    assert seconds == pytest.approx(size / 10e9)  # host.copy


def test_output_dmabuf_saves_a_copy_on_the_host(tmp_path: Path) -> None:
    seconds, size = saved_by("output_dmabuf", tmp_path)
    assert seconds == pytest.approx(size / 10e9)


def test_input_dmabuf_for_one_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    compiled(tmp_path / "out", input_dmabuf=False, double_buffer=False)

    def rates(*options: str) -> str:
        capsys.readouterr()
        assert axrunmodel([str(tmp_path / "out"), *options]) == 0
        return next(line for line in capsys.readouterr().out.splitlines() if line.startswith("frames/s"))

    def system(*options: str) -> int:
        return int(rates(*options).split("system ")[1].split(" ")[0].replace(",", ""))

    assert rates() == rates("--no-input-dmabuf", "--no-double-buffer", "--output-dmabuf")
    assert system() < system("--input-dmabuf") <= system("--input-dmabuf", "--double-buffer")
    assert system("--no-output-dmabuf") < system() < system("--double-buffer")


def test_runtime_settings_are_recorded(tmp_path: Path) -> None:
    compiled(tmp_path / "out", output_dmabuf=False)
    assert runtime(tmp_path / "out") == {
        "input_dmabuf": True,
        "output_dmabuf": False,
        "double_buffer": True,
        "host_processes_used": 1,
        "multicore_mode": "multiprocess",
    }


def test_double_buffer_overlaps_transfers_and_takes_memory(tmp_path: Path) -> None:
    both, single = (compiled(tmp_path / str(value), double_buffer=value) for value in (True, False))
    assert both["totals"]["cycles"] == single["totals"]["cycles"]
    assert both["totals"]["host_fps"] > single["totals"]["host_fps"]
    # A page for the input and one for the output, beside the program's region.
    assert both["totals"]["second_set_bytes"] == {"l2": 8192}
    assert single["totals"]["second_set_bytes"] == {}
    assert both["totals"]["peak_l2_bytes"] == single["totals"]["peak_l2_bytes"]


def test_double_buffer_goes_to_ddr_where_the_program_fills_l2(tmp_path: Path) -> None:
    """And is copied from there between frames; the program stays as it is."""
    compiled(tmp_path / "free")
    device = json.loads((tmp_path / "free" / "compiled_model" / "model.json").read_text())["parts"][0]
    ports = sum(int(np.prod(port["layout"]["padded_shape"])) for port in (*device["inputs"], *device["outputs"]))
    full, single = (
        compiled(tmp_path / f"full-{value}", l2_constraint=ports, double_buffer=value) for value in (True, False)
    )
    assert full["totals"]["peak_l2_bytes"] == single["totals"]["peak_l2_bytes"] == ports
    assert full["totals"]["cycles"] == single["totals"]["cycles"]
    assert full["totals"]["second_set_bytes"] == {"ddr": 8192}
    described = [
        json.loads((tmp_path / name / "compiled_model" / "model.json").read_text()) for name in ("free", "full-True")
    ]
    assert [model["parts"][0]["staged_bytes"] for model in described] == [0, 8192]
    log = (tmp_path / "full-True" / "compilation_log.txt").read_text()
    assert "second set of inputs and outputs is in DDR, 8,192 bytes are copied between frames" in log
    tight = {"l2_constraint": ports, "page_memory": False}
    needed = compiled(tmp_path / "packed", double_buffer=False, **tight)["totals"]["ddr_bytes"] + ports
    assert compiled(tmp_path / "fits", ddr_constraint=needed, **tight)["totals"]["second_set_bytes"] == {"ddr": ports}
    with pytest.raises(AxirError, match="do not fit ddr"):
        compiled(tmp_path / "not", ddr_constraint=needed - 1, **tight)


def test_host_processes_used_share_the_calls_of_the_instances(tmp_path: Path) -> None:
    one, four = (compiled(tmp_path / str(count), host_processes_used=count) for count in (1, 9))
    assert runtime(tmp_path / "9")["host_processes_used"] == 9
    assert [report["instances"]["count"] for report in (one, four)] == [4, 4]
    assert [report["instances"]["host_processes"] for report in (one, four)] == [1, 4]  # at most one an instance
    assert four["instances"]["system_fps"] > one["instances"]["system_fps"]
    assert four["instances"]["device_fps"] == one["instances"]["device_fps"]
    assert four["totals"]["system_fps"] == one["totals"]["system_fps"]
    whole = compiled(tmp_path / "whole", resources_used=1.0)
    assert whole["instances"]["count"] == 1


def test_multicore_mode_says_who_feeds_the_instances(tmp_path: Path) -> None:
    compiled(tmp_path / "threads", multicore_mode="multithread")
    compiled(tmp_path / "processes", host_processes_used=2)
    assert runtime(tmp_path / "threads")["multicore_mode"] == "multithread"
    assert runtime(tmp_path / "processes")["multicore_mode"] == "multiprocess"
    with pytest.raises(AxirError, match="host_processes_used is 2, but multicore_mode multithread"):
        CompilerConfig(multicore_mode="multithread", host_processes_used=2)
