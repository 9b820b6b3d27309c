"""`--verify-diagnostics`: errors that a test expects, written as comments in the input, as in MLIR.

// expected-error {{substring}}            on this line
// expected-error@+1 {{substring}}         one line below; also @-2, @below, @above
// expected-error@unknown {{substring}}    without a location, or with one in another file
// expected-error-re@below {{a {{.*}} b}}  text with regular expressions between double braces
// expected-note@below {{substring}}       a note of an error on that line; notes may be left unmentioned
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from axir.ir.diagnostics import AxirError

_ANNOTATION = re.compile(
    r"//\s*expected-(?P<kind>error|note)(?P<regex>-re)?\s*(?:@(?P<where>[+-]\d+|above|below|unknown))?\s*"
    r"\{\{(?P<text>(?:[^{}]|\{(?!\{)|\}(?!\})|\{\{.*?\}\})*)\}\}"
)
_MENTION = re.compile(r"//\s*expected-(error|note)\b")


@dataclass(frozen=True)
class Expectation:
    """An annotation: what (`error` or `note`) is expected on which line of the input (None: anywhere else)."""

    kind: str
    line: int | None
    written_at: int
    pattern: re.Pattern[str]
    text: str


def find_expectations(text: str, file: str) -> list[Expectation]:
    """The annotations in `text`. Raises `AxirError` for one that cannot be read."""
    found: list[Expectation] = []
    for number, line in enumerate(text.split("\n"), start=1):
        matches = list(_ANNOTATION.finditer(line))
        if len(matches) != len(_MENTION.findall(line)):
            raise AxirError(
                "malformed expected-error or expected-note",
                location=f"{file}:{number}:1",
                notes=("write // expected-error@below {{substring}}",),
            )
        for match in matches:
            found.append(
                Expectation(
                    match["kind"],
                    _line(match["where"], number),
                    number,
                    _pattern(match["text"], match["regex"] is not None),
                    match["text"],
                )
            )
    return found


def _line(where: str | None, number: int) -> int | None:
    match where:
        case None:
            return number
        case "unknown":
            return None
        case "below":
            return number + 1
        case "above":
            return number - 1
        case offset:
            return number + int(offset)


def _pattern(text: str, regex: bool) -> re.Pattern[str]:
    if not regex:
        return re.compile(re.escape(text))
    parts = re.split(r"\{\{(.*?)\}\}", text)
    return re.compile("".join(part if index % 2 else re.escape(part) for index, part in enumerate(parts)), re.DOTALL)


def compare(expectations: Iterable[Expectation], errors: Iterable[AxirError], file: str) -> list[AxirError]:
    """What does not agree: errors nobody expected, and expectations nothing met. Each error meets one expectation."""
    open_errors = [expectation for expectation in expectations if expectation.kind == "error"]
    open_notes = [expectation for expectation in expectations if expectation.kind == "note"]
    problems: list[AxirError] = []
    for error in errors:
        line = _line_in(error.location, file)
        met = _first(open_errors, line, error.message)
        if met is None:
            problems.append(AxirError(f"unexpected error: {error.message}", location=error.location, node=error.node))
        else:
            open_errors.remove(met)
        for note in error.notes:
            met = _first(open_notes, line, note)
            if met is not None:
                open_notes.remove(met)
    for missing in (*open_errors, *open_notes):
        location = f"{file}:{missing.written_at}:1"
        problems.append(AxirError(f'expected {missing.kind} "{missing.text}" was not produced', location=location))
    return problems


def _first(expectations: list[Expectation], line: int | None, message: str) -> Expectation | None:
    return next((e for e in expectations if e.line == line and e.pattern.search(message)), None)


def _line_in(location: str | None, file: str) -> int | None:
    """The line of `file:line:col`, or None when it is in another file."""
    if location is None:
        return None
    name, line, _ = location.rsplit(":", 2)
    return int(line) if name == file else None
