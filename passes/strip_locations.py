"""`strip-locations`: forgets where operations come from."""

from __future__ import annotations

from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp, UnknownLoc
from xdsl.passes import ModulePass


@dataclass(frozen=True)
class StripLocations(ModulePass):
    """Removes the location of every operation: the IR is smaller, layers and errors lose the names of ONNX nodes.

    Later passes then name a layer by its operator and its place in the graph, such as `conv_12`.
    """

    name = "strip-locations"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for inner in op.walk():
            inner.location = UnknownLoc()
