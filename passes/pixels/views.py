"""Where the elements of a tensor of any rank are in a tensor [1, C, H, W].

Axes are products of *atoms*. A reshape splits an axis into atoms or joins some, a transpose exchanges axes: both only
change how the same [1, C, H, W] is looked at.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

from xdsl.ir import Attribute, SSAValue

from axir.dialects import ax, base


@dataclass(frozen=True, eq=False)
class Atom:
    """A factor of an axis, greater than 1. Atoms are equal only to themselves."""

    size: int


Atoms = tuple[Atom, ...]


def atoms(*sizes: int) -> Atoms:
    """New ones, none for a size of 1."""
    return tuple(Atom(size) for size in sizes if size > 1)


def size_of(group: Atoms) -> int:
    return prod(atom.size for atom in group)


@dataclass(frozen=True)
class View:
    """A tensor whose axis i is the product of `axes[i]`; `places` are the atoms of C, H and W of `value`.

    The first atom of a group is the outermost. Every atom stands in one axis and in one place.
    """

    value: SSAValue
    axes: tuple[Atoms, ...]
    channels: Atoms
    rows: Atoms
    columns: Atoms

    @staticmethod
    def native(value: SSAValue) -> View:
        """A tensor [1, C, H, W] as it stands."""
        groups = [atoms(size) for size in base.shape_of(value)]
        return View(value, tuple(groups), groups[1], groups[2], groups[3])

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(size_of(axis) for axis in self.axes)

    @property
    def pixels(self) -> Atoms:
        return self.rows + self.columns

    @property
    def order(self) -> Atoms:
        """All atoms as they lie in `value`."""
        return self.channels + self.pixels

    def replaced(self, changes: dict[Atom, Atoms]) -> View:
        """With other atoms in the place of some."""

        def of(group: Atoms) -> Atoms:
            return tuple(new for atom in group for new in changes.get(atom, (atom,)))

        axes = tuple(of(axis) for axis in self.axes)
        return View(self.value, axes, of(self.channels), of(self.rows), of(self.columns))

    def transposed(self, perm: Sequence[int]) -> View:
        axes = tuple(self.axes[axis] for axis in perm)
        return View(self.value, axes, self.channels, self.rows, self.columns)

    def reshaped(self, shape: Sequence[int]) -> View | None:
        """The view as a tensor of another shape; None where an axis would have a part of an atom that is no factor."""
        left = [atom for axis in self.axes for atom in axis]
        changes: dict[Atom, Atoms] = {}
        origin: dict[Atom, Atom] = {}
        axes: list[Atoms] = []
        for size in shape:
            axis: list[Atom] = []
            while size > 1:
                if not left:
                    return None
                atom = left.pop(0)
                if size % atom.size == 0:
                    axis.append(atom)
                    size //= atom.size
                elif atom.size % size == 0:
                    outer, inner = Atom(size), Atom(atom.size // size)
                    root = origin.get(atom, atom)
                    origin[inner] = root
                    changes[root] = (*(a for a in changes.get(root, ()) if a is not atom), outer, inner)
                    axis.append(outer)
                    left.insert(0, inner)
                    size = 1
                else:
                    return None
            axes.append(tuple(axis))
        split = self.replaced(changes)
        return None if left else View(split.value, tuple(axes), split.channels, split.rows, split.columns)


def common(one: View, first: Atoms, other: View, second: Atoms) -> tuple[View, Atoms, View, Atoms] | None:
    """Both views with atoms split so that `first` of the one and `second` of the other have equal sizes, one by one."""
    if size_of(first) != size_of(second):
        return None
    left, right = list(first), list(second)
    found: tuple[list[Atom], list[Atom]] = ([], [])
    while left and right:
        a, b = left.pop(0), right.pop(0)
        if a.size > b.size:
            if a.size % b.size:
                return None
            outer, inner = atoms(b.size, a.size // b.size)
            one = one.replaced({a: (outer, inner)})
            a = outer
            left.insert(0, inner)
        elif b.size > a.size:
            if b.size % a.size:
                return None
            outer, inner = atoms(a.size, b.size // a.size)
            other = other.replaced({b: (outer, inner)})
            b = outer
            right.insert(0, inner)
        found[0].append(a)
        found[1].append(b)
    return one, tuple(found[0]), other, tuple(found[1])


def aligned(one: View, other: View) -> tuple[View, View] | None:
    """Both views with equal atoms in every axis that neither has with size 1."""
    for index in range(len(one.axes)):
        if one.axes[index] and other.axes[index]:
            found = common(one, one.axes[index], other, other.axes[index])
            if found is None:
                return None
            one, _, other, _ = found
    return one, other


def numbered(view: View, group: Atoms) -> list[tuple[int, int]]:
    """Atoms by axis and place in the axis, for comparisons between views."""
    known = {atom: (number, place) for number, axis in enumerate(view.axes) for place, atom in enumerate(axis)}
    return [known[atom] for atom in group]


def rearranged(value: SSAValue, order: Atoms, wanted: Atoms, shape: Sequence[int]) -> ax.RearrangeOp:
    """A tensor whose elements lie as `order` says, with them as in `wanted`, in a tensor of that shape."""
    properties = {
        "split": base.ints([atom.size for atom in order]),
        "perm": base.ints([order.index(atom) for atom in wanted]),
        "shape": base.ints(shape),
    }
    return base.build(ax.RearrangeOp, [value], dict[str, Attribute](properties))
