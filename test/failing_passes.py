"""Passes that leave invalid IR, for tests of the driver."""

from __future__ import annotations

from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import FuncOp
from xdsl.dialects.test import TestOp
from xdsl.ir import Block, Region
from xdsl.passes import ModulePass


@dataclass(frozen=True)
class Breaks(ModulePass):
    name = "breaks"
    times: int = 1

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for index in range(self.times):
            op.body.block.add_op(FuncOp(f"broken{index}", ((), ()), Region(Block([TestOp()]))))
