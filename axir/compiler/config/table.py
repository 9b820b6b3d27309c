"""The table of all settings, and how a key or a text finds its entry in it."""

from __future__ import annotations

import dataclasses
from difflib import get_close_matches
from functools import cache
from typing import Any, cast, get_type_hints

from axir.compiler.config.setting import Setting, Value
from axir.compiler.config.settings import Settings
from axir.ir.diagnostics import AxirError


@cache
def settings_table() -> dict[str, Setting]:
    """All settings by name, in the order of declaration."""
    hints: dict[str, Any] = get_type_hints(Settings)
    return {
        field.name: Setting(field.name, hints[field.name], cast(Value, field.default), field.metadata["setting"])
        for field in dataclasses.fields(Settings)
    }


@cache
def by_any_name() -> dict[str, Setting]:
    """All settings by name and by alias."""
    table = settings_table()
    return table | {alias: entry for entry in table.values() for alias in entry.info.aliases}


@cache
def by_former_name() -> dict[str, Setting]:
    """The settings that the older, nested form of a configuration calls otherwise."""
    return {former: entry for entry in settings_table().values() for former in entry.info.formerly}


def find_setting(key: str, origin: str | None = None) -> Setting:
    """The setting of a name or alias. Raises `AxirError`, located at `origin`, that suggests the nearest."""
    found = by_any_name().get(key)
    if found is None:
        raise AxirError(f"there is no setting '{key}'", location=origin, notes=(suggestion(key),))
    return found


def suggestion(key: str) -> str:
    """What may have been meant by a key that is no setting."""
    if key in by_former_name():
        return f"it is called '{by_former_name()[key].name}' now"
    near = get_close_matches(key, by_any_name(), n=1)
    return f"did you mean '{near[0]}'?" if near else "docs/config.md and axc --help-settings list all settings"


def parse_setting(text: str) -> tuple[str, Value]:
    """(name, value) of a text `key=value`. Raises `AxirError` for an unknown key or an illegal value."""
    key, equals, value = text.partition("=")
    origin = f"--set {text}"
    if not equals:
        raise AxirError("expected key=value", location=origin, notes=("for example --set resources_used=0.25",))
    found = find_setting(key.strip(), origin)
    return found.name, parse_value(found, value, origin)


def parse_value(entry: Setting, text: str, origin: str) -> Value:
    """The value written as `text` on a command line. Raises `AxirError`, located at `origin`, for an illegal one."""
    try:
        return entry.parse(text)
    except ValueError:
        raise AxirError(f"{entry.name} is '{text}'; it must be {entry.expected}", location=origin) from None
