"""Damaged ONNX files: each is refused with an `AxirError`, or does what ONNX Runtime does, down to the device."""

from __future__ import annotations

import signal
from collections import Counter
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

import numpy as np
import onnx
import onnxruntime
import pytest
from fuzz.graphs import Case
from fuzz.onnx_mutator import mutated
from fuzz.onnx_seeds import original
from fuzz.test_chain import assert_same
from onnx_models import run_ax
from xdsl.dialects.builtin import ModuleOp

from axir.compiler import CompilerConfig
from axir.compiler.pipeline import QUANTIZE_PASSES, make_passes
from axir.dialects import ax, axq, base
from axir.frontends.onnx import import_model
from axir.frontends.onnx.infer import static_type
from axir.ir.constants import numpy_dtype
from axir.ir.context import AxContext, make_context
from axir.ir.diagnostics import AxirError
from axir.ir.parsing import verify
from axir.passes.calibrate import Calibrate
from axir.passes.graph_flow import operators, total_macs
from axir.passes.pipeline import GRAPH_PASSES

FILES, GROUPS = 500, 20
SECONDS = 30
"""What one file may take; a hang is an error."""
MOST_ELEMENTS, MOST_MACS = 1 << 20, 1 << 26
"""Larger networks, which damaged sizes make, are imported and rewritten, but not run."""

FLOAT_PASSES = GRAPH_PASSES[1 : GRAPH_PASSES.index("split-host")]
"""What rewrites the whole network before it is cut in parts."""

Arrays = dict[str, np.ndarray]


class TooSlow(Exception):
    """A file took longer than it may."""


@contextmanager
def time_limit() -> Generator[None]:
    def stop(_: int, __: FrameType | None) -> None:
        raise TooSlow

    previous = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous)


def main_of(module: ModuleOp) -> ax.GraphOp:
    graph = module.body.block.first_op
    assert isinstance(graph, ax.GraphOp)
    return graph


def is_small(graph: ax.GraphOp) -> bool:
    values = [value for op in graph.walk() for value in op.results]
    largest = max((int(np.prod(base.shape_of(value), dtype=object)) for value in values), default=0)
    arguments = max((int(np.prod(base.shape_of(value), dtype=object)) for value in graph.body.block.args), default=0)
    return max(largest, arguments) <= MOST_ELEMENTS and total_macs(operators(graph)) <= MOST_MACS


def inputs_of(graph: ax.GraphOp, seed: int) -> Arrays:
    rng = np.random.default_rng(seed)
    feeds: Arrays = {}
    for name, value in zip(graph.inputs, graph.body.block.args, strict=True):
        dtype, shape = numpy_dtype(base.tensor_of(value).element_type), base.shape_of(value)
        array = rng.standard_normal(shape) if dtype.kind == "f" else rng.integers(0, 3, shape)
        feeds[name.data] = array.astype(dtype)
    return feeds


def onnxruntime_results(data: bytes, feeds: Arrays) -> list[np.ndarray] | None:
    """What ONNX Runtime computes; None where it refuses the model or its inputs, or contradicts ONNX's own inference.

    It reads negative axes of Resize wrongly, and then gives other shapes than it says.
    """
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    options.intra_op_num_threads = 1
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    try:
        session = onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
        results = session.run(None, feeds)
        inferred = onnx.shape_inference.infer_shapes(onnx.load_model_from_string(data)).graph.output
    except Exception:  # exceptions of its own, of several kinds
        return None
    shapes = [static_type(value.type)[1] for value in inferred]
    return results if all(s in (None, r.shape) for s, r in zip(shapes, results, strict=True)) else None


def assert_equal(got: list[np.ndarray], expected: list[np.ndarray], what: str) -> None:
    assert len(got) == len(expected), what
    for one, other in zip(got, expected, strict=True):
        assert one.shape == other.shape, what
        if one.dtype.kind != "f" or other.dtype != np.float32:
            continue  # the graph computes in f32 what the model wanted in other widths
        finite = np.abs(other[np.isfinite(other)])
        tolerance = 1e-4 * max(1.0, float(finite.max())) if finite.size else 1e-4
        np.testing.assert_allclose(one, other, rtol=2e-3, atol=tolerance, err_msg=what)


def run_float(graph: ax.GraphOp, context: AxContext, feeds: Arrays) -> list[np.ndarray] | None:
    """What the interpreter computes; None where an ONNX node of the host cannot be run."""
    try:
        return run_ax(graph, context, feeds)
    except AxirError as error:
        refused(error)
        return None


def refused(error: AxirError, verdict: str = "") -> str:
    """The verdict, of a refusal that says something and where."""
    assert error.message
    return verdict


def examine(path: Path, seed: int) -> str:
    """How far the file gets. Raises what is neither a success nor an `AxirError`."""
    context = make_context()
    try:
        module = import_model(path, context)
    except AxirError as error:
        located = error.location is not None
        verdict = refused(error, "not imported")
        if not located:
            raise AssertionError(f"no place is named: {error.message}") from None
        return verdict
    verify(module)
    graph = main_of(module)
    small = is_small(graph)
    feeds = inputs_of(graph, seed) if small else {}
    results = run_float(graph, context, feeds) if small else None
    if results is not None:
        expected = onnxruntime_results(path.read_bytes(), feeds)
        if expected is not None:
            assert_equal(results, expected, "imported")
        rewritten = module.clone()
        for pass_ in make_passes(FLOAT_PASSES, CompilerConfig()):
            pass_.apply(context, rewritten)
            verify(rewritten)
            assert_equal(run_ax(main_of(rewritten), context, feeds), results, pass_.name)
    try:
        for pass_ in make_passes(GRAPH_PASSES, CompilerConfig()):
            pass_.apply(context, module)
            verify(module)
        if not small:
            return "too large to run"
        Calibrate(num_samples=1).apply(context, module)
        for pass_ in make_passes(QUANTIZE_PASSES, CompilerConfig()):
            pass_.apply(context, module)
            verify(module)
        for part in list(module.ops):
            if isinstance(part, axq.GraphOp):
                assert_same(Case(part, context.store), seed)
    except AxirError as error:
        return refused(error, "not compiled")
    return "run"


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("group", range(GROUPS))
def test_mutated_files(group: int, tmp_path: Path) -> None:
    verdicts: Counter[str] = Counter()
    for number in range(group, FILES, GROUPS):
        rng = np.random.default_rng(number)
        path = tmp_path / f"{number}.onnx"
        path.write_bytes(mutated(original(number), rng))
        try:
            with time_limit():
                verdicts[examine(path, number)] += 1
        except Exception as error:
            raise AssertionError(f"file {number}: {type(error).__name__}: {error}") from error
    assert verdicts.total() == FILES // GROUPS
    assert verdicts["not imported"] < FILES // GROUPS  # else nothing of what follows was tested
