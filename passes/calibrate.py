"""`calibrate`: runs the float graphs of the device on samples and records the range of every tensor on the IR."""

from __future__ import annotations

import sys
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import BlockArgument, SSAValue
from xdsl.passes import ModulePass

from axir.dialects import ax
from axir.ir.context import AxContext
from axir.ir.diagnostics import AxirError
from axir.ir.store import WeightStore
from axir.passes.quantize import Scheme

if TYPE_CHECKING:
    from axir.passes.quantization.observer import Scratch
    from axir.passes.quantization.samples import Sample

RANDOM_SAMPLES = 8


def calibrate(
    graphs: ax.GraphOp | Sequence[ax.GraphOp],
    store: WeightStore,
    samples: Iterable[Sample],
    *,
    histogram: bool = True,
    channels_for: Collection[SSAValue] = (),
    progress: Callable[[int], None] | None = None,
) -> int:
    """Record the statistics of every tensor over `samples`; returns how many samples there were.

    Given is one graph, or the segments of the device in order, with the host's islands between them, which run too. A
    sample maps names to float32 arrays: all that the graphs take and do not compute. Extremes are always recorded, the
    means per channel for tensors that convolutions read, the extremes per channel for `channels_for`. Samples are
    streamed: the memory is that of one sample's activations. `progress` is called with the number of samples done.

    Raises `AxirError` for samples that do not fit, for none at all, and where a tensor holds a NaN or an infinity; the
    graphs are then left as they were.
    """
    from axir.passes.graph_parts import on_device
    from axir.passes.quantization.observer import Scratch

    several = [graphs] if isinstance(graphs, ax.GraphOp) else graphs
    scratch = Scratch()
    parts = [
        _Observed(graph, store, histogram, channels_for, scratch)
        if len(several) == 1 or on_device(graph)
        else _Island(graph, store)
        for graph in several
    ]
    count = 0
    for sample in samples:
        values = dict(sample)
        for part in parts:
            values |= part.run(values, count)
        count += 1
        if progress is not None:
            progress(count)
    if count == 0:
        raise AxirError("there are no calibration samples", notes=("give at least one; 100 to 400 are usual",))
    for part in parts:
        part.record(store)
    return count


class _Island:
    """A part of the host's between two segments."""

    def __init__(self, graph: ax.GraphOp, store: WeightStore):
        from axir.passes.quantization.float_graph import FloatGraph

        self._runner = FloatGraph(graph, store, list(graph.terminator.operands))
        self._inputs, self._outputs = ([name.data for name in names] for names in (graph.inputs, graph.outputs))

    def run(self, values: Sample, count: int) -> dict[str, Any]:
        given = self._runner.run({name: values[name] for name in self._inputs})
        return dict(zip(self._outputs, given, strict=True))

    def record(self, store: WeightStore) -> None:
        """There is nothing to record."""


class _Observed:
    """A graph of the device, with an observer for every tensor."""

    def __init__(
        self,
        graph: ax.GraphOp,
        store: WeightStore,
        histogram: bool,
        channels_for: Collection[SSAValue],
        scratch: Scratch,
    ):
        from axir.passes.quantization.float_graph import FloatGraph, input_shapes
        from axir.passes.quantization.graph import convolution_inputs, tensors
        from axir.passes.quantization.observer import Observer

        self._graph, self._scratch = graph, scratch
        self._inputs = input_shapes(graph)
        values = tensors(graph)
        arguments = [value for value in values if isinstance(value, BlockArgument)]
        computed = [value for value in values if not isinstance(value, BlockArgument)]
        self._values = [*arguments, *computed]
        self._runner = FloatGraph(graph, store, computed)
        by_channel, with_means = set(channels_for), set(convolution_inputs(graph))
        self._observers = {value: Observer(histogram, value in by_channel, value in with_means) for value in values}

    def run(self, values: Sample, count: int) -> dict[str, Any]:
        """Observe sample number `count`; the graph's outputs by name."""
        from axir.passes.quantization.graph import describe
        from axir.passes.quantization.samples import check_sample

        graph = self._graph
        check_sample(values, self._inputs, count)
        feed = {name: values[name] for name in self._inputs}
        arrays = dict(zip(self._values, [*feed.values(), *self._runner.run(feed)], strict=True))
        for value, array in arrays.items():
            try:
                self._observers[value].update(array, self._scratch)
            except ValueError as error:
                name, op = describe(value, graph)
                raise AxirError(f"calibration sample {count}: {name} holds {error}", op=op) from None
        returned = zip(graph.outputs, graph.terminator.operands, strict=True)
        return {name.data: arrays[value] for name, value in returned if value in arrays}

    def record(self, store: WeightStore) -> None:
        """Put the statistics on the graph."""
        from axir.passes.quantization.graph import record_stats

        record_stats(self._graph, {value: observer.stats(store) for value, observer in self._observers.items()})


@dataclass(frozen=True)
class Calibrate(ModulePass):
    """Annotates the device's graphs with each tensor's extremes, and as the scheme needs it histogram, over samples."""

    name = "calibrate"

    data: str | None = field(
        default=None, metadata={"help": "an .npz file: an array an input, samples along the first axis"}
    )
    num_samples: int | None = field(default=None, metadata={"help": "use at most this many samples"})
    seed: int = field(default=0, metadata={"help": "of the random samples, where there are no data"})
    scheme: Scheme = field(default="per_tensor_histogram", metadata={"help": "the scheme to collect statistics for"})
    quantize_dw_channel_wise: bool = field(
        default=False, metadata={"help": "collect what the option of 'quantize' of that name needs"}
    )
    activation_smoothing: float | None = field(
        default=None, metadata={"help": "collect what 'smooth-activations' needs, unless it is none"}
    )

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        from axir.passes.quantization.graph import depthwise_inputs, device_parts, smoothed_values
        from axir.passes.quantization.samples import load_samples, main_samples, model_inputs, random_samples

        store = AxContext.of(ctx).store
        graphs = device_parts(op)
        inputs = model_inputs(op)
        if self.num_samples is not None and self.num_samples < 1:
            raise AxirError(f"num-samples must be at least 1, not {self.num_samples}")
        if self.data is None:
            count = self.num_samples or RANDOM_SAMPLES
            print(
                f"warning: calibrating with {count} random samples; pass data=FILE.npz for real ones", file=sys.stderr
            )
            samples = random_samples(inputs, count, self.seed)
        else:
            samples = load_samples(self.data, inputs, self.num_samples)
        channels = [] if self.activation_smoothing is None else [v for graph in graphs for v in smoothed_values(graph)]
        per_channel = self.quantize_dw_channel_wise or self.scheme == "hybrid_per_tensor_per_channel"
        if per_channel:
            channels += [value for graph in graphs for value in depthwise_inputs(graph)]
        calibrate(
            graphs,
            store,
            main_samples(op, store, samples),
            histogram=self.scheme != "per_tensor_min_max",
            channels_for=channels,
        )
