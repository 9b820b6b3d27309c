"""Functions of one number, as NumPy functions over binary32 arrays, and epilogues made of them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from axir.dialects.ax import Function
from axir.dialects.epilogue import EpilogueAttr

Array = NDArray[Any]


def relu(x: Array) -> Array:
    return np.maximum(x, np.float32(0))


def sigmoid(x: Array) -> Array:
    """1 / (1 + exp(-x)), from the exponential that cannot overflow."""
    small = np.exp(-np.abs(x))
    return np.where(x >= 0, np.float32(1), small) / (np.float32(1) + small)


def silu(x: Array) -> Array:
    return x * sigmoid(x)


def hard_sigmoid(x: Array, alpha: float, beta: float) -> Array:
    return np.clip(x * np.float32(alpha) + np.float32(beta), np.float32(0), np.float32(1))


def hard_swish(x: Array) -> Array:
    return x * hard_sigmoid(x, 1 / 6, 0.5)


def rearrange(x: Array, split: Sequence[int], perm: Sequence[int], shape: Sequence[int]) -> Array:
    return x.reshape(split).transpose(perm).reshape(shape)


def scale(x: Array, factor: float) -> Array:
    return x * np.float32(factor)


def leaky_relu(x: Array, alpha: float) -> Array:
    return np.where(x < 0, x * np.float32(alpha), x)


def clip(x: Array, minimum: float, maximum: float) -> Array:
    return np.clip(x, np.float32(minimum), np.float32(maximum))


def prelu(x: Array, slope: Array) -> Array:
    return np.where(x < 0, x * slope, x)


def gelu(x: Array) -> Array:
    return np.float32(0.5) * x * (np.float32(1) + erf(x * np.float32(math.sqrt(0.5))))


def gelu_tanh(x: Array) -> Array:
    inner = np.float32(math.sqrt(2 / math.pi)) * (x + np.float32(0.044715) * x * x * x)
    return np.float32(0.5) * x * (np.float32(1) + np.tanh(inner))


# erf(x) / x, an even function: interpolated on [0, 4], beyond which erf is 1 in binary32.
_ERF_LIMIT = 4.0
_ERF_OVER_X = np.polynomial.Chebyshev.interpolate(
    lambda nodes: np.array([math.erf(x) / x for x in nodes]), 36, domain=[0.0, _ERF_LIMIT]
)


def erf(x: Array) -> Array:
    """The error function, computed in binary64 and rounded once to binary32."""
    wide = x.astype(np.float64)
    inside = np.clip(np.abs(wide), 0.0, _ERF_LIMIT)
    return np.where(np.abs(wide) < _ERF_LIMIT, wide * _ERF_OVER_X(inside), np.sign(wide)).astype(np.float32)


def softplus(x: Array) -> Array:
    return np.maximum(x, np.float32(0)) + np.log1p(np.exp(-np.abs(x)))


def mish(x: Array) -> Array:
    return x * np.tanh(softplus(x))


def softsign(x: Array) -> Array:
    return x / (np.float32(1) + np.abs(x))


def elu(x: Array, alpha: float) -> Array:
    return np.where(x < 0, np.float32(alpha) * np.expm1(np.minimum(x, np.float32(0))), x)


def celu(x: Array, alpha: float) -> Array:
    scale = np.float32(alpha)
    return np.where(x < 0, scale * np.expm1(np.minimum(x, np.float32(0)) / scale), x)


def selu(x: Array, alpha: float, gamma: float) -> Array:
    return np.float32(gamma) * elu(x, alpha)


def power(x: Array, exponent: float) -> Array:
    return np.power(x, np.float32(exponent))


def thresholded_relu(x: Array, alpha: float) -> Array:
    return np.where(x > np.float32(alpha), x, np.float32(0))


_STEPS: dict[str, Callable[..., Array]] = {
    "elu": partial(elu, alpha=1.0),
    "erf": erf,
    "gelu": gelu,
    "gelu_tanh": gelu_tanh,
    "mish": mish,
    "softplus": softplus,
    "scale": scale,
    "relu": relu,
    "clip": clip,
    "leaky_relu": leaky_relu,
    "prelu": prelu,
    "hard_sigmoid": hard_sigmoid,
    "hard_swish": hard_swish,
    "sigmoid": sigmoid,
    "silu": silu,
    "tanh": np.tanh,
    "add": np.add,
    "sub": np.subtract,
    "mul": np.multiply,
    "max": np.maximum,
    "min": np.minimum,
}


def apply_epilogue(epilogue: EpilogueAttr, value: Array, extras: Sequence[Array]) -> Array:
    """`value` after all steps; `extras` are the tensors that steps take, in their order."""
    given: Iterator[Array] = iter(extras)
    for step in epilogue:
        if step.is_table and step.arguments:
            a, b, c, d = (np.float32(argument) for argument in step.arguments)
            value = _STEPS[step.kind](value * a + b) * c + d
        else:
            value = _STEPS[step.kind](value, *([next(given)] if step.takes_operand else step.arguments))
    return value


_FUNCTIONS: dict[str, Callable[..., Array]] = {
    "abs": np.abs,
    "celu": celu,
    "cos": np.cos,
    "elu": elu,
    "erf": erf,
    "exp": np.exp,
    "gelu": gelu,
    "gelu_tanh": gelu_tanh,
    "log": np.log,
    "mish": mish,
    "pow": power,
    "reciprocal": np.reciprocal,
    "selu": selu,
    "sin": np.sin,
    "softplus": softplus,
    "scale": scale,
    "softsign": softsign,
    "sqrt": np.sqrt,
    "thresholded_relu": thresholded_relu,
}


def apply_function(function: Function, x: Array) -> Array:
    """A function of `axir.dialects.ax.function` of every element."""
    return _FUNCTIONS[function.name](x, *function.parameters)
