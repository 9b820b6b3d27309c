"""Groups of array layers whose weights are resident together (setting `group_ifdw_tasks`).

The constants of a group are one block, copied to L1 at once, and all its weights are loaded when its first layer
begins: into sets that the group before no longer uses, so that loads overlap its work.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from axir.passes.lowering.network import Layer, MatMulWork, Network
from axir.passes.lowering.placement import Placement
from axir.passes.lowering.tiling import Tiling, constants_bytes, copied_at_once, matrix_sets
from axir.target.description import Target

Group = tuple[tuple[Layer, Tiling], ...]


def grouped(network: Network, placement: Placement, target: Target, *, constants_in_l1: bool = False) -> Placement:
    """The placement with its groups, and with what they leave of L1.

    Greedy, in order: consecutive array layers (whatever other units do between) whose constants are copied at once,
    as long as all their weights fit the sets and their constants fit L1 from the first layer to the last. They take no
    more of it where all constants live in L1. A product of two tensors ends a group, as it fills sets with pixels.
    """
    chained = {member.layer.index for chain in placement.chains for member in chain.members}
    free = dict(placement.free)
    groups: list[Group] = []
    members: list[tuple[Layer, Tiling]] = []

    def left(members: Sequence[tuple[Layer, Tiling]]) -> dict[int, int]:
        return {} if constants_in_l1 else _left(members, free)

    def close() -> None:
        nonlocal members
        if len(members) > 1:
            groups.append(tuple(members))
            free.update(left(members))
        members = []

    for layer in network.layers:
        if isinstance(layer.work, MatMulWork):
            close()
        if not isinstance(layer.work, list):
            continue
        if layer.index in chained or not _may_join(layer, placement.tilings[layer.index], target):
            close()
            continue
        longer = [*members, (layer, placement.tilings[layer.index])]
        sets = sum(matrix_sets(layer, tiling, target) for layer, tiling in longer)
        if sets > target.array.weight_sets or any(size < 0 for size in left(longer).values()):
            close()
            longer = longer[-1:]
        members = longer
    close()
    return replace(placement, free=free, groups=tuple(groups))


def _may_join(layer: Layer, tiling: Tiling, target: Target) -> bool:
    return copied_at_once(layer, tiling) and matrix_sets(layer, tiling, target) < target.array.weight_sets


def _left(members: Sequence[tuple[Layer, Tiling]], free: dict[int, int]) -> dict[int, int]:
    """What every layer from the first to the last has left when the constants of all members stay in L1."""
    own = {layer.index: constants_bytes(layer, tiling) for layer, tiling in members}
    total = sum(own.values())
    return {at: free[at] + own.get(at, 0) - total for at in range(min(own), max(own) + 1)}
