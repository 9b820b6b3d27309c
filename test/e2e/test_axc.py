"""`axc` and `axrunmodel` on small networks: artifacts, entry points, determinism."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from elftools.elf.elffile import ELFFile
from PIL import Image
from small_networks import SIZE, save, sound

from axir.compiler import CompilerConfig
from axir.passes.pipeline import GRAPH_PASSES
from axir.runtime import load
from axir.tools.axc import main as axc
from axir.tools.axrunmodel import main as axrunmodel

TOOLS = Path(sys.executable).parent


def run(tool: str, *arguments: str | Path, seed: int = 0, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    """A tool in a process of its own."""
    return subprocess.run(
        [TOOLS / tool, *map(str, arguments)],
        capture_output=True, text=True, timeout=120, cwd=cwd, env=os.environ | {"PYTHONHASHSEED": str(seed)},
    )  # fmt: skip


def compile_here(*arguments: str | Path) -> int:
    return axc(list(map(str, arguments)))


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save(sound(), tmp_path_factory.mktemp("network") / "net.onnx")


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("samples") / "samples.npz"
    np.savez(file, x=np.random.default_rng(0).standard_normal((6, 3, SIZE, SIZE)).astype(np.float32))
    return file


@pytest.fixture(scope="module")
def compiled(network: Path, samples: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("compiled") / "out"
    assert compile_here(network, "-o", folder, "--calibration", samples, "--check", "3") == 0
    return folder


def report(folder: Path) -> dict[str, Any]:
    return json.loads((folder / "compilation_report.json").read_text())


def files(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_artifacts(compiled: Path, network: Path) -> None:
    assert list(files(compiled)) == [
        "cli_args.json",
        "compilation_log.txt",
        "compilation_report.json",
        "compiled_model/manifest.json",
        "compiled_model/model.axm",
        "compiled_model/model.json",
        "compiled_model/postamble.onnx",
        "compiled_model/program.mlir",
        "compiled_model/program.safetensors",
        "compiled_model/report.json",
        "conf.toml",
        "input_model/fp32_model.onnx",
        "quantized_model/quantized_model.mlir",
        "quantized_model/quantized_model.onnx",
        "quantized_model/quantized_model_manifest.json",
        "quantized_model/weights.safetensors",
    ]
    assert (compiled / "input_model" / "fp32_model.onnx").read_bytes() == network.read_bytes()
    onnx.checker.check_model(str(compiled / "quantized_model" / "quantized_model.onnx"), full_check=True)
    with (compiled / "compiled_model" / "model.axm").open("rb") as file:
        assert ELFFile(file).elfclass == 64
    manifest = json.loads((compiled / "compiled_model" / "manifest.json").read_text())
    digests = files(compiled / "compiled_model")
    assert manifest["files"] == {name: digests[name] for name in digests if name != "manifest.json"}


def test_report(compiled: Path) -> None:
    content = report(compiled)
    assert (content["status"], content["status_number"], content["stage"]) == ("SUCCEEDED", 0, None)
    assert content["check"] == {"samples": 3, "bit_exact": True}
    assert content["peak_rss_bytes"] > 10_000_000
    names = [stage["name"] for stage in content["stages"]]
    assert names[0] == "import"
    assert names.index("split-host") < names.index("calibrate") < names.index("quantize") < names.index("encode")
    assert names[-1] == "check"
    device = json.loads((compiled / "compiled_model" / "report.json").read_text())
    assert device["totals"] == content["totals"]
    assert device["layers"] == content["layers"]
    totals = device["totals"]
    assert totals["macs"] == 9 * SIZE * SIZE * (3 * 8 + 8 * 8)
    assert totals["cycles"] == totals["launch_cycles"] + sum(layer["cycles"] for layer in device["layers"])
    own = {name: cycles for name, cycles in device["lower_bounds"].items() if name != "link"}  # the link is the host's
    assert totals["lower_bound_cycles"] == max(own.values()) < totals["cycles"]
    assert totals["device_fps"] == pytest.approx(totals["frequency_hz"] / totals["cycles"])
    assert totals["system_fps"] < totals["host_fps"] < totals["device_fps"]
    assert {"dma0", "load", "array", "depthwise"} <= set(device["units"])


def test_the_program_computes_the_network(compiled: Path, network: Path, samples: Path) -> None:
    session = onnxruntime.InferenceSession(str(network), providers=["CPUExecutionProvider"])
    device = load(compiled)
    for frame in np.load(samples)["x"]:
        (expected,) = session.run(None, {"x": frame[None]})
        (found,) = device(frame)
        assert found.shape == expected.shape
        assert np.abs(found - expected).max() < 0.05


def test_same_inputs_give_the_same_bytes(network: Path, samples: Path, tmp_path: Path) -> None:
    folders: list[Path] = []
    for seed in (1, 2):
        place = tmp_path / str(seed)
        place.mkdir()
        result = run("axc", network, "-o", "out", "--calibration", samples, seed=seed, cwd=place)
        assert result.returncode == 0, result.stderr
        folders.append(place / "out")
    timed = {"compilation_report.json", "compilation_log.txt"}
    first, second = ({k: v for k, v in files(folder).items() if k not in timed} for folder in folders)
    assert first == second


def test_arguments_of_a_run_repeat_it(compiled: Path, tmp_path: Path) -> None:
    again = tmp_path / "again"
    assert compile_here("--cli-args", compiled / "cli_args.json", "-o", again) == 0
    assert files(again)["compiled_model/model.axm"] == files(compiled)["compiled_model/model.axm"]
    assert json.loads((again / "cli_args.json").read_text())["check"] == 3


def test_configuration_of_a_run_repeats_it(network: Path, samples: Path, tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    settings = ("--set", "ptq_scheme=per_tensor_min_max", "--resources", "0.25", "--set", "l1_constraint=300000")
    assert compile_here(network, "-o", one, "--calibration", samples, *settings) == 0
    assert compile_here(network, "-o", two, "--calibration", samples, "--config", one / "conf.toml") == 0
    assert CompilerConfig.from_toml(two / "conf.toml").changed() == {
        "quantization_scheme": "per_tensor_min_max", "l1_constraint": 300000, "resources_used": 0.25,
    }  # fmt: skip
    assert files(one)["compiled_model/model.axm"] == files(two)["compiled_model/model.axm"]


def test_every_level_enters_the_pipeline_again(network: Path, samples: Path, tmp_path: Path) -> None:
    """From the saved quantized model, the module after each stage and the program's text: the same program."""
    dump, out = tmp_path / "ir", tmp_path / "out"
    options = ("--calibration", samples, "--set", "model_name=net")
    assert compile_here(network, "-o", out, "--dump-ir", dump, *options) == 0
    modules = sorted(dump.glob("*.mlir"))
    assert [module.name for module in modules][:2] == ["00-import.mlir", f"01-{GRAPH_PASSES[0]}.mlir"]
    assert modules[-1].name.endswith("resolve-addresses.mlir")
    assert '"first"("net.onnx":0:0)' in modules[0].read_text()
    for source in (out, out / "quantized_model", out / "compiled_model" / "program.mlir", *modules):
        assert compile_here(source, "-o", tmp_path / "again", *options) == 0, source
        for file in ("model.axm", "model.json", "postamble.onnx"):
            again = tmp_path / "again" / "compiled_model" / file
            assert again.read_bytes() == (out / "compiled_model" / file).read_bytes(), source


def test_quantize_only(network: Path, samples: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert compile_here(network, "-o", out, "--calibration", samples, "--quantize-only") == 0
    assert not (out / "compiled_model").exists()
    assert report(out)["status"] == "SUCCEEDED"
    assert compile_here(out, "-o", tmp_path / "lowered", "--set", "compiler_mode=lower_only", "--check", "2") == 0


def test_random_calibration_warns(network: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert compile_here(network, "-o", tmp_path / "out", "--set", "device_dir=there") == 0
    errors = capsys.readouterr().err
    assert "warning: no calibration data: using 8 random samples" in errors
    assert "warning: setting device_dir is accepted, but has no effect" in errors


def test_images(network: Path, tmp_path: Path) -> None:
    generator = np.random.default_rng(0)
    for index in range(5):
        pixels = generator.integers(0, 256, (20, 30, 3), np.uint8)
        (tmp_path / "photos").mkdir(exist_ok=True)
        Image.fromarray(pixels).save(tmp_path / "photos" / f"{index}.png")
    out = tmp_path / "out"
    photos = ("--imageset", tmp_path / "photos", "--num-cal-images", "3", "--cal-seed", "7")
    assert compile_here(network, "-o", out, *photos, "--transform", "unit", "--check", "2") == 0
    assert "calibrated on 3 samples" in (out / "compilation_log.txt").read_text()


def test_input_shape_of_a_dynamic_model(tmp_path: Path) -> None:
    dynamic = save(sound(["n", 3, "h", SIZE]), tmp_path / "net.onnx")
    assert compile_here(dynamic, "-o", tmp_path / "out", "--input-shape", f"x=1,3,4,{SIZE}", "--check", "1") == 0
    description = json.loads((tmp_path / "out" / "compiled_model" / "model.json").read_text())
    assert description["inputs"] == [{"name": "x", "shape": [1, 3, 4, SIZE], "dtype": "float32"}]


def test_external_data_is_merged(tmp_path: Path) -> None:
    path = tmp_path / "net.onnx"
    onnx.save_model(sound(), str(path), save_as_external_data=True, location="net.bin", size_threshold=0)
    assert compile_here(path, "-o", tmp_path / "out") == 0
    copy = onnx.load(str(tmp_path / "out" / "input_model" / "fp32_model.onnx"), load_external_data=False)
    assert not any(tensor.external_data for tensor in copy.graph.initializer)


def test_another_target_travels_with_the_model(network: Path, tmp_path: Path) -> None:
    import axir.target

    shipped = Path(axir.target.__file__).with_name("metis.toml").read_text()
    other = tmp_path / "slow.toml"
    other.write_text(
        shipped.replace('name = "metis"', 'name = "slow"').replace(
            "launch = { value = 30_000", "launch = { value = 90_000"
        )
    )
    assert compile_here(network, "-o", tmp_path / "out", "--target", other) == 0
    assert report(tmp_path / "out")["totals"]["launch_cycles"] == 90_000
    other.unlink()
    assert axrunmodel([str(tmp_path / "out")]) == 0


def test_generate_config(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert compile_here("--generate-config", tmp_path / "new") == 0
    assert CompilerConfig.from_toml(tmp_path / "new" / "conf.toml") == CompilerConfig()
    assert compile_here("--generate-config", tmp_path / "new") == 1
    assert "exists already" in capsys.readouterr().err


def test_axrunmodel(compiled: Path, samples: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    saved = tmp_path / "results.npz"
    model = str(compiled / "compiled_model" / "model.json")
    assert axrunmodel([model, "--inputs", str(samples), "--save-outputs", str(saved), "--layers"]) == 0
    printed = capsys.readouterr().out
    assert "ran 6 frames on metis-model:0: 4 cores, a device model in software (no chip)" in printed
    assert all(
        word in printed for word in ("frames/s  device", "host", "system", "array", "first", "modelled, no chip")
    )
    device = load(compiled)
    expected = np.concatenate([device(frame)[0] for frame in np.load(samples)["x"]])
    assert np.array_equal(np.load(saved)["y"], expected)
    assert axrunmodel([model, "--frames", "2"]) == 0
    assert "ran 2 frames" in capsys.readouterr().out


def test_tools_start_quickly_and_without_numpy() -> None:
    for tool in ("axir.tools.axc", "axir.tools.axrunmodel"):
        code = f"import sys, {tool}; sys.exit(any(m in sys.modules for m in ('numpy', 'xdsl', 'onnx')))"
        assert subprocess.run([sys.executable, "-c", code], timeout=60).returncode == 0
    assert run("axc", "--help").returncode == run("axrunmodel", "--help").returncode == 0
