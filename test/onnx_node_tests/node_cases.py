"""ONNX's own tests of single operators, as tests of the importer and the reference interpreter.

`python test/onnx_node_tests/node_cases.py --update` writes the list of the cases that do not apply, with the reasons.
"""

from __future__ import annotations

import argparse
import sys
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import numpy_helper
from onnx.backend.test.loader import load_model_tests

from axir.dialects import ax
from axir.frontends.onnx import import_model
from axir.frontends.onnx.importer import CONVERTERS, REASON
from axir.frontends.onnx.load import MAX_OPSET, MIN_OPSET
from axir.frontends.onnx.newer import changed_operator
from axir.interp.ax import run_graph
from axir.ir.context import AxContext, make_context
from axir.ir.diagnostics import AxirError
from axir.ir.parsing import verify

SKIPPED = Path(__file__).with_name("skipped.tsv")
_HEADER = f"# python test/onnx_node_tests/node_cases.py --update, with onnx {onnx.__version__}"


DIFFERENT = {
    "test_resize_downsample_scales_linear_align_corners": "aligns with the corner of a fractional output size (2.4); "
    "the specification's formula has the size itself (2), as has ONNX Runtime, which fails this case as well",
}
"""Cases that expect something else than what ONNX Runtime computes, which AXIR follows."""


class NotApplicable(Exception):
    """The case is about something that the `ax` dialect does not have."""


@dataclass(frozen=True)
class Imported:
    """A case after import: the graph, and what it must compute from what."""

    graph: ax.GraphOp
    ctx: AxContext
    inputs: list[np.ndarray]
    expected: list[np.ndarray]
    rtol: float
    atol: float

    def check(self) -> None:
        """Run the reference interpreter and compare, with ONNX's own tolerances."""
        results = run_graph(self.graph, self.inputs, self.ctx.store)
        assert len(results) == len(self.expected)
        for result, expected in zip(results, self.expected, strict=True):
            assert result.shape == expected.shape
            np.testing.assert_allclose(result, expected, rtol=self.rtol, atol=self.atol)


@cache
def cases() -> dict[str, Any]:
    """All cases by name. Making them computes their expected results, some of which overflow on purpose."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return {case.name: case for case in load_model_tests(kind="node")}


def import_case(name: str) -> Imported:
    """Import a case. Raises `NotApplicable`, with the reason, where it does not become operators of `ax` alone."""
    if name in DIFFERENT:
        raise NotApplicable(DIFFERENT[name])
    case = cases()[name]
    model = _in_supported_opset(case.model)
    inputs, outputs = case.data_sets[0]
    inputs = _with_constants(model, inputs)
    ctx = make_context()
    try:
        module = import_model(model, ctx)
    except AxirError as error:
        unknown = _unknown_operators(model)
        raise NotApplicable(f"ax has no operator {unknown[0]}" if unknown else error.message) from None
    verify(module)
    for op in module.walk():
        if isinstance(op, ax.OnnxOp):
            reason = op.attributes.get(REASON)
            raise NotApplicable(reason.data if reason else f"ax has no operator {op.kind.data}")
    if any(value.type.tensor_type.elem_type == onnx.TensorProto.BFLOAT16 for value in model.graph.output):
        raise NotApplicable("bfloat16 results: ax computes in f32, and they have fewer digits than the test compares")
    graph = module.body.block.first_op
    assert isinstance(graph, ax.GraphOp)
    return Imported(graph, ctx, [_as_f32(x) for x in inputs], [_as_f32(y) for y in outputs], case.rtol, case.atol)


def skip_reason(name: str) -> str | None:
    """Why a case does not apply; None if it does."""
    try:
        import_case(name)
    except NotApplicable as reason:
        return str(reason)
    return None


def read_skipped() -> dict[str, str]:
    """Reasons by name, as listed."""
    return dict(line.split("\t") for line in SKIPPED.read_text().splitlines()[1:])


def list_is_of_this_onnx() -> bool:
    """Every release of ONNX has other cases."""
    return SKIPPED.read_text().startswith(_HEADER + "\n")


def _in_supported_opset(model: onnx.ModelProto) -> onnx.ModelProto:
    """A copy; in operator set 21 if it is newer, but its nodes mean the same there."""
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    (entry,) = [entry for entry in copy.opset_import if entry.domain == ""] or [None]
    if entry is None:
        raise NotApplicable(f"operators of {copy.opset_import[0].domain}")
    if entry.version < MIN_OPSET:
        raise NotApplicable(f"operator set {entry.version}")
    if entry.version > MAX_OPSET:
        changed = changed_operator(copy.graph.node, MAX_OPSET, entry.version)
        if changed is not None:
            raise NotApplicable(changed)
        entry.version = MAX_OPSET
    return copy


def _with_constants(model: onnx.ModelProto, inputs: list[Any]) -> list[Any]:
    """Turn inputs that `ax` keeps as properties (axes, pads, ...) into initializers; the values of the others."""
    constant = set(_constant_inputs(model))
    remaining: list[Any] = []
    for value, array in zip(list(model.graph.input), inputs, strict=True):
        if value.name in constant:
            model.graph.input.remove(value)
            model.graph.initializer.append(numpy_helper.from_array(np.asarray(array), value.name))
        else:
            remaining.append(array)
    return remaining


def _constant_inputs(model: onnx.ModelProto) -> Iterator[str]:
    for node in model.graph.node:
        converter = CONVERTERS.get(node.op_type)
        if converter is not None:
            yield from (node.input[i] for i in converter.constants if i < len(node.input) and node.input[i])


def _unknown_operators(model: onnx.ModelProto) -> list[str]:
    known = {*CONVERTERS, "Constant", "Shape", "Size"}
    return [node.op_type for node in model.graph.node if node.op_type not in known]


def _as_f32(value: Any) -> np.ndarray:
    array = numpy_helper.to_array(value) if isinstance(value, onnx.TensorProto) else np.asarray(value)
    return array.astype(np.float32) if array.dtype.kind not in "iub" else array


def _update() -> int:
    rows = [(name, reason) for name in sorted(cases()) if (reason := skip_reason(name)) is not None]
    SKIPPED.write_text("\n".join([_HEADER, *("\t".join(row) for row in rows)]) + "\n")
    print(f"{len(cases()) - len(rows)} of {len(cases())} cases apply, {len(rows)} are listed in {SKIPPED.name}")
    return 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--update", action="store_true", required=True, help=f"write {SKIPPED.name}")
    parser.parse_args()
    sys.exit(_update())
