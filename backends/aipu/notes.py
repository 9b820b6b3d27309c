"""Notes: the discardable attributes of a program, as JSON in its image."""

from __future__ import annotations

from typing import Any, cast

from xdsl.dialects.builtin import ArrayAttr, DictionaryAttr, FloatAttr, IntegerAttr, StringAttr, f64, i1, i64
from xdsl.ir import Attribute

from axir.dialects.aipu import ProgramOp
from axir.ir.diagnostics import AxirError


def notes_of(program: ProgramOp) -> dict[str, Any]:
    """The attributes as JSON values. Raises `AxirError` for one that has no such form."""
    return {name: _to_json(name, attribute, program) for name, attribute in program.attributes.items()}


def attributes_from(notes: dict[str, Any]) -> dict[str, Attribute]:
    """The attributes that `notes_of` made these notes from."""
    return {name: _to_attribute(value) for name, value in notes.items()}


def _to_json(name: str, attribute: Attribute, program: ProgramOp) -> Any:
    match attribute:
        case StringAttr():
            return attribute.data
        case IntegerAttr() if attribute.type == i64:
            return attribute.value.data
        case IntegerAttr() if attribute.type == i1:
            return bool(attribute.value.data)
        case FloatAttr() if attribute.type == f64:
            return attribute.value.data
        case ArrayAttr():
            elements: ArrayAttr[Attribute] = attribute
            return [_to_json(name, element, program) for element in elements]
        case DictionaryAttr():
            return {key: _to_json(name, value, program) for key, value in attribute.data.items()}
        case _:
            raise AxirError(
                f"an image cannot keep attribute '{name}' = {attribute}",
                op=program,
                notes=("use strings, i64, i1 and f64 numbers, lists and dictionaries of them",),
            )


def _to_attribute(value: Any) -> Attribute:
    match value:
        case str():
            return StringAttr(value)
        case bool():
            return IntegerAttr(int(value), i1)
        case int():
            return IntegerAttr(value, i64)
        case float():
            return FloatAttr(value, f64)
        case dict():
            return DictionaryAttr(
                {str(key): _to_attribute(item) for key, item in cast("dict[str, Any]", value).items()}
            )
        case _:
            return ArrayAttr([_to_attribute(item) for item in value])
