"""What users get wrong: each a short located error, an exit code, and nothing that looks like a result."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import helper
from PIL import Image
from small_networks import SIZE, convolution, model, save, sound, weights

from axir.compiler.status import CLI_STAGE, STATUSES
from axir.tools.axc import main as axc
from axir.tools.axrunmodel import main as axrunmodel


@dataclass
class Outcome:
    """What a failed run left."""

    errors: str
    folder: Path

    @property
    def report(self) -> dict[str, Any]:
        return json.loads((self.folder / "compilation_report.json").read_text())


Fails = Callable[..., Outcome]


@pytest.fixture
def fails(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Fails:
    """Runs axc, which must fail with one screen of located text and leave no artifacts."""

    def run(*arguments: str | Path, stage: str | None) -> Outcome:
        folder = tmp_path / "out"
        assert axc([*map(str, arguments), "-o", str(folder)]) == 1
        errors = capsys.readouterr().err
        assert "Traceback" not in errors
        assert "internal error" not in errors
        assert re.search(r"(^|: )error: ", errors, re.MULTILINE), errors
        assert len(errors.splitlines()) <= 12, errors
        assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".out")] == []
        if stage is None:
            assert not folder.exists()
        else:
            left = sorted(path.name for path in folder.iterdir())
            records = ["cli_args.json", "compilation_log.txt", "compilation_report.json"]
            assert left == (records if stage == CLI_STAGE else [*records, "conf.toml"])
            outcome = Outcome(errors, folder)
            assert outcome.report["stage"] == stage, errors
            assert [s.code for s in STATUSES if stage in s.stages] == [outcome.report["status"]]
            assert outcome.report["error"] in errors
            assert "error: " in (folder / "compilation_log.txt").read_text()
        return Outcome(errors, folder)

    return run


@pytest.fixture
def network(tmp_path: Path) -> Path:
    return save(sound(), tmp_path / "net.onnx")


def test_not_onnx(fails: Fails, tmp_path: Path) -> None:
    path = tmp_path / "net.onnx"
    path.write_text("hello")
    assert "net.onnx: error: not an ONNX model" in fails(path, stage="import").errors


def test_no_such_file(fails: Fails, tmp_path: Path) -> None:
    assert "absent.onnx" in fails(tmp_path / "absent.onnx", stage="import").errors


def test_truncated(fails: Fails, network: Path) -> None:
    data = network.read_bytes()
    network.write_bytes(data[: len(data) // 2])
    assert "truncated" in fails(network, stage="import").errors


def test_missing_external_data(fails: Fails, tmp_path: Path) -> None:
    path = tmp_path / "net.onnx"
    onnx.save_model(sound(), str(path), save_as_external_data=True, location="net.bin", size_threshold=0)
    (tmp_path / "net.bin").unlink()
    assert "net.bin" in fails(path, stage="import").errors


@pytest.mark.parametrize("opset", [3, 99])
def test_unknown_opset(fails: Fails, tmp_path: Path, opset: int) -> None:
    path = save(sound(opset=opset), tmp_path / "net.onnx")
    assert f"operator set {opset}; operator sets 7 to 21 are supported" in fails(path, stage="import").errors


def test_cyclic_graph(fails: Fails, tmp_path: Path) -> None:
    nodes = [helper.make_node("Add", ["x", "b"], ["a"], "one"), helper.make_node("Relu", ["a"], ["b"], "two")]
    path = save(model(nodes, {}, [1, 3, 4, 4], ["b"]), tmp_path / "net.onnx")
    assert "depends on itself" in fails(path, stage="import").errors


def test_dangling_graph(fails: Fails, tmp_path: Path) -> None:
    path = save(
        model([helper.make_node("Relu", ["ghost"], ["y"], "act")], {}, [1, 3, 4, 4], ["y"]), tmp_path / "n.onnx"
    )
    assert "'ghost'" in fails(path, stage="import").errors


def test_dynamic_shape_without_a_value(fails: Fails, tmp_path: Path) -> None:
    path = save(sound(["n", 3, "h", SIZE]), tmp_path / "net.onnx")
    assert f"note: choose a shape, for example --input-shape x=1,3,224,{SIZE}" in fails(path, stage="import").errors


@pytest.mark.parametrize("shape", ["x=1,3,0,6", "x", "x=1,3,a,6", "y=1,3,6,6", "x=1,4,6,6"])
def test_wrong_input_shape(fails: Fails, tmp_path: Path, shape: str) -> None:
    path = save(sound(["n", 3, "h", SIZE]), tmp_path / "net.onnx")
    stage = "import" if shape in ("y=1,3,6,6", "x=1,4,6,6") else CLI_STAGE
    fails(path, "--input-shape", shape, stage=stage)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_weights_that_are_no_numbers(fails: Fails, tmp_path: Path, value: float) -> None:
    node, initializers = convolution("first", "x", "y", 0, inputs=3)
    initializers["first.w"][0, 0, 0, 0] = value
    path = save(model([node], initializers, [1, 3, 6, 6], ["y"]), tmp_path / "net.onnx")
    assert re.search(r"\[first\].*'first.w' holds", fails(path, stage="import").errors)


def test_unsupported_operator_in_the_middle(fails: Fails, tmp_path: Path) -> None:
    path = save(sound(middle=[helper.make_node("Exp", ["a"], ["b"], "strange")]), tmp_path / "net.onnx")
    errors = fails(path, "--no-host-islands", stage="validate-operators").errors
    assert "net.onnx:1:0: error: [strange] the device cannot run" in errors
    assert "no table for exp" in errors


def test_layer_too_large_for_any_tiling(fails: Fails, network: Path) -> None:
    errors = fails(network, "--set", "l1_constraint=2048", stage="lower-to-aipu").errors
    assert re.search(r"\[first\].*bytes", errors)
    assert "l1_constraint" in errors


def test_too_little_l2(fails: Fails, network: Path) -> None:
    limits = ("--set", "l2_constraint=256", "--set", "ddr_constraint=256")
    outcome = fails(network, *limits, stage="lower-to-aipu")
    assert "bytes" in outcome.errors


def test_broken_quantized_model(fails: Fails, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert "no quantized_model.mlir" in fails(tmp_path / "empty", stage="import").errors
    text = tmp_path / "module.mlir"
    text.write_text("builtin.module {\n  nonsense\n}\n")
    assert re.search(r"module.mlir:\d+:\d+: error: ", fails(text, stage="import").errors)
    text.write_text("builtin.module {\n}\n")
    assert "holds no network" in fails(text, stage="import").errors


def test_missing_and_damaged_weights(fails: Fails, network: Path, tmp_path: Path) -> None:
    saved = tmp_path / "saved"
    assert axc([str(network), "-o", str(saved), "--quantize-only"]) == 0
    weights_file = saved / "quantized_model" / "weights.safetensors"
    data = bytearray(weights_file.read_bytes())
    data[-1] ^= 1
    weights_file.write_bytes(data)
    assert "does not match its hash" in fails(saved, stage="export").errors
    weights_file.unlink()
    assert "is not in the weight store" in fails(saved, stage="export").errors


def test_lower_only_needs_a_quantized_model(fails: Fails, network: Path) -> None:
    assert "lower_only" in fails(network, "--set", "compiler_mode=lower_only", stage="import").errors


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"x": np.zeros((2, 3, 5, 5), np.float32)}, f"must be float32 [1, 3, {SIZE}, {SIZE}], it is float32 [3, 5, 5]"),
        ({"x": np.zeros((2, 3, SIZE, SIZE))}, "it is float64"),
        ({"input": np.zeros((2, 3, SIZE, SIZE), np.float32)}, "no array for the input 'x'"),
        ({"x": np.zeros((0, 3, SIZE, SIZE), np.float32)}, "no calibration samples"),
        ({"x": np.full((2, 3, SIZE, SIZE), np.nan, np.float32)}, "NaN"),
    ],
)
def test_wrong_arrays(fails: Fails, network: Path, tmp_path: Path, arrays: dict[str, Any], message: str) -> None:
    np.savez(tmp_path / "samples.npz", **arrays)
    assert message in fails(network, "--calibration", tmp_path / "samples.npz", stage="calibrate").errors


def test_arrays_that_cannot_be_read(fails: Fails, network: Path, tmp_path: Path) -> None:
    file = tmp_path / "samples.npz"
    file.write_bytes(b"PK\x03\x04 broken")
    fails(network, "--calibration", file, stage="calibrate")
    np.save(tmp_path / "samples.npy", np.zeros(3))
    assert "not an .npz file" in fails(network, "--calibration", tmp_path / "samples.npy", stage="calibrate").errors
    fails(network, "--calibration", tmp_path / "absent.npz", stage="calibrate")


def test_images(fails: Fails, network: Path, tmp_path: Path) -> None:
    folder = tmp_path / "photos"
    options = (network, "--imageset", folder, "--transform")
    fails(*options, "unit", stage="calibrate")
    folder.mkdir()
    assert "no images in this folder" in fails(*options, "unit", stage="calibrate").errors
    (folder / "bad.jpg").write_bytes(b"no image")
    assert f"{folder / 'bad.jpg'}: error: " in fails(*options, "unit", stage="calibrate").errors
    Image.new("RGB", (9, 9)).save(folder / "bad.jpg")
    assert "there is no transform" in fails(*options, "imgnet", stage="calibrate").errors
    assert "takes no gray images" in fails(*options, "unit", "--color-format", "gray", stage="calibrate").errors
    assert "layout NHWC" in fails(*options, "unit", "--input-data-layout", "NHWC", stage="calibrate").errors
    script = tmp_path / "pre.py"
    script.write_text("def transform(image):\n    raise RuntimeError('so not')\n")
    errors = fails(*options, script, stage="calibrate").errors
    assert f"{script}:2: error: {folder / 'bad.jpg'}: the transform failed: RuntimeError: so not" in errors
    script.write_text("import numpy as np\ndef transform(image):\n    return np.zeros((3, 2, 2), np.float32)\n")
    assert "it is float32 [3, 2, 2]" in fails(*options, script, stage="calibrate").errors
    script.write_text("def transform(image):\n    return 'pixels'\n")
    assert "is a str; expected an array" in fails(*options, script, stage="calibrate").errors


@pytest.mark.parametrize(
    "options",
    [
        ["--imageset", "photos"],
        ["--transform", "unit"],
        ["--imageset", "photos", "--transform", "unit", "--calibration", "x.npz"],
        ["--imageset", "photos", "--transform", "unit", "--imreader-backend", "opencv"],
        ["--num-cal-images", "0"],
        ["--check", "-1"],
        ["--set", "resources=0.3"],
        ["--aipu-cores", "2", "--resources", "0.25"],
        ["--aipu-cores", "many"],
        ["--config", "absent.toml"],
        ["--target", "absent.toml"],
        ["--cli-args", "absent.json"],
        ["--set", "l1_size_used=40000000"],
    ],
)
def test_wrong_options_leave_a_report(fails: Fails, network: Path, options: list[str]) -> None:
    fails(network, *options, stage=None if "--cli-args" in options else CLI_STAGE)


@pytest.mark.parametrize("content", ["{", "[]", '{"outptu": "x"}', '{"check": "two"}', '{"set": "a=b"}'])
def test_wrong_argument_files(fails: Fails, network: Path, tmp_path: Path, content: str) -> None:
    file = tmp_path / "args.json"
    file.write_text(content)
    assert str(file) in fails(network, "--cli-args", file, stage=None).errors


def test_a_folder_of_others_is_left_alone(network: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "thesis.tex").write_text("mine")
    assert axc([str(network), "-o", str(tmp_path / "out")]) == 1
    assert "files that no compilation wrote: thesis.tex" in capsys.readouterr().err
    assert (tmp_path / "out" / "thesis.tex").read_text() == "mine"
    assert axc([str(network), "-o", str(network)]) == 1
    assert "the output folder is a file" in capsys.readouterr().err


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere; test_output.py has the same with a fake")
def test_read_only_place(network: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    place = tmp_path / "place"
    place.mkdir(mode=0o500)
    assert axc([str(network), "-o", str(place / "out")]) == 1
    assert "Permission denied" in capsys.readouterr().err


def test_a_failure_replaces_an_earlier_success(network: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert axc([str(network), "-o", str(out)]) == 0
    assert axc([str(network), "-o", str(out), "--set", "l1_constraint=64"]) == 1
    assert not (out / "compiled_model").exists()
    report = json.loads((out / "compilation_report.json").read_text())
    assert (report["status"], report["stage"]) == ("LEGALIZATION_ERROR", "lower-to-aipu")
    assert axc([str(network), "-o", str(out)]) == 0
    assert (out / "compiled_model" / "model.json").exists()


def test_dump_folder_inside_the_output(fails: Fails, network: Path, tmp_path: Path) -> None:
    assert "inside the output folder" in fails(network, "--dump-ir", tmp_path / "out" / "ir", stage=CLI_STAGE).errors


def test_an_interrupted_run_leaves_nothing(tmp_path: Path) -> None:
    """Killed softly while it calibrates: no folder, no temporary folder."""
    network = save(sound(), tmp_path / "net.onnx")
    script = tmp_path / "pre.py"
    script.write_text("import os, signal\ndef transform(image):\n    os.kill(os.getpid(), signal.SIGINT)\n")
    (tmp_path / "photos").mkdir()
    Image.new("RGB", (9, 9)).save(tmp_path / "photos" / "a.png")
    before = sorted(tmp_path.iterdir())
    command = [sys.executable, "-m", "axir.tools.axc", network, "-o", tmp_path / "out"]
    options = ["--imageset", tmp_path / "photos", "--transform", script]
    environment = os.environ | {"PYTHONDONTWRITEBYTECODE": "1"}
    heed = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)  # a shell's background jobs inherit "ignored"
    result = subprocess.run(
        [*command, *options], capture_output=True, text=True, timeout=120, env=environment, preexec_fn=heed
    )
    assert result.returncode == 130
    assert result.stderr.strip() == "interrupted"
    assert sorted(tmp_path.iterdir()) == before


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("compiled")
    assert axc([str(save(sound(), folder / "net.onnx")), "-o", str(folder / "out")]) == 0
    return folder / "out" / "compiled_model"


@pytest.fixture
def damaged(compiled: Path, tmp_path: Path) -> Path:
    shutil.copytree(compiled, tmp_path / "model")
    return tmp_path / "model"


def run_fails(folder: Path, capsys: pytest.CaptureFixture[str], *options: str | Path) -> str:
    capsys.readouterr()
    assert axrunmodel([str(folder), *map(str, options)]) == 1
    errors = capsys.readouterr().err
    assert "Traceback" not in errors
    assert "internal error" not in errors
    assert len(errors.splitlines()) <= 6
    return errors


@pytest.mark.parametrize("keep", [0, 10, 64, 1000, -1])
def test_truncated_image(damaged: Path, capsys: pytest.CaptureFixture[str], keep: int) -> None:
    file = damaged / "model.axm"
    file.write_bytes(file.read_bytes()[:keep])
    assert "model.axm" in run_fails(damaged, capsys)


def test_flipped_bits_in_the_image(damaged: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = damaged / "model.axm"
    data = file.read_bytes()
    for position in np.random.default_rng(0).integers(0, len(data), 12).tolist():
        broken = bytearray(data)
        broken[position] ^= 1 << (position % 8)
        file.write_bytes(broken)
        assert "model.axm" in run_fails(damaged, capsys), position


def change(folder: Path, **entries: Any) -> None:
    file = folder / "model.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | entries))


def test_another_version(damaged: Path, capsys: pytest.CaptureFixture[str]) -> None:
    change(damaged, version=99)
    assert "format version 99" in run_fails(damaged, capsys)


def test_another_target(damaged: Path, capsys: pytest.CaptureFixture[str]) -> None:
    change(damaged, target={"name": "metis", "digest": "0" * 16, "file": None})
    assert "the model is for target 'metis' with figures 0000000000000000" in run_fails(damaged, capsys)
    change(damaged, target={"name": "other", "digest": "0" * 16, "file": "other.toml"})
    assert "other.toml" in run_fails(damaged, capsys)


def test_program_of_another_model(damaged: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    node, initializers = convolution("only", "x", "other", 0, inputs=3)
    path = save(model([node], initializers, [1, 3, 6, 6], ["other"]), tmp_path / "other.onnx")
    assert axc([str(path), "-o", str(tmp_path / "other")]) == 0
    shutil.copy(tmp_path / "other" / "compiled_model" / "model.axm", damaged)
    assert "program of another model" in run_fails(damaged, capsys)


@pytest.mark.parametrize("content", ["", "{", "[]", '{"format": "axir-model", "version": 1}', '{"format": "x"}'])
def test_damaged_description(damaged: Path, capsys: pytest.CaptureFixture[str], content: str) -> None:
    (damaged / "model.json").write_text(content)
    assert "model.json: error: " in run_fails(damaged, capsys)


@pytest.mark.parametrize("file", ["model.axm", "postamble.onnx", "model.json"])
def test_missing_files(damaged: Path, capsys: pytest.CaptureFixture[str], file: str) -> None:
    (damaged / file).unlink()
    errors = run_fails(damaged, capsys)
    assert file.split(".")[0] in errors


def test_wrong_inputs(compiled: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    np.savez(tmp_path / "in.npz", x=weights(0, 2, 3, 4, 4))
    assert "must be float32" in run_fails(compiled, capsys, "--inputs", tmp_path / "in.npz")
    np.savez(tmp_path / "in.npz", y=weights(0, 2, 3, 4, 4))
    assert "no array for the input 'x'" in run_fails(compiled, capsys, "--inputs", tmp_path / "in.npz")
    assert "--frames must be at least 1" in run_fails(compiled, capsys, "--frames", "0")
    target = tmp_path / "absent" / "out.npz"
    assert str(target) in run_fails(compiled, capsys, "--save-outputs", target)
