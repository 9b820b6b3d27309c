"""Who runs what: a network as host parts and device segments, by turns.

An operator that the device cannot run, and that no host part before or after the device takes (passes/split_host.py),
becomes part of a *host island*. Operators are put into stages, device and host by turns, as few as there can be, so
that no part depends on a later one: the host's as late as what needs them allows; the device's as early as what they
need allows, and as late, from where they move one by one between stages as far as that saves transfers. The better of
the two ends is taken.

A device segment must pay. With the figures of the target description, a partition costs

    sum over segments of   device.launch / frequency + host.call + bytes in and out / host.link
    + sum over operators that the host runs and the device could, of
                           MACs / host.compute + bytes of results / host.copy

Segments, and separate pieces of segments, go to the host one after another, the least work first, as long as that makes
the sum smaller; the last segment never does. Bytes are one an element on the link, without padding, and four in the
host's memory.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import prod

from xdsl.ir import Operation, SSAValue

from axir.dialects import base
from axir.passes.graph_flow import Ops, connected, results, total_macs, users
from axir.passes.patterns.values import is_constant
from axir.target.description import Target

ROUNDS = 10
"""How often operators are moved between stages; two rounds are usual."""


@dataclass(frozen=True)
class Stages:
    """Device segments, and what the host runs before, between and after them: `host[i]` before `device[i]`."""

    device: list[Ops]
    host: list[Ops]

    @staticmethod
    def of(place: Mapping[Operation, int], count: int) -> Stages:
        """From the stage of every operator: 2 i of segment i, 2 i - 1 of the host before it."""
        stages = Stages([{} for _ in range(count)], [{} for _ in range(count + 1)])
        for op, stage in place.items():
            (stages.host[(stage + 1) // 2] if stage % 2 else stages.device[stage // 2])[op] = None
        return stages


def stages(ops: Sequence[Operation], forced: Ops, target: Target) -> Stages:
    """The best partition found of `ops`, a convex part of a graph in program order; `forced` are the host's.

    At least one operator must not be.
    """
    best = _placed(ops, forced)
    cost = _cost(best, forced, target)
    host, improved = dict(forced), True
    while improved and len(best.device) > 1:
        improved = False
        for candidate in sorted(_candidates(best), key=lambda candidate: _on_host(candidate, target)):
            if len(host) + len(candidate) == len(ops) or _on_host(candidate, target) > _on_device(candidate, target):
                continue
            attempt = _placed(ops, host | candidate)
            attempted = _cost(attempt, forced, target)
            if attempted < cost:
                host, best, cost, improved = host | candidate, attempt, attempted, True
                break
    return best


def _candidates(partition: Stages) -> Iterable[Ops]:
    """What might run on the host as well: segments, and pieces of segments that share no values."""
    for segment in partition.device:
        yield segment
        pieces = connected(list(segment))
        if len(pieces) > 1:
            yield from pieces


def _placed(ops: Sequence[Operation], host: Ops) -> Stages:
    """Stages for a given choice of who runs what."""
    place: dict[Operation, int] = {}
    for op in ops:
        place[op] = _earliest(op, host, place)
    count = max(stage for op, stage in place.items() if op not in host) // 2 + 1
    for op in reversed(ops):
        if op in host:
            place[op] = _latest(op, host, place, count)
    if count == 1:
        return Stages.of({op: place[op] for op in ops}, count)
    late = dict(place)
    for op in reversed(ops):
        late[op] = _latest(op, host, late, count)
    for start in (place, late):
        for _ in range(ROUNDS):
            if not any([_move(op, host, start, count) for op in (*reversed(ops), *ops) if op not in host]):
                break
    best = min((place, late), key=lambda found: _transferred(ops, host, found))
    return Stages.of({op: best[op] for op in ops}, count)


def _transferred(ops: Sequence[Operation], host: Ops, place: Mapping[Operation, int]) -> int:
    """Bytes over the link."""
    values = dict.fromkeys(value for op in ops for value in (*op.operands, *op.results) if not is_constant(value))
    return sum(_crossings(value, host, place) * _elements(value) for value in values)


def _earliest(op: Operation, host: Ops, place: Mapping[Operation, int]) -> int:
    """The first stage in which all that an operator needs is there. Constants and the graph's inputs always are."""
    stage = -1 if op in host else 0
    for value in op.operands:
        if isinstance(value.owner, Operation) and value.owner in place:
            stage = max(stage, place[value.owner] + ((op in host) != (value.owner in host)))
    return stage


def _latest(op: Operation, host: Ops, place: Mapping[Operation, int], count: int) -> int:
    """The last stage before that in which a result is needed."""
    stage = 2 * count - 1 if op in host else 2 * count - 2
    for value in op.results:
        for user in users(value):
            if user in place:
                stage = min(stage, place[user] - ((op in host) != (user in host)))
    return stage


def _move(op: Operation, host: Ops, place: dict[Operation, int], count: int) -> bool:
    """Put an operator of the device where it causes the fewest transfers; whether that is elsewhere."""
    first, last, before = _earliest(op, host, place), _latest(op, host, place, count), place[op]
    touched = [*dict.fromkeys(value for value in op.operands if not is_constant(value)), *op.results]

    def bytes_at(stage: int) -> int:
        place[op] = stage
        return sum(_crossings(value, host, place) * _elements(value) for value in touched)

    costs = {stage: bytes_at(stage) for stage in range(first, last + 1, 2)}
    place[op] = min(costs, key=lambda stage: (costs[stage], stage != before, stage))
    return place[op] != before


def _crossings(value: SSAValue, host: Ops, place: Mapping[Operation, int]) -> int:
    """How often a value goes over the link: out once, in once for every other segment that uses it."""
    owner = value.owner
    home = place.get(owner) if isinstance(owner, Operation) and owner not in host else None
    using = [user for user in users(value) if user in place]
    readers = dict.fromkeys(place[user] for user in using if user not in host and place[user] != home)
    leaves = home is not None and (len(readers) > 0 or len(using) < len(users(value)) or any(u in host for u in using))
    return len(readers) + leaves


def _cost(partition: Stages, forced: Ops, target: Target) -> float:
    """Seconds a frame, as far as the choice changes them."""
    moved = [op for ops in partition.host for op in ops if op not in forced]
    return sum(_on_device(segment, target) for segment in partition.device) + _on_host(moved, target)


def _on_device(segment: Ops, target: Target) -> float:
    """What a segment needs beside its work, and so the most that there is to gain without it."""
    taken, given = border(segment)
    transferred = sum(map(_elements, (*taken, *given)))
    fixed = target.device.launch / target.device.frequency + target.host.call * 1e-9
    return fixed + transferred / target.host.link


def _on_host(ops: Iterable[Operation], target: Target) -> float:
    """The time of operators on the host, which the device could run."""
    moved = list(ops)
    copied = sum(4 * _elements(value) for value in results(moved))
    return total_macs(moved) / target.host.compute + copied / target.host.copy


def border(segment: Ops) -> tuple[list[SSAValue], list[SSAValue]]:
    """The values that a segment takes and those that it gives."""
    computed = results(segment)
    operands = dict.fromkeys(value for op in segment for value in op.operands if not is_constant(value))
    return (
        [value for value in operands if value not in computed],
        [value for value in computed if any(user not in segment for user in users(value))],
    )


def _elements(value: SSAValue) -> int:
    return prod(base.shape_of(value))
