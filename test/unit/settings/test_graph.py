"""What the settings of the graph and the graph cleaner change; host, reference and device agree with each of them."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import ModelProto, TensorProto, helper, numpy_helper

from axir.compiler import CompilerConfig, compile, quantize
from axir.compiler.config.checks import idle
from axir.compiler.quantized_model import QuantizedModel
from axir.compiler.session import Listener
from axir.dialects import axq
from axir.ir.diagnostics import AxirError
from axir.runtime import load

SIZE = 6


class Heard(Listener):
    """Keeps the warnings."""

    def __init__(self) -> None:
        self.warnings: list[str] = []

    def warning(self, text: str) -> None:
        self.warnings.append(text)


class Net:
    """A small network, node by node; `value` is the last tensor."""

    def __init__(self, *shape: int):
        self.rng = np.random.default_rng(0)
        self.shape, self.value = shape, "x"
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[TensorProto] = []

    def constant(self, array: Any) -> str:
        name = f"c{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.asarray(array), name))
        return name

    def random(self, *shape: int, scale: float = 1.0) -> str:
        return self.constant((self.rng.standard_normal(shape) * scale).astype(np.float32))

    def number(self, value: float) -> str:
        return self.constant(np.float32(value))

    def node(self, kind: str, *more: str, **attributes: Any) -> Net:
        name = f"{kind.lower()}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, [self.value, *more], [name], name, **attributes))
        self.value = name
        return self

    def conv(self, inputs: int, outputs: int, kernel: int = 3, pad: int = 1) -> Net:
        weight = self.random(outputs, inputs, kernel, kernel, scale=0.3 / kernel)
        return self.node("Conv", weight, pads=[pad] * 4)

    def batch_norm(self, channels: int) -> Net:
        positive = [self.constant(self.rng.uniform(0.5, 2, channels).astype(np.float32)) for _ in range(2)]
        scale, variance = positive
        return self.node("BatchNormalization", scale, self.random(channels), self.random(channels), variance)

    def model(self, *outputs: str) -> ModelProto:
        graph = helper.make_graph(
            self.nodes,
            "net",
            [helper.make_tensor_value_info("x", TensorProto.FLOAT, self.shape)],
            [onnx.ValueInfoProto(name=name) for name in outputs or (self.value,)],
            self.constants,
        )
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)

    def samples(self, count: int = 4) -> Any:
        return np.random.default_rng(1).standard_normal((count, *self.shape[1:])).astype(np.float32)


def classifier() -> Net:
    """Convolutions, dense layers of 8 x 12 and 12 x 10 weights, and a softplus for the host."""
    net = Net(1, 3, SIZE, SIZE).conv(3, 8).node("Relu").conv(8, 8)
    net.node("GlobalAveragePool").node("Flatten")
    net.node("Gemm", net.random(8, 12), net.random(12)).node("Relu")
    net.node("Gemm", net.random(10, 12), transB=1)
    return net.node("Trilu")


def nhwc_network(channels: int = 3) -> Net:
    """As exported from a framework with channels last."""
    net = Net(1, SIZE, SIZE, channels).node("Transpose", perm=[0, 3, 1, 2]).conv(channels, 8).node("Relu")
    return net.conv(8, 8).node("Trilu")


def device_ops(model: QuantizedModel) -> list[str]:
    return [op.name.removeprefix("axq.") for op in model.graph.body.block.ops if not isinstance(op, axq.ReturnOp)]


def steps(model: QuantizedModel) -> list[str]:
    """The epilogues of the device's operators, as text."""
    return [", ".join(map(str, op.epilogue)) for op in model.graph.body.block.ops if isinstance(op, axq.FusedOp)]


def run_onnx(model: ModelProto | str, *feeds: Any) -> list[Any]:
    source = model if isinstance(model, str) else model.SerializeToString()
    session = onnxruntime.InferenceSession(source, providers=["CPUExecutionProvider"])
    return session.run(None, {value.name: feed for value, feed in zip(session.get_inputs(), feeds, strict=True)})


def compiled(net: Net, out: Path, listener: Listener | None = None, **settings: Any) -> Path:
    """Compiled, and the simulator compared with the reference; a model on a device gives what the network means."""
    samples = net.samples()
    compile(net.model(), CompilerConfig(**settings), out, calibration_dataset=samples, check=3, listener=listener)
    folder = out / "compiled_model"
    if settings.get("graph_cleaner_split_pre_post_processing", True):
        (found,) = load(folder)(samples[0])
        (expected,) = run_onnx(net.model(), samples[:1])
        assert np.abs(found - expected).max() <= 0.1 * np.abs(expected).max()
    return folder


def nodes_of(path: Path) -> list[str]:
    return [node.op_type for node in onnx.load(str(path)).graph.node]


# --- apply_arithmetic_simplification ---------------------------------------------------------------------------------


def normalized() -> Net:
    return Net(1, 3, SIZE, SIZE).conv(3, 8).batch_norm(8).node("Relu").conv(8, 4).batch_norm(4)


def test_apply_arithmetic_simplification_folds_batch_norms_into_weights(tmp_path: Path) -> None:
    net = normalized()
    folded, apart = (
        quantize(net.model(), net.samples(), CompilerConfig(apply_arithmetic_simplification=value))
        for value in (True, False)
    )
    assert device_ops(folded) == ["conv", "conv"]
    groups = [op.group.value.data for op in apart.graph.body.block.ops if isinstance(op, axq.ConvOp)]
    assert groups == [1, 8, 1, 4]
    assert steps(apart) == ["", "relu", "", ""]
    compiled(net, tmp_path / "out", apply_arithmetic_simplification=False)


# --- simplify_mac_before_after_lut -----------------------------------------------------------------------------------


def gated() -> Net:
    """2 * sigmoid(3 * x + 1) - 1 between a pool, which takes no numbers, and the output."""
    net = Net(1, 8, SIZE, SIZE).conv(8, 8).node("MaxPool", kernel_shape=[2, 2])
    net.node("Mul", net.number(3)).node("Add", net.number(1)).node("Sigmoid")
    return net.node("Mul", net.number(2)).node("Sub", net.number(1))


def test_simplify_mac_before_after_lut_makes_one_table(tmp_path: Path) -> None:
    net = gated()
    one, apart = (
        quantize(net.model(), net.samples(), CompilerConfig(simplify_mac_before_after_lut=value))
        for value in (True, False)
    )
    assert steps(one) == ["", "sigmoid(3.0, 1.0, 2.0, -1.0)"]
    assert device_ops(one) == ["conv", "max_pool", "map"]
    assert steps(apart) == ["", "sigmoid", ""]
    assert device_ops(apart) == ["conv", "max_pool", "conv", "conv"]
    (exact,) = run_onnx(net.model(), net.samples()[:1])
    errors = [np.abs(model(net.samples()[0])[0] - exact).max() for model in (one, apart)]
    assert errors[0] < 0.05
    assert errors[0] <= errors[1] + 0.02
    compiled(net, tmp_path / "one", simplify_mac_before_after_lut=True)
    compiled(net, tmp_path / "apart", simplify_mac_before_after_lut=False)


def test_simplify_mac_before_after_lut_tables_of_one_function_are_told_apart(tmp_path: Path) -> None:
    net = Net(1, 8, SIZE, SIZE).conv(8, 8)
    for factor in (0.5, -2.0, 0.5, 1.0):
        net.node("Tanh").node("Mul", net.number(factor)).node("MaxPool", kernel_shape=[2, 2])
    program = (compiled(net, tmp_path / "out") / "program.mlir").read_text()
    buffers = sorted(set(re.findall(r'"table\.(tanh[^"]*?)(?:\.l1)?"', program)))
    assert buffers == ["tanh", "tanh(1.0, 0.0, -2.0, 0.0)", "tanh(1.0, 0.0, 0.5, 0.0)"]


# --- rewrite_dense_to_conv2d -----------------------------------------------------------------------------------------


def test_rewrite_dense_to_conv2d_leaves_dense_layers_at_the_end_to_the_host(tmp_path: Path) -> None:
    net = classifier()
    rewritten, plain = (
        quantize(net.model(), net.samples(), CompilerConfig(rewrite_dense_to_conv2d=value)) for value in (True, False)
    )
    assert device_ops(rewritten) == ["conv", "conv", "avg_pool", "conv", "conv"]
    assert device_ops(plain) == ["conv", "conv", "avg_pool"]
    folder = compiled(net, tmp_path / "out", rewrite_dense_to_conv2d=False)
    assert nodes_of(folder / "postamble.onnx") == ["Reshape", "Gemm", "Relu", "Gemm", "Trilu"]


def test_rewrite_dense_to_conv2d_is_an_error_in_the_middle() -> None:
    net = Net(1, 3, SIZE, SIZE).conv(3, 8).node("Flatten")
    net.node("Gemm", net.random(8 * SIZE * SIZE, 8)).node("Reshape", net.constant(np.array([1, 8, 1, 1]))).conv(8, 8)
    quantize(net.model(), net.samples())
    with pytest.raises(AxirError, match=r"cannot run ax.gemm.*\(rewrite_dense_to_conv2d\)"):
        quantize(net.model(), net.samples(), CompilerConfig(rewrite_dense_to_conv2d=False), host_islands=False)


# --- validate_operators ----------------------------------------------------------------------------------------------


def attention() -> Net:
    net = Net(1, 3, SIZE, SIZE).conv(3, 8).node("Trilu").node("Relu").node("Trilu")
    return net.conv(8, 8)


def test_validate_operators_names_every_operator() -> None:
    net = attention()
    with pytest.raises(AxirError) as error:
        quantize(net.model(), net.samples(), host_islands=False)
    assert [single.node for single in error.value.errors] == ["trilu_1", "trilu_3"]
    assert error.value.render().count("it has no such operator") == 2
    assert "cut the model in two there" in error.value.render()


def test_validate_operators_off_leaves_it_to_a_later_pass(tmp_path: Path) -> None:
    net = attention()
    config = CompilerConfig(validate_operators=False)
    with pytest.raises(AxirError, match=r"'ax\.onnx' has no quantized form") as error:
        compile(net.model(), config, tmp_path / "out", calibration_dataset=net.samples(), host_islands=False)
    assert error.value.node == "trilu_1"
    report = json.loads((tmp_path / "out" / "compilation_report.json").read_text())
    assert (report["status"], report["stage"]) == ("QUANTIZATION_ERROR", "quantize")


# --- run_graph_cleaner -----------------------------------------------------------------------------------------------


def test_run_graph_cleaner_off_moves_nothing(tmp_path: Path) -> None:
    net = classifier()
    with pytest.raises(AxirError) as error:
        quantize(net.model(), net.samples(), CompilerConfig(run_graph_cleaner=False))
    assert [single.node for single in error.value.errors] == ["gemm_7", "trilu_8"]
    assert "run_graph_cleaner is false" in error.value.render()
    device_only = normalized()
    folder = compiled(device_only, tmp_path / "out", run_graph_cleaner=False)
    assert not (folder / "postamble.onnx").exists()


def test_run_graph_cleaner_off_needs_computed_outputs() -> None:
    net = Net(1, 3, SIZE, SIZE).conv(3, 8)
    with pytest.raises(AxirError, match="output 'x' is an input or a constant"):
        quantize(net.model(net.value, "x"), net.samples(), CompilerConfig(run_graph_cleaner=False))


# --- graph_cleaner_split_pre_post_processing -------------------------------------------------------------------------


def test_graph_cleaner_split_pre_post_processing_off_drops_the_hosts_parts(tmp_path: Path) -> None:
    net, heard = nhwc_network(), Heard()
    nchw = net.samples().transpose(0, 3, 1, 2)
    config = CompilerConfig(graph_cleaner_split_pre_post_processing=False)
    compile(net.model(), config, tmp_path / "out", calibration_dataset=nchw, check=2, listener=heard)
    folder = tmp_path / "out" / "compiled_model"
    assert not [name for name in ("preamble.onnx", "postamble.onnx") if (folder / name).exists()]
    described = json.loads((folder / "model.json").read_text())
    assert [tensor["shape"] for tensor in (*described["inputs"], *described["outputs"])] == [
        [1, 3, SIZE, SIZE],
        [1, 8, SIZE, SIZE],
    ]
    (warning,) = heard.warnings
    assert "leaves out transpose_0 (ax.transpose), trilu_4 (Trilu)" in warning
    assert "it takes transpose_0 and gives conv_3" in warning
    whole = compiled(net, tmp_path / "whole")
    (scores,) = load(whole)(net.samples()[0])
    (core,) = load(folder)(nchw[0])
    np.testing.assert_allclose(scores, np.triu(core), rtol=1e-5)


def test_graph_cleaner_split_pre_post_processing_warns_of_nothing_where_nothing_is_dropped() -> None:
    net, heard = normalized(), Heard()
    config = CompilerConfig(graph_cleaner_split_pre_post_processing=False)
    quantize(net.model(), net.samples(), config, listener=heard)
    assert heard.warnings == []


# --- the forced split ------------------------------------------------------------------------------------------------

SPLIT = {"graph_cleaner_condition": "maximum_weight_tensor_size", "graph_cleaner_node": "Gemm"}


def postamble(net: Net, out: Path, listener: Listener | None = None, **settings: Any) -> list[str]:
    return nodes_of(compiled(net, out, listener, **settings) / "postamble.onnx")


def test_graph_cleaner_condition_compares_elements_or_the_first_dimension(tmp_path: Path) -> None:
    """The first Gemm has weights of 8 x 12, the second of 10 x 12. On the host they are convolutions as well."""
    by_size = postamble(classifier(), tmp_path / "size", **SPLIT, graph_cleaner_threshold=12)
    assert by_size.count("Conv") == 2
    first = SPLIT | {"graph_cleaner_condition": "maximum_weight_tensor_first_dimension_size"}
    by_rows = postamble(classifier(), tmp_path / "rows", **first, graph_cleaner_threshold=8)
    assert by_rows.count("Conv") == 1


def test_graph_cleaner_threshold_chooses_the_node_and_warns_where_none_exceeds_it(tmp_path: Path) -> None:
    last = postamble(classifier(), tmp_path / "last", **SPLIT, graph_cleaner_threshold=96)
    assert last.count("Conv") == 1
    heard = Heard()
    none = postamble(classifier(), tmp_path / "none", heard, **SPLIT, graph_cleaner_threshold=120)
    assert none == ["Reshape", "Trilu"]
    assert heard.warnings == [
        "graph_cleaner_condition: no Gemm node exceeds graph_cleaner_threshold 120; nothing is split off by force"
    ]


def test_graph_cleaner_node_gives_the_host_more_than_it_would_take(tmp_path: Path) -> None:
    net = Net(1, 3, SIZE, SIZE).conv(3, 8).node("Relu").conv(8, 8)
    net.node("Clip", net.number(0), net.number(6)).conv(8, 16).node("Relu")
    split = SPLIT | {"graph_cleaner_node": "Clip"}
    assert postamble(net, tmp_path / "out", **split) == ["Clip", "Conv", "Relu"]


def test_graph_cleaner_node_at_the_start_leaves_nothing() -> None:
    net = Net(1, 3, SIZE, SIZE).node("Clip")
    with pytest.raises(AxirError, match="the forced split before this Clip leaves nothing for the device"):
        quantize(net.model(), net.samples(), CompilerConfig(**SPLIT | {"graph_cleaner_node": "Clip"}))


NO_HOST_PARTS = "run_graph_cleaner is false, so that there are no host parts"


@pytest.mark.parametrize(
    ("settings", "reasons"),
    [
        ({"graph_cleaner_node": "Gemm"}, {"graph_cleaner_node": "it needs graph_cleaner_condition"}),
        (
            {"graph_cleaner_condition": "maximum_weight_tensor_size"},
            {"graph_cleaner_condition": "it needs graph_cleaner_node"},
        ),
        (
            {"graph_cleaner_threshold": 1},
            {"graph_cleaner_threshold": "it needs graph_cleaner_condition and graph_cleaner_node"},
        ),
        (SPLIT | {"run_graph_cleaner": False}, {"graph_cleaner_condition": NO_HOST_PARTS}),
        (
            {"remove_layout_transform_from_preamble": True, "run_graph_cleaner": False},
            {"remove_layout_transform_from_preamble": NO_HOST_PARTS},
        ),
        (
            {"graph_cleaner_split_pre_post_processing": False, "run_graph_cleaner": False},
            {"graph_cleaner_split_pre_post_processing": NO_HOST_PARTS},
        ),
        (SPLIT, {}),
        ({}, {}),
    ],
)
def test_cleaner_settings_that_do_nothing_say_so(settings: dict[str, Any], reasons: dict[str, str]) -> None:
    assert {one.setting: one.reason for one in idle(CompilerConfig(**settings))} == reasons


def test_run_graph_cleaner_false_splits_nothing_by_force(tmp_path: Path) -> None:
    net = Net(1, 3, SIZE, SIZE).conv(3, 8).node("Relu").conv(8, 8)
    net.node("Clip", net.number(0), net.number(6)).conv(8, 16)
    split = SPLIT | {"graph_cleaner_node": "Clip"}
    assert postamble(net, tmp_path / "split", **split) == ["Clip", "Conv"]
    assert not (compiled(net, tmp_path / "whole", **split, run_graph_cleaner=False) / "postamble.onnx").exists()


# --- the files -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("forced", [False, True])
def test_graph_cleaner_dump_full_opt_onnx_is_the_whole_model(tmp_path: Path, forced: bool) -> None:
    net, path = nhwc_network(), tmp_path / "dumps" / "full.onnx"
    net.node("Clip", net.number(0.1), net.number(0.5))
    split = SPLIT | {"graph_cleaner_node": "Clip"} if forced else {}
    compiled(net, tmp_path / "out", graph_cleaner_dump_full_opt_onnx=path, **split)
    assert nodes_of(path) == ["Transpose", "Conv", "Relu", "Conv", "Trilu", "Clip"]
    assert [file.name for file in path.parent.iterdir()] == ["full.onnx"]
    (expected,), (found,) = (run_onnx(model, net.samples()[:1]) for model in (net.model(), str(path)))
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


def test_graph_cleaner_dump_core_onnx_is_the_devices_part(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    net = nhwc_network()
    folder = compiled(net, tmp_path / "out", graph_cleaner_dump_core_onnx=Path("core.onnx"))
    core = tmp_path / "core.onnx"
    assert nodes_of(core) == ["Conv", "Relu", "Conv"]
    value = net.samples()[:1]
    (expected,) = run_onnx(net.model(), value)
    for part in (folder / "preamble.onnx", core, folder / "postamble.onnx"):
        (value,) = run_onnx(str(part), value)
    np.testing.assert_allclose(value, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("setting", ["graph_cleaner_dump_core_onnx", "graph_cleaner_dump_full_opt_onnx"])
def test_graph_cleaner_dump_that_cannot_be_kept_or_written(tmp_path: Path, setting: str) -> None:
    net = normalized()
    inside = CompilerConfig(**{setting: tmp_path / "out" / "dump.onnx"})
    with pytest.raises(AxirError, match=f"{setting} is inside the output folder"):
        compile(net.model(), inside, tmp_path / "out", calibration_dataset=net.samples())
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match="file"):
        quantize(net.model(), net.samples(), CompilerConfig(**{setting: tmp_path / "file" / "dump.onnx"}))


def test_graph_settings_come_too_late_for_a_quantized_model(tmp_path: Path) -> None:
    net, heard = normalized(), Heard()
    model = quantize(net.model(), net.samples())
    config = CompilerConfig(graph_cleaner_dump_core_onnx=tmp_path / "core.onnx", rewrite_dense_to_conv2d=False)
    compile(model, config, tmp_path / "out", listener=heard)
    assert heard.warnings == [
        "the model is past the graph passes: rewrite_dense_to_conv2d, graph_cleaner_dump_core_onnx changes nothing"
    ]
    assert not (tmp_path / "core.onnx").exists()


# --- remove_layout_transform_from_preamble ---------------------------------------------------------------------------


@pytest.mark.parametrize("channels", [3, 1])
def test_remove_layout_transform_from_preamble(tmp_path: Path, channels: int) -> None:
    """With one channel, the transpose is a reshape by the time of the split."""
    net = nhwc_network(channels)
    removed = compiled(net, tmp_path / "removed", remove_layout_transform_from_preamble=True)
    kept = compiled(net, tmp_path / "kept")
    assert (kept / "preamble.onnx").exists()
    assert not (removed / "preamble.onnx").exists()
    descriptions = [json.loads((folder / "model.json").read_text()) for folder in (removed, kept)]
    shape = [1, SIZE, SIZE, channels]
    assert descriptions[0]["inputs"] == [{"name": "x", "shape": shape, "dtype": "float32", "layout": "NHWC"}]
    assert descriptions[1]["inputs"] == [{"name": "x", "shape": shape, "dtype": "float32"}]
    segments = [part for d in descriptions for part in d["parts"] if part["kind"] == "device"]
    assert [segment["inputs"][0]["shape"] for segment in segments] == [[1, channels, SIZE, SIZE]] * 2
    for frame in net.samples():
        np.testing.assert_array_equal(load(removed)(frame)[0], load(kept)(frame)[0])


def test_remove_layout_transform_from_preamble_survives_saving(tmp_path: Path) -> None:
    net = nhwc_network()
    config = CompilerConfig(remove_layout_transform_from_preamble=True)
    quantize(net.model(), net.samples(), config).export(tmp_path / "saved")
    again = QuantizedModel.load(tmp_path / "saved")
    frame = net.samples()[0]
    (expected,) = quantize(net.model(), net.samples())(frame)
    np.testing.assert_array_equal(again(frame)[0], expected)
    compile(tmp_path / "saved", None, tmp_path / "out", check=1)
    np.testing.assert_array_equal(load(tmp_path / "out")(frame)[0], expected)


def test_remove_layout_transform_from_preamble_with_stored_bytes(tmp_path: Path) -> None:
    net = nhwc_network()
    settings = {"remove_layout_transform_from_preamble": True, "remove_io_quantization": True}
    model = quantize(net.model(), net.samples(), CompilerConfig(**settings))
    (tensor,), (given,) = model.hosted.device_inputs, model.parts.inputs
    assert (given.shape, given.dtype) == ((1, SIZE, SIZE, 3), "int8")
    frame = net.samples()[:1]
    stored = tensor.to_stored(frame.transpose(0, 3, 1, 2)).transpose(0, 2, 3, 1)
    (expected,) = quantize(net.model(), net.samples())(frame)
    np.testing.assert_array_equal(model(stored)[0], expected)


def test_remove_layout_transform_from_preamble_leaves_other_host_work(tmp_path: Path) -> None:
    net = Net(1, SIZE, SIZE, 3).node("Trilu").node("Transpose", perm=[0, 3, 1, 2]).conv(3, 8)
    folder = compiled(net, tmp_path / "out", remove_layout_transform_from_preamble=True)
    assert nodes_of(folder / "preamble.onnx") == ["Trilu", "Transpose"]
