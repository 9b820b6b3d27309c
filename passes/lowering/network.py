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


@dataclass
class WindowWork:
    """Taps over each channel on the depthwise unit, or (`mode` vec and softmax) the vector unit alone."""

    geometry: Geometry
    mode: Literal["mac", "max", "sum", "vec", "softmax"]
    weights: I8Array | None = None  # [C, taps]
    pad: int = 0
    softmax: SoftmaxFields | None = None  # of mode softmax

    @property
    def vector_only(self) -> bool:
        return self.mode in ("vec", "softmax")


@dataclass
class Layer:
    """One fused operator. `work` says on which unit: convolution phases, windows, or (None) a copy of bytes."""

    index: int
    name: str
    operator: str
    input: Tensor
    output: Tensor
    extras: list[Tensor]
    code: VectorCode
    work: list[Phase] | WindowWork | None
    macs: int = 0
    weight_bytes: int = 0  # of the operator, without padding or the zeros between groups

    @property
    def unit(self) -> str:
        if self.work is None:
            return "dma"
        if isinstance(self.work, list):
            return "array"
        return "vector" if self.work.vector_only else "depthwise"

    @property
    def whole_pixels(self) -> bool:
        """Whether all channels of a pixel must be in one tile."""
        return isinstance(self.work, WindowWork) and self.work.softmax is not None

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
        return [self.input, *self.extras, self.output]


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
