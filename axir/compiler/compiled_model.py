"""Writes compiled_model: the program, what the runtime needs to know of it, and the report."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from xdsl.dialects.builtin import ModuleOp, StringAttr

from axir import __version__
from axir.backends.aipu.assemble import program_of
from axir.backends.aipu.image import build_image, read_image
from axir.backends.aipu.notes import notes_of
from axir.backends.aipu.simulator import Simulator
from axir.backends.aipu.structure import Image
from axir.backends.aipu.structure import Port as ImagePort
from axir.compiler.device_trace import trace_text
from axir.compiler.host_parts import HostParts, host_parts
from axir.compiler.output import write_json
from axir.compiler.profile import profile
from axir.compiler.quantized_model import file_digest
from axir.compiler.report import device_report
from axir.compiler.session import Session
from axir.dialects.aipu import ProgramOp
from axir.ir.files import write_text
from axir.ir.module_file import weight_keys
from axir.ir.printing import print_module
from axir.runtime.model_file import ModelFile, Port
from axir.runtime.options import RuntimeOptions
from axir.runtime.tensor_info import TensorInfo

PROGRAM = "model.axm"
PREAMBLE = "preamble.onnx"
POSTAMBLE = "postamble.onnx"
TARGET = "target.toml"
TRACE = "trace.txt"
PROFILE = "profile.json"
RUNTIME_SETTINGS = tuple(field.name for field in fields(RuntimeOptions))
"""Settings that model.json records for the runtime."""


@dataclass(frozen=True)
class CompiledModel:
    """What a compilation gave: its folder, the content of report.json, the device model of the program.

    `model_json` is what a runtime loads.
    """

    path: Path
    report: Mapping[str, Any]
    simulator: Simulator

    @property
    def model_json(self) -> Path:
        return self.path / "compiled_model" / "model.json"


def write_compiled_model(
    module: ModuleOp, session: Session, name: str, target_file: Path | None, folder: Path
) -> tuple[Simulator, dict[str, Any]]:
    """Encode the program of `module` and write the folder compiled_model; the device model of it, and its report.

    Raises `AxirError` where the program cannot be encoded or would go wrong on a device.
    """
    folder.mkdir()
    store = session.context.store
    with session.stage("encode"):
        program = program_of(module)
        notes = {"axir": __version__, "model": name, "config": session.config.digest()}
        program.attributes |= {key: StringAttr(value) for key, value in notes.items()}
        _log_memory(program, session)
        data = build_image(program, store, session.target)
        (folder / PROGRAM).write_bytes(data)
    with session.stage("time"):
        image = read_image(data, session.target)
        simulator = Simulator(image, session.target)
        simulator.check()
        timing = simulator.timing()
    with session.stage("write"):
        write_text(folder / "program.mlir", print_module(module))
        store.save(folder / "program.safetensors", weight_keys(module))
        if target_file is not None:
            shutil.copyfile(target_file, folder / TARGET)
        model = _describe(image, host_parts(module, store), session, name, target_file, folder)
        report = device_report(timing, image, model, session.target)
        write_json(folder / "model.json", model.to_json())
        write_json(folder / "report.json", report)
        levels = session.config.profiling_levels
        if levels:
            write_text(folder / TRACE, trace_text(timing, image, session.target.device.frequency, levels))
            write_json(folder / PROFILE, profile(timing, image, session.config.profiling_drop_percentile))
        write_json(folder / "manifest.json", _manifest(model, folder))
    return simulator, report


def _log_memory(program: ProgramOp, session: Session) -> None:
    """Say where page_memory could not be done, and where double_buffer costs copies."""
    page = session.target.device.page
    notes = notes_of(program)
    for memory, granule in notes.get("pages", {}).items():
        if granule < page:
            session.message(f"page_memory: {memory} is packed by {granule} bytes, pages of {page} do not fit")
    if "staged_bytes" in notes:
        session.message(
            f"double_buffer: second set of inputs and outputs is in DDR, {notes['staged_bytes']:,} bytes are copied "
            "between frames"
        )


def _describe(
    image: Image, parts: HostParts, session: Session, name: str, target_file: Path | None, folder: Path
) -> ModelFile:
    """What model.json says; the host's parts are written beside it."""
    for file, content in ((PREAMBLE, parts.preamble), (POSTAMBLE, parts.postamble)):
        if content is not None:
            (folder / file).write_bytes(content)
    return ModelFile(
        name=name,
        program=PROGRAM,
        target=image.target,
        target_digest=image.target_digest,
        target_file=None if target_file is None else TARGET,
        config_digest=session.config.digest(),
        frequency=session.target.device.frequency,
        cores=len(image.cores),
        resources=session.config.resources_used,
        staged=int(image.notes.get("staged_bytes", 0)),
        runtime=RuntimeOptions(**{name: getattr(session.config, name) for name in RUNTIME_SETTINGS}),
        inputs=parts.inputs,
        outputs=parts.outputs,
        device_inputs=tuple(map(_port, image.inputs)),
        device_outputs=tuple(map(_port, image.outputs)),
        preamble=None if parts.preamble is None else PREAMBLE,
        postamble=None if parts.postamble is None else POSTAMBLE,
    )


def _port(port: ImagePort) -> Port:
    tensor = port.label, port.shape, port.scale, port.zero_point
    if port.order == "NCHW":
        info = TensorInfo.dense(*tensor)
    else:
        info = TensorInfo.of(*tensor, port.row_pitch, port.pitch, port.runs)
    return Port(info, port.memory, port.offset)


def _manifest(model: ModelFile, folder: Path) -> dict[str, Any]:
    """Scales and zero points at the border of the device, and what the files contain."""

    def quantization(ports: Sequence[Port]) -> dict[str, Any]:
        return {port.info.name: {"scale": port.info.scale, "zero_point": port.info.zero_point} for port in ports}

    return {
        "format": "axir-compiled-model",
        "version": 1,
        "axir": __version__,
        "inputs": quantization(model.device_inputs),
        "outputs": quantization(model.device_outputs),
        "files": {file.name: file_digest(file) for file in sorted(folder.iterdir())},
    }
