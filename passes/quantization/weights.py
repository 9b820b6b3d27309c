"""Weights and biases of convolutions: int8 symmetric per output channel, int32 at the accumulator's scale."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from axir import numerics
from axir.interp.integer import accumulator_bound, weight_rows
from axir.passes.quantization.clipping import least_error_shares

F32 = NDArray[np.float32]
I8 = NDArray[np.int8]
I32 = NDArray[np.int32]

WEIGHT_MAX = 127
BIAS_LIMIT = 1 << 30
ACCUMULATOR_LIMIT = 1 << 31
SMALLEST_SCALE = 2.0**-64
"""Keeps products of scales normal binary32 numbers; only weights that are nothing beside it meet this bound."""


@dataclass(frozen=True)
class QuantizedWeights:
    """`weight` int8 in the shape of the float weight, `scale` [O], `bias` [O] at input scale times `scale`."""

    weight: I8
    scale: F32
    bias: I32


def quantize_weights(
    weight: F32,
    bias: F32,
    input_scale: F32,
    group: int,
    transposed: bool,
    input_means: F32 | None = None,
    *,
    clip: bool = False,
) -> QuantizedWeights:
    """Quantize a weight [O, C/group, KH, KW] (or transposed: [C, O/group, KH, KW]) and a bias [O].

    `input_scale` has one element, or one an output channel. A channel's scale is max |w| / 127, or larger where the
    bias would not stay below 2**30 otherwise; with `clip` max |w| is replaced by the share of it, from 0.6 to 1, that
    quantizes the channel with the least squared error.

    With `input_means` [C] (not for transposed convolutions) the bias also takes back what the rounding of weights adds
    to an output on average: the sum of (quantized - w) * mean (Nagel et al., arXiv:1906.04721, section 4.2).

    Raises `ValueError` for infinities, NaNs, and accumulators that could exceed 32 bits.
    """
    rows = weight_rows(weight, group, transposed).astype(np.float64)
    offset = bias.astype(np.float64)
    if not np.isfinite(rows).all() or not np.isfinite(offset).all():
        raise ValueError("weights and biases must be finite")
    # 2**-20 of slack: the scale and the multiplier are rounded to binary32 before the bias is divided.
    for_bias = np.abs(offset) / (input_scale.astype(np.float64) * (BIAS_LIMIT * (1 - 2.0**-20)))
    for_weight = np.abs(rows).max(axis=1) / WEIGHT_MAX
    if clip:
        for_weight *= least_error_shares(rows, WEIGHT_MAX)
    scale = np.maximum(np.maximum(for_weight, for_bias), SMALLEST_SCALE).astype(np.float32)

    steps = per_weight(scale, weight.shape, group, transposed).astype(np.float64)
    quantized = np.clip(np.rint(weight / steps), -WEIGHT_MAX, WEIGHT_MAX).astype(np.int8)
    if input_means is not None:
        error = (quantized * steps - weight).sum(axis=(2, 3))
        means = np.repeat(input_means.astype(np.float64).reshape(group, -1), len(weight) // group, axis=0)
        offset = offset - (error * means).sum(axis=1)
    unit = numerics.multiplier(input_scale, scale).astype(np.float64)
    quantized_bias = np.clip(np.rint(offset / unit), 1 - BIAS_LIMIT, BIAS_LIMIT - 1).astype(np.int32)
    bound = accumulator_bound(weight_rows(quantized, group, transposed), quantized_bias)
    channel = int(bound.argmax())
    if bound[channel] >= ACCUMULATOR_LIMIT:
        raise ValueError(
            f"the accumulator of output channel {channel} can reach {bound[channel]}, which does not fit 32 bits"
        )
    return QuantizedWeights(quantized, scale, quantized_bias)


def per_weight(scale: F32, shape: tuple[int, ...], group: int, transposed: bool) -> F32:
    """The scales of output channels, in a shape that broadcasts to a weight's."""
    if not transposed:
        return scale.reshape(-1, 1, 1, 1)
    # [C, O/group]: the C/group inputs of a group share the scales of its outputs.
    return scale.reshape(group, -1).repeat(shape[0] // group, axis=0)[:, :, None, None]
