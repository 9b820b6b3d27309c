"""Every setting of the compiler, declared once: name, type, default, range, meaning, and whether it has an effect.

Names, defaults and ranges are those of the vendor's public compiler reference, so that existing configurations load.
Sizes are in bytes, the frequency in Hz.
"""

# ruff: noqa: RUF009 - `setting` makes a field descriptor, no default value
from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from axir.compiler.config.setting import setting

GROUPS = {
    "quantization": "Quantization",
    "graph": "Graph",
    "cleaner": "Host and device parts",
    "multicore": "Cores",
    "schedule": "Schedule",
    "tiling": "Tiling",
    "memory": "Memory",
    "imc": "Matrix array and vector unit",
    "hardware": "Hardware",
    "profiling": "Profiling",
    "output": "Output",
    "internal": "Internal",
    "memory map": "Memory map",
}

Pool = Literal["global.ddr", "global.l2", "global.l1"]
CleanerCondition = Literal["maximum_weight_tensor_size", "maximum_weight_tensor_first_dimension_size"]
Scheme = Literal["per_tensor_histogram", "per_tensor_min_max", "hybrid_per_tensor_per_channel"]
Multicore = Literal["multiprocess", "multithread", "batch", "cooperative", "pipeline"]
Allocation = Literal["graph", "lazy", "backjump_recursive", "try_all"]
TraceLevel = Literal["[?]", "[B]", "[PB]", "[PE]", "[K]", "[M]", "[T]"]


@dataclass(frozen=True, init=False)
class Settings:
    """The values; `CompilerConfig` adds how they come to be."""

    # fmt: off
    compiler_mode: Literal["quantize_and_lower", "quantize_only", "lower_only"] = setting(
        "quantization", "quantize_and_lower", effect=True,
        meaning="stop after quantization, start from a quantized model, or do both")
    quantization_scheme: Scheme = setting(
        "quantization", "per_tensor_histogram", aliases=("ptq_scheme",), effect=True,
        meaning="how activation ranges are observed; weights are always per output channel, min-max. hybrid: "
        "per-channel min-max for inputs of depthwise convolutions, histogram per tensor elsewhere")
    quantize_dw_channel_wise: bool = setting(
        "quantization", False, effect=True, meaning="depthwise convolutions quantized channel by channel")
    onnx_opset_version: int = setting(
        "quantization", 17, low=17, meaning="opset used when a PyTorch module is exported to ONNX first")
    quantization_debug: bool = setting(
        "quantization", False, meaning="write the quantized model for accuracy debugging")
    model_debug_save_dir: Path | None = setting("quantization", None, meaning="where that debug dump goes")
    remove_io_quantization: bool = setting(
        "quantization", False,
        meaning="drop quantize/dequantize at graph inputs and outputs: the program takes and gives int8")
    quantized_graph_export: bool = setting("quantization", True, meaning="write the quantized graph as a file")

    apply_pword_padding: bool = setting(
        "graph", True, meaning="pad channels to a multiple of the vector word (PWORD, 64)")
    rewrite_concat_to_resadd: bool = setting("graph", True, meaning="turn concatenation into padded, shifted addition")
    rewrite_dense_to_conv2d: bool = setting("graph", True, meaning="turn dense layers into 1x1 convolutions")
    remove_io_padding_and_layout_transform: bool = setting(
        "graph", True, meaning="leave input/output padding and NCHW<->NHWC to the host")
    apply_arithmetic_simplification: bool = setting(
        "graph", True, meaning="algebraic simplification; may change numerics")
    simplify_mac_before_after_lut: bool = setting(
        "graph", True, meaning="fold multiply-add into a neighbouring look-up table; may change numerics")
    validate_operators: bool = setting(
        "graph", True, meaning="check every operator against what the hardware can do before lowering")

    run_graph_cleaner: bool = setting("cleaner", True, meaning="move pre- and post-processing operators to the host")
    graph_cleaner_split_pre_post_processing: bool = setting(
        "cleaner", True, meaning="keep pre- and post-processing as separate host graphs")
    graph_cleaner_condition: CleanerCondition | None = setting(
        "cleaner", None, meaning="how to find a forced split point")
    graph_cleaner_node: Literal["MatMul", "Gemm", "Clip"] | None = setting(
        "cleaner", None, meaning="node type that the condition looks at")
    graph_cleaner_threshold: int = setting("cleaner", 0, low=0, meaning="threshold of that condition")
    graph_cleaner_dump_core_onnx: Path | None = setting("cleaner", None, meaning="write the core part as ONNX")
    graph_cleaner_dump_full_opt_onnx: Path | None = setting(
        "cleaner", None, meaning="write the cleaned whole model as ONNX")
    remove_layout_transform_from_preamble: bool = setting(
        "cleaner", False, meaning="drop a leading transpose/reshape where the input is NHWC already")

    aipu_cores_used: int = setting(
        "multicore", 1, aliases=("aipu_cores",), low=1, high=4, effect=True,
        meaning="cores that one instance of the program runs on; this version builds programs for 1")
    multicore_mode: Multicore = setting(
        "multicore", "multiprocess",
        meaning="how cores share work: separate instances, one batch item a core, one frame split over cores, or "
        "stages of a pipeline")

    pipeline_spatial_tiles: bool = setting(
        "schedule", True, effect=True, meaning="software-pipeline the tiles along height")
    pipeline_channel_tiles: bool = setting(
        "schedule", True, effect=True, meaning="software-pipeline the tiles along output channels")
    inter_operator_async: bool = setting("schedule", True, effect=True, meaning="overlap neighbouring operators")
    use_list_scheduler: bool = setting("schedule", False, meaning="resource-aware list scheduling")
    unroll_prologue_epilogue: bool = setting(
        "schedule", False, meaning="unroll the first and last steps of software pipelines")
    use_hw_tokens: bool = setting(
        "schedule", True, meaning="synchronise units through hardware tokens, not the control core")
    group_ifdw_tasks: bool = setting(
        "schedule", False, meaning="hoist weight loads into earlier free weight sets and merge their transfers")
    double_buffer: bool = setting("schedule", True, meaning="overlap host<->device transfers with compute")
    host_processes_used: int = setting("schedule", 1, low=1, meaning="host processes that feed the device")

    max_memplan_attempts: int = setting(
        "tiling", 5, low=1, effect=True, meaning="rounds of the memory planner before it gives up with an error")
    max_tiling_attempts: int = setting(
        "tiling", 8, low=1, effect=True, meaning="rounds of tiling one operator before it gives up with an error")
    force_h_tiling: int | None = setting("tiling", None, low=1, effect=True, meaning="force the number of height tiles")
    force_oc_tiling: int | None = setting(
        "tiling", None, low=1, effect=True, meaning="force the number of output-channel tiles")
    tiling_depth: int = setting(
        "tiling", 1, low=1, meaning="most operators fused into one depth-first chain; 1 = off, 6 = usual")
    dfs_search_constraint: int | None = setting("tiling", None, low=1, meaning="limit of the depth-first search")

    enable_buffer_promotion: bool = setting(
        "memory", True, meaning="move buffers up DDR->L2->L1 where they fit and pay")
    split_buffer_promotion: bool = setting(
        "memory", False, meaning="promote to L1 and to L2 in two passes with depth-first scheduling between")
    io_memory_pool: Pool = setting("memory", "global.ddr", meaning="first home of input/output buffers")
    constant_memory_pool: Pool = setting("memory", "global.ddr", meaning="first home of constants")
    workspace_memory_pool: Pool = setting("memory", "global.ddr", meaning="first home of intermediates")
    l1_constraint: int | None = setting("memory", None, low=0, unit="bytes", effect=True, meaning="most L1 to use")
    l2_constraint: int | None = setting("memory", None, low=0, unit="bytes", effect=True, meaning="most L2 to use")
    ddr_constraint: int | None = setting("memory", None, low=0, unit="bytes", effect=True, meaning="most DDR to use")
    use_sysdma: bool = setting(
        "memory", False, meaning="system DMA moves weights DDR->L2 and core DMA L2->L1, instead of core DMA DDR->L1")
    ignore_weight_buffers: bool = setting(
        "memory", True, meaning="leave weight buffers out when tiling factors are chosen")
    dma_dual_channel: bool = setting("memory", True, effect=True, meaning="use both DMA channels")
    dpu_constants_home: Literal["global.ddr", "global.l2"] = setting(
        "memory", "global.l2", meaning="home of vector-unit constants")
    dpu_instructions_home: Literal["default", "l2"] = setting(
        "memory", "default", meaning="home of vector-unit programs")
    dwpu_instructions_home: Literal["default", "l2"] = setting(
        "memory", "default", meaning="home of depthwise-unit programs")
    page_memory: bool = setting("memory", True, meaning="page L2 and DDR against fragmentation")
    elf_in_ddr: bool = setting("memory", True, meaning="keep the program image in DDR, not L2")
    stream_tasklist: bool = setting("memory", True, meaning="load the task list in chunks while it runs")

    mvm_utilization_limit: float = setting(
        "imc", 1.0, low=0.125, high=1.0, effect=True, meaning="share of the matrix array that may be active (power)")
    enable_icr: bool = setting(
        "imc", True, effect=True, meaning="replicate weights inside the array for layers with few output channels")
    icrx_force: int = setting("imc", -1, low=1, high=8, also=(-1,), effect=True, meaning="force the replication factor")
    icrx_parallel_block_threshold: int = setting(
        "imc", 4, low=1, high=4, effect=True, meaning="most parallel blocks for which replication is still applied")
    icrx_max_factor: int = setting(
        "imc", 8, low=2, high=8, effect=True, meaning="largest replication factor along image width")
    enable_swicr: bool = setting(
        "imc", True, effect=True, meaning="sub-word replication for first layers with few input channels")
    imc_double_buffer_pipeline: bool = setting(
        "imc", False, effect=True,
        meaning="load the next weights into a free weight set while computing, inside software pipelines")
    imc_double_buffer_sequential: bool = setting(
        "imc", False, effect=True, meaning="the same between operators in sequence")
    dpu_allocation_algorithm: Allocation = setting("imc", "try_all", meaning="register allocation of the vector unit")
    softmax_neutral_value: float = setting(
        "imc", -100000.0, meaning="padding value that contributes nothing to a softmax")

    frequency: int = setting(
        "hardware", 800_000_000, low=20_000_000, high=800_000_000, unit="Hz", effect=True, meaning="device clock")
    resources_used: float = setting(
        "hardware", 1.0, aliases=("resources",), above=0, high=1.0, multiple=0.25, effect=True,
        meaning="fraction of on-chip memory the program may use; at least a quarter for each core")
    input_dmabuf: bool = setting("hardware", False, meaning="zero-copy input transfer")
    output_dmabuf: bool = setting("hardware", False, meaning="zero-copy output transfer")

    profiling_levels: tuple[TraceLevel, ...] = setting("profiling", (), meaning="trace line types to record")
    profiling_drop_percentile: float = setting(
        "profiling", 0.25, low=0, below=1, meaning="share of first and last samples to drop")
    trace_tvm_passes: bool = setting(
        "profiling", False, aliases=("trace_passes",), meaning="record start, end and nesting of every compiler pass")
    propagate_span_information: bool = setting("profiling", True, meaning="carry source locations through the compiler")

    output_dir: Path | None = setting("output", None, effect=True, meaning="where artifacts are written")
    remove_output_dir: bool = setting("output", False, meaning="clean that directory first")
    model_name: str = setting(
        "output", "", effect=True, meaning="name for logs and for the choice of a shipped model config")
    save_error_artifact: bool = setting(
        "output", False, meaning="on failure write an archive with the last good IR, the config and the error")
    randomize_onnx_model: bool = setting("output", True, meaning="replace weights by random ones in that archive")

    compiler_dir: Path | None = setting("internal", None, meaning="internal path; accepted, no effect")
    runtime_dir: Path | None = setting("internal", None, meaning="internal path; accepted, no effect")
    device_dir: Path | None = setting("internal", None, meaning="internal path; accepted, no effect")

    l1_size_used: int = setting("memory map", 4_194_304, low=0, unit="bytes", effect=True, meaning="L1 a core")
    l1_size_reserved: int = setting(
        "memory map", 524_288, low=0, unit="bytes", effect=True, meaning="L1 kept for the system")
    l2_size_used: int = setting("memory map", 33_554_432, low=0, unit="bytes", effect=True, meaning="L2 shared")
    l2_size_reserved: int = setting(
        "memory map", 1_245_184, low=0, unit="bytes", effect=True, meaning="L2 kept for the system")
    l2_size_reserved_tasklist: int = setting(
        "memory map", 1_048_576, low=0, unit="bytes", meaning="L2 kept per core for the task list")
    ddr_size_used: int = setting("memory map", 1_073_741_824, low=0, unit="bytes", effect=True, meaning="DDR usable")
    ddr_size_max: int = setting("memory map", 1_073_741_824, low=0, unit="bytes", meaning="DDR in all")
    ddr_size_reserved: int = setting(
        "memory map", 33_554_432, low=0, unit="bytes", effect=True, meaning="DDR kept for the system")
    l1_virtual_address: int = setting("memory map", 206_175_207_424, low=0, meaning="virtual address of L1")
    l1_core0_physical_address: int = setting(
        "memory map", 402_653_184, low=0, meaning="physical address of core 0's L1")
    # fmt: on
