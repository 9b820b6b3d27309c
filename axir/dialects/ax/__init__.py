"""`ax`, the graph: float tensors in ONNX's meaning, static shapes, every default made explicit.

Operators keep the operand order and the attribute names of ONNX (https://onnx.ai/onnx/operators). Windows are
`[height, width]`, pads `[top, left, bottom, right]`. Each operator knows its result type (`infer`), which builders use
and verifiers compare with. `ax.onnx` carries an ONNX node that no operator here describes; only a host part may keep
it.
"""

from xdsl.ir import Dialect

from axir.dialects.ax.activations import (
    ClipOp,
    HardSigmoidOp,
    HardSwishOp,
    LeakyReluOp,
    PReluOp,
    ReluOp,
    SigmoidOp,
    SiluOp,
    TableOp,
    TanhOp,
    UnaryFunctionOp,
)
from axir.dialects.ax.attention import HeadMatMulOp
from axir.dialects.ax.elementwise import AddOp, DivOp, MaxOp, MinOp, MulOp, SubOp
from axir.dialects.ax.function import FUNCTION_STEPS, FUNCTIONS, Function, FunctionAttr
from axir.dialects.ax.kinds import BinaryOp, EpilogueOp, UnaryOp
from axir.dialects.ax.movement import (
    BlockOrder,
    BlockOrderAttr,
    ConcatOp,
    DepthToSpaceOp,
    ExpandOp,
    GatherOp,
    PadMode,
    PadModeAttr,
    PadOp,
    RearrangeOp,
    ReshapeOp,
    SliceOp,
    SpaceToDepthOp,
    TransposeOp,
)
from axir.dialects.ax.normalization import BatchNormOp, NormalizeOp, SoftmaxOp
from axir.dialects.ax.pooling import (
    AvgPoolOp,
    GlobalAvgPoolOp,
    GlobalMaxPoolOp,
    GlobalPoolOp,
    MaxPoolOp,
    ReduceKind,
    ReduceKindAttr,
    ReduceOp,
)
from axir.dialects.ax.products import ConvOp, ConvTransposeOp, GemmOp, MatMulOp
from axir.dialects.ax.resize import (
    Coordinates,
    CoordinatesAttr,
    ResizeMode,
    ResizeModeAttr,
    ResizeOp,
    Rounding,
    RoundingAttr,
)
from axir.dialects.ax.structure import ConstantOp, GraphOp, OnnxOp, ReturnOp
from axir.dialects.epilogue import EpilogueAttr
from axir.dialects.stats import StatsAttr
from axir.ir.constants import WeightAttr

Ax = Dialect(
    "ax",
    [
        GraphOp, ReturnOp, ConstantOp, OnnxOp, ConvOp, ConvTransposeOp, GemmOp, MatMulOp, HeadMatMulOp, BatchNormOp,
        NormalizeOp, MaxPoolOp, AvgPoolOp, GlobalAvgPoolOp, GlobalMaxPoolOp, ReduceOp, AddOp, SubOp, MulOp, DivOp,
        MaxOp, MinOp, ReluOp, SigmoidOp, TanhOp, SiluOp, HardSwishOp, TableOp, UnaryFunctionOp, HardSigmoidOp,
        LeakyReluOp, ClipOp, PReluOp, SoftmaxOp, ConcatOp, SliceOp, PadOp, ReshapeOp, TransposeOp, RearrangeOp,
        GatherOp, ExpandOp, DepthToSpaceOp, SpaceToDepthOp, ResizeOp,
    ],
    [
        WeightAttr, StatsAttr, EpilogueAttr, FunctionAttr, ReduceKindAttr, PadModeAttr, BlockOrderAttr,
        ResizeModeAttr, CoordinatesAttr, RoundingAttr,
    ],
)  # fmt: skip

__all__ = [
    "FUNCTIONS",
    "FUNCTION_STEPS",
    "AddOp",
    "AvgPoolOp",
    "Ax",
    "BatchNormOp",
    "BinaryOp",
    "BlockOrder",
    "BlockOrderAttr",
    "ClipOp",
    "ConcatOp",
    "ConstantOp",
    "ConvOp",
    "ConvTransposeOp",
    "Coordinates",
    "CoordinatesAttr",
    "DepthToSpaceOp",
    "DivOp",
    "EpilogueOp",
    "ExpandOp",
    "Function",
    "FunctionAttr",
    "GatherOp",
    "GemmOp",
    "GlobalAvgPoolOp",
    "GlobalMaxPoolOp",
    "GlobalPoolOp",
    "GraphOp",
    "HardSigmoidOp",
    "HardSwishOp",
    "HeadMatMulOp",
    "LeakyReluOp",
    "MatMulOp",
    "MaxOp",
    "MaxPoolOp",
    "MinOp",
    "MulOp",
    "NormalizeOp",
    "OnnxOp",
    "PReluOp",
    "PadMode",
    "PadModeAttr",
    "PadOp",
    "RearrangeOp",
    "ReduceKind",
    "ReduceKindAttr",
    "ReduceOp",
    "ReluOp",
    "ReshapeOp",
    "ResizeMode",
    "ResizeModeAttr",
    "ResizeOp",
    "ReturnOp",
    "Rounding",
    "RoundingAttr",
    "SigmoidOp",
    "SiluOp",
    "SliceOp",
    "SoftmaxOp",
    "SpaceToDepthOp",
    "StatsAttr",
    "SubOp",
    "TableOp",
    "TanhOp",
    "TransposeOp",
    "UnaryFunctionOp",
    "UnaryOp",
]
