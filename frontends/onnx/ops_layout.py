"""Operators that move data and compute nothing."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from xdsl.ir import SSAValue

from axir.dialects import ax, base, shapes
from axir.frontends.onnx.convert import Converter, Node, Unsupported, normal_axes


def _concat(node: Node) -> Sequence[SSAValue]:
    operands = [node.operand(i) for i in range(len(node.proto.input))]
    axis = node.axis("axis", 1, len(node.shape()))
    if len(operands) == 1:
        return operands
    return [node.emit(ax.ConcatOp, [operands], axis=base.integer(axis))]


def _slice_op(node: Node, operand: SSAValue, bounds: Sequence[tuple[int, int, int]]) -> SSAValue:
    """`bounds`: start, end and step of every axis, normalized."""
    starts, ends, steps = zip(*bounds, strict=True)
    return node.emit(ax.SliceOp, [operand], starts=base.ints(starts), ends=base.ints(ends), steps=base.ints(steps))


def _slice(node: Node) -> Sequence[SSAValue]:
    shape = node.shape()
    if node.opset < 10:
        starts, ends = node.integers("starts", []), node.integers("ends", [])
        axes, steps = node.integers("axes", None), None
    else:
        starts, ends = node.constant_integers(1) or [], node.constant_integers(2) or []
        axes, steps = node.constant_integers(3), node.constant_integers(4)
    axes = normal_axes(range(len(starts)) if axes is None else axes, len(shape))
    steps = [1] * len(starts) if steps is None else steps
    if not len(starts) == len(ends) == len(axes) == len(steps):
        raise ValueError(f"{len(starts)} starts, {len(ends)} ends, {len(axes)} axes and {len(steps)} steps")
    bounds = [(0, size, 1) for size in shape]
    backwards: dict[int, range] = {}
    for axis, start, end, step in zip(axes, starts, ends, steps, strict=True):
        if step == 0:
            raise ValueError("a step is 0")
        picked = range(shape[axis])[start:end:step]
        if picked and step < 0:
            backwards[axis] = picked
        else:
            bounds[axis] = (picked[0], picked[-1] + 1, step) if picked else (0, 0, 1)
    result = node.operand(0)
    if not backwards or any(bound != (0, size, 1) for bound, size in zip(bounds, shape, strict=True)):
        result = _slice_op(node, result, bounds)
    for axis, picked in backwards.items():
        result = _gather_op(node, result, axis, picked)
    return [result]


MOST_INDICES = 1 << 16
"""Indices of a gather, which stand in the graph one by one."""


def _gather_op(node: Node, operand: SSAValue, axis: int, indices: Sequence[int]) -> SSAValue:
    if len(indices) > MOST_INDICES:
        raise Unsupported(f"picking {len(indices)} positions along an axis; {MOST_INDICES} are the most")
    return node.emit(ax.GatherOp, [operand], axis=base.integer(axis), indices=base.ints(indices))


def _gather(node: Node) -> Sequence[SSAValue]:
    """Constant indices in steps of one size are a slice; exporters write splits of channels so."""
    shape, indices = node.shape(), node.constant(1)
    if indices is None or indices.dtype.kind not in "iu":
        raise ValueError("indices must be integers")
    axis = node.axis("axis", 0, len(shape))
    positions = [int(index) for index in indices.reshape(-1)]
    if not positions:
        raise ValueError("there are no indices")
    if any(not -shape[axis] <= position < shape[axis] for position in positions):
        raise ValueError(f"an index is outside of axis {axis} of {list(shape)}")
    positions = [position % shape[axis] for position in positions]
    steps = {after - before for before, after in pairwise(positions)}
    if len(steps) > 1 or min(steps, default=1) < 1:
        result = _gather_op(node, node.operand(0), axis, positions)
    else:
        bounds = [(0, size, 1) for size in shape]
        bounds[axis] = (positions[0], positions[-1] + 1, min(steps, default=1))
        result = _slice_op(node, node.operand(0), bounds)
    return [node.reshape(result, [*shape[:axis], *indices.shape, *shape[axis + 1 :]])]


def _expand(node: Node) -> Sequence[SSAValue]:
    shape = shapes.broadcast(node.shape(), tuple(node.constant_integers(1) or ()))
    if shape == node.shape():
        return [node.operand(0)]
    return [node.emit(ax.ExpandOp, [node.operand(0)], shape=base.ints(shape))]


def _tile(node: Node) -> Sequence[SSAValue]:
    shape, repeats = node.shape(), node.constant_integers(1) or []
    if len(repeats) != len(shape) or min(repeats, default=1) < 1:
        raise ValueError(f"repeats {repeats} are not one positive number for each of {len(shape)} axes")
    result = node.operand(0)
    for axis, (size, count) in enumerate(zip(shape, repeats, strict=True)):
        if size * count > MOST_INDICES and 1 not in (size, count):
            raise Unsupported(f"repeating {size} positions {count} times; {MOST_INDICES} are the most")
        if size > 1 and count > 1:
            result = _gather_op(node, result, axis, [*range(size)] * count)
    tiled = [size * count for size, count in zip(shape, repeats, strict=True)]
    return [
        result if base.shape_of(result) == tuple(tiled) else node.emit(ax.ExpandOp, [result], shape=base.ints(tiled))
    ]


def _blocks(kind: type[ax.DepthToSpaceOp | ax.SpaceToDepthOp]) -> Converter:
    def build(node: Node) -> Sequence[SSAValue]:
        mode = node.text("mode", "DCR")
        if mode not in ("DCR", "CRD"):
            raise ValueError(f"mode is '{mode}', not DCR or CRD")
        order = ax.BlockOrderAttr(ax.BlockOrder.DCR if mode == "DCR" else ax.BlockOrder.CRD)
        block = base.integer(node.integer("blocksize", 0))
        return [node.emit(kind, [node.operand(0)], block=block, order=order)]

    return Converter(build, (kind,))


def _split(node: Node) -> Sequence[SSAValue]:
    shape = node.shape()
    axis = node.axis("axis", 0, len(shape))
    size, count = shape[axis], node.output_count
    sizes = node.integers("split", None) if node.opset < 13 else node.constant_integers(1)
    if sizes is None:
        chunk = -(-size // count)
        if node.opset < 18 and size % count:
            raise ValueError(f"{size} does not split into {count} equal parts")
        if node.integer("num_outputs", count) != count:
            raise ValueError(f"num_outputs is {node.integer('num_outputs', count)}, the node has {count} outputs")
        sizes = [min(chunk, max(size - i * chunk, 0)) for i in range(count)]
    if sum(sizes) != size or min(sizes) < 0 or len(sizes) != count:
        raise ValueError(f"split {sizes} does not cut {size} into {count} parts")
    ends = [int(end) for end in np.cumsum(sizes)]
    results: list[SSAValue] = []
    for length, end in zip(sizes, ends, strict=True):
        bounds = [(0, s, 1) for s in shape]
        bounds[axis] = (end - length, end, 1)
        results.append(_slice_op(node, node.operand(0), bounds))
    return results


def _pad(node: Node) -> Sequence[SSAValue]:
    mode, shape = node.text("mode", "constant"), node.shape()
    rank = len(shape)
    if mode == "wrap" and node.opset >= 19:
        raise Unsupported("Pad with mode 'wrap'")
    modes = {str(known): known for known in ax.PadMode}
    if mode not in modes:
        raise ValueError(f"mode is '{mode}', not one of {', '.join(modes)}")
    if node.opset < 11:
        pads, value = node.integers("pads", []), node.real("value", 0.0)
    else:
        pads, constant = node.constant_integers(1) or [], node.constant(2)
        if constant is not None and constant.size != 1:
            raise ValueError(f"the padding value must be a scalar, it has shape {list(constant.shape)}")
        value = 0.0 if constant is None else float(constant.reshape(()))
        axes = node.constant_integers(3)
        if axes is not None:
            pads = _all_axes(pads, normal_axes(axes, rank), rank)
    if modes[mode] != ax.PadMode.CONSTANT:
        value = 0.0
    if not math.isfinite(value):
        raise Unsupported(f"Pad with the value {value}")
    shapes.pad(shape, pads)
    return [
        node.emit(
            ax.PadOp,
            [node.operand(0)],
            pads=base.ints(pads),
            value=base.float_(value),
            mode=ax.PadModeAttr(modes[mode]),
        )
    ]


def _all_axes(pads: Sequence[int], axes: Sequence[int], rank: int) -> list[int]:
    if len(pads) != 2 * len(axes):
        raise ValueError(f"{len(pads)} pads for {len(axes)} axes")
    full = [0] * (2 * rank)
    for i, axis in enumerate(axes):
        full[axis], full[axis + rank] = pads[i], pads[i + len(axes)]
    return full


def _reshape(node: Node) -> Sequence[SSAValue]:
    shape, target = node.shape(), node.constant_integers(1) or []
    if not node.flag("allowzero", False):
        if any(size == 0 and i >= len(shape) for i, size in enumerate(target)):
            raise ValueError(f"shape {target} copies a dimension that {list(shape)} does not have")
        target = [shape[i] if size == 0 else size for i, size in enumerate(target)]
    if target.count(-1) > 1 or min(target, default=0) < -1:
        raise ValueError(f"shape {target} has more than one open dimension")
    if -1 in target:
        known = math.prod(size for size in target if size != -1)
        if known == 0 or math.prod(shape) % known:
            raise ValueError(f"{list(shape)} does not reshape to {target}")
        target[target.index(-1)] = math.prod(shape) // known
    return [node.reshape(node.operand(0), target)]


def _flatten(node: Node) -> Sequence[SSAValue]:
    shape = node.shape()
    axis = node.axis("axis", 1, len(shape), last=0)
    return [node.reshape(node.operand(0), (math.prod(shape[:axis]), math.prod(shape[axis:])))]


def _axes(node: Node) -> list[int] | None:
    return node.integers("axes", None) if node.opset < 13 else node.constant_integers(1)


def _squeeze(node: Node) -> Sequence[SSAValue]:
    shape, axes = node.shape(), _axes(node)
    axes = [i for i, size in enumerate(shape) if size == 1] if axes is None else normal_axes(axes, len(shape))
    if any(shape[axis] != 1 for axis in axes):
        raise ValueError(f"axes {axes} of {list(shape)} are not all 1")
    return [node.reshape(node.operand(0), [size for i, size in enumerate(shape) if i not in axes])]


def _unsqueeze(node: Node) -> Sequence[SSAValue]:
    shape, axes = list(node.shape()), _axes(node) or []
    rank = len(shape) + len(axes)
    axes = normal_axes(axes, rank)
    sizes = iter(shape)
    return [node.reshape(node.operand(0), [1 if i in axes else next(sizes) for i in range(rank)])]


def _transpose(node: Node) -> Sequence[SSAValue]:
    perm = node.integers("perm", list(range(len(node.shape())))[::-1])
    return [node.emit(ax.TransposeOp, [node.operand(0)], perm=base.ints(perm))]


CONVERTERS: dict[str, Converter] = {
    "Concat": Converter(_concat, (ax.ConcatOp,)),
    "DepthToSpace": _blocks(ax.DepthToSpaceOp),
    "Expand": Converter(_expand, (ax.ExpandOp,), constants=(1,)),
    "Flatten": Converter(_flatten, (ax.ReshapeOp,)),
    "Gather": Converter(_gather, (ax.SliceOp, ax.GatherOp, ax.ReshapeOp), constants=(1,)),
    "Pad": Converter(_pad, (ax.PadOp,), constants=(1, 2, 3), host="mode wrap; infinite values"),
    "Reshape": Converter(_reshape, (ax.ReshapeOp,), constants=(1,)),
    "Slice": Converter(_slice, (ax.SliceOp, ax.GatherOp), constants=(1, 2, 3, 4)),
    "SpaceToDepth": _blocks(ax.SpaceToDepthOp),
    "Split": Converter(_split, (ax.SliceOp,), constants=(1,)),
    "Squeeze": Converter(_squeeze, (ax.ReshapeOp,), constants=(1,)),
    "Tile": Converter(_tile, (ax.GatherOp, ax.ExpandOp), constants=(1,)),
    "Transpose": Converter(_transpose, (ax.TransposeOp,)),
    "Unsqueeze": Converter(_unsqueeze, (ax.ReshapeOp,), constants=(1,)),
}
