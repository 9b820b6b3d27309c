"""Quantization, and what names a compilation: each setting against its default, on a network with a depthwise layer."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import helper
from small_networks import SIZE, convolution, model, save, sound, weights

from axir.compiler import CompilerConfig, compile, quantize
from axir.dialects import axq
from axir.ir.constants import constant_array
from axir.ir.diagnostics import AxirError
from axir.runtime import Context
from axir.tools.axc import main as axc

CHANNELS = 8
SAMPLES = [np.random.default_rng(seed).standard_t(3, (1, 3, SIZE, SIZE)).astype(np.float32) for seed in range(8)]
"""Heavy tails, which a histogram clips."""


def network() -> onnx.ModelProto:
    """Convolution, depthwise convolution, convolution."""
    first, first_weights = convolution("first", "x", "a", 1, inputs=3)
    depthwise = helper.make_node(
        "Conv", ["a", "dw.w"], ["b"], "dw", kernel_shape=[3, 3], pads=[1, 1, 1, 1], group=CHANNELS
    )
    last, last_weights = convolution("last", "b", "y", 2)
    initializers = first_weights | last_weights | {"dw.w": weights(3, CHANNELS, 1, 3, 3)}
    return model([first, depthwise, last], initializers, [1, 3, SIZE, SIZE], ["y"])


def elements(**settings: Any) -> list[axq.QuantType]:
    """Element types of the three convolutions' inputs, on a network that runs as quantized and as compiled alike."""
    quantized = quantize(network(), SAMPLES, CompilerConfig(**settings))
    return [axq.quant_of(op.input) for op in quantized.graph.body.block.ops if isinstance(op, axq.ConvOp)]


def agrees(folder: Path, **settings: Any) -> None:
    """The program gives what the quantized network gives: `check` compares every byte."""
    compile(network(), CompilerConfig(**settings), folder, calibration_dataset=SAMPLES, check=2)


@pytest.mark.parametrize("scheme", ["per_tensor_min_max", "hybrid_per_tensor_per_channel"])
def test_quantization_scheme(tmp_path: Path, scheme: str) -> None:
    default, other = elements(), elements(quantization_scheme=scheme)
    if scheme == "per_tensor_min_max":
        # The tails count in full.
        assert other[0].scalar[0] > default[0].scalar[0]
        assert not any(element.per_channel for element in other)
    else:
        assert [element.per_channel for element in other] == [False, True, False]
    agrees(tmp_path / "out", quantization_scheme=scheme)


def test_quantize_dw_channel_wise(tmp_path: Path) -> None:
    assert [element.per_channel for element in elements()] == [False, False, False]
    assert [element.per_channel for element in elements(quantize_dw_channel_wise=True)] == [False, True, False]
    agrees(tmp_path / "out", quantize_dw_channel_wise=True)


def weighted(**settings: Any) -> list[axq.ConvOp]:
    quantized = quantize(network(), SAMPLES, CompilerConfig(**settings))
    return [op for op in quantized.graph.body.block.ops if isinstance(op, axq.ConvOp)]


@pytest.mark.parametrize("rule", ["least_squares", "entropy", "percentile"])
def test_activation_clipping(tmp_path: Path, rule: str) -> None:
    default, other, extremes = (
        elements(**settings)
        for settings in ({}, {"activation_clipping": rule}, {"quantization_scheme": "per_tensor_min_max"})
    )
    assert [element.scalar for element in other] != [element.scalar for element in default]
    assert all(a.scalar[0] <= b.scalar[0] for a, b in zip(other, extremes, strict=True))
    # Without histograms there is nothing to clip.
    plain = elements(quantization_scheme="per_tensor_min_max", activation_clipping=rule)
    assert [element.scalar for element in plain] == [element.scalar for element in extremes]
    agrees(tmp_path / "out", activation_clipping=rule)


def test_weight_clipping(tmp_path: Path) -> None:
    """With 4096 weights of 1 and one of 1.5, a smaller step is worth more than that one weight."""
    many, outlier = np.full((4, 4097, 1, 1), 1.0, np.float32), 1.5
    many *= np.random.default_rng(0).uniform(0.5, 1, many.shape).astype(np.float32)
    many[:, 0] = outlier
    node = helper.make_node("Conv", ["x", "w"], ["y"], "wide", kernel_shape=[1, 1])
    wide = model([node], {"w": many}, [1, 4097, 2, 2], ["y"])
    samples = [np.random.default_rng(0).standard_normal((1, 4097, 2, 2)).astype(np.float32)]

    def scales(**settings: Any) -> list[float]:
        quantized = quantize(wide, samples, CompilerConfig(**settings))
        (op,) = (op for op in quantized.graph.body.block.ops if isinstance(op, axq.ConvOp))
        return list(constant_array(op.weight_scale, quantized.store, op))

    assert scales() == pytest.approx([outlier / 127] * 4)
    assert all(0.6 * outlier / 127 <= scale < outlier / 127 for scale in scales(weight_clipping=True))
    agrees(tmp_path / "out", weight_clipping=True)


def test_bias_correction(tmp_path: Path) -> None:
    pairs = list(zip(weighted(), weighted(bias_correction=False), strict=True))
    assert any(plain.bias != default.bias for default, plain in pairs)
    assert all(plain.weight == default.weight for default, plain in pairs)
    agrees(tmp_path / "out", bias_correction=False)


def test_cross_layer_equalization(tmp_path: Path) -> None:
    default, equalized = weighted(), weighted(cross_layer_equalization=True)
    assert equalized[0].weight_scale != default[0].weight_scale
    agrees(tmp_path / "out", cross_layer_equalization=True)


def test_activation_smoothing(tmp_path: Path) -> None:
    """Half the range of large channels goes from a normalization to the weights behind it."""
    scale = np.geomspace(1, 100, CHANNELS).astype(np.float32).reshape(CHANNELS, 1, 1)
    nodes = [
        helper.make_node("LayerNormalization", ["x", "s"], ["n"], "norm", axis=-1),
        helper.make_node("MatMul", ["n", "w"], ["y"], "product"),
    ]
    initializers = {"s": scale.reshape(-1), "w": weights(0, CHANNELS, CHANNELS)}
    transformer = model(nodes, initializers, [1, SIZE, CHANNELS], ["y"])
    images = [np.random.default_rng(seed).standard_normal((1, SIZE, CHANNELS)).astype(np.float32) for seed in range(8)]

    def spread(**settings: Any) -> float:
        quantized = quantize(transformer, images, CompilerConfig(**settings))
        (op,) = (op for op in quantized.graph.walk() if isinstance(op, axq.NormalizeOp))
        factors = constant_array(op.factor, quantized.store, op)
        return float(factors.max() / factors.min())

    assert spread() == pytest.approx(100, rel=1e-5)
    assert spread(activation_smoothing=0.5) < 30
    config = CompilerConfig(activation_smoothing=0.5)
    compile(transformer, config, tmp_path / "out", calibration_dataset=images, check=2)


def test_widened_layers(tmp_path: Path) -> None:
    """Two operators more: what rounding the first result takes away, and what its reader makes of it."""
    assert len(weighted(widened_layers=("first",))) == len(weighted()) + 2
    with pytest.raises(AxirError, match="widened_layers: the device has no layer 'fist'"):
        weighted(widened_layers=("fist",))
    agrees(tmp_path / "out", widened_layers=("first",))


def test_compiler_mode(tmp_path: Path) -> None:
    source = save(sound(), tmp_path / "net.onnx")
    quantized, lowered = tmp_path / "quantized", tmp_path / "lowered"
    assert axc([str(source), "-o", str(quantized), "--set", "compiler_mode=quantize_only"]) == 0
    assert not (quantized / "compiled_model").exists()
    assert axc([str(quantized), "-o", str(lowered), "--set", "compiler_mode=lower_only"]) == 0
    assert (lowered / "compiled_model" / "model.axm").exists()
    assert axc([str(source), "-o", str(tmp_path / "no"), "--set", "compiler_mode=lower_only"]) == 1


def test_aipu_cores_used(tmp_path: Path) -> None:
    """A program for one core, and one for three, which is checked on as many frames at a time."""
    source = save(sound(), tmp_path / "net.onnx")
    for cores in (1, 3):
        folder = tmp_path / str(cores)
        assert axc([str(source), "-o", str(folder), "--set", f"aipu_cores_used={cores}", "--check", "4"]) == 0
        model = json.loads((folder / "compiled_model" / "model.json").read_text())
        assert (model["cores"], model["frames"]) == (cores, cores)


def test_frequency(tmp_path: Path) -> None:
    reports: list[dict[str, Any]] = []
    for frequency in (800_000_000, 200_000_000):
        folder = tmp_path / str(frequency)
        compile(network(), CompilerConfig(frequency=frequency), folder, calibration_dataset=SAMPLES)
        reports.append(json.loads((folder / "compiled_model" / "report.json").read_text())["totals"])
        with Context() as context:
            assert context.load_model(folder).target.device.frequency == frequency
    assert reports[1]["frequency_hz"] == 200_000_000
    assert reports[1]["device_fps"] < reports[0]["device_fps"]
    for totals in reports:
        assert totals["device_fps"] == pytest.approx(totals["frequency_hz"] / totals["cycles"])


def test_output_dir(tmp_path: Path) -> None:
    config = CompilerConfig(output_dir=tmp_path / "here")
    compile(network(), config, calibration_dataset=SAMPLES)
    assert (tmp_path / "here" / "compiled_model" / "model.json").exists()
    with pytest.raises(AxirError, match="no output folder given"):
        compile(network(), CompilerConfig(), calibration_dataset=SAMPLES)


def test_model_name(tmp_path: Path) -> None:
    source = save(network(), tmp_path / "net.onnx")
    for name, expected in (("", "net"), ("mine", "mine")):
        assert axc([str(source), "-o", str(tmp_path / "out"), "--set", f"model_name={name}"]) == 0
        report = json.loads((tmp_path / "out" / "compilation_report.json").read_text())
        assert report["model"] == expected
