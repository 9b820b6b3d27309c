"""Shape functions of the graph operators: pure arithmetic on tuples, shared by builders and verifiers.

Spatial formulas are ONNX's: https://onnx.ai/onnx/operators/onnx__Conv.html and its neighbours.
`pads` are always (top, left, bottom, right); every function raises `ValueError` on shapes that do not fit together.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from operator import mul

Shape = tuple[int, ...]


def window_extent(size: int, kernel: int, stride: int, dilation: int, pad: int, ceil: bool = False) -> int:
    """Outputs along one axis of a sliding window; `pad` is the sum of both sides."""
    span = size + pad - dilation * (kernel - 1) - 1
    if span < 0:
        raise ValueError(f"window of {dilation * (kernel - 1) + 1} is larger than the padded input of {size + pad}")
    return (-(-span // stride) if ceil else span // stride) + 1


def _check_window(kernel: Sequence[int], strides: Sequence[int], pads: Sequence[int], dilations: Sequence[int]) -> None:
    for name, values in (("kernel", kernel), ("strides", strides), ("dilations", dilations)):
        if len(values) != 2 or min(values) < 1:
            raise ValueError(f"{name} must be two positive numbers, not {list(values)}")
    if len(pads) != 4 or min(pads) < 0:
        raise ValueError(f"pads must be four numbers >= 0, not {list(pads)}")


def _spatial(
    shape: Shape, kernel: Sequence[int], strides: Sequence[int], pads: Sequence[int], dilations: Sequence[int]
) -> Shape:
    _check_window(kernel, strides, pads, dilations)
    return tuple(
        window_extent(shape[2 + axis], kernel[axis], strides[axis], dilations[axis], pads[axis] + pads[axis + 2])
        for axis in (0, 1)
    )


def rank4(shape: Shape, what: str = "input") -> None:
    if len(shape) != 4:
        raise ValueError(f"{what} must have rank 4 (NCHW), it has rank {len(shape)}")


def conv(
    shape: Shape,
    weight: Shape,
    strides: Sequence[int],
    pads: Sequence[int],
    dilations: Sequence[int],
    group: int,
) -> Shape:
    """Convolution: `shape` NCHW, `weight` [O, C/group, KH, KW]."""
    rank4(shape)
    rank4(weight, "weight")
    if group < 1 or shape[1] % group or weight[0] % group:
        raise ValueError(f"group {group} does not divide {shape[1]} input and {weight[0]} output channels")
    if weight[1] * group != shape[1]:
        raise ValueError(f"weight expects {weight[1] * group} input channels, input has {shape[1]}")
    return (shape[0], weight[0], *_spatial(shape, weight[2:], strides, pads, dilations))


def conv_transpose(
    shape: Shape,
    weight: Shape,
    strides: Sequence[int],
    pads: Sequence[int],
    output_padding: Sequence[int],
    dilations: Sequence[int],
    group: int,
) -> Shape:
    """Transposed convolution: `shape` NCHW, `weight` [C, O/group, KH, KW]."""
    rank4(shape)
    rank4(weight, "weight")
    if group < 1 or shape[1] % group:
        raise ValueError(f"group {group} does not divide {shape[1]} input channels")
    if weight[0] != shape[1]:
        raise ValueError(f"weight expects {weight[0]} input channels, input has {shape[1]}")
    _check_window(weight[2:], strides, pads, dilations)
    if len(output_padding) != 2 or min(output_padding) < 0:
        raise ValueError(f"output_padding must be two numbers >= 0, not {list(output_padding)}")
    spatial = tuple(
        strides[a] * (shape[2 + a] - 1)
        + output_padding[a]
        + (weight[2 + a] - 1) * dilations[a]
        + 1
        - pads[a]
        - pads[a + 2]
        for a in (0, 1)
    )
    if min(spatial) < 1:
        raise ValueError(f"pads {list(pads)} leave no output")
    return (shape[0], weight[1] * group, *spatial)


def pool(
    shape: Shape,
    kernel: Sequence[int],
    strides: Sequence[int],
    pads: Sequence[int],
    dilations: Sequence[int],
) -> Shape:
    """Pooling. The importer turns `ceil_mode` into larger bottom/right pads, so there is one formula."""
    rank4(shape)
    result = _spatial(shape, kernel, strides, pads, dilations)
    for a in (0, 1):
        last = (result[a] - 1) * strides[a] - pads[a]
        if pads[a] > dilations[a] * (kernel[a] - 1) or last >= shape[2 + a]:
            raise ValueError(f"pads {list(pads)} are so large that a window lies in the padding alone")
        if pads[a] and dilations[a] > shape[2 + a]:
            raise ValueError(f"taps {dilations[a]} apart can miss a padded input of {shape[2 + a]}")
    return (*shape[:2], *result)


def broadcast(*shapes: Shape) -> Shape:
    """NumPy broadcasting."""
    rank = max(map(len, shapes))
    padded = [(1,) * (rank - len(shape)) + shape for shape in shapes]
    result: list[int] = []
    for sizes in zip(*padded, strict=True):
        size = max(sizes) if 0 not in sizes else 0
        if any(s not in (1, size) for s in sizes):
            raise ValueError(f"shapes {' and '.join(map(str, map(list, shapes)))} do not broadcast")
        result.append(size)
    return tuple(result)


def concat(shapes: Sequence[Shape], axis: int) -> Shape:
    first = shapes[0]
    if not 0 <= axis < len(first):
        raise ValueError(f"axis {axis} is outside rank {len(first)}")
    for shape in shapes[1:]:
        if len(shape) != len(first) or shape[:axis] + shape[axis + 1 :] != first[:axis] + first[axis + 1 :]:
            raise ValueError(f"{list(shape)} and {list(first)} differ outside axis {axis}")
    return (*first[:axis], sum(shape[axis] for shape in shapes), *first[axis + 1 :])


def slice_(shape: Shape, starts: Sequence[int], ends: Sequence[int], steps: Sequence[int]) -> Shape:
    """Slice with one normalized (start, end, step) an axis: 0 <= start, end <= size, step > 0."""
    if not len(shape) == len(starts) == len(ends) == len(steps):
        raise ValueError(f"slice needs one start, end and step for each of {len(shape)} axes")
    for size, start, end, step in zip(shape, starts, ends, steps, strict=True):
        if not 0 <= start <= end <= size or step < 1:
            raise ValueError(f"slice [{start}:{end}:{step}] does not fit an axis of {size}")
    return tuple(-(-(end - start) // step) for start, end, step in zip(starts, ends, steps, strict=True))


def matmul(a: Shape, b: Shape) -> Shape:
    """NumPy matmul for ranks >= 2."""
    if len(a) < 2 or len(b) < 2:
        raise ValueError("matmul operands need rank >= 2")
    if a[-1] != b[-2]:
        raise ValueError(f"inner dimensions differ: {a[-1]} and {b[-2]}")
    return (*broadcast(a[:-2], b[:-2]), a[-2], b[-1]) if len(a) > 2 or len(b) > 2 else (a[0], b[1])


def reduce(shape: Shape, axes: Sequence[int], keepdims: bool) -> Shape:
    if any(not 0 <= axis < len(shape) for axis in axes) or len(set(axes)) != len(axes):
        raise ValueError(f"axes {list(axes)} do not fit rank {len(shape)}")
    if keepdims:
        return tuple(1 if i in axes else size for i, size in enumerate(shape))
    return tuple(size for i, size in enumerate(shape) if i not in axes)


def transpose(shape: Shape, perm: Sequence[int]) -> Shape:
    if sorted(perm) != list(range(len(shape))):
        raise ValueError(f"{list(perm)} is no permutation of {len(shape)} axes")
    return tuple(shape[axis] for axis in perm)


def reshape(shape: Shape, target: Sequence[int]) -> Shape:
    def volume(sizes: Sequence[int]) -> int:
        product = 1
        for size in sizes:
            product *= size
        return product

    if min(target, default=1) < 0:
        raise ValueError(f"shape {list(target)} has a negative dimension")
    if volume(shape) != volume(target):
        raise ValueError(f"{list(shape)} has {volume(shape)} elements, {list(target)} has {volume(target)}")
    return tuple(target)


def rearrange(shape: Shape, split: Sequence[int], perm: Sequence[int], target: Sequence[int]) -> Shape:
    """Axes split into factors, which `perm` puts in another order, and joined to the axes of `target`.

    Raises `ValueError` where an axis of `shape` or `target` is no product of consecutive factors.
    """
    reshape(shape, split)
    moved = transpose(tuple(split), perm)
    reshape(moved, target)
    for axes, factors in ((shape, tuple(split)), (target, moved)):
        inner = list(accumulate(reversed(factors), mul, initial=1))
        if any(size not in inner for size in accumulate(reversed(axes), mul)):
            raise ValueError(f"axes of {list(axes)} are no products of neighbours in {list(factors)}")
    return tuple(target)


def pad(shape: Shape, pads: Sequence[int]) -> Shape:
    """`pads` as in ONNX: all starts, then all ends; negative pads crop."""
    rank = len(shape)
    if len(pads) != 2 * rank:
        raise ValueError(f"pad needs {2 * rank} numbers, not {len(pads)}")
    result = tuple(size + pads[i] + pads[i + rank] for i, size in enumerate(shape))
    if any(size < 0 for size in result):
        raise ValueError(f"pads {list(pads)} leave no output")
    return result


def check_source_of_pads(shape: Shape, pads: Sequence[int], *, mirrored: bool) -> None:
    """Raise `ValueError` where padding would repeat elements that are not there; `pads` as for `pad`."""
    rank = len(shape)
    for axis, size in enumerate(shape):
        before, after = pads[axis], pads[axis + rank]
        kept = size + min(before, 0) + min(after, 0)
        if max(before, after) > (kept - 1 if mirrored else 0) and (mirrored or kept < 1):
            raise ValueError(f"pads {before} and {after} find too few elements on an axis of {size}")


def gather(shape: Shape, axis: int, indices: Sequence[int]) -> Shape:
    """Elements at constant `indices` along `axis`."""
    if not 0 <= axis < len(shape):
        raise ValueError(f"axis {axis} is outside rank {len(shape)}")
    if not indices or min(indices) < 0 or max(indices) >= shape[axis]:
        raise ValueError(f"indices must be some of 0 to {shape[axis] - 1}")
    return (*shape[:axis], len(indices), *shape[axis + 1 :])


def depth_to_space(shape: Shape, block: int) -> Shape:
    rank4(shape)
    if block < 1 or shape[1] % (block * block):
        raise ValueError(f"{shape[1]} channels are no blocks of {block} x {block}")
    return (shape[0], shape[1] // (block * block), shape[2] * block, shape[3] * block)


def space_to_depth(shape: Shape, block: int) -> Shape:
    rank4(shape)
    if block < 1 or shape[2] % block or shape[3] % block:
        raise ValueError(f"height and width of {list(shape)} are no multiples of the block {block}")
    return (shape[0], shape[1] * block * block, shape[2] // block, shape[3] // block)


def head_matmul(shape: Shape, other: Shape, heads: int, transpose: bool) -> Shape:
    """Products of pixels, head by head.

    `transpose`: [1, heads * K, H, W] and [1, heads * K, P, Q] give [1, P * Q, heads * H, W]: products of pixels.
    Else [1, P * Q, heads * H, W] and [1, heads * M, P, Q] give [1, heads * M, H, W]: sums of pixels of the second.
    """
    rank4(shape)
    rank4(other, "other")
    if heads < 1 or other[1] % heads:
        raise ValueError(f"{heads} heads do not divide {other[1]} channels")
    if shape[0] != 1 or other[0] != 1:
        raise ValueError(f"batches are 1, not {shape[0]} and {other[0]}")
    pixels = other[2] * other[3]
    if transpose:
        if shape[1] != other[1]:
            raise ValueError(f"pixels of {shape[1]} and {other[1]} channels have no products")
        return (1, pixels, heads * shape[2], shape[3])
    if shape[1] != pixels:
        raise ValueError(f"{shape[1]} channels weigh {pixels} pixels")
    if shape[2] % heads:
        raise ValueError(f"{heads} heads do not divide {shape[2]} rows")
    return (1, other[1], shape[2] // heads, shape[3])
