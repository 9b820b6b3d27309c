"""Descriptors to bytes and back, entirely from the tables of `axir.target.isa`.

The forms of the compound fields (all little endian; int and float are plain numbers):
    address      memory u8 (its number in `isa.MEMORIES`, 255: absent), offset u32
    int_const    lane u8 (255: the immediate), immediate i32
    float_const  lane u8 (255: the immediate), immediate f32
    step         operation u8 (0: none), target u8, kind of source u8, index u8, immediate f32
Bytes that a descriptor does not use are zero, so that every instruction has exactly one encoding.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from enum import IntEnum
from functools import cache
from itertools import pairwise
from typing import Any, NamedTuple, cast

from axir.ir.diagnostics import AxirError
from axir.target import isa
from axir.target.isa import Address, FieldRow, Instruction, Lane, Register, Source, StepOp, VectorStep

UNITS_PER_CORE = 8
"""Unit number in a wait = core * 8 + the unit's place in `isa.UNITS`."""

MAX_COUNT = (1 << 24) - 1

_HEADER = f"<BBHI{isa.MAX_WAITS}I"
_INTEGERS = {(8, False): "B", (8, True): "b", (16, False): "H", (16, True): "h", (32, False): "I", (32, True): "i"}
_COMPOUND = {
    "float": "f", "enum": "B", "address": "BI", "int_const": "Bi", "float_const": "Bf",
    "steps": "BBBBf" * isa.MAX_STEPS,
}  # fmt: skip
_KINDS = {kind.opcode: kind for kind in isa.INSTRUCTIONS}


class SourceKind(IntEnum):
    """What the source of a vector step is."""

    NONE = 0
    IMMEDIATE = 1
    LANE = 2
    REGISTER = 3


class Wait(NamedTuple):
    """A descriptor may start when queue `unit` of `core` has completed at least `completed` descriptors."""

    core: int
    unit: str
    completed: int


def encode_task(instruction: Instruction, waits: Sequence[Wait], layer: int) -> bytes:
    """The 256 bytes of a descriptor. Raises `AxirError` naming the field that is not legal."""
    problem = isa.check(instruction) or _check_header(waits, layer)
    if problem:
        raise AxirError(f"{instruction.mnemonic}: {problem}")
    words = [wait.completed << 8 | wait.core * UNITS_PER_CORE + isa.UNITS.index(wait.unit) for wait in waits]
    words += [0] * (isa.MAX_WAITS - len(words))
    values: list[float] = [instruction.opcode, len(waits), layer, 0, *words]
    for row in isa.fields_of(type(instruction)):
        values += _flatten(row, getattr(instruction, row.name))
    return _layout(type(instruction)).pack(*values).ljust(isa.DESCRIPTOR_BYTES, b"\0")


def decode_task(data: bytes) -> tuple[Instruction, tuple[Wait, ...], int]:
    """(instruction, waits, layer) of a descriptor's 256 bytes.

    Raises `AxirError` for an unknown opcode, a value outside of its legal range (naming the field), and any byte that
    `encode_task` would not have written.
    """
    if len(data) != isa.DESCRIPTOR_BYTES:
        raise AxirError(f"a descriptor has {isa.DESCRIPTOR_BYTES} bytes, not {len(data)}")
    kind = _KINDS.get(data[0])
    if kind is None:
        raise AxirError(f"unknown opcode {data[0]}", notes=(f"known: {', '.join(map(str, _KINDS))}",))
    _, count, layer, _, *values = _layout(kind).unpack_from(data)
    if count > isa.MAX_WAITS:
        raise AxirError(f"{kind.mnemonic}: has {count} waits, legal are at most {isa.MAX_WAITS}")
    words = cast(list[int], values[: isa.MAX_WAITS])
    rest = iter(values[isa.MAX_WAITS :])
    try:
        waits = tuple(_wait(word) for word in words[:count])
        instruction = kind(**{row.name: _restore(row, rest) for row in isa.fields_of(kind)})
        again = encode_task(instruction, waits, layer)
    except _Illegal as error:
        raise AxirError(f"{kind.mnemonic}: {error}") from None
    if again != data:
        offset = next(index for index, (a, b) in enumerate(zip(again, data, strict=True)) if a != b)
        raise AxirError(f"{kind.mnemonic}: byte {offset} ({_name_at(kind, offset)}) should be zero")
    return instruction, waits, layer


class _Illegal(Exception):
    """A code that stands for nothing."""


@cache
def _layout(kind: type[Instruction]) -> struct.Struct:
    formats = (
        _INTEGERS[row.bits, row.signed] if row.kind == "int" else _COMPOUND[row.kind] for row in isa.fields_of(kind)
    )
    return struct.Struct(_HEADER + "".join(formats))


def _check_header(waits: Sequence[Wait], layer: int) -> str | None:
    if not 0 <= layer < 1 << 16:
        return f"layer is {layer}, legal are 0 to 65535"
    if len(waits) > isa.MAX_WAITS:
        return f"has {len(waits)} waits, legal are at most {isa.MAX_WAITS}"
    for wait in waits:
        if wait.unit not in isa.UNITS or not 0 <= wait.core < 256 // UNITS_PER_CORE:
            return f"waits for '{wait.unit}' of core {wait.core}, which no descriptor can name"
        if not 1 <= wait.completed <= MAX_COUNT:
            return f"waits for {wait.completed} descriptors, legal are 1 to {MAX_COUNT}"
    units = [(wait.core, isa.UNITS.index(wait.unit)) for wait in waits]
    if any(first >= second for first, second in pairwise(units)):
        return "its waits are not in the order of cores and units, each once"
    return None


def _wait(word: int) -> Wait:
    core, unit = divmod(word & 0xFF, UNITS_PER_CORE)
    if unit >= len(isa.UNITS):
        raise _Illegal(f"waits for unit {unit}, there are {len(isa.UNITS)}")
    return Wait(core, isa.UNITS[unit], word >> 8)


def _flatten(row: FieldRow, value: Any) -> Sequence[float]:
    match row.kind:
        case "int" | "float":
            return (value,)
        case "enum":
            return (row.names.index(value),)
        case "address":
            if value is None:
                return (isa.NONE, 0)
            return (isa.MEMORIES.index(value.memory), value.offset)
        case "int_const" | "float_const":
            return (value.index, 0) if isinstance(value, Lane) else (isa.NONE, value)
        case "steps":
            steps = cast(tuple[VectorStep, ...], value)
            flat = [number for step in steps for number in _flatten_step(step)]
            return flat + [0] * (5 * isa.MAX_STEPS - len(flat))


def _flatten_step(step: VectorStep) -> tuple[float, ...]:
    match step.source:
        case None:
            return (step.op, step.target, SourceKind.NONE, step.index, 0)
        case Lane(index):
            return (step.op, step.target, SourceKind.LANE, index, 0)
        case Register(index):
            return (step.op, step.target, SourceKind.REGISTER, index, 0)
        case immediate:
            return (step.op, step.target, SourceKind.IMMEDIATE, 0, immediate)


def _restore(row: FieldRow, values: Iterator[Any]) -> Any:
    match row.kind:
        case "int" | "float":
            return next(values)
        case "enum":
            code = cast(int, next(values))
            if code >= len(row.names):
                raise _Illegal(f"{row.name} is {code}, legal are 0 to {len(row.names) - 1}")
            return row.names[code]
        case "address":
            memory, offset = cast(int, next(values)), cast(int, next(values))
            if memory == isa.NONE:
                return None
            if memory >= len(isa.MEMORIES):
                raise _Illegal(f"{row.name} is in memory {memory}, there are {len(isa.MEMORIES)}")
            return Address(isa.MEMORIES[memory], offset)
        case "int_const" | "float_const":
            lane, immediate = cast(int, next(values)), next(values)
            return immediate if lane == isa.NONE else Lane(lane)
        case "steps":
            steps = [_restore_step(row, [next(values) for _ in range(5)]) for _ in range(isa.MAX_STEPS)]
            return tuple(step for step in steps if step is not None)


def _restore_step(row: FieldRow, values: list[Any]) -> VectorStep | None:
    op, target, kind, index, immediate = values
    if op == 0:
        return None
    if op not in list(StepOp):
        raise _Illegal(f"{row.name} has operation {op}, legal are 1 to {max(StepOp)}")
    source: Source | None
    match kind:
        case SourceKind.NONE:
            return VectorStep(StepOp(op), target, None, index)
        case SourceKind.IMMEDIATE:
            source = immediate
        case SourceKind.LANE:
            source = Lane(index)
        case SourceKind.REGISTER:
            source = Register(index)
        case _:
            raise _Illegal(f"{row.name} has a source of kind {kind}, legal are 0 to {max(SourceKind)}")
    return VectorStep(StepOp(op), target, source)


def _name_at(kind: type[Instruction], offset: int) -> str:
    """The field that a byte belongs to."""
    if offset < isa.HEADER_BYTES:
        return "waits" if offset >= struct.calcsize("<BBHI") else "reserved"
    for row in isa.fields_of(kind):
        if row.offset <= offset < row.offset + row.bits // 8:
            return row.name
    return "reserved"
