"""The settings as a JSON schema, for editors and for programs that write configs."""

from __future__ import annotations

from typing import Any

from axir.compiler.config.layers import OLDER_FORM
from axir.compiler.config.setting import Setting
from axir.compiler.config.table import settings_table

Schema = dict[str, Any]


def settings_schema() -> Schema:
    """The schema (Draft 2020-12) of a document of settings: a TOML or JSON file, or a card's `compilation_config`.

    Contradictions between settings (checks.py) are beyond it.
    """
    table = settings_table()
    flat = {name: {"$ref": f"#/$defs/{entry.name}"} for entry in table.values() for name in _names(entry)}
    former = {name: {"$ref": f"#/$defs/{entry.name}"} for entry in table.values() for name in entry.info.formerly}
    older = {"type": "object", "properties": flat | former, "additionalProperties": False}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Settings of the AXIR compiler",
        "type": "object",
        "properties": flat | {group: {"$ref": "#/$defs/older form"} for group in OLDER_FORM},
        "additionalProperties": False,
        "allOf": [
            {"not": {"required": [entry.name, alias]}} for entry in table.values() for alias in entry.info.aliases
        ],
        "$defs": {entry.name: _schema(entry) for entry in table.values()} | {"older form": older},
    }


def _names(entry: Setting) -> tuple[str, ...]:
    return (entry.name, *entry.info.aliases)


def _schema(entry: Setting) -> Schema:
    described: Schema = {"description": entry.info.meaning + (f" ({entry.info.unit})" if entry.info.unit else "")}
    if entry.default is not None:
        described["default"] = list(entry.default) if isinstance(entry.default, tuple) else entry.default
    values = _single(entry)
    if entry.is_list:
        values = {"type": "array", "items": values}
    return described | ({"anyOf": [values, {"type": "null"}]} if entry.optional else values)


def _single(entry: Setting) -> Schema:
    """One value, or one element of a list."""
    if entry.choices:
        return {"enum": list(entry.choices)}
    info = entry.info
    if entry.base is bool:
        return {"type": "boolean"}
    if entry.base not in (int, float):
        return {"type": "string", "minLength": 1 if entry.is_path else 0}
    bounds = {
        "minimum": info.low,
        "exclusiveMinimum": info.above,
        "maximum": info.high,
        "exclusiveMaximum": info.below,
        "multipleOf": info.multiple,
    }
    number = {"type": "integer" if entry.base is int else "number"} | {
        key: entry.base(bound) if bound == entry.base(bound) else bound
        for key, bound in bounds.items()
        if bound is not None
    }
    return {"anyOf": [{"const": value} for value in info.also] + [number]} if info.also else number
