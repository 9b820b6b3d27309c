"""Random programs of several cores: the simulator against single bytes, closures, and tasks in any order."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from unit.backend.slow_machine import SlowMachine, granule, legal, tasks_of, touched
from unit.backend.test_multicore import copy, program

from axir.backends.aipu.encode import Wait
from axir.backends.aipu.image import read_image, write_image
from axir.backends.aipu.order import check_deadlock, order
from axir.backends.aipu.simulator import Simulator
from axir.backends.aipu.structure import Constant, Image, Layer, Port, Task, TaskId, target_digest
from axir.ir.diagnostics import AxirError
from axir.target.description import load
from axir.target.isa import MAX_WAITS, UNITS, Address, Dma, Instruction, Load, Mvm, Sync, Vec

TARGET = load()
L1, L2, DDR = 96, 20, 16
"""Pwords of the memories. The host writes all but the last quarter of L1 and L2; the last of DDR is a constant."""
WINDOW = {
    "src_rows": 1,
    "row_pitch": 1 << 13,
    "y0": 0,
    "x0": 0,
    "x_step": 64,
    "rows": 1,
    "vectors": 2,
    "row_bytes": 1 << 13,
}
PLACES = {"l1": L1, "l2": L2, "ddr": DDR}


def ports(cores: int) -> tuple[Port, ...]:
    """Of each frame the L1 of its core, a part of L2 and a part of DDR."""
    found: list[Port] = []
    for frame in range(cores):
        for memory, size in (("l1", L1 * 3 // 4), ("l2", L2 * 3 // 4 // cores), ("ddr", (DDR - 1) // cores)):
            offset = 0 if memory == "l1" else 64 * size * frame
            shape = (1, 64, 1, size)
            found.append(Port(memory, memory, offset, shape, 1.0, 0, 64 * size, 64, ((64, 0),), "NHWC", frame))  # pyright: ignore
    return tuple(found)


class Generator:
    """Tasks one after the other; each waits for all that it must follow, unless it forgets."""

    def __init__(self, seed: int, forgetful: float):
        self.rng = np.random.default_rng(seed)
        self.cores = int(self.rng.integers(2, 5))
        self.forgetful = forgetful
        self.queues: list[dict[str, list[Task]]] = [{unit: [] for unit in UNITS} for _ in range(self.cores)]
        self.reads: dict[TaskId, set] = {}
        self.writes: dict[TaskId, set] = {}
        self.given = {("ddr", 0, address) for address in range(64 * (DDR - 1), 64 * DDR)} | {
            (port.memory, port.core, address)
            for port in ports(self.cores)
            for address in range(port.offset, port.offset + port.bytes)
        }

    def image(self) -> Image:
        for _ in range(int(self.rng.integers(10, 120))):
            self.add()
        constant = Constant("c", "ddr", 64 * (DDR - 1), np.arange(64, dtype=np.int8))
        return Image(
            "random", "metis", target_digest(TARGET), (Layer("l", "", "", 0), Layer("m", "", "", 0)),
            ports(self.cores), (),
            {"l1": 64 * L1, "l2": 64 * L2, "ddr": 64 * DDR}, (constant,),
            tuple({unit: tuple(tasks) for unit, tasks in own.items()} for own in self.queues),
            mode="batch",
        )  # fmt: skip

    def add(self) -> None:
        rng = self.rng
        core, unit = int(rng.integers(self.cores)), UNITS[rng.integers(len(UNITS))]
        instruction = self.instruction(core, unit)
        bytes_read, bytes_written = touched(core, instruction)
        read, written = set(map(granule, bytes_read)), set(map(granule, bytes_written))
        bad = read & written or bytes_read - self.given or ("ddr", 0, DDR - 1) in written
        if bad and rng.random() < 0.995:
            return
        self.given |= bytes_written
        needed = {one for one in self.reads if self.writes[one] & (read | written) or self.reads[one] & written}
        awaited: dict[tuple[int, str], int] = {}
        for one in sorted(needed):
            if (one.core, one.unit) != (core, unit) and rng.random() >= self.forgetful:
                awaited[one.core, one.unit] = max(awaited.get((one.core, one.unit), 0), one.number + 1)
        if rng.random() < 0.3:  # wait for more than need be
            for other, queues in enumerate(self.queues):
                awaited |= {(other, name): len(t) for name, t in queues.items() if t and (other, name) != (core, unit)}
        waits = [Wait(*queue, awaited[queue]) for queue in sorted(awaited, key=lambda q: (q[0], UNITS.index(q[1])))]
        queue = self.queues[core][unit]
        while len(waits) > MAX_WAITS:
            queue.append(Task(Sync(), tuple(waits[:MAX_WAITS]), int(rng.integers(2))))
            waits = waits[MAX_WAITS:]
        one = TaskId(core, unit, len(queue))
        self.reads[one], self.writes[one] = read, written
        queue.append(Task(instruction, tuple(waits), int(rng.integers(2))))

    def instruction(self, core: int, unit: str) -> Instruction:
        rng = self.rng
        if rng.random() < 0.1:
            return Sync()
        if unit == "load":
            return Load(src=self.l1(64), row=64 * int(rng.integers(2)), segment_rows=64, columns=64)
        if unit == "array":
            row = 64 * int(rng.integers(2))
            return Mvm(
                **WINDOW,
                src=self.l1(2),
                blocks=1,
                out=self.l1(2),
                out_pitch=64,
                pixels=2,
                row=row,
                matrix_rows=64,
                columns=1,
                scale=2.0**-7,
            )
        if unit == "depthwise":
            return Vec(**WINDOW, src=self.l1(2), blocks=1, out=self.l1(2), out_pitch=64, pixels=2)
        return self.copy(core, unit)

    def l1(self, pwords: int) -> Address:
        return Address("l1", 64 * int(self.rng.integers(L1 - pwords + 1)))

    def copy(self, core: int, unit: str) -> Dma:
        rng = self.rng
        names = ["l2", "ddr"] if unit == "sysdma" else ["l1", "l2", "ddr"]
        src, dst = (names[rng.integers(len(names))] for _ in range(2))
        mask = 0
        if unit != "sysdma" and rng.random() < 0.4:
            src, dst = ("l2", "ddr")[rng.integers(2)], "l1"
            mask = 1 << core | int(rng.integers(1 << self.cores))
        if rng.random() < 0.3:  # single bytes
            row, count = int(rng.integers(1, 40)), int(rng.integers(1, 4))
            step = row + int(rng.integers(3))
            size, unit_bytes = (count - 1) * step + row, 1
        else:
            row, count = 64 * int(rng.integers(1, 3)), int(rng.integers(1, 3))
            step = row + 64 * int(rng.integers(2))
            size, unit_bytes = (count - 1) * step + row, 64
        places = [
            Address(m, unit_bytes * int(rng.integers((64 * PLACES[m] - size) // unit_bytes + 1))) for m in (src, dst)
        ]
        return Dma(
            src=places[0], dst=places[1], row_bytes=row, count0=count, src_step0=step, dst_step0=step, cores=mask
        )


def frames(image: Image, seed: int) -> list[np.ndarray]:
    rng = np.random.default_rng(seed)
    return [rng.integers(-128, 128, port.shape, np.int8) for port in image.inputs]


def refused(image: Image) -> str | None:
    try:
        Simulator(image, TARGET).check()
    except AxirError as error:
        return error.message
    return None


VERDICTS: Counter[bool] = Counter()


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 1 << 40), st.sampled_from([0.0, 0.1, 0.4]))
def test_what_is_refused_is_what_the_rules_forbid(seed: int, forgetful: float):
    image = Generator(seed, forgetful).image()
    message = refused(image)
    verdict = legal(image)
    assert (message is None) == verdict, message
    VERDICTS[verdict] += 1


def test_programs_of_both_kinds_were_among_them():
    """Else the test above says nothing."""
    if VERDICTS:
        assert min(VERDICTS[True], VERDICTS[False]) > 10


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 1 << 40))
def test_legal_programs_do_the_same_in_every_order(seed: int):
    image = Generator(seed, 0.0).image()
    if refused(image) is not None:
        return
    simulator = Simulator(read_image(write_image(image), TARGET), TARGET)
    inputs = frames(image, seed)
    simulator.run(inputs)
    for turn in range(2):
        machine = SlowMachine(image, np.random.default_rng(turn))
        for port, tensor in zip(image.inputs, inputs, strict=True):
            machine.write(port, tensor)
        machine.run()
        for number, (fast, slow) in enumerate(zip(simulator._cores, machine.cores, strict=True)):  # pyright: ignore
            for memory, content in fast.memories.items():
                np.testing.assert_array_equal(content, slow.memories[memory], f"{memory} of core {number}")


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 1 << 40), st.integers(0, 1 << 20))
def test_a_legal_program_without_one_of_its_waits(seed: int, choice: int):
    """It is refused exactly if that wait was needed."""
    image = Generator(seed, 0.0).image()
    waiting = [one for one, task in tasks_of(image).items() if task.waits]
    if not waiting:
        return
    one = waiting[choice % len(waiting)]
    task = image.cores[one.core][one.unit][one.number]
    kept = task.waits[: choice % len(task.waits)] + task.waits[choice % len(task.waits) + 1 :]
    queues = [dict(own) for own in image.cores]
    queue = list(queues[one.core][one.unit])
    queue[one.number] = dataclasses.replace(task, waits=kept)
    queues[one.core][one.unit] = tuple(queue)
    changed = dataclasses.replace(image, cores=tuple(queues))
    assert (refused(changed) is None) == legal(changed)


def prone(seed: int, control: bool) -> Image:
    """Tasks that only wait, for any count of any queue, those that are not there among them."""
    rng = np.random.default_rng(seed)
    cores, each = int(rng.integers(1, 4)), int(rng.integers(1, 4))
    units = UNITS[: int(rng.integers(2, 7))]

    def tasks(core: int, unit: str) -> tuple[Task, ...]:
        others = [(c, u) for c in range(cores + (rng.random() < 0.02)) for u in UNITS if (c, u) != (core, unit)]
        chosen = [[pair for pair in others if rng.random() < 0.02] for _ in range(each)]
        return tuple(
            Task(Sync(), tuple(Wait(*pair, int(rng.integers(1, each + 1))) for pair in waits[:8]), 0)
            for waits in chosen
        )

    queues = tuple({u: tasks(core, u) if u in units else () for u in UNITS} for core in range(cores))
    dispatch = tuple(tuple(rng.permutation([u for u in units for _ in range(each)]).tolist()) for _ in range(cores))
    return Image("p", "metis", "", (Layer("l", "", "", 0),), (), (), {}, (), queues, (), dispatch if control else ())


def stuck(find: Callable[[Image], object], image: Image) -> tuple[str, ...] | None:
    try:
        find(image)
    except AxirError as error:
        return (error.message, *error.notes)
    return None


DEADLOCKS: Counter[bool] = Counter()


@settings(max_examples=300, deadline=None)
@given(st.integers(0, 1 << 40), st.booleans())
def test_deadlocks_are_those_for_which_there_is_no_order(seed: int, control: bool):
    image = prone(seed, control)
    found = stuck(order, image)
    assert stuck(check_deadlock, image) == found
    DEADLOCKS[found is None] += 1


def test_some_were_stuck_and_some_were_not():
    if DEADLOCKS:
        assert min(DEADLOCKS[True], DEADLOCKS[False]) > 20


def test_a_race_in_l2_between_cores():
    store = copy("dma1", "l1 %a[0]", "l2 %y[0]", after="after(%f)")
    read = copy("dma0", "l2 %y[0]", "l1 %a[0]")
    first = copy("dma0", "l2 %x[0]", "l1 %a[0]", name="f") + store
    with pytest.raises(
        AxirError,
        match=r'core 1 dma0\[0\] \(layer 1, "second"\): src reads l2 \[0x280, 0x2c0\), in a race with core 0 dma1\[0\]',
    ):
        Simulator(program(first, read.replace("layer 0", "layer 1")), TARGET).check()
    Simulator(program(first, read.replace("layer 0", "layer 0 after(core 0 dma1 1)")), TARGET).check()
    # Both write the same bytes of L2.
    with pytest.raises(AxirError, match=r"core 1 dma1\[0\] .*: dst writes l2 \[0x280, 0x2c0\), in a race with core 0"):
        Simulator(program(first, first.replace("layer 0", "layer 1")), TARGET).check()
    # A wait for something that does not follow the write does not help.
    late = Simulator(program(first, read.replace("layer 0", "layer 1 after(core 0 dma0 1)")), TARGET)
    with pytest.raises(AxirError, match="in a race with core 0 dma1"):
        late.check()


def test_order_goes_through_other_cores():
    """Core 2 has waited for core 1, and core 1 for core 0."""
    first = copy("dma0", "l2 %x[0]", "l1 %a[0]", name="f") + copy("dma1", "l1 %a[0]", "l2 %y[0]", after="after(%f)")
    middle = "aipu.sync on load layer 0 after(core 0 dma1 1)\n"
    last = copy("dma0", "l2 %y[0]", "l1 %a[0]", after="after(core 1 load 1)")
    Simulator(program(first, middle, last), TARGET).check()


def test_deadlocks_across_cores_are_named():
    def waiting(other: int, number: int) -> str:
        return copy("dma0", "l2 %x[0]", "l1 %a[0]", after=f"after(core {other} dma0 {number})")

    image = program(waiting(1, 1), waiting(0, 1))
    for run in (Simulator(image, TARGET).check, Simulator(image, TARGET).timing):
        with pytest.raises(AxirError, match="deadlock: no queue can go on") as caught:
            run()
        assert caught.value.notes == (
            'core 0 dma0[0] (layer 0, "first") waits for core 1 dma0[0]',
            'core 1 dma0[0] (layer 0, "first") waits for core 0 dma0[0]',
        )
    # Through tasks that only wait.
    loop = program(
        "aipu.sync on load layer 0 after(core 2 load 1)\n",
        "aipu.sync on load layer 1 after(core 0 load 1)\n",
        "aipu.sync on load layer 1 after(core 1 load 1)\n",
    )
    with pytest.raises(AxirError, match="deadlock") as caught:
        Simulator(loop, TARGET).check()
    assert [note.split(" waits for ")[1] for note in caught.value.notes] == [
        "core 2 load[0]",
        "core 0 load[0]",
        "core 1 load[0]",
    ]
    # A core that is not there, and a count that nobody reaches.
    good = program(copy("dma0", "l2 %x[0]", "l1 %a[0]"), "aipu.sync on load layer 0 after(core 0 dma0 1)\n")
    (task,) = good.cores[1]["load"]
    for wait, reason in (
        (Wait(2, "dma0", 1), "1 tasks of core 2, which the program does not use"),
        (Wait(0, "dma0", 2), "2 tasks of core 0 dma0, which has 1"),
    ):
        bad = dataclasses.replace(
            good, cores=(good.cores[0], {**good.cores[1], "load": (dataclasses.replace(task, waits=(wait,)),)})
        )
        with pytest.raises(AxirError, match="deadlock") as caught:
            order(bad)
        assert caught.value.notes == (f'core 1 load[0] (layer 0, "first") waits for {reason}',)
