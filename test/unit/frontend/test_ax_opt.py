"""`ax-opt model.onnx`: the text that an import prints, and the errors that it shows."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import helper
from onnx_models import make_model

from axir.tools.ax_opt import main

NODES = [
    helper.make_node("Conv", ["images", "w", "b"], ["c"], name="stem/Conv", pads=[1, 1, 1, 1], strides=[2, 2]),
    helper.make_node("Clip", ["c", "low", "high"], ["d"]),
    helper.make_node("Resize", ["d", "", "scales"], ["r"], name="up", mode="nearest"),
    helper.make_node("GlobalAveragePool", ["r"], ["p"], name="pool"),
    helper.make_node("Flatten", ["p"], ["scores"], name="flat"),
]
CONSTANTS = {
    "w": np.arange(108, dtype=np.float32).reshape(4, 3, 3, 3),
    "b": np.array([0, 1, 2, 0.5], np.float32),
    "low": np.float32(0),
    "high": np.float32(6),
    "scales": np.array([1, 1, 2, 2], np.float32),
}
PRINTED = """\
builtin.module {
  ax.graph @main(%0: tensor<1x3x8x8xf32> "images") -> ("scores") {
    %1 = ax.constant #ax.weight<"WEIGHT", tensor<4x3x3x3xf32>> : tensor<4x3x3x3xf32>
    %2 = ax.constant dense<[0.000000e+00, 1.000000e+00, 2.000000e+00, 5.000000e-01]> : tensor<4xf32> : tensor<4xf32>
    %3 = ax.conv %0, %1 bias %2 : tensor<4xf32> strides [2, 2] pads [1, 1, 1, 1] dilations [1, 1] group 1 : \
(tensor<1x3x8x8xf32>, tensor<4x3x3x3xf32>) -> tensor<1x4x4x4xf32>
    %4 = ax.clip %3 min 0.000000e+00 max 6.000000e+00 : tensor<1x4x4x4xf32> -> tensor<1x4x4x4xf32>
    %5 = ax.resize %4 nearest sizes [1, 4, 8, 8] scales [1.000000e+00, 1.000000e+00, 2.000000e+00, 2.000000e+00] \
coordinates half_pixel rounding round_prefer_floor : tensor<1x4x4x4xf32> -> tensor<1x4x8x8xf32>
    %6 = ax.global_avg_pool %5 : tensor<1x4x8x8xf32> -> tensor<1x4x1x1xf32>
    %7 = ax.reshape %6 shape [1, 4] : tensor<1x4x1x1xf32> -> tensor<1x4xf32>
    ax.return %7 : tensor<1x4xf32>
  }
}
"""


def write(folder: Path, model: onnx.ModelProto) -> str:
    path = folder / "net.onnx"
    path.write_bytes(model.SerializeToString())
    return str(path)


@pytest.fixture
def network() -> onnx.ModelProto:
    return make_model(NODES, {"images": ("N", 3, 8, "W")}, ["scores"], CONSTANTS)


def test_import_prints_the_graph(network: onnx.ModelProto, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([write(tmp_path, network), "--input-shape", "images=1,3,8,8"]) == 0
    printed = capsys.readouterr().out
    key = printed.partition('weight<"')[2].partition('"')[0]
    assert printed.replace(key, "WEIGHT") == PRINTED


def test_locations_name_node_file_and_index(
    network: onnx.ModelProto, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([write(tmp_path, network), "--input-shape", "images=1,3,8,8", "--print-debuginfo"]) == 0
    located = [line.rpartition(" loc(")[2] for line in capsys.readouterr().out.splitlines() if " = ax." in line]
    stem, clip, up = '"stem/Conv"("net.onnx":0:0))', '"Clip_1"("net.onnx":1:0))', '"up"("net.onnx":2:0))'
    # A constant has the location of the node that uses it first.
    assert located == [stem, stem, stem, clip, up, '"pool"("net.onnx":3:0))', '"flat"("net.onnx":4:0))']


def test_an_open_shape_is_asked_for(
    network: onnx.ModelProto, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([write(tmp_path, network)]) == 1
    assert capsys.readouterr().err == (
        "net.onnx: error: dimension 0 of input 'images' is dynamic ('N')\n"
        "note: choose a shape, for example --input-shape images=1,3,8,224\n"
    )


def test_an_error_names_the_node(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model = make_model(NODES, {"images": (1, 4, 8, 8)}, ["scores"], CONSTANTS)
    assert main([write(tmp_path, model)]) == 1
    assert capsys.readouterr().err == (
        "net.onnx:0:0: error: [stem/Conv] Conv: weight expects 3 input channels, input has 4\n"
    )


def test_the_same_file_gives_the_same_text(network: onnx.ModelProto, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "axir.tools.ax_opt", write(tmp_path, network), "--input-shape", "images=1,3,8,8"]
    texts = {
        subprocess.run(
            command, env={**os.environ, "PYTHONHASHSEED": seed}, capture_output=True, check=True, timeout=60
        ).stdout
        for seed in ("1", "2")
    }
    assert len(texts) == 1
