"""`model.json`: what a compiled model is, for whoever loads it. Written by the compiler, read by the runtime."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar, cast

from axir.ir.diagnostics import AxirError
from axir.runtime.hosted_model import HostTensor
from axir.runtime.options import RuntimeOptions
from axir.runtime.tensor_info import TensorInfo
from axir.runtime.timing import Transfers

FORMAT = "axir-model"
VERSION = 3

Json = dict[str, Any]
_Number = TypeVar("_Number", int, float)


@dataclass(frozen=True)
class Port:
    """A tensor of the device, and where it lies: `memory` and byte `offset` in it."""

    info: TensorInfo
    memory: str
    offset: int

    def to_json(self) -> Json:
        info = self.info
        layout: Json = {"order": info.order}
        if info.order == "NHWC":
            layout |= {
                "padded_shape": list(info.shape),
                "padding": [list(pair) for pair in info.padding],
                "row_pitch": info.shape[2] * info.shape[3],
                "pixel_pitch": info.shape[3],
                "channels": [{"count": count, "at": slot} for count, slot in info.channels],
            }
        return {
            "name": info.name,
            "shape": list(info.tensor_shape),
            "dtype": info.dtype,
            "scale": info.scale,  # a tuple becomes a list
            "zero_point": info.zero_point,
            "layout": layout,
            "memory": self.memory,
            "offset": self.offset,
        }

    @staticmethod
    def from_json(value: Json) -> Port:
        layout = value["layout"]
        name, shape = str(value["name"]), [int(size) for size in value["shape"]]
        scale, zero_point = _numbers(value["scale"], float), _numbers(value["zero_point"], int)
        if layout["order"] == "NCHW":
            info = TensorInfo.dense(name, shape, scale, zero_point)
        elif layout["order"] == "NHWC":
            runs = [(int(run["count"]), int(run["at"])) for run in layout["channels"]]
            pitches = int(layout["row_pitch"]), int(layout["pixel_pitch"])
            info = TensorInfo.of(name, shape, scale, zero_point, *pitches, runs)
        else:
            raise ValueError(f"tensor '{name}' has the order {layout['order']!r}")
        return Port(info, str(value["memory"]), int(value["offset"]))


@dataclass(frozen=True)
class HostPart:
    """A part that the host computes: an ONNX model in `file`."""

    name: str
    file: str

    def to_json(self) -> Json:
        return {"kind": "host", "name": self.name, "file": self.file}


@dataclass(frozen=True)
class DeviceSegment:
    """A part that the device runs: the image in `program`, and the tensors it takes and gives.

    `staged` bytes of inputs and outputs are copied between frames for double buffering.
    """

    name: str
    program: str
    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]
    staged: int

    @property
    def input_bytes(self) -> int:
        return sum(port.info.bytes for port in self.inputs)

    @property
    def output_bytes(self) -> int:
        return sum(port.info.bytes for port in self.outputs)

    def to_json(self) -> Json:
        return {
            "kind": "device",
            "name": self.name,
            "program": self.program,
            "inputs": [port.to_json() for port in self.inputs],
            "outputs": [port.to_json() for port in self.outputs],
            "staged_bytes": self.staged,
        }


def transfers_of(segments: Sequence[DeviceSegment]) -> Transfers:
    """What a frame moves to and from the device that goes through these segments."""
    first, last = segments[0].input_bytes, segments[-1].output_bytes
    return Transfers(
        sum(segment.input_bytes for segment in segments),
        sum(segment.output_bytes for segment in segments),
        sum(segment.staged for segment in segments),
        sum(segment.input_bytes + segment.output_bytes for segment in segments) - first - last,
        len(segments),
    )


@dataclass(frozen=True)
class ModelFile:
    """The content of model.json. File names are relative to it; `frequency` is in Hz.

    `parts` are in the order of execution, connected by tensor names: a part takes inputs of the model and what earlier
    parts give. All its programs are on the same `cores` cores at a time and run one after another; together they may
    use the fraction `resources` of the device's L2 and DDR. A program takes `frames` frames a run; what is said of its
    tensors and of the model's is of one frame.
    """

    name: str
    target: str
    target_digest: str
    target_file: str | None
    config_digest: str
    frequency: int
    cores: int
    resources: float
    frames: int
    runtime: RuntimeOptions
    inputs: tuple[HostTensor, ...]
    outputs: tuple[HostTensor, ...]
    parts: tuple[HostPart | DeviceSegment, ...]

    @property
    def segments(self) -> tuple[DeviceSegment, ...]:
        """The parts that the device runs; at least one."""
        return tuple(part for part in self.parts if isinstance(part, DeviceSegment))

    @property
    def transfers(self) -> Transfers:
        """What a frame moves to and from the device."""
        return transfers_of(self.segments)

    def instances(self, device_cores: int) -> int:
        """How many instances fit a device beside each other: its cores and its memory are shared out."""
        return max(1, min(device_cores // self.cores, int(1 / self.resources)))

    def to_json(self) -> Json:
        return {
            "format": FORMAT,
            "version": VERSION,
            "name": self.name,
            "target": {"name": self.target, "digest": self.target_digest, "file": self.target_file},
            "config_digest": self.config_digest,
            "frequency_hz": self.frequency,
            "cores": self.cores,
            "resources_used": self.resources,
            "frames": self.frames,
            "runtime": self.runtime.to_json(),
            "inputs": [tensor.to_json() for tensor in self.inputs],
            "outputs": [tensor.to_json() for tensor in self.outputs],
            "parts": [part.to_json() for part in self.parts],
        }

    @staticmethod
    def read(path: Path) -> ModelFile:
        """Raises `OSError`, and `AxirError` for a file of another format or version, or a damaged one."""
        try:
            value = cast(Json, json.loads(path.read_text("utf-8")))
            if value["format"] != FORMAT:
                raise KeyError
            version = value["version"]
        except (ValueError, KeyError, TypeError):
            raise AxirError(
                "not a compiled AXIR model",
                location=str(path),
                notes=("pass compiled_model/model.json that axc wrote",),
            ) from None
        if version != VERSION:
            raise AxirError(
                f"the model has format version {version}, this is AXIR for version {VERSION}",
                location=str(path),
                notes=("compile it again with this version of axc",),
            )
        try:
            return _from_json(value)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise AxirError(
                f"the model description is damaged: {type(error).__name__}: {error}",
                location=str(path),
                notes=("compile the model again",),
            ) from None


def _from_json(value: Json) -> ModelFile:
    target, parts = value["target"], tuple(map(_part, value["parts"]))
    if not 0 < value["resources_used"] <= 1 or value["cores"] < 1:
        raise ValueError(f"{value['cores']} cores and {value['resources_used']} of the resources")
    if not any(isinstance(part, DeviceSegment) for part in parts):
        raise ValueError("it has no part for the device")
    return ModelFile(
        name=str(value["name"]),
        target=str(target["name"]),
        target_digest=str(target["digest"]),
        target_file=None if target["file"] is None else str(target["file"]),
        config_digest=str(value["config_digest"]),
        frequency=int(value["frequency_hz"]),
        cores=int(value["cores"]),
        resources=float(value["resources_used"]),
        frames=int(value["frames"]),
        runtime=RuntimeOptions.from_json(value["runtime"]),
        inputs=tuple(map(_host_tensor, value["inputs"])),
        outputs=tuple(map(_host_tensor, value["outputs"])),
        parts=parts,
    )


def _part(value: Json) -> HostPart | DeviceSegment:
    name = str(value["name"])
    match value["kind"]:
        case "host":
            return HostPart(name, str(value["file"]))
        case "device":
            inputs, outputs = (tuple(map(Port.from_json, value[key])) for key in ("inputs", "outputs"))
            return DeviceSegment(name, str(value["program"]), inputs, outputs, int(value["staged_bytes"]))
        case other:
            raise ValueError(f"part '{name}' is of kind {other!r}")


def _numbers(value: Any, kind: type[_Number]) -> _Number | tuple[_Number, ...]:
    return tuple(kind(item) for item in cast(list[Any], value)) if isinstance(value, list) else kind(value)


def _host_tensor(value: Json) -> HostTensor:
    shape = tuple(int(size) for size in value["shape"])
    tensor = HostTensor(str(value["name"]), shape, str(value["dtype"]), channels_last=value.get("layout") == "NHWC")
    if "device" not in value:
        return tensor
    scale, zero_point = _numbers(value["scale"], float), _numbers(value["zero_point"], int)
    return replace(tensor, device=str(value["device"]), scale=scale, zero_point=zero_point)
