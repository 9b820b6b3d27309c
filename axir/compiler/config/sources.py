"""The sources of one compilation's settings, in the order of their strength."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from axir.compiler.config.card import CardModel
from axir.compiler.config.layers import Layer, read_toml_settings
from axir.compiler.config.shipped import shipped_config

NO_OPTIONS = Layer("command line")


@dataclass(frozen=True)
class Sources:
    """The layers, the weakest first; and the shipped config among them that `model_name` chose, if it did."""

    layers: tuple[Layer, ...]
    chosen: Path | None = None


def sources(model: CardModel | None, config: str | Path | None = None, command: Layer = NO_OPTIONS) -> Sources:
    """What a model of a card, a file given with `--config` and the command line say.

    Without any TOML file, a shipped config is the weakest layer if its name is the `model_name` that was set (the name
    that the model has in the card does not count). Raises `OSError` and `AxirError`.
    """
    from_card = [] if model is None else model.layers()
    files = [] if config is None else [read_toml_settings(config)]
    layers = [*from_card, *files, command]
    if files or (model is not None and model.config_file is not None):
        return Sources(tuple(layers))
    named = [layer.values().get("model_name") for layer in ([] if model is None else [model.inline]) + [command]]
    name = next((name for name in reversed(named) if name), None)
    chosen = shipped_config(str(name)) if name else None
    if chosen is not None:
        layers.insert(1 if model is not None else 0, read_toml_settings(chosen))
    return Sources(tuple(layers), chosen)
