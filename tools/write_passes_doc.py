"""Writes the tables of docs/passes.md from the registry, the passes and their patterns; --check only compares.

A table stands between `<!-- table: KIND [NAME ...] -->` and `<!-- end -->`.
"""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path

from xdsl.pattern_rewriter import RewritePattern

from axir.compiler.config import settings_table
from axir.compiler.pipeline import CALIBRATE_PASSES, DEVICE_PASSES, GRAPH_PASSES, QUANTIZE_PASSES, option_settings
from axir.ir.files import write_text
from axir.passes.device_support import documentation
from axir.registry import PASSES
from axir.tools.pass_options import PassOption, describe, options_of

PIPELINE = (*GRAPH_PASSES, *CALIBRATE_PASSES, "calibrate", *QUANTIZE_PASSES, *DEVICE_PASSES)

DOC = Path(__file__).resolve().parent.parent / "docs" / "passes.md"

_TABLE = re.compile(r"(<!-- table: (?P<what>[^>]*?) -->\n).*?(<!-- end -->)", re.DOTALL)


def current(page: str) -> str:
    """The page with its tables as they should be. Raises `KeyError` for a table that is not known."""
    return _TABLE.sub(lambda match: f"{match[1]}{_table(*match['what'].split())}\n{match[3]}", page)


def _table(kind: str, *names: str) -> str:
    makers: dict[str, Callable[..., str]] = {
        "passes": _passes,
        "options": _options,
        "patterns": _patterns,
        "constraints": _constraints,
    }
    return makers[kind](*names)


def _passes() -> str:
    """The passes in the order of the pipeline, then the others."""
    order = [*PIPELINE, *sorted(PASSES.keys() - set(PIPELINE))]
    rows = [f"| {place} | [`{name}`](#{name}) | {PASSES[name].help} |" for place, name in _numbered(order)]
    return "\n".join(["| | pass | what it does |", "|---|---|---|", *rows])


def _numbered(names: list[str]) -> Iterator[tuple[str, str]]:
    for index, name in enumerate(names):
        yield (str(index + 1) if name in PIPELINE else "", name)


def _options(name: str) -> str:
    kind = PASSES[name].load()
    options = options_of(kind)
    if not options:
        return "It has no options."
    settings = option_settings(kind)
    rows = [_option_row(option, settings.get(option.field)) for option in options]
    return "\n".join(["| option | type | default | meaning |", "|---|---|---|---|", *rows])


def _option_row(option: PassOption, setting: str | None) -> str:
    meaning = option.help
    if setting is not None and not meaning:
        meaning = settings_table()[setting].info.meaning
    if setting is not None:
        meaning += f" (setting `{setting}`)"
    type_ = describe(option.type).replace("|", "<br>")
    return f"| `{option.name}` | {type_} | {'required' if option.default is None else option.default} | {meaning} |"


def _patterns(*modules: str) -> str:
    """The rewrite patterns that modules define, each with the first line of its docstring."""
    rows = [f"| `{kind.__name__}` | {_first_line(kind)} |" for module in modules for kind in _patterns_in(module)]
    return "\n".join(["| pattern | what it rewrites |", "|---|---|", *rows])


def _patterns_in(module: str) -> Iterator[type[RewritePattern]]:
    for _, kind in sorted(inspect.getmembers(import_module(module), inspect.isclass), key=_line):
        if issubclass(kind, RewritePattern) and kind.__module__ == module and not inspect.isabstract(kind):
            yield kind


def _line(member: tuple[str, type]) -> int:
    return inspect.getsourcelines(member[1])[1] if member[1].__module__.startswith("axir.") else 0


def _first_line(kind: type) -> str:
    text = inspect.cleandoc(kind.__dict__.get("__doc__") or "").partition("\n")[0]
    # A dataclass without a docstring gets its signature as one.
    return "" if text.startswith(f"{kind.__name__}(") else text.replace("|", "\\|")


def _constraints() -> str:
    """What the device can run, as `axir.passes.device_support` says it."""
    lines: list[str] = []
    for operator, texts in documentation().items():
        head = "every operator" if operator == "*" else f"`{operator}`"
        lines.append(f"| {head} | {' '.join(texts)} |")
    return "\n".join(["| operator | constraints |", "|---|---|", *lines])


def undocumented(page: str) -> list[str]:
    """The registered passes that the page has no section with options for."""
    return [name for name in PASSES if f"\n## {name}\n" not in page or f"<!-- table: options {name} -->" not in page]


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
