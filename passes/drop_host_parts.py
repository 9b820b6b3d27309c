"""`drop-host-parts`: leaves the device's part of a network alone."""

from __future__ import annotations

from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects.builtin import ArrayAttr, ModuleOp, StringAttr
from xdsl.passes import ModulePass
from xdsl.rewriter import Rewriter

from axir.passes.graph_parts import MAIN, OUTPUTS, POSTAMBLE, PREAMBLE, Parts, parts_of


@dataclass(frozen=True)
class DropHostParts(ModulePass):
    """Erases @preamble and @postamble: the network then takes and gives what the device's segments do.

    Islands between segments stay. Where @postamble used results of several parts, the module's attribute `ax.outputs`
    names the network's outputs. With `graph_cleaner_split_pre_post_processing` it does nothing.
    """

    name = "drop-host-parts"
    graph_cleaner_split_pre_post_processing: bool = True

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        parts = parts_of(op)
        if self.graph_cleaner_split_pre_post_processing or MAIN not in parts:
            return
        outputs = _outputs(parts)
        for name in (PREAMBLE, POSTAMBLE):
            if name in parts:
                Rewriter.erase_op(parts[name])
        if outputs is not None:
            op.attributes[OUTPUTS] = ArrayAttr(map(StringAttr, outputs))


def _outputs(parts: Parts) -> list[str] | None:
    """What @postamble takes from other parts but @preamble; None where that is what the last of them gives."""
    if POSTAMBLE not in parts:
        return None
    kept = [graph for name, graph in parts.items() if name not in (PREAMBLE, POSTAMBLE)]
    given = [name.data for graph in kept for name in graph.outputs]
    taken = [name.data for name in parts[POSTAMBLE].inputs if name.data in given]
    last = [name.data for name in kept[-1].outputs]
    return None if all(name in last for name in taken) else taken
