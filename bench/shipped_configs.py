"""What the shipped configurations gain over the defaults: modelled cycles of a frame, for all memory and for a quarter.

    python bench/shipped_configs.py [NAME ...]            compile with both, compare with the file's comment
    python bench/shipped_configs.py --tune NAME ...       search for settings again; writes the file
    python bench/shipped_configs.py --measure [NAME ...]  only bring the figures in the comments up to date

Every file of axir/compiler/config/models stands for one network here: of the shared folder, or generated with random
weights (time does not depend on them). Scales come from random samples, for the same reason. The search walks through
the alternatives of one setting after the other and keeps what makes the worse of the two memories' gains better.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from generate import generate
from harness import Report, Table
from networks import BUILD, NETWORKS, build
from shared_folder import CHECKOUT, shared_folder

from axir.backends.aipu.image import read_image
from axir.backends.aipu.simulator import Simulator
from axir.compiler import CompilerConfig, quantize
from axir.compiler.config.shipped import shipped_configs
from axir.compiler.quantized_model import QuantizedModel
from axir.ir.diagnostics import AxirError
from axir.ir.files import write_text
from axir.target.description import load

MODELS = CHECKOUT / "axir" / "compiler" / "config" / "models"
RESOURCES = (1.0, 0.25)
LEAST_GAIN = 1.003
"""A move that gains less, both memories together, is left out."""


@dataclass(frozen=True)
class Source:
    """The network that a configuration was measured on: `title` as its comment names it."""

    title: str
    model: str
    shapes: Mapping[str, tuple[int, ...]] | None = None

    def path(self) -> Path | None:
        """The ONNX file; None where it is in a shared folder that is missing."""
        if self.model.endswith(".onnx"):
            shared = shared_folder()
            return None if shared is None else shared / "models" / self.model
        if self.model in NETWORKS:
            return NETWORKS[self.model].path(Path())
        file = BUILD / f"{self.model}.onnx"
        if not file.exists():
            import onnx

            file.parent.mkdir(parents=True, exist_ok=True)
            onnx.save_model(generate(self.model), str(file))
        return file


SOURCES = {
    "resnet18": Source("ResNet-18, 224x224", "resnet18"),
    "resnet34": Source("ResNet-34, 224x224", "resnet34"),
    "resnet50": Source("ResNet-50 v1.5, 224x224", "resnet50_random"),
    "resnet101": Source("ResNet-101 v1.5, 224x224", "resnet101"),
    "mobilenetv2": Source("MobileNetV2, 224x224", "mobilenetv2_imagenet.onnx"),
    "efficientnet_b0": Source("EfficientNet-B0, 224x224", "efficientnet_b0_rand.onnx"),
    "squeezenet1_1": Source("SqueezeNet 1.1, 224x224", "squeezenet1_1_rand.onnx"),
    "unet_small": Source("U-Net of width 8, 256x256", "unet_small_rand.onnx"),
    "prisma_portrait_seg": Source(
        "Prisma portrait segmentation, 256x256", "prisma_portrait_seg.onnx", {"input_3": (1, 3, 256, 256)}
    ),
    "yolov5n": Source("YOLOv5n 6.0, 640x640", "yolov5n"),
    "yolov5s": Source("YOLOv5s 6.0, 640x640", "yolov5s"),
    "yolov8n": Source("YOLOv8n, 640x640", "yolov8n"),
    "yolov8s": Source("YOLOv8s, 640x640", "yolov8s"),
    "yolo11n": Source("YOLO11n measured without its attention, 640x640", "yolo11n_no_attention"),
    "yolo11s": Source("YOLO11s measured without its attention, 640x640", "yolo11s_no_attention"),
    "yunet": Source("YuNet, 320x320", "yunet_n_320.onnx"),
    "fastestdet": Source("FastestDet, 352x352", "fastestdet.onnx"),
    "ppocr_cls": Source("PP-OCR angle classifier, 48x192", "ppocr_cls.onnx", {"x": (1, 3, 48, 192)}),
    "ppocrv4_det": Source("PP-OCRv4 text detection, 640x640", "ppocrv4_det.onnx", {"x": (1, 3, 640, 640)}),
    "minifasnetv2": Source("MiniFASNetV2, 80x80", "minifasnetv2_80.onnx"),
}

MOVES: tuple[dict[str, object], ...] = (
    {"imc_double_buffer_pipeline": True, "imc_double_buffer_sequential": True},
    {"tiling_depth": 6},
    {"tiling_depth": 6, "split_buffer_promotion": True},
    {"group_ifdw_tasks": True},
    {"use_sysdma": True},
    {"unroll_prologue_epilogue": True},
    {"ignore_weight_buffers": False},
    {"use_list_scheduler": True},
)
"""What the search tries, in this order, on top of what has won so far."""

Cycles = tuple[int | None, ...]
"""Of a frame, for each of `RESOURCES`; None where the network does not fit."""


def cycles(model: QuantizedModel, settings: Mapping[str, object]) -> Cycles:
    """Modelled cycles of a frame, launch included."""
    result: list[int | None] = []
    for resources in RESOURCES:
        try:
            image = build(model, CompilerConfig(**settings, resources_used=resources))
        except AxirError:
            result.append(None)
            continue
        target = load()
        result.append(Simulator(read_image(image, target), target).timing().cycles)
    return tuple(result)


def gains(before: Cycles, after: Cycles) -> list[float]:
    """Frames a second, times the defaults'; infinite where only `after` fits, 0 where only `before` does."""
    found: list[float] = []
    for old, new in zip(before, after, strict=True):
        if old is None or new is None:
            found.append(1.0 if old is new else math.inf if old is None else 0.0)
        else:
            found.append(old / new)
    return found


def tune(model: QuantizedModel, default: Cycles) -> dict[str, object]:
    """Settings that make the network faster with all of the memory or with a quarter, and slower with neither."""
    chosen: dict[str, object] = {}
    best = default
    for move in MOVES:
        candidate = chosen | move
        found = cycles(model, candidate)
        step = gains(best, found)
        if min(step) >= 1.0 and math.prod(step) ** (1 / len(step)) >= LEAST_GAIN:
            chosen, best = candidate, found
            print(f"    {', '.join(f'{name} = {value}' for name, value in move.items())}: {found}", flush=True)
    return chosen


def heading(source: Source, default: Cycles, tuned: Cycles) -> str:
    """The first two lines of a file: what it gains, and the cycles that were measured."""
    gain = [f"{gain:.2f}" if 0 < gain < math.inf else "new" for gain in gains(default, tuned)]
    counts = [
        f"{'does not fit' if old is None else f'{old:,}'} -> {'does not fit' if new is None else f'{new:,}'}"
        for old, new in zip(default, tuned, strict=True)
    ]
    return (
        f"# {source.title}: {gain[0]} times the frames of the defaults, {gain[1]} with a quarter of the memory\n"
        f"# Cycles of a frame (modelled, no chip): {counts[0]}, with resources_used 0.25 {counts[1]}\n"
    )


def written(name: str, source: Source, default: Cycles, tuned: Cycles, settings: Mapping[str, object]) -> str:
    """The content of a shipped file."""
    from axir.compiler.config.document import toml_value

    lines = [heading(source, default, tuned)]
    lines.append(f"# Measured again by: python bench/shipped_configs.py {name}\n\n")
    config = CompilerConfig(**settings)
    lines += [f"{key} = {toml_value(value)}\n" for key, value in config.values().items() if key in settings]
    return "".join(lines)


def settings_of(name: str) -> dict[str, object]:
    """The settings that a shipped file has."""
    return dict(CompilerConfig.from_toml(MODELS / f"{name}.toml").changed())


def quantized(source: Source, path: Path) -> QuantizedModel:
    return quantize(path, config=CompilerConfig(), input_shapes=source.shapes)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(SOURCES)} (default: all)")
    parser.add_argument("--tune", action="store_true", help="search for settings, and write the file")
    parser.add_argument("--measure", action="store_true", help="write the figures of this version into the files")
    parser.add_argument("--no-bars", action="store_true", help="only print: a missed bar is no failure")
    arguments = parser.parse_args()
    for name in arguments.names:
        if name not in SOURCES:
            parser.error(f"there is no configuration '{name}'; there are {', '.join(SOURCES)}")
    report = Report("Shipped configurations against the defaults (modelled cycles, no chip)", arguments.no_bars)
    table = Table(configuration=-20, default=12, tuned=12, gain=5, default_quarter=15, tuned_quarter=13, gain_=5)
    missing = [file.stem for file in shipped_configs() if file.stem not in SOURCES]
    stale: list[str] = []
    slower: list[str] = []
    for name in arguments.names or SOURCES:
        source = SOURCES[name]
        path = source.path()
        if path is None:
            print(f"{name}: skipped, no shared folder")
            continue
        model = quantized(source, path)
        default = cycles(model, {})
        settings = tune(model, default) if arguments.tune else settings_of(name)
        tuned = cycles(model, settings)
        gain = gains(default, tuned)
        table.row(name, default[0], tuned[0], f"{gain[0]:.2f}", default[1], tuned[1], f"{gain[1]:.2f}")
        file = MODELS / f"{name}.toml"
        if arguments.tune or arguments.measure:
            write_text(file, written(name, source, default, tuned, settings))
        elif not file.read_text("utf-8").startswith(heading(source, default, tuned)):
            stale.append(name)
        if min(gain) < 1:
            slower.append(name)
    print()
    report.bar(not missing, f"every shipped file is measured here{': not ' + ', '.join(missing) if missing else ''}")
    report.bar(not slower, f"none is slower than the defaults{': ' + ', '.join(slower) if slower else ''}")
    report.bar(not stale, f"the comments say what was measured{': not ' + ', '.join(stale) if stale else ''}")
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
