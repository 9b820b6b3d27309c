"""`aipu`, the device: buffers in its memories, tasks for its units, and tokens that order them.

A program holds buffers and one region of tasks a core. A task is one instruction (axir/target/isa.py) whose addresses
are offsets into buffers; its result is a token that stands for its completion, its `after` operands are the tokens it
waits for. Tasks of one unit run in the order in which they stand.

Lowering writes buffers without an address; `plan-memory` gives each one (`at`), `schedule` adds the tokens. What is
then left is one to one with the image: docs/isa.md describes every field.
"""

from __future__ import annotations

from xdsl.ir import Dialect

from axir.dialects.aipu.attributes import (
    EXCHANGE,
    BufferType,
    CountAttr,
    InstructionAttr,
    LayerAttr,
    LayoutAttr,
    TokenType,
)
from axir.dialects.aipu.memory import BufferOp, CodeOp, InputOp, OutputOp, PortOp
from axir.dialects.aipu.program import CoreOp, ProgramOp
from axir.dialects.aipu.tasks import (
    TASKS,
    DepthwiseOp,
    DmaOp,
    LoadOp,
    LoadPixelsOp,
    MvmOp,
    NormalizeOp,
    SoftmaxOp,
    SyncOp,
    TaskOp,
    VecOp,
)

Aipu = Dialect(
    "aipu",
    [ProgramOp, CoreOp, BufferOp, CodeOp, InputOp, OutputOp, *TASKS.values()],
    [BufferType, TokenType, LayerAttr, LayoutAttr, InstructionAttr, CountAttr],
)

__all__ = [
    "EXCHANGE",
    "TASKS",
    "Aipu",
    "BufferOp",
    "BufferType",
    "CodeOp",
    "CoreOp",
    "CountAttr",
    "DepthwiseOp",
    "DmaOp",
    "InputOp",
    "InstructionAttr",
    "LayerAttr",
    "LayoutAttr",
    "LoadOp",
    "LoadPixelsOp",
    "MvmOp",
    "NormalizeOp",
    "OutputOp",
    "PortOp",
    "ProgramOp",
    "SoftmaxOp",
    "SyncOp",
    "TaskOp",
    "TokenType",
    "VecOp",
]
