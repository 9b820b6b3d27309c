"""Every form that operators have had in operator sets 7 to 21, against ONNX Runtime."""

from __future__ import annotations

import pytest
from onnx_forms import FORMS
from onnx_models import check_against_onnxruntime, operators


@pytest.mark.parametrize(("name", "opset"), [(name, opset) for name, form in FORMS.items() for opset in form.opsets])
def test_form(name: str, opset: int) -> None:
    graph, _ = check_against_onnxruntime(FORMS[name].model(opset))
    assert operators(graph) == list(FORMS[name].expected)
