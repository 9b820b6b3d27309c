"""Memory pools: the lowest memory that each kind of buffer may live in, and whether buffers may move up from there."""

from __future__ import annotations

from dataclasses import dataclass

from axir.target.isa import MEMORIES, Memory


@dataclass(frozen=True)
class Pools:
    """The settings `io_memory_pool`, `constant_memory_pool`, `workspace_memory_pool` and `enable_buffer_promotion`.

    What does not fit its pool is an error, unless that is DDR, which takes all that other memories have no room for.
    Promotion ends at L2 for inputs and outputs, which the host reaches there, and for constants, of which L1 takes what
    a layer needs when it runs; intermediates move up to L1.
    """

    io: Memory = "ddr"
    constant: Memory = "ddr"
    workspace: Memory = "ddr"
    promote: bool = True

    @property
    def first_io(self) -> Memory:
        """Where inputs and outputs are tried first."""
        return _higher(self.io, "l2") if self.promote else self.io

    @property
    def first_workspace(self) -> Memory:
        """Where intermediates are tried first."""
        return "l1" if self.promote else self.workspace


def pool(name: str) -> Memory:
    """The memory of a setting's value, as `global.l2`. Raises `KeyError`."""
    return _POOLS[name]


_POOLS: dict[str, Memory] = {f"global.{memory}": memory for memory in MEMORIES}


def _higher(first: Memory, second: Memory) -> Memory:
    return first if MEMORIES.index(first) < MEMORIES.index(second) else second
