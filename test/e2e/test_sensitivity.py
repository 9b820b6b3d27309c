"""`axc --sensitivity`: the table on the screen and in the folder; nothing is compiled."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from small_networks import SIZE, save, sound

from axir.tools.axc import main as axc


@pytest.fixture
def network(tmp_path: Path) -> list[str]:
    """A network and its calibration data, as arguments."""
    samples = np.random.default_rng(0).standard_normal((4, 3, SIZE, SIZE)).astype(np.float32)
    np.savez(tmp_path / "in.npz", x=samples)
    return [str(save(sound(), tmp_path / "net.onnx")), "--calibration", str(tmp_path / "in.npz")]


def test_text_for_people(network: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = sorted(tmp_path.rglob("*"))
    assert axc([*network, "--sensitivity"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split()[:4] == ["layer", "operator", "SQNR", "share"]
    assert sorted(line.split()[0] for line in lines[2:5]) == ["first", "second", "x"]
    assert [float(line.split()[2]) for line in lines[2:5]] == sorted(float(line.split()[2]) for line in lines[2:5])
    assert "a result of 16 bits: " in "".join(lines)
    assert lines[-2].startswith("together  ")
    assert lines[-1].startswith("SQNR of the output of second, in dB, over 4 calibration samples")
    assert sorted(tmp_path.rglob("*")) == before


def test_a_folder_of_its_own_and_beside_a_compilation(
    network: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert axc([*network, "--sensitivity", "--json", "-o", str(out), "--sensitivity-samples", "2"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert json.loads((out / "sensitivity.json").read_text()) == printed
    assert (printed["samples"], printed["unit"], printed["model"]) == (2, "dB", "net")
    assert sorted(file.name for file in out.iterdir()) == ["sensitivity.json", "sensitivity.txt"]
    # A compilation replaces it, and is kept beside a new table.
    assert axc([*network, "-o", str(out)]) == 0
    assert not (out / "sensitivity.json").exists()
    capsys.readouterr()
    assert axc([*network, "--sensitivity", "-o", str(out)]) == 0
    assert (out / "sensitivity.txt").read_text() == capsys.readouterr().out
    assert (out / "compiled_model" / "model.json").exists()
    assert axc([*network, "-o", str(out)]) == 0


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["--sensitivity"], "--sensitivity needs calibration data"),
        (["--sensitivity", "--partition-only"], "give --partition-only or --sensitivity, not both"),
        (["--sensitivity-samples", "2"], "--sensitivity-samples is for --sensitivity"),
        (["--sensitivity", "DATA", "--sensitivity-samples", "0"], "the number of samples must be at least 1, not 0"),
        (["--sensitivity", "DATA", "-o", "FOREIGN"], "holds files that no compilation wrote: mine.txt"),
    ],
)
def test_refusals(
    network: list[str], tmp_path: Path, arguments: list[str], text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    model, *data = network
    (tmp_path / "foreign").mkdir()
    (tmp_path / "foreign" / "mine.txt").write_text("mine")
    given = [word for part in arguments for word in (data if part == "DATA" else [part])]
    given = [str(tmp_path / "foreign") if word == "FOREIGN" else word for word in given]
    assert axc([model, *given]) == 1
    assert text in capsys.readouterr().err
    assert (tmp_path / "foreign" / "mine.txt").read_text() == "mine"


def test_modules(network: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A module with statistics keeps them; one that is quantized has no float network."""
    data = network[1:]
    assert axc([*network, "-o", str(tmp_path / "out"), "--dump-ir", str(tmp_path / "ir")]) == 0
    capsys.readouterr()
    assert axc([*network, "--sensitivity", "--json"]) == 0
    whole = json.loads(capsys.readouterr().out)
    (calibrated,) = (tmp_path / "ir").glob("*-calibrate.mlir")
    assert axc([str(calibrated), *data, "--sensitivity", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [layer["sqnr_db"] for layer in found["layers"]] == [layer["sqnr_db"] for layer in whole["layers"]]
    for quantized in (tmp_path / "out" / "quantized_model", *(tmp_path / "ir").glob("*-quantize.mlir")):
        assert axc([str(quantized), *data, "--sensitivity"]) == 1
        assert "the model is quantized already; there is no float network" in capsys.readouterr().err
