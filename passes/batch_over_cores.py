"""`batch-over-cores`: from a program for one core to one for several, a frame each, with the constants once for all.

The cores run the same tasks in lock step. Each has its own L1, in which every buffer has the same address, and its own
activations, inputs and outputs in L2 and DDR. Constants are there once. Where their memory cannot feed all cores at the
rate of their DMA, and the device can multicast (`dma.multicast`), one copy on core 0 feeds the L1 of all.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import cast

from xdsl.context import Context
from xdsl.dialects.builtin import DictionaryAttr, IntegerAttr, ModuleOp, i64
from xdsl.ir import Operation, SSAValue
from xdsl.passes import ModulePass

from axir.dialects import aipu
from axir.ir.context import AxContext
from axir.ir.diagnostics import AxirError
from axir.passes.memory.accesses import WRITTEN
from axir.target.description import Target, load
from axir.target.isa import SYSTEM_DMA, Dma, Memory


@dataclass(frozen=True)
class BatchOverCoresPass(ModulePass):
    """Works on lowered programs of one core before they are planned; of other modes than batch it changes nothing."""

    name = "batch-over-cores"

    aipu_cores_used: int = field(default=1, metadata={"help": "cores, each of which takes a frame"})
    multicore_mode: str = field(default="multiprocess", metadata={"help": "batch, or nothing is done"})

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        if self.multicore_mode != "batch" or self.aipu_cores_used == 1:
            return
        context = AxContext.of(ctx)
        target = context.target if isinstance(context.target, Target) else load(None)
        if self.aipu_cores_used > target.device.cores:
            raise AxirError(
                f"aipu_cores_used is {self.aipu_cores_used}, {target.name} has {target.device.cores} cores", op=op,
                notes=("set aipu_cores_used to no more than the device has",),
            )  # fmt: skip
        for program in list(op.body.block.ops):
            if isinstance(program, aipu.ProgramOp) and len(program.cores) == 1:
                _refuse(program)
                batch = _Batch(program, self.aipu_cores_used, target).build()
                op.body.block.insert_op_before(batch, program)
                program.detach()
                program.erase()


def _refuse(program: aipu.ProgramOp) -> None:
    """Raises `AxirError` for programs whose cores could not run side by side."""
    if any(place.at is not None for place in (*program.buffers, *program.code)):
        raise AxirError("the program has addresses already", op=program, notes=("run batch-over-cores before them",))
    if any(task.unit.data == SYSTEM_DMA for task in program.cores[0].tasks):
        raise AxirError(
            "a batch has no copies of the system DMA", op=program, notes=("set use_sysdma to false",)
        )  # fmt: skip


def multicasts(memory: Memory, cores: int, target: Target) -> bool:
    """Whether constants in a memory are copied to all cores at once: where it cannot feed all of them at full rate."""
    rate = {"l1": 0.0, "l2": float(target.l2.bandwidth), "ddr": target.ddr_bytes_per_cycle}[memory]
    return bool(target.dma.multicast) and 0 < rate < cores * target.dma.bandwidth


def _copies_constant(task: aipu.TaskOp) -> bool:
    return isinstance(task.fields, Dma) and cast(aipu.BufferOp, task.buffers[0].owner).data is not None


def written(task: aipu.TaskOp) -> list[SSAValue]:
    """The buffers that a task writes."""
    return [value for row, _, value in task.placed if row.name in WRITTEN]


class _Batch:
    def __init__(self, program: aipu.ProgramOp, cores: int, target: Target):
        self.program, self.cores, self.target = program, cores, target
        self.buffers: list[dict[SSAValue, aipu.BufferOp]] = [{} for _ in range(cores)]
        self.own = {
            buffer for task in program.cores[0].tasks if not _copies_constant(task) for buffer in written(task)
        }  # what each core writes itself, at a time of its own

    def build(self) -> aipu.ProgramOp:
        """The program for all cores."""
        program = self.program
        made: list[Operation] = []
        for buffer in program.buffers:
            shared = buffer.data is not None or buffer.memory == "l1"
            for core in range(self.cores):
                if shared and core:
                    self.buffers[core][buffer.result] = self.buffers[0][buffer.result]
                    continue
                label = buffer.label.data if shared else f"{buffer.label.data}.{core}"
                copy = aipu.BufferOp(label, buffer.memory, buffer.bytes, None, buffer.data)
                copy.result.name_hint = buffer.result.name_hint
                self.buffers[core][buffer.result] = copy
                made.append(copy)
        for ports in (program.inputs, program.outputs):
            for core in range(self.cores):
                made += [self._port(port, core) for port in ports]
        tasks = [list(self._tasks(core)) for core in range(self.cores)]
        for core, own in enumerate(tasks):
            used = {task.unit.data for task in own}
            for code in program.code:
                if code.unit.data in used:
                    made.append(aipu.CodeOp(core, code.unit.data, code.memory, None, code.preload is not None))
        made += [aipu.CoreOp(core, own) for core, own in enumerate(tasks)]
        layers = list(program.layers.data)
        batch = aipu.ProgramOp(program.sym_name.data, program.target.data, layers, made, mode="batch")
        batch.attributes = dict(program.attributes)
        bound = program.attributes.get("bound")
        if isinstance(bound, DictionaryAttr):
            batch.attributes["bound"] = self._bound(bound)
        return batch

    def _port(self, port: aipu.PortOp, core: int) -> Operation:
        buffer = self.buffers[core][port.buffer].result
        kind = type(port)
        made = kind(port.label.data, buffer, port.offset.value.data, port.layout, port.tensor, frame=core)
        made.location = port.location
        return made

    def _tasks(self, core: int) -> Sequence[aipu.TaskOp]:
        made: list[aipu.TaskOp] = []
        for task in self.program.cores[0].tasks:
            fields = task.fields
            if isinstance(fields, Dma) and self._fed_together(task, fields):
                if core:
                    continue
                fields = replace(fields, cores=(1 << self.cores) - 1)
            buffers = [self.buffers[core][value].result for value in task.buffers]
            copy = aipu.TaskOp.make(fields, buffers, task.unit.data, task.layer.value.data)
            copy.location = task.location
            made.append(copy)
        return made

    def _fed_together(self, task: aipu.TaskOp, dma: Dma) -> bool:
        """Not zeros around which a core puts its activations: the copy for all could come after those of one."""
        if not _copies_constant(task) or dma.dst.memory != "l1" or not self.own.isdisjoint(written(task)):
            return False
        return multicasts(cast(aipu.BufferOp, task.buffers[0].owner).memory, self.cores, self.target)

    def _bound(self, bound: DictionaryAttr) -> DictionaryAttr:
        """Bounds of a run, from those of a frame: cores have units of their own and share the rest.

        Multicast reads constants once; so does, at best, whoever has no need to multicast.
        """
        values: Mapping[str, int] = {key: cast(IntegerAttr, value).value.data for key, value in bound.data.items()}
        times = {"link": self.cores, "l2": self.cores if not multicasts("l2", self.cores, self.target) else 1}
        times["ddr"] = 1 if multicasts("ddr", self.cores, self.target) else self.cores
        return DictionaryAttr({key: IntegerAttr(value * times.get(key, 1), i64) for key, value in values.items()})
