"""The settings as text: a commented TOML file, `axc --help-settings`, and the table of docs/config.md."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from textwrap import wrap

from axir.compiler.config.config import CompilerConfig
from axir.compiler.config.setting import Setting, Value
from axir.compiler.config.settings import GROUPS
from axir.compiler.config.table import find_setting, settings_table

NO_EFFECT = "accepted without effect"
BEGIN, END = "<!-- settings: generated, see the end of this page -->\n", "<!-- end of settings -->\n"
"""What the tables of docs/config.md stand between."""


def toml_text(config: CompilerConfig) -> str:
    """Every setting with its meaning, type and range; one that is not set stands as a comment."""
    lines = ["# Settings of the AXIR compiler. docs/config.md explains how they are read."]
    values = config.values()
    for group, title in GROUPS.items():
        lines += ["", f"# === {title} ==="]
        for entry in _of_group(group):
            lines += ["", *(f"# {line}" for line in wrap(_comment(entry), 116))]
            value = values[entry.name]
            lines.append(f"# {entry.name} =" if value is None else f"{entry.name} = {toml_value(value)}")
    return "\n".join(lines) + "\n"


def _of_group(group: str) -> list[Setting]:
    return [entry for entry in settings_table().values() if entry.info.group == group]


def _comment(entry: Setting) -> str:
    text = entry.info.meaning
    legal = f"{entry.type_name}: {entry.legal}" if entry.legal else entry.type_name
    if entry.optional:
        legal += ", may be unset"
    if entry.info.unit:
        legal += f", {entry.info.unit}"
    return f"{text} ({legal})" + ("" if entry.info.effect else f"; {NO_EFFECT}")


def toml_value(value: Value) -> str:
    """A value as TOML."""
    match value:
        case bool():
            return str(value).lower()
        case tuple():
            return f"[{', '.join(map(toml_value, value))}]"
        case str() | Path():
            text = str(value).replace("\\", "\\\\").replace('"', '\\"')
            return '"' + "".join(c if c.isprintable() else f"\\U{ord(c):08x}" for c in text) + '"'
        case _:
            return repr(value)


def help_text(names: Sequence[str] = ()) -> str:
    """Type, default, legal values and meaning of the settings of these names or aliases, or of all in groups.

    Raises `AxirError` for a name that is none.
    """
    if names:
        return "\n".join(_help(find_setting(name)) for name in names)
    parts: list[str] = []
    for group, title in GROUPS.items():
        parts += [f"=== {title} ===", *map(_help, _of_group(group))]
    return "\n".join(parts)


def _help(entry: Setting) -> str:
    names = ", ".join((entry.name, *(f"alias {alias}" for alias in entry.info.aliases)))
    legal = " ".join(part for part in (entry.legal, entry.info.unit) if part)
    default = "none" if entry.default is None else toml_value(entry.default)
    lines = [f"{entry.type_name}, default {default}", f"legal: {legal}" + (" or none" if entry.optional else "")]
    lines = lines if legal else lines[:1]
    meaning = entry.info.meaning + ("" if entry.info.effect else f" ({NO_EFFECT})")
    indented = [line for text in (*lines, meaning) for line in wrap(text, 110, break_on_hyphens=False)]
    return "\n".join([names, *(f"    {line}" for line in indented), ""])


def markdown_tables() -> str:
    """The tables of docs/config.md, one a group."""
    parts: list[str] = []
    for group, title in GROUPS.items():
        head = ["### " + title, "", "| setting | type | default | legal values | effect | meaning |", "|---" * 6 + "|"]
        parts.append("\n".join([*head, *map(_row, _of_group(group))]))
    return "\n\n".join(parts) + "\n"


def _row(entry: Setting) -> str:
    aliases = [f"alias `{alias}`" for alias in entry.info.aliases]
    formerly = [f"in older cards `{name}`" for name in entry.info.formerly]
    name = "<br>".join([f"`{entry.name}`", *aliases, *formerly])
    default = "none" if entry.default is None else f"`{toml_value(entry.default)}`"
    ranges = [f"{entry.legal} {entry.info.unit}".strip()] if entry.legal else []
    legal = "<br>".join([f"`{choice}`" for choice in entry.choices] or ranges)
    if entry.optional:
        legal = f"{legal} or none" if legal else "any or none"
    effect = "yes" if entry.info.effect else "no"
    return f"| {' | '.join((name, entry.type_name, default, legal, effect, entry.info.meaning))} |"


def with_tables(page: str) -> str:
    """The page with its tables as the declaration says now. Raises `ValueError` for a page without the two marks."""
    before, after = page.split(BEGIN)[0], page.split(END)[1]
    return f"{before}{BEGIN}\n{markdown_tables()}\n{END}{after}"


if __name__ == "__main__":
    for name in sys.argv[1:]:
        Path(name).write_text(with_tables(Path(name).read_text("utf-8")), "utf-8")
