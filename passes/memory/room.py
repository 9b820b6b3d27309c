"""How far tasks can be moved ahead of others without overflowing a memory."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from axir.dialects import aipu
from axir.passes.memory.budget import Budget
from axir.passes.memory.lifetimes import buffer_lifetimes
from axir.target.isa import MEMORIES, Memory


class Room:
    """Memory while the tasks of a core's given order start in another one.

    The tasks that have not started can always follow in the given order: what is then alive at each of their positions
    (`_alive`) stays within the limit, a `share` of what constants and ports leave of the budget. A task may start
    before its turn if that remains true. The first of those left may start as soon as nothing runs: no deadlock.
    """

    def __init__(self, program: aipu.ProgramOp, budget: Budget, share: float):
        tasks = list(program.cores[0].tasks)
        lifetimes = buffer_lifetimes(program)
        self._alive: dict[Memory, NDArray[np.int64]] = {memory: np.zeros(len(tasks), np.int64) for memory in MEMORIES}
        fixed: dict[Memory, int] = dict.fromkeys(MEMORIES, 0)  # bytes of what lives all the time
        for code in program.code:
            fixed[code.memory] += program.code_bytes(code)
        self._touched: list[list[aipu.BufferOp]] = []
        self._users: dict[aipu.BufferOp, list[int]] = {}  # positions of those that have not started
        ports = [port.buffer.owner for port in (*program.inputs, *program.outputs)]
        for position, task in enumerate(tasks):
            buffers = dict.fromkeys(value.owner for value in task.buffers)
            moving = [b for b in buffers if isinstance(b, aipu.BufferOp) and b.data is None and b not in ports]
            self._touched.append(moving)
            for buffer in moving:
                self._users.setdefault(buffer, []).append(position)
        for buffer, interval in lifetimes.items():
            if buffer in self._users:
                self._alive[buffer.memory][interval.first : interval.last + 1] += interval.size
            else:
                fixed[buffer.memory] += interval.size
        self._limit = {memory: int(share * (budget.of(memory) - fixed[memory])) for memory in MEMORIES}
        self._started: dict[aipu.BufferOp, None] = {}
        self._waiting = [True] * len(tasks)
        self._turn = 0  # the first that has not started
        self._held: dict[Memory, int] = dict.fromkeys(MEMORIES, 0)  # bytes that running tasks are the last to use
        self._ending: dict[int, list[aipu.BufferOp]] = {}

    def take(self, task: int) -> bool:
        """Start a task, given by its position in the given order, if its buffers fit."""
        if not self._fits(task, self._turn):
            return False
        turn = self._turn
        self._ending[task] = []
        for buffer in self._touched[task]:
            alive, users = self._alive[buffer.memory], self._users[buffer]
            if buffer not in self._started:
                self._started[buffer] = None
                alive[turn : users[0]] += buffer.bytes
            last = users[-1]
            users.remove(task)
            if users:
                alive[users[-1] + 1 : last + 1] -= buffer.bytes
            else:
                alive[turn : last + 1] -= buffer.bytes
                self._held[buffer.memory] += buffer.bytes
                self._ending[task].append(buffer)
        self._waiting[task] = False
        while self._turn < len(self._waiting) and not self._waiting[self._turn]:
            self._turn += 1
        return True

    def complete(self, task: int) -> None:
        """A task has ended; what it was the last to use is free."""
        for buffer in self._ending.pop(task):
            self._held[buffer.memory] -= buffer.bytes

    def _fits(self, task: int, turn: int) -> bool:
        if task == turn and not self._ending:
            return True
        new: dict[Memory, int] = {}
        first = turn
        for buffer in self._touched[task]:
            if buffer not in self._started:
                new[buffer.memory] = new.get(buffer.memory, 0) + (buffer.bytes if task != turn else 0)
                first = max(first, self._users[buffer][0])
        return all(
            self._alive[memory][turn : max(first, turn + 1)].max() + size + self._held[memory] <= self._limit[memory]
            for memory, size in new.items()
        )
