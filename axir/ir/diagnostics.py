"""User-facing errors, and the one place where a command line tool turns exceptions into text.

This module imports nothing of xDSL at load time, so that any tool can use it before (or without) the IR.
"""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from xdsl.ir import Operation
    from xdsl.utils.exceptions import ParseError

TRACEBACK_VARIABLE = "AXIR_TRACEBACK"


class AxirError(Exception):
    """An error that the user can act on.

    `location` is a rendered `file:line:col`, `node` the name of the ONNX node concerned, and each note says what to
    do about it. `op` gives location and node from the operation's location attribute, unless they are passed as well.
    """

    message: str
    location: str | None
    node: str | None
    notes: tuple[str, ...]

    def __init__(
        self,
        message: str,
        *,
        op: Operation | None = None,
        location: str | None = None,
        node: str | None = None,
        notes: Iterable[str] = (),
    ):
        super().__init__(message)
        if op is not None:
            from axir.ir.location import node_name, render_location

            location = location or render_location(op)
            node = node or node_name(op)
        self.message = message
        self.location = location
        self.node = node
        self.notes = tuple(notes)

    @property
    def errors(self) -> tuple[AxirError, ...]:
        """The single errors this one stands for: itself, or the members of an `AxirErrorGroup`."""
        return (self,)

    def add_context(self, note: str) -> None:
        """Append a note, where a caller knows more than the one who raised."""
        self.notes = (*self.notes, note)

    def render(self) -> str:
        """`file:line:col: error: [node] message`, then one `note: ` line per note; no trailing newline."""
        prefix = f"{self.location}: " if self.location else ""
        node = f"[{self.node}] " if self.node else ""
        return "\n".join([f"{prefix}error: {node}{self.message}", *(f"note: {note}" for note in self.notes)])

    def __str__(self) -> str:
        return self.render()


class AxirErrorGroup(AxirError):
    """Several errors found by one check, reported together; `omitted` more were found but not kept."""

    def __init__(self, errors: Sequence[AxirError], omitted: int = 0):
        if not errors:
            raise ValueError("an AxirErrorGroup needs at least one error")
        first = errors[0]
        super().__init__(first.message, location=first.location, node=first.node)
        self._errors = tuple(errors)
        self.omitted = omitted

    @property
    def errors(self) -> tuple[AxirError, ...]:
        return self._errors

    def render(self) -> str:
        lines = [error.render() for error in self._errors]
        if self.omitted:
            lines.append(f"note: {self.omitted} more errors are not shown")
        lines += [f"note: {note}" for note in self.notes]
        return "\n".join(lines)


def from_parse_error(error: ParseError) -> AxirError:
    """The located form of xDSL's `ParseError`; the source line and a caret follow the message."""
    span = error.span
    # print_with_context prints "file:line:col", then each source line followed by its caret line.
    context = span.print_with_context().rstrip("\n").split("\n")[1:3]
    message = error.msg.strip()
    return AxirError("\n".join([message, *context]), location=str(span.get_location()))


def to_axir_error(error: BaseException) -> AxirError | None:
    """`error` as an `AxirError` when it is one that a user can cause, otherwise None."""
    if isinstance(error, AxirError):
        return error
    if isinstance(error, OSError):
        reason = error.strerror or str(error)
        return AxirError(f"{error.filename}: {reason}" if error.filename else reason)
    from xdsl.utils.exceptions import ArgSpecParseError, DiagnosticException, ParseError

    if isinstance(error, ParseError):
        return from_parse_error(error)
    if isinstance(error, DiagnosticException | ArgSpecParseError):
        # The notes that xDSL attaches are dumps of the whole module: leave them out.
        return AxirError(str(error).strip())
    return None


def run_tool(main: Callable[[], int]) -> int:
    """Run the body of a command line tool and return its exit code.

    0 to whatever `main` returns; 1 after a user error (printed on stderr); 2 after an error inside AXIR; 130 when
    interrupted; 141 when the reader of stdout went away. With AXIR_TRACEBACK=1 the traceback is printed as well.
    `SystemExit` (argparse) passes through.
    """
    try:
        code = main()
        sys.stdout.flush()
        return code
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130
    except BrokenPipeError:
        # Keep the interpreter from reporting the same error when it flushes stdout at exit.
        devnull = os.open(os.devnull, os.O_WRONLY)
        os.dup2(devnull, sys.stdout.fileno())
        return 141
    except (SystemExit, GeneratorExit):
        raise
    except BaseException as error:  # xDSL's ArgSpecParseError is no Exception
        if os.environ.get(TRACEBACK_VARIABLE, "0") not in ("", "0"):
            traceback.print_exc()
        user_error = to_axir_error(error)
        if user_error is not None:
            print(user_error.render(), file=sys.stderr)
            return 1
        print(f"error: internal error: {type(error).__name__}: {_first_line(error)}", file=sys.stderr)
        print(f"note: this is a defect of AXIR; {TRACEBACK_VARIABLE}=1 prints the traceback to report", file=sys.stderr)
        return 2


def _first_line(error: BaseException) -> str:
    return (str(error).strip() or "no message").split("\n", 1)[0]
