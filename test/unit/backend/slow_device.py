"""A second device model for tests: docs/isa.md read aloud, one byte at a time, with Python numbers.

It shares nothing with the simulator but the instruction classes; binary32 arithmetic is NumPy's scalar type.
"""

from __future__ import annotations

import math
import struct
from fractions import Fraction
from itertools import product

import numpy as np

from axir.target.isa import (
    NONE,
    Address,
    Depthwise,
    Dma,
    Instruction,
    Lane,
    Load,
    LoadPixels,
    Mvm,
    Normalize,
    Register,
    Softmax,
    StepOp,
    Vec,
    Window,
)

F = np.float32


class SlowDevice:
    """One core: `memories` by name (int8 arrays) and the weight sets as one int8 matrix [2048, 512]."""

    def __init__(self, memories: dict[str, np.ndarray], sets: np.ndarray):
        self.memories, self.sets = memories, sets

    def byte(self, address: Address, offset: int) -> int:
        return int(self.memories[address.memory][address.offset + offset])

    def word(self, address: Address, offset: int, code: str) -> float:
        start = address.offset + offset
        return struct.unpack("<" + code, self.memories[address.memory][start : start + 4].tobytes())[0]

    def run(self, instruction: Instruction) -> None:
        with np.errstate(over="ignore", invalid="ignore"):
            match instruction:
                case Dma():
                    self.dma(instruction)
                case Load():
                    self.load(instruction)
                case Mvm():
                    self.mvm(instruction)
                case Depthwise() | Vec():
                    self.depthwise(instruction)
                case Softmax():
                    self.softmax(instruction)
                case LoadPixels():
                    self.load_pixels(instruction)
                case Normalize():
                    self.normalize(instruction)

    def dma(self, d: Dma) -> None:
        for k, j, i, b in product(range(d.count2), range(d.count1), range(d.count0), range(d.row_bytes)):
            source = i * d.src_step0 + j * d.src_step1 + k * d.src_step2 + b
            target = i * d.dst_step0 + j * d.dst_step1 + k * d.dst_step2 + b
            self.memories[d.dst.memory][d.dst.offset + target] = self.byte(d.src, source)

    def load(self, d: Load) -> None:
        written = [
            (d.row + row + s * d.segment_step + k * d.replica_step, (d.block + k * (d.columns // 64)) * 64 + column,
             self.byte(d.src, (s * d.segment_rows + row) * d.columns + column))
            for k, s, row, column in product(
                range(d.replicas), range(d.segments), range(d.segment_rows), range(d.columns)
            )
        ]  # fmt: skip
        if d.clear:
            rows = [row for row, _, _ in written]
            for row in range(d.row // 512 * 512, (max(rows) // 512 + 1) * 512):
                self.sets[row, d.block * 64 : d.block * 64 + d.replicas * d.columns] = 0
        for row, column, value in written:
            self.sets[row, column] = value

    def load_pixels(self, d: LoadPixels) -> None:
        rows, columns = (d.channels, d.pixels) if d.transpose else (d.pixels, d.channels)
        for row, column in product(range(-(-rows // 64) * 64), range(-(-columns // 64) * 64)):
            p, c = (column, row) if d.transpose else (row, column)
            inside = p < d.pixels and c < d.channels
            self.sets[d.row + row, d.block * 64 + column] = self.byte(d.src, p * d.pitch + c) if inside else 0

    def input(self, w: Window, r: int, v: int, i: int, j: int, p: int, b: int) -> int | None:
        """A byte of a pword of a tap; None where it is padding."""
        y = w.y0 + r * w.y_step + i * w.tap_row_step
        x = w.x0 + v * w.x_step + j * w.tap_step + 64 * p + b
        if not (0 <= y < w.src_rows and 0 <= x < w.row_bytes):
            return None
        return self.byte(w.src, y * w.row_pitch + x)

    def mvm(self, d: Mvm) -> None:
        walk = list(product(range(d.tap_rows), range(d.tap_columns), range(d.blocks)))
        walk = walk[d.slot : d.slot + d.matrix_rows // 64]
        width = d.columns // d.replicas
        for r, v in product(range(d.rows), range(d.vectors)):
            vector: list[int] = []
            for i, j, p in walk:
                for b in range(64):
                    value = self.input(d, r, v, i, j, p, b)
                    vector.append((d.pad if value is None else value) - d.zero)
            matrix = self.sets[d.row : d.row + d.matrix_rows, d.block * 64 : (d.block + d.columns) * 64]
            sums = [int(x) for x in np.array(vector, np.int64) @ matrix.astype(np.int64)]
            position = (r * d.vectors + v) * d.columns * 64
            if d.partial_in is not None:
                sums = [s + int(self.word(d.partial_in, 4 * (position + c), "i")) for c, s in enumerate(sums)]
            if d.partial_out is not None:
                start = d.partial_out.offset + 4 * position
                content = np.frombuffer(struct.pack(f"<{len(sums)}i", *sums), np.int8)
                self.memories[d.partial_out.memory][start : start + content.size] = content
                continue
            for c, total in enumerate(sums):
                replica, block = divmod(c // 64, width)
                pixel = v * d.replicas + replica
                if pixel < d.pixels:
                    self.store(d, r, pixel, block, c % 64, total, 0)

    def depthwise(self, d: Depthwise | Vec) -> None:
        for r, v, p, b in product(range(d.rows), range(d.pixels), range(d.blocks), range(64)):
            values: list[int] = []
            inside = 0
            for number, (i, j) in enumerate(product(range(d.tap_rows), range(d.tap_columns))):
                value = self.input(d, r, v, i, j, p, b)
                inside += self.input(d, r, v, i, j, 0, 0) is not None
                if value is None:
                    value = d.pad
                    if isinstance(d, Depthwise) and d.pad_lane != NONE:
                        value = self.lane(d, Lane(d.pad_lane), p, b, "i")
                if isinstance(d, Depthwise) and d.weights is not None:
                    value *= self.byte(d.weights, (p * d.tap_rows * d.tap_columns + number) * 64 + b)
                values.append(int(value))
            total = max(values) if isinstance(d, Depthwise) and d.mode == "max" else sum(values)
            self.store(d, r, v, p, b, total, inside)

    def softmax(self, d: Softmax) -> None:
        for r, q in product(range(d.rows), range(d.pixels)):
            lanes = [F(d.neutral)] * (-(-d.channels // 64) * 64)
            for c in range(d.channels):
                lanes[c] = F(self.byte(d.src, r * d.row_pitch + q * d.pitch + c) - d.zero) * F(d.scale)
            powers = [self.table(d.table, x - max(lanes)) for x in lanes]
            sums = powers[:64]
            for c in range(64, len(powers)):
                sums[c % 64] = sums[c % 64] + powers[c]
            while len(sums) > 1:
                half = len(sums) // 2
                sums = [a + b for a, b in zip(sums[:half], sums[half:], strict=True)]
            for c, power in enumerate(powers):
                scaled = power * F(1 / float(sums[0])) * F(d.inverse)
                byte = round(Fraction(min(max(float(scaled), -128 - d.zero_point), 127 - d.zero_point))) + d.zero_point
                self.memories[d.out.memory][d.out.offset + r * d.out_row_pitch + q * d.out_pitch + c] = byte

    def normalize(self, d: Normalize) -> None:
        def x(r: int, q: int, c: int) -> int:
            return self.byte(d.src, r * d.row_pitch + q * d.pitch + c) - d.zero

        for r, q, c in product(range(d.rows), range(d.pixels), range(-(-d.channels // 64) * 64)):
            value = F(0)
            if c < d.channels:
                first = c // d.group * d.group
                pixels = list(product(range(d.rows), range(d.pixels))) if d.spatial else [(r, q)]
                values = [x(*pixel, k) for pixel in pixels for k in range(first, first + d.group)]
                n, total = len(values), sum(values)
                root = np.sqrt(F(n * sum(v * v for v in values) - total * total) + F(d.epsilon))
                value = F(n * x(r, q, c) - total) * (F(1) / root)
            factor, summand = (self.word(d.params, ((c // 64 * 2 + n) * 64 + c % 64) * 4, "f") for n in range(2))
            scaled = (value * F(factor) + F(summand)) * F(d.inverse)
            bounded = min(max(float(scaled), -128 - d.zero_point), 127 - d.zero_point)
            place = d.out.offset + r * d.out_row_pitch + q * d.out_pitch + c
            self.memories[d.out.memory][place] = round(Fraction(bounded)) + d.zero_point

    def lane(self, d, value, p: int, b: int, code: str):
        if not isinstance(value, Lane):
            return value
        return self.word(d.params, ((p * d.parameters + value.index) * 64 + b) * 4, code)

    def store(self, d, r: int, q: int, p: int, b: int, total: int, inside: int) -> None:
        value = F(int(total + self.lane(d, d.bias, p, b, "i"))) * F(self.lane(d, d.scale, p, b, "f"))
        registers = [value, None, None, None]
        for step in d.steps:
            x = registers[step.target]
            source = step.source
            if isinstance(source, Register):
                y = registers[source.index]
            elif source is not None:
                y = F(self.lane(d, source, p, b, "f"))
            match step.op:
                case StepOp.LOAD:
                    address, rows, pixels, zero, scale = (
                        (d.operand0, d.operand0_row_pitch, d.operand0_pitch, d.operand0_zero, d.operand0_scale),
                        (d.operand1, d.operand1_row_pitch, d.operand1_pitch, d.operand1_zero, d.operand1_scale),
                    )[step.index]
                    stored = self.byte(address, r * rows + q * pixels + 64 * p + b)
                    x = F(stored - self.lane(d, zero, p, b, "i")) * F(self.lane(d, scale, p, b, "f"))
                case StepOp.ADD:
                    x = x + y
                case StepOp.MUL:
                    x = x * y
                case StepOp.MIN:
                    x = min(x, y)
                case StepOp.MAX:
                    x = max(x, y)
                case StepOp.PRELU:
                    x = x * y if x < 0 else x
                case StepOp.MOVE:
                    x = y
                case StepOp.TABLE:
                    x = self.table(d.table, x)
                case StepOp.TAPS:
                    x = x * F(np.float64(1) / inside) if inside else x * F(0)
            registers[step.target] = x
        scaled = registers[0] * F(self.lane(d, d.inverse, p, b, "f"))
        zero = int(self.lane(d, d.zero_point, p, b, "i"))
        # Saturating first is the same: rounding is monotone, and the bounds are whole numbers.
        bounded = min(max(float(scaled), d.lower - zero), d.upper - zero)
        self.memories[d.out.memory][d.out.offset + r * d.out_row_pitch + q * d.out_pitch + 64 * p + b] = (
            round(Fraction(bounded)) + zero
        )

    def table(self, address: Address, x: np.float32) -> np.float32:
        start, per_unit, bins = (self.word(address, 4 * n, code) for n, code in enumerate("ffi"))
        position = math.floor(F(F(x - F(start)) * F(per_unit)))
        index = 1 + min(max(position, -1), int(bins))
        intercept = F(self.word(address, 64 + 4 * index, "f"))
        slope = F(self.word(address, 64 + 4160 + 4 * index, "f"))
        return slope * x + intercept
