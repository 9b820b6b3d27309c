"""Convolutions and pooling.

`ax` has no `auto_pad`, `ceil_mode` or `output_shape`: all of them become explicit pads here. Windows over one axis
become windows over a height of 1.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from xdsl.dialects.builtin import IntegerAttr
from xdsl.ir import Attribute, SSAValue

from axir.dialects import ax, base
from axir.frontends.onnx.convert import Converter, Node, Operands, Unsupported

_HOST_WINDOW = "windows over more than two axes"
_HOST_POOL = f"{_HOST_WINDOW}; auto_pad VALID with ceil_mode where it rounds"


@dataclass(frozen=True)
class Window:
    """A window of a convolution or pool; lists hold one number for height and one for width, pads two of each.

    `flat` says that the node has only a width; `shape` is that of its input as [N, C, H, W].
    """

    flat: bool
    shape: tuple[int, ...]
    kernel: list[int]
    strides: list[int]
    dilations: list[int]
    pads: list[int]

    def extent(self, axis: int) -> int:
        """Inputs that the window spans along an axis."""
        return self.dilations[axis] * (self.kernel[axis] - 1) + 1

    def widened(self, node: Node, value: SSAValue) -> SSAValue:
        """An operand of the node with a height of 1 where it has none."""
        shape = base.shape_of(value)
        return node.reshape(value, (*shape[:2], 1, *shape[2:])) if self.flat else value

    def finished(self, node: Node, value: SSAValue) -> SSAValue:
        """A result without the height that the node does not have."""
        shape = base.shape_of(value)
        return node.reshape(value, (*shape[:2], shape[3])) if self.flat else value


def _window(node: Node, kernel: Sequence[int] | None = None) -> Window:
    """The window of a node over `kernel`, a weight's; pads as `auto_pad` and `pads` say, before `ceil_mode`."""
    shape = node.shape()
    rank = len(shape) - 2
    given = node.integers("kernel_shape", None)
    if kernel is not None and given is not None and list(kernel) != given:
        raise ValueError(f"kernel_shape {given} differs from the weight's {list(kernel)}")
    sizes = list(kernel if kernel is not None else given or [])
    if rank < 1 or len(sizes) != rank:
        raise ValueError(f"a window of {len(sizes)} axes does not fit an input of rank {rank + 2}")
    if rank > 2:
        raise Unsupported(f"a window over {rank} axes")
    if min(sizes) < 1:
        raise ValueError(f"kernel_shape {sizes} is not positive")
    flat = rank == 1
    pads = _numbers(node, "pads", 2 * rank, 0)
    return Window(
        flat,
        (*shape[:2], 1, shape[2]) if flat else shape,
        [1, *sizes] if flat else sizes,
        [1] * flat + _numbers(node, "strides", rank, 1),
        [1] * flat + _numbers(node, "dilations", rank, 1),
        [0, pads[0], 0, pads[1]] if flat else pads,
    )


def _numbers(node: Node, name: str, count: int, least: int) -> list[int]:
    """A list attribute of `count` numbers, each `least` by default and at least."""
    values = node.integers(name, [least] * count)
    if len(values) != count or min(values) < least:
        wanted = f"{_WORDS[count]} positive number{'s' * (count > 1)}" if least else f"{_WORDS[count]} numbers >= 0"
        raise ValueError(f"{name} must be {wanted}, not {values}")
    return values


_WORDS = {1: "one", 2: "two", 4: "four"}


def _auto_pad(node: Node) -> str:
    mode = node.text("auto_pad", "NOTSET")
    if mode not in ("NOTSET", "SAME_UPPER", "SAME_LOWER", "VALID"):
        raise ValueError(f"auto_pad cannot be '{mode}'")
    return mode


def _split_total(total: int, upper: bool) -> tuple[int, int]:
    """Padding before and after; the odd one goes after where `upper`."""
    return (total // 2, total - total // 2) if upper else (total - total // 2, total // 2)


def _resolved_pads(node: Node, window: Window) -> list[int]:
    """The pads of a sliding window after `auto_pad`: [top, left, bottom, right]."""
    mode = _auto_pad(node)
    if mode == "NOTSET":
        return window.pads
    if mode == "VALID":
        return [0] * 4
    pads = [0] * 4
    for axis, size in enumerate(window.shape[2:]):
        covered = (-(-size // window.strides[axis]) - 1) * window.strides[axis] + window.extent(axis)
        pads[axis], pads[axis + 2] = _split_total(max(covered - size, 0), mode == "SAME_UPPER")
    return pads


def _ceil_pads(window: Window, pads: Sequence[int]) -> list[int]:
    """Bottom and right padding that `ceil_mode` adds.

    A last window that would start in the padding behind the input does not exist, as in ONNX Runtime and PyTorch.
    """
    extra: list[int] = []
    for axis in (0, 1):
        size, stride = window.shape[2 + axis], window.strides[axis]
        span = size + pads[axis] + pads[axis + 2] - window.extent(axis)
        last = -(-span // stride) * stride
        if last >= size + pads[axis]:
            last -= stride
        extra.append(max(last - span, 0))
    return extra


def _convolution(
    node: Node, kind: type[ax.ConvOp | ax.ConvTransposeOp], window: Window, pads: Sequence[int], **more: Attribute
) -> Sequence[SSAValue]:
    x, weight = (window.widened(node, node.operand(index)) for index in (0, 1))
    result = node.emit(
        kind,
        [x, weight, node.optional_operand(2), []],
        strides=base.ints(window.strides),
        pads=base.ints(pads),
        dilations=base.ints(window.dilations),
        group=base.integer(node.integer("group", 1)),
        **more,
    )
    return [window.finished(node, result)]


def _conv(node: Node) -> Sequence[SSAValue]:
    window = _window(node, node.shape(1)[2:])
    return _convolution(node, ax.ConvOp, window, _resolved_pads(node, window))


def _conv_transpose(node: Node) -> Sequence[SSAValue]:
    window = _window(node, node.shape(1)[2:])
    pads, output_padding = _transposed_pads(node, window)
    return _convolution(node, ax.ConvTransposeOp, window, pads, output_padding=base.ints(output_padding))


def _transposed_pads(node: Node, window: Window) -> tuple[list[int], list[int]]:
    """Pads and output padding of a transposed convolution, from `output_shape` or `auto_pad` where they are given."""
    mode, shape, rank = _auto_pad(node), window.shape, len(node.shape()) - 2
    output_padding = [0] * window.flat + _numbers(node, "output_padding", rank, 0)
    target = node.integers("output_shape", None)
    if target is None and mode == "NOTSET":
        return window.pads, output_padding
    if target is None and mode == "VALID":
        return [0] * 4, output_padding
    if target is None:
        target = [shape[2 + axis] * window.strides[axis] for axis in (0, 1)]
    else:
        # Some exporters write all dimensions.
        if len(target) not in (rank, rank + 2) or min(target) < 1:
            raise ValueError(f"output_shape must be {_WORDS[rank]} positive numbers, not {target}")
        target = [1] * window.flat + target[-rank:]
    pads, output_padding = [0] * 4, list(output_padding)
    for axis, size in enumerate(target):
        full = window.strides[axis] * (shape[2 + axis] - 1) + output_padding[axis] + window.extent(axis)
        pads[axis], pads[axis + 2] = _split_total(max(full - size, 0), mode == "SAME_UPPER")
        output_padding[axis] += max(size - full, 0)
    return pads, output_padding


def _pool_pads(node: Node, window: Window) -> tuple[list[int], list[int]]:
    """The pads of a pool that its attributes name, and what `ceil_mode` adds at bottom and right."""
    pads = _resolved_pads(node, window)
    # With SAME the sizes divide, and ceil_mode changes nothing.
    if not node.flag("ceil_mode", False) or _auto_pad(node).startswith("SAME"):
        return pads, [0, 0]
    extra = _ceil_pads(window, pads)
    if any(extra) and _auto_pad(node) == "VALID":
        raise Unsupported("auto_pad VALID with ceil_mode, which ONNX Runtime rounds otherwise than the specification")
    return pads, extra


def _enlarged(pads: Sequence[int], extra: Sequence[int]) -> list[int]:
    return [*pads[:2], pads[2] + extra[0], pads[3] + extra[1]]


def _pool(
    node: Node,
    kind: type[ax.MaxPoolOp | ax.AvgPoolOp],
    window: Window,
    operands: Operands,
    pads: Sequence[int],
    **more: Attribute,
) -> Sequence[SSAValue]:
    result = node.emit(
        kind,
        operands,
        kernel=base.ints(window.kernel),
        strides=base.ints(window.strides),
        pads=base.ints(pads),
        dilations=base.ints(window.dilations),
        **more,
    )
    return [window.finished(node, result)]


def _max_pool(node: Node) -> Sequence[SSAValue]:
    if node.has_output(1):
        raise Unsupported("MaxPool with the output Indices")
    window = _window(node)
    pads = _enlarged(*_pool_pads(node, window))
    return _pool(node, ax.MaxPoolOp, window, [window.widened(node, node.operand(0))], pads)


def _avg_pool(node: Node) -> Sequence[SSAValue]:
    window = _window(node)
    pads, extra = _pool_pads(node, window)
    include = node.flag("count_include_pad", False) and any(pads)
    operand = window.widened(node, node.operand(0))
    if include and any(extra):
        # Named pads count, those of ceil_mode do not: the named ones become zeros of the input.
        full = [0, 0, *pads[:2], 0, 0, *pads[2:]]
        operand = node.emit(ax.PadOp, [operand], pads=base.ints(full), value=base.float_(0.0))
        pads, include = [0] * 4, False
    counted = IntegerAttr.from_bool(include)
    return _pool(node, ax.AvgPoolOp, window, [operand, []], _enlarged(pads, extra), count_include_pad=counted)


def _global_pool(kind: type[ax.GlobalPoolOp]) -> Callable[[Node], Sequence[SSAValue]]:
    return lambda node: [node.emit(kind, [node.operand(0)])]


CONVERTERS: dict[str, Converter] = {
    "AveragePool": Converter(_avg_pool, (ax.AvgPoolOp, ax.PadOp, ax.ReshapeOp), host=_HOST_POOL),
    "Conv": Converter(_conv, (ax.ConvOp, ax.ReshapeOp), host=_HOST_WINDOW),
    "ConvTranspose": Converter(_conv_transpose, (ax.ConvTransposeOp, ax.ReshapeOp), host=_HOST_WINDOW),
    "GlobalAveragePool": Converter(_global_pool(ax.GlobalAvgPoolOp), (ax.GlobalAvgPoolOp,)),
    "GlobalMaxPool": Converter(_global_pool(ax.GlobalMaxPoolOp), (ax.GlobalMaxPoolOp,)),
    "MaxPool": Converter(_max_pool, (ax.MaxPoolOp, ax.ReshapeOp), host=f"{_HOST_POOL}; the output Indices"),
}
