"""Runs a float network once, operator by operator, and from any place in it the rest, with a tensor replaced there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any, cast

from numpy.typing import NDArray
from xdsl.dialects.builtin import ArrayAttr, ModuleOp, StringAttr, f32
from xdsl.ir import Operation, SSAValue

from axir.compiler.dataset import Sample
from axir.dialects import ax, base
from axir.ir.store import WeightStore
from axir.passes.graph_flow import operators
from axir.passes.graph_parts import MAIN, OUTPUTS, POSTAMBLE, extract, join, names_in, parts_of
from axir.passes.quantization.float_graph import FloatGraph
from axir.passes.quantization.graph import device_parts

Array = NDArray[Any]
Values = dict[SSAValue, Array]
Outputs = list[Array]


class Piece:
    """Some operators of a graph, made ready to run; `wanted` are the values that they give."""

    def __init__(self, graph: ax.GraphOp, store: WeightStore, ops: Sequence[Operation], wanted: Sequence[SSAValue]):
        self._wanted = wanted
        computed = {value: None for op in ops for value in op.results}
        self._computed = [value for value in dict.fromkeys(wanted) if value in computed]
        self._inputs: Mapping[str, SSAValue] = {}
        if self._computed:
            piece, self._inputs = extract(graph, MAIN, ops, self._computed)
            self._runner = FloatGraph(piece, store, list(piece.terminator.operands))

    def run(self, values: Values) -> Outputs:
        """The wanted values, those of them that are known already among `values`. Raises `AxirError`."""
        found: Values = {}
        if self._computed:
            results = self._runner.run({name: values[value] for name, value in self._inputs.items()})
            found = dict(zip(self._computed, results, strict=True))
        return [found[value] if value in found else values[value] for value in self._wanted]


class FloatNetwork:
    """The float graphs of the device and the islands between them as one graph.

    `outputs` names what they give to the postamble and as outputs of the network, as far as that is float32.
    `values` maps every value of the module's graphs to the one that stands for it here.
    """

    def __init__(self, module: ModuleOp, store: WeightStore):
        parts = device_parts(module)
        computed = dict.fromkeys(name.data for part in parts for name in part.outputs)
        given = [name for name in dict.fromkeys(_asked_for(module, parts)) if name in computed]
        self.store = store
        self.graph = join(MAIN, parts, given)
        self.ops = operators(self.graph)
        returned = zip(given, self.graph.terminator.operands, strict=True)
        kept = {name: value for name, value in returned if base.tensor_of(value).element_type == f32}
        self.outputs, self.returned = list(kept), list(kept.values())
        self.values = self._values(parts)

    def _values(self, parts: Sequence[ax.GraphOp]) -> dict[SSAValue, SSAValue]:
        arguments = zip(self.graph.inputs, self.graph.body.block.args, strict=True)
        named: dict[str, SSAValue] = {name.data: value for name, value in arguments}
        joined = iter(op for op in self.graph.body.block.ops if not isinstance(op, ax.ReturnOp))
        values: dict[SSAValue, SSAValue] = {}
        for part in parts:
            values |= {old: named[name.data] for name, old in zip(part.inputs, part.body.block.args, strict=True)}
            for op in part.body.block.ops:
                if not isinstance(op, ax.ReturnOp):
                    values |= dict(zip(op.results, next(joined).results, strict=True))
            returned = zip(part.outputs, part.terminator.operands, strict=True)
            named |= {name.data: values[old] for name, old in returned}
        return values

    def steps(self, samples: Sequence[Sample]) -> Iterator[Step]:
        """Every operator in order, after a step without one, at which the inputs are known; one step at a time.

        The samples advance together; of each, the tensors are kept that some operator still reads.
        """
        names = [name.data for name in self.graph.inputs]
        states: list[Values] = [
            dict(zip(self.graph.body.block.args, (sample[name] for name in names), strict=True)) for sample in samples
        ]
        last_use = {operand: op for op in self.ops for operand in op.operands}
        yield Step(self, None, self.ops, states)
        for index, op in enumerate(self.ops):
            piece = Piece(self.graph, self.store, [op], op.results)
            for state in states:
                state |= dict(zip(op.results, piece.run(state), strict=True))
            yield Step(self, op, self.ops[index + 1 :], states)
            for operand in dict.fromkeys(op.operands):
                if last_use[operand] is op and operand not in self.returned:
                    for state in states:
                        state.pop(operand, None)


class Step:
    """`op` has just been computed for all samples; `rest` is what follows it."""

    def __init__(self, network: FloatNetwork, op: Operation | None, rest: Sequence[Operation], states: list[Values]):
        self.op, self.states = op, states
        self._network, self._remaining = network, rest

    @cached_property
    def _rest(self) -> Piece:
        return Piece(self._network.graph, self._network.store, self._remaining, self._network.returned)

    def exact(self) -> list[Outputs]:
        """The network's outputs, for each sample."""
        return [self._rest.run(state) for state in self.states]

    def replaced(self, value: SSAValue, arrays: Iterable[Array]) -> Iterator[Outputs]:
        """The network's outputs for each sample, where `value` is one of these arrays."""
        for state, array in zip(self.states, arrays, strict=True):
            yield self._rest.run(state | {value: array})


def _asked_for(module: ModuleOp, parts: Sequence[ax.GraphOp]) -> list[str]:
    """What the postamble takes; without one, the outputs of the network."""
    postamble = parts_of(module).get(POSTAMBLE)
    if postamble is not None:
        return names_in([postamble])
    named = module.attributes.get(OUTPUTS)
    if isinstance(named, ArrayAttr):
        return [name.data for name in cast(ArrayAttr[StringAttr], named)]
    return [name.data for name in parts[-1].outputs]
