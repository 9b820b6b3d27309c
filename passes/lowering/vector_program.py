"""Epilogues as vector programs: steps, per-channel parameters, and the store with its bounds (docs/numerics.md)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from axir import numerics
from axir.dialects import axq
from axir.dialects.axq import QuantType
from axir.dialects.epilogue import Step
from axir.ir.constants import constant_array
from axir.ir.diagnostics import AxirError
from axir.ir.store import WeightStore
from axir.passes.lowering.registers import Algorithm, Operation, Values, allocate
from axir.target.isa import PWORD, Lane, StepOp, VectorStep

F32 = np.float32

EXPONENTIAL = Step("exp")
"""What the table of a softmax does; no step of an epilogue."""


@dataclass(frozen=True)
class Lookup:
    """Entry q + 128 is what byte q becomes: a table with a bin for every byte."""

    entries: bytes

    def __str__(self) -> str:
        return f"lookup.{blake2b(self.entries, digest_size=4).hexdigest()}"


TableKey = Step | Lookup
"""What a table computes: layers that compute the same share it."""


def table_of(key: TableKey) -> numerics.Table:
    """The table of a TABLE step, or of a softmax."""
    if isinstance(key, Step):
        return numerics.exponential() if key == EXPONENTIAL else numerics.table(key.kind, *key.arguments)
    stored = np.pad(np.frombuffer(key.entries, np.int8), 1, mode="edge").astype(F32)
    start, bins = float(numerics.INT8_MIN), len(key.entries)
    return numerics.Table("lookup", start, 1.0, bins, stored, np.zeros_like(stored), 0.0)


@dataclass
class VectorCode:
    """The fields of a `isa.VectorProgram` that do not depend on addresses, and its parameter vectors.

    `vectors` hold one 4-byte number a channel, in channel order; `operands` are the indices of the extras that the
    LOAD steps read; `table` is the epilogue's step that the TABLE steps do, a lookup, or `EXPONENTIAL`.
    """

    bias: int | Lane = 0
    scale: float | Lane = 1.0
    steps: tuple[VectorStep, ...] = ()
    inverse: float | Lane = 1.0
    zero_point: int | Lane = 0
    lower: int = numerics.INT8_MIN
    upper: int = numerics.INT8_MAX
    operands: list[tuple[int | Lane, float | Lane]] = field(default_factory=list[tuple[int | Lane, float | Lane]])
    vectors: list[NDArray[Any]] = field(default_factory=list[NDArray[Any]])
    table: TableKey | None = None
    pad_lane: int = 255
    operations: list[Operation] = field(default_factory=list[Operation])
    loaded: dict[int, int] = field(default_factory=dict[int, int])  # values that are tensor operands, by extra
    result: int = 0  # the value of the operations so far

    def apply(self, op: StepOp, constant: float | Lane | None = None, value: int | None = None) -> None:
        """An operation on the result so far: alone, with a constant, or with another value."""
        operands = (self.result,) if value is None else (self.result, value)
        self.operations.append(Operation(op, operands, constant))
        self.result = len(self.operations)

    def operand(self, extra: int, zero_point: NDArray[Any], scale: NDArray[Any]) -> int:
        """The value of a tensor operand, loaded once."""
        if extra not in self.loaded:
            self.operations.append(Operation(StepOp.LOAD, index=len(self.operands)))
            self.operands.append((self.integer(zero_point), self.real(scale)))
            self.loaded[extra] = len(self.operations)
        return self.loaded[extra]

    def lane(self, vector: NDArray[Any]) -> Lane:
        """A parameter vector: int32 or float32, one number a channel."""
        self.vectors.append(vector)
        return Lane(len(self.vectors) - 1)

    def integer(self, value: NDArray[Any]) -> int | Lane:
        return int(value) if value.ndim == 0 else self.lane(value.astype(np.int32))

    def real(self, value: NDArray[Any]) -> float | Lane:
        return float(value) if value.ndim == 0 else self.lane(value.astype(F32))

    def fields(self) -> dict[str, Any]:
        return {
            "bias": self.bias,
            "scale": self.scale,
            "steps": self.steps,
            "inverse": self.inverse,
            "zero_point": self.zero_point,
            "lower": self.lower,
            "upper": self.upper,
            "parameters": len(self.vectors),
        }

    def parameter_blocks(
        self, slots: NDArray[np.int64], blocks: int, bias: NDArray[np.int32] | None = None
    ) -> NDArray[np.uint8]:
        """Parameter blocks as bytes: [block][vector][64] four-byte numbers, zero where no channel lies.

        `bias` takes the place of the code's own.
        """
        vectors = list(self.vectors)
        if bias is not None and isinstance(self.bias, Lane):
            vectors[self.bias.index] = bias
        image = np.zeros((blocks, len(vectors), PWORD), np.uint32)
        for index, vector in enumerate(vectors):
            image[slots // PWORD, index, slots % PWORD] = vector.view(np.uint32)
        return image.reshape(-1).view(np.uint8)


def quant_arrays(element: QuantType, store: WeightStore) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
    """(scale, zero point): scalars per tensor, vectors [C] per channel."""
    if element.per_channel:
        scales = constant_array(cast(axq.Constant, element.scale), store)
        return scales, constant_array(cast(axq.Constant, element.zero_point), store).astype(np.int32)
    scale, zero_point = element.scalar
    return np.asarray(scale, F32), np.asarray(zero_point, np.int32)


def passthrough() -> VectorCode:
    """Store the accumulator as it is: for bytes that only move."""
    return VectorCode()


def lookup(entries: NDArray[np.int8]) -> VectorCode:
    """Store what the table has for each byte."""
    code = VectorCode(table=Lookup(entries.tobytes()))
    code.apply(StepOp.TABLE)
    code.steps = allocate(Values(tuple(code.operations), code.result))
    return code


def finish(
    code: VectorCode,
    epilogue: Sequence[Step],
    extras: Sequence[tuple[int, QuantType]],
    slope: NDArray[np.float32] | None,
    result: QuantType,
    store: WeightStore,
    node: str,
    algorithm: Algorithm,
) -> VectorCode:
    """Append the epilogue's steps and the requantization to `result`, and allocate registers.

    `extras` are the number and type of the operand that each step takes, in order; one that is taken twice is loaded
    once. A tensor that is added and subtracted is two operands. Raises `AxirError` where the program is too long.
    """
    inverse, zero_point = requantization(result, store)
    code.inverse, code.zero_point = code.real(inverse), code.integer(zero_point)
    steps = list(epilogue)
    if not result.per_channel:
        _trailing_bounds(code, steps, inverse, zero_point)
    remaining = list(extras)
    tables = {step for step in epilogue if step.is_table}
    tensors = len({number for number, _ in extras})
    if len(tables) > 1 or tensors > 2:
        raise AxirError(
            f"the epilogue needs {len(tables)} tables and {tensors} tensor operands, the device takes 1 and 2",
            node=node,
        )
    for step in steps:
        _append(code, step, remaining, slope, store)
    code.steps = allocate(Values(tuple(code.operations), code.result), algorithm, node=node)
    return code


def requantization(result: QuantType, store: WeightStore) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
    scale, zero_point = quant_arrays(result, store)
    return numerics.reciprocal(scale), zero_point


def _trailing_bounds(
    code: VectorCode, steps: list[Step], inverse: NDArray[np.float32], zero_point: NDArray[np.int32]
) -> None:
    """Clamps at the end of an epilogue become bounds of the store: rounding is monotone, so the bytes are the same."""
    lower, upper = -np.inf, np.inf
    while steps:
        step = steps[-1]
        bounds = {"relu": (0.0, np.inf), "hard_sigmoid": (0.0, 1.0)}.get(step.kind)
        if step.kind == "clip":
            bounds = (step.arguments[0], step.arguments[1])
        if bounds is None:
            break
        lower, upper = min(max(bounds[0], lower), upper), max(min(bounds[1], upper), lower)
        steps.pop()
        if step.kind == "hard_sigmoid":
            steps.append(Step("affine", step.arguments))
            break
    if lower > -axq.FLT_MAX:
        code.lower = int(numerics.quantize(np.asarray([lower], F32), inverse, zero_point)[0])
    if upper < axq.FLT_MAX:
        code.upper = int(numerics.quantize(np.asarray([upper], F32), inverse, zero_point)[0])


def _append(
    code: VectorCode,
    step: Step,
    extras: list[tuple[int, QuantType]],
    slope: NDArray[np.float32] | None,
    store: WeightStore,
) -> None:
    def constant(op: StepOp, value: float) -> None:
        code.apply(op, float(F32(value)))

    match step.kind:
        case "scale":
            constant(StepOp.MUL, step.arguments[0])
        case "relu":
            constant(StepOp.MAX, 0.0)
        case "clip":
            constant(StepOp.MAX, step.arguments[0])
            constant(StepOp.MIN, step.arguments[1])
        case "leaky_relu":
            constant(StepOp.PRELU, step.arguments[0])
        case "prelu":
            assert slope is not None
            code.apply(StepOp.PRELU, code.lane(slope))
        case "affine" | "hard_sigmoid":
            constant(StepOp.MUL, step.arguments[0])
            constant(StepOp.ADD, step.arguments[1])
            if step.kind == "hard_sigmoid":
                constant(StepOp.MAX, 0.0)
                constant(StepOp.MIN, 1.0)
        case "add" | "sub" | "mul" | "max" | "min":
            number, element = extras.pop(0)
            scale, zero_point = quant_arrays(element, store)
            negative = step.kind == "sub"  # a difference is the sum with the negative, exactly
            value = code.operand(number, zero_point, -scale if negative else scale)
            code.apply(StepOp.ADD if negative else StepOp[step.kind.upper()], value=value)
        case _:
            code.apply(StepOp.TABLE)
            code.table = step
