"""Devices, connections to them, and models running on them.

The only device of this version is a model in software: it runs the very image a chip would, and says how long the chip
would take. It has the cores of its target description, which connections share out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from threading import Lock
from types import TracebackType

import numpy as np

from axir.backends.aipu.simulator import DeviceMemory, Simulator
from axir.backends.aipu.simulator.timing import Timing
from axir.backends.aipu.structure import target_digest
from axir.ir.diagnostics import AxirError
from axir.runtime.allocation import Allocator, Extent, Holding
from axir.runtime.errors import DeviceInUse, IncompatibleDevice, InvalidArgument
from axir.runtime.hosted_model import Array, HostedModel
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


class DeviceState:
    """What is on a device of a context: who has which cores and memory, and the bytes."""

    def __init__(self, device: Device):
        self.device = device
        self.allocator = Allocator(device.target)
        self.memory = DeviceMemory(device.target)


@dataclass(eq=False)
class Connection:
    """Cores of one device that belong to this application until it is closed; also a context manager."""

    context: Context
    device: Device
    cores: tuple[int, ...]
    state: DeviceState
    _instances: list[ModelInstance] = field(default_factory=list["ModelInstance"])

    @property
    def num_sub_devices(self) -> int:
        """How many cores it has."""
        return len(self.cores)

    def load_model_instance(self, model: Model, name: str | None = None) -> ModelInstance:
        """Put a model on free cores of the connection, in memory of its own; `name` is how messages call the instance.

        Raises `IncompatibleDevice` for a model of another target, and `DeviceInUse` when too few cores or too few bytes
        of L2 or DDR are free.
        """
        if target_digest(model.target) != target_digest(self.device.target):
            raise IncompatibleDevice(
                f"the model is for target '{model.target.name}', the device is {self.device}",
                location=str(model.path),
                notes=("give Context the target description that the model was compiled with",),
            )
        holding = self.state.allocator.take(name or model.file.name, model.images, self.cores)
        instance = ModelInstance(self, model, holding)
        self._instances.append(instance)
        return instance

    @property
    def instances(self) -> tuple[ModelInstance, ...]:
        """The instances on its cores."""
        return tuple(self._instances)

    def release(self, instance: ModelInstance) -> None:
        """What `ModelInstance.close` does."""
        if instance in self._instances:
            self._instances.remove(instance)
            instance.unload()
            self.state.allocator.give_back(instance.holding)

    def close(self) -> None:
        """Give the cores back."""
        for instance in self.instances:
            self.release(instance)
        self.context.disconnect(self)

    def __enter__(self) -> Connection:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None):
        self.close()


class ModelInstance:
    """A model on a device, ready to run frames. Threads may share it: its frames run one at a time, in order."""

    def __init__(self, connection: Connection, model: Model, holding: Holding):
        self.connection = connection
        self.model = model
        self.holding = holding
        self._lock = Lock()
        memory = connection.state.memory
        self._simulators: list[Simulator] = []
        try:
            for image, region in zip(model.images, holding.regions, strict=True):
                self._simulators.append(Simulator(image, model.target, memory, region, owner=holding))
        except AxirError:
            self.unload()
            connection.state.allocator.give_back(holding)
            raise
        self._hosted: HostedModel | None = None

    @property
    def name(self) -> str:
        """How messages call it."""
        return self.holding.owner

    @property
    def cores(self) -> int:
        """How many cores it runs on."""
        return self.holding.cores

    @property
    def frames(self) -> int:
        """How many frames one run takes: more than one where it was compiled as a batch."""
        return self.model.file.frames

    @property
    def inputs(self) -> tuple[TensorInfo, ...]:
        """The buffers that `run` reads, of one frame. Raises `InvalidArgument` for a model with host islands."""
        return self.model.inputs

    @property
    def outputs(self) -> tuple[TensorInfo, ...]:
        """The buffers that `run` writes, of one frame. Raises `InvalidArgument` for a model with host islands."""
        return self.model.outputs

    def run(self, inputs: Sequence[I8], outputs: Sequence[I8]) -> None:
        """Run once: read `inputs` and write `outputs`, buffers as `TensorInfo` describes them.

        A batch takes `frames` frames: its buffers have so many where those of one frame have 1, in their first
        dimension. Raises `InvalidArgument` for buffers that do not fit, and for a model with host islands, which only
        `hosted` can run; `CoreFault` where a core stops. Padding bytes of outputs are undefined.
        """
        taken, given = (
            [_frames_of(what, infos, buffers, frame, self.frames) for frame in range(self.frames)]
            for what, infos, buffers in (("input", self.inputs, inputs), ("output", self.outputs, outputs))
        )
        if not all(buffer.flags.writeable for buffer in outputs):
            raise InvalidArgument("an output buffer is read-only")
        stored = [info.unpack(b) for frame in taken for info, b in zip(self.inputs, frame, strict=True)]
        results = iter(self._run(0, stored))
        for frame in given:
            for info, buffer in zip(self.outputs, frame, strict=True):
                np.copyto(buffer, info.pack(next(results)))

    def run_frames(self, frames: Sequence[Mapping[str, Array]]) -> list[list[Array]]:
        """The model's outputs for as many frames as one run takes, each given by its inputs' names.

        Raises as `HostedModel` does, and `CoreFault` where a core stops.
        """
        return self.hosted().run_frames(frames)

    def _run(self, segment: int, stored: Sequence[I8]) -> list[I8]:
        with self._lock:
            if not self._simulators:
                raise InvalidArgument(f"'{self.name}' is closed", notes=("load the model again",))
            return self._simulators[segment].run(stored)

    def inject_fault(self, core: int = 0, after: int = 1) -> None:
        """Let a core of the model stop in the middle of the `after`-th run from now on: a testing aid of the device
        model, which has no faults of its own."""
        self._simulators[0].inject_fault(core, after)

    def times(self) -> FrameTimes:
        """Modelled times of a frame, with this instance alone on the device."""
        return self.model.times()

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
        if self._hosted is None:
            runs = [partial(self._run, number) for number in range(len(self.model.images))]
            self._hosted = self.model.hosted(runs)
        return self._hosted

    def unload(self) -> None:
        """Take the programs off the device's memory."""
        with self._lock:
            simulators, self._simulators = self._simulators, []
            self._hosted = None  # it refers to this instance
        for simulator in simulators:
            simulator.close()

    def close(self) -> None:
        """Free the cores and the memory."""
        self.connection.release(self)


class Context:
    """Where devices and models come from: `with Context() as context: ...`.

    `target` is a device description for the device model to follow instead of the shipped one. The device model lives
    in this context: what is loaded elsewhere is on another device.
    """

    def __init__(self, target: str | Path | None = None):
        self._states = {device: DeviceState(device) for device in list_devices(target)}
        self._connections: list[Connection] = []

    def list_devices(self) -> list[Device]:
        return list(self._states)

    def device_connect(self, device: Device | None = None, num_sub_devices: int = 1) -> Connection:
        """Reserve cores of a device, by default the first.

        Raises `InvalidArgument` for a device of another context or a wrong number of cores, and `DeviceInUse` when
        fewer are free.
        """
        chosen = self.list_devices()[0] if device is None else device
        if chosen not in self._states:
            raise InvalidArgument(f"no device {chosen.name} in this context", notes=("list_devices tells which exist",))
        if not 1 <= num_sub_devices <= chosen.cores:
            raise InvalidArgument(f"num_sub_devices is {num_sub_devices}; the device has {chosen.cores} cores")
        own = [connection for connection in self._connections if connection.device == chosen]
        taken = [core for connection in own for core in connection.cores]
        free = [core for core in range(chosen.cores) if core not in taken]
        if len(free) < num_sub_devices:
            raise DeviceInUse(
                f"{num_sub_devices} cores asked for; {len(free)} of the {chosen.cores} cores of {chosen.name} are free",
                notes=("close another connection first",),
            )
        connection = Connection(self, chosen, _neighbours(free, num_sub_devices), self._states[chosen])
        self._connections.append(connection)
        return connection

    def memory_map(self, device: Device | None = None) -> list[Extent]:
        """Who has which bytes of a device's L2 and DDR, by default of the first device."""
        return self.allocator(device).memory_map()

    def allocator(self, device: Device | None = None) -> Allocator:
        """Who has what of a device. Raises `InvalidArgument` for a device of another context."""
        chosen = self.list_devices()[0] if device is None else device
        if chosen not in self._states:
            raise InvalidArgument(f"no device {chosen.name} in this context", notes=("list_devices tells which exist",))
        return self._states[chosen].allocator

    def disconnect(self, connection: Connection) -> None:
        """What `Connection.close` does."""
        if connection in self._connections:
            self._connections.remove(connection)

    def load_model(self, path: str | Path) -> Model:
        """Read a compiled model. Raises as `load_model` of this package does."""
        return load_model(path)

    def close(self) -> None:
        """Close all connections."""
        for connection in list(self._connections):
            connection.close()

    def __enter__(self) -> Context:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None):
        self.close()


def _neighbours(free: Sequence[int], count: int) -> tuple[int, ...]:
    """So many free cores, beside each other if that can be: programs of several cores need neighbours."""
    for first in free:
        if all(core in free for core in range(first, first + count)):
            return tuple(range(first, first + count))
    return tuple(free[:count])


def _frames_of(what: str, infos: Sequence[TensorInfo], buffers: Sequence[I8], frame: int, frames: int) -> list[I8]:
    """The buffers of one frame of a run, checked. Raises `InvalidArgument`."""
    if len(buffers) != len(infos):
        raise InvalidArgument(f"the model has {len(infos)} {what}s, {len(buffers)} buffers given")
    found: list[I8] = []
    for info, buffer in zip(infos, buffers, strict=True):
        info.check(buffer, frames)
        found.append(buffer[frame : frame + 1])
    return found
