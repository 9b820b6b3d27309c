"""Several cores: what each way of working reaches, what bounds it, and modelled rates beside published ones.

    python bench/multicore.py [NETWORK ...]

For each network the ways of `axc --multicore auto` are built and timed, with the settings of the shipped configuration:
one core, instances side by side, batch, cooperative, pipeline. Then the rate of the best way stands beside the vendor's
published rate (zoo_fps.csv: a whole video pipeline on a host, of decoded 720p frames) and measurements of chips
(silicon_models.csv) of the shared folder. Weights are random where that changes no time; scales come from random
samples. Every rate of ours is modelled; no chip was involved.
"""

from __future__ import annotations

import csv
import sys
from dataclasses import dataclass
from pathlib import Path

from harness import Report, Table, add_networks, make_parser, need_shared_folder, networks_of
from shipped_configs import Source

from axir.compiler import CompilerConfig, quantize
from axir.compiler.config import find_config
from axir.compiler.multicore import Trial, Way, best, try_ways
from axir.compiler.session import Session
from axir.target.description import load

BAR_SCALING = 3.6
BAR_LATENCY = 2.0
FAR = 0.25
"""Differences from a published rate beyond this share get a reason."""


@dataclass(frozen=True)
class Model:
    """A network: its source, its shipped configuration, its names in the two tables of published rates."""

    source: Source
    config: str
    zoo: str
    chip: str | None = None


MODELS = {
    "resnet18": Model(Source("ResNet-18", "resnet18"), "resnet18", "ResNet-18"),
    "resnet34": Model(Source("ResNet-34", "resnet34"), "resnet34", "ResNet-34", "ResNet-34"),
    "resnet50": Model(Source("ResNet-50", "resnet50_random"), "resnet50", "ResNet-50 v1.5", "ResNet-50"),
    "mobilenetv2": Model(Source("MobileNetV2", "mobilenetv2_imagenet.onnx"), "mobilenetv2", "MobileNetV2"),
    "squeezenet1_1": Model(Source("SqueezeNet 1.1", "squeezenet1_1_rand.onnx"), "squeezenet1_1", "SqueezeNet 1.1"),
    "efficientnet_b0": Model(
        Source("EfficientNet-B0", "efficientnet_b0_rand.onnx"), "efficientnet_b0", "EfficientNet-B0"
    ),
    "yolov8n": Model(Source("YOLOv8n", "yolov8n_rand.onnx"), "yolov8n", "YOLOv8n"),
    "yolo11n": Model(Source("YOLO11n", "yolo11n_rand.onnx"), "yolo11n", "YOLO11n"),
}

NEEDED = {"resnet50": True, "yolov8n": True, "yolo11n": True}
"""Networks whose frame four cores together must finish in half the time."""


def trials_of(model: Model) -> list[Trial]:
    """Every way, with the settings of the shipped configuration."""
    path = model.source.path()
    assert path is not None
    config = CompilerConfig.from_toml(find_config(model.config + ".toml")).replace(
        use_sysdma=False, use_list_scheduler=False, aipu_cores_used=1, multicore_mode="multiprocess", resources_used=1.0
    )
    quantized = quantize(path, None, config, input_shapes=model.source.shapes)
    session = Session(config, load(None))
    session.context.store.update(quantized.store)
    return try_ways(quantized.module, session)


def published(folder: Path) -> tuple[dict[str, float], dict[str, list[tuple[str, float]]]]:
    """Rates of the vendor's table by model, and of chips by model with what was timed."""
    with (folder / "reference" / "zoo_fps.csv").open() as file:
        zoo = {row["model"]: float(row["pcie_fps"]) for row in csv.DictReader(file) if row["pcie_fps"]}
    chips: dict[str, list[tuple[str, float]]] = {}
    with (folder / "reference" / "silicon_models.csv").open() as file:
        for row in csv.DictReader(file):
            if row["fps"] and "Alpha" not in row["board"] and row["cores"] == "4":
                chips.setdefault(row["model"].split(" (")[0], []).append((row["board"], float(row["fps"])))
    return zoo, chips


def main() -> int:
    parser = make_parser(__doc__)
    add_networks(parser, list(MODELS))
    arguments = parser.parse_args()
    folder = need_shared_folder()
    report = Report("Several cores (modelled, no chip)", arguments.no_bars)
    zoo, chips = published(folder)
    results: dict[str, list[Trial]] = {}
    for name in networks_of(arguments):
        print(f"{MODELS[name].source.title}")
        results[name] = trials_of(MODELS[name])
        ways_table(results[name])
        print()
    silicon_table(results, zoo, chips)
    print()
    bars(report, results)
    return report.finish()


def ways_table(trials: list[Trial]) -> None:
    table = Table(
        mode=-12, cores=5, instances=9, latency_ms=10, speed_up=8, system_fps=10, DDR_MiB=7, busiest_shared=-14
    )
    alone = trials[0]
    for trial in trials:
        if trial.refusal is not None:
            print(f"{trial.way}: {trial.refusal}")
            continue
        shared = "-" if trial.busiest is None else f"{trial.busiest[0]} {trial.busiest[1]:.0%}"
        table.row(
            trial.way.multicore_mode, trial.way.aipu_cores_used, trial.instances, f"{trial.latency * 1e3:.3f}",
            f"{alone.latency / trial.latency:.2f}", f"{trial.fps:,.0f}", f"{trial.ddr_bytes / 2**20:.2f}", shared,
        )  # fmt: skip


def silicon_table(
    results: dict[str, list[Trial]], zoo: dict[str, float], chips: dict[str, list[tuple[str, float]]]
) -> None:
    """The best way beside published rates, with a reason for what is far off."""
    table = Table(network=-16, best_way=-14, modelled_fps=12, published=9, ratio=6, chips=-40)
    reasons: list[str] = []
    for name, trials in results.items():
        model, chosen = MODELS[name], best(trials, "throughput")
        rate = zoo[model.zoo]
        measured = chips.get(model.chip or "", [])
        found = ", ".join(f"{board} {fps:,.0f}" for board, fps in measured)
        ours, ratio = f"{chosen.fps:,.0f}", f"{chosen.fps / rate:.2f}"
        table.row(model.source.title, str(chosen.way), ours, f"{rate:,.0f}", ratio, found)
        if abs(chosen.fps / rate - 1) > FAR:
            reasons.append(f"{model.source.title}: {_reason(chosen, rate, measured)}")
    print("\npublished: PCIe card, whole video pipeline on an i9 host; reasons for differences over 25 %:")
    print("\n".join(reasons) or "none")


def _reason(trial: Trial, rate: float, chips: list[tuple[str, float]]) -> str:
    """Why a modelled rate is far from the published one, as far as the tables and the model tell."""
    if trial.fps > rate:
        faster = [f"{fps:,.0f} on {board}" for board, fps in chips if fps > rate]
        more = f"; measured without a pipeline: {', '.join(faster)}" if faster else ""
        return (
            "the published rate has decoding and scaling of video on the host in it, which ours has not, and measured "
            f"programs do not overlap activation copies with compute (bench/time_model.py), which ours do{more}"
        )
    shared = "nothing that is shared is busy" if trial.busiest is None else f"{trial.busiest[0]} {trial.busiest[1]:.0%}"
    return f"channels padded to 64 and the assumed depthwise and vector rates (metis.toml) bound us; {shared} in use"


def bars(report: Report, results: dict[str, list[Trial]]) -> None:
    for name, trials in results.items():
        found = {trial.way: trial for trial in trials if trial.refusal is None}
        one, four = found.get(Way("multiprocess", 1, 0.25)), found.get(Way("batch", 4, 1.0))
        together = found.get(Way("cooperative", 4, 1.0))
        title = MODELS[name].source.title
        if name == "mobilenetv2" and one is not None:
            ratio = one.device_scaling
            report.bar(ratio >= BAR_SCALING, f"{title}: four instances {ratio:.2f} x one core (bar {BAR_SCALING})")
        if name == "resnet50" and one is not None and four is not None:
            report.bar(four.fps > one.fps, f"{title}: batch {four.fps:,.0f} against {one.fps:,.0f} frames a second")
        if name in NEEDED and together is not None:
            speed_up = trials[0].device_latency / together.device_latency
            report.bar(speed_up >= BAR_LATENCY, f"{title}: four cores {speed_up:.2f} x one core (bar {BAR_LATENCY:g})")


if __name__ == "__main__":
    sys.exit(main())
