"""What the host computes before and after the device, with ONNX Runtime."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from numpy.typing import NDArray

from axir.ir.diagnostics import AxirError

Array = NDArray[Any]


class HostGraph:
    """An ONNX model (preamble or postamble) that takes and gives arrays by name."""

    def __init__(self, model: str | Path | bytes, name: str):
        """`name` is how errors call it. Raises `AxirError` when ONNX Runtime cannot load the model."""
        import onnxruntime

        runtime = cast(Any, onnxruntime)
        options = runtime.SessionOptions()
        options.log_severity_level = 3
        options.intra_op_num_threads = 2
        self.name = name
        source = model if isinstance(model, bytes) else str(model)
        try:
            self._session = runtime.InferenceSession(source, options, providers=["CPUExecutionProvider"])
        except Exception as error:  # ONNX Runtime's own types, which it does not export
            raise self._failure("load", error) from None
        self.inputs: list[str] = [value.name for value in self._session.get_inputs()]
        self.outputs: list[str] = [value.name for value in self._session.get_outputs()]

    def run(self, values: Mapping[str, Array]) -> dict[str, Array]:
        """The outputs by name; of `values`, the inputs are used. Raises `AxirError` when ONNX Runtime fails."""
        feed = {name: values[name] for name in self.inputs}
        try:
            results = cast(list[Array], self._session.run(self.outputs, feed))
        except Exception as error:
            raise self._failure("run", error) from None
        return dict(zip(self.outputs, results, strict=True))

    def _failure(self, verb: str, error: Exception) -> AxirError:
        reason = str(error).strip().split("\n", 1)[0]
        return AxirError(f"ONNX Runtime cannot {verb} the {self.name}: {reason}")
