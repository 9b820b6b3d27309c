"""`axc --sensitivity`: what each layer costs in accuracy when it alone is quantized, and what was measured to help.

A layer alone is the float network in which one operator has the weights, the bias and the result that the int8 network
has there: real numbers that its bytes stand for. Everything else computes in float, from the rounded result on. An
input of the network, or of a segment behind an island, is a layer too. Operators that move bytes round nothing.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Attribute, Operation, SSAValue
from xdsl.irdl import AttrSizedOperandSegments

from axir import numerics
from axir.compiler.calibration import calibrate_module
from axir.compiler.config import CompilerConfig
from axir.compiler.dataset import Sample
from axir.compiler.driver import check_supported
from axir.compiler.float_sweep import Array, FloatNetwork, Outputs, Piece, Step
from axir.compiler.graph_stage import run_graph_passes
from axir.compiler.output import SENSITIVITY_JSON, SENSITIVITY_TEXT, add_to_folder, json_text
from axir.compiler.pipeline import QUANTIZE_PASSES, make_passes
from axir.compiler.quantization_debug import computing
from axir.compiler.quantized_model import QuantizedModel, device_tensors, parameters
from axir.compiler.request import Request
from axir.compiler.session import Listener, Session
from axir.compiler.source import Level, level_of, read_source
from axir.dialects import ax, axq
from axir.dialects.base import TypedOp, shape_of
from axir.interp.axq import Interpreter
from axir.ir.constants import constant_array, constant_attr
from axir.ir.diagnostics import AxirError
from axir.ir.location import layer_name
from axir.ir.pass_manager import run_passes
from axir.ir.store import WeightStore
from axir.passes.graph_flow import operators
from axir.passes.graph_parts import device_graphs, on_device
from axir.passes.quantization.clipping import RULES
from axir.passes.quantization.float_graph import FloatGraph
from axir.passes.quantization.graph import SHARING, device_parts
from axir.passes.quantization.samples import main_samples
from axir.passes.quantization.weights import per_weight
from axir.passes.widen_activations import refusal
from axir.runtime.tensor_info import QuantizedTensor

F32 = NDArray[np.float32]

STAGE = "sensitivity"
SAMPLES = 8
"""The table is over the first so many calibration samples."""
EXAMINED = 10
"""Remedies are tried on so many layers, the worst."""
WORTH = 0.5
"""A remedy is named from this gain on, in dB."""
SIXTEEN_BITS = "a result of 16 bits"


@dataclass(frozen=True)
class Form:
    """How the int8 network holds a layer: its result, and real numbers for its weights and bias, if it has any.

    `result` and `weight` are the attributes that say so, to compare forms by.
    """

    tensor: QuantizedTensor
    result: Attribute
    weight: tuple[Attribute, ...] = ()
    weights: tuple[F32, F32] | None = None

    def rounded(self, array: Array) -> Array:
        return self.tensor.to_real(self.tensor.to_stored(array))


Place = tuple[str, str, int]
"""Segment, "input" or "layer", number: where a layer is in a module, at either level."""
Forms = dict[Place, Form]


@dataclass
class Layer:
    """A row of the table: noise is relative to the signal, the mean over the network's outputs; None: not measured."""

    name: str
    operator: str
    part: str
    place: Place
    value: SSAValue
    op: TypedOp | None
    noise: float = 0.0
    own_noise: float = 0.0
    of_weights: float | None = None
    of_result: float = 0.0
    helps: list[tuple[str, float]] = field(default_factory=list[tuple[str, float]])

    def to_json(self, total: float) -> dict[str, Any]:
        return {
            "layer": self.name,
            "operator": self.operator,
            "part": self.part,
            "sqnr_db": decibels(self.noise),
            "share": round(self.noise / total, 6) if total else 0.0,
            "weights_alone_db": None if self.of_weights is None else decibels(self.of_weights),
            "result_alone_db": decibels(self.of_result),
            "own_sqnr_db": decibels(self.own_noise),
            "helps": [{"what": what, "sqnr_db": decibels(noise)} for what, noise in self.helps],
        }


def decibels(noise: float) -> float | None:
    """The signal to quantization noise ratio of a relative noise power, in dB; None (JSON: null) where it is 0."""
    return round(-10 * math.log10(noise), 3) if noise > 0 else None


def sensitivity_report(request: Request, listener: Listener | None = None, samples: int = SAMPLES) -> dict[str, Any]:
    """The table as JSON, worst layer first, over the first `samples` calibration samples. Writes nothing.

    Raises `AxirError` as a compilation does, also for a module that is quantized already.
    """
    if samples < 1:
        raise AxirError(f"the number of samples must be at least 1, not {samples}")
    session = Session(
        check_supported(request), request.target, listener, options={"host_islands": request.host_islands}
    )
    if isinstance(request.model, QuantizedModel):
        raise _quantized_already(None)
    with session.stage("import"):
        module = read_source(request.model, session, request.input_shapes)
        level = level_of(module, str(request.path or "<model>"))
    if level >= Level.QUANTIZED:
        raise _quantized_already(request.path)
    given = request.samples(module, session) if level == Level.CALIBRATED else None
    if given is None:
        run_graph_passes(module, session)
        given = request.samples(module, session)
        given.keep = samples
        calibrate_module(module, session, given, for_every_scheme=True)
    session.run(module, *QUANTIZE_PASSES[:-1])
    kept = given.kept or list(islice(given, samples))
    if not kept:
        raise AxirError("there are no samples to compare on")
    with session.stage(STAGE):
        table = _Table(module, session, list(main_samples(module, session.context.store, kept)))
        return {"model": request.name, **table.measured()}


def write_report(folder: Path, report: Mapping[str, Any], text: Sequence[str]) -> None:
    """Put the table into `folder`, as text and JSON, beside the artifacts of a compilation if they are there.

    Raises `OSError`, and `AxirError` for a folder that holds anything else.
    """
    add_to_folder(folder, {SENSITIVITY_TEXT: "\n".join(text) + "\n", SENSITIVITY_JSON: json_text(report)})


def _quantized_already(path: Path | None) -> AxirError:
    return AxirError(
        "the model is quantized already; there is no float network to compare with",
        location=None if path is None else str(path),
        notes=("--sensitivity takes a float network: an ONNX model, or an ax.graph",),
    )


class _Table:
    """Measures the layers of a calibrated module on samples of the inputs of its device's parts."""

    def __init__(self, module: ModuleOp, session: Session, samples: Sequence[Sample]):
        self.module, self.session, self.samples = module, session, samples
        self.store = session.context.store
        self.network = FloatNetwork(module, self.store)
        self.quantized = self._quantize(session.config)
        self.forms = forms_of(self.quantized, self.store)
        self.exact = next(self.network.steps(samples)).exact()
        self.signals = _powers(self.exact)
        if not any(self.signals):
            raise AxirError("the network gives only zeros on these samples; there is no signal to compare with")

    def measured(self) -> dict[str, Any]:
        """The table, as JSON."""
        layers = self._layers()
        planned = len(layers) + min(EXAMINED, len(layers))
        self._visit(layers, self._measure, 0, planned)
        layers.sort(key=lambda layer: (-layer.noise, layer.name))
        remedies = self._remedies()
        self._visit(layers[:EXAMINED], lambda step, layer: self._examine(step, layer, remedies), len(layers), planned)
        total = sum(layer.noise for layer in layers)
        return {
            "samples": len(self.samples),
            "unit": "dB",
            "outputs": [layer_name(cast(Operation, value.owner)) for value in self.network.returned],
            "together_db": decibels(self._noise(self._together())),
            "sum_of_layers_db": decibels(total),
            "layers": [layer.to_json(total) for layer in layers],
        }

    def _layers(self) -> list[Layer]:
        """The places where something is rounded, in program order."""
        layers: dict[SSAValue, Layer] = {}
        for graph in device_graphs(self.module):
            part = graph.sym_name.data
            for number, (name, argument) in enumerate(zip(graph.inputs, graph.body.block.args, strict=True)):
                value = self.network.values[argument]
                layers.setdefault(value, Layer(name.data, "input", part, (part, "input", number), value, None))
            for number, op in enumerate(operators(graph)):
                if not isinstance(op, SHARING):
                    value = self.network.values[op.results[0]]
                    kind = op.name.removeprefix("ax.")
                    place = (part, "layer", number)
                    layers[value] = Layer(layer_name(op), kind, part, place, value, cast(TypedOp, value.owner))
        return list(layers.values())

    def _visit(self, layers: Sequence[Layer], work: Callable[[Step, Layer], None], done: int, planned: int) -> None:
        """Go through the network once, and do the work at every layer's place."""
        wanted: dict[object, list[Layer]] = {}
        for layer in layers:
            owner = layer.value.owner
            wanted.setdefault(owner if isinstance(owner, Operation) else None, []).append(layer)
        for step in self.network.steps(self.samples):
            for layer in wanted.pop(step.op, ()):
                work(step, layer)
                done += 1
                self.session.listener.progress(done, planned)
            if not wanted:
                return

    def _measure(self, step: Step, layer: Layer) -> None:
        form = self.forms[layer.place]
        arrays = self._arrays(step, layer, form)
        exact = [state[layer.value] for state in step.states]
        signal = sum(_power(array) for array in exact)
        layer.own_noise = sum(_power(a - b) for a, b in zip(arrays, exact, strict=True)) / signal if signal else 0.0
        layer.noise = layer.of_result = self._noise(step.replaced(layer.value, arrays))
        if form.weights is not None:
            layer.of_result = self._noise(step.replaced(layer.value, map(form.rounded, exact)))
            layer.of_weights = self._noise(step.replaced(layer.value, self._arrays(step, layer, form, rounded=False)))

    def _examine(self, step: Step, layer: Layer, remedies: Mapping[str, Forms]) -> None:
        """Find what helps a layer: other forms, each measured, and 16 bits, whose rounding is 2**-16 of the noise."""
        form, of_weights = self.forms[layer.place], layer.of_weights or 0.0
        enough = layer.noise * 10 ** (-WORTH / 10)
        found: list[tuple[str, float]] = []
        if layer.op is not None and refusal(layer.op) is None:
            found.append((SIXTEEN_BITS, of_weights + layer.of_result / (1 << 16)))
        for what, forms in remedies.items():
            other = forms[layer.place]
            hopeful = (other.result != form.result and of_weights < enough) or (
                other.weight != form.weight and layer.of_result < enough
            )
            if hopeful:
                found.append((what, self._noise(step.replaced(layer.value, self._arrays(step, layer, other)))))
        layer.helps = sorted((help_ for help_ in found if help_[1] <= enough), key=lambda help_: help_[1])

    def _arrays(self, step: Step, layer: Layer, form: Form, *, rounded: bool = True) -> list[Array]:
        """What the layer gives for every sample with its weights in that form, and its result if `rounded`."""
        if form.weights is None or layer.op is None:
            arrays = [state[layer.value] for state in step.states]
        else:
            piece = self._with_weights(layer.op, *form.weights)
            arrays = [piece.run(state)[0] for state in step.states]
        return [form.rounded(array) for array in arrays] if rounded else arrays

    def _with_weights(self, op: TypedOp, weight: F32, bias: F32) -> Piece:
        """The operator with other weights, ready to run."""
        assert isinstance(op, ax.ConvOp | ax.ConvTransposeOp)
        constants = [ax.ConstantOp(constant_attr(array, self.store)) for array in (weight, bias)]
        segments = AttrSizedOperandSegments.attribute_name
        properties = {name: value for name, value in op.properties.items() if name != segments}
        operands = [op.input, constants[0].result, [constants[1].result], list(op.extras)]
        new = type(op).build(operands=operands, properties=properties, result_types=[op.result.type])
        new.location = op.location
        try:
            return Piece(self.network.graph, self.store, [new], [new.result])
        finally:
            new.drop_all_references()

    def _noise(self, found: Iterable[Outputs]) -> float:
        """The power of what outputs differ by, relative to that of the signal; the mean over the outputs."""
        noises = [0.0] * len(self.signals)
        for outputs, exact in zip(found, self.exact, strict=True):
            for index, (a, b) in enumerate(zip(outputs, exact, strict=True)):
                noises[index] += _power(a - b)
        ratios = [noise / signal for noise, signal in zip(noises, self.signals, strict=True) if signal]
        return sum(ratios) / len(ratios)

    def _remedies(self) -> dict[str, Forms]:
        """The forms that other settings give, as far as the statistics allow them."""
        found: dict[str, Forms] = {}
        for setting, value in other_settings(self.session.config):
            text = str(value).lower() if isinstance(value, bool) else value
            try:
                module = self._quantize(self.session.config.replace(**{setting: value}))
            except AxirError:  # a module that came with statistics need not have those of every scheme
                continue
            found[f"{setting}={text}"] = forms_of(module, self.store)
        return found

    def _quantize(self, config: CompilerConfig) -> ModuleOp:
        module = self.module.clone()
        run_passes(self.session.context, module, make_passes(QUANTIZE_PASSES[-1:], config, self.session.options))
        return module

    def _together(self) -> Iterator[Outputs]:
        """What the int8 network gives for each sample: the reference of the device, islands in float."""
        graphs = {graph.sym_name.data: graph for graph in self.quantized.ops if isinstance(graph, axq.GraphOp)}
        interpreters = {name: Interpreter(graph, self.store) for name, graph in graphs.items()}
        parts = device_parts(self.module)
        islands = {
            part.sym_name.data: FloatGraph(part, self.store, list(part.terminator.operands))
            for part in parts
            if not on_device(part)
        }
        for sample in self.samples:
            values = dict(sample)
            for part in parts:
                name = part.sym_name.data
                if name in islands:
                    results = islands[name].run({given.data: values[given.data] for given in part.inputs})
                    values |= dict(zip([given.data for given in part.outputs], results, strict=True))
                else:
                    inputs, outputs = device_tensors(graphs[name], self.store)
                    stored = interpreters[name].run([tensor.to_stored(values[tensor.name]) for tensor in inputs])
                    values |= {tensor.name: tensor.to_real(x) for tensor, x in zip(outputs, stored, strict=True)}
            yield [values[name] for name in self.network.outputs]


def other_settings(config: CompilerConfig) -> list[tuple[str, Any]]:
    """The settings that give a layer another form, with the values that `config` does not have."""
    found: list[tuple[str, Any]] = []
    if config.quantization_scheme == "per_tensor_min_max":
        found.append(("quantization_scheme", "per_tensor_histogram"))
    else:
        found += [("activation_clipping", rule) for rule in RULES if rule != config.activation_clipping]
    if not config.quantize_dw_channel_wise and config.quantization_scheme != "hybrid_per_tensor_per_channel":
        found.append(("quantize_dw_channel_wise", True))
    if not config.weight_clipping:
        found.append(("weight_clipping", True))
    return found


def forms_of(module: ModuleOp, store: WeightStore) -> Forms:
    """The forms of all layers of a quantized module."""
    forms: Forms = {}
    for graph in module.ops:
        if isinstance(graph, axq.GraphOp):
            part = graph.sym_name.data
            forms |= {(part, "input", n): _form(value, None, store) for n, value in enumerate(graph.body.block.args)}
            forms |= {(part, "layer", n): _form(op.results[0], op, store) for n, op in enumerate(computing(graph))}
    return forms


def _form(value: SSAValue, op: Operation | None, store: WeightStore) -> Form:
    element = axq.quant_of(value)
    tensor = QuantizedTensor("", shape_of(value), *parameters(element, store))
    if not isinstance(op, axq.ConvOp | axq.ConvTransposeOp):
        return Form(tensor, element)
    return Form(tensor, element, (op.weight, op.weight_scale), real_weights(op, store))


def real_weights(op: axq.ConvOp | axq.ConvTransposeOp, store: WeightStore) -> tuple[F32, F32]:
    """The real numbers that the weights, in their shape, and the biases [O] of a convolution stand for."""
    weight, scale, bias = (constant_array(value, store, op) for value in (op.weight, op.weight_scale, op.bias))
    transposed, group = isinstance(op, axq.ConvTransposeOp), op.group.value.data
    input_scale = np.asarray(parameters(axq.quant_of(op.input), store)[0], np.float32).reshape(-1)
    unit = numerics.multiplier(np.repeat(input_scale, len(bias) // len(input_scale)), scale).astype(np.float64)
    real = weight.astype(np.float32) * per_weight(cast(F32, scale), weight.shape, group, transposed)
    return real, (bias * unit).astype(np.float32)


def _power(array: Array) -> float:
    return float(np.square(array, dtype=np.float64).sum())


def _powers(samples: Sequence[Outputs]) -> list[float]:
    """The sum of squares of each output over all samples."""
    return [sum(map(_power, arrays)) for arrays in zip(*samples, strict=True)]
