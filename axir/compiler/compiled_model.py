"""Writes compiled_model: the programs, what the runtime needs to know of them, and the report."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from xdsl.dialects.builtin import ModuleOp, StringAttr

from axir import __version__
from axir.backends.aipu.assemble import programs_of
from axir.backends.aipu.image import build_image, read_image
from axir.backends.aipu.notes import notes_of
from axir.backends.aipu.simulator import Simulator
from axir.backends.aipu.structure import Image
from axir.backends.aipu.structure import Port as ImagePort
from axir.compiler.device_trace import trace_text
from axir.compiler.host_parts import HostParts, host_parts
from axir.compiler.output import numbered, write_json
from axir.compiler.profile import profile
from axir.compiler.quantized_model import file_digest
from axir.compiler.report import device_report
from axir.compiler.session import Session
from axir.dialects.aipu import ProgramOp
from axir.ir.files import write_text
from axir.ir.module_file import weight_keys
from axir.ir.printing import print_module
from axir.runtime.model_file import DeviceSegment, HostPart, ModelFile, Port
from axir.runtime.options import RuntimeOptions
from axir.runtime.tensor_info import TensorInfo

PROGRAM = "model.axm"
TARGET = "target.toml"
TRACE = "trace.txt"
PROFILE = "profile.json"
RUNTIME_SETTINGS = tuple(field.name for field in fields(RuntimeOptions))
"""Settings that model.json records for the runtime."""


@dataclass(frozen=True)
class CompiledModel:
    """What a compilation gave: its folder, the content of report.json, the device models of its programs, by segment.

    `model_json` is what a runtime loads.
    """

    path: Path
    report: Mapping[str, Any]
    simulators: Mapping[str, Simulator]

    @property
    def model_json(self) -> Path:
        return self.path / "compiled_model" / "model.json"


def write_compiled_model(
    module: ModuleOp, session: Session, name: str, target_file: Path | None, folder: Path
) -> tuple[dict[str, Simulator], dict[str, Any]]:
    """Encode the programs of `module` and write the folder compiled_model; device models by segment, and the report.

    Raises `AxirError` where a program cannot be encoded or would go wrong on a device.
    """
    folder.mkdir()
    store = session.context.store
    with session.stage("encode"):
        data = [_encode(program, index, session, name, folder) for index, program in enumerate(programs_of(module))]
    with session.stage("time"):
        images = [read_image(content, session.target) for content in data]
        simulators = [Simulator(image, session.target) for image in images]
        for simulator in simulators:
            simulator.check()
        timings = [simulator.timing() for simulator in simulators]
    with session.stage("write"):
        write_text(folder / "program.mlir", print_module(module))
        store.save(folder / "program.safetensors", weight_keys(module))
        if target_file is not None:
            shutil.copyfile(target_file, folder / TARGET)
        model = _describe(images, host_parts(module, store), session, name, target_file, folder)
        report = device_report(timings, images, model, session.target)
        write_json(folder / "model.json", model.to_json())
        write_json(folder / "report.json", report)
        levels = session.config.profiling_levels
        for index, (timing, image) in enumerate(zip(timings, images, strict=True) if levels else ()):
            trace = trace_text(timing, image, session.target.device.frequency, levels)
            write_text(folder / numbered(TRACE, index), trace)
            write_json(
                folder / numbered(PROFILE, index), profile(timing, image, session.config.profiling_drop_percentile)
            )
        write_json(folder / "manifest.json", _manifest(model, folder))
    return {image.name: simulator for image, simulator in zip(images, simulators, strict=True)}, report


def _encode(program: ProgramOp, index: int, session: Session, name: str, folder: Path) -> bytes:
    """The image of one segment's program, also written to its file."""
    notes = {"axir": __version__, "model": name, "config": session.config.digest()}
    program.attributes |= {key: StringAttr(value) for key, value in notes.items()}
    _log_memory(program, session)
    data = build_image(program, session.context.store, session.target)
    (folder / numbered(PROGRAM, index)).write_bytes(data)
    return data


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
    images: Sequence[Image], parts: HostParts, session: Session, name: str, target_file: Path | None, folder: Path
) -> ModelFile:
    """What model.json says; the host's parts are written beside it."""
    described: list[HostPart | DeviceSegment] = []
    programs = iter(enumerate(images))
    for part, content in parts.parts.items():
        if content is None:
            described.append(device_segment(part, *next(programs)))
        else:
            file = f"{part}.onnx"
            (folder / file).write_bytes(content)
            described.append(HostPart(part, file))
    return ModelFile(
        name=name,
        target=images[0].target,
        target_digest=images[0].target_digest,
        target_file=None if target_file is None else TARGET,
        config_digest=session.config.digest(),
        frequency=session.target.device.frequency,
        cores=max(len(image.cores) for image in images),
        resources=session.config.resources_used,
        frames=images[0].frames,
        runtime=RuntimeOptions(**{name: getattr(session.config, name) for name in RUNTIME_SETTINGS}),
        inputs=parts.inputs,
        outputs=parts.outputs,
        parts=tuple(described),
    )


def device_segment(name: str, index: int, image: Image) -> DeviceSegment:
    """What model.json says of a segment whose program is the `index`-th."""
    return DeviceSegment(
        name,
        numbered(PROGRAM, index),
        tuple(_port(port) for port in image.inputs if port.frame == 0),
        tuple(_port(port) for port in image.outputs if port.frame == 0),
        int(image.notes.get("staged_bytes", 0)),
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
        "version": 2,
        "axir": __version__,
        "segments": [
            {"name": part.name, "inputs": quantization(part.inputs), "outputs": quantization(part.outputs)}
            for part in model.segments
        ],
        "files": {file.name: file_digest(file) for file in sorted(folder.iterdir())},
    }
