"""Where the accuracy goes: float and quantized network side by side, every tensor of both (quantization_debug).

`float.onnx` and `quantized.onnx` (QDQ form) give every intermediate tensor as a further output. `accuracy.csv` and
`accuracy.json` have a row a layer, the worst first: how far the int8 reference, running the whole network, is from the
float network on calibration samples.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Sequence
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Operation, SSAValue

from axir.compiler.dataset import Sample
from axir.compiler.output import Content, OutputFolder, write_json
from axir.compiler.quantized_model import device_tensors, parameters
from axir.compiler.session import Session
from axir.dialects import ax, axq
from axir.dialects.base import shape_of
from axir.interp.axq import Interpreter
from axir.ir.files import write_text
from axir.ir.location import layer_name
from axir.ir.store import WeightStore
from axir.passes.quantization.graph import main_graph
from axir.runtime.tensor_info import I8, QuantizedTensor

STAGE = "quantization-debug"
DEBUG_FOLDER = "debug"
DEBUG_SAMPLES = 8
"""The table is over the first so many calibration samples."""

FLOAT_ONNX = "float.onnx"
QUANTIZED_ONNX = "quantized.onnx"
TABLE_CSV = "accuracy.csv"
TABLE_JSON = "accuracy.json"
CONTENT = Content((FLOAT_ONNX, QUANTIZED_ONNX, TABLE_CSV, TABLE_JSON), TABLE_JSON)


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
    """Compare @main of `before` quantization with that of `module`, on `samples` of the whole network.

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
        graph = main_graph(before)
        quantized = next(op for op in module.ops if isinstance(op, axq.GraphOp))
        pairs = _pairs(graph, quantized)
        float_model, _ = export_graph(graph, store, extra_outputs=[value for value, _ in pairs])
        files = {FLOAT_ONNX: float_model, QUANTIZED_ONNX: export_qdq(quantized, store, every_tensor=True)}
        used = samples[:DEBUG_SAMPLES]
        if not used:
            session.warning("quantization_debug has no samples to compare on: the model was calibrated before")
        errors = _compare(before, graph, quantized, pairs, used, store)
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


def _pairs(graph: ax.GraphOp, quantized: axq.GraphOp) -> list[tuple[SSAValue, Operation]]:
    """Each float tensor that is computed, with the operation that computes its bytes: quantization keeps the order."""
    exact = [op for op in graph.body.block.ops if not isinstance(op, ax.ConstantOp | ax.ReturnOp)]
    found = [op for op in quantized.body.block.ops if not isinstance(op, axq.ReturnOp)]
    return [(old.results[0], new) for old, new in zip(exact, found, strict=True)]


def _compare(
    before: ModuleOp,
    graph: ax.GraphOp,
    quantized: axq.GraphOp,
    pairs: Sequence[tuple[SSAValue, Operation]],
    samples: Sequence[Sample],
    store: WeightStore,
) -> list[LayerError]:
    """Run both networks on every sample; what they differ by, layer by layer in program order."""
    from axir.passes.quantization.float_graph import FloatGraph
    from axir.passes.quantization.samples import main_samples

    runner = FloatGraph(graph, store, [value for value, _ in pairs])
    interpreter = Interpreter(quantized, store)
    inputs, _ = device_tensors(quantized, store)
    tensors = [_tensor(op, store) for _, op in pairs]
    errors = [
        LayerError(tensor.name, op.name.removeprefix("axq."), tensor.tensor_shape, tensor.scale, tensor.zero_point)
        for tensor, (_, op) in zip(tensors, pairs, strict=True)
    ]
    for sample in main_samples(before, store, samples):
        exact = runner.run({tensor.name: sample[tensor.name] for tensor in inputs})
        found = _results(interpreter, [tensor.to_stored(sample[tensor.name]) for tensor in inputs])
        for error, tensor, reference, stored in zip(errors, tensors, exact, found, strict=True):
            error.add(reference, tensor.to_real(stored))
    return errors


def _results(interpreter: Interpreter, inputs: Sequence[I8]) -> list[I8]:
    """The bytes of every operation's result, in program order."""
    found: list[I8] = []
    interpreter.run(inputs, lambda name, result: found.append(result))
    return found


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
