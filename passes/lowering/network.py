"""The network as layers over tensors: what each unit computes, before any memory or tile is chosen."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from axir.dialects.base import Tensor as TensorTypeOf
from axir.passes.lowering.array_map import Geometry
from axir.passes.lowering.convolutions import I8Array, Phase
from axir.passes.lowering.tensors import Storage, Tensor
from axir.passes.lowering.vector_program import VectorCode
from axir.target.isa import PARAMETER_BYTES


@dataclass(frozen=True)
class SoftmaxFields:
    """The fields of an `isa.Softmax` that do not depend on addresses."""

    channels: int
    zero: int
    scale: float
    neutral: float
    inverse: float
    zero_point: int


@dataclass(frozen=True)
class NormalizeFields:
    """The fields of an `isa.Normalize` that do not depend on addresses."""

    channels: int
    group: int
    spatial: int
    zero: int
    epsilon: float
    inverse: float
    zero_point: int


@dataclass
class WindowWork:
    """Taps over each channel on the depthwise unit, or (`mode` vec, softmax, normalize) the vector unit alone."""

    geometry: Geometry
    mode: Literal["mac", "max", "sum", "vec", "softmax", "normalize"]
    weights: I8Array | None = None  # [C, taps]
    pad: int = 0
    softmax: SoftmaxFields | None = None  # of mode softmax
    normalize: NormalizeFields | None = None  # of mode normalize

    @property
    def vector_only(self) -> bool:
        return self.mode in ("vec", "softmax", "normalize")


@dataclass
class MatMulWork:
    """Pixels of the layer's input times `matrix`, head by head, on the array; `depth` products a sum (axq.matmul)."""

    matrix: Tensor
    heads: int
    transpose: bool
    depth: int
    zero: int  # zero point of the input


RESHAPE = "reshape"
"""The operator of layers that copy pixels into rows of another length."""


@dataclass(frozen=True)
class Walk:
    """How a copy goes through elements: axes split into factors (C, H, W; the last is the innermost), which `perm` puts
    in the order of the output."""

    sizes: tuple[int, ...]
    perm: tuple[int, ...]


@dataclass(frozen=True)
class Picks:
    """The rows (axis 2) or columns (axis 3) that a copy takes, in the order of the output."""

    axis: int
    indices: tuple[int, ...]


Work = list[Phase] | WindowWork | MatMulWork


@dataclass
class Layer:
    """One fused operator. `work` says on which unit: convolution phases, windows, a product of two tensors, or (None)
    a copy of bytes."""

    index: int
    name: str
    operator: str
    input: Tensor
    output: Tensor
    extras: list[Tensor]
    code: VectorCode
    work: Work | None
    macs: int = 0
    weight_bytes: int = 0  # of the operator, without padding or the zeros between groups
    walk: Walk | Picks | None = None  # of a copy that puts elements in another order, or takes some of them

    @property
    def unit(self) -> str:
        if self.work is None:
            return "dma"
        if isinstance(self.work, list | MatMulWork):
            return "array"
        return "vector" if self.work.vector_only else "depthwise"

    @property
    def whole_pixels(self) -> bool:
        """Whether all channels of a pixel must be in one tile."""
        if isinstance(self.work, WindowWork):
            return self.work.mode in ("softmax", "normalize")
        return isinstance(self.work, MatMulWork)

    @property
    def whole_rows(self) -> bool:
        """Whether all rows must be in one tile."""
        work = self.work
        if self.operator == RESHAPE or self.walk is not None:
            return True
        return isinstance(work, WindowWork) and work.normalize is not None and bool(work.normalize.spatial)

    @property
    def phase_parameter_bytes(self) -> int:
        """Bytes of the vector program's parameter blocks; of a transposed convolution those of one phase."""
        return len(self.code.vectors) * PARAMETER_BYTES * self.output.blocks

    @property
    def parameter_bytes(self) -> int:
        """Bytes of all parameter blocks: every phase has its own."""
        return self.phase_parameter_bytes * (len(self.work) if isinstance(self.work, list) else 1)

    @property
    def tensors(self) -> list[Tensor]:
        matrix = [self.work.matrix] if isinstance(self.work, MatMulWork) else []
        return [self.input, *matrix, *self.extras, self.output]


@dataclass
class Network:
    """Layers in execution order, and the tensors that the host writes and reads."""

    layers: list[Layer] = field(default_factory=list[Layer])
    inputs: list[tuple[str, Tensor, TensorTypeOf]] = field(default_factory=list[tuple[str, Tensor, TensorTypeOf]])
    outputs: list[tuple[str, Tensor, TensorTypeOf]] = field(default_factory=list[tuple[str, Tensor, TensorTypeOf]])

    @property
    def storages(self) -> list[Storage]:
        found: dict[int, Storage] = {}
        for layer in self.layers:
            for tensor in layer.tensors:
                found.setdefault(id(tensor.storage), tensor.storage)
        for _, tensor, _ in self.inputs:
            found.setdefault(id(tensor.storage), tensor.storage)
        return list(found.values())
