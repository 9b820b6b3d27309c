"""`import_model`: walks the nodes of a model and builds the `ax` graph."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import numpy as np
from onnx import ModelProto, NodeProto
from xdsl.dialects.builtin import FileLineColLoc, IntAttr, LocationAttr, ModuleOp, StringAttr, TensorType
from xdsl.ir import Attribute, Operation, SSAValue

from axir.dialects import ax, base
from axir.frontends.onnx import ops_layout, ops_math, ops_norm, ops_products, ops_reduce, ops_resize, ops_window
from axir.frontends.onnx.convert import Converter, Node, Operands, Unsupported
from axir.frontends.onnx.fold import constant_value, fold, shape_value
from axir.frontends.onnx.infer import infer, static_type
from axir.frontends.onnx.inputs import input_types
from axir.frontends.onnx.load import Source, load
from axir.frontends.onnx.node_proto import encode_attributes, in_f32
from axir.frontends.onnx.tensors import Array, Tensor, element_type, graph_array, tensor_array
from axir.ir.constants import constant_attr, tensor_type
from axir.ir.context import AxContext
from axir.ir.diagnostics import AxirError
from axir.ir.location import name_loc, node_name, render_location

_Op = TypeVar("_Op", bound=Operation)

CONVERTERS: Mapping[str, Converter] = {
    **ops_window.CONVERTERS,
    **ops_products.CONVERTERS,
    **ops_norm.CONVERTERS,
    **ops_reduce.CONVERTERS,
    **ops_math.CONVERTERS,
    **ops_layout.CONVERTERS,
    **ops_resize.CONVERTERS,
}
"""The operators of ONNX that `ax` has; all others become `ax.onnx`."""

REASON = "reason"
"""The attribute of an `ax.onnx` that says why an operator of `CONVERTERS` is not one of `ax`."""


def import_model(
    model: str | Path | ModelProto, ctx: AxContext, input_shapes: Mapping[str, Sequence[int]] | None = None
) -> ModuleOp:
    """A module with the model as `ax.graph @main`; its constants go to `ctx.store`.

    `input_shapes` gives shapes, by name, to inputs whose shape the model leaves open. Every operation has the location
    `"node name"("file":node index:0)`. What does not depend on the inputs is computed; floats of other widths than
    32 bits become f32.

    Raises `AxirError`, located at file and node, for a model that is damaged, not well formed or not supported.
    """
    try:
        return _Importer(load(model), ctx, input_shapes or {}).run()
    except UnicodeDecodeError:
        file = "<model>" if isinstance(model, ModelProto) else Path(model).name
        raise AxirError("the model is damaged: a name in it is not text", location=file) from None


class _Importer:
    """Holds the values defined so far, by their ONNX names: arrays for constants, else values of the graph."""

    def __init__(self, source: Source, ctx: AxContext, input_shapes: Mapping[str, Sequence[int]]):
        self.source = source
        self.store = ctx.store
        self.tensors = {tensor.name: tensor for tensor in source.graph.initializer}
        self.declared = {value.name: value.type for value in (*source.graph.value_info, *source.graph.output)}
        self.arrays: dict[str, Array] = {}
        self.values: dict[str, SSAValue] = {}
        self.location: LocationAttr = self._line(0)
        inputs = input_types(source, input_shapes)
        self.graph = ax.GraphOp("main", inputs, [value.name for value in source.graph.output])
        self.graph.location = self.location
        self.values.update((name, arg) for (name, _), arg in zip(inputs, self.graph.body.block.args, strict=True))

    def run(self) -> ModuleOp:
        for index, proto in self.source.nodes:
            node = Node(index, proto, self.source.opset, self)
            self.location = name_loc(node.label, self.source.file, index)
            with self._located(proto.op_type):
                self._import(node)
        self.location = self._line(len(self.source.graph.node))
        for value in self.source.graph.output:
            with self._located(f"output '{value.name}'"):
                self.operand(value.name)
        self._append(ax.ReturnOp([self.values[value.name] for value in self.source.graph.output]))
        module = ModuleOp([self.graph])
        module.location = self.graph.location
        return module

    def _line(self, line: int) -> FileLineColLoc:
        return FileLineColLoc(StringAttr(self.source.file), IntAttr(line), IntAttr(0))

    def _import(self, node: Node) -> None:
        constants = self._constants(node.proto)
        if constants is not None:
            self.arrays.update(constants)
        else:
            results = zip(node.proto.output, self._convert(node), strict=False)
            self.values.update((name, value) for name, value in results if name)

    def _constants(self, proto: NodeProto) -> Mapping[str, Array] | None:
        """The outputs, by name, of a node that can be computed now."""
        kind = None if proto.domain else proto.op_type
        if kind == "Constant":
            return {proto.output[0]: constant_value(proto, self.source.folder)}
        if kind in ("Shape", "Size"):
            return {proto.output[0]: shape_value(proto, self.type_of(proto.input[0]).get_shape())}
        inputs = [self.constant(name) if name else None for name in proto.input]
        if any(name and array is None for name, array in zip(proto.input, inputs, strict=True)):
            return None
        if kind == "Identity" and inputs[0] is not None:
            return {proto.output[0]: inputs[0]}
        return fold(proto, inputs, self.source.opsets)

    def _convert(self, node: Node) -> Sequence[SSAValue]:
        converter = None if node.proto.domain else CONVERTERS.get(node.proto.op_type)
        reason = None
        if converter is not None:
            try:
                return converter(node)
            except Unsupported as unsupported:
                reason = str(unsupported)
        return self._keep(node.proto, reason)

    def _keep(self, proto: NodeProto, reason: str | None) -> Sequence[SSAValue]:
        """The node as an `ax.onnx`."""
        proto = in_f32(proto, self.source.folder)
        domain = proto.domain
        op = ax.OnnxOp.build(
            operands=[[self.operand(name, finite=False) for name in proto.input if name]],
            properties={
                "kind": StringAttr(proto.op_type),
                "domain": StringAttr(domain),
                "opset": base.integer(self.source.opsets[domain]),
                "node_attributes": encode_attributes(proto, self.store),
                "present": base.ints([bool(name) for name in proto.input]),
            },
            attributes={REASON: StringAttr(reason)} if reason else {},
            result_types=[self._result_types(proto)],
        )
        return self._append(op).results

    def _result_types(self, proto: NodeProto) -> list[Tensor]:
        """What ONNX infers, or else what the model declares."""
        inputs: list[Array | Tensor | None] = []
        for name in proto.input:
            array = self.constant(name) if name else None
            inputs.append(None if not name else self.type_of(name) if array is None else graph_array(array))
        types: list[Tensor] = []
        for name, (kind, shape) in zip(proto.output, infer(proto, inputs, self.source.opsets), strict=True):
            if (shape is None or not kind) and name in self.declared:
                kind, shape = static_type(self.declared[name])
            if shape is None or not kind:
                raise self._error(
                    f"{proto.op_type}: the shape of the result '{name}' is not known before the model runs",
                    "AXIR needs static shapes: cut the model before this node, or make its shape inputs constant",
                )
            types.append(TensorType(element_type(kind), _positive(shape)))
        return types

    # What converters use

    def constant(self, name: str) -> Array | None:
        if name not in self.arrays and name in self.tensors:
            try:
                self.arrays[name] = tensor_array(self.tensors[name], self.source.folder)
            except ValueError as error:
                raise self._error(f"initializer '{name}': {error}") from None
        return self.arrays.get(name)

    def type_of(self, name: str) -> Tensor:
        array = self.constant(name)
        return base.tensor_of(self.values[name]) if array is None else tensor_type(graph_array(array))

    def operand(self, name: str, *, finite: bool = True) -> SSAValue:
        """`finite=False` admits infinite constants, which masks of host operators are made of, but never a NaN."""
        array = self.constant(name)
        if array is not None:
            self._check_values(name, array, finite)
            if name not in self.values:
                attribute = constant_attr(graph_array(array), self.store)
                self.values[name] = self._append(ax.ConstantOp(attribute)).result
        return self.values[name]

    def emit(self, kind: type[base.TypedOp], operands: Operands, properties: Mapping[str, Attribute]) -> SSAValue:
        op = base.build(kind, operands, dict(properties))
        for value in (*op.operands, op.result):
            _positive(base.shape_of(value))
        return self._append(op).result

    def literal(self, array: Array) -> SSAValue:
        return self._append(ax.ConstantOp(constant_attr(array, self.store))).result

    def _append(self, op: _Op) -> _Op:
        op.location = self.location
        self.graph.body.block.add_op(op)
        return op

    def _check_values(self, name: str, array: Array, finite: bool) -> None:
        held = graph_array(array)
        if held.dtype.kind != "f" or np.isfinite(held).all():
            return
        nan = bool(np.isnan(held).any())
        if nan or finite:
            # An Identity hands an initializer on under another name.
            origin = next((other for other in self.tensors if self.arrays.get(other) is array), None)
            holder = f"constant '{name}'" if origin is None else f"initializer '{origin}'"
            raise self._error(
                f"{holder} holds {'NaN' if nan else 'infinite values'}",
                "the weights are damaged: check how they were trained or stored",
            )

    @contextmanager
    def _located(self, subject: str) -> Generator[None]:
        try:
            yield
        except ValueError as error:
            raise self._error(f"{subject}: {error}") from None

    def _error(self, message: str, *notes: str) -> AxirError:
        return AxirError(message, location=render_location(self.location), node=node_name(self.location), notes=notes)


def _positive(shape: tuple[int, ...]) -> tuple[int, ...]:
    if 0 in shape:
        raise ValueError(f"a tensor of shape {list(shape)} has no elements")
    return shape
