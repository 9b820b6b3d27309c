"""`quantize`: the float graphs of the device become int8 graphs, with the scales that calibration suggests."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp, f32
from xdsl.passes import ModulePass

from axir.dialects import ax, base
from axir.ir.context import AxContext
from axir.ir.diagnostics import AxirError
from axir.ir.store import WeightStore

Scheme = Literal["per_tensor_histogram", "per_tensor_min_max", "hybrid_per_tensor_per_channel"]
"""How the ranges of activations are found. Weights are always per output channel, by their extremes.

`per_tensor_histogram`: the range of least squared error. `per_tensor_min_max`: the extremes.
`hybrid_per_tensor_per_channel`: the extremes of every channel for tensors that only depthwise convolutions read; for
others as `per_tensor_histogram`.
"""


Clipping = Literal["balanced", "least_squares", "entropy", "percentile"]
"""How a scheme with histograms finds the range of a tensor: passes/quantization/clipping.py has the rules."""


@dataclass(frozen=True)
class Quantize(ModulePass):
    """Replaces `ax.graph`s of the device by `axq.graph`s: int8 tensors and weights, one requantization an operation."""

    name = "quantize"

    scheme: Scheme = field(default="per_tensor_histogram", metadata={"help": "how activation ranges are chosen"})
    quantize_dw_channel_wise: bool = field(
        default=False, metadata={"help": "per-channel inputs of depthwise convolutions with any scheme"}
    )
    activation_clipping: Clipping = field(default="balanced", metadata={"help": "how ranges are found from histograms"})
    weight_clipping: bool = field(
        default=False, metadata={"help": "clip weights of a channel where that lowers their squared error"}
    )
    bias_correction: bool = field(
        default=True, metadata={"help": "biases take back what rounding the weights adds on average"}
    )
    softmax_neutral_value: float = field(
        default=-100000.0, metadata={"help": "real value of the lanes behind the last channel of a softmax"}
    )

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        from axir.passes.graph_parts import on_device
        from axir.passes.quantization.graph import device_parts

        store = AxContext.of(ctx).store
        for graph in filter(on_device, device_parts(op)):
            quantize(
                graph,
                store,
                self.scheme,
                self.quantize_dw_channel_wise,
                self.softmax_neutral_value,
                activation_clipping=self.activation_clipping,
                weight_clipping=self.weight_clipping,
                bias_correction=self.bias_correction,
            )


def quantize(
    graph: ax.GraphOp,
    store: WeightStore,
    scheme: Scheme,
    dw_channel_wise: bool = False,
    softmax_neutral_value: float = -100000.0,
    *,
    activation_clipping: Clipping = "balanced",
    weight_clipping: bool = False,
    bias_correction: bool = True,
) -> None:
    """Replace `graph` by its quantized form; a failure leaves it as it was.

    Raises `AxirError` where statistics are missing or an operation has no quantized form.
    """
    from axir.passes.quantization.graph import describe, tensors
    from axir.passes.quantization.lower import lower_graph
    from axir.passes.quantization.tensor_types import channel_means, choose_types, rule_of

    for value in tensors(graph):
        type_ = base.tensor_of(value)
        if type_.element_type != f32 or len(type_.get_shape()) != 4:
            name, where = describe(value, graph)
            raise AxirError(f"{name} is {type_}; the device takes f32 tensors of rank 4 only", op=where)
    types = choose_types(
        graph,
        store,
        rule=rule_of(scheme, activation_clipping),
        per_channel=dw_channel_wise or scheme == "hybrid_per_tensor_per_channel",
    )
    means = channel_means(graph, store) if bias_correction else {}
    quantized = lower_graph(graph, types, means, store, softmax_neutral_value, clip_weights=weight_clipping)
    block = graph.parent_block()
    assert block is not None
    block.insert_op_before(quantized, graph)
    graph.detach()
    graph.erase()
