"""Every form that operators have had in operator sets 7 to 21, against ONNX Runtime."""

from __future__ import annotations

import pytest
from onnx_forms import FORMS
from onnx_models import check_against_onnxruntime, imported, operators, single

from axir.frontends.onnx.importer import CONVERTERS
from axir.ir.diagnostics import AxirError


def test_converters_say_what_they_make() -> None:
    """docs/operators.md says it after them."""
    for form in FORMS.values():
        made = {kind for kind in form.expected if not kind.startswith("onnx:")}
        said = {kind.name.removeprefix("ax.") for kind in CONVERTERS[form.kind].makes} if made else set()
        assert made <= said, form.kind


def test_a_newer_operator_set_without_changed_operators(capsys: pytest.CaptureFixture[str]) -> None:
    graph, _ = imported(single("Relu", {"x": (2, 3)}, opset=22))
    assert operators(graph) == ["relu"]
    assert "warning: <model>: the model uses ONNX operator set 22" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("kind", "opset", "message"),
    [
        ("Relu", 6, "operator set 6; operator sets 7 to 21 are supported"),
        (
            "Swish",
            24,
            "operator set 24; operator sets 7 to 21 are supported, and later ones without Swish of operator set 24",
        ),
        ("Relu", 9999, "operator set 9999; operator sets 7 to 21 are supported"),
    ],
)
def test_other_operator_sets(kind: str, opset: int, message: str) -> None:
    with pytest.raises(AxirError) as raised:
        imported(single(kind, {"x": (2, 3)}, opset=opset))
    assert raised.value.message == f"the model uses ONNX {message}"


@pytest.mark.parametrize(("name", "opset"), [(name, opset) for name, form in FORMS.items() for opset in form.opsets])
def test_form(name: str, opset: int) -> None:
    graph, _ = check_against_onnxruntime(FORMS[name].model(opset))
    assert operators(graph) == list(FORMS[name].expected)
