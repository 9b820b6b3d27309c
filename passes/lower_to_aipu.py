"""`lower-to-aipu`: the quantized graph becomes tasks over symbolic buffers, placed and tiled for the given memories."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Literal

from xdsl.context import Context
from xdsl.dialects.builtin import DictionaryAttr, IntegerAttr, ModuleOp, i64
from xdsl.passes import ModulePass

from axir.dialects import aipu, axq
from axir.ir.context import AxContext
from axir.ir.diagnostics import AxirError
from axir.ir.store import WeightStore
from axir.passes.lowering.array_map import ArrayOptions
from axir.passes.lowering.bound import lower_bound
from axir.passes.lowering.build_network import NetworkOptions, build_network
from axir.passes.lowering.chain_search import DEFAULT_CANDIDATES, ChainOptions
from axir.passes.lowering.cores.lower import bound_over_cores, lower_over_cores
from axir.passes.lowering.emission import EmitOptions
from axir.passes.lowering.pools import Pools, pool
from axir.passes.lowering.program import CodeHome, CoreProgram, build_program
from axir.passes.lowering.registers import Algorithm
from axir.passes.lowering.settle import SettleOptions, settle
from axir.passes.lowering.tiling import TilingOptions
from axir.passes.memory.budget import MEMORY_SHARE, Budget, MemoryLimits
from axir.target.description import Target, load
from axir.target.isa import INSTRUCTIONS, UNITS, Memory, VectorProgram

Pool = Literal["global.ddr", "global.l2", "global.l1"]

VECTOR_QUEUES = tuple(unit for kind in INSTRUCTIONS if issubclass(kind, VectorProgram) for unit in kind.units)
"""The queues whose descriptors hold vector programs."""


@dataclass(frozen=True)
class LowerToAipuPass(MemoryLimits, ModulePass):
    """Options are the settings of docs/config.md with the same names."""

    name = "lower-to-aipu"

    aipu_cores_used: int = field(default=1, metadata={"help": "cores that the program runs on"})
    multicore_mode: Literal["multiprocess", "multithread", "batch", "cooperative", "pipeline"] = field(
        default="multiprocess",
        metadata={"help": "several cores: room for a frame each (batch), one frame split over them, or stages of it"},
    )
    elf_in_ddr: bool = field(default=True, metadata={"help": "keep the descriptors in DDR, not L2"})
    stream_tasklist: bool = field(
        default=True, metadata={"help": "fetch descriptors while they run; else copy them to L2 before each frame"}
    )
    dpu_instructions_home: Literal["default", "l2"] = field(
        default="default", metadata={"help": "home of the queues that hold vector programs"}
    )
    dwpu_instructions_home: Literal["default", "l2"] = field(
        default="default", metadata={"help": "home of the depthwise unit's queue"}
    )
    enable_icr: bool = field(
        default=True, metadata={"help": "replicate weights inside the array for layers with few output channels"}
    )
    icrx_force: int = field(default=-1, metadata={"help": "force the replication factor"})
    icrx_max_factor: int = field(default=8, metadata={"help": "largest replication factor along image width"})
    icrx_parallel_block_threshold: int = field(
        default=4, metadata={"help": "most parallel blocks for which replication is still applied"}
    )
    enable_swicr: bool = field(
        default=True, metadata={"help": "sub-word replication for first layers with few input channels"}
    )
    mvm_utilization_limit: float = field(
        default=1.0, metadata={"help": "share of the matrix array that may be active (power)"}
    )
    force_h_tiling: int | None = field(default=None, metadata={"help": "force the number of height tiles"})
    force_oc_tiling: int | None = field(default=None, metadata={"help": "force the number of output-channel tiles"})
    max_tiling_attempts: int = field(
        default=8, metadata={"help": "rounds of tiling one operator before it gives up with an error"}
    )
    max_memplan_attempts: int = field(
        default=5, metadata={"help": "rounds of the memory planner before it gives up with an error"}
    )
    pipeline_spatial_tiles: bool = field(default=True, metadata={"help": "software-pipeline the tiles along height"})
    pipeline_channel_tiles: bool = field(
        default=True, metadata={"help": "software-pipeline the tiles along output channels"}
    )
    unroll_prologue_epilogue: bool = field(
        default=False, metadata={"help": "cut the first and the last row tile in two, so that pipelines fill sooner"}
    )
    tiling_depth: int = field(default=1, metadata={"help": "most layers in one depth-first chain; 1: no chains"})
    dfs_search_constraint: int | None = field(
        default=None, metadata={"help": f"most chains looked at, each with each tile count; none: {DEFAULT_CANDIDATES}"}
    )
    ignore_weight_buffers: bool = field(
        default=True, metadata={"help": "smaller weight chunks before finer row tiles, where L1 is short"}
    )
    enable_buffer_promotion: bool = field(
        default=True, metadata={"help": "move buffers up from their pools where they fit"}
    )
    split_buffer_promotion: bool = field(
        default=False, metadata={"help": "form depth-first chains before buffers move up to L1"}
    )
    io_memory_pool: Pool = field(default="global.ddr", metadata={"help": "lowest memory for inputs and outputs"})
    constant_memory_pool: Pool = field(default="global.ddr", metadata={"help": "lowest memory for constants"})
    workspace_memory_pool: Pool = field(default="global.ddr", metadata={"help": "lowest memory for intermediates"})
    inter_operator_async: bool = field(default=True, metadata={"help": "overlap neighbouring operators"})
    dma_dual_channel: bool = field(default=True, metadata={"help": "use both DMA channels"})
    imc_double_buffer_pipeline: bool = field(
        default=False, metadata={"help": "load the next weights into a free weight set while computing"}
    )
    imc_double_buffer_sequential: bool = field(
        default=False, metadata={"help": "load the next operator's weights while this one computes"}
    )
    apply_pword_padding: bool = field(
        default=True, metadata={"help": "pad channels to pwords; else a tensor that needs it is an error"}
    )
    rewrite_concat_to_resadd: bool = field(
        default=True, metadata={"help": "compute the parts of a concatenation in their place; else copy them"}
    )
    remove_io_padding_and_layout_transform: bool = field(
        default=True, metadata={"help": "take and give padded NHWC; else dense NCHW, which DMA copies convert"}
    )
    group_ifdw_tasks: bool = field(
        default=False, metadata={"help": "copy and load the weights of array layers that fit the sets together at once"}
    )
    dpu_constants_home: Literal["global.ddr", "global.l2"] = field(
        default="global.l2", metadata={"help": "home of parameter blocks and tables, whatever that of weights"}
    )
    dpu_allocation_algorithm: Algorithm = field(
        default="try_all", metadata={"help": "register allocation of vector programs"}
    )

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        context = AxContext.of(ctx)
        target = context.target if isinstance(context.target, Target) else load(None)
        graphs = [graph for graph in op.body.block.ops if isinstance(graph, axq.GraphOp)]
        if not graphs:
            raise AxirError("there is no quantized graph to lower", op=op, notes=("run quantize first",))
        for graph in graphs:
            program = self._lower(graph, context.store, target)
            op.body.block.insert_op_before(program, graph)
            graph.detach()
            graph.erase()

    def code_home(self, unit: str) -> Memory:
        """Where the descriptors of a queue live."""
        in_l2 = (
            not self.elf_in_ddr
            or (unit in VECTOR_QUEUES and self.dpu_instructions_home == "l2")
            or (unit == "depthwise" and self.dwpu_instructions_home == "l2")
        )
        return "l2" if in_l2 else "ddr"

    def preloads(self, unit: str) -> bool:
        """Whether the descriptors of a queue are copied to L2 before each frame: those that do not live there."""
        return not self.stream_tasklist and self.code_home(unit) != "l2"

    def _lower(self, graph: axq.GraphOp, store: WeightStore, target: Target) -> aipu.ProgramOp:
        layout = NetworkOptions(
            self.enable_swicr, self.apply_pword_padding, self.rewrite_concat_to_resadd,
            self.remove_io_padding_and_layout_transform, self.dpu_allocation_algorithm,
        )  # fmt: skip
        network = build_network(graph, store, target, layout)
        budget, options = self._budget(target).within(graph), self._options()
        code = CodeHome(self.code_home, self.preloads)
        bound = lower_bound(network, budget.l2, options.pools, target)
        name = graph.sym_name.data
        mode, cores = self.multicore_mode, self.aipu_cores_used
        if cores > 1 and (mode == "cooperative" or mode == "pipeline"):
            _check_pools(options.pools, mode)
            program = lower_over_cores(name, network, mode, cores, budget, options, code, store, target)
            bound = bound_over_cores(bound, mode, cores)
        else:
            emitted, jobs = settle(network, budget, options, code.buffers, target)
            layers = [aipu.LayerAttr.of(layer.name, layer.operator, layer.unit, layer.macs) for layer in network.layers]
            core = CoreProgram(emitted, jobs, range(len(layers)))
            program = build_program(name, "single", target.name, network, layers, [core], code, store)
        program.attributes |= {name: share for name, share in graph.attributes.items() if name == MEMORY_SHARE}
        program.attributes["bound"] = DictionaryAttr({key: IntegerAttr(value, i64) for key, value in bound.items()})
        return program

    def _budget(self, target: Target) -> Budget:
        """What the program may use; a batch has activations of every frame beside each other."""
        if self.aipu_cores_used > target.device.cores:
            raise AxirError(
                f"aipu_cores_used is {self.aipu_cores_used}, {target.name} has {target.device.cores} cores",
                notes=("set aipu_cores_used to no more than the device has",),
            )
        lists = self.aipu_cores_used if any(map(self.preloads, UNITS)) else 0
        budget = self.budget(target, lists)
        return replace(budget, frames=self.aipu_cores_used) if self.multicore_mode == "batch" else budget

    def _options(self) -> SettleOptions:
        pools = Pools(
            pool(self.io_memory_pool), pool(self.constant_memory_pool), pool(self.workspace_memory_pool),
            self.enable_buffer_promotion,
        )  # fmt: skip
        return SettleOptions(
            ArrayOptions(
                self.enable_icr, self.icrx_force, self.icrx_max_factor, self.icrx_parallel_block_threshold,
                self.mvm_utilization_limit,
            ),
            TilingOptions(
                self.force_h_tiling, self.force_oc_tiling, self.max_tiling_attempts, self.pipeline_spatial_tiles,
                self.pipeline_channel_tiles, self.unroll_prologue_epilogue, self.ignore_weight_buffers,
            ),
            EmitOptions(
                self.inter_operator_async, self.dma_dual_channel, self.imc_double_buffer_pipeline,
                self.imc_double_buffer_sequential, self.pipeline_spatial_tiles, self.pipeline_channel_tiles, pools,
                self.dpu_constants_home,
            ),
            ChainOptions(self.tiling_depth, self.dfs_search_constraint),
            pools, self.split_buffer_promotion, self.max_memplan_attempts, self.group_ifdw_tasks,
        )  # fmt: skip


def _check_pools(pools: Pools, mode: str) -> None:
    """Raises `AxirError` for pools that cores cannot share."""
    if pools.io == "l1":
        raise AxirError(
            f"io_memory_pool is global.l1: the cores of a {mode} program share inputs and outputs, each has its own L1",
            notes=("set io_memory_pool to global.l2 or global.ddr",),
        )
