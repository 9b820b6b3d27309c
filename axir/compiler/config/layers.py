"""What one source of settings says: a file, a model card, the command line, a call."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from axir.compiler.config.json_file import read_json
from axir.compiler.config.node import Entry, Node, Place
from axir.compiler.config.setting import Setting, Value
from axir.compiler.config.table import by_former_name, find_setting, parse_setting, parse_value, settings_table
from axir.compiler.config.toml_file import read_toml
from axir.ir.diagnostics import AxirError

OLDER_FORM = ("quantization_config", "backend_config")
"""The mappings of the older form; settings may stand in either."""


@dataclass(frozen=True)
class Written:
    """One setting that was given: by which key (its name, an alias), as what, and where.

    Where it follows from another setting, the key is the name of that one.

    `origin` says where to people: `file:line:column`, or the option of the command line; it is None for a keyword of
    Python. `place` is that of the value, where it stands in a file.
    """

    setting: str
    key: str
    value: Value
    origin: str | None = None
    place: Place | None = None


@dataclass(frozen=True)
class Layer:
    """All settings of one source, in the order in which they were written; of two for one setting the last counts."""

    name: str
    settings: tuple[Written, ...] = ()

    def values(self) -> dict[str, Value]:
        """The values, by name."""
        return {written.setting: written.value for written in self.settings}


def read_toml_settings(path: str | Path) -> Layer:
    """The settings of a TOML file: at its top level, or in the tables `OLDER_FORM` of the older form.

    Raises `OSError`, and `AxirError` with file, line and column for whatever is wrong.
    """
    return settings_layer(str(path), read_toml(path).mapping("the document"))


def read_json_settings(path: str | Path) -> Layer:
    """The settings of a JSON object, flat or in the mappings `OLDER_FORM`. Raises as `read_toml_settings` does."""
    return settings_layer(str(path), read_json(path).mapping("the document"))


def settings_layer(name: str, entries: Mapping[str, Entry]) -> Layer:
    """The settings in a mapping, flat or in `OLDER_FORM`.

    Raises `AxirError`: for an unknown key, an illegal value, a setting given twice.
    """
    written: dict[str, Written] = {}
    for entry, nested in _flat(entries):
        found = _entry(entry, nested)
        if found.name in written:
            first = written[found.name]
            raise AxirError(
                f"'{entry.key}' and '{first.key}' are one setting, given twice"
                if entry.key != first.key
                else f"'{entry.key}' is given twice",
                location=str(entry.place),
                notes=(f"first at {first.origin}",),
            )
        value = _value(found, entry)
        written[found.name] = Written(found.name, entry.key, value, str(entry.node.place), entry.node.place)
    return Layer(name, tuple(written.values()))


def command_line(options: Sequence[tuple[str, str]]) -> Layer:
    """The settings of options in their order: `--set` with `key=value`, or another option with the name it stands for.

    Raises `AxirError`, located at the option.
    """
    return Layer("command line", tuple(_option(*option) for option in options))


def keywords(settings: Mapping[str, object]) -> Layer:
    """The settings of a call. Raises `AxirError`."""
    written: dict[str, Written] = {}
    for key, value in settings.items():
        found = find_setting(key)
        if found.name in written:
            raise AxirError(f"'{key}' and '{written[found.name].key}' are one setting, given twice")
        try:
            written[found.name] = Written(found.name, key, found.check(value))
        except ValueError:
            raise AxirError(f"{key} is {value!r}; it must be {found.expected}") from None
    return Layer("keywords", tuple(written.values()))


def _option(option: str, text: str) -> Written:
    """`--set`, `key=value`; or `--resources`, `resources_used=value`."""
    if option == "--set":
        name, value = parse_setting(text)
        return Written(name, text.partition("=")[0].strip(), value, f"--set {text}")
    name, _, word = text.partition("=")
    origin = f"{option} {word}"
    return Written(name, name, parse_value(settings_table()[name], word, origin), origin)


def _flat(entries: Mapping[str, Entry]) -> Iterator[tuple[Entry, bool]]:
    """The entries, and those inside of `OLDER_FORM`; with whether they stand in one."""
    for key, entry in entries.items():
        if key in OLDER_FORM:
            if entry.node.value is not None:  # a mapping with all its lines commented out is empty
                yield from ((inner, True) for inner in entry.node.mapping(key).values())
        else:
            yield entry, False


def _entry(entry: Entry, nested: bool) -> Setting:
    if nested and entry.key in by_former_name():
        return by_former_name()[entry.key]
    try:
        return find_setting(entry.key, str(entry.place))
    except AxirError:
        if not isinstance(entry.node.plain(), dict):
            raise
        raise AxirError(
            f"there is no group of settings '{entry.key}'",
            location=str(entry.place),
            notes=(f"settings need no group; the older form has {' and '.join(OLDER_FORM)}",),
        ) from None


def _value(found: Setting, entry: Entry) -> Value:
    """The checked value. Raises `AxirError` at the value, or at the element of a list, that is not legal."""
    node = entry.node
    try:
        return found.check(node.plain())
    except ValueError:
        bad = next((item for item in node.items if found.is_list and not _legal(found, item)), node)
        verb = "is" if bad is node else "holds"
        raise AxirError(
            f"{entry.key} {verb} {bad.describe()}; it must be {found.expected}", location=str(bad.place)
        ) from None


def _legal(found: Setting, item: Node) -> bool:
    try:
        found.check([item.plain()])
    except ValueError:
        return False
    return True
