"""Arguments of `axc` as JSON, written beside the artifacts and read back; and what the options' texts mean."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Sequence
from difflib import get_close_matches
from typing import Any, cast

from axir.compiler.config.json_file import read_json
from axir.compiler.config.node import Node
from axir.ir.diagnostics import AxirError

NOT_RECORDED = (
    "help", "version", "verbose", "cli_args", "model_option",
    "generate_config", "explain_config", "help_settings", "list_configs", "config_schema",
    "partition_only", "sensitivity", "sensitivity_samples", "json",
)  # fmt: skip


def recorded(arguments: argparse.Namespace, parser: argparse.ArgumentParser) -> dict[str, Any]:
    """The arguments that are not the default, by the long name of their option."""
    values = vars(arguments)
    return {name: values[name] for name in _names(parser) if values[name] != parser.get_default(name)}


def merge_file(file: str, parser: argparse.ArgumentParser, argv: Sequence[str] | None) -> argparse.Namespace:
    """The arguments in a JSON file, and over them those of the command line.

    Raises `OSError`, and `AxirError`, with the place, for anything but known arguments of the right type.
    """
    known = _names(parser)
    written: list[str] = []
    for key, entry in read_json(file).mapping("the content").items():
        name = key.replace("-", "_")
        if name not in known:
            near = get_close_matches(name, known, n=1)
            note = f"did you mean '{near[0]}'?" if near else f"known are {', '.join(known)}"
            raise AxirError(f"there is no argument '{key}'", location=str(entry.place), notes=(note,))
        written += _as_options(known[name], key, entry.node)
    own = list(sys.argv[1:] if argv is None else argv)
    return parser.parse_args([*written, *own])


def _names(parser: argparse.ArgumentParser) -> dict[str, argparse.Action]:
    actions = parser._actions  # pyright: ignore[reportPrivateUsage]
    return {action.dest: action for action in actions if action.dest not in NOT_RECORDED}


def _as_options(action: argparse.Action, key: str, node: Node) -> list[str]:
    """The words of a command line that mean the value of `key`."""
    option = action.option_strings[-1] if action.option_strings else "--input"
    value = node.plain()
    if action.nargs == 0:
        if not isinstance(value, bool):
            raise _wrong(key, node, "true or false")
        return [option] if value else []
    if isinstance(action.default, list):
        if not isinstance(value, list) or not all(isinstance(item, str) for item in cast(list[Any], value)):
            raise _wrong(key, node, "a list of strings")
        return [f"{option}={item}" for item in cast(list[str], value)]
    kinds = (int,) if action.type is int else (str, int, float)
    if isinstance(value, bool) or not isinstance(value, kinds):
        raise _wrong(key, node, "a number" if action.type is int else "a string")
    return [f"{option}={value}"]


def _wrong(key: str, node: Node, expected: str) -> AxirError:
    return AxirError(f"'{key}' is {node.describe()}; it must be {expected}", location=str(node.place))


def input_shapes(options: Sequence[str]) -> dict[str, tuple[int, ...]]:
    """Shapes by input name, of texts NAME=1,3,224,224. Raises `AxirError`."""
    shapes: dict[str, tuple[int, ...]] = {}
    for option in options:
        name, _, text = option.rpartition("=")
        try:
            shape = tuple(int(part) for part in re.split("[,x]", text))
        except ValueError:
            shape = ()
        if not name or not shape or min(shape) < 1:
            raise AxirError(f"--input-shape {option}: not a shape", notes=("write --input-shape NAME=1,3,224,224",))
        shapes[name] = shape
    return shapes
