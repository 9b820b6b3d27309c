"""`calibrate`: runs the float graph @main on samples and records the range of every tensor on the IR."""

from __future__ import annotations

import sys
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

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
    from axir.passes.quantization.samples import Sample

RANDOM_SAMPLES = 8


def calibrate(
    graph: ax.GraphOp,
    store: WeightStore,
    samples: Iterable[Sample],
    *,
    histogram: bool = True,
    channels_for: Collection[SSAValue] = (),
    progress: Callable[[int], None] | None = None,
) -> int:
    """Record the statistics of every tensor of `graph` over `samples`; returns how many samples there were.

    A sample maps the graph's input names to float32 arrays. Extremes are always recorded, the means per channel for
    what convolutions read, the histogram on request, the extremes per channel for `channels_for`. Statistics are
    streamed: the memory is that of one sample's activations. `progress` is called with the number of samples done.

    Raises `AxirError` for samples that do not fit, for none at all, and where a tensor holds a NaN or an infinity; the
    graph is then left as it was.
    """
    from axir.passes.quantization.float_graph import FloatGraph, input_shapes
    from axir.passes.quantization.graph import convolution_inputs, describe, record_stats, tensors
    from axir.passes.quantization.observer import Observer, Scratch
    from axir.passes.quantization.samples import check_sample

    inputs = input_shapes(graph)
    values = tensors(graph)
    arguments = [value for value in values if isinstance(value, BlockArgument)]
    computed = [value for value in values if not isinstance(value, BlockArgument)]
    runner = FloatGraph(graph, store, computed)
    by_channel, with_means = set(channels_for), set(convolution_inputs(graph))
    observers = {value: Observer(histogram, value in by_channel, value in with_means) for value in values}
    scratch = Scratch()
    count = 0
    for sample in samples:
        check_sample(sample, inputs, count)
        feed = {name: sample[name] for name in inputs}
        arrays = [*feed.values(), *runner.run(feed)]
        for value, array in zip([*arguments, *computed], arrays, strict=True):
            try:
                observers[value].update(array, scratch)
            except ValueError as error:
                name, op = describe(value, graph)
                raise AxirError(f"calibration sample {count}: {name} holds {error}", op=op) from None
        count += 1
        if progress is not None:
            progress(count)
    if count == 0:
        raise AxirError("there are no calibration samples", notes=("give at least one; 100 to 400 are usual",))
    record_stats(graph, {value: observer.stats(store) for value, observer in observers.items()})
    return count


@dataclass(frozen=True)
class Calibrate(ModulePass):
    """Annotates @main with the extremes, and as the scheme needs it the histogram, of every tensor over samples."""

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

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        from axir.passes.quantization.graph import depthwise_inputs, main_graph
        from axir.passes.quantization.samples import load_samples, main_samples, model_inputs, random_samples

        store = AxContext.of(ctx).store
        graph = main_graph(op)
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
        per_channel = self.quantize_dw_channel_wise or self.scheme == "hybrid_per_tensor_per_channel"
        calibrate(
            graph,
            store,
            main_samples(op, store, samples),
            histogram=self.scheme != "per_tensor_min_max",
            channels_for=depthwise_inputs(graph) if per_channel else (),
        )
