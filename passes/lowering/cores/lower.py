"""A network as a program for several cores that work on one frame: together (cooperative), or in turn (pipeline)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from axir.dialects import aipu
from axir.ir.diagnostics import AxirError
from axir.ir.store import WeightStore
from axir.passes.lowering.cores.choose import Options, cooperative_ways, pipeline_ways
from axir.passes.lowering.cores.partition import partition
from axir.passes.lowering.cores.settle_cores import settle_cores
from axir.passes.lowering.cores.shares import Split
from axir.passes.lowering.network import Network
from axir.passes.lowering.pools import Pools
from axir.passes.lowering.program import CodeHome, build_program
from axir.passes.lowering.settle import SettleOptions
from axir.passes.lowering.tensors import port_name
from axir.passes.memory.budget import Budget
from axir.target.cost import ceil_div
from axir.target.description import Target
from axir.target.isa import Memory, Mode

PORTS_SHARE = 2
"""Inputs and outputs live in L2 where they take at most one `PORTS_SHARE`-th of it."""

OF_ONE_CORE = ("array", "depthwise", "vector", "load", "dma")
"""Resources that every core has for itself."""


def lower_over_cores(
    name: str, network: Network, mode: Mode, cores: int, budget: Budget, options: SettleOptions, code: CodeHome,
    store: WeightStore, target: Target,
) -> aipu.ProgramOp:  # fmt: skip
    """Choose who computes what, cut the network, and settle the parts. Raises `AxirError` where they do not fit."""
    ways = _ways(network, mode, cores, options, target)
    homes = _homes(network, budget, options.pools)
    sets = 2 if mode == "pipeline" else 1  # stages work on different frames
    cut = partition(network, ways, cores, homes)
    try:
        programs = settle_cores(cut, budget, options, code, sets, target)
    except AxirError:
        if options.pools.workspace == "l2":
            raise
        cut = partition(network, ways, cores, homes, "ddr")
        programs = settle_cores(cut, budget, options, code, sets, target)
    layers = [aipu.LayerAttr.of(layer.name, layer.operator, layer.unit, layer.macs) for layer in cut.layers]
    return build_program(name, mode, target.name, network, layers, programs, code, store)


def bound_over_cores(bound: Mapping[str, int], mode: str, cores: int) -> dict[str, int]:
    """The bound of a frame's time: cores that work on it together share the work, stages take it in turn."""
    if mode != "cooperative":
        return dict(bound)
    return {name: ceil_div(cycles, cores) if name in OF_ONE_CORE else cycles for name, cycles in bound.items()}


def _ways(network: Network, mode: str, cores: int, options: SettleOptions, target: Target) -> Sequence[Split]:
    costs = Options(options.array, options.tiling, options.emit.imc_double_buffer_pipeline)
    if mode == "cooperative":
        return cooperative_ways(network, cores, costs, target)
    try:
        return pipeline_ways(network, cores, costs, target)
    except ValueError as error:
        raise AxirError(
            f"a pipeline of {cores} cores needs as many layers: {error}", notes=("lower aipu_cores_used",)
        ) from None


def _homes(network: Network, budget: Budget, pools: Pools) -> dict[str, Memory]:
    """The memories of inputs and outputs, which all cores must find in the same place."""
    ports = {port_name(tensor.storage): tensor.storage for _, tensor, _ in (*network.inputs, *network.outputs)}
    home = pools.first_io
    if home == "l2" and pools.io == "ddr" and sum(s.size for s in ports.values()) * PORTS_SHARE > budget.l2:
        home = "ddr"
    return dict.fromkeys(ports, home)
