"""Host islands: artifacts, entry points, memory shared by segments, errors."""

from __future__ import annotations

import json
import shutil
import threading
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from hypothesis import given
from hypothesis import strategies as st
from island_networks import SIDE, Islands, in_the_middle, slow_host
from numpy.typing import NDArray

from axir.backends.aipu.image import read_image
from axir.compiler import CompilerConfig, compile, quantize
from axir.compiler.quantized_model import QuantizedModel
from axir.ir.diagnostics import AxirError
from axir.passes.share_memory import fair_shares
from axir.runtime import Context, InvalidArgument, load
from axir.runtime.model import load_model
from axir.target.description import load as load_target
from axir.tools.axc import main as axc
from axir.tools.axrunmodel import main as axrunmodel

PARTS = ["main", "island1", "main1", "island2", "main2", "postamble"]


def several() -> tuple[Islands, onnx.ModelProto]:
    """Two islands; an index crosses from the first to the second and is an output too."""
    net = Islands(3)
    first = net.conv("x")
    index = net.index(first)
    net.indices.append(index)
    second = net.conv(net.with_picked(first, index))
    third = net.conv(net.with_picked(net.node("Add", second, first), index))
    return net, net.model(third, index)


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return slow_host(tmp_path_factory.mktemp("target"))


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A model, and samples for it."""
    folder = tmp_path_factory.mktemp("model")
    net, model = several()
    onnx.save(model, str(folder / "net.onnx"))
    np.savez(folder / "samples.npz", x=net.samples(4)[:, 0])
    return folder / "net.onnx", folder / "samples.npz"


@pytest.fixture(scope="module")
def compiled(files: tuple[Path, Path], target: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("compiled")
    network, samples = files
    arguments = [network, "-o", folder / "out", "--calibration", samples, "--target", target, "--check", "3"]
    assert axc([*map(str, arguments), "--dump-ir", str(folder / "ir"), "--set", "model_name=net"]) == 0
    return folder / "out"


def read(folder: Path, name: str) -> dict[str, Any]:
    return json.loads((folder / name).read_text())


def test_every_part_has_its_file(compiled: Path) -> None:
    model = read(compiled / "compiled_model", "model.json")
    assert [part["name"] for part in model["parts"]] == PARTS
    assert [part.get("program", part.get("file")) for part in model["parts"]] == [
        "model.axm", "island1.onnx", "model.1.axm", "island2.onnx", "model.2.axm", "postamble.onnx",
    ]  # fmt: skip
    present = {file.name for file in (compiled / "compiled_model").iterdir()}
    assert {part.get("program", part.get("file")) for part in model["parts"]} <= present
    assert {"quantized_model.onnx", "quantized_model.1.onnx", "quantized_model.2.onnx"} <= {
        file.name for file in (compiled / "quantized_model").iterdir()
    }
    assert read(compiled, "compilation_report.json")["check"] == {"samples": 3, "bit_exact": True}


def test_the_program_computes_the_network(compiled: Path, files: tuple[Path, Path]) -> None:
    session = onnxruntime.InferenceSession(str(files[0]), providers=["CPUExecutionProvider"])
    device, reference = load(compiled), QuantizedModel.load(compiled)
    signal = noise = 0.0
    for sample in np.load(files[1])["x"]:
        exact, index = session.run(None, {"x": sample[None]})
        found, found_index = device(sample)
        assert all(map(np.array_equal, (found, found_index), reference(sample)))
        assert found_index.dtype == index.dtype == np.int64
        signal, noise = signal + float((exact**2).sum()), noise + float(((exact - found) ** 2).sum())
    # The channel that is picked changes where two are nearly equal; the rest is quantization noise.
    assert 10 * np.log10(signal / noise) > 10


def test_segments_agree_with_their_qdq_models(compiled: Path, files: tuple[Path, Path]) -> None:
    """Each within one step of its output."""
    names = ["quantized_model.onnx", "quantized_model.1.onnx", "quantized_model.2.onnx"]
    sessions = [
        onnxruntime.InferenceSession(str(compiled / "quantized_model" / name), providers=["CPUExecutionProvider"])
        for name in names
    ]
    model = QuantizedModel.load(compiled).hosted
    seen: list[str] = []

    def compare(segment: Any, taken: Any, given: Any) -> None:
        session = sessions[len(seen)]
        seen.append(segment.name)
        feed = {t.name: t.to_real(stored) for t, stored in zip(segment.inputs, taken, strict=True)}
        for tensor, stored, real in zip(segment.outputs, given, session.run(None, feed), strict=True):
            assert np.abs(real - tensor.to_real(stored)).max() <= tensor.scale * 1.001

    model.run({"x": np.load(files[1])["x"][:1]}, compare)
    assert seen == ["main", "main1", "main2"]


def test_every_level_enters_again(compiled: Path, target: Path, tmp_path: Path) -> None:
    """And gives the same programs; from the quantized model without data."""
    levels = sorted((compiled.parent / "ir").glob("*.mlir"))
    chosen = [file for file in levels if any(name in file.name for name in ("quantize", "share", "lower", "plan"))]
    assert len(chosen) == 4
    for index, source in enumerate([compiled / "quantized_model", *chosen]):
        out = tmp_path / str(index)
        assert axc([str(source), "-o", str(out), "--target", str(target), "--set", "model_name=net"]) == 0
        for name in ("model.axm", "model.1.axm", "model.2.axm", "model.json", "island1.onnx"):
            assert (out / "compiled_model" / name).read_bytes() == (compiled / "compiled_model" / name).read_bytes()


def test_calibrated_graphs_enter_again(compiled: Path, target: Path, tmp_path: Path) -> None:
    (source,) = (compiled.parent / "ir").glob("*-calibrate.mlir")
    assert axc([str(source), "-o", str(tmp_path / "out"), "--target", str(target), "--set", "model_name=net"]) == 0
    name = "quantized_model/quantized_model.mlir"
    assert (tmp_path / "out" / name).read_bytes() == (compiled / name).read_bytes()


def test_reports_add_up(compiled: Path, target: Path) -> None:
    report, model = read(compiled / "compiled_model", "report.json"), load_model(compiled)
    parts = report["parts"]
    assert [part["name"] for part in parts] == PARTS
    segments = [part for part in parts if part["kind"] == "device"]
    totals = report["totals"]
    for total, single in (("cycles", "cycles"), ("launch_cycles", "launch_cycles"), ("macs", "macs")):
        assert totals[total] == sum(segment[single] for segment in segments) > 0
    assert totals["cycles"] == totals["launch_cycles"] + sum(layer["cycles"] for layer in report["layers"])
    assert totals["macs"] >= 3 * 9 * 16 * SIDE * SIDE
    for memory in ("l2", "ddr"):
        key = "peak_l2_bytes" if memory == "l2" else "ddr_bytes"
        assert totals[key] == sum(image.memory.get(memory, 0) for image in model.images)
    assert totals["peak_l1_bytes"] == max(image.memory["l1"] for image in model.images)
    described = [part for part in read(compiled / "compiled_model", "model.json")["parts"] if part["kind"] == "device"]
    link = load_target(str(target)).host.link
    for segment, part in zip(segments, described, strict=True):
        sizes = {
            key: sum(int(np.prod(port["layout"]["padded_shape"])) for port in part[key])
            for key in ("inputs", "outputs")
        }
        assert [segment["input_bytes"], segment["output_bytes"]] == list(sizes.values())
        assert segment["transfer_s"] == pytest.approx(sum(sizes.values()) / link)
    assert [len(part["inputs"]) for part in described] == [1, 2, 2]  # residuals go around the islands
    # Three calls a frame, and what crosses between segments waits: slower than the sum of the segments' cycles alone.
    assert 1 / totals["host_fps"] > totals["cycles"] / totals["frequency_hz"] + 3 * 39e-6
    assert model.file.transfers.calls == 3
    assert model.file.transfers.between == sum(s["input_bytes"] + s["output_bytes"] for s in segments) - (
        segments[0]["input_bytes"] + segments[2]["output_bytes"]
    )


def test_axrunmodel_and_the_report_of_people(compiled: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert axrunmodel([str(compiled), "--frames", "2", "--layers"]) == 0
    text = capsys.readouterr().out
    assert "3 segments" in text
    assert "island1" in text
    assert "what the host computes is not modelled" in text


def test_instances_run_whole_networks_only(compiled: Path, target: Path) -> None:
    with Context(target) as context, context.device_connect() as connection:
        instance = connection.load_model_instance(context.load_model(compiled))
        with pytest.raises(InvalidArgument, match="3 device segments"):
            _ = instance.inputs
        assert len(instance.hosted()({"x": np.zeros((1, 4, SIDE, SIDE), np.float32)})) == 2


def test_threads_share_a_model(compiled: Path, files: tuple[Path, Path]) -> None:
    """A frame leaves no state in the reference of a network with islands."""
    model = QuantizedModel.load(compiled).hosted
    samples = np.load(files[1])["x"]
    expected = [model(sample)[0] for sample in samples]
    found: dict[int, NDArray[Any]] = {}
    threads = [
        threading.Thread(target=lambda i=i: found.update({i: model(samples[i])[0]})) for i in range(len(samples))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(np.array_equal(found[index], expected[index]) for index in range(len(samples)))


# --- memory ----------------------------------------------------------------------------------------------------------


def test_segments_share_the_memory_of_one_network(target: Path, tmp_path: Path) -> None:
    net, model = several()
    quantized = quantize(model, net.samples(), target=target)
    for limit in (120_000, 60_000, 30_000):
        config = CompilerConfig(l2_constraint=limit, resources=0.25)
        compile(quantized, config, tmp_path / str(limit), target=target, check=1)
        loaded = load_model(tmp_path / str(limit))
        assert sum(image.memory.get("l2", 0) for image in loaded.images) <= limit
        shares = [image.notes["memory_share"] for image in loaded.images]
        assert sum(share["l2"] for share in shares) <= limit
        for image, share in zip(loaded.images, shares, strict=True):
            assert image.memory.get("l2", 0) + image.notes.get("second_set", {}).get("l2", 0) <= share["l2"]
            assert image.memory.get("ddr", 0) <= share["ddr"]
    assert load_target(str(target)).ddr.size * 0.25 >= sum(share["ddr"] for share in shares)


@given(needs=st.lists(st.integers(0, 5000), min_size=1, max_size=6), total=st.integers(0, 10_000))
def test_shares_are_fair(needs: list[int], total: int) -> None:
    shares = fair_shares(needs, total, 1)
    assert sum(shares) <= total
    assert total - sum(shares) < len(needs)
    if sum(needs) <= total:
        assert all(share >= need for share, need in zip(shares, needs, strict=True))
    for share, need in zip(shares, needs, strict=True):
        # Whoever gets less than it needs has as much as anyone.
        assert share >= need or share >= max(shares) - len(needs)


# --- settings and errors ----------------------------------------------------------------------------------------------


def test_no_host_islands(files: tuple[Path, Path], target: Path, tmp_path: Path, capsys: Any) -> None:
    arguments = [files[0], "-o", tmp_path / "out", "--calibration", files[1], "--target", target, "--no-host-islands"]
    assert axc(list(map(str, arguments))) == 1
    errors = capsys.readouterr().err
    assert "[argmax_1] the device cannot run ArgMax in the middle of the network" in errors
    assert "host islands" in errors
    net, model = in_the_middle()
    with pytest.raises(AxirError, match="cannot run CumSum in the middle"):
        quantize(model, net.samples(), target=target, host_islands=False)


def test_without_the_graph_cleaner_there_are_no_islands(target: Path) -> None:
    net, model = in_the_middle()
    with pytest.raises(AxirError, match="run_graph_cleaner is false"):
        quantize(model, net.samples(), CompilerConfig(run_graph_cleaner=False), target=target)


def test_small_segments_do_not_pay_on_the_shipped_target() -> None:
    net, model = in_the_middle()
    quantized = quantize(model, net.samples())
    assert list(quantized.parts.parts) == ["preamble", "main"]


def test_islands_stay_where_the_hosts_ends_are_dropped(target: Path, tmp_path: Path) -> None:
    net, model = several()
    config = CompilerConfig(graph_cleaner_split_pre_post_processing=False)
    compile(model, config, tmp_path / "out", calibration_dataset=net.samples(), target=target, check=1)
    device, whole = load(tmp_path / "out"), quantize(model, net.samples(), target=target)
    assert [tensor.dtype for tensor in device.outputs] == ["float32", "int64"]
    found = dict(zip([tensor.name for tensor in device.outputs], device(net.samples()[0]), strict=True))
    scores, index = whole(net.samples()[0])
    assert any(np.array_equal(value, scores) for value in found.values())
    assert any(np.array_equal(value, index) for value in found.values())


def test_damaged_segments(compiled: Path, tmp_path: Path) -> None:
    shutil.copytree(compiled / "compiled_model", tmp_path / "model")
    (tmp_path / "model" / "model.1.axm").write_bytes((tmp_path / "model" / "model.axm").read_bytes())
    with pytest.raises(AxirError, match=r"model\.1\.axm is the program of another model"):
        load_model(tmp_path / "model")
    (tmp_path / "model" / "island1.onnx").write_bytes(b"nothing")
    shutil.copy(compiled / "compiled_model" / "model.1.axm", tmp_path / "model")
    with pytest.raises(AxirError, match="cannot load the island1"):
        load(tmp_path / "model")
    description = read(tmp_path / "model", "model.json")
    for parts in ([], [{"kind": "host", "name": "a", "file": "a.onnx"}], [{"kind": "?", "name": "a"}]):
        (tmp_path / "model" / "model.json").write_text(json.dumps(description | {"parts": parts}))
        with pytest.raises(AxirError, match="damaged"):
            load_model(tmp_path / "model")


def test_images_name_their_segments(compiled: Path, target: Path) -> None:
    target_figures = load_target(str(target))
    for name, file in (("main", "model.axm"), ("main1", "model.1.axm"), ("main2", "model.2.axm")):
        assert read_image((compiled / "compiled_model" / file).read_bytes(), target_figures).name == name


def test_quantization_debug_runs_the_whole_chain(target: Path, tmp_path: Path) -> None:
    """Errors of the second segment hold those of the first: the island hands them on."""
    net, model = several()
    config = CompilerConfig(quantization_debug=True, model_debug_save_dir=tmp_path / "debug")
    for _ in range(2):  # an earlier run's files are replaced
        quantized = quantize(model, net.samples(), config, target=target)
    table = {row["layer"]: row for row in read(tmp_path / "debug", "accuracy.json")["layers"]}
    assert len(table) == sum(len(list(graph.body.block.ops)) - 1 for graph in quantized.graphs)
    names = {file.name for file in (tmp_path / "debug").iterdir()}
    assert {"float.onnx", "float.1.onnx", "float.2.onnx", "quantized.2.onnx"} <= names
    exact_session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    signal = noise = 0.0
    for sample in net.samples():
        exact = exact_session.run(None, {"x": sample})[0].astype(np.float64)
        found = quantized(sample)[0].astype(np.float64)
        signal, noise = signal + (exact**2).sum(), noise + ((exact - found) ** 2).sum()
    scores = next(name for name in table if name.startswith("conv_10"))
    assert table[scores]["sqnr_db"] == pytest.approx(10 * np.log10(signal / noise), abs=0.05)


def test_the_core_is_dumped_segment_by_segment(target: Path, tmp_path: Path) -> None:
    net, model = several()
    config = CompilerConfig(graph_cleaner_dump_core_onnx=tmp_path / "core.onnx")
    quantize(model, net.samples(), config, target=target)
    found = {file.name: [n.op_type for n in onnx.load(str(file)).graph.node] for file in tmp_path.glob("core*.onnx")}
    assert sorted(found) == ["core.1.onnx", "core.2.onnx", "core.onnx"]
    assert found["core.onnx"] == ["Conv"]
    assert "GatherElements" not in found["core.1.onnx"]
