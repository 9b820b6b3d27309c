"""Every setting by every way in: legal values arrive, illegal ones are refused with their range and their place."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from setting_values import CASES, cases, companions

from axir.compiler.config import (
    CompilerConfig,
    read_card,
    read_json_settings,
    read_toml_settings,
    resolve,
    settings_table,
)
from axir.compiler.config.layers import OLDER_FORM, command_line
from axir.ir.diagnostics import AxirError


@dataclass(frozen=True)
class Way:
    """One way of giving settings: writes them, reads them back; `null` and `typed` say what it can express."""

    read: Callable[[Path, Mapping[str, Any]], CompilerConfig]
    null: bool = True
    typed: bool = True
    located: bool = True


def card(folder: Path, lines: list[str]) -> CompilerConfig:
    file = folder / "card.yaml"
    head = (
        "models:\n  m:\n    class: AxONNXModel\n    weight_path: m.onnx\n    extra_kwargs:\n      compilation_config:\n"
    )
    file.write_text(head + "".join(f"        {line}\n" for line in lines), "utf-8")
    return resolve([read_card(file).pick().inline]).config


def yaml_inline(folder: Path, settings: Mapping[str, Any]) -> CompilerConfig:
    return card(folder, [f"{name}: {json.dumps(value)}" for name, value in settings.items()])


def yaml_nested(folder: Path, settings: Mapping[str, Any]) -> CompilerConfig:
    lines: dict[str, list[str]] = {"quantization_config": [], "backend_config": []}
    for name, value in settings.items():
        entry = settings_table().get(name)
        group = "quantization_config" if entry and entry.info.group == "quantization" else "backend_config"
        lines[group].append(f"  {name}: {json.dumps(value)}")
    return card(folder, [line for group, inner in lines.items() for line in (f"{group}:", *inner)])


def toml(folder: Path, settings: Mapping[str, Any]) -> CompilerConfig:
    text = "".join(f"{name} = {json.dumps(value, ensure_ascii=False)}\n" for name, value in settings.items())
    (folder / "c.toml").write_text("# settings\n" + text, "utf-8")
    return CompilerConfig.from_toml(folder / "c.toml")


def toml_nested(folder: Path, settings: Mapping[str, Any]) -> CompilerConfig:
    text = "".join(f"{name} = {json.dumps(value, ensure_ascii=False)}\n" for name, value in settings.items())
    (folder / "c.toml").write_text("[backend_config]\n" + text, "utf-8")
    return resolve([read_toml_settings(folder / "c.toml")]).config


def json_file(folder: Path, settings: Mapping[str, Any]) -> CompilerConfig:
    (folder / "c.json").write_text(json.dumps(settings, indent=1), "utf-8")
    return resolve([read_json_settings(folder / "c.json")]).config


def option(folder: Path, settings: Mapping[str, Any]) -> CompilerConfig:
    return resolve([command_line([("--set", f"{name}={as_text(value)}") for name, value in settings.items()])]).config


def as_text(value: Any) -> str:
    match value:
        case None:
            return "none"
        case bool():
            return str(value).lower()
        case list():
            return ",".join(map(str, value))
        case _:
            return str(value)


WAYS = {
    "yaml": Way(yaml_inline),
    "yaml nested": Way(yaml_nested),
    "toml": Way(toml, null=False),
    "toml nested": Way(toml_nested, null=False),
    "json": Way(json_file),
    "option": Way(option, typed=False),
    "python": Way(lambda _, settings: CompilerConfig(**settings), located=False),
}


COMBINATIONS = [pytest.param(way, name, id=f"{way.replace(' ', '-')}-{name}") for way in WAYS for name in cases()]


def test_the_cases_are_settings() -> None:
    assert set(CASES) <= set(settings_table())
    for name, (legal, _) in cases().items():
        default = settings_table()[name].default
        assert any(value != default for value in legal), name


@pytest.mark.parametrize(("way", "name"), COMBINATIONS)
def test_legal_values_arrive(tmp_path: Path, way: str, name: str) -> None:
    entry = settings_table()[name]
    for value in cases()[name][0]:
        if value is None and not WAYS[way].null:
            continue
        for key in (name, *entry.info.aliases):
            config = WAYS[way].read(tmp_path, {key: value} | companions(name, value))
            found = getattr(config, name)
            expected = value
            if value is not None and (entry.is_list or entry.is_path or entry.base is float):
                expected = (tuple if entry.is_list else entry.base)(value)
            assert found == expected
            assert type(found) is type(expected)


@pytest.mark.parametrize(("way", "name"), COMBINATIONS)
def test_illegal_values_are_refused_with_range_and_place(tmp_path: Path, way: str, name: str) -> None:
    entry = settings_table()[name]
    for value in cases()[name][1]:
        if (value is None and not WAYS[way].null) or (not WAYS[way].typed and legal_as_text(name, value)):
            continue
        with pytest.raises(AxirError) as error:
            WAYS[way].read(tmp_path, {name: value})
        assert entry.expected in error.value.message, error.value.render()
        assert name in error.value.message
        assert error.value.location == place(tmp_path, way, name, value)


def legal_as_text(name: str, value: Any) -> bool:
    """Whether, as text, a value of the wrong type is a legal one."""
    entry, text = settings_table()[name], as_text(value)
    if entry.choices:
        return text in entry.choices or (entry.optional and text in ("", "none"))
    if entry.base is bool:
        return text in ("true", "false")
    if entry.base in (int, float):
        return isinstance(value, str | list)
    return text != "" or entry.optional or entry.base is str


def place(folder: Path, way: str, name: str, value: Any) -> str | None:
    """Where the illegal value stands, found in the text; of a list, where its illegal element stands."""
    if not WAYS[way].located:
        return None
    if way == "option":
        return f"--set {name}={as_text(value)}"
    (file,) = folder.iterdir()
    text = file.read_text("utf-8")
    key = re.search(rf'{name}"?\s*[:=]\s*', text)
    assert key is not None
    start = key.end()
    choices = settings_table()[name].choices
    if isinstance(value, list) and settings_table()[name].is_list:
        start = text.index(next(json.dumps(item) for item in value if item not in choices), start)
    line_start = text.rfind("\n", 0, start) + 1
    return f"{file}:{text.count(chr(10), 0, start) + 1}:{start - line_start + 1}"


@pytest.mark.parametrize("way", WAYS)
def test_unknown_settings_suggest_the_right_one(tmp_path: Path, way: str) -> None:
    for name in settings_table():
        wrong = name[:-1]
        with pytest.raises(AxirError) as error:
            WAYS[way].read(tmp_path, {wrong: 1})
        assert error.value.message == f"there is no setting '{wrong}'"
        assert error.value.notes[0].startswith("did you mean '")
        if WAYS[way].located:
            assert error.value.location is not None
            if way != "option":
                file, line, column = error.value.location.rsplit(":", 2)
                text = Path(file).read_text("utf-8").split("\n")[int(line) - 1]
                assert text[int(column) - 1 :].lstrip('"').startswith(wrong)


@pytest.mark.parametrize("way", WAYS)
def test_a_setting_and_its_alias_are_given_twice(tmp_path: Path, way: str) -> None:
    settings = {"resources_used": 0.25, "resources": 0.5}
    if way == "option":
        assert WAYS[way].read(tmp_path, settings).resources_used == 0.5  # on the command line, the last one counts
        return
    with pytest.raises(AxirError, match="'resources' and 'resources_used' are one setting, given twice"):
        WAYS[way].read(tmp_path, settings)


def test_a_whole_number_that_is_no_float() -> None:
    for name, entry in settings_table().items():
        if entry.base is float:
            with pytest.raises(AxirError, match="it must be a number"):
                CompilerConfig(**{name: 10**400})


def test_older_names_are_known_in_the_older_form_only(tmp_path: Path) -> None:
    former = {name: entry.name for entry in settings_table().values() for name in entry.info.formerly}
    assert former["in_core_replication"] == "enable_icr"
    for name, setting in former.items():
        changed = not settings_table()[setting].default
        assert getattr(yaml_nested_raw(tmp_path, name, changed), setting) is changed
        assert getattr(toml_nested(tmp_path, {name: changed}), setting) is changed
        for way in ("yaml", "toml", "json", "option", "python"):
            with pytest.raises(AxirError) as error:
                WAYS[way].read(tmp_path, {name: changed})
            assert error.value.notes == (f"it is called '{setting}' now",)


def yaml_nested_raw(folder: Path, name: str, value: Any) -> CompilerConfig:
    return card(folder, ["backend_config:", f"  {name}: {json.dumps(value)}"])


def test_the_groups_of_the_older_form_may_be_empty_or_mixed(tmp_path: Path) -> None:
    config = card(tmp_path, ["resources: 0.5", "quantization_config:", "backend_config: {tiling_depth: 6}"])
    assert (config.resources_used, config.tiling_depth) == (0.5, 6)
    with pytest.raises(AxirError, match="backend_config is 1; it must be a mapping"):
        card(tmp_path, ["backend_config: 1"])
    with pytest.raises(AxirError, match="'resources' and 'resources_used' are one setting"):
        card(tmp_path, ["resources_used: 0.5", "backend_config: {resources: 0.5}"])
    with pytest.raises(AxirError, match="there is no group of settings 'tiling'") as error:
        card(tmp_path, ["tiling: {tiling_depth: 6}"])
    assert all(group in error.value.notes[0] for group in OLDER_FORM)
