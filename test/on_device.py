"""Networks from ONNX to the device model, with nothing left for the host."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray

from axir.compiler import CompilerConfig, compile, quantize

TOLERANCE = 0.03
"""Greatest error, as a share of the span of a result, or of 1 where that is less."""


def check_on_device(
    model: onnx.ModelProto,
    samples: Sequence[Mapping[str, NDArray[Any]]],
    folder: Path,
    config: CompilerConfig | None = None,
) -> None:
    """All of the network is on the device, which gives the reference's bytes; they are near what ONNX Runtime gives."""
    path = folder / "model.onnx"
    onnx.save(model, path)
    given: list[Any] = list(samples)
    config = config or CompilerConfig()
    quantized = quantize(path, given, config)
    compile(quantized, config, folder / "out", check=2)
    report = json.loads((folder / "out" / "compilation_report.json").read_text())
    assert report["check"]["bit_exact"]
    described = json.loads((folder / "out" / "compiled_model" / "model.json").read_text())
    assert not [part for part in described["parts"] if "onnx" in json.dumps(part)], described["parts"]
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    for sample in given:
        expected = np.asarray(session.run(None, sample)[0], np.float32)
        (got,) = quantized(sample)
        span = max(float(np.ptp(expected)), float(np.abs(expected).max()), 1.0)
        assert np.abs(got - expected).max() <= TOLERANCE * span
