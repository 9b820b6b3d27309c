"""What a command line of `axc` asks for: the compilation of one model, or one for each model of a card."""

from __future__ import annotations

import argparse
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from axir.compiler.config import Resolved, find_config, read_card, resolve
from axir.compiler.config.card import Card, CardModel, is_card
from axir.compiler.config.layers import Layer, command_line
from axir.compiler.config.sources import Sources, sources
from axir.ir.diagnostics import AxirError

LAYOUTS, COLORS = ("NCHW", "NHWC"), ("rgb", "bgr", "gray")
USAGE = "usage: axc MODEL -o DIR; axc --help explains"


@dataclass(frozen=True)
class Compilation:
    """One model and its settings.

    `given` is what the command line says; `arguments` add what the card says where the command line is silent.
    """

    given: argparse.Namespace
    arguments: argparse.Namespace
    sources: Sources
    resolved: Resolved
    config_file: Path | None
    card: Card | None = None
    model: CardModel | None = None
    several: bool = False

    @property
    def output(self) -> Path:
        """The folder of its artifacts. Raises `AxirError` where none was given."""
        folder = self.arguments.output or self.resolved.config.output_dir
        if folder is None:
            raise AxirError("no output folder given", notes=(USAGE,))
        return Path(folder) / self.model.name if self.model is not None and self.several else Path(folder)

    @property
    def writes(self) -> bool:
        """Whether an output folder was given."""
        return bool(self.arguments.output or self.resolved.config.output_dir)

    @property
    def dump_ir(self) -> Path | None:
        """The folder for the module after every stage."""
        folder = self.arguments.dump_ir
        if folder is None:
            return None
        return Path(folder) / self.model.name if self.model is not None and self.several else Path(folder)

    @property
    def written(self) -> argparse.Namespace:
        """The arguments that repeat this compilation, and only this."""
        if self.model is None or not self.several:
            return self.given
        changed = {"card_model": self.model.name, "output": str(self.output)}
        if self.dump_ir is not None:
            changed["dump_ir"] = str(self.dump_ir)
        return argparse.Namespace(**vars(self.given) | changed)

    def check(self, *, written: bool = True) -> None:
        """Raises `AxirError` where something is missing: the model, its weights, an output folder if one is written."""
        if self.model is not None:
            self.model.check()
        elif self.arguments.model is None:
            raise AxirError("no model given", notes=(USAGE,))
        if written:
            _ = self.output

    @contextmanager
    def network(self) -> Generator[Path]:
        """The file to compile; for weights of PyTorch, a model that is exported for as long as the block runs."""
        if self.model is None:
            yield Path(self.arguments.model)
        elif self.model.weight_path.suffix.lower() == ".pt":
            from axir.compiler.yolo_export import exported_model

            opset = self.resolved.config.onnx_opset_version
            with exported_model(self.model.weight_path, opset, self.model.input_shape) as file:
                yield file
        else:
            yield self.model.weight_path

    def input_shapes(self, network: Path) -> dict[str, tuple[int, ...]]:
        """Shapes by input name, from the command line or the card. Raises `AxirError`."""
        from axir.tools.arguments import input_shapes

        given = input_shapes(self.arguments.input_shape)
        if given or self.model is None or self.model.input_shape is None:
            return given
        from axir.compiler.card_input import card_input_shapes

        return card_input_shapes(network, self.model.input_shape, self.model.place_of("input_tensor_shape"))

    def reads(self) -> Sequence[Path]:
        """The files of a card that belong to the input."""
        files = [] if self.model is None else [self.model.card, self.model.weight_path, self.model.config_file]
        return [file for file in (*files, self.config_file) if file is not None]

    def notes(self) -> Sequence[str]:
        """What the log says about where the settings come from."""
        from axir.tools.explain import history_lines, source_lines

        return [*source_lines(self.sources, self.config_file), *history_lines(self.resolved)]


def compilations(arguments: argparse.Namespace) -> list[Compilation]:
    """What to compile, in the order of the card. Raises `OSError` and `AxirError`."""
    command = command_layer(arguments)
    config = None if arguments.config is None else find_config(arguments.config)
    if arguments.model is None or not is_card(arguments.model):
        if arguments.card_model is not None:
            raise AxirError("--model names a model of a card", notes=("give a card: axc CARD.yaml --model NAME",))
        found = sources(None, config, command)
        return [Compilation(arguments, _with_card(arguments, None), found, resolve(found.layers), config)]
    card = read_card(arguments.model)
    several = arguments.card_model is None and len(card.models) > 1
    models = list(card.models.values()) if several else [card.pick(arguments.card_model)]
    made: list[Compilation] = []
    for model in models:
        found = sources(model, config, command)
        merged = _with_card(arguments, model)
        made.append(Compilation(arguments, merged, found, resolve(found.layers), config, card, model, several))
    return made


def command_layer(arguments: argparse.Namespace) -> Layer:
    """The settings on the command line: `--set` in order, then the short forms. Raises `AxirError`."""
    options = [("--set", text) for text in arguments.set]
    if arguments.aipu_cores is not None:
        options.append(("--aipu-cores", f"aipu_cores_used={arguments.aipu_cores}"))
    if arguments.resources is not None:
        options.append(("--resources", f"resources_used={arguments.resources}"))
    if arguments.multicore is not None and arguments.multicore != "auto":
        options.append(("--multicore", f"multicore_mode={arguments.multicore}"))
    if arguments.quantize_only:
        options.append(("--quantize-only", "compiler_mode=quantize_only"))
    return command_line(options)


def _with_card(arguments: argparse.Namespace, model: CardModel | None) -> argparse.Namespace:
    """The arguments; where they do not say, what the card says, or else the default. Raises `AxirError`."""
    merged = argparse.Namespace(**vars(arguments))
    if model is not None:
        if merged.num_cal_images is None:
            merged.num_cal_images = model.number("num_cal_images", 1)
        if merged.cal_seed is None:
            merged.cal_seed = model.number("cal_seed", 0)
        if merged.imageset is not None:
            if merged.input_data_layout is None and model.layout is not None:
                merged.input_data_layout = _supported(model, "input_tensor_layout", model.layout, LAYOUTS)
            if merged.color_format is None and model.color is not None:
                merged.color_format = _supported(model, "input_color_format", model.color.lower(), COLORS)
    merged.cal_seed = merged.cal_seed or 0
    merged.input_data_layout = merged.input_data_layout or LAYOUTS[0]
    merged.color_format = merged.color_format or COLORS[0]
    return merged


def _supported(model: CardModel, key: str, value: str, choices: Sequence[str]) -> str:
    if value not in choices:
        raise AxirError(
            f"--imageset cannot make images for {key} {value}",
            location=model.place_of(key),
            notes=(f"it can for {', '.join(choices)}; others calibrate with --calibration",),
        )
    return value
