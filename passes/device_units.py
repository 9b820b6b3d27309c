"""Which units of a core run an operator that the device can run: documentation, for docs/operators.md."""

from __future__ import annotations

from xdsl.ir import Operation

from axir.dialects import ax

ARRAY, DEPTHWISE, COPIES = "matrix array", "depthwise unit", "copies (DMA)"
VECTOR = "vector unit"
EPILOGUE = f"{VECTOR}, in the epilogue of what computes its input; else behind the depthwise unit"

UNITS: dict[type[Operation], str] = {
    ax.ConvOp: f"{ARRAY}; {DEPTHWISE} with one channel a group",
    ax.ConvTransposeOp: f"{ARRAY}; {DEPTHWISE} with one channel a group",
    ax.GemmOp: ARRAY,
    ax.HeadMatMulOp: ARRAY,
    ax.MatMulOp: ARRAY,
    ax.HeadMatMulOp: ARRAY,
    ax.NormalizeOp: VECTOR,
    ax.MaxPoolOp: DEPTHWISE,
    ax.AvgPoolOp: DEPTHWISE,
    ax.GlobalAvgPoolOp: DEPTHWISE,
    ax.GlobalMaxPoolOp: DEPTHWISE,
    ax.ReduceOp: DEPTHWISE,
    ax.AddOp: EPILOGUE,
    ax.SubOp: EPILOGUE,
    ax.MulOp: EPILOGUE,
    ax.DivOp: EPILOGUE,
    ax.MaxOp: EPILOGUE,
    ax.MinOp: EPILOGUE,
    ax.ReluOp: EPILOGUE,
    ax.ClipOp: EPILOGUE,
    ax.LeakyReluOp: EPILOGUE,
    ax.PReluOp: EPILOGUE,
    ax.HardSigmoidOp: EPILOGUE,
    ax.HardSwishOp: EPILOGUE,
    ax.SigmoidOp: EPILOGUE,
    ax.SiluOp: EPILOGUE,
    ax.TanhOp: EPILOGUE,
    ax.TableOp: EPILOGUE,
    ax.UnaryFunctionOp: EPILOGUE,
    ax.SoftmaxOp: VECTOR,
    ax.ConcatOp: f"none, or {COPIES}: producers write into one storage",
    ax.SliceOp: f"none (a view), or {COPIES}",
    ax.PadOp: COPIES,
    ax.ReshapeOp: COPIES,
    ax.TransposeOp: COPIES,
    ax.RearrangeOp: COPIES,
    ax.GatherOp: COPIES,
    ax.ExpandOp: COPIES,
    ax.DepthToSpaceOp: COPIES,
    ax.SpaceToDepthOp: COPIES,
    ax.ResizeOp: DEPTHWISE,
}


def units(kind: type[Operation]) -> str:
    """The units, as text."""
    return UNITS.get(kind, "the device")
