"""A third opinion: the exported QDQ model under ONNX Runtime against the reference interpreter, on real inputs.

Counts the values of the device's outputs that lie within one step of the output scale of each other. `as written` runs
the model's float operators between QuantizeLinear and DequantizeLinear literally; `optimized` lets ONNX Runtime replace
them by its own integer kernels, whose roundings and tables are others. The bar is on the first.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import onnxruntime
from harness import Report, Table, add_networks, make_parser, need_shared_folder, networks_of
from images import F32
from networks import NETWORKS

from axir.backends.qdq.export import export_qdq
from axir.compiler.quantized_model import QuantizedModel

BAR = 0.99


class QdqSession:
    """The QDQ form of a quantized model under ONNX Runtime."""

    def __init__(self, model: QuantizedModel, optimized: bool):
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        if not optimized:
            options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
        data = export_qdq(model.graph, model.store).SerializeToString()
        self._session: Any = onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
        self._outputs = [tensor.name for tensor in model.hosted.device_outputs]

    def run(self, feed: dict[str, Any]) -> list[F32]:
        return self._session.run(self._outputs, feed)


class Agreement:
    """How far two executions of a network are apart, in steps of the output scale."""

    def __init__(self) -> None:
        self.values = self.within_one = self.equal = self.worst = 0

    def add(self, model: QuantizedModel, session: QdqSession, sample: F32) -> None:
        """Compare all outputs for one input."""
        hosted = model.hosted
        values = hosted.named_inputs([sample])
        stored = hosted.run_device(hosted.device_bytes(values))
        found = session.run({tensor.name: values[tensor.name] for tensor in hosted.device_inputs})
        for tensor, expected, real in zip(hosted.device_outputs, stored, found, strict=True):
            steps = np.abs(tensor.to_stored(real).astype(np.int32) - expected)
            self.values += steps.size
            self.within_one += int((steps <= 1).sum())
            self.equal += int((steps == 0).sum())
            self.worst = max(self.worst, int(steps.max()))

    @property
    def share(self) -> float:
        """Of all values, those within one step."""
        return self.within_one / self.values


def main() -> int:
    parser = make_parser(__doc__)
    add_networks(parser, list(NETWORKS))
    parser.add_argument("--inputs", type=int, default=4, metavar="N", help="real inputs a network (default 4)")
    arguments = parser.parse_args()
    shared = need_shared_folder()

    report = Report("QDQ export under ONNX Runtime against the reference interpreter", arguments.no_bars)
    print(" " * 40 + "as written".center(28) + "optimized".center(28))
    table = Table(network=-22, inputs=6, values=9, within_one=10, equal=8, worst=5, within_1=10, same=8, most=5)
    reached: list[bool] = []
    for name in networks_of(arguments):
        model = NETWORKS[name].quantize(shared)
        runs = [(QdqSession(model, optimized), Agreement()) for optimized in (False, True)]
        for sample in NETWORKS[name].inputs(shared, arguments.inputs):
            for session, agreement in runs:
                agreement.add(model, session, sample)
        cells: list[object] = []
        for _, agreement in runs:
            equal = agreement.equal / agreement.values
            cells += [f"{100 * agreement.share:.3f} %", f"{100 * equal:.2f} %", agreement.worst]
        table.row(name, arguments.inputs, f"{runs[0][1].values:,}", *cells)
        reached.append(runs[0][1].share >= BAR)
    print("\nworst: the greatest difference of one value, in steps of the output scale")
    report.bar(all(reached), f">= {100 * BAR:.0f} % of values within one step: {sum(reached)} of {len(reached)} networks")
    return report.finish()


if __name__ == "__main__":
    raise SystemExit(main())
