"""`axc --explain-config`: where settings come from and what they overrode, as text."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from axir.compiler.config import Resolved, Written, settings_table
from axir.compiler.config.card import Card, CardModel
from axir.compiler.config.card_keys import CLASSES, EXTRA, MODEL
from axir.compiler.config.checks import idle
from axir.compiler.config.document import toml_value
from axir.compiler.config.setting import Value
from axir.compiler.config.shipped import first_comment, shipped_configs
from axir.compiler.config.sources import Sources
from axir.tools.summary import table

DEFAULT = "default"


def history_lines(resolved: Resolved) -> list[str]:
    """A table of the settings that are not default, or were set back to it: value, origin, what was overridden."""
    rows = [_row(name, written) for name, written in resolved.history.items() if _told(name, written)]
    if not rows:
        return ["every setting has its default"]
    lines = table([["setting", "value", "from", "overrode"], *rows], "<<<<")
    for name in resolved.config.without_effect():
        lines.append(f"note: {name} is accepted without effect")
    lines += [f"note: {one.setting} has no effect here: {one.reason}" for one in idle(resolved.config)]
    return lines


def _told(name: str, written: Sequence[Written]) -> bool:
    """Whether any value written for the setting differs from its default."""
    return any(one.value != settings_table()[name].default for one in written)


def _row(name: str, written: Sequence[Written]) -> list[str]:
    *weaker, winner = written
    entry = settings_table()[name]
    overrode = [f"{_text(one.value)} ({one.origin})" for one in reversed(weaker)]
    value = _text(winner.value)
    if winner.value == entry.default:
        value += f" ({DEFAULT})"
    return [name, value, winner.origin or "", ", ".join([*overrode, f"{_text(entry.default)} ({DEFAULT})"])]


def _text(value: Value) -> str:
    return "none" if value is None else toml_value(value)


def source_lines(sources: Sources, config_file: Path | None) -> list[str]:
    """The TOML files that were read."""
    lines = [] if config_file is None else [f"config    {config_file}"]
    if sources.chosen is not None:
        lines.append(f"config    {sources.chosen}, shipped, chosen by model_name")
    return lines


def model_lines(card: Card, model: CardModel) -> list[str]:
    """The model of a card: what it is, what the card says beyond settings, and what of the card is not used."""
    kind = model.keys["class"].node.plain() if "class" in model.keys else "not given"
    supported = "" if kind in CLASSES else " (not supported)"
    lines = [f"model     {model.name} ({model.place}), class {kind}{supported}"]
    weights = model.keys.get("weight_path")
    if weights is not None:
        lines.append(f"weights   {model.weight_path}" + ("" if model.weight_path.exists() else " (not found)"))
    if model.config_file is not None:
        lines.append(f"config    {model.config_file}")
    for key in (*MODEL.used[2:-1], *EXTRA.used[2:]):
        entry = model.keys.get(key) or model.extra.get(key)
        if entry is not None:
            lines.append(f"from card {key} = {entry.node.plain()} ({entry.node.place})")
    unused = [*card.unused(), *model.unused()]
    if unused:
        lines.append(f"not used  {', '.join(unused)}")
    lines += [f"warning: {text}" for text in model.warnings()]
    return lines


def config_list_lines() -> list[str]:
    """The shipped configs, each with the network that its first line of comment names."""
    files = shipped_configs()
    if not files:
        return ["no configs are shipped"]
    rows = [[file.name, first_comment(file).partition(":")[0]] for file in files]
    return [
        *table([["config", "for"], *rows], "<<"),
        f"the first line of each says what it gains; they are in {files[0].parent}",
    ]
