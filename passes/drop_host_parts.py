"""`drop-host-parts`: leaves the device's part of a network alone."""

from __future__ import annotations

from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.passes import ModulePass
from xdsl.rewriter import Rewriter

from axir.passes.graph_parts import MAIN, parts_of


@dataclass(frozen=True)
class DropHostParts(ModulePass):
    """Erases @preamble and @postamble: the network then takes and gives what @main does.

    With `graph_cleaner_split_pre_post_processing` the host parts stay, and it does nothing.
    """

    name = "drop-host-parts"
    graph_cleaner_split_pre_post_processing: bool = True

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        parts = parts_of(op)
        if self.graph_cleaner_split_pre_post_processing or MAIN not in parts:
            return
        for name, graph in parts.items():
            if name != MAIN:
                Rewriter.erase_op(graph)
