"""Frames in, results out, in order, over all instances of a model: each frame goes to whichever instance is free."""

from __future__ import annotations

import weakref
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from threading import Condition, Thread
from types import TracebackType
from typing import Any

from numpy.typing import ArrayLike

from axir.backends.aipu.simulator import CoreFault
from axir.ir.diagnostics import AxirError
from axir.runtime.device import Connection, Context, ModelInstance
from axir.runtime.errors import InvalidArgument
from axir.runtime.hosted_model import Array
from axir.runtime.model import Model, load_model

Frame = Mapping[str, ArrayLike] | ArrayLike
"""The model's inputs by name, or the array of its only input."""

Results = list[Array]


class InferenceStream:
    """An iterator over the results of an iterable of frames, in the order of the frames.

        with InferenceStream.open("out", frames) as results:
            for outputs in results: ...

    Frames are taken from the iterable in the thread that iterates, when it asks for results, and never more than
    `queue_size` ahead of them. Each goes to whichever instance is free; the last of a batch are filled up with copies.
    What goes wrong is raised where the result would have come: an exception of the iterable, after which there are no
    more frames, or of a frame, after which the next result is that of the next frame. Where a core stops (`CoreFault`),
    its instance takes no more frames, and what it was working on goes to another; with no instance left, every frame
    that has no result yet raises.

    `close`, the end of a `with` block, or losing the last reference stops the instances' threads when each is done with
    its frame; then iteration ends. Nobody waits in a loop: threads sleep until there is work.
    """

    def __init__(
        self,
        instances: ModelInstance | Sequence[ModelInstance],
        frames: Iterable[Frame],
        *,
        queue_size: int | None = None,
    ):
        """`queue_size`: by default twice what all instances can work on. Raises `InvalidArgument`."""
        chosen = [instances] if isinstance(instances, ModelInstance) else list(instances)
        if not chosen:
            raise InvalidArgument("a stream needs an instance to run on")
        if any(instance.model.path != chosen[0].model.path for instance in chosen):
            raise InvalidArgument("the instances of a stream are of one model")
        size = 2 * sum(instance.frames for instance in chosen) if queue_size is None else queue_size
        if size < 1:
            raise InvalidArgument(f"queue_size is {size}; it must be at least 1")
        self._source = iter(frames)
        self._inputs = [tensor.name for tensor in chosen[0].model.file.inputs]
        self._size = size
        self._taken = self._given = 0
        self._exhausted = False
        self._work = _Work(chosen[0].frames, len(chosen))
        self._threads = [
            Thread(target=_serve, args=(instance, self._work), name=f"stream.{instance.name}", daemon=True)
            for instance in chosen
        ]
        for thread in self._threads:
            thread.start()
        self._finalizer = weakref.finalize(self, self._work.close)

    @staticmethod
    def open(
        model: Model | str, frames: Iterable[Frame], *, instances: int | None = None, queue_size: int | None = None
    ) -> OwningStream:
        """A stream on a device model of its own, with as many instances as fit it (or so many).

        Raises as `load_model` and `Connection.load_model_instance` do, and `InvalidArgument`.
        """
        return OwningStream(model if isinstance(model, Model) else load_model(model), frames, instances, queue_size)

    @property
    def retired(self) -> tuple[CoreFault, ...]:
        """The faults that took instances out of service, in the order in which they happened."""
        with self._work.changed:
            return tuple(self._work.faults)

    def __iter__(self) -> Iterator[Results]:
        return self

    def __next__(self) -> Results:
        self._feed()
        if self._given == self._taken:
            self.close()
            raise StopIteration
        result = self._work.wait_for(self._given)
        if result is None:  # closed meanwhile
            raise StopIteration
        self._given += 1
        if isinstance(result, BaseException):
            raise result
        return result

    def _feed(self) -> None:
        """Take frames until `queue_size` are under way."""
        while not self._exhausted and not self._work.closed and self._taken - self._given < self._size:
            try:
                frame = next(self._source)
            except StopIteration:
                self._exhausted = True
                break
            except Exception as error:
                self._exhausted = True
                self._work.settle(self._taken, error)
                self._taken += 1
                break
            except BaseException:
                self.close()
                raise
            self._work.add(self._taken, self._named(frame))
            self._taken += 1
        waiting = self._taken - self._given
        self._work.flush(self._exhausted or waiting >= self._size)

    def _named(self, frame: Frame) -> Mapping[str, ArrayLike] | InvalidArgument:
        if isinstance(frame, Mapping):
            return frame
        if len(self._inputs) != 1:
            return InvalidArgument(
                f"the model takes {len(self._inputs)} inputs",
                notes=(f"give a frame as a mapping from {', '.join(self._inputs)}",),
            )
        return {self._inputs[0]: frame}

    def close(self) -> None:
        """Stop: frames without a result get none. Waits until each instance is done with its frame."""
        self._work.close()
        for thread in self._threads:
            thread.join()

    def __enter__(self) -> InferenceStream:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None):
        self.close()


class OwningStream(InferenceStream):
    """A stream that has connected to a device itself, and disconnects when it is closed."""

    def __init__(self, model: Model, frames: Iterable[Frame], instances: int | None, queue_size: int | None):
        context = Context(None if model.file.target_file is None else model.path.parent / model.file.target_file)
        device = context.list_devices()[0]
        count = model.file.instances(device.cores) if instances is None else instances
        if not 1 <= count <= device.cores // model.file.cores:
            raise InvalidArgument(
                f"{count} instances of {model.file.cores} cores each; the device has {device.cores} cores"
            )
        self._connection: Connection = context.device_connect(device, count * model.file.cores)
        try:
            loaded = [self._connection.load_model_instance(model, f"{model.file.name}.{n}") for n in range(count)]
            super().__init__(loaded, frames, queue_size=queue_size)
        except AxirError:
            self._connection.close()
            raise

    def close(self) -> None:
        """As `InferenceStream.close`; then the device is free."""
        super().close()
        self._connection.close()


@dataclass
class _Work:
    """What a stream and its instances' threads share: frames to run, and results by the number of the frame."""

    batch: int
    serving: int
    todo: deque[tuple[int, Mapping[str, Any]]] = field(default_factory=deque[tuple[int, Mapping[str, Any]]])
    results: dict[int, Results | BaseException] = field(default_factory=dict[int, "Results | BaseException"])
    faults: list[CoreFault] = field(default_factory=list[CoreFault])
    flushed: bool = False
    closed: bool = False
    changed: Condition = field(default_factory=Condition)

    def add(self, number: int, frame: Mapping[str, ArrayLike] | InvalidArgument) -> None:
        if isinstance(frame, InvalidArgument):
            self.settle(number, frame)
            return
        with self.changed:
            if self.serving:
                self.todo.append((number, frame))
                self.changed.notify_all()
            else:
                self.results[number] = _nobody_left(self.faults)

    def flush(self, now: bool) -> None:
        """Whether a batch that is not full is run all the same: when nothing more comes before a result is taken."""
        with self.changed:
            self.flushed = now
            self.changed.notify_all()

    def settle(self, number: int, result: Results | BaseException) -> None:
        with self.changed:
            self.results[number] = result
            self.changed.notify_all()

    def take(self) -> list[tuple[int, Mapping[str, Any]]]:
        """Frames for one run; none when the stream is closed."""
        with self.changed:
            self.changed.wait_for(lambda: self.closed or len(self.todo) >= self.batch or (self.todo and self.flushed))
            if self.closed:
                return []
            return [self.todo.popleft() for _ in range(min(self.batch, len(self.todo)))]

    def retire(self, fault: CoreFault, frames: Sequence[tuple[int, Mapping[str, Any]]]) -> None:
        """An instance is out of service; its frames are the next that others take."""
        with self.changed:
            self.faults.append(fault)
            self.serving -= 1
            self.todo.extendleft(reversed(frames))
            if not self.serving:
                while self.todo:
                    self.results[self.todo.popleft()[0]] = _nobody_left(self.faults)
            self.changed.notify_all()

    def wait_for(self, number: int) -> Results | BaseException | None:
        with self.changed:
            self.changed.wait_for(lambda: self.closed or number in self.results)
            return None if self.closed else self.results.pop(number)

    def close(self) -> None:
        with self.changed:
            self.closed = True
            self.todo.clear()
            self.results.clear()
            self.changed.notify_all()


def _nobody_left(faults: Sequence[CoreFault]) -> AxirError:
    return AxirError(
        f"no instance is left to run the frame: all {len(faults)} have stopped",
        notes=[fault.message for fault in faults],
    )


def _serve(instance: ModelInstance, work: _Work) -> None:
    """Run frames until the stream is closed or the instance's core stops."""
    while frames := work.take():
        try:
            for number, result in _run(instance, frames):
                work.settle(number, result)
        except CoreFault as fault:
            work.retire(fault.with_traceback(None), frames)  # it would keep the instance, and itself, alive
            return


def _run(
    instance: ModelInstance, frames: Sequence[tuple[int, Mapping[str, Any]]]
) -> Sequence[tuple[int, Results | BaseException]]:
    """The results of up to as many frames as a run takes. Where one is wrong, each is run for itself."""
    filled = [frame for _, frame in frames]
    filled += [filled[-1]] * (instance.frames - len(filled))
    try:
        results = instance.run_frames(filled)
    except CoreFault:
        raise
    except Exception as error:
        if len(frames) == 1:
            return [(frames[0][0], error)]
        return [pair for frame in frames for pair in _run(instance, [frame])]
    return [(number, result) for (number, _), result in zip(frames, results, strict=False)]
