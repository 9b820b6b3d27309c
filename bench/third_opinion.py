"""A third opinion: the exported QDQ model under ONNX Runtime against the reference interpreter, on real inputs.

Counts the values within one step of their scale of each other, in two ways:

- `operators`: each operator of the QDQ model gets what the reference stored for its inputs, so that nothing but its own
  arithmetic is compared; `least` is the share of the operator that agrees least.
- `whole network`: from the network's input to its output. ONNX Runtime rounds sums of products on the way that the
  device adds exactly, and has other sigmoids. Where that moves a value over the middle between two steps, a step is the
  difference, and later layers multiply such differences, as they multiply the roundings of quantization itself.
  `itself` shows how much of it is the network's doing: ONNX Runtime running the same QDQ model as it is written
  against ONNX Runtime running it with its own integer kernels (its default).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import onnx
import onnxruntime
from harness import Report, Table, add_networks, make_parser, need_shared_folder, networks_of
from images import F32
from networks import NETWORKS
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from axir.backends.qdq.export import export_qdq
from axir.compiler.quantized_model import QuantizedModel
from axir.interp.axq import Interpreter
from axir.runtime.tensor_info import I8

BAR = 0.99


@dataclass
class Agreement:
    """Differences in steps of the output scale, added up."""

    values: int = 0
    within_one: int = 0
    worst: int = 0

    def add(self, steps: NDArray[Any]) -> None:
        self.values += steps.size
        self.within_one += int((np.abs(steps) <= 1).sum())
        self.worst = max(self.worst, int(np.abs(steps).max()))

    @property
    def share(self) -> float:
        """Of all values, those within one step."""
        return self.within_one / self.values

    def __str__(self) -> str:
        return f"{100 * self.share:.2f} %"


def session_of(model: onnx.ModelProto, optimized: bool) -> Any:
    """`optimized` allows ONNX Runtime to replace float operators between Q and DQ by its integer kernels."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    if not optimized:
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    return onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])


class WholeNetwork:
    """The QDQ model from input to output."""

    def __init__(self, model: QuantizedModel, optimized: bool):
        self._outputs = model.hosted.device_outputs
        self._session = session_of(export_qdq(model.graph, model.store), optimized)

    def run(self, feed: Mapping[str, F32]) -> list[I8]:
        """The bytes of the device's outputs."""
        found = self._session.run([tensor.name for tensor in self._outputs], dict(feed))
        return [tensor.to_stored(real) for tensor, real in zip(self._outputs, found, strict=True)]


class SingleOperators:
    """The QDQ model cut at every quantized tensor: its operators side by side, each with inputs of its own."""

    def __init__(self, model: QuantizedModel):
        exported = export_qdq(model.graph, model.store)
        graph = exported.graph
        stored = {node.output[0] for node in graph.node if node.op_type == "QuantizeLinear"}
        # One for every tensor that the device stores: the network's inputs first, then the operators' results.
        cuts = [node for node in graph.node if node.op_type == "DequantizeLinear" and node.input[0] in stored]
        constants = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
        self._network_inputs = [value.name for value in graph.input]
        self._tensors = [node.output[0] for node in cuts]
        self._own = [f"{name}.own" for name in self._tensors]
        self._scales = [_over_nchw(constants[node.input[1]]) for node in cuts]
        self._zero_points = [_over_nchw(constants[node.input[2]]).astype(np.int32) for node in cuts]
        for node, own in zip(cuts, self._own, strict=True):
            node.output[0] = own
        del graph.output[:]
        graph.input.extend(helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in self._tensors)
        graph.output.extend(helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in self._own)
        self._interpreter = Interpreter(model.graph, model.store)
        self._session = session_of(exported, optimized=False)
        self.agreements = [Agreement() for _ in cuts[len(self._network_inputs) :]]

    def add(self, inputs: list[I8]) -> None:
        """Compare every operator on one frame."""
        stored = [*inputs]
        self._interpreter.run(inputs, lambda _, tensor: stored.append(tensor))
        parameters = zip(stored, self._scales, self._zero_points, strict=True)
        reals = [(tensor.astype(np.int32) - zero).astype(np.float32) * scale for tensor, scale, zero in parameters]
        feed = dict(zip(self._tensors, reals, strict=True)) | dict(zip(self._network_inputs, reals, strict=False))
        first = len(inputs)
        found = cast(list[F32], self._session.run(self._own[first:], feed))
        expected = zip(found, reals[first:], self._scales[first:], strict=True)
        for agreement, (own, real, scale) in zip(self.agreements, expected, strict=True):
            agreement.add(np.rint((own - real) / scale))


def _over_nchw(parameter: NDArray[Any]) -> NDArray[Any]:
    """One number, or one for every channel."""
    return parameter.reshape(-1, 1, 1) if parameter.ndim else parameter


def main() -> int:
    parser = make_parser(__doc__)
    add_networks(parser, list(NETWORKS))
    parser.add_argument("--inputs", type=int, default=4, metavar="N", help="inputs a network, at least (default 4)")
    arguments = parser.parse_args()
    shared = need_shared_folder()

    report = Report("QDQ export under ONNX Runtime against the reference interpreter", arguments.no_bars)
    print(f"{'':30}{'operators, one by one':>36}{'whole network':>40}")
    table = Table(
        network=-22, inputs=6, operators=9, within_one=10, least=9, worst=5, values=9, within_1=10, most=5, itself=9
    )
    single: list[bool] = []
    whole: list[bool] = []
    for name in networks_of(arguments):
        network = NETWORKS[name]
        model = network.quantize(shared)
        operators = SingleOperators(model)
        written, optimized = WholeNetwork(model, False), WholeNetwork(model, True)
        to_reference, to_itself = Agreement(), Agreement()
        frames = max(arguments.inputs, network.frames)
        for sample in network.inputs(shared, frames):
            hosted = model.hosted
            values = hosted.named_inputs([sample])
            inputs = hosted.device_bytes(values)
            feed = {tensor.name: values[tensor.name] for tensor in hosted.device_inputs}
            results = zip(hosted.run_device(inputs), written.run(feed), optimized.run(feed), strict=True)
            for reference, as_written, with_kernels in results:
                to_reference.add(as_written.astype(np.int32) - reference)
                to_itself.add(as_written.astype(np.int32) - with_kernels)
            operators.add(inputs)
        found = operators.agreements
        total = Agreement(sum(a.values for a in found), sum(a.within_one for a in found), max(a.worst for a in found))
        least = min(found, key=lambda agreement: agreement.share)
        table.row(
            name, frames, len(found), total, least, total.worst,
            f"{to_reference.values:,}", to_reference, to_reference.worst, to_itself,
        )  # fmt: skip
        single.append(least.share >= BAR)
        whole.append(to_reference.share >= BAR)
    print()
    text = f">= {100 * BAR:.0f} % of values within one step"
    report.bar(all(single), f"operators one by one, each: {text}: {sum(single)} of {len(single)} networks")
    print(f"aim      whole network: {text}: {sum(whole)} of {len(whole)} networks (the runtime itself: see above)")
    return report.finish()


if __name__ == "__main__":
    raise SystemExit(main())
