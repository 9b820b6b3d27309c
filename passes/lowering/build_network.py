"""From the quantized graph to layers over tensors (`network.py`): how channels lie, and which unit does what."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import gcd
from typing import cast

import numpy as np
from numpy.typing import NDArray
from xdsl.ir import BlockArgument, Operation, SSAValue

from axir import numerics
from axir.dialects import axq
from axir.dialects.base import ints_of, shape_of, tensor_of
from axir.ir.constants import constant_array
from axir.ir.diagnostics import AxirError
from axir.ir.location import layer_name
from axir.ir.store import WeightStore
from axir.passes.lowering import tensors as t
from axir.passes.lowering.array_map import Geometry
from axir.passes.lowering.channel_parts import channel_parts
from axir.passes.lowering.convolutions import I8Array, Phase, swap_groups, transposed_phases, ungroup
from axir.passes.lowering.emit_rearrange import copy_cycles, turns
from axir.passes.lowering.matmul import head_runs, head_slots, product_cycles
from axir.passes.lowering.network import (
    RESHAPE,
    Layer,
    MatMulWork,
    Network,
    NormalizeFields,
    Picks,
    SoftmaxFields,
    Walk,
    WindowWork,
    Work,
)
from axir.passes.lowering.registers import Algorithm
from axir.passes.lowering.tensors import Runs, Storage, Tensor
from axir.passes.lowering.vector_program import (
    EXPONENTIAL,
    VectorCode,
    finish,
    passthrough,
    quant_arrays,
    requantization,
)
from axir.target.description import Target
from axir.target.isa import PWORD, StepOp

SUB_WORD_PITCH = 4
"""Bytes of a pixel of a sub-word input: 16 pixels share a pword (as in the vendor's compiled first layers)."""


@dataclass(frozen=True)
class NetworkOptions:
    """The settings that steer layout and vector programs (names as in docs/config.md)."""

    enable_swicr: bool = True
    apply_pword_padding: bool = True
    rewrite_concat_to_resadd: bool = True
    remove_io_padding_and_layout_transform: bool = True
    dpu_allocation_algorithm: Algorithm = "try_all"


def build_network(graph: axq.GraphOp, store: WeightStore, target: Target, options: NetworkOptions) -> Network:
    """Turn `axq.graph` into layers."""
    return _Builder(graph, store, target, options).build()


class _Builder:
    def __init__(self, graph: axq.GraphOp, store: WeightStore, target: Target, options: NetworkOptions):
        self.graph, self.store, self.target, self.options = graph, store, target, options
        self.network = Network()
        self.tensors: dict[SSAValue, Tensor] = {}
        self.runs: dict[SSAValue, Runs] = {}
        self.homes: dict[SSAValue, tuple[Storage, int]] = {}  # planned views into a concatenation
        self.identities: dict[tuple[int, int], Tensor] = {}  # by height and width

    def build(self) -> Network:
        block = self.graph.body.block
        for value in block.args:
            if shape_of(value)[0] != 1:
                raise AxirError(
                    f"a program runs one sample a frame, the graph takes {shape_of(value)[0]}", op=self.graph,
                    notes=("give the model a batch of 1",),
                )  # fmt: skip
        ops = [op for op in block.ops if not isinstance(op, axq.ReturnOp)]
        for argument in block.args:
            self._port_in(argument)
        for op in ops:
            self._choose_runs(op)
        for op in reversed(ops):
            if isinstance(op, axq.ConcatOp) and self.options.rewrite_concat_to_resadd:
                self._plan_concat(op)
        for op in ops:
            self._lower(op)
        for name, value in zip(self.graph.outputs, self.graph.terminator.values, strict=True):
            self._port_out(name.data, value)
        for storage in self.network.storages:
            if storage.data is not None:  # constants are there all the time
                storage.touch(0)
                storage.touch(len(self.network.layers) - 1)
        if not self.options.apply_pword_padding:
            self._refuse_padding()
        return self.network

    def _refuse_padding(self) -> None:
        """Raise `AxirError` for the first tensor that only padding lays out; sub-word inputs are packed, not padded."""
        values = [*self.graph.body.block.args, *(op.results[0] for op in self.graph.body.block.ops if op.results)]
        for value in values:
            tensor = self.tensors[value]
            if tensor.channels % PWORD and not tensor.sub_word:
                owner = value.owner
                raise AxirError(
                    f"tensor '{tensor.label}' has {tensor.channels} channels, no multiple of {PWORD}, and "
                    "apply_pword_padding is false: the compiler does not pad",
                    op=owner if isinstance(owner, Operation) else self.graph,
                    notes=("set apply_pword_padding to true, or change the network's channels",),
                )

    def _lower(self, op: Operation) -> None:
        match op:
            case axq.ConvOp():
                self._conv(op)
            case axq.ConvTransposeOp():
                self._conv_transpose(op)
            case axq.MaxPoolOp():
                self._max_pool(op)
            case axq.AvgPoolOp():
                self._avg_pool(op)
            case axq.MapOp():
                self._map(op)
            case axq.SoftmaxOp():
                self._softmax(op)
            case axq.MatMulOp():
                self._matmul(op)
            case axq.NormalizeOp():
                self._normalize(op)
            case axq.ConstantOp():
                self._constant(op)
            case axq.ReshapeOp():
                self._reshape(op)
            case axq.RearrangeOp():
                self._rearrange(op)
            case axq.GatherOp():
                self._gather(op)
            case axq.ConcatOp():
                self._concat(op)
            case axq.SliceOp():
                self._slice(op)
            case _:
                raise AxirError(f"'{op.name}' has no lowering to the device", op=op)

    # --- ports ---

    def _port_in(self, argument: BlockArgument) -> None:
        name = self.graph.inputs.data[argument.index].data
        _, channels, height, width = shape_of(argument)
        users = [use.operation for use in argument.uses]
        arrays = bool(users) and all(self._array_input(op, argument) for op in users)
        packed = self.options.enable_swicr and channels <= SUB_WORD_PITCH and arrays
        runs = t.dense(channels)
        pitch = SUB_WORD_PITCH if packed else t.runs_width(runs)
        tensor = Tensor(name, channels, height, width, runs, t.new_storage(name, height, width, pitch))
        port = tensor
        if self.options.remove_io_padding_and_layout_transform:
            tensor.storage.port = "input"
        else:
            port = t.dense_port(name, channels, height, width, "input")
            tensor.storage.label = f"{name}.layout"
            self._add(Layer(0, name, "layout", port, tensor, [], passthrough(), None))
        self.tensors[argument], self.runs[argument] = tensor, runs
        self.network.inputs.append((name, port, tensor_of(argument)))

    def _array_input(self, op: Operation, value: SSAValue) -> bool:
        """Whether `op` reads `value` through the array's address generator alone, with a kernel that fits the sets."""
        if not isinstance(op, axq.ConvOp | axq.ConvTransposeOp) or op.input is not value or value in op.extras:
            return False
        if isinstance(op, axq.ConvOp) and self._is_depthwise(op):
            return False
        height, width = op.weight.type.get_shape()[2:]
        row = t.align(((width - 1) * ints_of(op.dilations)[1] + 1) * SUB_WORD_PITCH)
        return height * row <= self.target.array.weight_sets * self.target.array.rows

    def _port_out(self, name: str, value: SSAValue) -> None:
        tensor = self.tensors[value]
        if not self.options.remove_io_padding_and_layout_transform:
            port = t.dense_port(name, tensor.channels, tensor.height, tensor.width, "output")
            self._add(Layer(0, name, "layout", tensor, port, [], passthrough(), None))
            tensor = port
        elif not tensor.whole or tensor.storage.port == "input" or tensor.storage.data is not None:
            tensor = self._copy_of(value, name)
        tensor.storage.port = "output"
        self.network.outputs.append((name, tensor, tensor_of(value)))

    def _copy_of(self, value: SSAValue, name: str) -> Tensor:
        """An output that is an input, or a part of something: the host gets a buffer of its own."""
        source = self.tensors[value]
        pitch = source.pitch if source.sub_word else t.runs_width(source.runs)
        storage = t.new_storage(name, source.height, source.width, pitch)
        tensor = Tensor(name, source.channels, source.height, source.width, source.runs, storage)
        self._add(Layer(0, name, "copy", source, tensor, [], passthrough(), None))
        return tensor

    # --- layout ---

    def _choose_runs(self, op: Operation) -> None:
        """Convolutions place channels freely, a softmax puts them together; the rest keeps the layout of its input."""
        value = op.results[0]
        channels = shape_of(value)[1]
        match op:
            case axq.ConcatOp() if op.axis.value.data == 1:
                self.runs[value] = t.concat_runs([self.runs[v] for v in op.inputs])
            case axq.SliceOp():
                aligned = _slice_runs(self.runs[op.input], ints_of(op.starts)[1], ints_of(op.ends)[1])
                plain = set(ints_of(op.steps)) == {1} and aligned is not None and not self._packed(op.input)
                self.runs[value] = aligned[1] if plain and aligned else t.dense(channels)
            case axq.SoftmaxOp() | axq.NormalizeOp() | axq.RearrangeOp() | axq.ConstantOp():
                self.runs[value] = t.dense(channels)
            case axq.MatMulOp():
                heads = 1 if op.transpose.value.data else op.heads.value.data
                self.runs[value] = head_runs(heads, channels // heads)
            case axq.ConvOp() | axq.ConvTransposeOp() if not (isinstance(op, axq.ConvOp) and self._is_depthwise(op)):
                self.runs[value] = self.runs[op.extras[0]] if op.extras else t.dense(channels)
            case _:
                self.runs[value] = self.runs[op.operands[0]]

    def _packed(self, value: SSAValue) -> bool:
        return value in self.tensors and self.tensors[value].sub_word

    def _result(self, op: Operation, label: str) -> Tensor:
        value = op.results[0]
        _, channels, height, width = shape_of(value)
        runs = self.runs[value]
        planned = self.homes.get(value)
        if planned is None:
            planned = t.new_storage(label, height, width, t.runs_width(runs)), 0
        tensor = Tensor(label, channels, height, width, runs, planned[0], planned[1])
        self.tensors[value] = tensor
        return tensor

    def _relayout(self, source: Tensor, runs: Runs, name: str) -> Tensor:
        """The same channels in other slots: a 1x1 convolution with the identity, exact because nothing is scaled."""
        storage = t.new_storage(f"{name}.layout", source.height, source.width, t.runs_width(runs))
        tensor = Tensor(storage.label, source.channels, source.height, source.width, runs, storage)
        selection = np.eye(source.channels, dtype=np.int8)[:, :, None, None]
        geometry = Geometry((1, 1), (1, 1), (1, 1), (0, 0), source.height, source.width)
        self._add(Layer(0, name, "relayout", source, tensor, [], passthrough(), [Phase(geometry, selection)]))
        return tensor

    def _extras(self, op: Operation, values: Sequence[SSAValue], result: Tensor) -> list[Tensor]:
        found: list[Tensor] = []
        for value in values:
            tensor = self.tensors[value]
            if isinstance(value.owner, axq.ConstantOp) and shape_of(value)[2:] != (1, 1):
                found.append(self._repeated(value.owner, result))
                continue
            full = (tensor.height, tensor.width) == (result.height, result.width)
            if tensor.channels != result.channels or not (full or (tensor.height, tensor.width) == (1, 1)):
                raise AxirError(
                    f"an epilogue operand of {tensor.channels}x{tensor.height}x{tensor.width} cannot stream beside "
                    f"{result.channels}x{result.height}x{result.width}: it must have the same size or 1x1 pixels",
                    op=op,
                )  # fmt: skip
            found.append(tensor if tensor.runs == result.runs else self._relayout(tensor, result.runs, _name(op)))
        return found

    # --- layers ---

    def _add(self, layer: Layer) -> None:
        layer.index = len(self.network.layers)
        layer.output.producer = layer.index
        for tensor in layer.tensors:
            tensor.storage.touch(layer.index)
        self.network.layers.append(layer)

    def _fused(
        self,
        op: axq.FusedOp,
        source: SSAValue | Tensor,
        code: VectorCode,
        work: Work,
        macs: int,
        weight_bytes: int = 0,
    ) -> None:
        name = _name(op)
        result = self._result(op, name)
        distinct = list(dict.fromkeys(op.extras))
        extras = self._extras(op, distinct, result)
        slope = None if op.slope is None else constant_array(op.slope, self.store).astype(np.float32)
        taken = [(distinct.index(extra), axq.quant_of(extra)) for extra in op.extras]
        algorithm = self.options.dpu_allocation_algorithm
        finish(code, op.epilogue.data, taken, slope, axq.quant_of(op.result), self.store, name, algorithm)
        kind = op.name.removeprefix("axq.")
        if kind == "conv" and isinstance(work, WindowWork):
            kind = "depthwise_conv"
        tensor = source if isinstance(source, Tensor) else self.tensors[source]
        for part in channel_parts(Layer(0, name, kind, tensor, result, extras, code, work, macs, weight_bytes)):
            self._add(part)
        result.producer = len(self.network.layers) - 1

    def _is_depthwise(self, op: axq.ConvOp) -> bool:
        shape = op.weight.type.get_shape()
        group = op.group.value.data
        taps = shape[2] * shape[3]
        return group > 1 and group == shape_of(op.input)[1] == shape[0] and taps <= self.target.depthwise.max_taps

    def _weighted(self, op: axq.WeightedOp, sums: NDArray[np.int64]) -> VectorCode:
        """The code of a convolution so far: its bias for weights that sum to `sums`, and the scale of every channel."""
        scale, _ = quant_arrays(axq.quant_of(op.input), self.store)
        code = VectorCode()
        code.bias = code.lane(self._bias(op, sums))
        code.scale = code.lane(numerics.multiplier(scale, constant_array(op.weight_scale, self.store)))
        return code

    def _bias(self, op: axq.WeightedOp, sums: NDArray[np.int64]) -> NDArray[np.int32]:
        """The bias with the input's zero point folded in: bias - zx * sum w."""
        _, zero_point = quant_arrays(axq.quant_of(op.input), self.store)
        return _int32(constant_array(op.bias, self.store).astype(np.int64) - zero_point.astype(np.int64) * sums, op)

    def _zero_point(self, op: axq.WeightedOp) -> int:
        _, zero_point = quant_arrays(axq.quant_of(op.input), self.store)
        if zero_point.ndim:
            raise AxirError("the matrix array takes no input quantized per channel", op=op)
        return int(zero_point)

    def _conv(self, op: axq.ConvOp) -> None:
        weights = cast(I8Array, constant_array(op.weight, self.store))
        _, channels, height, width = shape_of(op.result)
        pads = ints_of(op.pads)
        geometry = Geometry(
            (weights.shape[2], weights.shape[3]), _pair(ints_of(op.strides)), _pair(ints_of(op.dilations)),
            (-pads[0], -pads[1]), height, width,
        )  # fmt: skip
        macs = weights.size * height * width
        code = self._weighted(op, weights.sum(axis=(1, 2, 3), dtype=np.int64))
        if not self._is_depthwise(op):
            dense = ungroup(weights, op.group.value.data, shape_of(op.input)[1])
            self._fused(op, op.input, code, [Phase(geometry, dense, pad=self._zero_point(op))], macs, weights.size)
            return
        _, zero_point = quant_arrays(axq.quant_of(op.input), self.store)
        pad = 0
        if zero_point.ndim:
            code.pad_lane = code.lane(zero_point).index
        else:
            pad = int(zero_point)
        self._fused(
            op, op.input, code, WindowWork(geometry, "mac", weights.reshape(channels, -1), pad), macs, weights.size
        )

    def _conv_transpose(self, op: axq.ConvTransposeOp) -> None:
        """Each residue of the output position modulo the stride is an ordinary convolution of its own."""
        weights = cast(I8Array, constant_array(op.weight, self.store))
        group = op.group.value.data
        swapped = swap_groups(weights, group)  # [O, C/group, KH, KW], as a convolution has it
        macs = weights.size * shape_of(op.input)[2] * shape_of(op.input)[3]
        dense = ungroup(swapped, group, shape_of(op.input)[1])
        phases = transposed_phases(
            dense, ints_of(op.strides), ints_of(op.pads), ints_of(op.dilations), shape_of(op.result)[2:]
        )
        code = self._weighted(op, dense.sum(axis=(1, 2, 3), dtype=np.int64))
        for phase in phases:
            phase.pad = self._zero_point(op)
            phase.bias = self._bias(op, phase.weights.sum(axis=(1, 2, 3), dtype=np.int64))
        self._fused(op, op.input, code, phases, macs, weights.size)

    def _max_pool(self, op: axq.MaxPoolOp) -> None:
        geometry = self._window(
            op, op.kernel.get_values(), ints_of(op.strides), ints_of(op.dilations), ints_of(op.pads)
        )
        result = self._result(op, _name(op))
        work = WindowWork(geometry, "max", pad=numerics.INT8_MIN)
        self._add(Layer(0, _name(op), "max_pool", self.tensors[op.input], result, [], passthrough(), work))

    def _avg_pool(self, op: axq.AvgPoolOp) -> None:
        kernel, pads = ints_of(op.kernel), ints_of(op.pads)
        geometry = self._window(op, kernel, ints_of(op.strides), (1, 1), pads)
        scale, zero_point = quant_arrays(axq.quant_of(op.input), self.store)
        taps = kernel[0] * kernel[1]
        code = VectorCode()
        code.bias = code.integer(-taps * zero_point)
        if any(pads) and not op.count_include_pad.value.data:
            code.scale = code.real(scale)
            code.apply(StepOp.TAPS)
        else:
            code.scale = code.real(_mean_scale(scale, taps))
        self._fused(op, op.input, code, WindowWork(geometry, "sum", pad=int(zero_point)), 0)

    def _map(self, op: axq.MapOp) -> None:
        scale, zero_point = quant_arrays(axq.quant_of(op.input), self.store)
        code = VectorCode()
        code.bias, code.scale = code.integer(-zero_point), code.real(scale)
        _, _, height, width = shape_of(op.result)
        geometry = Geometry((1, 1), (1, 1), (1, 1), (0, 0), height, width)
        self._fused(op, op.input, code, WindowWork(geometry, "vec"), 0)

    def _softmax(self, op: axq.SoftmaxOp) -> None:
        name = _name(op)
        source, (_, channels, height, width) = self.tensors[op.input], shape_of(op.result)
        if source.runs != t.dense(channels):
            source = self._relayout(source, t.dense(channels), name)
        scale, zero_point = quant_arrays(axq.quant_of(op.input), self.store)
        inverse, out_zero_point = requantization(axq.quant_of(op.result), self.store)
        neutral = float(np.float32(op.neutral.value.data))
        fields = SoftmaxFields(
            channels, int(zero_point), float(scale), neutral, float(inverse), int(out_zero_point)
        )  # fmt: skip
        work = WindowWork(Geometry((1, 1), (1, 1), (1, 1), (0, 0), height, width), "softmax", softmax=fields)
        code = VectorCode(table=EXPONENTIAL)
        self._add(Layer(0, name, "softmax", source, self._result(op, name), [], code, work))

    def _matmul(self, op: axq.MatMulOp) -> None:
        heads, transpose = op.heads.value.data, bool(op.transpose.value.data)
        name = _name(op)
        source, matrix = self.tensors[op.input], self.tensors[op.other]
        if head_slots(source, heads if transpose else 1) is None:
            source = self._relayout(source, t.dense(source.channels), name)
        if head_slots(matrix, heads) is None or not matrix.contiguous:
            matrix = self._relayout(matrix, t.dense(matrix.channels), name)
        (scale, zero), (other_scale, _) = (quant_arrays(axq.quant_of(v), self.store) for v in (op.input, op.other))
        code = VectorCode(scale=float(numerics.multiplier(scale, other_scale, op.factor.value.data)))
        _, channels, height, width = shape_of(op.result)
        work = MatMulWork(matrix, heads, transpose, op.depth, int(zero))
        self._fused(op, source, code, work, op.depth * channels * height * width)

    def _normalize(self, op: axq.NormalizeOp) -> None:
        name = _name(op)
        source, (_, channels, height, width) = self.tensors[op.input], shape_of(op.result)
        if source.runs != t.dense(channels):
            source = self._relayout(source, t.dense(channels), name)
        _, zero_point = quant_arrays(axq.quant_of(op.input), self.store)
        inverse, out_zero_point = requantization(axq.quant_of(op.result), self.store)
        fields = NormalizeFields(
            channels, op.group.value.data, int(bool(op.spatial.value.data)), int(zero_point), op.stored_epsilon,
            float(inverse), int(out_zero_point),
        )  # fmt: skip
        work = WindowWork(Geometry((1, 1), (1, 1), (1, 1), (0, 0), height, width), "normalize", normalize=fields)
        code = VectorCode()
        for constant in (op.factor, op.summand):
            code.lane(constant_array(constant, self.store).astype(np.float32))
        self._add(Layer(0, name, "normalize", source, self._result(op, name), [], code, work))

    def _window(
        self,
        op: Operation,
        kernel: Sequence[int],
        strides: Sequence[int],
        dilations: Sequence[int],
        pads: Sequence[int],
    ) -> Geometry:
        _, _, height, width = shape_of(op.results[0])
        return Geometry(_pair(kernel), _pair(strides), _pair(dilations), (-pads[0], -pads[1]), height, width)

    # --- data movement ---

    def _plan_concat(self, op: axq.ConcatOp) -> None:
        """Let the producers of a concatenation's inputs write straight into its storage, where nothing forbids it."""
        if op.axis.value.data == 0:
            raise AxirError("concatenation along the batch: a program runs one sample a frame", op=op)
        value = op.result
        _, _, height, width = shape_of(value)
        storage, base = self.homes.get(value, (None, 0))
        if storage is None:
            storage = t.new_storage(_name(op), height, width, t.runs_width(self.runs[value]))
            self.homes[value] = storage, base
        for part, offset in self._parts(op, storage):
            owner = part.owner
            fits = op.axis.value.data == 1 or self.runs[part] == self.runs[value]
            movable = isinstance(owner, Operation) and not isinstance(owner, axq.SliceOp | axq.ConstantOp)
            if isinstance(owner, axq.ReshapeOp) and shape_of(part)[2] > 1:  # its rows would not follow each other
                movable = False
            if fits and movable and part not in self.homes:
                self.homes[part] = storage, base + offset

    def _parts(self, op: axq.ConcatOp, storage: Storage) -> list[tuple[SSAValue, int]]:
        """Inputs with the byte at which each begins."""
        axis = op.axis.value.data
        parts: list[tuple[SSAValue, int]] = []
        offset = 0
        for part in op.inputs:
            parts.append((part, offset))
            shape = shape_of(part)
            offset += {
                1: t.runs_width(self.runs[part]),
                2: shape[2] * storage.row_pitch,
                3: shape[3] * storage.pitch,
            }[axis]
        return parts

    def _concat(self, op: axq.ConcatOp) -> None:
        name = _name(op)
        result = self._result(op, name)
        for part, offset in self._parts(op, result.storage):
            source = self.tensors[part]
            if source.storage is result.storage and source.offset == result.offset + offset:
                continue
            view = Tensor(
                name, source.channels, source.height, source.width, source.runs, result.storage, result.offset + offset
            )  # fmt: skip
            if op.axis.value.data != 1 and source.runs != result.runs:
                source = self._relayout(source, result.runs, name)
                view.runs = result.runs
            self._add(Layer(0, name, "concat", source, view, [], passthrough(), None))
        producers = [self.tensors[part].producer for part in op.inputs]
        result.producer = max([*producers, len(self.network.layers) - 1])

    def _constant(self, op: axq.ConstantOp) -> None:
        self.tensors[op.result] = self._stored(op, shape_of(op.result), self.runs[op.result])

    def _repeated(self, op: axq.ConstantOp, like: Tensor) -> Tensor:
        """A constant as an operand that streams beside a tensor: repeated to its size, in its layout."""
        return self._stored(op, (1, like.channels, like.height, like.width), like.runs)

    def _stored(self, op: axq.ConstantOp, shape: tuple[int, ...], runs: Runs) -> Tensor:
        """A constant broadcast to a shape, in a storage outside of L1 with its bytes in it."""
        name = _name(op)
        _, channels, height, width = shape
        storage = t.new_storage(name, height, width, t.runs_width(runs))
        storage.home = "l2"
        value, store, slots, pitch = op.value, self.store, t.slots(runs), storage.pitch

        def data() -> NDArray[np.int8]:
            image = np.zeros((height, width, pitch), np.int8)
            image[:, :, slots] = np.broadcast_to(constant_array(value, store), shape)[0].transpose(1, 2, 0)
            return image

        storage.data = data
        return Tensor(name, channels, height, width, runs, storage)

    def _reshape(self, op: axq.ReshapeOp) -> None:
        """A copy of all pixels one after the other."""
        name = _name(op)
        source = self.tensors[op.input]
        if not source.contiguous or source.sub_word:
            source = self._relayout(source, t.dense(source.channels), name)
            self.runs[op.result] = source.runs
        self._add(Layer(0, name, RESHAPE, source, self._result(op, name), [], passthrough(), None))

    def _rearrange(self, op: axq.RearrangeOp) -> None:
        """Copies of runs of bytes, which may be single ones; or, where pixels become channels, the array if faster."""
        name = _name(op)
        source = self.tensors[op.input]
        if source.runs != t.dense(source.channels) or source.sub_word:
            source = self._relayout(source, t.dense(source.channels), name)
        result, walk = self._result(op, name), Walk(ints_of(op.split), ints_of(op.perm))
        layers = [Layer(0, name, "rearrange", source, result, [], passthrough(), None, walk=walk)]
        if turns(walk, source, result) and source.contiguous:
            products = self._turned(name, source, result)
            if sum(product_cycles(one, self.target) for one in products) < copy_cycles(layers[0], walk, self.target):
                layers = products
        for layer in layers:
            self._add(layer)
        result.producer = len(self.network.layers) - 1

    def _turned(self, name: str, source: Tensor, result: Tensor) -> list[Layer]:
        """Pixels as channels, and channels as pixels: the products of some channels' identity and the tensor."""
        layers: list[Layer] = []
        for row, rows, column, columns in _pieces(result.height, result.width, self.target.array.rows):
            count, first = rows * columns, row * result.width + column
            taken = replace(source, channels=count, runs=t.dense(count), offset=source.offset + first)
            offset = result.offset + row * result.row_pitch + column * result.pitch
            made = replace(result, height=rows, width=columns, offset=offset)
            work = MatMulWork(taken, 1, True, count, 0)
            layers.append(Layer(0, name, "rearrange", self._identity(rows, columns), made, [], passthrough(), work))
        return layers

    def _identity(self, height: int, width: int) -> Tensor:
        """Pixels of which each has a 1 in the channel of its number; the same ones for all who want so many."""
        if (height, width) not in self.identities:
            count = height * width
            storage = t.new_storage(f"identity.{height}x{width}", height, width, t.runs_width(t.dense(count)))
            storage.home = "l2"
            pitch = storage.pitch
            storage.data = lambda: np.eye(count, pitch, dtype=np.int8).reshape(height, width, pitch)
            self.identities[height, width] = Tensor(storage.label, count, height, width, t.dense(count), storage)
        return self.identities[height, width]

    def _gather(self, op: axq.GatherOp) -> None:
        """Copies of whole pixels."""
        name, source = _name(op), self.tensors[op.input]
        if source.sub_word:
            source = self._relayout(source, self.runs[op.result], name)
        picks = Picks(op.axis.value.data, ints_of(op.indices))
        self._add(Layer(0, name, "gather", source, self._result(op, name), [], passthrough(), None, walk=picks))

    def _slice(self, op: axq.SliceOp) -> None:
        source = self.tensors[op.input]
        starts, ends, steps = ints_of(op.starts), ints_of(op.ends), ints_of(op.steps)
        _, channels, height, width = shape_of(op.result)
        aligned = _slice_runs(self.runs[op.input], starts[1], ends[1])
        if set(steps) == {1} and aligned is not None and not source.sub_word:
            base, runs = aligned
            offset = source.offset + starts[2] * source.row_pitch + starts[3] * source.pitch + base
            view = Tensor(_name(op), channels, height, width, runs, source.storage, offset)
            view.producer = source.producer
            self.tensors[op.result] = view
            return
        name = _name(op)
        selection = np.eye(source.channels, dtype=np.int8)[starts[1] : ends[1] : steps[1], :, None, None]
        geometry = Geometry((1, 1), (steps[2], steps[3]), (1, 1), (starts[2], starts[3]), height, width)
        result = self._result(op, name)
        self._add(Layer(0, name, "slice", source, result, [], passthrough(), [Phase(geometry, selection)]))


def _pieces(height: int, width: int, most: int) -> list[tuple[int, int, int, int]]:
    """(row, rows, column, columns) of parts of at most so many pixels, of which each begins with a multiple of a pword.

    The whole, where rows of pixels have another length.
    """
    if width > most:
        if height > 1 and width % PWORD:
            return [(0, height, 0, width)]
        return [
            (row, 1, column, min(most, width - column)) for row in range(height) for column in range(0, width, most)
        ]  # fmt: skip
    aligned = PWORD // gcd(width, PWORD)  # rows whose pixels are a multiple of a pword
    rows = most // width // aligned * aligned or height
    return [(row, min(rows, height - row), 0, width) for row in range(0, height, rows)]


def _slice_runs(runs: Runs, start: int, end: int) -> tuple[int, Runs] | None:
    """(base slot, runs) of channels [start, end), or None where they do not begin on a pword."""
    picked: list[tuple[int, int]] = []
    channel = 0
    for count, slot in runs:
        low, high = max(start, channel), min(end, channel + count)
        if low < high:
            picked.append((high - low, slot + low - channel))
        channel += count
    if not picked or any(slot % PWORD for _, slot in picked):
        return None
    base = picked[0][1]
    return base, tuple((count, slot - base) for count, slot in picked)


def _mean_scale(scale: NDArray[np.float32], taps: int) -> NDArray[np.float32]:
    """Real value of one unit of a window's sum, divided by its taps; rounded once."""
    return np.asarray(scale.astype(np.float64) / taps).astype(np.float32)


def _int32(values: NDArray[np.int64], op: Operation) -> NDArray[np.int32]:
    if np.abs(values).max(initial=0) >= 1 << 31:
        raise AxirError("the bias does not fit 32 bits once the input's zero point is folded in", op=op)
    return values.astype(np.int32)


def _pair(values: Sequence[int]) -> tuple[int, int]:
    return values[0], values[1]


def _name(op: Operation) -> str:
    return layer_name(op)
