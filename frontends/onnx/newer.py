"""Models of operator sets that are newer than those supported, whose nodes mean what they meant before."""

from __future__ import annotations

from collections.abc import Iterable

from onnx import NodeProto, defs


def changed_operator(nodes: Iterable[NodeProto], supported: int, version: int) -> str | None:
    """The first operator that means something else in `version`, as "Name of operator set N"; None where all do not.

    A node means the same where its operator has changed in nothing but types, and in attributes that it does not give.
    """
    for node in nodes:
        if node.domain in ("", "ai.onnx") and not means_the_same(node, supported, version):
            return f"{node.op_type} of operator set {_since(node.op_type, version)}"
    return None


def means_the_same(node: NodeProto, supported: int, version: int) -> bool:
    try:
        old, new = defs.get_schema(node.op_type, supported), defs.get_schema(node.op_type, version)
    except defs.SchemaError:
        return False
    return (
        [(p.name, p.option) for p in old.inputs] == [(p.name, p.option) for p in new.inputs]
        and [(p.name, p.option) for p in old.outputs] == [(p.name, p.option) for p in new.outputs]
        and {a.name for a in node.attribute} <= set(old.attributes)
        and all(_meaning(old.attributes[name]) == _meaning(new.attributes.get(name)) for name in old.attributes)
    )


def _meaning(attribute: defs.OpSchema.Attribute | None) -> tuple[object, ...] | None:
    if attribute is None:
        return None
    return str(attribute.type), attribute.required, attribute.default_value.SerializeToString()


def _since(operator: str, version: int) -> int:
    try:
        return defs.get_schema(operator, version).since_version
    except defs.SchemaError:
        return version
