"""Writes an `ax.graph` as an ONNX model, for ONNX Runtime to run: on the host, in calibration, in tests."""

from __future__ import annotations

from collections.abc import Sequence

from onnx import ModelProto, ValueInfoProto, helper
from xdsl.ir import Operation, SSAValue

from axir import __version__
from axir.backends.onnx.emitter import Emitter
from axir.backends.onnx.foreign import emit_foreign, is_standard
from axir.backends.onnx.operators import DILATED_AVERAGE_OPSET, emit
from axir.dialects import ax, base
from axir.frontends.onnx.tensors import onnx_type
from axir.ir.constants import constant_array
from axir.ir.location import node_name
from axir.ir.store import WeightStore

OPSET = 17
"""The version of ONNX's operators, unless something in the graph needs a later one."""
IR_VERSION = 8
"""The file format that came with operator set 17."""


def export_graph(
    graph: ax.GraphOp, store: WeightStore, *, extra_outputs: Sequence[SSAValue] = ()
) -> tuple[ModelProto, dict[SSAValue, str]]:
    """The ONNX model that computes `graph`, and the tensor name of every value in it.

    Inputs and outputs have the graph's names; `extra_outputs` become outputs after those, each fetched by its name in
    the result. Epilogues are expanded. Nodes are named after the ONNX nodes they come from. The operator set is 17,
    or that of an `ax.onnx` node of a later version; older ones are converted. Equal graphs give equal models.
    Raises `AxirError` where a constant is missing in the store, or a node cannot be converted.
    """
    return _Export(graph, store).run(extra_outputs)


class _Export:
    def __init__(self, graph: ax.GraphOp, store: WeightStore):
        self.graph = graph
        self.store = store
        self.ops = [op for op in graph.body.block.ops if not isinstance(op, ax.ReturnOp)]
        self.inputs = [name.data for name in graph.inputs]
        self.outputs = [name.data for name in graph.outputs]
        self.e = Emitter(_opset(self.ops), [*self.inputs, *self.outputs])
        self.names: dict[SSAValue, str] = dict(zip(graph.body.block.args, self.inputs, strict=True))

    def run(self, extra_outputs: Sequence[SSAValue]) -> tuple[ModelProto, dict[SSAValue, str]]:
        returned = list(zip(self.graph.terminator.operands, self.outputs, strict=True))
        for value, name in returned:
            # A value that is computed here and returned has its output's name, the first if there are several.
            if value not in self.names and not isinstance(value.owner, ax.ConstantOp):
                self.names[value] = name
        for op in self.ops:
            self.emit(op)
        infos = [self.output(value, name) for value, name in returned]
        for value in dict.fromkeys(extra_outputs):
            if not self.computed(value):
                self.names[value] = self.copied(value, self.e.tensor(f"{self.names.get(value, 'constant')}:value"))
            if self.names[value] not in self.outputs:
                infos.append(_info(self.names[value], value))
        return self.model(infos), self.names

    def computed(self, value: SSAValue) -> bool:
        """Whether a node has `value` as its output; ONNX has no outputs that are inputs or constants."""
        return isinstance(value.owner, Operation) and not isinstance(value.owner, ax.ConstantOp)

    def output(self, value: SSAValue, name: str) -> ValueInfoProto:
        if not self.computed(value) or self.names[value] != name:
            self.copied(value, name)
        return _info(name, value)

    def copied(self, value: SSAValue, name: str) -> str:
        self.e.base = name
        return self.e.node("Identity", [self.name(value, "constant")], name)

    def emit(self, op: Operation) -> None:
        if isinstance(op, ax.ConstantOp):
            return
        self.e.base = node_name(op) or op.name
        inputs = [self.operand(op, index) for index in range(len(op.operands))]
        for index, result in enumerate(op.results):
            if result not in self.names:
                self.names[result] = self.e.tensor(f"{self.e.base}:{index}" if index else self.e.base)
        outputs = [self.names[result] for result in op.results]
        if isinstance(op, ax.OnnxOp):
            emit_foreign(self.e, op, inputs, outputs, self.store)
        else:
            emit(self.e, op, inputs, outputs[0])

    def operand(self, op: Operation, index: int) -> str:
        weighted = isinstance(op, ax.ConvOp | ax.ConvTransposeOp | ax.GemmOp)
        role = ("input", "weight", "bias")[index] if weighted and index < 3 else "constant"
        return self.name(op.operands[index], role)

    def name(self, value: SSAValue, role: str) -> str:
        """The tensor of `value`; a constant becomes an initializer when it is first asked for, named by its `role`."""
        if value not in self.names and isinstance(value.owner, ax.ConstantOp):
            self.names[value] = self.e.initializer(role, constant_array(value.owner.value, self.store, value.owner))
        return self.names[value]

    def model(self, outputs: Sequence[ValueInfoProto]) -> ModelProto:
        inputs = [_info(name, value) for name, value in zip(self.inputs, self.graph.body.block.args, strict=True)]
        graph = helper.make_graph(self.e.nodes, self.graph.sym_name.data, inputs, outputs, self.e.initializers)
        versions = {"": self.e.opset}
        for op in self.ops:
            if isinstance(op, ax.OnnxOp) and not is_standard(op):
                versions[op.domain.data] = op.opset.value.data
        imports = [helper.make_opsetid(domain, version) for domain, version in versions.items()]
        return helper.make_model(
            graph,
            opset_imports=imports,
            ir_version=max(IR_VERSION, helper.find_min_ir_version_for(imports[:1])),
            producer_name="axir",
            producer_version=__version__,
        )


def _opset(ops: Sequence[Operation]) -> int:
    needed = [op.opset.value.data for op in ops if isinstance(op, ax.OnnxOp) and is_standard(op)]
    if any(isinstance(op, ax.AvgPoolOp) and set(base.ints_of(op.dilations)) != {1} for op in ops):
        needed.append(DILATED_AVERAGE_OPSET)
    return max([OPSET, *needed])


def _info(name: str, value: SSAValue) -> ValueInfoProto:
    return helper.make_tensor_value_info(name, onnx_type(base.tensor_of(value).element_type), base.shape_of(value))
