"""A document as a tree of values, each with its place in the file; and the text that such a tree is read from."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import cast

from axir.ir.diagnostics import AxirError

MAX_BYTES = 1 << 16
"""The largest document that is read: many times the largest model card, and small enough to fail fast."""

MAX_DEPTH = 32
"""The deepest nesting of lists and mappings."""

_TOO_LARGE = "this is no file of settings; they are a few kilobytes"


@dataclass(frozen=True)
class Place:
    """A character of a file; `line` and `column` count from 1, columns in characters."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


@dataclass(frozen=True)
class Node:
    """A value: of a scalar, what Python has for it; of a list, a tuple of nodes; of a mapping, entries by key."""

    place: Place
    value: object

    def mapping(self, what: str) -> Mapping[str, Entry]:
        """The entries. Raises `AxirError` where the value is no mapping; `what` names it."""
        if isinstance(self.value, Entries):
            return self.value.by_key
        raise AxirError(f"{what} is {self.describe()}; it must be a mapping", location=str(self.place))

    def text(self, what: str) -> str:
        """The value as a string that is not empty. Raises `AxirError`; `what` names it."""
        if isinstance(self.value, str) and self.value:
            return self.value
        raise AxirError(f"{what} is {self.describe()}; it must be a string", location=str(self.place))

    def plain(self) -> object:
        """The value without places: scalars, lists and dicts."""
        match self.value:
            case Entries(by_key):
                return {key: entry.node.plain() for key, entry in by_key.items()}
            case tuple():
                return [item.plain() for item in self.items]
            case value:
                return value

    @property
    def items(self) -> tuple[Node, ...]:
        """The elements of a list; () for anything else."""
        return cast(tuple[Node, ...], self.value) if isinstance(self.value, tuple) else ()

    def describe(self) -> str:
        """The value in a message."""
        match self.value:
            case Entries():
                return "a mapping"
            case tuple():
                return "a list"
            case None:
                return "empty"
            case value:
                return repr(value)


@dataclass(frozen=True)
class Entry:
    """A key of a mapping, where it stands, and its value."""

    key: str
    place: Place
    node: Node


@dataclass(frozen=True)
class Entries:
    """The content of a mapping, in the order of the file."""

    by_key: Mapping[str, Entry]


class Builder:
    """Collects the entries of one mapping."""

    def __init__(self) -> None:
        self.entries: dict[str, Entry] = {}

    def add(self, key: str, place: Place, node: Node) -> None:
        """Raises `AxirError` for a key that is there already."""
        if key in self.entries:
            raise AxirError(
                f"the key '{key}' is given twice",
                location=str(place),
                notes=(f"first at {self.entries[key].place}",),
            )
        self.entries[key] = Entry(key, place, node)


@dataclass(frozen=True)
class SourceText:
    """The text of a file, with lines and columns for its offsets."""

    file: str
    text: str

    @classmethod
    def read(cls, path: str | Path, form: str) -> SourceText:
        """The text of a file; `form` is what it should be, say YAML.

        Raises `OSError`, and `AxirError` for a file that is too large or not UTF-8.
        """
        with open(path, "rb") as file:
            data = file.read(MAX_BYTES + 1)
        if len(data) > MAX_BYTES:
            start = Place(str(path), 1, 1)
            raise AxirError(f"the file has more than {MAX_BYTES >> 10} KiB", location=str(start), notes=(_TOO_LARGE,))
        try:
            return cls(str(path), data.decode("utf-8-sig").replace("\r\n", "\n"))
        except UnicodeDecodeError as error:
            before = data[: error.start].decode("utf-8-sig")
            place = cls(str(path), before).place(len(before))
            problem = f"not valid {form}: byte 0x{data[error.start]:02x} is not UTF-8"
            raise AxirError(problem, location=str(place)) from None

    @cached_property
    def _starts(self) -> list[int]:
        return [0, *(index + 1 for index, character in enumerate(self.text) if character == "\n")]

    def place(self, offset: int) -> Place:
        """Where the character at `offset` stands."""
        line = bisect_right(self._starts, offset)
        return Place(self.file, line, offset - self._starts[line - 1] + 1)

    def check_brackets(self, token: re.Pattern[str]) -> None:
        """Raises `AxirError` for brackets nested too deeply, before a parser recurses.

        `token` matches brackets, and what brackets in it are no such: strings and comments.
        """
        depth = 0
        for found in token.finditer(self.text):
            depth += (found[0] in "[{") - (found[0] in "]}")
            if depth > MAX_DEPTH:
                raise self.too_deep(found.start())

    def too_deep(self, offset: int) -> AxirError:
        """The error for nesting beyond `MAX_DEPTH`."""
        return AxirError(f"nested deeper than {MAX_DEPTH} levels", location=str(self.place(offset)))
