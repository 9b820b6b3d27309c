"""Several programs on one device: regions, what keeps a program inside its own, and faults of a core."""

from __future__ import annotations

import dataclasses
import resource
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from unit.backend.programs import BUFFERS, assembled, text

from axir.backends.aipu.image import read_image, write_image
from axir.backends.aipu.simulator import CoreFault, DeviceMemory, Region, Simulator
from axir.backends.aipu.structure import Image, Task
from axir.ir.diagnostics import AxirError
from axir.target.description import load
from axir.target.isa import Address

TARGET = load()
PAGE = TARGET.device.page
IMAGE = read_image(write_image(assembled(text())), TARGET)
INT8 = np.arange(-15, 15, dtype=np.int8).reshape(1, 3, 1, 10)


def region(number: int, **changes: int) -> Region:
    """A page of L2 and one of DDR for a program of one core."""
    return dataclasses.replace(Region(number, 3 * number * PAGE, PAGE, 5 * number * PAGE, PAGE), **changes)


def named(name: str, image: Image = IMAGE) -> Image:
    return dataclasses.replace(image, name=name)


def test_instances_in_regions_do_not_see_each_other():
    memory = DeviceMemory(TARGET)
    simulators = [Simulator(IMAGE, TARGET, memory, region(number)) for number in range(4)]
    for turn in range(3):
        frames = [INT8 + np.int8(4 * turn + number) for number in range(4)]
        for simulator, frame in zip(simulators, frames, strict=True):
            np.testing.assert_array_equal(simulator.run([frame])[0], frame)
    assert [place for _, place in memory.claims] == [region(number) for number in range(4)]


def test_a_program_lies_where_its_region_is():
    memory = DeviceMemory(TARGET)
    Simulator(IMAGE, TARGET, memory, region(2)).run([INT8])
    l2 = memory.memories["l2"]
    start = region(2).l2_base
    (constant,) = IMAGE.constants
    np.testing.assert_array_equal(l2[start + constant.address : start + constant.end], constant.data)
    assert np.flatnonzero(l2).min() >= start
    assert np.flatnonzero(l2).max() < start + IMAGE.memory["l2"]


def test_a_device_takes_memory_only_for_pages_that_are_touched():
    def resident() -> int:
        return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()

    before = resident()
    memory = DeviceMemory(TARGET)
    Simulator(IMAGE, TARGET, memory, region(1)).run([INT8])
    assert memory.memories["ddr"].size + memory.memories["l2"].size == TARGET.ddr.size + TARGET.l2.size
    assert resident() - before < TARGET.l2.size


@pytest.mark.parametrize(
    ("other", "message"),
    [
        ({"first_core": 0}, "program 'b' on core 0 and program 'a' on core 0 share core 0"),
        ({"l2_base": 0}, r"program 'b' on core 1 and program 'a' on core 0 overlap in l2, \[0x0, 0x1000\)"),
        ({"ddr_base": 0, "ddr_size": 9 * PAGE}, r"'b' on core 1 and .* 'a' on core 0 overlap in ddr, \[0x0, 0x1000\)"),
        ({"l2_base": PAGE // 2}, r"the region of program 'b' in l2, \[0x800, 0x1800\), is not made of whole pages"),
        ({"ddr_size": PAGE + 64}, "the region of program 'b' in ddr, .*, is not made of whole pages of 4096 bytes"),
        ({"ddr_base": -PAGE}, "the region of program 'b' in ddr, .*, is not within"),
        ({"l2_base": TARGET.l2.size}, "the region of program 'b' in l2, .*, is not within the 33554432 bytes of metis"),
        ({"first_core": 4}, "program 'b' is to run on cores 4 to 4, metis has 4"),
        ({"first_core": -1}, "program 'b' is to run on cores -1 to -1, metis has 4"),
    ],
)
def test_regions_that_a_device_does_not_give(other: dict[str, int], message: str):
    memory = DeviceMemory(TARGET)
    Simulator(named("a"), TARGET, memory, region(0))
    with pytest.raises(AxirError, match=message):
        Simulator(named("b"), TARGET, memory, region(1, **other))
    assert len(memory.claims) == 1
    Simulator(named("b"), TARGET, memory, region(1))


def test_a_region_can_be_given_back():
    memory = DeviceMemory(TARGET)
    first = Simulator(IMAGE, TARGET, memory, region(0))
    first.close()
    first.close()
    Simulator(IMAGE, TARGET, memory, region(0)).run([INT8])
    with pytest.raises(AxirError, match="share core 0"):
        Simulator(IMAGE, TARGET, memory, region(0))


def test_a_region_is_a_part_of_a_memory():
    with pytest.raises(ValueError, match="give both or neither"):
        Simulator(IMAGE, TARGET, None, region(0))


def patched(unit: str, field: str, address: Address, memory: dict[Any, int] | None = None) -> Image:
    """The program with another address in the first task of a queue."""
    (task,) = IMAGE.cores[0][unit]
    other = dataclasses.replace(task, instruction=dataclasses.replace(task.instruction, **{field: address}))
    queues = {**IMAGE.cores[0], unit: (other,)}
    return dataclasses.replace(IMAGE, name="rogue", cores=(queues,), memory={**IMAGE.memory, **(memory or {})})


@pytest.mark.parametrize("size", [1408, 4 * PAGE])
def test_a_program_patched_to_reach_out_of_its_region_is_stopped_and_named(size: int):
    """Whether or not it says that it needs more."""
    memory = DeviceMemory(TARGET)
    neighbour = Simulator(IMAGE, TARGET, memory, region(1))
    neighbour.run([INT8])
    before = memory.memories["l2"].copy()
    rogue = Simulator(patched("dma1", "dst", Address("l2", 3 * PAGE), {"l2": size}), TARGET, memory, region(0))
    with pytest.raises(
        AxirError,
        match=r"program 'rogue' on core 0: core 0 dma1\[0\] \(layer 1, \"second\"\): dst reaches l2 \[0x3000, 0x3280\)",
    ):
        rogue.run([INT8])
    np.testing.assert_array_equal(memory.memories["l2"], before)


def test_a_program_that_needs_more_than_its_region():
    big = Simulator(
        dataclasses.replace(named("big"), memory={**IMAGE.memory, "l2": 2 * PAGE}),
        TARGET,
        DeviceMemory(TARGET),
        region(0),
    )
    with pytest.raises(
        AxirError, match="program 'big' on core 0: the program needs 8192 bytes of l2, its region has 4096"
    ):
        big.run([INT8])


def test_ports_and_constants_lie_in_the_region():
    buffers = BUFFERS.replace('"c" bytes 128 at 1280', '"c" bytes 128 at 4096')
    far = assembled(text(buffers=buffers))
    with pytest.raises(AxirError, match="constant 'c' lies outside of the program's l2"):
        Simulator(far, TARGET, DeviceMemory(TARGET), region(0)).run([INT8])
    buffers = BUFFERS.replace('"y" bytes 640 at 640', '"y" bytes 640 at 4096')
    far = assembled(text(buffers=buffers))
    with pytest.raises(AxirError, match="port 'out' lies outside of the program's l2"):
        Simulator(far, TARGET, DeviceMemory(TARGET), region(0)).run([INT8])


@settings(max_examples=100, deadline=None)
@given(
    st.sampled_from([("dma0", "src"), ("dma1", "dst")]),
    st.sampled_from(["l2", "ddr"]),
    st.one_of(st.integers(0, 1 << 20), st.sampled_from([(1 << 32) - 1, 1 << 30, PAGE - 640, PAGE - 639])),
)
def test_the_memory_model_itself_gives_no_view_beyond_the_region(place: tuple[str, str], memory: str, offset: int):
    """Even if nothing had checked the program: what runs leaves the bytes of others alone."""
    device = DeviceMemory(TARGET)
    own = region(1)
    simulator = Simulator(
        patched(*place, Address(memory, offset), {"l2": 1 << 21, "ddr": 1 << 21}), TARGET, device, own
    )
    simulator._checked = True  # pyright: ignore[reportPrivateUsage]
    if offset + 640 <= PAGE:
        simulator.run([np.full_like(INT8, 77)])
    else:
        with pytest.raises(AxirError, match=r"program 'rogue', core 0 .*: reaches outside of its memory"):
            simulator.run([np.full_like(INT8, 77)])
    for name, content in device.memories.items():
        start, end = own.span("l2" if name == "l2" else "ddr")
        touched = np.flatnonzero(content[: 1 << 22])
        assert not touched.size or (touched.min() >= start and touched.max() < end)


def test_a_core_stops_in_the_frame_that_was_ordered():
    memory = DeviceMemory(TARGET)
    simulator = Simulator(IMAGE, TARGET, memory, region(3))
    simulator.inject_fault(0, after=3)
    for _ in range(2):
        simulator.run([INT8])
    with pytest.raises(CoreFault, match=r"core 3 of the device stopped, program 'main' before core 0 depth") as caught:
        simulator.run([INT8])
    assert caught.value.core == 3
    assert isinstance(caught.value, AxirError)
    for turn in range(3):  # the frames after it are whole
        frame = INT8 + np.int8(turn)
        np.testing.assert_array_equal(simulator.run([frame])[0], frame)


def test_a_fault_loses_a_frame_and_not_those_of_others():
    memory = DeviceMemory(TARGET)
    one, other = (Simulator(IMAGE, TARGET, memory, region(number)) for number in range(2))
    other.run([INT8])
    one.inject_fault(0)
    with pytest.raises(CoreFault):
        one.run([INT8])
    np.testing.assert_array_equal(other.run([INT8 + np.int8(1)])[0], INT8 + np.int8(1))


def test_faults_of_cores_that_the_program_does_not_have():
    simulator = Simulator(IMAGE, TARGET)
    for core, after in ((1, 1), (-1, 1), (0, 0)):
        with pytest.raises(ValueError, match="no fault in core"):
            simulator.inject_fault(core, after)


def test_a_core_without_tasks_can_stop_as_well():
    empty: dict[str, tuple[Task, ...]] = dict.fromkeys(IMAGE.cores[0], ())
    simulator = Simulator(dataclasses.replace(IMAGE, cores=(IMAGE.cores[0], empty)), TARGET)
    simulator.inject_fault(1)
    with pytest.raises(CoreFault, match="core 1 of the device stopped"):
        simulator.run([INT8])
