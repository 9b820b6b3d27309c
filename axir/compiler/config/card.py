"""Model cards: YAML files that name models, their weights and how to compile them."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cached_property
from pathlib import Path

from axir.compiler.config import card_keys
from axir.compiler.config.card_keys import BELONGS, CARD, CLASSES, COMPILATION, EXTRA, MODEL, Level
from axir.compiler.config.layers import Layer, Written, read_toml_settings, settings_layer
from axir.compiler.config.node import Entry, Node, Place
from axir.compiler.config.shipped import find_config
from axir.compiler.config.table import by_any_name, by_former_name
from axir.compiler.config.yaml_file import read_yaml
from axir.ir.diagnostics import AxirError

CARD_SUFFIXES = (".yaml", ".yml")
TORCH_SUFFIXES = (".pt", ".pth")

_Mapping = Mapping[str, Entry]


@dataclass(frozen=True)
class CardModel:
    """One model of a card. What a property reads is checked when it is read, with the place in the card."""

    card: Path
    name: str
    place: Place
    keys: _Mapping
    extra: _Mapping
    inline: Layer

    @cached_property
    def class_name(self) -> str:
        """One of `CLASSES`. Raises `AxirError`."""
        node = self._required("class")
        name = node.text("class")
        if name not in CLASSES:
            folded = {known.lower(): known for known in CLASSES}
            # Strict, since all names of classes begin and end alike.
            near = get_close_matches(name.lower(), folded, n=1, cutoff=0.8)
            note = (
                f"did you mean {folded[near[0]]}?"
                if near
                else f"supported are {' and '.join(CLASSES)}; export other networks to ONNX first"
            )
            raise AxirError(f"the class '{name}' is not supported", location=str(node.place), notes=(note,))
        return name

    @cached_property
    def weight_path(self) -> Path:
        """The file of the weights, which may not exist; a relative path starts at the card. Raises `AxirError`."""
        return self.card.parent / _expanded(self._required("weight_path"), "weight_path")

    def check(self) -> None:
        """Raises `AxirError` for an unknown class, and where there is no file of weights or one of the wrong kind."""
        class_name = self.class_name
        place, path = str(self._required("weight_path").place), self.weight_path
        if not path.exists():
            url = self.keys.get("weight_url")
            download = f"axc downloads nothing; weight_url is {url.node.plain()}" if url else ""
            note = download or "a relative weight_path starts at the folder of the card"
            raise AxirError(f"there is no file {path}", location=place, notes=(note,))
        suffix = path.suffix.lower()
        if suffix in TORCH_SUFFIXES and (class_name != card_keys.YOLO_MODEL or suffix != ".pt"):
            raise AxirError(
                f"the class {class_name} cannot read {path.name}",
                location=place,
                notes=(f"give an .onnx file; {card_keys.YOLO_MODEL} also reads .pt, with ultralytics installed",),
            )

    @cached_property
    def config_file(self) -> Path | None:
        """The TOML file of `compiler_config_file`. Raises `AxirError` where it is not found."""
        entry = self.extra.get("compiler_config_file")
        if entry is None:
            return None
        return find_config(_expanded(entry.node, "compiler_config_file"), self.card, entry.node.place)

    @cached_property
    def input_shape(self) -> tuple[int, ...] | None:
        """`input_tensor_shape`. Raises `AxirError`."""
        entry = self.keys.get("input_tensor_shape")
        if entry is None:
            return None
        sizes = [item.plain() for item in entry.node.items]
        shape = tuple(size for size in sizes if isinstance(size, int) and not isinstance(size, bool) and size > 0)
        if not shape or len(shape) != len(sizes):
            raise AxirError(
                f"input_tensor_shape is {entry.node.plain()!r}; it must be a list of sizes",
                location=str(entry.node.place),
                notes=("for example [1, 3, 224, 224]",),
            )
        return shape

    @cached_property
    def layout(self) -> str | None:
        """`input_tensor_layout`, one of `LAYOUTS`. Raises `AxirError`."""
        return self._choice("input_tensor_layout", card_keys.LAYOUTS)

    @cached_property
    def color(self) -> str | None:
        """`input_color_format`, one of `COLORS`. Raises `AxirError`."""
        return self._choice("input_color_format", card_keys.COLORS)

    def number(self, key: str, least: int) -> int | None:
        """A whole number of `extra_kwargs`. Raises `AxirError`."""
        entry = self.extra.get(key)
        if entry is None:
            return None
        value = entry.node.value
        if not isinstance(value, int) or isinstance(value, bool) or value < least:
            raise AxirError(
                f"{key} is {entry.node.describe()}; it must be a whole number, >= {least}",
                location=str(entry.node.place),
            )
        return value

    def layers(self) -> list[Layer]:
        """Its settings, the weakest layer first: the name it has in the card, those of its TOML file, its own.

        Raises `OSError` and `AxirError`.
        """
        name = Written("model_name", self.name, self.name, str(self.place), self.place)
        file = self.config_file
        toml = [] if file is None else [read_toml_settings(file)]
        return [Layer(f"{self.card}: name of the model", (name,)), *toml, self.inline]

    def unused(self) -> list[str]:
        """The keys that the compiler does not read."""
        return [
            *_unused(self.keys, MODEL, MODEL.path(self.name)),
            *_unused(self.extra, EXTRA, EXTRA.path(self.name)),
        ]

    def warnings(self) -> Iterator[str]:
        """Keys that are not used although they sound like settings."""
        for key, setting in card_keys.DEPLOYMENT.items():
            if key in self.extra:
                yield (
                    f"{self.extra[key].place}: {key} is for deployment and not used; "
                    f"the compiler's setting is {setting}, in compilation_config"
                )

    def place_of(self, key: str) -> str:
        """Where the value of a key of the model, or of its `extra_kwargs`, stands."""
        return str((self.keys.get(key) or self.extra[key]).node.place)

    def _required(self, key: str) -> Node:
        if key not in self.keys:
            raise AxirError(
                f"the model '{self.name}' has no '{key}'",
                location=str(self.place),
                notes=("a model needs class and weight_path",),
            )
        return self.keys[key].node

    def _choice(self, key: str, choices: tuple[str, ...]) -> str | None:
        entry = self.keys.get(key)
        if entry is None:
            return None
        value = entry.node.value
        if not isinstance(value, str) or value.upper() not in choices:
            raise AxirError(
                f"{key} is {entry.node.describe()}; it must be one of {', '.join(choices)}",
                location=str(entry.node.place),
            )
        return value.upper()


@dataclass(frozen=True)
class Card:
    """A card: its models in the order of the file."""

    path: Path
    models: Mapping[str, CardModel]
    keys: _Mapping

    def pick(self, name: str | None = None) -> CardModel:
        """The model of a name, or the only one. Raises `AxirError`."""
        if name is None and len(self.models) == 1:
            return next(iter(self.models.values()))
        listed = ", ".join(self.models)
        if name is None:
            raise AxirError("the card has several models", location=str(self.path), notes=(f"they are: {listed}",))
        if name not in self.models:
            near = get_close_matches(name, self.models, n=1)
            note = f"did you mean '{near[0]}'?" if near else f"its models are: {listed}"
            raise AxirError(f"the card has no model '{name}'", location=str(self.path), notes=(note,))
        return self.models[name]

    def unused(self) -> list[str]:
        """The keys at the top of the card that the compiler does not read."""
        return _unused(self.keys, CARD, "")


def is_card(path: str | Path) -> bool:
    """Whether a file is taken for a card: by its suffix."""
    return Path(path).suffix.lower() in CARD_SUFFIXES


def read_card(path: str | Path) -> Card:
    """The models of a card.

    Raises `OSError`, and `AxirError` with file, line and column: for what `read_yaml` refuses, settings that stand in
    the wrong place or are wrong themselves, and keys that are nearly, but not quite, those of a card.
    """
    card = Path(path)
    keys = read_yaml(card).mapping("the card")
    _check_keys(keys, CARD, "")
    if "models" not in keys:
        raise AxirError("the card has no 'models'", location=str(path), notes=("docs/config.md shows a card",))
    entries = keys["models"].node.mapping("models")
    if not entries:
        raise AxirError("the card has no models", location=str(keys["models"].node.place))
    return Card(card, {name: _model(card, entry) for name, entry in entries.items()}, keys)


def _model(card: Path, entry: Entry) -> CardModel:
    name = entry.key
    if not name or name in (".", "..") or "/" in name or "\\" in name or "\0" in name:
        note = "its name becomes that of a folder"
        raise AxirError(f"a model cannot be called '{name}'", location=str(entry.place), notes=(note,))
    keys = entry.node.mapping(MODEL.path(name))
    _check_keys(keys, MODEL, name)
    extra = _inside(keys, "extra_kwargs", EXTRA.path(name))
    _check_keys(extra, EXTRA, name)
    settings = _inside(extra, "compilation_config", COMPILATION.path(name))
    for key, inner in settings.items():
        if BELONGS.get(key, COMPILATION) is not COMPILATION:
            raise _misplaced(inner, COMPILATION, name)
    inline = settings_layer(f"{card}: compilation_config of {name}", settings)
    model = CardModel(card, name, entry.place, keys, extra, inline)
    _ = model.layout, model.color, model.input_shape, model.number("num_cal_images", 1), model.number("cal_seed", 0)
    return model


def _inside(keys: _Mapping, key: str, what: str) -> _Mapping:
    """The mapping under a key, which may be absent, or empty because all its lines are commented out."""
    if key not in keys or keys[key].node.value is None:
        return {}
    return keys[key].node.mapping(what)


def _check_keys(keys: _Mapping, level: Level, model: str) -> None:
    """Raises `AxirError` for a key that belongs elsewhere, and for one that is nearly a key or a setting."""
    settings = [*by_any_name(), *by_former_name()]
    for key, entry in keys.items():
        if key in level.known:
            continue
        if key in BELONGS or key in settings:
            raise _misplaced(entry, level, model)
        near = get_close_matches(key, [*level.known, *BELONGS, *settings], n=1, cutoff=0.8)
        if near:
            owner = BELONGS.get(near[0], level if near[0] in level.known else COMPILATION)
            where = "" if owner is level else f", in {owner.path(model or 'MODEL')}"
            raise AxirError(
                f"there is no key '{key}'", location=str(entry.place), notes=(f"did you mean '{near[0]}'{where}?",)
            )


def _misplaced(entry: Entry, level: Level, model: str) -> AxirError:
    """The error for a known key in the wrong mapping."""
    key = entry.key
    what = "key" if key in BELONGS else "compiler setting"
    here = f"directly in {level.path(model)}" if level.path(model) else "at the top of the card"
    owner = BELONGS.get(key, COMPILATION).path(model or "MODEL")
    belongs = f"in {owner}" if owner else "at the top of the card"
    return AxirError(f"the {what} '{key}' stands {here}", location=str(entry.place), notes=(f"it belongs {belongs}",))


def _unused(keys: _Mapping, level: Level, where: str) -> list[str]:
    return [f"{where}.{key}".lstrip(".") for key in keys if key not in level.used]


def _expanded(node: Node, what: str) -> str:
    """A path with `~` and environment variables replaced. Raises `AxirError` for a variable that is not set."""
    text = os.path.expandvars(node.text(what))
    if "$" in text:
        problem = f"{what} is {node.describe()}: an environment variable in it is not set"
        raise AxirError(problem, location=str(node.place))
    return os.path.expanduser(text)
