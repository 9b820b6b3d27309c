from __future__ import annotations

import contextlib
import dataclasses
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.passes import ModulePass

from axir.ir.diagnostics import AxirError
from axir.registry import PASSES, PassEntry
from axir.tools.pass_options import describe, options_of
from axir.tools.pipeline import build_pipeline, parse_pipeline, render_pass


class Mode(StrEnum):
    ROWS = "rows"
    COLS = "cols"


@dataclass(frozen=True)
class Tile(ModulePass):
    name = "tile"
    size: tuple[int, ...] = (16, 16)
    pair: tuple[int, float] = (1, 2.0)
    factor: float = 0.5
    limit: int | None = None
    strict: bool = False
    order: Literal["oh", "oc"] = "oh"
    mode: Mode = Mode.ROWS
    label: str = dataclasses.field(default="", metadata={"help": "text in the output"})
    names: tuple[str, ...] = ()

    def apply(self, ctx: Context, op: ModuleOp) -> None: ...


@dataclass(frozen=True)
class Needs(ModulePass):
    name = "needs-it"
    l1_bytes: int

    def __post_init__(self) -> None:
        if self.l1_bytes < 0:
            raise ValueError("l1-bytes must not be negative")

    def apply(self, ctx: Context, op: ModuleOp) -> None: ...


AVAILABLE = {**PASSES, "tile": PassEntry(__name__, "Tile", "tile loops"), "needs-it": PassEntry(__name__, "Needs", "")}


def tile(options: str) -> Tile:
    [result] = build_pipeline(f"tile{{{options}}}", AVAILABLE)
    assert isinstance(result, Tile)
    return result


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", Tile()),
        ("  ", Tile()),
        ("size=8,4", Tile(size=(8, 4))),
        ("size=[8, 4]", Tile(size=(8, 4))),
        ("size = 8 , 4  strict", Tile(size=(8, 4), strict=True)),
        ("size=[] strict", Tile(size=(), strict=True)),
        ("size=8,strict=true", Tile(size=(8,), strict=True)),
        ("factor=1, limit=0x10, mode=cols", Tile(factor=1.0, limit=16, mode=Mode.COLS)),
        ("factor=1e-3", Tile(factor=1e-3)),
        ("factor=-.5", Tile(factor=-0.5)),
        ("pair=3,4", Tile(pair=(3, 4.0))),
        ("limit=none order=oc", Tile(order="oc")),
        ("limit=7", Tile(limit=7)),
        ("strict=false", Tile()),
        ("strict=TRUE", Tile(strict=True)),
        ('label="a, b} = \\"c\\""', Tile(label='a, b} = "c"')),
        ("label='x y'", Tile(label="x y")),
        ("names=a,'b c',d-e", Tile(names=("a", "b c", "d-e"))),
        ("label=12", Tile(label="12")),
        ("\n  size=1,\n  2\n", Tile(size=(1, 2))),
    ],
)
def test_options(text: str, expected: Tile) -> None:
    assert tile(text) == expected


def test_hyphens_and_underscores_are_the_same() -> None:
    for text in ("needs-it{l1-bytes=3}", "needs-it{l1_bytes=3}"):
        assert build_pipeline(text, AVAILABLE) == (Needs(3),)


def test_sequences() -> None:
    names = [spec.name for spec in parse_pipeline(" builtin.module( cse , tile{size=1,2} ) , dce")]
    assert names == ["cse", "tile", "dce"]
    assert parse_pipeline("") == parse_pipeline("  ") == []


@pytest.mark.parametrize(
    ("text", "column", "message"),
    [
        ("tile{", 6, "expected an option or '}'"),
        ("tile{size}", 6, "option 'size' needs a value: size=<int,...>"),
        ("tile{size=}", 11, "expected a value"),
        ("tile{size=a}", 6, "option 'size' takes int,..."),
        ("tile{size=[1}", 13, "expected ',' or ']'"),
        ("tile{limit=x}", 6, "option 'limit' takes int or none"),
        ("tile{pair=1}", 6, "option 'pair' takes int,float"),
        ("tile{strict=1}", 6, "option 'strict' takes bool"),
        ("tile{mode=diag}", 6, "option 'mode' takes rows|cols"),
        ("tile{order=x}", 6, "option 'order' takes oh|oc"),
        ("tile{factor=1 factor=2}", 15, "option 'factor' is given twice"),
        ("tile{sizes=1}", 6, "pass 'tile' has no option 'sizes'"),
        ("tile}", 5, "expected ',' or the end of the pipeline"),
        ("cse,,dce", 5, "expected the name of a pass"),
        ("cse,tiel", 5, "unknown pass 'tiel'"),
        ("needs-it", 1, "pass 'needs-it' needs the option 'l1-bytes'"),
        ("needs-it{l1-bytes=-1}", 1, "pass 'needs-it': l1-bytes must not be negative"),
        ("builtin.module(cse", 19, "expected ',' or ')'"),
    ],
)
def test_errors_point_into_the_pipeline(text: str, column: int, message: str) -> None:
    with pytest.raises(AxirError) as raised:
        build_pipeline(text, AVAILABLE)
    first, line, caret = raised.value.message.split("\n")
    assert first == message
    assert line == text
    assert raised.value.location == f"pass-pipeline:1:{column}"
    assert caret.index("^") == column - 1


def test_error_on_a_later_line() -> None:
    with pytest.raises(AxirError) as raised:
        build_pipeline("cse,\n  tiel", AVAILABLE)
    assert raised.value.location == "pass-pipeline:2:3"
    assert raised.value.message.split("\n")[1:] == ["  tiel", "  ^^^^"]
    assert raised.value.notes == ("did you mean 'tile'?",)


def test_notes_name_the_options() -> None:
    with pytest.raises(AxirError) as raised:
        build_pipeline("tile{sizes=1}", AVAILABLE)
    assert "size=<int,...>" in raised.value.notes[0]


def test_options_for_lists() -> None:
    shown = {option.name: (describe(option.type), option.default, option.help) for option in options_of(Tile)}
    assert shown["size"] == ("int,...", "[16,16]", "")
    assert shown["label"] == ("str", '""', "text in the output")
    assert shown["mode"] == ("rows|cols", "rows", "")
    assert options_of(Needs)[0].default is None
    assert options_of(Needs)[0].name == "l1-bytes"


@given(
    st.builds(
        Tile,
        size=st.lists(st.integers()).map(tuple),
        factor=st.floats(allow_nan=False),
        limit=st.none() | st.integers(),
        strict=st.booleans(),
        mode=st.sampled_from(Mode),
        label=st.text(),
        names=st.lists(st.text()).map(tuple),
    )
)
def test_rendered_passes_read_back(pass_: Tile) -> None:
    assert build_pipeline(render_pass(pass_), AVAILABLE) == (pass_,)


@given(st.text(alphabet="ab,{}[]=\"' \\-\n", max_size=20))
def test_malformed_text_gives_only_axir_errors(text: str) -> None:
    with contextlib.suppress(AxirError):
        parse_pipeline(text)
