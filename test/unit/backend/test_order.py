"""Vector clocks and the canonical order."""

from __future__ import annotations

import dataclasses

import pytest
from unit.backend.programs import COPY, FETCH, STORE, assembled, text

from axir.backends.aipu.order import order, unit_number
from axir.ir.diagnostics import AxirError
from axir.target import isa


def test_clocks_know_what_has_completed():
    steps = order(assembled(text(FETCH + FETCH.replace("%fetch", "%more") + COPY + STORE)))
    assert [str(step.id) for step in steps] == [
        "core 0 dma0[0]", "core 0 dma0[1]", "core 0 depthwise[0]", "core 0 dma1[0]",
    ]  # fmt: skip
    clocks = [dict(zip(isa.UNITS, step.clock, strict=True)) for step in steps]
    # Of the own queue: those before. The copy waits for %fetch alone; the store knows that through the copy.
    assert [clock["dma0"] for clock in clocks] == [0, 1, 1, 1]
    assert [clock["depthwise"] for clock in clocks] == [0, 0, 0, 1]


def test_units_of_all_cores_have_numbers():
    numbers = [unit_number(core, unit) for core in range(4) for unit in isa.UNITS]
    assert numbers == list(range(24))


FREE = "%free = aipu.dma on dma1(src = l2 %x[0], dst = l1 %b[1024]) {row_bytes = 64} layer 0\n"
LATE = "%late = aipu.load on load(src = l1 %a[0]) {row = 0, segment_rows = 1, columns = 64} layer 0\n"


def test_control_dispatch_is_an_order():
    tasks = FETCH + COPY + LATE + FREE
    steps = order(assembled(text(tasks, ports="", control=True)))
    assert [step.id.unit for step in steps] == ["dma0", "depthwise", "load", "dma1"]
    # By layers, the copy of layer 1 comes last.
    assert [step.id.unit for step in order(assembled(text(tasks, ports="")))] == ["dma0", "dma1", "load", "depthwise"]


def test_what_a_control_core_has_waited_for_is_complete_for_later_tasks():
    def known(control: bool) -> int:
        steps = order(assembled(text(FETCH + COPY + LATE, ports="", control=control)))
        return next(step.clock[unit_number(0, "dma0")] for step in steps if step.id.unit == "load")

    assert known(control=True) == 1
    assert known(control=False) == 0


def test_control_dispatch_can_lock_up():
    image = assembled(text(FETCH + COPY, ports="", control=True))
    turned = dataclasses.replace(image, dispatch=(("depthwise", "dma0"),))
    with pytest.raises(AxirError, match="deadlock") as caught:
        order(turned)
    (note,) = caught.value.notes
    assert note == 'core 0 depthwise[0] (layer 1, "second") waits for core 0 dma0[0]'
