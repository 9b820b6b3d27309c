"""Programs of several cores: multicasts, tasks that only wait, modes and frames."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from unit.backend.programs import BUFFERS, LAYERS, TENSOR, assembled

from axir.backends.aipu.disassemble import program_from
from axir.backends.aipu.image import build_image, read_image, write_image
from axir.backends.aipu.simulator import Instance, Simulator, simulate
from axir.backends.aipu.simulator.bandwidth import Resource, demand
from axir.backends.aipu.structure import Image
from axir.ir.diagnostics import AxirError
from axir.ir.store import WeightStore
from axir.target.description import load
from axir.target.isa import Address, Dma

TARGET = load()
ALONE = dataclasses.replace(TARGET, dma=dataclasses.replace(TARGET.dma, multicast=0))
START = TARGET.device.launch + TARGET.device.dispatch + TARGET.dma.setup
PORTS = f'aipu.input "in" %x[0] {TENSOR} : !aipu.buffer<l2>\n'
ROW = "row_bytes = 640"


def program(*cores: str, ports: str = PORTS, mode: str = "cooperative", buffers: str = BUFFERS) -> Image:
    """One core for each text of tasks."""
    tasks = "".join(f"aipu.core {number} {{\n{body or '^bb0:'}\n}}\n" for number, body in enumerate(cores))
    return assembled(f'aipu.program "p" target "metis" mode "{mode}" layers {LAYERS} {{{buffers}{ports}{tasks}}}\n')


def copy(unit: str, src: str, dst: str, more: str = "", after: str = "", name: str = "") -> str:
    named = f"%{name} = " if name else ""
    return f"{named}aipu.dma on {unit}(src = {src}, dst = {dst}) {{{ROW}{more}}} layer 0 {after}\n"


FEED = copy("dma0", "l2 %x[0]", "l1 %a[0]", ", cores = 3", name="fed")
OUTPUTS = PORTS + (
    f'aipu.output "out" %y[0] {TENSOR} : !aipu.buffer<l2>\n'
    f'aipu.output "far" %d[0] {TENSOR} : !aipu.buffer<ddr>\n'
)  # fmt: skip
NEAR = copy("dma1", "l1 %a[0]", "l2 %y[0]", after="after(%fed)")
FAR = copy("dma1", "l1 %a[0]", "ddr %d[0]", after="after(core 0 dma0 1)")


def frame(seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(-128, 128, (1, 3, 1, 10), np.int8)


def test_a_multicast_writes_in_the_l1_of_every_core_named():
    inputs = frame()
    for mask, cores in ((3, 2), (7, 3)):
        image = program(FEED.replace("cores = 3", f"cores = {mask}") + NEAR, *[FAR, ""][: cores - 1], ports=OUTPUTS)
        near, far = Simulator(read_image(write_image(image), TARGET), TARGET).run([inputs])
        np.testing.assert_array_equal(near, inputs)
        np.testing.assert_array_equal(far, inputs)


def test_an_ordinary_copy_writes_in_its_own_l1_alone():
    own = FEED.replace(", cores = 3", "")
    with pytest.raises(AxirError, match=r"core 1 dma1\[0\] .*: src reads l1 \[0x0, 0x40\), which nothing has written"):
        Simulator(program(own + NEAR, FAR, ports=OUTPUTS), TARGET).check()


def test_a_multicast_moves_single_bytes():
    columns = "row_bytes = 3, count0 = 10, src_step0 = 64, dst_step0 = 64, cores = 3"
    feed = FEED.replace(f"{ROW}, cores = 3", columns)
    store = "row_bytes = 3, count0 = 10, src_step0 = 64, dst_step0 = 64"
    image = program(feed + NEAR.replace(ROW, store), FAR.replace(ROW, store), ports=OUTPUTS)
    for result in Simulator(image, TARGET).run([frame()]):
        np.testing.assert_array_equal(result, frame())


def test_a_multicast_needs_a_device_that_can():
    image = program(FEED, "")
    Simulator(image, TARGET).check()
    with pytest.raises(AxirError, match=r"core 0 dma0\[0\] .*: feeds cores 0, 1, metis has no multicast") as caught:
        Simulator(image, ALONE).check()
    assert caught.value.notes == ("the target's figure dma.multicast says so",)


@pytest.mark.parametrize(
    ("mask", "message"), [(2, "feeds cores 1, but not its own"), (5, "feeds cores 0, 2, the program has 2")]
)
def test_a_multicast_names_cores_of_the_program(mask: int, message: str):
    image = program(FEED, "")
    (task,) = image.cores[0]["dma0"]
    other = dataclasses.replace(task, instruction=dataclasses.replace(task.instruction, cores=mask))
    with pytest.raises(AxirError, match=rf"core 0 dma0\[0\] .*: {message}"):
        Simulator(
            dataclasses.replace(image, cores=({**image.cores[0], "dma0": (other,)}, image.cores[1])), TARGET
        ).check()


def test_a_multicast_races_with_the_tasks_of_other_cores():
    fetch = copy("dma0", "l2 %x[0]", "l1 %a[0]")
    with pytest.raises(
        AxirError, match=r"core 1 dma0\[0\] .*: dst writes l1 \[0x0, 0x40\), in a race with core 0 dma0\[0\]"
    ):
        Simulator(program(FEED, fetch), TARGET).check()
    with pytest.raises(AxirError, match=r"core 1 dma1\[0\] .*: src reads .*, in a race with core 0 dma0\[0\]"):
        Simulator(program(FEED + NEAR, FAR.replace("after(core 0 dma0 1)", ""), ports=OUTPUTS), TARGET).check()
    Simulator(program(FEED, copy("dma0", "l2 %x[0]", "l1 %a[0]", after="after(core 0 dma0 1)")), TARGET).check()
    # What another core reads must be done before the next multicast.
    again = copy("dma0", "l2 %x[0]", "l1 %a[0]", ", cores = 3").replace("layer 0", "layer 1")
    late = copy("dma0", "l2 %x[0]", "l1 %a[0]", ", cores = 3", "after(core 1 dma1 1)")
    with pytest.raises(
        AxirError, match=r"core 0 dma0\[1\] .*: dst writes l1 \[0x0, 0x40\) of core 1, in a race with core 1 dma1\[0\]"
    ):
        Simulator(program(FEED + again, FAR), TARGET).check()
    Simulator(program(FEED + late, FAR), TARGET).check()


def test_what_a_multicast_takes():
    dma = Dma(src=Address("ddr", 0), dst=Address("l1", 0), row_bytes=64, cores=0b1101)
    ways = [Resource("in", core) for core in (1, 3, 4)]
    assert demand(dma, 0, "dma0", first_core=1) == dict.fromkeys([Resource("ddr"), *ways], 1)


def test_a_multicast_reads_its_source_once():
    fetch = copy("dma0", "ddr %d[0]", "l1 %a[0]")
    ports = PORTS.replace("%x", "%d").replace("l2", "ddr")
    apart, fed = (
        simulate([Instance(program(*tasks, ports=ports))], TARGET)[0]
        for tasks in ([fetch] * 4, [fetch.replace(ROW, f"{ROW}, cores = 15"), "", "", ""])
    )
    assert (apart.cycles, apart.ddr_bytes) == (START + 67, 4 * 640)  # a quarter of 38.75 bytes a cycle each
    assert (fed.cycles, fed.ddr_bytes) == (START + 17, 640)


def test_a_multicast_shares_the_way_into_every_core():
    slow = copy("dma1", "l2 %c[0]", "l1 %b[0]").replace(ROW, "row_bytes = 64, count0 = 10, dst_step0 = 64")
    timing = simulate([Instance(program(FEED, slow))], TARGET)[0]
    assert {(e.core, e.unit): e.end for e in timing.trace} == {(0, "dma0"): START + 20, (1, "dma1"): START + 20}


def test_a_sync_waits_for_more_queues_than_a_descriptor_can():
    queues = [(core, unit) for core in (1, 2) for unit in ("dma0", "dma1", "load", "array", "depthwise", "sysdma")]
    tasks = {core: "".join(f"aipu.sync on {unit} layer 0\n" for c, unit in queues if c == core) for core in (1, 2)}
    counts = [f"core {core} {unit} 1" for core, unit in queues]
    first, second = ", ".join(counts[:8]), ", ".join(counts[8:])
    waiting = f"aipu.sync on dma0 layer 0 after({first})\n" + copy(
        "dma0", "l2 %x[0]", "l1 %a[0]", "", f"after({second})"
    )
    image = program(waiting, tasks[1], tasks[2])
    assert len(image.cores[0]["dma0"][0].waits) == 8
    simulator = Simulator(read_image(write_image(image), TARGET), TARGET)
    simulator.run([frame()])
    done = START - TARGET.dma.setup
    ends = {(e.core, e.unit, e.number): e.end for e in simulator.timing().trace}
    assert ends[1, "array", 0] == done
    assert ends[0, "dma0", 0] == done + TARGET.device.dispatch
    assert ends[0, "dma0", 1] == done + 2 * TARGET.device.dispatch + TARGET.dma.setup + 10
    assert simulator.timing().units["array"] == 0


TWO = "".join(
    f'aipu.{kind} "{label}" %{buffer}[{640 * number}] frame {number} {TENSOR} : !aipu.buffer<{memory}>\n'
    for kind, label, buffer, memory in (("input", "in", "d", "ddr"), ("output", "out", "d", "ddr"))
    for number in range(2)
).replace('"out" %d[0]', '"out" %d[1280]').replace('"out" %d[640]', '"out" %d[1920]')  # fmt: skip


def lockstep(core: int) -> str:
    fetch = copy("dma0", f"ddr %d[{640 * core}]", "l1 %a[0]", name=f"f{core}")
    return fetch + copy("dma1", "l1 %a[0]", f"ddr %d[{1280 + 640 * core}]", after=f"after(%f{core})")


def test_a_batch_takes_the_frames_one_after_the_other():
    image = program(lockstep(0), lockstep(1), ports=TWO, mode="batch")
    assert (image.mode, image.frames) == ("batch", 2)
    assert [(port.label, port.frame) for port in (*image.inputs, *image.outputs)] == [
        ("in", 0), ("in", 1), ("out", 0), ("out", 1)
    ]  # fmt: skip
    again = read_image(write_image(image), TARGET)
    assert (again.mode, again.inputs, again.outputs) == (image.mode, image.inputs, image.outputs)
    for got, want in zip(Simulator(again, TARGET).run([frame(1), frame(2)]), [frame(1), frame(2)], strict=True):
        np.testing.assert_array_equal(got, want)


def test_a_batch_comes_back_from_its_image():
    store = WeightStore()
    data = write_image(program(lockstep(0), lockstep(1), ports=TWO, mode="batch"))
    assert build_image(program_from(read_image(data), store), store, TARGET) == data


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"mode": "cooperative"}, "a program of mode cooperative takes one frame a run, its ports are for 2"),
        ({"swap": True}, "the inputs are not in the order of frames"),
        ({"label": "other"}, "the inputs of frame 1 are not those of frame 0"),
    ],
)
def test_frames_that_are_not_alike(changes: dict[str, object], message: str):
    image = program(lockstep(0), lockstep(1), ports=TWO, mode="batch")
    first, second = image.inputs
    if "swap" in changes:
        image = dataclasses.replace(image, inputs=(second, first))
    elif "label" in changes:
        image = dataclasses.replace(image, inputs=(first, second._replace(label="other")))
    else:
        image = dataclasses.replace(image, mode="cooperative")
    with pytest.raises(AxirError, match=message):
        Simulator(image, TARGET).check()


def test_a_port_in_l1_is_in_that_of_the_core_of_its_frame():
    ports = TWO.replace('"in" %d[0]', '"in" %a[0]').replace('"in" %d[640]', '"in" %a[0]')
    ports = "".join(line.replace("ddr", "l1") if '"in"' in line else line for line in ports.splitlines(keepends=True))
    store = [copy("dma1", "l1 %a[0]", f"ddr %d[{1280 + 640 * core}]") for core in range(2)]
    image = program(*store, ports=ports, mode="batch")
    for got, want in zip(Simulator(image, TARGET).run([frame(1), frame(2)]), [frame(1), frame(2)], strict=True):
        np.testing.assert_array_equal(got, want)
    with pytest.raises(AxirError, match="port 'in' is in l1 of core 1, the program has 1"):
        Simulator(dataclasses.replace(image, cores=image.cores[:1]), TARGET).check()
