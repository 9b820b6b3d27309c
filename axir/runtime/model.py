"""A compiled model, read and checked, not yet on a device."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from axir.backends.aipu.image import read_image
from axir.backends.aipu.structure import Image, target_digest
from axir.ir.diagnostics import AxirError
from axir.runtime.host import HostGraph
from axir.runtime.model_file import ModelFile
from axir.runtime.tensor_info import TensorInfo
from axir.target.description import Target, load


@dataclass(frozen=True)
class Model:
    """What `axc` wrote to compiled_model: its description, its program, the target it was compiled for."""

    path: Path
    file: ModelFile
    image: Image
    target: Target

    @property
    def inputs(self) -> tuple[TensorInfo, ...]:
        """What the device takes."""
        return tuple(port.info for port in self.file.device_inputs)

    @property
    def outputs(self) -> tuple[TensorInfo, ...]:
        """What the device gives."""
        return tuple(port.info for port in self.file.device_outputs)

    def preamble(self) -> HostGraph | None:
        """What the host computes before the device, made ready to run."""
        return self._host_part(self.file.preamble, "preamble")

    def postamble(self) -> HostGraph | None:
        """What the host computes after the device, made ready to run."""
        return self._host_part(self.file.postamble, "postamble")

    def _host_part(self, file: str | None, name: str) -> HostGraph | None:
        return None if file is None else HostGraph(self.path.parent / file, name)


def load_model(path: str | Path) -> Model:
    """Read compiled_model/model.json, or the folder that holds it, and the program beside it.

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
    image = read_image(path.parent / file.program, target)
    if [port.label for port in (*image.inputs, *image.outputs)] != [
        port.info.name for port in (*file.device_inputs, *file.device_outputs)
    ]:
        raise AxirError(f"{file.program} is the program of another model", location=str(path))
    return Model(path, file, image, target)


def _find(path: Path) -> Path:
    if not path.is_dir():
        return path
    for file in (path / "model.json", path / "compiled_model" / "model.json"):
        if file.is_file():
            return file
    raise AxirError("no model.json in this folder", location=str(path), notes=("pass a folder that axc wrote",))
