"""Result types of single nodes, by ONNX's own shape inference."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import onnx
from onnx import NodeProto, TypeProto, helper, numpy_helper, shape_inference
from xdsl.dialects.builtin import TensorType

from axir.frontends.onnx.load import first_line
from axir.frontends.onnx.tensors import Array, Tensor, onnx_type

IR_VERSION = 10
"""The file format of operator set 21, for models of one node that ONNX or ONNX Runtime look at."""

_KNOWN_VALUE_LIMIT = 1024
"""Constants of at most this many elements can be shapes or axes, so that inference gets to see their values."""

Inferred = tuple[int, tuple[int, ...] | None]
"""ONNX element type (0 if unknown), and shape where all dimensions are known."""


def infer(node: NodeProto, inputs: Sequence[Array | Tensor | None], opsets: Mapping[str, int]) -> list[Inferred]:
    """Types of all outputs of `node`, which gets constants or values of a type, or None where it omits an input.

    Raises `ValueError` where ONNX finds that the inputs or attributes do not fit the operator.
    """
    _check_attributes(node, inputs)
    model = one_node_model(node, inputs, opsets)
    try:
        inferred = shape_inference.infer_shapes(model, check_type=True, strict_mode=True)
    except shape_inference.InferenceError as error:
        raise ValueError(first_line(error).rpartition("] ")[2]) from None
    except MemoryError:
        raise ValueError("ONNX runs out of memory over its shape") from None
    return [static_type(output.type) for output in inferred.graph.output]


def _check_attributes(node: NodeProto, inputs: Sequence[Array | Tensor | None]) -> None:
    """What ONNX takes on trust, and then reads or allocates beyond all bounds."""
    ranks = [len(v.get_shape()) if isinstance(v, TensorType) else v.ndim for v in inputs if v is not None]
    for attribute in node.attribute:
        if attribute.name in ("axis", "batch_dims") and abs(attribute.i) > max(ranks, default=0) + 1:
            raise ValueError(f"{attribute.name} {attribute.i} is outside of rank {max(ranks, default=0)}")
        if attribute.name == "batch_dims" and attribute.i < 0:
            raise ValueError(f"batch_dims is {attribute.i}")
        if attribute.name == "num_outputs" and attribute.i != len(node.output):
            raise ValueError(f"num_outputs is {attribute.i}, the node has {len(node.output)} outputs")


def one_node_model(
    node: NodeProto, inputs: Sequence[Array | Tensor | None], opsets: Mapping[str, int]
) -> onnx.ModelProto:
    """A model of `node` alone, its inputs named `i0`, `i1`, ... and its outputs `o0`, `o1`, ...

    Small constants are initializers, larger ones are inputs like the values that are not known yet.
    """
    alone = NodeProto()
    alone.CopyFrom(node)
    del alone.input[:], alone.output[:]
    alone.input.extend("" if value is None else f"i{i}" for i, value in enumerate(inputs))
    alone.output.extend(f"o{i}" for i in range(len(node.output)))
    graph = helper.make_graph([alone], "node", [], [onnx.ValueInfoProto(name=name) for name in alone.output])
    for name, value in zip(alone.input, inputs, strict=True):
        if value is None:
            continue
        if isinstance(value, TensorType):
            kind = onnx_type(value.element_type)
            graph.input.append(helper.make_tensor_value_info(name, kind, value.get_shape()))
        elif value.size <= _KNOWN_VALUE_LIMIT:
            graph.initializer.append(numpy_helper.from_array(value, name))
        else:
            kind = helper.np_dtype_to_tensor_dtype(value.dtype)
            graph.input.append(helper.make_tensor_value_info(name, kind, value.shape))
    imports = [helper.make_opsetid(domain, version) for domain, version in opsets.items()]
    return helper.make_model(graph, opset_imports=imports, ir_version=IR_VERSION)


def static_type(value: TypeProto) -> Inferred:
    """What a declaration of a tensor says; nothing for other types."""
    if not value.HasField("tensor_type"):
        return 0, None
    tensor = value.tensor_type
    sizes = [dim.dim_value if dim.HasField("dim_value") else -1 for dim in tensor.shape.dim]
    known = tensor.HasField("shape") and min(sizes, default=0) >= 0
    return tensor.elem_type, tuple(sizes) if known else None
