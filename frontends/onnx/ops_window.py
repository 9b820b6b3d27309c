"""Convolutions and pooling.

`ax` has no `auto_pad`, `ceil_mode` or `output_shape`: all of them become explicit pads here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from xdsl.dialects.builtin import IntegerAttr
from xdsl.ir import SSAValue

from axir.dialects import ax, base
from axir.frontends.onnx.convert import Converter, Node, Unsupported

_HOST_WINDOW = "windows over more than two axes"
_HOST_POOL = f"{_HOST_WINDOW}; auto_pad VALID with ceil_mode where it rounds"


@dataclass(frozen=True)
class Window:
    """A window of a convolution or pool; lists hold one number for height and one for width, pads two of each."""

    kernel: list[int]
    strides: list[int]
    dilations: list[int]
    pads: list[int]

    def extent(self, axis: int) -> int:
        """Inputs that the window spans along an axis."""
        return self.dilations[axis] * (self.kernel[axis] - 1) + 1


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
    if rank != 2:
        raise Unsupported(f"a window over {rank} axes")
    strides = _positive(node, "strides")
    dilations = _positive(node, "dilations")
    pads = node.integers("pads", [0] * 4)
    if min(sizes) < 1:
        raise ValueError(f"kernel_shape {sizes} is not positive")
    if len(pads) != 4 or min(pads) < 0:
        raise ValueError(f"pads must be four numbers >= 0, not {pads}")
    return Window(sizes, strides, dilations, pads)


def _positive(node: Node, name: str) -> list[int]:
    values = node.integers(name, [1, 1])
    if len(values) != 2 or min(values) < 1:
        raise ValueError(f"{name} must be two positive numbers, not {values}")
    return values


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
    for axis, size in enumerate(node.shape()[2:]):
        covered = (-(-size // window.strides[axis]) - 1) * window.strides[axis] + window.extent(axis)
        pads[axis], pads[axis + 2] = _split_total(max(covered - size, 0), mode == "SAME_UPPER")
    return pads


def _ceil_pads(window: Window, pads: Sequence[int], shape: Sequence[int]) -> list[int]:
    """Bottom and right padding that `ceil_mode` adds.

    A last window that would start in the padding behind the input does not exist, as in ONNX Runtime and PyTorch.
    """
    extra: list[int] = []
    for axis in (0, 1):
        size, stride = shape[2 + axis], window.strides[axis]
        span = size + pads[axis] + pads[axis + 2] - window.extent(axis)
        last = -(-span // stride) * stride
        if last >= size + pads[axis]:
            last -= stride
        extra.append(max(last - span, 0))
    return extra


def _conv(node: Node) -> Sequence[SSAValue]:
    window = _window(node, node.shape(1)[2:])
    return [
        node.emit(
            ax.ConvOp,
            [node.operand(0), node.operand(1), node.optional_operand(2), []],
            strides=base.ints(window.strides),
            pads=base.ints(_resolved_pads(node, window)),
            dilations=base.ints(window.dilations),
            group=base.integer(node.integer("group", 1)),
        )
    ]


def _conv_transpose(node: Node) -> Sequence[SSAValue]:
    window = _window(node, node.shape(1)[2:])
    pads, output_padding = _transposed_pads(node, window)
    return [
        node.emit(
            ax.ConvTransposeOp,
            [node.operand(0), node.operand(1), node.optional_operand(2), []],
            strides=base.ints(window.strides),
            pads=base.ints(pads),
            output_padding=base.ints(output_padding),
            dilations=base.ints(window.dilations),
            group=base.integer(node.integer("group", 1)),
        )
    ]


def _transposed_pads(node: Node, window: Window) -> tuple[list[int], list[int]]:
    """Pads and output padding of a transposed convolution, from `output_shape` or `auto_pad` where they are given."""
    mode, shape = _auto_pad(node), node.shape()
    output_padding = node.integers("output_padding", [0, 0])
    if len(output_padding) != 2 or min(output_padding) < 0:
        raise ValueError(f"output_padding must be two numbers >= 0, not {output_padding}")
    target = node.integers("output_shape", None)
    if target is None and mode == "NOTSET":
        return window.pads, output_padding
    if target is None and mode == "VALID":
        return [0] * 4, output_padding
    if target is None:
        target = [shape[2 + axis] * window.strides[axis] for axis in (0, 1)]
    # Some exporters write all four dimensions.
    if len(target) not in (2, 4) or min(target) < 1:
        raise ValueError(f"output_shape must be two positive numbers, not {target}")
    pads, output_padding = [0] * 4, list(output_padding)
    for axis, size in enumerate(target[-2:]):
        full = window.strides[axis] * (shape[2 + axis] - 1) + output_padding[axis] + window.extent(axis)
        pads[axis], pads[axis + 2] = _split_total(max(full - size, 0), mode == "SAME_UPPER")
        output_padding[axis] += max(size - full, 0)
    return pads, output_padding


def _pool_pads(node: Node, window: Window) -> tuple[list[int], list[int]]:
    """The pads of a pool that its attributes name, and what `ceil_mode` adds at bottom and right."""
    pads = _resolved_pads(node, window)
    # With SAME the sizes divide, and ceil_mode changes nothing.
    if not node.integer("ceil_mode", 0) or _auto_pad(node).startswith("SAME"):
        return pads, [0, 0]
    extra = _ceil_pads(window, pads, node.shape())
    if any(extra) and _auto_pad(node) == "VALID":
        raise Unsupported("auto_pad VALID with ceil_mode, which ONNX Runtime rounds otherwise than the specification")
    return pads, extra


def _enlarged(pads: Sequence[int], extra: Sequence[int]) -> list[int]:
    return [*pads[:2], pads[2] + extra[0], pads[3] + extra[1]]


def _max_pool(node: Node) -> Sequence[SSAValue]:
    if node.has_output(1):
        raise Unsupported("MaxPool with the output Indices")
    window = _window(node)
    pads, extra = _pool_pads(node, window)
    return [
        node.emit(
            ax.MaxPoolOp,
            [node.operand(0)],
            kernel=base.ints(window.kernel),
            strides=base.ints(window.strides),
            pads=base.ints(_enlarged(pads, extra)),
            dilations=base.ints(window.dilations),
        )
    ]


def _avg_pool(node: Node) -> Sequence[SSAValue]:
    window = _window(node)
    pads, extra = _pool_pads(node, window)
    include = bool(node.integer("count_include_pad", 0)) and any(pads)
    operand = node.operand(0)
    if include and any(extra):
        # Named pads count, those of ceil_mode do not: the named ones become zeros of the input.
        full = [0, 0, *pads[:2], 0, 0, *pads[2:]]
        operand = node.emit(ax.PadOp, [operand], pads=base.ints(full), value=base.float_(0.0))
        pads, include = [0] * 4, False
    return [
        node.emit(
            ax.AvgPoolOp,
            [operand, []],
            kernel=base.ints(window.kernel),
            strides=base.ints(window.strides),
            pads=base.ints(_enlarged(pads, extra)),
            dilations=base.ints(window.dilations),
            count_include_pad=IntegerAttr.from_bool(include),
        )
    ]


def _global_pool(kind: type[ax.GlobalPoolOp]) -> Callable[[Node], Sequence[SSAValue]]:
    return lambda node: [node.emit(kind, [node.operand(0)])]


CONVERTERS: dict[str, Converter] = {
    "AveragePool": Converter(_avg_pool, (ax.AvgPoolOp, ax.PadOp), host=_HOST_POOL),
    "Conv": Converter(_conv, (ax.ConvOp,), host=_HOST_WINDOW),
    "ConvTranspose": Converter(_conv_transpose, (ax.ConvTransposeOp,), host=_HOST_WINDOW),
    "GlobalAveragePool": Converter(_global_pool(ax.GlobalAvgPoolOp), (ax.GlobalAvgPoolOp,)),
    "GlobalMaxPool": Converter(_global_pool(ax.GlobalMaxPoolOp), (ax.GlobalMaxPoolOp,)),
    "MaxPool": Converter(_max_pool, (ax.MaxPoolOp,), host=f"{_HOST_POOL}; the output Indices"),
}
