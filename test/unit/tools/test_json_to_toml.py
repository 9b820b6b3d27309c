"""tools/json_to_toml_config.py: what the card compiles with, comments and all, and nothing overwritten."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from small_networks import save, sound

from axir.compiler.config import CompilerConfig, read_card, resolve
from axir.compiler.config.sources import sources
from axir.tools.axc import main as axc

TOOL = Path(__file__).parents[3] / "tools" / "json_to_toml_config.py"

FLAT = """\
models:
  first:
    class: AxONNXModel
    weight_path: first.onnx
    extra_kwargs:
      compiler_config_file: base.toml
      compilation_config:
        # as calibrated in March
        # (again)
        ptq_scheme: per_tensor_min_max  # "best" of three
        resources: 0.25
        model_name: "a # b"
  second:
    class: AxONNXModel
    weight_path: second.onnx
    extra_kwargs:
      compilation_config:
        quantization_config:
          quantize_dw_channel_wise: true
        backend_config:
          l2_constraint: 4000000  # half
"""
BASE = 'frequency = 400_000_000  # slow\nquantization_scheme = "hybrid_per_tensor_per_channel"\n'


def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, TOOL, *map(str, arguments)], capture_output=True, text=True, check=False)


@pytest.fixture
def card(tmp_path: Path) -> Path:
    (tmp_path / "base.toml").write_text(BASE, "utf-8")
    for name in ("first", "second"):
        (tmp_path / f"{name}.onnx").write_bytes(b"")
    path = tmp_path / "card.yaml"
    path.write_text(FLAT, "utf-8")
    return path


@pytest.mark.parametrize("model", ["first", "second"])
def test_same_configuration(card: Path, model: str) -> None:
    done = run("--from-yaml", card, "--model", model)
    assert (done.returncode, done.stderr) == (0, "")
    file = card.with_name(f"{model}.toml")
    assert done.stdout == f"wrote {file}\n"
    layers = sources(read_card(card).pick(model)).layers
    assert CompilerConfig.from_toml(file).values() == resolve(layers).config.values()


def test_comments_and_order(card: Path) -> None:
    done = run("--from-yaml", card, "--model", "first", "-o", "-")
    assert done.stdout.splitlines() == [
        "# Settings of first in card.yaml, converted by tools/json_to_toml_config.py",
        'model_name = "a # b"',
        "frequency = 400000000  # slow",
        "# as calibrated in March",
        "# (again)",
        'quantization_scheme = "per_tensor_min_max"  # "best" of three',
        "resources_used = 0.25",
    ]
    assert not card.with_name("first.toml").exists()


def test_comments_of_mappings_and_lists(card: Path) -> None:
    card.write_text(
        """\
models:
  m:
    class: AxONNXModel
    weight_path: first.onnx
    extra_kwargs:
      compilation_config:
        # about the back end
        backend_config:  # older form
          # which lines
          profiling_levels:  # of trace.txt
            - "[B]"  # frame
            - "[T]"
          # not set
          force_h_tiling: null
"""
    )
    assert run("--from-yaml", card, "-o", "-").stdout.splitlines()[2:] == [
        "# about the back end",
        "# older form",
        "# which lines",
        'profiling_levels = ["[B]", "[T]"]  # of trace.txt  # frame',
        "# not set",
        "# force_h_tiling is unset",
    ]


def test_shipped_config_of_a_model_name(card: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A config that model_name chooses must be in the file: with --config nothing is chosen any more."""
    import axir.compiler.config.shipped as shipped

    stems = [file.stem for file in shipped.shipped_configs()]
    card.write_text(
        FLAT.replace('"a # b"', stems[0]).replace("compiler_config_file: base.toml", "cal_seed: 0"), "utf-8"
    )
    done = run("--from-yaml", card, "--model", "first", "-o", tmp_path / "out.toml")
    assert done.returncode == 0, done.stderr
    expected = CompilerConfig.from_toml(shipped.FOLDER / f"{stems[0]}.toml").replace(
        quantization_scheme="per_tensor_min_max", resources_used=0.25, model_name=stems[0]
    )
    assert CompilerConfig.from_toml(tmp_path / "out.toml").values() == expected.values()


@pytest.mark.parametrize(
    "text",
    [
        '{"quantization_scheme": "per_tensor_min_max", "l1_constraint": 1000000}',
        '{"quantization_config": {"ptq_scheme": "per_tensor_min_max"}, "backend_config": {"l1_constraint": 1000000}}',
    ],
)
def test_json(tmp_path: Path, text: str) -> None:
    file = tmp_path / "conf.json"
    file.write_text(text, "utf-8")
    assert run("--from-json", file).returncode == 0
    expected = CompilerConfig(quantization_scheme="per_tensor_min_max", l1_constraint=1000000)
    assert CompilerConfig.from_toml(tmp_path / "conf.toml").values() == expected.values()


def test_nothing_is_overwritten(card: Path) -> None:
    file = card.with_name("first.toml")
    file.write_text("mine", "utf-8")
    done = run("--from-yaml", card, "--model", "first")
    assert done.returncode == 1
    assert done.stderr.startswith(f"{file}: error: the file exists already")
    assert file.read_text("utf-8") == "mine"
    assert run("--from-yaml", card, "--model", "first", "--force").returncode == 0
    assert file.read_text("utf-8") != "mine"


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (("--from-yaml", "card.yaml"), "card.yaml: error: the card has several models"),
        (("--from-yaml", "card.yaml", "--model", "frist"), "card.yaml: error: the card has no model 'frist'"),
        (("--from-yaml", "missing.yaml"), "missing.yaml: No such file or directory"),
        (("--from-json", "bad.json"), "bad.json:1:17: error: resources is 0.3; it must be"),
        (("--from-json", "bad.json", "--model", "x"), "error: --model is for --from-yaml"),
        ((), "error: one of the arguments --from-yaml --from-json is required"),
    ],
)
def test_errors(card: Path, arguments: tuple[str, ...], error: str) -> None:
    (card.parent / "bad.json").write_text('{"resources":   0.3}', "utf-8")
    placed = [str(card.parent / word) if "." in word else word for word in arguments]
    done = run(*placed)
    assert done.returncode != 0
    assert error in done.stderr
    assert "Traceback" not in done.stderr


def test_the_file_compiles_to_the_same_bytes(tmp_path: Path) -> None:
    source = save(sound(), tmp_path / "net.onnx")
    card = tmp_path / "card.yaml"
    card.write_text(
        "models:\n  net:\n    class: AxONNXModel\n    weight_path: net.onnx\n    extra_kwargs:\n"
        "      compiler_config_file: mobilenetv2.toml\n      compilation_config:\n        enable_icr: false\n",
        "utf-8",
    )
    assert run("--from-yaml", card, "-o", tmp_path / "net.toml").returncode == 0
    assert axc([str(card), "-o", str(tmp_path / "card")]) == 0
    assert axc([str(source), "--config", str(tmp_path / "net.toml"), "-o", str(tmp_path / "toml")]) == 0
    card_files, toml_files = (
        {file.name: file.read_bytes() for file in (tmp_path / folder / "compiled_model").iterdir()}
        for folder in ("card", "toml")
    )
    assert card_files["model.axm"] == toml_files["model.axm"]
    assert card_files == toml_files
