"""Where the accuracy goes: float and quantized network side by side, every tensor of both (quantization_debug).

`float.onnx` and `quantized.onnx` (QDQ form) give every intermediate tensor as a further output; further segments of a
network with host islands have files with a number. `accuracy.csv` and
`accuracy.json` have a row a layer, the worst first: how far the int8 reference, running the whole network, is from the
float network on calibration samples.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Operation, SSAValue

from axir.compiler.dataset import Sample
from axir.compiler.output import Content, OutputFolder, numbered, write_json
from axir.compiler.quantized_model import device_tensors, parameters
from axir.compiler.session import Session
from axir.dialects import ax, axq
from axir.dialects.base import shape_of
from axir.interp.axq import Interpreter
from axir.ir.files import write_text
from axir.ir.location import layer_name
from axir.ir.store import WeightStore
from axir.passes.graph_parts import device_graphs, on_device
from axir.passes.quantization.graph import device_parts
from axir.runtime.tensor_info import I8, QuantizedTensor

if TYPE_CHECKING:
    from onnx import ModelProto

    from axir.passes.quantization.float_graph import FloatGraph

Array = NDArray[Any]

STAGE = "quantization-debug"
DEBUG_FOLDER = "debug"
DEBUG_SAMPLES = 8
"""The table is over the first so many calibration samples."""

FLOAT_ONNX = "float.onnx"
QUANTIZED_ONNX = "quantized.onnx"
TABLE_CSV = "accuracy.csv"
TABLE_JSON = "accuracy.json"
CONTENT = Content(
    (TABLE_CSV, TABLE_JSON, *(numbered(name, index) for name in (FLOAT_ONNX, QUANTIZED_ONNX) for index in range(100))),
    (TABLE_JSON,),
)


@dataclass
class LayerError:
    """Sums over all elements of one tensor and all samples: of float values squared, and of differences squared."""

    name: str
    operator: str
    shape: tuple[int, ...]
    scale: float | tuple[float, ...]
    zero_point: int | tuple[int, ...]
    signal: float = 0.0
    noise: float = 0.0
    largest: float = 0.0
    """The largest difference."""

    def add(self, exact: NDArray[Any], found: NDArray[Any]) -> None:
        difference = found.astype(np.float64) - exact
        self.signal += float(np.square(exact.astype(np.float64)).sum())
        self.noise += float(np.square(difference).sum())
        self.largest = max(self.largest, float(np.abs(difference).max(initial=0)))

    @property
    def sqnr(self) -> float:
        """Signal to quantization noise ratio in dB, 10 log10(signal / noise); inf where there is no noise."""
        if self.noise == 0:
            return math.inf
        return 10 * math.log10(self.signal / self.noise) if self.signal else -math.inf

    def row(self) -> dict[str, Any]:
        """The error as JSON: an infinite ratio is null."""
        sqnr = round(self.sqnr, 3) if math.isfinite(self.sqnr) else None
        return {
            "layer": self.name,
            "operator": self.operator,
            "shape": list(self.shape),
            "sqnr_db": sqnr,
            "largest_error": self.largest,
            "scale": self.scale,
            "zero_point": self.zero_point,
        }


def write_debug(
    before: ModuleOp, module: ModuleOp, samples: Sequence[Sample], session: Session, folder: Path | None
) -> None:
    """Compare the device's graphs of `before` quantization with those of `module`, on `samples` of the whole network.

    The files appear in `folder`, whole, in the place of what an earlier run wrote there. Raises `AxirError` for a
    folder that holds anything else, and `OSError`.
    """
    if folder is None:
        session.warning("quantization_debug writes nothing: give a folder, model_debug_save_dir")
        return
    with session.stage(STAGE):
        from axir.backends.onnx.export import export_graph
        from axir.backends.qdq.export import export_qdq

        store = session.context.store
        segments = _segments(before, module, store)
        files: dict[str, ModelProto] = {}
        for index, segment in enumerate(segments.values()):
            values = [value for value, _ in segment.pairs]
            files[numbered(FLOAT_ONNX, index)] = export_graph(segment.graph, store, extra_outputs=values)[0]
            files[numbered(QUANTIZED_ONNX, index)] = export_qdq(segment.quantized, store, every_tensor=True)
        used = samples[:DEBUG_SAMPLES]
        if not used:
            session.warning("quantization_debug has no samples to compare on: the model was calibrated before")
        errors = _compare(before, segments, used, store)
        errors.sort(key=lambda error: (error.sqnr, error.name))
        output = OutputFolder(folder, CONTENT)
        try:
            for name, model in files.items():
                (output.staging / name).write_bytes(model.SerializeToString(deterministic=True))
            rows = [error.row() for error in errors] if used else []
            write_text(output.staging / TABLE_CSV, _csv(errors if used else []))
            write_json(output.staging / TABLE_JSON, {"samples": len(used), "unit": "dB", "layers": rows})
            output.commit()
        finally:
            output.discard()


class _Segment:
    """A graph of the device before and after quantization, ready to run, with the errors of its layers."""

    def __init__(self, graph: ax.GraphOp, quantized: axq.GraphOp, store: WeightStore):
        self.graph, self.quantized, self.store = graph, quantized, store
        self.pairs = _pairs(graph, quantized)
        self.tensors = [_tensor(op, store) for _, op in self.pairs]
        self.errors = [
            LayerError(tensor.name, op.name.removeprefix("axq."), tensor.tensor_shape, tensor.scale, tensor.zero_point)
            for tensor, (_, op) in zip(self.tensors, self.pairs, strict=True)
        ]

    @cached_property
    def _runs(self) -> tuple[FloatGraph, Interpreter]:
        from axir.passes.quantization.float_graph import FloatGraph

        return (
            FloatGraph(self.graph, self.store, [value for value, _ in self.pairs]),
            Interpreter(self.quantized, self.store),
        )

    def run(self, exact: dict[str, Array], found: dict[str, Array]) -> None:
        """Run both, each on the values of its own network; add to the errors, and to the values."""
        inputs, outputs = device_tensors(self.quantized, self.store)
        runner, interpreter = self._runs
        exact_results = runner.run({tensor.name: exact[tensor.name] for tensor in inputs})
        stored = _results(interpreter, [tensor.to_stored(found[tensor.name]) for tensor in inputs])
        results = [tensor.to_real(array) for tensor, array in zip(self.tensors, stored, strict=True)]
        for error, reference, result in zip(self.errors, exact_results, results, strict=True):
            error.add(reference, result)
        places = [value for value, _ in self.pairs]
        for tensor, value in zip(outputs, self.graph.terminator.operands, strict=True):
            index = places.index(value)
            exact[tensor.name], found[tensor.name] = exact_results[index], results[index]


def _segments(before: ModuleOp, module: ModuleOp, store: WeightStore) -> dict[str, _Segment]:
    """The device's segments by name."""
    quantized = {op.sym_name.data: op for op in module.ops if isinstance(op, axq.GraphOp)}
    graphs = {graph.sym_name.data: graph for graph in device_graphs(before)}
    return {name: _Segment(graph, quantized[name], store) for name, graph in graphs.items()}


def _pairs(graph: ax.GraphOp, quantized: axq.GraphOp) -> list[tuple[SSAValue, Operation]]:
    """Each float tensor that is computed, with the operation that computes its bytes: quantization keeps the order."""
    exact = [op for op in graph.body.block.ops if not isinstance(op, ax.ConstantOp | ax.ReturnOp)]
    return [(old.results[0], new) for old, new in zip(exact, computing(quantized), strict=True)]


def computing(quantized: axq.GraphOp) -> list[Operation]:
    """The operations of a quantized graph, in order, but constants and the return."""
    return [op for op in quantized.body.block.ops if not isinstance(op, axq.ConstantOp | axq.ReturnOp)]


def _compare(
    before: ModuleOp, segments: Mapping[str, _Segment], samples: Sequence[Sample], store: WeightStore
) -> list[LayerError]:
    """Run both networks on every sample; what they differ by, layer by layer in program order.

    Islands of the host run on both sides, each on the values of its own network.
    """
    from axir.passes.quantization.float_graph import FloatGraph
    from axir.passes.quantization.samples import main_samples

    parts = device_parts(before)
    islands = {
        graph.sym_name.data: FloatGraph(graph, store, list(graph.terminator.operands))
        for graph in parts
        if not on_device(graph)
    }
    for sample in main_samples(before, store, samples):
        exact, found = dict(sample), dict(sample)
        for graph in parts:
            name = graph.sym_name.data
            if name in segments:
                segments[name].run(exact, found)
                continue
            for values in (exact, found):
                results = islands[name].run({given.data: values[given.data] for given in graph.inputs})
                values |= dict(zip([output.data for output in graph.outputs], results, strict=True))
    return [error for segment in segments.values() for error in segment.errors]


def _results(interpreter: Interpreter, inputs: Sequence[I8]) -> list[I8]:
    """The bytes of every result that is computed, in program order."""
    found: list[I8] = []
    interpreter.run(inputs, lambda name, result: found.append(result))
    pairs = zip(interpreter.kernels, found, strict=True)
    return [result for (op, _), result in pairs if not isinstance(op, axq.ConstantOp)]


def _tensor(op: Operation, store: WeightStore) -> QuantizedTensor:
    (result,) = op.results
    return QuantizedTensor(layer_name(op), shape_of(result), *parameters(axq.quant_of(result), store))


def _csv(errors: Sequence[LayerError]) -> str:
    text = StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["layer", "operator", "shape", "sqnr_db", "largest_error"])
    for error in errors:
        shape = "x".join(map(str, error.shape))
        writer.writerow([error.name, error.operator, shape, f"{error.sqnr:.3f}", f"{error.largest:.6g}"])
    return text.getvalue()
