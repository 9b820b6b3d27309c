"""Several models side by side on one device, as `axc` linked them: each with cores, memory and a queue of its own."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, cast

from axir.backends.aipu.device_image import read_device_image
from axir.ir.diagnostics import AxirError
from axir.runtime.device import Context, ModelInstance
from axir.runtime.errors import InvalidArgument
from axir.runtime.inference_stream import Frame, InferenceStream
from axir.runtime.model import load_model

FORMAT = "axir-device"


class Cascade:
    """Instances by the names of the models: `cascade["detector"]`. They run at the same time, in threads of their own.

        with load_cascade("out") as cascade:
            boxes = cascade.stream("detector", images)
            crops = (crop for image, found in zip(images, boxes) for crop in cut(image, found))
            for label in cascade.stream("classifier", crops): ...

    What one model gives feeds another through the iterable that its stream takes: a function of the application.
    """

    def __init__(self, context: Context, instances: dict[str, ModelInstance]):
        self.context = context
        self._instances = instances
        self._streams: list[InferenceStream] = []

    def __getitem__(self, name: str) -> ModelInstance:
        """Raises `InvalidArgument` for a name that no model has."""
        if name not in self._instances:
            known = ", ".join(self._instances)
            raise InvalidArgument(f"the device has no model '{name}'", notes=(f"it has {known}",))
        return self._instances[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._instances)

    def __len__(self) -> int:
        return len(self._instances)

    def stream(self, name: str, frames: Iterable[Frame], *, queue_size: int | None = None) -> InferenceStream:
        """The results of frames that go through one of the models. Raises `InvalidArgument`."""
        stream = InferenceStream(self[name], frames, queue_size=queue_size)
        self._streams.append(stream)
        return stream

    def close(self) -> None:
        """Stop all streams, and give the device back."""
        for stream in self._streams:
            stream.close()
        self.context.close()

    def __enter__(self) -> Cascade:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None):
        self.close()


def load_cascade(path: str | Path) -> Cascade:
    """The models of a folder that `axc` wrote for a card of several, or of its device.json or device.axm.

    Raises `OSError` and `AxirError`: for files that are damaged, and where models are not those of the device image.
    """
    folder = Path(path) if Path(path).is_dir() else Path(path).parent
    file = folder / "device.json"
    try:
        described = cast(dict[str, Any], json.loads(file.read_text("utf-8")))
        if described["format"] != FORMAT:
            raise KeyError
        entries = [(str(entry["name"]), folder / str(entry["model"])) for entry in described["models"]]
        image = folder / str(described["program"])
    except (ValueError, KeyError, TypeError):
        raise AxirError("not a device description", location=str(file), notes=("axc writes one for a card",)) from None
    models = {name: load_model(model) for name, model in entries}
    first = next(iter(models.values()))
    programs = read_device_image(image, first.target)
    context = Context(None if first.file.target_file is None else first.path.parent / first.file.target_file)
    connection = context.device_connect(num_sub_devices=first.target.device.cores)
    try:
        instances = {name: connection.load_model_instance(model, name) for name, model in models.items()}
        _check(instances, {(p.model, p.segment): (p.region, p.data) for p in programs}, image)
    except AxirError:
        connection.close()
        raise
    return Cascade(context, instances)


def _check(
    instances: dict[str, ModelInstance], linked: dict[tuple[str, int], tuple[object, bytes]], image: Path
) -> None:
    """Raise `AxirError` where models are not in the places, or not the programs, of the device image."""
    for name, instance in instances.items():
        parts = zip(instance.model.file.segments, instance.holding.regions, strict=True)
        for segment, (part, region) in enumerate(parts):
            program = (instance.model.path.parent / part.program).read_bytes()
            if linked.get((name, segment)) != (region, program):
                raise AxirError(
                    f"the model '{name}' is not the one that was linked into the device image",
                    location=str(image),
                    notes=("compile the card again: a model has changed since",),
                )
