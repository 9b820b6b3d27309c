"""Every node test of ONNX that `ax` can say is imported, run and compared; the list of the others is kept true."""

from __future__ import annotations

import pytest
from onnx_node_tests import node_cases

from axir.dialects import ax

SKIPPED = node_cases.read_skipped()
APPLICABLE = [name for name in sorted(node_cases.cases()) if name not in SKIPPED]

# Operators that no node test reaches, and the test that does.
COVERED_ELSEWHERE = {
    ax.GraphOp: "every case",
    ax.ReturnOp: "every case",
    ax.SiluOp: "test/unit/frontend/test_interp_ax.py: it has no ONNX node before operator set 24",
    ax.OnnxOp: "test/unit/frontend/test_onnx_node.py",
    ax.TableOp: "test/unit/backends/test_onnx_export.py: it stands for several ONNX nodes",
    ax.RearrangeOp: "test/filecheck/passes/rearrange: passes make it of reshapes and transposes",
    ax.HeadMatMulOp: "test/unit/passes/test_tokens_to_pixels.py: passes make it of products of two tensors",
}


of_listed_onnx = pytest.mark.skipif(
    not node_cases.list_is_of_this_onnx(), reason="skipped.tsv was written with another release of ONNX"
)


@pytest.mark.parametrize("name", APPLICABLE)
def test_case(name: str) -> None:
    try:
        case = node_cases.import_case(name)
    except node_cases.NotApplicable as reason:
        if node_cases.list_is_of_this_onnx():
            raise
        pytest.skip(str(reason))
    case.check()


@of_listed_onnx
def test_skipped_list_is_true() -> None:
    """Each listed case is skipped for the reason given, and nothing is listed that does not exist."""
    assert list(SKIPPED) == sorted(SKIPPED)
    assert set(SKIPPED) <= set(node_cases.cases())
    wrong = {name: found for name, reason in SKIPPED.items() if (found := node_cases.skip_reason(name)) != reason}
    assert not wrong, "python test/onnx_node_tests/node_cases.py --update"


@of_listed_onnx
def test_every_operator_is_covered() -> None:
    covered = {type(op) for name in APPLICABLE for op in node_cases.import_case(name).graph.walk()}
    missing = [op.name for op in ax.Ax.operations if op not in covered and op not in COVERED_ELSEWHERE]
    assert not missing
    assert not [op.name for op in COVERED_ELSEWHERE if op in covered and op not in (ax.GraphOp, ax.ReturnOp)]
