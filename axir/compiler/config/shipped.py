"""The configs that AXIR ships for common networks, and how a card's `compiler_config_file` finds a file."""

from __future__ import annotations

import re
from difflib import get_close_matches
from pathlib import Path

from axir.compiler.config.node import Place
from axir.ir.diagnostics import AxirError

FOLDER = Path(__file__).parent / "models"


def shipped_configs() -> list[Path]:
    """The shipped TOML files, sorted by name."""
    return sorted(FOLDER.glob("*.toml"))


def shipped_config(model_name: str) -> Path | None:
    """The shipped config whose file is called like the model."""
    return next((file for file in shipped_configs() if file.stem == model_name), None)


def first_comment(file: Path) -> str:
    """Its first line of comment: the network that a config is for, and after a colon what it gains there."""
    lines = file.read_text("utf-8").splitlines()
    return next((line.lstrip("# ") for line in lines if line.startswith("#") and line.strip("# ")), "")


def find_config(name: str, card: Path | None = None, place: Place | None = None) -> Path:
    """The TOML file that `name` means in a card (or, without one, on its own).

    A bare file name is looked for beside the card and then among the shipped configs (there `.toml` may be left out);
    a relative path starts at the card's folder; an absolute path, and one from `~`, is used as it is. Raises
    `AxirError`, located at `place`, that lists the places tried and the shipped configs with a similar name.
    """
    path = Path(name).expanduser()
    beside = Path(card).parent if card is not None else Path()
    tried = [beside / path]
    if path.name == name:
        tried.append(FOLDER / (path if path.suffix else path.with_suffix(".toml")))
    for file in tried:
        if file.is_file():
            return file
    notes = [f"tried {file}" for file in tried]
    near = _similar(path.stem)
    if near:
        notes.append(f"shipped configs with a similar name: {', '.join(near)}")
    elif shipped_configs():
        notes.append("axc --list-configs lists the shipped configs")
    raise AxirError(f"there is no config file '{name}'", location=None if place is None else str(place), notes=notes)


def _similar(stem: str) -> list[str]:
    """Shipped configs of similar name: alike as text, or one name in the other."""
    plain = {file.name: re.sub(r"[^a-z0-9]", "", file.stem.lower()) for file in shipped_configs()}
    wanted = re.sub(r"[^a-z0-9]", "", stem.lower())
    near = get_close_matches(wanted, plain.values(), n=5)
    return [file for file, name in plain.items() if name in near or (wanted and (wanted in name or name in wanted))]
