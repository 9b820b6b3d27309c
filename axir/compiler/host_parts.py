"""The network as the host sees it: its inputs, outputs and parts; the parts that the host computes as ONNX."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import cast

from xdsl.dialects.builtin import ArrayAttr, ModuleOp, StringAttr, TensorType
from xdsl.ir import Attribute, BlockArgument

from axir.compiler.source import STORED_IO, in_order
from axir.dialects import aipu, ax, axq
from axir.ir.constants import constant_array, numpy_dtype
from axir.ir.store import WeightStore
from axir.passes.graph_parts import OUTPUTS
from axir.passes.remove_layout_transform import nhwc_inputs, to_nhwc
from axir.runtime.hosted_model import HostTensor

Named = list[tuple[str, Attribute]]


@dataclass(frozen=True)
class HostParts:
    """Inputs and outputs of the whole network; its parts in the order of execution.

    Parts are by name: of the host's the serialized ONNX model, of the device's segments None. `stored` names the
    device's tensors of which only the stored bytes are taken and given.
    """

    inputs: tuple[HostTensor, ...]
    outputs: tuple[HostTensor, ...]
    parts: Mapping[str, bytes | None]
    stored: tuple[str, ...]


def host_parts(module: ModuleOp, store: WeightStore) -> HostParts:
    """The host's view of a module that is split, at any level.

    An input of the network is what no earlier graph computes; the last graph gives the network's outputs, if the
    module does not name others. With `STORED_IO`, an input that only the device takes holds its stored bytes, and so
    does an output that the device gives, also one that passes the host's last part by.
    """
    inputs: dict[str, Attribute] = {}
    computed: dict[str, Attribute] = {}
    returned: Named = []
    parts: dict[str, bytes | None] = {}
    on_host: dict[str, bool] = {}
    passed: dict[str, str] = {}
    for op in module.ops:
        if not isinstance(op, ax.GraphOp | axq.GraphOp | aipu.ProgramOp):
            continue
        taken, returned = _signature(op)
        inputs |= {name: type_ for name, type_ in taken if name not in computed and name not in inputs}
        computed |= {name: type_ for name, type_ in returned if name not in computed}
        parts[op.sym_name.data] = _exported(op, store) if isinstance(op, ax.GraphOp) else None
        passed = _passed(op) if isinstance(op, ax.GraphOp) else {}
        if isinstance(op, ax.GraphOp):
            on_host |= {name: computes or on_host.get(name, False) for name, computes in _read(op).items()}
    named = module.attributes.get(OUTPUTS)
    if isinstance(named, ArrayAttr):
        given_outputs = cast(ArrayAttr[StringAttr], named)
        returned, passed = [(name.data, computed[name.data]) for name in given_outputs], {}
    keep = STORED_IO in module.attributes
    channels_last = nhwc_inputs(module)
    given = [
        _host_tensor(name, inputs[name], store, None if name in on_host or not keep else name, name in channels_last)
        for name in in_order(inputs, module)
    ]
    outputs: list[HostTensor] = []
    for name, type_ in returned:
        source = passed.get(name, name)
        outputs.append(_host_tensor(name, computed.get(source, type_), store, source if keep else None))
    return HostParts(
        tuple(given),
        tuple(outputs),
        parts,
        tuple(t.device for t in (*given, *outputs) if t.device is not None and not on_host.get(t.device, False)),
    )


def _signature(op: ax.GraphOp | axq.GraphOp | aipu.ProgramOp) -> tuple[Named, Named]:
    """Names and types of what a part takes and gives."""
    if isinstance(op, aipu.ProgramOp):
        return _ports(op.inputs), _ports(op.outputs)
    arguments = [argument.type for argument in op.body.block.args]
    results = [value.type for value in op.terminator.operands]
    return (
        [(name.data, type_) for name, type_ in zip(op.inputs, arguments, strict=True)],
        [(name.data, type_) for name, type_ in zip(op.outputs, results, strict=True)],
    )


def _ports(ports: Sequence[aipu.PortOp]) -> Named:
    return [(port.label.data, port.tensor) for port in ports]


def _read(graph: ax.GraphOp) -> dict[str, bool]:
    """The inputs of a part of the host's, and whether it computes from them or only passes them on."""
    arguments = zip(graph.inputs, graph.body.block.args, strict=True)
    return {
        name.data: any(not isinstance(use.operation, ax.ReturnOp) for use in argument.uses)
        for name, argument in arguments
    }


def _passed(graph: ax.GraphOp) -> dict[str, str]:
    """The outputs of a part that are inputs of it, by the input's name."""
    pairs = zip(graph.outputs, graph.terminator.operands, strict=True)
    return {name.data: graph.inputs.data[value.index].data for name, value in pairs if isinstance(value, BlockArgument)}


def _host_tensor(
    name: str, type_: Attribute, store: WeightStore, device: str | None, channels_last: bool = False
) -> HostTensor:
    """Of a quantized tensor, the stored bytes of `device`, or float numbers where that is None."""
    tensor = cast(TensorType[Attribute], type_)
    element, shape = tensor.element_type, tensor.get_shape()
    if channels_last:
        shape = to_nhwc(shape)
    if not isinstance(element, axq.QuantType):
        return HostTensor(name, shape, numpy_dtype(element).name, channels_last=channels_last)
    if device is None:
        return HostTensor(name, shape, "float32", channels_last=channels_last)
    return HostTensor(name, shape, "int8", device, *parameters(element, store), channels_last=channels_last)


def parameters(element: axq.QuantType, store: WeightStore) -> tuple[float | tuple[float, ...], int | tuple[int, ...]]:
    """Scale and zero point, or those of every channel."""
    if not element.per_channel:
        return element.scalar
    scales = constant_array(cast(axq.Constant, element.scale), store)
    zero_points = constant_array(cast(axq.Constant, element.zero_point), store)
    return tuple(map(float, scales.tolist())), tuple(map(int, zero_points.tolist()))


def _exported(graph: ax.GraphOp, store: WeightStore) -> bytes:
    from axir.backends.onnx.export import export_graph

    model, _ = export_graph(graph, store)
    return model.SerializeToString(deterministic=True)
