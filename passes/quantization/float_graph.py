"""Runs a float graph with ONNX Runtime: calibration's source of activations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

from numpy.typing import NDArray
from xdsl.ir import SSAValue

from axir.dialects import ax, base
from axir.ir.constants import numpy_dtype
from axir.ir.diagnostics import AxirError
from axir.ir.store import WeightStore

Array = NDArray[Any]
THREADS = 2


def input_shapes(graph: ax.GraphOp) -> dict[str, tuple[tuple[int, ...], str]]:
    """Shape and NumPy type name of every input of a graph, by its name."""
    return {
        name.data: (base.shape_of(argument), numpy_dtype(base.tensor_of(argument).element_type).name)
        for name, argument in zip(graph.inputs, graph.body.block.args, strict=True)
    }


DISABLED = ["ConvAddActivationFusion"]
"""Seen in ONNX Runtime 1.32: it can fuse away a convolution whose result is an output of the graph."""


class FloatGraph:
    """A graph made ready to run, which returns the given values (not arguments) of its body."""

    def __init__(self, graph: ax.GraphOp, store: WeightStore, values: Sequence[SSAValue]):
        import onnxruntime

        from axir.backends.onnx.export import export_graph

        self.name = graph.sym_name.data
        model, names = export_graph(graph, store, extra_outputs=list(values))
        self.outputs = [names[value] for value in values]
        runtime = cast(Any, onnxruntime)
        options = runtime.SessionOptions()
        options.intra_op_num_threads = THREADS
        options.log_severity_level = 3
        try:
            self.session = runtime.InferenceSession(
                model.SerializeToString(), options, providers=["CPUExecutionProvider"], disabled_optimizers=DISABLED
            )
        except Exception as error:  # ONNX Runtime's own types, which it does not export
            raise self._failure(error) from error

    def run(self, feed: Mapping[str, Array]) -> list[Array]:
        """The values for one sample, given by input name. Raises `AxirError` when ONNX Runtime fails."""
        if not self.outputs:
            return []
        try:
            return cast(list[Array], self.session.run(self.outputs, dict(feed)))
        except Exception as error:
            raise self._failure(error) from error

    def _failure(self, error: Exception) -> AxirError:
        reason = str(error).strip().split("\n", 1)[0]
        return AxirError(f"ONNX Runtime cannot run @{self.name}: {reason}")
