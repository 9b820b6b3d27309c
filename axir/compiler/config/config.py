"""`CompilerConfig`: the settings of one compilation, checked; and how several sources of settings become one."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from axir.compiler.config.checks import contradictions, implied
from axir.compiler.config.layers import Layer, Written, command_line, keywords, read_toml_settings
from axir.compiler.config.setting import Value
from axir.compiler.config.settings import Settings
from axir.compiler.config.table import settings_table
from axir.ir.diagnostics import AxirError


class CompilerConfig(Settings):
    """The compiler's settings: `CompilerConfig(quantization_scheme="per_tensor_min_max", resources=0.25)`.

    Every setting of docs/config.md is an attribute and a keyword, its aliases are keywords too. Immutable; `replace`
    makes a changed copy. Raises `AxirError` for an unknown setting, a value of the wrong type or out of range, and for
    values that contradict each other.
    """

    _given: dict[str, Value]

    def __init__(self, **settings: object):
        _fill(self, [keywords(settings)])

    def replace(self, **settings: object) -> CompilerConfig:
        """A copy with other values of the given settings. Raises as the constructor does."""
        return self._changed(keywords(settings))

    def _changed(self, layer: Layer) -> CompilerConfig:
        before = Layer("before", tuple(Written(name, name, value) for name, value in self._given.items()))
        return resolve([before, layer]).config

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
        return self._changed(command_line([("--set", text) for text in assignments]))

    @classmethod
    def from_toml(cls, path: str | Path) -> CompilerConfig:
        """The settings written in a TOML file, defaults for the rest.

        Raises `OSError`, and `AxirError` with file, line and column.
        """
        return resolve([read_toml_settings(path)]).config

    @classmethod
    def from_card(cls, path: str | Path, model: str | None = None) -> CompilerConfig:
        """The settings of a model in a card (by name, if it has several), as `axc` without options takes them.

        Raises as `from_toml` does.
        """
        from axir.compiler.config.card import read_card
        from axir.compiler.config.sources import sources

        return resolve(sources(read_card(path).pick(model)).layers).config

    def to_toml(self) -> str:
        """All settings as TOML, in groups, each with its meaning as a comment; `from_toml` reads it back."""
        from axir.compiler.config.document import toml_text

        return toml_text(self)

    def digest(self) -> str:
        """A hash of all values but names and paths, which say nothing of the program: 16 hexadecimal digits."""
        table = settings_table()
        values = {
            name: value
            for name, value in self.values().items()
            if table[name].info.group != "output" and table[name].base is not Path
        }
        text = "\n".join(f"{name}={value!s}" for name, value in values.items())
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def __repr__(self) -> str:
        return f"CompilerConfig({', '.join(f'{name}={value!r}' for name, value in self.changed().items())})"


History = Mapping[str, tuple[Written, ...]]
"""By setting, in the order of declaration, all that was written for it: the last counts."""


@dataclass(frozen=True)
class Resolved:
    """What several layers come to, and how."""

    config: CompilerConfig
    history: History


def resolve(layers: Iterable[Layer]) -> Resolved:
    """The configuration of layers, the weakest first: setting by setting, the last one that was written counts.

    Raises `AxirError` for values that contradict each other, located at the one that was written last.
    """
    config = CompilerConfig.__new__(CompilerConfig)
    return Resolved(config, _fill(config, layers))


def _fill(config: CompilerConfig, layers: Iterable[Layer]) -> History:
    """Give `config` its values: the defaults, and over them the layers."""
    written = [one for layer in layers for one in layer.settings]
    given = {one.setting: one.value for one in written}
    for name, (value, cause) in implied(given).items():
        written.append(Written(name, cause, value, f"implied by {cause} = {given[cause]}"))
    values = {one.setting: one.value for one in written}
    for name, entry in settings_table().items():
        object.__setattr__(config, name, values.get(name, entry.default))
    object.__setattr__(config, "_given", given)
    _check_together(config, written)
    return {name: tuple(one for one in written if one.setting == name) for name in settings_table() if name in values}


def _check_together(config: CompilerConfig, written: Sequence[Written]) -> None:
    for wrong in contradictions(config):
        last = {one.setting: one for one in written if one.setting in wrong.settings}
        # Of a value that follows from another setting, the place is that of the other.
        causes = {one.setting: one for one in written}
        involved = [causes.get(one.key, one) for one in written if one in last.values()]
        culprit = next((one for one in reversed(involved) if one.origin is not None), None)
        others = [name for name in wrong.settings if culprit is not None and name != culprit.setting]
        origins = tuple(f"{name} is {_text(getattr(config, name))} ({_origin(last.get(name))})" for name in others)
        raise AxirError(wrong.message, location=culprit.origin if culprit else None, notes=(*origins, wrong.note))


def _text(value: Value) -> str:
    return "none" if value is None else str(value)


def _origin(written: Written | None) -> str:
    return "default" if written is None else written.origin or "given"
