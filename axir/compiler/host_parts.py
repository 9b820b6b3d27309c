"""The network as the host sees it: its own inputs and outputs, and the parts it computes itself, as ONNX."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

from xdsl.dialects.builtin import ModuleOp, TensorType
from xdsl.ir import Attribute

from axir.compiler.source import in_order
from axir.dialects import aipu, ax, axq
from axir.ir.constants import numpy_dtype
from axir.ir.store import WeightStore
from axir.runtime.hosted_model import HostTensor

Named = list[tuple[str, Attribute]]


@dataclass(frozen=True)
class HostParts:
    """Inputs and outputs of the whole network; preamble and postamble as serialized ONNX models, or None."""

    inputs: tuple[HostTensor, ...]
    outputs: tuple[HostTensor, ...]
    preamble: bytes | None
    postamble: bytes | None


def host_parts(module: ModuleOp, store: WeightStore) -> HostParts:
    """The host's view of a module that is split, at any level.

    The graphs stand in the order of execution. An input of the network is what no earlier graph computes; the last
    graph gives the network's outputs.
    """
    inputs: dict[str, Attribute] = {}
    computed: dict[str, None] = {}
    returned: Named = []
    exported: dict[str, bytes] = {}
    for op in module.ops:
        if not isinstance(op, ax.GraphOp | axq.GraphOp | aipu.ProgramOp):
            continue
        taken, returned = _signature(op)
        inputs |= {name: type_ for name, type_ in taken if name not in computed and name not in inputs}
        computed |= dict.fromkeys(name for name, _ in returned)
        if isinstance(op, ax.GraphOp):
            exported[op.sym_name.data] = _exported(op, store)
    return HostParts(
        tuple(_host_tensor(name, inputs[name]) for name in in_order(inputs, module)),
        tuple(_host_tensor(name, type_) for name, type_ in returned),
        exported.get("preamble"),
        exported.get("postamble"),
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


def _host_tensor(name: str, type_: Attribute) -> HostTensor:
    tensor = cast(TensorType[Attribute], type_)
    quantized = isinstance(tensor.element_type, axq.QuantType)
    return HostTensor(name, tensor.get_shape(), "float32" if quantized else numpy_dtype(tensor.element_type).name)


def _exported(graph: ax.GraphOp, store: WeightStore) -> bytes:
    from axir.backends.onnx.export import export_graph

    model, _ = export_graph(graph, store)
    return model.SerializeToString(deterministic=True)
