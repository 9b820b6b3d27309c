"""Runs the stage `calibrate` on samples in memory, from an iterable or random."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from itertools import chain, islice

from xdsl.dialects.builtin import ModuleOp

from axir.compiler.dataset import Samples
from axir.compiler.pipeline import CALIBRATE_PASSES
from axir.compiler.session import Session
from axir.compiler.source import in_order
from axir.passes.calibrate import RANDOM_SAMPLES, calibrate
from axir.passes.graph_parts import on_device
from axir.passes.quantization.graph import depthwise_inputs, device_parts, smoothed_values
from axir.passes.quantization.samples import main_samples, model_inputs, random_samples

STAGE = "calibrate"
FIRST_SAMPLES = 16
"""Smoothing decides by the first so many samples."""


def inputs_of(module: ModuleOp) -> Mapping[str, tuple[tuple[int, ...], str]]:
    """Shape and type of every input of the network, in its own order."""
    inputs = model_inputs(module)
    return {name: inputs[name] for name in in_order(inputs, module)}


def random_dataset(module: ModuleOp, session: Session, count: int | None, seed: int) -> Samples:
    """Normally distributed samples, with a warning. Raises `AxirError` for inputs that are not float."""
    count = count or RANDOM_SAMPLES
    session.warning(
        f"no calibration data: using {count} random samples; scales, and with them the accuracy, will be meaningless "
        "(give --imageset or --calibration)"
    )
    return Samples(random_samples(model_inputs(module), count, seed), count)


def calibrate_module(module: ModuleOp, session: Session, samples: Samples, *, for_every_scheme: bool = False) -> int:
    """Annotate the device's graphs with the statistics that the configured scheme needs; how many samples there were.

    With `for_every_scheme` also with those that other schemes would need.

    Raises `AxirError` for samples that do not fit the model.
    """
    samples = _smoothed(module, session, samples)
    config = session.config
    store = session.context.store
    graphs = device_parts(module)
    hybrid = config.quantize_dw_channel_wise or config.quantization_scheme == "hybrid_per_tensor_per_channel"
    per_channel = for_every_scheme or hybrid
    with session.stage(STAGE):
        count = calibrate(
            graphs,
            store,
            main_samples(module, store, samples),
            histogram=for_every_scheme or config.quantization_scheme != "per_tensor_min_max",
            channels_for=[value for graph in graphs for value in depthwise_inputs(graph)] if per_channel else (),
            progress=lambda done: session.listener.progress(done, samples.total),
        )
        session.message(f"calibrated on {count} samples")
    session.record(module, STAGE)
    return count


def _smoothed(module: ModuleOp, session: Session, samples: Samples) -> Samples:
    """Run `smooth-activations`, on statistics of its own from the first samples; all samples, to calibrate on."""
    graphs = device_parts(module)
    values = [value for graph in graphs if on_device(graph) for value in smoothed_values(graph)]
    if session.config.activation_smoothing is None or not values:
        return samples
    source = iter(samples.source)
    first = list(islice(source, FIRST_SAMPLES))
    with session.stage(STAGE):
        given = main_samples(module, session.context.store, first)
        calibrate(graphs, session.context.store, given, histogram=False, channels_for=values)
    session.run(module, *CALIBRATE_PASSES)
    return replace(samples, source=chain(first, source))
