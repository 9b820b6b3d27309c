"""Reads an ONNX model and checks what must hold before any operator is looked at."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import onnx
import onnx.inliner
from google.protobuf.message import DecodeError
from onnx import AttributeProto, GraphProto, ModelProto, NodeProto

from axir.frontends.onnx.newer import changed_operator
from axir.frontends.onnx.structure import NumberedNode, live_nodes, node_label, ordered_nodes
from axir.ir.diagnostics import AxirError

MIN_OPSET, MAX_OPSET = 7, 21
"""The supported versions of ONNX's standard operators."""

STANDARD_DOMAIN = ""
_SUBGRAPH = frozenset({AttributeProto.GRAPH, AttributeProto.GRAPHS})
# ModelProto starts with its ir_version: field 1, a varint.
_FIRST_BYTE = 0x08


@dataclass(frozen=True)
class Source:
    """A model that is read and well formed: every value is defined once, before the nodes that use it."""

    file: str
    """The file's base name, for locations."""
    folder: Path | None
    """Where external data is."""
    graph: GraphProto
    nodes: tuple[NumberedNode, ...]
    """What the outputs depend on, in an order of execution."""
    opsets: Mapping[str, int]

    @property
    def opset(self) -> int:
        """The version of the standard operators."""
        return self.opsets[STANDARD_DOMAIN]


def load(model: str | Path | ModelProto) -> Source:
    """Read a model from a file, or take it as it is, and check it.

    Raises `AxirError` for a file that is absent or no ONNX model, an operator set that is not supported, a node that
    breaks its operator's schema, and a graph with a cycle, a value defined twice or a value defined nowhere.
    """
    if isinstance(model, ModelProto):
        file, folder, proto = "<model>", None, model
    else:
        path = Path(model)
        file, folder, proto = path.name, path.parent, _parse(path)
    _check_text(file, proto)
    opsets = _opsets(file, proto)
    if proto.functions:
        proto = _inline_functions(file, proto)
        opsets = _opsets(file, proto)
    _check_names(file, proto.graph)
    nodes = ordered_nodes(file, proto.graph)
    live = [(number, _in_standard_domain(node)) for number, node in live_nodes(proto.graph, nodes)]
    _check_nodes(file, live, proto.ir_version, opsets)
    return Source(file, folder, proto.graph, tuple(live), opsets)


def _parse(path: Path) -> ModelProto:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise AxirError(f"{path}: {error.strerror}") from None
    if not data:
        raise AxirError("the file is empty", location=path.name)
    proto = ModelProto()
    try:
        proto.ParseFromString(data)
    except DecodeError:
        if data[0] == _FIRST_BYTE:
            raise _damaged(path.name, "the model is truncated or damaged") from None
        raise _not_onnx(path.name) from None
    if not proto.ir_version and not proto.HasField("graph"):
        raise _not_onnx(path.name)
    if not proto.HasField("graph"):
        raise _damaged(path.name, "the model has no graph: it is truncated or damaged")
    return proto


def _not_onnx(file: str) -> AxirError:
    return AxirError("not an ONNX model", location=file, notes=("an .onnx file holds a protobuf ModelProto",))


def _damaged(file: str, message: str) -> AxirError:
    return AxirError(message, location=file, notes=("copy or export the file again",))


def _opsets(file: str, proto: ModelProto) -> dict[str, int]:
    opsets = {
        STANDARD_DOMAIN if entry.domain == "ai.onnx" else entry.domain: entry.version for entry in proto.opset_import
    }
    supported = f"operator sets {MIN_OPSET} to {MAX_OPSET} are supported"
    if STANDARD_DOMAIN not in opsets:
        raise AxirError(
            "the model does not say which ONNX operator set it uses",
            location=file,
            notes=(f"{supported}; is the file truncated?",),
        )
    for domain, given in opsets.items():
        if domain and not 0 <= given < 2**31:
            raise AxirError(
                f"the model uses version {given} of the operators of '{domain}'",
                location=file,
                notes=("the file is damaged; copy or export it again",),
            )
    version = opsets[STANDARD_DOMAIN]
    if MAX_OPSET < version <= onnx.defs.onnx_opset_version() and not proto.functions:
        changed = changed_operator(proto.graph.node, MAX_OPSET, version)
        if changed is None:
            print(
                f"warning: {file}: the model uses ONNX operator set {version}, but only operators that are the same in "
                f"{MAX_OPSET}; it is read as one of {MAX_OPSET}",
                file=sys.stderr,
            )
            return opsets | {STANDARD_DOMAIN: MAX_OPSET}
        supported += f", and later ones without {changed}"
    if not MIN_OPSET <= version <= MAX_OPSET:
        raise AxirError(
            f"the model uses ONNX operator set {version}; {supported}",
            location=file,
            notes=("export it with another opset_version, or convert it with onnx.version_converter",),
        )
    return opsets


def _in_standard_domain(node: NodeProto) -> NodeProto:
    """The node, with the empty one of the two names that the standard domain has."""
    if node.domain != "ai.onnx":
        return node
    renamed = NodeProto()
    renamed.CopyFrom(node)
    renamed.domain = STANDARD_DOMAIN
    return renamed


def _inline_functions(file: str, proto: ModelProto) -> ModelProto:
    try:
        return onnx.inliner.inline_local_functions(proto)
    except Exception as error:  # C++ exceptions of several kinds
        raise AxirError(f"the model's functions cannot be inlined: {first_line(error)}", location=file) from None


def _check_text(file: str, proto: ModelProto) -> None:
    """Every name is text: protobuf gives one that is not as bytes."""
    graph = proto.graph
    names: list[object] = [entry.domain for entry in proto.opset_import]
    names += [item.name for item in (*graph.input, *graph.output, *graph.initializer, *graph.value_info)]
    for node in graph.node:
        names += [node.name, node.op_type, node.domain, *node.input, *node.output, *(a.name for a in node.attribute)]
    if not all(isinstance(name, str) for name in names):
        raise _damaged(file, "the model is damaged: a name in it is not text")


def _check_names(file: str, graph: GraphProto) -> None:
    if graph.sparse_initializer:
        raise AxirError("sparse initializers are not supported", location=file)
    if not graph.output:
        raise AxirError("the graph has no output", location=file)
    for what, names in (
        ("input", [value.name for value in graph.input]),
        ("initializer", [tensor.name for tensor in graph.initializer]),
        ("output", [value.name for value in graph.output]),
    ):
        repeated = _first_repeated(names)
        if repeated is not None:
            raise AxirError(f"two {what}s of the graph are named '{repeated}'", location=file)
        if "" in names:
            raise AxirError(f"an {what} of the graph has no name", location=file)


def _first_repeated(names: Iterable[str]) -> str | None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            return name
        seen.add(name)
    return None


def _check_nodes(file: str, nodes: Iterable[NumberedNode], ir_version: int, opsets: Mapping[str, int]) -> None:
    """ONNX's own check of each node against its schema: inputs, outputs, names and types of attributes."""
    context = onnx.checker.C.CheckerContext()
    context.ir_version = ir_version or onnx.IR_VERSION
    context.opset_imports = dict(opsets)
    for number, node in nodes:
        location, label = f"{file}:{number}:0", node_label(number, node)
        if any(attribute.type in _SUBGRAPH for attribute in node.attribute):
            raise AxirError(
                f"{node.op_type} holds a subgraph: control flow is not supported",
                location=location,
                node=label,
                notes=("export the model without control flow, or simplify it for fixed input shapes first",),
            )
        try:
            onnx.checker.check_node(node, context)
        except onnx.checker.ValidationError as error:
            raise AxirError(f"{node.op_type}: {first_line(error)}", location=location, node=label) from None


def first_line(error: Exception) -> str:
    """What a message of ONNX says, without its dump of the surroundings."""
    return (str(error).strip() or type(error).__name__).split("\n", 1)[0]
