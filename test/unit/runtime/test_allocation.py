"""Who has which cores and bytes of a device, and that nobody reaches those of another."""

from __future__ import annotations

import dataclasses
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_networks import SIZE, save, sound

from axir.backends.aipu.structure import Image, Task
from axir.ir.diagnostics import AxirError
from axir.runtime import Context, DeviceInUse, InvalidArgument, Model, load, load_model
from axir.runtime.allocation import SYSTEM, Allocator, Holding, Need
from axir.target.description import load as load_target
from axir.target.isa import Address, Dma
from axir.tools.axc import main as axc

TARGET = load_target(None)


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> list[Model]:
    """The same network for one core, and for two cores together."""
    folder = tmp_path_factory.mktemp("models")
    source = str(save(sound(), folder / "net.onnx"))
    assert axc([source, "-o", str(folder / "one"), "--resources", "0.25"]) == 0
    two = ["--aipu-cores", "2", "--set", "multicore_mode=cooperative", "--resources", "0.5"]
    assert axc([source, "-o", str(folder / "two"), *two]) == 0
    return [load_model(folder / name) for name in ("one", "two")]


def frame(seed: int) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    return np.random.default_rng(seed).standard_normal((1, 3, SIZE, SIZE)).astype(np.float32)


def test_models_side_by_side_compute_what_they_compute_alone(models: list[Model]) -> None:
    alone = [load(model.path)(frame(1))[0] for model in models]
    assert np.array_equal(alone[0], alone[1])
    with Context() as context:
        loaded = [context.device_connect(num_sub_devices=m.file.cores).load_model_instance(m) for m in models]
        loaded.append(context.device_connect().load_model_instance(models[0], "again"))
        networks = [instance.hosted() for instance in loaded]
        for seed in (1, 2, 1):
            results = [network(frame(seed))[0] for network in networks]
            assert all(np.array_equal(result, results[0]) for result in results)
        assert np.array_equal(networks[0](frame(1))[0], alone[0])
        cores = [(i.holding.first_core, i.cores) for i in loaded]
        assert cores == [(0, 1), (1, 2), (3, 1)]


def test_the_memory_map_names_owners(models: list[Model]) -> None:
    with Context() as context:
        connection = context.device_connect(num_sub_devices=4)
        first = connection.load_model_instance(models[0], "first")
        connection.load_model_instance(models[1], "second")
        mapped = context.memory_map()
        assert [e.owner for e in mapped if e.memory == "l2"] == [SYSTEM, "first", "second"]
        assert [e.owner for e in mapped if e.memory == "ddr"] == [SYSTEM, "first", "second"]
        assert all(a.end <= b.start for a, b in pairwise(mapped) if a.memory == b.memory)
        free = context.allocator().free("l2")
        first.close()
        first.close()
        assert context.allocator().free("l2") > free
        assert [e.owner for e in context.memory_map() if e.memory == "l2"] == [SYSTEM, "second"]
        with pytest.raises(InvalidArgument, match="'first' is closed"):
            first.hosted()(frame(0))
        connection.load_model_instance(models[0], "third")  # where the first was
        assert [e.owner for e in context.memory_map() if e.memory == "l2"] == [SYSTEM, "third", "second"]


def test_a_device_that_is_full_says_who_has_what(models: list[Model]) -> None:
    big = dataclasses.replace(models[0].images[0], memory={"l1": 64, "l2": 20 << 20, "ddr": 4096})
    model = dataclasses.replace(models[0], images=(big,))
    with Context() as context:
        connection = context.device_connect(num_sub_devices=4)
        connection.load_model_instance(model, "big")
        with pytest.raises(DeviceInUse, match=r"'bigger' needs 20,[\d,]+ bytes of l2; 1[\d,]+ are free") as caught:
            connection.load_model_instance(model, "bigger")
        assert caught.value.notes[0].startswith("'big' has core 0, 20,9")
        assert "resources_used" in caught.value.notes[-1]
        connection.load_model_instance(models[1])
        with pytest.raises(DeviceInUse, match="needs 2 neighbouring cores; 1 of the connection's 4 are free"):
            connection.load_model_instance(models[1])


def patched(image: Image, dma: Dma) -> Image:
    """The image with another copy as the first of its queue dma0."""
    queues = dict(image.cores[0])
    first = queues["dma0"][0]
    queues["dma0"] = (Task(dma, first.waits, first.layer), *queues["dma0"][1:])
    return dataclasses.replace(image, cores=(queues, *image.cores[1:]))


def test_a_program_that_writes_outside_of_its_region_is_stopped_and_named(models: list[Model]) -> None:
    image = models[0].images[0]
    outside = Address("l2", image.memory["l2"] + TARGET.device.page)
    (constant, *_) = image.constants
    program = patched(image, Dma(src=Address(constant.memory, constant.address), dst=outside, row_bytes=64))
    model = dataclasses.replace(models[0], images=(program,))
    expected = load(models[0].path)(frame(3))[0]
    with Context() as context:
        connection = context.device_connect(num_sub_devices=2)
        bad = connection.load_model_instance(model, "bad")
        good = connection.load_model_instance(models[0], "good")
        with pytest.raises(
            AxirError, match=r"program .net. on core 0: core 0 dma0\[0\].*dst reaches l2 \[0x[0-9a-f]+.*outside of"
        ):
            bad.hosted()(frame(3))
        assert np.array_equal(good.hosted()(frame(3))[0], expected)


@given(
    st.lists(st.tuples(st.integers(0, 5 << 20), st.integers(0, 3), st.booleans()), min_size=1, max_size=30),
)
def test_extents_never_overlap(requests: list[tuple[int, int, bool]]) -> None:
    allocator = Allocator(TARGET)
    held: list[Holding] = []
    base = Image("p", "metis", "", (), (), (), {}, (), ({},))
    for number, (size, core, give) in enumerate(requests):
        image = dataclasses.replace(base, memory={"l2": size, "ddr": size // 2})
        try:
            held.append(allocator.take(str(number), [image], [core]))
        except DeviceInUse:
            if give and held:
                allocator.give_back(held.pop(number % len(held)))
        mapped = allocator.memory_map()
        for one, other in pairwise(mapped):
            assert one.memory != other.memory or one.end <= other.start
        assert all(e.start % TARGET.device.page == 0 for e in mapped)
        for holding in held:
            for region in holding.regions:
                region.check(base, TARGET)


def test_what_is_beside_a_region_is_counted() -> None:
    image = Image("p", "metis", "", (), (), (), {"l2": 100}, (), ({},), notes={"second_set": {"l2": 5000, "ddr": 1}})
    assert Need.of(image, TARGET) == Need(4096, 0, 8192, 4096)
