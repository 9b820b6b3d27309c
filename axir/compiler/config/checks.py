"""Values that contradict each other: what the range of a single setting cannot say."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from axir.compiler.config.setting import Value
from axir.compiler.config.settings import Settings

ONE_CORE_MODES = ("multiprocess", "multithread")
MEMORY_SIZES = (
    ("l1_size_reserved", "l1_size_used"),
    ("l2_size_reserved", "l2_size_used"),
    ("ddr_size_reserved", "ddr_size_used"),
)


@dataclass(frozen=True)
class Contradiction:
    """Values of `settings` that do not go together, and what to do about it."""

    settings: tuple[str, ...]
    message: str
    note: str


def contradictions(config: Settings) -> Iterator[Contradiction]:
    """Everything that is wrong with the values together."""
    for check in CHECKS:
        yield from check(config)


def implied(given: Mapping[str, Value]) -> dict[str, tuple[Value, str]]:
    """Settings that follow from others where they are not given: value and the setting it follows from, by name."""
    found: dict[str, tuple[Value, str]] = {}
    cores = given.get("aipu_cores_used", 1)
    if "multicore_mode" not in given and cores != 1:
        found["multicore_mode"] = ("batch", "aipu_cores_used")
    ddr = given.get("ddr_size_max")
    if isinstance(ddr, int) and ddr < Settings.ddr_size_used and "ddr_size_used" not in given:
        found["ddr_size_used"] = (ddr, "ddr_size_max")
    return found


def _resources(config: Settings) -> Iterator[Contradiction]:
    least = config.aipu_cores_used / 4
    if config.resources_used < least:
        yield Contradiction(
            ("resources_used", "aipu_cores_used"),
            f"resources_used is {config.resources_used:g}, but {config.aipu_cores_used} cores need at least {least:g}",
            "resources_used is a fraction of the memory shared by four cores: a quarter or more for each",
        )


def _cores(config: Settings) -> Iterator[Contradiction]:
    mode, cores = config.multicore_mode, config.aipu_cores_used
    if mode in ONE_CORE_MODES and cores != 1:
        yield Contradiction(
            ("multicore_mode", "aipu_cores_used"),
            f"multicore_mode {mode} runs programs for 1 core, but aipu_cores_used is {cores}",
            "several cores run batch, cooperative or pipeline; without multicore_mode it is batch",
        )
    if mode not in ONE_CORE_MODES and cores == 1:
        yield Contradiction(
            ("multicore_mode", "aipu_cores_used"),
            f"multicore_mode {mode} needs 2 or more cores, but aipu_cores_used is 1",
            "set aipu_cores_used, or choose multiprocess or multithread",
        )


def _processes(config: Settings) -> Iterator[Contradiction]:
    if config.multicore_mode == "multithread" and config.host_processes_used != 1:
        yield Contradiction(
            ("host_processes_used", "multicore_mode"),
            f"host_processes_used is {config.host_processes_used}, but multicore_mode multithread feeds all instances "
            "from threads of one process",
            "choose multiprocess, or leave host_processes_used out",
        )


def _replication(config: Settings) -> Iterator[Contradiction]:
    if config.icrx_force > 1 and not config.enable_icr:
        yield Contradiction(
            ("icrx_force", "enable_icr"),
            "icrx_force asks for replication, but enable_icr is false",
            "set one of the two",
        )
    if config.icrx_force > config.icrx_max_factor:
        yield Contradiction(
            ("icrx_force", "icrx_max_factor"),
            f"icrx_force is {config.icrx_force}, above icrx_max_factor {config.icrx_max_factor}",
            "raise icrx_max_factor or lower icrx_force",
        )


def _memories(config: Settings) -> Iterator[Contradiction]:
    for reserved, used in MEMORY_SIZES:
        low, high = int(getattr(config, reserved)), int(getattr(config, used))
        if low >= high:
            yield Contradiction(
                (reserved, used),
                f"{reserved} is {low} bytes, more than {used}, {high} bytes"
                if low > high
                else f"{reserved} is {low} bytes, all of {used}",
                "what is reserved is a part of what is used",
            )
    if config.ddr_size_used > config.ddr_size_max:
        yield Contradiction(
            ("ddr_size_used", "ddr_size_max"),
            f"ddr_size_used is {config.ddr_size_used} bytes, more than ddr_size_max, {config.ddr_size_max} bytes",
            "ddr_size_max is all the DDR there is",
        )


def _export(config: Settings) -> Iterator[Contradiction]:
    if config.compiler_mode == "quantize_only" and not config.quantized_graph_export:
        yield Contradiction(
            ("quantized_graph_export", "compiler_mode"),
            "compiler_mode quantize_only has no other result than the quantized graph, but quantized_graph_export is "
            "false",
            "leave one of the two out",
        )


Check = Callable[[Settings], Iterator[Contradiction]]
CHECKS: tuple[Check, ...] = (_resources, _cores, _processes, _replication, _memories, _export)


@dataclass(frozen=True)
class Idle:
    """A setting that is not its default and does nothing, for what other settings say."""

    setting: str
    reason: str


def idle(config: Settings) -> Iterator[Idle]:
    """Changed settings that do nothing beside the others: no error, but whoever set them should know."""
    condition, node = config.graph_cleaner_condition, config.graph_cleaner_node
    if (condition is None) != (node is None):
        given, missing = ("graph_cleaner_condition", "graph_cleaner_node")[:: 1 if node is None else -1]
        yield Idle(given, f"it needs {missing}")
    if config.graph_cleaner_threshold and (condition is None or node is None):
        yield Idle("graph_cleaner_threshold", "it needs graph_cleaner_condition and graph_cleaner_node")
    if not config.run_graph_cleaner:
        for name, changed in (
            ("graph_cleaner_split_pre_post_processing", not config.graph_cleaner_split_pre_post_processing),
            ("graph_cleaner_condition", condition is not None and node is not None),
            ("remove_layout_transform_from_preamble", config.remove_layout_transform_from_preamble),
        ):
            if changed:
                yield Idle(name, "run_graph_cleaner is false, so that there are no host parts")
    if not config.enable_icr:
        for name in ("icrx_max_factor", "icrx_parallel_block_threshold"):
            if getattr(config, name) != getattr(Settings, name):
                yield Idle(name, "enable_icr is false")
    if config.tiling_depth == 1:
        for name in ("dfs_search_constraint", "split_buffer_promotion"):
            if getattr(config, name) != getattr(Settings, name):
                yield Idle(name, "tiling_depth is 1: there are no depth-first chains")
    if config.aipu_cores_used > 1:
        for name in ("use_list_scheduler", "use_sysdma"):
            if getattr(config, name):
                yield Idle(name, "it is for programs of one core, and aipu_cores_used is more")
    if config.model_debug_save_dir is not None and not config.quantization_debug:
        yield Idle("model_debug_save_dir", "it needs quantization_debug")
    if not config.randomize_onnx_model and not config.save_error_artifact:
        yield Idle("randomize_onnx_model", "it needs save_error_artifact")
    if config.profiling_drop_percentile != Settings.profiling_drop_percentile and not config.profiling_levels:
        yield Idle("profiling_drop_percentile", "it needs profiling_levels")
