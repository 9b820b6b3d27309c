"""Resampling: Resize in all its versions, and Upsample before it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TypeVar

import numpy as np
from xdsl.dialects.builtin import DenseArrayBase, f64
from xdsl.ir import Attribute, SSAValue
from xdsl.utils.str_enum import StrEnum

from axir.dialects import ax, base
from axir.frontends.onnx.convert import Converter, Node, Unsupported, normal_axes

_Member = TypeVar("_Member", bound=StrEnum)


def _member(kind: type[_Member], text: str, what: str) -> _Member:
    """The member of an enumeration that is written `text`. Raises `ValueError`."""
    found = next((member for member in kind if str(member) == text), None)
    if found is None:
        raise ValueError(f"{what} is '{text}', not one of {', '.join(map(str, kind))}")
    return found


def _emit(
    node: Node,
    mode: ax.ResizeMode,
    sizes: Sequence[int],
    scales: Sequence[float],
    coordinates: ax.Coordinates,
    rounding: ax.Rounding,
) -> Sequence[SSAValue]:
    properties: dict[str, Attribute] = {
        "mode": ax.ResizeModeAttr(mode),
        "sizes": base.ints(sizes),
        "scales": DenseArrayBase.from_list(f64, [float(scale) for scale in scales]),
        "coordinates": ax.CoordinatesAttr(coordinates),
    }
    if mode == ax.ResizeMode.NEAREST:
        properties["rounding"] = ax.RoundingAttr(rounding)
    return [node.emit(ax.ResizeOp, [node.operand(0)], **properties)]


def _scaled(node: Node, scales: Sequence[float]) -> list[int]:
    """The sizes that scales give: rounded down."""
    if not all(0.0 < scale < math.inf for scale in scales):
        raise ValueError(f"scales {list(scales)} are not positive numbers")
    # In binary32, as ONNX Runtime does: 3 times 1/3 is 1.
    sizes = [float(np.float32(size) * np.float32(scale)) for size, scale in zip(node.shape(), scales, strict=True)]
    if max(sizes, default=0.0) >= 2**31:
        raise ValueError(f"{list(node.shape())} times {list(scales)} is too large")
    return [int(size) for size in sizes]


def _scales_input(node: Node, index: int) -> list[float] | None:
    """The scales, binary32 numbers; None where they are omitted or empty."""
    value = node.constant(index)
    if value is None or value.size == 0:
        return None
    if value.ndim != 1 or value.dtype.kind != "f":
        raise ValueError(f"input {index} must be a vector of floats")
    return [float(scale) for scale in value.astype(np.float32)]


def _by_scales_alone(node: Node, scales: Sequence[float] | None) -> Sequence[SSAValue]:
    """Upsample, and Resize of operator set 10: asymmetric; the nearest is the last before, or the first after."""
    if scales is None or len(scales) != len(node.shape()):
        raise ValueError(f"one scale for each of {len(node.shape())} axes is needed")
    mode = _mode(node)
    rounding = ax.Rounding.FLOOR
    if mode == ax.ResizeMode.NEAREST and min(scales) < 1.0:
        # What ONNX Runtime does; the specification does not say.
        rounding = ax.Rounding.CEIL
        if max(scales) > 1.0:
            raise Unsupported("Resize that enlarges one axis and shrinks another")
    return _emit(node, mode, _scaled(node, scales), scales, ax.Coordinates.ASYMMETRIC, rounding)


def _mode(node: Node) -> ax.ResizeMode:
    mode = node.text("mode", "nearest")
    if mode == "cubic":
        raise Unsupported("Resize with mode 'cubic'")
    return _member(ax.ResizeMode, mode, "mode")


def _upsample(node: Node) -> Sequence[SSAValue]:
    if node.opset >= 9:
        return _by_scales_alone(node, _scales_input(node, 1))
    scales = node.attributes.get("scales", [])
    return _by_scales_alone(node, [float(np.float32(scale)) for scale in scales])


def _resize(node: Node) -> Sequence[SSAValue]:
    if node.opset == 10:
        return _by_scales_alone(node, _scales_input(node, 1))
    mode = _mode(node)
    coordinates = node.text("coordinate_transformation_mode", "half_pixel")
    if coordinates == "tf_crop_and_resize":
        raise Unsupported("Resize of a region (tf_crop_and_resize)")
    if node.flag("antialias", False):
        raise Unsupported("Resize with antialias")
    rounding = _member(ax.Rounding, node.text("nearest_mode", "round_prefer_floor"), "nearest_mode")
    shape, rank = node.shape(), len(node.shape())
    axes = normal_axes(node.integers("axes", list(range(rank))), rank)
    scales, target = _scales_input(node, 2), node.constant_integers(3) or None
    if (scales is None) == (target is None):
        raise ValueError("either scales or sizes must be given")
    if len(scales or target or ()) != len(axes):
        raise ValueError(f"{len(scales or target or ())} scales or sizes for {len(axes)} axes")
    if target is not None:
        sizes, factors = _to_sizes(node, axes, target)
    else:
        factors = [1.0] * rank
        for axis, scale in zip(axes, scales or (), strict=True):
            factors[axis] = scale
        sizes = _scaled(node, factors)
    if min(sizes) < 1:
        raise ValueError(f"{list(shape)} is resized to {sizes}")
    return _emit(
        node, mode, sizes, factors, _member(ax.Coordinates, coordinates, "coordinate_transformation_mode"), rounding
    )


def _to_sizes(node: Node, axes: Sequence[int], target: Sequence[int]) -> tuple[list[int], list[float]]:
    """Sizes and scales of all axes, from the sizes of `axes` and keep_aspect_ratio_policy."""
    shape, policy = node.shape(), node.text("keep_aspect_ratio_policy", "stretch")
    sizes, scales = list(shape), [1.0] * len(shape)
    if min(target) < 1:
        raise ValueError(f"sizes {list(target)} are not positive")
    ratios = [np.float32(size) / np.float32(shape[axis]) for axis, size in zip(axes, target, strict=True)]
    if policy not in ("stretch", "not_larger", "not_smaller"):
        raise ValueError(f"keep_aspect_ratio_policy is '{policy}'")
    for axis, size, ratio in zip(axes, target, ratios, strict=True):
        sizes[axis], scales[axis] = size, float(ratio)
        if policy != "stretch":
            common = min(ratios) if policy == "not_larger" else max(ratios)
            sizes[axis], scales[axis] = math.floor(float(common) * shape[axis] + 0.5), float(common)
    return sizes, scales


CONVERTERS: dict[str, Converter] = {
    "Resize": Converter(_resize, (ax.ResizeOp,), constants=(1, 2, 3), host="mode cubic; antialias; tf_crop_and_resize"),
    "Upsample": Converter(_upsample, (ax.ResizeOp,), constants=(1,), host="mode cubic"),
}
