"""The values of an instruction's fields as text, and back."""

from __future__ import annotations

import struct
from typing import Any, cast

from xdsl.parser import Parser

from axir.dialects.epilogue import float_literal
from axir.target import isa
from axir.target.isa import Lane, Register, StepOp, VectorStep


def render(value: object) -> str:
    match value:
        case Lane(index):
            return f"lane {index}"
        case Register(index):
            return f"r{index}"
        case VectorStep(op, target, source, index):
            parts = [op.name.lower(), f"r{target}"]
            if op is StepOp.LOAD:
                parts.append(str(index))
            if source is not None:
                parts.append(render(source))
            return " ".join(parts)
        case tuple():
            return f"[{', '.join(render(step) for step in cast(tuple[VectorStep, ...], value))}]"
        case float():
            return float_literal(value)
        case _:
            return str(value)


def parse_value(parser: Parser, row: isa.FieldRow) -> Any:
    match row.kind:
        case "int":
            return parser.parse_integer(allow_boolean=False)
        case "float":
            return binary32(float(parser.parse_number()))
        case "enum":
            return parser.parse_identifier(f" ({' or '.join(row.names)})")
        case "steps":
            return tuple(parser.parse_comma_separated_list(parser.Delimiter.SQUARE, lambda: _parse_step(parser)))
        case "int_const":
            return _parse_lane(parser) or parser.parse_integer(allow_boolean=False)
        case _:
            return _parse_lane(parser) or binary32(float(parser.parse_number()))


def binary32(value: float) -> float:
    """The nearest binary32 value, as a Python float."""
    return struct.unpack("<f", struct.pack("<f", value))[0]


def _parse_lane(parser: Parser) -> Lane | None:
    if parser.parse_optional_keyword("lane") is None:
        return None
    return Lane(parser.parse_integer(allow_boolean=False, allow_negative=False))


def _parse_register(parser: Parser) -> Register | None:
    text = parser.parse_optional_keyword_in([f"r{index}" for index in range(isa.REGISTERS)])
    return None if text is None else Register(int(text[1:]))


def _parse_step(parser: Parser) -> VectorStep:
    op = StepOp[parser.parse_keyword_in([op.name.lower() for op in StepOp], " naming a step").upper()]
    target = _parse_register(parser)
    if target is None:
        parser.raise_error("expected a register")
    index, source = 0, None
    if op is StepOp.LOAD:
        index = parser.parse_integer(allow_boolean=False, allow_negative=False)
    elif op in isa.STEP_SOURCES:
        source = _parse_lane(parser) or _parse_register(parser) or binary32(float(parser.parse_number()))
    return VectorStep(op, target.index, source, index)
