"""The vector unit (`isa.VectorProgram`), on whole tiles at a time; the arithmetic is that of `axir.numerics`."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from axir import numerics
from axir.backends.aipu.simulator.memory import Core
from axir.backends.aipu.simulator.product import EXACT
from axir.backends.aipu.tables import read_table
from axir.numerics import F32, I32, Table
from axir.target.cost import TABLE_BYTES
from axir.target.isa import PWORD, REGISTERS, Address, Lane, Register, Source, StepOp, VectorProgram, VectorStep, Window


class Program:
    """A vector program over a tile of rows x pixels x (64 * blocks) lanes, bound to memory.

    `taps` [rows, pixels] are the numbers of taps for TAPS steps.
    """

    def __init__(self, program: VectorProgram, blocks: int, core: Core, taps: I32 | None = None):
        assert isinstance(program, Window)
        assert program.out is not None
        self.program, self.core = program, core
        self.blocks, self.lanes = blocks, blocks * PWORD
        self.rows, self.pixels = program.rows, program.pixels
        self.out = self._place(program.out, program.out_row_pitch, program.out_pitch)
        self.operands = [
            None if address is None else self._place(address, row_pitch, pitch)
            for address, row_pitch, pitch in (
                (program.operand0, program.operand0_row_pitch, program.operand0_pitch),
                (program.operand1, program.operand1_row_pitch, program.operand1_pitch),
            )
        ]
        self.taps: F32 | None = None
        if taps is not None:
            factors = np.where(taps > 0, numerics.reciprocal(np.maximum(taps, 1)), np.float32(0))
            self.taps = factors[:, : self.pixels, None]
        self.parameters: NDArray[np.int32] = np.zeros(0, np.int32)
        self.table: Table | None = None

    def _place(self, address: Address, row_pitch: int, pitch: int) -> NDArray[np.int8]:
        return self.core.view(address, (self.rows, self.pixels, self.lanes), (row_pitch, pitch, 1))

    def start(self) -> None:
        """Fetch parameters and table, as the unit does before the first vector."""
        program = self.program
        if program.params is not None:
            image = self.core.block(program.params, (self.blocks, program.parameters, PWORD), np.int32)
            self.parameters = image.transpose(1, 0, 2).reshape(program.parameters, self.lanes)
        if program.table is not None:
            self.table = read_table(self.core.block(program.table, (TABLE_BYTES,)))

    def integer(self, value: int | Lane) -> I32:
        return self.parameters[value.index] if isinstance(value, Lane) else np.asarray(value, np.int32)

    def real(self, value: float | Lane) -> F32:
        if isinstance(value, Lane):
            return self.parameters[value.index].view(np.float32)
        return np.asarray(value, np.float32)

    def finish(self, accumulator: NDArray[Any], limit: int, first: int, last: int) -> None:
        """Run the program on accumulators [last - first, pixels, lanes] of output rows [first, last) and store.

        Accumulators are int32, or integers in binary32 of magnitude at most `limit`; they may be overwritten.
        """
        program = self.program
        value = self._add_bias(accumulator, limit)
        value *= self.real(program.scale)
        registers: list[F32] = [value] * REGISTERS
        for step in program.steps:
            registers[step.target] = self._step(step, registers, first, last)
        self.out[first:last] = numerics.quantize(
            registers[0], self.real(program.inverse), self.integer(program.zero_point), program.lower, program.upper
        )

    def _add_bias(self, accumulator: NDArray[Any], limit: int) -> F32:
        """f32(accumulator + bias), the sum exact."""
        bias = self.integer(self.program.bias)
        if accumulator.dtype == np.float32 and limit + int(np.abs(bias.astype(np.int64)).max()) <= EXACT:
            accumulator += bias.astype(np.float32)
            return accumulator
        return (accumulator.astype(np.int32, copy=False) + bias).astype(np.float32)

    def _step(self, step: VectorStep, registers: list[F32], first: int, last: int) -> F32:
        value = registers[step.target]
        match step.op:
            case StepOp.LOAD:
                return self._load(step.index, first, last)
            case StepOp.TABLE:
                assert self.table is not None
                return self.table(value)
            case StepOp.TAPS:
                assert self.taps is not None
                return np.multiply(value, self.taps[first:last], out=value)
            case _:
                pass
        assert step.source is not None
        source = self._source(step.source, registers)
        match step.op:
            case StepOp.ADD:
                return np.add(value, source, out=value)
            case StepOp.MUL:
                return np.multiply(value, source, out=value)
            case StepOp.MIN:
                return np.minimum(value, source, out=value)
            case StepOp.MAX:
                return np.maximum(value, source, out=value)
            case StepOp.MOVE:  # a copy: the other steps work in place
                return np.array(np.broadcast_to(source, registers[0].shape))
            case _:
                return np.where(value < 0, value * source, value)

    def _source(self, source: Source, registers: list[F32]) -> F32:
        return registers[source.index] if isinstance(source, Register) else self.real(source)

    def _load(self, index: int, first: int, last: int) -> F32:
        program, operand = self.program, self.operands[index]
        assert operand is not None
        scale, zero = (
            (program.operand0_scale, program.operand0_zero)
            if index == 0
            else (program.operand1_scale, program.operand1_zero)
        )
        return numerics.dequantize(operand[first:last], self.real(scale), self.integer(zero))
