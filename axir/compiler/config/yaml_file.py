"""Reads YAML: the subset without anchors, aliases and tags, as a tree that knows its places.

The tree is built from PyYAML's events, not from its node graph: composing recurses, and follows aliases.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any, cast

import yaml

from axir.compiler.config.node import MAX_DEPTH, Builder, Entries, Node, Place, SourceText
from axir.ir.diagnostics import AxirError

_TAG = "tag:yaml.org,2002:"


class _Scalars(yaml.SafeLoader):
    """Says what plain scalars are: YAML 1.1 as PyYAML has it, and floats such as 1e-3, which it takes for strings."""


_Scalars.add_implicit_resolver(
    _TAG + "float", re.compile(r"[-+]?\d[\d_]*(?:\.[\d_]*)?[eE][-+]?\d+$"), list("-+0123456789")
)


def read_yaml(path: str | Path) -> Node:
    """The only document in a file.

    Raises `OSError`, and `AxirError` with file, line and column: for what is not YAML, for duplicate keys, anchors,
    aliases, tags, merge keys, keys that are no scalars, deep nesting, and where there is no document or more than one.
    """
    return _Reader(SourceText.read(path, "YAML")).document()


class _Reader:
    def __init__(self, source: SourceText):
        self.source = source
        self.scalars = _Scalars("")
        self.events = self._parse()

    def document(self) -> Node:
        root: Node | None = None
        for event in self.events:
            if isinstance(event, yaml.DocumentStartEvent):
                if root is not None:
                    raise self._error(event, "a second document starts; expected one")
                root = self._node(next(self.events), 0)
        if root is None or root.value is None:
            place = root.place if root is not None else self.source.place(0)
            raise AxirError("the document is empty", location=str(place))
        return root

    def _parse(self) -> Iterator[yaml.Event]:
        try:
            yield from cast(Generator[yaml.Event, None, None], yaml.parse(self.source.text, Loader=yaml.SafeLoader))
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            tab = "'\\t'" in (error.problem or "")
            raise AxirError(
                f"not valid YAML: {error.problem or error.context}",
                location=str(Place(self.source.file, mark.line + 1, mark.column + 1) if mark else self.source.file),
                notes=("YAML indents with spaces, never with tabs",) if tab else (),
            ) from None
        except yaml.reader.ReaderError as error:
            place = self.source.place(cast(int, error.position))
            raise AxirError(
                f"not valid YAML: the character U+{cast(int, error.character):04X} is not allowed", location=str(place)
            ) from None

    def _node(self, event: yaml.Event, depth: int) -> Node:
        """The tree that `event` begins; takes its events. Recursion ends at `MAX_DEPTH`."""
        place = _place(self.source.file, event)
        if isinstance(event, yaml.AliasEvent):
            raise self._error(event, f"the alias '*{event.anchor}': aliases and anchors are not supported")
        if getattr(event, "anchor", None) is not None:
            raise self._error(event, f"the anchor '&{cast(Any, event).anchor}': aliases and anchors are not supported")
        if getattr(event, "tag", None) is not None:
            raise self._error(event, f"the tag '{cast(Any, event).tag}': tags are not supported")
        if depth > MAX_DEPTH:
            raise self._error(event, f"nested deeper than {MAX_DEPTH} levels")
        if isinstance(event, yaml.ScalarEvent):
            return Node(place, self._scalar(event))
        if isinstance(event, yaml.SequenceStartEvent):
            items: list[Node] = []
            while not isinstance(inner := next(self.events), yaml.SequenceEndEvent):
                items.append(self._node(inner, depth + 1))
            return Node(place, tuple(items))
        builder = Builder()
        while not isinstance(inner := next(self.events), yaml.MappingEndEvent):
            key = self._node(inner, depth + 1)
            if not isinstance(inner, yaml.ScalarEvent):
                raise self._error(inner, "a list or a mapping as a key is not supported")
            if inner.value == "<<" and inner.style is None:
                raise self._error(inner, "the merge key '<<' is not supported")
            builder.add(inner.value, key.place, self._node(next(self.events), depth + 1))
        return Node(place, Entries(builder.entries))

    def _scalar(self, event: yaml.ScalarEvent) -> object:
        text = cast(str, event.value)
        tag = cast(str, self.scalars.resolve(yaml.ScalarNode, text, event.implicit)).removeprefix(_TAG)
        if tag not in ("null", "bool", "int", "float"):
            return text  # dates, too: no setting is one
        try:
            return cast(object, self.scalars.construct_object(yaml.ScalarNode(_TAG + tag, text), deep=True))
        except ValueError:
            raise self._error(event, f"'{text[:40]}' is not a number") from None

    def _error(self, event: yaml.Event, message: str) -> AxirError:
        return AxirError(message, location=str(_place(self.source.file, event)))


def _place(file: str, event: yaml.Event) -> Place:
    mark = event.start_mark
    return Place(file, mark.line + 1, mark.column + 1)
