"""A program and its cores."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import cast

from xdsl.dialects.builtin import ArrayAttr, IntegerAttr, StringAttr, UnitAttr, i64
from xdsl.ir import Block, Operation, Region
from xdsl.irdl import IRDLOperation, irdl_op_definition, opt_prop_def, prop_def, region_def, traits_def
from xdsl.traits import HasParent, IsolatedFromAbove, NoTerminator, SymbolOpInterface
from xdsl.utils.exceptions import VerifyException

from axir.dialects.aipu.attributes import CountAttr, LayerAttr
from axir.dialects.aipu.memory import BufferOp, CodeOp, InputOp, OutputOp
from axir.dialects.aipu.tasks import TaskOp
from axir.target import isa


@irdl_op_definition
class ProgramOp(IRDLOperation):
    """One program for `cores` cores of a target: buffers, inputs and outputs, then one `aipu.core` a core.

    With `control_dispatch` the units have no tokens to wait for: the control core of each core hands out its tasks in
    program order, and none before all that it waits for is complete.
    """

    name = "aipu.program"
    sym_name = prop_def(StringAttr)
    target = prop_def(StringAttr)
    layers = prop_def(ArrayAttr[LayerAttr])
    control_dispatch = opt_prop_def(UnitAttr)
    body = region_def("single_block")
    traits = traits_def(SymbolOpInterface(), IsolatedFromAbove(), NoTerminator())
    assembly_format = (
        "$sym_name `target` $target `layers` $layers (`control_dispatch` $control_dispatch^)? "
        "attr-dict-with-keyword $body"
    )

    def __init__(
        self,
        name: str,
        target: str,
        layers: Sequence[LayerAttr],
        ops: Sequence[Operation],
        control_dispatch: bool = False,
    ):
        super().__init__(
            properties={
                "sym_name": StringAttr(name),
                "target": StringAttr(target),
                "layers": ArrayAttr(layers),
                "control_dispatch": UnitAttr() if control_dispatch else None,
            },
            regions=[Region(Block(ops))],
        )

    @property
    def cores(self) -> list[CoreOp]:
        return [op for op in self.body.block.ops if isinstance(op, CoreOp)]

    @property
    def buffers(self) -> list[BufferOp]:
        return [op for op in self.body.block.ops if isinstance(op, BufferOp)]

    @property
    def code(self) -> list[CodeOp]:
        return [op for op in self.body.block.ops if isinstance(op, CodeOp)]

    def code_bytes(self, code: CodeOp) -> int:
        """The bytes of the descriptors of one queue."""
        core = self.cores[code.core.value.data]
        return isa.DESCRIPTOR_BYTES * sum(task.unit.data == code.unit.data for task in core.tasks)

    @property
    def preloading_cores(self) -> int:
        """How many cores have descriptors that are copied to L2 before a frame."""
        return len({code.core.value.data for code in self.code if code.preload is not None})

    @property
    def inputs(self) -> list[InputOp]:
        return [op for op in self.body.block.ops if isinstance(op, InputOp)]

    @property
    def outputs(self) -> list[OutputOp]:
        return [op for op in self.body.block.ops if isinstance(op, OutputOp)]

    def verify_(self) -> None:
        for op in self.body.block.ops:
            if not isinstance(op, BufferOp | InputOp | OutputOp | CodeOp | CoreOp):
                raise VerifyException(f"a program holds buffers, inputs, outputs, code and cores, not '{op.name}'")
        numbers = [core.number.value.data for core in self.cores]
        if numbers != list(range(len(numbers))):
            raise VerifyException(f"cores must be numbered from 0, they are {numbers}")
        queues = [(code.core.value.data, code.unit.data) for code in self.code]
        for core, unit in queues:
            if core not in numbers:
                raise VerifyException(f"code of core {core}, which the program does not have")
            if queues.count((core, unit)) > 1:
                raise VerifyException(f"the code of core {core} {unit} has two places")
        for core in self.cores:
            for task in core.body.block.ops:
                if isinstance(task, TaskOp):
                    self._verify_remote(core, task.remote_waits)

    def _verify_remote(self, core: CoreOp, waits: Sequence[CountAttr]) -> None:
        for wait in waits:
            if wait.core == core.number.value.data:
                raise VerifyException(f"a task waits for '{wait}' of its own core; name the task instead")
            if wait.core >= len(self.cores):
                raise VerifyException(f"a task waits for '{wait}', a core that the program does not have")
            tasks = sum(task.unit.data == wait.unit for task in self.cores[wait.core].tasks)
            if not 1 <= wait.completed <= tasks:
                raise VerifyException(f"a task waits for '{wait}', that queue has {tasks} tasks")


@irdl_op_definition
class CoreOp(IRDLOperation):
    """The tasks of one core, in program order."""

    name = "aipu.core"
    number = prop_def(IntegerAttr.constr(i64))
    body = region_def("single_block")
    traits = traits_def(HasParent(ProgramOp), NoTerminator())
    assembly_format = "$number attr-dict-with-keyword $body"

    def __init__(self, number: int, tasks: Sequence[Operation] = ()):
        super().__init__(properties={"number": IntegerAttr(number, i64)}, regions=[Region(Block(tasks))])

    @property
    def tasks(self) -> Iterator[TaskOp]:
        return (cast(TaskOp, op) for op in self.body.block.ops)

    def verify_(self) -> None:
        for op in self.body.block.ops:
            if not isinstance(op, TaskOp):
                raise VerifyException(f"a core holds tasks, not '{op.name}'")
            if op.layer.value.data >= len(cast(ProgramOp, self.parent_op()).layers):
                raise VerifyException(f"a task names layer {op.layer.value.data}, which the program does not list")
