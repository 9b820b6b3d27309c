from __future__ import annotations

import pytest

from axir.ir.diagnostics import AxirError
from axir.tools.expected import compare, find_expectations


def disagreements(text: str, *errors: AxirError) -> list[str]:
    return [problem.render() for problem in compare(find_expectations(text, "f.mlir"), errors, "f.mlir")]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("// expected-error {{bad}}", 1),
        ("\nop // expected-error{{bad}}", 2),
        ("// expected-error@+2 {{bad}}", 3),
        ("\n\n\n// expected-error @-2 {{bad}}", 2),
        ("// expected-error@below {{bad}}", 2),
        ("\n// expected-error@above {{bad}}", 1),
        ("// expected-error-re {{b{{[aeiou]}}d}}", 1),
        ("// expected-error {{a {b} bad}}", 1),
    ],
)
def test_places(text: str, line: int) -> None:
    message = "it is a {b} bad thing"
    assert disagreements(text, AxirError(message, location=f"f.mlir:{line}:4")) == []
    assert len(disagreements(text, AxirError(message, location=f"f.mlir:{line + 1}:4"))) == 2


def test_every_error_must_be_expected() -> None:
    errors = [AxirError("bad", location="f.mlir:1:1"), AxirError("bad", location="f.mlir:1:9")]
    assert disagreements("// expected-error {{bad}}", *errors) == ["f.mlir:1:9: error: unexpected error: bad"]
    assert disagreements("// expected-error {{bad}} // expected-error {{bad}}", *errors) == []


def test_every_expectation_must_be_met() -> None:
    assert disagreements("\n// expected-error@+4 {{bad}}") == [
        'f.mlir:2:1: error: expected error "bad" was not produced'
    ]


def test_text_is_not_a_regular_expression_by_default() -> None:
    assert disagreements("// expected-error {{b.d}}", AxirError("bad", location="f.mlir:1:1")) != []


def test_errors_elsewhere() -> None:
    text = "// expected-error@unknown {{bad}}"
    assert disagreements(text, AxirError("bad")) == []
    assert disagreements(text, AxirError("bad", location="net.onnx:1:0")) == []
    assert len(disagreements(text, AxirError("bad", location="f.mlir:1:0"))) == 2


def test_notes_may_be_expected() -> None:
    error = AxirError("bad", location="f.mlir:1:1", notes=["do this"])
    assert disagreements("// expected-error {{bad}} expected-note is not an annotation", error) == []
    assert disagreements("// expected-error {{bad}} // expected-note {{this}}", error) == []
    assert len(disagreements("// expected-error {{bad}} // expected-note {{that}}", error)) == 1


@pytest.mark.parametrize("text", ["// expected-error bad", "// expected-error {{bad", "// expected-error@x {{bad}}"])
def test_malformed_annotations_are_errors(text: str) -> None:
    with pytest.raises(AxirError, match="malformed"):
        find_expectations(text, "f.mlir")
