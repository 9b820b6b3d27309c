"""The graph of an ONNX model as a graph: definitions, uses, order."""

from __future__ import annotations

from collections.abc import Sequence

from onnx import GraphProto, NodeProto

from axir.ir.diagnostics import AxirError

NumberedNode = tuple[int, NodeProto]
"""A node and its position in the file."""


def node_label(number: int, node: NodeProto) -> str:
    """The node's name, or operator and position in the file where it has none."""
    return node.name or f"{node.op_type}_{number}"


def ordered_nodes(file: str, graph: GraphProto) -> list[NumberedNode]:
    """The nodes with every value defined before it is used; the order of the file where that holds already.

    Raises `AxirError` for a value defined twice, a value defined nowhere, and a cycle.
    """
    outside = {value.name for value in graph.input} | {tensor.name for tensor in graph.initializer}
    producer = _producers(file, graph, outside)
    _check_uses(file, graph, outside, producer)

    order: list[NumberedNode] = []
    # 0: not seen, 1: its inputs are being placed, 2: placed. An explicit stack: graphs are deeper than Python's.
    state = [0] * len(graph.node)
    for root in range(len(graph.node)):
        stack = [root]
        while stack:
            number = stack[-1]
            pending = [producer[name] for name in graph.node[number].input if name in producer]
            pending = [other for other in pending if state[other] != 2]
            if state[number] == 2 or not pending:
                if state[number] != 2:
                    state[number] = 2
                    order.append((number, graph.node[number]))
                stack.pop()
                continue
            state[number] = 1
            blocked = next((other for other in pending if state[other] == 1), None)
            if blocked is not None:
                raise _error(file, graph, number, f"depends on itself through '{_shared(graph, blocked, number)}'")
            stack.append(pending[0])
    return order


def live_nodes(graph: GraphProto, nodes: Sequence[NumberedNode]) -> list[NumberedNode]:
    """The nodes, in their order, that an output of the graph depends on."""
    needed = {value.name for value in graph.output}
    live: list[NumberedNode] = []
    for number, node in reversed(nodes):
        if not needed.isdisjoint(node.output):
            needed.update(name for name in node.input if name)
            live.append((number, node))
    return live[::-1]


def _producers(file: str, graph: GraphProto, outside: set[str]) -> dict[str, int]:
    producer: dict[str, int] = {}
    for number, node in enumerate(graph.node):
        for name in node.output:
            if not name:
                continue
            if name in outside:
                raise _error(file, graph, number, f"defines '{name}', which is an input or initializer of the graph")
            if name in producer:
                first = node_label(producer[name], graph.node[producer[name]])
                raise _error(file, graph, number, f"defines '{name}', which node '{first}' defines already")
            producer[name] = number
    return producer


def _check_uses(file: str, graph: GraphProto, outside: set[str], producer: dict[str, int]) -> None:
    for number, node in enumerate(graph.node):
        for name in node.input:
            if name and name not in outside and name not in producer:
                raise _error(file, graph, number, f"uses '{name}', which nothing defines")
    for value in graph.output:
        if value.name not in outside and value.name not in producer:
            raise AxirError(f"the graph returns '{value.name}', which nothing defines", location=file)


def _shared(graph: GraphProto, producer: int, user: int) -> str:
    return next(name for name in graph.node[user].input if name in graph.node[producer].output)


def _error(file: str, graph: GraphProto, number: int, message: str) -> AxirError:
    node = graph.node[number]
    return AxirError(
        f"{node.op_type} {message}",
        location=f"{file}:{number}:0",
        node=node_label(number, node),
        notes=("the graph is not well formed; check the program that wrote it",),
    )
