"""What calibration and quantization both ask of the graph @main: its tensors, their statistics, who reads them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from xdsl.dialects.builtin import ArrayAttr, ModuleOp
from xdsl.ir import Attribute, BlockArgument, Operation, SSAValue, Use

from axir.dialects import ax, base
from axir.ir.diagnostics import AxirError
from axir.passes.graph_parts import on_device, parts_of

STATS = "ax.stats"
ARGUMENT_STATS = "arg_stats"


def graph_named(module: ModuleOp, name: str) -> ax.GraphOp | None:
    """The `ax.graph` of that name."""
    for op in module.ops:
        if isinstance(op, ax.GraphOp) and op.sym_name.data == name:
            return op
    return None


def main_graph(module: ModuleOp) -> ax.GraphOp:
    """`ax.graph @main`. Raises `AxirError` when the module has none."""
    graph = graph_named(module, "main")
    if graph is None:
        raise AxirError("the module has no ax.graph @main", notes=("import a model first",))
    return graph


def device_parts(module: ModuleOp) -> list[ax.GraphOp]:
    """The device's segments with the islands between them, in the order of execution.

    Raises `AxirError` when the module has no @main.
    """
    parts = list(parts_of(module).values())
    places = [index for index, graph in enumerate(parts) if on_device(graph)]
    _ = main_graph(module)
    return parts[places[0] : places[-1] + 1]


def data_constants(graph: ax.GraphOp) -> list[SSAValue]:
    """Constants that are data and not parameters: parts of concatenations, operands of what takes two tensors."""
    found: dict[SSAValue, None] = {}
    for op in graph.body.block.ops:
        if isinstance(op, ax.ConcatOp | ax.AddOp | ax.SubOp | ax.MulOp | ax.MaxOp | ax.MinOp):
            data = list(op.operands)
        else:
            data = [extra for extra, step in _taken(op) if step != "prelu"]
        found |= dict.fromkeys(value for value in data if isinstance(value.owner, ax.ConstantOp))
    return list(found)


def _taken(op: Operation) -> list[tuple[SSAValue, str]]:
    """The tensors that the steps of an epilogue take, with those steps."""
    if not isinstance(op, ax.EpilogueOp):
        return []
    return list(zip(op.extras, (step.kind for step in op.epilogue if step.takes_operand), strict=True))


def tensors(graph: ax.GraphOp) -> list[SSAValue]:
    """The inputs and the results of all operations but constants, in order."""
    block = graph.body.block
    results = (result for op in block.ops if not isinstance(op, ax.ConstantOp) for result in op.results)
    return [*block.args, *results]


def describe(value: SSAValue, graph: ax.GraphOp) -> tuple[str, Operation]:
    """How an error names a tensor, and the operation it points to."""
    if isinstance(value, BlockArgument):
        return f"input '{graph.inputs.data[value.index].data}'", graph
    return "the result", cast(Operation, value.owner)


def stats_of(value: SSAValue, graph: ax.GraphOp) -> ax.StatsAttr:
    """What calibration recorded of a tensor. Raises `AxirError`, located at its operation, when that is nothing."""
    if isinstance(value, BlockArgument):
        recorded = graph.attributes.get(ARGUMENT_STATS)
        known = cast(Sequence[Attribute], recorded.data) if isinstance(recorded, ArrayAttr) else ()
        attribute = known[value.index] if value.index < len(known) else None
    else:
        attribute = cast(Operation, value.owner).attributes.get(STATS)
    if not isinstance(attribute, ax.StatsAttr):
        name, where = describe(value, graph)
        raise AxirError(
            f"{name} has no calibration statistics", op=where, notes=("run the pass 'calibrate' before 'quantize'",)
        )
    return attribute


def record_stats(graph: ax.GraphOp, stats: dict[SSAValue, ax.StatsAttr]) -> None:
    """Put statistics on the operations and, for the inputs, on the graph."""
    block = graph.body.block
    graph.attributes[ARGUMENT_STATS] = ArrayAttr(stats[argument] for argument in block.args)
    for value, attribute in stats.items():
        if not isinstance(value, BlockArgument):
            cast(Operation, value.owner).attributes[STATS] = attribute


def drop_stats(graph: ax.GraphOp) -> None:
    """Forget all statistics: the graph has to be calibrated again."""
    graph.attributes.pop(ARGUMENT_STATS, None)
    for op in graph.body.block.ops:
        op.attributes.pop(STATS, None)


SHARING = (ax.MaxPoolOp, ax.ConcatOp, ax.SliceOp, ax.ReshapeOp, ax.RearrangeOp, ax.GatherOp)
"""Operations that move stored bytes: inputs and result have one scale and zero point."""


def centred_values(graph: ax.GraphOp) -> set[SSAValue]:
    """The tensors whose zero point is 0: those that take the place of weights in a product of two."""
    return {op.other for op in graph.body.block.ops if isinstance(op, ax.HeadMatMulOp)}


def depthwise_inputs(graph: ax.GraphOp) -> list[SSAValue]:
    """The tensors that can have one scale a channel: only depthwise convolutions read them, as their input.

    Inputs of the graph stay per tensor (the host quantizes them), and so do results that share their parameters with
    other tensors (`shared_groups`), have fixed ones (softmax), or one factor and summand of their own (normalize), or
    come from one table.
    """
    found = [value for op in graph.body.block.ops for value in op.results if not _has_one_scale(op)]
    return [value for value in found if value.first_use is not None and all(map(_is_depthwise, value.uses))]


def _has_one_scale(op: Operation) -> bool:
    lookup = isinstance(op, ax.UnaryFunctionOp) and op.function.data not in ax.FUNCTION_STEPS
    return lookup or isinstance(op, (*SHARING, ax.SoftmaxOp, ax.NormalizeOp))


def smoothed_values(graph: ax.GraphOp) -> list[SSAValue]:
    """The results of normalizations that only convolutions read, as their input, with parameters that are constants."""
    found: list[SSAValue] = []
    for op in graph.body.block.ops:
        if isinstance(op, ax.NormalizeOp) and op.result.first_use is not None:
            readers = [use.operation for use in op.result.uses if use.index == 0]
            parameters = [value for value in (op.scale, op.bias) if value is not None]
            convolutions = [reader for reader in readers if isinstance(reader, ax.ConvOp)]
            parameters += [reader.weight for reader in convolutions]
            if len(convolutions) == len(list(op.result.uses)) and all(
                isinstance(value.owner, ax.ConstantOp) for value in parameters
            ):
                found.append(op.result)
    return found


def convolution_inputs(graph: ax.GraphOp) -> list[SSAValue]:
    """The tensors that convolutions read, whose means correct the convolutions' biases."""
    return list(dict.fromkeys(op.input for op in graph.body.block.ops if isinstance(op, ax.ConvOp)))


def _is_depthwise(use: Use) -> bool:
    op = use.operation
    return isinstance(op, ax.ConvOp) and use.index == 0 and op.group.value.data == base.shape_of(op.input)[1] > 1


def shared_groups(graph: ax.GraphOp) -> list[list[SSAValue]]:
    """All tensors, in groups that must have the same scale and zero point; groups and members in program order."""
    parent: dict[SSAValue, SSAValue] = {value: value for value in (*tensors(graph), *data_constants(graph))}

    def root(value: SSAValue) -> SSAValue:
        while parent[value] is not value:
            parent[value] = value = parent[parent[value]]
        return value

    for op in graph.body.block.ops:
        if isinstance(op, SHARING):
            for operand in op.operands:
                if operand not in parent:
                    raise AxirError(f"'{op.name}' of a constant cannot be quantized", op=op)
                parent[root(operand)] = root(op.result)
    groups: dict[SSAValue, list[SSAValue]] = {}
    for value in parent:
        groups.setdefault(root(value), []).append(value)
    return list(groups.values())
