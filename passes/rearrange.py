"""`rearrange`: what only puts elements in another order, between convolutions, becomes copies of the device."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import prod

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Operation, SSAValue
from xdsl.passes import ModulePass
from xdsl.rewriter import InsertPoint, Rewriter

from axir.dialects import ax, base
from axir.ir.context import AxContext
from axir.ir.location import rewrite
from axir.passes.device_support import unsupported
from axir.passes.graph_flow import Ops, ancestors, dependents, macs, operators, total_macs, users
from axir.passes.graph_parts import HOST_SHARE, MAIN, parts_of
from axir.passes.patterns.resize import ResizeByGather
from axir.passes.patterns.values import is_constant, is_f32
from axir.passes.patterns.windows import MaximumOverChannels
from axir.passes.pixels.region import TRANSPARENT, around
from axir.passes.pixels.rewrite import PixelRewriter
from axir.passes.pixels.views import Atoms, View, rearranged, size_of
from axir.target.cost import ceil_div, load_pixels_cycles, multiply_cycles
from axir.target.description import Target, load

Movement = ax.ReshapeOp | ax.TransposeOp | ax.RearrangeOp
Places = tuple[Atoms, ...]
"""The factors of channels, height and width."""


@dataclass(frozen=True)
class Rearrange(ModulePass):
    """Brings operators between convolutions, or products of tensors, of @main to [1, C, H, W].

    Height and width are resized there by gathers; maxima over channels are pools over rows that were channels. What
    else the device refuses is done on pixels (passes/pixels), with the operators around it: tensors of other ranks, a
    softmax along another axis. Then reshapes and transposes between tensors [1, C, H, W] become one `ax.rearrange`,
    where its copies take less time than a host island would (passes/partition.py). Nothing changes where a host part
    could begin or end (passes/split_host.py): what moves there the host moves with the transfer.
    """

    name = "rearrange"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        context = AxContext.of(ctx)
        target = context.target if isinstance(context.target, Target) else load(None)
        graph = parts_of(op).get(MAIN)
        if graph is None:
            return
        inside = between_products(operators(graph))
        if any(isinstance(one, ax.ResizeOp | ax.ReduceOp) for one in inside):
            rewrite(op, ResizeByGather(context.store, inside), MaximumOverChannels(inside))
            inside = between_products(operators(graph))
        refused = [one for one in inside if isinstance(one, TRANSPARENT) and unsupported(one) is not None]
        if not refused:
            return
        PixelRewriter(context.store).run(around(inside, [one for one in refused if not isinstance(one, Movement)]))
        inside = between_products(operators(graph))
        for one in inside:
            if isinstance(one, Movement) and not all(isinstance(user, Movement) for user in users(one.result)):
                _rearranged(one, inside, target)
        for one in reversed(operators(graph)):
            if isinstance(one, Movement) and not users(one.result):
                Rewriter.erase_op(one)


def between_products(ops: Sequence[Operation]) -> Ops:
    """The operators that have more multiply-accumulates before and after them than a host part may take."""
    limit = HOST_SHARE * total_macs(ops)
    fed: Ops = {}
    for op in ops:
        if any(value.owner in fed for value in op.operands) or total_macs(ancestors(op, ops)) > limit:
            fed[op] = None
    feeding: Ops = {}
    for op in reversed(ops):
        below = [user for value in op.results for user in users(value)]
        if any(user in feeding for user in below) or total_macs(dependents(op, ops)) > limit:
            feeding[op] = None
    return {op: None for op in ops if op in fed and op in feeding and not macs(op)}


def _pixels(value: SSAValue) -> bool:
    """Whether a tensor is one of the device's: computed, binary32, [1, C, H, W]."""
    shape = base.shape_of(value)
    return len(shape) == 4 and shape[0] == 1 and min(shape) > 0 and is_f32(value) and not is_constant(value)


def _rearranged(op: Movement, inside: Ops, target: Target) -> None:
    """Replace a chain of reshapes and transposes that ends in `op`, if it goes from pixels to pixels."""
    chain: list[Movement] = []
    source: SSAValue | None = None
    length, value = 0, op.result
    while isinstance(value.owner, Movement) and value.owner in inside:
        chain.append(value.owner)
        value = value.owner.input
        if _pixels(value):
            source, length = value, len(chain)
    if source is None or not _pixels(op.result):
        return
    mover = _Mover(source, target)
    for movement in reversed(chain[:length]):
        mover.move(movement)
    mover.place(base.shape_of(op.result))
    if mover.cycles > _island_cycles(op.result, target):
        for one in reversed(mover.made):
            one.erase()
        return
    for one in mover.made:
        one.location = op.location
    Rewriter.insert_op(mover.made, InsertPoint.before(op))
    op.result.replace_all_uses_with(mover.view.value)


class _Mover:
    """Follows a chain of reshapes and transposes; `made` are the operators that do the same on pixels."""

    def __init__(self, source: SSAValue, target: Target):
        self.view = View.native(source)
        self.made: list[base.TypedOp] = []
        self.cycles = 0
        self.target = target

    def move(self, op: Movement) -> None:
        match op:
            case ax.TransposeOp():
                self.view = self.view.transposed(base.ints_of(op.perm))
            case ax.ReshapeOp():
                self.reshape(base.ints_of(op.shape))
            case ax.RearrangeOp():
                self.reshape(base.ints_of(op.split))
                self.view = self.view.transposed(base.ints_of(op.perm))
                self.reshape(base.ints_of(op.shape))

    def reshape(self, shape: Sequence[int]) -> None:
        """Where an axis is no product of factors of those before, by way of a single pixel."""
        view = self.view.reshaped(shape)
        if view is None:
            self.place((1, prod(shape), 1, 1))
            view = self.view.reshaped(shape)
            assert view is not None
        self.view = view

    def place(self, shape: Sequence[int]) -> None:
        """Put the elements, in the order of the view's axes, into a tensor [1, C, H, W] of that shape."""
        view = self.view.reshaped(shape)
        assert view is not None
        here, there = (view.channels, view.rows, view.columns), view.axes[1:]
        ways = [[there]]
        if view.channels and there[0] and set(there[0]) <= set(view.pixels):
            # Pixels in an order in which they become channels that are rows of bytes; the array exchanges both.
            pixels = (*(atom for atom in view.pixels if atom not in there[0]), *there[0])
            middle = here if pixels == view.pixels else (view.channels, (), pixels)
            ways.append([middle, (pixels, (), view.channels), there])
        best = min(ways, key=lambda way: sum(map(self.step_cycles, [here, *way], way)))
        for before, after in pairwise([here, *best]):
            self.step(before, after, shape if after is there else None)
        self.view = View.native(self.view.value)

    def step(self, before: Places, after: Places, shape: Sequence[int] | None) -> None:
        """One operator that brings elements from some places to others; of that shape, or as the places say."""
        cycles = self.step_cycles(before, after)
        channels, rows, columns = after
        shape = (1, *map(size_of, after)) if shape is None else shape
        order, wanted = (tuple(atom for place in places for atom in place) for places in (before, after))
        value = self.view.value
        if base.shape_of(value) == tuple(shape) and order == wanted:
            return
        if before[0] == channels and order == wanted:
            op: base.TypedOp = base.build(ax.ReshapeOp, [value], {"shape": base.ints(shape)})
        else:
            op = rearranged(value, order, wanted, shape)
        self.made.append(op)
        self.cycles += cycles
        self.view = View(op.result, self.view.axes, channels, rows, columns)

    def step_cycles(self, before: Places, after: Places) -> int:
        """Cycles of a step: copies of rows of bytes; where pixels become channels and channels pixels, the array's."""
        if before == after:
            return 0
        row, size = _common_end(before[0], after[0]), prod(map(size_of, after))
        start = self.target.device.dispatch + self.target.dma.setup
        copies = start + size // row * ceil_div(row, self.target.dma.beat)
        if after[0] != before[1] + before[2] or after[1] + after[2] != before[0]:
            return copies
        channels, pixels = size_of(before[0]), size_of(after[0])
        array, pword = self.target.array, self.target.device.pword
        tiles = ceil_div(channels, pword) * ceil_div(pixels, pword)
        multiplied = multiply_cycles(min(channels, array.rows), False, self.target)
        streamed = channels * ceil_div(pixels, array.columns) * multiplied
        return min(copies, start + load_pixels_cycles(tiles, True, self.target) + streamed)


def _common_end(one: Atoms, other: Atoms) -> int:
    """Positions of the innermost factors that two groups share."""
    length = 0
    while length < min(len(one), len(other)) and one[-length - 1] == other[-length - 1]:
        length += 1
    return size_of(one[len(one) - length :])


def _island_cycles(value: SSAValue, target: Target) -> float:
    """Cycles that a host island costs which gives a tensor and takes one as large, without what the host computes."""
    frequency = target.device.frequency
    transferred = 2 * prod(base.shape_of(value)) / target.host.link
    return target.device.launch + frequency * (target.host.call * 1e-9 + transferred)
