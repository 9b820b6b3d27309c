"""The JSON schema accepts what the compiler accepts, setting by setting."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from setting_values import cases, settings_subset

from axir.compiler.config import settings_table
from axir.compiler.config.schema import settings_schema

jsonschema: Any = pytest.importorskip("jsonschema")
VALIDATOR: Any = jsonschema.Draft202012Validator(settings_schema())


def valid(document: object) -> bool:
    return bool(VALIDATOR.is_valid(document))


def test_is_a_schema_of_its_draft() -> None:
    schema = settings_schema()
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    jsonschema.Draft202012Validator.check_schema(schema)
    assert json.loads(json.dumps(schema)) == schema


@pytest.mark.parametrize("name", settings_table())
def test_values(name: str) -> None:
    legal, illegal = cases()[name]
    aliases = settings_table()[name].info.aliases
    for key in (name, *aliases):
        for value in legal:
            assert valid({key: value}), (key, value)
        for value in illegal:
            # To JSON Schema, 1.0 is a whole number.
            whole = settings_table()[name].base is int and type(value) is float and value.is_integer()
            assert not valid({key: value}) or whole, (key, value)
    for former in settings_table()[name].info.formerly:
        assert valid({"backend_config": {former: legal[0]}})
        assert not valid({former: legal[0]})
    for alias in aliases:
        assert not valid({name: legal[0], alias: legal[0]})


@given(st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text()))
def test_agrees_with_the_compiler_on_any_scalar(value: object) -> None:
    for name, entry in settings_table().items():
        if isinstance(value, float) and entry.base is int:
            continue
        try:
            entry.check(value)
            legal = True
        except ValueError:
            legal = False
        assert valid({name: value}) == legal, (name, value)


@given(settings_subset())
def test_documents(settings: dict[str, Any]) -> None:
    assert valid(settings)
    assert valid({"quantization_config": settings, "backend_config": {}})
    assert not valid(settings | {"resourses_used": 0.25})
    assert not valid({"quantization_config": settings | {"x": 1}})


def test_says_default_and_meaning() -> None:
    for name, entry in settings_table().items():
        definition = settings_schema()["$defs"][name]
        assert definition["description"].startswith(entry.info.meaning)
        assert ("default" in definition) == (entry.default is not None)
        if entry.default is not None:
            assert valid({name: definition["default"]})
