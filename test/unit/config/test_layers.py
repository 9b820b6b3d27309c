"""Which of several sources counts, what the history says, and that settings survive being written and read."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from setting_values import consistent, settings_subset

from axir.compiler.config import CompilerConfig, Resolved, read_card, read_toml_settings, resolve, settings_table
from axir.compiler.config.checks import idle
from axir.compiler.config.layers import Layer, Written, command_line
from axir.compiler.config.setting import Value
from axir.ir.diagnostics import AxirError
from axir.tools.axc import make_parser
from axir.tools.compilations import compilations

SOURCES = ("toml", "inline", "config", "set")
"""The weakest first. What follows is written for these by hand, without `resolve`."""


def without_none(settings: Mapping[str, Any]) -> dict[str, Any]:
    """TOML has no way to say none."""
    return {name: value for name, value in settings.items() if value is not None}


def toml(settings: Mapping[str, Any]) -> str:
    return "".join(f"{name} = {json.dumps(value, ensure_ascii=False)}\n" for name, value in settings.items())


def axc_resolves(folder: Path, given: Mapping[str, Mapping[str, Any]]) -> Resolved:
    """What `axc` makes of a card with a TOML file, `--config` and `--set`."""
    extra: dict[str, Any] = {"compilation_config": dict(given["inline"])}
    if given["toml"]:
        (folder / "card.toml").write_text(toml(given["toml"]), "utf-8")
        extra["compiler_config_file"] = "card.toml"
    model = {"class": "AxONNXModel", "weight_path": "m.onnx", "extra_kwargs": extra}
    (folder / "card.yaml").write_text(yaml.safe_dump({"models": {"m": model}}, sort_keys=False), "utf-8")
    arguments = [str(folder / "card.yaml")]
    if given["config"]:
        (folder / "over.toml").write_text(toml(given["config"]), "utf-8")
        arguments += ["--config", str(folder / "over.toml")]
    arguments += [f"--set={name}={as_text(value)}" for name, value in given["set"].items()]
    (compilation,) = compilations(make_parser().parse_args(arguments))
    return compilation.resolved


def as_text(value: Any) -> str:
    return "none" if value is None else ",".join(value) if isinstance(value, list) else str(value)


def typed(name: str, value: Any) -> Value:
    entry = settings_table()[name]
    if value is None:
        return None
    return tuple(value) if entry.is_list else entry.base(value) if entry.is_path or entry.base is float else value


@given(st.tuples(*(settings_subset() for _ in SOURCES)))
def test_the_strongest_source_counts_and_the_history_is_complete(
    tmp_path_factory: pytest.TempPathFactory, drawn: tuple[dict[str, Any], ...]
) -> None:
    folder = tmp_path_factory.mktemp("layers")
    by_source = dict(zip(SOURCES, drawn, strict=True))
    for source in ("toml", "config"):
        by_source[source] = without_none(by_source[source])
    merged = {name: value for source in SOURCES for name, value in by_source[source].items()}
    if not consistent(merged):
        with pytest.raises(AxirError):
            axc_resolves(folder, by_source)
        return
    resolved = axc_resolves(folder, by_source)

    where = {"toml": f"{folder}/card.toml:", "inline": f"{folder}/card.yaml:", "config": f"{folder}/over.toml:"}
    for name, entry in settings_table().items():
        stack = [(source, by_source[source][name]) for source in SOURCES if name in by_source[source]]
        told = list(resolved.history.get(name, ()))
        if name == "model_name":
            assert told[0].value == "m"  # the name in the card is the weakest
            told = told[1:]
            assert resolved.config.model_name == (stack[-1][1] if stack else "m")
        else:
            assert getattr(resolved.config, name) == (typed(name, stack[-1][1]) if stack else entry.default)
        assert [one.value for one in told] == [typed(name, value) for _, value in stack]
        for one, (source, value) in zip(told, stack, strict=True):
            assert one.origin is not None
            if source == "set":
                assert one.origin == f"--set {name}={as_text(value)}"
            else:
                assert one.origin.startswith(where[source])


@given(settings_subset())
def test_a_config_survives_toml(tmp_path_factory: pytest.TempPathFactory, settings: dict[str, Any]) -> None:
    config = CompilerConfig(**settings)
    file = tmp_path_factory.mktemp("toml") / "conf.toml"
    file.write_text(config.to_toml(), "utf-8")
    again = CompilerConfig.from_toml(file)
    assert again == config
    assert again.digest() == config.digest()
    assert again.to_toml() == config.to_toml()


def plain(value: Value) -> Any:
    return list(value) if isinstance(value, tuple) else str(value) if isinstance(value, Path) else value


@given(settings_subset(), st.booleans(), st.booleans())
def test_a_config_survives_a_card(
    tmp_path_factory: pytest.TempPathFactory, settings: dict[str, Any], nested: bool, flow: bool
) -> None:
    config = CompilerConfig(**settings)
    inline: dict[str, Any] = {name: plain(value) for name, value in config.changed().items()}
    if nested:
        table = settings_table()
        first = {name: value for name, value in inline.items() if table[name].info.group == "quantization"}
        inline = {
            "quantization_config": first,
            "backend_config": {name: value for name, value in inline.items() if name not in first},
        }
    model = {"class": "AxONNXModel", "weight_path": "m.onnx", "extra_kwargs": {"compilation_config": inline}}
    file = tmp_path_factory.mktemp("card") / "card.yaml"
    file.write_text(yaml.safe_dump({"models": {"m": model}}, default_flow_style=flow, allow_unicode=True), "utf-8")
    assert resolve([read_card(file).pick().inline]).config == config
    name = config.model_name or "m"
    assert CompilerConfig.from_card(file) == config.replace(model_name=name)


def test_contradictions_between_sources_name_both(tmp_path: Path) -> None:
    file = tmp_path / "c.toml"
    file.write_text("# \naipu_cores = 4\n")
    with pytest.raises(AxirError) as error:
        resolve([read_toml_settings(file), command_line([("--resources", "resources_used=0.5")])])
    assert error.value.render() == (
        "--resources 0.5: error: resources_used is 0.5, but 4 cores need at least 1\n"
        f"note: aipu_cores_used is 4 ({file}:2:14)\n"
        "note: resources_used is a fraction of the memory shared by four cores: a quarter or more for each"
    )
    file.write_text("icrx_force = 4\n")
    with pytest.raises(AxirError) as error:
        resolve([read_toml_settings(file), command_line([("--set", "enable_icr=false")])])
    assert (error.value.location, error.value.notes[0]) == ("--set enable_icr=false", f"icrx_force is 4 ({file}:1:14)")
    file.write_text("ddr_size_used = 2_000_000_000\n")
    with pytest.raises(AxirError) as error:
        resolve([read_toml_settings(file)])
    assert (error.value.location, error.value.notes[0]) == (f"{file}:1:17", "ddr_size_max is 1073741824 (default)")


def test_a_weaker_contradiction_that_is_overridden_is_none(tmp_path: Path) -> None:
    file = tmp_path / "c.toml"
    file.write_text("aipu_cores = 4\nresources = 0.25\n")
    resolved = resolve([read_toml_settings(file), command_line([("--aipu-cores", "aipu_cores_used=1")])])
    assert (resolved.config.aipu_cores_used, resolved.config.resources_used) == (1, 0.25)


def test_several_cores_imply_a_batch() -> None:
    config = CompilerConfig(aipu_cores=4, resources=1.0)
    assert config.multicore_mode == "batch"
    assert config.replace(aipu_cores=1).multicore_mode == "multiprocess"
    assert config.replace(multicore_mode="pipeline").multicore_mode == "pipeline"
    assert CompilerConfig().multicore_mode == "multiprocess"
    resolved = resolve([Layer("here", (Written("aipu_cores_used", "aipu_cores", 3),))])
    assert [one.origin for one in resolved.history["multicore_mode"]] == ["implied by aipu_cores_used = 3"]
    for mode in ("multiprocess", "multithread"):
        with pytest.raises(AxirError, match=f"multicore_mode {mode} runs programs for 1 core"):
            CompilerConfig(aipu_cores=2, multicore_mode=mode)
    for mode in ("batch", "cooperative", "pipeline"):
        assert CompilerConfig(aipu_cores=2, multicore_mode=mode).multicore_mode == mode
        with pytest.raises(AxirError, match=f"multicore_mode {mode} needs 2 or more cores"):
            CompilerConfig(multicore_mode=mode)


def test_what_an_implied_value_contradicts_is_located_where_it_comes_from() -> None:
    with pytest.raises(AxirError) as error:
        resolve([command_line([("--set", "ddr_size_max=1000")])])
    assert error.value.location == "--set ddr_size_max=1000"
    assert "ddr_size_used is 1000 (implied by ddr_size_max = 1000)" in error.value.notes
    with pytest.raises(AxirError, match="ddr_size_reserved is 33554432 bytes, more than") as error:
        CompilerConfig(ddr_size_max=1000)
    assert error.value.location is None


@pytest.mark.parametrize(
    ("settings", "idle_ones"),
    [
        ({"enable_icr": False, "icrx_max_factor": 4, "icrx_parallel_block_threshold": 2},
         ["icrx_max_factor", "icrx_parallel_block_threshold"]),
        ({"icrx_max_factor": 4}, []),
        ({"dfs_search_constraint": 5, "split_buffer_promotion": True},
         ["dfs_search_constraint", "split_buffer_promotion"]),
        ({"dfs_search_constraint": 5, "split_buffer_promotion": True, "tiling_depth": 2}, []),
        ({"profiling_drop_percentile": 0.5}, ["profiling_drop_percentile"]),
    ],
)  # fmt: skip
def test_settings_that_others_switch_off(settings: dict[str, object], idle_ones: list[str]) -> None:
    assert [one.setting for one in idle(CompilerConfig(**settings))] == idle_ones


@pytest.mark.parametrize("cores", [1, 2, 3, 4])
@pytest.mark.parametrize("resources", [0.25, 0.5, 0.75, 1.0])
def test_a_quarter_of_the_memory_for_each_core(cores: int, resources: float) -> None:
    if resources >= cores / 4:
        assert CompilerConfig(aipu_cores=cores, resources=resources).resources_used == resources
    else:
        with pytest.raises(AxirError, match=f"{cores} cores need at least"):
            CompilerConfig(aipu_cores=cores, resources=resources)


@pytest.mark.parametrize("memory", ["l1", "l2", "ddr"])
def test_reserves_are_smaller_than_memories(memory: str) -> None:
    reserved, used = f"{memory}_size_reserved", f"{memory}_size_used"
    size = CompilerConfig().values()[used]
    assert isinstance(size, int)
    CompilerConfig(**{reserved: size - 1})
    with pytest.raises(AxirError, match=f"{reserved} is {size} bytes, all of {used}"):
        CompilerConfig(**{reserved: size})
    with pytest.raises(AxirError, match=f"{reserved} is {size + 1} bytes, more than {used}, {size} bytes"):
        CompilerConfig(**{reserved: size + 1})


def test_copies_keep_what_was_given() -> None:
    config = CompilerConfig(resources=0.5).replace(frequency=400_000_000).with_assignments(["aipu_cores=2"])
    assert config == CompilerConfig(resources=0.5, frequency=400_000_000, aipu_cores=2)
    assert hash(config) == hash(CompilerConfig(resources=0.5, frequency=400_000_000, aipu_cores=2))
    assert repr(config) == (
        "CompilerConfig(aipu_cores_used=2, multicore_mode='batch', frequency=400000000, resources_used=0.5)"
    )
