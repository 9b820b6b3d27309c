"""Writes the tables of docs/operators.md from the front end's and the device's registrations; --check only compares.

A table stands between `<!-- table: KIND -->` and `<!-- end -->`.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Sequence
from functools import cache
from importlib import import_module
from pathlib import Path

from onnx import defs

from axir.dialects import ax
from axir.frontends.onnx.importer import CONVERTERS
from axir.frontends.onnx.load import MAX_OPSET, MIN_OPSET
from axir.ir.files import write_text
from axir.passes.device_support import CONSTRAINTS, UNAVAILABLE, documentation
from axir.passes.device_units import units

CHECKOUT = Path(__file__).resolve().parent.parent
DOC = CHECKOUT / "docs" / "operators.md"

_TABLE = re.compile(r"(<!-- table: (?P<what>[^>]*?) -->\n).*?(<!-- end -->)", re.DOTALL)


def current(page: str) -> str:
    """The page with its tables as they should be. Raises `KeyError` for a table that is not known."""
    makers: dict[str, Callable[[], str]] = {"onnx": _onnx, "device": _device, "host": _host}
    return _TABLE.sub(lambda match: f"{match[1]}{makers[match['what']]()}\n{match[3]}", page)


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", r"\|") for cell in line) + " |" for line in lines)


def _onnx() -> str:
    """Every operator of ONNX that becomes operations of `ax`."""
    rows: list[list[str]] = []
    for name in sorted(CONVERTERS):
        converter = CONVERTERS[name]
        made = ", ".join(f"`{kind.name}`" for kind in converter.makes) or "nothing: it does nothing at inference"
        models, opsets = _tested(name)
        tests = f"{models} models, operator sets {', '.join(map(str, opsets))}" if models else "node tests of ONNX"
        rows.append([name, ", ".join(map(str, versions(name))), made, converter.host or "", tests])
    return _table(
        ["operator", "versions", "becomes", "forms that stay ONNX, for the host", "`test/onnx_forms.py`"], rows
    )


def versions(name: str) -> list[int]:
    """The operator sets, of those that are supported, in which an operator came or changed."""
    history = [s for s in defs.get_all_schemas_with_history() if s.name == name and not s.domain]
    since = sorted(schema.since_version for schema in history if not schema.deprecated)
    first = max((version for version in since if version <= MIN_OPSET), default=None)
    return [version for version in since if version <= MAX_OPSET and (version > MIN_OPSET or version == first)]


@cache
def _forms() -> list[tuple[str, Sequence[int]]]:
    """Operator and operator sets of every form that the tests compare with ONNX Runtime."""
    sys.path.insert(0, str(CHECKOUT / "test"))
    try:
        forms = import_module("onnx_forms").FORMS
    finally:
        sys.path.pop(0)
    return [(form.kind, form.opsets) for form in forms.values()]


def _tested(name: str) -> tuple[int, list[int]]:
    """Models of an operator in the tests, and their operator sets."""
    opsets = [list(given) for kind, given in _forms() if kind == name]
    return sum(map(len, opsets)), sorted({opset for given in opsets for opset in given})


def _device() -> str:
    """Every operation of `ax` that the device runs."""
    texts = documentation()
    rows = [["every operation", "", " ".join(texts["*"])]]
    rows += [[f"`{kind.name}`", units(kind), " ".join(texts[kind.name])] for kind in CONSTRAINTS]
    return _table(["operation", "unit", "limits"], rows)


def _host() -> str:
    """Every operation of `ax` that the device runs only in forms that become others."""
    order = [kind for kind in ax.Ax.operations if kind in UNAVAILABLE]
    return _table(["operation", "what becomes of it"], [[f"`{kind.name}`", UNAVAILABLE[kind]] for kind in order])


def main() -> int:
    page = DOC.read_text("utf-8")
    if "--check" in sys.argv[1:]:
        if current(page) != page:
            print(f"error: the tables of {DOC.name} are not current\nnote: run {Path(__file__).name}", file=sys.stderr)
            return 1
        return 0
    write_text(DOC, current(page))
    return 0


if __name__ == "__main__":
    sys.exit(main())
