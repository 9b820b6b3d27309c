from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from xdsl.dialects import test
from xdsl.dialects.builtin import DYNAMIC_INDEX, BytesAttr, DenseIntOrFPElementsAttr, TensorType, f32, i8, i64
from xdsl.utils.exceptions import VerifyException

from axir.ir.constants import INLINE_LIMIT, WeightAttr, constant_array, constant_attr, tensor_type, ui8
from axir.ir.context import make_context
from axir.ir.diagnostics import AxirError
from axir.ir.location import name_loc
from axir.ir.parsing import AxParser
from axir.ir.store import WeightStore

DTYPES = ["f2", "f4", "f8", "i1", "i2", "i4", "i8", "u1", "bool"]

arrays = st.sampled_from(DTYPES).flatmap(
    lambda dtype: hnp.arrays(np.dtype(dtype), hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=6))
)


def same_bits(a: np.ndarray, b: np.ndarray) -> bool:
    return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()


@given(arrays)
def test_constants_survive_printing_and_parsing(array: np.ndarray) -> None:
    ctx = make_context()
    attribute = constant_attr(array, ctx.store)
    assert same_bits(constant_array(attribute, ctx.store), array)
    parsed = AxParser(ctx, str(attribute)).parse_attribute()
    assert isinstance(parsed, DenseIntOrFPElementsAttr | WeightAttr)
    assert same_bits(constant_array(parsed, ctx.store), array)


@pytest.mark.parametrize(
    "values",
    [[0.0, -0.0], [-0.0, 0.0], [np.nan], [np.nan, 1.0]],
    ids=str,
)
def test_floats_that_xdsl_prints_wrongly_go_to_the_store(values: list[float]) -> None:
    store = WeightStore()
    array = np.array(values, dtype=np.float32)
    attribute = constant_attr(array, store)
    assert isinstance(attribute, WeightAttr)
    assert same_bits(constant_array(attribute, store), array)


def test_limit_of_inline_constants() -> None:
    store = WeightStore()
    assert isinstance(constant_attr(np.zeros(INLINE_LIMIT, "i1"), store), DenseIntOrFPElementsAttr)
    assert len(store) == 0
    assert isinstance(constant_attr(np.zeros(INLINE_LIMIT + 1, "i1"), store), WeightAttr)
    assert len(store) == 1


def test_equal_tensors_are_stored_once() -> None:
    store = WeightStore()
    assert constant_attr(np.zeros(99), store) == constant_attr(np.zeros(99), store)
    assert len(store) == 1


def test_element_types() -> None:
    assert tensor_type(np.zeros((2, 3), np.int8)) == TensorType(i8, [2, 3])
    assert tensor_type(np.zeros((), np.uint8)) == TensorType(ui8, [])
    with pytest.raises(AxirError, match="uint32"):
        tensor_type(np.zeros(2, np.uint32))


def test_splat_of_one_stored_element() -> None:
    one = DenseIntOrFPElementsAttr(TensorType(f32, [2, 3]), BytesAttr(np.float32(1.5).tobytes()))
    assert np.array_equal(constant_array(one, WeightStore()), np.full((2, 3), 1.5, np.float32))


def test_results_are_read_only() -> None:
    store = WeightStore()
    for array in (np.zeros(3), np.zeros(99), np.zeros((), bool), np.zeros(5, bool)):
        assert not constant_array(constant_attr(array, store), store).flags.writeable


def test_missing_weight_names_key_node_and_remedy() -> None:
    op = test.TestOp()
    op.location = name_loc("Conv_1", "net.onnx", 4)
    attribute = WeightAttr("ab" * 16, TensorType(f32, [9]))
    with pytest.raises(AxirError) as raised:
        constant_array(attribute, WeightStore(), op)
    text = raised.value.render()
    assert text.startswith(f"net.onnx:4:0: error: [Conv_1] weight {'ab' * 16} is not in the weight store\nnote: ")
    assert "--weights FILE.safetensors" in text


def test_weight_of_another_type() -> None:
    store = WeightStore()
    key = store.put(np.zeros((2, 3), np.float32))
    with pytest.raises(AxirError, match=r"tensor<2x3xf32> in the store, not tensor<3x2xf32>"):
        constant_array(WeightAttr(key, TensorType(f32, [3, 2])), store)


@pytest.mark.parametrize(
    ("key", "type_", "message"),
    [
        ("abc", TensorType(f32, [1]), "32 hexadecimal digits"),
        ("g" * 32, TensorType(f32, [1]), "32 hexadecimal digits"),
        ("0" * 32, TensorType(f32, [DYNAMIC_INDEX]), "static shape"),
        ("0" * 32, TensorType(TensorType(i64, [1]), [1]), "not supported"),
    ],
)
def test_weight_attribute_verifies(key: str, type_: TensorType, message: str) -> None:
    with pytest.raises(VerifyException, match=message):
        WeightAttr(key, type_)


def test_weight_attribute_syntax() -> None:
    text = f'#ax.weight<"{"0f" * 16}", tensor<64x3x3x3xf32>>'
    assert str(AxParser(make_context(), text).parse_attribute()) == text
