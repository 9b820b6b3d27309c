"""IR to text."""

from __future__ import annotations

from io import StringIO

from xdsl.ir import Operation
from xdsl.printer import Printer


def print_module(module: Operation, debuginfo: bool = True, generic: bool = False) -> str:
    """The text of `module`, ending in a newline.

    `debuginfo` adds `loc(...)` to every operation, so that locations survive a round trip through a file; `generic`
    prints every operation in MLIR's generic form.
    """
    stream = StringIO()
    Printer(stream=stream, print_debuginfo=debuginfo, print_generic_format=generic).print_op(module)
    stream.write("\n")
    return stream.getvalue()
