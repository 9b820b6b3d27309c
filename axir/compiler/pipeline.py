"""The order of the stages, and how a pass gets its options from the configuration."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any, cast

from xdsl.passes import ModulePass

from axir.compiler.config import CompilerConfig, settings_table
from axir.compiler.memory_map import SETTINGS as MEMORY_MAP
from axir.passes.pipeline import GRAPH_PASSES
from axir.registry import passes

CALIBRATE_PASSES = ("smooth-activations",)
"""Passes that take statistics and leave a graph to be calibrated again."""
QUANTIZE_PASSES = ("widen-activations", "quantize")
DEVICE_PASSES = (
    "share-memory", "lower-to-aipu", "stage-constants", "list-schedule", "batch-over-cores", "plan-memory", "schedule",
    "resolve-addresses",
)  # fmt: skip
PASSES = (*GRAPH_PASSES, *CALIBRATE_PASSES, *QUANTIZE_PASSES, *DEVICE_PASSES)

OPTION_SETTINGS = {"scheme": "quantization_scheme"}
"""Options of passes whose names are not those of the settings they take."""

DRIVER_SETTINGS = (
    "compiler_mode",
    "frequency",
    "onnx_opset_version",
    "remove_io_quantization",
    "host_processes_used",
    "input_dmabuf",
    "output_dmabuf",
    "ddr_size_max",
    "profiling_levels",
    "profiling_drop_percentile",
    "trace_tvm_passes",
    "propagate_span_information",
    "quantization_debug",
    "model_debug_save_dir",
    "graph_cleaner_dump_core_onnx",
    "graph_cleaner_dump_full_opt_onnx",
    "quantized_graph_export",
    "output_dir",
    "remove_output_dir",
    "save_error_artifact",
    "randomize_onnx_model",
    "model_name",
    *(setting for pair in MEMORY_MAP.values() for setting in pair),
)
"""Settings that no pass reads, but the driver."""


def make_passes(
    names: Sequence[str], config: CompilerConfig, options: Mapping[str, object] | None = None
) -> list[ModulePass]:
    """The passes of these names; each option has the value of the setting of its name.

    `options` gives values to options that are no settings, by their names.
    """
    available = passes()
    made: list[ModulePass] = []
    for name in names:
        kind = available[name].load()
        given: dict[str, Any] = {
            field.name: options[field.name]
            for field in cast(Sequence[dataclasses.Field[Any]], dataclasses.fields(kind))
            if options and field.name in options
        }
        given |= {option: getattr(config, setting) for option, setting in option_settings(kind).items()}
        made.append(kind(**given))
    return made


def option_settings(kind: type[ModulePass]) -> dict[str, str]:
    """The options of a pass that are settings: option -> setting."""
    fields: Sequence[dataclasses.Field[Any]] = dataclasses.fields(kind)
    named = {field.name: OPTION_SETTINGS.get(field.name, field.name) for field in fields if field.init}
    return {option: setting for option, setting in named.items() if setting in settings_table()}


def settings_with_effect() -> set[str]:
    """The settings that the driver or a pass of the pipeline acts upon."""
    available = passes()
    return {*DRIVER_SETTINGS}.union(*(option_settings(available[name].load()).values() for name in PASSES))
