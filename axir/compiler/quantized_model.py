"""A quantized network: callable on float arrays, saved and loaded as a folder."""

from __future__ import annotations

import hashlib
import json
from functools import cached_property
from pathlib import Path
from typing import Any

from numpy.typing import ArrayLike, NDArray
from xdsl.dialects.builtin import ModuleOp

from axir import __version__
from axir.compiler.host_parts import HostParts, host_parts, parameters
from axir.compiler.output import numbered, write_json
from axir.compiler.source import QUANTIZED_MLIR, find_model
from axir.dialects import axq
from axir.dialects.base import shape_of
from axir.ir.context import AxContext, make_context
from axir.ir.diagnostics import AxirError
from axir.ir.files import write_text
from axir.ir.location import layer_name
from axir.ir.module_file import read_module, weight_keys
from axir.ir.printing import print_module
from axir.ir.store import WeightStore
from axir.runtime.host import HostGraph
from axir.runtime.hosted_model import HostedModel, Segment
from axir.runtime.tensor_info import QuantizedTensor

WEIGHTS = "weights.safetensors"
QDQ_ONNX = "quantized_model.onnx"
MANIFEST = "quantized_model_manifest.json"
VERSION = 2


class QuantizedModel:
    """The int8 graphs of the device's segments, and around and between them what the host computes.

    Called with arrays it runs the reference interpreter: what the device would compute, bit for bit, with the host's
    parts by ONNX Runtime. `parts` tells the arrays' types: float, or int8 with remove_io_quantization.
    """

    def __init__(self, module: ModuleOp, context: AxContext, name: str = "model"):
        """`module` holds an `axq.graph` a segment and the host's `ax.graph`s, its weights `context`."""
        self.module = module
        self.context = context
        self.name = name

    @property
    def store(self) -> WeightStore:
        """The weights."""
        return self.context.store

    @property
    def graphs(self) -> list[axq.GraphOp]:
        """The device's graphs, in the order of execution. Raises `AxirError` when the module has none."""
        found = [op for op in self.module.ops if isinstance(op, axq.GraphOp)]
        if not found:
            raise AxirError("the module holds no quantized graph", op=self.module, notes=("quantize the model first",))
        return found

    @property
    def graph(self) -> axq.GraphOp:
        """The device's only graph. Raises `AxirError` when the module has none, or several."""
        graphs = self.graphs
        if len(graphs) > 1:
            raise AxirError(f"the model has {len(graphs)} quantized graphs, with host parts between them", op=graphs[1])
        return graphs[0]

    @cached_property
    def parts(self) -> HostParts:
        """The network's own inputs and outputs, and the host's parts."""
        return host_parts(self.module, self.store)

    @cached_property
    def hosted(self) -> HostedModel:
        """The whole network, made ready to run many frames."""
        from axir.interp.axq import Interpreter

        segments = {
            graph.sym_name.data: Segment(
                graph.sym_name.data, *device_tensors(graph, self.store), Interpreter(graph, self.store).run
            )
            for graph in self.graphs
        }
        parts = [
            segments[name] if model is None else HostGraph(model, name) for name, model in self.parts.parts.items()
        ]
        return HostedModel(self.parts.inputs, self.parts.outputs, parts)

    def __call__(self, *inputs: ArrayLike | dict[str, ArrayLike]) -> list[NDArray[Any]]:
        """The network's outputs, in order: see `HostedModel.__call__`. Raises `InvalidArgument`."""
        return self.hosted(*inputs)

    def export(self, folder: str | Path) -> None:
        """Write the model to `folder`, which is created: its module, weights, QDQ form and a manifest.

        Equal models give equal bytes. Raises `OSError`, and `AxirError` where a weight is missing.
        """
        from axir.backends.qdq.export import export_qdq

        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        self.store.save(folder / WEIGHTS, weight_keys(self.module))
        write_text(folder / QUANTIZED_MLIR, print_module(self.module))
        files = [QUANTIZED_MLIR, WEIGHTS]
        for index, graph in enumerate(self.graphs):
            stored = [name for name in self.parts.stored if name in _port_names(graph)]
            qdq = export_qdq(graph, self.store, stored).SerializeToString(deterministic=True)
            files.append(numbered(QDQ_ONNX, index))
            (folder / files[-1]).write_bytes(qdq)
        manifest = {
            "format": "axir-quantized-model",
            "version": VERSION,
            "axir": __version__,
            "name": self.name,
            "inputs": [tensor.to_json() for tensor in self.parts.inputs],
            "outputs": [tensor.to_json() for tensor in self.parts.outputs],
            "segments": [_quantization(graph, self.store) for graph in self.graphs],
            "files": {name: file_digest(folder / name) for name in files},
        }
        write_json(folder / MANIFEST, manifest)

    @classmethod
    def load(cls, path: str | Path) -> QuantizedModel:
        """Read a folder that `export` wrote (or one that holds it, or its .mlir file).

        Raises `OSError`, and `AxirError` for anything else.
        """
        file = find_model(Path(path))
        context = make_context()
        model = cls(read_module(context, file), context, saved_name(file))
        _ = model.graphs
        return model


def saved_name(path: Path) -> str:
    """The name of a model: what the manifest beside a saved one says, else that of the file or folder."""
    manifest = path.with_name(MANIFEST) if path.suffix == ".mlir" else path / MANIFEST
    if not manifest.is_file():
        manifest = path / "quantized_model" / MANIFEST
    try:
        return str(json.loads(manifest.read_text("utf-8"))["name"])
    except (OSError, ValueError, KeyError, TypeError):
        return path.stem


def _port_names(graph: axq.GraphOp) -> list[str]:
    return [name.data for name in (*graph.inputs, *graph.outputs)]


def device_tensors(
    graph: axq.GraphOp, store: WeightStore
) -> tuple[tuple[QuantizedTensor, ...], tuple[QuantizedTensor, ...]]:
    """What the device takes and what it gives."""
    inputs = zip(graph.inputs, graph.body.block.args, strict=True)
    outputs = zip(graph.outputs, graph.terminator.operands, strict=True)
    return (
        tuple(QuantizedTensor(name.data, shape_of(v), *parameters(axq.quant_of(v), store)) for name, v in inputs),
        tuple(QuantizedTensor(name.data, shape_of(v), *parameters(axq.quant_of(v), store)) for name, v in outputs),
    )


def file_digest(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _quantization(graph: axq.GraphOp, store: WeightStore) -> dict[str, Any]:
    """Scales and zero points of inputs, outputs and every operator's result, by name."""
    inputs, outputs = device_tensors(graph, store)
    operators: list[dict[str, Any]] = []
    for op in graph.body.block.ops:
        if op.results:
            scale, zero_point = parameters(axq.quant_of(op.results[0]), store)
            entry = {"name": layer_name(op), "op": op.name, "scale": scale, "zero_point": zero_point}
            operators.append(entry)
    name = graph.sym_name.data
    return {"name": name, "inputs": _tensors_json(inputs), "outputs": _tensors_json(outputs), "operators": operators}


def _tensors_json(tensors: tuple[QuantizedTensor, ...]) -> list[dict[str, Any]]:
    return [
        {"name": t.name, "shape": list(t.tensor_shape), "scale": t.scale, "zero_point": t.zero_point} for t in tensors
    ]
