"""Legal and illegal values of every setting, for the tests of the configuration."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from axir.compiler.config import CompilerConfig, settings_table
from axir.ir.diagnostics import AxirError

BOOL = ([True, False], [1, 0, "true", "yes", None, [], 1.0])
PATH = (["a b/c.onnx", "~/x", "ü"], ["", 1, True, ["x"]])
BYTES = ([0, 1, 123_456_789, 1 << 40], [-1, 1.5, "1", True, None, 1.0])
OPTIONAL_BYTES = ([0, 1, 1 << 40, None], [-1, 1.5, "1", True])
COUNT = ([1, 2, 1000], [0, -1, 1.5, "2", False, None])
OPTIONAL_COUNT = ([1, 2, 1000, None], [0, -1, 1.5, "2", False])


def size(least: int) -> tuple[list[Any], list[Any]]:
    """A size of memory that has to exceed what is reserved of it."""
    return [least, 1 << 40], [-1, 0.5, "1", True, None]


def one_of(*values: Any) -> tuple[list[Any], list[Any]]:
    wrong: list[Any] = ["", "?", values[0].upper() if values[0].upper() != values[0] else "x", 1, True, [values[0]]]
    return list(values), wrong if None in values else [*wrong, None]


POOLS = one_of("global.ddr", "global.l2", "global.l1")
CASES: dict[str, tuple[list[Any], list[Any]]] = {
    "compiler_mode": one_of("quantize_and_lower", "quantize_only", "lower_only"),
    "quantization_scheme": one_of("per_tensor_histogram", "per_tensor_min_max", "hybrid_per_tensor_per_channel"),
    "activation_clipping": one_of("balanced", "least_squares", "entropy", "percentile"),
    "activation_smoothing": ([0, 0.0, 0.5, 1.0, 1, None], [-0.1, 1.01, 2, "0.5", True, [0.5]]),
    "widened_layers": ([[], ["conv1"], ["a/b", "c"]], ["conv1", 1, None, True, [1]]),
    "onnx_opset_version": ([17, 18, 21], [16, 0, -1, 17.0, "17", None, True]),
    "model_debug_save_dir": ([*PATH[0], None], PATH[1]),
    "graph_cleaner_condition": one_of("maximum_weight_tensor_size", "maximum_weight_tensor_first_dimension_size", None),
    "graph_cleaner_node": one_of("MatMul", "Gemm", "Clip", None),
    "graph_cleaner_threshold": BYTES,
    "graph_cleaner_dump_core_onnx": ([*PATH[0], None], PATH[1]),
    "graph_cleaner_dump_full_opt_onnx": ([*PATH[0], None], PATH[1]),
    "aipu_cores_used": ([1, 2, 3, 4], [0, 5, -1, 1.0, 1.5, "4", True, None]),
    "multicore_mode": one_of("multiprocess", "multithread", "batch", "cooperative", "pipeline"),
    "host_processes_used": COUNT,
    "max_memplan_attempts": COUNT,
    "max_tiling_attempts": COUNT,
    "force_h_tiling": OPTIONAL_COUNT,
    "force_oc_tiling": OPTIONAL_COUNT,
    "tiling_depth": COUNT,
    "dfs_search_constraint": OPTIONAL_COUNT,
    "io_memory_pool": POOLS,
    "constant_memory_pool": POOLS,
    "workspace_memory_pool": POOLS,
    "l1_constraint": OPTIONAL_BYTES,
    "l2_constraint": OPTIONAL_BYTES,
    "ddr_constraint": OPTIONAL_BYTES,
    "dpu_constants_home": one_of("global.ddr", "global.l2"),
    "dpu_instructions_home": one_of("default", "l2"),
    "dwpu_instructions_home": one_of("default", "l2"),
    "mvm_utilization_limit": ([0.125, 0.5, 1.0, 1], [0.124, 1.001, 0, -0.5, 2, "0.5", True, None]),
    "icrx_force": ([-1, 1, 4, 8], [0, -2, 9, 1.0, "1", True, None]),
    "icrx_parallel_block_threshold": ([1, 2, 3, 4], [0, 5, "1", None, 1.5]),
    "icrx_max_factor": ([2, 5, 8], [1, 9, "2", None, 2.5]),
    "dpu_allocation_algorithm": one_of("graph", "lazy", "backjump_recursive", "try_all"),
    "softmax_neutral_value": ([-1e5, -1.5, 0, 3.25], [1e19, "-1", None, True, [1.0]]),
    "frequency": ([20_000_000, 123_456_789, 800_000_000], [19_999_999, 800_000_001, 0, -1, 5e8, "1", None]),
    "resources_used": ([0.25, 0.5, 0.75, 1.0, 1], [0.3, 0, 0.0, -0.25, 1.25, 2, 0.249, "0.5", True, None]),
    "profiling_levels": (
        [[], ["[B]"], ["[?]", "[B]", "[PB]", "[PE]", "[K]", "[M]", "[T]"]],
        [["[X]"], ["[B]", 1], ["B"], "[B]", 1, None, True],
    ),
    "profiling_drop_percentile": ([0, 0.0, 0.25, 0.999], [1.0, 1, -0.1, 2, "0.5", None, False]),
    "output_dir": ([*PATH[0], None], PATH[1]),
    "model_name": (["", "x", 'a "b" \\ ü'], [1, True, None, ["x"], 1.5]),
    "compiler_dir": ([*PATH[0], None], PATH[1]),
    "runtime_dir": ([*PATH[0], None], PATH[1]),
    "device_dir": ([*PATH[0], None], PATH[1]),
    "l1_size_used": size(600_000),
    "l1_size_reserved": BYTES,
    "l2_size_used": size(8_000_000),
    "l2_size_reserved": BYTES,
    "l2_size_reserved_tasklist": BYTES,
    "ddr_size_used": size(600_000_000),
    "ddr_size_max": size(1_073_741_824),
    "ddr_size_reserved": BYTES,
    "l1_virtual_address": BYTES,
    "l1_core0_physical_address": BYTES,
}
"""Legal and illegal values; the settings that are missing are true or false."""

SEVERAL_CORES = ("batch", "cooperative", "pipeline")


def cases() -> dict[str, tuple[list[Any], list[Any]]]:
    return {name: CASES.get(name, BOOL) for name in settings_table()}


def companions(name: str, value: Any) -> dict[str, Any]:
    """What else must be set so that a legal value contradicts nothing."""
    if name == "multicore_mode" and value in SEVERAL_CORES:
        return {"aipu_cores_used": 2}
    if name == "icrx_max_factor":
        return {"icrx_force": -1}
    large = 1 << 41
    return {
        "l1_size_reserved": {"l1_size_used": large},
        "l2_size_reserved": {"l2_size_used": large},
        "l2_size_reserved_tasklist": {"l2_size_used": 8 * large},
        "ddr_size_reserved": {"ddr_size_used": large, "ddr_size_max": large},
        "ddr_size_used": {"ddr_size_max": large},
    }.get(name, {})


CONTRADICTORY = (
    "compiler_mode",
    "aipu_cores_used",
    "multicore_mode",
    "resources_used",
    "enable_icr",
    "icrx_force",
    "icrx_max_factor",
)
"""Settings whose legal values may contradict those of others; so may the sizes of memories."""


def harmless() -> list[str]:
    """Settings that go together with all values of all others."""
    return [name for name in settings_table() if name not in CONTRADICTORY and "_size_" not in name]


def values(name: str) -> st.SearchStrategy[Any]:
    """A legal value."""
    return st.sampled_from(cases()[name][0])


def settings_subset(max_size: int = 12) -> st.SearchStrategy[dict[str, Any]]:
    """Legal values for some settings, which contradict nothing."""
    names = st.lists(st.sampled_from(harmless()), unique=True, max_size=max_size)
    drawn = names.flatmap(lambda names: st.fixed_dictionaries({name: values(name) for name in names}))
    return drawn.filter(consistent)


def consistent(settings: dict[str, Any]) -> bool:
    try:
        CompilerConfig(**settings)
    except AxirError:
        return False
    return True
