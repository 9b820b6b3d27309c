"""Settings that the driver itself acts upon: what a run writes, where, and what it leaves when it fails."""

from __future__ import annotations

import csv
import json
import math
import os
import shlex
import subprocess
import sys
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import numpy_helper
from shared import CHECKOUT
from small_networks import SIZE, convolution, model, save, sound
from xdsl.dialects.builtin import DenseArrayBase, DenseIntOrFPElementsAttr, ModuleOp
from xdsl.ir import Attribute, ParametrizedAttribute

from axir.compiler import CompilerConfig, compile, quantize
from axir.compiler.output import OutputFolder
from axir.compiler.quantized_model import QuantizedModel
from axir.compiler.random_weights import Randomizer
from axir.frontends.onnx import import_model
from axir.ir.constants import constant_array
from axir.ir.context import make_context
from axir.ir.diagnostics import AxirError
from axir.ir.module_file import read_module, weight_keys, write_module
from axir.ir.pass_manager import run_passes
from axir.ir.printing import print_module
from axir.ir.store import WeightStore
from axir.passes.pipeline import GRAPH_PASSES
from axir.registry import passes

DIGITS = CHECKOUT / "examples" / "digits" / "digits.onnx"
"""A trained network."""
TOOLS = Path(sys.executable).parent
TOO_SMALL = 2048
"""Bytes of L1 that no layer fits."""


def images(count: int, channels: int = 3, size: int = SIZE) -> Any:
    return np.random.default_rng(0).standard_normal((count, channels, size, size)).astype(np.float32)


def digits_images(count: int) -> Any:
    return np.random.default_rng(0).uniform(0, 1, (count, 1, 8, 8)).astype(np.float32)


def report(folder: Path) -> dict[str, Any]:
    return json.loads((folder / "compilation_report.json").read_text())


def layers(folder: Path) -> list[str]:
    return [layer["name"] for layer in report(folder)["layers"]]


# What a failure leaves.


def fail(model: Any, out: Path, samples: Any = None, **settings: Any) -> dict[str, bytes]:
    """A compilation that fails; the members of its error artifact."""
    config = CompilerConfig(save_error_artifact=True, **settings)
    with pytest.raises(AxirError) as error:
        compile(model, config, out, calibration_dataset=samples)
    with zipfile.ZipFile(out / "error_artifact.zip") as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    assert members["error.txt"].decode() == error.value.render() + "\n"
    return members


def at_lowering(out: Path, **settings: Any) -> dict[str, bytes]:
    return fail(DIGITS, out, digits_images(4), l1_constraint=TOO_SMALL, **settings)


def at_quantization(out: Path, **settings: Any) -> dict[str, bytes]:
    """The module was calibrated for a scheme that needs less than the one it is quantized with."""
    context = make_context()
    module = import_model(str(DIGITS), context)
    run_passes(context, module, [passes()[name].load()() for name in GRAPH_PASSES])
    run_passes(context, module, [passes()["calibrate"].load()(scheme="per_tensor_min_max", num_samples=2)])
    out.parent.mkdir(parents=True, exist_ok=True)
    source = out.with_suffix(".mlir")
    write_module(context, module, source)
    return fail(source, out, quantization_scheme="per_tensor_histogram", **settings)


def at_import(out: Path, **settings: Any) -> dict[str, bytes]:
    proto = onnx.load(str(DIGITS))
    proto.opset_import[0].version = 99
    return fail(save(proto, out.with_suffix(".onnx")), out, digits_images(1), **settings)


FAILURES = {"import": at_import, "quantize": at_quantization, "lower-to-aipu": at_lowering}
STATUS = {"import": "FRONTEND_ERROR", "quantize": "QUANTIZATION_ERROR", "lower-to-aipu": "LEGALIZATION_ERROR"}
stages = pytest.mark.parametrize("stage", FAILURES)


def unpacked(members: Mapping[str, bytes], folder: Path) -> Path:
    folder.mkdir()
    for name, content in members.items():
        (folder / name).write_bytes(content)
    return folder


def commands(folder: Path) -> list[list[str]]:
    lines = (folder / "reproduce.txt").read_text().splitlines()
    return [shlex.split(line) for line in lines if not line.startswith("#")]


def run(command: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    """A tool in a process of its own."""
    return subprocess.run(
        [str(TOOLS / command[0]), *command[1:]], cwd=folder, capture_output=True, text=True, timeout=120, check=False
    )


@stages
def test_save_error_artifact_reproduces_the_error(stage: str, tmp_path: Path) -> None:
    members = FAILURES[stage](tmp_path / "out")
    assert report(tmp_path / "out")["status"] == STATUS[stage]
    assert json.loads(members["compilation_report.json"])["stage"] == stage
    folder = unpacked(members, tmp_path / "unpacked")
    ax_opt, axc = commands(folder)
    assert ax_opt[0] == "ax-opt"
    for command in (ax_opt, axc):
        result = run(command, folder)
        assert result.returncode == 1, command
        message = members["error.txt"].decode()
        # The file of an import has another name in the archive.
        assert result.stderr.endswith(message.replace("out.onnx", "model.onnx")), (result.stderr, message)


def test_save_error_artifact_holds_what_the_failing_pass_took(tmp_path: Path) -> None:
    members = at_lowering(tmp_path / "out")
    assert list(members) == [
        "ir.mlir", "weights.safetensors", "reproduce.txt", "error.txt", "conf.toml", "compilation_report.json"
    ]  # fmt: skip
    folder = unpacked(members, tmp_path / "unpacked")
    (command, _) = commands(folder)
    assert command[:3] == ["ax-opt", "ir.mlir", "-p"]
    assert f"l1-constraint={TOO_SMALL}" in command[3]
    assert CompilerConfig.from_toml(folder / "conf.toml").l1_constraint == TOO_SMALL
    module = read_module(make_context(), folder / "ir.mlir")
    assert [op.name for op in module.ops] == ["axq.graph", "ax.graph"]
    assert "digits.onnx" in members["ir.mlir"].decode()  # locations


def test_save_error_artifact_leaves_paths_out(tmp_path: Path) -> None:
    dump = tmp_path / "private" / "core.onnx"
    dump.parent.mkdir()
    members = at_lowering(tmp_path / "out", graph_cleaner_dump_core_onnx=dump)
    assert CompilerConfig.from_toml(tmp_path / "out" / "conf.toml").graph_cleaner_dump_core_onnx == dump
    assert not [name for name, content in members.items() if b"private" in content]


def test_save_error_artifact_is_deterministic(tmp_path: Path) -> None:
    for name in ("one", "two"):
        at_lowering(tmp_path / name)
    assert len({(tmp_path / name / "error_artifact.zip").read_bytes() for name in ("one", "two")}) == 1


def test_save_error_artifact_is_for_failures_and_on_demand(tmp_path: Path) -> None:
    compile(sound(), CompilerConfig(save_error_artifact=True), tmp_path / "good", calibration_dataset=images(1))
    with pytest.raises(AxirError):
        compile(sound(), CompilerConfig(l1_constraint=TOO_SMALL), tmp_path / "bad", calibration_dataset=images(1))
    assert not list(tmp_path.rglob("error_artifact.zip"))


def test_save_error_artifact_of_a_defect_says_where(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from axir.passes.plan_memory import PlanMemoryPass

    def broken(*arguments: object) -> None:
        raise ZeroDivisionError("so not")

    monkeypatch.setattr(PlanMemoryPass, "apply", broken)
    with pytest.raises(ZeroDivisionError):
        compile(sound(), CompilerConfig(save_error_artifact=True), tmp_path / "out", calibration_dataset=images(1))
    assert report(tmp_path / "out")["status"] == "INTERNAL_ERROR"
    assert report(tmp_path / "out")["stage"] == "plan-memory"
    with zipfile.ZipFile(tmp_path / "out" / "error_artifact.zip") as archive:
        assert "in broken" in archive.read("error.txt").decode()
        assert "aipu.program" in archive.read("ir.mlir").decode()


def test_save_error_artifact_never_hides_the_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "axir.compiler.error_artifact.print_module", lambda module: (_ for _ in ()).throw(MemoryError("no room"))
    )
    config = CompilerConfig(save_error_artifact=True, l1_constraint=TOO_SMALL)
    with pytest.raises(AxirError, match="bytes"):
        compile(sound(), config, tmp_path / "out", calibration_dataset=images(1))
    assert not (tmp_path / "out" / "error_artifact.zip").exists()
    log = (tmp_path / "out" / "compilation_log.txt").read_text()
    assert "warning: the error artifact cannot be written: MemoryError: no room" in log


# What the archive tells of the weights.


def windows(data: bytes, step: int) -> set[bytes]:
    """All runs of 16 bytes that begin at a multiple of `step`, but for those that say next to nothing."""
    runs = (data[start : start + 16] for start in range(0, len(data) - 15, step))
    return {run for run in runs if len(set(run)) > 6}


def trained() -> list[Any]:
    """Every tensor that training gave: those of the model, and what quantization and its preparation make of them."""
    proto = onnx.load(str(DIGITS))
    arrays = [numpy_helper.to_array(tensor) for tensor in proto.graph.initializer]
    context = make_context()
    fused = import_model(str(DIGITS), context)
    run_passes(context, fused, [passes()[name].load()() for name in GRAPH_PASSES])
    quantized = quantize(DIGITS, digits_images(4))
    for module, store in ((fused, context.store), (quantized.module, quantized.store)):
        arrays += constants(module, store)
    return [array for array in arrays if array.dtype != np.int64 and array.nbytes >= 16]


def constants(module: ModuleOp, store: WeightStore) -> list[Any]:
    """All constant tensors of a module, inline and stored."""
    inline = [
        constant_array(attribute, store)
        for op in module.walk()
        for value in (*op.properties.values(), *op.attributes.values())
        for attribute in nested(value)
        if isinstance(attribute, DenseIntOrFPElementsAttr)
    ]
    return inline + [store.get(key) for key in weight_keys(module)]


def nested(attribute: Attribute) -> Iterator[Attribute]:
    yield attribute
    if isinstance(attribute, ParametrizedAttribute) and not isinstance(attribute, DenseArrayBase):
        for parameter in attribute.parameters:
            yield from nested(parameter)


def leaks(members: Mapping[str, bytes], folder: Path) -> set[bytes]:
    """The runs of trained tensors that the archive holds: in its files, and in the constants that its text spells."""
    contents = list(members.values())
    if "ir.mlir" in members:
        context = make_context()
        module = read_module(context, unpacked(members, folder) / "ir.mlir")
        contents += [array.tobytes() for array in constants(module, context.store)]
    found: set[bytes] = set().union(*(windows(content, 1) for content in contents))
    return found & set().union(*(windows(array.tobytes(), array.itemsize) for array in trained()))


def keys_of_trained() -> list[bytes]:
    store = WeightStore()
    return [store.put(array).encode() for array in trained()]


@stages
def test_randomize_onnx_model_leaks_no_trained_weight(stage: str, tmp_path: Path) -> None:
    members = FAILURES[stage](tmp_path / "out")
    assert leaks(members, tmp_path / "unpacked") == set()
    keys = keys_of_trained()
    assert len(keys) > 20
    for name, content in members.items():
        assert not [key for key in keys if key in content], f"{name} holds the hash of a weight"


@stages
def test_randomize_onnx_model_false_keeps_the_weights(stage: str, tmp_path: Path) -> None:
    """So the test above can fail."""
    members = FAILURES[stage](tmp_path / "out", randomize_onnx_model=False)
    assert len(leaks(members, tmp_path / "unpacked")) > 1000
    if stage != "import":
        assert any(key in members["ir.mlir"] for key in keys_of_trained())
    else:
        assert onnx.load_from_string(members["model.onnx"]).graph == onnx.load(str(DIGITS)).graph


def test_randomize_onnx_model_of_a_program(tmp_path: Path) -> None:
    """Constants that are packed for the device, too."""
    compile(DIGITS, CompilerConfig(), tmp_path / "out", calibration_dataset=digits_images(4))
    context = make_context()
    module = read_module(context, tmp_path / "out" / "compiled_model" / "program.mlir")
    randomizer = Randomizer(context.store)
    before: set[bytes] = set().union(*(windows(array.tobytes(), 1) for array in constants(module, context.store)))
    randomizer.run(module)
    after: set[bytes] = set().union(*(windows(array.tobytes(), 1) for array in constants(module, randomizer.store)))
    assert len(before) > 10_000
    assert len(after) > 10_000
    assert not before & after


def test_randomize_onnx_model_redacts_keys_in_messages(tmp_path: Path) -> None:
    """The message about a missing weight names its hash."""
    saved = tmp_path / "saved"
    quantize(DIGITS, digits_images(2)).export(saved)
    (saved / "weights.safetensors").unlink()
    with pytest.raises(AxirError, match="is not in the weight store") as error:
        compile(saved, CompilerConfig(save_error_artifact=True), tmp_path / "out")
    key = error.value.message.split()[1]
    with zipfile.ZipFile(tmp_path / "out" / "error_artifact.zip") as archive:
        members = {name: archive.read(name).decode() for name in archive.namelist()}
    assert not any(key in text for text in members.values())
    assert "is not in the weight store" in members["error.txt"]


def test_randomize_onnx_model_leaves_out_what_it_cannot_read(tmp_path: Path) -> None:
    path = tmp_path / "out.onnx"
    path.write_bytes(DIGITS.read_bytes()[:-1000])
    members = fail(path, tmp_path / "out")
    assert "model.onnx" not in members
    assert "left out" in members["reproduce.txt"].decode()
    assert "model.onnx" in fail(path, tmp_path / "out", randomize_onnx_model=False)


# Records.


def spans(trace: dict[str, Any]) -> list[tuple[tuple[str, ...], bool]]:
    """(names from the outermost inwards, whether it failed) of every span, which must nest, in order of their ends."""
    open_: list[str] = []
    found: list[tuple[tuple[str, ...], bool]] = []
    last = 0.0
    for event in trace["traceEvents"]:
        if event["ph"] == "M":
            continue
        assert event["ts"] >= last
        last = event["ts"]
        if event["ph"] == "B":
            open_.append(event["name"])
        elif event["ph"] == "E":
            assert open_[-1] == event["name"]
            found.append((tuple(open_), event.get("args", {}).get("failed", False)))
            open_.pop()
        else:
            assert event["ph"] == "C"
            assert event["args"]["rss_bytes"] > 10_000_000
    assert not open_
    return found


def test_trace_tvm_passes(tmp_path: Path) -> None:
    compile(sound(), CompilerConfig(trace_passes=True), tmp_path / "out", calibration_dataset=images(1), check=1)
    found = spans(json.loads((tmp_path / "out" / "compilation_trace.json").read_text()))
    stages = [names[1] for names, failed in found if len(names) == 2 and not failed]
    assert stages == [stage["name"] for stage in report(tmp_path / "out")["stages"]]
    assert stages[0] == "import"
    for name in ("canonicalize-graph", "quantize", "lower-to-aipu", "resolve-addresses"):
        for step in ("apply", "verify"):
            assert (("compilation", name, step), False) in found


def test_trace_tvm_passes_of_a_failure(tmp_path: Path) -> None:
    config = CompilerConfig(trace_passes=True, l1_constraint=TOO_SMALL)
    with pytest.raises(AxirError):
        compile(sound(), config, tmp_path / "out", calibration_dataset=images(1))
    found = spans(json.loads((tmp_path / "out" / "compilation_trace.json").read_text()))
    failed = [names for names, failed in found if failed]
    assert failed == [("compilation", "lower-to-aipu", "apply"), ("compilation", "lower-to-aipu")]


def test_trace_tvm_passes_false_writes_no_trace(tmp_path: Path) -> None:
    compile(sound(), CompilerConfig(), tmp_path / "out", calibration_dataset=images(1))
    assert not (tmp_path / "out" / "compilation_trace.json").exists()


def test_propagate_span_information(tmp_path: Path) -> None:
    """Without it the program computes the same, bit for bit; its layers have numbers."""
    for propagated in (True, False):
        config = CompilerConfig(propagate_span_information=propagated)
        compile(
            sound(), config, tmp_path / str(propagated), calibration_dataset=images(2), check=2,
            dump_ir=tmp_path / f"ir-{propagated}",
        )  # fmt: skip
    assert set(layers(tmp_path / "True")) == {"first", "second"}
    assert set(layers(tmp_path / "False")) == {"conv_0", "conv_1"}
    modules = {p: next((tmp_path / f"ir-{p}").glob("*-quantize.mlir")).read_text() for p in (True, False)}
    assert '"first"' in modules[True]
    assert 'loc("' not in modules[False]
    assert len(modules[False]) < len(modules[True])
    manifest = json.loads((tmp_path / "False" / "quantized_model" / "quantized_model_manifest.json").read_text())
    assert [entry["name"] for entry in manifest["segments"][0]["operators"]] == ["conv_0", "conv_1"]


def test_propagate_span_information_false_takes_names_from_errors(tmp_path: Path) -> None:
    for propagated in (True, False):
        config = CompilerConfig(propagate_span_information=propagated, l1_constraint=TOO_SMALL)
        with pytest.raises(AxirError) as error:
            compile(sound(), config, tmp_path / "out", calibration_dataset=images(2))
        assert error.value.node == ("first" if propagated else "conv_0")


def test_propagate_span_information_of_a_quantized_model(tmp_path: Path) -> None:
    model = quantize(sound(), images(2))
    compile(model, CompilerConfig(propagate_span_information=False), tmp_path / "out")
    assert set(layers(tmp_path / "out")) == {"conv_0", "conv_1"}
    assert '"first"' in print_module(model.module), "the caller's model is changed"


def test_quantized_graph_export(tmp_path: Path) -> None:
    for exported in (True, False):
        config = CompilerConfig(quantized_graph_export=exported)
        compile(sound(), config, tmp_path / str(exported), calibration_dataset=images(2), check=1)
        assert (tmp_path / str(exported) / "quantized_model").exists() == exported
    assert report(tmp_path / "True")["layers"] == report(tmp_path / "False")["layers"]


def test_quantized_graph_export_contradicts_quantize_only() -> None:
    with pytest.raises(AxirError, match="quantize_only has no other result"):
        CompilerConfig(quantized_graph_export=False, compiler_mode="quantize_only")


def test_quantized_graph_export_does_not_concern_quantize() -> None:
    """It returns the model."""
    assert quantize(sound(), images(1), CompilerConfig(quantized_graph_export=False))(images(1)[0])


# The accuracy of each layer.


def two_scales() -> onnx.ModelProto:
    """A layer whose channels differ by 2**12 quantizes badly, the one before it well."""
    good, good_weights = convolution("good", "x", "a", 1, inputs=3)
    bad, bad_weights = convolution("bad", "a", "y", 2)
    bad_weights["bad.w"][:4] *= np.float32(2.0**-12)
    nodes = [good, bad]
    return model(nodes, good_weights | bad_weights, [1, 3, SIZE, SIZE], ["y"])


def debug(tmp_path: Path, network: onnx.ModelProto, count: int, **settings: Any) -> Path:
    config = CompilerConfig(quantization_debug=True, **settings)
    compile(network, config, tmp_path / "out", calibration_dataset=images(count), check=1)
    return tmp_path / "out" / "quantized_model" / "debug"


def outputs(path: Path, sample: Any) -> dict[str, Any]:
    session: Any = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(None, {"x": sample}), strict=True))


def test_quantization_debug(tmp_path: Path) -> None:
    """The table against one computed from the two exported models under ONNX Runtime."""
    network = sound()
    folder = debug(tmp_path, network, 12)
    assert sorted(file.name for file in folder.iterdir()) == [
        "accuracy.csv", "accuracy.json", "float.onnx", "quantized.onnx"
    ]  # fmt: skip
    table = json.loads((folder / "accuracy.json").read_text())
    assert table["samples"] == 8
    rows = {row["layer"]: row for row in table["layers"]}
    assert set(rows) == {"first", "second"}
    signal, noise = dict.fromkeys(rows, 0.0), dict.fromkeys(rows, 0.0)
    for sample in images(12)[:8]:
        exact, found = outputs(folder / "float.onnx", sample[None]), outputs(folder / "quantized.onnx", sample[None])
        for name in rows:
            reference = next(v for k, v in exact.items() if k.startswith(name))
            quantized = next(v for k, v in found.items() if k.startswith(name))
            signal[name] += float(np.square(reference.astype(np.float64)).sum())
            noise[name] += float(np.square(reference.astype(np.float64) - quantized).sum())
    for name, row in rows.items():
        assert row["sqnr_db"] == pytest.approx(10 * math.log10(signal[name] / noise[name]), abs=0.5)
        assert row["sqnr_db"] > 20


def test_quantization_debug_puts_the_worst_first(tmp_path: Path) -> None:
    folder = debug(tmp_path, two_scales(), 3)
    table = list(csv.DictReader((folder / "accuracy.csv").read_text().splitlines()))
    assert [float(row["sqnr_db"]) for row in table] == sorted(float(row["sqnr_db"]) for row in table)
    rows = {row["layer"]: row for row in json.loads((folder / "accuracy.json").read_text())["layers"]}
    assert table[0]["layer"] == min(rows, key=lambda name: rows[name]["sqnr_db"])
    assert rows["good"]["shape"] == [1, 8, SIZE, SIZE]


def test_quantization_debug_gives_every_tensor(tmp_path: Path) -> None:
    folder = debug(tmp_path, sound(), 1)
    for name in ("float.onnx", "quantized.onnx"):
        onnx.checker.check_model(str(folder / name), full_check=True)
        assert len(outputs(folder / name, images(1))) >= 2


def test_quantization_debug_false_writes_nothing(tmp_path: Path) -> None:
    compile(sound(), CompilerConfig(), tmp_path / "out", calibration_dataset=images(1))
    assert not (tmp_path / "out" / "quantized_model" / "debug").exists()


def test_quantization_debug_of_a_quantized_model_warns(tmp_path: Path) -> None:
    compile(quantize(sound(), images(1)), CompilerConfig(quantization_debug=True), tmp_path / "out")
    assert "quantization_debug compares with the float model" in (tmp_path / "out" / "compilation_log.txt").read_text()


def test_model_debug_save_dir(tmp_path: Path) -> None:
    place = tmp_path / "elsewhere"
    for _ in range(2):  # what an earlier run wrote is replaced
        folder = debug(tmp_path, sound(), 1, model_debug_save_dir=place)
        assert not folder.exists()
        assert (place / "accuracy.csv").exists()


def test_model_debug_save_dir_never_replaces_other_files(tmp_path: Path) -> None:
    place = tmp_path / "elsewhere"
    place.mkdir()
    (place / "thesis.tex").write_text("mine")
    with pytest.raises(AxirError, match=r"thesis\.tex"):
        debug(tmp_path, sound(), 1, model_debug_save_dir=place)
    assert report(tmp_path / "out")["stage"] == "quantization-debug"
    assert os.listdir(place) == ["thesis.tex"]


def test_model_debug_save_dir_of_quantize(tmp_path: Path) -> None:
    quantize(sound(), images(1), CompilerConfig(quantization_debug=True, model_debug_save_dir=tmp_path / "debug"))
    assert (tmp_path / "debug" / "float.onnx").exists()


def test_model_debug_save_dir_inside_the_output_is_refused(tmp_path: Path) -> None:
    with pytest.raises(AxirError, match="inside the output folder"):
        debug(tmp_path, sound(), 1, model_debug_save_dir=tmp_path / "out" / "debug")


def test_model_debug_save_dir_alone_warns(tmp_path: Path) -> None:
    config = CompilerConfig(model_debug_save_dir=tmp_path / "debug")
    compile(sound(), config, tmp_path / "out", calibration_dataset=images(1))
    assert (
        "model_debug_save_dir has no effect here: it needs quantization_debug"
        in (tmp_path / "out" / "compilation_log.txt").read_text()
    )
    assert not (tmp_path / "debug").exists()


# The output folder.


@pytest.fixture
def full(tmp_path: Path) -> Path:
    """A folder with a file that no compilation wrote."""
    (tmp_path / "out" / "notes").mkdir(parents=True)
    (tmp_path / "out" / "notes" / "mine.txt").write_text("mine")
    return tmp_path / "out"


def test_remove_output_dir(full: Path) -> None:
    with pytest.raises(AxirError, match="files that no compilation wrote"):
        compile(sound(), CompilerConfig(), full, calibration_dataset=images(1))
    assert os.listdir(full) == ["notes"]
    compile(sound(), CompilerConfig(remove_output_dir=True), full, calibration_dataset=images(1))
    assert not (full / "notes").exists()
    assert (full / "compiled_model" / "model.json").exists()
    assert os.listdir(full.parent) == ["out"]


def test_remove_output_dir_happens_at_the_end(full: Path) -> None:
    """A run that is interrupted has removed nothing."""

    def interrupted(item: Any) -> Any:
        raise KeyboardInterrupt

    config = CompilerConfig(remove_output_dir=True)
    with pytest.raises(KeyboardInterrupt):
        compile(sound(), config, full, calibration_dataset=[0], transform_fn=interrupted)
    assert (full / "notes" / "mine.txt").read_text() == "mine"
    assert os.listdir(full.parent) == ["out"]


@pytest.mark.parametrize("place", ["root", "home", "above home", "working directory", "above it", "model", "mount"])
def test_remove_output_dir_never_removes(
    place: str, full: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("home/user", "work/here", "models"):
        (tmp_path / name).mkdir(parents=True)
    monkeypatch.setenv("HOME", str(tmp_path / "home" / "user"))
    monkeypatch.chdir(tmp_path / "work" / "here")
    network = save(sound(), tmp_path / "models" / "net.onnx")
    if place == "mount":
        monkeypatch.setattr(os.path, "ismount", lambda path: path == full.resolve())
    # Should the check be missing, nothing is removed all the same.
    monkeypatch.setattr(OutputFolder, "commit", lambda self: pytest.fail(f"{place} would be replaced"))
    folder = {
        "root": Path("/"), "home": Path("~").expanduser(), "above home": tmp_path / "home", "working directory": Path(),
        "above it": tmp_path / "work", "model": tmp_path / "models", "mount": full,
    }[place]  # fmt: skip
    with pytest.raises(AxirError, match="it will not be removed"):
        compile(network, CompilerConfig(remove_output_dir=True), folder, calibration_dataset=images(1))


def test_remove_output_dir_does_not_make_a_file_a_folder(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("mine")
    with pytest.raises(AxirError, match="is a file"):
        compile(sound(), CompilerConfig(remove_output_dir=True), tmp_path / "out", calibration_dataset=images(1))


def test_saved_models_load_again(tmp_path: Path) -> None:
    """The debug folder beside a quantized model does not disturb it."""
    debug(tmp_path, sound(), 2)
    assert QuantizedModel.load(tmp_path / "out").graph
