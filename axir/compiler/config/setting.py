"""What a setting of the compiler is: its type, its legal values, its text forms."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from types import NoneType
from typing import Any, Literal, cast, get_args, get_origin

Value = bool | int | float | str | Path | tuple[str, ...] | None


@dataclass(frozen=True)
class SettingInfo:
    """What a declaration says beyond name, type and default.

    `low` and `high` bound numbers, `above` and `below` exclude their bounds; `also` are legal values outside of them.
    `effect` is False for a setting that is accepted and checked, but that this version does not act upon. `formerly`
    are the names that it has in the older, nested form of a configuration, and only there.
    """

    group: str
    meaning: str
    aliases: tuple[str, ...] = ()
    unit: str = ""
    low: float | None = None
    above: float | None = None
    high: float | None = None
    below: float | None = None
    multiple: float | None = None
    also: tuple[int, ...] = ()
    effect: bool = False
    formerly: tuple[str, ...] = ()


def setting(
    group: str,
    default: Value,
    meaning: str,
    *,
    aliases: tuple[str, ...] = (),
    unit: str = "",
    low: float | None = None,
    above: float | None = None,
    high: float | None = None,
    below: float | None = None,
    multiple: float | None = None,
    also: tuple[int, ...] = (),
    effect: bool = False,
    formerly: tuple[str, ...] = (),
) -> Any:
    """Declare one setting as a dataclass field."""
    info = SettingInfo(group, meaning, aliases, unit, low, above, high, below, multiple, also, effect, formerly)
    return dataclasses.field(default=default, metadata={"setting": info})


@dataclass(frozen=True)
class Setting:
    """One setting: `hint` is the type of its field."""

    name: str
    hint: Any
    default: Value
    info: SettingInfo

    @property
    def optional(self) -> bool:
        """Whether it can be left unset (None)."""
        return NoneType in get_args(self.hint)

    @property
    def base(self) -> Any:
        """The type of its values other than None; for a list, that of an element."""
        if self.optional:
            return next(hint for hint in get_args(self.hint) if hint is not NoneType)
        return get_args(self.hint)[0] if self.is_list else self.hint

    @property
    def is_list(self) -> bool:
        return get_origin(self.hint) is tuple

    @property
    def is_path(self) -> bool:
        return self.base is Path

    @property
    def choices(self) -> tuple[str, ...]:
        """The legal values of an enumeration, else ()."""
        return cast(tuple[str, ...], get_args(self.base)) if get_origin(self.base) is Literal else ()

    @property
    def type_name(self) -> str:
        name = "enum" if self.choices else cast(str, self.base.__name__).lower()
        return f"list of {name}" if self.is_list else name

    @property
    def legal(self) -> str:
        """The legal values in words; empty where the type says it all."""
        if self.choices:
            return ", ".join(self.choices)
        info = self.info
        parts = [f"a multiple of {info.multiple:g}"] if info.multiple else []
        if info.low is not None and info.high is not None:
            parts.append(f"from {info.low:.12g} to {info.high:.12g}")
        else:
            bounds = ((">", info.above), (">=", info.low), ("<", info.below), ("<=", info.high))
            parts += [f"{sign} {bound:.12g}" for sign, bound in bounds if bound is not None]
        return " or ".join([*map(str, info.also), *([", ".join(parts)] if parts else [])])

    @property
    def expected(self) -> str:
        """What a value must be, for an error message."""
        words = {"bool": "true or false", "int": "a whole number", "float": "a number", "enum": "one of"}
        what = words.get(self.type_name.removeprefix("list of "), f"a {self.type_name}")
        text = f"{what} {self.legal}" if self.choices else f"{what}, {self.legal}" if self.legal else what
        text = f"a list of values, each {text}" if self.is_list else text
        return f"{text}, or none" if self.optional else text

    def check(self, value: object) -> Value:
        """`value` as the type of the setting. Raises `ValueError`, without a message, where it is not legal."""
        if value is None and self.optional:
            return None
        if self.is_list:
            if not isinstance(value, list | tuple):
                raise ValueError
            return tuple(cast(str, self._check_single(item)) for item in cast(list[object], value))
        return self._check_single(value)

    def _check_single(self, value: object) -> Value:
        base = self.base
        if self.choices:
            if value not in self.choices:
                raise ValueError
            return cast(str, value)
        if base is Path:
            if not isinstance(value, str | Path) or not str(value):
                raise ValueError
            return Path(value)
        if base is float and isinstance(value, int) and not isinstance(value, bool):
            try:
                value = float(value)
            except OverflowError:
                raise ValueError from None
        if type(value) is not base:
            raise ValueError
        if isinstance(value, int | float) and not isinstance(value, bool):
            self._check_range(value)
        return cast(Value, value)

    def _check_range(self, value: float) -> None:
        info = self.info
        if value in info.also:
            return
        legal = value == value  # not NaN
        legal = legal and (info.low is None or value >= info.low)
        legal = legal and (info.above is None or value > info.above)
        legal = legal and (info.high is None or value <= info.high)
        legal = legal and (info.below is None or value < info.below)
        legal = legal and (info.multiple is None or value % info.multiple == 0)
        if not legal:
            raise ValueError

    def parse(self, text: str) -> Value:
        """The value written as `text` on a command line. Raises `ValueError`, without a message."""
        text = text.strip()
        if self.optional and text.lower() in ("none", "null", ""):
            return None
        if self.is_list:
            inner = text[1:-1] if text == "[]" or text.startswith("[[") else text
            return self.check([word.strip() for word in inner.split(",") if word.strip()])
        if self.base is bool:
            if text.lower() not in ("true", "false"):
                raise ValueError
            return text.lower() == "true"
        if self.base in (int, float):
            return self.check(int(text, 0) if self.base is int else float(text))
        return self.check(text)
