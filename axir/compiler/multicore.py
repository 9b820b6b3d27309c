"""`--multicore auto`: the ways for cores to work tried one by one on the device model, and the best taken."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from xdsl.dialects.builtin import ModuleOp

from axir.backends.aipu.assemble import programs_of
from axir.backends.aipu.image import build_image, read_image
from axir.backends.aipu.simulator import Instance, simulate, steady_state
from axir.backends.aipu.structure import Image
from axir.compiler.compiled_model import RUNTIME_SETTINGS, device_segment
from axir.compiler.pipeline import DEVICE_PASSES
from axir.compiler.session import Session
from axir.ir.diagnostics import AxirError
from axir.runtime.model_file import transfers_of
from axir.runtime.options import RuntimeOptions
from axir.runtime.timing import RUNS, FrameTimes, side_by_side

Goal = Literal["latency", "throughput"]
GOALS: tuple[Goal, ...] = ("latency", "throughput")


@dataclass(frozen=True)
class Way:
    """How the cores of a device work: a mode, the cores of one program, and the fraction of memory that it may use."""

    multicore_mode: str
    aipu_cores_used: int
    resources_used: float

    @property
    def settings(self) -> dict[str, Any]:
        return asdict(self)

    def __str__(self) -> str:
        return f"{self.multicore_mode} {self.aipu_cores_used}"


@dataclass(frozen=True)
class Trial:
    """What a way reaches, modelled.

    `latency` is in seconds from handing over a frame to its results, `device_latency` the device's part of it; `fps`
    are frames a second of all `instances` that fit the device, and `device_scaling` how many times the device's rate of
    one they have. `ddr_bytes` are those that a frame moves; `busiest` is the resource that instances share and use
    most, and how much. Of a way that does not fit, `refusal` says why.
    """

    way: Way
    instances: int = 0
    latency: float = float("inf")
    device_latency: float = float("inf")
    fps: float = 0.0
    device_scaling: float = 1.0
    ddr_bytes: int = 0
    busiest: tuple[str, float] | None = None
    refusal: str | None = None


def ways(cores: int) -> list[Way]:
    """The ways that are tried on a device of so many cores: alone with all memory, side by side, and together."""
    found = [Way("multiprocess", 1, 1.0), Way("multiprocess", 1, 0.25)]
    for count in sorted({2, cores}):
        if 2 <= count <= cores:
            found += [Way(mode, count, count / 4) for mode in ("batch", "cooperative", "pipeline")]
    return found


def try_ways(module: ModuleOp, session: Session) -> list[Trial]:
    """Build and time the module's quantized graphs in every way, with at most as many cores as the settings say if that
    is more than one."""
    limit = session.config.aipu_cores_used if session.config.aipu_cores_used > 1 else session.target.device.cores
    return [_trial(module.clone(), way, session) for way in ways(limit)]


def best(trials: Sequence[Trial], goal: Goal) -> Trial:
    """The trial that reaches most; of equal ones the first, which is the simplest. Raises `AxirError` if none fits."""
    fitting = [trial for trial in trials if trial.refusal is None]
    if not fitting:
        notes = [f"{trial.way}: {trial.refusal}" for trial in trials]
        raise AxirError("the network fits the device in no multicore mode", notes=notes)
    if goal == "latency":
        return min(fitting, key=lambda trial: trial.latency)
    return max(fitting, key=lambda trial: trial.fps)


def _trial(module: ModuleOp, way: Way, session: Session) -> Trial:
    trial = Session(session.config.replace(**way.settings), session.target, options=session.options)
    trial.context.store.update(session.context.store)
    try:
        trial.run(module, *DEVICE_PASSES)
        images = [
            read_image(build_image(program, trial.context.store, trial.target), trial.target)
            for program in programs_of(module)
        ]
    except AxirError as error:
        return Trial(way, refusal=error.message if error.node is None else f"[{error.node}] {error.message}")
    return _timed(images, way, trial)


def _timed(images: Sequence[Image], way: Way, session: Session) -> Trial:
    target, cores = session.target, way.aipu_cores_used
    options = RuntimeOptions(**{name: getattr(session.config, name) for name in RUNTIME_SETTINGS})
    transfers = transfers_of([device_segment(image.name, number, image) for number, image in enumerate(images)])
    frames = images[0].frames
    count = max(1, min(target.device.cores // cores, int(1 / way.resources_used)))
    alone = FrameTimes.of(side_by_side(images, 1, cores, target), transfers, target, options, 1, frames)
    together = alone
    if count > 1:
        cycles = side_by_side(images, count, cores, target)
        together = FrameTimes.of(cycles, transfers, target, options, count, frames)
    instances = [Instance(images[0], number * cores) for number in range(count)]
    timings = simulate(instances, target, RUNS, link=True, double_buffer=options.double_buffer)
    shared = [entry for entry in steady_state(timings).shares if not entry[0].startswith("core")]
    ddr = sum(simulate([Instance(image)], target)[0].ddr_bytes for image in images) // frames
    return Trial(
        way,
        count,
        alone.latency,
        alone.latency_device,
        together.system_fps,
        together.device_fps / alone.device_fps,
        ddr,
        shared[0] if shared else None,
    )


def to_json(trials: Sequence[Trial], chosen: Trial, goal: Goal) -> dict[str, Any]:
    """For compilation_report.json."""
    return {
        "goal": goal,
        "chosen": chosen.way.settings,
        "trials": [
            trial.way.settings
            | (
                {"refusal": trial.refusal}
                if trial.refusal is not None
                else {
                    "instances": trial.instances,
                    "latency_s": trial.latency,
                    "system_fps": trial.fps,
                    "ddr_bytes": trial.ddr_bytes,
                    "busiest_shared": None if trial.busiest is None else list(trial.busiest),
                }
            )
            for trial in trials
        ],
    }
