"""A whole compilation: from a model to the folder of artifacts."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from xdsl.dialects.builtin import ModuleOp

from axir.compiler import calibration
from axir.compiler.check import check, check_inputs
from axir.compiler.compiled_model import CompiledModel, write_compiled_model
from axir.compiler.config import CompilerConfig
from axir.compiler.dataset import Samples
from axir.compiler.memory_map import apply_memory_map
from axir.compiler.output import REPORT, OutputFolder, write_json
from axir.compiler.pipeline import DEVICE_PASSES, GRAPH_PASSES, QUANTIZE_PASSES
from axir.compiler.quantized_model import QuantizedModel, saved_name
from axir.compiler.session import Listener, Session, peak_rss_bytes
from axir.compiler.source import Level, level_of, read_source
from axir.dialects import aipu
from axir.ir.diagnostics import AxirError, to_axir_error
from axir.target.description import Target

if TYPE_CHECKING:
    from onnx import ModelProto

SUCCEEDED = "SUCCEEDED"

MakeSamples = Callable[[ModuleOp, Session], Samples]
"""Makes the calibration samples, once the imported module tells the model's inputs."""


@dataclass(frozen=True)
class Request:
    """What to compile, and how. `target_file` is the target description when it is not the shipped one."""

    model: str | Path | ModelProto | QuantizedModel
    config: CompilerConfig
    target: Target
    samples: MakeSamples
    target_file: Path | None = None
    input_shapes: Mapping[str, Sequence[int]] = field(default_factory=dict[str, Sequence[int]])
    check: int = 0
    dump_ir: Path | None = None
    arguments: Mapping[str, Any] | None = None

    @property
    def name(self) -> str:
        """The model's name, for reports."""
        if self.config.model_name:
            return self.config.model_name
        match self.model:
            case str() | Path():
                return saved_name(Path(self.model))
            case QuantizedModel():
                return self.model.name
            case proto:
                return proto.graph.name or "model"

    @property
    def path(self) -> Path | None:
        return Path(self.model) if isinstance(self.model, str | Path) else None


def check_supported(request: Request) -> CompilerConfig:
    """The configuration that the passes work with. Raises `AxirError` for what this version cannot build."""
    config = request.config
    if config.aipu_cores_used != 1:
        raise AxirError(
            f"aipu_cores_used is {config.aipu_cores_used}: this version builds programs for 1 core only",
            notes=("programs for several cores are not built yet; compile for 1 core",),
        )
    if request.check < 0:
        raise AxirError(f"the number of samples to check is {request.check}; it must be 0 or more")
    if request.dump_ir is not None and request.dump_ir.exists() and not request.dump_ir.is_dir():
        raise AxirError("the folder for the IR is a file", location=str(request.dump_ir))
    return apply_memory_map(config, request.target)


def run(request: Request, output_dir: str | Path, listener: Listener | None = None) -> CompiledModel | QuantizedModel:
    """Compile into `output_dir`; with compiler_mode quantize_only, the quantized model is all.

    Raises `AxirError` and `OSError`. After an error in a stage the folder holds the report and the log, no artifacts;
    after one before the first stage it is as it was.
    """
    config = check_supported(request)
    if request.dump_ir is not None and Path(output_dir).resolve() in [
        request.dump_ir.resolve(),
        *request.dump_ir.resolve().parents,
    ]:
        raise AxirError(
            "the folder for the IR is inside the output folder",
            location=str(request.dump_ir),
            notes=("choose another",),
        )
    session = Session(config, request.target, listener, request.dump_ir)
    for name in request.config.without_effect():
        session.warning(f"setting {name} is accepted, but has no effect yet")
    folder = OutputFolder(output_dir)
    report: dict[str, Any] = {"status": SUCCEEDED, "tool": "axc", "model": request.name}
    try:
        result = _compile(request, session, folder, report)
        _write_records(request, session, folder.staging, report)
        folder.commit()
        return result
    except Exception as error:
        report["status"] = session.current or "write"
        known = to_axir_error(error)
        report["error"] = known.render() if known is not None else f"internal error: {type(error).__name__}: {error}"
        session.log.append(report["error"])
        folder.clear()
        _write_records(request, session, folder.staging, report)
        folder.commit()
        raise
    finally:
        folder.discard()


def _compile(
    request: Request, session: Session, folder: OutputFolder, report: dict[str, Any]
) -> CompiledModel | QuantizedModel:
    quantized, program, kept = quantized_model(request, session)
    if quantized is not None:
        with session.stage("export"):
            quantized.export(folder.staging / "quantized_model")
            _copy_input(request, folder.staging)
        if session.config.compiler_mode == "quantize_only":
            return quantized
        program = quantized.module.clone()
    assert program is not None
    session.run(program, *_remaining(program))
    simulator, device_report = write_compiled_model(
        program, session, request.name, request.target_file, folder.staging / "compiled_model"
    )
    report.update(device_report)
    if request.check:
        report["check"] = {"samples": request.check, "bit_exact": False}
        with session.stage("check"):
            if quantized is None:
                raise AxirError("a check needs the quantized graph, which this module no longer has")
            frames = check_inputs(quantized, kept.kept, request.check)
            check(quantized, simulator.run, frames, lambda done: session.listener.progress(done, request.check))
        report["check"]["bit_exact"] = True
    return CompiledModel(folder.path, device_report, simulator)


def quantized_model(request: Request, session: Session) -> tuple[QuantizedModel | None, ModuleOp | None, Samples]:
    """The quantized model; or, of a module that is further down, None and the module.

    Also the samples that calibration used. Raises `AxirError`.
    """
    samples = Samples(())
    if isinstance(request.model, QuantizedModel):
        session.context.store.update(request.model.store)
        return QuantizedModel(request.model.module, session.context, request.name), None, samples
    with session.stage("import"):
        module = read_source(request.model, session, request.input_shapes)
        level = level_of(module, str(request.path))
        _check_level(level, session.config.compiler_mode, request.path)
    session.dump(module, "import")
    if level > Level.QUANTIZED:
        return None, module, samples
    if level < Level.CALIBRATED:
        session.run(module, *GRAPH_PASSES)
        session.current = calibration.STAGE
        samples = request.samples(module, session)
        samples.keep = request.check
        calibration.calibrate_module(module, session, samples)
    if level < Level.QUANTIZED:
        session.run(module, *QUANTIZE_PASSES)
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
    if any(buffer.at is None for program in programs for buffer in program.buffers):
        return DEVICE_PASSES[1:]
    if not any(task.after for program in programs for core in program.cores for task in core.tasks):
        return DEVICE_PASSES[2:]
    return DEVICE_PASSES[3:]


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
        write_json(folder / "cli_args.json", request.arguments)
    (folder / "conf.toml").write_text(request.config.to_toml(), "utf-8")
    (folder / "compilation_log.txt").write_text("\n".join(session.log) + "\n", "utf-8")
    write_json(folder / REPORT, report)
