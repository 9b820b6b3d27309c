"""Settling: place, tile and emit a network until its buffers pack into the memories, with chains where they pay."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from axir.ir.diagnostics import AxirError
from axir.passes.lowering.array_map import ArrayOptions
from axir.passes.lowering.chain_search import ChainOptions, ChainSearch, Proposal
from axir.passes.lowering.chains import Chain
from axir.passes.lowering.emission import EmitOptions, Emitted
from axir.passes.lowering.emit import emit
from axir.passes.lowering.groups import grouped
from axir.passes.lowering.jobs import Buffer, Job, order
from axir.passes.lowering.makespan import makespan
from axir.passes.lowering.network import Network
from axir.passes.lowering.placement import Placer
from axir.passes.lowering.pools import Pools
from axir.passes.lowering.tiling import Tiling, TilingOptions
from axir.passes.memory.budget import Budget
from axir.passes.memory.packing import Interval, Packing, pack
from axir.passes.memory.packing import lower_bound as greatest_alive
from axir.passes.plan_memory import STRETCH_SHARES, stretch
from axir.target.description import Target
from axir.target.isa import MEMORIES, Memory

LOOKAHEADS = ((6, True), (4, True), (3, True), (2, True), (1, True), (6, False), (2, False), (0, False))
"""How many steps ahead copies may come, and whether into second tile buffers too; the first with which all packs."""

TRIALS = 24
"""How many chains are tried one after the other, each by placing and emitting the whole network."""

Program = tuple[Emitted, list[Job]]


@dataclass(frozen=True)
class SettleOptions:
    """The settings that steer each part, and `max_memplan_attempts`."""

    array: ArrayOptions
    tiling: TilingOptions
    emit: EmitOptions
    chains: ChainOptions
    pools: Pools
    split_buffer_promotion: bool
    max_memplan_attempts: int
    group_ifdw_tasks: bool


def settle(
    network: Network, budget: Budget, options: SettleOptions, code: Callable[[Sequence[Job]], dict[str, Buffer]],
    target: Target,
) -> Program:  # fmt: skip
    """Jobs in program order whose buffers fit `budget`, beside the `code` of such jobs.

    Raises `AxirError` where the network does not fit, also with depth-first chains if they are allowed.
    """
    settler = _Settler(network, budget, options, code, target)
    if options.chains.tiling_depth == 1:
        return settler.run(())
    try:
        plain = settler.run(())
    except AxirError:
        saved = settler.attempt(settler.chains(save=True).together)
        if saved is None:
            raise
        return saved
    return settler.improve(plain, settler.chains(save=False))


class _Settler:
    def __init__(
        self, network: Network, budget: Budget, options: SettleOptions,
        code: Callable[[Sequence[Job]], dict[str, Buffer]], target: Target,
    ):  # fmt: skip
        self.network, self.budget, self.options, self.code, self.target = network, budget, options, code, target

    def attempt(self, chains: Sequence[Chain]) -> Program | None:
        """The program with these chains, None where they need more L1 than is left."""
        try:
            return self.run(chains)
        except AxirError:
            return None

    def improve(self, plain: Program, proposal: Proposal) -> Program:
        """The fastest program found: without chains, with those that are best together, or with one after the other.

        Of the latter, those stay that make the program faster.
        """
        best, fewest = plain, self.cycles(plain[1])
        kept, least = (), fewest
        if proposal.together:
            together = self.attempt(proposal.together)
            if together is not None and self.cycles(together[1]) < fewest:
                best, fewest = together, self.cycles(together[1])
        single = proposal.together if len(proposal.together) > 1 else ()
        for chain in (*single, *proposal.others)[:TRIALS]:
            if any(chain.first <= other.last and other.first <= chain.last for other in kept):
                continue
            longer = tuple(sorted((*kept, chain), key=lambda c: c.first))
            program = self.attempt(longer)
            if program is None:
                continue
            cycles = self.cycles(program[1])
            if cycles < least:
                kept, least = longer, cycles
                if cycles < fewest:
                    best, fewest = program, cycles
        return best

    def chains(self, *, save: bool) -> Proposal:
        """Chains worth a trial, from the network's homes with promotion to L1 or, if that is split, without.

        `save` asks for what keeps most bytes in L1, for a network that does not fit otherwise.
        """
        options = self.options
        pools = options.pools
        if (options.split_buffer_promotion or save) and pools.workspace != "l1":
            pools = replace(pools, promote=False)
        placer = self._placer(self.budget, pools)
        tilings: dict[int, Tiling] = {}
        try:
            tilings = placer.place().tilings
        except AxirError:
            placer.start()
        return ChainSearch(placer, tilings, options.chains).run(save=save)

    def cycles(self, jobs: Sequence[Job]) -> int:
        """Modelled cycles of a program, with addresses in L1 as `plan-memory` will choose them."""
        alive = {buffer: i for buffer, i in lifetimes(jobs, ()).items() if buffer.memory == "l1"}
        ends = sorted({job.layer: at for at, job in enumerate(jobs)}.values())
        packing = Packing((), 0)
        for share in STRETCH_SHARES:
            effort = {} if share == STRETCH_SHARES[-1] else {"nodes": 0}
            stretched = stretch(list(alive.values()), ends, int(self.budget.l1 * share))
            packing = pack(stretched, self.budget.l1, **effort)
            if packing.height <= self.budget.l1:
                break
        return makespan(jobs, dict(zip(alive, packing.addresses, strict=True)), self.target)

    def _placer(self, budget: Budget, pools: Pools, chains: Sequence[Chain] = ()) -> Placer:
        return Placer(self.network, budget, pools, self.options.tiling, self.options.array, self.target, chains)

    def run(self, chains: Sequence[Chain]) -> Program:
        """Place, emit and check that the buffers pack; where they do not, plan for less and try again."""
        planned, budget = self.budget, self.budget
        failure: AxirError | None = None
        for attempt in range(1, self.options.max_memplan_attempts + 1):
            try:
                placement = self._placer(planned, self.options.pools, chains).place()
            except AxirError as error:
                # Later attempts have less than the user allows: what the one before lacked says more.
                raise failure or error from None
            if self.options.group_ifdw_tasks:
                in_l1 = self.options.pools.constant == "l1"
                placement = grouped(self.network, placement, self.target, constants_in_l1=in_l1)
            excess: dict[Memory, int] = {}
            packed: list[list[Job]] = []
            emitted = emit(self.network, placement, planned, self.options.emit, self.target)
            for number, (lookahead, eager) in enumerate(LOOKAHEADS, 1):
                if packed and eager:
                    continue
                free = {at: left + eager * placement.second.get(at, 0) for at, left in placement.free.items()}
                jobs = order(emitted.steps, lookahead, free.__getitem__)
                effort = {} if number == len(LOOKAHEADS) else {"nodes": 0}
                kept = [*emitted.ports.values(), *self.code(jobs).values()]
                excess = _excess(jobs, kept, budget, **effort)
                if not excess:
                    packed.append(jobs)
                    if not (chains and eager):
                        break
                    continue  # copies that come early into all buffers may be too early for a chain
                failure = _does_not_pack(excess, jobs, kept, budget, self.network, attempt)
            if packed:
                return emitted, min(packed, key=self.cycles) if len(packed) > 1 else packed[0]
            l2 = max(0, planned.l2 - 2 * excess.get("l2", 0))
            planned = replace(planned, l1=planned.l1 - 2 * excess.get("l1", 0), l2=l2)
        assert failure is not None
        raise failure


def lifetimes(jobs: Sequence[Job], kept: Sequence[Buffer]) -> dict[Buffer, Interval]:
    """Alive from first to last job that touches it; constants and what is `kept` all the time."""
    found: dict[Buffer, Interval] = {}
    end = len(jobs)
    for position, task in enumerate(jobs):
        for buffer in task.buffers:
            known = found.get(buffer)
            always = buffer.parts is not None or buffer.port
            first = 0 if always else (known.first if known else position)
            found[buffer] = Interval(first, end if always else position, buffer.size)
    for buffer in kept:
        found.setdefault(buffer, Interval(0, end, buffer.size))
    return found


def _excess(jobs: Sequence[Job], kept: Sequence[Buffer], budget: Budget, **effort: int) -> dict[Memory, int]:
    """Bytes by which each memory overflows, packed with some `effort` (see `pack`)."""
    alive = lifetimes(jobs, kept)
    result: dict[Memory, int] = {}
    for memory in MEMORIES:
        there = {buffer: interval for buffer, interval in alive.items() if buffer.memory == memory}
        capacity, needed = budget.of(memory), 0
        if budget.frames > 1 and memory != "l1":  # constants once, the rest for each frame
            needed = sum(buffer.size for buffer in there if buffer.parts is not None)
            there = {buffer: interval for buffer, interval in there.items() if buffer.parts is None}
            capacity = max(0, capacity - needed) // budget.frames
        needed += budget.frames_of(memory) * pack(list(there.values()), capacity, **effort).height
        over = needed - budget.of(memory)
        if over > 0:
            result[memory] = over
    return result


def _does_not_pack(
    excess: dict[Memory, int],
    jobs: Sequence[Job],
    kept: Sequence[Buffer],
    budget: Budget,
    network: Network,
    attempts: int,
) -> AxirError:
    memory, over = next(iter(excess.items()))
    there = {buffer: i for buffer, i in lifetimes(jobs, kept).items() if buffer.memory == memory}
    peak, position = greatest_alive(list(there.values()))
    alive = sorted((b for b, i in there.items() if i.first <= position <= i.last), key=lambda b: -b.size)
    return AxirError(
        f"the program does not fit {memory}: {budget.of(memory) + over:,} bytes needed, {budget.of(memory):,} allowed "
        f"({over:,} too many) after {attempts} round{'s' * (attempts > 1)} of planning",
        node=network.layers[jobs[position].layer].name if jobs else None,  # a core may have nothing but ports
        notes=(
            f"alive there ({peak:,} bytes): " + ", ".join(f"{b.label} {b.size:,}" for b in alive[:8]),
            f"raise {memory}_constraint or resources_used",
        ),
    )
