"""Many frames, many programs: frame after frame on one device, and what bounds them."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from unit.backend.programs import TENSOR
from unit.backend.slow_time import SlowTime
from unit.backend.test_multicore import PORTS, copy, lockstep, program

from axir.backends.aipu.encode import Wait
from axir.backends.aipu.simulator import Instance, in_turn, simulate, steady_state
from axir.backends.aipu.structure import Code, Image, Layer, Port, Task, target_digest
from axir.target.description import Target, load
from axir.target.isa import COPY_UNITS, UNITS, Address, Dma, Instruction, Load, Mode, Sync

TARGET = load()
LAUNCH, FRAME = TARGET.device.launch, TARGET.device.launch + TARGET.device.dispatch + TARGET.dma.setup
SMALL = dataclasses.replace(
    TARGET,
    device=dataclasses.replace(TARGET.device, launch=7, dispatch=2, control_wait=3),
    dma=dataclasses.replace(TARGET.dma, setup=3),
    host=dataclasses.replace(TARGET.host, link=8 * TARGET.device.frequency, duplex=6 * TARGET.device.frequency),
)
"""Little to wait for: cycles are counted one by one."""


def rows(count: int) -> str:
    return f"row_bytes = 640, count0 = {count}"


def fetch(cycles: int, unit: str = "dma0", after: str = "", name: str = "") -> str:
    """A copy whose transfer takes so many cycles, a multiple of ten."""
    return copy(unit, "l2 %x[0]", "l1 %a[0]", after=after, name=name).replace("row_bytes = 640", rows(cycles // 10))


def test_frames_follow_each_other():
    image = program(fetch(100), mode="single")
    (timing,) = simulate([Instance(image, start=50)], TARGET, 4)
    frame = FRAME + 100
    assert timing.ends == (frame, 2 * frame, 3 * frame, 4 * frame)
    assert timing.cycles == frame
    assert len(timing.trace) == 1
    assert timing == dataclasses.replace(simulate([Instance(image)], TARGET)[0], ends=timing.ends, shares=timing.shares)
    assert steady_state([timing]).intervals == (frame,)
    assert steady_state(simulate([Instance(image)], TARGET)).intervals == (frame,)


def test_rates_are_per_frame():
    image = program(lockstep(0), lockstep(1), ports=PORTS.replace("%x", "%d").replace("l2", "ddr"), mode="batch")
    second = image.inputs[0]._replace(frame=1, offset=640)
    image = dataclasses.replace(image, inputs=(image.inputs[0], second), outputs=())
    (timing,) = simulate([Instance(image)], TARGET, 4)
    assert timing.frames == 2
    state = steady_state([timing])
    assert state.intervals == (timing.cycles / 2,)
    assert state.frames_per_cycle == 2 / timing.cycles
    assert state.fps(TARGET) == 2 * TARGET.device.frequency / timing.cycles


def test_who_is_done_goes_on_until_all_are():
    long, short = program(fetch(20_000), mode="single"), program(fetch(10), mode="single")
    slow, fast = simulate([Instance(long), Instance(short, 1)], TARGET, 2)
    assert slow.ends == (FRAME + 20_000, 2 * (FRAME + 20_000))
    assert fast.ends == tuple(count * (FRAME + 10) for count in range(1, 2 * (FRAME + 20_000) // (FRAME + 10) + 1))


def stages(first: int, second: int, mode: Mode = "pipeline", more: str = "") -> Image:
    return program(fetch(first), fetch(second, "dma1", f"after(core 0 dma0 1{more})"), mode=mode)


def test_stages_of_a_pipeline_work_on_different_frames():
    start = FRAME - LAUNCH
    together = simulate([Instance(stages(1000, 3000, "cooperative"))], TARGET, 4)[0]
    latency = FRAME + 1000 + start + 3000
    assert together.ends == tuple(latency * count for count in range(1, 5))
    (timing,) = simulate([Instance(stages(1000, 3000))], TARGET, 4)
    assert timing.cycles == timing.ends[0] == latency
    assert timing.launch == LAUNCH
    # From then on the second stage is never out of work: it pays its launch, and the first is ahead of it.
    assert [b - a for a, b in zip(timing.ends, timing.ends[1:], strict=False)] == [FRAME + 3000] * 3
    (timing,) = simulate([Instance(stages(3000, 1000))], TARGET, 5)
    assert [b - a for a, b in zip(timing.ends, timing.ends[1:], strict=False)] == [FRAME + 3000] * 4


def test_a_stage_is_at_most_two_frames_ahead_of_who_reads_from_it():
    """Its results have two sets. Launches are short here, so that the first stage could run far ahead."""
    (timing,) = simulate([Instance(stages(10, 100))], SMALL, 8)
    ahead = SlowTime([Instance(stages(10, 100))], SMALL, 8, link=False, double_buffer=True)
    assert ahead.run() == [list(timing.ends)]
    # A stage two further on that reads from the first holds it back as well.
    skip = program(
        fetch(100),
        fetch(100, "dma1", "after(core 0 dma0 1)"),
        fetch(100, "dma1", "after(core 0 dma0 1, core 1 dma1 1)"),
        mode="pipeline",
    )
    chain = program(
        fetch(100),
        fetch(100, "dma1", "after(core 0 dma0 1)"),
        fetch(100, "dma1", "after(core 1 dma1 1)"),
        mode="pipeline",
    )
    held, free = (steady_state(simulate([Instance(image)], SMALL, 16)).intervals[0] for image in (skip, chain))
    assert free == 7 + 2 + 3 + 100
    assert held > 1.3 * free


def test_a_stage_that_nobody_waits_for_goes_on_by_itself():
    image = program(fetch(10), fetch(1000, "dma1"), mode="pipeline")
    (timing,) = simulate([Instance(image)], TARGET, 3)
    assert timing.ends == tuple(count * (FRAME + 1000) for count in (1, 2, 3))


BYTES = 640


def linked(cycles: int, mode: Mode = "single", outputs: int = 1) -> Image:
    """640 bytes in and out."""
    ports = PORTS + f'aipu.output "out" %y[0] {TENSOR} : !aipu.buffer<l2>\n' * outputs
    return program(
        fetch(cycles, name="f") + copy("dma1", "l1 %a[0]", "l2 %y[0]", after="after(%f)"), ports=ports, mode=mode
    )


ONE_WAY, BOTH_WAYS = BYTES // 8, -(-BYTES // 6)


def test_transfers_hide_behind_the_computing():
    image = linked(1000)
    frame = simulate([Instance(image)], SMALL)[0].cycles
    (timing,) = simulate([Instance(image)], SMALL, 4, link=True)
    # The first input comes alone; an output goes while the next input but one comes.
    assert timing.ends == tuple(ONE_WAY + count * frame + BOTH_WAYS for count in range(1, 5))
    assert timing.cycles == frame
    (timing,) = simulate([Instance(image)], SMALL, 4, link=True, double_buffer=False)
    assert timing.ends == tuple(count * (ONE_WAY + frame + ONE_WAY) for count in range(1, 5))


def test_computing_hides_behind_transfers():
    (timing,) = simulate([Instance(linked(10))], SMALL, 8, link=True)
    assert steady_state([timing]).intervals[0] == pytest.approx(BYTES / 6, abs=1)
    assert steady_state([timing]).bound == ("link_in", pytest.approx(1.0))
    assert timing.shares["link_out"] == pytest.approx(1.0, abs=0.01)


def test_instances_share_the_link():
    alone = steady_state(simulate([Instance(linked(10))], SMALL, 8, link=True)).frames_per_cycle
    four = steady_state(simulate([Instance(linked(10), core) for core in range(4)], SMALL, 8, link=True))
    assert four.frames_per_cycle == pytest.approx(alone, rel=0.02)


def test_a_program_without_outputs_sends_none():
    image = linked(10, outputs=0)
    (timing,) = simulate([Instance(image)], SMALL, 3, link=True)
    assert timing.ends[0] == ONE_WAY + timing.cycles
    assert "link_out" not in timing.shares


def test_staged_copies_take_time_between_frames():
    image = linked(1000)
    staged = dataclasses.replace(image, notes={"staged_bytes": 3875})  # 100 cycles of DDR
    plain, copied = (simulate([Instance(i)], SMALL, 4, link=True)[0] for i in (image, staged))
    assert copied.cycles == plain.cycles + 100
    assert steady_state([copied]).intervals[0] == steady_state([plain]).intervals[0] + 100
    assert simulate([Instance(staged)], SMALL, 4)[0].cycles == plain.cycles
    assert simulate([Instance(staged)], SMALL, 4, link=True, double_buffer=False)[0].cycles == plain.cycles


def test_shares_say_what_is_in_use():
    image = program(copy("dma0", "ddr %d[0]", "l1 %a[0]"), ports=PORTS.replace("%x", "%d").replace("l2", "ddr"))
    (timing,) = simulate([Instance(image, 2)], TARGET)
    moved = 640 / (TARGET.ddr.bandwidth / TARGET.device.frequency) / timing.cycles
    assert timing.shares == {
        "ddr": pytest.approx(moved, rel=0.05),
        "core2_in": pytest.approx(640 / 64 / timing.cycles, rel=0.05),
    }
    four = simulate([Instance(image, core) for core in range(4)], SMALL, 16)
    state = steady_state(four)
    assert state.bound is not None
    assert state.bound[0] == "ddr"
    assert state.shares == tuple(sorted(four[0].shares.items(), key=lambda entry: (-entry[1], entry[0])))


def test_instances_that_begin_in_turn_are_not_in_lock_step():
    """Half of the time they fetch, at a rate that two share, and half of it they compute."""
    fetched = copy("dma0", "ddr %d[0]", "l1 %a[0]", name="f").replace("row_bytes = 640", rows(10))
    computed = "aipu.load on load(src = l1 %b[0]) {row = 0, segment_rows = 160, columns = 64} layer 0 after(%f)\n"
    image = program(fetched + computed, mode="single")
    alone = simulate([Instance(image)], SMALL)[0].cycles
    instances = in_turn(image, 2, SMALL)
    assert instances == [Instance(image), Instance(image, 1, alone // 2)]
    together = steady_state(simulate([Instance(image), Instance(image, 1)], SMALL, 16)).frames_per_cycle
    apart = steady_state(simulate(instances, SMALL, 16)).frames_per_cycle
    assert together < 1.5 / alone
    assert apart > 1.9 / alone
    assert [i.first_core for i in in_turn(stages(10, 10), 2, SMALL)] == [0, 2]
    assert [i.first_core for i in in_turn(image, 2, SMALL, cores=2)] == [0, 2]


def test_nothing_at_all():
    assert simulate([], TARGET) == []
    state = steady_state([])
    assert (state.intervals, state.bound, state.frames_per_cycle) == ((), None, 0)
    with pytest.raises(ValueError, match="0 runs"):
        simulate([], TARGET, 0)


def random_image(rng: np.random.Generator, mode: Mode, cores: int, control: bool) -> Image:
    """Copies, loads and tasks that only wait, on random queues; each waits for some of those before it."""
    queues: list[dict[str, list[Task]]] = [{unit: [] for unit in UNITS} for _ in range(cores)]
    handed: list[list[str]] = [[] for _ in range(cores)]
    for _ in range(int(rng.integers(1, 6 * cores))):
        core, unit = int(rng.integers(cores)), UNITS[rng.integers(len(UNITS))]
        waits = [
            Wait(other, name, int(rng.integers(1, len(tasks) + 1)))
            for other in range(cores)
            for name, tasks in queues[other].items()
            if (other, name) != (core, unit) and tasks and rng.random() < 0.3
        ]
        queues[core][unit].append(Task(_instruction(rng, core, unit, cores), tuple(waits[:8]), 0))
        handed[core].append(unit)
    return Image(
        "random", "metis", target_digest(TARGET), (Layer("l", "", "", 0),), _ports(rng, "in", 0),
        _ports(rng, "out", 1 << 14), {"l1": 1 << 16, "l2": 1 << 16, "ddr": 1 << 16}, (),
        tuple({unit: tuple(tasks) for unit, tasks in own.items()} for own in queues),
        tuple(Code(core, "dma0", "ddr", 0, True) for core in range(cores) if rng.random() < 0.3),
        tuple(map(tuple, handed)) if control else (),
        {"staged_bytes": int(rng.integers(0, 500))},
        mode,
    )  # fmt: skip


def _ports(rng: np.random.Generator, label: str, offset: int) -> tuple[Port, ...]:
    return tuple(
        Port(
            f"{label}{n}", "l2", offset + 4096 * n, (1, 3, 1, 10), 1.0, 0, 64 * int(rng.integers(1, 20)), 64, ((3, 0),)
        )
        for n in range(int(rng.integers(0, 3)))
    )


def _instruction(rng: np.random.Generator, core: int, unit: str, cores: int) -> Instruction:
    if unit == "load":
        return Load(src=Address("l1", 0), row=0, segment_rows=int(rng.integers(1, 60)), columns=64)
    if unit not in COPY_UNITS or rng.random() < 0.2:
        return Sync()
    memories: Sequence[Any] = ["l2", "ddr"] if unit == "sysdma" else ["l1", "l2", "ddr"]
    src, dst = (Address(memories[rng.integers(len(memories))], 4096 * int(rng.integers(0, 6))) for _ in range(2))
    mask = 0
    if unit != "sysdma" and src.memory != "l1" and rng.random() < 0.3:
        dst, mask = Address("l1", 0), 1 << core | int(rng.integers(1 << cores))
    return Dma(src=src, dst=dst, row_bytes=int(rng.integers(1, 2000)), count0=int(rng.integers(1, 3)), cores=mask)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 1 << 32), st.booleans(), st.booleans(), st.booleans())
def test_ends_are_those_of_a_model_that_counts_every_cycle(seed: int, link: bool, double_buffer: bool, control: bool):
    rng = np.random.default_rng(seed)
    instances: list[Instance] = []
    free = 0
    while free < 4 and (not instances or rng.random() < 0.5):
        cores = int(rng.integers(1, 5 - free))
        mode: Mode = ("cooperative", "pipeline")[int(rng.integers(2))]
        instances.append(Instance(random_image(rng, mode, cores, control), free, int(rng.integers(0, 40))))
        free += cores
    runs = int(rng.integers(1, 5))
    timings = simulate(instances, SMALL, runs, link=link, double_buffer=double_buffer)
    slow = SlowTime(instances, SMALL, runs, link, double_buffer).run()
    assert [list(timing.ends) for timing in timings] == slow


def narrow(target: Target) -> Target:
    return dataclasses.replace(target, l2=dataclasses.replace(target.l2, bandwidth=70))


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 1 << 32))
def test_resources_are_never_used_beyond_what_they_have(seed: int):
    rng = np.random.default_rng(seed)
    images = [random_image(rng, "cooperative", 2, False) for _ in range(2)]
    timings = simulate([Instance(images[0]), Instance(images[1], 2)], narrow(SMALL), 3, link=True)
    assert all(0 <= share <= 1 + 1e-9 for share in timings[0].shares.values())
