"""Settled jobs as an `aipu.program`: buffers, ports, code, and a region a core."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from xdsl.ir import SSAValue

from axir.dialects import aipu
from axir.ir.constants import constant_attr
from axir.ir.location import name_loc
from axir.ir.store import WeightStore
from axir.passes.lowering.emission import Emitted
from axir.passes.lowering.jobs import Buffer, Job
from axir.passes.lowering.network import Network
from axir.passes.lowering.settle import lifetimes
from axir.passes.lowering.tensors import Tensor, port_name
from axir.target.isa import DESCRIPTOR_BYTES, UNITS, Memory, Mode


@dataclass(frozen=True)
class CoreProgram:
    """The jobs of one core, in program order; `numbers` are those of its layers in the program."""

    emitted: Emitted
    jobs: Sequence[Job]
    numbers: Sequence[int]


@dataclass(frozen=True)
class CodeHome:
    """Where the descriptors of a queue live, and whether they are copied to L2 before each frame."""

    memory: Callable[[str], Memory]
    preloads: Callable[[str], bool]

    def buffers(self, jobs: Sequence[Job]) -> dict[str, Buffer]:
        """The bytes of the descriptors, by queue."""
        counts = Counter(task.unit for task in jobs)
        return {
            unit: Buffer(f"code.{unit}", self.memory(unit), counts[unit] * DESCRIPTOR_BYTES)
            for unit in UNITS if counts[unit]
        }  # fmt: skip


def build_program(
    name: str, mode: Mode, target: str, network: Network, layers: Sequence[aipu.LayerAttr],
    cores: Sequence[CoreProgram], code: CodeHome, store: WeightStore,
) -> aipu.ProgramOp:  # fmt: skip
    """One program of all cores.

    Buffers of several cores that have one shared name, or are constants with equal bytes in one memory, are one.
    """
    made: dict[Buffer, aipu.BufferOp] = {}
    named: dict[str, aipu.BufferOp] = {}
    constants: dict[tuple[Memory, object], aipu.BufferOp] = {}
    buffers: list[aipu.BufferOp] = []
    for core in cores:
        for buffer in lifetimes(core.jobs, list(core.emitted.ports.values())):
            data = None if buffer.parts is None else constant_attr(buffer.data, store)
            known = named.get(buffer.shared) if buffer.shared is not None else constants.get((buffer.memory, data))
            if known is None or (data is None and buffer.shared is None):
                known = aipu.BufferOp(buffer.label, buffer.memory, buffer.size, None, data)
                buffers.append(known)
            made[buffer] = known
            if buffer.shared is not None:
                named[buffer.shared] = known
            elif data is not None and len(cores) > 1:
                constants[buffer.memory, data] = known
    ports: list[aipu.InputOp | aipu.OutputOp] = []
    places = {key: made[buffer] for key, buffer in cores[0].emitted.ports.items()}
    for kind, entries in ((aipu.InputOp, network.inputs), (aipu.OutputOp, network.outputs)):
        for label, tensor, host_type in entries:
            place = places[id(tensor.storage)] if len(cores) == 1 else named[port_name(tensor.storage)]
            ports.append(kind(label, place.result, tensor.offset, layout_of(tensor), host_type))
    codes = [
        aipu.CodeOp(number, unit, code.memory(unit), None, code.preloads(unit))
        for number, core in enumerate(cores)
        for unit in code.buffers(core.jobs)
    ]
    regions = [_core(number, core, made, layers) for number, core in enumerate(cores)]
    return aipu.ProgramOp(name, target, layers, [*buffers, *ports, *codes, *regions], mode=mode)


def _core(
    number: int, core: CoreProgram, made: dict[Buffer, aipu.BufferOp], layers: Sequence[aipu.LayerAttr]
) -> aipu.CoreOp:
    region = aipu.CoreOp(number)
    for task in core.jobs:
        operands: list[SSAValue] = [made[buffer].result for buffer in task.buffers]
        layer = core.numbers[task.layer]
        op = aipu.TaskOp.make(task.instruction, operands, task.unit, layer)
        op.location = name_loc(layers[layer].layer.data)
        region.body.block.add_op(op)
    return region


def layout_of(tensor: Tensor) -> aipu.LayoutAttr:
    """How a port's bytes lie."""
    if tensor.order == "NCHW":
        return aipu.LayoutAttr.nchw()
    return aipu.LayoutAttr(tensor.row_pitch, tensor.pitch, tensor.runs)
