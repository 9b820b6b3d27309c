"""`split-host`: what the device cannot run goes to the host, before or after the device's part."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from math import prod

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import BlockArgument, Operation, SSAValue
from xdsl.passes import ModulePass
from xdsl.rewriter import Rewriter

from axir.dialects import ax, base
from axir.ir.diagnostics import AxirError, AxirErrorGroup
from axir.ir.location import node_name
from axir.passes.device_support import unsupported
from axir.passes.patterns.values import is_constant

HOST_SHARE = 0.05
"""Before or after the device's part, the host takes at most this share of the network's multiply-accumulates."""

Output = tuple[SSAValue, str]
Ops = dict[Operation, None]
"""An ordered set."""


@dataclass(frozen=True)
class SplitHost(ModulePass):
    """Cuts @main into @preamble and @postamble for the host, and @main for the device.

    Names connect them: an input of a graph is an input of the network, or an output of an earlier graph, of that name.
    A graph with nothing to do is left out. An operator that the device cannot run goes to the host with everything
    before it, or everything after it, which must be at most 5 % of the network's multiply-accumulates. So does small
    work of the device that only the host's part after it uses, and that shares nothing with the rest of the device's.
    Raises `AxirError` naming every operator that has more on both sides. A module that is split stays as it is.
    """

    name = "split-host"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        match [graph for graph in op.ops if isinstance(graph, ax.GraphOp)]:
            case [graph] if graph.sym_name.data == "main":
                Rewriter.replace_op(graph, split(graph), [])
            case _:
                pass


def split(graph: ax.GraphOp) -> list[ax.GraphOp]:
    """The parts of `graph`, in the order of execution. Raises `AxirError`."""
    before, device, after = partition([op for op in graph.body.block.ops if not _is_structure(op)])
    names = _Names(graph)
    returned = list(zip(graph.terminator.operands, (name.data for name in graph.outputs), strict=True))
    computed = _results(device)
    parts: list[ax.GraphOp] = []
    if after or any(value not in computed for value, _ in returned):
        tail = [*_operands(after), *(value for value, _ in returned)]
        main_outputs = [(value, names.of(value)) for value in dict.fromkeys(tail) if value in computed]
        parts.append(_extract("postamble", after, returned, names))
    else:
        tail, main_outputs = [], returned
    main = _extract("main", device, main_outputs, names)
    main.attributes |= graph.attributes
    parts.append(main)
    if before:
        early = _results(before)
        needed = dict.fromkeys(value for value in [*_operands(device), *tail] if value in early)
        parts.append(_extract("preamble", before, [(value, names.of(value)) for value in needed], names))
    return parts[::-1]


def _is_structure(op: Operation) -> bool:
    return isinstance(op, ax.ConstantOp | ax.ReturnOp)


def _operands(ops: Iterable[Operation]) -> list[SSAValue]:
    return [value for op in ops for value in op.operands]


def _results(ops: Iterable[Operation]) -> dict[SSAValue, None]:
    return dict.fromkeys(value for op in ops for value in op.results)


# --- which operator goes where ---------------------------------------------------------------------------------------


def partition(ops: Sequence[Operation]) -> tuple[Ops, Ops, Ops]:
    """What runs on the host before the device, on the device, and on the host after it. Raises `AxirError`."""
    reasons = {op: reason for op in ops if (reason := unsupported(op)) is not None}
    limit = HOST_SHARE * _total(ops)
    before, after = _host_parts(ops, reasons, limit)
    for part in _connected([op for op in ops if op not in before and op not in after]):
        feeds_host = all(user in after or user in part for value in _results(part) for user in _users(value))
        if feeds_host and 0 < limit >= _total(after | part):
            after |= part
    device = {op: None for op in ops if op not in before and op not in after}
    if not device:
        raise _nothing_left(reasons)
    # Early work that only the postamble needs is the postamble's.
    wanted: Ops = {}
    for op in reversed(ops):
        if op in device or any(user in wanted for value in op.results for user in _users(value)):
            wanted[op] = None
    early = {op: None for op in ops if op in before and op in wanted}
    return early, device, {op: None for op in ops if op not in early and op not in device}


def _host_parts(ops: Sequence[Operation], reasons: dict[Operation, str], limit: float) -> tuple[Ops, Ops]:
    """Every operator that the device cannot run, with what must go before or after it. Raises `AxirError`."""
    before: Ops = {}
    after: Ops = {}
    blocked: Ops = {}
    errors: list[AxirError] = []
    for op in ops:
        if op not in reasons or op in after or op in blocked:
            continue
        lead, rest = _ancestors(op, ops), _dependents(op, ops)
        fits_before = _total(before | lead) <= limit
        if fits_before and all(other in before for other in lead if other is not op):
            before[op] = None
        elif _total(after | rest) <= limit:
            after |= rest
        elif fits_before:
            before |= lead
        else:
            errors.append(_in_the_middle(op, reasons[op], lead, rest, ops))
            blocked |= rest
    if errors:
        raise errors[0] if len(errors) == 1 else AxirErrorGroup(errors)
    return before, after


def _connected(ops: Sequence[Operation]) -> list[Ops]:
    """Groups of operators that values flow between."""
    groups: list[Ops] = []
    for op in ops:
        producers = [value.owner for value in op.operands]
        met = [group for group in groups if any(producer in group for producer in producers)]
        groups = [group for group in groups if group not in met]
        groups.append({member: None for group in met for member in group} | {op: None})
    return groups


def _users(value: SSAValue) -> list[Operation]:
    return [use.operation for use in value.uses]


def _dependents(op: Operation, ops: Sequence[Operation]) -> Ops:
    """`op` and everything that depends on it."""
    found: Ops = {}
    for other in ops:
        if other is op or any(value.owner in found for value in other.operands):
            found[other] = None
    return found


def _ancestors(op: Operation, ops: Sequence[Operation]) -> Ops:
    """`op` and everything it depends on."""
    found: Ops = {}
    for other in reversed(ops):
        if other is op or any(user in found for value in other.results for user in _users(value)):
            found[other] = None
    return found


def macs(op: Operation) -> int:
    """Multiply-accumulates of a convolution or matrix product; 0 for anything else."""
    match op:
        case ax.ConvOp():
            return prod(base.shape_of(op.result)) * prod(base.shape_of(op.weight)[1:])
        case ax.ConvTransposeOp():
            return prod(base.shape_of(op.input)) * prod(base.shape_of(op.weight)[1:])
        case ax.GemmOp():
            return prod(base.shape_of(op.a)) * base.shape_of(op.result)[1]
        case ax.MatMulOp():
            return prod(base.shape_of(op.result)) * base.shape_of(op.a)[-1]
        case _:
            return 0


def _total(ops: Iterable[Operation]) -> int:
    return sum(map(macs, ops))


def _in_the_middle(op: Operation, reason: str, lead: Ops, rest: Ops, ops: Sequence[Operation]) -> AxirError:
    total = _total(ops)
    shares = [_total(part) / total for part in (lead, rest)]
    return AxirError(
        f"the device cannot run {_operator(op)} in the middle of the network: {reason}",
        op=op,
        notes=(
            f"{shares[0]:.0%} of the multiply-accumulates come before it and {shares[1]:.0%} after it; the host takes "
            f"over only where one side has at most {HOST_SHARE:.0%}",
            "replace the operator in the model, or cut the model in two there",
        ),
    )


def _nothing_left(reasons: dict[Operation, str]) -> AxirError:
    notes = [f"{_operator(op)} [{node_name(op)}]: {reason}" for op, reason in list(reasons.items())[:5]]
    return AxirError("the device can run no operator of this network", notes=notes or ("it has no operators",))


def _operator(op: Operation) -> str:
    return op.kind.data if isinstance(op, ax.OnnxOp) else op.name


# --- building the parts ----------------------------------------------------------------------------------------------


@dataclass
class _Names:
    """Names for the values that pass between graphs: after the node that computes them, each once."""

    graph: ax.GraphOp
    used: dict[str, None] = field(init=False)
    given: dict[SSAValue, str] = field(init=False)

    def __post_init__(self) -> None:
        inputs = [name.data for name in self.graph.inputs]
        self.used = dict.fromkeys([*inputs, *(name.data for name in self.graph.outputs)])
        self.given = dict(zip(self.graph.body.block.args, inputs, strict=True))

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
    computed = _results(ops)
    taken = dict.fromkeys(
        value
        for value in [*_operands(ops), *(value for value, _ in outputs)]
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
