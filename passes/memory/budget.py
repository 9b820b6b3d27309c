"""What a program may use of each memory: the options that say so, and their sum."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from xdsl.dialects.builtin import DictionaryAttr, IntegerAttr
from xdsl.ir import Operation

from axir.ir.diagnostics import AxirError
from axir.target.description import Target
from axir.target.isa import Memory

MEMORY_SHARE = "memory_share"
"""Attribute of an `axq.graph` or `aipu.program` that shares L2 and DDR with others: its own bytes, by memory."""


@dataclass(frozen=True)
class Budget:
    """Bytes that a program may use of each memory: of every core's L1, and of L2 and DDR.

    `frames` work side by side, each with activations of its own in L2 and DDR, and constants once for all.
    """

    l1: int
    l2: int
    ddr: int
    frames: int = 1

    def frames_of(self, memory: Memory) -> int:
        """How often activations are in a memory: each frame has an L1 of its own."""
        return 1 if memory == "l1" else self.frames

    def within(self, owner: Operation) -> Budget:
        """What a graph or program may use, which may have a share of its own (`share-memory`)."""
        share = owner.attributes.get(MEMORY_SHARE)
        if not isinstance(share, DictionaryAttr):
            return self
        own = {name: value.value.data for name, value in share.data.items() if isinstance(value, IntegerAttr)}
        l2, ddr = own.get("l2", self.l2), own.get("ddr", self.ddr)
        return replace(self, l2=min(self.l2, l2), ddr=min(self.ddr, ddr))

    def of(self, memory: Memory) -> int:
        return {"l1": self.l1, "l2": self.l2, "ddr": self.ddr}[memory]


@dataclass(frozen=True)
class MemoryLimits:
    """The options of every pass that fills memories; to be inherited."""

    resources_used: float = field(default=1.0, metadata={"help": "fraction of on-chip memory the program may use"})
    l1_constraint: int | None = field(default=None, metadata={"help": "most L1 to use"})
    l2_constraint: int | None = field(default=None, metadata={"help": "most L2 to use"})
    ddr_constraint: int | None = field(default=None, metadata={"help": "most DDR to use"})
    l2_size_reserved_tasklist: int | None = field(
        default=None, metadata={"help": "L2 kept for the task list of a core, where task lists are preloaded"}
    )

    def task_list(self, target: Target) -> int:
        """Bytes of L2 for the preloaded task list of one core."""
        reserved = self.l2_size_reserved_tasklist
        return target.l2.task_list if reserved is None else reserved

    def budget(self, target: Target, task_lists: int) -> Budget:
        """Usable bytes: L1 is a core's own; of L2 and DDR the program gets its fraction (docs/config.md).

        `task_lists` is the number of cores whose task list is preloaded into L2. Raises `AxirError` where L2 is too
        small for them.
        """
        share = self.resources_used
        l1 = target.l1.size - target.l1.reserved
        l2 = int(share * (target.l2.size - target.l2.reserved))
        ddr = int(share * (target.ddr.size - target.ddr.reserved))
        l2 = min(l2, l2 if self.l2_constraint is None else self.l2_constraint)
        reserved = task_lists * self.task_list(target)
        if reserved > l2:
            raise AxirError(
                f"the task list does not fit l2: {reserved:,} bytes are reserved for it, {l2:,} allowed",
                notes=("lower l2_size_reserved_tasklist, or let stream_tasklist be true",),
            )
        return Budget(
            min(l1, l1 if self.l1_constraint is None else self.l1_constraint),
            l2 - reserved,
            min(ddr, ddr if self.ddr_constraint is None else self.ddr_constraint),
        )
