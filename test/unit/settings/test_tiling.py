"""Tiles, depth-first chains, pools and promotion: what each setting does to the program, bit for bit."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from axq_graphs import GraphBuilder, integer, random_inputs
from small_networks import SIZE, sound
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import SSAValue

from axir import runtime
from axir.backends.aipu.assemble import program_of
from axir.backends.aipu.image import build_image, read_image
from axir.backends.aipu.simulator import Simulator
from axir.compiler import CompilerConfig, compile, quantize
from axir.compiler.pipeline import DEVICE_PASSES
from axir.compiler.session import Session
from axir.dialects import aipu, axq
from axir.dialects.base import ints, shape_of
from axir.dialects.epilogue import EpilogueAttr, Step
from axir.interp.axq import Interpreter
from axir.ir.diagnostics import AxirError
from axir.target.cost import dma_bytes
from axir.target.description import load
from axir.target.isa import Depthwise, Dma, Instruction, Load, Mvm

METIS = load()
ELEMENT = axq.QuantType.per_tensor(0.5, 3)


class Network(GraphBuilder):
    """Grows a graph of convolutions with random weights, named by the order they are made in."""

    def __init__(self) -> None:
        super().__init__()
        self.rng = np.random.default_rng(0)

    def take(self, channels: int, height: int, width: int) -> SSAValue:
        return self.input((1, channels, height, width), ELEMENT)

    def conv(self, source: SSAValue, outputs: int, kernel: int = 3, group: int = 1, *extras: SSAValue) -> SSAValue:
        """A convolution that keeps height and width; `extras` are added to its result."""
        _, channels, height, width = shape_of(source)
        weights = self.rng.integers(-127, 128, (outputs, channels // group, kernel, kernel)).astype(np.int8)
        properties = {
            "weight": self.constant(weights),
            "weight_scale": self.constant(self.rng.uniform(1e-3, 4e-3, outputs).astype(np.float32)),
            "bias": self.constant(self.rng.integers(-3000, 3000, outputs).astype(np.int32)),
            "strides": ints((1, 1)), "pads": ints((kernel // 2,) * 4), "dilations": ints((1, 1)),
            "group": integer(group), "epilogue": EpilogueAttr([Step("add")] * len(extras)),
        }  # fmt: skip
        return self.add(axq.ConvOp, [source, extras], properties, (1, outputs, height, width), ELEMENT)


@dataclass
class Compiled:
    """A program that the device model has checked and that gave the reference's bytes."""

    data: bytes
    buffers: list[aipu.BufferOp]  # as lowering made them
    cycles: int
    tasks: list[Instruction]

    def of(self, kind: type[Instruction]) -> list[Any]:
        return [task for task in self.tasks if isinstance(task, kind)]

    @cached_property
    def homes(self) -> dict[str, str]:
        """Memory by label, of tensors and constants where they live."""
        temporary = (".tile", ".l1", ".chain", ".weights")
        return {b.label.data: b.memory for b in self.buffers if not b.label.data.endswith(temporary)}

    def count(self, label: str) -> int:
        return sum(buffer.label.data == label for buffer in self.buffers)

    def moved(self, memory: str) -> int:
        """Bytes that copies move from or to a memory."""
        return sum(dma_bytes(dma) for dma in self.of(Dma) if memory in (dma.src.memory, dma.dst.memory))


def compiled(network: Network, **settings: Any) -> Compiled:
    graph = network.graph
    session = Session(CompilerConfig(**settings), METIS)
    session.context.store.update(network.store)
    inputs = random_inputs(graph, np.random.default_rng(1))
    expected = Interpreter(graph, network.store).run(inputs)
    module = ModuleOp([graph.clone()])
    session.run(module, "lower-to-aipu")
    buffers = [op.clone() for op in module.walk() if isinstance(op, aipu.BufferOp)]
    session.run(module, *DEVICE_PASSES[DEVICE_PASSES.index("lower-to-aipu") + 1 :])
    data = build_image(program_of(module), session.context.store, session.target)
    image = read_image(data, session.target)
    simulator = Simulator(image, session.target)
    for want, got in zip(expected, simulator.run(inputs), strict=True):
        np.testing.assert_array_equal(got, want)
    queues = image.cores[0]
    return Compiled(
        data, buffers, simulator.timing().cycles, [task.instruction for unit in queues for task in queues[unit]]
    )


def tower(depth: int, channels: int = 64, height: int = 32, kernel: int = 3) -> Network:
    """Convolutions on each other, over 8 pixels by `height` rows."""
    network = Network()
    value = network.take(channels, height, 8)
    for _ in range(depth):
        value = network.conv(value, channels, kernel)
    network.finish(value)
    return network


def mixed() -> Network:
    """An inverted residual: 1x1, depthwise 3x3, 1x1 that adds the block's input."""
    network = Network()
    x = network.conv(network.take(64, 32, 8), 64, 1)
    inner = network.conv(network.conv(x, 128, 1), 128, 3, 128)
    network.finish(network.conv(inner, 64, 1, 1, x))
    return network


def test_pipeline_spatial_tiles() -> None:
    network = tower(1)
    both = compiled(network, force_h_tiling=4)
    one = compiled(network, force_h_tiling=4, pipeline_spatial_tiles=False)
    assert (both.count("input0.tile"), both.count("conv_0.tile")) == (4, 4)
    assert (one.count("input0.tile"), one.count("conv_0.tile")) == (1, 1)
    assert one.cycles > both.cycles


def test_pipeline_spatial_tiles_cuts_layers_next_to_another_unit() -> None:
    network = Network()
    x = network.conv(network.take(64, 64, 32), 64)
    network.finish(network.conv(x, 64, 3, 64))
    fine, coarse = compiled(network), compiled(network, pipeline_spatial_tiles=False)
    assert len(fine.of(Depthwise)) > len(coarse.of(Depthwise)) == 1
    assert fine.cycles < coarse.cycles


def test_pipeline_channel_tiles() -> None:
    network = Network()
    network.finish(network.conv(network.take(64, 8, 8), 256, 1))
    cut = {"force_h_tiling": 1, "force_oc_tiling": 4}
    both, one = compiled(network, **cut), compiled(network, **cut, pipeline_channel_tiles=False)
    assert (both.count("conv_0.tile"), one.count("conv_0.tile")) == (4, 1)
    assert one.cycles > both.cycles
    # Tiles of one kind do not depend on the setting of the other.
    assert compiled(network, **cut, pipeline_spatial_tiles=False).count("conv_0.tile") == 4
    rows = {"force_h_tiling": 4, "force_oc_tiling": 1}
    assert compiled(network, **rows, pipeline_channel_tiles=False).data == compiled(network, **rows).data


def test_unroll_prologue_epilogue() -> None:
    network = tower(1)
    plain, unrolled = (compiled(network, force_h_tiling=4, unroll_prologue_epilogue=value) for value in (False, True))
    assert [mvm.rows for mvm in plain.of(Mvm)] == [8, 8, 8, 8]
    assert [mvm.rows for mvm in unrolled.of(Mvm)] == [4, 4, 8, 8, 4, 4]
    whole = compiled(network, force_h_tiling=1, unroll_prologue_epilogue=True)
    assert whole.data == compiled(network, force_h_tiling=1).data


def test_unroll_prologue_epilogue_fills_the_pipeline_sooner() -> None:
    network = Network()
    network.finish(network.conv(network.take(64, 64, 64), 64, 1))
    coarse = compiled(network, force_h_tiling=2)
    assert compiled(network, force_h_tiling=2, unroll_prologue_epilogue=True).cycles < coarse.cycles


def test_tiling_depth() -> None:
    network = tower(3, height=128)
    one = compiled(network, enable_buffer_promotion=False)
    chain = compiled(network, enable_buffer_promotion=False, tiling_depth=3)
    assert "conv_0" in one.homes
    assert "conv_0" not in chain.homes
    assert chain.count("conv_0.chain") > 1
    assert chain.moved("ddr") < one.moved("ddr")
    assert chain.cycles < one.cycles


def test_tiling_depth_is_the_most_layers_of_a_chain() -> None:
    network = tower(4, kernel=1)
    options = {"enable_buffer_promotion": False, "force_h_tiling": 4}
    held: list[list[int]] = []
    for depth in (1, 2, 4):
        found = compiled(network, tiling_depth=depth, **options)
        held.append([index for index in range(4) if found.count(f"conv_{index}.chain")])
    assert held == [[], [0, 2], [0, 1, 2]]


def test_tiling_depth_computes_the_rows_between_tiles_twice() -> None:
    options = {"enable_buffer_promotion": False, "force_h_tiling": 4}
    alone, chain = (compiled(tower(2, height=128), tiling_depth=depth, **options) for depth in (1, 2))
    assert sum(mvm.rows for mvm in alone.of(Mvm)) == 2 * 128
    assert sum(mvm.rows for mvm in chain.of(Mvm)) == 2 * 128 + 3 * 2


def test_tiling_depth_with_a_residual_and_two_units() -> None:
    network = mixed()
    chain = compiled(network, enable_buffer_promotion=False, tiling_depth=4)
    assert chain.count("conv_0.chain") == len(chain.of(Depthwise)) > 1
    assert chain.cycles < compiled(network, enable_buffer_promotion=False).cycles


@pytest.mark.parametrize("limit", [24_000, 30_000])
def test_tiling_depth_makes_room(limit: int) -> None:
    """Intermediates of which L1 cannot hold two; kernels of two weight sets each, of which some are loaded again."""
    network = tower(3)
    options = {"workspace_memory_pool": "global.l1", "force_h_tiling": 4, "l1_constraint": limit}
    with pytest.raises(AxirError, match="does not fit L1"):
        compiled(network, **options)
    chain = compiled(network, **options, tiling_depth=3)
    assert chain.count("conv_0.chain") or chain.count("conv_1.chain")
    written = sum(load.segment_rows for load in chain.of(Load))
    assert written > 3 * 9 * 64


def test_dfs_search_constraint() -> None:
    network = tower(6, kernel=1)
    options = {"enable_buffer_promotion": False, "tiling_depth": 2}
    every, few = compiled(network, **options), compiled(network, **options, dfs_search_constraint=1)
    assert (
        sum(label.startswith("conv") and not label.endswith(("constants", "parameters")) for label in every.homes) == 3
    )
    assert sum(label.startswith("conv") and not label.endswith(("constants", "parameters")) for label in few.homes) == 5
    assert few.cycles > every.cycles
    assert compiled(network, **options, dfs_search_constraint=100_000).data == every.data


def test_enable_buffer_promotion() -> None:
    network = tower(2)
    options = {"dpu_constants_home": "global.ddr"}
    up, down = compiled(network, **options), compiled(network, **options, enable_buffer_promotion=False)
    assert set(down.homes.values()) == {"ddr"}
    assert (up.homes["input0"], up.homes["conv_0"], up.homes["conv_0.constants"]) == ("l2", "l1", "l2")
    assert up.cycles < down.cycles


def test_split_buffer_promotion() -> None:
    """All intermediates fit L1: chains formed after promotion find nothing to do."""
    network = tower(3, height=128)
    options = {"l1_constraint": 300_000, "tiling_depth": 3}
    late, early = compiled(network, **options), compiled(network, **options, split_buffer_promotion=True)
    assert late.data == compiled(network, l1_constraint=300_000).data
    assert early.count("conv_0.chain")
    assert early.cycles < late.cycles


@pytest.mark.parametrize("memory", ["l1", "l2", "ddr"])
def test_io_memory_pool(memory: str) -> None:
    network = tower(2)
    fixed = compiled(network, io_memory_pool=f"global.{memory}", enable_buffer_promotion=False)
    assert (fixed.homes["input0"], fixed.homes["conv_1"]) == (memory, memory)
    assert bool(fixed.count("input0.tile")) == (memory != "l1")
    promoted = compiled(network, io_memory_pool=f"global.{memory}")
    assert promoted.homes["input0"] == promoted.homes["conv_1"] == ("l1" if memory == "l1" else "l2")


def test_io_memory_pool_that_overflows() -> None:
    network = tower(1)
    compiled(network, l2_constraint=10_000)
    with pytest.raises(AxirError, match=r"the buffers whose pool is L2 do not fit it: 32,768 bytes needed, 10,000"):
        compiled(network, l2_constraint=10_000, io_memory_pool="global.l2")
    with pytest.raises(AxirError, match="does not fit L1") as refused:
        compiled(network, l1_constraint=30_000, io_memory_pool="global.l1")
    assert "io_memory_pool keeps buffers in L1" in refused.value.notes[1]


@pytest.mark.parametrize("memory", ["l1", "l2", "ddr"])
def test_constant_memory_pool(memory: str) -> None:
    network = mixed()
    options = {"constant_memory_pool": f"global.{memory}", "dpu_constants_home": "global.ddr"}
    fixed = compiled(network, **options, enable_buffer_promotion=False)
    assert {home for label, home in fixed.homes.items() if label.endswith(("constants", "parameters"))} == {memory}
    assert bool(fixed.count("conv_0.constants.l1")) == (memory != "l1")
    assert compiled(network, **options).homes["conv_0.constants"] == ("l1" if memory == "l1" else "l2")


def test_constant_memory_pool_that_overflows() -> None:
    network = tower(2)
    compiled(network, l2_constraint=50_000)
    with pytest.raises(AxirError, match=r"constants of [\d,]+ bytes do not fit L2, which is their pool"):
        compiled(network, l2_constraint=50_000, constant_memory_pool="global.l2")
    with pytest.raises(AxirError, match="does not fit L1") as refused:
        compiled(network, l1_constraint=70_000, constant_memory_pool="global.l1")
    assert "constant_memory_pool keeps buffers in L1" in refused.value.notes[1]


def test_workspace_memory_pool() -> None:
    network = tower(3)
    small = {"l1_constraint": 30_000}
    with pytest.raises(AxirError, match="does not fit L1") as refused:
        compiled(network, **small, workspace_memory_pool="global.l1")
    assert "workspace_memory_pool keeps buffers in L1" in refused.value.notes[1]
    spilled = compiled(network, **small, l2_constraint=0)
    assert "ddr" in (spilled.homes["conv_0"], spilled.homes["conv_1"])
    with pytest.raises(AxirError, match="whose pool is L2"):
        compiled(network, **small, l2_constraint=0, workspace_memory_pool="global.l2")
    unpromoted = compiled(network, enable_buffer_promotion=False, workspace_memory_pool="global.l2")
    assert (unpromoted.homes["conv_0"], unpromoted.homes["conv_1"]) == ("l2", "l2")


def test_ignore_weight_buffers() -> None:
    """Of weights that fill most of L1, one policy takes smaller chunks, the other fewer rows."""
    network = tower(1, channels=128)
    options = {"l1_constraint": 110_000, "enable_icr": False, "workspace_memory_pool": "global.l1"}
    ignored, counted = compiled(network, **options), compiled(network, **options, ignore_weight_buffers=False)
    assert len(ignored.of(Mvm)) < len(counted.of(Mvm))
    assert max(load.segment_rows for load in ignored.of(Load)) < max(load.segment_rows for load in counted.of(Load))
    assert ignored.cycles < counted.cycles
    assert compiled(network).data == compiled(network, ignore_weight_buffers=False).data


def test_io_memory_pool_beside_all_others_in_l1_leaves_nothing_to_copy() -> None:
    pools = {f"{kind}_memory_pool": "global.l1" for kind in ("io", "constant", "workspace")}
    found = compiled(tower(2), **pools)
    assert set(found.homes.values()) == {"l1"}
    assert not found.of(Dma)


def test_io_memory_pool_in_l1_is_reached_by_the_runtime(tmp_path: Path) -> None:
    samples = list(np.random.default_rng(0).standard_normal((2, 1, 3, SIZE, SIZE)).astype(np.float32))
    model = quantize(sound(), samples)
    compile(model, CompilerConfig(io_memory_pool="global.l1"), tmp_path / "out")
    (found,) = runtime.load(tmp_path / "out")(samples[0])
    np.testing.assert_array_equal(found, model(samples[0])[0])
