"""Runs an `ax.onnx` operation: its node alone, by ONNX Runtime or, where that cannot, ONNX's reference evaluator."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, cast

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from onnx import helper
from onnx.reference import ReferenceEvaluator

from axir.dialects import ax, base
from axir.frontends.onnx.infer import IR_VERSION
from axir.frontends.onnx.node_proto import decode_node
from axir.ir.constants import numpy_dtype
from axir.ir.diagnostics import AxirError
from axir.ir.store import WeightStore

Array = NDArray[Any]


def run_onnx(op: ax.OnnxOp, arguments: Sequence[Array], store: WeightStore) -> list[Array]:
    """The results of the node. Raises `AxirError` where neither evaluator can run it."""
    model = _model(op, store)
    feeds = {f"i{index}": argument for index, argument in enumerate(arguments)}
    try:
        results = cast("list[object]", _session(model).run(None, feeds))
    except Exception as unable:  # ONNX Runtime's exceptions share no base class
        try:
            with np.errstate(all="ignore"):
                results = cast("list[object]", ReferenceEvaluator(model).run(None, feeds))
        except Exception as error:
            raise AxirError(
                f"{op.kind.data} cannot be run on the host: {str(error).strip() or type(error).__name__}",
                op=op,
                notes=(f"ONNX Runtime says: {str(unable).strip()}",),
            ) from None
    return [np.asarray(result) for result in results]


def _model(op: ax.OnnxOp, store: WeightStore) -> bytes:
    node = decode_node(op, store)
    values = [*zip(filter(None, node.input), op.arguments, strict=True), *zip(node.output, op.outputs, strict=True)]
    infos = {
        name: helper.make_tensor_value_info(
            name, helper.np_dtype_to_tensor_dtype(numpy_dtype(base.tensor_of(v).element_type)), base.shape_of(v)
        )
        for name, v in values
    }
    inputs = [infos[name] for name in node.input if name]
    graph = helper.make_graph([node], "node", inputs, [infos[name] for name in node.output])
    opset = helper.make_opsetid(op.domain.data, op.opset.value.data)
    return helper.make_model(graph, opset_imports=[opset], ir_version=IR_VERSION).SerializeToString(deterministic=True)


@lru_cache(maxsize=64)
def _session(model: bytes) -> onnxruntime.InferenceSession:
    options = cast(Any, onnxruntime).SessionOptions()
    options.log_severity_level = 4  # errors are raised as well
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
