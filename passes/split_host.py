"""`split-host`: what the device cannot run goes to the host, before, after or between segments of the device."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Operation
from xdsl.passes import ModulePass
from xdsl.rewriter import Rewriter

from axir.dialects import ax
from axir.ir.context import AxContext
from axir.ir.diagnostics import AxirError
from axir.ir.location import node_name
from axir.passes.device_support import unsupported
from axir.passes.graph_flow import (
    Ops,
    ancestors,
    connected,
    dependents,
    operator_name,
    operators,
    results,
    total_macs,
    users,
)
from axir.passes.graph_parts import (
    HOST_SHARE,
    MAIN,
    POSTAMBLE,
    PREAMBLE,
    Parts,
    cut,
    island_name,
    join,
    names_in,
    on_device,
    parts_of,
    segment_name,
)
from axir.passes.partition import stages
from axir.target.description import Target, load


@dataclass(frozen=True)
class SplitHost(ModulePass):
    """Cuts @main into segments for the device and parts for the host (passes/graph_parts.py).

    An operator that the device cannot run goes to the host with everything before it, as @preamble, or everything
    after it, as @postamble, where that is at most 5 % of @main's multiply-accumulates. So does small work of the device
    that only the host's part after it uses, and that shares nothing with the rest of the device's. What has more on
    both sides becomes a host island between two segments, if these pay for their transfers (passes/partition.py).
    Without `host_islands` it stays in @main, where `validate-operators` finds it. Host parts that the module has
    already get what is added; a module with islands stays as it is. A concatenation at the end is the host's as well:
    int8 parts of one tensor would share a scale.

    Raises `AxirError` where nothing is left for the device. Without `run_graph_cleaner` it does nothing.
    """

    name = "split-host"
    run_graph_cleaner: bool = True
    host_islands: bool = field(
        default=True, metadata={"help": "cut host parts out of the middle; else only before and after the device"}
    )

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        there = parts_of(op)
        if not self.run_graph_cleaner or [name for name, graph in there.items() if on_device(graph)] != [MAIN]:
            return
        main = there[MAIN]
        known = AxContext.of(ctx).target
        target = known if isinstance(known, Target) else load(None)
        pieces = partition(operators(main), target if self.host_islands else None)
        new = _with_host_parts(cut(main, pieces, taken=names_in(there.values())), there)
        for name in (PREAMBLE, POSTAMBLE):
            if name in there:
                Rewriter.erase_op(there[name])
        Rewriter.replace_op(main, new, [])


def _with_host_parts(parts: Parts, there: Parts) -> list[ax.GraphOp]:
    """The parts, host parts joined with those that were there already, which are farther from the device."""
    early = [given[PREAMBLE] for given in (there, parts) if PREAMBLE in given]
    late = [given[POSTAMBLE] for given in (parts, there) if POSTAMBLE in given]
    graphs = [graph for name, graph in parts.items() if name not in (PREAMBLE, POSTAMBLE)]
    if late:
        graphs.append(join(POSTAMBLE, late))
    if early:
        taken = names_in(graphs)
        needed = dict.fromkeys(name.data for graph in early for name in graph.outputs if name.data in taken)
        graphs.insert(0, join(PREAMBLE, early, list(needed)))
    return graphs


def partition(ops: Sequence[Operation], target: Target | None) -> dict[str, Ops]:
    """What runs where: the operators of every part by its name, in the order of execution. Raises `AxirError`.

    Without a `target` there are no islands, and @main may hold what the device cannot run.
    """
    reasons = {op: reason for op in ops if (reason := unsupported(op)) is not None}
    limit = HOST_SHARE * total_macs(ops)
    before, after = _host_parts(ops, reasons, limit)
    for part in connected([op for op in ops if op not in before and op not in after]):
        feeds_host = all(user in after or user in part for value in results(part) for user in users(value))
        if feeds_host and 0 < limit >= total_macs(after | part):
            after |= part
    joining = _joining_outputs(ops, after)
    if any(op not in before and op not in after and op not in joining for op in ops):
        after |= joining
    device = {op: None for op in ops if op not in before and op not in after}
    forced = {op: None for op in device if op in reasons}
    if not device or (target is not None and len(forced) == len(device)):
        raise _nothing_left(reasons)
    pieces = {MAIN: device}
    if forced and target is not None:
        cut_up = stages(list(device), forced, target)
        before, after = before | cut_up.host[0], after | cut_up.host[-1]
        pieces = {MAIN: cut_up.device[0]}
        for index, (island, segment) in enumerate(zip(cut_up.host[1:-1], cut_up.device[1:], strict=True), 1):
            pieces |= {island_name(index): island, segment_name(index): segment}
    # Early work that only the postamble needs is the postamble's.
    middle = {op: None for piece in pieces.values() for op in piece}
    wanted: Ops = {}
    for op in reversed(ops):
        if op in middle or any(user in wanted for value in op.results for user in users(value)):
            wanted[op] = None
    early = {op: None for op in ops if op in before and op in wanted}
    late = {op: None for op in ops if op not in early and op not in middle}
    return ({PREAMBLE: early} if early else {}) | pieces | ({POSTAMBLE: late} if late else {})


def _joining_outputs(ops: Sequence[Operation], after: Ops) -> Ops:
    """Concatenations of what then only the host uses: there every part keeps a scale of its own."""
    found: Ops = {}
    for op in reversed(ops):
        if isinstance(op, ax.ConcatOp) and op not in after:
            below = users(op.result)
            if all(user in after or user in found or isinstance(user, ax.ReturnOp) for user in below):
                found[op] = None
    return found


def _host_parts(ops: Sequence[Operation], reasons: dict[Operation, str], limit: float) -> tuple[Ops, Ops]:
    """The operators that the device cannot run, with what must go before or after them, as far as that may be."""
    before: Ops = {}
    after: Ops = {}
    for op in ops:
        if op not in reasons or op in after:
            continue
        lead, rest = ancestors(op, ops), dependents(op, ops)
        fits_before = total_macs(before | lead) <= limit
        if fits_before and all(other in before for other in lead if other is not op):
            before[op] = None
        elif total_macs(after | rest) <= limit:
            after |= rest
        elif fits_before:
            before |= lead
    return before, after


def _nothing_left(reasons: dict[Operation, str]) -> AxirError:
    notes = [f"{operator_name(op)} [{node_name(op)}]: {reason}" for op, reason in list(reasons.items())[:5]]
    return AxirError("the device can run no operator of this network", notes=notes or ("it has no operators",))
