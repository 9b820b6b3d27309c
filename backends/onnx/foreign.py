"""`ax.onnx` operations as ONNX nodes again, brought to the version of the exported model."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import onnx
from onnx import ModelProto, NodeProto, helper, numpy_helper, version_converter

from axir.backends.onnx.emitter import Emitter
from axir.dialects import ax, base
from axir.frontends.onnx.node_proto import decode_node
from axir.frontends.onnx.tensors import onnx_type
from axir.ir.constants import constant_array
from axir.ir.diagnostics import AxirError
from axir.ir.store import WeightStore


def is_standard(op: ax.OnnxOp) -> bool:
    return op.domain.data in ("", "ai.onnx")


def emit_foreign(e: Emitter, op: ax.OnnxOp, inputs: Sequence[str], outputs: Sequence[str], store: WeightStore) -> None:
    """Append the node of `op`. A standard operator of an older version than the model's is converted.

    Raises `AxirError` where ONNX cannot convert it.
    """
    node = decode_node(op, store)
    names = dict(zip([f"i{i}" for i in range(len(inputs))], inputs, strict=True))
    names |= dict(zip([f"o{i}" for i in range(len(outputs))], outputs, strict=True))
    if not is_standard(op) or op.opset.value.data == e.opset:
        nodes = [node]
    elif op.kind.data == "Upsample" or (op.kind.data == "Resize" and op.opset.value.data == 10):
        nodes = [_resize(e, node)]
    else:
        converted = _converted(op, node, e.opset, store)
        nodes = list(converted.graph.node)
        for tensor in converted.graph.initializer:
            if tensor.name not in names:
                names[tensor.name] = e.initializer("constant", numpy_helper.to_array(tensor))
    for part in nodes:
        for name in part.output:
            if name and name not in names:
                names[name] = e.tensor(f"{e.base}/{part.op_type}")
        part.input[:] = [names.get(name, name) for name in part.input]
        part.output[:] = [names.get(name, name) for name in part.output]
        e.append(part)


def _resize(e: Emitter, node: NodeProto) -> NodeProto:
    """Resize of version 11 or later for Upsample and for Resize of version 10.

    Written here because ONNX's converter (1.23) forgets that these have asymmetric coordinates and round down.
    """
    attributes = {attribute.name: helper.get_attribute_value(attribute) for attribute in node.attribute}
    if "scales" in attributes:
        scales = e.initializer("scales", np.asarray(attributes["scales"], np.float32))
    else:
        scales = node.input[1]
    return helper.make_node(
        "Resize",
        [node.input[0], "", scales],
        node.output,
        mode=attributes.get("mode", b"nearest"),
        coordinate_transformation_mode="asymmetric",
        nearest_mode="floor",
    )


def _converted(op: ax.OnnxOp, node: NodeProto, opset: int, store: WeightStore) -> ModelProto:
    """A model of the node alone in version `opset`; operands that are constants are initializers in it."""
    graph = helper.make_graph([node], "node", [], [])
    for index, value in enumerate(op.arguments):
        kind, shape = onnx_type(base.tensor_of(value).element_type), base.shape_of(value)
        graph.input.append(helper.make_tensor_value_info(f"i{index}", kind, shape))
        if isinstance(value.owner, ax.ConstantOp):
            array = constant_array(value.owner.value, store, value.owner)
            graph.initializer.append(numpy_helper.from_array(array, f"i{index}"))
    for index, value in enumerate(op.outputs):
        kind, shape = onnx_type(base.tensor_of(value).element_type), base.shape_of(value)
        graph.output.append(helper.make_tensor_value_info(f"o{index}", kind, shape))
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", op.opset.value.data)])
    if op.kind.data == "Hardmax" and op.opset.value.data < 13:
        # ONNX's converter (1.23) leaves it as it is, though version 13 gave its axis another meaning.
        raise _inconvertible(op, opset, "its axis means something else there")
    try:
        converted = version_converter.convert_version(model, opset)
        onnx.checker.check_model(converted)
        return converted
    except Exception as error:  # C++ exceptions of several kinds
        raise _inconvertible(op, opset, (str(error).strip() or type(error).__name__).split("\n", 1)[0]) from None


def _inconvertible(op: ax.OnnxOp, opset: int, reason: str) -> AxirError:
    return AxirError(
        f"{op.kind.data} of operator set {op.opset.value.data} cannot be brought to {opset}: {reason}",
        op=op,
        notes=(f"export the model with opset_version={opset}",),
    )
