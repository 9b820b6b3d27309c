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
Clipping = Literal["balanced", "least_squares", "entropy", "percentile"]
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
    activation_clipping: Clipping = setting(
        "quantization", "balanced", effect=True,
        meaning="how the schemes with histograms find a range: least squared error, in which clipped values count 0.7 "
        "times (balanced) or in full; least divergence of distributions (entropy); or 99.99 % of the values at each "
        "end. AXIR's own")
    weight_clipping: bool = setting(
        "quantization", False, effect=True,
        meaning="clip the weights of an output channel where that lowers their squared error. AXIR's own")
    bias_correction: bool = setting(
        "quantization", True, effect=True,
        meaning="biases of convolutions take back what rounding the weights adds on average. AXIR's own")
    cross_layer_equalization: bool = setting(
        "quantization", False, effect=True,
        meaning="scale weights so that channels between two convolutions have like ranges; not across a ReLU6. AXIR's "
        "own")
    activation_smoothing: float | None = setting(
        "quantization", None, low=0, high=1, effect=True,
        meaning="move ranges of channels from the results of normalizations into the weights behind them "
        "(SmoothQuant): 0.5 shares them equally, with 1 all channels of the activations get one range. AXIR's own")
    widened_layers: tuple[str, ...] = setting(
        "quantization", (), effect=True,
        meaning="layers, by the names that axc --sensitivity prints, whose results have 16 bits for what convolves, "
        "averages or adds them: as two tensors, each layer and what reads it computed twice. AXIR's own")
    onnx_opset_version: int = setting(
        "quantization", 17, low=17, effect=True,
        meaning="opset in which a PyTorch module given to quantize() or compile() is exported to ONNX")
    quantization_debug: bool = setting(
        "quantization", False, effect=True,
        meaning="write the float and the quantized network with every tensor as an output, and a table of the error of "
        "each layer on calibration samples, to quantized_model/debug")
    model_debug_save_dir: Path | None = setting(
        "quantization", None, effect=True,
        meaning="where quantization_debug writes instead; outside of the output folder")
    remove_io_quantization: bool = setting(
        "quantization", False, formerly=("remove_quantization_of_inputs_outputs_from_graph",), effect=True,
        meaning="the model takes and gives the device's int8 bytes, without quantizing and dequantizing on the host, "
        "wherever an input or output is the device's alone; what the host computes from or gives stays float")
    quantized_graph_export: bool = setting(
        "quantization", True, effect=True,
        meaning="write the folder quantized_model; compiler_mode quantize_only needs it")

    apply_pword_padding: bool = setting(
        "graph", True, effect=True,
        meaning="pad channels to a multiple of the vector word (PWORD, 64). false: a tensor whose channels are no "
        "multiple of it is an error, but for first-layer inputs packed to 4 bytes a pixel")
    rewrite_concat_to_resadd: bool = setting(
        "graph", True, effect=True,
        meaning="compute the parts of a concatenation in their padded, shifted places of one buffer (an addition of "
        "disjoint slots, which moves nothing). false: each part is computed apart, then copied")
    rewrite_dense_to_conv2d: bool = setting(
        "graph", True, effect=True,
        meaning="turn dense layers (Gemm, MatMul) of one row into convolutions. false: they stay, for the host where "
        "they are at an end of the network, else as an error")
    remove_io_padding_and_layout_transform: bool = setting(
        "graph", True, effect=True,
        meaning="leave input/output padding and NCHW<->NHWC to the host. false: the program takes and gives dense NCHW "
        "bytes, and DMA copies byte by byte, at best one a cycle")
    apply_arithmetic_simplification: bool = setting(
        "graph", True, effect=True,
        meaning="algebra that changes rounding: constants in a row merged, scales and shifts (batch norms too) folded "
        "into the weights and biases of the convolutions around them. false: they become convolutions of 1x1 of their "
        "own. What the device needs is done in any case: division as multiplication, activations recognized")
    simplify_mac_before_after_lut: bool = setting(
        "graph", True, effect=True,
        meaning="numbers around a table function f (sigmoid, tanh, erf, ...) that no convolution takes become "
        "one table, of c * f(a * x + b) + d. false: convolutions of 1x1 before and after f")
    validate_operators: bool = setting(
        "graph", True, effect=True,
        meaning="report together all operators left in the device's part that the device cannot run. false: the first "
        "later pass that cannot handle one reports it")

    run_graph_cleaner: bool = setting(
        "cleaner", True, effect=True,
        meaning="move what the device cannot run to the host: before and after the device's part, and as islands in "
        "the middle. false: every operator must run on the device")
    graph_cleaner_split_pre_post_processing: bool = setting(
        "cleaner", True, effect=True,
        meaning="the host's parts before and after the device are kept, as preamble.onnx and postamble.onnx. false: "
        "they are dropped, and the compiled model takes and gives the tensors of the device's part; a warning lists "
        "the operators. Islands stay")
    graph_cleaner_condition: CleanerCondition | None = setting(
        "cleaner", None, effect=True,
        meaning="forced split: the first graph_cleaner_node whose largest constant has more elements (or a larger "
        "first dimension) than graph_cleaner_threshold goes to the host, with all that depends on it, however much")
    graph_cleaner_node: Literal["MatMul", "Gemm", "Clip"] | None = setting(
        "cleaner", None, effect=True,
        meaning="type of that node in the model; a Clip has one element, its bound. Goes with graph_cleaner_condition")
    graph_cleaner_threshold: int = setting(
        "cleaner", 0, low=0, effect=True,
        meaning="what that constant must exceed; a warning says where none does. Goes with graph_cleaner_condition")
    graph_cleaner_dump_core_onnx: Path | None = setting(
        "cleaner", None, effect=True,
        meaning="write the device's part to this file, as ONNX in float; of several segments, the others to files with "
        "a number, such as core.1.onnx")
    graph_cleaner_dump_full_opt_onnx: Path | None = setting(
        "cleaner", None, effect=True,
        meaning="write the whole model to this file, optimized and not yet split, as ONNX in float")
    remove_layout_transform_from_preamble: bool = setting(
        "cleaner", False, effect=True,
        meaning="a model that begins with a transpose from NHWC to NCHW gets no preamble for it: the runtime feeds the "
        "NHWC array as it is, and model.json says so. A transpose that is not all its input is used for stays")

    aipu_cores_used: int = setting(
        "multicore", 1, aliases=("aipu_cores",), low=1, high=4, effect=True,
        meaning="cores that one instance of the program runs on")
    multicore_mode: Multicore = setting(
        "multicore", "multiprocess", effect=True,
        meaning="how cores share work: separate instances (fed by host_processes_used processes, or by threads of "
        "one), one batch item a core, one frame split over cores, or stages of a pipeline")

    pipeline_spatial_tiles: bool = setting(
        "schedule", True, formerly=("async_pipeline_spatial_tiles",), effect=True,
        meaning="software-pipeline the tiles along height: copies for one tile of rows overlap the work of another, "
        "and layers next to one of another unit are cut finer so that units overlap; false: one tile buffer, in turn")
    pipeline_channel_tiles: bool = setting(
        "schedule", True, formerly=("async_pipeline_channel_tiles",), effect=True,
        meaning="software-pipeline the tiles along output channels: the same where rows are cut into column blocks")
    inter_operator_async: bool = setting(
        "schedule", True, formerly=("async_inter_operator",), effect=True, meaning="overlap neighbouring operators")
    use_list_scheduler: bool = setting(
        "schedule", False, effect=True,
        meaning="resource-aware list scheduling: tries several orders of the tasks, copies on whichever DMA channel is "
        "free among them, and keeps the fastest on the device model; else the order of lowering")
    unroll_prologue_epilogue: bool = setting(
        "schedule", False, effect=True,
        meaning="unroll the first and last steps of software pipelines: all tiles are tasks of their own anyway; true "
        "cuts the first and the last row tile of a layer in two, so that its pipeline fills and drains sooner")
    use_hw_tokens: bool = setting(
        "schedule", True, effect=True,
        meaning="synchronise units through hardware tokens; else the control core dispatches tasks in program order "
        "and waits before each that must wait")
    group_ifdw_tasks: bool = setting(
        "schedule", False, effect=True,
        meaning="copy the constants of consecutive array layers whose weights fit the sets together in one transfer, "
        "and load them all when the first of them begins, into sets that are free by then")
    double_buffer: bool = setting(
        "schedule", True, effect=True,
        meaning="transfers of the neighbouring frames overlap with computing, and memory for a second set of input and "
        "output buffers is kept free. Recorded for the runtime, in the frame rates")
    host_processes_used: int = setting(
        "schedule", 1, low=1, effect=True,
        meaning="host processes that feed the instances and share the cost of calls, at most one an instance; recorded "
        "for the runtime, in the frame rates")

    max_memplan_attempts: int = setting(
        "tiling", 5, low=1, effect=True, meaning="rounds of the memory planner before it gives up with an error")
    max_tiling_attempts: int = setting(
        "tiling", 8, low=1, effect=True, meaning="rounds of tiling one operator before it gives up with an error")
    force_h_tiling: int | None = setting("tiling", None, low=1, effect=True, meaning="force the number of height tiles")
    force_oc_tiling: int | None = setting(
        "tiling", None, low=1, effect=True, meaning="force the number of output-channel tiles")
    tiling_depth: int = setting(
        "tiling", 1, low=1, effect=True,
        meaning="most operators fused into one depth-first chain, whose intermediates exist only as row tiles in L1; "
        "chains are formed where they take fewer modelled cycles, which is tried out: compiling takes seconds to a "
        "minute longer. 1 = off, 6 = usual")
    dfs_search_constraint: int | None = setting(
        "tiling", None, low=1, effect=True,
        meaning="most candidates (layers and number of tiles) that the search for chains looks at; none: 2000")

    enable_buffer_promotion: bool = setting(
        "memory", True, effect=True,
        meaning="move buffers up DDR->L2->L1 where they fit: intermediates to L1, inputs, outputs and constants to L2; "
        "false: every buffer stays in its pool")
    split_buffer_promotion: bool = setting(
        "memory", False, effect=True,
        meaning="form depth-first chains (tiling_depth) before buffers are promoted to L1, when chains have all of it, "
        "instead of after that, from what found no room there")
    io_memory_pool: Pool = setting(
        "memory", "global.ddr", effect=True,
        meaning="lowest memory for input and output buffers; what does not fit a pool in L2 or L1 is an error")
    constant_memory_pool: Pool = setting(
        "memory", "global.ddr", effect=True,
        meaning="lowest memory for constants; in global.l1 they stay there and are never copied")
    workspace_memory_pool: Pool = setting(
        "memory", "global.ddr", effect=True, meaning="lowest memory for intermediates")
    l1_constraint: int | None = setting("memory", None, low=0, unit="bytes", effect=True, meaning="most L1 to use")
    l2_constraint: int | None = setting("memory", None, low=0, unit="bytes", effect=True, meaning="most L2 to use")
    ddr_constraint: int | None = setting("memory", None, low=0, unit="bytes", effect=True, meaning="most DDR to use")
    use_sysdma: bool = setting(
        "memory", False, effect=True,
        meaning="system DMA moves constants DDR->L2 ahead of time and core DMA L2->L1, instead of core DMA DDR->L1, as "
        "far as L2 has room; constants that fill L2 make some")
    ignore_weight_buffers: bool = setting(
        "memory", True, effect=True,
        meaning="leave weight buffers out when row tiles are chosen: where L1 is short, weights come in smaller chunks "
        "before row tiles get finer; false: row tiles get finer first")
    dma_dual_channel: bool = setting("memory", True, effect=True, meaning="use both DMA channels")
    dpu_constants_home: Literal["global.ddr", "global.l2"] = setting(
        "memory", "global.l2", effect=True,
        meaning="home of the vector unit's constants (parameter blocks, tables), whatever that of weights. global.l2: "
        "L2 has room for them before weights, and DDR takes what does not fit; a higher constant_memory_pool prevails")
    dpu_instructions_home: Literal["default", "l2"] = setting(
        "memory", "default", effect=True,
        meaning="home of the queues whose descriptors hold vector programs (array and depthwise unit); default: as "
        "elf_in_ddr says")
    dwpu_instructions_home: Literal["default", "l2"] = setting(
        "memory", "default", effect=True,
        meaning="home of the depthwise unit's queue; default: as dpu_instructions_home and elf_in_ddr say")
    page_memory: bool = setting(
        "memory", True, effect=True,
        meaning="buffers, constants and descriptors in L2 and DDR start on pages and share none; a memory that whole "
        "pages overflow is packed by pwords, and the log says so. false: pwords")
    elf_in_ddr: bool = setting(
        "memory", True, effect=True,
        meaning="the program's descriptors live in DDR; false: in L2. They count against that memory's budget")
    stream_tasklist: bool = setting(
        "memory", True, effect=True,
        meaning="descriptors are fetched while they run; false: those in DDR are copied to L2 before each frame, which "
        "lengthens the launch and takes l2_size_reserved_tasklist of the L2 budget")

    mvm_utilization_limit: float = setting(
        "imc", 1.0, low=0.125, high=1.0, effect=True, meaning="share of the matrix array that may be active (power)")
    enable_icr: bool = setting(
        "imc", True, formerly=("in_core_replication",), effect=True,
        meaning="replicate weights inside the array for layers with few output channels")
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
    dpu_allocation_algorithm: Allocation = setting(
        "imc", "try_all", effect=True,
        meaning="register allocation of vector programs. lazy: one pass, fresh registers first; graph: colouring; "
        "backjump_recursive: search for the fewest copies; try_all: the one with the fewest cycles, steps, registers")
    softmax_neutral_value: float = setting(
        "imc", -100000.0, low=-1e18, high=1e18, effect=True,
        meaning="real value of the lanes behind the last channel of a softmax, up to a multiple of 64; it contributes "
        "nothing to the sum where it is more than 16 below the greatest input")

    frequency: int = setting(
        "hardware", 800_000_000, low=20_000_000, high=800_000_000, unit="Hz", effect=True, meaning="device clock")
    resources_used: float = setting(
        "hardware", 1.0, aliases=("resources",), above=0, high=1.0, multiple=0.25, effect=True,
        meaning="fraction of on-chip memory the program may use; at least a quarter for each core")
    input_dmabuf: bool = setting(
        "hardware", False, effect=True,
        meaning="inputs go to the device without a copy on the host; recorded for the runtime, in the frame rates")
    output_dmabuf: bool = setting(
        "hardware", False, effect=True,
        meaning="outputs come from the device without a copy on the host; recorded for the runtime, in the frame rates")

    profiling_levels: tuple[TraceLevel, ...] = setting(
        "profiling", (), effect=True,
        meaning="line types of compiled_model/trace.txt, the modelled run as text: [B] frame, [PB] and [PE] begin and "
        "end of a layer, [K] totals of a core, [M] memory traffic, [T] tasks, [?] stalls; with any, also profile.json")
    profiling_drop_percentile: float = setting(
        "profiling", 0.25, low=0, below=1, effect=True,
        meaning="share of a layer's task samples that profile.json drops as pipeline fill and drain: half of it from "
        "the first, half from the last")
    trace_tvm_passes: bool = setting(
        "profiling", False, aliases=("trace_passes",), effect=True,
        meaning="write compilation_trace.json: start, end and nesting of every stage and pass, in Chrome's trace event "
        "format")
    propagate_span_information: bool = setting(
        "profiling", True, effect=True,
        meaning="carry the names of ONNX nodes through the compiler; false: they are forgotten after the import, "
        "layers are named by operator and place (conv_12), in errors too")

    output_dir: Path | None = setting("output", None, effect=True, meaning="where artifacts are written")
    remove_output_dir: bool = setting(
        "output", False, effect=True,
        meaning="replace that directory whatever it holds; never the root, a mount point, the home or working "
        "directory, a parent of these, or a folder with an input of the compilation in it")
    model_name: str = setting(
        "output", "", effect=True, meaning="name for logs and for the choice of a shipped model config")
    save_error_artifact: bool = setting(
        "output", False, effect=True,
        meaning="on failure write error_artifact.zip: the last good IR, the commands that fail again, the settings, "
        "the message")
    randomize_onnx_model: bool = setting(
        "output", True, effect=True,
        meaning="in that archive every constant that training or calibration gave is random, single numbers excepted")

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
        "memory map", 1_048_576, low=0, unit="bytes", effect=True,
        meaning="L2 kept per core for the task list where stream_tasklist is false; a longer list is an error")
    ddr_size_used: int = setting("memory map", 1_073_741_824, low=0, unit="bytes", effect=True, meaning="DDR usable")
    ddr_size_max: int = setting(
        "memory map", 1_073_741_824, low=0, unit="bytes", effect=True,
        meaning="DDR of the device: the most that ddr_size_used can be, and its value where it is not given")
    ddr_size_reserved: int = setting(
        "memory map", 33_554_432, low=0, unit="bytes", effect=True, meaning="DDR kept for the system")
    l1_virtual_address: int = setting(
        "memory map", 206_175_207_424, low=0, below=1 << 63, effect=True,
        meaning="address of L1 as a core sees it: p_vaddr of the L1 program header in model.axm")
    l1_core0_physical_address: int = setting(
        "memory map", 402_653_184, low=0, below=1 << 63, effect=True,
        meaning="address of core 0's L1 as the system sees it: p_paddr of the same header")
    # fmt: on
