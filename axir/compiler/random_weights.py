"""Modules without what was trained: every constant tensor that training or calibration gave becomes random."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray
from xdsl.dialects.builtin import (
    ArrayAttr,
    DenseArrayBase,
    DenseIntOrFPElementsAttr,
    DictionaryAttr,
    Float64Type,
    ModuleOp,
    f64,
    i32,
)
from xdsl.ir import Attribute, Operation, ParametrizedAttribute
from xdsl.rewriter import Rewriter

from axir.dialects import ax
from axir.ir.constants import WeightAttr, constant_array, constant_attr
from axir.ir.diagnostics import AxirError
from axir.ir.store import KEY_LENGTH, WeightStore

Array = NDArray[Any]

STEERING = ("Resize", "Upsample")
"""ONNX operators whose float constants (scales, regions) give shapes; only their first input is data."""
QUANTIZED = ("DequantizeLinear", "QLinearConv", "QLinearMatMul", "ConvInteger", "MatMulInteger")
"""ONNX operators whose 32-bit integers are biases; elsewhere they are shapes and indices."""


def random_like(array: Array, generator: np.random.Generator) -> Array:
    """Normally distributed values of the mean, spread and range of `array`, of its shape and type.

    Infinities and NaNs stay in their places, for errors that are about them.
    """
    wide = array.dtype.itemsize > 4 or (array.dtype.kind in "iu" and array.dtype.itemsize > 2)
    work = np.float64 if wide else np.float32  # holds every value of the type
    exact = array.astype(work)
    finite = np.isfinite(exact)
    known = exact[finite]
    if not known.size:
        return array
    spread, mean = known.std(dtype=np.float64), known.mean(dtype=np.float64)
    values = generator.standard_normal(array.shape, np.float32) * work(spread) + work(mean)
    low, high = known.min(), known.max()
    outside = (values < low) | (values > high)
    # Not the extremes themselves: they are numbers that training gave.
    values[outside] = np.clip(generator.uniform(low, high, int(outside.sum())), low, high)
    if array.dtype.kind in "iu":
        values = np.rint(values)
    return np.where(finite, values, exact).astype(array.dtype)


def tells_nothing(array: Array) -> bool:
    """Whether a constant may stay: one number, perhaps repeated; shapes, indices and counts (int64); truth values."""
    if array.dtype == np.int64 or array.dtype == np.bool_ or array.size <= 1:
        return True
    flat = array.reshape(-1)
    return bool((flat == flat[0]).all())


class Randomizer:
    """Replaces constants in modules. The new ones are in `store`, under keys of their own; the old store stays as is.

    The same constant always becomes the same random one, so that types still agree. Numbers are drawn from a fixed
    seed in the order in which constants are met: equal modules become equal.
    """

    def __init__(self, weights: WeightStore):
        self.store = WeightStore()
        self._weights = weights
        self._generator = np.random.default_rng(0)
        self._replaced: dict[Attribute, Attribute] = {}
        self._keys: dict[str, str] = {}

    def run(self, module: ModuleOp) -> None:
        """Replace the constants of `module`, in its attributes and types, in place."""
        for op in list(module.walk()):
            kept = isinstance(op, ax.ConstantOp) and _steers(op)
            for attributes in (op.properties, op.attributes):
                for name, value in attributes.items():
                    attributes[name] = self._kept(value) if kept else self._new(value, op)
            values = [*op.results, *(value for r in op.regions for block in r.blocks for value in block.args)]
            for value in values:
                type_ = self._new(value.type, op)
                if type_ is not value.type:
                    Rewriter.replace_value_with_new_type(value, type_)

    def _new(self, attribute: Attribute, op: Operation) -> Attribute:
        """`attribute` with every constant inside it replaced."""
        match attribute:
            case WeightAttr() | DenseIntOrFPElementsAttr():
                if attribute not in self._replaced:
                    self._replaced[attribute] = self._constant(attribute)
                return self._replaced[attribute]
            case DenseArrayBase() if attribute.elt_type == f64:
                floats = cast("DenseArrayBase[Float64Type]", attribute)
                if isinstance(op, ax.OnnxOp) and op.kind.data in STEERING:
                    return floats
                return DenseArrayBase.from_list(f64, self._array(np.array(floats.get_values())).tolist())
            case ArrayAttr():
                elements = [self._new(element, op) for element in attribute]
                return attribute if _same(elements, attribute) else ArrayAttr(elements)
            case DictionaryAttr():
                values = {name: self._new(value, op) for name, value in attribute.data.items()}
                return attribute if _same(values.values(), attribute.data.values()) else DictionaryAttr(values)
            case DenseArrayBase():
                return attribute
            case ParametrizedAttribute():
                parameters = [self._new(parameter, op) for parameter in attribute.parameters]
                return attribute if _same(parameters, attribute.parameters) else type(attribute).new(parameters)
            case _:
                return attribute

    def _constant(self, attribute: WeightAttr | DenseIntOrFPElementsAttr) -> Attribute:
        if isinstance(attribute, DenseIntOrFPElementsAttr):
            return constant_attr(self._array(constant_array(attribute, self._weights)), self.store)
        try:
            key = self.store.put(self._array(constant_array(attribute, self._weights)))
        except AxirError:  # absent or damaged, and so it is in the copy
            key = f"{len(self._keys):0{KEY_LENGTH}x}"
        self._keys[attribute.key.data] = key
        return WeightAttr(key, attribute.type)

    def redacted(self, text: str) -> str:
        """`text` with keys of weights replaced as in the modules: a key tells whether a guess of a weight is right."""
        return re.sub(rf"\b[0-9a-f]{{{KEY_LENGTH}}}\b", lambda key: self._keys.get(key[0], "0" * KEY_LENGTH), text)

    def _kept(self, attribute: Attribute) -> Attribute:
        if isinstance(attribute, WeightAttr) and attribute.key.data in self._weights:
            self.store.put(constant_array(attribute, self._weights))
        return attribute

    def _array(self, array: Array) -> Array:
        return array if tells_nothing(array) else random_like(array, self._generator)


def _same(new: Iterable[Attribute], old: Iterable[Attribute]) -> bool:
    return all(one is other for one, other in zip(new, old, strict=True))


def _steers(op: ax.ConstantOp) -> bool:
    """Whether a constant gives shapes or indices, and no operator takes it as a weight."""
    users = [(use.operation, use.index) for use in op.result.uses]
    kinds = [(user.kind.data, index) if isinstance(user, ax.OnnxOp) else ("", index) for user, index in users]
    if op.value.type.element_type == i32:
        return not any(kind in QUANTIZED for kind, _ in kinds)
    return bool(kinds) and all(kind in STEERING and index > 0 for kind, index in kinds)
