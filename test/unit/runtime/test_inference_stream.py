"""Streams: order, bounds, errors, faults, stops; no frame is lost and no thread is left."""

from __future__ import annotations

import gc
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from small_networks import SIZE, save, sound

from axir.ir.diagnostics import AxirError
from axir.runtime import Context, InferenceStream, InvalidArgument, Model, ModelInstance, load, load_model
from axir.tools.axc import main as axc

Array = NDArray[Any]


def compiled(folder: Path, *options: str) -> Model:
    source = save(sound(), folder / "net.onnx")
    assert axc([str(source), "-o", str(folder / "out"), *options]) == 0
    return load_model(folder / "out")


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Model:
    return compiled(tmp_path_factory.mktemp("model"), "--resources", "0.25")


@pytest.fixture(scope="module")
def batch(tmp_path_factory: pytest.TempPathFactory) -> Model:
    return compiled(tmp_path_factory.mktemp("batch"), "--aipu-cores", "3")


@pytest.fixture(autouse=True)
def no_thread_is_left() -> Iterator[None]:
    yield
    gc.collect()
    for thread in threading.enumerate():
        if thread.name.startswith("stream."):
            thread.join(10)
            assert not thread.is_alive()


@pytest.fixture(scope="module")
def frames() -> list[Array]:
    rng = np.random.default_rng(0)
    return [rng.standard_normal((1, 3, SIZE, SIZE)).astype(np.float32) for _ in range(11)]


@pytest.fixture(scope="module")
def expected(model: Model, frames: list[Array]) -> list[Array]:
    network = load(model.path)
    return [network(frame)[0] for frame in frames]


def instances(context: Context, model: Model, count: int) -> list[ModelInstance]:
    connection = context.device_connect(num_sub_devices=count * model.file.cores)
    return [connection.load_model_instance(model, f"net.{number}") for number in range(count)]


def assert_equal(results: list[list[Array]], expected: list[Array]) -> None:
    assert len(results) == len(expected)
    for (got,), want in zip(results, expected, strict=True):
        assert np.array_equal(got, want)


@pytest.mark.parametrize("count", [1, 3, 4])
@pytest.mark.parametrize("queue", [None, 1, 2, 50])
def test_results_come_in_order(
    model: Model, frames: list[Array], expected: list[Array], count: int, queue: int | None
) -> None:
    with Context() as context, InferenceStream(instances(context, model, count), frames, queue_size=queue) as stream:
        assert_equal(list(stream), expected)
        assert list(stream) == []


def test_it_connects_by_itself(model: Model, frames: list[Array], expected: list[Array]) -> None:
    with InferenceStream.open(str(model.path), frames) as stream:
        assert_equal(list(stream), expected)
    with InferenceStream.open(model, ({"x": frame} for frame in frames), instances=2) as stream:
        assert_equal(list(stream), expected)
    with pytest.raises(InvalidArgument, match="5 instances of 1 cores each; the device has 4 cores"):
        InferenceStream.open(model, frames, instances=5)


def test_a_batch_is_filled_up(batch: Model, frames: list[Array], expected: list[Array]) -> None:
    assert batch.file.frames == 3
    for queue in (None, 1, 4):  # 11 frames are three batches and two frames
        with InferenceStream.open(batch, frames, queue_size=queue) as stream:
            assert_equal(list(stream), expected)


def test_batches_by_hand(batch: Model, frames: list[Array], expected: list[Array]) -> None:
    with Context() as context:
        (instance,) = instances(context, batch, 1)
        (got,) = instance.hosted()(np.concatenate(frames[:3]))
        assert np.array_equal(got, np.concatenate(expected[:3]))
        (source,), (target,) = instance.inputs, instance.outputs
        taken = np.concatenate([source.quantize(frame) for frame in frames[:3]])
        given = np.zeros((3, *target.shape[1:]), np.int8)
        instance.run([taken], [given])
        for number, frame in enumerate(frames[:3]):
            logits = target.dequantize(given[number : number + 1])
            softmax = np.exp(logits) / np.exp(logits).sum(axis=3, keepdims=True)
            assert np.allclose(softmax, instance.hosted().run_frames([{"x": frame}] * 3)[1][0], atol=1e-6)
        with pytest.raises(InvalidArgument, match=r"must be int8 \[3, "):
            instance.run([taken[:1]], [given])
        with pytest.raises(InvalidArgument, match="must be of 3 frames"):
            instance.hosted()(frames[0])
        with pytest.raises(InvalidArgument, match="takes 3 frames a run, 1 given"):
            instance.run_frames([{"x": frames[0]}])


def test_frames_are_taken_no_further_ahead_than_the_queue(model: Model, frames: list[Array]) -> None:
    taken = 0

    def source() -> Iterator[Array]:
        nonlocal taken
        while True:
            taken += 1
            yield frames[0]

    with InferenceStream.open(model, source(), queue_size=3) as stream:
        assert taken == 0
        for number in range(5):
            next(stream)
            assert taken == number + 3


def test_an_error_of_the_source_comes_after_what_was_before(model: Model, frames: list[Array]) -> None:
    def source() -> Iterator[Array]:
        yield from frames[:3]
        raise RuntimeError("camera unplugged")

    with InferenceStream.open(model, source(), queue_size=10) as stream:
        assert len([next(stream) for _ in range(3)]) == 3
        with pytest.raises(RuntimeError, match="camera unplugged"):
            next(stream)
        assert list(stream) == []


@pytest.mark.parametrize("which", ["model", "batch"])
def test_a_wrong_frame_raises_in_its_place(
    which: str, request: pytest.FixtureRequest, frames: list[Array], expected: list[Array]
) -> None:
    wrong = [*frames[:4], np.zeros((1, 2, 2, 2), np.float32), *frames[4:6]]
    with InferenceStream.open(request.getfixturevalue(which), wrong) as stream:
        assert_equal([next(stream) for _ in range(4)], expected[:4])
        with pytest.raises(InvalidArgument, match="input 'x' must be float32"):
            next(stream)
        assert_equal(list(stream), expected[4:6])


def test_an_interrupt_of_the_source_stops_the_stream(model: Model) -> None:
    def source() -> Iterator[Array]:
        raise KeyboardInterrupt
        yield

    stream = InferenceStream.open(model, source())
    with pytest.raises(KeyboardInterrupt):
        next(stream)
    assert list(stream) == []


def test_stops(model: Model, frames: list[Array]) -> None:
    with InferenceStream.open(model, frames) as stream:
        next(stream)
        stream.close()
        stream.close()
        assert list(stream) == []
    abandoned = InferenceStream.open(model, frames)
    next(abandoned)
    del abandoned  # the fixture sees that its threads end


@pytest.mark.parametrize("which", ["model", "batch"])
def test_a_core_that_stops_loses_no_frame(
    which: str, request: pytest.FixtureRequest, frames: list[Array], expected: list[Array]
) -> None:
    chosen: Model = request.getfixturevalue(which)
    with Context() as context:
        if which == "batch":
            (only,) = instances(context, chosen, 1)
            only.inject_fault(1, after=2)
            with InferenceStream(only, frames) as stream:
                assert_equal([next(stream) for _ in range(3)], expected[:3])
                with pytest.raises(AxirError, match="no instance is left") as caught:
                    next(stream)
                assert "core 1 of the device stopped" in caught.value.notes[0]
            return
        three = instances(context, chosen, 3)
        three[0].inject_fault(after=1)
        three[2].inject_fault(after=2)
        with InferenceStream(three, frames) as stream:
            assert_equal(list(stream), expected)
            assert 1 <= len(stream.retired) <= 2


def test_with_no_core_left_every_frame_says_so(model: Model, frames: list[Array]) -> None:
    with Context() as context:
        two = instances(context, model, 2)
        for instance in two:
            instance.inject_fault(after=2)
        with InferenceStream(two, frames) as stream:
            outcomes = list[object]()
            for _ in frames:
                try:
                    outcomes.append(next(stream))
                except AxirError as error:
                    outcomes.append(error.message)
            wrong = [outcome for outcome in outcomes if isinstance(outcome, str)]  # each core has run one frame
            assert len(outcomes) - len(wrong) == 2
            assert set(wrong) == {"no instance is left to run the frame: all 2 have stopped"}


def test_wrong_streams(model: Model, batch: Model, frames: list[Array]) -> None:
    with Context() as context:
        (one,) = instances(context, model, 1)
        (other,) = instances(context, batch, 1)
        with pytest.raises(InvalidArgument, match="needs an instance"):
            InferenceStream([], frames)
        with pytest.raises(InvalidArgument, match="of one model"):
            InferenceStream([one, other], frames)
        with pytest.raises(InvalidArgument, match="queue_size is 0"):
            InferenceStream(one, frames, queue_size=0)
