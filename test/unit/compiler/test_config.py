"""The settings: one declaration, every way in, every error."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from shared import CHECKOUT, shared_path

from axir.compiler.config import CompilerConfig, parse_setting, settings_table
from axir.compiler.config.document import with_tables
from axir.compiler.pipeline import settings_with_effect
from axir.ir.diagnostics import AxirError


def test_aliases_and_names_are_one_setting() -> None:
    config = CompilerConfig(aipu_cores=2, resources=0.5, ptq_scheme="per_tensor_min_max", trace_passes=True)
    assert config == CompilerConfig(
        aipu_cores_used=2, resources_used=0.5, quantization_scheme="per_tensor_min_max", trace_tvm_passes=True
    )
    assert (config.aipu_cores_used, config.resources_used) == (2, 0.5)


def test_is_immutable_and_replace_copies() -> None:
    config = CompilerConfig(resources=0.5)
    changed = config.replace(frequency=400_000_000)
    assert (changed.resources_used, changed.frequency) == (0.5, 400_000_000)
    assert config.frequency == 800_000_000
    with pytest.raises(AttributeError):
        config.frequency = 1  # pyright: ignore[reportAttributeAccessIssue]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"resources": 0.3}, "resources is 0.3; it must be a number, a multiple of 0.25, > 0, <= 1"),
        ({"resources": 0.0}, "> 0"),
        ({"resources": float("nan")}, "multiple of 0.25"),
        ({"aipu_cores": 4, "resources": 0.75}, "4 cores need at least 1"),
        ({"aipu_cores": 5}, "from 1 to 4"),
        ({"aipu_cores": True}, "a whole number"),
        ({"enable_icr": 1}, "true or false"),
        ({"icrx_force": 0}, "-1 or from 1 to 8"),
        ({"icrx_force": 4, "enable_icr": False}, "enable_icr is false"),
        ({"icrx_force": 4, "icrx_max_factor": 2}, "above icrx_max_factor 2"),
        ({"l1_constraint": -1}, "or none"),
        ({"mvm_utilization_limit": 0.1}, "from 0.125 to 1"),
        ({"profiling_drop_percentile": 1.0}, ">= 0, < 1"),
        ({"profiling_levels": ["[X]"]}, "a list of values"),
        ({"quantization_scheme": "min_max"}, "one of per_tensor_histogram, per_tensor_min_max"),
        ({"l1_size_reserved": 8_000_000}, "l1_size_reserved is 8000000 bytes, more than l1_size_used"),
        ({"resources": 1.0, "resources_used": 1.0}, "one setting, given twice"),
        ({"resorces": 1.0}, "there is no setting 'resorces'"),
    ],
)
def test_illegal_values_name_the_legal_ones(settings: dict[str, object], message: str) -> None:
    with pytest.raises(AxirError) as error:
        CompilerConfig(**settings)
    assert message in error.value.render()


def test_unknown_setting_suggests_the_nearest() -> None:
    with pytest.raises(AxirError) as error:
        CompilerConfig().with_assignments(["icrx_forse=2"])
    assert error.value.render() == (
        "--set icrx_forse=2: error: there is no setting 'icrx_forse'\nnote: did you mean 'icrx_force'?"
    )


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("frequency=400000000", ("frequency", 400_000_000)),
        ("l1_constraint=0x100000", ("l1_constraint", 1 << 20)),
        ("l1_constraint=none", ("l1_constraint", None)),
        ("resources=1", ("resources_used", 1.0)),
        ("enable_icr=False", ("enable_icr", False)),
        ("profiling_levels=[B],[T]", ("profiling_levels", ("[B]", "[T]"))),
        ("profiling_levels=", ("profiling_levels", ())),
        ("model_name=a=b", ("model_name", "a=b")),
        ("output_dir=", ("output_dir", None)),
        ("profiling_levels=[[B],[T]]", ("profiling_levels", ("[B]", "[T]"))),
        ("output_dir=out dir", ("output_dir", Path("out dir"))),
    ],
)
def test_settings_as_text(text: str, value: tuple[str, object]) -> None:
    assert parse_setting(text) == value


@pytest.mark.parametrize("text", ["frequency", "frequency=fast", "enable_icr=yes", "l1_constraint=1.5"])
def test_malformed_text_names_itself(text: str) -> None:
    with pytest.raises(AxirError) as error:
        parse_setting(text)
    assert error.value.location == f"--set {text}"


def test_later_assignments_win() -> None:
    assert CompilerConfig().with_assignments(["resources=0.5", "resources_used=0.25"]).resources_used == 0.25


def test_toml_round_trip(tmp_path: Path) -> None:
    config = CompilerConfig(
        resources=0.25, l1_constraint=1_000_000, profiling_levels=("[B]",), model_name='a "b" \\ ü', output_dir="x/y"
    )
    file = tmp_path / "conf.toml"
    file.write_text(config.to_toml(), "utf-8")
    assert CompilerConfig.from_toml(file) == config
    assert CompilerConfig.from_toml(file).digest() == config.digest() != CompilerConfig().digest()


def test_toml_explains_every_setting() -> None:
    text = CompilerConfig().to_toml()
    for name, entry in settings_table().items():
        assert f"\n{name} = " in text or f"\n# {name} =" in text
        assert entry.info.meaning.split()[0] in text


def test_toml_text_of_unprintable_names(tmp_path: Path) -> None:
    config = CompilerConfig(model_name='"\\\x07\u200b\U000e0001 é')
    file = tmp_path / "conf.toml"
    file.write_text(config.to_toml(), "utf-8")
    assert CompilerConfig.from_toml(file) == config


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("\nresources_used = 0.3\n", "conf.toml:2:18: error: resources_used is 0.3"),
        ("x = 1\n", "conf.toml:1:1: error: there is no setting 'x'"),
        ("[tiling]\nmax_tiling_attempts = 3\n", "conf.toml:1:2: error: there is no group of settings 'tiling'"),
        ("resources_used = \n", "conf.toml:1:18: error: not valid TOML"),
        ("resources_used = '1.0'\n", "conf.toml:1:18: error: resources_used is '1.0'; it must be a number"),
    ],
)
def test_toml_errors_name_file_and_line(tmp_path: Path, text: str, message: str) -> None:
    file = tmp_path / "conf.toml"
    file.write_text(text)
    with pytest.raises(AxirError) as error:
        CompilerConfig.from_toml(file)
    assert message in error.value.render()
    assert "conf.toml" in error.value.render()


def test_binary_toml_is_no_traceback(tmp_path: Path) -> None:
    file = tmp_path / "conf.toml"
    file.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(AxirError, match="not valid TOML"):
        CompilerConfig.from_toml(file)


def test_changing_a_setting_without_effect_is_noticed() -> None:
    assert CompilerConfig(compiler_dir="x", resources=0.5, page_memory=True).without_effect() == ["compiler_dir"]


def test_declared_effects_are_those_of_the_passes_and_the_driver() -> None:
    declared = {name for name, entry in settings_table().items() if entry.info.effect}
    assert declared == settings_with_effect()


def test_documentation_is_current() -> None:
    page = (CHECKOUT / "docs" / "config.md").read_text("utf-8")
    assert with_tables(page) == page, "run: python -m axir.compiler.config.document docs/config.md"


def test_settings_are_those_of_the_reference() -> None:
    """Names, aliases, defaults and groups, against the reference that lies beside the checkout; and what AXIR adds."""
    with shared_path("reference", "compiler_config.tsv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    table = settings_table()
    listed = {row["property"] for row in rows}
    assert [row["property"] for row in rows] == [name for name in table if name in listed]
    assert set(table) - listed == {
        "activation_clipping",
        "weight_clipping",
        "bias_correction",
        "cross_layer_equalization",
        "activation_smoothing",
        "widened_layers",
    }
    for row in rows:
        entry = table[row["property"]]
        assert ",".join(entry.info.aliases) == row["aliases"], row
        assert entry.info.group == row["group"], row
        assert entry.default == _default(row), row


def _default(row: dict[str, str]) -> object:
    text = row["default"]
    if text in ("none", "null"):
        return None
    match row["type"].rstrip("?"):
        case "bool":
            return text == "true"
        case "int":
            return int(text)
        case "float":
            return float(text)
        case "list":
            return ()
        case _:
            return text
