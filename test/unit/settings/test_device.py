"""Tiling limits, replication, weight sets, memory limits: what each setting does to the program, bit for bit."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from device_builds import METIS, Built, Network, built

from axir.compiler import CompilerConfig
from axir.compiler.memory_map import apply_memory_map
from axir.ir.diagnostics import AxirError
from axir.target.isa import Load, Mvm


def chain(*channels: int, size: int = 12, kernel: int = 3, inputs: int = 3) -> Network:
    """Convolutions in a row."""
    network = Network()
    value = network.take(inputs, size, size)
    for count in channels:
        value = network.conv(value, count, kernel)
    network.finish(value)
    return network


def products(program: Built, layer: int = 0) -> list[Mvm]:
    tasks = program.image.cores[0]["array"]
    return [task.instruction for task in tasks if task.layer == layer and isinstance(task.instruction, Mvm)]


@pytest.mark.parametrize("tiles", [1, 2, 5, 12, 40])
def test_force_h_tiling(tiles: int) -> None:
    found = products(built(chain(16), force_h_tiling=tiles))
    assert len(found) == min(tiles, 12)
    assert sum(mvm.rows for mvm in found) == 12


@pytest.mark.parametrize(("tiles", "widths"), [(1, [4]), (2, [2, 2]), (3, [2, 2]), (4, [1] * 4), (9, [1] * 4)])
def test_force_oc_tiling(tiles: int, widths: list[int]) -> None:
    program = built(chain(256, size=6), force_h_tiling=1, force_oc_tiling=tiles, enable_icr=False)
    assert [mvm.columns for mvm in products(program)] == widths


def test_max_tiling_attempts() -> None:
    tight = {"l1_constraint": 9_000}
    built(chain(16, size=24), **tight)
    with pytest.raises(AxirError, match="the layer does not fit L1"):
        built(chain(16, size=24), **tight, max_tiling_attempts=1)


def test_inter_operator_async() -> None:
    """Without it, nothing of a layer begins before all of the layer before it has ended."""
    network = chain(128, 128, 128, size=8, inputs=128)
    overlapped, apart = built(network), built(network, inter_operator_async=False)

    def spans(program: Built) -> list[tuple[int, int]]:
        return [(layer.start, layer.end) for layer in program.timing.layers]

    assert any(start < end for (_, end), (start, _) in pairwise(spans(overlapped)))
    assert all(start >= end for (_, end), (start, _) in pairwise(spans(apart)))
    assert apart.timing.cycles > overlapped.timing.cycles


def test_dma_dual_channel() -> None:
    network = chain(64, 64, size=40)
    settings = {"l1_constraint": 60_000}
    two, one = built(network, **settings), built(network, **settings, dma_dual_channel=False)
    assert two.tasks("dma0")
    assert two.tasks("dma1")
    assert len(one.tasks("dma0")) == len(two.tasks("dma0")) + len(two.tasks("dma1"))
    assert not one.tasks("dma1")
    assert one.timing.cycles > two.timing.cycles


@pytest.mark.parametrize(("limit", "columns"), [(1.0, 8), (0.5, 4), (0.13, 1), (0.125, 1)])
def test_mvm_utilization_limit(limit: float, columns: int) -> None:
    program = built(chain(512, size=4, kernel=1, inputs=64), mvm_utilization_limit=limit)
    assert max(mvm.columns for mvm in products(program)) == columns


def replicas(**settings: Any) -> int:
    """Replication of a layer of few channels in and out."""
    (found,) = {mvm.replicas for mvm in products(built(chain(16, 16), **settings))}
    return found


def test_enable_icr() -> None:
    assert replicas() > 1
    assert replicas(enable_icr=False) == 1


@pytest.mark.parametrize("factor", [1, 2, 3])
def test_icrx_force(factor: int) -> None:
    assert replicas(icrx_force=factor) == factor


def test_icrx_max_factor() -> None:
    assert replicas(icrx_max_factor=2) == 2 < replicas()


def test_icrx_parallel_block_threshold() -> None:
    """A layer of two column blocks is replicated only where two are allowed."""
    network = chain(128, size=16, kernel=1, inputs=64)

    def factor(threshold: int) -> int:
        program = built(network, icrx_parallel_block_threshold=threshold, icrx_force=2, icrx_max_factor=2)
        return max(mvm.replicas for mvm in products(program))

    assert (factor(1), factor(2)) == (1, 2)


def test_enable_swicr() -> None:
    """Pixels of 4 bytes instead of 64: a smaller input, fewer rows of weights."""
    packed, padded = built(chain(16)), built(chain(16), enable_swicr=False)
    assert (packed.image.inputs[0].pitch, padded.image.inputs[0].pitch) == (4, 64)
    assert max(mvm.matrix_rows for mvm in products(packed)) < max(mvm.matrix_rows for mvm in products(padded))


def loads(program: Built) -> list[int]:
    """First matrix row of every load."""
    return [task.row for task in program.tasks("load") if isinstance(task, Load)]


def test_imc_double_buffer_pipeline() -> None:
    """Weights beyond the sets come in passes; with it they go to the other half while one half computes."""
    network = chain(64, size=10, inputs=512)  # nine sets of rows, of which the array holds four
    plain, double = built(network), built(network, imc_double_buffer_pipeline=True)
    assert {row // METIS.array.rows for row in loads(plain)} == {0, 1, 2, 3}
    assert len(products(double)) > len(products(plain))
    assert double.timing.cycles < plain.timing.cycles


def test_imc_double_buffer_sequential() -> None:
    network = chain(64, 64, 64, size=8, kernel=1, inputs=64)
    plain, double = built(network), built(network, imc_double_buffer_sequential=True)
    assert [row // METIS.array.rows for row in loads(plain)] == [0, 0, 0]
    assert [row // METIS.array.rows for row in loads(double)] == [0, 1, 2]
    assert double.timing.cycles < plain.timing.cycles


def test_l1_constraint() -> None:
    network = chain(64, 64, size=40)
    assert built(network).image.memory["l1"] > 60_000 >= built(network, l1_constraint=60_000).image.memory["l1"]
    with pytest.raises(AxirError, match="does not fit"):
        built(network, l1_constraint=2_000)


def test_l2_constraint() -> None:
    """What does not fit L2 goes to DDR; descriptors are there anyway."""
    network = chain(64, 64, size=12)
    settings = {"l2_constraint": 20_000}
    assert built(network).constants("ddr") == {}
    limited = built(network, **settings)
    assert limited.image.memory["l2"] <= 20_000
    assert limited.constants("ddr") != {}


def test_ddr_constraint() -> None:
    network = chain(64, 64, size=12)
    built(network, l2_constraint=20_000, ddr_constraint=200_000)
    with pytest.raises(AxirError, match="ddr"):
        built(network, l2_constraint=20_000, ddr_constraint=20_000)


def test_max_memplan_attempts() -> None:
    """Constants fill L2 before it is known how many descriptors there are: with them, a second round plans for less."""
    settings = {"l2_constraint": 8_000, "elf_in_ddr": False, "page_memory": False, "double_buffer": False}
    network = chain(64, 64, 64, size=8, inputs=64, kernel=1)
    for attempts, rounds in ((1, "1 round"), (2, "2 rounds")):
        with pytest.raises(AxirError, match=f"the program does not fit l2: .* after {rounds} of planning"):
            built(network, **settings, max_memplan_attempts=attempts)
    built(network, **settings)


def test_resources_used() -> None:
    """The fraction limits L2 and DDR, not L1."""
    network = chain(64, 64, size=12)
    usable = METIS.l2.size - METIS.l2.reserved
    quarter = apply_memory_map(CompilerConfig(resources_used=0.25), METIS)
    assert quarter.resources_used == 0.25
    small = {"l2_size_used": 1_245_184 + 80_000}  # 80,000 usable bytes in all
    assert built(network, **small).constants("ddr") == {}
    limited = built(network, **small, resources_used=0.25)
    assert limited.image.memory["l2"] <= 20_000 < usable
    assert limited.constants("ddr") != {}


@pytest.mark.parametrize("memory", ["l1", "l2", "ddr"])
@pytest.mark.parametrize("kind", ["used", "reserved"])
def test_memory_sizes(memory: str, kind: str) -> None:
    """Changing what is used or reserved changes the limit that the passes get."""
    target = getattr(METIS, memory)
    config = CompilerConfig(
        **{f"{memory}_size_{kind}": target.size - 4096 if kind == "used" else target.reserved + 4096}
    )
    limit = getattr(apply_memory_map(config, METIS), f"{memory}_constraint")
    assert limit == target.size - target.reserved - 4096


def test_l1_size_used() -> None:
    network = chain(64, 64, size=40)
    assert built(network, l1_size_used=524_288 + 60_000).data == built(network, l1_constraint=60_000).data


def test_l1_size_reserved() -> None:
    network = chain(64, 64, size=40)
    assert built(network, l1_size_reserved=4_194_304 - 60_000).data == built(network, l1_constraint=60_000).data


def test_l2_size_used() -> None:
    network = chain(64, 64, size=12)
    assert built(network, l2_size_used=1_245_184 + 20_000).data == built(network, l2_constraint=20_000).data


def test_l2_size_reserved() -> None:
    network = chain(64, 64, size=12)
    assert built(network, l2_size_reserved=33_554_432 - 20_000).data == built(network, l2_constraint=20_000).data


def test_ddr_size_used() -> None:
    with pytest.raises(AxirError, match="ddr"):
        built(chain(64, 64, size=12), l2_constraint=20_000, ddr_size_used=33_554_432 + 20_000)


def test_ddr_size_reserved() -> None:
    with pytest.raises(AxirError, match="ddr"):
        built(chain(64, 64, size=12), l2_constraint=20_000, ddr_size_reserved=1_073_741_824 - 20_000)
