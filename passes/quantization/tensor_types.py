"""Chooses the scale and zero point of every tensor of @main from its statistics."""

from __future__ import annotations

from collections.abc import Sequence, Set
from functools import reduce
from typing import cast

import numpy as np
from numpy.typing import NDArray
from xdsl.dialects.builtin import NoneAttr
from xdsl.ir import Attribute, SSAValue

from axir.dialects import ax, base
from axir.dialects.axq import Constant, QuantType
from axir.ir.constants import constant_array, constant_attr
from axir.ir.diagnostics import AxirError
from axir.ir.store import WeightStore
from axir.passes.quantization.clipping import RULES, Histogram, RangeRule, joined
from axir.passes.quantization.graph import (
    centred_values,
    convolution_inputs,
    depthwise_inputs,
    describe,
    shared_groups,
    stats_of,
)
from axir.passes.quantization.ranges import PROBABILITIES, Range, parameters


def choose_types(
    graph: ax.GraphOp, store: WeightStore, *, rule: RangeRule | None, per_channel: bool
) -> dict[SSAValue, QuantType]:
    """The quantized type of every tensor.

    `rule` finds the range of a tensor from its histogram, without it extremes decide; `per_channel` gives inputs of
    depthwise convolutions one scale a channel, from the channel's extremes. Raises `AxirError` where statistics
    are missing.
    """
    types: dict[SSAValue, QuantType] = {}
    groups = shared_groups(graph)
    answers = _answers(graph, groups)
    for group in groups:
        types.update(dict.fromkeys(group, _shared_type(group, graph, store, rule, answers)))
    if per_channel:
        types.update({value: _channel_type(value, graph, store) for value in depthwise_inputs(graph)})
    return types


def scale_of(value: SSAValue, graph: ax.GraphOp, store: WeightStore, rule: RangeRule | None) -> float:
    """The scale that `choose_types` gives a tensor that is quantized as a whole. Raises `AxirError`."""
    groups = shared_groups(graph)
    group = next(group for group in groups if value in group)
    return _shared_type(group, graph, store, rule, _answers(graph, groups)).scalar[0]


def rule_of(scheme: str, activation_clipping: str) -> RangeRule | None:
    """How a scheme finds ranges from histograms; None where extremes decide."""
    return None if scheme == "per_tensor_min_max" else RULES[activation_clipping]


def _answers(graph: ax.GraphOp, groups: Sequence[Sequence[SSAValue]]) -> Set[SSAValue]:
    """The tensors that the graph returns, what shares their types, and the scores of which a softmax makes them.

    They are never clipped: of scores, probabilities and boxes the extremes are what matters.
    """
    returned = set(graph.terminator.operands)
    found = {value for group in groups if not returned.isdisjoint(group) for value in group}
    return found | {value.owner.input for value in found if isinstance(value.owner, ax.SoftmaxOp)}


def _shared_type(
    group: Sequence[SSAValue],
    graph: ax.GraphOp,
    store: WeightStore,
    rule: RangeRule | None,
    answers: Set[SSAValue],
) -> QuantType:
    """The type of tensors that share it."""
    range_ = _range(group, graph, store, rule, answers)
    return range_.quant_type() if centred_values(graph).isdisjoint(group) else range_.centred_type()


def channel_means(graph: ax.GraphOp, store: WeightStore) -> dict[SSAValue, NDArray[np.float32]]:
    """The mean of every channel [C] of the tensors that convolutions read, where calibration recorded it."""
    means: dict[SSAValue, NDArray[np.float32]] = {}
    for value in convolution_inputs(graph):
        attribute = stats_of(value, graph).means
        if not isinstance(attribute, NoneAttr):
            means[value] = _values(attribute, (base.shape_of(value)[1],), value, graph, store).astype(np.float32)
    return means


def _range(
    group: Sequence[SSAValue],
    graph: ax.GraphOp,
    store: WeightStore,
    rule: RangeRule | None,
    answers: Set[SSAValue],
) -> Range:
    """The range of tensors that share it: by `rule`, that of their histograms together; of answers the extremes."""
    certain = [value for value in group if value in answers and isinstance(value.owner, ax.SoftmaxOp)]
    fixed = [PROBABILITIES for _ in certain]
    for value in group:
        if isinstance(value.owner, ax.ConstantOp):
            array = constant_array(value.owner.value, store, value.owner)
            fixed.append(Range.of(float(array.min()), float(array.max())))
    measured = [value for value in group if value not in certain and not isinstance(value.owner, ax.ConstantOp)]
    stats = [stats_of(value, graph) for value in measured]
    extremes = [(one.minimum.value.data, one.maximum.value.data) for one in stats]
    if rule is None or not answers.isdisjoint(group):
        return reduce(Range.union, [*fixed, *(Range.of(low, high) for low, high in extremes)])
    histograms: list[Histogram] = []
    for value, one, (low, high) in zip(measured, stats, extremes, strict=True):
        attribute = _recorded(one.histogram, "histogram", "per_tensor_histogram", value, graph)
        histograms.append(Histogram(_values(attribute, None, value, graph, store).astype(np.float64), low, high))
    clipped = [rule(*joined(histograms))] if histograms else []
    return reduce(Range.union, [*fixed, *clipped])


def _channel_type(value: SSAValue, graph: ax.GraphOp, store: WeightStore) -> QuantType:
    attribute = _recorded(
        stats_of(value, graph).channels, "extremes per channel", "hybrid_per_tensor_per_channel", value, graph
    )
    extremes = _values(attribute, (2, base.shape_of(value)[1]), value, graph, store).astype(np.float64)
    scales, zero_points = parameters(np.minimum(extremes[0], 0), np.maximum(extremes[1], 0))
    return QuantType(constant_attr(scales, store), constant_attr(zero_points, store))


def _recorded(attribute: Attribute, what: str, scheme: str, value: SSAValue, graph: ax.GraphOp) -> Attribute:
    if isinstance(attribute, NoneAttr):
        name, op = describe(value, graph)
        notes = (f"run 'calibrate' with scheme={scheme}, or quantize with scheme=per_tensor_min_max",)
        raise AxirError(f"the statistics of {name} hold no {what}", op=op, notes=notes)
    return attribute


def _values(
    attribute: Attribute, shape: tuple[int, ...] | None, value: SSAValue, graph: ax.GraphOp, store: WeightStore
) -> NDArray[np.generic]:
    """The numbers of a statistic, which must have `shape` if one is given."""
    name, op = describe(value, graph)
    array = constant_array(cast(Constant, attribute), store, op)
    if shape is not None and array.shape != shape:
        raise AxirError(f"the statistics of {name} have shape {list(array.shape)}, not {list(shape)}", op=op)
    return array
