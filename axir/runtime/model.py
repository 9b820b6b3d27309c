"""A compiled model, read and checked, not yet on a device."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from axir.backends.aipu.image import read_image
from axir.backends.aipu.structure import Image, target_digest
from axir.ir.diagnostics import AxirError
from axir.runtime.errors import InvalidArgument
from axir.runtime.host import HostGraph
from axir.runtime.hosted_model import HostedModel, RunDevice, Segment
from axir.runtime.model_file import DeviceSegment, ModelFile
from axir.runtime.options import RuntimeOptions
from axir.runtime.tensor_info import TensorInfo
from axir.runtime.timing import FrameTimes, side_by_side
from axir.target.description import Target, load


@dataclass(frozen=True)
class Model:
    """What `axc` wrote to compiled_model: its description, its programs, the target it was compiled for.

    `images` are the programs of `file.segments`, in their order.
    """

    path: Path
    file: ModelFile
    images: tuple[Image, ...]
    target: Target

    @property
    def segment(self) -> DeviceSegment:
        """The only part that the device runs. Raises `InvalidArgument` for a model with host islands."""
        if len(self.file.segments) != 1:
            raise InvalidArgument(
                f"the model has {len(self.file.segments)} device segments with host parts between them",
                location=str(self.path),
                notes=("run the whole network: ModelInstance.hosted, or axir.runtime.load",),
            )
        return self.file.segments[0]

    @property
    def inputs(self) -> tuple[TensorInfo, ...]:
        """What the only segment takes."""
        return tuple(port.info for port in self.segment.inputs)

    @property
    def outputs(self) -> tuple[TensorInfo, ...]:
        """What the only segment gives."""
        return tuple(port.info for port in self.segment.outputs)

    def times(self, instances: int = 1, options: RuntimeOptions | None = None) -> FrameTimes:
        """Modelled times with so many instances at work on one device; `options` are those it was compiled with."""
        cycles = side_by_side(self.images, instances, self.file.cores, self.target)
        return FrameTimes.of(
            cycles, self.file.transfers, self.target, options or self.file.runtime, instances, self.file.frames
        )

    def hosted(self, runs: Sequence[RunDevice]) -> HostedModel:
        """The whole network; `runs` are the segments' programs on a device, in order.

        Raises `AxirError` when ONNX Runtime cannot load a host part.
        """
        remaining = iter(runs)
        return HostedModel(
            self.file.inputs,
            self.file.outputs,
            [
                _segment(part, next(remaining), self.file.frames)
                if isinstance(part, DeviceSegment)
                else HostGraph(self.path.parent / part.file, part.name)
                for part in self.file.parts
            ],
        )


def _segment(part: DeviceSegment, run: RunDevice, frames: int) -> Segment:
    return Segment(part.name, [port.info for port in part.inputs], [port.info for port in part.outputs], run, frames)


def load_model(path: str | Path) -> Model:
    """Read compiled_model/model.json, or the folder that holds it, and the programs beside it.

    Raises `OSError`, and `AxirError` for files that are damaged, of another version or for an unknown target.
    """
    path = _find(Path(path))
    file = ModelFile.read(path)
    target = load(None if file.target_file is None else str(path.parent / file.target_file))
    if target.name != file.target or target_digest(target) != file.target_digest:
        raise AxirError(
            f"the model is for target '{file.target}' with figures {file.target_digest}; its description here is "
            f"'{target.name}' with figures {target_digest(target)}",
            location=str(path),
            notes=("the description has changed since: compile the model again",),
        )
    target = target.with_frequency(file.frequency)
    images = tuple(read_image(path.parent / segment.program, target) for segment in file.segments)
    for segment, image in zip(file.segments, images, strict=True):
        ports = [port.label for port in (*image.inputs, *image.outputs) if port.frame == 0]
        if ports != [port.info.name for port in (*segment.inputs, *segment.outputs)] or image.frames != file.frames:
            raise AxirError(f"{segment.program} is the program of another model", location=str(path))
    return Model(path, file, images, target)


def _find(path: Path) -> Path:
    if not path.is_dir():
        return path
    for file in (path / "model.json", path / "compiled_model" / "model.json"):
        if file.is_file():
            return file
    raise AxirError("no model.json in this folder", location=str(path), notes=("pass a folder that axc wrote",))
