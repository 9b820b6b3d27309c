"""`lower-to-aipu`: the quantized graph becomes tasks over symbolic buffers, placed and tiled for the given memories."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from xdsl.context import Context
from xdsl.dialects.builtin import DictionaryAttr, IntegerAttr, ModuleOp, i64
from xdsl.ir import SSAValue
from xdsl.passes import ModulePass

from axir.dialects import aipu, axq
from axir.ir.constants import constant_attr
from axir.ir.context import AxContext
from axir.ir.diagnostics import AxirError
from axir.ir.location import name_loc
from axir.ir.store import WeightStore
from axir.passes.lowering.array_map import ArrayOptions
from axir.passes.lowering.bound import lower_bound
from axir.passes.lowering.emit import EmitOptions, Emitted, emit
from axir.passes.lowering.jobs import Buffer, Job, order
from axir.passes.lowering.network import Network, build_network
from axir.passes.lowering.placement import Budget, place
from axir.passes.lowering.tensors import Tensor
from axir.passes.lowering.tiling import TilingOptions
from axir.passes.memory.packing import Interval, pack
from axir.passes.memory.packing import lower_bound as greatest_alive
from axir.target.description import Target, load
from axir.target.isa import MEMORIES, Memory

LOOKAHEADS = (6, 2, 0)
"""How many steps ahead constants are copied; less where L1 is too small for more."""


@dataclass(frozen=True)
class LowerToAipuPass(ModulePass):
    """Options are the settings of docs/config.md with the same names."""

    name = "lower-to-aipu"

    resources_used: float = field(default=1.0, metadata={"help": "fraction of on-chip memory the program may use"})
    l1_constraint: int | None = field(default=None, metadata={"help": "most L1 to use"})
    l2_constraint: int | None = field(default=None, metadata={"help": "most L2 to use"})
    ddr_constraint: int | None = field(default=None, metadata={"help": "most DDR to use"})
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
    inter_operator_async: bool = field(default=True, metadata={"help": "overlap neighbouring operators"})
    dma_dual_channel: bool = field(default=True, metadata={"help": "use both DMA channels"})
    imc_double_buffer_pipeline: bool = field(
        default=False, metadata={"help": "load the next weights into a free weight set while computing"}
    )
    imc_double_buffer_sequential: bool = field(
        default=False, metadata={"help": "load the next operator's weights while this one computes"}
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

    def budget(self, target: Target) -> Budget:
        """Usable bytes: L1 is a core's own; of L2 and DDR the program gets its fraction (docs/config.md)."""
        share = self.resources_used
        l1 = target.l1.size - target.l1.reserved
        l2 = int(share * (target.l2.size - target.l2.reserved))
        ddr = int(share * (target.ddr.size - target.ddr.reserved))
        return Budget(
            min(l1, l1 if self.l1_constraint is None else self.l1_constraint),
            min(l2, l2 if self.l2_constraint is None else self.l2_constraint),
            min(ddr, ddr if self.ddr_constraint is None else self.ddr_constraint),
        )

    def _lower(self, graph: axq.GraphOp, store: WeightStore, target: Target) -> aipu.ProgramOp:
        network = build_network(graph, store, target, sub_word=self.enable_swicr)
        emitted, jobs = self._settle(network, target)
        return _program(graph.sym_name.data, network, emitted, jobs, store, target, self.budget(target).l2)

    def _settle(self, network: Network, target: Target) -> tuple[Emitted, list[Job]]:
        """Place, emit and check that the buffers pack; where they do not, plan for less and try again."""
        budget = self.budget(target)
        array = ArrayOptions(
            self.enable_icr, self.icrx_force, self.icrx_max_factor, self.icrx_parallel_block_threshold,
            self.mvm_utilization_limit,
        )  # fmt: skip
        tiling = TilingOptions(
            self.force_h_tiling, self.force_oc_tiling, self.max_tiling_attempts, self.pipeline_spatial_tiles,
            self.pipeline_spatial_tiles or self.pipeline_channel_tiles,
        )  # fmt: skip
        options = EmitOptions(
            self.inter_operator_async, self.dma_dual_channel, self.imc_double_buffer_pipeline,
            self.imc_double_buffer_sequential,
        )  # fmt: skip
        planned = budget
        failure: AxirError | None = None
        for attempt in range(1, self.max_memplan_attempts + 1):
            try:
                placement = place(network, planned, tiling, array, target)
            except AxirError as error:
                # Later attempts have less than the user allows: what the one before lacked says more.
                raise failure or error from None
            excess: dict[Memory, int] = {}
            emitted = emit(network, placement, planned.l2, options, target)
            for lookahead in LOOKAHEADS:
                jobs = order(emitted.steps, lookahead, placement.free.__getitem__)
                effort = {} if lookahead == LOOKAHEADS[-1] else {"nodes": 0}
                excess = _excess(jobs, emitted, budget, **effort)
                if not excess:
                    return emitted, jobs
                failure = _does_not_pack(excess, jobs, emitted, budget, network, attempt)
            planned = Budget(planned.l1 - 2 * excess.get("l1", 0), planned.l2 - 2 * excess.get("l2", 0), planned.ddr)
        assert failure is not None
        raise failure


def _lifetimes(jobs: Sequence[Job], emitted: Emitted) -> dict[Buffer, Interval]:
    """Alive from first to last job that touches it; constants and the host's buffers all the time."""
    found: dict[Buffer, Interval] = {}
    end = len(jobs)
    for position, task in enumerate(jobs):
        for buffer in task.buffers:
            known = found.get(buffer)
            always = buffer.parts is not None or buffer.port
            first = 0 if always else (known.first if known else position)
            found[buffer] = Interval(first, end if always else position, buffer.size)
    for buffer in emitted.ports.values():
        found.setdefault(buffer, Interval(0, end, buffer.size))
    return found


def _excess(jobs: Sequence[Job], emitted: Emitted, budget: Budget, **effort: int) -> dict[Memory, int]:
    """Bytes by which each memory overflows, packed with some `effort` (see `pack`)."""
    lifetimes = _lifetimes(jobs, emitted)
    result: dict[Memory, int] = {}
    for memory in MEMORIES:
        intervals = [interval for buffer, interval in lifetimes.items() if buffer.memory == memory]
        over = pack(intervals, budget.of(memory), **effort).height - budget.of(memory)
        if over > 0:
            result[memory] = over
    return result


def _does_not_pack(
    excess: dict[Memory, int], jobs: Sequence[Job], emitted: Emitted, budget: Budget, network: Network, attempts: int
) -> AxirError:
    memory, over = next(iter(excess.items()))
    lifetimes = {buffer: i for buffer, i in _lifetimes(jobs, emitted).items() if buffer.memory == memory}
    peak, position = greatest_alive(list(lifetimes.values()))
    alive = sorted((b for b, i in lifetimes.items() if i.first <= position <= i.last), key=lambda b: -b.size)
    return AxirError(
        f"the program does not fit {memory}: {budget.of(memory) + over:,} bytes needed, {budget.of(memory):,} allowed "
        f"({over:,} too many) after {attempts} round{'s' * (attempts > 1)} of planning",
        node=network.layers[jobs[position].layer].name,
        notes=(
            f"alive there ({peak:,} bytes): " + ", ".join(f"{b.label} {b.size:,}" for b in alive[:8]),
            f"raise {memory}_constraint or resources_used",
        ),
    )


def _program(
    name: str, network: Network, emitted: Emitted, jobs: Sequence[Job], store: WeightStore, target: Target, l2: int
) -> aipu.ProgramOp:
    buffers: dict[Buffer, aipu.BufferOp] = {}
    for buffer in _lifetimes(jobs, emitted):
        data = None if buffer.parts is None else constant_attr(buffer.data(), store)
        buffers[buffer] = aipu.BufferOp(buffer.label, buffer.memory, buffer.size, None, data)
    ports: list[aipu.InputOp | aipu.OutputOp] = []
    for kind, entries in ((aipu.InputOp, network.inputs), (aipu.OutputOp, network.outputs)):
        for label, tensor, host_type in entries:
            place = buffers[emitted.ports[id(tensor.storage)]].result
            ports.append(kind(label, place, tensor.offset, _layout(tensor), host_type))
    core = aipu.CoreOp(0)
    for task in jobs:
        operands: list[SSAValue] = [buffers[buffer].result for buffer in task.buffers]
        made = aipu.TaskOp.make(task.instruction, operands, task.unit, task.layer)
        made.location = name_loc(network.layers[task.layer].name)
        core.body.block.add_op(made)
    layers = [aipu.LayerAttr.of(layer.name, layer.operator, layer.unit, layer.macs) for layer in network.layers]
    program = aipu.ProgramOp(name, target.name, layers, [*buffers.values(), *ports, core])
    bound = lower_bound(network, l2, target)
    program.attributes["bound"] = DictionaryAttr({key: IntegerAttr(value, i64) for key, value in bound.items()})
    return program


def _layout(tensor: Tensor) -> aipu.LayoutAttr:
    return aipu.LayoutAttr(tensor.row_pitch, tensor.pitch, tensor.runs)
