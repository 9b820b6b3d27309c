"""Random rearrangements of tensors [1, C, H, W]."""

from __future__ import annotations

from math import prod

from hypothesis import strategies as st

Numbers = list[int]


@st.composite
def rearrangements(draw: st.DrawFn, shape: tuple[int, ...]) -> tuple[Numbers, Numbers, Numbers]:
    """`split`, `perm` and `shape` of a rearrange of a tensor of that shape."""
    split: Numbers = []
    for size in shape[1:]:
        first = draw(st.sampled_from([n for n in range(1, size + 1) if size % n == 0]))
        split += draw(st.sampled_from([[size], [first, size // first]]))
    channels = next(n for n in range(1, len(split)) if prod(split[:n]) == shape[1])
    factors = list(range(len(split)))
    turned = draw(st.booleans())  # pixels become channels, and channels pixels
    perm = factors[channels:] + factors[:channels] if turned else draw(st.permutations(factors))
    moved = [split[axis] for axis in perm]
    cuts = sorted(draw(st.integers(0, len(moved))) for _ in range(2))
    if turned:
        cuts[0] = len(split) - channels
        cuts[1] = max(cuts)
    return split, perm, [1, prod(moved[: cuts[0]]), prod(moved[cuts[0] : cuts[1]]), prod(moved[cuts[1] :])]
