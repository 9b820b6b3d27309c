"""Reads TOML as a tree that knows its places.

tomli reads the values, but tells positions only of errors. A scan of the text, known to be valid by then, finds where
keys and values stand.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import cast

import tomli

from axir.compiler.config.node import MAX_DEPTH, Entries, Entry, Node, Place, SourceText
from axir.ir.diagnostics import AxirError

_BLANK = re.compile(r"[ \t]*")
_SPACE = re.compile(r"(?:[ \t\n]|#[^\n]*)*")
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_LINE = re.compile(r"[^\n]*")
_SCALAR = re.compile(r"[^\n,\]}#]*")
_STRING = re.compile(
    r'"""(?:[^"\\]|\\.|"{1,2}(?!"))*"{3,5}'
    r"|'''(?:[^']|'{1,2}(?!'))*'{3,5}"
    r'|"(?:[^"\\\n]|\\.)*"'
    r"|'[^'\n]*'",
    re.DOTALL,
)

_TOKEN = re.compile(rf"{_STRING.pattern}|#[^\n]*|[\[\]{{}}]", re.DOTALL)

_Steps = tuple[str | int, ...]
"""Keys and list indices that lead to a value."""


def read_toml(path: str | Path) -> Node:
    """The document in a file.

    Raises `OSError`, and `AxirError` with file, line and column for what is not TOML and for deep nesting.
    """
    source = SourceText.read(path, "TOML")
    source.check_brackets(_TOKEN)
    try:
        document = tomli.loads(source.text)
    except tomli.TOMLDecodeError as error:
        where = "" if error.pos < len(error.doc) else ", at the end of the file"
        place = Place(source.file, error.lineno, error.colno)
        raise AxirError(f"not valid TOML: {error.msg}{where}", location=str(place)) from None
    except (RecursionError, ValueError) as error:  # a dotted key of thousands of parts; a number of thousands of digits
        raise AxirError(f"not valid TOML: {error}", location=source.file) from None
    scan = _Scan(source)
    scan.document()
    return scan.tree(document, (), 0)


class _Scan:
    """Notes where every key and value stands.

    Elements of an array of tables have the place of its first header: no settings file may have one.
    """

    def __init__(self, source: SourceText):
        self.source = source
        self.text = source.text
        self.keys: dict[_Steps, int] = {}
        self.values: dict[_Steps, int] = {}

    def document(self) -> None:
        table: _Steps = ()
        position = self._skip(_SPACE, 0)
        while position < len(self.text):
            if self.text[position] == "[":
                position += 2 if self.text.startswith("[[", position) else 1
                table, position = self._key(position, ())
                position = self._skip(_LINE, position)
            else:
                position = self._pair(position, table)
            position = self._skip(_SPACE, position)

    def tree(self, value: object, steps: _Steps, default: int) -> Node:
        """The tree of a value that tomli read."""
        position = self.values.get(steps, self.keys.get(steps, default))
        place = self.source.place(position)
        if isinstance(value, dict):
            entries: dict[str, Entry] = {}
            for key, inner in cast(Mapping[str, object], value).items():
                at = self.keys.get((*steps, key), position)
                entries[key] = Entry(key, self.source.place(at), self.tree(inner, (*steps, key), at))
            return Node(place, Entries(entries))
        if isinstance(value, list):
            items = cast(list[object], value)
            return Node(place, tuple(self.tree(item, (*steps, index), position) for index, item in enumerate(items)))
        return Node(place, value)

    def _skip(self, pattern: re.Pattern[str], position: int) -> int:
        match = pattern.match(self.text, position)
        return match.end() if match else position

    def _key(self, position: int, table: _Steps) -> tuple[_Steps, int]:
        """Where a key, perhaps a dotted one, leads to; and the position behind it and the blanks that follow."""
        steps = table
        while True:
            position = self._skip(_BLANK, position)
            match = _BARE_KEY.match(self.text, position) or _STRING.match(self.text, position)
            assert match is not None
            (word,) = tomli.loads(f"{match[0]} = 0")
            steps = (*steps, word)
            if len(steps) > MAX_DEPTH:
                raise self.source.too_deep(position)
            self.keys.setdefault(steps, position)
            position = self._skip(_BLANK, match.end())
            if not self.text.startswith(".", position):
                return steps, position
            position += 1

    def _pair(self, position: int, table: _Steps) -> int:
        """Take `key = value`; the position behind it."""
        steps, position = self._key(position, table)
        return self._value(self._skip(_BLANK, position + 1), steps)

    def _value(self, position: int, steps: _Steps) -> int:
        self.values.setdefault(steps, position)
        match self.text[position]:
            case "[":
                return self._elements(position, "]", lambda at, index: self._value(at, (*steps, index)))
            case "{":
                return self._elements(position, "}", lambda at, _: self._pair(at, steps))
            case '"' | "'":
                return self._skip(_STRING, position)
            case _:
                return self._skip(_SCALAR, position)

    def _elements(self, position: int, end: str, take: Callable[[int, int], int]) -> int:
        """Take what stands between brackets, separated by commas; the position behind them."""
        index = 0
        position = self._skip(_SPACE, position + 1)
        while self.text[position] != end:
            position = self._skip(_SPACE, take(position, index))
            if self.text[position] == ",":
                position = self._skip(_SPACE, position + 1)
            index += 1
        return position + 1
