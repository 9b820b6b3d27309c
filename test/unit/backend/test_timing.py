"""The timing model against cycles counted by hand."""

from __future__ import annotations

import dataclasses
from collections import Counter
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from unit.backend.programs import COPY, FETCH, STORE, assembled, text

from axir.backends.aipu.encode import Wait
from axir.backends.aipu.simulator import Instance, Simulator, Timing, simulate
from axir.backends.aipu.simulator.bandwidth import Demand, Resource, fair_rates
from axir.backends.aipu.structure import Image
from axir.ir.diagnostics import AxirError
from axir.target.cost import cost
from axir.target.description import load

TARGET = load()
LAUNCH, DISPATCH, SETUP = TARGET.device.launch, TARGET.device.dispatch, TARGET.dma.setup
START = LAUNCH + DISPATCH + SETUP
"""When the first copy begins to move bytes."""


def program(tasks: str, more: str = "") -> Image:
    return assembled(text(tasks, ports="", more=more))


def time(tasks: str, more: str = "") -> Timing:
    return simulate([Instance(program(tasks, more))], TARGET)[0]


def ends(timing: Timing) -> dict[str, int]:
    return {f"{entry.unit}.{entry.number}": entry.end for entry in timing.trace}


def copy(unit: str, source: str, target: str, count: int = 1, more: str = "", name: str = "") -> str:
    """Copies `count` times 640 bytes."""
    fields = f"{{row_bytes = 640, count0 = {count}}}"
    return f"{name}aipu.dma on {unit}(src = {source}[0], dst = {target}[0]) {fields} layer 0 {more}\n"


X, Y, A, B, D = "l2 %x", "l2 %y", "l1 %a", "l1 %b", "ddr %d"


def test_one_copy():
    timing = time(copy("dma0", X, A))
    assert timing.cycles == START + 10
    assert (
        timing.cycles
        == LAUNCH + DISPATCH + cost(program(copy("dma0", X, A)).cores[0]["dma0"][0].instruction, TARGET).cycles
    )
    assert timing.units["dma0"] == SETUP + 10
    assert (timing.l2_bytes, timing.ddr_bytes) == (640, 0)
    assert timing.trace == ((0, "dma0", 0, 0, LAUNCH, START + 10),)


def test_ddr_is_slower_and_cycles_are_whole():
    # 38.75 bytes a cycle: 640 bytes in 16.5 cycles.
    assert time(copy("dma0", D, A)).cycles == START + 17
    # Through DDR twice: 19.375 bytes a cycle.
    assert time(copy("dma0", D, D)).cycles == START + 34


def test_the_clock_changes_what_a_second_means():
    slow = TARGET.with_frequency(200_000_000)  # 155 bytes a cycle from DDR: the core's DMA is narrower
    assert simulate([Instance(program(copy("dma0", D, A)))], slow)[0].cycles == START + 10


def test_two_copies_into_a_core_share_its_bandwidth():
    timing = time(copy("dma0", X, A) + copy("dma1", X, B, 2))
    # 32 bytes a cycle each for 20 cycles; then the second has 640 bytes left and 64 bytes a cycle.
    assert ends(timing) == {"dma0.0": START + 20, "dma1.0": START + 30}


def test_a_slow_copy_leaves_the_rest_to_the_other():
    # Of 64 bytes a cycle the copy from DDR could take 38.75 but gets its fair 32; nobody else uses DDR.
    timing = time(copy("dma0", X, A) + copy("dma1", D, B))
    assert ends(timing) == {"dma0.0": START + 20, "dma1.0": START + 20}
    # With DDR at 16 bytes a cycle, the other gets 48: 640 / 48 = 13.3, then 640 - 14 * 16 = 416 bytes at 16.
    slow = dataclasses.replace(TARGET, ddr=dataclasses.replace(TARGET.ddr, bandwidth=16 * TARGET.device.frequency))
    timing = simulate([Instance(program(copy("dma0", X, A) + copy("dma1", D, B)))], slow)[0]
    assert ends(timing) == {"dma0.0": START + 14, "dma1.0": START + 40}


def test_both_directions_are_independent():
    timing = time(copy("dma0", X, A) + copy("dma1", B, Y))
    assert ends(timing) == {"dma0.0": START + 10, "dma1.0": START + 10}


def test_a_copy_inside_l1_takes_both_directions():
    timing = time(copy("dma0", A, B) + copy("dma1", X, A))
    assert ends(timing) == {"dma0.0": START + 20, "dma1.0": START + 20}


def test_a_queue_is_serial():
    timing = time(copy("dma0", X, A) + copy("dma0", X, A))
    assert ends(timing) == {"dma0.0": START + 10, "dma0.1": START + 10 + DISPATCH + SETUP + 10}


def test_waits():
    timing = time(FETCH + COPY + STORE)
    fetched = START + 10
    # Ten pwords, one a cycle, after the unit's latency.
    done = fetched + DISPATCH + TARGET.depthwise.latency + 10
    assert ends(timing) == {"dma0.0": fetched, "depthwise.0": done, "dma1.0": done + DISPATCH + SETUP + 10}
    assert timing.units == {
        "dma0": SETUP + 10, "dma1": SETUP + 10, "load": 0, "array": 0, "depthwise": 0, "sysdma": 0, "vector": 10,
        "vector0": 0, "vector1": 10,
    }  # fmt: skip


def test_softmax():
    # Of two pwords a pixel: 5 steps each, twice 6 halvings, a reciprocal. The table takes a pword a cycle.
    fields = "row_pitch = 640, pitch = 128, rows = 1, pixels = 5, channels = 65, scale = 0.5, neutral = -9.0, "
    fields += "inverse = 256.0, out_row_pitch = 640, out_pitch = 128"
    task = f"aipu.softmax on depthwise(src = l1 %a[0], table = l1 %b[0], out = l1 %b[16384]) {{{fields}}} layer 1\n"
    timing = time(task)
    vector = 5 * (2 * 5 + 2 * 6 + TARGET.vector.reciprocal)
    assert timing.cycles == LAUNCH + DISPATCH + TARGET.depthwise.latency + 131 + vector
    assert (timing.units["vector1"], timing.units["depthwise"]) == (vector, 0)
    two = dataclasses.replace(TARGET, vector=dataclasses.replace(TARGET.vector, steps=2))
    assert simulate([Instance(program(task))], two)[0].cycles == timing.cycles - vector + 5 * (11 + 16)


def test_outputs_of_the_array_take_their_time():
    """64 sums a cycle are a block a cycle, behind the 8 of the bits; an eighth of them are the slower part."""
    window = "src_rows = 1, row_bytes = 640, row_pitch = 640, y0 = 0, x0 = 0, x_step = 64, blocks = 1, rows = 1"
    (task,) = program(
        f"aipu.mvm on array(src = l1 %b[0], out = l1 %b[8192]) {{{window}, vectors = 10, pixels = 10, "
        "out_pitch = 128, out_row_pitch = 1280, row = 0, matrix_rows = 64, columns = 2} layer 1\n"
    ).cores[0]["array"]
    slow = dataclasses.replace(TARGET, array=dataclasses.replace(TARGET.array, outputs=8))
    assert cost(task.instruction, TARGET).cycles == TARGET.array.latency + 10 * 8
    assert cost(task.instruction, slow).cycles == TARGET.array.latency + 10 * 2 * 8


def test_tensor_operands_take_their_time():
    """A pword of each a cycle is as fast as the least that a program takes."""
    added = COPY.replace("out =", "operand0 = l1 %a[0], out =")
    added = added.replace("pixels =", "operand0_pitch = 64, steps = [load r1 0, add r0 r1], pixels =")
    instructions = [program(FETCH + task).cores[0]["depthwise"][0].instruction for task in (COPY, added)]
    slow = dataclasses.replace(TARGET, vector=dataclasses.replace(TARGET.vector, operand_bandwidth=16))
    start = TARGET.depthwise.latency
    assert [cost(instruction, TARGET).cycles for instruction in instructions] == [start + 10, start + 10]
    assert [cost(instruction, slow).cycles for instruction in instructions] == [start + 10, start + 40]


def test_a_wait_that_is_met_costs_nothing():
    late = time(copy("dma0", X, A, name="%first = ") + copy("dma0", X, A) + copy("dma1", B, Y, 100, "after(%first)"))
    assert ends(late)["dma1.0"] == START + 10 + DISPATCH + SETUP + 1000


def test_array_and_load_run_at_the_same_time():
    window = "src_rows = 10, row_bytes = 640, row_pitch = 640, y0 = 0, x0 = 0, x_step = 64, blocks = 1, rows = 10"
    load = "aipu.load on load(src = l1 %b[0]) {row = %ROW, segment_rows = 64, columns = 64} layer 0"
    mvm = (
        f"%m = aipu.mvm on array(src = l1 %b[0], out = l1 %b[8192]) {{{window}, vectors = 10, pixels = 10, "
        "out_pitch = 64, out_row_pitch = 640, row = 0, matrix_rows = 64, columns = 1} layer 1 after(%l)\n"
    )
    timing = time(f"%l = {load.replace('%ROW', '0')}\n{mvm}%n = {load.replace('%ROW', '512')}\n")
    loaded = LAUNCH + DISPATCH + 64
    assert ends(timing) == {
        "load.0": loaded,
        "array.0": loaded + DISPATCH + TARGET.array.latency + 100 * TARGET.array.vector_interval,
        "load.1": loaded + DISPATCH + 64,
    }
    assert timing.units["array"] == 800
    assert (timing.units["vector0"], timing.units["vector1"]) == (100, 0)
    assert timing.units["load"] == 128


def test_layers_share_the_cycles_between_them():
    timing = time(FETCH + COPY + STORE)
    first, second = timing.layers
    assert (first.layer.name, first.start, first.end, first.bytes) == ("first", LAUNCH, START + 10, 640)
    assert (second.start, second.end, second.bytes) == (first.end, timing.cycles, 640)
    assert first.cycles == DISPATCH + SETUP + 10
    assert first.cycles + second.cycles == timing.cycles - LAUNCH


def test_work_in_the_shadow_of_another_layer_costs_no_cycles():
    timing = time(
        copy("dma0", X, A, 100) + "%v = aipu.dma on dma1(src = l1 %b[0], dst = l2 %y[0]) {row_bytes = 64} layer 1\n"
    )
    assert [layer.cycles for layer in timing.layers] == [timing.cycles - START - 1, START + 1 - LAUNCH]
    assert timing.layers[1].end == START + 1


def cores(task: str, count: int) -> Image:
    body = task.strip()
    more = "".join(f"aipu.core {core} {{\n{body}\n}}\n" for core in range(1, count))
    return program(task, more)


def test_four_cores_share_l2_and_ddr():
    # L2 gives 256 bytes a cycle: enough for four cores of 64.
    assert simulate([Instance(cores(copy("dma0", X, A), 4))], TARGET)[0].cycles == START + 10
    # DDR gives 38.75: a quarter each.
    shared = simulate([Instance(cores(copy("dma0", D, A), 4))], TARGET)[0]
    assert shared.cycles == START + 67  # 640 / 9.6875 = 66.06
    assert shared.units["dma0"] == 4 * (SETUP + 67)
    assert shared.ddr_bytes == 4 * 640
    # Both channels of all cores: 512 bytes a cycle would be needed, in each direction 256.
    both = cores(copy("dma0", X, A) + copy("dma1", B, Y), 4)
    assert simulate([Instance(both)], TARGET)[0].cycles == START + 20


def test_instances_share_the_device():
    image = program(copy("dma0", D, A))
    one, two = simulate([Instance(image), Instance(image, 1)], TARGET)
    assert one.cycles == two.cycles == START + 34  # 640 / 19.375 = 33.03
    # The second begins when the first is done.
    one, two = simulate([Instance(image), Instance(image, 1, start=17)], TARGET)
    assert one.cycles == two.cycles == START + 17
    assert two.trace[0].start == LAUNCH


def test_instances_need_cores_of_their_own():
    image = program(copy("dma0", X, A))
    with pytest.raises(ValueError, match="cores are used twice"):
        simulate([Instance(image), Instance(image)], TARGET)


def test_deadlocks_are_errors():
    image = program(copy("dma0", X, A))
    (task,) = image.cores[0]["dma0"]
    blocked = dataclasses.replace(task, waits=(Wait(0, "load", 1),))
    with pytest.raises(AxirError, match="deadlock"):
        Simulator(dataclasses.replace(image, cores=({**image.cores[0], "dma0": (blocked,)},)), TARGET).timing()


def test_a_program_without_tasks_takes_the_launch():
    queues = dict.fromkeys(program(copy("dma0", X, A)).cores[0], ())
    image = dataclasses.replace(program(copy("dma0", X, A)), cores=(queues,))
    timing = Simulator(image, TARGET).timing()
    assert timing.cycles == LAUNCH
    assert [layer.cycles for layer in timing.layers] == [0, 0]


RESOURCES = [Resource("in", 0), Resource("out", 0), Resource("in", 1), Resource("l2"), Resource("ddr")]
demands = st.lists(st.sampled_from(RESOURCES), min_size=1, max_size=3).map(lambda found: Counter(found))


@settings(max_examples=200, deadline=None)
@given(st.lists(demands, min_size=1, max_size=8), st.lists(st.integers(1, 300), min_size=5, max_size=5))
def test_rates_are_max_min_fair(flows: list[Demand], sizes: list[int]):
    """No resource carries more than it can, and nobody could go faster without slowing down someone no faster."""
    capacities = {resource: Fraction(size) for resource, size in zip(RESOURCES, sizes, strict=True)}
    rates = fair_rates(flows, capacities)
    used: Counter[Resource] = Counter()
    for flow, rate in zip(flows, rates, strict=True):
        for resource, times in flow.items():
            used[resource] += times * rate  # pyright: ignore
    assert all(used[resource] <= capacities[resource] for resource in RESOURCES)
    for flow, rate in zip(flows, rates, strict=True):
        assert any(
            used[resource] == capacities[resource]
            and all(other <= rate for others, other in zip(flows, rates, strict=True) if resource in others)
            for resource in flow
        )


WAIT = TARGET.device.control_wait


def control(tasks: str, more: str = "") -> Timing:
    return simulate([Instance(assembled(text(tasks, ports="", more=more, control=True)))], TARGET)[0]


def test_a_control_core_takes_time_to_see_that_a_wait_is_met():
    timing = control(FETCH + COPY + STORE)
    copied = START + 10 + WAIT + DISPATCH + TARGET.depthwise.latency + 10
    assert ends(timing) == {
        "dma0.0": START + 10,
        "depthwise.0": copied,
        "dma1.0": copied + WAIT + DISPATCH + SETUP + 10,
    }


def test_a_control_core_takes_each_wait_by_itself():
    tasks = copy("dma0", X, A, name="%p = ") + copy("dma1", B, Y, name="%q = ")
    both = control(
        tasks + "aipu.load on load(src = l1 %b[0]) {row = 0, segment_rows = 64, columns = 64} layer 0 after(%p, %q)\n"
    )
    assert ends(both)["load.0"] == START + 10 + 2 * WAIT + DISPATCH + 64


def test_nothing_is_dispatched_past_a_task_that_waits():
    tasks = [
        copy("dma0", X, A, 100, name="%p = "),
        "aipu.load on load(src = l1 %b[0]) {row = 0, segment_rows = 64, columns = 64} layer 0 after(%p)\n",
        copy("dma1", B, Y),
    ]
    fetched = START + 1000
    assert ends(time("".join(tasks)))["dma1.0"] == START + 10
    assert ends(control("".join(tasks)))["dma1.0"] == fetched + WAIT + DISPATCH + SETUP + 10
    assert ends(control(tasks[0] + tasks[2] + tasks[1]))["dma1.0"] == START + 10


def test_a_control_core_goes_on_while_units_are_busy():
    timing = control(copy("dma0", X, A, 100) + copy("dma0", X, A) + copy("dma1", B, Y))
    assert ends(timing) == {
        "dma0.0": START + 1000,
        "dma1.0": START + 10,
        "dma0.1": START + 1000 + DISPATCH + SETUP + 10,
    }


def test_control_cores_work_by_themselves():
    waiting = copy("dma0", X, A, name="%p = ") + copy("dma1", B, Y, more="after(%p)")
    alone = "aipu.core 1 {\n" + copy("dma0", X, A) + copy("dma1", B, Y, more="after(core 0 dma0 1)") + "}\n"
    timing = control(waiting, alone)
    assert [e.end for e in timing.trace if (e.core, e.unit) == (1, "dma0")] == [START + 10]
    assert [e.end for e in timing.trace if e.unit == "dma1"] == [START + 10 + WAIT + DISPATCH + SETUP + 10] * 2


S = "l2 %x"


def test_the_system_dma_has_bandwidth_of_its_own():
    # DDR gives 38.75 bytes a cycle; the core's DMA has its 64 for itself.
    timing = time(copy("sysdma", D, S, 2) + copy("dma0", Y, A))
    assert ends(timing) == {"sysdma.0": START + 34, "dma0.0": START + 10}
    assert (timing.units["sysdma"], timing.units["dma0"]) == (SETUP + 34, SETUP + 10)
    assert (timing.l2_bytes, timing.ddr_bytes) == (1280 + 640, 1280)
    assert (
        cost(program(copy("sysdma", D, S, 2)).cores[0]["sysdma"][0].instruction, TARGET, "sysdma").cycles == SETUP + 34
    )


def test_the_system_dma_is_one_for_all_programs():
    narrow = dataclasses.replace(TARGET, sysdma=dataclasses.replace(TARGET.sysdma, bandwidth=16))
    image = program(copy("sysdma", D, S))
    assert simulate([Instance(image)], narrow)[0].cycles == START + 40
    shared = simulate([Instance(image, core) for core in range(4)], narrow)
    assert [timing.cycles for timing in shared] == [START + 160] * 4
    assert cost(image.cores[0]["sysdma"][0].instruction, narrow, "sysdma").cycles == SETUP + 40
