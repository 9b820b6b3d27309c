"""`axc --partition-only`: which nodes of a model run where, and why; nothing is compiled."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

from xdsl.dialects.builtin import LocationAttr, ModuleOp
from xdsl.ir import Operation

from axir.compiler.driver import check_supported
from axir.compiler.quantized_model import QuantizedModel
from axir.compiler.request import Request
from axir.compiler.session import Listener, Session
from axir.compiler.source import Level, level_of, read_source
from axir.dialects import ax
from axir.dialects.base import shape_of
from axir.ir.diagnostics import AxirError
from axir.ir.location import name_loc, named_locations, node_name
from axir.passes.device_support import unsupported
from axir.passes.graph_flow import Ops, ancestors, dependents, macs, operator_name, operators
from axir.passes.graph_parts import on_device, parts_of
from axir.passes.pipeline import GRAPH_PASSES
from axir.target.description import Target

PASSES = GRAPH_PASSES[: GRAPH_PASSES.index("drop-host-parts")]
"""What decides who runs what."""

ABSORBED = "computed by the compiler, or part of an operator beside it"


@dataclass
class Placed:
    """A node: where it runs (`part`, None for nowhere), why there if that is the host, and its multiply-accumulates."""

    node: str
    operator: str
    part: str | None = None
    kind: str | None = None
    reason: str | None = ABSORBED
    macs: int = 0

    def to_json(self) -> dict[str, Any]:
        return {
            "node": self.node,
            "operator": self.operator,
            "part": self.part,
            "kind": self.kind,
            "reason": self.reason,
            "macs": self.macs,
        }


def partition_report(request: Request, listener: Listener | None = None) -> dict[str, Any]:
    """Nodes, parts and totals. Needs no calibration data and writes nothing.

    Raises `AxirError` as a compilation does, also for a module that is quantized already.
    """
    session = Session(
        check_supported(request), request.target, listener, options={"host_islands": request.host_islands}
    )
    if isinstance(request.model, QuantizedModel):
        raise AxirError("the model is quantized already; its parts are in its module")
    with session.stage("import"):
        module = read_source(request.model, session, request.input_shapes)
        if level_of(module, str(request.path or "<model>")) > Level.CALIBRATED:
            raise AxirError(
                "the model is quantized already; its parts are the graphs of its module",
                location=str(request.path),
                notes=("--partition-only takes a float network: an ONNX model, or an ax.graph",),
            )
    nodes = _nodes(request, module)
    if len(parts_of(module)) == 1:  # else it is split already
        session.run(module, *PASSES)
    placed = _place(nodes, module)
    return {
        "model": request.name,
        "parts": [_part(graph) for graph in parts_of(module).values()],
        "totals": _totals(module, request.target),
        "nodes": [node.to_json() for node in placed],
    }


def _nodes(request: Request, module: ModuleOp) -> dict[LocationAttr, Placed]:
    """The nodes of the model, but constants, by location; of a module, its operations."""
    nodes: dict[LocationAttr, Placed] = {}
    if request.path is None or request.path.suffix != ".mlir":
        from axir.frontends.onnx.load import load
        from axir.frontends.onnx.structure import node_label

        assert not isinstance(request.model, QuantizedModel)
        source = load(request.model)
        for index, proto in source.nodes:
            if proto.op_type != "Constant":
                location = name_loc(node_label(index, proto), source.file, index)
                nodes[location] = Placed(node_label(index, proto), proto.op_type)
        return nodes
    for graph in parts_of(module).values():
        for op in operators(graph):
            for location in named_locations(op):
                nodes.setdefault(location, Placed(node_name(location) or "", operator_name(op)))
    return nodes


def _place(nodes: Mapping[LocationAttr, Placed], module: ModuleOp) -> Sequence[Placed]:
    """Say of every node where the operation is that does its work; operations without a node stand for themselves."""
    extra: list[Placed] = []
    for name, graph in parts_of(module).items():
        kind = "device" if on_device(graph) else "host"
        ops = operators(graph)
        refused = {op: None for op in ops if unsupported(op) is not None}
        for op in ops:
            reason = _reason(op, ops, refused, kind)
            found = [nodes[location] for location in named_locations(op) if location in nodes]
            if not found:
                found = [Placed(node_name(op) or "-", operator_name(op))]
                extra += found
            for node in found:
                # Of a node that became several operations, the one with most work tells, then one of the host's.
                if node.part is None or macs(op) > node.macs or (not node.macs and op in refused):
                    node.part, node.kind, node.reason = name, kind, reason
            found[0].macs += macs(op)
    return [*nodes.values(), *extra]


def _reason(op: Operation, ops: Sequence[Operation], refused: Ops, kind: str) -> str | None:
    """Why an operator is the host's; on the device only what it cannot run has a reason."""
    reason = unsupported(op)
    if reason is not None or kind == "device":
        return reason
    if any(other in refused for other in ancestors(op, ops)):
        return "it follows what the device cannot run, and is not worth a device segment"
    if any(other in refused for other in dependents(op, ops)):
        return "what the device cannot run depends on it, and it is not worth a device segment"
    if isinstance(op, ax.ConcatOp):
        return "its parts have scales of their own up to here, on the device they would share one"
    return "only the host uses it, and it is not worth the device"


def _part(graph: ax.GraphOp) -> dict[str, Any]:
    ops = operators(graph)
    inputs = sum(prod(shape_of(value)) for value in graph.body.block.args)
    outputs = sum(prod(shape_of(value)) for value in graph.terminator.operands)
    device = on_device(graph)
    return {
        "name": graph.sym_name.data,
        "kind": "device" if device else "host",
        "operators": len(ops),
        "macs": sum(map(macs, ops)),
        "inputs": [name.data for name in graph.inputs],
        "outputs": [name.data for name in graph.outputs],
        "transfer_bytes": inputs + outputs if device else 0,
    }


def _totals(module: ModuleOp, target: Target) -> dict[str, Any]:
    """Bytes are one an element, before padding; the time is that of the link alone."""
    parts = [_part(graph) for graph in parts_of(module).values()]
    segments = [part for part in parts if part["kind"] == "device"]
    work, device = sum(part["macs"] for part in parts), sum(part["macs"] for part in segments)
    moved = sum(part["transfer_bytes"] for part in segments)
    return {
        "macs": work,
        "device_macs": device,
        "device_share": device / work if work else None,
        "segments": len(segments),
        "transfers": sum(len(part["inputs"]) + len(part["outputs"]) for part in segments),
        "transfer_bytes": moved,
        "transfer_s": moved / target.host.link,
    }
