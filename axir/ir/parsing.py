"""Text to IR: every operation gets a source location, every mistake a position."""

from __future__ import annotations

import re
import struct
from bisect import bisect_right
from typing import NoReturn

from xdsl.context import Context
from xdsl.dialects.builtin import (
    AnyFloat,
    ComplexType,
    FileLineColLoc,
    IndexType,
    IntAttr,
    IntegerType,
    LocationAttr,
    ModuleOp,
    StringAttr,
    UnknownLoc,
)
from xdsl.ir import Attribute, Operation
from xdsl.parser import AttrParser, Parser
from xdsl.utils.exceptions import DiagnosticException, ParseError, UnregisteredConstructException
from xdsl.utils.lexer import Span

from axir.ir.diagnostics import from_parse_error
from axir.ir.verifier import verify

__all__ = ["AxParser", "parse_module", "verify"]

# What building an attribute or an operation raises on malformed text, without a position.
_UNLOCATED = (
    DiagnosticException,
    UnregisteredConstructException,
    ValueError,
    OverflowError,
    struct.error,
)


class AxParser(Parser):
    """xDSL's parser, which also gives each operation without an explicit `loc(...)` its position in the text.

    Errors that xDSL raises without a position (an attribute's verifier, a wrong number of operands) become
    `ParseError`s at the attribute or operation concerned.
    """

    def __init__(self, ctx: Context, text: str, name: str = "<unknown>"):
        super().__init__(ctx, text, name)
        self._file = StringAttr(name)
        self._line_starts = [0, *(match.end() for match in re.finditer("\n", text))]
        self._location_end = -1

    def parse_optional_location(self) -> LocationAttr | None:
        location = super().parse_optional_location()
        if location is not None:
            self._location_end = self.pos
        return location

    def parse_operation(self) -> Operation:
        start = self.pos
        try:
            op = super().parse_operation()
        except _UNLOCATED as error:
            self._raise_located(error, start)
        # An explicit loc(unknown) ends where the operation does, and stays.
        if isinstance(op.location, UnknownLoc) and self._location_end != self.pos:
            line = bisect_right(self._line_starts, start)
            column = start - self._line_starts[line - 1] + 1
            op.location = FileLineColLoc(self._file, IntAttr(line), IntAttr(column))
        return op

    def parse_attribute(self) -> Attribute:
        start = self.pos
        try:
            return super().parse_attribute()
        except _UNLOCATED as error:
            self._raise_located(error, start)

    _Element = Parser._TensorLiteralElement

    class _BitPattern(_Element):
        """An element of a `dense<...>` list written as a hexadecimal number: of a float type, its bits."""

        def to_type(self, parser: AttrParser, type: AnyFloat | IntegerType | IndexType | ComplexType):
            if not isinstance(type, AnyFloat):
                return super().to_type(parser, type)
            bits = int(self.span.text, 16)
            if not 0 <= bits < 1 << (8 * type.compile_time_size):
                parser.raise_error(f"{self.span.text} does not fit {type}", self.span)
            return next(type.iter_unpack(bits.to_bytes(type.compile_time_size, "little")))

    def _parse_tensor_literal_element(self) -> _Element:
        # xDSL 0.74 prints floats that need many digits in hexadecimal, and reads these bits as the value.
        element = super()._parse_tensor_literal_element()
        if element.span.text.lstrip("-")[:2] in ("0x", "0X"):
            return self._BitPattern(element.is_negative, element.value, element.span)
        return element

    def _raise_located(self, error: Exception, start: int) -> NoReturn:
        end = min(self.pos, self.lexer.input.get_end_of_line(start))
        raise ParseError(Span(start, max(end, start + 1), self.lexer.input), str(error).strip()) from error


def parse_module(ctx: Context, text: str, name: str) -> ModuleOp:
    """Parse the text of one module; a list of operations is wrapped in a module. Does not verify.

    `name` is the file name for locations. Raises `AxirError` with the position on malformed text.
    """
    try:
        return AxParser(ctx, text, name).parse_module()
    except ParseError as error:
        raise from_parse_error(error) from error
