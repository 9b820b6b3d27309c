"""Mapping a convolution onto the matrix array: the kernel walk, in-core replication, and the weight matrix.

Input pwords are numbered (kernel row, kernel column, block); pword n meets matrix rows 64 n ... With replication factor
f, one vector holds the windows of f neighbouring output pixels, and the weights stand f times in the matrix, shifted by
the stride: f times fewer vectors, f times the columns. Sub-word inputs (first layers) work in the same way, with pixels
of 4 bytes, so that one pword holds the windows of several pixels.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from axir.passes.lowering.tensors import Tensor
from axir.target.cost import array_interval, ceil_div
from axir.target.description import Target
from axir.target.isa import PWORD


@dataclass(frozen=True)
class ArrayOptions:
    """The settings that steer the mapping (names as in docs/config.md)."""

    enable_icr: bool = True
    icrx_force: int = -1
    icrx_max_factor: int = 8
    icrx_parallel_block_threshold: int = 4
    mvm_utilization_limit: float = 1.0

    def column_blocks(self, target: Target) -> int:
        """Most column blocks in use at a time."""
        blocks = target.array.columns // target.array.column_block
        return max(1, int(blocks * self.mvm_utilization_limit))


@dataclass(frozen=True)
class Geometry:
    """A dense convolution without padding logic: output (y, x) reads taps at (y * stride + i * dilation - pad)."""

    kernel: tuple[int, int]
    strides: tuple[int, int]
    dilations: tuple[int, int]
    origin: tuple[int, int]  # input row and column of output (0, 0), tap (0, 0); negative inside padding
    height: int  # outputs
    width: int


@dataclass(frozen=True)
class ArrayMap:
    """How one convolution with `blocks_out` output column blocks lies on the array."""

    replicas: int
    tap_columns: int  # kernel columns of the address generator
    tap_pixels: int  # pixels from one to the next; 0: the next pword (sub-word inputs)
    blocks: int  # pwords a tap
    rows: int  # matrix rows of the whole kernel, a multiple of 64
    segments: int  # kernel rows placed separately (1: the matrix is the source as it stands)
    segment_rows: int  # source rows of a segment
    segment_step: int
    replica_step: int
    clear: bool
    vector_pixels: int  # input pixels a vector

    @property
    def source_rows(self) -> int:
        return self.segments * self.segment_rows

    def sets(self, target: Target) -> int:
        return ceil_div(self.rows, target.array.rows)


def candidates(geometry: Geometry, tensor: Tensor, limit: int, target: Target) -> list[ArrayMap]:
    """Every legal mapping with replication 1 .. `limit`, best-known properties first."""
    maps = [_map(geometry, tensor, factor) for factor in range(1, max(1, limit) + 1)]
    room = target.array.weight_sets * target.array.rows
    return [m for m in maps if m.replicas == 1 or m.rows <= room]


def _map(geometry: Geometry, tensor: Tensor, factor: int) -> ArrayMap:
    kernel_rows, kernel_columns = geometry.kernel
    stride, dilation = geometry.strides[1], geometry.dilations[1]
    reach = (kernel_columns - 1) * dilation + 1
    span = reach + (factor - 1) * stride  # input pixels of one vector
    pixel = tensor.pitch
    if tensor.sub_word:
        columns = ceil_div(span * pixel, PWORD)
        return ArrayMap(
            factor, columns, 0, 1, kernel_rows * columns * PWORD, kernel_rows, reach * pixel, columns * PWORD,
            stride * pixel, True, factor * stride,
        )  # fmt: skip
    width = tensor.blocks * PWORD
    if factor == 1:
        rows = kernel_rows * kernel_columns * width
        return ArrayMap(1, kernel_columns, dilation, tensor.blocks, rows, 1, rows, 0, 0, False, stride)
    return ArrayMap(
        factor, span, 1, tensor.blocks, kernel_rows * span * width, kernel_rows, reach * width, span * width,
        stride * width, True, factor * stride,
    )  # fmt: skip


def choose(
    geometry: Geometry, tensor: Tensor, blocks_out: int, vector: int, options: ArrayOptions, target: Target
) -> ArrayMap:
    """The mapping with the least modelled cycles for one pass over the whole output, weights loaded once."""
    most = options.column_blocks(target)
    limit = min(options.icrx_max_factor, target.array.replication, most // blocks_out) if options.enable_icr else 1
    if blocks_out > min(options.icrx_parallel_block_threshold, target.array.replication_blocks) or geometry.width == 1:
        limit = 1
    maps = candidates(geometry, tensor, limit, target)
    if options.icrx_force >= 1:
        maps = [m for m in maps if m.replicas == min(options.icrx_force, limit)] or maps[:1]
    columns = min(blocks_out, most)

    def cycles(m: ArrayMap) -> int:
        vectors = geometry.height * ceil_div(geometry.width, m.replicas)
        interval = array_interval(m.rows, columns * m.replicas, vector, target)
        load = ceil_div(m.source_rows * columns * PWORD * m.replicas, target.array.load_bandwidth)
        return vectors * interval + load * ceil_div(blocks_out, columns)

    return min(maps, key=cycles)


def weight_matrix(
    weights: NDArray[np.int8],
    mapping: ArrayMap,
    geometry: Geometry,
    tensor: Tensor,
    out_slots: NDArray[np.int64],
    blocks_out: int,
) -> NDArray[np.int8]:
    """Source rows of the load: [segments * segment_rows, blocks_out * 64].

    `weights` [O, C, KH, KW]; input channel c stands at its slot of the pixel, output channel o in column out_slots[o].
    """
    _, _, kernel_rows, kernel_columns = weights.shape
    dilation = geometry.dilations[1]
    spread = mapping.replicas > 1 or tensor.sub_word  # the address generator walks every pixel of the window
    step = dilation if spread else 1
    taps = (kernel_columns - 1) * step + 1
    width = tensor.pitch if tensor.sub_word else tensor.blocks * PWORD
    matrix = np.zeros((kernel_rows, taps, width, blocks_out * PWORD), np.int8)
    rows, columns = np.meshgrid(tensor.slots, out_slots, indexing="ij")
    matrix[:, ::step, rows, columns] = weights.transpose(2, 3, 1, 0)
    return matrix.reshape(-1, blocks_out * PWORD)
