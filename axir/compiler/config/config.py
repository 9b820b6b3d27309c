"""`CompilerConfig`: the settings of one compilation, checked, from Python, TOML or the command line."""

from __future__ import annotations

import dataclasses
import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import Any, cast, get_type_hints

from axir.compiler.config.setting import Setting, Value
from axir.compiler.config.settings import Settings
from axir.ir.diagnostics import AxirError

Origin = Callable[[str], str | None]
"""Where the value of a setting was written, for error messages."""


class CompilerConfig(Settings):
    """The compiler's settings: `CompilerConfig(quantization_scheme="per_tensor_min_max", resources=0.25)`.

    Every setting of docs/config.md is an attribute and a keyword, its aliases are keywords too. Immutable; `replace`
    makes a changed copy. Raises `AxirError` for an unknown setting, a value of the wrong type or out of range, and for
    values that contradict each other.
    """

    def __init__(self, **settings: object):
        _fill(self, {}, settings, lambda key: None)

    def replace(self, **settings: object) -> CompilerConfig:
        """A copy with other values of the given settings. Raises as the constructor does."""
        return self._changed(settings, lambda key: None)

    def _changed(self, settings: Mapping[str, object], origin: Origin) -> CompilerConfig:
        changed = CompilerConfig.__new__(CompilerConfig)
        _fill(changed, self.values(), settings, origin)
        return changed

    def values(self) -> dict[str, Value]:
        """Every setting's value, by name, in the order of declaration."""
        return {name: getattr(self, name) for name in settings_table()}

    def changed(self) -> dict[str, Value]:
        """The settings whose value is not the default."""
        return {name: value for name, value in self.values().items() if value != settings_table()[name].default}

    def without_effect(self) -> list[str]:
        """The settings that were changed although this version does not act upon them."""
        return [name for name in self.changed() if not settings_table()[name].info.effect]

    def with_assignments(self, assignments: Sequence[str]) -> CompilerConfig:
        """A copy changed by texts `key=value`; of two for one key the last counts. Raises `AxirError`."""
        values: dict[str, object] = {}
        texts: dict[str, str] = {}
        for text in assignments:
            name, value = parse_setting(text)
            values[name] = value
            texts[name] = f"--set {text}"
        return self._changed(values, texts.get)

    @classmethod
    def from_toml(cls, path: str | Path) -> CompilerConfig:
        """The settings written in a TOML file, defaults for the rest.

        Raises `OSError`, and `AxirError` that names the file and the line.
        """
        import tomllib

        file = Path(path)
        data = file.read_bytes()
        try:
            text = data.decode()
            document = tomllib.loads(text)
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise AxirError(f"not valid TOML: {error}", location=str(file)) from None
        tables = [name for name, value in document.items() if isinstance(value, dict)]
        if tables:
            raise AxirError(
                f"settings stand at the top level of the file, not in a table [{tables[0]}]",
                location=_line_of(file, text, tables[0]),
            )
        config = cls.__new__(cls)
        _fill(config, {}, document, lambda key: _line_of(file, text, key))
        return config

    def to_toml(self) -> str:
        """All settings as TOML, in groups, each with its meaning as a comment; `from_toml` reads it back."""
        from axir.compiler.config.document import toml_text

        return toml_text(self)

    def digest(self) -> str:
        """A hash of all values but names and paths of output: 16 hexadecimal digits."""
        values = {name: value for name, value in self.values().items() if settings_table()[name].info.group != "output"}
        text = "\n".join(f"{name}={value!s}" for name, value in values.items())
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def __repr__(self) -> str:
        return f"CompilerConfig({', '.join(f'{name}={value!r}' for name, value in self.changed().items())})"


@cache
def settings_table() -> dict[str, Setting]:
    """All settings by name, in the order of declaration."""
    hints: dict[str, Any] = get_type_hints(Settings)
    return {
        field.name: Setting(field.name, hints[field.name], cast(Value, field.default), field.metadata["setting"])
        for field in dataclasses.fields(Settings)
    }


def parse_setting(text: str) -> tuple[str, Value]:
    """(name, value) of a text `key=value`. Raises `AxirError` for an unknown key or an illegal value."""
    key, equals, value = text.partition("=")
    origin = f"--set {text}"
    if not equals:
        raise AxirError("expected key=value", location=origin)
    found = find_setting(key.strip(), origin)
    try:
        return found.name, found.parse(value)
    except ValueError:
        raise AxirError(f"{found.name} must be {found.expected}", location=origin) from None


@cache
def _by_any_name() -> dict[str, Setting]:
    table = settings_table()
    return table | {alias: entry for entry in table.values() for alias in entry.info.aliases}


def find_setting(key: str, origin: str | None = None) -> Setting:
    """The setting of a name or alias. Raises `AxirError` that suggests the nearest."""
    found = _by_any_name().get(key)
    if found is None:
        near = get_close_matches(key, _by_any_name(), n=1)
        note = f"did you mean '{near[0]}'?" if near else "docs/config.md lists all settings"
        raise AxirError(f"there is no setting '{key}'", location=origin, notes=(note,))
    return found


def _line_of(file: Path, text: str, name: str) -> str:
    """`file:line` of the line that sets `name`; tomllib tells no positions."""
    for number, line in enumerate(text.split("\n"), start=1):
        if re.match(rf"""\s*\[?\s*["']?{re.escape(name)}["']?\s*[=\].]""", line):
            return f"{file}:{number}"
    return str(file)


def _fill(config: CompilerConfig, base: Mapping[str, Value], settings: Mapping[str, object], origin: Origin) -> None:
    """Give `config` its values: defaults, then `base`, then `settings`, which are checked."""
    values: dict[str, Value] = {name: entry.default for name, entry in settings_table().items()} | dict(base)
    given: dict[str, str] = {}
    for key, value in settings.items():
        entry = find_setting(key, origin(key))
        if entry.name in given:
            raise AxirError(f"'{key}' and '{given[entry.name]}' are one setting, given twice", location=origin(key))
        given[entry.name] = key
        try:
            values[entry.name] = entry.check(value)
        except ValueError:
            raise AxirError(f"{key} is {value!r}; it must be {entry.expected}", location=origin(key)) from None
    for name, value in values.items():
        object.__setattr__(config, name, value)
    _check_together(config)


def _check_together(config: CompilerConfig) -> None:
    """What single ranges cannot say."""
    if config.resources_used < config.aipu_cores_used / 4:
        raise AxirError(
            f"resources_used is {config.resources_used:g}, but {config.aipu_cores_used} cores need at least "
            f"{config.aipu_cores_used / 4:g}",
            notes=("resources_used is a fraction of the memory shared by four cores: a quarter or more for each",),
        )
    if config.icrx_force > 1 and not config.enable_icr:
        raise AxirError("icrx_force asks for replication, but enable_icr is false", notes=("set one of the two",))
    if config.icrx_force > config.icrx_max_factor:
        raise AxirError(f"icrx_force is {config.icrx_force}, above icrx_max_factor {config.icrx_max_factor}")
    sizes = (
        ("l1_size_reserved", "l1_size_used"),
        ("l2_size_reserved", "l2_size_used"),
        ("ddr_size_reserved", "ddr_size_used"),
        ("ddr_size_used", "ddr_size_max"),
    )
    for small, large in sizes:
        low, high = getattr(config, small), getattr(config, large)
        if low > high:
            raise AxirError(f"{small} is {low} bytes, more than {large}, {high} bytes")
