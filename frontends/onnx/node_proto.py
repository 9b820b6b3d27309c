"""ONNX nodes as `ax.onnx` operations, and back."""

from __future__ import annotations

from pathlib import Path
from typing import cast

from onnx import AttributeProto, NodeProto, TensorProto, helper, numpy_helper
from xdsl.dialects.builtin import (
    AnyFloat,
    ArrayAttr,
    DenseArrayBase,
    DenseIntOrFPElementsAttr,
    DictionaryAttr,
    FloatAttr,
    IntegerAttr,
    StringAttr,
    f64,
)
from xdsl.ir import Attribute

from axir.dialects import ax, base
from axir.frontends.onnx.tensors import READ_AS_F32, graph_array, tensor_array
from axir.ir.constants import WeightAttr, constant_array, constant_attr
from axir.ir.store import WeightStore

_NAMES_A_TYPE = frozenset({"to", "dtype", "output_dtype"})
"""Attributes that hold an element type."""


def in_f32(node: NodeProto, folder: Path | None) -> NodeProto:
    """The node over f32: attributes that name or hold wider or narrower floats name or hold f32.

    Raises `ValueError` for external data, below `folder`, that is not there.
    """
    result = NodeProto()
    result.CopyFrom(node)
    for attribute in result.attribute:
        if attribute.name in _NAMES_A_TYPE and attribute.i in READ_AS_F32:
            attribute.i = TensorProto.FLOAT
        elif attribute.type == AttributeProto.TENSOR:
            array = graph_array(tensor_array(attribute.t, folder))
            attribute.t.CopyFrom(numpy_helper.from_array(array))
    return result


def encode_attributes(node: NodeProto, store: WeightStore) -> DictionaryAttr:
    """The attributes of a node.

    Raises `ValueError` for an attribute that the IR cannot hold: a sparse tensor, a type.
    """
    return DictionaryAttr({a.name: _encode(a, store) for a in sorted(node.attribute, key=lambda a: a.name)})


def decode_node(op: ax.OnnxOp, store: WeightStore) -> NodeProto:
    """The ONNX node of an operation; its inputs are named `i0`, `i1`, ..., its outputs `o0`, `o1`, ..."""
    given = iter(range(len(op.arguments)))
    node = helper.make_node(
        op.kind.data,
        [f"i{next(given)}" if present else "" for present in base.ints_of(op.present)],
        [f"o{i}" for i in range(len(op.outputs))],
        domain=op.domain.data,
    )
    node.attribute.extend(_decode(name, value, store) for name, value in op.node_attributes.data.items())
    return node


def _encode(attribute: AttributeProto, store: WeightStore) -> Attribute:
    match attribute.type:
        case AttributeProto.INT:
            return base.integer(attribute.i)
        case AttributeProto.FLOAT:
            return base.float_(attribute.f)
        case AttributeProto.STRING:
            return StringAttr(attribute.s.decode())
        case AttributeProto.INTS:
            return base.ints(attribute.ints)
        case AttributeProto.FLOATS:
            return DenseArrayBase.from_list(f64, list(attribute.floats))
        case AttributeProto.STRINGS:
            return ArrayAttr([StringAttr(s.decode()) for s in attribute.strings])
        case AttributeProto.TENSOR:
            return constant_attr(tensor_array(attribute.t, None), store)
        case _:
            kind = AttributeProto.AttributeType.Name(attribute.type)
            raise ValueError(f"attribute '{attribute.name}' of type {kind} is not supported")


def _decode(name: str, value: Attribute, store: WeightStore) -> AttributeProto:
    match value:
        case IntegerAttr():
            return helper.make_attribute(name, value.value.data)
        case FloatAttr():
            return helper.make_attribute(name, value.value.data)
        case StringAttr():
            return helper.make_attribute(name, value.data)
        case ArrayAttr():
            strings = [element.data for element in cast(ArrayAttr[StringAttr], value)]
            return helper.make_attribute(name, strings, attr_type=AttributeProto.STRINGS)
        case DenseArrayBase():
            kind = AttributeProto.FLOATS if value.elt_type == f64 else AttributeProto.INTS
            numbers = cast("DenseArrayBase[AnyFloat]", value).get_values()
            return helper.make_attribute(name, list(numbers), attr_type=kind)
        case DenseIntOrFPElementsAttr() | WeightAttr():
            return helper.make_attribute(name, numpy_helper.from_array(constant_array(value, store)))
        case _:
            raise ValueError(f"attribute '{name}' of an ONNX node cannot be {value}")
