"""Every setting that claims an effect has a test that shows it, by name; the others say so when they are set."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from axir.compiler.config import CompilerConfig, Setting, settings_table

HERE = Path(__file__).parent


def _tests() -> list[str]:
    trees = [ast.parse(file.read_text("utf-8")) for file in sorted(HERE.glob("test_*.py"))]
    names = [node.name for tree in trees for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    return [name.removeprefix("test_") for name in names if name.startswith("test_")]


def _shows(test: str, setting: str) -> bool:
    """`test_<setting>` or `test_<setting>_...`, where no longer name of a setting fits."""
    fitting = [name for name in settings_table() if test == name or test.startswith(f"{name}_")]
    return max(fitting, key=len, default=None) == setting


@pytest.mark.parametrize("entry", settings_table().values(), ids=lambda entry: entry.name)
def test_has_a_test_of_its_effect(entry: Setting) -> None:
    if entry.info.effect:
        assert any(_shows(test, entry.name) for test in _tests()), f"no test_{entry.name} in {HERE.name}/"


def test_only_internal_paths_have_no_effect() -> None:
    without = [entry for entry in settings_table().values() if not entry.info.effect]
    assert {entry.info.group for entry in without} == {"internal"}
    assert [entry.name for entry in without] == ["compiler_dir", "runtime_dir", "device_dir"]


def test_settings_without_effect_say_so() -> None:
    assert CompilerConfig(compiler_dir="x", l1_constraint=1000).without_effect() == ["compiler_dir"]
