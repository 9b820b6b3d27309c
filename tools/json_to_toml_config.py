"""Turns the settings of a model card or of a JSON configuration into a TOML file that `axc --config` reads.

    python tools/json_to_toml_config.py --from-yaml card.yaml [--model NAME] [-o FILE.toml]
    python tools/json_to_toml_config.py --from-json conf.json [-o FILE.toml]

Both forms of settings are read, flat and nested in quantization_config and backend_config. Of a card, the file holds
what the model is compiled with: its inline settings over those of its compiler_config_file (or of the shipped config
that its model_name chooses). Comments above and beside settings, and above the mappings
that hold them, are kept. Without -o the file stands beside the one
that is read, named after the model or the JSON file; `-o -` prints it. It is never written over another without
--force.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from axir.compiler.config import Layer, Written, read_card, read_json_settings, resolve
from axir.compiler.config.document import toml_value
from axir.compiler.config.layers import OLDER_FORM
from axir.compiler.config.sources import sources
from axir.ir.diagnostics import AxirError, run_tool
from axir.ir.files import write_text

_HEAD = re.compile(rf"\s*(#|\[?({'|'.join(('compilation_config', *OLDER_FORM))})\]?\s*:?\s*(#.*)?$)")
"""A line that belongs to the setting below it: a comment, or the key of a mapping of settings."""


@dataclass(frozen=True)
class Source:
    """What is converted: `layers` from the weakest to the strongest, a title, and the file to write by default."""

    title: str
    layers: Sequence[Layer]
    target: Path


def from_card(card: Path, model: str | None) -> Source:
    """The settings of one model of a card. Raises `OSError` and `AxirError`."""
    chosen = read_card(card).pick(model)
    layers = sources(chosen).layers
    return Source(f"Settings of {chosen.name} in {card.name}", layers, card.with_name(f"{chosen.name}.toml"))


def from_json(file: Path) -> Source:
    """The settings of a JSON object. Raises `OSError` and `AxirError`."""
    return Source(f"Settings of {file.name}", [read_json_settings(file)], file.with_suffix(".toml"))


def toml(source: Source) -> str:
    """The TOML text: every setting that was given once, at the place where it first was, with the value that counts.

    Raises `AxirError` for values that contradict each other.
    """
    history = resolve(source.layers).history
    lines = [f"# {source.title}, converted by tools/json_to_toml_config.py"]
    seen: dict[str, None] = {}
    for layer in source.layers:
        for written in layer.settings:
            if written.setting not in seen:
                seen[written.setting] = None
                lines += _setting(history[written.setting][-1])
    return "\n".join(lines) + "\n"


def _setting(written: Written) -> Iterator[str]:
    above, beside = _comments(written)
    yield from above
    # TOML has no null: a setting that is unset is one that is left out.
    assignment = (
        f"# {written.setting} is unset"
        if written.value is None
        else (f"{written.setting} = {toml_value(written.value)}")
    )
    yield f"{assignment}  {beside}" if beside else assignment


def _comments(written: Written) -> tuple[list[str], str]:
    """The comments above a setting, those of the mapping that it begins among them, and the comment that ends its line.

    Of a list that stands below its key, the comments of both lines are taken.
    """
    if written.place is None or Path(written.place.file).suffix == ".json":
        return [], ""
    lines = Path(written.place.file).read_text("utf-8-sig").splitlines()
    value = key = written.place.line - 1
    while key > 0 and written.key not in lines[key]:
        key -= 1
    first = key
    while first > 0 and _HEAD.match(lines[first - 1]):
        first -= 1
    above = [comment for line in lines[first:key] if (comment := _end_comment(line.strip()))]
    beside = [_end_comment(line) for line in lines[key : value + 1]]
    return above, "  ".join(comment for comment in beside if comment)


def _end_comment(line: str) -> str:
    """The comment at the end of a line of YAML or TOML; a `#` in quotes begins none."""
    quote = ""
    for position, character in enumerate(line):
        if quote:
            quote = "" if character == quote else quote
        elif character in "\"'":
            quote = character
        elif character == "#" and (position == 0 or line[position - 1].isspace()):
            return line[position:].rstrip()
    return ""


def convert(source: Source, output: str | None, force: bool) -> int:
    """Write or print the TOML. Raises `AxirError` where the file exists, and `OSError`."""
    text = toml(source)
    if output == "-":
        print(text, end="")
        return 0
    file = source.target if output is None else Path(output)
    if file.exists() and not force:
        raise AxirError(
            "the file exists already", location=str(file), notes=("--force overwrites it, -o names another",)
        )
    write_text(file, text)
    print(f"wrote {file}")
    return 0


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    given = parser.add_mutually_exclusive_group(required=True)
    given.add_argument("--from-yaml", type=Path, metavar="CARD", help="a model card")
    given.add_argument("--from-json", type=Path, metavar="FILE", help="a JSON configuration")
    parser.add_argument("--model", metavar="NAME", help="which model of the card")
    parser.add_argument("-o", "--output", metavar="FILE", help="the file to write; - prints it")
    parser.add_argument("--force", action="store_true", help="write over an existing file")
    arguments = parser.parse_args(argv)
    if arguments.model is not None and arguments.from_yaml is None:
        parser.error("--model is for --from-yaml")

    def body() -> int:
        if arguments.from_yaml is not None:
            source = from_card(arguments.from_yaml, arguments.model)
        else:
            source = from_json(arguments.from_json)
        return convert(source, arguments.output, arguments.force)

    return run_tool(body)


if __name__ == "__main__":
    sys.exit(main())
