"""`resolve-addresses`: gives a planned and scheduled program exactly the form that its image has.

Buffers without data become one a memory, so that every address is absolute; each task waits for one task of each other
unit; tasks stand in a canonical order, and their locations are the names of their layers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.passes import ModulePass

from axir.backends.aipu.assemble import assemble, programs_of
from axir.backends.aipu.disassemble import program_from
from axir.ir.context import AxContext
from axir.ir.diagnostics import AxirError
from axir.target.description import Target, load


@dataclass(frozen=True)
class ResolveAddressesPass(ModulePass):
    """Needs the addresses of `plan-memory` and the tokens of `schedule`."""

    name = "resolve-addresses"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        context = AxContext.of(ctx)
        target = cast(Target, context.target or load())
        programs = programs_of(op)
        if not programs:
            raise AxirError("the module holds no aipu.program", op=op, notes=("lower it to aipu first",))
        for program in programs:
            resolved = program_from(assemble(program, context.store, target), context.store)
            op.body.block.insert_op_before(resolved, program)
            program.detach()
            program.erase()
