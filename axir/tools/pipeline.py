"""The textual form of pass pipelines: `canonicalize,ax-tile{tile=8,8 strict mode=oh},cse`.

    pipeline ::= pass (`,` pass)* | `builtin.module` `(` pipeline `)`
    pass     ::= name (`{` option* `}`)?
    option   ::= name (`=` value)? `,`?
    value    ::= word (`,` word)* | `[` (word (`,` word)*)? `]`
    word     ::= bare characters | quoted string, with backslash escapes

Blanks may stand anywhere between these; `-` and `_` are the same in option names; an option without a value is a flag.
xDSL's own parser takes no blanks, no bare flags and no integers for floats.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import NoReturn

from xdsl.passes import ModulePass
from xdsl.utils.exceptions import DiagnosticException

from axir.ir.diagnostics import AxirError
from axir.registry import PassEntry
from axir.tools.pass_options import PassOption, convert, describe, options_of, render

_NAME = re.compile(r"[A-Za-z0-9_.][A-Za-z0-9_.-]*")
_WORD = re.compile(r"[^\s,{}\[\]()=\"']+")
_STRING = re.compile(r"\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'", re.DOTALL)
_BLANKS = re.compile(r"\s*")
_NEXT_OPTION = re.compile(r"\s*[A-Za-z0-9_-]+\s*=")

Span = tuple[int, int]


@dataclass(frozen=True)
class OptionSpec:
    """An option as written; `words` is None for a bare flag."""

    name: str
    words: tuple[str, ...] | None
    span: Span


@dataclass(frozen=True)
class PassSpec:
    """A pass as written."""

    name: str
    options: tuple[OptionSpec, ...]
    span: Span


class _Reader:
    def __init__(self, text: str):
        self.text = text
        self.position = 0

    def fail(self, message: str, span: Span | None = None, notes: Iterable[str] = ()) -> NoReturn:
        """Raise an error that shows the pipeline with a caret under `span`, by default under what comes next."""
        start, end = span or (self.position, self.position + 1)
        line_start = self.text.rfind("\n", 0, start) + 1
        line = self.text[line_start:].split("\n", 1)[0]
        column = start - line_start
        caret = " " * column + "^" * max(1, min(end - start, len(line) - column))
        location = f"pass-pipeline:{self.text.count(chr(10), 0, start) + 1}:{column + 1}"
        raise AxirError(f"{message}\n{line}\n{caret}", location=location, notes=notes)

    def blanks(self) -> None:
        match = _BLANKS.match(self.text, self.position)
        self.position = match.end() if match else self.position

    def at_end(self) -> bool:
        self.blanks()
        return self.position == len(self.text)

    def take(self, punctuation: str) -> bool:
        self.blanks()
        if not self.text.startswith(punctuation, self.position):
            return False
        self.position += len(punctuation)
        return True

    def match(self, pattern: re.Pattern[str], expected: str) -> str:
        self.blanks()
        match = pattern.match(self.text, self.position)
        if match is None:
            self.fail(f"expected {expected}")
        self.position = match.end()
        return match.group()

    def pipeline(self, end: str = "") -> list[PassSpec]:
        passes: list[PassSpec] = []
        while True:
            passes += self.pass_()
            if not self.take(","):
                break
        if end and not self.take(end):
            self.fail(f"expected ',' or '{end}'")
        return passes

    def pass_(self) -> list[PassSpec]:
        self.blanks()
        start = self.position
        name = self.match(_NAME, "the name of a pass")
        span = (start, self.position)
        if name == "builtin.module" and self.take("("):
            return self.pipeline(end=")")
        options: list[OptionSpec] = []
        if self.take("{"):
            while not self.take("}"):
                if self.at_end():
                    self.fail("expected an option or '}'")
                options.append(self.option())
                self.take(",")
        return [PassSpec(name, tuple(options), span)]

    def option(self) -> OptionSpec:
        self.blanks()
        start = self.position
        name = self.match(_NAME, "the name of an option")
        words = self.value() if self.take("=") else None
        return OptionSpec(name.replace("-", "_"), words, (start, self.position))

    def value(self) -> tuple[str, ...]:
        words: list[str] = []
        if self.take("["):
            while not self.take("]"):
                words.append(self.word())
                if not self.take(",") and not self.text.startswith("]", self.position):
                    self.fail("expected ',' or ']'")
            return tuple(words)
        words.append(self.word())
        # In `{a=1, b=2}` the comma separates options, in `{a=1,2}` the elements of a list.
        while not _NEXT_OPTION.match(self.text, self._after_comma()) and self.take(","):
            words.append(self.word())
        return tuple(words)

    def _after_comma(self) -> int:
        self.blanks()
        return self.position + 1 if self.text.startswith(",", self.position) else len(self.text)

    def word(self) -> str:
        self.blanks()
        string = _STRING.match(self.text, self.position)
        if string is None:
            return self.match(_WORD, "a value")
        self.position = string.end()
        return re.sub(r"\\(.)", r"\1", string.group()[1:-1], flags=re.DOTALL)


def parse_pipeline(text: str) -> list[PassSpec]:
    """The passes that `text` names, unchecked. Raises `AxirError` with a caret on malformed text."""
    return _parse(_Reader(text))


def _parse(reader: _Reader) -> list[PassSpec]:
    if reader.at_end():
        return []
    passes = reader.pipeline()
    if not reader.at_end():
        reader.fail("expected ',' or the end of the pipeline")
    return passes


def build_pipeline(text: str, available: Mapping[str, PassEntry]) -> tuple[ModulePass, ...]:
    """The passes that `text` names, with their options set.

    Raises `AxirError` with a caret for malformed text, unknown passes and options, and values of the wrong type.
    """
    reader = _Reader(text)
    return tuple(_build(reader, spec, available) for spec in _parse(reader))


def _build(reader: _Reader, spec: PassSpec, available: Mapping[str, PassEntry]) -> ModulePass:
    if spec.name not in available:
        reader.fail(
            f"unknown pass '{spec.name}'", spec.span, _suggest(spec.name, available, "ax-opt --list-passes shows all")
        )
    pass_type = available[spec.name].load()
    options = {option.field: option for option in options_of(pass_type)}
    values: dict[str, object] = {}
    for written in spec.options:
        option = options.get(written.name)
        if option is None:
            reader.fail(
                f"pass '{spec.name}' has no option '{written.name.replace('_', '-')}'",
                written.span,
                [_synopsis(options)],
            )
        if option.field in values:
            reader.fail(f"option '{option.name}' is given twice", written.span)
        values[option.field] = _value(option, written, reader.fail)
    for option in options.values():
        if option.default is None and option.field not in values:
            reader.fail(f"pass '{spec.name}' needs the option '{option.name}'", spec.span, [_synopsis(options)])
    try:
        return pass_type(**values)
    except (ValueError, DiagnosticException) as error:
        reader.fail(f"pass '{spec.name}': {error}", spec.span)


def _value(option: PassOption, written: OptionSpec, fail: Callable[[str, Span], NoReturn]) -> object:
    expected = describe(option.type)
    if written.words is None and option.type is not bool:
        fail(f"option '{option.name}' needs a value: {option.name}=<{expected}>", written.span)
    try:
        return convert(("true",) if written.words is None else written.words, option.type)
    except ValueError:
        fail(f"option '{option.name}' takes {expected}", written.span)


def _synopsis(options: Mapping[str, PassOption]) -> str:
    if not options:
        return "it has no options"
    return "its options: " + ", ".join(f"{option.name}=<{describe(option.type)}>" for option in options.values())


def _suggest(name: str, known: Iterable[str], otherwise: str) -> list[str]:
    near = get_close_matches(name, list(known), n=3)
    return ["did you mean " + " or ".join(f"'{other}'" for other in near) + "?"] if near else [otherwise]


def render_pass(pass_: ModulePass) -> str:
    """The pass with those of its options that differ from the default, in the syntax read here."""
    written = [
        f"{option.name}={render(getattr(pass_, option.field))}"
        for option in options_of(type(pass_))
        if render(getattr(pass_, option.field)) != option.default
    ]
    return pass_.name + ("{" + " ".join(written) + "}" if written else "")
