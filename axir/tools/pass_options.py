"""Options of passes: their types as a user sees them, and text converted to values of these types.

An option is a field of the pass, a frozen dataclass. Supported types: bool, int, float, str, `Literal`, `Enum` of
strings, homogeneous and fixed-length tuples of these, and `None` as an alternative.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from enum import Enum
from types import NoneType, UnionType
from typing import Any, Literal, TypeGuard, Union, cast, get_args, get_origin, get_type_hints

from xdsl.passes import ModulePass


@dataclass(frozen=True)
class PassOption:
    """One option: `name` as written in a pipeline, its Python type, its default's text (None: required), its help."""

    field: str
    type: Any
    default: str | None
    help: str

    @property
    def name(self) -> str:
        return self.field.replace("_", "-")


def options_of(pass_type: type[ModulePass]) -> list[PassOption]:
    """The options of a pass in the order of its fields; the help is `field(metadata={"help": ...})`."""
    hints = get_type_hints(pass_type)
    return [
        PassOption(field.name, hints[field.name], _default(field), str(field.metadata.get("help", "")))
        for field in dataclasses.fields(pass_type)
        if field.init and field.name != "name"
    ]


def describe(hint: Any) -> str:
    """A type as shown to users: `int`, `oh|oc`, `int,...`, `int,int`, `float or none`."""
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in (Union, UnionType):
        return " or ".join(describe(argument) for argument in arguments)
    if origin is Literal:
        return "|".join(str(argument) for argument in arguments)
    if origin is tuple:
        if len(arguments) == 2 and arguments[1] is Ellipsis:
            return f"{describe(arguments[0])},..."
        return ",".join(describe(argument) for argument in arguments)
    if hint is NoneType:
        return "none"
    if _is_enum(hint):
        return "|".join(str(member.value) for member in hint)
    return cast(str, getattr(hint, "__name__", str(hint)))


def _is_enum(hint: Any) -> TypeGuard[type[Enum]]:
    return isinstance(hint, type) and issubclass(hint, Enum)


def convert(words: tuple[str, ...], hint: Any) -> Any:
    """The value of the type `hint` that `words` (one, or the elements of a list) stand for.

    Raises `ValueError`, without a message, when they stand for none.
    """
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in (Union, UnionType):
        return _convert_union(words, arguments)
    if origin is tuple:
        if len(arguments) == 2 and arguments[1] is Ellipsis:
            return tuple(convert((word,), arguments[0]) for word in words)
        if len(words) != len(arguments):
            raise ValueError
        return tuple(convert((word,), argument) for word, argument in zip(words, arguments, strict=True))
    if len(words) != 1:
        raise ValueError
    return _convert_word(words[0], hint)


def _convert_union(words: tuple[str, ...], alternatives: tuple[Any, ...]) -> Any:
    # Strings last: every word is one.
    for alternative in sorted(alternatives, key=lambda hint: hint is str):
        try:
            return convert(words, alternative)
        except ValueError:
            continue
    raise ValueError


def _convert_word(word: str, hint: Any) -> Any:
    if hint is bool:
        if word.lower() not in ("true", "false"):
            raise ValueError
        return word.lower() == "true"
    if hint is int:
        return int(word, 0)
    if hint is float:
        return float(word)
    if hint is str:
        return word
    if hint is NoneType:
        if word.lower() != "none":
            raise ValueError
        return None
    if get_origin(hint) is Literal:
        for choice in get_args(hint):
            if str(choice) == word:
                return choice
        raise ValueError
    if _is_enum(hint):
        return hint(word)
    raise TypeError(f"pass option of unsupported type {hint}")


def _default(field: dataclasses.Field[Any]) -> str | None:
    if field.default_factory is not dataclasses.MISSING:
        return render(field.default_factory())
    return None if field.default is dataclasses.MISSING else render(field.default)


def render(value: Any) -> str:
    """A value as it is written in a pipeline."""
    if value is None or isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return "[" + ",".join(render(element) for element in cast(tuple[object, ...], value)) + "]"
    if isinstance(value, Enum):
        return str(value.value)
    if isinstance(value, str) and not (value and value.replace("-", "").replace("_", "").isalnum()):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return str(value)
