"""`validate-operators`: everything in @main that the device cannot run, in one report."""

from __future__ import annotations

from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Operation
from xdsl.passes import ModulePass

from axir.dialects import ax
from axir.ir.diagnostics import AxirError, AxirErrorGroup
from axir.passes.device_support import unsupported
from axir.passes.graph_flow import ancestors, dependents, operator_name, operators, total_macs
from axir.passes.graph_parts import HOST_SHARE, device_graphs, on_device, parts_of

MOST_ERRORS = 20
"""Operators that one report names; of more, their number is told."""


@dataclass(frozen=True)
class ValidateOperators(ModulePass):
    """Checks every operator on the device against what it can run (passes/device_support.py); changes nothing.

    Raises `AxirError` naming each operator that the device cannot run, why, and how much of the network is before and
    after it. `run_graph_cleaner` says whether `split-host` has had its chance. Without `validate_operators` nothing is
    checked here, and the first pass that cannot handle an operator reports it.
    """

    name = "validate-operators"
    validate_operators: bool = True
    run_graph_cleaner: bool = True

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        segments = device_graphs(op)
        if not segments or not self.validate_operators:
            return
        errors = [*self._operators(op), *(error for graph in segments for error in _outputs(graph))]
        if not errors:
            return
        group = AxirErrorGroup(errors[:MOST_ERRORS], omitted=max(0, len(errors) - MOST_ERRORS))
        if self.run_graph_cleaner:
            group.add_context(
                "replace these operators in the model, or cut the model in two there; host islands, if allowed, take "
                "them too"
            )
        else:
            group.add_context("run_graph_cleaner is false: nothing goes to the host")
        raise group

    def _operators(self, module: ModuleOp) -> list[AxirError]:
        parts = list(parts_of(module).values())
        work = [total_macs(operators(graph)) for graph in parts]
        whole = max(1, sum(work))
        errors: list[AxirError] = []
        for index, graph in enumerate(parts):
            ops = operators(graph) if on_device(graph) else []
            for op in ops:
                reason = unsupported(op)
                if reason is not None:
                    before = (sum(work[:index]) + total_macs(ancestors(op, ops))) / whole
                    after = (sum(work[index + 1 :]) + total_macs(dependents(op, ops))) / whole
                    errors.append(self._error(op, reason, before, after))
        return errors

    def _error(self, op: Operation, reason: str, before: float, after: float) -> AxirError:
        position = f"{before:.0%} of the multiply-accumulates come before it and {after:.0%} after it"
        if self.run_graph_cleaner:
            position += f"; the host takes over only where one side has at most {HOST_SHARE:.0%}"
        middle = " in the middle of the network" if min(before, after) > HOST_SHARE else ""
        return AxirError(f"the device cannot run {operator_name(op)}{middle}: {reason}", op=op, notes=(position,))


def _outputs(main: ax.GraphOp) -> list[AxirError]:
    """Results that are not computed, but an input or a constant."""
    computed = [value for op in operators(main) for value in op.results]
    return [
        AxirError(f"output '{name.data}' is an input or a constant: the device gives only what it computes", op=main)
        for name, value in zip(main.outputs, main.terminator.operands, strict=True)
        if value not in computed
    ]
