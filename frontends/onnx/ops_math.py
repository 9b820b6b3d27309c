"""Everything element by element, and what does nothing at inference."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from xdsl.ir import SSAValue

from axir.dialects import ax, base
from axir.frontends.onnx.convert import Converter, Node, Unsupported
from axir.frontends.onnx.ops_reduce import function
from axir.frontends.onnx.tensors import Array, element_type

_F32_MAX = float(np.finfo(np.float32).max)


def _unary(kind: type[ax.UnaryOp], **numbers: float) -> Converter:
    """`numbers` are the operator's float attributes with their defaults."""

    def build(node: Node) -> Sequence[SSAValue]:
        properties = {name: base.float_(_finite(node, name, default)) for name, default in numbers.items()}
        return [node.emit(kind, [node.operand(0)], **properties)]

    return Converter(build, (kind,))


def _function(name: str, **numbers: float) -> Converter:
    """A function of `axir.dialects.ax.function`; `numbers` are its parameters, attributes with their defaults."""

    def build(node: Node) -> Sequence[SSAValue]:
        parameters = [_finite(node, attribute, default) for attribute, default in numbers.items()]
        return [function(node, node.operand(0), name, *parameters)]

    return Converter(build, (ax.UnaryFunctionOp,))


def _finite(node: Node, name: str, default: float) -> float:
    number = node.real(name, default)
    if not math.isfinite(number):
        raise ValueError(f"{name} is {number}")
    return number


def _celu(node: Node) -> Sequence[SSAValue]:
    alpha = _finite(node, "alpha", 1.0)
    if alpha == 0.0:
        raise ValueError("alpha is 0")
    return [function(node, node.operand(0), "celu", alpha)]


def _gelu(node: Node) -> Sequence[SSAValue]:
    names = {"none": "gelu", "tanh": "gelu_tanh"}
    approximate = node.text("approximate", "none")
    if approximate not in names:
        raise ValueError(f"approximate is '{approximate}', not one of {', '.join(names)}")
    return [function(node, node.operand(0), names[approximate])]


def _negative(node: Node) -> Sequence[SSAValue]:
    return [node.emit(ax.MulOp, [node.operand(0), node.literal(-1.0)])]


def _binary(kind: type[ax.BinaryOp]) -> Converter:
    return Converter(lambda node: [node.emit(kind, [node.operand(0), node.operand(1)])], (kind,))


def _combined(kind: type[ax.BinaryOp], mean: bool = False) -> Converter:
    """Any number of inputs, one after the other; `mean` divides by their number."""

    def build(node: Node) -> Sequence[SSAValue]:
        count = len(node.proto.input)
        total = node.operand(0)
        for index in range(1, count):
            total = node.emit(kind, [total, node.operand(index)])
        return [node.emit(ax.MulOp, [total, node.literal(1 / count)]) if mean and count > 1 else total]

    return Converter(build, (kind, ax.MulOp) if mean else (kind,))


def _power(node: Node) -> Sequence[SSAValue]:
    """A power with one constant exponent."""
    exponent = node.constant(1)
    if exponent is None or exponent.dtype.kind not in "fiu":
        raise Unsupported("Pow with an exponent that is no number")
    if exponent.size == 0 or not (exponent == exponent.flat[0]).all():
        raise Unsupported("Pow with several exponents")
    if exponent.ndim > len(node.shape()) or any(
        size > node.shape()[axis - exponent.ndim] for axis, size in enumerate(exponent.shape)
    ):
        raise Unsupported("Pow with exponents that broadcast the base")
    number, x = float(exponent.flat[0]), node.operand(0)
    if not math.isfinite(number):
        raise Unsupported(f"Pow with the exponent {number}")
    match number:
        case 1.0:
            return [x]
        case 2.0:
            return [node.emit(ax.MulOp, [x, x])]
        case 0.5:
            return [function(node, x, "sqrt")]
        case -1.0:
            return [function(node, x, "reciprocal")]
        case _:
            return [function(node, x, "pow", number)]


def _prelu(node: Node) -> Sequence[SSAValue]:
    return [node.emit(ax.PReluOp, [node.operand(0), node.operand(1)])]


def _clip(node: Node) -> Sequence[SSAValue]:
    if node.opset < 11:
        minimum, maximum = node.real("min", -_F32_MAX), node.real("max", _F32_MAX)
    else:
        minimum, maximum = _bound(node.constant(1), -_F32_MAX), _bound(node.constant(2), _F32_MAX)
    if math.isnan(minimum) or math.isnan(maximum):
        raise ValueError("a bound is not a number")
    # Infinite bounds bound nothing. Where the bounds are in the wrong order, ONNX gives the maximum everywhere.
    maximum = min(max(maximum, -_F32_MAX), _F32_MAX)
    minimum = min(max(minimum, -_F32_MAX), maximum)
    return [node.emit(ax.ClipOp, [node.operand(0)], minimum=base.float_(minimum), maximum=base.float_(maximum))]


def _bound(value: Array | None, default: float) -> float:
    if value is None:
        return default
    if value.size != 1:
        raise ValueError(f"a bound must be a scalar, it has shape {list(value.shape)}")
    return float(value.reshape(()))


# Operators that do nothing at inference


def _same(node: Node) -> Sequence[SSAValue]:
    return [node.operand(0)]


def _dropout(node: Node) -> Sequence[SSAValue]:
    if node.has_output(1):
        raise Unsupported("Dropout with the output mask")
    training = node.constant(2)
    if training is not None and bool(training.any()):
        raise Unsupported("Dropout in training mode")
    return [node.operand(0)]


def _cast(node: Node) -> Sequence[SSAValue]:
    """Between floats: all are f32 here."""
    to = element_type(node.integer("to", 0))
    if to != node.type_of(0).element_type:
        raise Unsupported(f"Cast from {node.type_of(0).element_type} to {to}")
    return [node.operand(0)]


def _cast_like(node: Node) -> Sequence[SSAValue]:
    if node.type_of(1).element_type != node.type_of(0).element_type:
        raise Unsupported(f"CastLike from {node.type_of(0).element_type} to {node.type_of(1).element_type}")
    return [node.operand(0)]


CONVERTERS: dict[str, Converter] = {
    "Abs": _function("abs"),
    "Add": _binary(ax.AddOp),
    "Cast": Converter(_cast, any_type=True, host="to another kind of type"),
    "CastLike": Converter(_cast_like, any_type=True, host="to another kind of type"),
    "Celu": Converter(_celu, (ax.UnaryFunctionOp,)),
    "Clip": Converter(_clip, (ax.ClipOp,), constants=(1, 2)),
    "Cos": _function("cos"),
    "Div": _binary(ax.DivOp),
    "Dropout": Converter(_dropout, constants=(1, 2), host="the output mask; training mode"),
    "Elu": _function("elu", alpha=1.0),
    "Erf": _function("erf"),
    "Exp": _function("exp"),
    "Gelu": Converter(_gelu, (ax.UnaryFunctionOp,)),
    "HardSigmoid": _unary(ax.HardSigmoidOp, alpha=0.2, beta=0.5),
    "HardSwish": _unary(ax.HardSwishOp),
    "Identity": Converter(_same, any_type=True),
    "LeakyRelu": _unary(ax.LeakyReluOp, alpha=0.01),
    "Log": _function("log"),
    "Max": _combined(ax.MaxOp),
    "Mean": _combined(ax.AddOp, mean=True),
    "Min": _combined(ax.MinOp),
    "Mish": _function("mish"),
    "Mul": _binary(ax.MulOp),
    "Neg": Converter(_negative, (ax.MulOp,)),
    "PRelu": Converter(_prelu, (ax.PReluOp,)),
    "Pow": Converter(_power, (ax.MulOp, ax.UnaryFunctionOp), constants=(1,), host="several exponents"),
    "Reciprocal": _function("reciprocal"),
    "Relu": _unary(ax.ReluOp),
    "Selu": _function("selu", alpha=1.67326319217681884765625, gamma=1.05070102214813232421875),
    "Sigmoid": _unary(ax.SigmoidOp),
    "Sin": _function("sin"),
    "Softplus": _function("softplus"),
    "Softsign": _function("softsign"),
    "Sqrt": _function("sqrt"),
    "Sub": _binary(ax.SubOp),
    "Sum": _combined(ax.AddOp),
    "Tanh": _unary(ax.TanhOp),
    "ThresholdedRelu": _function("thresholded_relu", alpha=1.0),
}
