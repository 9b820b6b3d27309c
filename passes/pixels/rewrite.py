"""Operators of any rank as operators on tensors [1, C, H, W]."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import TYPE_CHECKING, Any, cast

from xdsl.dialects.builtin import BoolAttr
from xdsl.ir import Attribute, Operation, SSAValue
from xdsl.rewriter import InsertPoint, Rewriter

from axir.dialects import ax, base
from axir.ir.store import WeightStore
from axir.passes.graph_flow import Ops
from axir.passes.patterns.affine import conv
from axir.passes.patterns.channels import MAX_SLICES, channel_slice, equally_spaced
from axir.passes.patterns.values import f32_constant, f32_op, is_constant, is_f32, scalar
from axir.passes.pixels.region import BINARY, ELEMENTWISE
from axir.passes.pixels.views import Atom, Atoms, View, aligned, atoms, common, numbered, rearranged, size_of

if TYPE_CHECKING:
    from axir.passes.patterns.values import F32

Picked = tuple[SSAValue, tuple[int, ...]]
"""A tensor, and channels of it."""


class PixelRewriter:
    """Does the operators of a region anew; `views` say where the results are.

    Products with a constant matrix become convolutions, if they are to (`dense`).
    """

    def __init__(self, store: WeightStore, *, dense: bool = True):
        self.store, self.dense = store, dense
        self.views: dict[SSAValue, View] = {}
        self.done: list[Operation] = []
        self.picked: dict[Picked, SSAValue] = {}
        self.picks: dict[SSAValue, Picked] = {}
        self.ours: set[SSAValue] = set()  # convolutions that linear layers became
        self.made: list[Operation] = []
        self.at: Operation | None = None

    def run(self, region: Ops) -> None:
        """Replace the operators of a region, in program order, as far as they can be done on pixels."""
        for op in region:
            if any(not is_f32(value) for value in (*op.operands, *op.results)):
                continue
            self.at = op
            view = self.rewritten(op)
            if view is not None:
                self.views[op.results[0]] = view
                self.done.append(op)
        gone = dict.fromkeys(self.done)
        for op in self.done:
            (result,) = op.results
            others = [use for use in result.uses if use.operation not in gone]
            if others:
                self.at = op
                value = self.tensor(self.views[result])
                for use in others:
                    use.operation.operands[use.index] = value
        for op in reversed(self.done):
            Rewriter.erase_op(op)
        for op in reversed(self.made):  # of what was picked and biased, the whole may be needed no more
            if not any(result.uses.get_length() for result in op.results):
                Rewriter.erase_op(op)

    def rewritten(self, op: Operation) -> View | None:
        """The view of what `op` computes, with new operators before it; None where it stays as it is."""
        match op:
            case ax.ReshapeOp():
                view = self.view(op.input)
                return None if view is None else view.reshaped(base.shape_of(op.result))
            case ax.TransposeOp():
                view = self.view(op.input)
                return None if view is None else view.transposed(base.ints_of(op.perm))
            case ax.SliceOp():
                return self.slice(op)
            case ax.ConcatOp():
                return self.concat(op)
            case ax.MatMulOp() if not is_constant(op.b):
                return self.product(op)
            case ax.MatMulOp():
                matrix = f32_constant(op.b, self.store)
                if matrix is None or matrix.ndim < 2 or matrix.size != matrix.shape[-1] * matrix.shape[-2]:
                    return None
                return self.linear(op, op.a, matrix.reshape(matrix.shape[-2:]).T, None)
            case ax.GemmOp():
                return self.gemm(op)
            case ax.SoftmaxOp():
                return self.softmax(op)
            case ax.NormalizeOp():
                return self.normalize(op)
            case ax.ReduceOp():
                return self.mean(op)
            case _ if isinstance(op, BINARY):
                return self.binary(op)
            case _ if isinstance(op, ELEMENTWISE):
                view = self.view(op.operands[0])
                if view is None or self.stays(op):
                    return None
                return self.with_value(view, self.emit(base.build(type(op), [view.value], dict(op.properties))))
            case _:
                return None

    # --- values ---

    def emit(self, op: base.TypedOp) -> SSAValue:
        """Put an operator before the one that is done anew, in whose place it computes."""
        assert self.at is not None
        op.location = self.at.location
        Rewriter.insert_op(op, InsertPoint.before(self.at))
        self.made.append(op)
        return op.result

    def constant(self, array: F32) -> SSAValue:
        assert self.at is not None
        op = f32_op(array, self.store)
        Rewriter.insert_op(op, InsertPoint.before(self.at))
        return op.result

    def reshape(self, value: SSAValue, shape: Sequence[int]) -> SSAValue:
        if base.shape_of(value) == tuple(shape):
            return value
        return self.emit(base.build(ax.ReshapeOp, [value], {"shape": base.ints(shape)}))

    def with_value(self, view: View, value: SSAValue) -> View:
        return View(value, view.axes, view.channels, view.rows, view.columns)

    def stays(self, op: Operation) -> bool:
        """Whether an operator is one on [1, C, H, W] already, of tensors that none of ours computes."""
        return all(
            is_constant(value) or (value not in self.views and len(base.shape_of(value)) == 4) for value in op.operands
        )

    def view(self, value: SSAValue) -> View | None:
        """Where the elements of a tensor are; one of another rank is brought into pixels, its last axis as channels."""
        known = self.views.get(value)
        if known is not None or is_constant(value):
            return known
        shape = base.shape_of(value)
        if min(shape, default=0) < 1 or len(shape) < 2:
            return None
        if len(shape) == 4 and shape[0] == 1:
            return View.native(value)
        axes = tuple(atoms(size) for size in shape)
        rows = tuple(atom for axis in axes[:-2] for atom in axis)
        turned = self.reshape(value, (size_of(rows), shape[-2], shape[-1]))
        turned = self.emit(base.build(ax.TransposeOp, [turned], {"perm": base.ints((2, 0, 1))}))
        pixels = self.reshape(turned, (1, shape[-1], size_of(rows), shape[-2]))
        return View(pixels, axes, axes[-1], rows, axes[-2])

    def tensor(self, view: View) -> SSAValue:
        """The tensor of a view, its axes in their order."""
        wanted = [atom for axis in view.axes for atom in axis]
        order = list(view.order)
        if wanted == order:
            return self.reshape(view.value, view.shape)
        runs: list[list[Atom]] = []  # of neighbours on both sides
        for atom in order:
            if runs and wanted.index(atom) == wanted.index(runs[-1][-1]) + 1:
                runs[-1].append(atom)
            else:
                runs.append([atom])
        apart = self.reshape(view.value, [size_of(tuple(run)) for run in runs])
        perm = sorted(range(len(runs)), key=lambda number: wanted.index(runs[number][0]))
        turned = self.emit(base.build(ax.TransposeOp, [apart], {"perm": base.ints(perm)}))
        return self.reshape(turned, view.shape)

    def with_channels(self, view: View, channels: Atoms) -> View:
        """A view whose channels are the given factors; all others are in one row of pixels, where they must move."""
        if view.channels == channels:
            return view
        columns = tuple(atom for atom in view.order if atom not in channels)
        shape = (1, size_of(channels), 1, size_of(columns))
        value = self.emit(rearranged(view.value, view.order, (*channels, *columns), shape))
        return View(value, view.axes, channels, (), columns)

    def moved_like(self, view: View, model: View) -> View:
        """A view with its elements where they are in `model`, which has as many factors in every axis."""
        own = {like: atom for axes in zip(model.axes, view.axes, strict=True) for like, atom in zip(*axes, strict=True)}
        channels, rows, columns = (
            tuple(own[atom] for atom in place) for place in (model.channels, model.rows, model.columns)
        )
        shape = (1, size_of(channels), size_of(rows), size_of(columns))
        value = self.emit(rearranged(view.value, view.order, (*channels, *rows, *columns), shape))
        return View(value, view.axes, channels, rows, columns)

    def in_one_row(self, view: View) -> View:
        """All pixels of a view in one row."""
        if not view.rows:
            return view
        _, channels, height, width = base.shape_of(view.value)
        value = self.reshape(view.value, (1, channels, 1, height * width))
        return View(value, view.axes, view.channels, (), view.pixels)

    # --- channels and pixels ---

    def pick(self, value: SSAValue, channels: Sequence[int]) -> SSAValue:
        """Some channels of a tensor, in that order; of a convolution's those alone are computed."""
        if value in self.picks:
            value, whole = self.picks[value]
            channels = [whole[channel] for channel in channels]
        key = value, tuple(channels)
        if key[1] == tuple(range(base.shape_of(value)[1])):
            return value
        if key not in self.picked:
            self.picked[key] = self._picked(value, key[1])
            self.picks[self.picked[key]] = key
        return self.picked[key]

    def _picked(self, value: SSAValue, channels: tuple[int, ...]) -> SSAValue:
        import numpy as np

        op = value.owner
        if isinstance(op, ax.ConvOp) and op.group.value.data == 1 and not op.epilogue.data:
            weight, bias = f32_constant(op.weight, self.store), f32_constant(op.bias, self.store)
            if weight is not None and (op.bias is None or bias is not None):
                chosen = list(channels)
                parts = [self.constant(weight[chosen])]
                parts += [] if bias is None else [self.constant(bias[chosen])]
                new_bias = None if bias is None else parts[1]
                return self.emit(base.build(ax.ConvOp, [op.input, parts[0], new_bias, []], _properties(op)))
        ranges = equally_spaced(channels)
        if len(ranges) <= MAX_SLICES:
            slices = [self.emit(channel_slice(value, part)) for part in ranges]
            if len(slices) == 1:
                return slices[0]
            return self.emit(base.build(ax.ConcatOp, [slices], {"axis": base.integer(1)}))
        weight = np.zeros((len(channels), base.shape_of(value)[1], 1, 1), np.float32)
        weight[np.arange(len(channels)), list(channels)] = 1.0
        return self.emit(conv(value, self.constant(weight), None))

    def slice(self, op: ax.SliceOp) -> View | None:
        view = self.view(op.input)
        bounds = zip(base.ints_of(op.starts), base.ints_of(op.ends), base.ints_of(op.steps), strict=True)
        for axis, bound in enumerate(bounds):
            positions = range(*bound)
            if view is None or not positions:
                return None
            if len(positions) < size_of(view.axes[axis]):
                view = self.cut(view, axis, positions)
        return view

    def cut(self, view: View, axis: int, positions: range) -> View | None:
        """Some positions of an axis."""
        group = view.axes[axis]
        new = atoms(len(positions))
        if set(group) <= set(view.channels):
            first = view.channels.index(group[0])
            before, after = view.channels[:first], view.channels[first + len(group) :]
            if (*before, *group, *after) != view.channels:
                return None
            inner, size = size_of(after), size_of(group)
            ranges = (range(size_of(before)), positions, range(inner))
            channels = [(outer * size + at) * inner + place for outer, at, place in product(*ranges)]
            axes = (*view.axes[:axis], new, *view.axes[axis + 1 :])
            return View(self.pick(view.value, channels), axes, (*before, *new, *after), view.rows, view.columns)
        if group == view.pixels:
            view = self.in_one_row(view)
        for place, pixels in ((2, view.rows), (3, view.columns)):
            if group == pixels:
                value = self.part(view.value, place, positions)
                axes = (*view.axes[:axis], new, *view.axes[axis + 1 :])
                rows, columns = (new, view.columns) if place == 2 else (view.rows, new)
                return View(value, axes, view.channels, rows, columns)
        return None

    def part(self, value: SSAValue, axis: int, positions: range) -> SSAValue:
        """Positions of one axis of [1, C, H, W]."""
        shape = base.shape_of(value)
        starts, ends, steps = [0] * 4, list(shape), [1] * 4
        starts[axis], ends[axis], steps[axis] = positions.start, positions[-1] + 1, positions.step
        bounds: dict[str, Attribute] = {
            "starts": base.ints(starts), "ends": base.ints(ends), "steps": base.ints(steps)
        }  # fmt: skip
        return self.emit(base.build(ax.SliceOp, [value], bounds))

    def concat(self, op: ax.ConcatOp) -> View | None:
        """Along all channels, or along all pixels, which then are in one row."""
        axis = op.axis.value.data
        views = [self.view(value) for value in op.inputs]
        known = [view for view in views if view is not None]
        if not known or self.stays(op):
            return None
        by_channel = any(view.axes[axis] and view.axes[axis] == view.channels for view in known)
        if not by_channel:
            known = [self.in_one_row(view) if view.axes[axis] == view.pixels else view for view in known]
        model = known[0]
        parts: list[SSAValue] = []
        found = iter(known)
        for value, view in zip(op.inputs, views, strict=True):
            if view is not None:
                view = next(found)
                if not self._concatenates(view, model, axis, by_channel=by_channel):
                    return None
                parts.append(view.value)
                continue
            array = f32_constant(value, self.store)
            if array is None:
                return None
            parts.append(self.constant(self.laid_out(array, _resized(model, axis, array.shape[axis], by_channel))))
        result = _resized(model, axis, base.shape_of(op.result)[axis], by_channel)
        sources = [self.picks.get(part) for part in parts]
        if by_channel and sources[0] is not None:
            picked = [source for source in sources if source is not None and source[0] is sources[0][0]]
            if len(picked) == len(parts):
                channels = [channel for _, some in picked for channel in some]
                return self.with_value(result, self.pick(sources[0][0], channels))
        place = base.integer(1 if by_channel else 3)
        return self.with_value(result, self.emit(base.build(ax.ConcatOp, [parts], {"axis": place})))

    @staticmethod
    def _concatenates(view: View, model: View, axis: int, *, by_channel: bool) -> bool:
        """Whether a view can be a part of a concatenation that begins with `model`."""
        group = view.axes[axis]
        if group != (view.channels if by_channel else view.columns):
            return False
        return _same(_resized(view, axis, 1, by_channel), _resized(model, axis, 1, by_channel))

    def laid_out(self, array: F32, model: View) -> F32:
        """A constant that broadcasts to a view's shape, as a tensor [1, C or 1, H or 1, W or 1]."""
        import numpy as np

        array = array.reshape((1,) * (len(model.axes) - array.ndim) + array.shape)
        repeats = [size == 1 for size in array.shape]
        places = (model.channels, model.rows, model.columns)
        repeated = {atom for axis, group in enumerate(model.axes) if repeats[axis] for atom in group}
        if any(set(place) & repeated and set(place) - repeated for place in places):
            array, repeated = np.broadcast_to(array, model.shape), set[Atom]()
        wanted = [atom for axis in model.axes for atom in axis]
        apart = array.reshape([1 if atom in repeated else atom.size for atom in wanted])
        turned = apart.transpose([wanted.index(atom) for atom in model.order])
        shape = [1 if set(place) & repeated else size_of(place) for place in places]
        return np.ascontiguousarray(turned.reshape(1, *shape))

    # --- products ---

    def gemm(self, op: ax.GemmOp) -> View | None:
        import numpy as np

        matrix, bias = f32_constant(op.b, self.store), f32_constant(op.c, self.store)
        if matrix is None or op.trans_a.value.data or (op.c is not None and bias is None):
            return None
        matrix = (matrix if op.trans_b.value.data else matrix.T) * np.float32(op.alpha.value.data)
        if bias is not None:
            if bias.size not in (1, len(matrix)) or (bias.ndim == 2 and bias.shape[0] != 1):
                return None
            bias = np.broadcast_to(bias.reshape(-1), (len(matrix),)) * np.float32(op.beta.value.data)
        return self.linear(op, op.a, matrix, bias)

    def linear(self, op: base.TypedOp, x: SSAValue, matrix: F32, bias: F32 | None) -> View | None:
        """The last axis times a matrix [outputs, inputs]: a convolution of 1x1, that axis being the channels."""
        view = self.view(x)
        if not self.dense or view is None:
            return None
        view = self.with_channels(view, view.axes[-1])
        outputs, inputs = matrix.shape
        weight = self.constant(matrix.reshape(outputs, inputs, 1, 1))
        value = self.emit(conv(view.value, weight, None if bias is None else self.constant(bias)))
        self.ours.add(value)
        new = atoms(outputs)
        return View(value, (*view.axes[:-1], new), new, view.rows, view.columns)

    def biased(self, value: SSAValue, array: F32, view: View) -> SSAValue | None:
        """A convolution of ours plus one number a channel, as one with a bias: parts of it can then be picked."""
        import numpy as np

        op = value.owner
        if value not in self.ours or not isinstance(op, ax.ConvOp) or op.bias is not None:
            return None
        summand = self.laid_out(array, view)
        if summand.size != summand.shape[1]:
            return None
        bias = np.ascontiguousarray(np.broadcast_to(summand.reshape(-1), (base.shape_of(value)[1],)))
        new = self.emit(base.build(ax.ConvOp, [op.input, op.weight, self.constant(bias), []], _properties(op)))
        self.ours.add(new)
        return new

    def product(self, op: ax.MatMulOp) -> View | None:
        """The product of two tensors of pixels, heads being axes before the last two."""
        a, b = self.view(op.a), self.view(op.b)
        if a is None or b is None or len(a.axes) != len(b.axes) or len(a.axes) < 2:
            return None
        for index in range(len(a.axes) - 2):
            found = common(a, a.axes[index], b, b.axes[index])
            if found is None:
                return None
            a, _, b, _ = found
        found = common(a, a.axes[-1], b, b.axes[-2])
        if found is None:
            return None
        a, _, b, _ = found
        return self.scores(a, b) or self.weighted(a, b, swapped=False) or self.weighted(b, a, swapped=True)

    def scores(self, a: View, b: View) -> View | None:
        """Both have the summed axis in their channels: products of pixels."""
        heads_a, heads_b = (tuple(atom for axis in view.axes[:-2] for atom in axis) for view in (a, b))
        if a.channels != heads_a + a.axes[-1] or b.channels != heads_b + b.axes[-2]:
            return None
        if a.pixels != a.axes[-2] or b.pixels != b.axes[-1]:
            return None
        value = self.matmul(a, b, heads_a, transpose=True)
        new = {atom: Atom(atom.size) for atom in (*b.axes[-1], *heads_a)}
        keys = tuple(new[atom] for atom in b.axes[-1])
        heads = [tuple(new[atom] for atom in axis) for axis in a.axes[:-2]]
        rows = tuple(new[atom] for atom in heads_a) + a.rows
        return View(value, (*heads, a.axes[-2], keys), keys, rows, a.columns)

    def weighted(self, x: View, y: View, *, swapped: bool) -> View | None:
        """`x` has the summed axis in its channels, `y` in its pixels: weighted sums of pixels of `y`.

        `swapped`: y is the first operand of the product.
        """
        summed, kept = (-2, -1) if swapped else (-1, -2)
        heads_x, heads_y = (tuple(atom for axis in view.axes[:-2] for atom in axis) for view in (x, y))
        if x.channels != x.axes[summed] or y.pixels != y.axes[kept]:
            return None
        if y.channels != heads_y + y.axes[summed]:
            return None
        if x.rows[: len(heads_x)] != heads_x or x.rows[len(heads_x) :] + x.columns != x.axes[kept]:
            return None
        value = self.matmul(x, y, heads_y, transpose=False)
        new = {atom: Atom(atom.size) for atom in y.channels}
        channels = tuple(new[atom] for atom in y.channels)
        heads = [tuple(new[atom] for atom in axis) for axis in y.axes[:-2]]
        made = tuple(new[atom] for atom in y.axes[summed])
        last = (made, x.axes[kept]) if swapped else (x.axes[kept], made)
        return View(value, (*heads, *last), channels, x.rows[len(heads_x) :], x.columns)

    def matmul(self, x: View, y: View, heads: Atoms, *, transpose: bool) -> SSAValue:
        properties: dict[str, Attribute] = {
            "heads": base.integer(size_of(heads)), "transpose": BoolAttr.from_bool(transpose),
            "factor": base.float_(1.0),
        }  # fmt: skip
        return self.emit(base.build(ax.HeadMatMulOp, [x.value, y.value, []], properties))

    # --- channels as an axis ---

    def softmax(self, op: ax.SoftmaxOp) -> View | None:
        view = self.view(op.input)
        group = () if view is None else view.axes[op.axis.value.data]
        if view is None or (self.stays(op) and group == view.channels):
            return None
        view = self.with_channels(view, group)
        return self.with_value(view, self.emit(base.build(ax.SoftmaxOp, [view.value], {"axis": base.integer(1)})))

    def normalize(self, op: ax.NormalizeOp) -> View | None:
        view = self.view(op.input)
        arrays = [f32_constant(value, self.store) for value in (op.scale, op.bias)]
        if view is None or any(
            (array is None) != (value is None) for array, value in zip(arrays, (op.scale, op.bias), strict=True)
        ):
            return None
        over = tuple(atom for axis in base.ints_of(op.axes) for atom in view.axes[axis])
        if len(op.axes) == 1 and not self.by_channel(arrays, view):
            view = self.with_channels(view, over)
        places = [(1,), (2, 3), (1, 2, 3)]
        axes = next(
            (p for p, group in zip(places, (view.channels, view.pixels, view.order), strict=True)
             if over and set(group) == set(over)), None,
        )  # fmt: skip
        if axes is None:
            return None
        operands = [None if array is None else self.constant(self.laid_out(array, view)) for array in arrays]
        properties: dict[str, Attribute] = {"axes": base.ints(axes), "epsilon": op.epsilon}
        return self.with_value(view, self.emit(base.build(ax.NormalizeOp, [view.value, *operands], properties)))

    def by_channel(self, arrays: Sequence[F32 | None], view: View) -> bool:
        """Whether constants are one number a channel where a view has its elements."""
        return all(array is None or self.laid_out(array, view).shape[2:] == (1, 1) for array in arrays)

    def mean(self, op: ax.ReduceOp) -> View | None:
        """A reduction over all pixels."""
        view = self.view(op.input)
        if view is None or self.stays(op):
            return None
        axes = base.ints_of(op.axes)
        over = tuple(atom for axis in axes for atom in view.axes[axis])
        if not over or set(over) != set(view.pixels):
            return None
        properties = dict(op.properties) | {"axes": base.ints((2, 3)), "keepdims": BoolAttr.from_bool(True)}
        value = self.emit(base.build(ax.ReduceOp, [view.value], properties))
        left = [() if axis in axes else group for axis, group in enumerate(view.axes)]
        if not op.keepdims.value.data:
            left = [group for axis, group in enumerate(left) if axis not in axes]
        return View(value, tuple(left), view.channels, (), ())

    def binary(self, op: Operation) -> View | None:
        a, b = op.operands
        if self.stays(op):
            return None
        shape = base.shape_of(op.results[0])
        for one, other in ((a, b), (b, a)):
            view = None if is_constant(one) or base.shape_of(one) != shape else self.view(one)
            if view is None:
                continue
            if is_constant(other):
                number = scalar(other, self.store)
                array = f32_constant(other, self.store)
                if array is None:
                    return None
                if isinstance(op, ax.AddOp) and one.has_one_use():
                    biased = self.biased(view.value, array, view)
                    if biased is not None:
                        return self.with_value(view, biased)
                second = other if number is not None and array.ndim == 0 else self.constant(self.laid_out(array, view))
            elif base.shape_of(other) == shape:
                right = self.view(other)
                if right is None:
                    return None
                if not _same(view, right):  # perhaps pixels only come in other rows
                    view, right = self.in_one_row(view), self.in_one_row(right)
                    if not _same(view, right):
                        found = aligned(view, right)
                        if found is None:
                            return None
                        view, right = found[0], self.moved_like(found[1], found[0])
                second = right.value
            else:
                return None
            pair = (view.value, second) if one is a else (second, view.value)
            value = self.emit(base.build(cast("type[Any]", type(op)), list(pair)))
            if base.shape_of(value) != base.shape_of(view.value):
                return None
            return self.with_value(view, value)
        return None


def _properties(op: ax.ConvOp) -> dict[str, Attribute]:
    return {name: op.properties[name] for name in ("strides", "pads", "dilations", "group")}


def _resized(view: View, axis: int, size: int, by_channel: bool) -> View:
    """With another size of an axis that is all channels or all columns."""
    new = atoms(size)
    axes = (*view.axes[:axis], new, *view.axes[axis + 1 :])
    channels, columns = (new, view.columns) if by_channel else (view.channels, new)
    return View(view.value, axes, channels, view.rows, columns)


def _same(one: View, other: View) -> bool:
    """Whether two views have their elements in the same places, rows and columns included."""
    found = aligned(one, other)
    if found is None or one.shape != other.shape:
        return False
    places = [(view.channels, view.rows, view.columns) for view in found]
    return all(numbered(found[0], a) == numbered(found[1], b) for a, b in zip(places[0], places[1], strict=True))
