"""`axc` with model cards and other sources of settings: what is compiled, what is explained, what repeats."""

from __future__ import annotations

import json
import re
import sys
import types
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from PIL import Image
from small_networks import SIZE, save, sound

from axir.compiler import CompilerConfig
from axir.compiler.config import shipped
from axir.tools.axc import main

CARD = """\
name: demo
models:
  net:
    class: AxONNXModel
    weight_path: weights/net.onnx
    extra_kwargs:
      compiler_config_file: base.toml
      compilation_config:
        quantization_scheme: per_tensor_min_max   # over base.toml
        l1_constraint: 300_000
"""
BASE = '# what all of them use\nresources = 0.5\nquantization_scheme = "hybrid_per_tensor_per_channel"\n'


def axc(*arguments: str | Path) -> int:
    return main(list(map(str, arguments)))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a card, its TOML file, its weights and samples."""
    (tmp_path / "weights").mkdir()
    save(sound(), tmp_path / "weights" / "net.onnx")
    (tmp_path / "card.yaml").write_text(CARD)
    (tmp_path / "base.toml").write_text(BASE)
    samples = np.random.default_rng(0).standard_normal((4, 3, SIZE, SIZE)).astype(np.float32)
    np.savez(tmp_path / "samples.npz", x=samples)
    return tmp_path


def artifacts(folder: Path) -> dict[str, bytes]:
    """The bytes of everything that does not tell when or by which command it was made."""
    made = sorted(path for path in folder.rglob("*") if path.is_file())
    told = ("cli_args.json", "compilation_report.json", "compilation_log.txt")
    return {str(path.relative_to(folder)): path.read_bytes() for path in made if path.name not in told}


def write_card(folder: Path, text: str) -> Path:
    file = folder / "card.yaml"
    file.write_text(text)
    return file


def test_a_card_compiles_and_conf_toml_repeats_it(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = ("--calibration", folder / "samples.npz")
    assert axc(folder / "card.yaml", "-o", folder / "out", *data, "--check", "2") == 0
    assert capsys.readouterr().out.startswith("model     net\n")
    config = CompilerConfig.from_toml(folder / "out" / "conf.toml")
    assert config == CompilerConfig(
        quantization_scheme="per_tensor_min_max", resources=0.5, l1_constraint=300_000, model_name="net"
    )
    first = artifacts(folder / "out")
    assert first["input_model/fp32_model.onnx"] == (folder / "weights" / "net.onnx").read_bytes()
    assert (
        axc(folder / "weights" / "net.onnx", "--config", folder / "out" / "conf.toml", "-o", folder / "two", *data) == 0
    )
    assert artifacts(folder / "two") == first
    assert axc("--cli-args", folder / "out" / "cli_args.json", "-o", folder / "three") == 0
    assert artifacts(folder / "three") == first
    log = (folder / "out" / "compilation_log.txt").read_text()
    assert f"{folder / 'card.yaml'}:9:30" in log
    assert f"({folder / 'base.toml'}:3:23)" in log


def test_the_command_line_stands_above_the_card(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    over = folder / "over.toml"
    over.write_text("l1_constraint = 400_000\nfrequency = 400_000_000\n")
    options = ("--config", over, "--set", "frequency=200000000", "--resources", "0.25")
    assert axc("--explain-config", folder / "card.yaml", *options) == 0
    lines = capsys.readouterr().out.splitlines()
    card, base = folder / "card.yaml", folder / "base.toml"
    assert lines[0] == f"model     net ({card}:3:3), class AxONNXModel"
    assert lines[1] == f"weights   {folder / 'weights' / 'net.onnx'}"
    assert f"config    {base}" in lines
    assert f"config    {over}" in lines
    assert "not used  name" in lines
    rows = {line.split()[0]: [cell.strip() for cell in line.split("  ") if cell.strip()][1:] for line in lines}
    assert rows["quantization_scheme"] == [
        '"per_tensor_min_max"',
        f"{card}:9:30",
        f'"hybrid_per_tensor_per_channel" ({base}:3:23), "per_tensor_histogram" (default)',
    ]
    assert rows["l1_constraint"] == ["400000", f"{over}:1:17", f"300000 ({card}:10:24), none (default)"]
    assert rows["frequency"] == [
        "200000000", "--set frequency=200000000", f"400000000 ({over}:2:13), 800000000 (default)",
    ]  # fmt: skip
    assert rows["resources_used"] == ["0.25", "--resources 0.25", f"0.5 ({base}:2:13), 1.0 (default)"]
    assert rows["model_name"] == ['"net"', f"{card}:3:3", '"" (default)']
    assert not any(line.startswith(("tiling_depth", "aipu_cores_used")) for line in lines)
    assert sorted(path.name for path in folder.iterdir()) == [
        "base.toml", "card.yaml", "over.toml", "samples.npz", "weights",
    ]  # fmt: skip


def test_explain_shows_what_was_set_back_to_the_default(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert axc("--explain-config", folder / "card.yaml", "--resources", "1", "--set", "tiling_depth=1") == 0
    printed = capsys.readouterr().out
    assert "1.0 (default)" in next(line for line in printed.splitlines() if line.startswith("resources_used"))
    assert "tiling_depth" not in printed


def test_explain_without_a_card(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert axc("--explain-config") == 0
    assert capsys.readouterr().out == "every setting has its default\n"
    assert axc("--explain-config", "net.onnx", "--set", "compiler_dir=x", "--set", "ptq_scheme=per_tensor_min_max") == 0
    printed = capsys.readouterr().out
    assert "note: compiler_dir is accepted without effect" in printed
    assert "--set ptq_scheme=per_tensor_min_max" in printed
    assert axc("--explain-config", "--set", "aipu_cores=4", "--set", "resources=0.5") == 1
    assert "4 cores need at least 1" in capsys.readouterr().err


def test_several_models(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    card = write_card(
        folder,
        "models:\n"
        "  a: {class: AxONNXModel, weight_path: weights/net.onnx}\n"
        "  b: {class: AxUltralyticsYOLO, weight_path: weights/net.onnx,\n"
        "      extra_kwargs: {compilation_config: {resources_used: 0.25}}}\n",
    )
    data = ("--calibration", folder / "samples.npz")
    assert axc(card, "-o", folder / "out", *data) == 1  # together they ask for more than the device has
    assert "they ask for 1.25 of the memory" in capsys.readouterr().err
    assert not (folder / "out").exists()
    data = ("--no-cascade", *data)
    assert axc(card, "-o", folder / "out", *data) == 0
    assert sorted(path.name for path in (folder / "out").iterdir()) == ["a", "b"]
    assert CompilerConfig.from_toml(folder / "out" / "b" / "conf.toml").resources_used == 0.25
    assert axc(card, "-o", folder / "one", "--model", "b", *data) == 0
    assert artifacts(folder / "one") == artifacts(folder / "out" / "b")
    recorded = json.loads((folder / "out" / "b" / "cli_args.json").read_text())
    assert (recorded["card_model"], recorded["output"]) == ("b", str(folder / "out" / "b"))
    before = artifacts(folder / "out")
    assert axc("--cli-args", folder / "out" / "b" / "cli_args.json") == 0
    assert artifacts(folder / "out") == before
    capsys.readouterr()
    assert axc(card, "-o", folder / "none", "--model", "c") == 1
    assert "its models are: a, b" in capsys.readouterr().err
    assert axc(folder / "weights" / "net.onnx", "-o", folder / "none", "--model", "c") == 1
    assert "--model names a model of a card" in capsys.readouterr().err


def test_nothing_is_compiled_when_one_model_is_wrong(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    card = write_card(
        folder,
        "models:\n"
        "  a: {class: AxONNXModel, weight_path: weights/net.onnx}\n"
        "  b: {class: AxONNXModel, weight_path: weights/gone.onnx}\n",
    )
    assert axc(card, "-o", folder / "out", "--no-cascade") == 1
    assert f"{card}:3:40: error: there is no file" in capsys.readouterr().err
    assert not (folder / "out").exists()
    (folder / "weights" / "gone.onnx").write_bytes(b"no model")
    assert axc(card, "-o", folder / "out", "--no-cascade", "--calibration", folder / "samples.npz") == 1
    assert "note: this happened with the model 'b'" in capsys.readouterr().err
    assert (folder / "out" / "a" / "compiled_model").exists()
    assert not (folder / "out" / "b" / "compiled_model").exists()


def test_the_input_shape_of_a_card(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    save(sound(["n", 3, "h", SIZE]), folder / "weights" / "net.onnx")
    text = "models:\n  m:\n    class: AxONNXModel\n    weight_path: weights/net.onnx\n    input_tensor_shape: "
    assert axc(write_card(folder, f"{text}[1, 3, 4, {SIZE}]\n"), "-o", folder / "out") == 0
    description = json.loads((folder / "out" / "compiled_model" / "model.json").read_text())
    assert description["inputs"][0]["shape"] == [1, 3, 4, SIZE]
    options = ("--input-shape", f"x=1,3,5,{SIZE}")
    assert axc(write_card(folder, f"{text}[1, 3, 4, {SIZE}]\n"), "-o", folder / "out", *options) == 0
    description = json.loads((folder / "out" / "compiled_model" / "model.json").read_text())
    assert description["inputs"][0]["shape"] == [1, 3, 5, SIZE]
    capsys.readouterr()
    assert axc(write_card(folder, f"{text}[1, 4, 4, {SIZE}]\n"), "-o", folder / "out2") == 1
    errors = capsys.readouterr().err
    assert (
        f"card.yaml:5:25: error: input_tensor_shape is [1, 4, 4, {SIZE}], but the model's input 'x' is [?, 3, ?"
        in errors
    )


def test_images_as_the_card_says(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Layout, colours, seed and number of images of the card; the command line stands above them."""
    (folder / "photos").mkdir()
    for index in range(5):
        pixels = np.random.default_rng(index).integers(0, 256, (20, 30, 3), np.uint8)
        Image.fromarray(pixels).save(folder / "photos" / f"{index}.png")
    text = (
        "models:\n  m:\n    class: AxONNXModel\n    weight_path: weights/net.onnx\n    input_color_format: {color}\n"
        "    extra_kwargs:\n      num_cal_images: 3\n      cal_seed: 7\n"
    )
    photos = ("--imageset", folder / "photos", "--transform", "unit")

    def scales(out: str, *arguments: str | Path) -> bytes:
        assert axc(*arguments, "-o", folder / out, *photos, "--quantize-only", "--set", "model_name=m") == 0
        return (folder / out / "quantized_model" / "quantized_model.mlir").read_bytes()

    by_card = scales("card", write_card(folder, text.format(color="BGR")))
    assert "calibrated on 3 samples" in (folder / "card" / "compilation_log.txt").read_text()
    by_options = ("--color-format", "bgr", "--num-cal-images", "3", "--cal-seed", "7")
    assert by_card == scales("options", folder / "weights" / "net.onnx", *by_options)
    assert by_card != scales("rgb", folder / "card.yaml", "--color-format", "rgb")
    capsys.readouterr()
    assert axc(write_card(folder, text.format(color="RGBA")), "-o", folder / "rgba", *photos) == 1
    assert "card.yaml:5:25: error: --imageset cannot make images for input_color_format rgba" in capsys.readouterr().err


def test_weights_of_pytorch(folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    calls: list[dict[str, Any]] = []

    class YOLO:
        def __init__(self, weights: str):
            self.weights = Path(weights)

        def export(self, **arguments: Any) -> str:
            calls.append(arguments)
            onnx.save_model(sound(), str(self.weights.with_suffix(".onnx")))
            return str(self.weights.with_suffix(".onnx"))

    (folder / "weights" / "yolo.pt").write_bytes(b"weights")
    card = write_card(
        folder,
        "models:\n  m:\n    class: AxUltralyticsYOLO\n    weight_path: weights/yolo.pt\n"
        "    input_tensor_shape: [1, 3, 6, 6]\n    extra_kwargs: {compilation_config: {onnx_opset_version: 18}}\n",
    )
    monkeypatch.setitem(sys.modules, "ultralytics", None)
    assert axc(card, "-o", folder / "out") == 1
    assert "pip install ultralytics" in capsys.readouterr().err
    library = types.ModuleType("ultralytics")
    vars(library)["YOLO"] = YOLO
    monkeypatch.setitem(sys.modules, "ultralytics", library)
    data = ("--calibration", folder / "samples.npz")
    assert axc(card, "-o", folder / "out", *data) == 0
    assert (calls[0]["opset"], calls[0]["imgsz"]) == (18, [6, 6])
    exported = folder / "out" / "input_model" / "fp32_model.onnx"
    assert onnx.load(str(exported)).graph.node[0].name == "first"
    assert sorted(path.name for path in (folder / "weights").iterdir()) == ["net.onnx", "yolo.pt"]
    first = artifacts(folder / "out")
    assert axc(exported, "-o", folder / "two", "--config", folder / "out" / "conf.toml", *data) == 0
    again = artifacts(folder / "two")
    assert again["compiled_model/model.axm"] == first["compiled_model/model.axm"]


def test_a_shipped_config_is_chosen_by_model_name(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(shipped, "FOLDER", folder / "shipped")
    assert axc("--list-configs") == 0
    assert capsys.readouterr().out == "no configs are shipped\n"
    (folder / "shipped").mkdir()
    config = folder / "shipped" / "tiny.toml"
    config.write_text("\n# Tiny, 8x8: 3 % faster\ntiling_depth = 3\nresources = 0.5\n")
    assert axc("--list-configs") == 0
    assert "tiny.toml  Tiny, 8x8\n" in capsys.readouterr().out
    net = folder / "weights" / "net.onnx"

    def explained(*arguments: str | Path) -> str:
        assert axc("--explain-config", *arguments) == 0
        return capsys.readouterr().out

    chosen = explained(net, "--set", "model_name=tiny", "--resources", "0.25")
    assert f"config    {config}, shipped, chosen by model_name" in chosen
    assert f"0.5 ({config}:4:13)" in chosen
    assert f"{config}:3:16" in chosen
    head = "models:\n  tiny:\n    class: AxONNXModel\n    weight_path: weights/net.onnx\n"
    assert "chosen" not in explained(write_card(folder, head))  # the name in the card only names
    inline = "    extra_kwargs:\n      compilation_config: {model_name: tiny, tiling_depth: 2}\n"
    by_card = explained(write_card(folder, head + inline))
    assert f"3 ({config}:3:16)" in by_card  # under the inline settings
    assert "chosen" not in explained(net, "--set", "model_name=tiny", "--config", folder / "base.toml")
    assert "chosen" not in explained(net, "--set", "model_name=tin")
    assert f"config    {config}\n" in explained(net, "--config", "tiny.toml")
    out = folder / "out"
    assert axc(net, "-o", out, "--set", "model_name=tiny", "--calibration", folder / "samples.npz") == 0
    assert f"{config}, shipped, chosen by model_name" in (out / "compilation_log.txt").read_text()
    assert CompilerConfig.from_toml(out / "conf.toml").tiling_depth == 3


def test_errors_of_cards_reach_the_user(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    card = write_card(folder, CARD.replace("    weight_path", "    resources_used: 0.25\n    weight_path"))
    assert axc(card, "-o", folder / "out") == 1
    assert capsys.readouterr().err == (
        f"{card}:5:5: error: the compiler setting 'resources_used' stands directly in models.net\n"
        "note: it belongs in models.net.extra_kwargs.compilation_config\n"
    )
    assert axc(folder / "gone.yaml", "-o", folder / "out") == 1
    assert "gone.yaml: No such file" in capsys.readouterr().err
    assert axc(folder / "weights" / "net.onnx", "--config", folder / "gone.toml", "-o", folder / "out") == 1
    assert "there is no config file" in capsys.readouterr().err
    assert not (folder / "out" / "compiled_model").exists()


def test_settings_in_arguments_of_json(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = folder / "args.json"
    net = str(folder / "weights" / "net.onnx")
    file.write_text(json.dumps({"model": net, "set": ["resources=0.5"], "aipu_cores": "2"}))
    assert axc("--cli-args", file, "--explain-config") == 0
    assert "--set resources=0.5" in capsys.readouterr().out
    for text, message in (
        (
            '{"model": 1,\n "modell": 2}',
            f"{file}:2:2: error: there is no argument 'modell'\nnote: did you mean 'model'?",
        ),
        ('{"set": ["a", 1]}', f"{file}:1:9: error: 'set' is a list; it must be a list of strings"),
        ('{"check": "2"}', f"{file}:1:11: error: 'check' is '2'; it must be a number"),
        ('{"check": 1, "check": 2}', f"{file}:1:14: error: the key 'check' is given twice"),
        ("[]", f"{file}:1:1: error: the content is a list; it must be a mapping"),
        ('{"quantize_only": 1}', f"{file}:1:19: error: 'quantize_only' is 1; it must be true or false"),
    ):
        file.write_text(text)
        assert axc("--cli-args", file) == 1
        assert capsys.readouterr().err.startswith(message)


def test_help_for_settings(capsys: pytest.CaptureFixture[str]) -> None:
    assert axc("--help-settings", "ptq_scheme") == 0
    printed = capsys.readouterr().out
    assert printed.startswith('quantization_scheme, alias ptq_scheme\n    enum, default "per_tensor_histogram"\n')
    assert "per_tensor_min_max" in printed
    assert axc("--help-settings") == 0
    printed = capsys.readouterr().out
    assert all(f"\n{name}" in printed for name in CompilerConfig().values())
    assert axc("--help-settings", "resources", "tiling_depth") == 0
    assert re.findall(r"^\w+", capsys.readouterr().out, re.MULTILINE) == ["resources_used", "tiling_depth"]
    assert axc("--help-settings", "ptq_schema") == 1
    assert "did you mean 'ptq_scheme'?" in capsys.readouterr().err
    assert axc("--config-schema") == 0
    schema = json.loads(capsys.readouterr().out)
    assert set(CompilerConfig().values()) <= set(schema["properties"])
