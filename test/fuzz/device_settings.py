"""Random values for every setting that a device pass takes."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st
from setting_values import consistent

from axir.passes.lowering.registers import ALGORITHMS

POOLS = st.sampled_from([*["global.ddr"] * 4, "global.l2", "global.l2", "global.l1"])
ON_OR_OFF = (
    "dma_dual_channel",
    "double_buffer",
    "elf_in_ddr",
    "enable_buffer_promotion",
    "enable_icr",
    "enable_swicr",
    "group_ifdw_tasks",
    "ignore_weight_buffers",
    "imc_double_buffer_pipeline",
    "imc_double_buffer_sequential",
    "inter_operator_async",
    "page_memory",
    "pipeline_channel_tiles",
    "pipeline_spatial_tiles",
    "remove_io_padding_and_layout_transform",
    "rewrite_concat_to_resadd",
    "split_buffer_promotion",
    "stream_tasklist",
    "unroll_prologue_epilogue",
    "use_hw_tokens",
    "use_list_scheduler",
    "use_sysdma",
)

DEVICE_SETTINGS: dict[str, st.SearchStrategy[Any]] = {
    **{name: st.booleans() for name in ON_OR_OFF},
    "constant_memory_pool": POOLS,
    "ddr_constraint": st.sampled_from([None, None, None, 100_000, 1_000_000]),
    "dfs_search_constraint": st.sampled_from([None, 2]),
    "dpu_allocation_algorithm": st.sampled_from(ALGORITHMS),
    "dpu_constants_home": st.sampled_from(["global.ddr", "global.l2"]),
    "dpu_instructions_home": st.sampled_from(["default", "l2"]),
    "dwpu_instructions_home": st.sampled_from(["default", "l2"]),
    "force_h_tiling": st.sampled_from([None, None, None, 2, 3, 100]),
    "force_oc_tiling": st.sampled_from([None, None, 2]),
    "icrx_force": st.sampled_from([-1, -1, 1, 2, 8]),
    "icrx_max_factor": st.sampled_from([2, 3, 8]),
    "icrx_parallel_block_threshold": st.integers(1, 4),
    "io_memory_pool": POOLS,
    "l1_constraint": st.sampled_from([3_000, 12_000, 40_000, 150_000, 600_000, None, None]),
    "l2_constraint": st.sampled_from([0, 20_000, 200_000, 1_000_000, None, None]),
    "l2_size_reserved_tasklist": st.sampled_from([1 << 13, 1 << 16]),
    "max_memplan_attempts": st.sampled_from([1, 5]),
    "max_tiling_attempts": st.sampled_from([1, 8]),
    "mvm_utilization_limit": st.sampled_from([0.125, 0.5, 1.0]),
    "resources_used": st.sampled_from([0.25, 1.0]),
    "tiling_depth": st.sampled_from([1, 3, 6]),
    "workspace_memory_pool": POOLS,
}

NOT_DRAWN = (
    "apply_pword_padding", "l1_virtual_address", "l1_core0_physical_address", "aipu_cores_used", "multicore_mode",
)  # fmt: skip
"""The first, where false, only refuses networks; two are numbers for a program header that nothing reads; several cores
have tests of their own (test_cores.py)."""


def device_settings(**instead: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """A consistent set of settings; `instead` are other values for some of them."""
    return st.fixed_dictionaries({**DEVICE_SETTINGS, **instead}).filter(consistent)
