"""Reads JSON as a tree that knows its places."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

from axir.compiler.config.node import Builder, Entries, Node, SourceText
from axir.ir.diagnostics import AxirError

_TOKEN = re.compile(r'[{}\[\],:]|"(?:[^"\\]|\\.)*"|[^\s{}\[\],:"]+')


def read_json(path: str | Path) -> Node:
    """The value in a file.

    Raises `OSError`, and `AxirError` with file, line and column for what is not JSON, duplicate keys and deep nesting.
    """
    source = SourceText.read(path, "JSON")
    source.check_brackets(_TOKEN)
    try:
        json.loads(source.text)
    except json.JSONDecodeError as error:
        place = source.place(error.pos)
        raise AxirError(f"not valid JSON: {error.msg}", location=str(place)) from None
    except ValueError as error:  # a whole number with thousands of digits
        raise AxirError(f"not valid JSON: {error}", location=str(path)) from None
    tokens = _TOKEN.finditer(source.text)
    return _node(source, next(tokens), tokens)


def _node(source: SourceText, token: re.Match[str], tokens: Iterator[re.Match[str]]) -> Node:
    """The value that begins with `token`; the text is known to be valid."""
    place = source.place(token.start())
    if token[0] == "[":
        items: list[Node] = []
        while (token := next(tokens))[0] != "]":
            if token[0] != ",":
                items.append(_node(source, token, tokens))
        return Node(place, tuple(items))
    if token[0] == "{":
        builder = Builder()
        while (token := next(tokens))[0] != "}":
            if token[0] != ",":
                next(tokens)  # the colon
                value = _node(source, next(tokens), tokens)
                builder.add(json.loads(token[0]), source.place(token.start()), value)
        return Node(place, Entries(builder.entries))
    return Node(place, json.loads(token[0]))
