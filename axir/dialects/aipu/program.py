"""A program and its cores."""

from __future__ import annotations

from collections import Counter
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
from axir.target.isa import Mode


@irdl_op_definition
class ProgramOp(IRDLOperation):
    """One program for `cores` cores of a target: buffers, inputs and outputs, then one `aipu.core` a core.

    `mode` is how the cores share the work (`isa.MODES`). With `control_dispatch` the units have no tokens to wait for:
    the control core of each core hands out its tasks in program order, and none before all that it waits for is
    complete.
    """

    name = "aipu.program"
    sym_name = prop_def(StringAttr)
    target = prop_def(StringAttr)
    mode_name = prop_def(StringAttr, prop_name="mode", default_value=StringAttr("single"))
    layers = prop_def(ArrayAttr[LayerAttr])
    control_dispatch = opt_prop_def(UnitAttr)
    body = region_def("single_block")
    traits = traits_def(SymbolOpInterface(), IsolatedFromAbove(), NoTerminator())
    assembly_format = (
        "$sym_name `target` $target (`mode` $mode^)? `layers` $layers (`control_dispatch` $control_dispatch^)? "
        "attr-dict-with-keyword $body"
    )

    def __init__(
        self,
        name: str,
        target: str,
        layers: Sequence[LayerAttr],
        ops: Sequence[Operation],
        control_dispatch: bool = False,
        mode: Mode = "single",
    ):
        super().__init__(
            properties={
                "sym_name": StringAttr(name),
                "target": StringAttr(target),
                "mode": StringAttr(mode),
                "layers": ArrayAttr(layers),
                "control_dispatch": UnitAttr() if control_dispatch else None,
            },
            regions=[Region(Block(ops))],
        )

    @property
    def mode(self) -> Mode:
        return cast(Mode, self.mode_name.data)

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

    @property
    def frames(self) -> int:
        """How many frames one run takes."""
        return max((port.frame.value.data for port in (*self.inputs, *self.outputs)), default=0) + 1

    def verify_(self) -> None:
        if self.mode not in isa.MODES:
            raise VerifyException(f"no mode '{self.mode}', there are {', '.join(isa.MODES)}")
        self._verify_frames()
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
        tasks = [Counter(op.unit.data for op in core.operations if isinstance(op, TaskOp)) for core in self.cores]
        for core in self.cores:
            for task in core.operations:
                if isinstance(task, TaskOp):
                    self._verify_remote(core, task.remote_waits, tasks)
                    if isinstance(task.fields, isa.Dma) and task.fields.cores and isa.check(task.fields) is None:
                        self._verify_multicast(core, task.fields)

    def _verify_frames(self) -> None:
        if any(port.frame.value.data < 0 for port in (*self.inputs, *self.outputs)):
            return  # the port says so itself
        if self.frames > 1 and self.mode != "batch":
            raise VerifyException(f"ports of {self.frames} frames in mode {self.mode}, only a batch takes several")
        for what, ports in (("inputs", self.inputs), ("outputs", self.outputs)):
            found = [(port.frame.value.data, port.label.data) for port in ports]
            first = [label for frame, label in found if frame == 0]
            if found != [(frame, label) for frame in range(self.frames) for label in first]:
                raise VerifyException(f"the {what} are not those of frame 0, then the same of every other frame")

    def _verify_multicast(self, core: CoreOp, dma: isa.Dma) -> None:
        cores = ", ".join(map(str, dma.fed_cores))
        if core.number.value.data not in dma.fed_cores:
            raise VerifyException(f"a copy of core {core.number.value.data} feeds cores {cores}, but not its own")
        if max(dma.fed_cores) >= len(self.cores):
            raise VerifyException(f"a copy feeds cores {cores}, the program has {len(self.cores)}")

    def _verify_remote(self, core: CoreOp, waits: Sequence[CountAttr], tasks: Sequence[Counter[str]]) -> None:
        for wait in waits:
            if wait.core == core.number.value.data:
                raise VerifyException(f"a task waits for '{wait}' of its own core; name the task instead")
            if wait.core >= len(self.cores):
                raise VerifyException(f"a task waits for '{wait}', a core that the program does not have")
            count = tasks[wait.core][wait.unit]
            if not 1 <= wait.completed <= count:
                raise VerifyException(f"a task waits for '{wait}', that queue has {count} tasks")


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
    def operations(self) -> Iterator[Operation]:
        """What the region holds, also where the verifier has not seen it: text may have no block."""
        return (op for block in self.body.blocks for op in block.ops)

    @property
    def tasks(self) -> Iterator[TaskOp]:
        return (cast(TaskOp, op) for op in self.operations)

    def verify_(self) -> None:
        for op in self.operations:
            if not isinstance(op, TaskOp):
                raise VerifyException(f"a core holds tasks, not '{op.name}'")
            if op.layer.value.data >= len(cast(ProgramOp, self.parent_op()).layers):
                raise VerifyException(f"a task names layer {op.layer.value.data}, which the program does not list")
