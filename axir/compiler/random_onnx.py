"""ONNX models without what was trained: see `random_weights`, whose rules these are."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

import numpy as np
from onnx import AttributeProto, FunctionProto, GraphProto, ModelProto, NodeProto, TensorProto, numpy_helper

from axir.compiler.random_weights import QUANTIZED, STEERING, random_like, tells_nothing

Users = list[tuple[str, int]]
"""Operators that read a tensor, and as which input."""


def randomize_model(model: ModelProto) -> None:
    """Replace what training gave in initializers and nodes, subgraphs and functions included, in place.

    A tensor that cannot be replaced, because its type or its data are damaged, loses its data.
    """
    generator = np.random.default_rng(0)
    _randomize(model.graph, generator)
    for function in model.functions:
        _randomize(function, generator)


def _randomize(scope: GraphProto | FunctionProto, generator: np.random.Generator) -> None:
    users: dict[str, Users] = {}
    for node in _nodes(scope):
        for index, name in enumerate(node.input):
            users.setdefault(name, []).append((node.op_type, index))
    if isinstance(scope, GraphProto):
        for tensor in scope.initializer:
            _replace(tensor, users.get(tensor.name, []), generator)
        for sparse in scope.sparse_initializer:
            _replace(sparse.values, users.get(sparse.values.name, []), generator)
    for node in scope.node:
        read_by = users.get(node.output[0], []) if node.op_type == "Constant" and node.output else []
        for attribute in node.attribute:
            _attribute(attribute, node, read_by, generator)


def _nodes(scope: GraphProto | FunctionProto) -> Iterator[NodeProto]:
    """All nodes that can read a tensor of `scope`, those of subgraphs included."""
    for node in scope.node:
        yield node
        for attribute in node.attribute:
            for graph in (attribute.g, *attribute.graphs):
                yield from _nodes(graph)


def _attribute(attribute: AttributeProto, node: NodeProto, users: Users, generator: np.random.Generator) -> None:
    for graph in (attribute.g, *attribute.graphs):
        _randomize(graph, generator)
    for tensor in (attribute.t, *attribute.tensors, attribute.sparse_tensor.values):
        if tensor.data_type:
            _replace(tensor, users, generator)
    numbers = np.array(attribute.floats, np.float32)
    if not tells_nothing(numbers) and node.op_type not in STEERING and not _steers(users):
        attribute.floats[:] = random_like(numbers, generator).tolist()


def _steers(users: Users) -> bool:
    return bool(users) and all(kind in STEERING and index > 0 for kind, index in users)


def _replace(tensor: TensorProto, users: Users, generator: np.random.Generator) -> None:
    if tensor.data_type == TensorProto.STRING or _steers(users):
        return
    if tensor.data_type == TensorProto.INT32 and not any(kind in QUANTIZED for kind, _ in users):
        return
    if tensor.data_location == TensorProto.EXTERNAL:
        return  # its data could not be read, and are not in the model
    name = tensor.name
    try:
        array = cast(Any, numpy_helper.to_array(tensor))
        new = None if tells_nothing(array) else numpy_helper.from_array(random_like(array, generator), name)
    except (ValueError, TypeError, NotImplementedError):
        new = TensorProto(name=name, data_type=tensor.data_type, dims=tensor.dims)
    if new is not None:
        tensor.CopyFrom(new)
