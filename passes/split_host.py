"""`split-host`: what the device cannot run goes to the host, before or after the device's part."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Operation
from xdsl.passes import ModulePass
from xdsl.rewriter import Rewriter

from axir.dialects import ax
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
from axir.passes.graph_parts import MAIN, POSTAMBLE, PREAMBLE, Parts, cut, join, names_in, parts_of

HOST_SHARE = 0.05
"""Before or after the device's part, the host takes at most this share of the network's multiply-accumulates."""


@dataclass(frozen=True)
class SplitHost(ModulePass):
    """Cuts @main into @preamble and @postamble for the host, and @main for the device (passes/graph_parts.py).

    An operator that the device cannot run goes to the host with everything before it, or everything after it, which
    must be at most 5 % of @main's multiply-accumulates. So does small work of the device that only the host's part
    after it uses, and that shares nothing with the rest of the device's. What has more on both sides stays in @main,
    where `validate-operators` finds it. Host parts that the module has already get what is added.

    Raises `AxirError` where nothing is left for the device. Without `run_graph_cleaner` it does nothing.
    """

    name = "split-host"
    run_graph_cleaner: bool = True

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        there = parts_of(op)
        if MAIN not in there or not self.run_graph_cleaner:
            return
        main = there[MAIN]
        parts = cut(main, *partition(operators(main)), taken=names_in(there.values()))
        new = _with_host_parts(parts, there)
        for name in (PREAMBLE, POSTAMBLE):
            if name in there:
                Rewriter.erase_op(there[name])
        Rewriter.replace_op(main, new, [])


def _with_host_parts(parts: Parts, there: Parts) -> list[ax.GraphOp]:
    """The parts, host parts joined with those that were there already, which are farther from the device."""
    early = [given[PREAMBLE] for given in (there, parts) if PREAMBLE in given]
    late = [given[POSTAMBLE] for given in (parts, there) if POSTAMBLE in given]
    graphs = [parts[MAIN], *([join(POSTAMBLE, late)] if late else [])]
    if early:
        taken = names_in(graphs)
        needed = dict.fromkeys(name.data for graph in early for name in graph.outputs if name.data in taken)
        graphs.insert(0, join(PREAMBLE, early, list(needed)))
    return graphs


def partition(ops: Sequence[Operation]) -> tuple[Ops, Ops, Ops]:
    """What runs on the host before the device, on the device, and on the host after it. Raises `AxirError`."""
    reasons = {op: reason for op in ops if (reason := unsupported(op)) is not None}
    limit = HOST_SHARE * total_macs(ops)
    before, after = _host_parts(ops, reasons, limit)
    for part in connected([op for op in ops if op not in before and op not in after]):
        feeds_host = all(user in after or user in part for value in results(part) for user in users(value))
        if feeds_host and 0 < limit >= total_macs(after | part):
            after |= part
    device = {op: None for op in ops if op not in before and op not in after}
    if not device:
        raise _nothing_left(reasons)
    # Early work that only the postamble needs is the postamble's.
    wanted: Ops = {}
    for op in reversed(ops):
        if op in device or any(user in wanted for value in op.results for user in users(value)):
            wanted[op] = None
    early = {op: None for op in ops if op in before and op in wanted}
    return early, device, {op: None for op in ops if op not in early and op not in device}


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
