"""Calibration: what it refuses, what it leaves untouched, how much memory it takes."""

from __future__ import annotations

import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from xdsl.dialects.builtin import ModuleOp

from axir.dialects import ax
from axir.ir.constants import constant_array
from axir.ir.context import AxContext, make_context
from axir.ir.diagnostics import AxirError
from axir.ir.parsing import parse_module
from axir.passes.calibrate import Calibrate, calibrate
from axir.passes.quantization.graph import depthwise_inputs, main_graph
from axir.passes.quantization.samples import load_samples, main_samples, model_inputs, random_samples

GRAPH = """ax.graph @main(%x: tensor<1x2x2x2xf32> "image", %o: tensor<1x2x1x1xf32> "offset") -> ("y") {
  %w = ax.constant dense<2.0> : tensor<2x1x1x1xf32> : tensor<2x1x1x1xf32>
  %s = ax.add %x, %o : (tensor<1x2x2x2xf32>, tensor<1x2x1x1xf32>) -> tensor<1x2x2x2xf32> loc("Add_0")
  %y = ax.conv %s, %w strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] group 2 epilogue <relu>
    : (tensor<1x2x2x2xf32>, tensor<2x1x1x1xf32>) -> tensor<1x2x2x2xf32> loc("Conv_1")
  ax.return %y : tensor<1x2x2x2xf32>
}"""


def parse(text: str = GRAPH) -> tuple[AxContext, ModuleOp, ax.GraphOp]:
    ctx = make_context()
    module = parse_module(ctx, text, "test.mlir")
    return ctx, module, main_graph(module)


def sample(value: float = 1.0) -> dict[str, Any]:
    return {"image": np.full((1, 2, 2, 2), value, np.float32), "offset": np.zeros((1, 2, 1, 1), np.float32)}


def test_statistics_of_every_tensor() -> None:
    ctx, _, graph = parse()
    seen: list[int] = []
    channels = depthwise_inputs(graph)
    count = calibrate(
        graph, ctx.store, [sample(1.0), sample(-3.0)], histogram=False, channels_for=channels, progress=seen.append
    )
    assert count == 2
    assert seen == [1, 2]
    assert [str(stats) for stats in graph.attributes["arg_stats"].data] == [  # pyright: ignore
        "#ax.stats<-3.0, 1.0>",
        "#ax.stats<0.0, 0.0>",
    ]
    constant, add, conv, _ = graph.body.block.ops
    assert "ax.stats" not in constant.attributes
    stats = add.attributes["ax.stats"]
    assert isinstance(stats, ax.StatsAttr)
    channels_seen: Any = stats.channels
    means: Any = stats.means
    assert constant_array(channels_seen, ctx.store).tolist() == [[-3.0, -3.0], [1.0, 1.0]]
    assert constant_array(means, ctx.store).tolist() == [-1.0, -1.0]
    assert str(conv.attributes["ax.stats"]) == "#ax.stats<0.0, 2.0>"


def bad(**arrays: Any) -> dict[str, Any]:
    return sample() | arrays


@pytest.mark.parametrize(
    ("samples", "message"),
    [
        ([], "no calibration samples"),
        ([{"image": sample()["image"]}], "sample 0 has no input 'offset'"),
        (
            [sample(), bad(image=np.zeros((1, 2, 2, 3), np.float32))],
            r"sample 1: .* \[1, 2, 2, 2\], it is .* \[1, 2, 2, 3\]",
        ),
        ([bad(image=np.zeros((1, 2, 2, 2), np.float64))], "must be float32 .* it is float64"),
        ([bad(image=np.zeros((1, 2, 2, 2), np.uint8))], "must be float32 .* it is uint8"),
        ([sample(np.nan)], "input 'image' holds a NaN or an infinity"),
        ([sample(), sample(np.inf)], "sample 1: input 'image' holds a NaN or an infinity"),
    ],
)
def test_samples_that_do_not_fit_are_refused(samples: list[Any], message: str) -> None:
    ctx, _, graph = parse()
    with pytest.raises(AxirError, match=message):
        calibrate(graph, ctx.store, samples)
    assert not graph.attributes
    assert all("ax.stats" not in op.attributes for op in graph.body.block.ops)


def test_a_nan_inside_the_network_names_the_node() -> None:
    ctx, _, graph = parse(GRAPH.replace("dense<2.0>", "dense<3.0e+38>"))
    with pytest.raises(AxirError, match="sample 1: the result holds an infinity") as error:
        calibrate(graph, ctx.store, [sample(0.5), sample(5.0)])
    assert error.value.node == "Conv_1"


def test_memory_is_that_of_one_sample() -> None:
    """Activations of 4 MB a sample: 40 samples must not take ten times as much as 4."""
    shape = "tensor<1x16x256x256xf32>"
    ctx, _, graph = parse(
        f"""ax.graph @main(%x: {shape} "x") -> ("y") {{
          %y = ax.relu %x : {shape} -> {shape}
          ax.return %y : {shape}
        }}"""
    )
    rng = np.random.default_rng(0)
    images = ({"x": rng.standard_normal((1, 16, 256, 256), np.float32)} for _ in range(20))
    tracemalloc.start()
    calibrate(graph, ctx.store, images)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 5 * 4 * 2**20  # old and new image, result, buffers


PREAMBLE = """
ax.graph @preamble(%x: tensor<1x8xf32> "flat", %k: tensor<1xi64> "unused") -> ("image") {
  %y = ax.reshape %x shape [1, 2, 2, 2] : tensor<1x8xf32> -> tensor<1x2x2x2xf32>
  ax.return %y : tensor<1x2x2x2xf32>
}
"""


def test_the_preamble_computes_the_inputs_of_main() -> None:
    ctx, module, _ = parse(PREAMBLE + GRAPH)
    inputs = model_inputs(module)
    assert inputs == {
        "flat": ((1, 8), "float32"),
        "unused": ((1,), "int64"),
        "offset": ((1, 2, 1, 1), "float32"),
    }
    given = {
        "flat": np.arange(8, dtype=np.float32)[None],
        "unused": np.zeros(1, np.int64),
        "offset": np.ones((1, 2, 1, 1), np.float32),
    }
    (prepared,) = main_samples(module, ctx.store, [given])
    np.testing.assert_array_equal(prepared["image"], np.arange(8).reshape(1, 2, 2, 2))
    np.testing.assert_array_equal(prepared["offset"], given["offset"])
    with pytest.raises(AxirError, match="no input 'unused'"):
        list(main_samples(module, ctx.store, [{"flat": given["flat"], "offset": given["offset"]}]))
    with pytest.raises(AxirError, match="'unused' is int64: random calibration samples are for float inputs only"):
        next(random_samples(inputs, 1, 0))


def test_samples_of_a_file_may_leave_out_the_batch_axis(tmp_path: Path) -> None:
    _, module, _ = parse()
    inputs = model_inputs(module)
    images = np.arange(24, dtype=np.float32).reshape(3, 2, 2, 2)
    path = str(tmp_path / "data.npz")
    for stored in (images, images[:, None]):
        np.savez(path, image=stored, offset=np.zeros((3, 1, 2, 1, 1), np.float32))
        loaded = list(load_samples(path, inputs, None))
        assert len(loaded) == 3
        np.testing.assert_array_equal(loaded[2]["image"], images[2:])
        assert len(list(load_samples(path, inputs, 2))) == 2


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"picture": np.zeros(3)}, "no array for the input 'image'"),
        (
            {"image": np.zeros((3, 2, 2, 2)), "offset": np.zeros((2, 2, 1, 1))},
            "numbers of samples differ: image 3, offset 2",
        ),
    ],
)
def test_files_that_do_not_fit_are_refused(tmp_path: Path, arrays: dict[str, Any], message: str) -> None:
    _, module, _ = parse()
    np.savez(tmp_path / "data.npz", **arrays)
    with pytest.raises(AxirError, match=message):
        list(load_samples(str(tmp_path / "data.npz"), model_inputs(module), None))


@pytest.mark.parametrize("content", [b"", b"no zip", b"PK\x03\x04 broken", b"\x93NUMPY\x01\x00v\x00"])
def test_files_that_cannot_be_read_are_refused(tmp_path: Path, content: bytes) -> None:
    _, module, _ = parse()
    path = tmp_path / "data.npz"
    path.write_bytes(content)
    with pytest.raises(AxirError, match="npz"):
        list(load_samples(str(path), model_inputs(module), None))
    np.save(tmp_path / "one.npy", np.zeros(3))
    with pytest.raises(AxirError, match=r"not an \.npz file"):
        list(load_samples(str(tmp_path / "one.npy"), model_inputs(module), None))


def test_pass_without_data_warns(capsys: pytest.CaptureFixture[str]) -> None:
    ctx, module, graph = parse()
    Calibrate(num_samples=2, seed=3).apply(ctx, module)
    assert "warning: calibrating with 2 random samples" in capsys.readouterr().err
    assert "arg_stats" in graph.attributes
