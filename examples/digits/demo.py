"""`make demo`: compile the digits network on real digits and run the program on the device model.

Calibrates on training digits, compiles to build/digits, and prints accuracy, agreement of simulator and reference,
modelled times, busy shares and the time of every layer.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np
import onnxruntime
from data import Digits, load
from numpy.typing import NDArray
from rich.progress import track

from axir.compiler import CompilerConfig, compile, quantize
from axir.ir.diagnostics import run_tool
from axir.runtime import Context
from axir.tools.console import Console
from axir.tools.summary import layer_lines, rate_lines, totals_lines, unit_lines

HERE = Path(__file__).resolve().parent
MODEL = HERE / "digits.onnx"
BUILD = HERE.parents[1] / "build" / "digits"
CALIBRATION_DIGITS = 200


def main() -> int:
    train, held_out = load()
    print(f"Model: {MODEL.name}, a residual CNN; data: scikit-learn's handwritten digits.")
    print(f"Calibrating on {CALIBRATION_DIGITS} training digits and compiling for one core of the AIPU.")
    console = Console()
    with console.live():
        config = CompilerConfig(model_name="digits")
        quantized = quantize(MODEL, train.images[:CALIBRATION_DIGITS], config, listener=console)
        compiled = compile(quantized, config, BUILD, listener=console)

    session: Any = cast(Any, onnxruntime).InferenceSession(str(MODEL), providers=["CPUExecutionProvider"])
    with Context() as context, context.device_connect() as connection:
        instance = connection.load_model_instance(context.load_model(compiled.model_json))
        device = instance.hosted()
        floats = outputs(held_out, lambda x: session.run(None, {"image": x})[0], "float, ONNX Runtime")
        reference = outputs(held_out, lambda x: quantized(x)[0], "int8, reference")
        agreement: list[bool] = []

        def both(x: NDArray[np.float32]) -> NDArray[Any]:
            values = device.named_inputs([x])
            stored = device.device_bytes(values)
            results = device.run_device(stored)
            agreement.append(equal(results, quantized.hosted.run_device(stored)))
            return device.finish(values, results)[0]

        simulated = outputs(held_out, both, "int8, device model")

    same = sum(agreement)
    print(f"\nAccuracy on the {len(held_out.labels)} held-out digits")
    print(f"  float, ONNX Runtime           {accuracy(floats, held_out)}")
    print(f"  int8, reference interpreter   {accuracy(reference, held_out)}")
    print(f"  int8, device model            {accuracy(simulated, held_out)}")
    agree = "agree bit for bit" if same == len(agreement) else "DIFFER"
    print(f"Simulator and reference {agree}: every output byte is the same on {same} of {len(agreement)} digits.")

    report = json.loads((BUILD / "compiled_model" / "report.json").read_text("utf-8"))
    show("One frame on the device", [*totals_lines(report), *rate_lines(report)])
    show("Units", unit_lines(report))
    show("Layers", layer_lines(report))
    print(f"\nArtifacts are in {BUILD.relative_to(Path.cwd()) if BUILD.is_relative_to(Path.cwd()) else BUILD}")
    return 0 if same == len(agreement) else 1


def outputs(digits: Digits, run: Callable[[NDArray[np.float32]], Any], what: str) -> NDArray[np.float32]:
    """The network's output for every digit, one by one, with a bar where someone looks."""
    frames: Iterable[NDArray[np.float32]] = digits.images
    if sys.stderr.isatty():
        from rich.console import Console as RichConsole

        frames = track(frames, what, console=RichConsole(stderr=True), transient=True)
    return np.concatenate([run(frame[None]) for frame in frames])


def accuracy(results: NDArray[np.float32], digits: Digits) -> str:
    right = int((results.argmax(axis=1) == digits.labels).sum())
    return f"{right / len(digits.labels):7.2%}  ({right} right)"


def equal(left: Sequence[NDArray[Any]], right: Sequence[NDArray[Any]]) -> bool:
    return all(np.array_equal(a, b) for a, b in zip(left, right, strict=True))


def show(title: str, lines: Iterable[str]) -> None:
    print(f"\n{title}")
    for line in lines:
        print(f"  {line}")


if __name__ == "__main__":
    sys.exit(run_tool(main))
