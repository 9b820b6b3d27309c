"""`axc` on several cores: every mode checked against the reference, and the choice between them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from small_networks import SIZE, save, sound

from axir.compiler import CompilerConfig, compile
from axir.runtime import load
from axir.tools.axc import main as axc


@pytest.fixture(scope="module")
def quantized(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("quantized")
    assert axc([str(save(sound(), folder / "net.onnx")), "-o", str(folder / "out"), "--quantize-only"]) == 0
    return folder / "out"


def report(folder: Path, name: str = "compiled_model/report.json") -> dict[str, Any]:
    return json.loads((folder / name).read_text())


@pytest.mark.parametrize("cores", [2, 3, 4])
@pytest.mark.parametrize("mode", ["batch", "cooperative", "pipeline"])
def test_every_mode_gives_the_bytes_of_one_core(quantized: Path, tmp_path: Path, mode: str, cores: int) -> None:
    options = ["--aipu-cores", str(cores), "--multicore", mode]
    if mode == "pipeline" and cores > 2:  # the network has two layers for the device
        assert axc([str(quantized), "-o", str(tmp_path), *options]) == 1
        return
    assert axc([str(quantized), "-o", str(tmp_path), *options, "--check", "5"]) == 0
    made = report(tmp_path)
    frames = cores if mode == "batch" else 1
    assert made["multicore"] == {"mode": mode, "cores": cores, "frames": frames}
    assert report(tmp_path, "compilation_report.json")["check"] == {"samples": 5, "bit_exact": True}
    x = np.random.default_rng(0).standard_normal((frames, 3, SIZE, SIZE)).astype(np.float32)
    assert load(tmp_path)(x)[0].shape == (frames, 8, SIZE, SIZE)


@pytest.mark.parametrize("goal", ["latency", "throughput"])
def test_auto_takes_the_best_and_says_why(
    quantized: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], goal: str
) -> None:
    arguments = [str(quantized), "--multicore", "auto", "--optimize-for", goal, "--check", "1"]
    assert axc([*arguments, "-o", str(tmp_path / "out")]) == 0
    printed = capsys.readouterr().out
    choice = report(tmp_path / "out", "compilation_report.json")["multicore_choice"]
    chosen, trials = choice["chosen"], choice["trials"]
    refused = [trial for trial in trials if "refusal" in trial]
    assert [(t["multicore_mode"], t["aipu_cores_used"]) for t in refused] == [("pipeline", 4)]
    assert "pipeline 4 does not fit: a pipeline of 4 cores needs as many layers" in printed
    fitting = [trial for trial in trials if "refusal" not in trial]
    key, pick = ("latency_s", min) if goal == "latency" else ("system_fps", max)
    best = pick(fitting, key=lambda trial: trial[key])
    assert {name: best[name] for name in chosen} == chosen
    assert f"chosen for {goal}: {chosen['multicore_mode']} on {chosen['aipu_cores_used']} core" in printed
    assert sum(line.startswith("->") for line in printed.splitlines()) == 1
    # What was chosen is in conf.toml, and what was promised in the report.
    config = CompilerConfig.from_toml(tmp_path / "out" / "conf.toml")
    assert {name: getattr(config, name) for name in chosen} == chosen
    assert report(tmp_path / "out")["instances"]["system_fps"] == pytest.approx(best["system_fps"])
    assert report(tmp_path / "out")["totals"]["system_latency_s"] == pytest.approx(best["latency_s"])


def test_auto_keeps_to_the_cores_it_is_given(quantized: Path, tmp_path: Path) -> None:
    arguments = ["--multicore", "auto", "--aipu-cores", "2", "--resources", "0.5"]
    assert axc([str(quantized), "-o", str(tmp_path), *arguments]) == 0
    trials = report(tmp_path, "compilation_report.json")["multicore_choice"]["trials"]
    assert max(trial["aipu_cores_used"] for trial in trials) == 2


def test_auto_from_python(tmp_path: Path) -> None:
    source = save(sound(), tmp_path / "net.onnx")
    made = compile(source, None, tmp_path / "out", optimize_for="throughput")
    assert made.report["multicore_choice"]["goal"] == "throughput"
    assert load(tmp_path / "out")


def test_auto_needs_a_network_that_is_not_lowered(
    quantized: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert axc([str(quantized), "-o", str(tmp_path / "one")]) == 0
    program = str(tmp_path / "one" / "compiled_model" / "program.mlir")
    assert axc([program, "-o", str(tmp_path / "two"), "--multicore", "auto"]) == 1
    assert "the module is lowered already" in capsys.readouterr().err


def test_a_frame_split_over_cores_is_faster(tmp_path: Path) -> None:
    """A network with enough work that four cores together pay."""
    from device_builds import Network, built

    network = Network()
    value = network.take(64, 96, 96)
    for _ in range(4):
        value = network.conv(value, 128, 3)
    network.finish(value)
    cycles = {
        mode: built(network, aipu_cores_used=cores, multicore_mode=mode).timing.cycles
        for mode, cores in (("multiprocess", 1), ("cooperative", 4))
    }
    assert cycles["cooperative"] < cycles["multiprocess"] / 2
