"""In which order tasks run, what synchronises them, and who brings the weights."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pytest
from device_builds import checked, session_of
from xdsl.dialects.builtin import ModuleOp

from axir.backends.aipu.assemble import program_of
from axir.backends.aipu.disassemble import disassemble
from axir.backends.aipu.image import build_image
from axir.backends.aipu.simulator import Instance, Timing, simulate
from axir.backends.aipu.structure import Image
from axir.compiler.session import Session
from axir.ir.context import make_context
from axir.ir.parsing import parse_module
from axir.ir.printing import print_module
from axir.passes import list_schedule
from axir.target.description import Target, load
from axir.target.isa import Dma

METIS = load()

SHAPE = "tensor<1x64x16x16x!axq.q<0.5 : 0>>"


def conv(result: str, source: str, weight: int) -> str:
    return f"""
  %{result} = axq.conv %{source} weight dense<{weight}> : tensor<64x64x3x3xi8> scale dense<0.01> : tensor<64xf32>
    bias dense<{weight}> : tensor<64xi32> strides [1, 1] pads [1, 1, 1, 1] dilations [1, 1] group 1 : {SHAPE} -> {SHAPE}
"""


def pool(result: str, source: str) -> str:
    return (
        f"  %{result} = axq.max_pool %{source} kernel [3, 3] strides [1, 1] pads [1, 1, 1, 1] dilations [1, 1] "
        f": {SHAPE} -> {SHAPE}\n"
    )


# Two branches of convolutions and pools: the depthwise unit could work on one while the array works on the other.
NETWORK = f"""
axq.graph @main(%x: {SHAPE} "x") -> ("y", "z") {{
  {conv("a", "x", 1)}{pool("b", "a")}{conv("c", "b", -2)}{pool("d", "c")}{conv("y", "d", 3)}
  {pool("e", "x")}{conv("f", "e", -4)}{pool("g", "f")}{conv("h", "g", 5)}{pool("i", "h")}{conv("z", "i", -6)}
  axq.return %y, %z : {SHAPE}, {SHAPE}
}}
"""


@dataclass(frozen=True)
class Built:
    """A compiled network; its program has been checked and has given the reference's bytes."""

    session: Session
    module: ModuleOp
    data: bytes
    image: Image
    timing: Timing

    @property
    def order(self) -> list[tuple[str, int]]:
        """Unit and layer of the tasks in program order."""
        return [(task.unit.data, task.layer.value.data) for task in program_of(self.module).cores[0].tasks]

    @property
    def waits(self) -> int:
        return sum(len(task.waits) for queue in self.image.cores[0].values() for task in queue)


def built(**settings: Any) -> Built:
    session = session_of(**settings)
    module = parse_module(session.context, NETWORK, "network.mlir")
    return Built(session, module, *checked(session, module))


SMALL_L1 = 60_000
"""Layers run in tiles, and copies are on the way between them."""

SMALL_L2 = 200_000
"""Inputs, outputs and four of the six constants."""


def test_use_list_scheduler() -> None:
    given, listed = built(l1_constraint=SMALL_L1), built(l1_constraint=SMALL_L1, use_list_scheduler=True)
    assert listed.timing.cycles < 0.95 * given.timing.cycles
    assert listed.image.memory["l1"] <= SMALL_L1
    assert len(listed.order) == len(given.order)
    # Queues hold their tasks in another order, and copies have moved to the other channel.
    assert [layer for unit, layer in listed.order if unit == "array"] == sorted(
        layer for unit, layer in given.order if unit == "array"
    )
    assert [layer for unit, layer in listed.order if unit == "dma0"] != [
        layer for unit, layer in given.order if unit == "dma0"
    ]
    assert listed.timing.units["dma1"] > given.timing.units["dma1"]


def test_use_list_scheduler_with_one_channel() -> None:
    options = {"l1_constraint": SMALL_L1, "dma_dual_channel": False}
    given, listed = built(**options), built(use_list_scheduler=True, **options)
    assert listed.timing.units["dma1"] == 0
    assert listed.timing.cycles < given.timing.cycles


@pytest.mark.parametrize("l1", [25_000, 30_000, 40_000, 100_000, None])
def test_use_list_scheduler_is_never_slower(l1: int | None) -> None:
    assert built(l1_constraint=l1, use_list_scheduler=True).timing.cycles <= built(l1_constraint=l1).timing.cycles


@pytest.mark.parametrize("options", [{}, {"use_hw_tokens": False}, {"inter_operator_async": False}], ids=str)
def test_use_list_scheduler_times_what_is_built(options: dict[str, bool], monkeypatch: pytest.MonkeyPatch) -> None:
    timed: list[int] = []

    def recorded(instances: Sequence[Instance], target: Target) -> list[Timing]:
        timings = simulate(instances, target)
        timed.append(timings[0].cycles)
        return timings

    monkeypatch.setattr(list_schedule, "simulate", recorded)
    assert built(use_list_scheduler=True, **options).timing.cycles == min(timed)
    assert built(**options).timing.cycles == timed[0]  # the given order comes first


def test_use_list_scheduler_gives_equal_bytes_again() -> None:
    options = {"l1_constraint": SMALL_L1, "use_list_scheduler": True}
    assert built(**options).data == built(**options).data


def test_use_hw_tokens() -> None:
    tokens, control = built(), built(use_hw_tokens=False)
    assert tokens.image.dispatch == ()
    (order,) = control.image.dispatch
    assert list(order) == [unit for unit, _ in control.order]
    # What one task has waited for is complete for all later ones, so there is less to wait for; it costs more.
    assert 0 < control.waits < tokens.waits
    assert control.timing.cycles > tokens.timing.cycles


def test_use_hw_tokens_off_costs_what_the_control_core_takes() -> None:
    control = built(use_hw_tokens=False)
    swift = dataclasses.replace(METIS, device=dataclasses.replace(METIS.device, control_wait=0))
    waited = control.waits * METIS.device.control_wait
    fast = simulate([Instance(control.image)], swift)[0].cycles
    assert fast < control.timing.cycles <= fast + waited


def test_use_hw_tokens_is_in_text_and_image() -> None:
    control = built(use_hw_tokens=False)
    context = make_context()
    text = print_module(disassemble(control.image, context.store))
    assert "control_dispatch" in text
    assert "control_dispatch" not in print_module(disassemble(built().image, make_context().store))
    again = parse_module(context, text, "again.mlir")
    assert build_image(program_of(again), context.store, METIS) == control.data


def test_use_sysdma() -> None:
    direct, staged = built(l2_constraint=SMALL_L2), built(l2_constraint=SMALL_L2, use_sysdma=True)
    assert direct.timing.units["sysdma"] == 0
    assert staged.timing.units["sysdma"] > 0
    brought = [task.instruction for task in staged.image.cores[0]["sysdma"]]
    assert all(isinstance(copy, Dma) and (copy.src.memory, copy.dst.memory) == ("ddr", "l2") for copy in brought)
    assert from_ddr(direct.image)
    assert not from_ddr(staged.image)
    # A core's DMA is no longer held up by DDR.
    assert staged.timing.units["dma0"] < direct.timing.units["dma0"]
    assert staged.image.memory["l2"] <= SMALL_L2


def from_ddr(image: Image) -> list[Dma]:
    """Copies of a core's own channels that read DDR."""
    copies = [task.instruction for unit in ("dma0", "dma1") for task in image.cores[0][unit]]
    return [copy for copy in copies if isinstance(copy, Dma) and copy.src.memory == "ddr"]


def test_use_sysdma_needs_room_in_l2() -> None:
    ports = 3 * 16 * 16 * 64
    tight = built(l2_constraint=ports, use_sysdma=True, double_buffer=False, page_memory=False)
    assert tight.timing.units["sysdma"] == 0
    assert tight.data == built(l2_constraint=ports, double_buffer=False, page_memory=False).data


def test_use_sysdma_changes_nothing_where_l2_holds_all() -> None:
    assert built(use_sysdma=True).data == built().data


@pytest.mark.parametrize("stream", [True, False])
def test_use_sysdma_has_descriptors(stream: bool) -> None:
    code = {
        code.unit: code
        for code in built(
            l2_constraint=1_300_000 if not stream else SMALL_L2,
            use_sysdma=True,
            constant_memory_pool="global.ddr",
            enable_buffer_promotion=False,
            stream_tasklist=stream,
        ).image.code
    }
    assert code["sysdma"].preload == (not stream)
    assert code["sysdma"].memory == code["dma0"].memory == "ddr"


def test_use_sysdma_is_shared_by_programs() -> None:
    image = built(l2_constraint=SMALL_L2, use_sysdma=True).image
    slow = dataclasses.replace(METIS, sysdma=dataclasses.replace(METIS.sysdma, bandwidth=2))
    alone = simulate([Instance(image)], slow)[0]
    shared = simulate([Instance(image, core) for core in range(4)], slow)
    assert all(timing.units["sysdma"] > 2 * alone.units["sysdma"] for timing in shared)


@pytest.mark.parametrize("double_buffer", [False, True])
@pytest.mark.parametrize("l1", [SMALL_L1, None])
def test_all_together(double_buffer: bool, l1: int | None) -> None:
    everything = built(
        l1_constraint=l1, l2_constraint=SMALL_L2, use_sysdma=True, use_hw_tokens=False, use_list_scheduler=True,
        imc_double_buffer_pipeline=double_buffer, imc_double_buffer_sequential=double_buffer,
    )  # fmt: skip
    assert everything.timing.units["sysdma"] > 0
    assert everything.image.dispatch
