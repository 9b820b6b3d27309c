"""Devices, connections to them, and models running on them.

The only device of this version is a model in software: it runs the very image a chip would, and says how long the chip
would take. It has the cores of its target description, which connections share out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType

import numpy as np

from axir.backends.aipu.simulator import Simulator
from axir.backends.aipu.simulator.timing import Timing
from axir.backends.aipu.structure import target_digest
from axir.runtime.errors import DeviceInUse, IncompatibleDevice, InvalidArgument
from axir.runtime.hosted_model import HostedModel
from axir.runtime.model import Model, load_model
from axir.runtime.tensor_info import I8, TensorInfo
from axir.runtime.timing import FrameTimes
from axir.target.description import Target, load


@dataclass(frozen=True)
class Device:
    """A device that can be connected to. `simulated` says that it is a model in software, not a chip."""

    name: str
    target: Target
    simulated: bool = True

    @property
    def cores(self) -> int:
        return self.target.device.cores

    def __str__(self) -> str:
        return f"{self.name}: {self.cores} cores, a device model in software (no chip)"


def list_devices(target: str | Path | None = None) -> list[Device]:
    """The devices of this machine: one device model, of the shipped target or of a description file."""
    description = load(None if target is None else str(target))
    return [Device(f"{description.name}-model:0", description)]


@dataclass(eq=False)
class Connection:
    """Cores of one device that belong to this application until it is closed; also a context manager."""

    context: Context
    device: Device
    num_sub_devices: int
    _instances: list[ModelInstance] = field(default_factory=list["ModelInstance"])

    def load_model_instance(self, model: Model) -> ModelInstance:
        """Put a model on free cores of the connection.

        Raises `IncompatibleDevice` for a model of another target and `DeviceInUse` when too few cores are free.
        """
        if target_digest(model.target) != target_digest(self.device.target):
            raise IncompatibleDevice(
                f"the model is for target '{model.target.name}', the device is {self.device}",
                location=str(model.path),
                notes=("give Context the target description that the model was compiled with",),
            )
        used = sum(instance.cores for instance in self._instances)
        if used + model.file.cores > self.num_sub_devices:
            raise DeviceInUse(
                f"the model needs {model.file.cores} cores; {self.num_sub_devices - used} of the connection's "
                f"{self.num_sub_devices} are free"
            )
        instance = ModelInstance(self, model)
        self._instances.append(instance)
        return instance

    def release(self, instance: ModelInstance) -> None:
        """Take an instance off its cores."""
        if instance in self._instances:
            self._instances.remove(instance)

    def close(self) -> None:
        """Give the cores back."""
        self._instances.clear()
        self.context.disconnect(self)

    def __enter__(self) -> Connection:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None):
        self.close()


class ModelInstance:
    """A model on a device, ready to run frames."""

    def __init__(self, connection: Connection, model: Model):
        self.connection = connection
        self.model = model
        self.cores = model.file.cores
        self._simulators = [Simulator(image, model.target) for image in model.images]

    @property
    def inputs(self) -> tuple[TensorInfo, ...]:
        """The buffers that `run` reads. Raises `InvalidArgument` for a model with host islands."""
        return self.model.inputs

    @property
    def outputs(self) -> tuple[TensorInfo, ...]:
        """The buffers that `run` writes. Raises `InvalidArgument` for a model with host islands."""
        return self.model.outputs

    def run(self, inputs: Sequence[I8], outputs: Sequence[I8]) -> None:
        """Run one frame: read `inputs` and write `outputs`, buffers as `TensorInfo` describes them.

        Raises `InvalidArgument` for buffers that do not fit, and for a model with host islands, which only `hosted`
        can run. Padding bytes of outputs are undefined.
        """
        _check("input", self.inputs, inputs)
        _check("output", self.outputs, outputs)
        if not all(buffer.flags.writeable for buffer in outputs):
            raise InvalidArgument("an output buffer is read-only")
        stored = [info.unpack(buffer) for info, buffer in zip(self.inputs, inputs, strict=True)]
        for info, buffer, result in zip(self.outputs, outputs, self._simulators[0].run(stored), strict=True):
            np.copyto(buffer, info.pack(result))

    def times(self) -> FrameTimes:
        """Modelled times of a frame, with this instance alone on the device."""
        file = self.model.file
        cycles = sum(timing.cycles for timing in self.timings())
        return FrameTimes.of(cycles, file.transfers, self.model.target, file.runtime)

    def timing(self) -> Timing:
        """The timing model's account of a frame: cycles, units, layers.

        Raises `InvalidArgument` for a model with host islands.
        """
        _ = self.model.segment
        return self._simulators[0].timing()

    def timings(self) -> list[Timing]:
        """The timing model's account of a frame, segment by segment."""
        return [simulator.timing() for simulator in self._simulators]

    def hosted(self) -> HostedModel:
        """The whole network on this instance: float arrays in, float arrays out."""
        return self.model.hosted([simulator.run for simulator in self._simulators])

    def close(self) -> None:
        """Free the cores."""
        self.connection.release(self)


class Context:
    """Where devices and models come from: `with Context() as context: ...`.

    `target` is a device description for the device model to follow instead of the shipped one.
    """

    def __init__(self, target: str | Path | None = None):
        self._devices = list_devices(target)
        self._connections: list[Connection] = []

    def list_devices(self) -> list[Device]:
        return list(self._devices)

    def device_connect(self, device: Device | None = None, num_sub_devices: int = 1) -> Connection:
        """Reserve cores of a device, by default the first.

        Raises `InvalidArgument` for a device of another context or a wrong number of cores, and `DeviceInUse` when
        fewer are free.
        """
        chosen = self._devices[0] if device is None else device
        if chosen not in self._devices:
            raise InvalidArgument(f"no device {chosen.name} in this context", notes=("list_devices tells which exist",))
        if not 1 <= num_sub_devices <= chosen.cores:
            raise InvalidArgument(f"num_sub_devices is {num_sub_devices}; the device has {chosen.cores} cores")
        taken = sum(connection.num_sub_devices for connection in self._connections if connection.device == chosen)
        if taken + num_sub_devices > chosen.cores:
            raise DeviceInUse(
                f"{num_sub_devices} cores asked for; {chosen.cores - taken} of the {chosen.cores} cores of "
                f"{chosen.name} are free",
                notes=("close another connection first",),
            )
        connection = Connection(self, chosen, num_sub_devices)
        self._connections.append(connection)
        return connection

    def disconnect(self, connection: Connection) -> None:
        """What `Connection.close` does."""
        if connection in self._connections:
            self._connections.remove(connection)

    def load_model(self, path: str | Path) -> Model:
        """Read a compiled model. Raises as `load_model` of this package does."""
        return load_model(path)

    def close(self) -> None:
        """Close all connections."""
        self._connections.clear()

    def __enter__(self) -> Context:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None):
        self.close()


def _check(what: str, infos: Sequence[TensorInfo], buffers: Sequence[I8]) -> None:
    if len(buffers) != len(infos):
        raise InvalidArgument(f"the model has {len(infos)} {what}s, {len(buffers)} buffers given")
    for info, buffer in zip(infos, buffers, strict=True):
        info.check(buffer)
