"""A network in parts: graphs that are connected by the names of their inputs and outputs.

An input of a graph is an input of the network, or an output of an earlier graph, of that name. The graphs of a module
stand in the order of execution, and the last one gives the network's outputs (but see `OUTPUTS`).

The name says who runs a graph: @main, @main1, @main2 and so on are segments of the device, any other is the host's:
@preamble before them, @island1, @island2 before the segments of these numbers, @postamble at the end.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import BlockArgument, Operation, SSAValue

from axir.dialects import ax, base
from axir.ir.location import node_name
from axir.passes.graph_flow import Ops, operands, results
from axir.passes.patterns.values import is_constant

PREAMBLE, MAIN, POSTAMBLE = "preamble", "main", "postamble"

HOST_SHARE = 0.05
"""Before or after the device's part, the host takes at most this share of the network's multiply-accumulates."""

OUTPUTS = "ax.outputs"
"""Attribute of the module: the network's outputs, where they are not those of the last graph."""

_SEGMENT = re.compile(rf"{MAIN}(|[1-9]\d*)")

Output = tuple[SSAValue, str]
Parts = dict[str, ax.GraphOp]
"""Graphs by their names."""


def parts_of(module: ModuleOp) -> Parts:
    """The float graphs of a module, in the order of execution."""
    return {op.sym_name.data: op for op in module.ops if isinstance(op, ax.GraphOp)}


def names_in(graphs: Iterable[ax.GraphOp]) -> list[str]:
    """All names of inputs and outputs."""
    return [name.data for graph in graphs for name in (*graph.inputs, *graph.outputs)]


def on_device(graph: ax.GraphOp) -> bool:
    """Whether a graph is a segment of the device."""
    return _SEGMENT.fullmatch(graph.sym_name.data) is not None


def device_graphs(module: ModuleOp) -> list[ax.GraphOp]:
    """The float graphs of the device, in the order of execution."""
    return [graph for graph in parts_of(module).values() if on_device(graph)]


def segment_name(index: int) -> str:
    return f"{MAIN}{index or ''}"


def island_name(index: int) -> str:
    """The name of the host's part before a segment that is not the first."""
    return f"island{index}"


def cut(graph: ax.GraphOp, pieces: Mapping[str, Ops], taken: Iterable[str] = ()) -> Parts:
    """Copies of sets of operators of `graph` as graphs of these names, in the order of execution.

    Parts that give nothing are left out, but for @main. A segment gives only what it computes, so that an input or a
    constant that the graph returns makes a @postamble, and so does an output of an earlier part. @main has the
    attributes of `graph`. `taken` are names that other graphs use.
    """
    names = _Names(graph, taken)
    returned = list(zip(graph.terminator.operands, (name.data for name in graph.outputs), strict=True))
    remaining = dict(pieces)
    last = list(remaining)[-1]
    if last != POSTAMBLE and any(value not in results(remaining[last]) for value, _ in returned):
        remaining[POSTAMBLE] = {}
    last, ops = remaining.popitem()
    wanted: list[tuple[str, Ops, list[Output]]] = [(last, ops, returned)]
    needed = [*operands(ops), *(value for value, _ in returned)]
    for symbol, ops in reversed(remaining.items()):
        computed = results(ops)
        outputs = [(value, names.of(value)) for value in dict.fromkeys(needed) if value in computed]
        if outputs or symbol == MAIN:
            wanted.append((symbol, ops, outputs))
            needed = [*operands(ops), *needed]
    parts = {symbol: _extract(symbol, ops, outputs, names) for symbol, ops, outputs in reversed(wanted)}
    parts[MAIN].attributes |= graph.attributes
    return parts


def join(symbol: str, graphs: Sequence[ax.GraphOp], outputs: Sequence[str] | None = None) -> ax.GraphOp:
    """One graph that does what `graphs` do one after the other; `outputs` are those of the last one by default."""
    wanted = [name.data for name in graphs[-1].outputs] if outputs is None else outputs
    inputs: dict[str, SSAValue] = {}
    computed: dict[str, None] = {}
    for graph in graphs:
        arguments = zip((name.data for name in graph.inputs), graph.body.block.args, strict=True)
        inputs |= {name: value for name, value in arguments if name not in computed and name not in inputs}
        computed |= dict.fromkeys(name.data for name in graph.outputs)
    joined = ax.GraphOp(symbol, [(name, base.tensor_of(value)) for name, value in inputs.items()], wanted)
    joined.location = graphs[0].location
    block = joined.body.block
    values: dict[str, SSAValue] = dict(zip(inputs, block.args, strict=True))
    for old, argument in zip(inputs.values(), block.args, strict=True):
        argument.name_hint = old.name_hint
    for graph in graphs:
        copies: dict[SSAValue, SSAValue] = {
            argument: values[name.data] for name, argument in zip(graph.inputs, graph.body.block.args, strict=True)
        }
        for op in graph.body.block.ops:
            if not isinstance(op, ax.ReturnOp):
                block.add_op(op.clone(copies))
        returned = zip(graph.outputs, graph.terminator.operands, strict=True)
        values |= {name.data: copies[value] for name, value in returned}
    block.add_op(ax.ReturnOp([values[name] for name in wanted]))
    return joined


def extract(
    graph: ax.GraphOp, symbol: str, ops: Iterable[Operation], outputs: Sequence[SSAValue]
) -> tuple[ax.GraphOp, dict[str, SSAValue]]:
    """Copies of `ops` as a graph that gives `outputs`, and the values of `graph` that are its inputs, by name.

    Constants are copied. Each output is computed by one of `ops`.
    """
    names = _Names(graph, ())
    piece = _extract(symbol, ops, [(value, names.of(value)) for value in outputs], names)
    values = {name: value for value, name in names.given.items()}
    return piece, {name.data: values[name.data] for name in piece.inputs}


@dataclass
class _Names:
    """Names for the values that pass between graphs: after the node that computes them, each once."""

    graph: ax.GraphOp
    taken: Iterable[str]
    used: dict[str, None] = field(init=False)
    given: dict[SSAValue, str] = field(init=False)

    def __post_init__(self) -> None:
        self.used = dict.fromkeys([*names_in([self.graph]), *self.taken])
        self.given = dict(zip(self.graph.body.block.args, (name.data for name in self.graph.inputs), strict=True))

    def of(self, value: SSAValue) -> str:
        if value not in self.given:
            assert isinstance(value.owner, Operation)
            base = name = node_name(value.owner) or value.name_hint or value.owner.name
            count = 0
            while name in self.used:
                count += 1
                name = f"{base}_{count}"
            self.used[name] = None
            self.given[value] = name
        return self.given[value]


def _extract(symbol: str, ops: Iterable[Operation], outputs: Sequence[Output], names: _Names) -> ax.GraphOp:
    """A graph of copies of `ops` and of the constants they use; its inputs are what they take from elsewhere."""
    computed = results(ops)
    taken = dict.fromkeys(
        value
        for value in [*operands(ops), *(value for value, _ in outputs)]
        if value not in computed and not is_constant(value)
    )
    # The network's inputs come first and keep their order.
    inputs = sorted(taken, key=lambda value: (0, value.index) if isinstance(value, BlockArgument) else (1, 0))
    named_inputs = [(names.of(value), base.tensor_of(value)) for value in inputs]
    graph = ax.GraphOp(symbol, named_inputs, [name for _, name in outputs])
    graph.location = names.graph.location
    block = graph.body.block
    copies: dict[SSAValue, SSAValue] = dict(zip(inputs, block.args, strict=True))
    for value, argument in zip(inputs, block.args, strict=True):
        argument.name_hint = value.name_hint

    def copy(op: Operation) -> None:
        for value in op.operands:
            use(value)
        block.add_op(op.clone(copies))

    def use(value: SSAValue) -> SSAValue:
        if value not in copies and isinstance(value.owner, ax.ConstantOp):
            copy(value.owner)
        return copies[value]

    for op in ops:
        copy(op)
    block.add_op(ax.ReturnOp([use(value) for value, _ in outputs]))
    return graph
