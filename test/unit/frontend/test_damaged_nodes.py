"""Well-formed files with senseless nodes: each is imported or refused with an `AxirError`, at once."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from onnx import AttributeProto, numpy_helper
from onnx_forms import FORMS
from onnx_models import imported

from axir.frontends.onnx.load import MAX_OPSET, MIN_OPSET
from axir.ir.diagnostics import AxirError

NUMBERS = [-(2**63), -(2**31), -100, -2, -1, 0, 1, 2, 3, 5, 100, 2**31, 2**40, 2**63 - 1]
SIZES = [1, 2, 3, 8, 2**20, 2**40, 2**62, 0, -1]
DTYPES = ["f8", "f2", "i4", "i8", "u1", "?", "u2"]


def damage_attribute(node: onnx.NodeProto, rng: np.random.Generator) -> None:
    if not node.attribute:
        return
    attribute = node.attribute[int(rng.integers(len(node.attribute)))]
    number = int(rng.choice(NUMBERS))
    match attribute.type:
        case AttributeProto.INT:
            attribute.i = number
        case AttributeProto.INTS if attribute.ints and rng.random() < 0.7:
            attribute.ints[int(rng.integers(len(attribute.ints)))] = number
        case AttributeProto.INTS:
            attribute.ints.append(number)
        case AttributeProto.FLOAT:
            attribute.f = float(rng.choice([0, -1, 1e38, np.inf, np.nan]))
        case _:
            attribute.s = b"\xff"


def damage_input(graph: onnx.GraphProto, rng: np.random.Generator) -> None:
    tensor = graph.input[int(rng.integers(len(graph.input)))].type.tensor_type
    if rng.random() < 0.2:
        tensor.elem_type = int(rng.choice([0, 2, 3, 6, 7, 8, 9, 10, 11, 12, 16, 99]))
    elif tensor.shape.dim and rng.random() < 0.7:
        tensor.shape.dim[int(rng.integers(len(tensor.shape.dim)))].dim_value = int(rng.choice(SIZES))
    else:
        tensor.shape.dim.add().dim_value = int(rng.choice(SIZES))


def damage_constant(graph: onnx.GraphProto, rng: np.random.Generator) -> None:
    if not graph.initializer:
        return
    tensor = graph.initializer[int(rng.integers(len(graph.initializer)))]
    array = numpy_helper.to_array(tensor).copy()
    choice = rng.integers(4)
    if array.dtype.kind == "i" and array.size and choice:
        array.reshape(-1)[int(rng.integers(array.size))] = rng.choice(np.array(NUMBERS, np.int64).astype(array.dtype))
    elif choice == 0:
        array = array.astype(rng.choice(DTYPES))
    elif choice == 1:
        array = array[..., None]
    else:
        array = array.reshape(-1)[: max(array.size - 1, 0)]
    tensor.CopyFrom(numpy_helper.from_array(array, tensor.name))


def damage(model: onnx.ModelProto, rng: np.random.Generator) -> None:
    node = model.graph.node[0]
    match int(rng.integers(5)):
        case 0 | 1:
            damage_attribute(node, rng)
        case 2:
            damage_input(model.graph, rng)
        case 3:
            damage_constant(model.graph, rng)
        case _ if rng.random() < 0.5:
            model.opset_import[0].version = int(rng.integers(MIN_OPSET, MAX_OPSET + 1))
        case _:
            node.input[int(rng.integers(len(node.input)))] = ""


@pytest.mark.parametrize("name", FORMS)
def test_damaged_node(name: str) -> None:
    form = FORMS[name]
    for seed in range(10):
        rng = np.random.default_rng(seed)
        model = form.model(form.opsets[seed % len(form.opsets)])
        for _ in range(int(rng.integers(1, 4))):
            damage(model, rng)
        try:
            imported(model)
        except AxirError as error:
            assert error.location is not None  # noqa: PT017  success is as good: only other exceptions fail
