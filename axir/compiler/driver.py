"""A whole compilation: from a model to the folder of artifacts."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from xdsl.dialects.builtin import ModuleOp

from axir.compiler import calibration, multicore
from axir.compiler.check import OneFrame, check
from axir.compiler.compiled_model import CompiledModel, write_compiled_model
from axir.compiler.config import CompilerConfig
from axir.compiler.config.checks import idle
from axir.compiler.dataset import Samples
from axir.compiler.error_artifact import write_error_artifact
from axir.compiler.graph_stage import DUMP_SETTINGS, run_graph_passes, warn_of_unused
from axir.compiler.memory_map import apply_memory_map
from axir.compiler.multicore import Goal
from axir.compiler.multicore_text import choice_lines
from axir.compiler.output import (
    ARGUMENTS,
    ERROR_ARTIFACT,
    LOG,
    REPORT,
    TRACE,
    OutputFolder,
    check_removable,
    record_refusal,
    write_json,
)
from axir.compiler.pipeline import DEVICE_PASSES, QUANTIZE_PASSES
from axir.compiler.quantization_debug import DEBUG_FOLDER, DEBUG_SAMPLES, write_debug
from axir.compiler.quantized_model import QuantizedModel
from axir.compiler.request import Request
from axir.compiler.session import Listener, Session
from axir.compiler.source import Level, level_of, mark_stored_io, read_source
from axir.compiler.status import SUCCEEDED, failure, outcome
from axir.compiler.trace import peak_rss_bytes
from axir.dialects import aipu
from axir.ir.diagnostics import AxirError

if TYPE_CHECKING:
    from onnx import ModelProto


WRITTEN_BESIDE = ("model_debug_save_dir", *DUMP_SETTINGS)
"""Settings with paths that must not lie in the output folder, which is replaced as a whole."""


def check_supported(request: Request) -> CompilerConfig:
    """The configuration that the passes work with. Raises `AxirError` for what this version cannot build."""
    config = request.config
    there = request.target.device.cores
    if config.aipu_cores_used > there:
        raise AxirError(
            f"aipu_cores_used is {config.aipu_cores_used}, {request.target.name} has {there} cores",
            notes=("set aipu_cores_used to no more than the device has",),
        )
    if request.check < 0:
        raise AxirError(f"the number of samples to check is {request.check}; it must be 0 or more")
    if request.dump_ir is not None and request.dump_ir.exists() and not request.dump_ir.is_dir():
        raise AxirError("the folder for the IR is a file", location=str(request.dump_ir))
    return apply_memory_map(config, request.target)


def run(request: Request, output_dir: str | Path, listener: Listener | None = None) -> CompiledModel | QuantizedModel:
    """Compile into `output_dir`; with compiler_mode quantize_only, the quantized model is all.

    Raises `AxirError` and `OSError`. After an error in a stage the folder holds the report and the log, no artifacts;
    so it does after one before the first stage, unless it held anything worth keeping.
    """
    try:
        session, folder = _prepare(request, Path(output_dir), listener)
    except Exception as error:
        record_refusal(output_dir, error, request.name, request.arguments)
        raise
    report: dict[str, Any] = outcome(SUCCEEDED) | {"tool": "axc", "model": request.name}
    try:
        result = _compile(request, session, folder, report)
        _write_records(request, session, folder.staging, report)
        folder.commit()
        return result
    except Exception as error:
        report |= failure(error, session.current or "write")
        session.log.append(report["error"])
        folder.clear()
        if request.config.save_error_artifact:
            write_error_artifact(folder.staging / ERROR_ARTIFACT, request, session, error, report)
        _write_records(request, session, folder.staging, report)
        folder.commit()
        raise
    finally:
        folder.discard()


def _prepare(request: Request, output_dir: Path, listener: Listener | None) -> tuple[Session, OutputFolder]:
    """All that can be said before the first stage. Raises `AxirError` and `OSError`."""
    config = check_supported(request)
    written = {"the folder for the IR": request.dump_ir}
    written |= {name: getattr(config, name) for name in WRITTEN_BESIDE}
    for what, place in written.items():
        if place is not None and place.resolve().is_relative_to(output_dir.resolve()):
            raise AxirError(f"{what} is inside the output folder", location=str(place), notes=("choose another",))
    if config.remove_output_dir:
        check_removable(output_dir, request.inputs)
    session = Session(config, request.target, listener, request.dump_ir, {"host_islands": request.host_islands})
    for note in request.notes:
        session.message(note)
    for text in request.warnings:
        session.warning(text)
    for name in request.config.without_effect():
        session.warning(f"setting {name} is accepted, but has no effect")
    for one in idle(request.config):
        session.warning(f"setting {one.setting} has no effect here: {one.reason}")
    return session, OutputFolder(output_dir, replace=config.remove_output_dir)


def _compile(
    request: Request, session: Session, folder: OutputFolder, report: dict[str, Any]
) -> CompiledModel | QuantizedModel:
    exported = folder.staging / "quantized_model"
    quantized, program, kept = quantized_model(request, session, exported / DEBUG_FOLDER)
    if quantized is not None:
        with session.stage("export"):
            if session.config.quantized_graph_export:
                quantized.export(exported)
            _copy_input(request, folder.staging)
        if session.config.compiler_mode == "quantize_only":
            return quantized
        program = quantized.module.clone()
    assert program is not None
    if request.goal is not None:
        _choose_way(request.goal, program, session, report)
    session.run(program, *_remaining(program))
    simulators, device_report = write_compiled_model(
        program, session, request.name, request.target_file, folder.staging / "compiled_model"
    )
    report.update(device_report)
    if request.check:
        report["check"] = {"samples": request.check, "bit_exact": False}
        with session.stage("check"):
            if quantized is None:
                raise AxirError("a check needs the quantized graph, which this module no longer has")
            session.keep(quantized.module)
            runs = {name: OneFrame(simulator) for name, simulator in simulators.items()}
            check(
                quantized, runs, kept.kept, request.check,
                lambda done: session.listener.progress(done, request.check),
            )  # fmt: skip
        report["check"]["bit_exact"] = True
    chosen = {key: report[key] for key in ("multicore_choice",) if key in report}
    return CompiledModel(folder.path, device_report | chosen, simulators)


def _choose_way(goal: Goal, module: ModuleOp, session: Session, report: dict[str, Any]) -> None:
    """Let the session go on with the best multicore mode for quantized graphs. Raises `AxirError`."""
    with session.stage("multicore"):
        if level_of(module, "<module>") != Level.QUANTIZED:
            raise AxirError(
                "the module is lowered already, for the cores that it says",
                notes=("choose a multicore mode for a quantized model",),
            )
        trials = multicore.try_ways(module, session)
        chosen = multicore.best(trials, goal)
        session.config = session.config.replace(**chosen.way.settings)
        session.chosen = chosen.way.settings
        report["multicore_choice"] = multicore.to_json(trials, chosen, goal)
        for line in choice_lines(report["multicore_choice"]):
            session.message(line)


def quantized_model(
    request: Request, session: Session, debug_folder: Path | None = None
) -> tuple[QuantizedModel | None, ModuleOp | None, Samples]:
    """The quantized model; or, of a module that is further down, None and the module.

    Also the samples that calibration used, the first of them kept. `debug_folder` is where quantization_debug writes
    unless model_debug_save_dir says. Raises `AxirError`.
    """
    config = session.config
    samples = Samples((), keep=max(request.check, DEBUG_SAMPLES if config.quantization_debug else 0))
    with session.stage("import"):
        if isinstance(request.model, QuantizedModel):
            session.context.store.update(request.model.store)
            module = request.model.module.clone()
        else:
            module = read_source(request.model, session, request.input_shapes)
        mark_stored_io(module, config)
        level = level_of(module, str(request.path or "<model>"))
        _check_level(level, config.compiler_mode, request.path)
    session.record(module, "import")
    if not config.propagate_span_information:
        session.run(module, "strip-locations")
    if config.quantization_debug and level >= Level.QUANTIZED:
        session.warning("quantization_debug compares with the float model, which this input no longer is")
    if level >= Level.CALIBRATED:
        warn_of_unused(session)
    if level > Level.QUANTIZED:
        return None, module, samples
    if level < Level.CALIBRATED:
        run_graph_passes(module, session)
        session.current = calibration.STAGE
        samples = replace(request.samples(module, session), keep=samples.keep)
        calibration.calibrate_module(module, session, samples)
    if level < Level.QUANTIZED:
        *prepare, quantize = QUANTIZE_PASSES
        session.run(module, *prepare)
        before = module.clone() if config.quantization_debug else None
        session.run(module, quantize)
        if before is not None:
            write_debug(before, module, samples.kept, session, config.model_debug_save_dir or debug_folder)
    return QuantizedModel(module, session.context, request.name), None, samples


def _check_level(level: Level, mode: str, path: Path | None) -> None:
    """Raises `AxirError` where compiler_mode asks for what a module of this level does not need or allow."""
    if mode == "lower_only" and level < Level.QUANTIZED:
        raise AxirError(
            "compiler_mode lower_only starts from a quantized model",
            location=str(path or "<model>"),
            notes=("give a quantized_model folder, or compile with quantize_and_lower",),
        )
    if mode == "quantize_only" and level > Level.QUANTIZED:
        raise AxirError("the module is lowered already; there is nothing to quantize", location=str(path or "<model>"))


def _remaining(module: ModuleOp) -> Sequence[str]:
    """The device passes that a module still needs: tokens, once given, are the author's."""
    programs = [op for op in module.ops if isinstance(op, aipu.ProgramOp)]
    if not programs:
        return DEVICE_PASSES
    if any(place.at is None for program in programs for place in (*program.buffers, *program.code)):
        return DEVICE_PASSES[DEVICE_PASSES.index("lower-to-aipu") + 1 :]
    if not any(task.after for program in programs for core in program.cores for task in core.tasks):
        return DEVICE_PASSES[DEVICE_PASSES.index("schedule") :]
    return DEVICE_PASSES[DEVICE_PASSES.index("resolve-addresses") :]


def _copy_input(request: Request, folder: Path) -> None:
    """Keep the float model: one file, with external data merged in. A module or a quantized model has none."""
    path = request.path
    if isinstance(request.model, QuantizedModel) or (path is not None and (path.suffix == ".mlir" or path.is_dir())):
        return
    import onnx

    (folder / "input_model").mkdir()
    copy = folder / "input_model" / "fp32_model.onnx"
    if path is None:
        onnx.save_model(cast("ModelProto", request.model), str(copy))
    elif any(tensor.external_data for tensor in onnx.load(str(path), load_external_data=False).graph.initializer):
        onnx.save_model(onnx.load(str(path)), str(copy), save_as_external_data=False)
    else:
        shutil.copyfile(path, copy)


def _write_records(request: Request, session: Session, folder: Path, report: dict[str, Any]) -> None:
    """What every run leaves: its arguments, configuration, report and log."""
    report["stages"] = [{"name": stage.name, "seconds": round(stage.seconds, 6)} for stage in session.stages]
    report["peak_rss_bytes"] = peak_rss_bytes()
    if request.arguments is not None:
        write_json(folder / ARGUMENTS, request.arguments)
    config = request.config.replace(**session.chosen) if session.chosen else request.config
    (folder / "conf.toml").write_text(config.to_toml(), "utf-8")
    (folder / LOG).write_text("\n".join(session.log) + "\n", "utf-8")
    if request.config.trace_tvm_passes:
        write_json(folder / TRACE, session.trace.to_json())
    write_json(folder / REPORT, report)
