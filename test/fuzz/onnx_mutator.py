"""Damages ONNX models, reproducibly: what a bad export, a bad editor or a bad disk makes of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

import numpy as np
from onnx import AttributeProto, GraphProto, ModelProto, NodeProto, helper, numpy_helper

T = TypeVar("T")
Rng = np.random.Generator

INTEGERS = (*(-1, 0, 1, 2, 3) * 4, -(2**63), -(2**31), -100, -2, 4, 5, 7, 100, 2**20, 2**31, 2**40, 2**63 - 1)
FLOATS = (0.0, -0.0, 1.0, -1.0, 0.5, 1e-45, 1e38, -1e38, float("inf"), float("-inf"), float("nan"))
SIZES = (*(1, 2, 3, 4, 5, 7, 8, 16, 17) * 3, 0, -1, 2**20, 2**31, 2**62)
TEXTS = (
    b"",
    b"linear",
    b"nearest",
    b"cubic",
    b"constant",
    b"edge",
    b"SAME_UPPER",
    b"VALID",
    b"CRD",
    b"\xff\xfe",
    b"x" * 300,
)
NAMES = ("", "x", "y", "c0", "/a/b", "a b", "\u00e9\u4e2d", "n" * 300, "../up", 'quo"te', "new\nline", "nul\0l")
TYPES = (0, 1, 2, 3, 6, 7, 9, 10, 11, 12, 16, 17, 99)
DTYPES = ("f8", "f4", "f2", "i8", "i4", "i1", "u1", "?")
KINDS = (
    "Relu", "Conv", "Softmax", "Reshape", "Transpose", "MatMul", "Concat", "Gather", "Loop", "If", "Nothing", "TopK",
    "Shape", "NonZero", "Cast", "ReduceMean", "Pad", "Slice", "Split", "Identity",
)  # fmt: skip
OPSETS = (*range(7, 22), *range(7, 22), -1, 0, 1, 6, 7, 8, 9, 10, 11, 12, 13, 14, 17, 18, 19, 20, 21, 22, 23, 99, 2**40)
ATTRIBUTES = ("axis", "axes", "pads", "strides", "group", "mode", "kernel_shape", "perm", "to", "alpha", "unknown")


def pick(rng: Rng, values: Sequence[T]) -> T:
    return values[int(rng.integers(len(values)))]


def a_node(graph: GraphProto, rng: Rng) -> NodeProto:
    return pick(rng, graph.node) if graph.node else graph.node.add()


def change_attribute(graph: GraphProto, rng: Rng) -> None:
    node = a_node(graph, rng)
    if not node.attribute:
        return
    attribute = pick(rng, node.attribute)
    match attribute.type:
        case AttributeProto.INT:
            attribute.i = pick(rng, INTEGERS)
        case AttributeProto.FLOAT:
            attribute.f = pick(rng, FLOATS)
        case AttributeProto.STRING:
            attribute.s = pick(rng, TEXTS)
        case AttributeProto.INTS if attribute.ints and rng.random() < 0.6:
            attribute.ints[int(rng.integers(len(attribute.ints)))] = pick(rng, INTEGERS)
        case AttributeProto.INTS if attribute.ints and rng.random() < 0.5:
            attribute.ints.pop()
        case AttributeProto.INTS:
            attribute.ints.append(pick(rng, INTEGERS))
        case _:
            attribute.ClearField("t")


def change_attributes(graph: GraphProto, rng: Rng) -> None:
    """One goes, comes, gets another name or another type."""
    node = a_node(graph, rng)
    match int(rng.integers(4)):
        case 0 if node.attribute:
            node.attribute.pop(int(rng.integers(len(node.attribute))))
        case 1 if node.attribute:
            pick(rng, node.attribute).name = pick(rng, ATTRIBUTES)
        case 2 if node.attribute:
            pick(rng, node.attribute).type = int(rng.integers(0, 15))
        case _:
            value = pick(rng, (pick(rng, INTEGERS), pick(rng, FLOATS), [1, 1], [0, 0, 0, 0], "text", [0.5]))
            node.attribute.append(helper.make_attribute(pick(rng, ATTRIBUTES), value))


def change_input(graph: GraphProto, rng: Rng) -> None:
    """The type of an input of the graph."""
    if not graph.input:
        return
    value = pick(rng, graph.input)
    tensor = value.type.tensor_type
    match int(rng.integers(5)):
        case 0:
            tensor.elem_type = pick(rng, TYPES)
        case 1 | 2 if tensor.shape.dim:
            pick(rng, tensor.shape.dim).dim_value = pick(rng, SIZES)
        case 3:
            tensor.shape.dim.add().dim_value = pick(rng, SIZES)
        case _ if tensor.shape.dim and rng.random() < 0.5:
            tensor.shape.dim.pop()
        case _:
            value.type.Clear()


def change_constant(graph: GraphProto, rng: Rng) -> None:
    """The values, type or shape of an initializer, or its bytes alone."""
    if not graph.initializer:
        return
    tensor = pick(rng, graph.initializer)
    choice = int(rng.integers(8))
    if choice == 0:
        tensor.raw_data = tensor.raw_data[: int(rng.integers(len(tensor.raw_data) + 1))]
        return
    if choice == 1:
        tensor.data_type = pick(rng, TYPES)
        return
    if choice == 2:
        tensor.dims.append(pick(rng, SIZES))
        return
    try:
        array = numpy_helper.to_array(tensor).copy()
    except (ValueError, TypeError, KeyError, OverflowError):
        return  # damaged before
    match choice:
        case 3 | 4 if array.size and array.dtype.kind == "f":
            array.reshape(-1)[int(rng.integers(array.size))] = pick(rng, FLOATS)
        case 3 | 4 if array.size and array.dtype.kind == "i":
            array.reshape(-1)[int(rng.integers(array.size))] = np.array(pick(rng, INTEGERS)).astype(array.dtype)
        case 5:
            with np.errstate(all="ignore"):
                array = array.astype(pick(rng, DTYPES))
        case 6:
            array = array[..., None] if rng.random() < 0.5 else array.reshape(-1)
        case _:
            array = array.reshape(-1)[: max(array.size - 1, 0)]
    tensor.CopyFrom(numpy_helper.from_array(np.ascontiguousarray(array), tensor.name))


def change_edges(graph: GraphProto, rng: Rng) -> None:
    """An input or output of a node gets the name of another value, no name, goes or comes."""
    node = a_node(graph, rng)
    values = [name for other in graph.node for name in (*other.input, *other.output)] or ["x"]
    names = [*values, *NAMES]
    edges = node.input if rng.random() < 0.7 else node.output
    match int(rng.integers(4)):
        case 0 if edges:
            edges.pop(int(rng.integers(len(edges))))
        case 1:
            edges.append(pick(rng, names))
        case _ if edges:
            edges[int(rng.integers(len(edges)))] = pick(rng, names)
        case _:
            pass


def change_nodes(graph: GraphProto, rng: Rng) -> None:
    """A node goes, comes twice, stands elsewhere, or is another operator."""
    if not graph.node:
        return
    index = int(rng.integers(len(graph.node)))
    node = NodeProto()
    node.CopyFrom(graph.node[index])
    match int(rng.integers(5)):
        case 0:
            del graph.node[index]
        case 1:
            graph.node.append(node)
        case 2:
            del graph.node[index]
            graph.node.insert(int(rng.integers(len(graph.node) + 1)), node)
        case 3:
            graph.node[index].op_type = pick(rng, KINDS)
        case _:
            graph.node[index].domain = pick(rng, ("", "ai.onnx", "com.microsoft", "ai.onnx.ml", "other"))


def change_names(graph: GraphProto, rng: Rng) -> None:
    """Names of nodes and of what goes in and out, which nothing else may follow."""
    match int(rng.integers(4)):
        case 0 if graph.node:
            pick(rng, graph.node).name = pick(rng, NAMES)
        case 1 if graph.input:
            pick(rng, graph.input).name = pick(rng, NAMES)
        case 2 if graph.output:
            pick(rng, graph.output).name = pick(rng, NAMES)
        case _ if graph.initializer:
            pick(rng, graph.initializer).name = pick(rng, NAMES)
        case _:
            pass


def rename_everywhere(graph: GraphProto, rng: Rng) -> None:
    """A value gets another name wherever it stands: the model stays valid, unless another has that name."""
    names = [value.name for value in (*graph.input, *graph.output)]
    if not names:
        return
    old, new = pick(rng, names), pick(rng, NAMES)
    for node in graph.node:
        for edges in (node.input, node.output):
            edges[:] = [new if name == old else name for name in edges]
    for value in (*graph.input, *graph.output, *graph.initializer):
        if value.name == old:
            value.name = new


def change_outputs(graph: GraphProto, rng: Rng) -> None:
    match int(rng.integers(3)):
        case 0 if graph.output:
            graph.output.pop()
        case 1 if graph.output and rng.random() < 0.2:
            graph.output.append(graph.output[0])
        case _:
            graph.output.add().name = pick(rng, [name for node in graph.node for name in node.output] or ["x"])


DAMAGE: tuple[Callable[[GraphProto, Rng], None], ...] = (
    change_attribute, change_attribute, change_attributes, change_input, change_input, change_constant, change_constant,
    change_edges, change_nodes, change_names, rename_everywhere, change_outputs,
)  # fmt: skip


def change_opset(model: ModelProto, rng: Rng) -> None:
    match int(rng.integers(4)):
        case 0:
            del model.opset_import[:]
        case 1:
            model.opset_import.add(domain=pick(rng, ("", "ai.onnx", "other")), version=pick(rng, OPSETS))
        case _ if model.opset_import:
            model.opset_import[0].version = pick(rng, OPSETS)
        case _:
            model.ir_version = pick(rng, OPSETS)


def mutated(model: ModelProto, rng: Rng) -> bytes:
    """The bytes of a file: the model with one to three things changed, now and then cut off or with bytes changed."""
    for _ in range(pick(rng, (1, 1, 1, 1, 2, 3))):
        if rng.random() < 0.08:
            change_opset(model, rng)
        else:
            pick(rng, DAMAGE)(model.graph, rng)
    data = bytearray(model.SerializeToString())
    if rng.random() < 0.03:
        del data[int(rng.integers(len(data))) :]
    if rng.random() < 0.03 and data:
        for _ in range(int(rng.integers(1, 5))):
            data[int(rng.integers(len(data)))] = int(rng.integers(256))
    return bytes(data)
