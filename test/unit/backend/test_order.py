"""Vector clocks and the canonical order."""

from __future__ import annotations

from unit.backend.programs import COPY, FETCH, STORE, assembled, text

from axir.backends.aipu.order import order, unit_number
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
    assert numbers == list(range(20))
